/* SPDX-License-Identifier: MIT */
/* The slow halves of malloc and free, and the rest of the family on top of them. */
#include "alloc.h"

#include <string.h>

#include "full.h"
#include "large.h"
#include "marks.h"
#include "options.h"
#include "panic.h"
#include "secure.h"
#include "serve.h"
#include "slab.h"
#include "tick.h"
#include "trace.h"

static void *serve(const struct hak_request *r, bool *zeroed)
{
	return hak_options.secure ? hak_secure_serve(r, zeroed) : hak_serve(r, zeroed);
}

/* The first call of all, and sizes above the tables. */
HAK_NOINLINE static void *malloc_unbinned(size_t size, unsigned flags)
{
	hak_thread.bins[0].allocs_left = 0; /* nobody's bin counts nothing */
	hak_init();
	unsigned bin = size > HAK_WIDE_MAX ? hak_bin_big(size) : hak_bin_of(size);
	if (bin) {
		return hak_malloc_from(size, bin, flags);
	}
	struct hak_request r = { .size = size, .bin = bin, .flags = flags };
	return serve(&r, NULL);
}

HAK_NOINLINE static void *malloc_large(struct hak_heap *heap, size_t size, unsigned flags)
{
	void *p = heap->want == 0 ? hak_large_reuse(size) : NULL;
	if (HAK_UNLIKELY(!p)) {
		return malloc_unbinned(size, flags);
	}
	hak_heap_count_large(&heap->caches[0].allocs);
	return p;
}

HAK_INLINE void *pop_big(struct hak_heap *heap, size_t size, unsigned flags)
{
	unsigned bin = hak_bin_big(size);
	if (!bin) {
		return malloc_large(heap, size, flags);
	}
	bool is_there = heap->want == 0 && hak_heap_depth(heap, bin) != 0;
	return HAK_LIKELY(is_there) ? hak_heap_pop(heap, bin) : malloc_unbinned(size, flags);
}

HAK_NOINLINE static void *malloc_big_armed(struct hak_heap *heap, size_t size, unsigned flags)
{
	return hak_trace_want() == heap->want ? pop_big(heap, size, flags) : malloc_unbinned(size, flags);
}

/* Sizes above the tables. A thread with a heap has passed hak_init. */
HAK_NOINLINE static void *malloc_big(size_t size, unsigned flags)
{
	struct hak_heap *heap = hak_thread.heap;
	hak_thread.bins[0].allocs_left = 0;
	if (HAK_UNLIKELY(!heap)) {
		return malloc_unbinned(size, flags);
	}
	if (HAK_UNLIKELY(atomic_load_explicit(&hak_trace_attached, memory_order_relaxed) != NULL)) {
		return malloc_big_armed(heap, size, flags);
	}
	return pop_big(heap, size, flags);
}

HAK_NOINLINE static void *malloc_binned(size_t size, unsigned bin, unsigned flags)
{
	struct hak_heap *heap = hak_thread.heap;
	if (HAK_UNLIKELY(hak_full_is_on(heap))) {
		void *p = hak_full_alloc(heap, size, bin, flags);
		if (HAK_LIKELY(p != NULL)) {
			return p;
		}
	} else if (HAK_LIKELY(heap && hak_heap_rearm(heap, bin))) {
		hak_thread.bins[bin].allocs_left--;
		return hak_bin_pop(&hak_thread.bins[bin]);
	}
	struct hak_request r = { .size = size, .bin = bin, .flags = flags };
	return hak_serve(&r, NULL);
}

HAK_NOINLINE void *hak_malloc_slow(size_t size, struct hak_bin *b, unsigned flags)
{
	if (HAK_UNLIKELY(hak_options.secure)) {
		return hak_secure_malloc(size, b, flags);
	}
	if (b == hak_thread.bins) {
		return size > HAK_WIDE_MAX ? malloc_big(size, flags) : malloc_unbinned(size, flags);
	}
	return malloc_binned(size, (unsigned)(b - hak_thread.bins), flags);
}

/* Whether the calling thread has just freed the block and not used it since. */
HAK_INLINE bool is_on_top(const void *p, unsigned bin)
{
	const struct hak_heap *heap = hak_thread.heap;
	uint32_t depth = heap ? hak_heap_depth(heap, bin) : 0;
	void *const *top = depth ? heap->bins[bin].top : NULL;
	return (depth >= 1 && top[-1] == p) || (depth >= 2 && top[-2] == p);
}

/* What can be said of a pointer to a slab of the bin without looking beyond this thread. */
HAK_INLINE void check(const void *p, unsigned bin, enum hak_use use)
{
	const struct hak_bin *b = &hak_thread.bins[bin];
	bool begins = !b->divisor || hak_bin_begins(b, (uintptr_t)p - hak_region.base, hak_unit_of(p));
	if (HAK_UNLIKELY(!begins || is_on_top(p, bin))) {
		hak_refuse(p, use);
	}
}

HAK_COLD HAK_NOINLINE void hak_free_odd(void *p)
{
	unsigned bin = hak_region.map[hak_unit_of(p)].bin;
	check(p, bin, HAK_USE_FREE);
	hak_bin_push(&hak_thread.bins[bin], p);
}

HAK_NOINLINE static void free_binned(void *p, unsigned bin, unsigned flags)
{
	struct hak_heap *heap = hak_thread.heap;
	if (HAK_UNLIKELY(hak_full_is_on(heap)) && hak_full_free(heap, p, bin, flags)) {
		return;
	}
	check(p, bin, HAK_USE_FREE);
	hak_take_back(p, flags);
}

/* No block of a plain slab: most often a large one, and nothing is traced. */
HAK_NOINLINE static void free_unbinned(void *p, unsigned flags)
{
	struct hak_heap *heap = hak_thread.heap;
	bool is_traced = !heap || heap->want || hak_trace_want();
	if (HAK_UNLIKELY(is_traced || !hak_region_owns(p) || !hak_large_keep(p))) {
		hak_take_back(p, flags);
		return;
	}
	hak_heap_count_large(&heap->caches[0].frees);
}

HAK_NOINLINE void hak_free_slow(void *p, unsigned flags)
{
	if (HAK_UNLIKELY(hak_options.secure)) {
		hak_secure_free(p, flags);
		return;
	}
	unsigned bin = hak_region_owns(p) ? hak_region.map[hak_unit_of(p)].bin : 0;
	if (bin) {
		free_binned(p, bin, flags);
	} else {
		free_unbinned(p, flags);
	}
}

void *hak_calloc(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		bytes = SIZE_MAX; /* refused where all that is too large is, and told */
	}
	unsigned bin = hak_bin_of(bytes);
	if (HAK_LIKELY(bin)) {
		void *p = hak_malloc_from(bytes, bin, HAK_OP_ZEROED);
		return HAK_LIKELY(p != NULL) ? memset(p, 0, bytes) : NULL;
	}
	hak_init();
	bool zeroed = false;
	struct hak_request r = { .size = bytes, .flags = HAK_OP_ZEROED };
	r.bin = bytes > HAK_WIDE_MAX ? hak_bin_big(bytes) : hak_bin_of(bytes);
	void *p = serve(&r, &zeroed);
	return p && !zeroed ? memset(p, 0, bytes) : p;
}

void *hak_aligned_alloc(size_t alignment, size_t size)
{
	hak_init();
	unsigned bin = hak_bin_aligned(size, alignment);
	struct hak_request r = { .size = size, .alignment = alignment, .bin = bin };
	bool any_block_fits = alignment <= HAK_CACHE_LINE || hak_class_map.geometry[bin].colours == 1;
	struct hak_bin *b = &hak_thread.bins[bin];
	if (bin && any_block_fits) {
		if (HAK_LIKELY(--b->allocs_left >= 0)) {
			return hak_bin_pop(b);
		}
		if (hak_bin_is_guarded(&b->allocs_left)) {
			return hak_secure_pop(b, size);
		}
	}
	return serve(&r, NULL);
}

/* The bin of a live block, sampled ones too; 0: large, whose record is stored. */
static unsigned bin_of_block(const void *p, struct hak_large **large, enum hak_use use)
{
	if (hak_region_owns(p)) {
		unsigned bin = hak_region.map[hak_unit_of(p)].bin;
		if (bin) {
			if (HAK_LIKELY(!hak_options.secure)) { /* which has seen the trailer */
				check(p, bin, use);
			}
			return bin;
		}
		struct hak_span *slab = hak_slab_of(p);
		if (slab) {
			return slab->bin;
		}
	}
	*large = hak_large_of(p);
	if (!*large) {
		hak_refuse(p, use);
	}
	return 0;
}

size_t hak_usable_size(const void *p)
{
	struct hak_large *large = NULL;
	if (!p) {
		return 0;
	}
	if (HAK_UNLIKELY(hak_options.secure)) {
		return hak_secure_requested(p, HAK_USE_SIZE);
	}
	unsigned bin = bin_of_block(p, &large, HAK_USE_SIZE);
	return large ? large->usable : hak_class_map.geometry[bin].block;
}

static void free_flagged(void *p, unsigned flags)
{
	struct hak_heap *heap = hak_thread.heap;
	if (heap && (heap->want & HAK_TRACE_EVERY_OP)) {
		hak_free_slow(p, flags);
	} else {
		hak_free(p);
	}
}

static void *move(void *p, size_t usable, size_t size)
{
	void *fresh = hak_malloc_from(size, hak_bin_of(size), HAK_OP_RESIZE);
	if (fresh) {
		memcpy(fresh, p, usable < size ? usable : size);
		free_flagged(p, HAK_OP_RESIZE);
	}
	return fresh;
}

HAK_INLINE bool is_traced(void)
{
	const struct hak_heap *heap = hak_thread.heap;
	return heap && heap->want;
}

/*
 * A block keeps its place while at least half of it is used, or while a new one would be no
 * smaller; small ones always.
 */
HAK_INLINE bool fits(unsigned bin, size_t usable, size_t size)
{
	return size <= usable && (size >= usable / 2 || usable <= HAK_CACHE_LINE ||
				  (size > HAK_WIDE_MAX ? hak_bin_big(size) : hak_bin_of(size)) == bin);
}

/* As far as the class tells; without one, the size is on record. */
static bool is_plausible(const void *p, size_t size, size_t alignment, enum hak_size_rule rule)
{
	struct hak_large *large = NULL;
	if (!hak_region_owns(p) || (!hak_slab_of(p) && !hak_large_of(p))) {
		return true; /* no block of ours: that is for free to say */
	}
	unsigned bin = bin_of_block(p, &large, HAK_USE_FREE);
	if (large) {
		return large->requested == size;
	}
	if (rule == HAK_SIZE_OF_REALLOC) {
		return fits(bin, hak_class_map.geometry[bin].block, size); /* not in secure mode */
	}
	return bin == hak_bin_aligned(size, alignment ? alignment : 1);
}

HAK_SELDOM void hak_check_size(const void *p, size_t size, size_t alignment, enum hak_size_rule rule)
{
	if (!p) {
		return;
	}
	bool is_right = hak_options.secure ? hak_secure_requested(p, HAK_USE_FREE) == size
					   : is_plausible(p, size, alignment, rule);
	if (!is_right) {
		hak_panic("wrong size in sized free", p);
	}
	if (alignment && ((uintptr_t)p & (alignment - 1))) {
		hak_panic("wrong alignment in sized free", p);
	}
}

static void *resize_large(void *p, const struct hak_large *large, size_t size)
{
	size_t usable = large->usable;
	if (hak_bin_of(size) == 0 && hak_bin_big(size) == 0) {
		void *resized = hak_large_resize(p, size);
		if (resized) {
			hak_note_resize(resized, size, p, usable);
			if (hak_options.secure) {
				hak_secure_resize(resized, size);
			}
			return resized;
		}
	}
	return move(p, hak_options.secure ? large->requested : usable, size);
}

/* A block of a class, which has been checked, to a size above 0: it holds `held` bytes and has room for
 * `room`. */
HAK_INLINE void *resize_in_class(void *p, unsigned bin, size_t size, size_t held, size_t room)
{
	if (!fits(bin, room, size)) {
		return move(p, held, size);
	}
	if (HAK_UNLIKELY(is_traced())) {
		hak_note_resize(p, size, p, hak_class_map.geometry[bin].block);
	}
	return p;
}

HAK_INLINE void *resize_plain(void *p, unsigned bin, size_t size)
{
	size_t block = hak_class_map.geometry[bin].block;
	return resize_in_class(p, bin, size, block, block);
}

HAK_SELDOM HAK_NOINLINE static void *resize_secure(void *p, size_t size)
{
	struct hak_large *large = NULL;
	size_t requested = hak_secure_requested(p, HAK_USE_REALLOC);
	unsigned bin = bin_of_block(p, &large, HAK_USE_REALLOC);
	if (large) {
		return resize_large(p, large, size);
	}
	void *resized =
		resize_in_class(p, bin, size, requested, hak_class_map.geometry[bin].block - HAK_TRAILER);
	if (resized == p) {
		hak_secure_resize(p, size);
	}
	return resized;
}

/* What is rare: none, absurd, large or sampled. */
HAK_NOINLINE static void *resize_any(void *p, size_t size)
{
	struct hak_large *large = NULL;
	if (size == 0) {
		hak_free(p);
		return NULL;
	}
	if (HAK_UNLIKELY(size > PTRDIFF_MAX)) {
		struct hak_request r = { .size = size, .flags = HAK_OP_RESIZE };
		return hak_serve(&r, NULL); /* which refuses it */
	}
	if (hak_options.secure) {
		return resize_secure(p, size);
	}
	unsigned bin = bin_of_block(p, &large, HAK_USE_REALLOC);
	return large ? resize_large(p, large, size) : resize_plain(p, bin, size);
}

void *hak_resize(void *p, size_t size)
{
	size_t unit = hak_unit_of(p);
	unsigned bin = unit < hak_region_units() ? hak_region.map[unit].bin : 0;
	if (HAK_UNLIKELY(!bin || hak_options.secure || size - 1 >= PTRDIFF_MAX)) {
		return resize_any(p, size);
	}
	check(p, bin, HAK_USE_REALLOC);
	return resize_plain(p, bin, size);
}

int hak_trim(void)
{
	hak_heap_flush();
	return hak_give_back_all() != 0;
}
