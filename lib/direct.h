/* SPDX-License-Identifier: MIT */
/*
 * Large blocks in mappings of their own, for when the region is full or could only be
 * reserved small. A hash table of addresses under one lock. Thread-safe.
 */
#ifndef HAK_LIB_DIRECT_H
#define HAK_LIB_DIRECT_H

#include "large.h"

/* `bytes` is a multiple of the page size. NULL without memory. Reads as zero. */
HAK_HIDDEN void *hak_direct_new(size_t bytes, size_t alignment);
HAK_HIDDEN struct hak_large *hak_direct_of(const void *p);
/* Returns the bytes unmapped, 0 when `p` is none of these. */
HAK_HIDDEN size_t hak_direct_delete(void *p);
/* The new address, or NULL with the block as before. */
HAK_HIDDEN void *hak_direct_resize(void *p, size_t bytes);

HAK_HIDDEN void hak_direct_fork_lock(void);
HAK_HIDDEN void hak_direct_fork_unlock(int in_child);

#endif
