/* SPDX-License-Identifier: MIT */
/*
 * Secure mode's marks. A block ends in a trailer: a keyed function of its address with the
 * bytes that were not asked for in its upper half, 0 when the block is free. One look at it
 * tells a live block from a freed one, from the inside of a block and from an overwritten
 * one. Live blocks have a byte of the mark behind the request as well; free ones two words
 * of it at their beginning.
 *
 * Marks of a block belong to whoever holds it; no locks.
 */
#ifndef HAK_LIB_MARKS_H
#define HAK_LIB_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler.h"

enum {
	HAK_TRAILER = sizeof(uint64_t),
	HAK_MARKED_LEAST = 16, /* a smaller block has no room for marks */
};

struct hak_secret {
	uint64_t factor; /* odd */
	uint64_t key;	 /* odd: the low byte of a mark is that of no terminating NUL */
};

extern HAK_HIDDEN struct hak_secret hak_secret;

/* Draws the secret; once, before the first block. */
HAK_HIDDEN void hak_marks_init(void);

/* Blocks begin at multiples of 16. */
HAK_INLINE uint64_t hak_mark_of(const void *p)
{
	return (uintptr_t)p * hak_secret.factor ^ hak_secret.key;
}

HAK_INLINE uint64_t hak_load_word(const char *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return word;
}

HAK_INLINE void hak_store_word(char *at, uint64_t word)
{
	memcpy(at, &word, sizeof word);
}

/* The block of `block` bytes at `p` is free. */
HAK_INLINE void hak_mark_free(char *p, size_t block, uint64_t mark)
{
	hak_store_word(p, mark);
	hak_store_word(p + HAK_TRAILER, mark);
	hak_store_word(p + block - HAK_TRAILER, mark);
}

HAK_INLINE bool hak_is_marked_free(const char *p, size_t block, uint64_t mark)
{
	return HAK_LIKELY(hak_load_word(p + block - HAK_TRAILER) == mark) &&
	       HAK_LIKELY(hak_load_word(p) == mark) && HAK_LIKELY(hak_load_word(p + HAK_TRAILER) == mark);
}

/* It is live and holds `size` bytes, at most block - HAK_TRAILER. */
HAK_INLINE void hak_mark_live(char *p, size_t block, size_t size, uint64_t mark)
{
	p[size] = (char)mark;
	hak_store_word(p + block - HAK_TRAILER, mark ^ (uint64_t)(block - size) << 32);
}

/* The bytes not asked for, going by the trailer; none between HAK_TRAILER and `block` when it is not live. */
HAK_INLINE uint64_t hak_slack_of(const char *p, size_t block, uint64_t mark)
{
	uint64_t difference = hak_load_word(p + block - HAK_TRAILER) ^ mark;
	return difference >> 32 | difference << 32;
}

HAK_INLINE bool hak_is_slack(uint64_t slack, size_t block)
{
	return slack - HAK_TRAILER <= block - HAK_TRAILER;
}

/* Whether the byte behind the request is as it was. */
HAK_INLINE bool hak_is_kept(const char *p, size_t block, uint64_t slack, uint64_t mark)
{
	return p[block - slack] == (char)mark;
}

#endif
