/* SPDX-License-Identifier: MIT */
/*
 * hakmem: what a program, a tracer or a debugger can ask the allocator about itself.
 * Allocation needs no header: preload or link the library and call malloc.
 *
 * All functions are thread-safe, allocate nothing and leave errno alone. Counts are
 * exact for threads that are not inside malloc or free at that moment.
 */
#ifndef HAKMEM_H
#define HAKMEM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HAKMEM_VERSION "0.1.0"

/* The running library's version, for instance "0.1.0". */
const char *hakmem_version(void);

/* The options and the table in force. Sizes in bytes. */
struct hakmem_config {
	char size_classes[64]; /* fine, classic or @FILE (shortened from the left) */
	uint32_t tiny_max_class;
	uint32_t tiny_max_size;
	uint32_t class_count; /* without the large class, whose id is class_count */
	uint32_t page_size;
	uint64_t superslab_size;
	uint64_t huge_pages_from;
	int64_t purge_delay_ms; /* -1: never */
	uint32_t secure;
	uint64_t sample_bytes;
	uint32_t snapshot_ms;
	uint32_t frag_percent;
	uint32_t stack_depth;
	uint32_t frame_pointers;
	char session[64]; /* the recording that the process belongs to, or "" */
};

void hakmem_config_read(struct hakmem_config *out);

/* One class. `class_id` runs from 0 to class_count, the last being large. */
struct hakmem_class_stats {
	uint32_t class_id;
	uint32_t route;	      /* enum hak_route */
	uint64_t usable;      /* block size; 0 for large, whose blocks differ */
	uint64_t min_request; /* the requests it serves at natural alignment; both 0 when excluded */
	uint64_t max_request;
	uint64_t allocs; /* since the process began */
	uint64_t frees;
	uint64_t live;	 /* blocks the program holds */
	uint64_t cached; /* free blocks in thread caches and depots */
	uint64_t slabs;
	uint64_t slab_bytes; /* of those slabs, whether touched or not; for large: live bytes */
	char name[16];
};

/*
 * Fills at most `capacity` rows in order of class_id; returns how many exist. 0: the counters cannot be read,
 * as the signal handler that asks interrupted malloc or free where it changes them, or another thread has
 * been stopped there for a second.
 */
size_t hakmem_stats_classes(struct hakmem_class_stats *out, size_t capacity);

/* The process. All in bytes but the counts. */
struct hakmem_heap_stats {
	uint64_t reserved;    /* address space */
	uint64_t mapped;      /* superslabs made accessible */
	uint64_t committed;   /* of those, spans that hold or held data and were not purged */
	uint64_t cached;      /* committed spans that nobody uses, waiting for reuse or purge */
	uint64_t large_bytes; /* live blocks of the large route */
	uint64_t large_blocks;
	uint64_t metadata; /* the allocator's own tables */
	uint64_t purged;   /* given back since the start */
	uint64_t superslabs;
	uint64_t threads; /* with a cache now */
};

void hakmem_stats_heap(struct hakmem_heap_stats *out);

/*
 * Bytes of `mapped` whose pages are in memory, 0 when the system does not tell; and of each class's slabs,
 * for large of its blocks, in order of class_id, at most `capacity` of them. The work follows the size
 * of the heap: some milliseconds for a GiB. More than `committed` only where huge pages reach beyond
 * it, or while other threads give memory back.
 */
uint64_t hakmem_stats_resident(uint64_t *by_class, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
