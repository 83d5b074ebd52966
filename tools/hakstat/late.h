/* SPDX-License-Identifier: MIT */
/*
 * Packed operations that a snapshot counts and that come after it: a thread writes them when its batch is
 * full. A batch has no times inside, but what a snapshot counts beyond all that was told until then says how
 * many operations of each class belong before it, and a thread's own are in order: they are the first ones of
 * each thread's next batch. Where batches of several threads hold operations of one class, whose came first
 * is not known, and neither is when a block was resized between two operations that counters count: that
 * is the doubt.
 */
#ifndef HAKSTAT_LATE_H
#define HAKSTAT_LATE_H

#include <stdbool.h>
#include <stdint.h>

#include "tally.h"

/* Of one class, as of the snapshot. */
struct hakstat_late_class {
	bool is_there;
	struct hakstat_cell told; /* until the snapshot */
	int64_t allocs, frees;	  /* that it counts and nobody told yet; below zero: told too early */
	int64_t bytes;		  /* usable ones likewise, where blocks differ */
	uint64_t taken;		  /* of those that came later */
	uint64_t min, max;	  /* requests that may be among them */
	uint64_t resized;	  /* bytes by which resizes changed blocks, maybe before it */
	uint32_t tid;
	bool has_tid, is_contested; /* some of them are another thread's */
};

struct hakstat_late {
	int64_t time_ns; /* of the snapshot */
	struct hakstat_late_class classes[HAKSTAT_MAX_CLASSES];
};

/*
 * The next batch of a thread. Only the first one after the snapshot can hold something of it: `before_ns` is
 * when the thread wrote the one before. `block` is the tally's.
 */
struct hakstat_late_batch {
	uint32_t tid;
	bool is_first; /* the thread wrote none before */
	int64_t before_ns;
	const uint64_t *words, *block;
	uint32_t units;
};
void hakstat_late_take(struct hakstat_late *late, const struct hakstat_late_batch *batch);

/* By how many bytes `told` may be wrong about what live blocks were asked for; `range`: as far as the
 * requests of a block lie apart. */
double hakstat_late_doubt(const struct hakstat_late_class *c, double range);

#endif
