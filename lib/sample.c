/* SPDX-License-Identifier: MIT */
/* The two functions of libm that sampling needs; the library links libc only. */
#include "sample.h"

#include <string.h>

#include "options.h"
#include "random.h"

#define LN2 0.693147180559945309417232121458

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

double hak_sample_chance(uint64_t bytes)
{
	return one_minus_exp((double)bytes / (double)hak_options.sample_bytes);
}

int64_t hak_sample_gap(uint64_t *random, uint64_t bytes)
{
	double u = (double)((hak_random_next(random) >> 11) + 1) * 0x1p-53; /* (0, 1] */
	double blocks = -natural_log(u) * (double)hak_options.sample_bytes / (double)bytes;
	return blocks < 0x1p62 ? 1 + (int64_t)blocks : INT64_MAX;
}
