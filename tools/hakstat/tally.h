/* SPDX-License-Identifier: MIT */
/*
 * Operations counted into flat arrays: per class and reason, and per class and request size.
 * One tally belongs to one process and one kind of source. This is the hot part of reading
 * a trace: no allocation, no look-up by hash for an operation, once a class has been seen.
 */
#ifndef HAKSTAT_TALLY_H
#define HAKSTAT_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "bucket.h"
#include "resizes.h"
#include "variances.h"

enum {
	HAKSTAT_MAX_CLASSES = 128, /* what a packed operation can name */
	HAKSTAT_REASONS = 8,	   /* likewise */
	HAKSTAT_WEIGHT_ONE = 256,  /* sampled operations are counted in units of 1/256 */
};

/*
 * All counts in units of the tally's weight: 1 for operations, HAKSTAT_WEIGHT_ONE for samples.
 * Frees of blocks older than the trace are in `untraced` only.
 */
struct hakstat_cell {
	uint64_t allocs, requested, usable; /* usable: kept for classes without a block size */
	uint64_t frees, freed_requested, freed_usable;
	uint64_t untraced, untraced_usable;
	int64_t resized;   /* what resizes added to the requested bytes of live blocks */
	int64_t regrown;   /* and to their usable bytes, where they are large */
	uint64_t min, max; /* requested; of allocations */
};

struct hakstat_bucket {
	uint64_t allocs;
	int64_t live, peak; /* peak: live when the tally had the most live bytes */
};

/* Bytes of a bucket whose requests differ. */
struct hakstat_bucket_bytes {
	uint64_t requested, usable; /* of allocations */
	uint64_t min, max;	    /* requested; of allocations and resizes */
	int64_t live_requested, live_usable, peak_requested, peak_usable;
};

struct hakstat_class_tally {
	struct hakstat_cell cells[HAKSTAT_REASONS];
	uint32_t base, count; /* the buckets base .. base + count - 1 exist */
	struct hakstat_bucket *buckets;
	struct hakstat_bucket_bytes *bytes; /* as many; NULL while none is above HAKSTAT_EXACT_SIZES */
};

struct hakstat_tally {
	bool is_used;
	struct hakstat_class_tally *classes[HAKSTAT_MAX_CLASSES];
	uint64_t block[HAKSTAT_MAX_CLASSES]; /* usable bytes; 0: unknown or differing */
	uint32_t page_size;		     /* 0: 4096 */
	int64_t live_bytes, peak_bytes;	     /* usable, counted from the start of the trace */
	int64_t marked_bytes;		     /* live_bytes when the buckets' peaks were taken */
	struct hakstat_resizes resizes;
};

/* What one batch of operations came to. */
struct hakstat_batch {
	uint64_t allocs, frees, resizes, requested, usable;
	uint64_t malformed; /* operations that cannot be read, or with impossible sizes */
	struct hakstat_variances v;
};

/* Zeroed memory is an empty tally. Frees what it holds. */
void hakstat_tally_clear(struct hakstat_tally *tally);

/* One operation, `weight` times. `class_id` < HAKSTAT_MAX_CLASSES, `reason` < HAKSTAT_REASONS. */
struct hakstat_tally_op {
	uint32_t class_id, reason, flags;
	uint64_t requested, usable, weight;
};
void hakstat_tally_alloc(struct hakstat_tally *tally, const struct hakstat_tally_op *op);
void hakstat_tally_free(struct hakstat_tally *tally, const struct hakstat_tally_op *op);
/*
 * A realloc that moves is an allocation and the free that follows in the same thread, both with
 * HAK_OP_RESIZE. `moving` is the thread's, 0 at first: what the allocation asked for, plus one.
 */
void hakstat_tally_note_move(struct hakstat_tally *tally, uint64_t *moving, bool is_alloc,
			     const struct hakstat_tally_op *op);
void hakstat_tally_resize(struct hakstat_tally *tally, const struct hakstat_tally_op *op,
			  uint64_t old_requested);

/* A block of `old` is one of `now`, in the same class, for a tally that keeps no resizes. */
void hakstat_tally_replace(struct hakstat_tally *tally, const struct hakstat_tally_op *old,
			   const struct hakstat_tally_op *now);

/*
 * The operations of one event of one thread in `units` units, as of hakmem_ops_word.h; adds to
 * `out`. What comes after one that cannot be read is not counted.
 */
void hakstat_tally_ops(struct hakstat_tally *tally, uint64_t *moving, const uint64_t *words, uint32_t units,
		       struct hakstat_batch *out);

/*
 * To be called between batches: takes what is live for the buckets' peaks, and returns true, when it is at
 * least 1 % more than when they were taken last, which bounds how often that happens.
 */
bool hakstat_tally_mark_peak(struct hakstat_tally *tally);

/* One class's cells of all reasons together. */
struct hakstat_cell hakstat_tally_sum(const struct hakstat_tally *tally, uint32_t class_id);

#endif
