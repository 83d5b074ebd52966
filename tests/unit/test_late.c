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

#include "hakmem_ops_word.h"
#include "hakmem_route_list.h"
#include "model.h"
#include "number.h"
#include "ops_units.h"

enum { PID = 100, TID = 101, TINY_CLASS = 0, LARGE_CLASS = 11 };

static int64_t now = 1000000000;

static struct hakstat_event event(enum hakstat_event_kind kind)
{
	struct hakstat_event e = { .kind = kind, .has_pid = true, .pid = PID, .tid = TID };

	e.time_ns = now += 1000;
	return e;
}

static void class_info(struct hakstat_model *m, uint32_t id, uint32_t route, const char *name,
		       uint64_t usable)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_INFO);

	e.u.class_info = (struct hakstat_event_class_info) { id, route, name, usable, usable / 2, usable };
	hakstat_model_feed(m, &e);
}

static void tables(struct hakstat_model *m)
{
	class_info(m, TINY_CLASS, HAK_ROUTE_TINY, "C7", 1024);
	class_info(m, LARGE_CLASS, HAK_ROUTE_LARGE, "large", 0);
}

static void stats(struct hakstat_model *m, uint64_t snapshot, uint32_t id, uint64_t usable, uint64_t allocs,
		  uint64_t frees)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);

	e.u.class_stats = (struct hakstat_event_class_stats) {
		.snapshot = snapshot,
		.class_id = id,
		.route = HAK_ROUTE_TINY,
		.usable = usable,
		.allocs = allocs,
		.frees = frees,
		.live = allocs - frees,
		.slabs = 1,
		.slab_bytes = 65536,
	};
	hakstat_model_feed(m, &e);
}

static void large_stats(struct hakstat_model *m, uint64_t snapshot, uint64_t allocs, uint64_t frees,
			uint64_t bytes)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);

	e.u.class_stats = (struct hakstat_event_class_stats) { .snapshot = snapshot,
							       .class_id = LARGE_CLASS,
							       .route = HAK_ROUTE_LARGE,
							       .allocs = allocs,
							       .frees = frees,
							       .live = allocs - frees,
							       .slab_bytes = bytes };
	hakstat_model_feed(m, &e);
}

static void ops_of_thread(struct hakstat_model *m, uint32_t tid, uint64_t first, const uint64_t *words,
			  uint32_t count)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_OPS);
	struct ops_units packed = ops_units_of(words, count);

	e.tid = tid;
	e.u.ops = (struct hakstat_event_ops) { first, packed.operations, packed.units, packed.count,
					       packed.words };
	hakstat_model_feed(m, &e);
}

static void ops(struct hakstat_model *m, uint64_t first, const uint64_t *words, uint32_t count)
{
	ops_of_thread(m, TID, first, words, count);
}

static const struct hakstat_row *row_of(const struct hakstat_summary *s, enum hakstat_table_id table,
					uint32_t class_id)
{
	for (guint i = 0; i < s->rows[table]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(s->rows[table], i);
		if (row->class_id == class_id) {
			return row;
		}
	}
	fail_msg("no row of class %u by %s", class_id, hakstat_table_name(table));
	return NULL;
}

static uint64_t word(enum hak_word_kind kind, unsigned class_id, unsigned reason, unsigned flags,
		     uint64_t requested)
{
	return hak_word_pack(kind, class_id, reason, flags, 0, class_id == LARGE_CLASS, requested);
}

static struct hakstat_summary *finish(struct hakstat_model *m)
{
	struct hakstat_summary *s = hakstat_model_finish(m);

	hakstat_model_free(m);
	return s;
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_that_come_after_a_snapshot_belong_to_it_as_far_as_it_counts),
		cmocka_unit_test(late_operations_of_two_threads_leave_a_doubt),
		cmocka_unit_test(what_the_snapshot_has_and_no_operation_tells_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
