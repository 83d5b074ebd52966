/* SPDX-License-Identifier: MIT */
/*
 * Secure mode's marks. A block ends in a trailer: a keyed function of its address, with
 * the bytes that were asked for added to its upper half, when the block is live, and its negative
 * when it is free. One look at it tells a live block from a freed one, from the inside of a
 * block and from an overwritten one. Live blocks have a byte of the mark behind the request as
 * well; free ones its negative in two words at their beginning, which are cleared before the
 * program sees them.
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
	uint64_t key;
};

extern HAK_HIDDEN struct hak_secret hak_secret;

/* Draws the secret; once, before the first block. */
HAK_HIDDEN void hak_marks_init(void);

/*
 * Both halves of a product, or two marks that a program came to read would give all others (the mixing step
 * of Wang Yi's wyhash). Odd: its low byte is that of no terminating NUL.
 */
HAK_INLINE uint64_t hak_mark_of(const void *p)
{
	unsigned __int128 product = (unsigned __int128)((uintptr_t)p ^ hak_secret.key) * hak_secret.factor;
	return ((uint64_t)product ^ (uint64_t)(product >> 64)) | 1;
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
	uint64_t word = -mark;
	hak_store_word(p, word);
	__asm__("" : "+r"(word)); /* two stores, for which gcc needs no vector register */
	hak_store_word(p + HAK_TRAILER, word);
	__asm__("" : "+r"(limit)); /* no register for the sum with p */
	hak_store_word(p + limit, word);
}

/* As nobody marked it. */
HAK_INLINE void hak_clear_free(char *p, size_t limit)
{
	hak_store_word(p, 0);
	hak_store_word(p + HAK_TRAILER, 0);
	hak_store_word(p + limit, 0);
}

/* Whether the trailer says so. */
HAK_INLINE bool hak_is_trailer_free(const char *p, size_t limit, uint64_t mark)
{
	return hak_load_word(p + limit) == -mark;
}

/* Going by what a write after free is most likely to change. */
HAK_INLINE bool hak_is_marked_free(const char *p, uint64_t mark)
{
	return HAK_LIKELY(hak_load_word(p) == -mark) && HAK_LIKELY(hak_load_word(p + HAK_TRAILER) == -mark);
}

/* True when the word was that of a free block; 0 then. One instruction, which gcc does not find, does both.
 */
HAK_INLINE bool hak_unmark_word(char *at, uint64_t mark)
{
#if defined(__x86_64__) && defined(__GCC_ASM_FLAG_OUTPUTS__)
	bool is_marked;
	__asm__("addq %2, %0" : "+m"(*(char(*)[sizeof mark])at), "=@ccz"(is_marked) : "r"(mark));
	return HAK_LIKELY(is_marked);
#else
	uint64_t sum = hak_load_word(at) + mark;
	hak_store_word(at, sum);
	return HAK_LIKELY(sum == 0);
#endif
}

/* Clears the marks at the beginning of a free block, so that the program is not told; false where there were
 * others. */
HAK_INLINE bool hak_unmark_free(char *p, uint64_t mark)
{
	return hak_unmark_word(p, mark) && hak_unmark_word(p + HAK_TRAILER, mark);
}

/* Of a live block. The low byte is the mark's, for a full block. */
HAK_INLINE uint64_t hak_trailer_of(size_t size, uint64_t mark)
{
	return mark + ((uint64_t)size << 32);
}

/* The byte behind the request, and the trailer: it is live and holds `size` bytes, at most `limit`. */
HAK_INLINE void hak_mark_size(char *p, size_t limit, size_t size, uint64_t mark)
{
	p[size] = (char)mark;
	hak_store_word(p + limit, hak_trailer_of(size, mark));
}

/* What hak_mark_size said; above `limit` for what is no live block. */
HAK_INLINE uint64_t hak_size_marked(const char *p, size_t limit, uint64_t mark)
{
	uint64_t difference = hak_load_word(p + limit) - mark;
	return difference >> 32 | difference << 32;
}

#endif
