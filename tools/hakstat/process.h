/* SPDX-License-Identifier: MIT */
/*
 * What the model keeps of one process: one program image under one process id. An exec or a
 * reuse of the id makes a new one. Internal to the model.
 */
#ifndef HAKSTAT_PROCESS_H
#define HAKSTAT_PROCESS_H

#include "domain.h"
#include "late.h"
#include "pending.h"
#include "samples.h"
#include "summary.h"
#include "symbol.h"
#include "tally.h"

struct hakstat_class_point {
	uint64_t allocs, frees, live, slabs, slab_bytes, hidden, resident;
};

/* What is live of a class, by usable bytes: requested + waste + unknown = usable. */
struct hakstat_live {
	uint64_t blocks, usable, requested;
	uint64_t unknown_blocks, unknown; /* whose request is not known */
	struct hakstat_variances v;
};

/* Where the memory of a class is at one time. */
struct hakstat_moment {
	struct hakstat_live live;
	uint64_t idle; /* in slabs, and of no live block */
};

/* Moments over time, in byte nanoseconds. */
struct hakstat_area {
	double requested, waste, unknown, idle;
};

struct hakstat_class_state {
	bool is_known; /* route and block were in the trace */
	bool has_points;
	char *name; /* NULL: no class_info in the trace */
	uint32_t route;
	uint64_t block, min_request, max_request;
	struct hakstat_class_point first, last;
	struct hakstat_class_point counted;	 /* the last one as it came */
	uint64_t snapshot;			 /* its number */
	int64_t untold_allocs, untold_frees;	 /* before `first`: no operation tells of them */
	int64_t untold_bytes;			 /* likewise, where blocks differ */
	struct hakstat_class_point inherited;	 /* by a fork child, and taken off `last`: live and slabs */
	struct hakstat_moment now, before, peak; /* as of the last, the closed and the fullest snapshot */
	struct hakstat_area area;
	double early_allocs, early_frees; /* weight of samples before `first` */
	double early_variance;		  /* of the former */
};

/* Operations of a thread that have not come: from..to - 1. */
struct hakstat_gap {
	uint64_t from, to;
};

enum { HAKSTAT_GAPS = 16 };

struct hakstat_thread {
	bool has_batches;
	int64_t batch_ns; /* when the last one was written */
	uint64_t next_operation;
	uint64_t lost_operations;
	bool lost_unknown; /* more than lost_operations: a gap that no count explains */
	/* The latest ones: a batch may come late out of a damaged stream. */
	struct hakstat_gap gaps[HAKSTAT_GAPS];
	unsigned gap_count;			     /* of all there were */
	uint64_t moving[HAKSTAT_MODE_COUNT];	     /* see hakstat_tally_note_move */
	struct hakstat_counts n[HAKSTAT_MODE_COUNT]; /* by source: samples, events, packed operations */
};

struct hakstat_heap {
	uint64_t mapped, committed, cached, metadata;
	uint64_t resident;   /* as told last */
	bool tells_resident; /* this snapshot does, of the classes, too */
	bool knows_resident; /* this one or one before it did */
	uint32_t life;	     /* enum hak_life; 0: not told */
	uint64_t rest;	     /* committed, and neither cached nor in slabs nor in a large block */
};

struct hakstat_process {
	uint32_t index; /* its key among the symbolizer's processes */
	uint32_t session, pid;
	char *host_name, *name;
	char *session_id;   /* NULL: unknown */
	bool has_main_name; /* `name` is the main thread's */
	bool is_full;	    /* recorded in that mode, whether or not an operation was written */
	bool has_image_start;
	bool is_forked;	 /* has snapshots of the time before fork returned to it */
	bool is_foreign; /* runs beside the recording: neither its command nor started by that */
	bool has_snapshot;
	uint64_t snapshot; /* number of the last one */
	int64_t snapshot_ns;
	struct hakstat_class_state classes[HAKSTAT_MAX_CLASSES];
	int64_t snapshot_live_bytes; /* usable, as of the last values of all classes */
	int64_t baseline_live_bytes; /* the same at the first snapshot */
	bool has_baseline;
	uint64_t peak_live_bytes;
	struct hakstat_heap heap, heap_before, heap_peak;
	struct hakstat_heap inherited;		       /* and taken off `heap` */
	double committed_area, cached_area, rest_area; /* byte nanoseconds */
	bool is_open;				       /* rows of the last snapshot may still come */
	unsigned snapshots;			       /* that are closed */
	int64_t closed_ns;			       /* the time of the last of them */
	struct hakstat_late *late, *late_peak;	       /* of the last, and of the fullest snapshot; or NULL */
	bool has_lost; /* operations, so that no count says which ones are late */
	struct hakstat_tally ops, events;
	uint64_t operations[HAKSTAT_MODE_COUNT]; /* that were read one by one, by source */
	struct hakstat_samples samples;
	struct hakstat_pending pending;
	GHashTable *threads; /* tid -> struct hakstat_thread */
	GHashTable *modules; /* base -> struct hakstat_module with its own strings */
	struct hakstat_config config;
	bool has_early_samples; /* the first snapshot came after them */
	bool has_no_frag_sites; /* another process of the trace has sampled sites, which tell more */
	bool was_shared;	/* others took their request sizes from its samples */
	bool is_superseded;	/* others brought their own operations */
	uint64_t shared_allocs[HAKSTAT_MAX_CLASSES]; /* of those others */
};

struct hakstat_process *hakstat_process_new(uint32_t index, uint32_t session, uint32_t pid);
void hakstat_process_free(struct hakstat_process *process);

struct hakstat_thread *hakstat_process_thread(struct hakstat_process *process, uint32_t tid);

/*
 * A batch of a thread's operations, of which `first` is the number of the first one. A gap before
 * it is lost operations; a batch that fills a gap takes them back; any other number that went back is a
 * new thread under the same id.
 */
void hakstat_thread_batch(struct hakstat_thread *thread, uint64_t first, uint32_t count);

/* Route, block and range of a class. Class ids are below HAKSTAT_MAX_CLASSES. */
void hakstat_process_class_info(struct hakstat_process *process, const struct hakstat_event_class_info *info);
void hakstat_process_set_block(struct hakstat_process *process, uint32_t class_id, uint32_t route,
			       uint64_t usable);

/*
 * A snapshot is one row of the heap and one for each class. One that is older than the last is
 * left out. `close` is for the end of the trace: the last snapshot is whole.
 */
void hakstat_process_class_stats(struct hakstat_process *process, int64_t time_ns,
				 const struct hakstat_event_class_stats *stats);
void hakstat_process_heap_stats(struct hakstat_process *process,
				const struct hakstat_event_heap_stats *stats);
void hakstat_process_close_snapshot(struct hakstat_process *process);

/* A batch of packed operations comes, or none can any more. */
void hakstat_process_late_batch(struct hakstat_process *process, const struct hakstat_late_batch *batch);
void hakstat_process_finish_late(struct hakstat_process *process);

/*
 * What is live of a class as of the last snapshot and what was read until now. `exact` is the tally
 * of operations; NULL: the samples tell the requests.
 */
struct hakstat_live hakstat_process_live(const struct hakstat_process *process, uint32_t class_id,
					 const struct hakstat_tally *exact,
					 const struct hakstat_samples *samples);

/* Of the class's live blocks, those that samples stand for: blocks; bytes of a class whose blocks differ. */
double hakstat_process_sampled_live(const struct hakstat_process *process, uint32_t class_id,
				    const struct hakstat_sample_sums *sums);

/* True when these numbers can't belong to the same image: its counters started anew. */
bool hakstat_process_went_back(const struct hakstat_process *process,
			       const struct hakstat_event_class_stats *stats);

/*
 * Loaded files. The symbolizer, which may be NULL, is told of a file when it is unloaded, and of
 * the rest by tell_modules when the trace has ended.
 */
void hakstat_process_tell_modules(struct hakstat_process *process, struct hakstat_symbolizer *symbolizer);
void hakstat_process_module(struct hakstat_process *process, const struct hakstat_event *event,
			    struct hakstat_symbolizer *symbolizer);

/* Takes route, block, range and name of a class from another process. */
void hakstat_process_borrow_class(struct hakstat_process *process, const struct hakstat_process *from,
				  uint32_t class_id);

/*
 * Adds the process to the summary. `shared` holds the session's events that no process signed:
 * its samples are used when the process has none. NULL: none. `symbolizer` may be NULL.
 */
void hakstat_process_finish(struct hakstat_process *process, struct hakstat_process *shared,
			    struct hakstat_summary *summary, struct hakstat_symbolizer *symbolizer);

/*
 * The same for `shared` itself, when all that shared it are finished: its call sites, and its
 * operations unless the processes brought their own.
 */
void hakstat_process_finish_shared(struct hakstat_process *shared, struct hakstat_summary *summary,
				   struct hakstat_symbolizer *symbolizer);

/* How far the requests of one block's size can lie apart. */
double hakstat_process_request_range(const struct hakstat_process *process, uint32_t class_id);

/* What the class's samples stand for, `count` allocations: `of` is to be set to some of them. */
struct hakstat_domain hakstat_process_domain(const struct hakstat_process *process,
					     const struct hakstat_samples *samples, uint32_t class_id,
					     double count);

/* Rows of sites. `scale` turns a class's sampled weight into its true count. */
void hakstat_process_finish_sites(struct hakstat_process *process, const double *scale,
				  struct hakstat_summary *summary, struct hakstat_symbolizer *symbolizer);

/* The class's name, made up from its number when the trace has none. Free with g_free. */
char *hakstat_process_class_name(const struct hakstat_process *process, uint32_t class_id);

#endif
