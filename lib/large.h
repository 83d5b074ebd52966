/* SPDX-License-Identifier: MIT */
/*
 * The large route: whole pages, in spans of the region; when the region has no room, in
 * mappings of their own, kept in a table of addresses. Thread-safe.
 */
#ifndef HAK_LIB_LARGE_H
#define HAK_LIB_LARGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "region.h"

/*
 * A block of at least `size` bytes (at most PTRDIFF_MAX). *zeroed tells whether it reads as
 * zero. NULL when there is no memory.
 */
HAK_HIDDEN void *hak_large_new(size_t size, size_t alignment, bool *zeroed);

/* One that hak_large_keep has at hand, not zeroed, or NULL. */
HAK_HIDDEN void *hak_large_reuse(size_t size);

/*
 * Deletes the block at `p`, which is in the region, so that the next of its length has it. False: it
 * is no large block, or one of which more is to be undone.
 */
HAK_HIDDEN bool hak_large_keep(void *p);

/* The block that begins at `p`, or NULL. Stays valid until the block is deleted. */
HAK_HIDDEN struct hak_large *hak_large_of(const void *p);

HAK_HIDDEN void hak_large_delete(void *p);

/*
 * Resizes to `size` with the contents kept: in place, by moving pages, or not at all (NULL,
 * the block is as before). May return another address.
 */
HAK_HIDDEN void *hak_large_resize(void *p, size_t size);

HAK_HIDDEN void hak_large_stats(uint64_t *blocks, uint64_t *bytes);

HAK_HIDDEN void hak_large_fork_lock(void);
HAK_HIDDEN void hak_large_fork_unlock(int in_child);

#endif
