/* SPDX-License-Identifier: MIT */
/*
 * Memory for the allocator's own records: magazines, heaps, bitmaps. Sizes are rounded to
 * powers of two from 64 bytes; what is freed is kept for records of the same size and
 * never unmapped, so a stale pointer to a record always reads as some record (the depot's
 * lock-free stacks rely on that).
 */
#ifndef HAK_LIB_META_H
#define HAK_LIB_META_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

/* Zeroed, aligned to 64; at most 1 MiB. NULL when the system has no memory. Thread-safe. */
HAK_HIDDEN void *hak_meta_alloc(size_t bytes);

/* `bytes` as given to hak_meta_alloc. Thread-safe. */
HAK_HIDDEN void hak_meta_free(void *record, size_t bytes);

/* Bytes mapped for records so far. */
HAK_HIDDEN uint64_t hak_meta_bytes(void);

HAK_HIDDEN void hak_meta_fork_lock(void);
HAK_HIDDEN void hak_meta_fork_unlock(int in_child);

#endif
