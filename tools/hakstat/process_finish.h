/* SPDX-License-Identifier: MIT */
/*
 * One process on its way into the summary: what the parts of that need in common. Internal to
 * process_finish.c, process_requests.c and process_row.c.
 */
#ifndef HAKSTAT_PROCESS_FINISH_H
#define HAKSTAT_PROCESS_FINISH_H

#include "process.h"

struct hakstat_finish {
	struct hakstat_process *process;
	struct hakstat_summary *summary;
	struct hakstat_process *shared;		/* what nobody signed; NULL: nothing */
	struct hakstat_samples *samples;	/* its own, or the shared ones */
	struct hakstat_tally *exact;		/* NULL: no operation was traced one by one */
	struct hakstat_tally *requests;		/* where request sizes come from: `exact`, or the samples */
	double scale[HAKSTAT_MAX_CLASSES];	/* from the units of `requests` to allocations */
	double live_scale[HAKSTAT_MAX_CLASSES]; /* the same of what is live at the end */
	double live_rest;			/* blocks of the class in turn, see process_requests.c */
	double counts[HAKSTAT_MAX_CLASSES];	/* allocations */
	double site_scale[HAKSTAT_MAX_CLASSES]; /* from the weight of samples to allocations */
	struct hakstat_counts totals;
	bool uses_samples;
};

/* What a row says of its class. */
void hakstat_finish_fill_class(const struct hakstat_process *process, uint32_t class_id,
			       struct hakstat_row *row);

/* The row of the class's route with that reason, for requests from `min` to `max`. */
struct hakstat_row *hakstat_finish_route_row(const struct hakstat_finish *finish, uint32_t class_id,
					     unsigned reason, uint64_t min, uint64_t max);

/*
 * How well a row is known that `of` of the class's samples tell, of `count` allocations of the class; NULL:
 * none of them. Nothing where operations were traced.
 */
void hakstat_finish_add_variances(const struct hakstat_finish *finish, uint32_t class_id,
				  const struct hakstat_sample_sums *of, double count,
				  struct hakstat_counts *n);

/* The rows of routes and of request sizes, when `scale` is known. */
void hakstat_finish_requests(struct hakstat_finish *finish, uint32_t class_id);

#endif
