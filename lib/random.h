/* SPDX-License-Identifier: MIT */
/* Steele, Lea and Flood's SplitMix64 (2014): a small generator whose state its user keeps. */
#ifndef HAK_LIB_RANDOM_H
#define HAK_LIB_RANDOM_H

#include <stdint.h>

#include "compiler.h"

HAK_INLINE uint64_t hak_random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number below n. */
HAK_INLINE uint32_t hak_random_below(uint64_t *state, uint32_t n)
{
	return (uint32_t)((hak_random_next(state) >> 32) * n >> 32);
}

/* Puts each `group` of n pointers into random order. */
HAK_INLINE void hak_random_shuffle(uint64_t *state, void **all, uint32_t n, uint32_t group)
{
	for (uint32_t i = 1; i < n; i++) {
		uint32_t j = i - hak_random_below(state, i % group + 1);
		void *moved = all[i];
		all[i] = all[j];
		all[j] = moved;
	}
}

#endif
