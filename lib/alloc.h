/* SPDX-License-Identifier: MIT */
/*
 * The Front Gate. The fast paths of malloc and free, to be inlined where the symbols are
 * defined, and the slow paths behind them.
 *
 * Budget on x86-64: malloc about 15 instructions, free about 17, each with one conditional
 * branch for the range of the argument and one for the countdown; no lock, no call. Neither
 * knows of the Tiny boundary or of tracing: the boundary is in the tables they read, and a
 * traced thread's countdowns are zero.
 */
#ifndef HAK_LIB_ALLOC_H
#define HAK_LIB_ALLOC_H

#include <stddef.h>

#include "class_map.h"
#include "compiler.h"
#include "heap.h"
#include "region.h"

/* `flags` are those of enum hak_op_flag, for the trace. */
HAK_HIDDEN void *hak_malloc_slow(size_t size, unsigned bin, unsigned flags);
HAK_HIDDEN void hak_free_slow(void *p, unsigned flags);

/* 0: no class, or the tables are not built yet. */
HAK_INLINE unsigned hak_bin_of(size_t size)
{
	if (HAK_LIKELY(size <= HAK_DIRECT_MAX)) {
		return hak_bin_direct[size];
	}
	if (HAK_LIKELY(size <= HAK_WIDE_MAX)) {
		return hak_bin_wide[(size - 1) >> HAK_WIDE_LOG2];
	}
	return 0;
}

HAK_INLINE void *hak_malloc_from(size_t size, unsigned bin, unsigned flags)
{
	struct hak_bin *b = &hak_thread.bins[bin];
	if (HAK_UNLIKELY(--b->allocs_left < 0)) {
		return hak_malloc_slow(size, bin, flags);
	}
	void *p = *--b->top;
	if (!p) {
		__builtin_unreachable(); /* stacks hold blocks; callers need not test again */
	}
	return p;
}

/* NULL and ENOMEM on failure; also above PTRDIFF_MAX. malloc(0) is a block of the smallest class. */
HAK_INLINE void *hak_malloc(size_t size)
{
	return hak_malloc_from(size, hak_bin_of(size), 0);
}

/* Keeps errno. NULL is ignored; a pointer to no live block ends the process where it is seen. */
HAK_INLINE void hak_free(void *p)
{
	size_t unit = hak_unit_of(p);
	if (HAK_UNLIKELY(unit >= hak_region.units)) {
		hak_free_slow(p, 0);
		return;
	}
	struct hak_bin *b = &hak_thread.bins[hak_region.bins[unit]];
	if (HAK_UNLIKELY(--b->frees_left < 0)) {
		hak_free_slow(p, 0);
		return;
	}
	*b->top++ = p;
}

/* As hak_free. The size is a promise that the caller's language made; it is not needed here. */
HAK_INLINE void hak_free_sized(void *p, size_t size)
{
	(void)size;
	hak_free(p);
}

/* Zeroed; ENOMEM when n * size overflows. */
HAK_HIDDEN void *hak_calloc(size_t n, size_t size);

/* As glibc: realloc(NULL, n) allocates, realloc(p, 0) frees and returns NULL. */
HAK_HIDDEN void *hak_realloc(void *p, size_t size);

/* `alignment` is a power of two. */
HAK_HIDDEN void *hak_aligned_alloc(size_t alignment, size_t size);

/* Bytes the block at `p` holds; 0 for NULL. */
HAK_HIDDEN size_t hak_usable_size(const void *p);

/* Gives back what can go; 1 when memory was returned to the system, else 0. */
HAK_HIDDEN int hak_trim(void);

/* Makes the heap; idempotent, thread-safe, called by the first slow path. */
HAK_HIDDEN void hak_init(void);

#endif
