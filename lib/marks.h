/* SPDX-License-Identifier: MIT */
/*
 * Secure mode's marks. A block ends in a trailer: a keyed function of its address, with one
 * more than the bytes that were asked for in its upper half when the block is live. One look
 * at it tells a live block from a freed one, from the inside of a block and from an
 * overwritten one. Live blocks have a byte of the mark behind the request as well; free ones
 * two words of it at their beginning, which are cleared before the program sees them.
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

#define HAK_SIZE_FREE UINT64_MAX

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

/* The block with its trailer at p + `limit` is free. */
HAK_INLINE void hak_mark_free(char *p, size_t limit, uint64_t mark)
{
	hak_store_word(p, mark);
	__asm__("" : "+r"(mark)); /* two stores, for which gcc needs no vector register */
	hak_store_word(p + HAK_TRAILER, mark);
	hak_store_word(p + limit, mark);
}

/* Going by what a write after free is most likely to change. */
HAK_INLINE bool hak_is_marked_free(const char *p, uint64_t mark)
{
	return HAK_LIKELY(hak_load_word(p) == mark) && HAK_LIKELY(hak_load_word(p + HAK_TRAILER) == mark);
}

/* The byte behind the request, and the trailer. */
HAK_INLINE void hak_mark_size(char *p, size_t limit, size_t size, uint64_t mark)
{
	p[size] = (char)mark;
	hak_store_word(p + limit, mark ^ (uint64_t)(size + 1) << 32);
}

/* It is live and holds `size` bytes, at most `limit`. The program is not told the mark. */
HAK_INLINE void hak_mark_live(char *p, size_t limit, size_t size, uint64_t mark)
{
	hak_store_word(p, 0);
	__asm__("" ::: "memory");
	hak_store_word(p + HAK_TRAILER, 0);
	hak_mark_size(p, limit, size, mark);
}

/* What hak_mark_size said; HAK_SIZE_FREE for a free block, another above `limit` for what is neither. */
HAK_INLINE uint64_t hak_size_marked(const char *p, size_t limit, uint64_t mark)
{
	uint64_t difference = hak_load_word(p + limit) ^ mark;
	return (difference >> 32 | difference << 32) - 1;
}

#endif
