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

static void count(struct hakstat_tally *tally, const uint64_t *words, uint32_t n, struct hakstat_batch *batch)
{
	struct ops_units packed = ops_units_of(words, n);

	hakstat_tally_ops(tally, packed.words, packed.units, batch);
}

static void the_peak_is_the_most_that_was_live(void **state)
{
	struct hakstat_tally tally = { .is_used = false };
	uint64_t words[6];
	struct hakstat_batch batch = { 0 };
	(void)state;

	tally.block[1] = 64;
	for (int i = 0; i < 3; i++) {
		words[i] = hak_word_pack(HAK_WORD_ALLOC, 1, 0, 0, 0, 0, 60);
		words[3 + i] = hak_word_pack(HAK_WORD_FREE, 1, 0, 0, 0, 0, 60);
	}
	count(&tally, words, 6, &batch);
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
	const uint64_t words[] = {
		hak_word_pack(HAK_WORD_ALLOC, 5, HAK_REASON_ABOVE_MID, 0, 0, 1, 300000),
		303104,
		hak_word_pack(HAK_WORD_RESIZE, 5, HAK_REASON_ABOVE_MID, 0, 0, 1, 302000),
		300000,
		303104,
		hak_word_pack(HAK_WORD_FREE, 5, HAK_REASON_ABOVE_MID, 0, 0, 1, 302000),
		303104,
	};
	const struct hakstat_cell *cell;
	(void)state;

	count(&tally, words, 7, &batch);
	cell = &tally.classes[5]->cells[HAK_REASON_ABOVE_MID];
	assert_int_equal(batch.malformed, 0);
	assert_int_equal(batch.resizes, 1);
	assert_int_equal(cell->requested + (uint64_t)cell->resized - cell->freed_requested, 0);
	assert_int_equal(cell->usable - cell->freed_usable, 0);
	hakstat_tally_clear(&tally);
}

static void an_unknown_kind_ends_its_batch(void **state)
{
	struct hakstat_tally tally = { .is_used = false };
	struct hakstat_batch batch = { 0 };
	const uint64_t words[] = { 3, 3, hak_word_pack(HAK_WORD_ALLOC, 0, 0, 0, 0, 0, 8) };
	(void)state;

	count(&tally, words, 3, &batch);
	assert_int_equal(batch.malformed, 1);
	assert_int_equal(batch.allocs, 0);
	hakstat_tally_clear(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_rise_with_the_size_and_stay_narrow),
		cmocka_unit_test(sizes_far_apart_share_a_class),
		cmocka_unit_test(the_peak_is_the_most_that_was_live),
		cmocka_unit_test(a_resize_of_a_large_block_has_both_words),
		cmocka_unit_test(an_unknown_kind_ends_its_batch),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
