/* SPDX-License-Identifier: MIT */
/*
 * Sampled allocations of one process: sums per class for the estimates, per call stack for
 * the sites, and the sampled blocks that are still held. Memory grows with distinct stacks
 * and live samples, not with the length of the trace.
 */
#ifndef HAKSTAT_SAMPLES_H
#define HAKSTAT_SAMPLES_H

#include <glib.h>

#include "course.h"
#include "event.h"
#include "sample_sums.h"
#include "tally.h"

/* Of all that were sampled, of those that are still live, and of those that were when the most bytes were. */
struct hakstat_size_sums {
	struct hakstat_sample_sums sums, live, peak;
};

struct hakstat_stack {
	uint32_t depth; /* 0: the frames of this stack are not in the trace */
	uint64_t *frames;
};

/* What one stack asked of one class. */
struct hakstat_site {
	const struct hakstat_stack *stack;
	uint32_t class_id;
	struct hakstat_sample_sums sums, live;
	uint64_t min, max; /* requested */
};

enum hakstat_site_source { HAKSTAT_SITE_SAMPLE, HAKSTAT_SITE_FRAG, HAKSTAT_SITE_SOURCES };

struct hakstat_samples {
	struct hakstat_sample_sums classes[HAKSTAT_MAX_CLASSES];
	struct hakstat_sample_sums live_classes[HAKSTAT_MAX_CLASSES];
	struct hakstat_tally tally;				  /* in units of 1 / HAKSTAT_WEIGHT_ONE */
	struct hakstat_sample_sums *reasons[HAKSTAT_MAX_CLASSES]; /* HAKSTAT_REASONS of them, or NULL */
	GHashTable *sizes; /* struct hakstat_size_sums of each class and bucket of the tally */
	GHashTable *stack_by_id;
	GHashTable *stack_by_frames;
	GHashTable *sites[HAKSTAT_SITE_SOURCES]; /* struct hakstat_site, its own key */
	GHashTable *live;			 /* address -> what was sampled there */
	GQueue live_of[HAKSTAT_MAX_CLASSES];	 /* the same by class */
	struct hakstat_class_course courses[HAKSTAT_MAX_CLASSES];
};

void hakstat_samples_init(struct hakstat_samples *samples);
void hakstat_samples_clear(struct hakstat_samples *samples);

/* Of one bucket of the tally; NULL: none. */
const struct hakstat_size_sums *hakstat_samples_of_size(const struct hakstat_samples *samples,
							uint32_t class_id, uint32_t bucket);

/* The ids in `op` are in range (see tally.h), its weight is at least 1. */
void hakstat_samples_alloc(struct hakstat_samples *samples, const struct hakstat_event_op *op);
/* The block at op->old_ptr is at op->ptr, of another size, in the same class. */
void hakstat_samples_resize(struct hakstat_samples *samples, const struct hakstat_event_op *op);
void hakstat_samples_free(struct hakstat_samples *samples, const struct hakstat_event_op *op);

/* As hakstat_tally_mark_peak, for the samples' tally and the sums of sizes. */
void hakstat_samples_mark_peak(struct hakstat_samples *samples);

/* A snapshot of the class, in which its live samples stand for `usable` bytes; 0: for none, they are known.
 */
void hakstat_samples_pass(struct hakstat_samples *samples, uint32_t class_id, int64_t time_ns,
			  uint64_t usable);

/* What errs in live requested bytes times nanoseconds over all snapshots: of each sample, as `requested`. */
struct hakstat_sample_sums hakstat_samples_areas(const struct hakstat_samples *samples, uint32_t class_id);

/* A wasteful request with its stack, seen with certainty. */
void hakstat_samples_frag(struct hakstat_samples *samples, const struct hakstat_event_op *op);

#endif
