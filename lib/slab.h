/* SPDX-License-Identifier: MIT */
/*
 * Slabs: spans cut into the blocks of one class. What is free is known from a bitmap beside
 * the slab and a mark below which blocks were handed out before; no free block is read or
 * written, so nothing the program does to it can damage the heap.
 *
 * One lock a class, taken for whole batches; the page heap's lock comes below it.
 */
#ifndef HAK_LIB_SLAB_H
#define HAK_LIB_SLAB_H

#include "page_heap.h"
#include "region.h"

/*
 * Takes up to `n` blocks of a bin into out[0..], so that popping from the end yields rising
 * addresses. Returns how many; 0 means no memory, or none without growth.
 */
HAK_HIDDEN unsigned hak_slab_take(unsigned bin, enum hak_slab_kind kind, enum hak_growth growth, void **out,
				  unsigned n);

/* Gives blocks of a bin back; ends the process on one that is free already. */
HAK_HIDDEN void hak_slab_give(unsigned bin, void *const *blocks, unsigned n);

/* The slab of a block, or NULL when `p` is in no slab; p must be in the region. */
HAK_HIDDEN struct hak_span *hak_slab_of(const void *p);

/* Number of the block at `p`, or UINT32_MAX when no block begins there. */
HAK_HIDDEN uint32_t hak_slab_block(const struct hak_span *slab, const void *p);

/* Whether each block of the bin has a slab of its own. */
HAK_INLINE bool hak_slab_holds_one(unsigned bin)
{
	return hak_class_map.geometry[bin].capacity == 1;
}

/* What full tracing keeps beside a slab: of each block its waste + 1, 0 where it is not known. */
struct hak_beside {
	uint32_t generation; /* of the tracing that wrote the entries */
	uint32_t reserved;
	uint16_t waste[]; /* capped at 65534; the only block of a slab has one number of 32 bits */
};

/*
 * The record kept beside the slab, made when first asked for: NULL without memory. Sampled
 * slabs have a hak_trace_sample a block, others a hak_beside.
 */
HAK_HIDDEN void *hak_slab_beside(struct hak_span *slab, bool make);

/* Its size. */
HAK_HIDDEN size_t hak_slab_beside_bytes(enum hak_slab_kind kind, unsigned bin);

/*
 * Gives back the free pages of slabs whose blocks neither came nor went since the last two calls, and
 * returns their bytes. Not where it would split huge pages, which costs more than it gives, nor in large
 * heaps, nor with more than one thread: each of its many system calls would stop the others. Not in secure
 * mode, where free blocks hold marks, nor where nothing is ever to be given back.
 */
HAK_HIDDEN uint64_t hak_slab_purge_idle(void);

struct hak_slab_stats {
	uint64_t slabs, bytes, out;
};

/* Takes no lock. */
HAK_HIDDEN void hak_slab_stats(unsigned bin, struct hak_slab_stats *out);

HAK_HIDDEN void hak_slab_fork_lock(void);
HAK_HIDDEN void hak_slab_fork_unlock(int in_child);

#endif
