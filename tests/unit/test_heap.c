/* SPDX-License-Identifier: MIT */
/*
 * Totals of allocations and frees: exact at any time, however a block was served. The counts
 * they are made from. What the stacks give back.
 */
#include "heap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "alloc.h"
#include "hakmem.h"
#include "meta.h"
#include "page_heap.h"
#include "slab.h"

enum { SLOTS = 12, OPERATIONS = 5000 };

/* Fills and empties slots at random and compares the totals of the size's bin after each step. */
static void count_while_used(size_t size)
{
	void *slots[SLOTS] = { NULL };
	uint64_t before[3], now[3], allocs = 0, frees = 0;
	hak_free(hak_malloc(size)); /* makes the heap */
	unsigned bin = size > HAK_WIDE_MAX ? hak_bin_big(size) : hak_bin_of(size);
	hak_heap_totals(bin, &before[0], &before[1], &before[2]);
	for (int i = 0; i < OPERATIONS; i++) {
		void **slot = &slots[rand() % SLOTS];
		if (*slot) {
			hak_free(*slot);
			*slot = NULL;
			frees++;
		} else {
			*slot = hak_malloc(size);
			assert_non_null(*slot);
			allocs++;
		}
		hak_heap_totals(bin, &now[0], &now[1], &now[2]);
		assert_int_equal(now[0] - before[0], allocs);
		assert_int_equal(now[1] - before[1], frees);
	}
	for (int i = 0; i < SLOTS; i++) {
		hak_free(slots[i]);
	}
}

static void totals_are_exact_after_each_operation(void **state)
{
	static const size_t sizes[] = { 8, 100, 1000, 20000, 32769, 65536, 100000, 262144, 262145, 2 << 20 };
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		count_while_used(sizes[i]);
	}
}

enum { READINGS = 3000000, LIVE = 8 };
static _Atomic(unsigned) readings;

/* Reads all along what another thread counts; 0, or the number of readings that cannot have been so. */
static void *read_totals(void *bin_of_it)
{
	unsigned bin = *(const unsigned *)bin_of_it;
	uint64_t had[3], now[3];
	uintptr_t wrong = 0;
	hak_heap_totals(bin, &had[0], &had[1], &had[2]);
	while (atomic_fetch_add(&readings, 1) < READINGS) {
		hak_heap_totals(bin, &now[0], &now[1], &now[2]);
		/* An allocation that is under way may show as one that was freed again. */
		wrong += now[0] - now[1] > LIVE || now[0] < had[0] || now[1] + 1 < had[1];
		had[0] = now[0];
		had[1] = now[1];
	}
	return (void *)wrong;
}

static void totals_of_a_busy_thread_fit_together(void **state)
{
	void *slots[LIVE] = { NULL }, *wrong;
	unsigned bin = hak_bin_of(3000);
	pthread_t reader;
	(void)state;
	hak_free(hak_malloc(3000));
	assert_int_equal(pthread_create(&reader, NULL, read_totals, &bin), 0);
	for (unsigned i = 0; atomic_load(&readings) < READINGS; i = i * 5 + 1) {
		void **slot = &slots[i / 16 % LIVE];
		hak_free(*slot);
		*slot = hak_malloc(3000);
	}
	assert_int_equal(pthread_join(reader, &wrong), 0);
	assert_null(wrong);
	for (int i = 0; i < LIVE; i++) {
		hak_free(slots[i]);
	}
}

static const int32_t amounts[] = { 1, 2, 3, 4095, 1 << 20, HAK_ENDED_BIT - 1 };
enum { AMOUNTS = sizeof amounts / sizeof amounts[0] };

static void a_guarded_count_lets_pass_as_many_as_it_says(void **state)
{
	(void)state;
	for (int i = 0; i < AMOUNTS; i++) {
		int32_t first = HAK_GUARDED + amounts[i] - 1, last = HAK_GUARDED, ended = HAK_GUARDED - 1;
		assert_true(first < 0 && hak_bin_is_guarded(&first));
		assert_true(last < 0 && hak_bin_is_guarded(&last));
		assert_true(ended < 0 && !hak_bin_is_guarded(&ended));
		assert_int_equal(hak_bin_left(HAK_GUARDED + amounts[i]), amounts[i]);
		assert_int_equal(hak_bin_left(last), 0);
		assert_int_equal(hak_bin_left(ended), 0);
	}
}

static void a_plain_count_that_has_ended_is_not_guarded(void **state)
{
	(void)state;
	for (int i = 0; i < AMOUNTS; i++) {
		int32_t below = -amounts[i];
		assert_true(!hak_bin_is_guarded(&below));
		assert_int_equal(hak_bin_left(below), 0);
		assert_int_equal(hak_bin_left(amounts[i]), amounts[i]);
	}
}

static void a_ceiling_says_who_has_room(void **state)
{
	void *slots[4];
	(void)state;
	for (int i = 0; i <= 4; i++) {
		struct hak_bin plain = { .top = slots + i, .ceiling = (intptr_t)(slots + 4) };
		struct hak_bin guarded = { .top = slots + i, .ceiling = -(intptr_t)(slots + 4) };
		struct hak_bin none = { .top = slots + i };
		assert_int_equal(hak_bin_has_room(&plain), i < 4);
		assert_int_equal(hak_bin_has_guarded_room(&guarded), i < 4);
		assert_false(hak_bin_has_guarded_room(&plain) || hak_bin_has_room(&guarded));
		assert_false(hak_bin_has_guarded_room(&none) || hak_bin_has_room(&none));
	}
}

static uint64_t with_pages(void)
{
	struct hak_page_heap_stats stats;
	hak_page_heap_stats(&stats);
	return stats.used + stats.dirty;
}

/* A program that grew a buffer and freed it goes on with many small blocks: they get its memory. */
static void a_growing_class_gets_unused_large_blocks(void **state)
{
	enum { SLABS = 8, FIRST = 2 };
	static void *blocks[SLABS * 16];
	unsigned bin = hak_bin_of(5120);
	unsigned count = SLABS * hak_class_map.geometry[bin].capacity;
	(void)state;
	assert_in_range(count, 1, sizeof blocks / sizeof blocks[0]);
	hak_heap_flush();
	hak_page_heap_purge_all(NULL);
	for (size_t size = HAK_WIDE_MAX + 1; size <= HAK_BLOCK_MAX; size += size / 4) {
		hak_free(hak_malloc(size));
	}
	uint64_t before = with_pages();
	for (unsigned i = 0; i < count; i++) {
		blocks[i] = hak_malloc(5120);
		assert_non_null(blocks[i]);
	}
	assert_in_range(with_pages(), before, before + FIRST * HAK_UNIT);
	for (unsigned i = 0; i < count; i++) {
		hak_free(blocks[i]);
	}
}

static uint64_t slabs_of(unsigned bin)
{
	struct hak_slab_stats stats;
	hak_slab_stats(bin, &stats);
	return stats.slabs;
}

/* A class that is used no more holds no slabs with what is cached of it, once others need memory. */
static void a_growing_heap_gets_what_lies_idle(void **state)
{
	enum { IDLE = 4099, STRIDE = 1031, MOST = 1 << 16 };
	static void *idle[IDLE], *growing[MOST];
	unsigned bin = hak_bin_of(320);
	(void)state;
	hak_heap_flush();
	hak_page_heap_purge_all(NULL);
	for (unsigned i = 0; i < IDLE; i++) {
		idle[i] = hak_malloc(320);
		assert_non_null(idle[i]);
	}
	uint64_t slabs = slabs_of(bin);
	assert_true(slabs > 16);
	for (unsigned i = 0; i < IDLE; i++) { /* all over, so that each slab has some on the stack */
		hak_free(idle[i * STRIDE % IDLE]);
	}
	assert_true(slabs_of(bin) > slabs / 2);
	/* Twice: what has not been used from one time to the next is idle. */
	size_t mapped = hak_region_units() + 2 * (hak_options.superslab_size >> HAK_UNIT_LOG2);
	unsigned count = 0;
	while (hak_region_units() < mapped && count < MOST) {
		growing[count] = hak_malloc(4096);
		assert_non_null(growing[count]);
		count++;
	}
	assert_in_range(slabs_of(bin), 0, 1);
	while (count) {
		hak_free(growing[--count]);
	}
}

/* Leaves many blocks of a class in its depot, and memory that holds no pages beside them. */
static void fill_depot(void)
{
	enum { FREED = 7000 };
	static void *blocks[FREED];
	hak_heap_flush();
	hak_page_heap_purge_all(NULL);
	void *large = hak_malloc((size_t)2 << 20);
	for (unsigned i = 0; i < FREED; i++) {
		blocks[i] = hak_malloc(1280);
		assert_non_null(blocks[i]);
	}
	for (unsigned i = 0; i < FREED; i++) {
		hak_free(blocks[i]);
	}
	hak_free(large);
	hak_page_heap_purge_all(NULL);
}

static void what_depots_hold_serves_before_unused_pages(void **state)
{
	enum { TAKEN = 1000, SLACK = 4 };
	static void *blocks[TAKEN];
	(void)state;
	fill_depot();
	uint64_t before = with_pages();
	for (unsigned i = 0; i < TAKEN; i++) {
		blocks[i] = hak_malloc(5120);
		assert_non_null(blocks[i]);
		assert_in_range(with_pages(), 0, before + SLACK * HAK_UNIT);
	}
	for (unsigned i = 0; i < TAKEN; i++) {
		hak_free(blocks[i]);
	}
}

static void what_depots_hold_serves_large_blocks(void **state)
{
	(void)state;
	fill_depot();
	uint64_t before = with_pages();
	void *large = hak_malloc((size_t)1 << 20);
	assert_non_null(large);
	assert_in_range(with_pages(), 0, before);
	hak_free(large);
}

enum { STEPS = 40 };

/* A thread that takes its blocks in turn with another one. */
struct taker {
	pthread_barrier_t *turn;
	bool is_second;
	char *blocks[STEPS];
};

static void *take_in_turn(void *arg)
{
	struct taker *t = arg;
	for (unsigned step = 0; step < 2 * STEPS; step++) {
		pthread_barrier_wait(t->turn);
		if (step % 2 == t->is_second) {
			t->blocks[step / 2] = hak_malloc(400);
		}
	}
	return NULL;
}

static void threads_that_take_few_blocks_are_no_neighbours(void **state)
{
	pthread_barrier_t turn;
	pthread_t threads[2];
	struct taker takers[2] = { { .turn = &turn }, { .turn = &turn, .is_second = true } };
	(void)state;
	assert_int_equal(pthread_barrier_init(&turn, NULL, 2), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, take_in_turn, &takers[i]), 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	for (unsigned i = 0; i < STEPS; i++) {
		for (unsigned k = 1; k < STEPS; k++) {
			bool is_above = takers[0].blocks[i] > takers[1].blocks[0];
			assert_int_equal(takers[0].blocks[i] > takers[1].blocks[k], is_above);
		}
	}
	for (unsigned i = 0; i < STEPS; i++) {
		hak_free(takers[0].blocks[i]);
		hak_free(takers[1].blocks[i]);
	}
	pthread_barrier_destroy(&turn);
}

static void *take_one_block(void *turn)
{
	void *block = hak_malloc(500);
	pthread_barrier_wait(turn);
	pthread_barrier_wait(turn);
	hak_free(block);
	return NULL;
}

static void many_threads_hold_few_blocks_each(void **state)
{
	enum { THREADS = 64, EACH = 16 };
	pthread_barrier_t turn;
	pthread_t threads[THREADS];
	struct hak_slab_stats before, after;
	unsigned bin = hak_bin_of(500);
	(void)state;
	hak_slab_stats(bin, &before);
	assert_int_equal(pthread_barrier_init(&turn, NULL, THREADS + 1), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, take_one_block, &turn), 0);
	}
	pthread_barrier_wait(&turn);
	hak_slab_stats(bin, &after);
	assert_in_range(after.out - before.out, THREADS, THREADS * EACH);
	pthread_barrier_wait(&turn);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	pthread_barrier_destroy(&turn);
}

/* Whose blocks all fit on its stacks. */
static void a_quiet_thread_gives_memory_back_all_the_same(void **state)
{
	enum { MOST = 200000000 }; /* seconds: the clock is looked at four times in one */
	struct hak_page_heap_stats stats;
	bool zeroed;
	(void)state;
	int64_t delay_ms = hak_options.purge_delay_ms;
	hak_free(hak_malloc(100));
	struct hak_span *span = hak_span_alloc(40, 1, HAK_MAY_GROW, &zeroed);
	assert_non_null(span);
	hak_span_free(span, HAK_SPAN_DIRTY);
	hak_options.purge_delay_ms = 0;
	unsigned pairs = 0;
	do {
		hak_free(hak_malloc(100));
		hak_page_heap_stats(&stats);
	} while (stats.dirty != 0 && ++pairs < MOST);
	hak_options.purge_delay_ms = delay_ms;
	assert_in_range(pairs, 0, MOST - 1);
}

/*
 * A signal handler may ask, or end the process, whose own thread holds a lock or is changing the counts: then
 * nobody will have done with them. The locks are taken here as before a fork.
 */
static void readers_do_not_wait_for_their_own_thread(void **state)
{
	static struct hakmem_class_stats classes[HAK_BINS];
	struct hakmem_heap_stats heap;
	uint64_t totals[3];
	unsigned bin = hak_bin_of(100);
	(void)state;
	hak_free(hak_malloc(100));

	hak_heap_write_begin(hak_heap_get());
	assert_false(hak_heap_totals(bin, &totals[0], &totals[1], &totals[2]));
	hak_heap_write_end(hak_heap_get());

	hak_slab_fork_lock();
	hak_page_heap_fork_lock();
	hak_meta_fork_lock();
	hakmem_stats_heap(&heap);
	assert_true(heap.metadata != 0 && heap.mapped != 0);
	assert_int_equal(hakmem_stats_classes(classes, HAK_BINS), hak_class_map.table.count + 1);
	hak_meta_fork_unlock(0);
	hak_page_heap_fork_unlock(0);
	hak_slab_fork_unlock(0);

	hak_heap_fork_lock();
	assert_int_equal(hakmem_stats_classes(classes, HAK_BINS), 0);
	hak_heap_fork_unlock(0);
	assert_true(hak_heap_totals(bin, &totals[0], &totals[1], &totals[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_are_exact_after_each_operation),
		cmocka_unit_test(totals_of_a_busy_thread_fit_together),
		cmocka_unit_test(readers_do_not_wait_for_their_own_thread),
		cmocka_unit_test(a_growing_class_gets_unused_large_blocks),
		cmocka_unit_test(a_growing_heap_gets_what_lies_idle),
		cmocka_unit_test(what_depots_hold_serves_before_unused_pages),
		cmocka_unit_test(what_depots_hold_serves_large_blocks),
		cmocka_unit_test(a_guarded_count_lets_pass_as_many_as_it_says),
		cmocka_unit_test(a_plain_count_that_has_ended_is_not_guarded),
		cmocka_unit_test(a_ceiling_says_who_has_room),
		cmocka_unit_test(threads_that_take_few_blocks_are_no_neighbours),
		cmocka_unit_test(many_threads_hold_few_blocks_each),
		cmocka_unit_test(a_quiet_thread_gives_memory_back_all_the_same),
	};
	hak_init();
	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
