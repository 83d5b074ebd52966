/* SPDX-License-Identifier: MIT */
/* How uncertain sums are that samples estimate: variances, and how far two sums err together. */
#ifndef HAKSTAT_VARIANCES_H
#define HAKSTAT_VARIANCES_H

#include <math.h>

/* clang-format off */

/*
 * X(field, key in a summary): of the number of allocations, of what they requested, of their usable bytes;
 * `both`: the covariance of the last two; `weights`: sum of w (w - 1) with scaled weights, of which those of any
 * other sum over the same samples are made. 0: exact; infinite: not known. Merged by adding: samples of
 * different classes, processes and traces are independent.
 */
#define HAKSTAT_VARIANCES(X) \
	X(allocs, "allocs_variance") X(requested, "variance") X(usable, "usable_variance") X(both, "covariance") \
	X(weights, "weights_variance")

/* clang-format on */

#define HAKSTAT_DOUBLE_FIELD(field, key) double field;

struct hakstat_variances {
	HAKSTAT_VARIANCES(HAKSTAT_DOUBLE_FIELD)
};

static inline struct hakstat_variances hakstat_variances_unknown(void)
{
	return (struct hakstat_variances) { (double)INFINITY, (double)INFINITY, (double)INFINITY, 0,
					    (double)INFINITY };
}

static inline void hakstat_variances_add(struct hakstat_variances *to, const struct hakstat_variances *from)
{
#define ADD(field, key) to->field += from->field;
	HAKSTAT_VARIANCES(ADD)
#undef ADD
}

/* Of usable less requested bytes. */
static inline double hakstat_variances_waste(const struct hakstat_variances *v)
{
	return v->usable + v->requested - 2 * v->both;
}

/*
 * Of the waste less `part` of the usable bytes: over the square of the usable bytes, the variance of the
 * ratio whose estimate is `part`.
 */
static inline double hakstat_variances_ratio(const struct hakstat_variances *v, double part)
{
	return hakstat_variances_waste(v) - 2 * part * (v->usable - v->both) + part * part * v->usable;
}

#endif
