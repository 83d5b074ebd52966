/* SPDX-License-Identifier: MIT */
/*
 * What tracing remembers of each block: its requested size, out of band. In an array beside
 * the slab for blocks that share one (waste + 1 in 16 bits, 0: not known), in the sample
 * for sampled ones. Each entry belongs to whoever holds the block.
 */
#ifndef HAK_LIB_BESIDE_H
#define HAK_LIB_BESIDE_H

#include <stdatomic.h>

#include "hakmem_trace.h"
#include "region.h"

struct hak_beside {
	uint32_t generation; /* of the tracing that wrote the entries */
	uint32_t reserved;
	uint16_t waste[]; /* capped at 65534; blocks above 64 KiB use `wide` */
};

/* Bytes of the record for one slab of that kind and bin. */
HAK_HIDDEN size_t hak_beside_bytes(enum hak_slab_kind kind, unsigned bin);

/* Remembers the requested size of a block in a plain or aligned slab. */
HAK_HIDDEN void hak_beside_set(void *block, size_t requested);

/* A slab goes: what was kept of its units holds no longer. */
HAK_HIDDEN void hak_beside_forget(const struct hak_span *slab);

/* Reads it and forgets it. False when the block is older than the tracing. */
HAK_HIDDEN bool hak_beside_take(void *block, size_t *requested);

extern HAK_HIDDEN atomic_uint hak_beside_now;

/* The generation in force. */
HAK_INLINE uint32_t hak_beside_generation(void)
{
	return atomic_load_explicit(&hak_beside_now, memory_order_relaxed);
}

/*
 * Tells whether every operation is traced now. Generations are odd while it is, so each
 * tracing has one of its own: what an earlier one wrote is unknown to it.
 */
HAK_HIDDEN void hak_beside_switch(bool on);

/* The sample kept for a block of a sampled slab. */
HAK_HIDDEN struct hak_trace_sample *hak_beside_sample(struct hak_span *slab, void *block);

HAK_HIDDEN void hak_beside_fork_lock(void);
HAK_HIDDEN void hak_beside_fork_unlock(int in_child);

#endif
