/* SPDX-License-Identifier: MIT */
/* Blocks of a slab and magazines of a depot: given once, counted, never lost. */
#include "slab.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "alloc.h"
#include "depot.h"
#include "meta.h"
#include "options.h"
#include "os.h"
#include "proc_memory.h"

enum { BATCH = 100, MANY = 20000, SLABS = 3 };

static unsigned bin_for(size_t size)
{
	return hak_bin_aligned(size, 1);
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (void *const *)a, y = (uintptr_t) * (void *const *)b;
	return (x > y) - (x < y);
}

/* Takes `n` blocks and checks that they are apart and in their slabs. */
static void take_all(unsigned bin, enum hak_slab_kind kind, void **blocks, unsigned n)
{
	uint32_t block = hak_class_map.geometry[bin].block;
	for (unsigned got = 0; got < n;) {
		unsigned ask = n - got < BATCH ? n - got : BATCH;
		unsigned some = hak_slab_take(bin, kind, HAK_MAY_GROW, blocks + got, ask);
		assert_in_range(some, 1, ask);
		got += some;
	}
	qsort(blocks, n, sizeof *blocks, by_address);
	for (unsigned i = 0; i < n; i++) {
		struct hak_span *slab = hak_slab_of(blocks[i]);
		assert_non_null(slab);
		assert_int_equal(slab->bin, bin);
		assert_int_not_equal(hak_slab_block(slab, blocks[i]), UINT32_MAX);
		assert_true(i == 0 || (char *)blocks[i - 1] + block <= (char *)blocks[i]);
		assert_int_equal(hak_region.map[hak_unit_of(blocks[i])].bin,
				 kind == HAK_SLAB_SAMPLED ? 0 : bin);
	}
}

static void blocks_are_apart_and_come_back(void **state)
{
	static void *blocks[MANY + 10];
	(void)state;
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		struct hak_slab_stats before, stats;
		size_t block = hak_class_map.geometry[bin].block;
		unsigned n = block < 4096 ? MANY / (1 + (unsigned)block / 64) + 10 : 40;
		hak_slab_stats(bin, &before);
		for (unsigned kind = 0; kind < HAK_SLAB_KINDS; kind++) {
			take_all(bin, (enum hak_slab_kind)kind, blocks, n);
			hak_slab_stats(bin, &stats);
			assert_int_equal(stats.out, before.out + n);
			hak_slab_give(bin, blocks, n / 2);
			hak_slab_give(bin, blocks + n / 2, n - n / 2);
		}
		hak_slab_stats(bin, &stats);
		assert_int_equal(stats.out, before.out);
		assert_true(stats.slabs <= before.slabs + 1);
	}
}

static void bytes_between_blocks_are_no_block(void **state)
{
	void *blocks[3];
	(void)state;
	unsigned bin = bin_for(300);
	assert_int_equal(hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_MAY_GROW, blocks, 3), 3);
	struct hak_span *slab = hak_slab_of(blocks[0]);
	for (uint32_t i = 1; i < hak_class_map.geometry[bin].block; i++) {
		assert_int_equal(hak_slab_block(slab, (char *)blocks[0] + i), UINT32_MAX);
	}
	hak_slab_give(bin, blocks, 3);
}

/* The signal that a child ended with after giving these blocks. */
static int signal_of_giving(unsigned bin, void *const *blocks, unsigned n)
{
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		signal(SIGABRT, SIG_DFL); /* cmocka's handler would go on with its tests */
		close(STDERR_FILENO);
		hak_slab_give(bin, blocks, n);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void misuse_ends_the_process(void **state)
{
	void *blocks[3];
	(void)state;
	unsigned bin = bin_for(64);
	assert_int_equal(hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_MAY_GROW, blocks, 3), 3);
	void *twice[] = { blocks[1], blocks[1] }, *inside[] = { (char *)blocks[0] + 16 };
	assert_int_equal(signal_of_giving(bin, blocks, 1), 0);
	assert_int_equal(signal_of_giving(bin, twice, 2), SIGABRT);
	assert_int_equal(signal_of_giving(bin, inside, 1), SIGABRT);
	assert_int_equal(signal_of_giving(bin + 1, blocks, 1), SIGABRT);
	hak_slab_give(bin, blocks, 3);
}

/* Takes all blocks of `n` slabs and touches none; the pages that the last slab has from its first block on.
 */
static unsigned pages_of_slab(unsigned bin, unsigned n, void **blocks)
{
	unsigned capacity = hak_class_map.geometry[bin].capacity, pages = 0;
	for (unsigned slab = 0; slab < n; slab++, blocks += capacity) {
		assert_int_equal(hak_slab_take(bin, HAK_SLAB_ALIGNED, HAK_MAY_GROW, blocks, 1), 1);
		const struct hak_span *taken = hak_slab_of(blocks[0]);
		pages = (unsigned)pages_in_memory(hak_span_start(taken), hak_span_bytes(taken));
		for (unsigned i = 1; i < capacity; i++) {
			assert_int_equal(hak_slab_take(bin, HAK_SLAB_ALIGNED, HAK_MAY_GROW, blocks + i, 1),
					 1);
		}
	}
	return pages;
}

static void give_slabs(unsigned bin, unsigned n, void **blocks)
{
	for (unsigned slab = 0; slab < n; slab++) {
		hak_slab_give(bin, blocks + (size_t)slab * hak_class_map.geometry[bin].capacity,
			      hak_class_map.geometry[bin].capacity);
	}
}

static void pages_that_cannot_be_had_are_not_missed(void **state)
{
	void *closed;
	(void)state;
	assert_int_equal(hak_os_reserve(hak_os_page_size(), &closed), 0);
	errno = ERANGE;
	hak_os_populate(closed, hak_os_page_size());
	assert_int_equal(errno, ERANGE);
	hak_os_unmap(closed, hak_os_page_size());
}

/* Few slabs of a class, or blocks that may never be touched as a whole, cost no page before its time. */
static void slabs_that_will_be_used_up_get_their_pages_at_once(void **state)
{
	enum { FEW = 14, SURE = 18 };
	static void *blocks[MANY];
	unsigned small = bin_for(256), large = bin_for(5120);
	(void)state;
	if (!kernel_populates()) {
		skip();
	}
	assert_in_range(hak_class_map.geometry[small].capacity * SURE, 1, MANY);
	hak_page_heap_purge_all(NULL);
	assert_int_equal(pages_of_slab(small, FEW, blocks), 0);
	give_slabs(small, FEW, blocks);
	hak_page_heap_purge_all(NULL);
	unsigned pages = pages_of_slab(small, SURE, blocks);
	assert_int_equal(pages, hak_span_bytes(hak_slab_of(blocks[0])) / hak_os_page_size());
	give_slabs(small, SURE, blocks);
	hak_page_heap_purge_all(NULL);
	assert_int_equal(pages_of_slab(large, SURE, blocks), 0);
	give_slabs(large, SURE, blocks);
}

/* In a large heap not one slab's pages, but a superslab's, which others take as well. */
static void sure_slabs_fetch_a_superslab(void **state)
{
	enum { SURE = 18, LARGE = 8 };
	static void *blocks[MANY];
	unsigned bin = bin_for(256);
	struct hak_page_heap_stats stats;
	bool zeroed;
	(void)state;
	hak_page_heap_purge_all(NULL);
	hak_page_heap_stats(&stats);
	/* Several times what is open and unused. */
	uint64_t bytes = LARGE * (hak_options.superslab_size + stats.mapped - stats.used);
	struct hak_span *large = hak_span_alloc((uint32_t)(bytes >> HAK_UNIT_LOG2), 1, HAK_MAY_GROW, &zeroed);
	assert_non_null(large);
	hak_span_set_kind(large, HAK_SPAN_BUSY);
	pages_of_slab(bin, SURE, blocks);
	hak_page_heap_stats(&stats);
	assert_true(stats.dirty > 0);
	assert_int_equal(hak_slab_of(blocks[0])->is_bare, true);
	assert_int_equal(hak_slab_of(blocks[(SURE - 1) * hak_class_map.geometry[bin].capacity])->is_bare,
			 false);
	give_slabs(bin, SURE, blocks);
	hak_span_free(large, HAK_SPAN_CLEAN);
}

/* To ask the kernel for pages that are there is a system call for nothing. */
static void slabs_of_used_memory_are_taken_as_they_are(void **state)
{
	enum { SURE = 18 };
	static void *blocks[MANY];
	unsigned bin = bin_for(256);
	bool zeroed;
	(void)state;
	hak_page_heap_purge_all(NULL);
	struct hak_span *used =
		hak_span_alloc(SURE * hak_class_map.geometry[bin].slab_units, 1, HAK_MAY_GROW, &zeroed);
	assert_non_null(used);
	assert_true(zeroed);
	hak_span_set_kind(used, HAK_SPAN_BUSY);
	hak_span_free(used, HAK_SPAN_DIRTY);
	assert_int_equal(pages_of_slab(bin, SURE, blocks), 0);
	give_slabs(bin, SURE, blocks);
}

/* Which pages of a slab hold none of the `n` blocks. */
static void find_free_pages(const struct hak_span *slab, void *const *blocks, unsigned n, bool *is_free)
{
	uintptr_t start = (uintptr_t)hak_span_start(slab), page = hak_os_page_size();
	size_t pages = hak_span_bytes(slab) / page, block = hak_class_map.geometry[slab->bin].block;
	memset(is_free, true, pages);
	for (unsigned i = 0; i < n; i++) {
		if (hak_slab_of(blocks[i]) == slab) {
			size_t first = ((uintptr_t)blocks[i] - start) / page;
			size_t last = ((uintptr_t)blocks[i] + block - 1 - start) / page;
			memset(is_free + first, false, last - first + 1);
		}
	}
}

/* Of a slab whose blocks were all written to: what is free lost its pages, where two or more lie together. */
static void assert_purged(const struct hak_span *slab, void *const *kept, unsigned n)
{
	enum { MOST_PAGES = 256 };
	unsigned char resident[MOST_PAGES];
	bool is_free[MOST_PAGES + 2] = { false };
	size_t pages = hak_span_bytes(slab) / hak_os_page_size();
	assert_in_range(pages, 1, MOST_PAGES);
	find_free_pages(slab, kept, n, is_free + 1);
	assert_int_equal(hak_os_resident(hak_span_start(slab), hak_span_bytes(slab), resident), 0);
	for (size_t i = 0; i < pages; i++) {
		if (!is_free[i + 1]) {
			assert_true(resident[i] & 1);
		} else if (is_free[i] || is_free[i + 2]) {
			assert_false(resident[i] & 1);
		}
	}
}

/* Writes to all blocks of some slabs, gives them back but for few, and fills these with a pattern. Returns
 * how many. */
static unsigned scatter(unsigned bin, void **blocks, void **kept)
{
	enum { KEEP_EVERY = 20000 /* bytes */ };
	size_t block = hak_class_map.geometry[bin].block;
	unsigned capacity = hak_class_map.geometry[bin].capacity, n = SLABS * capacity, given = 0, keeps = 0;
	take_all(bin, HAK_SLAB_PLAIN, blocks, n);
	for (unsigned i = 0; i < n; i++) {
		memset(blocks[i], 0xa5, block);
	}
	for (unsigned i = 0; i < n; i++) {
		if (i % capacity == 1 % capacity || i % (KEEP_EVERY / block + 1) == 0) {
			kept[keeps] = blocks[i];
			memset(blocks[i], (int)(keeps++ & 0xff), block);
		} else {
			blocks[given++] = blocks[i];
		}
	}
	hak_slab_give(bin, blocks, given);
	return keeps;
}

static void idle_slabs_give_back_their_free_pages(void **state)
{
	static const size_t sizes[] = { 48, 256, 1280, 5120, 16384 };
	static void *blocks[MANY], *kept[MANY];
	(void)state;
	for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
		unsigned bin = bin_for(sizes[at]), keeps = scatter(bin, blocks, kept);
		hak_slab_purge_idle();
		for (unsigned i = 0; i + keeps < SLABS * hak_class_map.geometry[bin].capacity; i++) {
			assert_int_equal(*(unsigned char *)blocks[i], 0xa5); /* in use until just now */
		}
		assert_true(hak_slab_purge_idle() > 0);
		for (unsigned i = 0; i < keeps; i++) {
			const unsigned char *kept_block = kept[i];
			assert_int_equal(kept_block[0], i & 0xff);
			assert_memory_equal(kept_block, kept_block + 1, sizes[at] - 1);
			assert_purged(hak_slab_of(kept[i]), kept, keeps);
		}
		assert_int_equal(hak_slab_purge_idle(), 0); /* once is enough */
		hak_slab_give(bin, kept, keeps);
	}
}

/* As huge pages are worth more than what is free in them. */
static void fetched_slabs_keep_their_pages(void **state)
{
	enum { TAKEN = 24, LARGE = 8 };
	static void *blocks[MANY], *kept[TAKEN];
	unsigned bin = bin_for(256), capacity = hak_class_map.geometry[bin].capacity, fetched = 0;
	bool zeroed;
	(void)state;
	struct hak_span *large = hak_span_alloc(
		(uint32_t)(LARGE * hak_options.superslab_size >> HAK_UNIT_LOG2), 1, HAK_MAY_GROW, &zeroed);
	assert_non_null(large);
	hak_span_set_kind(large, HAK_SPAN_BUSY);
	assert_in_range(TAKEN * capacity, 1, MANY);
	for (unsigned slab = 0; slab < TAKEN; slab++) {
		void **first = blocks + (size_t)slab * capacity;
		take_all(bin, HAK_SLAB_PLAIN, first, capacity);
		for (unsigned i = 0; i < capacity; i++) {
			memset(first[i], 0xa5, 256);
		}
		kept[slab] = first[0];
	}
	for (unsigned slab = 0; slab < TAKEN; slab++) {
		hak_slab_give(bin, blocks + (size_t)slab * capacity + 1, capacity - 1);
	}
	assert_true(hak_slab_purge_idle() + hak_slab_purge_idle() > 0);
	for (unsigned slab = 0; slab < TAKEN; slab++) {
		const struct hak_span *span = hak_slab_of(kept[slab]);
		size_t n = hak_span_bytes(span) / hak_os_page_size();
		size_t resident = pages_in_memory(hak_span_start(span), hak_span_bytes(span));
		bool is_huge = hak_region_is_for_huge_pages(kept[slab]);
		fetched += is_huge;
		assert_in_range(resident, is_huge ? n : 1, is_huge ? n : n / 2);
	}
	assert_in_range(fetched, 1, TAKEN - 1);
	hak_slab_give(bin, kept, TAKEN);
	hak_span_free(large, HAK_SPAN_CLEAN);
}

static void what_must_stay_is_not_given_back(void **state)
{
	static void *blocks[MANY], *kept[MANY];
	unsigned bin = bin_for(256), keeps = scatter(bin, blocks, kept);
	(void)state;
	hak_options.secure = true; /* free blocks hold marks */
	assert_int_equal(hak_slab_purge_idle() + hak_slab_purge_idle(), 0);
	hak_options.secure = false;
	int64_t delay_ms = hak_options.purge_delay_ms;
	hak_options.purge_delay_ms = -1;
	assert_int_equal(hak_slab_purge_idle() + hak_slab_purge_idle(), 0);
	hak_options.purge_delay_ms = delay_ms;
	__libc_single_threaded = 0; /* others would be stopped */
	assert_int_equal(hak_slab_purge_idle() + hak_slab_purge_idle(), 0);
	__libc_single_threaded = 1;
	size_t units = hak_region.units;
	hak_region.units = ((size_t)64 << 20 >> HAK_UNIT_LOG2) + 1; /* not worth it in a large heap */
	assert_int_equal(hak_slab_purge_idle() + hak_slab_purge_idle(), 0);
	hak_region.units = units;
	hak_slab_give(bin, kept, keeps);
}

/* The system gives locked memory back to nobody. What is free stays so, and what is not keeps what it holds.
 */
static void locked_pages_stay(void **state)
{
	static void *blocks[MANY], *kept[MANY];
	unsigned bin = bin_for(256), keeps = scatter(bin, blocks, kept);
	struct hak_span *slab = hak_slab_of(kept[0]);
	(void)state;
	hak_slab_purge_idle();
	assert_true(hak_slab_purge_idle() > 0); /* those of the tests before; ours is used below */
	hak_slab_give(bin, kept + 1, keeps - 1);
	if (mlock(hak_span_start(slab), hak_span_bytes(slab)) != 0) {
		hak_slab_give(bin, kept, 1);
		skip();
	}
	hak_slab_purge_idle();
	errno = ERANGE;
	assert_int_equal(hak_slab_purge_idle(), 0);
	assert_int_equal(errno, ERANGE);
	munlock(hak_span_start(slab), hak_span_bytes(slab));
	assert_int_equal(*(unsigned char *)kept[0], 0);
	hak_slab_give(bin, kept, 1);
}

/* --- depots ----------------------------------------------------------------------------- */

static void magazines_hold_what_they_promise(void **state)
{
	(void)state;
	for (unsigned blocks = 1; blocks <= HAK_MAGAZINE_MAX; blocks++) {
		struct hak_magazine *m = hak_magazine_new(blocks);
		assert_non_null(m);
		assert_true(m->capacity >= blocks && m->count == 0);
		hak_magazine_free(m);
	}
}

/* Each listed block takes a pointer, which for small blocks is a good part of the block. */
static void a_depot_lists_small_blocks_within_bounds(void **state)
{
	enum { LISTS = 4000, MOST_LISTED = 512 << 10 };
	unsigned bin = bin_for(8);
	(void)state;
	for (unsigned i = 0; i < LISTS; i++) {
		struct hak_magazine *m = hak_magazine_new(HAK_MAGAZINE_MAX);
		assert_non_null(m);
		m->count = hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_MAY_GROW, m->slots, HAK_MAGAZINE_MAX);
		assert_in_range(m->count, 1, HAK_MAGAZINE_MAX);
		hak_depot_push(bin, m);
	}
	assert_in_range(hak_depot_blocks(bin), 1, MOST_LISTED / sizeof(void *));
	hak_depot_trim(bin, true);
	assert_int_equal(hak_depot_blocks(bin), 0);
}

enum { THREADS = 4, ROUNDS = 30000 };

/* Each block carries a mark of who has it: two holders at once would see each other's. */
static void *exchange(void *argument)
{
	unsigned bin = *(unsigned *)argument;
	uint64_t me = (uint64_t)pthread_self();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct hak_magazine *m = hak_depot_pop(bin);
		if (!m) {
			m = hak_magazine_new(14);
			m->count = hak_slab_take(bin, HAK_SLAB_PLAIN, HAK_MAY_GROW, m->slots, 14);
		}
		for (unsigned i = 0; i < m->count; i++) {
			*(volatile uint64_t *)m->slots[i] = me + i;
		}
		for (unsigned i = 0; i < m->count; i++) {
			if (*(volatile uint64_t *)m->slots[i] != me + i) {
				return m;
			}
		}
		hak_depot_push(bin, m);
		if (round % 5000 == 0) {
			hak_depot_trim(bin, round % 10000 == 0);
		}
	}
	return NULL;
}

static void a_magazine_has_one_owner(void **state)
{
	pthread_t threads[THREADS];
	struct hak_slab_stats before, after;
	unsigned bin = bin_for(3000);
	void *found;
	(void)state;
	hak_slab_stats(bin, &before);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, exchange, &bin), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &found);
		assert_null(found);
	}
	hak_slab_stats(bin, &after);
	assert_int_equal(hak_depot_blocks(bin), after.out - before.out);
	hak_depot_trim(bin, true);
	hak_slab_stats(bin, &after);
	assert_int_equal(hak_depot_blocks(bin), 0);
	assert_int_equal(after.out, before.out);
}

/* --- records of the allocator's own ------------------------------------------------------- */

static void records_are_zeroed_aligned_and_apart(void **state)
{
	void *records[64];
	(void)state;
	for (size_t bytes = 1; bytes <= (size_t)1 << 20; bytes = bytes * 3 / 2 + 1) {
		for (unsigned round = 0; round < 2; round++) {
			for (unsigned i = 0; i < 4; i++) {
				unsigned char *p = records[i] = hak_meta_alloc(bytes);
				assert_non_null(p);
				assert_int_equal((uintptr_t)p % 64, 0);
				assert_true(p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0);
				memset(p, (int)i + 1, bytes);
			}
			for (unsigned i = 0; i < 4; i++) {
				unsigned char *p = records[i];
				assert_true(p[0] == i + 1 && memcmp(p, p + 1, bytes - 1) == 0);
				hak_meta_free(p, bytes);
			}
		}
	}
	assert_null(hak_meta_alloc(((size_t)1 << 20) + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_slabs_give_back_their_free_pages), /* while the heap is small */
		cmocka_unit_test(fetched_slabs_keep_their_pages),
		cmocka_unit_test(what_must_stay_is_not_given_back),
		cmocka_unit_test(locked_pages_stay),
		cmocka_unit_test(blocks_are_apart_and_come_back),
		cmocka_unit_test(bytes_between_blocks_are_no_block),
		cmocka_unit_test(misuse_ends_the_process),
		cmocka_unit_test(slabs_that_will_be_used_up_get_their_pages_at_once),
		cmocka_unit_test(slabs_of_used_memory_are_taken_as_they_are),
		cmocka_unit_test(pages_that_cannot_be_had_are_not_missed),
		cmocka_unit_test(magazines_hold_what_they_promise),
		cmocka_unit_test(a_depot_lists_small_blocks_within_bounds),
		cmocka_unit_test(a_magazine_has_one_owner),
		cmocka_unit_test(records_are_zeroed_aligned_and_apart),
		cmocka_unit_test(sure_slabs_fetch_a_superslab), /* makes the heap large */
	};
	hak_init();
	return cmocka_run_group_tests_name("slab", tests, NULL, NULL);
}
