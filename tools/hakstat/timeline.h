/* SPDX-License-Identifier: MIT */
/*
 * The course of a trace in at most 128 slices of equal, growing width. Slices lie on
 * absolute multiples of a power of two of nanoseconds, so that the slices of several traces
 * can be brought to one width. A summary keeps each width apart: folding takes the higher of
 * two levels (the later one of a class) and merging adds them, so folding must come last for
 * merging to be associative.
 */
#ifndef HAKSTAT_TIMELINE_H
#define HAKSTAT_TIMELINE_H

#include <stdint.h>

#include "summary.h"
#include "tally.h"

struct hakstat_timeline;

struct hakstat_timeline *hakstat_timeline_new(void);
void hakstat_timeline_free(struct hakstat_timeline *timeline);

/* Operations that happened (or whose batch was written) at this time. */
void hakstat_timeline_add(struct hakstat_timeline *timeline, int64_t time_ns,
			  const struct hakstat_batch *batch);

/* What one class holds, in bytes; its block is 0 when blocks differ. */
struct hakstat_heap_class {
	uint32_t route;
	uint64_t block;
	uint64_t live, live_bytes, requested_bytes, slab_bytes;
	uint64_t unknown, unknown_bytes; /* of the live blocks, those whose request nothing tells */
	uint64_t resident_bytes;
	uint64_t processes, telling; /* that have the class; those that told what is in memory */
	struct hakstat_variances v;  /* of live, requested_bytes and live_bytes */
};

struct hakstat_heap_level {
	int64_t live_bytes;
	uint64_t committed_bytes, resident_bytes;
	bool knows_resident;
	const struct hakstat_heap_class *classes;
	guint class_count;
};

/* What a process holds at this time, `now`. The classes of all processes are added up by route and block. */
void hakstat_timeline_level(struct hakstat_timeline *timeline, int64_t time_ns, uint32_t process,
			    const struct hakstat_heap_level *now);

/* The process is gone: what comes later is without it. */
void hakstat_timeline_forget(struct hakstat_timeline *timeline, uint32_t process);

/*
 * Writes the rows of HAKSTAT_BY_TIME and HAKSTAT_BY_HEAP. The classes' names are those of the rows of
 * HAKSTAT_BY_CLASS, so those come first.
 */
void hakstat_timeline_finish(struct hakstat_timeline *timeline, struct hakstat_summary *summary);

/*
 * The rows of HAKSTAT_BY_TIME or HAKSTAT_BY_HEAP of a summary at one width, the widest among them,
 * in order of time. Merged traces may have slices of several widths. The rows are new, but share
 * their texts with the summary's; free the array with g_ptr_array_unref.
 */
GPtrArray *hakstat_timeline_rows(const struct hakstat_summary *summary, enum hakstat_table_id table);

#endif
