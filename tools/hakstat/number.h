/* SPDX-License-Identifier: MIT */
/*
 * Numbers of a trace that may be damaged: what none can be, and how others become integers.
 */
#ifndef HAKSTAT_NUMBER_H
#define HAKSTAT_NUMBER_H

#include <float.h>
#include <math.h>
#include <stdint.h>

/* More than any address space has: a size or count above is damage, not a number. */
#define HAKSTAT_MOST (UINT64_C(1) << 57)

/* To the nearest integer; 0 for what is negative or not a number, the largest for what does not fit. */
static inline uint64_t hakstat_rounded(double value)
{
	if (!(value > 0)) {
		return 0;
	}
	return value < 18446744073709549568.0 ? (uint64_t)(value + 0.5) : UINT64_MAX;
}

static inline uint64_t hakstat_at_least_zero(int64_t value)
{
	return value > 0 ? (uint64_t)value : 0;
}

/* from - by, and 0 where that would be negative. */
static inline uint64_t hakstat_less(uint64_t from, uint64_t by)
{
	return from > by ? from - by : 0;
}

/* A 95 % interval is so many standard deviations to each side. */
#define HAKSTAT_DEVIATIONS 1.96

/* Half the width of a 95 % interval. A file may claim variances whose sum is no number any more. */
static inline double hakstat_half_width(double variance)
{
	return variance > 0 ? HAKSTAT_DEVIATIONS * sqrt(variance < DBL_MAX ? variance : DBL_MAX) : 0;
}

static inline double hakstat_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

#endif
