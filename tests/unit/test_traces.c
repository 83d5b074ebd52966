/* SPDX-License-Identifier: MIT */
/*
 * Several traces in one report: which are the same, and whose processes are whose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "model.h"

enum { PID = 34, TINY_CLASS = 0 };

/* What `count` allocations of process PID came to in a trace that begins at `begin_ns`. */
static struct hakstat_summary *trace(const char *id, int64_t begin_ns, int count)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	struct hakstat_event e = {
		.kind = HAKSTAT_EVENT_ALLOC,
		.has_pid = true,
		.pid = PID,
		.tid = PID,
		.process_name = "program",
		.trace_id = id,
		.session_id = id,
		.u.op = { .class_id = TINY_CLASS, .requested = 100, .usable = 128, .weight = 1 },
	};
	struct hakstat_summary *s;

	for (int i = 0; i < count; i++) {
		e.time_ns = begin_ns + i;
		hakstat_model_feed(m, &e);
	}
	s = hakstat_model_finish(m);
	hakstat_model_free(m);
	return s;
}

static void processes_of_two_traces_are_two_whatever_their_ids(void **state)
{
	struct hakstat_summary *all = trace("a", 1000, 3), *other = trace("b", 5000, 4);
	(void)state;

	assert_int_equal(hakstat_summary_overlap(all, other), HAKSTAT_OVERLAP_NONE);
	hakstat_summary_merge(all, other);
	assert_int_equal(all->rows[HAKSTAT_BY_PROCESS]->len, 2);
	assert_int_equal(all->rows[HAKSTAT_BY_THREAD]->len, 2);
	assert_int_equal(all->traces->len, 2);
	hakstat_summary_free(other);
	hakstat_summary_free(all);
}

static void the_same_trace_is_found_again(void **state)
{
	struct hakstat_summary *all = trace("a", 1000, 3), *other = trace("b", 5000, 4);
	struct hakstat_summary *again = trace("b", 5000, 4), *shorter = trace("b", 5000, 2);
	struct hakstat_summary *later = trace("b", 6000, 4); /* as lttng-rotate(1) leaves it */
	(void)state;

	hakstat_summary_merge(all, other);
	assert_int_equal(hakstat_summary_overlap(all, again), HAKSTAT_OVERLAP_SAME);
	assert_int_equal(hakstat_summary_overlap(again, all), HAKSTAT_OVERLAP_PART);
	assert_int_equal(hakstat_summary_overlap(all, shorter), HAKSTAT_OVERLAP_PART);
	assert_int_equal(hakstat_summary_overlap(all, later), HAKSTAT_OVERLAP_NONE);
	hakstat_summary_free(all);
	hakstat_summary_free(other);
	hakstat_summary_free(again);
	hakstat_summary_free(shorter);
	hakstat_summary_free(later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_of_two_traces_are_two_whatever_their_ids),
		cmocka_unit_test(the_same_trace_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
