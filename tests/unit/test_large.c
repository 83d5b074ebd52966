/* SPDX-License-Identifier: MIT */
/* Large blocks: in spans and in mappings of their own, resized in place and by moving pages. */
#include "large.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "alloc.h"
#include "direct.h"
#include "page_heap.h"
#include "proc_memory.h"

#define MIB ((size_t)1 << 20)

static void write_pages(unsigned char *p, size_t bytes, unsigned char mark)
{
	for (size_t i = 0; i < bytes; i += 4096) {
		p[i] = (unsigned char)(mark + i / 4096);
	}
}

static void expect_pages(const unsigned char *p, size_t bytes, unsigned char mark)
{
	for (size_t i = 0; i < bytes; i += 4096) {
		assert_int_equal(p[i], (unsigned char)(mark + i / 4096));
	}
}

static void any_alignment_is_kept(void **state)
{
	(void)state;
	for (size_t alignment = 8192; alignment <= (size_t)4 << 30; alignment *= 2) {
		void *p = hak_aligned_alloc(alignment, 100), *q = hak_aligned_alloc(alignment, 3 * MIB);
		assert_non_null(p);
		assert_non_null(q);
		assert_int_equal(((uintptr_t)p | (uintptr_t)q) & (alignment - 1), 0);
		hak_free(p);
		hak_free(q);
	}
}

static void contents_survive_every_resize(void **state)
{
	static const size_t sizes[] = { 300000,	      5 * MIB, 1 * MIB, 70 * MIB,
					70 * MIB + 1, 600000,  2000,	9 * MIB };
	(void)state;
	unsigned char *p = hak_malloc(sizes[0]);
	size_t size = sizes[0];
	write_pages(p, size, 1);
	for (size_t i = 1; i < sizeof sizes / sizeof sizes[0]; i++) {
		void *behind = hak_malloc(400000); /* in the way of growing in place */
		p = hak_realloc(p, sizes[i]);
		assert_non_null(p);
		expect_pages(p, size < sizes[i] ? size : sizes[i], (unsigned char)i);
		size = sizes[i];
		write_pages(p, size, (unsigned char)(i + 1));
		hak_free(behind);
	}
	hak_free(p);
}

/* A process may have some 65000 mappings; moved pages must not use them up. */
static void moved_pages_leave_no_mappings_behind(void **state)
{
	enum { BLOCKS = 64, ROUNDS = 6000 };
	static unsigned char *p[BLOCKS];
	static size_t size[BLOCKS];
	uint64_t random = 88172645463325252u;
	(void)state;
	unsigned before = count_mappings();
	for (unsigned round = 0; round < ROUNDS; round++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		unsigned k = random % BLOCKS;
		size_t bytes = 300000 + (random >> 20) % 1000000;
		p[k] = hak_realloc(p[k], bytes);
		assert_non_null(p[k]);
		expect_pages(p[k], size[k] < bytes ? size[k] : bytes, (unsigned char)k);
		size[k] = bytes;
		write_pages(p[k], bytes, (unsigned char)k);
	}
	for (unsigned k = 0; k < BLOCKS; k++) {
		hak_free(p[k]);
	}
	assert_in_range(count_mappings(), 1, before + 100);
}

static uint64_t dirty_bytes(void)
{
	struct hak_page_heap_stats stats;
	hak_page_heap_stats(&stats);
	return stats.dirty;
}

/* Of which the program wrote each page. */
static void expect_given_up(const unsigned char *p, size_t units)
{
	assert_null(hak_large_of(p));
	for (size_t i = 0; i < units * HAK_UNIT; i += 4096) {
		assert_int_equal(p[i], 0);
	}
}

enum { UNITS = 10, BEHIND = 6, SLACK = 3 * 4096 };

/* With 0xff from before in all of its units, and *behind right behind them. */
static unsigned char *block_before_another(size_t size, void **behind)
{
	hak_trim();
	unsigned char *p = hak_malloc((UNITS + BEHIND) * HAK_UNIT);
	memset(p, 0xff, (UNITS + BEHIND) * HAK_UNIT);
	hak_free(p);
	unsigned char *q = hak_malloc(size);
	*behind = hak_malloc(BEHIND * HAK_UNIT);
	assert_ptr_equal(q, p);
	return q;
}

/* Moving their pages would split the huge ones. */
static void small_blocks_in_huge_pages_are_not_moved(void **state)
{
	(void)state;
	void *behind;
	size_t from = hak_options.huge_pages_from;
	unsigned char *q = block_before_another(UNITS * HAK_UNIT, &behind);
	hak_options.huge_pages_from = 0; /* as if their place had been opened for some */
	assert_null(hak_large_resize(q, 2 * UNITS * HAK_UNIT));
	void *large = hak_malloc(8 * MIB);
	void *resized = hak_large_resize(large, 64 * MIB);
	hak_options.huge_pages_from = from;
	assert_non_null(resized);
	unsigned char *moved = hak_large_resize(q, 2 * UNITS * HAK_UNIT);
	assert_non_null(moved);
	assert_ptr_not_equal(moved, q);
	hak_free(resized);
	hak_free(moved);
	hak_free(behind);
}

/* Nothing holds pages there, so nobody may take it for memory that is used already. */
static void what_moved_pages_leave_is_clean(void **state)
{
	(void)state;
	void *behind;
	size_t size = UNITS * HAK_UNIT - SLACK;
	unsigned char *q = block_before_another(size, &behind);
	assert_int_equal(q[size], 0xff); /* from before */
	uint64_t dirty = dirty_bytes();
	unsigned char *first = hak_realloc(q, 20 * HAK_UNIT);
	assert_ptr_not_equal(first, q);
	expect_given_up(q, UNITS);
	write_pages(first, 20 * HAK_UNIT, 1);
	unsigned char *second = first;
	for (size_t units = 20; second == first; units *= 2) {
		second = hak_realloc(first, 2 * units * HAK_UNIT); /* in place while there is room behind */
	}
	expect_given_up(first, 20);
	expect_pages(second, 20 * HAK_UNIT, 1);
	assert_ptr_equal(hak_realloc(second, 15 * HAK_UNIT), second);
	expect_given_up(second + 15 * HAK_UNIT, 5);
	assert_int_equal(dirty_bytes(), dirty);
	hak_free(second);
	hak_free(behind);
}

/* Locked memory cannot be given back: what it held may still be there. */
static void what_cannot_be_given_back_stays_dirty(void **state)
{
	(void)state;
	void *behind;
	size_t size = UNITS * HAK_UNIT - SLACK;
	unsigned char *q = block_before_another(size, &behind);
	if (mlock(q + size, SLACK) != 0) {
		hak_free(q);
		hak_free(behind);
		skip();
	}
	uint64_t dirty = dirty_bytes();
	unsigned char *moved = hak_realloc(q, 20 * HAK_UNIT);
	assert_ptr_not_equal(moved, q);
	assert_int_equal(dirty_bytes(), dirty + UNITS * HAK_UNIT);
	assert_int_equal(q[size], 0xff);
	munlock(q + size, SLACK);
	hak_free(moved);
	hak_free(behind);
}

static void calloc_zeroes_what_was_used_before(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		size_t bytes = 1000 + round * 20011;
		unsigned char *p = hak_calloc(1, bytes);
		assert_non_null(p);
		assert_true(p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0);
		memset(p, 0xff, bytes);
		hak_free(p);
		if (round % 3 == 0) {
			hak_trim();
		}
	}
}

/* What the region has no room for. */
static void direct_blocks_live_in_their_table(void **state)
{
	enum { BLOCKS = 600 };
	static unsigned char *p[BLOCKS];
	(void)state;
	size_t page = hak_os_page_size();
	for (unsigned i = 0; i < BLOCKS; i++) {
		size_t alignment = page << i % 12;
		p[i] = hak_direct_new((1 + i % 5) * page, alignment);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % alignment, 0);
		assert_int_equal(hak_direct_of(p[i])->usable, (1 + i % 5) * page);
		assert_int_equal(p[i][0], 0);
		p[i][0] = (unsigned char)i;
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		assert_null(hak_direct_of(p[i] + 16));
		if (i % 2) {
			p[i] = hak_direct_resize(p[i], (3 + i % 7) * page);
			assert_non_null(p[i]);
			assert_int_equal(hak_direct_of(p[i])->usable, (3 + i % 7) * page);
		}
		assert_int_equal(p[i][0], (unsigned char)i);
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		assert_true(hak_direct_delete(p[i]) != 0);
		assert_null(hak_direct_of(p[i]));
		assert_int_equal(hak_direct_delete(p[i]), 0);
	}
}

static void counters_return_to_where_they_were(void **state)
{
	uint64_t blocks, bytes, blocks_after, bytes_after;
	(void)state;
	hak_large_stats(&blocks, &bytes);
	void *p = hak_malloc(2 * MIB), *q = hak_aligned_alloc((size_t)1 << 30, MIB);
	p = hak_realloc(p, 7 * MIB);
	p = hak_realloc(p, MIB);
	hak_large_stats(&blocks_after, &bytes_after);
	assert_int_equal(blocks_after, blocks + 2);
	assert_int_equal(bytes_after, bytes + 2 * MIB);
	hak_free(p);
	hak_free(q);
	hak_large_stats(&blocks_after, &bytes_after);
	assert_int_equal(blocks_after, blocks);
	assert_int_equal(bytes_after, bytes);
}

/* A realloc that could only get a block of the same class has nothing to gain from moving. */
static void a_block_without_a_smaller_class_stays(void **state)
{
	(void)state;
	for (unsigned bin = 2; bin <= hak_class_map.table.count; bin++) {
		size_t smallest = hak_class_map.geometry[bin - 1].block + 1;
		void *p = hak_malloc(hak_class_map.geometry[bin].block);
		assert_ptr_equal(hak_realloc(p, smallest), p);
		hak_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_alignment_is_kept),
		cmocka_unit_test(contents_survive_every_resize),
		cmocka_unit_test(moved_pages_leave_no_mappings_behind),
		cmocka_unit_test(small_blocks_in_huge_pages_are_not_moved),
		cmocka_unit_test(what_moved_pages_leave_is_clean),
		cmocka_unit_test(what_cannot_be_given_back_stays_dirty),
		cmocka_unit_test(calloc_zeroes_what_was_used_before),
		cmocka_unit_test(direct_blocks_live_in_their_table),
		cmocka_unit_test(counters_return_to_where_they_were),
		cmocka_unit_test(a_block_without_a_smaller_class_stays),
	};
	hak_init();
	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
