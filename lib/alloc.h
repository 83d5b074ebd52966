/* SPDX-License-Identifier: MIT */
/*
 * The Front Gate. The fast paths of malloc and free, to be inlined where the symbols are
 * defined, and the slow paths behind them.
 *
 * Budget on x86-64: malloc 16 instructions, free 25, each with one conditional branch for
 * the range of the argument and one for the countdown or the room; no lock, no call. Seven of free's check
 * that a block of the class begins at the pointer and is not the one that was freed last.
 * Neither knows of the Tiny boundary, of tracing or of secure mode: the boundary is in the
 * tables they read, and otherwise a thread's countdowns are zero or below and its stacks have no room.
 * Behind that, and out of the way, stands what secure mode does: 17 and 10 instructions more.
 */
#ifndef HAK_LIB_ALLOC_H
#define HAK_LIB_ALLOC_H

#include <stddef.h>

#include "class_map.h"
#include "compiler.h"
#include "heap.h"
#include "options.h"
#include "region.h"
#include "secure.h"

/* `flags` are those of enum hak_op_flag, for the trace. */
HAK_HIDDEN void *hak_malloc_slow(size_t size, struct hak_bin *b, unsigned flags);
/* `p` is not NULL. */
HAK_HIDDEN void hak_free_slow(void *p, unsigned flags);

/* Ends the process if `p` is inside a block or was just freed; else frees it: there is room. */
HAK_HIDDEN void hak_free_odd(void *p);

/* A bin of the calling thread. Its address in a register: else the compiler computes it for each use. */
HAK_INLINE struct hak_bin *hak_bin_at(unsigned bin)
{
	struct hak_bin *b = &hak_thread.bins[bin];
	__asm__("" : "+r"(b));
	return b;
}

/* A block for a request of the bin, already counted; NULL: only the slow path can tell. */
HAK_INLINE void *hak_malloc_fast(size_t size, struct hak_bin *b)
{
	void *p;
	if (HAK_UNLIKELY(--b->allocs_left < 0)) {
		if (!hak_bin_is_guarded(&b->allocs_left)) {
			return NULL;
		}
		p = hak_secure_pop(b, size);
	} else {
		p = hak_bin_pop(b);
	}
	if (!p) {
		__builtin_unreachable(); /* stacks hold blocks; callers need not test again */
	}
	return p;
}

HAK_INLINE void *hak_malloc_from(size_t size, unsigned bin, unsigned flags)
{
	struct hak_bin *b = hak_bin_at(bin);
	void *p = hak_malloc_fast(size, b);
	return HAK_LIKELY(p != NULL) ? p : hak_malloc_slow(size, b, flags);
}

/* NULL and ENOMEM on failure; also above PTRDIFF_MAX. malloc(0) is a block of the smallest class. */
HAK_INLINE void *hak_malloc(size_t size)
{
	return hak_malloc_from(size, hak_bin_of(size), 0);
}

/* Keeps errno. NULL is ignored; a pointer to no live block ends the process where it is seen. */
HAK_INLINE void hak_free(void *p)
{
	size_t offset = (uintptr_t)p - hak_region.base;
	size_t unit = offset >> HAK_UNIT_LOG2;
	if (HAK_UNLIKELY(unit >= hak_region_units())) {
		if (p) { /* some programs free NULL as often as blocks */
			hak_free_slow(p, 0);
		}
		return;
	}
	struct hak_bin *b = hak_bin_at(hak_region.map[unit].bin);
	__asm__("" : "+r"(unit)); /* an index twice, for nothing, instead of once for an address */
	if (HAK_UNLIKELY(!hak_bin_has_room(b))) {
		if (HAK_LIKELY(hak_bin_has_guarded_room(b))) {
			hak_secure_push(b, p);
		} else {
			hak_free_slow(p, 0);
		}
		return;
	}
	if (HAK_UNLIKELY(!hak_bin_begins(b, offset, unit) || p == b->top[-1])) {
		hak_free_odd(p);
		return;
	}
	hak_bin_push(b, p);
}

/* How closely a size given back must match. */
enum hak_size_rule {
	HAK_SIZE_OF_NEW,     /* the class that serves it; such blocks never change theirs */
	HAK_SIZE_OF_REALLOC, /* or any that realloc would have kept the block for */
};

/*
 * Ends the process when the block at `p` was not asked for with that size and alignment (0:
 * malloc's own), as far as its class tells; secure mode compares the size itself.
 */
HAK_HIDDEN void hak_check_size(const void *p, size_t size, size_t alignment, enum hak_size_rule rule);

/* As hak_free, with the size checked. */
HAK_INLINE void hak_free_sized(void *p, size_t size, enum hak_size_rule rule)
{
	size_t unit = hak_unit_of(p);
	/* A large block's bin is 0, as is that of all large sizes: those are compared out of line. */
	bool is_in_class = size <= HAK_WIDE_MAX && unit < hak_region_units() &&
			   hak_region.map[unit].bin == hak_bin_of(size);
	if (HAK_UNLIKELY(hak_options.secure ? !hak_secure_holds(p, size) : !is_in_class)) {
		hak_check_size(p, size, 0, rule);
	}
	hak_free(p);
}

/* Zeroed; ENOMEM when n * size overflows. */
HAK_HIDDEN void *hak_calloc(size_t n, size_t size);

/* realloc of a block. */
HAK_HIDDEN void *hak_resize(void *p, size_t size);

/* As glibc: realloc(NULL, n) allocates, realloc(p, 0) frees and returns NULL. */
HAK_INLINE void *hak_realloc(void *p, size_t size)
{
	return p ? hak_resize(p, size) : hak_malloc(size);
}

/* `alignment` is a power of two. */
HAK_HIDDEN void *hak_aligned_alloc(size_t alignment, size_t size);

/* Bytes the block at `p` holds; 0 for NULL. */
HAK_HIDDEN size_t hak_usable_size(const void *p);

/* Gives back what can go; 1 when memory was returned to the system, else 0. */
HAK_HIDDEN int hak_trim(void);

/* Makes the heap; idempotent, thread-safe, called by the first slow path. */
HAK_HIDDEN void hak_init(void);

/* Defined where malloc is: a program that only links the core has another one, and no such symbol. */
extern HAK_HIDDEN const char hak_is_malloc __attribute__((weak));

#endif
