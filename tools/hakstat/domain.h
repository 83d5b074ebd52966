/* SPDX-License-Identifier: MIT */
/* What some of a class's samples estimate, and how well: those of a route, a size, a call site, or all. */
#ifndef HAKSTAT_DOMAIN_H
#define HAKSTAT_DOMAIN_H

#include <stdbool.h>

#include "samples.h"
#include "variances.h"

struct hakstat_domain {
	const struct hakstat_sample_sums *of, *among; /* its samples, and the class's */
	const struct hakstat_sample_sums *from; /* what `of` are some of, if there is any; may be NULL */
	double count;	       /* allocations, or live blocks, of the class: what its samples stand for */
	double count_variance; /* of that number; 0: it was counted */
	bool is_count_sampled; /* nobody counted: it is the sum of the samples' weights itself */
	double usable;	       /* their known bytes, when sums are scaled to those; 0: to `count` */
	double range;	       /* how far the requests of one block's size can lie apart */
};

/*
 * Linearized: each sample counts for its sum, and for the number that all samples are scaled to. See
 * Särndal, Swensson, Wretman, Model Assisted Survey Sampling, 1992, 5.6 and 10.3.
 */
struct hakstat_variances hakstat_domain_variances(const struct hakstat_domain *domain);

/* Of sums of weights that nobody scales, as of a thread or a slice of time: one sample's part. */
struct hakstat_variances hakstat_sample_variances(double weight, double requested, double usable);

#endif
