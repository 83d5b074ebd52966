/* SPDX-License-Identifier: MIT */
/*
 * What was asked for of the blocks that a snapshot counts, when the batches that tell it come later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "model_events.h"
#include "number.h"

/* A thread writes its operations when its batch is full: after a snapshot that counts them, for instance. */
static void operations_that_come_after_a_snapshot_belong_to_it_as_far_as_it_counts(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t first[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000) };
	const uint64_t straddling[] = {
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 700),
		word(HAK_WORD_ALLOC, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 300000),
		303104,
		word(HAK_WORD_FREE, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
		word(HAK_WORD_RESIZE, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 500000),
		300000,
		503808,
		/* From here on it is later than the snapshot. */
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600),
		word(HAK_WORD_FREE, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 500000),
		503808,
	};
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	stats(m, 0, TINY_CLASS, 1024, 10, 7);
	large_stats(m, 0, 0, 0, 0);
	ops(m, 0, first, 1);
	stats(m, 1, TINY_CLASS, 1024, 12, 8);
	large_stats(m, 1, 1, 0, 503808);
	ops(m, 1, straddling, 10);
	stats(m, 2, TINY_CLASS, 1024, 13, 8);
	large_stats(m, 2, 1, 1, 0);
	s = finish(m);

	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.peak_live, 4);
	assert_int_equal(row->n.peak_requested_bytes, 700);
	assert_int_equal(row->n.peak_unknown_bytes, 3 * 1024); /* older than the trace */
	assert_true(row->n.peak_v.requested == 0);
	row = row_of(s, HAKSTAT_BY_CLASS, LARGE_CLASS);
	assert_int_equal(row->n.peak_requested_bytes, 500000);
	assert_int_equal(hakstat_counts_peak_waste(&row->n), 3808);
	assert_int_equal(row->n.peak_unknown_bytes, 0);
	hakstat_summary_free(s);
}

/* Whose operations the snapshot counts is not known: what they asked for lies in an interval. */
static void late_operations_of_two_threads_leave_a_doubt(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t small[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600) };
	const uint64_t big[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
				 word(HAK_WORD_FREE, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
				 word(HAK_WORD_FREE, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600) };
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	stats(m, 0, TINY_CLASS, 1024, 0, 0);
	large_stats(m, 0, 0, 0, 0);
	stats(m, 1, TINY_CLASS, 1024, 1, 0);
	large_stats(m, 1, 0, 0, 0);
	ops(m, 0, small, 1);
	ops_of_thread(m, TID + 1, 0, big, 3);
	stats(m, 2, TINY_CLASS, 1024, 2, 2);
	large_stats(m, 2, 0, 0, 0);
	s = finish(m);

	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.peak_live, 1);
	assert_int_equal(row->n.peak_requested_bytes, 600);
	assert_true(hakstat_half_width(row->n.peak_v.requested) >= 400);
	hakstat_summary_free(s);
}

/* A large block that was resized has other bytes than those that were told. */
static void what_the_snapshot_has_and_no_operation_tells_is_unknown(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = { word(HAK_WORD_ALLOC, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 300000),
				   303104 };
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	large_stats(m, 0, 0, 0, 0);
	ops(m, 0, words, 2);
	large_stats(m, 1, 1, 0, 3002368);
	s = finish(m);

	row = row_of(s, HAKSTAT_BY_CLASS, LARGE_CLASS);
	assert_int_equal(row->n.peak_requested_bytes, 300000);
	assert_int_equal(hakstat_counts_peak_waste(&row->n), 3104);
	assert_int_equal(row->n.peak_unknown_bytes, 3002368 - 303104);
	assert_int_equal(hakstat_counts_live_waste(&row->n), 3104);
	hakstat_summary_free(s);
}

/* The trace ends before a thread has written what it freed last. */
static void sizes_hold_no_more_blocks_than_the_last_snapshot_counts(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
				   word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
				   word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
				   word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600) };
	struct hakstat_counts sizes = { 0 };
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	stats(m, 0, TINY_CLASS, 1024, 0, 0);
	ops(m, 0, words, 4);
	stats(m, 1, TINY_CLASS, 1024, 4, 2);
	s = finish(m);

	for (guint i = 0; i < s->rows[HAKSTAT_BY_SIZE]->len; i++) {
		row = g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], i);
		hakstat_counts_add(&sizes, &row->n);
	}
	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.live, 2);
	assert_int_equal(sizes.allocs, 4);
	assert_int_equal(sizes.live, row->n.live);
	assert_int_equal(sizes.live_requested_bytes, row->n.live_requested_bytes);
	assert_int_equal(sizes.live_usable_bytes, row->n.live_usable_bytes);
	hakstat_summary_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_that_come_after_a_snapshot_belong_to_it_as_far_as_it_counts),
		cmocka_unit_test(late_operations_of_two_threads_leave_a_doubt),
		cmocka_unit_test(what_the_snapshot_has_and_no_operation_tells_is_unknown),
		cmocka_unit_test(sizes_hold_no_more_blocks_than_the_last_snapshot_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
