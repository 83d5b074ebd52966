/* SPDX-License-Identifier: MIT */
/*
 * Buckets of request sizes, and operations counted one by one and packed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "hakmem_ops_word.h"
#include "hakmem_route_list.h"
#include "ops_units.h"
#include "tally.h"

static void buckets_rise_with_the_size_and_stay_narrow(void **state)
{
	uint64_t first = 0; /* smallest size of the current bucket */
	(void)state;

	for (uint64_t size = 1; size < 300000; size++) {
		uint32_t before = hakstat_bucket_of(size - 1);
		uint32_t bucket = hakstat_bucket_of(size);
		assert_in_range(bucket, before, before + 1);
		if (bucket != before) {
			first = size;
		}
		assert_true(size <= HAKSTAT_EXACT_SIZES ? bucket == size
							: (size - first) * HAKSTAT_SUB_BUCKETS <= size);
	}
	assert_true(hakstat_bucket_of(UINT64_MAX) < HAKSTAT_BUCKETS);
	for (unsigned shift = 13; shift < 64; shift++) { /* a power of two ends a bucket: it may be a block */
		uint64_t size = UINT64_C(1) << shift;
		assert_int_equal(hakstat_bucket_of(size) + 1, hakstat_bucket_of(size + 1));
	}
}

static void sizes_far_apart_share_a_class(void **state)
{
	struct hakstat_tally tally = { .is_used = false };
	static const uint64_t sizes[] = { 5000, 3, 100000, 4096, 0 };
	uint64_t found = 0;
	(void)state;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		hakstat_tally_alloc(&tally,
				    &(struct hakstat_tally_op) { .requested = sizes[i], .weight = 1 });
	}
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		const struct hakstat_class_tally *c = tally.classes[0];
		found += c->buckets[hakstat_bucket_of(sizes[i]) - c->base].allocs;
	}
	assert_int_equal(found, 5);
	assert_int_equal(tally.classes[0]->cells[0].min, 0);
	assert_int_equal(tally.classes[0]->cells[0].max, 100000);
	hakstat_tally_clear(&tally);
}

static void count(struct hakstat_tally *tally, uint64_t *moving, const uint64_t *words, uint32_t n,
		  struct hakstat_batch *batch)
{
	struct ops_units packed = ops_units_of(words, n);

	hakstat_tally_ops(tally, moving, packed.words, packed.units, batch);
}

static void the_peak_is_the_most_that_was_live(void **state)
{
	struct hakstat_tally tally = { .is_used = false };
	uint64_t words[6];
	struct hakstat_batch batch = { 0 };
	uint64_t moving = 0;
	(void)state;

	tally.block[1] = 64;
	for (int i = 0; i < 3; i++) {
		words[i] = hak_word_pack(HAK_WORD_ALLOC, 1, 0, 0, 0, 0, 60);
		words[3 + i] = hak_word_pack(HAK_WORD_FREE, 1, 0, 0, 0, 0, 60);
	}
	count(&tally, &moving, words, 6, &batch);
	assert_int_equal(tally.peak_bytes, 192);
	assert_int_equal(tally.live_bytes, 0);
	assert_int_equal(batch.allocs, 3);
	assert_int_equal(batch.frees, 3);
	assert_int_equal(batch.requested, 180);
	hakstat_tally_clear(&tally);
}

static void a_resize_of_a_large_block_has_both_words(void **state)
{
	struct hakstat_tally tally = { .is_used = false };
	struct hakstat_batch batch = { 0 };
	uint64_t moving = 0;
	const uint64_t words[] = {
		hak_word_pack(HAK_WORD_ALLOC, 5, HAK_REASON_ABOVE_MID, 0, 0, 1, 300000),
		303104,
		hak_word_pack(HAK_WORD_RESIZE, 5, HAK_REASON_ABOVE_MID, 0, 0, 1, 602000),
		300000,
		602112,
		hak_word_pack(HAK_WORD_FREE, 5, HAK_REASON_ABOVE_MID, 0, 0, 1, 602000),
		602112,
	};
	const struct hakstat_cell *cell;
	(void)state;

	count(&tally, &moving, words, 7, &batch);
	cell = &tally.classes[5]->cells[HAK_REASON_ABOVE_MID];
	assert_int_equal(batch.malformed, 0);
	assert_int_equal(batch.resizes, 1);
	assert_int_equal(cell->requested + (uint64_t)cell->resized - cell->freed_requested, 0);
	assert_int_equal(cell->usable + (uint64_t)cell->regrown - cell->freed_usable, 0);
	assert_int_equal(tally.peak_bytes, 602112);
	assert_int_equal(tally.live_bytes, 0);
	hakstat_tally_clear(&tally);
}

static void an_unknown_kind_ends_its_batch(void **state)
{
	struct hakstat_tally tally = { .is_used = false };
	struct hakstat_batch batch = { 0 };
	uint64_t moving = 0;
	const uint64_t words[] = { 3, 3, hak_word_pack(HAK_WORD_ALLOC, 0, 0, 0, 0, 0, 8) };
	(void)state;

	count(&tally, &moving, words, 3, &batch);
	assert_int_equal(batch.malformed, 1);
	assert_int_equal(batch.allocs, 0);
	hakstat_tally_clear(&tally);
}

static void reallocs_are_kept_with_both_sizes(void **state)
{
	struct hakstat_tally tally = { .is_used = false };
	struct hakstat_batch batch = { 0 };
	uint64_t moving = 0;
	const uint64_t words[] = {
		hak_word_pack(HAK_WORD_ALLOC, 1, 0, 0, 0, 0, 40),
		hak_word_pack(HAK_WORD_RESIZE, 1, 0, 0, 0, 0, 60),
		40,
		hak_word_pack(HAK_WORD_ALLOC, 2, 0, HAK_OP_RESIZE, 0, 0, 100), /* moves, over two batches: */
		hak_word_pack(HAK_WORD_FREE, 1, 0, HAK_OP_RESIZE, 0, 0, 60),
		hak_word_pack(HAK_WORD_FREE, 2, 0, 0, 0, 0, 100), /* no part of a move */
	};
	const struct hakstat_resize *r;
	unsigned seen = 0;
	(void)state;

	tally.block[1] = 64;
	tally.block[2] = 128;
	count(&tally, &moving, words, 4, &batch);
	count(&tally, &moving, words + 4, 2, &batch);
	assert_int_equal(tally.resizes.used, 2);
	for (uint32_t i = 0; i < tally.resizes.capacity; i++) {
		r = &tally.resizes.entries[i];
		seen += r->key == hakstat_resize_key(40, 60) && r->stayed == 1 && r->moved == 0;
		seen += r->key == hakstat_resize_key(60, 100) && r->stayed == 0 && r->moved == 1;
	}
	assert_int_equal(seen, 2);
	hakstat_tally_clear(&tally);
}

static void sizes_of_resizes_are_as_exact_as_any_table(void **state)
{
	static const uint64_t edges[] = { 8, 16, 1024, 4096, 8192, 131072, 262144 };
	(void)state;

	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
		for (uint64_t size = edges[i] - 1; size <= edges[i] + 1; size++) {
			uint32_t key = hakstat_resize_key(size, edges[i]);
			uint64_t from = hakstat_resize_from(key);
			assert_true(hakstat_resize_index(size) < HAKSTAT_RESIZE_INDEXES);
			assert_int_equal(hakstat_resize_index(from), hakstat_resize_index(size));
			assert_true(from >= size && from - size <= (size > 4096 ? size / 64 : 7));
			if (edges[i] <= 4096) {
				assert_true((from < edges[i]) == (size < edges[i])); /* classic's edge */
				assert_true((from <= edges[i]) == (size <= edges[i]));
			}
			assert_int_equal(hakstat_resize_to(key), edges[i]);
		}
	}
}

static void each_index_of_resizes_has_a_size_of_its_own(void **state)
{
	(void)state;

	for (uint32_t i = 1; i < HAKSTAT_RESIZE_INDEXES; i++) {
		assert_int_equal(hakstat_resize_index(hakstat_resize_to(i)), i);
	}
	assert_int_equal(hakstat_resize_index(UINT64_MAX), HAKSTAT_RESIZE_INDEXES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_rise_with_the_size_and_stay_narrow),
		cmocka_unit_test(sizes_far_apart_share_a_class),
		cmocka_unit_test(the_peak_is_the_most_that_was_live),
		cmocka_unit_test(a_resize_of_a_large_block_has_both_words),
		cmocka_unit_test(an_unknown_kind_ends_its_batch),
		cmocka_unit_test(reallocs_are_kept_with_both_sizes),
		cmocka_unit_test(sizes_of_resizes_are_as_exact_as_any_table),
		cmocka_unit_test(each_index_of_resizes_has_a_size_of_its_own),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
