/* SPDX-License-Identifier: MIT */
/*
 * The part of the allocator that belongs to one thread.
 *
 * Hot half, in thread-local storage: for each bin a stack of free blocks, a countdown and a ceiling.
 * malloc pops and counts `allocs_left` down, which never exceeds the blocks on the stack; free
 * pushes until the stack reaches its ceiling; and that is the only test of room either makes. What
 * was allocated and by how much the stack has grown say how much was freed. When the count ends or the
 * ceiling is reached, the slow path folds what was done into exact totals, looks at what else is
 * due (tracing, trimming) and arms the bin again. A bin that is not armed has neither count nor room.
 *
 * Cold half, the heap: where the stacks are, totals, sampling. Only its thread writes it; readers of
 * totals retry while `sequence` is odd or moves.
 */
#ifndef HAK_LIB_HEAP_H
#define HAK_LIB_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "class_map.h"
#include "compiler.h"
#include "depot.h"
#include "hakmem_trace.h"
#include "marks.h"
#include "region.h"
#include "sample.h"

/*
 * In secure mode the count of a bin that has any left is so much lower, so that the fast
 * path finds it ended at once. One bit then tells such a count from one that has ended: it is
 * clear in HAK_GUARDED and in all counts up to as much above, set in what is as much below and in
 * small negative numbers.
 */
enum { HAK_ENDED_BIT = 1 << 27, HAK_GUARDED = INT32_MIN + 2 * HAK_ENDED_BIT };

struct hak_bin {
	void **top;	  /* one past the block to be used next */
	intptr_t ceiling; /* the address where its room ends; 0: none; below zero by as much in secure mode */
	/*
	 * Of the class, here for the fast path; 0 while the thread has no heap. The divisor is
	 * ceil(2^64 / block): n is a multiple of the block when n * divisor wraps to less. The limit is
	 * secure mode's: the largest request, and where the trailer is.
	 */
	uint64_t divisor;
	uint32_t limit;
	int32_t allocs_left;
};

_Static_assert(sizeof(struct hak_bin) == 32, "found by a shift");

struct hak_cache {
	HAK_ALIGNED(HAK_CACHE_LINE)
	void **stack;	      /* the bin's; NULL until first used */
	uint32_t capacity;    /* of the stack, twice the batch */
	uint32_t batch;	      /* blocks that move at a time; grows with use */
	uint32_t reserve;     /* with fewer blocks, or less room, a batch is exchanged */
	int32_t visits;	      /* of the slow path since it last grew; below zero once it could not */
	int32_t allocs_armed; /* what was counted down from */
	int32_t depth_armed;  /* blocks on the stack then, less those that were popped and not counted down */
	uint64_t allocs, frees; /* before the bin was armed */
	int64_t until_sample;	/* allocations up to and with the next sampled one */
	uint32_t seen;		/* operations, cut off, when this thread last let the heap grow */
	bool is_armed;
};

_Static_assert(sizeof(struct hak_cache) == HAK_CACHE_LINE, "a slow path touches few others");

struct hak_heap {
	struct hak_heap *next, *previous; /* registry */
	struct hak_bin *bins;
	uint32_t sequence;
	uint32_t want;	     /* enum hak_trace_want when this thread last looked */
	uint32_t until_look; /* slow operations before it looks again */
	bool is_busy;	     /* a stack is between two states: a fork child leaves this heap alone */
	uint64_t random;
	struct hak_sample_pace pace;
	uint64_t cache_bytes;		   /* what the stacks could hold */
	struct hak_cache caches[HAK_BINS]; /* [0] counts the large route */
};

enum hak_thread_state { HAK_THREAD_NEW, HAK_THREAD_ENTERING, HAK_THREAD_ACTIVE, HAK_THREAD_GONE };

struct hak_thread {
	struct hak_bin bins[HAK_BINS];
	struct hak_heap *heap; /* NULL before the first slow path and after the thread's end */
	uint8_t state;
};

extern HAK_HIDDEN HAK_THREAD_LOCAL struct hak_thread hak_thread;

/* The calling thread's heap, made at first; NULL at its end, while it is made, or without memory. */
HAK_HIDDEN struct hak_heap *hak_heap_get(void);

/* Folds the counts of a bin into its totals and disarms it. */
HAK_HIDDEN void hak_heap_fold(struct hak_heap *heap, unsigned bin);

/* Arms a folded bin for as many operations as its stack and the tracing allow. */
HAK_HIDDEN void hak_heap_arm(struct hak_heap *heap, unsigned bin);

/*
 * The short way through most slow paths of malloc: the count has ended, but there are blocks
 * enough and no operation is due to be told. Counts what was done and arms again; false: take the long way.
 */
HAK_HIDDEN bool hak_heap_rearm(struct hak_heap *heap, unsigned bin);

/* Makes sure that a folded bin has blocks (or room) for a while; false without memory. */
HAK_HIDDEN bool hak_heap_fill(struct hak_heap *heap, unsigned bin);
HAK_HIDDEN bool hak_heap_make_room(struct hak_heap *heap, unsigned bin);

/* Brings blocks back from the depot, and no new ones, when few are left; false: there are more, or none. */
HAK_HIDDEN bool hak_heap_recall(struct hak_heap *heap, unsigned bin);

/* Adds to the totals outside the countdowns; `heap` may be NULL. */
HAK_HIDDEN void hak_heap_count(struct hak_heap *heap, unsigned bin, unsigned allocs, unsigned frees);

/* Re-arms every bin after what is wanted has changed. */
HAK_HIDDEN void hak_heap_retune(struct hak_heap *heap, unsigned want);

/* A sample was taken at time_ns (0: not known); the thread samples more or less densely from then on. */
HAK_HIDDEN void hak_heap_sampled(struct hak_heap *heap, uint64_t time_ns);

/* Sets the number of allocations to the next sample of a bin. */
HAK_HIDDEN void hak_heap_draw(struct hak_heap *heap, unsigned bin);

HAK_INLINE size_t hak_bin_block(const struct hak_bin *b)
{
	return b->limit + HAK_TRAILER;
}

/*
 * Whether a count that was decremented to below zero was that of an operation which secure mode may
 * do without the slow path. Looked at in memory: in a register it would cost the fast path.
 */
HAK_INLINE bool hak_bin_is_guarded(int32_t *count)
{
	__asm__("" : "+m"(*count));
	return !(*count & HAK_ENDED_BIT);
}

/* Room for a block that the fast path of free takes. */
HAK_INLINE bool hak_bin_has_room(const struct hak_bin *b)
{
	return (intptr_t)b->top < b->ceiling;
}

/* Room for one that only secure mode's takes. Looked at in memory: in a register it would cost the fast path.
 */
HAK_INLINE bool hak_bin_has_guarded_room(struct hak_bin *b)
{
	__asm__("" : "+m"(b->ceiling));
	return (intptr_t)b->top + b->ceiling < 0;
}

/* What a count says. It stands below zero where it was found used up. */
HAK_INLINE int32_t hak_bin_left(int32_t count)
{
	int32_t left = count < HAK_GUARDED / 2 ? count - HAK_GUARDED : count;
	return left > 0 ? left : 0;
}

/* Blocks on the stack of a bin. */
HAK_INLINE uint32_t hak_heap_depth(const struct hak_heap *heap, unsigned bin)
{
	void *const *stack = heap->caches[bin].stack;
	return stack ? (uint32_t)(heap->bins[bin].top - stack) : 0;
}

/* Around what readers of totals must not see half done. */
HAK_INLINE void hak_heap_write_begin(struct hak_heap *heap)
{
	__atomic_store_n(&heap->sequence, heap->sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

HAK_INLINE void hak_heap_write_end(struct hak_heap *heap)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__atomic_store_n(&heap->sequence, heap->sequence + 1, __ATOMIC_RELAXED);
}

/* While a stack holds a block twice, or not at all, a fork child must not touch it. */
HAK_INLINE void hak_heap_set_busy(struct hak_heap *heap, bool is_busy)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	heap->is_busy = is_busy;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/*
 * The slot before the top, and the top before what becomes of a block that was popped: a fork
 * child must not find one without the other.
 */
HAK_INLINE void hak_bin_push(struct hak_bin *b, void *block)
{
	*b->top = block;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	b->top++; /* read again: one instruction adds to it in memory */
}

/*
 * The next block's line is not fetched early: a block that was never used may lie on a page that is not
 * there, and the search for that costs each malloc more than others gain. The top is read once: with one
 * instruction that subtracts from it in memory, as secure mode does later on its way, pairs took a tenth
 * longer.
 */
HAK_INLINE void *hak_bin_pop(struct hak_bin *b)
{
	void **top = b->top - 1;
	void *block = *top;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	b->top = top;
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return block;
}

/*
 * Whether a block of the bin may begin at `offset` of the region, in `unit` (Lemire, Kaser
 * and Kurz, "Faster remainder by direct computation", 2019). Not: whether it is live.
 */
HAK_INLINE bool hak_bin_begins(const struct hak_bin *b, size_t offset, size_t unit)
{
	return ((uint32_t)offset - hak_region.map[unit].first) * b->divisor < b->divisor;
}

/* The number in its slab of the block that begins there. */
HAK_INLINE uint32_t hak_bin_block_number(const struct hak_bin *b, size_t offset, size_t unit)
{
	uint32_t distance = (uint32_t)offset - hak_region.map[unit].first;
	return (uint32_t)((unsigned __int128)distance * b->divisor >> 64);
}

/* One operation of the large route, which has no countdown. */
HAK_INLINE void hak_heap_count_large(uint64_t *total)
{
	__atomic_store_n(total, *total + 1, __ATOMIC_RELAXED);
}

/* The block on top of the stack, taken on a slow path and counted, by itself where no count is armed. */
HAK_INLINE void *hak_heap_pop(struct hak_heap *heap, unsigned bin)
{
	struct hak_bin *b = &heap->bins[bin];
	struct hak_cache *cache = &heap->caches[bin];
	if (HAK_LIKELY(hak_bin_left(b->allocs_left) > 0)) {
		b->allocs_left--;
	} else {
		hak_heap_write_begin(heap);
		cache->allocs++;
		cache->depth_armed--;
		hak_heap_write_end(heap);
	}
	return hak_bin_pop(b);
}

/* Returns all cached blocks of the calling thread to the depots. */
HAK_HIDDEN void hak_heap_flush(void);

/*
 * Exact totals of a bin over all threads, and free blocks in their caches. False: they cannot be read, for
 * instance in a signal handler whose own thread is about to change them.
 */
HAK_HIDDEN bool hak_heap_totals(unsigned bin, uint64_t *allocs, uint64_t *frees, uint64_t *cached);

HAK_HIDDEN uint64_t hak_heap_threads(void);

/* Once, at start: the key whose destructor sees threads end. */
HAK_HIDDEN void hak_heap_init(void);

HAK_HIDDEN void hak_heap_fork_lock(void);
/*
 * In a child the caches of the threads that are gone are left as they are until memory is needed: most
 * children execute another program, and each page touched would be copied for nothing.
 */
HAK_HIDDEN void hak_heap_fork_unlock(int in_child);

#endif
