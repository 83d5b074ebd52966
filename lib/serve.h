/* SPDX-License-Identifier: MIT */
/*
 * Serving one request on the slow path: from a class, as a sample, or from the large route,
 * counted and traced as the moment asks. Shared by malloc, calloc, realloc and the aligned
 * functions.
 */
#ifndef HAK_LIB_SERVE_H
#define HAK_LIB_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "heap.h"

struct hak_request {
	size_t size;
	size_t alignment; /* as asked; 0 for malloc's own */
	unsigned bin;	  /* 0: large */
	unsigned flags;	  /* enum hak_op_flag */
};

/* NULL and ENOMEM on failure. *zeroed (may be NULL) tells whether the block reads as zero. */
HAK_HIDDEN void *hak_serve(const struct hak_request *r, bool *zeroed);

/* Takes a block back: any live pointer but NULL. */
HAK_HIDDEN void hak_take_back(void *p, unsigned flags);

/*
 * The block at `p` now holds `size` bytes for its owner. It kept its place, or its pages were moved: `former`
 * is where it was, and `former_usable` what it could hold.
 */
HAK_HIDDEN void hak_note_resize(void *p, size_t size, const void *former, size_t former_usable);

/* What the calling thread should trace; takes notice of a change first. `heap` may be NULL. */
HAK_HIDDEN unsigned hak_heap_notice(struct hak_heap *heap);

#endif
