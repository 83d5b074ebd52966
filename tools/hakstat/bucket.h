/* SPDX-License-Identifier: MIT */
/* Request sizes in buckets: one a size while they are small, then log-linear. */
#ifndef HAKSTAT_BUCKET_H
#define HAKSTAT_BUCKET_H

#include <stdint.h>

enum {
	HAKSTAT_EXACT_SIZES = 4096, /* up to here each size has a bucket of its own */
	HAKSTAT_SUB_BUCKETS = 64,   /* of each doubling above */
	HAKSTAT_WIDE_BUCKETS = 52 * HAKSTAT_SUB_BUCKETS,
	HAKSTAT_BUCKETS = HAKSTAT_EXACT_SIZES + 1 + HAKSTAT_WIDE_BUCKETS,
};

/* The bucket of a request size. */
static inline uint32_t hakstat_bucket_of(uint64_t size)
{
	unsigned exponent;

	if (size <= HAKSTAT_EXACT_SIZES) {
		return (uint32_t)size;
	}
	exponent = 63u - (unsigned)__builtin_clzll(size - 1);
	return HAKSTAT_EXACT_SIZES + 1 + (exponent - 12) * HAKSTAT_SUB_BUCKETS +
	       (uint32_t)((size - 1) >> (exponent - 6) & (HAKSTAT_SUB_BUCKETS - 1));
}

#endif
