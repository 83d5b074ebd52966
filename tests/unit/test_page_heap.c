/* SPDX-License-Identifier: MIT */
/* Spans against a shadow of the region: whose unit each one is, and what they read as. */
#include "page_heap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "alloc.h"
#include "lock.h"
#include "proc_memory.h"

enum { SPANS = 300, UNITS = 1 << 20, ROUNDS = 20000 };

static struct {
	struct hak_span *span;
	uint32_t units;
} held[SPANS];
static unsigned char owner[UNITS]; /* 1: somebody's */
static bool holds_pages[UNITS];	   /* by superslab, as told */
static uint64_t state_of_random = 42;

static uint32_t draw(uint32_t below)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return (uint32_t)(state_of_random >> 20) % below;
}

static void claim(uint32_t unit, uint32_t units)
{
	for (uint32_t i = unit; i < unit + units; i++) {
		assert_int_equal(owner[i], 0);
		owner[i] = 1;
	}
}

static void release(uint32_t unit, uint32_t units)
{
	memset(owner + unit, 0, units);
}

/* All changes there are; each must be one. */
static unsigned follow_changes(void)
{
	struct hak_superslab_change change;
	unsigned changes = 0;
	for (; hak_page_heap_next_change(&change); changes++) {
		size_t from = ((uintptr_t)change.start - hak_region.base) / hak_options.superslab_size;
		assert_int_equal((uintptr_t)change.start % hak_options.superslab_size, 0);
		assert_int_equal(change.bytes % hak_options.superslab_size, 0);
		assert_int_not_equal(change.bytes, 0);
		for (size_t i = from; i < from + change.bytes / hak_options.superslab_size; i++) {
			assert_int_not_equal(holds_pages[i], change.holds_pages);
			holds_pages[i] = change.holds_pages;
		}
	}
	return changes;
}

static size_t superslab_of(size_t unit)
{
	return (unit << HAK_UNIT_LOG2) / hak_options.superslab_size;
}

static void expect_zero(const unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 4096) {
		assert_int_equal(p[i], 0);
	}
}

static struct hak_span *owned(struct hak_span *span)
{
	assert_non_null(span);
	hak_span_set_kind(span, HAK_SPAN_BUSY);
	return span;
}

static struct hak_span *obtain(uint32_t units, enum hak_growth growth, bool expect_zeroed)
{
	bool zeroed;
	struct hak_span *span = owned(hak_span_alloc(units, 1, growth, &zeroed));
	assert_int_equal(zeroed, expect_zeroed);
	return span;
}

static struct hak_span *obtain_sure(uint32_t units, enum hak_growth growth, bool expect_zeroed)
{
	bool zeroed;
	struct hak_pages fetch = { NULL, 0 };
	struct hak_span *span = owned(hak_span_alloc_sure(units, growth, &zeroed, &fetch));
	assert_int_equal(zeroed, expect_zeroed);
	if (fetch.bytes != 0) {
		hak_os_populate(fetch.start, fetch.bytes);
	}
	return span;
}

/* First of all: while the heap is small. */
static void superslabs_of_a_large_heap_come_with_their_pages(void **state)
{
	enum { STEP = HAK_HUGE_PAGE >> HAK_UNIT_LOG2 };
	struct hak_page_heap_stats stats;
	struct hak_pages fetch = { NULL, 0 };
	bool zeroed;
	(void)state;
	struct hak_span *small = obtain_sure(1, HAK_MAY_GROW, true);
	struct hak_span *large = obtain(8 * STEP, HAK_MAY_GROW, true);
	assert_null(hak_span_alloc_sure(1, HAK_NO_GROWTH, &zeroed, &fetch)); /* what is open holds no pages */
	int64_t delay_ms = hak_options.purge_delay_ms;
	hak_options.purge_delay_ms = 0; /* what was fetched would be given back before it is used */
	hak_span_free(obtain_sure(1, HAK_NO_GROWTH, true), HAK_SPAN_CLEAN);
	hak_options.purge_delay_ms = delay_ms;
	struct hak_span *rest = obtain(STEP - 2, HAK_NO_GROWTH, true);
	struct hak_span *first = obtain_sure(1, HAK_MAY_GROW, false),
			*second = obtain_sure(1, HAK_NO_GROWTH, false);
	assert_int_equal((uintptr_t)hak_span_start(first) % HAK_HUGE_PAGE, 0);
	assert_int_equal(hak_span_unit(second), hak_span_unit(first) + 1);
	hak_page_heap_stats(&stats);
	assert_int_equal(stats.dirty, (STEP - 2) << HAK_UNIT_LOG2); /* to be had by all, or purged */
	size_t fetched = pages_in_memory(hak_span_start(first), HAK_HUGE_PAGE);
	assert_int_equal(fetched, kernel_populates() ? HAK_HUGE_PAGE / hak_os_page_size() : 0);
	/* What is mapped anew inside of it does not fall apart from the rest. */
	unsigned mappings = count_mappings();
	assert_int_equal(hak_region_renew(hak_span_start(second), hak_span_bytes(second)), 0);
	assert_in_range(count_mappings(), 1, mappings);
	/* Where the region ends, open space has to do. */
	struct hak_span *fourth = obtain(STEP - 2, HAK_DIRTY_ONLY, false);
	size_t reserved = hak_region.reserved_units;
	hak_region.reserved_units = hak_region.units;
	struct hak_span *last = obtain_sure(1, HAK_MAY_GROW, true);
	assert_null(hak_span_alloc_sure(STEP, HAK_MAY_GROW, &zeroed, &fetch));
	hak_region.reserved_units = reserved;
	/* Where much of it is without pages, it has to be used up first. */
	assert_int_equal(hak_os_purge(hak_span_start(large), hak_span_bytes(large)), 0);
	hak_span_cut(large, 7 * STEP, HAK_SPAN_CLEAN);
	assert_null(hak_span_alloc_sure(1, HAK_NO_GROWTH, &zeroed, &fetch));
	hak_span_cut(large, 6 * STEP, HAK_SPAN_CLEAN);
	struct hak_span *third = obtain_sure(1, HAK_NO_GROWTH, true);
	struct hak_span *all[] = { small, large, rest, first, second, third, fourth, last };
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		hak_span_free(all[i], HAK_SPAN_DIRTY);
	}
}

static void take(unsigned slot)
{
	bool zeroed;
	uint32_t units = draw(8) ? 1 + draw(20) : 1 + draw(400);
	uint32_t align = draw(4) ? 1 : 1u << draw(9);
	struct hak_span *span = align == 1 && draw(2) ? hak_span_reuse(units) : NULL;
	if (span) {
		zeroed = false;
	} else {
		span = hak_span_alloc(units, align, HAK_MAY_GROW, &zeroed);
	}
	assert_non_null(span);
	assert_int_equal(span->units, units);
	assert_int_equal(span->head, hak_span_unit(span));
	assert_int_equal(hak_span_unit(span) % align, 0);
	claim(hak_span_unit(span), units);
	if (zeroed) {
		expect_zero(hak_span_start(span), hak_span_bytes(span));
	}
	span->kind = HAK_SPAN_LARGE;
	for (size_t i = 0; i < hak_span_bytes(span); i += 4096) {
		((unsigned char *)hak_span_start(span))[i] = 0xa5;
	}
	held[slot].span = span;
	held[slot].units = units;
}

/* Now and then units are given back without their pages. */
static enum hak_span_kind state_of(uint32_t unit, uint32_t units)
{
	if (draw(3)) {
		return HAK_SPAN_DIRTY;
	}
	assert_int_equal(hak_os_purge((char *)hak_region.base + ((size_t)unit << HAK_UNIT_LOG2),
				      (size_t)units << HAK_UNIT_LOG2),
			 0);
	return HAK_SPAN_CLEAN;
}

static void give(unsigned slot)
{
	struct hak_span *span = held[slot].span;
	release(hak_span_unit(span), held[slot].units);
	span->kind = HAK_SPAN_BUSY;
	if (draw(2)) {
		hak_span_keep(span);
	} else {
		hak_span_free(span, state_of(hak_span_unit(span), span->units));
	}
	held[slot].span = NULL;
}

static void resize(unsigned slot)
{
	struct hak_span *span = held[slot].span;
	uint32_t units = 1 + draw(held[slot].units + 20);
	uint32_t unit = hak_span_unit(span);
	if (units < held[slot].units) {
		hak_span_cut(span, units, state_of(unit + units, held[slot].units - units));
		release(unit + units, held[slot].units - units);
	} else if (units > held[slot].units && hak_span_grow(span, units)) {
		claim(unit + held[slot].units, units - held[slot].units);
	} else {
		units = held[slot].units;
	}
	held[slot].units = units;
	assert_int_equal(span->units, units);
}

static uint64_t units_held(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < SPANS; i++) {
		sum += held[i].span ? held[i].units : 0;
	}
	return sum;
}

static void no_unit_is_given_twice(void **state)
{
	(void)state;
	struct hak_page_heap_stats before, after;
	hak_page_heap_stats(&before);
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned slot = draw(SPANS);
		if (!held[slot].span) {
			take(slot);
		} else if (draw(3) == 0) {
			resize(slot);
		} else {
			give(slot);
		}
		if (round % 5000 == 4999) {
			hak_page_heap_purge_all(NULL);
		}
		if (draw(3) == 0) {
			follow_changes();
		}
	}
	follow_changes();
	for (size_t unit = 0; unit < hak_region.units; unit++) {
		assert_true(!owner[unit] || holds_pages[superslab_of(unit)]);
	}
	hak_page_heap_stats(&after);
	assert_int_equal(after.used - before.used, units_held() << HAK_UNIT_LOG2);
}

static void freed_units_join_again(void **state)
{
	(void)state;
	struct hak_page_heap_stats stats;
	for (unsigned i = 0; i < SPANS; i++) {
		if (held[i].span) {
			give(i);
		}
	}
	hak_page_heap_purge_all(NULL);
	hak_page_heap_stats(&stats);
	assert_int_equal(stats.dirty, 0);
	/* All that is mapped and unused, in one piece: only what was in use before can divide it. */
	uint32_t units = (uint32_t)((stats.mapped - stats.used) >> HAK_UNIT_LOG2);
	bool zeroed;
	struct hak_span *all = hak_span_alloc(units, 1, HAK_NO_GROWTH, &zeroed);
	assert_non_null(all);
	assert_true(zeroed);
	expect_zero(hak_span_start(all), hak_span_bytes(all));
	assert_null(hak_span_alloc(1, 1, HAK_NO_GROWTH, &zeroed));
	all->kind = HAK_SPAN_BUSY;
	hak_span_free(all, HAK_SPAN_DIRTY);
}

static void *purged_start;
static uint64_t purged_bytes;

static void note_purged(void *start, uint64_t bytes)
{
	purged_start = start;
	purged_bytes += bytes;
}

static void superslabs_hold_pages_until_all_are_given_back(void **state)
{
	(void)state;
	uint32_t step = (uint32_t)(hak_options.superslab_size >> HAK_UNIT_LOG2);
	hak_page_heap_purge_all(NULL);
	follow_changes();
	bool zeroed;
	struct hak_span *span = owned(hak_span_alloc(3 * step, step, HAK_MAY_GROW, &zeroed));
	size_t first = superslab_of(hak_span_unit(span));
	assert_false(holds_pages[first] || holds_pages[first + 2]);
	assert_int_equal(follow_changes(), 1); /* side by side, told as one */
	assert_true(holds_pages[first] && holds_pages[first + 1] && holds_pages[first + 2]);
	/* What begins in one that is in use keeps it. */
	assert_int_equal(hak_os_purge((char *)hak_span_start(span) + 65536, hak_span_bytes(span) - 65536), 0);
	hak_span_cut(span, 1, HAK_SPAN_CLEAN);
	assert_int_equal(follow_changes(), 1);
	assert_true(holds_pages[first] && !holds_pages[first + 1] && !holds_pages[first + 2]);
	assert_true(hak_span_grow(span, step + 1));
	assert_int_equal(follow_changes(), 1);
	assert_true(holds_pages[first] && holds_pages[first + 1] && !holds_pages[first + 2]);
	/* Free, but not yet given back. */
	void *start = hak_span_start(span);
	hak_span_free(span, HAK_SPAN_DIRTY);
	assert_int_equal(follow_changes(), 0);
	purged_bytes = 0;
	assert_int_equal(hak_page_heap_purge_all(note_purged), (step + 1) << HAK_UNIT_LOG2);
	assert_ptr_equal(purged_start, start);
	assert_int_equal(purged_bytes, (step + 1) << HAK_UNIT_LOG2);
	assert_int_equal(follow_changes(), 1);
	assert_false(holds_pages[first] || holds_pages[first + 1] || holds_pages[first + 2]);
	/* There and back before anybody asked. */
	span = owned(hak_span_alloc(step, step, HAK_MAY_GROW, &zeroed));
	hak_span_free(span, HAK_SPAN_DIRTY);
	hak_page_heap_purge_all(NULL);
	assert_int_equal(follow_changes(), 0);
}

static void young_runs_keep_their_pages(void **state)
{
	(void)state;
	bool zeroed;
	struct hak_page_heap_stats stats;
	hak_page_heap_purge_all(NULL);
	struct hak_span *span = hak_span_alloc(7, 1, HAK_MAY_GROW, &zeroed);
	assert_non_null(span);
	span->kind = HAK_SPAN_BUSY;
	hak_span_free(span, HAK_SPAN_DIRTY);
	assert_int_equal(hak_page_heap_purge(1, 1000, NULL), 0); /* a clock at which nothing is old */
	hak_page_heap_stats(&stats);
	assert_int_equal(stats.dirty, 7 << HAK_UNIT_LOG2);
	assert_int_equal(hak_page_heap_purge(UINT64_MAX - 1, 1000, NULL), 7 << HAK_UNIT_LOG2);
}

static void kept_spans_are_dirty_memory(void **state)
{
	(void)state;
	bool zeroed;
	struct hak_page_heap_stats stats, before;
	hak_page_heap_purge_all(NULL);
	hak_page_heap_stats(&before);
	struct hak_span *span = hak_span_alloc(7, 1, HAK_MAY_GROW, &zeroed);
	assert_non_null(span);
	hak_span_keep(span);
	assert_null(hak_span_reuse(15)); /* of the same place, which gave the other one back */
	assert_null(hak_span_reuse(7));
	span = hak_span_alloc(7, 1, HAK_NO_GROWTH, &zeroed);
	assert_false(zeroed);
	hak_span_keep(span);
	hak_page_heap_stats(&stats);
	assert_int_equal(stats.dirty, 7 << HAK_UNIT_LOG2);
	assert_int_equal(stats.used, before.used);
	assert_ptr_equal(hak_span_alloc(3, 1, HAK_NO_GROWTH, &zeroed), span); /* before clean memory */
	assert_false(zeroed);
	hak_span_keep(span);
	struct hak_span *clean = hak_span_alloc(3, 1, HAK_CLEAN_ONLY, &zeroed);
	assert_non_null(clean);
	assert_true(zeroed);
	hak_span_free(clean, HAK_SPAN_CLEAN);
	assert_int_equal(hak_page_heap_purge(1, 1000, NULL), 0);
	assert_int_equal(hak_page_heap_purge(UINT64_MAX - 1, 1000, NULL), 7 << HAK_UNIT_LOG2);
	hak_page_heap_stats(&stats);
	assert_int_equal(stats.dirty, 0);
}

/* Two spans with pages, each between two that stay. */
struct islands {
	struct hak_span *free[2], *stay[3];
};

static struct islands islands_of(uint32_t units)
{
	struct islands is;
	bool zeroed;
	hak_page_heap_purge_all(NULL);
	for (unsigned i = 0; i < 5; i++) {
		struct hak_span **span = i % 2 ? &is.free[i / 2] : &is.stay[i / 2];
		*span = owned(hak_span_alloc(i % 2 ? units : 1, 1, HAK_MAY_GROW, &zeroed));
		memset(hak_span_start(*span), 1, hak_span_bytes(*span));
	}
	return is;
}

static void free_all(struct hak_span *const *spans, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		hak_span_free(spans[i], HAK_SPAN_DIRTY);
	}
}

static uint64_t dirty_bytes(void)
{
	struct hak_page_heap_stats stats;
	hak_page_heap_stats(&stats);
	return stats.dirty;
}

static void a_locked_page_keeps_its_own_run_only(void **state)
{
	(void)state;
	struct islands is = islands_of(3);
	void *locked = hak_span_start(is.free[0]);
	if (mlock(locked, 1) != 0) {
		skip();
	}
	uint64_t bytes = hak_span_bytes(is.free[0]);
	free_all(is.free, 2);
	assert_int_equal(hak_page_heap_purge_all(NULL), bytes);
	assert_int_equal(dirty_bytes(), bytes);
	assert_int_equal(hak_page_heap_purge(hak_os_clock_ms(), 1000000, NULL), 0); /* it is young again */
	assert_int_equal(munlock(locked, 1), 0);
	assert_int_equal(hak_page_heap_purge_all(NULL), bytes);
	free_all(is.stay, 3);
}

/* Every second unit of so many is free. */
enum { COMB = 2 * 600, LIMIT = 512 };

static struct hak_span *comb[COMB];

static void make_comb(void)
{
	bool zeroed;
	hak_page_heap_purge_all(NULL);
	for (unsigned i = 0; i < COMB; i++) {
		comb[i] = owned(hak_span_alloc(1, 1, HAK_MAY_GROW, &zeroed));
	}
	for (unsigned i = 0; i < COMB; i += 2) {
		hak_span_free(comb[i], HAK_SPAN_DIRTY);
	}
}

static void free_comb(void)
{
	for (unsigned i = 1; i < COMB; i += 2) {
		hak_span_free(comb[i], HAK_SPAN_DIRTY);
	}
}

static void a_purge_by_the_clock_ends_after_so_many_runs(void **state)
{
	(void)state;
	make_comb();
	uint64_t given = hak_page_heap_purge(UINT64_MAX, 0, NULL);
	assert_int_equal(given, LIMIT << HAK_UNIT_LOG2);
	assert_int_equal(hak_page_heap_purge(UINT64_MAX, 0, NULL), (COMB / 2 - LIMIT) << HAK_UNIT_LOG2);
	free_comb();
}

/* What is purged because the region has no room left is told with the next purge. */
static void what_nobody_could_be_told_is_told_later(void **state)
{
	bool zeroed;
	(void)state;
	make_comb();
	size_t reserved = hak_region.reserved_units;
	hak_region.reserved_units = hak_region.units;
	assert_null(hak_span_alloc((uint32_t)reserved, 1, HAK_MAY_GROW, &zeroed));
	hak_region.reserved_units = reserved;
	purged_bytes = 0;
	purged_start = comb;
	assert_int_equal(hak_page_heap_purge_all(note_purged), 0);
	assert_null(purged_start);
	assert_int_equal(purged_bytes, (COMB / 2) << HAK_UNIT_LOG2);
	free_comb();
}

static void purge_meanwhile(void *start, uint64_t bytes)
{
	(void)start;
	purged_bytes += bytes;
	assert_int_equal(hak_page_heap_purge_all(note_purged), 0);
}

static void one_purges_at_a_time(void **state)
{
	(void)state;
	make_comb();
	purged_bytes = 0;
	assert_int_equal(hak_page_heap_purge_all(purge_meanwhile), (COMB / 2) << HAK_UNIT_LOG2);
	assert_int_equal(purged_bytes, (COMB / 2) << HAK_UNIT_LOG2);
	free_comb();
}

enum { PIECES = 64 };

/* All that is free, without growth. */
static unsigned take_all(struct hak_span **pieces)
{
	unsigned taken = 0;
	bool zeroed;
	for (uint32_t units = (uint32_t)hak_region.units; units != 0;) {
		struct hak_span *piece = hak_span_alloc(units, 1, HAK_NO_GROWTH, &zeroed);
		if (piece) {
			assert_in_range(taken, 0, PIECES - 1);
			pieces[taken++] = owned(piece);
		} else {
			units /= 2;
		}
	}
	return taken;
}

static atomic_bool is_served;
static struct hak_span *awaited;
static pthread_t asker;

static void *ask_for_one(void *argument)
{
	bool zeroed;
	awaited = hak_span_alloc(1, 1, HAK_MAY_GROW, &zeroed);
	atomic_store(&is_served, true);
	return argument;
}

/* Lets another thread ask for what has just been taken out to be given back: one that does not wait is back
 * by the end. */
static void let_another_ask(void *start, uint64_t bytes)
{
	(void)start;
	(void)bytes;
	assert_int_equal(pthread_create(&asker, NULL, ask_for_one, NULL), 0);
	for (unsigned turn = 0; !atomic_load(&is_served) && hak_lock_pause(turn, 50); turn++) {
	}
}

static void an_allocation_awaits_the_purge_of_another_thread(void **state)
{
	struct hak_span *pieces[PIECES];
	(void)state;
	struct islands is = islands_of(1);
	unsigned taken = take_all(pieces);
	size_t reserved = hak_region.reserved_units;
	hak_region.reserved_units = hak_region.units;
	free_all(is.free, 1);
	assert_int_equal(hak_page_heap_purge_all(let_another_ask), HAK_UNIT);
	assert_int_equal(pthread_join(asker, NULL), 0);
	hak_region.reserved_units = reserved;
	assert_ptr_equal(awaited, is.free[0]);
	is.free[0] = owned(awaited);
	free_all(is.free, 2);
	free_all(is.stay, 3);
	free_all(pieces, taken);
}

static void what_is_free_at_the_end_is_grown(void **state)
{
	struct hak_span *pieces[PIECES];
	uint32_t step = (uint32_t)(hak_options.superslab_size >> HAK_UNIT_LOG2);
	bool zeroed;
	(void)state;
	hak_page_heap_purge_all(NULL);
	unsigned taken = take_all(pieces);
	size_t reserved = hak_region.reserved_units;
	hak_region.reserved_units = hak_region.units + 2 * step;
	struct hak_span *half = owned(hak_span_alloc(step, 1, HAK_MAY_GROW, &zeroed));
	hak_span_free(half, HAK_SPAN_DIRTY);
	struct hak_span *whole = owned(hak_span_alloc(2 * step, 1, HAK_MAY_GROW, &zeroed));
	assert_ptr_equal(whole, half);
	assert_true(zeroed);
	assert_int_equal(hak_region.units, hak_region.reserved_units);
	assert_null(hak_span_alloc(1, 1, HAK_MAY_GROW, &zeroed));
	hak_region.reserved_units = reserved;
	hak_span_free(whole, HAK_SPAN_DIRTY);
	free_all(pieces, taken);
}

/* What comes and goes beside it does not make it young. */
static void a_run_is_as_old_as_its_largest_part(void **state)
{
	(void)state;
	bool zeroed;
	hak_page_heap_purge_all(NULL);
	struct hak_span *span = owned(hak_span_alloc(9, 1, HAK_MAY_GROW, &zeroed));
	uint32_t unit = hak_span_unit(span);
	hak_span_free(span, HAK_SPAN_DIRTY);
	hak_span_at(unit)->free.since_ms = 1;
	for (unsigned i = 0; i < 3; i++) {
		span = owned(hak_span_alloc(2, 1, HAK_DIRTY_ONLY, &zeroed));
		assert_int_equal(hak_span_unit(span), unit);
		hak_span_free(span, HAK_SPAN_DIRTY);
		assert_int_equal(hak_span_at(unit)->units, 9);
	}
	assert_int_equal(hak_page_heap_purge(1001, 1000, NULL), 9 << HAK_UNIT_LOG2);
}

static uint64_t dirty_in_child;

/* Another thread forks just now, as it were: the runs of the batch are in no list. */
static void fork_meanwhile(void *start, uint64_t bytes)
{
	(void)start;
	(void)bytes;
	hak_page_heap_fork_lock();
	pid_t child = fork();
	if (child == 0) {
		hak_page_heap_fork_unlock(1);
		_exit(dirty_bytes() == dirty_in_child && hak_page_heap_purge_all(NULL) == dirty_in_child ? 0
													 : 1);
	}
	hak_page_heap_fork_unlock(0);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_fork_child_has_what_was_being_purged(void **state)
{
	(void)state;
	struct islands is = islands_of(3);
	free_all(is.free, 2);
	dirty_in_child = dirty_bytes();
	assert_int_equal(dirty_in_child, 6 << HAK_UNIT_LOG2);
	assert_int_equal(hak_page_heap_purge_all(fork_meanwhile), dirty_in_child);
	free_all(is.stay, 3);
}

/* Where a large block reaches across that place, too. */
static void huge_pages_begin_in_the_middle_of_a_superslab(void **state)
{
	(void)state;
	bool zeroed;
	struct hak_page_heap_stats before, after;
	uint32_t units = (uint32_t)(3 * hak_options.huge_pages_from >> HAK_UNIT_LOG2);
	size_t opened = hak_region.units << HAK_UNIT_LOG2;
	assert_in_range(opened, 0, hak_options.huge_pages_from - 1);
	hak_page_heap_stats(&before);
	struct hak_span *span = owned(hak_span_alloc(units, 1, HAK_MAY_GROW, &zeroed));
	hak_page_heap_stats(&after);
	assert_int_equal((after.superslabs - before.superslabs) * hak_options.superslab_size,
			 after.mapped - before.mapped);
	char *first = (char *)hak_region.base + hak_options.huge_pages_from;
	bool has_huge_pages = access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) == 0;
	assert_int_equal(is_advised_huge(first), has_huge_pages);
	assert_false(is_advised_huge(first - HAK_HUGE_PAGE));
	hak_span_free(span, HAK_SPAN_DIRTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(superslabs_of_a_large_heap_come_with_their_pages),
		cmocka_unit_test(huge_pages_begin_in_the_middle_of_a_superslab),
		cmocka_unit_test(no_unit_is_given_twice),
		cmocka_unit_test(freed_units_join_again),
		cmocka_unit_test(superslabs_hold_pages_until_all_are_given_back),
		cmocka_unit_test(young_runs_keep_their_pages),
		cmocka_unit_test(kept_spans_are_dirty_memory),
		cmocka_unit_test(a_locked_page_keeps_its_own_run_only),
		cmocka_unit_test(a_run_is_as_old_as_its_largest_part),
		cmocka_unit_test(a_purge_by_the_clock_ends_after_so_many_runs),
		cmocka_unit_test(what_nobody_could_be_told_is_told_later),
		cmocka_unit_test(one_purges_at_a_time),
		cmocka_unit_test(what_is_free_at_the_end_is_grown),
		cmocka_unit_test(a_fork_child_has_what_was_being_purged),
		cmocka_unit_test(
			an_allocation_awaits_the_purge_of_another_thread), /* last: no longer one thread */
	};
	hak_init();
	return cmocka_run_group_tests_name("page_heap", tests, NULL, NULL);
}
