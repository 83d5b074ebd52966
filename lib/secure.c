/* SPDX-License-Identifier: MIT */
/* Checks, their words, and the choice of blocks in secure mode. */
#include "secure.h"

#include <string.h>

#include "large.h"
#include "marks.h"
#include "options.h"
#include "panic.h"
#include "random.h"
#include "slab.h"

/* --- refusals --------------------------------------------------------------------------- */

enum fault { UNKNOWN, INSIDE, TWICE, FAULTS };

HAK_COLD HAK_NOINLINE _Noreturn static void refuse(const void *p, enum fault fault, enum hak_use use)
{
	static const char *const words[FAULTS][3] = {
		[UNKNOWN] = { "free of a pointer to no block", "realloc of a pointer to no block",
			      "size asked of a pointer to no block" },
		[INSIDE] = { "free of a pointer inside a block", "realloc of a pointer inside a block",
			     "size asked of a pointer inside a block" },
		[TWICE] = { "double free", "realloc of a freed block", "size asked of a freed block" },
	};
	hak_panic(words[fault][use], p);
}

HAK_COLD HAK_NOINLINE _Noreturn static void refuse_overrun(const void *p)
{
	hak_panic("write behind the end of a block", p);
}

/* A pointer into the slab that is not followed by the trailer of a live block. */
HAK_COLD HAK_NOINLINE _Noreturn static void refuse_in_slab(const struct hak_span *slab, const char *p,
							   enum hak_use use)
{
	size_t block = hak_class_map.geometry[slab->bin].block;
	const char *first = (const char *)hak_span_start(slab) + slab->slab.colour;
	if (p < first || (size_t)(p - first) / block >= slab->slab.fresh) {
		refuse(p, UNKNOWN, use);
	}
	if ((size_t)(p - first) % block) {
		refuse(p, INSIDE, use);
	}
	if (!hak_options.secure || hak_is_trailer_free(p, block - HAK_TRAILER, hak_mark_of(p))) {
		refuse(p, TWICE, use);
	}
	refuse_overrun(p);
}

HAK_COLD HAK_NOINLINE void hak_refuse(const void *p, enum hak_use use)
{
	bool is_ours = hak_region_owns(p);
	struct hak_span *slab = is_ours ? hak_slab_of(p) : NULL;
	if (slab) {
		refuse_in_slab(slab, p, use);
	}
	bool is_inside = is_ours && hak_span_kind_of(hak_span_at(hak_unit_of(p))) == HAK_SPAN_LARGE;
	refuse(p, is_inside ? INSIDE : UNKNOWN, use);
}

HAK_COLD HAK_NOINLINE void hak_refuse_free(const void *p)
{
	hak_refuse(p, HAK_USE_FREE);
}

HAK_COLD HAK_NOINLINE void *hak_refuse_reuse(const char *p, size_t limit)
{
	bool is_live = hak_size_marked(p, limit, hak_mark_of(p)) <= limit;
	hak_panic(is_live ? "double free" : "write to a freed block", p);
}

static inline size_t limit_of(unsigned bin)
{
	return hak_class_map.geometry[bin].block - HAK_TRAILER;
}

/* The bin of the slab that holds `p`, sampled ones too; 0 when it is in none. */
static unsigned bin_of(const void *p)
{
	if (!hak_region_owns(p)) {
		return 0;
	}
	unsigned bin = hak_region.map[hak_unit_of(p)].bin;
	struct hak_span *slab = bin ? NULL : hak_slab_of(p);
	return slab ? slab->bin : bin;
}

/* --- large blocks ----------------------------------------------------------------------- */

/* Marks fill what is left of the last page, up to a word. */
static size_t marked_bytes(const struct hak_large *l)
{
	size_t slack = l->usable - l->requested;
	return slack < HAK_TRAILER ? slack : HAK_TRAILER;
}

static struct hak_large *live_large(const void *p, enum hak_use use)
{
	struct hak_large *l = hak_large_of(p);
	uint64_t mark = hak_mark_of(p);
	if (!l) {
		hak_refuse(p, use);
	}
	if (memcmp((const char *)p + l->requested, &mark, marked_bytes(l)) != 0) {
		refuse_overrun(p);
	}
	return l;
}

static void mark_large(void *p)
{
	struct hak_large *l = hak_large_of(p);
	uint64_t mark = hak_mark_of(p);
	memcpy((char *)p + l->requested, &mark, marked_bytes(l));
}

/* --- operations ------------------------------------------------------------------------- */

void *hak_secure_serve(const struct hak_request *r, bool *zeroed)
{
	char *p = hak_serve(r, zeroed);
	unsigned bin = p ? bin_of(p) : 0;
	if (bin) {
		hak_secure_issue(p, r->size, limit_of(bin));
	} else if (p) {
		mark_large(p);
	}
	return p;
}

/* A random one of the blocks freed last comes to the top. */
static void stir(struct hak_heap *heap, unsigned bin)
{
	enum { REACH = 16 };
	void **top = heap->bins[bin].top - 1;
	uint32_t depth = hak_heap_depth(heap, bin);
	uint32_t among = depth < REACH ? depth : REACH;
	void **chosen = top - hak_random_below(&heap->random, among);
	void *p = *chosen;
	hak_heap_set_busy(heap, true); /* a fork must not see the one twice and the other nowhere */
	*chosen = *top;
	*top = p;
	hak_heap_set_busy(heap, false);
}

void *hak_secure_malloc(size_t size, struct hak_bin *b, unsigned flags)
{
	struct hak_heap *heap = hak_thread.heap;
	unsigned bin = (unsigned)(b - hak_thread.bins);
	if (bin == 0) { /* above the tables of the fast path */
		b->allocs_left = 0;
		bin = size > HAK_WIDE_MAX ? hak_bin_big(size) : 0;
		b = &hak_thread.bins[bin];
		if (bin && --b->allocs_left < 0 && hak_bin_is_guarded(&b->allocs_left)) {
			return hak_secure_pop(b, size);
		}
	}
	if (HAK_LIKELY(bin && heap && hak_heap_rearm(heap, bin))) {
		stir(heap, bin);
		b->allocs_left--;
		return hak_secure_pop(b, size);
	}
	struct hak_request r = { .size = size, .bin = bin, .flags = flags };
	return hak_secure_serve(&r, NULL);
}

static void withdraw(void *p, unsigned bin)
{
	if (!hak_secure_withdraw(p, limit_of(bin), hak_mark_of(p))) {
		hak_refuse_free(p);
	}
}

/* Large and sampled blocks, and what is not ours. */
HAK_NOINLINE static void free_other(void *p, unsigned flags)
{
	unsigned bin = bin_of(p);
	if (bin) {
		withdraw(p, bin);
	} else {
		live_large(p, HAK_USE_FREE);
	}
	hak_take_back(p, flags);
}

void hak_secure_free(void *p, unsigned flags)
{
	unsigned bin = hak_region_owns(p) ? hak_region.map[hak_unit_of(p)].bin : 0;
	if (bin) {
		withdraw(p, bin);
		hak_take_back(p, flags);
	} else {
		free_other(p, flags);
	}
}

size_t hak_secure_requested(const void *p, enum hak_use use)
{
	unsigned bin = bin_of(p);
	if (bin == 0) {
		return live_large(p, use)->requested;
	}
	size_t size;
	if (!hak_secure_is_live(p, limit_of(bin), hak_mark_of(p), &size)) {
		hak_refuse(p, use);
	}
	return size;
}

void hak_secure_resize(void *p, size_t size)
{
	unsigned bin = bin_of(p);
	if (bin == 0) {
		mark_large(p);
	} else {
		hak_mark_size(p, limit_of(bin), size, hak_mark_of(p));
	}
}

void hak_secure_correct(void *p, size_t size)
{
	unsigned bin = bin_of(p);
	struct hak_large *l = bin ? NULL : hak_large_of(p);
	if (l) {
		l->requested = size;
	}
	if (l || bin) {
		hak_secure_resize(p, size);
	}
}

void hak_secure_check_freed(void)
{
	const struct hak_heap *heap = hak_thread.heap;
	for (unsigned bin = 1; heap && bin <= hak_class_map.table.count; bin++) {
		for (uint32_t i = hak_heap_depth(heap, bin); i-- > 0;) {
			char *p = heap->caches[bin].stack[i];
			if (!hak_is_marked_free(p, hak_mark_of(p))) {
				hak_refuse_reuse(p, limit_of(bin));
			}
		}
	}
}
