/* SPDX-License-Identifier: MIT */
/* The straight way through a traced operation. */
#include "full.h"

#include <errno.h>

#include "beside.h"
#include "slab.h"
#include "trace.h"

/* Where the waste of a block is kept, or NULL when that takes more than a look. */
static inline uint16_t *waste_of(unsigned bin, const void *p)
{
	const struct hak_geometry *g = &hak_class_map.geometry[bin];
	struct hak_span *slab = hak_span_at(hak_span_at(hak_unit_of(p))->head);
	struct hak_beside *b = atomic_load_explicit(&slab->slab.beside, memory_order_acquire);
	if (HAK_UNLIKELY(!b || g->capacity == 1 ||
			 __atomic_load_n(&b->generation, __ATOMIC_ACQUIRE) != hak_beside_generation())) {
		return NULL;
	}
	uintptr_t first = (uintptr_t)hak_span_start(slab) + slab->slab.colour;
	return &b->waste[hak_block_number(g, (uint32_t)((uintptr_t)p - first))];
}

static inline struct hak_trace_op describe(const void *p, size_t size, unsigned bin, unsigned flags)
{
	const struct hak_class_table *t = &hak_class_map.table;
	return (struct hak_trace_op) {
		.ptr = p,
		.requested = size,
		.usable = t->classes[bin - 1].block,
		.class_id = (uint16_t)(bin - 1),
		.route = t->classes[bin - 1].route,
		.reason = hak_reason_of_size(size),
		.flags = flags,
	};
}

void *hak_full_alloc(struct hak_heap *heap, size_t size, unsigned bin, unsigned flags)
{
	struct hak_cache *cache = &heap->caches[bin];
	struct hak_bin *b = &hak_thread.bins[bin];
	const struct hak_trace_ops *ops = atomic_load_explicit(&hak_trace_attached, memory_order_acquire);

	bool is_sampled = (heap->want & HAK_TRACE_SAMPLE) && cache->until_sample <= 1;
	if (HAK_UNLIKELY(!ops || hak_trace_unseen || hak_heap_depth(heap, bin) == 0 || is_sampled)) {
		return NULL;
	}
	void *p = b->top[-1];
	uint16_t *waste = waste_of(bin, p);
	if (HAK_UNLIKELY(!waste)) {
		return NULL;
	}
	struct hak_trace_op op = describe(p, size, bin, flags);
	*waste = (uint16_t)(op.usable - size + 1);
	b->top--;
	b->allocs_left = 0;
	cache->allocs++;
	cache->until_sample--;
	heap->until_look--;
	int saved = errno;
	hak_trace_unseen = true;
	ops->alloc(heap->want, &op);
	hak_trace_unseen = false;
	errno = saved;
	return p;
}

bool hak_full_free(struct hak_heap *heap, void *p, unsigned bin, unsigned flags)
{
	struct hak_cache *cache = &heap->caches[bin];
	struct hak_bin *b = &hak_thread.bins[bin];
	const struct hak_trace_ops *ops = atomic_load_explicit(&hak_trace_attached, memory_order_acquire);

	if (HAK_UNLIKELY(!ops || hak_trace_unseen || hak_heap_depth(heap, bin) == cache->capacity)) {
		return false;
	}
	uint16_t *waste = waste_of(bin, p);
	if (HAK_UNLIKELY(!waste || *waste == 0)) {
		return false;
	}
	struct hak_trace_op op =
		describe(p, hak_class_map.table.classes[bin - 1].block + 1 - *waste, bin, flags);
	*waste = 0;
	b->frees_left = 0;
	cache->frees++;
	heap->until_look--;
	int saved = errno;
	hak_trace_unseen = true;
	ops->free(heap->want, &op);
	hak_trace_unseen = false;
	errno = saved;
	/* Last: a hook that forks or exits finds the block still taken. It may free blocks, too. */
	if (HAK_UNLIKELY(hak_heap_depth(heap, bin) >= cache->capacity)) {
		hak_slab_give(bin, &p, 1);
	} else {
		hak_bin_push(b, p);
	}
	return true;
}
