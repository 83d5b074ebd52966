/* SPDX-License-Identifier: MIT */
/*
 * From which size to which blocks were resized, and whether they could stay. With this a prediction
 * knows which reallocs would move, or no longer move, under another table of size classes.
 *
 * Sizes are kept as far as any table can tell them apart: blocks are 8 or multiples of 16, and the
 * largest request of one is its size or one byte less. From 4 KiB up there are 64 steps a doubling. So there
 * are at most a million pairs, and as a rule a few hundred.
 */
#ifndef HAKSTAT_RESIZES_H
#define HAKSTAT_RESIZES_H

#include <stdint.h>

struct hakstat_resize {
	uint32_t key; /* of both sizes; 0: an empty entry */
	uint64_t moved, stayed;
};

/* Zeroed memory is an empty one. */
struct hakstat_resizes {
	struct hakstat_resize *entries; /* by hash of the key */
	uint32_t capacity, used;
};

void hakstat_resizes_clear(struct hakstat_resizes *resizes);

enum { HAKSTAT_RESIZE_INDEXES = 4354 }; /* index 0 is none's */

/* Which of the sizes that are kept apart a size is: below HAKSTAT_RESIZE_INDEXES. */
uint32_t hakstat_resize_index(uint64_t size);

/* The key of a pair of sizes, and what stands for the sizes of a key. */
uint32_t hakstat_resize_key(uint64_t from, uint64_t to);
uint64_t hakstat_resize_from(uint32_t key);
uint64_t hakstat_resize_to(uint32_t key);

/* `key` is one that hakstat_resize_key made, or 0, which adds nothing. */
void hakstat_resizes_add(struct hakstat_resizes *resizes, uint32_t key, uint64_t moved, uint64_t stayed);
void hakstat_resizes_merge(struct hakstat_resizes *to, const struct hakstat_resizes *from);

#endif
