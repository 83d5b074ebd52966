/* SPDX-License-Identifier: MIT */
/* Thread heaps: arming, filling, emptying, and their registry. */
#include "heap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "lock.h"
#include "meta.h"
#include "options.h"
#include "os.h"
#include "random.h"
#include "slab.h"
#include "tick.h"
#include "trace.h"

HAK_THREAD_LOCAL struct hak_thread hak_thread;

enum {
	FIRST_BATCH = 8,
	FIRST_SHARED = 64,	 /* the same where other threads take from the slabs as well */
	FIRST_BYTES = 32 << 10,	 /* a first batch is not larger, but for one block */
	SHARED_BYTES = 64 << 10, /* nor those of all threads together, but for FIRST_BATCH blocks each */
	BATCH_BYTES = 256 << 10, /* nor any other, but for MIN_BATCH blocks */
	MIN_BATCH = 2,
	MIN_RESERVE = 4, /* unless that is more than half a batch */
	SHUFFLED = 4, /* neighbours in secure mode; more would spread over the cache what is used together */
	CACHE_BYTES = 2 << 20, /* all stacks of a thread; one that would exceed it does not grow */
	GUARD = 1,	       /* slots below a stack, empty: free looks at the one below the top */
	GROW_AFTER = 4,	       /* visits of the slow path before the batch doubles */
	GIVEN = 32,	       /* blocks of a stack that go back at a time */
	REST = 64,	       /* more of them where it could not: the long way is four times the short one */
	PATIENCE_MS = 1000,    /* of a reader of the counters, with a thread that stays on a slow path */
};

/*
 * In a fork child: the heap of a thread that is gone, until the child needs memory. Most children execute
 * another program, and each page of the stacks that they touched would be copied for nothing. Where the
 * stacks ended was in the thread's own storage, which the next thread gets.
 */
struct orphan {
	struct orphan *next;
	struct hak_heap *heap;
	uint32_t depth[HAK_BINS];
};

static struct {
	struct hak_lock lock;
	struct hak_heap *heaps;
	_Atomic(struct orphan *) orphans; /* changed with the lock held */
	_Atomic(uint64_t) threads;	  /* changed with the lock held */
	pthread_key_t key;
	bool has_key;
	/* Of threads that are gone, and of operations outside any heap. */
	_Atomic(uint64_t) allocs[HAK_BINS];
	_Atomic(uint64_t) frees[HAK_BINS];
} registry;

/* --- counting ------------------------------------------------------------------------ */

/* Allocations done since the count was armed. */
static uint64_t allocated(const struct hak_cache *cache, const struct hak_bin *b)
{
	return (uint64_t)(cache->allocs_armed - hak_bin_left(b->allocs_left));
}

/* Blocks freed since then, of which so many were allocated: what does not lie on the stack is in use. */
static uint64_t freed(const struct hak_heap *heap, unsigned bin, uint64_t allocs)
{
	const struct hak_cache *cache = &heap->caches[bin];
	int64_t growth = (int64_t)hak_heap_depth(heap, bin) - cache->depth_armed;
	return cache->is_armed ? allocs + (uint64_t)growth : 0;
}

/* With which count so many operations are let pass. */
static int32_t count_of(int32_t left)
{
	return hak_options.secure && left ? HAK_GUARDED + left : left;
}

static intptr_t ceiling_of(const struct hak_cache *cache)
{
	intptr_t end = (intptr_t)(cache->stack + cache->capacity);
	return hak_options.secure ? -end : end;
}

void hak_heap_fold(struct hak_heap *heap, unsigned bin)
{
	struct hak_bin *b = &heap->bins[bin];
	struct hak_cache *cache = &heap->caches[bin];
	uint64_t allocs = allocated(cache, b);

	if (HAK_UNLIKELY(!cache->is_armed)) {
		b->allocs_left = 0;
		return; /* every operation is slow and was counted by itself */
	}
	hak_heap_write_begin(heap);
	cache->allocs += allocs;
	cache->frees += freed(heap, bin, allocs);
	cache->is_armed = false;
	cache->allocs_armed = 0;
	b->allocs_left = 0;
	b->ceiling = 0;
	hak_heap_write_end(heap);
	cache->until_sample -= (int64_t)allocs;
}

void hak_heap_count(struct hak_heap *heap, unsigned bin, unsigned allocs, unsigned frees)
{
	if (!heap) {
		atomic_fetch_add_explicit(&registry.allocs[bin], allocs, memory_order_relaxed);
		atomic_fetch_add_explicit(&registry.frees[bin], frees, memory_order_relaxed);
		return;
	}
	hak_heap_write_begin(heap);
	heap->caches[bin].allocs += allocs;
	heap->caches[bin].frees += frees;
	hak_heap_write_end(heap);
}

void hak_heap_arm(struct hak_heap *heap, unsigned bin)
{
	struct hak_bin *b = &heap->bins[bin];
	struct hak_cache *cache = &heap->caches[bin];
	if (heap->want & HAK_TRACE_EVERY_OP) {
		return; /* folded counts are zero: every operation is slow */
	}
	hak_heap_fold(heap, bin); /* once more: a hook may have used the bin since */
	int64_t depth = hak_heap_depth(heap, bin);
	int64_t allocs = depth;
	if ((heap->want & HAK_TRACE_SAMPLE) && allocs >= cache->until_sample) {
		allocs = cache->until_sample > 0 ? cache->until_sample - 1 : 0;
	}
	hak_heap_write_begin(heap);
	cache->is_armed = cache->stack != NULL;
	cache->allocs_armed = (int32_t)allocs;
	cache->depth_armed = (int32_t)depth;
	b->allocs_left = count_of(cache->allocs_armed);
	b->ceiling = ceiling_of(cache);
	hak_heap_write_end(heap);
}

/* --- stacks -------------------------------------------------------------------------- */

/*
 * A stack has room for two batches and exchanges one with the depot, at its cold end, when
 * fewer than a quarter of a batch is left on it or none is free on it. So at least that many operations
 * pass between two slow paths, whatever the program does, and what was freed last is used first.
 * A program whose need swings by less than a batch and a half meets no other thread: exchanges
 * bring blocks that are in another processor's cache, and so cost more than the slow paths.
 */
bool hak_heap_rearm(struct hak_heap *heap, unsigned bin)
{
	struct hak_bin *b = &heap->bins[bin];
	struct hak_cache *cache = &heap->caches[bin];
	uint32_t depth = hak_heap_depth(heap, bin);
	unsigned want = heap->want;
	if (!cache->is_armed || depth < cache->reserve || HAK_UNLIKELY(hak_trace_want() != want) ||
	    ++cache->visits >= GROW_AFTER) {
		return false;
	}
	uint64_t allocs = allocated(cache, b);
	int32_t armed = (int32_t)depth;
	if (HAK_UNLIKELY(want & HAK_TRACE_SAMPLE)) {
		int64_t until_sample = cache->until_sample - (int64_t)allocs;
		if (until_sample <= 1) {
			return false;
		}
		armed = armed < until_sample ? armed : (int32_t)until_sample - 1;
		cache->until_sample = until_sample;
	}
	hak_heap_write_begin(heap);
	cache->allocs += allocs;
	cache->frees += freed(heap, bin, allocs);
	cache->allocs_armed = armed;
	cache->depth_armed = (int32_t)depth;
	b->allocs_left = count_of(cache->allocs_armed);
	hak_heap_write_end(heap);
	return true;
}

static uint32_t at_most(uint32_t bytes, unsigned bin, uint32_t least, uint32_t most)
{
	uint32_t blocks = bytes / hak_class_map.geometry[bin].block;
	return blocks < least ? least : blocks > most ? most : blocks;
}

static void free_stack(struct hak_cache *cache)
{
	hak_meta_free(cache->stack - GUARD, (cache->capacity + GUARD) * sizeof(void *));
}

static uint32_t reserve_of(uint32_t batch)
{
	uint32_t least = batch < 2 * MIN_RESERVE ? batch / 2 : MIN_RESERVE;
	uint32_t reserve = batch / 4 > least ? batch / 4 : least;
	return reserve ? reserve : 1;
}

/* Makes the stack hold two batches of `batch` blocks. */
static bool resize_stack(struct hak_heap *heap, unsigned bin, uint32_t batch)
{
	struct hak_cache *cache = &heap->caches[bin];
	uint32_t depth = hak_heap_depth(heap, bin);
	uint32_t capacity = 2 * batch - GUARD;
	void **larger = hak_meta_alloc((capacity + GUARD) * sizeof *larger);
	if (!larger) {
		return false;
	}
	larger += GUARD;
	if (cache->stack) {
		memcpy(larger, cache->stack, depth * sizeof *larger);
		free_stack(cache);
	}
	heap->cache_bytes += ((uint64_t)capacity - cache->capacity) * hak_class_map.geometry[bin].block;
	cache->stack = larger;
	cache->batch = batch;
	cache->capacity = capacity;
	cache->reserve = reserve_of(batch);
	heap->bins[bin].top = larger + depth;
	return true;
}

/* False when the stack has its full size, or the thread. */
static bool grow_stack(struct hak_heap *heap, unsigned bin)
{
	uint32_t batch = heap->caches[bin].batch;
	uint32_t most = at_most(BATCH_BYTES, bin, MIN_BATCH, HAK_MAGAZINE_MAX);
	uint32_t more = batch * 2 < most ? batch : most > batch ? most - batch : 0;
	uint64_t bytes = (uint64_t)2 * more * hak_class_map.geometry[bin].block;
	return more && heap->cache_bytes + bytes <= CACHE_BYTES && resize_stack(heap, bin, batch + more);
}

/*
 * Threads that take few blocks each in turn get neighbours: what one of them writes to is what the processor
 * has fetched ahead for another (lifo batches of two threads ran at half their speed in most runs).
 */
static uint32_t first_batch(unsigned bin)
{
	uint64_t threads = atomic_load_explicit(&registry.threads, memory_order_relaxed);
	uint32_t usual = at_most(FIRST_BYTES, bin, 1, FIRST_BATCH);
	return threads <= 1 ? usual : at_most((uint32_t)(SHARED_BYTES / threads), bin, usual, FIRST_SHARED);
}

/* A stack that is there, grown if its thread keeps coming back; false without memory. */
static bool prepare_stack(struct hak_heap *heap, unsigned bin)
{
	struct hak_cache *cache = &heap->caches[bin];
	if (!cache->stack) {
		return resize_stack(heap, bin, first_batch(bin));
	}
	if (++cache->visits >= GROW_AFTER) {
		cache->visits = grow_stack(heap, bin) ? 0 : -REST;
		hak_tick(); /* a program whose blocks all fit on stacks comes by nowhere else */
		hak_heap_set_busy(heap, true);
	}
	return true;
}

/* Blocks have come to the stack, or have left it, other than by the program. */
static void move_top(struct hak_heap *heap, unsigned bin, int32_t blocks)
{
	hak_heap_write_begin(heap);
	heap->bins[bin].top += blocks;
	heap->caches[bin].depth_armed += blocks;
	hak_heap_write_end(heap);
}

/* Puts blocks below those on the stack. */
static void put_below(struct hak_heap *heap, unsigned bin, void *const *blocks, uint32_t n)
{
	struct hak_cache *cache = &heap->caches[bin];
	memmove(cache->stack + n, cache->stack, hak_heap_depth(heap, bin) * sizeof *blocks);
	memcpy(cache->stack, blocks, n * sizeof *blocks);
	move_top(heap, bin, (int32_t)n);
}

/* The same for new blocks: the hook that heard of their slab may have filled this very stack. */
static void put_some(struct hak_heap *heap, unsigned bin, void *const *blocks, uint32_t n)
{
	uint32_t room = heap->caches[bin].capacity - hak_heap_depth(heap, bin);
	if (HAK_UNLIKELY(n > room)) {
		hak_slab_give(bin, blocks + room, n - room);
		n = room;
	}
	hak_heap_set_busy(heap, true);
	put_below(heap, bin, blocks, n);
}

/* Gives the blocks on a stack back to their slabs; not what a hook that hears of it puts there meanwhile. */
static void give_stack(struct hak_heap *heap, unsigned bin)
{
	void *cached[GIVEN];
	uint32_t depth, left = hak_heap_depth(heap, bin);
	while (left && (depth = hak_heap_depth(heap, bin)) != 0) {
		uint32_t n = left < GIVEN ? left : GIVEN;
		n = n < depth ? n : depth;
		left -= n;
		hak_heap_set_busy(heap, true);
		hak_heap_fold(heap, bin);
		move_top(heap, bin, -(int32_t)n);
		memcpy(cached, heap->bins[bin].top, n * sizeof *cached);
		hak_heap_arm(heap, bin);
		hak_slab_give(bin, cached, n);
	}
	hak_heap_set_busy(heap, true); /* again: a hook that allocates ends it */
}

/*
 * Gives the cached blocks back that have their slabs to themselves: spans that hold pages, which any
 * class can have. They are few, and together most of what a stack can
 * hold for nothing: a program that once grew a buffer has one of each size. False: there are none.
 */
static bool reclaim(struct hak_heap *heap)
{
	bool any = false;
	for (unsigned bin = hak_class_map.table.count; bin && hak_slab_holds_one(bin); bin--) {
		any |= hak_heap_depth(heap, bin) != 0;
		give_stack(heap, bin);
	}
	return any;
}

/* So far, cut off: only whether it has changed matters. */
static uint32_t operations_of(const struct hak_heap *heap, unsigned bin)
{
	const struct hak_cache *cache = &heap->caches[bin];
	uint64_t allocs = allocated(cache, &heap->bins[bin]);
	return (uint32_t)(cache->allocs + allocs + cache->frees + freed(heap, bin, allocs));
}

/*
 * Before the heap grows: gives back what lies on the stacks that were not used since it last did, and
 * in the depots. A program that grew a thousand arrays through a class holds nothing there but what
 * was cached, and that keeps the class's slabs from all others.
 */
static void make_way(struct hak_heap *heap)
{
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		struct hak_cache *cache = &heap->caches[bin];
		uint32_t operations = operations_of(heap, bin);
		if (operations == cache->seen) {
			give_stack(heap, bin);
		}
		cache->seen = operations;
	}
	hak_make_way();
}

/* Whether the next slab of the bin will be used up, as those before it were. */
static bool is_growing(unsigned bin)
{
	struct hak_slab_stats slabs;
	hak_slab_stats(bin, &slabs);
	return slabs.slabs >= 2 && !hak_slab_holds_one(bin);
}

/* New blocks of a bin: from memory that is used already, then from what is open, then from the system. */
static unsigned take_new(struct hak_heap *heap, unsigned bin, void **fresh, unsigned n)
{
	unsigned got = hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_DIRTY_ONLY, fresh, n);
	if (!got && hak_depot_make_way(HAK_DEPOT_BEFORE_PAGES)) {
		got = hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_DIRTY_ONLY, fresh, n);
	}
	if (!got && is_growing(bin) && reclaim(heap)) {
		got = hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_DIRTY_ONLY, fresh, n);
	}
	if (!got) {
		got = hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_NO_GROWTH, fresh, n);
	}
	if (!got) {
		make_way(heap);
		got = hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_MAY_GROW, fresh, n);
	}
	return got;
}

/* Puts a magazine's blocks below those on the stack, which a thread with larger batches may have filled. */
static void join(struct hak_heap *heap, unsigned bin, struct hak_magazine *m)
{
	struct hak_cache *cache = &heap->caches[bin];
	uint32_t needed = hak_heap_depth(heap, bin) + m->count;
	if (needed > cache->capacity && !resize_stack(heap, bin, needed / 2 + 1)) {
		hak_slab_give(bin, m->slots, m->count);
	} else {
		put_below(heap, bin, m->slots, m->count);
	}
	hak_magazine_free(m);
}

/* Gives the blocks of one orphan to the depots; false: there is none. */
static bool take_over(void)
{
	if (HAK_LIKELY(!atomic_load_explicit(&registry.orphans, memory_order_relaxed))) {
		return false;
	}
	hak_lock_take(&registry.lock);
	struct orphan *o = registry.orphans;
	registry.orphans = o ? o->next : NULL;
	hak_lock_drop(&registry.lock);
	if (!o) {
		return false;
	}
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		struct hak_cache *cache = &o->heap->caches[bin];
		if (cache->stack) {
			hak_depot_give(bin, cache->stack, o->depth[bin], cache->batch);
			free_stack(cache);
		}
	}
	hak_meta_free(o->heap, sizeof *o->heap);
	hak_meta_free(o, sizeof *o);
	return true;
}

/* A batch from the depot, else from the slabs. */
static void bring(struct hak_heap *heap, unsigned bin)
{
	struct hak_magazine *m = hak_depot_pop(bin);
	if (!m && take_over()) {
		hak_heap_set_busy(heap, true); /* again, as above */
		m = hak_depot_pop(bin);
	}
	if (m) {
		join(heap, bin, m);
		return;
	}
	void *fresh[HAK_MAGAZINE_MAX];
	unsigned got = take_new(heap, bin, fresh, heap->caches[bin].batch);
	if (hak_options.secure) {
		hak_random_shuffle(&heap->random, fresh, got, SHUFFLED);
	}
	put_some(heap, bin, fresh, got);
}

/* The coldest batch to the depot; false without memory. */
static bool send(struct hak_heap *heap, unsigned bin, uint32_t n)
{
	struct hak_cache *cache = &heap->caches[bin];
	struct hak_magazine *m = hak_magazine_new(n);
	hak_heap_fold(heap, bin); /* a hook may have armed it, and is called below again */
	if (!m) {
		return false;
	}
	memcpy(m->slots, cache->stack, n * sizeof *m->slots);
	m->count = n;
	move_top(heap, bin, -(int32_t)n);
	memmove(cache->stack, cache->stack + n, hak_heap_depth(heap, bin) * sizeof *m->slots);
	hak_depot_push(bin, m);
	return true;
}

bool hak_heap_fill(struct hak_heap *heap, unsigned bin)
{
	hak_heap_set_busy(heap, true);
	bool ready = prepare_stack(heap, bin);
	if (ready && hak_heap_depth(heap, bin) < heap->caches[bin].reserve) {
		hak_tick();
		hak_heap_set_busy(heap, true); /* again: a hook that allocates ends it */
		bring(heap, bin);
	}
	hak_heap_set_busy(heap, false);
	return ready && hak_heap_depth(heap, bin) != 0;
}

bool hak_heap_recall(struct hak_heap *heap, unsigned bin)
{
	if (hak_heap_depth(heap, bin) > heap->caches[bin].reserve) {
		return false;
	}
	hak_heap_set_busy(heap, true);
	struct hak_magazine *m = hak_depot_pop(bin);
	if (m) {
		join(heap, bin, m);
	}
	hak_heap_set_busy(heap, false);
	return m != NULL;
}

bool hak_heap_make_room(struct hak_heap *heap, unsigned bin)
{
	struct hak_cache *cache = &heap->caches[bin];
	hak_heap_set_busy(heap, true);
	bool ready = prepare_stack(heap, bin);
	if (ready && cache->capacity - hak_heap_depth(heap, bin) < cache->reserve) {
		hak_tick();
		hak_heap_set_busy(heap, true); /* again: a hook that allocates ends it */
		if (hak_heap_depth(heap, bin) >= cache->batch) {
			send(heap, bin, cache->batch);
		}
	}
	hak_heap_set_busy(heap, false);
	return ready && hak_heap_depth(heap, bin) < cache->capacity;
}

/* --- life of a heap ------------------------------------------------------------------- */

static void empty_cache(struct hak_heap *heap, unsigned bin)
{
	struct hak_cache *cache = &heap->caches[bin];
	uint32_t depth;
	while ((depth = hak_heap_depth(heap, bin)) != 0) {
		uint32_t n = depth < cache->batch ? depth : cache->batch;
		if (!send(heap, bin, n)) {
			move_top(heap, bin, -(int32_t)n);
			hak_slab_give(bin, heap->bins[bin].top, n);
		}
	}
	if (cache->stack) {
		hak_heap_fold(heap, bin); /* as in send */
		free_stack(cache);
		heap->cache_bytes -= (uint64_t)cache->capacity * hak_class_map.geometry[bin].block;
		cache->stack = NULL;
		cache->capacity = 0;
		heap->bins[bin].top = NULL;
	}
}

static void empty_caches(struct hak_heap *heap)
{
	for (unsigned bin = 0; bin < HAK_BINS; bin++) {
		hak_heap_fold(heap, bin);
		empty_cache(heap, bin);
	}
}

void hak_heap_flush(void)
{
	struct hak_heap *heap = hak_thread.heap;
	if (heap) {
		hak_heap_set_busy(heap, true);
		empty_caches(heap);
		hak_heap_set_busy(heap, false);
		while (take_over()) {
		}
	}
}

static void retire(struct hak_heap *heap)
{
	for (unsigned bin = 0; bin < HAK_BINS; bin++) {
		registry.allocs[bin] += heap->caches[bin].allocs;
		registry.frees[bin] += heap->caches[bin].frees;
	}
	if (heap->previous) {
		heap->previous->next = heap->next;
	} else {
		registry.heaps = heap->next;
	}
	if (heap->next) {
		heap->next->previous = heap->previous;
	}
	registry.threads--;
}

/* Runs as a thread ends; what it allocates and frees afterwards bypasses the caches. */
static void leave(void *arg)
{
	struct hak_heap *heap = arg;
	hak_trace_thread_exit();
	/* First: what a hook allocates while the stacks are emptied must not fill them again. */
	hak_thread.heap = NULL;
	hak_thread.state = HAK_THREAD_GONE;
	hak_heap_set_busy(heap, true);
	empty_caches(heap);
	hak_lock_take(&registry.lock);
	retire(heap);
	hak_lock_drop(&registry.lock);
	hak_meta_free(heap, sizeof *heap);
}

static struct hak_heap *enter(void)
{
	struct hak_heap *heap = hak_meta_alloc(sizeof *heap);
	if (!heap) {
		return NULL;
	}
	hak_thread.state = HAK_THREAD_ENTERING;
	heap->bins = hak_thread.bins;
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		heap->bins[bin].limit = hak_class_map.geometry[bin].block - HAK_TRAILER;
		heap->bins[bin].divisor = UINT64_MAX / hak_class_map.geometry[bin].block + 1;
	}
	heap->random = hak_options.secure ? hak_os_random() : hak_os_seed();
	/* May allocate, which the state sends past the caches. */
	if (!registry.has_key || pthread_setspecific(registry.key, heap) != 0) {
		hak_thread.state = HAK_THREAD_GONE;
		hak_meta_free(heap, sizeof *heap);
		return NULL;
	}
	hak_lock_take(&registry.lock);
	heap->next = registry.heaps;
	if (heap->next) {
		heap->next->previous = heap;
	}
	registry.heaps = heap;
	registry.threads++;
	hak_lock_drop(&registry.lock);
	hak_thread.state = HAK_THREAD_ACTIVE;
	return hak_thread.heap = heap;
}

HAK_COLD HAK_NOINLINE static struct hak_heap *enter_if_new(void)
{
	return hak_thread.state == HAK_THREAD_NEW ? enter() : NULL;
}

struct hak_heap *hak_heap_get(void)
{
	struct hak_heap *heap = hak_thread.heap;
	return HAK_LIKELY(heap != NULL) ? heap : enter_if_new();
}

void hak_heap_init(void)
{
	registry.has_key = pthread_key_create(&registry.key, leave) == 0;
}

/* --- tracing -------------------------------------------------------------------------- */

void hak_heap_draw(struct hak_heap *heap, unsigned bin)
{
	heap->caches[bin].until_sample =
		hak_sample_gap(&heap->random, hak_class_map.geometry[bin].block, heap->pace.mean);
}

static void rearm_all(struct hak_heap *heap, bool draw)
{
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		hak_heap_fold(heap, bin);
		if (draw) {
			hak_heap_draw(heap, bin);
		}
		hak_heap_arm(heap, bin);
	}
}

void hak_heap_retune(struct hak_heap *heap, unsigned want)
{
	bool samples = want & HAK_TRACE_SAMPLE & ~heap->want;
	heap->want = want;
	if (samples) {
		hak_sample_begin(&heap->pace);
	}
	rearm_all(heap, samples);
}

void hak_heap_sampled(struct hak_heap *heap, uint64_t time_ns)
{
	if (HAK_UNLIKELY(hak_sample_taken(&heap->pace, time_ns))) {
		rearm_all(heap, true);
	}
}

/* --- reading -------------------------------------------------------------------------- */

/* What was counted in a bin. */
struct reading {
	uint64_t allocs, frees;
};

/* With the count as it was read. */
static struct reading read_once(const struct hak_heap *heap, unsigned bin, int32_t allocs_left)
{
	const struct hak_cache *cache = &heap->caches[bin];
	const struct hak_bin *b = &heap->bins[bin];
	struct reading r = {
		.allocs = __atomic_load_n(&cache->allocs, __ATOMIC_RELAXED),
		.frees = __atomic_load_n(&cache->frees, __ATOMIC_RELAXED),
	};
	if (__atomic_load_n(&cache->is_armed, __ATOMIC_RELAXED)) {
		int64_t depth = __atomic_load_n(&b->top, __ATOMIC_RELAXED) -
				__atomic_load_n(&cache->stack, __ATOMIC_RELAXED);
		int64_t allocs =
			__atomic_load_n(&cache->allocs_armed, __ATOMIC_RELAXED) - hak_bin_left(allocs_left);
		r.allocs += (uint64_t)allocs;
		r.frees +=
			(uint64_t)(allocs + depth - __atomic_load_n(&cache->depth_armed, __ATOMIC_RELAXED));
	}
	return r;
}

/*
 * Of any thread's heap. Slow paths are kept out by the sequence; fast ones write nothing but the count and
 * the top, and a top that was read while the count stood still belongs to it. A malloc that is between the
 * two shows as one block more allocated and freed. False: its thread stays on a slow path.
 */
static bool read_cache(const struct hak_heap *heap, unsigned bin, struct reading *r)
{
	const int32_t *count = &heap->bins[bin].allocs_left;
	bool is_own = heap == hak_thread.heap;
	for (unsigned turn = 0;; turn++) {
		uint32_t before = __atomic_load_n(&heap->sequence, __ATOMIC_ACQUIRE);
		int32_t left = __atomic_load_n(count, __ATOMIC_ACQUIRE);
		*r = read_once(heap, bin, left);
		atomic_thread_fence(memory_order_acquire);
		int32_t then = __atomic_load_n(count, __ATOMIC_RELAXED);
		uint32_t after = __atomic_load_n(&heap->sequence, __ATOMIC_RELAXED);
		if (!(before & 1) && before == after && left == then) {
			return true;
		}
		/* In a signal handler nobody else will end what this thread was about. */
		if (((before & 1) && is_own) || !hak_lock_pause(turn, PATIENCE_MS)) {
			return false;
		}
	}
}

/* With the lock held. */
static bool add_heaps(unsigned bin, uint64_t *allocs, uint64_t *frees)
{
	struct reading r;
	for (const struct hak_heap *heap = registry.heaps; heap; heap = heap->next) {
		if (!read_cache(heap, bin, &r)) {
			return false;
		}
		*allocs += r.allocs;
		*frees += r.frees;
	}
	return true;
}

HAK_SELDOM bool hak_heap_totals(unsigned bin, uint64_t *allocs, uint64_t *frees, uint64_t *cached)
{
	struct hak_slab_stats slabs;
	if (!hak_lock_take_within(&registry.lock, PATIENCE_MS)) {
		return false;
	}
	*allocs = registry.allocs[bin];
	*frees = registry.frees[bin];
	bool is_whole = add_heaps(bin, allocs, frees);
	hak_lock_drop(&registry.lock);
	hak_slab_stats(bin, &slabs);
	uint64_t live = *allocs - *frees;
	*cached = slabs.out > live ? slabs.out - live : 0;
	return is_whole;
}

uint64_t hak_heap_threads(void)
{
	return atomic_load_explicit(&registry.threads, memory_order_relaxed);
}

/* --- fork ----------------------------------------------------------------------------- */

void hak_heap_fork_lock(void)
{
	hak_lock_take(&registry.lock);
}

/* What it has done and holds is noted, with no store to its pages: the child shares them with its parent. */
static void leave_behind(struct hak_heap *heap)
{
	bool is_whole = !heap->is_busy && !(heap->sequence & 1);
	struct orphan *o = is_whole ? hak_meta_alloc(sizeof *o) : NULL; /* without memory it is lost */
	for (unsigned bin = 0; bin < HAK_BINS; bin++) {
		struct reading r = { heap->caches[bin].allocs, heap->caches[bin].frees };
		r = is_whole ? read_once(heap, bin, heap->bins[bin].allocs_left) : r;
		registry.allocs[bin] += r.allocs;
		registry.frees[bin] += r.frees;
		if (o) {
			o->depth[bin] = hak_heap_depth(heap, bin);
		}
	}
	if (o) {
		o->heap = heap;
		o->next = registry.orphans;
		registry.orphans = o;
	}
}

void hak_heap_fork_unlock(int in_child)
{
	if (!in_child) {
		hak_lock_drop(&registry.lock);
		return;
	}
	hak_lock_reset(&registry.lock);
	struct hak_heap *own = hak_thread.heap;
	for (struct hak_heap *heap = registry.heaps; heap; heap = heap->next) {
		if (!own && heap->bins == hak_thread.bins) {
			own = heap; /* on its way out */
		} else if (heap != own) {
			leave_behind(heap);
		}
	}
	registry.heaps = own;
	registry.threads = own ? 1 : 0;
	if (own) {
		own->next = own->previous = NULL;
	}
}
