/* SPDX-License-Identifier: MIT */
/* The two functions of libm that sampling needs; the library links libc only. */
#include "sample.h"

#include <string.h>

#include "options.h"
#include "random.h"

#define LN2 0.693147180559945309417232121458

enum {
	FASTEST_NS = 64000, /* between two samples of a thread: a sample and its free take some 2000 */
	SLOWEST_NS = 4 * FASTEST_NS,
	COUNTED = 16, /* samples that a decision rests on, unless SLOWEST_NS for each went by before */
	DOUBLINGS = 12,
};

/* ln x for x > 0: exponent apart, then 2 atanh((m - 1) / (m + 1)) as a series. */
static double natural_log(double x)
{
	uint64_t bits;
	memcpy(&bits, &x, sizeof bits);
	int exponent = (int)(bits >> 52) - 1023;
	bits = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1023 << 52;
	double m;
	memcpy(&m, &bits, sizeof m);
	if (m > 1.41421356237309515) {
		m *= 0.5;
		exponent++;
	}
	double z = (m - 1) / (m + 1), square = z * z, sum = 0;
	for (int k = 19; k >= 1; k -= 2) {
		sum = sum * square + 1.0 / k;
	}
	return 2 * z * sum + exponent * LN2;
}

/* 1 - exp(-x) for x >= 0, accurate where x is small. */
static double one_minus_exp(double x)
{
	if (x > 40) {
		return 1;
	}
	if (x > 0.5) { /* 1 - e^-x = (1 - e^-x/2)(1 + e^-x/2) */
		double half = one_minus_exp(x / 2);
		return half * (2 - half);
	}
	double sum = 0;
	for (int k = 14; k >= 1; k--) {
		sum = -x / k * (1 + sum);
	}
	return -sum;
}

double hak_sample_chance(uint64_t bytes, uint64_t mean)
{
	return one_minus_exp((double)bytes / (double)mean);
}

int64_t hak_sample_gap(uint64_t *random, uint64_t bytes, uint64_t mean)
{
	double u = (double)((hak_random_next(random) >> 11) + 1) * 0x1p-53; /* (0, 1] */
	double blocks = -natural_log(u) * (double)mean / (double)bytes;
	return blocks < 0x1p62 ? 1 + (int64_t)blocks : INT64_MAX;
}

void hak_sample_begin(struct hak_sample_pace *pace)
{
	*pace = (struct hak_sample_pace) { .mean = hak_options.sample_bytes };
}

bool hak_sample_taken(struct hak_sample_pace *pace, uint64_t now_ns)
{
	uint64_t before = pace->mean, least = hak_options.sample_bytes;
	if (now_ns == 0 || hak_options_is_given(HAK_OPTION_sample_bytes)) {
		return false;
	}
	if (pace->since_ns == 0) {
		pace->since_ns = now_ns;
		return false;
	}
	uint64_t elapsed = now_ns - pace->since_ns;
	pace->samples++;
	if (pace->samples < COUNTED && elapsed < (uint64_t)COUNTED * SLOWEST_NS) {
		return false;
	}
	uint64_t gap_ns = elapsed / pace->samples;
	for (; gap_ns < FASTEST_NS && pace->mean < least << DOUBLINGS; gap_ns = 2 * gap_ns + 1) {
		pace->mean *= 2;
	}
	for (; gap_ns > SLOWEST_NS && pace->mean > least; gap_ns /= 2) {
		pace->mean /= 2;
	}
	pace->since_ns = now_ns;
	pace->samples = 0;
	return pace->mean != before;
}
