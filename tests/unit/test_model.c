/* SPDX-License-Identifier: MIT */
/*
 * The model from arrays of events: given these, when fed, then these numbers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "columns.h"
#include "hakmem_life.h"
#include "model_events.h"
#include "timeline.h"

/* Comes before the rows of classes of its snapshot. */
static void heap(struct hakstat_model *m, uint64_t snapshot, uint64_t committed, uint64_t cached)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_HEAP_STATS);

	e.u.heap_stats = (struct hakstat_event_heap_stats) {
		.snapshot = snapshot, .mapped = 1 << 21, .committed = committed, .cached = cached
	};
	hakstat_model_feed(m, &e);
}

static void sample(struct hakstat_model *m, uint64_t ptr, uint64_t requested, double weight)
{
	static const uint64_t stack[] = { 0x401000, 0x402000 };
	struct hakstat_event e = event(HAKSTAT_EVENT_SAMPLE_ALLOC);

	e.u.op = (struct hakstat_event_op) {
		.ptr = ptr,
		.requested = requested,
		.usable = 8192,
		.class_id = MID_CLASS,
		.route = HAK_ROUTE_MID,
		.weight = weight,
		.stack_id = 7,
		.depth = 2,
		.stack = stack,
	};
	hakstat_model_feed(m, &e);
}

static void sample_free(struct hakstat_model *m, uint64_t ptr)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_SAMPLE_FREE);

	e.u.op = (struct hakstat_event_op) {
		.ptr = ptr, .class_id = MID_CLASS, .weight = 1, .in_session = true
	};
	hakstat_model_feed(m, &e);
}

static void packed_operations_are_counted_exactly(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = {
		word(HAK_WORD_ALLOC, MID_CLASS, HAK_REASON_SIZE_FIT, 0, 1024),
		word(HAK_WORD_ALLOC, MID_CLASS, HAK_REASON_BOUNDARY, 0, 300),
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
		word(HAK_WORD_ALLOC, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 300000),
		303104,
		word(HAK_WORD_FREE, MID_CLASS, HAK_REASON_SIZE_FIT, 0, 1024),
	};
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	ops(m, 0, words, 6);
	s = finish(m);
	assert_int_equal(s->mode, HAKSTAT_MODE_FULL);
	assert_false(s->estimated);
	assert_int_equal(s->operations, 5);
	row = row_of(s, HAKSTAT_BY_CLASS, MID_CLASS);
	assert_int_equal(row->n.allocs, 2);
	assert_int_equal(row->n.frees, 1);
	assert_int_equal(row->n.live, 1);
	assert_int_equal(row->n.requested_bytes, 1324);
	assert_int_equal(row->n.usable_bytes, 2 * 8192);
	assert_int_equal(row->n.live_requested_bytes, 300);
	row = row_of(s, HAKSTAT_BY_CLASS, LARGE_CLASS);
	assert_int_equal(row->n.usable_bytes, 303104);
	assert_int_equal(hakstat_counts_waste(&row->n), 3104);
	assert_int_equal(s->rows[HAKSTAT_BY_ROUTE]->len, 4);
	assert_int_equal(s->rows[HAKSTAT_BY_SIZE]->len, 4);
	hakstat_summary_free(s);
}

static void a_gap_between_batches_is_lost_operations(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000) };
	struct hakstat_summary *s;
	(void)state;

	tables(m);
	ops(m, 5, words, 1);
	ops(m, 6, words, 1);
	ops(m, 17, words, 1);
	ops(m, 0, words, 1); /* another thread with the same id */
	s = finish(m);
	assert_int_equal(s->lost_operations, 10);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS)->n.allocs, 4);
	hakstat_summary_free(s);
}

static void a_batch_that_comes_late_is_not_lost(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
				   word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000) };
	struct hakstat_summary *s;
	(void)state;

	tables(m);
	ops(m, 0, words, 2);
	ops(m, 7, words, 2);
	ops(m, 2, words, 2); /* 2 and 3 of the missing 2..6 */
	ops(m, 9, words, 2);
	s = finish(m);
	assert_int_equal(s->lost_operations, 3);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS)->n.allocs, 8);
	hakstat_summary_free(s);
}

static void a_batch_that_ends_inside_an_operation_is_malformed(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = {
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
		word(HAK_WORD_ALLOC, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 300000),
	};
	struct hakstat_summary *s;
	(void)state;

	tables(m);
	ops(m, 0, words, 2);
	s = finish(m);
	assert_int_equal(s->malformed, 1);
	assert_int_equal(s->lost_operations, 1);
	assert_int_equal(s->operations, 1);
	hakstat_summary_free(s);
}

static void a_resize_changes_what_is_live_and_no_sum(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = {
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600),
		word(HAK_WORD_RESIZE, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
		600,
	};
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	ops(m, 0, words, 3);
	s = finish(m);
	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.allocs, 1);
	assert_int_equal(row->n.requested_bytes, 600);
	assert_int_equal(row->n.live_requested_bytes, 1000);
	hakstat_summary_free(s);
}

static void blocks_older_than_the_trace_have_an_unknown_request(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = {
		word(HAK_WORD_FREE, TINY_CLASS, HAK_REASON_SIZE_FIT, HAK_OP_UNTRACED, 1024),
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
	};
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	stats(m, 0, TINY_CLASS, 1024, 50, 40);
	ops(m, 0, words, 2);
	stats(m, 1, TINY_CLASS, 1024, 51, 41);
	s = finish(m);
	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.live, 10);
	assert_int_equal(row->n.live_unknown, 9);
	assert_int_equal(row->n.live_requested_bytes, 1000);
	assert_int_equal(hakstat_counts_live_waste(&row->n), 24);
	assert_int_equal(row->n.frees, 1);
	hakstat_summary_free(s);
}

static void samples_are_scaled_to_the_exact_counts(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	stats(m, 0, MID_CLASS, 8192, 1000, 0);
	sample(m, 0x1000, 1024, 64);
	sample(m, 0x2000, 3072, 64);
	sample(m, 0x3000, 1024, 64);
	sample(m, 0x4000, 3072, 64);
	sample_free(m, 0x1000);
	sample_free(m, 0x2000);
	stats(m, 1, MID_CLASS, 8192, 1500, 200);
	s = finish(m);
	assert_true(s->estimated);
	assert_int_equal(s->mode, HAKSTAT_MODE_SAMPLE);
	row = row_of(s, HAKSTAT_BY_CLASS, MID_CLASS);
	assert_int_equal(row->n.allocs, 500);
	assert_int_equal(row->n.requested_bytes, 500 * 2048);
	assert_int_equal(row->n.live, 1300);
	assert_int_equal(row->n.live_unknown, 1000); /* older than the trace, and none is known to be gone */
	assert_int_equal(row->n.live_requested_bytes, 300 * 2048);
	assert_true(row->n.v.requested > 0);
	row = g_ptr_array_index(s->rows[HAKSTAT_BY_SITE], 0);
	assert_int_equal(s->rows[HAKSTAT_BY_SITE]->len, 1);
	assert_int_equal(row->n.allocs, 500);
	assert_int_equal(row->stack->len, 2);
	hakstat_summary_free(s);
}

/* A slice is 2^20 ns wide, and the events of one snapshot lie within one of them. */
static void a_class_is_followed_over_time(void **state)
{
	enum { SLICE = 1 << 20 };
	const int64_t start = (now / SLICE + 1) * SLICE;
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_summary *s, *twice = hakstat_summary_new();
	const struct hakstat_row *row;
	GPtrArray *rows;
	(void)state;

	now = start;
	tables(m);
	sample(m, 0x1000, 2048, 64);
	stats(m, 0, MID_CLASS, 8192, 10, 0);
	stats(m, 0, TINY_CLASS, 1024, 4, 0);
	large_stats(m, 0, 0, 0, 0);
	now += 2 * SLICE;
	stats(m, 1, MID_CLASS, 8192, 30, 5);
	large_stats(m, 1, 0, 0, 0);
	s = finish(m);
	rows = hakstat_timeline_rows(s, HAKSTAT_BY_HEAP);
	assert_int_equal(rows->len,
			 6); /* two classes in use, and the slice between holds what the first did */
	row = g_ptr_array_index(rows, 3);
	assert_int_equal(row->class_id, MID_CLASS);
	assert_int_equal(row->time_ns, start + SLICE);
	assert_int_equal(row->n.live_usable_bytes, 10 * 8192);
	row = g_ptr_array_index(rows, 5);
	assert_int_equal(row->n.live_usable_bytes, 25 * 8192);
	assert_int_equal(row->n.live_requested_bytes, 25 * 2048);
	assert_int_equal(row->n.slab_bytes, 65536);
	assert_string_equal(row->class_name, "M8192");
	row = g_ptr_array_index(rows, 4);
	assert_int_equal(row->n.live_unknown, 4); /* no sample of that class */
	g_ptr_array_unref(rows);
	hakstat_summary_merge(twice, s);
	hakstat_summary_merge(twice, s);
	rows = hakstat_timeline_rows(twice, HAKSTAT_BY_HEAP);
	assert_int_equal(rows->len, 6);
	assert_int_equal(((const struct hakstat_row *)rows->pdata[5])->n.live_usable_bytes, 50 * 8192);
	g_ptr_array_unref(rows);
	hakstat_summary_free(twice);
	hakstat_summary_free(s);
}

static void a_class_without_samples_is_unknown_not_nothing(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	stats(m, 0, TINY_CLASS, 1024, 0, 0);
	stats(m, 1, TINY_CLASS, 1024, 30, 0);
	s = finish(m);
	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.allocs, 30);
	assert_int_equal(row->n.unknown_allocs, 30);
	assert_int_equal(row->n.usable_bytes, 30 * 1024);
	assert_int_equal(hakstat_counts_waste(&row->n), 0);
	assert_false(hakstat_column_find(1u << HAKSTAT_BY_CLASS, "requested_bytes")->get(row).is_known);
	assert_false(hakstat_column_find(1u << HAKSTAT_BY_CLASS, "ci95_percent")->get(row).is_known);
	hakstat_summary_free(s);
}

static void counters_that_begin_anew_are_a_new_image(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_summary *s;
	(void)state;

	tables(m);
	stats(m, 0, TINY_CLASS, 1024, 100, 0);
	stats(m, 1, TINY_CLASS, 1024, 160, 0);
	stats(m, 0, TINY_CLASS, 1024, 7, 0);
	stats(m, 1, TINY_CLASS, 1024, 12, 0);
	s = finish(m);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS)->n.allocs, 60 + 5);
	hakstat_summary_free(s);
}

static void events_without_a_process_id_belong_to_the_only_process(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_event e = event(HAKSTAT_EVENT_ALLOC);
	struct hakstat_summary *s;
	(void)state;

	e.has_pid = false;
	e.u.op = (struct hakstat_event_op) {
		.requested = 1000, .usable = 1024, .class_id = TINY_CLASS, .weight = 1
	};
	hakstat_model_feed(m, &e); /* before the process is known */
	tables(m);
	hakstat_model_feed(m, &e); /* and after */
	s = finish(m);
	assert_int_equal(s->rows[HAKSTAT_BY_PROCESS]->len, 1);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS)->n.allocs, 2);
	hakstat_summary_free(s);
}

static void operations_count_once_when_both_forms_are_there(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000) };
	struct hakstat_event e = event(HAKSTAT_EVENT_ALLOC);
	struct hakstat_summary *s;
	(void)state;

	tables(m);
	e.u.op = (struct hakstat_event_op) {
		.requested = 1000, .usable = 1024, .class_id = TINY_CLASS, .weight = 1
	};
	hakstat_model_feed(m, &e);
	ops(m, 0, words, 1);
	s = finish(m);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS)->n.allocs, 1);
	assert_int_equal(s->mode, HAKSTAT_MODE_FULL);
	hakstat_summary_free(s);
}

static void impossible_ids_and_weights_are_left_out(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_event e = event(HAKSTAT_EVENT_ALLOC);
	struct hakstat_summary *s;
	(void)state;

	e.u.op = (struct hakstat_event_op) { .requested = 1, .usable = 8, .class_id = 60000, .weight = 1 };
	hakstat_model_feed(m, &e);
	sample(m, 0x1000, 1024, 0);
	sample(m, 0x1000, 1024, 1e300);
	sample(m, 0x1000, 1024, (double)NAN);
	s = finish(m);
	assert_int_equal(s->malformed, 4);
	assert_int_equal(s->rows[HAKSTAT_BY_CLASS]->len, 0);
	hakstat_summary_free(s);
}

static void feed_stats(struct hakstat_model *m, uint64_t usable, uint64_t live, uint64_t slab_bytes)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);

	e.u.class_stats = (struct hakstat_event_class_stats) {
		.class_id = MID_CLASS, .usable = usable, .live = live, .slab_bytes = slab_bytes
	};
	hakstat_model_feed(m, &e);
}

static void numbers_that_no_machine_has_are_left_out(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = {
		word(HAK_WORD_ALLOC, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 100),
		UINT64_MAX,
		word(HAK_WORD_ALLOC, MID_CLASS, HAK_REASON_SIZE_FIT, 0, 100),
	};
	struct hakstat_event e = event(HAKSTAT_EVENT_HEAP_STATS);
	struct hakstat_summary *s;
	(void)state;

	tables(m);
	feed_stats(m, 8192, UINT64_MAX, 0);
	feed_stats(m, 8192, UINT64_MAX / 8192, 0);
	feed_stats(m, UINT64_C(1) << 63, 0, 0);
	feed_stats(m, 8192, 0, UINT64_MAX);
	e.u.heap_stats.committed = UINT64_MAX - 1;
	hakstat_model_feed(m, &e);
	e = event(HAKSTAT_EVENT_ALLOC);
	e.u.op = (struct hakstat_event_op) { .requested = INT64_MAX, .usable = INT64_MAX, .weight = 1 };
	hakstat_model_feed(m, &e);
	ops(m, 0, words, 3);
	s = finish(m);
	assert_int_equal(s->malformed, 6 + 1);
	assert_int_equal(s->operations, 1);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, MID_CLASS)->n.allocs, 1);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, MID_CLASS)->n.slab_bytes, 0);
	hakstat_summary_free(s);
}

static void feed_lost(struct hakstat_model *m, uint64_t count)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_LOST);

	e.u.lost.count = count;
	hakstat_model_feed(m, &e);
}

static void absurd_counts_of_losses_are_no_counts(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = { word(HAK_WORD_ALLOC, MID_CLASS, HAK_REASON_SIZE_FIT, 0, 100) };
	struct hakstat_summary *s;
	(void)state;

	tables(m);
	feed_lost(m, 5);
	feed_lost(m, (UINT64_C(1) << 63) - 17); /* as LTTng was seen to say */
	feed_lost(m, UINT64_MAX);
	ops(m, 0, words, 1);
	ops(m, UINT64_C(1) << 63, words, 1);
	s = finish(m);
	assert_int_equal(s->lost_events, 5);
	assert_int_equal(s->lost_operations, 0);
	assert_true(s->lost_unknown);
	hakstat_summary_free(s);
}

static void lost_events_add_up_and_unknown_numbers_are_said(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_event e = event(HAKSTAT_EVENT_LOST);
	struct hakstat_summary *s;
	(void)state;

	e.u.lost.count = 12;
	hakstat_model_feed(m, &e);
	e.u.lost.count = 0;
	hakstat_model_feed(m, &e);
	s = finish(m);
	assert_int_equal(s->lost_events, 12);
	assert_true(s->lost_unknown);
	hakstat_summary_free(s);
}

static void another_process_is_left_out_when_one_is_chosen(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = { word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000) };
	struct hakstat_summary *s;
	(void)state;

	hakstat_model_only_pid(m, PID + 1);
	tables(m);
	ops(m, 0, words, 1);
	s = finish(m);
	assert_int_equal(s->events, 0);
	assert_int_equal(s->rows[HAKSTAT_BY_CLASS]->len, 0);
	hakstat_summary_free(s);
}

static void the_kinds_of_memory_add_up(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t come[] = {
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 700),
		word(HAK_WORD_ALLOC, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 300000),
		303104,
	};
	const uint64_t go[] = {
		word(HAK_WORD_FREE, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
		word(HAK_WORD_FREE, LARGE_CLASS, HAK_REASON_ABOVE_MID, 0, 300000),
		303104,
	};
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	heap(m, 0, 65536, 0);
	stats(m, 0, TINY_CLASS, 1024, 10, 7); /* three blocks are older than the trace */
	ops(m, 0, come, 4);
	heap(m, 1, 65536 + 327680 + 131072, 131072);
	stats(m, 1, TINY_CLASS, 1024, 12, 7);
	large_stats(m, 1, 1, 0, 303104);
	ops(m, 4, go, 3);
	heap(m, 2, 65536 + 458752, 458752);
	stats(m, 2, TINY_CLASS, 1024, 12, 8);
	large_stats(m, 2, 1, 1, 0);
	s = finish(m);

	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.live_requested_bytes, 700);
	assert_int_equal(hakstat_counts_live_waste(&row->n), 324);
	assert_int_equal(row->n.live_unknown_bytes, 3 * 1024);
	assert_int_equal(row->n.peak_requested_bytes, 1700);
	assert_int_equal(hakstat_counts_peak_waste(&row->n), 2048 - 1700);
	assert_int_equal(row->n.peak_unknown_bytes, 3 * 1024);
	assert_int_equal(row->n.peak_idle_bytes, 65536 - 5 * 1024);
	row = row_of(s, HAKSTAT_BY_CLASS, LARGE_CLASS);
	assert_int_equal(row->n.peak_requested_bytes, 300000);
	assert_int_equal(row->n.peak_idle_bytes, 0);
	assert_int_equal(s->g.rest_bytes, 0);
	assert_int_equal(s->g.peak_rest_bytes, 327680 - 303104); /* of the large block's span */
	assert_int_equal(s->g.peak_committed_bytes, 65536 + 327680 + 131072);
	assert_int_equal(s->g.peak_cached_bytes, 131072);
	assert_int_equal(s->g.snapshots, 3);
	hakstat_summary_free(s);
}

static void in_fork(struct hakstat_model *m, uint64_t snapshot, uint64_t committed)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_HEAP_STATS);

	e.u.heap_stats = (struct hakstat_event_heap_stats) { .snapshot = snapshot,
							     .committed = committed,
							     .life = HAK_LIFE_FORKED };
	hakstat_model_feed(m, &e);
}

static void a_fork_child_holds_what_it_added(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t words[] = {
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 1000),
	};
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	in_fork(m, 0, 65536); /* LTTng allocates until fork returns */
	stats(m, 0, TINY_CLASS, 1024, 40, 10);
	in_fork(m, 1, 65536);
	stats(m, 1, TINY_CLASS, 1024, 60, 20);
	stats(m, 1, MID_CLASS, 8192, 4, 0);
	ops(m, 0, words, 2);
	heap(m, 2, 65536, 0);
	stats(m, 2, TINY_CLASS, 1024, 62, 20);
	stats(m, 2, MID_CLASS, 8192, 4, 3); /* frees what is its parent's */
	s = finish(m);
	row = row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS);
	assert_int_equal(row->n.live, 2);
	assert_int_equal(row->n.live_requested_bytes, 2000);
	assert_int_equal(row->n.live_unknown_bytes, 0);
	assert_int_equal(row->n.slabs, 0);
	assert_int_equal(row->n.slab_bytes, 2048); /* in its parent's slab */
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, MID_CLASS)->n.live, 0);
	assert_int_equal(s->g.committed_bytes, 2048);
	assert_int_equal(s->g.rest_bytes, 0);
	hakstat_summary_free(s);
}

static void what_lasts_counts_by_its_duration(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);
	struct hakstat_summary *s;
	int64_t begin = e.time_ns;
	(void)state;

	tables(m);
	for (uint64_t i = 0; i < 3; i++) { /* one block at 0 s, three at 2 s, none at 3 s */
		static const uint64_t live[] = { 1, 3, 0 }, seconds[] = { 0, 2, 3 };
		heap(m, i, 65536, 0);
		e.time_ns = begin + (int64_t)(seconds[i] * 1000000000);
		e.u.class_stats = (struct hakstat_event_class_stats) { .snapshot = i,
								       .class_id = TINY_CLASS,
								       .usable = 1024,
								       .allocs = 3,
								       .frees = 3 - live[i],
								       .live = live[i],
								       .slabs = 1,
								       .slab_bytes = 65536 };
		hakstat_model_feed(m, &e);
	}
	s = finish(m);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS)->n.unknown_byte_s,
			 2 * 2 * 1024 + 3 * 1024 / 2);
	assert_int_equal(row_of(s, HAKSTAT_BY_CLASS, TINY_CLASS)->n.idle_byte_s,
			 3 * 65536 - (2 * 2 * 1024 + 3 * 1024 / 2));
	assert_int_equal(s->g.committed_byte_s, 3 * 65536);
	hakstat_summary_free(s);
}

static void a_size_knows_what_is_live_and_what_was_at_the_peak(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	const uint64_t come[] = {
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600),
		word(HAK_WORD_ALLOC, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600),
		word(HAK_WORD_ALLOC, MID_CLASS, HAK_REASON_SIZE_FIT, 0, 5001),
		word(HAK_WORD_ALLOC, MID_CLASS, HAK_REASON_SIZE_FIT, 0, 5003),
	};
	const uint64_t go[] = {
		word(HAK_WORD_FREE, TINY_CLASS, HAK_REASON_SIZE_FIT, 0, 600),
		word(HAK_WORD_FREE, MID_CLASS, HAK_REASON_SIZE_FIT, 0, 5001),
	};
	struct hakstat_summary *s;
	const struct hakstat_row *row;
	(void)state;

	tables(m);
	ops(m, 0, come, 4);
	ops(m, 4, go, 2);
	s = finish(m);
	row = row_of(s, HAKSTAT_BY_SIZE, TINY_CLASS);
	assert_int_equal(row->n.live, 1);
	assert_int_equal(row->n.live_requested_bytes, 600);
	assert_int_equal(row->n.live_usable_bytes, 1024);
	assert_int_equal(row->n.peak_live, 2);
	row = row_of(s, HAKSTAT_BY_SIZE, MID_CLASS); /* two sizes in one row */
	assert_int_equal(row->n.live_requested_bytes, 5003);
	assert_int_equal(row->n.peak_requested_bytes, 10004);
	hakstat_summary_free(s);
}

static void a_process_is_called_as_its_main_thread_is(void **state)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	static const char *const names[] = { "hakmem-trace", "worker", "server", "hakmem-trace" };
	static const uint32_t tids[] = { TID, TID + 1, PID, TID };
	struct hakstat_summary *s;
	(void)state;

	for (int i = 0; i < 4; i++) {
		struct hakstat_event e = event(HAKSTAT_EVENT_ALLOC);
		e.tid = tids[i];
		e.process_name = names[i];
		e.u.op = (struct hakstat_event_op) {
			.requested = 1000, .usable = 1024, .class_id = TINY_CLASS, .weight = 1
		};
		hakstat_model_feed(m, &e);
	}
	s = finish(m);
	row_of(s, HAKSTAT_BY_PROCESS, 0);
	assert_string_equal(
		((struct hakstat_row *)g_ptr_array_index(s->rows[HAKSTAT_BY_PROCESS], 0))->process, "server");
	hakstat_summary_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_operations_are_counted_exactly),
		cmocka_unit_test(a_gap_between_batches_is_lost_operations),
		cmocka_unit_test(a_batch_that_comes_late_is_not_lost),
		cmocka_unit_test(a_batch_that_ends_inside_an_operation_is_malformed),
		cmocka_unit_test(a_resize_changes_what_is_live_and_no_sum),
		cmocka_unit_test(blocks_older_than_the_trace_have_an_unknown_request),
		cmocka_unit_test(samples_are_scaled_to_the_exact_counts),
		cmocka_unit_test(a_class_is_followed_over_time),
		cmocka_unit_test(a_class_without_samples_is_unknown_not_nothing),
		cmocka_unit_test(counters_that_begin_anew_are_a_new_image),
		cmocka_unit_test(events_without_a_process_id_belong_to_the_only_process),
		cmocka_unit_test(operations_count_once_when_both_forms_are_there),
		cmocka_unit_test(impossible_ids_and_weights_are_left_out),
		cmocka_unit_test(numbers_that_no_machine_has_are_left_out),
		cmocka_unit_test(absurd_counts_of_losses_are_no_counts),
		cmocka_unit_test(lost_events_add_up_and_unknown_numbers_are_said),
		cmocka_unit_test(another_process_is_left_out_when_one_is_chosen),
		cmocka_unit_test(the_kinds_of_memory_add_up),
		cmocka_unit_test(a_fork_child_holds_what_it_added),
		cmocka_unit_test(what_lasts_counts_by_its_duration),
		cmocka_unit_test(a_size_knows_what_is_live_and_what_was_at_the_peak),
		cmocka_unit_test(a_process_is_called_as_its_main_thread_is),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
