/* SPDX-License-Identifier: MIT */
/*
 * HAKMEM_SECURE=1. Counts that are left stand far below zero (hak_bin_is_guarded), and ceilings below
 * all addresses, so that every operation leaves the fast paths; nothing of this costs the default build more
 * than a test on its slow paths. What each operation then does is inlined behind them.
 *
 * Marks (marks.h) are verified whenever a block changes hands. Misuse and damage end the
 * process by hak_panic.
 */
#ifndef HAK_LIB_SECURE_H
#define HAK_LIB_SECURE_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "heap.h"
#include "marks.h"
#include "serve.h"

/* What a pointer is presented for; decides the words of a refusal. */
enum hak_use { HAK_USE_FREE, HAK_USE_REALLOC, HAK_USE_SIZE };

/*
 * Ends the process because of a pointer that is no live block's, saying what it is instead.
 * For the default build as well, which has no marks to read.
 */
HAK_HIDDEN void hak_refuse(const void *p, enum hak_use use) __attribute__((noreturn, cold));

/*
 * The same for a block that is freed, and for a free block that is not as it was left: written to, or
 * handed out already. They do not return either, but the compiler is not to know: a last call
 * that might return is a jump, and the fast paths around it need no frame.
 */
HAK_HIDDEN void hak_refuse_free(const void *p) __attribute__((cold));
HAK_HIDDEN void *hak_refuse_reuse(const char *p, size_t limit) __attribute__((cold));

/* --- what every operation does, to be inlined --------------------------------------------- */

/* A free block becomes the program's. */
HAK_INLINE void *hak_secure_issue(char *p, size_t size, size_t limit)
{
	uint64_t mark = hak_mark_of(p);
	if (HAK_UNLIKELY(!hak_unmark_free(p, mark))) {
		return hak_refuse_reuse(p, limit);
	}
	hak_mark_size(p, limit, size, mark);
	return p;
}

/* Whether `p` is a live block that nobody wrote past, and then how many bytes were asked for. */
HAK_INLINE bool hak_secure_is_live(const char *p, size_t limit, uint64_t mark, size_t *size)
{
	*size = hak_size_marked(p, limit, mark);
	return HAK_LIKELY(*size <= limit) && HAK_LIKELY(p[*size] == (char)mark);
}

/* A live block becomes free; false when it is none. */
HAK_INLINE bool hak_secure_withdraw(char *p, size_t limit, uint64_t mark)
{
	size_t size;
	if (HAK_UNLIKELY(!hak_secure_is_live(p, limit, mark, &size))) {
		return false;
	}
	hak_mark_free(p, limit, mark);
	return true;
}

/*
 * For a bin whose count of allocations is guarded. The next block is fetched meanwhile, and its trailer: both
 * will be read, and no free block is without its pages, since all are marked. Below the last one is an empty
 * slot.
 */
HAK_INLINE void *hak_secure_pop(struct hak_bin *b, size_t size)
{
	char *p = b->top[-1];
	const char *next = b->top[-2];
	__builtin_prefetch(next);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	b->top--;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	__builtin_prefetch(next + b->limit);
	return hak_secure_issue(p, size, b->limit);
}

/* For a block of a bin whose room is guarded. */
HAK_INLINE void hak_secure_push(struct hak_bin *b, void *p)
{
	if (HAK_UNLIKELY(!hak_secure_withdraw(p, b->limit, hak_mark_of(p)))) {
		hak_refuse_free(p);
		return;
	}
	hak_bin_push(b, p);
}

/*
 * Whether the trailer says that the block at `p`, which may be anything, was asked for with that
 * size; false also where only hak_secure_requested finds the trailer.
 */
HAK_INLINE bool hak_secure_holds(const char *p, size_t size)
{
	size_t unit = hak_unit_of(p);
	size_t limit = unit < hak_region_units() ? hak_thread.bins[hak_region.map[unit].bin].limit : 0;
	return limit && hak_load_word(p + limit) == hak_trailer_of(size, hak_mark_of(p));
}

/* --- the rest --------------------------------------------------------------------------- */

/* As malloc, for a size whose bin of the calling thread is `b`; nobody's above HAK_WIDE_MAX. */
HAK_HIDDEN void *hak_secure_malloc(size_t size, struct hak_bin *b, unsigned flags);

/* As hak_serve. */
HAK_HIDDEN void *hak_secure_serve(const struct hak_request *r, bool *zeroed);

/* As free; p may be anything but NULL. */
HAK_HIDDEN void hak_secure_free(void *p, unsigned flags);

/* Bytes asked for at the live block `p`; ends the process when it is none or is damaged. */
HAK_HIDDEN size_t hak_secure_requested(const void *p, enum hak_use use);

/* The live block at `p` keeps its place and now holds `size` bytes, as far as it has room for marks. */
HAK_HIDDEN void hak_secure_resize(void *p, size_t size);

/* The block at `p`, if it is ours, was asked for with `size` bytes, whatever malloc was told. */
HAK_HIDDEN void hak_secure_correct(void *p, size_t size);

/* Verifies what the calling thread has freed and not used again; at the end of the process. */
HAK_HIDDEN void hak_secure_check_freed(void);

#endif
