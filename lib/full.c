/* SPDX-License-Identifier: MIT */
/* The straight way through a traced operation. */
#include "full.h"

#include "hakmem_ops_word.h"
#include "slab.h"
#include "trace.h"

/* Where the waste of a block is kept, or NULL when that takes more than a look. */
HAK_INLINE uint16_t *waste_of(const struct hak_bin *b, const void *p)
{
	size_t offset = (uintptr_t)p - hak_region.base, unit = offset >> HAK_UNIT_LOG2;
	const struct hak_traced_unit *t = &hak_region.traced[unit];
	if (HAK_UNLIKELY(__atomic_load_n(&t->generation, __ATOMIC_ACQUIRE) != hak_trace_generation())) {
		return NULL;
	}
	return &__atomic_load_n(&t->waste, __ATOMIC_RELAXED)[hak_bin_block_number(b, offset, unit)];
}

/* Only marks the thread: the hook keeps errno, and cancellation away. */
HAK_INLINE void tell(const struct hak_trace_ops *ops, enum hak_word_kind kind, unsigned bin, size_t size,
		     unsigned flags)
{
	hak_trace_unseen = true;
	ops->packed(hak_ops_head(kind, bin - 1), hak_ops_key(size, hak_reason_of_size(size), flags));
	hak_trace_unseen = false;
}

void *hak_full_alloc(struct hak_heap *heap, size_t size, unsigned bin, unsigned flags)
{
	struct hak_cache *cache = &heap->caches[bin];
	struct hak_bin *b = &hak_thread.bins[bin];
	const struct hak_trace_ops *ops = atomic_load_explicit(&hak_trace_attached, memory_order_acquire);

	bool is_sampled = (heap->want & HAK_TRACE_SAMPLE) && cache->until_sample <= 1;
	if (HAK_UNLIKELY(!ops || !ops->packed || hak_trace_unseen || b->top == cache->stack || is_sampled)) {
		return NULL;
	}
	void *p = b->top[-1];
	uint16_t *waste = waste_of(b, p);
	if (HAK_UNLIKELY(!waste)) {
		return NULL;
	}
	*waste = (uint16_t)(hak_bin_block(b) - size + 1);
	b->top--;
	b->allocs_left = 0;
	cache->allocs++;
	cache->until_sample--;
	heap->until_look--;
	tell(ops, HAK_WORD_ALLOC, bin, size, flags);
	return p;
}

/* A block that has its waste beside it is live, so that a second free goes to the general path. */
bool hak_full_free(struct hak_heap *heap, void *p, unsigned bin, unsigned flags)
{
	struct hak_cache *cache = &heap->caches[bin];
	struct hak_bin *b = &hak_thread.bins[bin];
	const struct hak_trace_ops *ops = atomic_load_explicit(&hak_trace_attached, memory_order_acquire);

	if (HAK_UNLIKELY(!ops || !ops->packed || hak_trace_unseen ||
			 !hak_bin_begins(b, (uintptr_t)p - hak_region.base, hak_unit_of(p)) ||
			 b->top == cache->stack + cache->capacity)) {
		return false;
	}
	uint16_t *waste = waste_of(b, p);
	if (HAK_UNLIKELY(!waste || *waste == 0)) {
		return false;
	}
	size_t size = hak_bin_block(b) + 1 - *waste;
	*waste = 0;
	cache->frees++;
	heap->until_look--;
	tell(ops, HAK_WORD_FREE, bin, size, flags);
	/* Last: a hook that forks or exits finds the block still taken. It may free blocks, too. */
	if (HAK_UNLIKELY(hak_heap_depth(heap, bin) >= cache->capacity)) {
		hak_slab_give(bin, &p, 1);
	} else {
		hak_bin_push(b, p);
	}
	return true;
}
