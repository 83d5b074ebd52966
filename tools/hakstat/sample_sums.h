/* SPDX-License-Identifier: MIT */
/* Weighted sums over samples: what estimates and their variances are made of. */
#ifndef HAKSTAT_SAMPLE_SUMS_H
#define HAKSTAT_SAMPLE_SUMS_H

#include <stdint.h>

/* `v` sums are those the variance of a Poisson sample is made of. */
struct hakstat_sample_sums {
	uint64_t samples;
	double weight, requested, usable;		   /* sum of w, w r, w u */
	double v, v_requested, v_requested2, v_requested3; /* sum of w (w - 1) times 1, r, r^2, r^3 */
	double v_usable, v_usable2, v_both;		   /* likewise times u, u^2, r u */
};

/* One sample, or the sums of some that have the same `requested` and `usable`. */
struct hakstat_sample_part {
	uint64_t samples;
	double weight, v; /* sum of w, of w (w - 1) */
	double requested, usable;
};

static inline struct hakstat_sample_part hakstat_sample_part(double weight, double requested, double usable)
{
	return (struct hakstat_sample_part) { 1, weight, weight * (weight - 1), requested, usable };
}

/* `by` is 1 when it comes and -1 when it goes. */
void hakstat_sample_sums_add(struct hakstat_sample_sums *sums, const struct hakstat_sample_part *part,
			     int by);

#endif
