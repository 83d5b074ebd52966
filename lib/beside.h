/* SPDX-License-Identifier: MIT */
/*
 * What tracing remembers of each block: its requested size, out of band. In an array beside
 * the slab for blocks that share one (waste + 1 in 16 bits, 0: not known), in the sample
 * for sampled ones. Each entry belongs to whoever holds the block.
 */
#ifndef HAK_LIB_BESIDE_H
#define HAK_LIB_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "hakmem_trace.h"
#include "region.h"

/* Remembers the requested size of a block in a plain or aligned slab. */
HAK_HIDDEN void hak_beside_set(void *block, size_t requested);

/* Reads it and forgets it. False when the block is older than the tracing. */
HAK_HIDDEN bool hak_beside_take(void *block, size_t *requested);

/* The sample kept for a block of a sampled slab. */
HAK_HIDDEN struct hak_trace_sample *hak_beside_sample(struct hak_span *slab, void *block);

HAK_HIDDEN void hak_beside_fork_lock(void);
HAK_HIDDEN void hak_beside_fork_unlock(int in_child);

#endif
