/* SPDX-License-Identifier: MIT */
/*
 * Whether two settings differ, from runs made in pairs: the exact Wilcoxon signed-rank test on the
 * logarithms of the ratios, and the Hodges-Lehmann estimate of the ratio with the interval that
 * belongs to the test (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, chapter 3).
 * Neither assumes a shape of the noise, and what slows both runs of a pair down alike is no noise.
 * Pure.
 */
#ifndef HAKSTAT_PAIRED_H
#define HAKSTAT_PAIRED_H

#include <stdbool.h>
#include <stddef.h>

enum {
	HAKSTAT_PAIRED_MAX = 500, /* pairs; the work grows with their third power */
	HAKSTAT_PAIRED_LEAST = 6, /* fewer cannot show anything with 95 % */
};

struct hakstat_spread {
	double min, median, max;
};

struct hakstat_paired {
	double ratio; /* b over a */
	bool has_interval;
	double low, high; /* of the ratio, at least 95 % */
	double p;	  /* how often chance alone makes a difference as consistent as this */
};

/* `count` of at least 1. */
struct hakstat_spread hakstat_spread_of(const double *values, size_t count);

/* `a` and `b` hold `count` numbers that are not negative, 1 to HAKSTAT_PAIRED_MAX of them. */
struct hakstat_paired hakstat_paired_compare(const double *a, const double *b, size_t count);

/*
 * The same chances when `count` questions are asked at once: with these no more than one table in
 * twenty holds a difference that is none (Holm's correction). In place.
 */
void hakstat_paired_correct(double *p, size_t count);

#endif
