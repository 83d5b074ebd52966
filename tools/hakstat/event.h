/* SPDX-License-Identifier: MIT */
/*
 * One event of a trace as plain data: what a source hands on and the model takes. No type of
 * the reading library appears here, so that tests feed arrays and another source may come.
 *
 * Pointers inside an event belong to the source and last until feed returns. Sizes in
 * bytes, times in nanoseconds since the epoch of the trace's clock.
 */
#ifndef HAKSTAT_EVENT_H
#define HAKSTAT_EVENT_H

#include <stdbool.h>
#include <stdint.h>

enum hakstat_event_kind {
	HAKSTAT_EVENT_OTHER, /* known to the provider, counted only */
	HAKSTAT_EVENT_OPS,
	HAKSTAT_EVENT_ALLOC,
	HAKSTAT_EVENT_FREE,
	HAKSTAT_EVENT_RESIZE,
	HAKSTAT_EVENT_FRAG,
	HAKSTAT_EVENT_SAMPLE_ALLOC,
	HAKSTAT_EVENT_SAMPLE_RESIZE,
	HAKSTAT_EVENT_SAMPLE_FREE,
	HAKSTAT_EVENT_CLASS_STATS,
	HAKSTAT_EVENT_HEAP_STATS,
	HAKSTAT_EVENT_CONFIG,
	HAKSTAT_EVENT_CLASS_INFO,
	HAKSTAT_EVENT_OOM,
	HAKSTAT_EVENT_CORRUPTION,
	HAKSTAT_EVENT_LOST,	   /* the tracer or the disk lost events */
	HAKSTAT_EVENT_IMAGE_START, /* the list of loaded files begins: a new image, or a new session */
	HAKSTAT_EVENT_MODULE_LOAD,
	HAKSTAT_EVENT_MODULE_OPEN, /* the same by dlopen: always position-independent */
	HAKSTAT_EVENT_MODULE_BUILD_ID,
	HAKSTAT_EVENT_MODULE_DEBUG_LINK,
	HAKSTAT_EVENT_MODULE_UNLOAD,
};

/* alloc, free, resize, frag, sample_*: fields that an event lacks are 0. */
struct hakstat_event_op {
	uint64_t ptr;
	uint64_t requested;
	uint64_t usable;
	uint64_t old_requested; /* resize */
	uint64_t old_ptr;	/* sample_resize */
	double weight;		/* sample_*; else 1 */
	uint32_t class_id;
	uint32_t route;
	uint32_t reason;
	uint32_t flags; /* enum hak_op_flag */
	uint32_t stack_id;
	uint32_t depth;
	const uint64_t *stack; /* innermost return address first */
	bool in_session;       /* sample_free: its sample_alloc belongs to this session */
};

struct hakstat_event_ops {
	uint64_t first; /* number of the first operation in its thread */
	uint32_t operations;
	uint32_t units; /* hakmem_ops_word.h */
	uint32_t count; /* words */
	const uint64_t *words;
};

struct hakstat_event_class_stats {
	uint64_t snapshot;
	uint64_t usable, allocs, frees, live, cached, slabs, slab_bytes;
	uint64_t hidden;   /* of `allocs`, those of LTTng's own threads while every operation was traced */
	uint64_t resident; /* in memory; where the snapshot's heap tells */
	uint32_t class_id;
	uint32_t route;
};

struct hakstat_event_heap_stats {
	uint64_t snapshot;
	uint64_t reserved, mapped, committed, cached, large_bytes, large_blocks, metadata, purged;
	uint64_t resident; /* in memory; 0: not told */
	uint32_t life;	   /* enum hak_life; 0: not told */
};

/* How LTTng's session is called when it was made for one command. */
#define HAKSTAT_RECORD_PREFIX "hakstat-record-"

struct hakstat_event_config {
	const char *version;
	const char *size_classes;
	const char *session; /* the recording that the process was started in; NULL: not told */
	uint32_t tiny_max_class, tiny_max_size, class_count, page_size, frag_percent;
	uint64_t superslab_size, sample_bytes;
};

struct hakstat_event_class_info {
	uint32_t class_id;
	uint32_t route;
	const char *name;
	uint64_t usable, min_request, max_request;
};

struct hakstat_event_module {
	uint64_t base;
	uint64_t size;
	const char *text; /* path, build id in hexadecimal, or name of the debug file */
	bool is_pic;
};

/* More lost events than this is no count but a damaged field, or LTTng's: near 2^63 were seen where none was
 * lost. */
#define HAKSTAT_LOST_MOST (UINT64_C(1) << 48)

struct hakstat_event_lost {
	uint64_t count; /* events; 0 or more than HAKSTAT_LOST_MOST: some, the number is not known */
	bool packets;	/* whole packets are missing as well */
};

struct hakstat_event {
	enum hakstat_event_kind kind;
	bool has_pid;
	uint32_t session; /* the source's number of the session on its machine, from 0: where process ids are
			     unique */
	uint32_t pid;
	uint32_t tid; /* 0: unknown */
	int64_t time_ns;
	const char *process_name; /* NULL: unknown */
	const char *host_name;
	const char *session_name; /* LTTng's */
	/* What tells the trace and its session from all others; they last as long as the source. NULL:
	 * unknown. */
	const char *trace_id, *session_id;
	bool is_of_full; /* the trace was to hold packed operations: it was recorded in mode full */
	union {
		struct hakstat_event_op op;
		struct hakstat_event_ops ops;
		struct hakstat_event_class_stats class_stats;
		struct hakstat_event_heap_stats heap_stats;
		struct hakstat_event_config config;
		struct hakstat_event_class_info class_info;
		struct hakstat_event_module module;
		struct hakstat_event_lost lost;
	} u;
};

#endif
