/* SPDX-License-Identifier: MIT */
/* Slow paths of allocation and of free, with their tracing. */
#include "serve.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "beside.h"
#include "large.h"
#include "meta.h"
#include "panic.h"
#include "sample.h"
#include "slab.h"
#include "trace.h"

enum {
	ALIGNED_SEARCH = 8, /* cached blocks looked at for one with a large alignment */
	LOOK_EVERY = 32,    /* traced operations between two looks at what is wanted */
};

unsigned hak_heap_notice(struct hak_heap *heap)
{
	if (hak_trace_unseen) {
		return heap ? heap->want : 0;
	}
	if (heap && heap->until_look > 0) {
		heap->until_look--;
		return heap->want;
	}
	unsigned want = hak_trace_want();
	if (heap) {
		/* Where every operation is slow, not each needs to ask. */
		heap->until_look = want & HAK_TRACE_EVERY_OP ? LOOK_EVERY : 0;
		if (HAK_UNLIKELY(want != heap->want)) {
			hak_heap_retune(heap, want);
		}
	}
	return want;
}

HAK_EXPORT void hak_trace_notice(void)
{
	struct hak_heap *heap = hak_heap_get();
	if (heap) {
		heap->until_look = 0;
		hak_heap_notice(heap);
	}
}

/* --- blocks of a class ------------------------------------------------------------------ */

/* Pops the block on top of a folded, filled bin and arms the bin again. */
static void *pop(struct hak_heap *heap, unsigned bin)
{
	hak_heap_arm(heap, bin);
	return hak_heap_pop(heap, bin);
}

static void *take_one(struct hak_heap *heap, unsigned bin, enum hak_slab_kind kind)
{
	void *p;
	if (!hak_slab_take(bin, kind, HAK_MAY_GROW, &p, 1)) {
		return NULL;
	}
	hak_heap_count(heap, bin, 1, 0);
	return p;
}

/*
 * Alignments above a cache line: slabs start their blocks at an offset, so only some blocks
 * fit. One that was freed just now often does; else slabs without an offset have only such.
 */
static bool bring_up_aligned(struct hak_heap *heap, const struct hak_request *r, int among)
{
	struct hak_bin *b = &heap->bins[r->bin];
	int depth = (int)hak_heap_depth(heap, r->bin);
	for (int i = 1; i <= among && i <= depth; i++) {
		void *block = b->top[-i];
		if (((uintptr_t)block & (r->alignment - 1)) == 0) {
			hak_heap_set_busy(heap, true);
			b->top[-i] = b->top[-1];
			b->top[-1] = block;
			hak_heap_set_busy(heap, false);
			return true;
		}
	}
	return false;
}

/* Those that were freed wait where all others do. */
static bool find_aligned(struct hak_heap *heap, const struct hak_request *r)
{
	return bring_up_aligned(heap, r, ALIGNED_SEARCH) ||
	       (hak_heap_recall(heap, r->bin) && bring_up_aligned(heap, r, INT_MAX));
}

static void *take_block(struct hak_heap *heap, const struct hak_request *r)
{
	bool offset_matters = r->alignment > HAK_CACHE_LINE && hak_class_map.geometry[r->bin].colours > 1;
	if (!heap) {
		return take_one(NULL, r->bin, offset_matters ? HAK_SLAB_ALIGNED : HAK_SLAB_PLAIN);
	}
	if (offset_matters) {
		if (find_aligned(heap, r)) {
			return pop(heap, r->bin);
		}
		void *p = take_one(heap, r->bin, HAK_SLAB_ALIGNED);
		if (!(heap->want & HAK_TRACE_EVERY_OP)) {
			heap->caches[r->bin].until_sample--; /* no countdown saw it */
		}
		hak_heap_arm(heap, r->bin);
		return p;
	}
	return hak_heap_fill(heap, r->bin) ? pop(heap, r->bin) : NULL;
}

/* --- sampling --------------------------------------------------------------------------- */

/* Whether this allocation is the one that the countdown was set to. */
static bool sample_is_due(struct hak_heap *heap, unsigned bin)
{
	struct hak_cache *cache = &heap->caches[bin];
	if (cache->until_sample > 1) {
		if (heap->want & HAK_TRACE_EVERY_OP) {
			cache->until_sample--; /* not counted down by folding */
		}
		return false;
	}
	hak_heap_draw(heap, bin);
	return true;
}

static void *take_sampled(struct hak_heap *heap, unsigned bin, struct hak_trace_sample **sample)
{
	void *p = take_one(heap, bin, HAK_SLAB_SAMPLED);
	if (!p) {
		return NULL;
	}
	*sample = hak_beside_sample(hak_slab_of(p), p);
	if (!*sample) {
		hak_heap_count(heap, bin, 0, 1);
		hak_slab_give(bin, &p, 1);
		return NULL;
	}
	(*sample)->weight = 1 / hak_sample_chance(hak_class_map.geometry[bin].block, heap->pace.mean);
	return p;
}

/* Large blocks: picked by a draw for each. */
static struct hak_trace_sample *sample_large(struct hak_heap *heap, const struct hak_request *r,
					     struct hak_large *l)
{
	if (!heap || hak_sample_gap(&heap->random, l->usable, heap->pace.mean) > 1) {
		return NULL;
	}
	struct hak_trace_sample *sample = hak_meta_alloc(sizeof *sample);
	if (sample) {
		sample->weight = 1 / hak_sample_chance(l->usable, heap->pace.mean);
		sample->requested = r->size;
		atomic_store_explicit(&l->sample, sample, memory_order_relaxed);
	}
	return sample;
}

/* --- the trace's view ------------------------------------------------------------------- */

/* As hak_route_decide says, without its search where the bin is known already. */
static enum hak_reason reason_of(const struct hak_request *r)
{
	const struct hak_class_table *t = &hak_class_map.table;
	if (HAK_LIKELY(r->bin && r->alignment <= 1)) {
		return hak_reason_of_size(r->size);
	}
	struct hak_decision d = hak_route_decide(t, r->size, r->alignment);
	return r->bin == 0 && d.route != HAK_ROUTE_LARGE ? HAK_REASON_FALLBACK : d.reason;
}

/* What an operation on the block says of itself. `usable` is for large ones. */
HAK_SELDOM static struct hak_trace_op describe(const void *p, const struct hak_request *r, uint64_t usable)
{
	const struct hak_class_table *t = &hak_class_map.table;
	bool is_large = r->bin == 0;
	return (struct hak_trace_op) {
		.ptr = p,
		.requested = r->size,
		.usable = is_large ? usable : t->classes[r->bin - 1].block,
		.alignment = r->alignment,
		.class_id = (uint16_t)(is_large ? t->count : r->bin - 1),
		.route = is_large ? HAK_ROUTE_LARGE : t->classes[r->bin - 1].route,
		.reason = (uint8_t)reason_of(r),
		.flags = r->flags,
	};
}

static void tell_alloc(void *p, const struct hak_request *r, uint64_t usable, unsigned want,
		       struct hak_trace_sample *sample)
{
	struct hak_trace_op op = describe(p, r, usable);
	if (want & HAK_TRACE_EVERY_OP) {
		if (r->bin && !sample) {
			hak_beside_set(p, r->size);
		}
		hak_trace_alloc(want, &op);
	}
	if (sample) {
		sample->requested = r->size;
		sample->time_ns = 0; /* for a tracer that does not set it */
		hak_trace_sample_alloc(&op, sample);
	}
}

/* Behind the hook: the pace follows the times that the tracer took. */
static void note_sample(struct hak_heap *heap, const struct hak_trace_sample *sample)
{
	if (sample) {
		hak_heap_sampled(heap, sample->time_ns);
	}
}

static void tell_free(void *p, unsigned bin, unsigned flags, unsigned want)
{
	size_t requested;
	struct hak_request r = { .bin = bin, .flags = flags };
	bool known = hak_beside_take(p, &requested);
	r.size = known ? requested : hak_class_map.geometry[bin].block;
	r.flags |= known ? 0 : HAK_OP_UNTRACED;
	struct hak_trace_op op = describe(p, &r, 0);
	hak_trace_free(want, &op);
}

/* --- allocation ------------------------------------------------------------------------- */

static void *serve_large(struct hak_heap *heap, const struct hak_request *r, bool *zeroed)
{
	bool is_zero = false;
	struct hak_request large = *r;
	large.bin = 0;
	void *p = hak_large_new(r->size, r->alignment, &is_zero);
	if (!p) {
		return NULL;
	}
	if (zeroed) {
		*zeroed = is_zero;
	}
	struct hak_large *l = hak_large_of(p);
	l->requested = r->size;
	hak_heap_count(heap, 0, 1, 0);
	unsigned want = hak_heap_notice(heap);
	if (HAK_UNLIKELY(want & (HAK_TRACE_EVERY_OP | HAK_TRACE_SAMPLE)) && !hak_trace_unseen) {
		struct hak_trace_sample *sample =
			want & HAK_TRACE_SAMPLE ? sample_large(heap, &large, l) : NULL;
		tell_alloc(p, &large, l->usable, want, sample);
		note_sample(heap, sample);
	}
	return p;
}

HAK_SELDOM HAK_NOINLINE static void *serve_traced(struct hak_heap *heap, const struct hak_request *r,
						  unsigned want)
{
	struct hak_trace_sample *sample = NULL;
	void *p = NULL;
	bool seen = !hak_trace_unseen;

	if (seen && heap && (want & HAK_TRACE_SAMPLE) && sample_is_due(heap, r->bin)) {
		p = take_sampled(heap, r->bin, &sample);
		hak_heap_arm(heap, r->bin);
	}
	if (!p) {
		p = take_block(heap, r);
	}
	if (p && seen) {
		tell_alloc(p, r, 0, want, sample);
		note_sample(heap, sample);
	}
	return p;
}

HAK_COLD static void *fail(const struct hak_request *r)
{
	hak_trace_oom(r->size, r->alignment);
	errno = ENOMEM;
	return NULL;
}

void *hak_serve(const struct hak_request *r, bool *zeroed)
{
	if (HAK_UNLIKELY(r->size > PTRDIFF_MAX || r->alignment > PTRDIFF_MAX)) {
		return fail(r);
	}
	struct hak_heap *heap = hak_heap_get();
	void *p = NULL;
	if (r->bin) {
		if (heap) {
			hak_heap_fold(heap, r->bin);
		} else {
			hak_thread.bins[r->bin].allocs_left = 0; /* or it would wrap in the end */
		}
		unsigned want = hak_heap_notice(heap);
		p = HAK_UNLIKELY(want & (HAK_TRACE_EVERY_OP | HAK_TRACE_SAMPLE)) ? serve_traced(heap, r, want)
										 : take_block(heap, r);
	}
	if (!p) {
		p = serve_large(heap, r, zeroed);
	}
	return p ? p : fail(r);
}

/* --- free ------------------------------------------------------------------------------- */

static void put_block(struct hak_heap *heap, unsigned bin, void *p)
{
	if (!heap || !hak_heap_make_room(heap, bin)) {
		hak_heap_count(heap, bin, 0, 1);
		hak_slab_give(bin, &p, 1);
		if (heap) {
			hak_heap_arm(heap, bin);
		}
		return;
	}
	hak_heap_arm(heap, bin);
	if (HAK_UNLIKELY(!heap->caches[bin].is_armed)) {
		hak_heap_count(heap, bin, 0, 1);
	}
	hak_bin_push(&heap->bins[bin], p);
}

static void take_back_sampled(struct hak_heap *heap, struct hak_span *slab, void *p, unsigned flags,
			      unsigned want)
{
	struct hak_trace_sample *sample = hak_beside_sample(slab, p);
	unsigned bin = slab->bin;
	if (!sample) {
		hak_panic("free of a pointer to no block", p);
	}
	struct hak_request r = { .size = sample->requested, .bin = bin, .flags = flags };
	struct hak_trace_op op = describe(p, &r, 0);
	if (!hak_trace_unseen && (want & HAK_TRACE_EVERY_OP)) {
		hak_trace_free(want, &op);
	}
	if (want & HAK_TRACE_SAMPLE) {
		hak_trace_sample_free(&op, sample);
	}
	hak_heap_count(heap, bin, 0, 1);
	hak_slab_give(bin, &p, 1);
}

static void tell_large_free(void *p, const struct hak_large *l, struct hak_trace_sample *sample,
			    unsigned flags, unsigned want)
{
	struct hak_request r = { .size = l->requested, .bin = 0, .flags = flags };
	struct hak_trace_op op = describe(p, &r, l->usable);
	if (!hak_trace_unseen && (want & HAK_TRACE_EVERY_OP)) {
		hak_trace_free(want, &op);
	}
	if (sample && (want & HAK_TRACE_SAMPLE)) {
		hak_trace_sample_free(&op, sample);
	}
}

static void take_back_large(struct hak_heap *heap, struct hak_large *l, void *p, unsigned flags,
			    unsigned want)
{
	struct hak_trace_sample *sample = atomic_load_explicit(&l->sample, memory_order_relaxed);
	if (HAK_UNLIKELY(want & (HAK_TRACE_EVERY_OP | HAK_TRACE_SAMPLE))) {
		tell_large_free(p, l, sample, flags, want);
	}
	if (sample) {
		hak_meta_free(sample, sizeof *sample);
	}
	hak_heap_count(heap, 0, 0, 1);
	hak_large_delete(p);
}

void hak_take_back(void *p, unsigned flags)
{
	struct hak_heap *heap = hak_heap_get();
	unsigned bin = hak_region_owns(p) ? hak_region.map[hak_unit_of(p)].bin : 0;
	if (bin) {
		if (heap) {
			hak_heap_fold(heap, bin);
		}
		unsigned want = hak_heap_notice(heap);
		if (HAK_UNLIKELY(want & HAK_TRACE_EVERY_OP) && !hak_trace_unseen) {
			tell_free(p, bin, flags, want);
		}
		put_block(heap, bin, p);
		return;
	}
	unsigned want = hak_heap_notice(heap);
	struct hak_span *slab = hak_region_owns(p) ? hak_slab_of(p) : NULL;
	struct hak_large *l = slab ? NULL : hak_large_of(p);
	if (slab && slab->slab_kind == HAK_SLAB_SAMPLED) {
		take_back_sampled(heap, slab, p, flags, want);
	} else if (l) {
		take_back_large(heap, l, p, flags, want);
	} else {
		hak_panic("free of a pointer to no block", p);
	}
}

/* --- resize ----------------------------------------------------------------------------- */

/* What a realloc that keeps its block changes. */
struct resized {
	size_t former; /* requested; if `is_known` */
	bool is_known;
	uint64_t usable;		 /* of a large block */
	struct hak_trace_sample *sample; /* NULL: not sampled */
};

/* Sampling keeps nothing beside blocks that are not sampled. */
static size_t exchange_beside(void *p, struct hak_request *r, bool *is_known)
{
	size_t former = 0;
	*is_known = hak_beside_take(p, &former);
	hak_beside_set(p, r->size);
	return *is_known ? former : hak_class_map.geometry[r->bin].block;
}

/* Stores the new requested size of a block, and finds its bin. */
static struct resized exchange_requested(void *p, struct hak_request *r, unsigned want)
{
	struct hak_span *slab = hak_region_owns(p) ? hak_slab_of(p) : NULL;
	struct hak_large *l = slab ? NULL : hak_large_of(p);
	struct resized now = { .is_known = true };
	if (!slab && !l) {
		hak_panic("realloc of a pointer to no block", p);
	}
	if (l) {
		now.former = l->requested;
		now.usable = l->usable;
		now.sample = atomic_load_explicit(&l->sample, memory_order_relaxed);
		l->requested = r->size;
	} else if (slab->slab_kind == HAK_SLAB_SAMPLED) {
		now.sample = hak_beside_sample(slab, p);
		now.former = now.sample->requested;
		r->bin = slab->bin;
	} else if (want & HAK_TRACE_EVERY_OP) {
		r->bin = slab->bin;
		now.former = exchange_beside(p, r, &now.is_known);
	}
	if (now.sample) {
		now.sample->requested = r->size;
	}
	return now;
}

HAK_SELDOM void hak_note_resize(void *p, size_t size, const void *former, size_t former_usable)
{
	unsigned want = hak_heap_notice(hak_heap_get());
	if (!(want & (HAK_TRACE_EVERY_OP | HAK_TRACE_SAMPLE))) {
		struct hak_large *l = hak_large_of(p);
		if (l) {
			l->requested = size;
		}
		return;
	}
	struct hak_request r = { .size = size };
	struct resized now = exchange_requested(p, &r, want);
	r.flags = now.is_known ? 0 : HAK_OP_UNTRACED;
	struct hak_trace_op op = describe(p, &r, now.usable);
	if ((want & HAK_TRACE_EVERY_OP) && !hak_trace_unseen) {
		hak_trace_resize(want, &op, now.former);
	}
	if ((want & HAK_TRACE_SAMPLE) && now.sample) {
		struct hak_trace_op before = op;
		before.ptr = former;
		before.requested = now.former;
		before.usable = former_usable;
		hak_trace_sample_resize(&op, &before, now.sample);
	}
}
