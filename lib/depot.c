/* SPDX-License-Identifier: MIT */
/* Treiber stacks with a tag against reuse between a read and its compare-and-swap. */
#include "depot.h"

#include <string.h>

#include "class_map.h"
#include "meta.h"
#include "options.h"
#include "region.h"
#include "slab.h"

/*
 * Magazines are 64-byte aligned records of the metadata allocator and lie below 2^48: 42
 * bits name one, 22 count the changes of a stack's head.
 */
enum { ALIGN_LOG2 = 6, ADDRESS_BITS = 42 };
#define ADDRESS_MASK (((uint64_t)1 << ADDRESS_BITS) - 1)

static const uint16_t capacities[HAK_MAGAZINE_STEPS] = { 14, 30, 62, 126, HAK_MAGAZINE_MAX };

struct stack {
	_Atomic(uint64_t) head;
};

struct depot {
	struct stack full;
	_Atomic(int64_t) blocks;
	_Atomic(int64_t) low; /* fewest blocks since the last trim */
} HAK_ALIGNED(HAK_CACHE_LINE);

static struct depot depots[HAK_BINS];
static _Atomic(int64_t) HAK_ALIGNED(HAK_CACHE_LINE) depot_bytes;
static struct stack HAK_ALIGNED(HAK_CACHE_LINE) empties[HAK_MAGAZINE_STEPS];

static struct hak_magazine *unpack(uint64_t head)
{
	return (struct hak_magazine *)(uintptr_t)((head & ADDRESS_MASK) << ALIGN_LOG2);
}

static uint64_t pack(const struct hak_magazine *m, uint64_t former)
{
	uint64_t tag = (former >> ADDRESS_BITS) + 1;
	return (uint64_t)(uintptr_t)m >> ALIGN_LOG2 | tag << ADDRESS_BITS;
}

static void stack_push(struct stack *stack, struct hak_magazine *m)
{
	uint64_t head = atomic_load_explicit(&stack->head, memory_order_relaxed);
	do {
		atomic_store_explicit(&m->next, unpack(head), memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, pack(m, head),
							memory_order_release, memory_order_relaxed));
}

static struct hak_magazine *stack_pop(struct stack *stack)
{
	uint64_t head = atomic_load_explicit(&stack->head, memory_order_acquire);
	struct hak_magazine *m, *next;
	do {
		m = unpack(head);
		if (!m) {
			return NULL;
		}
		/* m may be somebody's by now; then the tag has moved and the exchange fails. */
		next = atomic_load_explicit(&m->next, memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, pack(next, head),
							memory_order_acquire, memory_order_acquire));
	return m;
}

static size_t magazine_bytes(unsigned step)
{
	return sizeof(struct hak_magazine) + capacities[step] * sizeof(void *);
}

struct hak_magazine *hak_magazine_new(unsigned blocks)
{
	unsigned step = 0;
	while (step < HAK_MAGAZINE_STEPS - 1 && capacities[step] < blocks) {
		step++;
	}
	struct hak_magazine *m = stack_pop(&empties[step]);
	if (!m) {
		m = hak_meta_alloc(magazine_bytes(step));
	}
	if (m) {
		m->capacity = capacities[step];
		m->step = (uint16_t)step;
		m->count = 0;
	}
	return m;
}

void hak_magazine_free(struct hak_magazine *magazine)
{
	stack_push(&empties[magazine->step], magazine);
}

/*
 * What all depots together may hold: enough for a program's batches to come and go, and a
 * share of what the heap has grown to. Memory in a depot serves one class only, so depots
 * are trimmed over time and make way before the heap grows.
 */
static int64_t limit(void)
{
	int64_t mapped = (int64_t)(hak_region_units() << HAK_UNIT_LOG2);
	return hak_options.purge_delay_ms == 0 ? 0 : ((int64_t)32 << 20) + mapped / 2;
}

/*
 * A block counts for more than its size: a slab knows it by one bit, a magazine by eight bytes,
 * half of the smallest ones. So counted, magazines are at most 256 KiB and a 256th of the heap.
 */
enum { LISTED = 1024 };

static int64_t bytes_of(unsigned bin, const struct hak_magazine *m)
{
	return (int64_t)m->count * (hak_class_map.geometry[bin].block + LISTED);
}

struct hak_magazine *hak_depot_pop(unsigned bin)
{
	struct depot *d = &depots[bin];
	struct hak_magazine *m = stack_pop(&d->full);
	if (m) {
		atomic_fetch_sub_explicit(&depot_bytes, bytes_of(bin, m), memory_order_relaxed);
		int64_t left =
			atomic_fetch_sub_explicit(&d->blocks, m->count, memory_order_relaxed) - m->count;
		if (left < atomic_load_explicit(&d->low, memory_order_relaxed)) {
			atomic_store_explicit(&d->low, left, memory_order_relaxed);
		}
	}
	return m;
}

static void drain(unsigned bin, struct hak_magazine *magazine)
{
	hak_slab_give(bin, magazine->slots, magazine->count);
	hak_magazine_free(magazine);
}

void hak_depot_push(unsigned bin, struct hak_magazine *magazine)
{
	struct depot *d = &depots[bin];
	int64_t bytes = bytes_of(bin, magazine);
	if (atomic_load_explicit(&depot_bytes, memory_order_relaxed) + bytes > limit()) {
		drain(bin, magazine);
		return;
	}
	atomic_fetch_add_explicit(&depot_bytes, bytes, memory_order_relaxed);
	atomic_fetch_add_explicit(&d->blocks, magazine->count, memory_order_relaxed);
	stack_push(&d->full, magazine);
}

void hak_depot_give(unsigned bin, void *const *blocks, uint32_t n, uint32_t batch)
{
	for (uint32_t some; n; blocks += some, n -= some) {
		some = n < batch ? n : batch;
		struct hak_magazine *m = hak_magazine_new(some);
		if (!m) {
			hak_slab_give(bin, blocks, some);
			continue;
		}
		memcpy(m->slots, blocks, some * sizeof *blocks);
		m->count = some;
		hak_depot_push(bin, m);
	}
}

/* The fewest blocks of the last period were not needed in it (Bonwick's working set). */
void hak_depot_trim(unsigned bin, bool all)
{
	struct depot *d = &depots[bin];
	/* What is there now; others may bring more all the while. */
	int64_t spare = atomic_load_explicit(all ? &d->blocks : &d->low, memory_order_relaxed);
	struct hak_magazine *m;

	while (spare > 0 && (m = hak_depot_pop(bin))) {
		spare -= m->count;
		drain(bin, m);
	}
	atomic_store_explicit(&d->low, atomic_load_explicit(&d->blocks, memory_order_relaxed),
			      memory_order_relaxed);
}

bool hak_depot_make_way(enum hak_depot_share share)
{
	int64_t mapped = (int64_t)(hak_region_units() << HAK_UNIT_LOG2);
	if (atomic_load_explicit(&depot_bytes, memory_order_relaxed) <= mapped / (int64_t)share) {
		return false;
	}
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		if (share != HAK_DEPOT_BEFORE_PAGES || !hak_slab_holds_one(bin)) {
			hak_depot_trim(bin, true);
		}
	}
	return true;
}

uint64_t hak_depot_blocks(unsigned bin)
{
	int64_t blocks = atomic_load_explicit(&depots[bin].blocks, memory_order_relaxed);
	return blocks > 0 ? (uint64_t)blocks : 0;
}
