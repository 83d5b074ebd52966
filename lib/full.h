/* SPDX-License-Identifier: MIT */
/*
 * Full tracing of blocks of a class, for the case that nothing else is due: the same steps
 * as in serve.c, laid out in one piece, because in a fully traced thread every operation
 * comes this way. Whatever is out of the ordinary is left to the general path.
 */
#ifndef HAK_LIB_FULL_H
#define HAK_LIB_FULL_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"
#include "heap.h"

/* Whether the thread is fully traced, packed, and need not look up just now. */
HAK_INLINE bool hak_full_is_on(const struct hak_heap *heap)
{
	return heap && heap->until_look > 0 && (heap->want & HAK_TRACE_EVERY_OP) == HAK_TRACE_OPS;
}

/* A block, counted and told; NULL: ask the general path. */
HAK_HIDDEN void *hak_full_alloc(struct hak_heap *heap, size_t size, unsigned bin, unsigned flags);

/* Takes the block back, checked, counted and told; false: ask the general path. */
HAK_HIDDEN bool hak_full_free(struct hak_heap *heap, void *p, unsigned bin, unsigned flags);

#endif
