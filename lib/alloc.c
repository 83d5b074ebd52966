/* SPDX-License-Identifier: MIT */
/* The slow halves of malloc and free, and the rest of the family on top of them. */
#include "alloc.h"

#include <errno.h>
#include <string.h>

#include "full.h"
#include "large.h"
#include "panic.h"
#include "serve.h"
#include "slab.h"
#include "tick.h"
#include "trace.h"

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
	return hak_serve(&r, NULL);
}

HAK_NOINLINE void *hak_malloc_slow(size_t size, unsigned bin, unsigned flags)
{
	if (bin == 0) {
		return malloc_unbinned(size, flags);
	}
	struct hak_heap *heap = hak_thread.heap;
	if (HAK_LIKELY(heap && hak_heap_rearm_for_malloc(heap, bin))) {
		hak_thread.bins[bin].allocs_left--;
		return *--hak_thread.bins[bin].top;
	}
	if (HAK_UNLIKELY(hak_full_is_on(heap))) {
		void *p = hak_full_alloc(heap, size, bin, flags);
		if (HAK_LIKELY(p != NULL)) {
			return p;
		}
	}
	struct hak_request r = { .size = size, .bin = bin, .flags = flags };
	return hak_serve(&r, NULL);
}

HAK_NOINLINE void hak_free_slow(void *p, unsigned flags)
{
	struct hak_heap *heap = hak_thread.heap;
	if (!p) {
		return;
	}
	unsigned bin = hak_region_owns(p) ? hak_region.bins[hak_unit_of(p)] : 0;
	if (HAK_LIKELY(heap && bin)) {
		if (HAK_LIKELY(hak_heap_rearm_for_free(heap, bin))) {
			hak_thread.bins[bin].frees_left--;
			*hak_thread.bins[bin].top++ = p;
			return;
		}
		if (hak_full_is_on(heap) && hak_full_free(heap, p, bin, flags)) {
			return;
		}
	}
	hak_take_back(p, flags);
}

void *hak_calloc(size_t n, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
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
	void *p = hak_serve(&r, &zeroed);
	return p && !zeroed ? memset(p, 0, bytes) : p;
}

void *hak_aligned_alloc(size_t alignment, size_t size)
{
	hak_init();
	unsigned bin = hak_bin_aligned(size, alignment);
	struct hak_request r = { .size = size, .alignment = alignment, .bin = bin };
	bool any_block_fits = alignment <= HAK_CACHE_LINE || hak_class_map.geometry[bin].colours == 1;
	struct hak_bin *b = &hak_thread.bins[bin];
	if (bin && any_block_fits && --b->allocs_left >= 0) {
		return *--b->top;
	}
	return hak_serve(&r, NULL);
}

/* The bin of a live block, sampled ones too; 0: large, whose record is stored. */
static unsigned bin_of_block(const void *p, struct hak_large **large)
{
	if (hak_region_owns(p)) {
		unsigned bin = hak_region.bins[hak_unit_of(p)];
		if (bin) {
			return bin;
		}
		struct hak_span *slab = hak_slab_of(p);
		if (slab) {
			return slab->bin;
		}
	}
	*large = hak_large_of(p);
	if (!*large) {
		hak_panic("a pointer to no block", p);
	}
	return 0;
}

size_t hak_usable_size(const void *p)
{
	struct hak_large *large = NULL;
	if (!p) {
		return 0;
	}
	unsigned bin = bin_of_block(p, &large);
	return bin ? hak_class_map.geometry[bin].block : large->usable;
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

static bool is_traced(void)
{
	const struct hak_heap *heap = hak_thread.heap;
	return heap && heap->want;
}

/* A block keeps its place while at least half of it is used; small ones always. */
static bool fits(size_t usable, size_t size)
{
	return size <= usable && (size >= usable / 2 || usable <= HAK_CACHE_LINE);
}

static void *resize_large(void *p, const struct hak_large *large, size_t size)
{
	size_t usable = large->usable;
	if (hak_bin_of(size) == 0 && hak_bin_big(size) == 0) {
		void *resized = hak_large_resize(p, size);
		if (resized) {
			hak_note_resize(resized, size);
			return resized;
		}
	}
	return move(p, usable, size);
}

void *hak_realloc(void *p, size_t size)
{
	struct hak_large *large = NULL;
	if (!p) {
		return hak_malloc(size);
	}
	if (size == 0) {
		hak_free(p);
		return NULL;
	}
	if (HAK_UNLIKELY(size > PTRDIFF_MAX)) {
		errno = ENOMEM;
		return NULL;
	}
	unsigned bin = bin_of_block(p, &large);
	if (bin == 0) {
		return resize_large(p, large, size);
	}
	size_t usable = hak_class_map.geometry[bin].block;
	if (!fits(usable, size)) {
		return move(p, usable, size);
	}
	if (HAK_UNLIKELY(is_traced())) {
		hak_note_resize(p, size);
	}
	return p;
}

int hak_trim(void)
{
	hak_heap_flush();
	return hak_give_back_all() != 0;
}
