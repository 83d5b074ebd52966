/* SPDX-License-Identifier: MIT */
/* Taking blocks from slabs and giving them back, in batches. */
#include "slab.h"

#include <string.h>
#include <sys/single_threaded.h>

#include "lock.h"
#include "marks.h"
#include "meta.h"
#include "options.h"
#include "os.h"
#include "page_heap.h"
#include "panic.h"
#include "tell.h"
#include "trace.h"

enum {
	INLINE_BITS = 64,
	SURE_SLABS = 16,
	SURE_BLOCK = 4096,
	LEAST_PURGED = 2, /* pages that are worth a system call */
};

#define PURGE_IDLE_UP_TO ((size_t)64 << 20) /* bytes of heap; beyond, the walk takes too long */

struct slab_class {
	struct hak_lock lock;
	uint32_t lists[HAK_SLAB_KINDS]; /* slabs with room: first unit + 1 */
	uint32_t colour;		/* of the next slab */
	uint64_t slabs;			/* stored atomically: read without the lock, too */
	uint64_t out;			/* likewise */
} HAK_ALIGNED(HAK_CACHE_LINE);

static struct slab_class classes[HAK_BINS];

/* With the lock held. */
static void add(uint64_t *counter, int64_t change)
{
	__atomic_store_n(counter, *counter + (uint64_t)change, __ATOMIC_RELAXED);
}

static void list_add(struct slab_class *c, struct hak_span *slab)
{
	uint32_t unit = hak_span_unit(slab);
	uint32_t *first = &c->lists[slab->slab_kind];

	slab->previous = HAK_NO_UNIT;
	slab->next = *first ? *first - 1 : HAK_NO_UNIT;
	if (slab->next != HAK_NO_UNIT) {
		hak_span_at(slab->next)->previous = unit;
	}
	*first = unit + 1;
	slab->is_listed = 1;
}

static void list_remove(struct slab_class *c, struct hak_span *slab)
{
	if (slab->next != HAK_NO_UNIT) {
		hak_span_at(slab->next)->previous = slab->previous;
	}
	if (slab->previous != HAK_NO_UNIT) {
		hak_span_at(slab->previous)->next = slab->next;
	} else {
		c->lists[slab->slab_kind] = slab->next != HAK_NO_UNIT ? slab->next + 1 : 0;
	}
	slab->is_listed = 0;
}

static const struct hak_geometry *geometry(unsigned bin)
{
	return &hak_class_map.geometry[bin];
}

/*
 * Whether another slab will be used up, so that its pages can be fetched at once, which takes the kernel far
 * less than a fault for each: of a class that has so many that one more is at most a 16th for nothing, and
 * whose blocks are so small that one begins on each page.
 */
static bool is_sure(const struct slab_class *c, unsigned bin)
{
	return c->slabs >= SURE_SLABS && geometry(bin)->block <= SURE_BLOCK;
}

static size_t bitmap_bytes(unsigned bin)
{
	return (geometry(bin)->capacity + 63) / 64 * sizeof(uint64_t);
}

/* Where returned blocks are marked. */
HAK_INLINE uint64_t *bitmap(struct hak_span *slab, const struct hak_geometry *g)
{
	return g->capacity <= INLINE_BITS ? &slab->slab.few_bits : slab->slab.bits;
}

static void *block_at(const struct hak_span *slab, uint32_t number)
{
	return (char *)hak_span_start(slab) + slab->slab.colour + (size_t)number * geometry(slab->bin)->block;
}

uint32_t hak_slab_block(const struct hak_span *slab, const void *p)
{
	const struct hak_geometry *g = geometry(slab->bin);
	uintptr_t first = (uintptr_t)hak_span_start(slab) + slab->slab.colour;
	uintptr_t offset = (uintptr_t)p - first;

	if ((uintptr_t)p < first || offset >= (uintptr_t)g->block * g->capacity) {
		return UINT32_MAX;
	}
	uint32_t distance = (uint32_t)offset;
	uint32_t number = hak_block_number(g, distance);
	return number * g->block == distance && number < HAK_RACY_READ(slab->slab.fresh) ? number
											 : UINT32_MAX;
}

struct hak_span *hak_slab_of(const void *p)
{
	size_t unit = hak_unit_of(p);
	size_t head = hak_span_at(unit)->head;
	struct hak_span *slab = hak_span_at(head);
	size_t distance = unit - head;
	return hak_span_kind_of(slab) == HAK_SPAN_SLAB && distance < slab->units ? slab : NULL;
}

/*
 * A span with its bitmap: a free that found no memory for one would have to lose the block. fetch: NULL for
 * one that may not be used up.
 */
static struct hak_span *span_with_bits(unsigned bin, enum hak_growth growth, bool *zeroed,
				       struct hak_pages *fetch)
{
	const struct hak_geometry *g = geometry(bin);
	bool many = g->capacity > INLINE_BITS;
	uint64_t *bits = many ? hak_meta_alloc(bitmap_bytes(bin)) : NULL;
	struct hak_span *span = NULL;
	if (bits || !many) {
		span = fetch ? hak_span_alloc_sure(g->slab_units, growth, zeroed, fetch)
			     : hak_span_alloc(g->slab_units, 1, growth, zeroed);
	}
	if (span) {
		memset(&span->slab, 0, sizeof span->slab);
		span->slab.bits = bits;
	} else if (bits) {
		hak_meta_free(bits, bitmap_bytes(bin));
	}
	return span;
}

/* Those on which it has blocks. */
static struct hak_pages pages_of(const struct hak_span *slab)
{
	char *start = hak_span_start(slab), *end = block_at(slab, geometry(slab->bin)->capacity);
	return (struct hak_pages) { start, hak_os_whole_pages((size_t)(end - start)) };
}

/* A new slab with its units in the map, or NULL. *fetch, none yet: what is to be fetched without the lock. */
static struct hak_span *slab_new(struct slab_class *c, unsigned bin, enum hak_slab_kind kind,
				 enum hak_growth growth, struct hak_pages *fetch)
{
	const struct hak_geometry *g = geometry(bin);
	bool sure = is_sure(c, bin), zeroed;
	struct hak_span *slab = span_with_bits(bin, growth, &zeroed, sure ? fetch : NULL);
	if (!slab) {
		return NULL;
	}
	uint32_t unit = hak_span_unit(slab);
	for (uint32_t i = 1; i < g->slab_units; i++) {
		hak_span_at(unit + i)->head = unit;
	}
	slab->slab_kind = (uint8_t)kind;
	slab->bin = (uint8_t)bin;
	slab->is_bare = zeroed && !sure;
	if (kind == HAK_SLAB_PLAIN) {
		slab->slab.colour = c->colour % g->colours * HAK_CACHE_LINE;
		c->colour++;
	}
	if (zeroed && sure) {
		*fetch = pages_of(slab);
	}
	hak_span_set_kind(slab, HAK_SPAN_SLAB);
	for (uint32_t i = 0; i < g->slab_units; i++) {
		hak_region.map[unit + i] = (struct hak_unit) {
			.first = (unit << HAK_UNIT_LOG2) + slab->slab.colour,
			.bin = kind == HAK_SLAB_SAMPLED ? 0 : (uint8_t)bin,
		};
	}
	add(&c->slabs, 1);
	list_add(c, slab);
	return slab;
}

/* Up to n returned blocks, lowest first. */
static unsigned take_returned(struct hak_span *slab, void **end, unsigned n)
{
	uint64_t *bits = bitmap(slab, geometry(slab->bin));
	unsigned taken = 0;

	for (uint32_t word = 0; taken < n && slab->slab.returned; word++) {
		while (bits[word] && taken < n) {
			uint32_t bit = (uint32_t)__builtin_ctzll(bits[word]);
			bits[word] &= bits[word] - 1;
			slab->slab.returned--;
			*--end = block_at(slab, word * 64 + bit);
			taken++;
		}
	}
	return taken;
}

static unsigned take_fresh(struct hak_span *slab, void **end, unsigned n)
{
	uint32_t left = geometry(slab->bin)->capacity - slab->slab.fresh;
	unsigned taken = n < left ? n : left;

	for (unsigned i = 0; i < taken; i++) {
		char *block = block_at(slab, slab->slab.fresh + i);
		if (hak_options.secure) {
			hak_mark_free(block, geometry(slab->bin)->block - HAK_TRAILER, hak_mark_of(block));
		}
		*--end = block;
	}
	__atomic_store_n(&slab->slab.fresh, slab->slab.fresh + taken, __ATOMIC_RELAXED);
	return taken;
}

unsigned hak_slab_take(unsigned bin, enum hak_slab_kind kind, enum hak_growth growth, void **out, unsigned n)
{
	struct slab_class *c = &classes[bin];
	struct hak_span *acquired = NULL;
	struct hak_pages fetch = { NULL, 0 };
	unsigned taken = 0;

	hak_lock_take(&c->lock);
	while (taken < n) {
		struct hak_span *slab = c->lists[kind] ? hak_span_at(c->lists[kind] - 1) : NULL;
		if (!slab) {
			/* One new slab a call: what it holds is enough, and the tracer hears of it below. */
			if (acquired || !(slab = acquired = slab_new(c, bin, kind, growth, &fetch))) {
				break;
			}
		}
		unsigned some = take_returned(slab, out + n - taken, n - taken);
		some += take_fresh(slab, out + n - taken - some, n - taken - some);
		slab->slab.out += some;
		slab->rest = HAK_SLAB_IN_USE;
		taken += some;
		if (slab->slab.returned == 0 && slab->slab.fresh == geometry(bin)->capacity) {
			list_remove(c, slab);
		}
	}
	add(&c->out, taken);
	hak_lock_drop(&c->lock);
	if (taken < n) {
		memmove(out, out + n - taken, taken * sizeof *out);
	}
	if (acquired) {
		if (fetch.bytes != 0) {
			hak_os_populate(fetch.start, fetch.bytes);
		}
		hak_tell_superslabs();
		hak_trace_change(HAK_CHANGE_SLAB_ACQUIRE, hak_span_start(acquired),
				 (uint64_t)geometry(bin)->slab_units << HAK_UNIT_LOG2, bin - 1);
	}
	return taken;
}

/* Ends the process. Not with the lock held: a tracer is told first, and it may allocate. */
HAK_COLD static void refuse(struct slab_class *c, const char *what, const void *block)
{
	hak_lock_drop(&c->lock);
	hak_panic(what, block);
}

/*
 * The slab that blocks are being given back to. A batch holds blocks of few slabs, so what is known of one
 * is kept from block to block, and its counts are settled when another one's turn comes.
 */
struct receiver {
	struct hak_span *slab; /* NULL: none yet */
	uint64_t *bits;
	uintptr_t first; /* its first block */
	uint32_t extent; /* bytes from there in which blocks were handed out */
	uint32_t given;
};

/* Marks one block of the receiver's slab as free. NULL, or what is wrong with it. */
HAK_INLINE const char *receive(struct receiver *r, const struct hak_geometry *g, const void *block)
{
	uint32_t distance = (uint32_t)((uintptr_t)block - r->first);
	uint32_t number = hak_block_number(g, distance);
	uint64_t bit = (uint64_t)1 << (number % 64);

	if (HAK_UNLIKELY(number * g->block != distance)) {
		return "free of a pointer to no block";
	}
	if (HAK_UNLIKELY(r->bits[number / 64] & bit)) {
		return "double free";
	}
	r->bits[number / 64] |= bit;
	r->given++;
	return NULL;
}

HAK_INLINE bool is_in(const struct receiver *r, const void *block)
{
	return (uintptr_t)block - r->first < r->extent;
}

/* With the lock held: takes an empty slab out of sight. */
static void detach(struct slab_class *c, struct hak_span *slab)
{
	list_remove(c, slab);
	add(&c->slabs, -1);
	hak_span_set_kind(slab, HAK_SPAN_BUSY);
	for (uint32_t i = 0; i < slab->units; i++) {
		hak_region.map[hak_span_unit(slab) + i].bin = 0;
	}
}

/* The last slab with room stays, unless it is one block: the page heap keeps that as well. */
static bool may_go(const struct hak_span *slab)
{
	bool is_last = slab->next == HAK_NO_UNIT && slab->previous == HAK_NO_UNIT &&
		       slab->slab_kind == HAK_SLAB_PLAIN;
	return geometry(slab->bin)->capacity == 1 || !is_last;
}

/* With the lock held: counts what the slab got. One that is empty now goes out of sight, before *empty. */
HAK_INLINE void settle(struct slab_class *c, const struct receiver *r, uint32_t *empty)
{
	struct hak_span *slab = r->slab;
	if (!slab) {
		return;
	}
	slab->slab.returned += r->given;
	slab->slab.out -= r->given;
	slab->rest = HAK_SLAB_IN_USE;
	if (!slab->is_listed) {
		list_add(c, slab);
	}
	if (HAK_UNLIKELY(slab->slab.out == 0) && may_go(slab)) {
		detach(c, slab);
		slab->next = *empty;
		*empty = hak_span_unit(slab);
	}
}

/* What full tracing kept of its units holds no longer. */
static void forget_traced(const struct hak_span *slab)
{
	struct hak_traced_unit *t = &hak_region.traced[hak_span_unit(slab)];
	for (uint32_t i = 0; i < slab->units; i++) {
		__atomic_store_n(&t[i].generation, 0, __ATOMIC_RELAXED);
	}
}

/* Whoever gets the span is not to read marks. */
static void clear_marks(const struct hak_span *slab)
{
	size_t limit = geometry(slab->bin)->block - HAK_TRAILER;
	for (uint32_t i = 0; i < slab->slab.fresh; i++) {
		hak_clear_free(block_at(slab, i), limit);
	}
}

/* Without it. */
static void release(struct hak_span *slab)
{
	unsigned bin = slab->bin;
	void *beside = slab->slab.beside;

	hak_trace_change(HAK_CHANGE_SLAB_RELEASE, hak_span_start(slab), hak_span_bytes(slab), bin - 1);
	if (geometry(bin)->capacity > INLINE_BITS) {
		hak_meta_free(slab->slab.bits, bitmap_bytes(bin));
	}
	if (beside) {
		forget_traced(slab);
		hak_meta_free(beside, hak_slab_beside_bytes(slab->slab_kind, bin));
	}
	if (hak_options.secure) {
		clear_marks(slab);
	}
	hak_span_free(slab, HAK_SPAN_DIRTY);
}

/* Of a block that is in no plain slab of the bin: a sampled one, or none. */
HAK_NOINLINE static struct hak_span *odd_slab(struct slab_class *c, unsigned bin, const void *block)
{
	struct hak_span *slab = hak_slab_of(block);
	if (!slab || slab->bin != bin) {
		refuse(c, "free of a pointer to no block", block);
	}
	return slab;
}

/*
 * The slab that the block, which the one before did not hold, is in. The map says all that is needed,
 * and for blocks that are scattered this is most of the work.
 */
HAK_INLINE void receive_in(struct receiver *r, struct slab_class *c, unsigned bin, const void *block)
{
	const struct hak_geometry *g = geometry(bin);
	size_t unit = hak_unit_of(block);
	struct hak_span *slab;
	if (HAK_LIKELY(unit < hak_region_units() && hak_region.map[unit].bin == bin)) {
		slab = hak_span_at(hak_span_at(unit)->head);
		uint32_t offset = (uint32_t)((uintptr_t)block - hak_region.base);
		r->first = (uintptr_t)block - (uint32_t)(offset - hak_region.map[unit].first);
	} else {
		slab = odd_slab(c, bin, block);
		r->first = (uintptr_t)hak_span_start(slab) + slab->slab.colour;
	}
	r->slab = slab;
	r->bits = bitmap(slab, g);
	r->extent = slab->slab.fresh * g->block;
	r->given = 0;
	if (HAK_UNLIKELY(!is_in(r, block))) {
		refuse(c, "free of a pointer to no block", block);
	}
}

/* With the lock held. The slabs that became empty, linked by unit. */
static uint32_t give_all(struct slab_class *c, unsigned bin, void *const *blocks, unsigned n)
{
	const struct hak_geometry *g = geometry(bin);
	struct receiver r = { 0 };
	uint32_t empty = HAK_NO_UNIT;

	for (unsigned i = 0; i < n; i++) {
		if (i == 0 || !is_in(&r, blocks[i])) {
			settle(c, &r, &empty);
			receive_in(&r, c, bin, blocks[i]);
		}
		const char *wrong = receive(&r, g, blocks[i]);
		if (HAK_UNLIKELY(wrong != NULL)) {
			refuse(c, wrong, blocks[i]);
		}
	}
	settle(c, &r, &empty);
	add(&c->out, -(int64_t)n);
	return empty;
}

void hak_slab_give(unsigned bin, void *const *blocks, unsigned n)
{
	struct slab_class *c = &classes[bin];

	hak_lock_take(&c->lock);
	uint32_t empty = give_all(c, bin, blocks, n);
	hak_lock_drop(&c->lock);
	while (empty != HAK_NO_UNIT) {
		struct hak_span *slab = hak_span_at(empty);
		empty = slab->next;
		release(slab);
	}
}

/* --- free pages of slabs in use ------------------------------------------------------- */

/* The first block from `number` on that is free, or is not; `fresh` where there is none. */
static uint32_t next_block(struct hak_span *slab, uint32_t number, bool is_free)
{
	const uint64_t *bits = bitmap(slab, geometry(slab->bin));
	uint32_t fresh = slab->slab.fresh;
	while (number < fresh) {
		uint64_t word = (is_free ? bits[number / 64] : ~bits[number / 64]) >> number % 64;
		if (word) {
			number += (uint32_t)__builtin_ctzll(word);
			break;
		}
		number = (number | 63) + 1;
	}
	return number < fresh ? number : fresh;
}

/* Gives back the pages that lie whole in [from, end), if they are worth a system call. */
static uint64_t purge_bytes(uintptr_t from, uintptr_t end)
{
	uintptr_t page = hak_os_page_size();
	from = (from + page - 1) & ~(page - 1);
	end &= ~(page - 1);
	bool given = end > from && end - from >= LEAST_PURGED * page &&
		     hak_os_purge((void *)from, end - from) == 0;
	return given ? end - from : 0;
}

/* With its class's lock held: of a slab that nobody uses. */
static uint64_t purge_slab(struct hak_span *slab)
{
	uint32_t fresh = slab->slab.fresh, used, next = next_block(slab, 0, true);
	uintptr_t start = (uintptr_t)hak_span_start(slab), end = start + hak_span_bytes(slab);
	uint64_t given = 0;

	if (slab->is_bare) {
		end = start + hak_os_whole_pages((uintptr_t)block_at(slab, fresh) - start);
	}
	do {
		used = next_block(slab, next, false);
		given += purge_bytes(next ? (uintptr_t)block_at(slab, next) : start,
				     used < fresh ? (uintptr_t)block_at(slab, used) : end);
		next = next_block(slab, used, true);
	} while (used < fresh);
	slab->is_bare = true;
	return given;
}

static uint64_t rest(struct hak_span *slab)
{
	if (slab->rest == HAK_SLAB_PURGED || hak_region_is_for_huge_pages(hak_span_start(slab))) {
		return 0;
	}
	slab->rest++;
	return slab->rest == HAK_SLAB_PURGED ? purge_slab(slab) : 0;
}

uint64_t hak_slab_purge_idle(void)
{
	uint64_t given = 0;
	bool may_purge = hak_options.purge_delay_ms >= 0 && !hak_options.secure && __libc_single_threaded;
	if (!may_purge || hak_region_units() << HAK_UNIT_LOG2 > PURGE_IDLE_UP_TO) {
		return 0;
	}
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		struct slab_class *c = &classes[bin];
		hak_lock_take(&c->lock);
		for (unsigned kind = 0; kind < HAK_SLAB_KINDS; kind++) {
			uint32_t unit = c->lists[kind] ? c->lists[kind] - 1 : HAK_NO_UNIT;
			for (; unit != HAK_NO_UNIT; unit = hak_span_at(unit)->next) {
				given += rest(hak_span_at(unit));
			}
		}
		hak_lock_drop(&c->lock);
	}
	return given;
}

size_t hak_slab_beside_bytes(enum hak_slab_kind kind, unsigned bin)
{
	uint32_t blocks = geometry(bin)->capacity;
	if (kind == HAK_SLAB_SAMPLED) {
		return blocks * sizeof(struct hak_trace_sample);
	}
	return sizeof(struct hak_beside) +
	       (hak_slab_holds_one(bin) ? sizeof(uint32_t) : blocks * sizeof(uint16_t));
}

void *hak_slab_beside(struct hak_span *slab, bool make)
{
	void *beside = atomic_load_explicit(&slab->slab.beside, memory_order_acquire);
	if (beside || !make) {
		return beside;
	}
	size_t bytes = hak_slab_beside_bytes(slab->slab_kind, slab->bin);
	void *fresh = hak_meta_alloc(bytes);
	if (fresh && !atomic_compare_exchange_strong(&slab->slab.beside, &beside, fresh)) {
		hak_meta_free(fresh, bytes);
		return beside;
	}
	return fresh;
}

void hak_slab_stats(unsigned bin, struct hak_slab_stats *out)
{
	const struct slab_class *c = &classes[bin];
	out->slabs = HAK_RACY_READ(c->slabs);
	out->bytes = out->slabs * geometry(bin)->slab_units << HAK_UNIT_LOG2;
	out->out = HAK_RACY_READ(c->out);
}

void hak_slab_fork_lock(void)
{
	for (unsigned i = 0; i < HAK_BINS; i++) {
		hak_lock_take(&classes[i].lock);
	}
}

void hak_slab_fork_unlock(int in_child)
{
	for (unsigned i = HAK_BINS; i-- > 0;) {
		if (in_child) {
			hak_lock_reset(&classes[i].lock);
		} else {
			hak_lock_drop(&classes[i].lock);
		}
	}
}
