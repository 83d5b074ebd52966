/* SPDX-License-Identifier: MIT */
/*
 * Reading in a process of its own: results and errors come back, a crash becomes an error, and so
 * does hunger for memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "crash.h"
#include "isolate.h"

#define MEMORY (UINT64_C(256) << 20)

static struct hakstat_summary *read_well(void *data, struct hakstat_err *err)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hakstat_row *row = hakstat_summary_row(s, HAKSTAT_BY_CLASS, "0:C7:1024", NULL);

	(void)err;
	row->class_name = g_strdup(data);
	row->block = 1024;
	row->n.allocs = 5;
	row->n.v.requested = 0.1;
	s->begin_ns = -7;
	s->end_ns = INT64_MAX;
	s->lost_unknown = true;
	hakstat_summary_note(s, "a \"note\" with \x01 and \xff");
	return s;
}

static struct hakstat_summary *read_badly(void *data, struct hakstat_err *err)
{
	(void)data;
	hakstat_err_set(err, HAKSTAT_TRACE, "this is wrong");
	return NULL;
}

static struct hakstat_summary *read_never(void *data, struct hakstat_err *err)
{
	(void)data;
	(void)err;
	raise(SIGKILL);
	return NULL;
}

static void a_result_comes_back_whole(void **state)
{
	static char name[] = "C7";
	struct hakstat_err err = { 0 };
	struct hakstat_summary *s = hakstat_isolate("here", MEMORY, read_well, name, &err);
	const struct hakstat_row *row;
	(void)state;

	assert_non_null(s);
	row = g_ptr_array_index(s->rows[HAKSTAT_BY_CLASS], 0);
	assert_string_equal(row->class_name, "C7");
	assert_int_equal(row->n.allocs, 5);
	assert_true(row->n.v.requested > 0.0999 && row->n.v.requested < 0.1001);
	assert_int_equal(s->begin_ns, -7);
	assert_int_equal(s->end_ns, INT64_MAX);
	assert_true(s->lost_unknown);
	assert_string_equal(g_ptr_array_index(s->notes, 0), "a \"note\" with \\x01 and \\xff");
	hakstat_summary_free(s);
}

static void an_error_comes_back(void **state)
{
	struct hakstat_err err = { 0 };
	(void)state;

	assert_null(hakstat_isolate("here", MEMORY, read_badly, NULL, &err));
	assert_int_equal(err.status, HAKSTAT_TRACE);
	assert_string_equal(err.text, "this is wrong");
}

static void a_crash_is_an_error_that_names_the_trace(void **state)
{
	struct hakstat_err err = { 0 };
	(void)state;

	assert_null(hakstat_isolate("here", MEMORY, read_never, NULL, &err));
	assert_int_equal(err.status, HAKSTAT_TRACE);
	assert_non_null(strstr(err.text, "here: damaged: reading it ended by signal 9"));
}

static struct hakstat_summary *read_too_much(void *data, struct hakstat_err *err)
{
	char *block;

	(void)err;
	for (unsigned i = 0; i < 1024; i++) {
		block = g_malloc0(1 << 20);
		memcpy(data, block, 1);
	}
	return hakstat_summary_new();
}

static void too_much_memory_is_an_error_that_says_so(void **state)
{
	struct hakstat_err err = { 0 };
	char byte = 1;
	(void)state;

	assert_null(hakstat_isolate("here", MEMORY, read_too_much, &byte, &err));
	assert_int_equal(err.status, HAKSTAT_TRACE);
	assert_non_null(strstr(err.text, "here: damaged: reading it takes more than 256.0 MiB of memory"));
}

static void crash(void *data)
{
	const int *number = data;

	raise(*number);
}

static void crash_inside(void *data)
{
	int inner = SIGABRT;

	assert_int_equal(hakstat_crash_guard(crash, &inner), SIGABRT);
	crash(data);
}

static unsigned deepen(unsigned depth)
{
	volatile char block[4096];

	block[depth % sizeof block] = 1;
	return depth ? deepen(depth + 1) + (unsigned)block[0] : 0;
}

static void recurse(void *data)
{
	*(unsigned *)data = deepen(1);
}

/* A crash inside a guard, in one around it, for want of a stack, and one that nobody guards. */
static struct hakstat_summary *read_with_crashes(void *data, struct hakstat_err *err)
{
	int outer = SIGTRAP;
	unsigned depth = 0;

	(void)err;
	if (hakstat_crash_guard(crash_inside, &outer) != SIGTRAP ||
	    hakstat_crash_guard(recurse, &depth) != SIGSEGV) {
		return NULL;
	}
	crash(data);
	return hakstat_summary_new();
}

static void a_guarded_crash_is_survived_and_another_is_not(void **state)
{
	struct hakstat_err err = { 0 };
	int number = SIGBUS;
	(void)state;

	assert_null(hakstat_isolate("here", MEMORY, read_with_crashes, &number, &err));
	assert_non_null(strstr(err.text, "here: damaged: reading it ended by signal 7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_comes_back_whole),
		cmocka_unit_test(an_error_comes_back),
		cmocka_unit_test(a_crash_is_an_error_that_names_the_trace),
		cmocka_unit_test(too_much_memory_is_an_error_that_says_so),
		cmocka_unit_test(a_guarded_crash_is_survived_and_another_is_not),
	};

	return cmocka_run_group_tests_name("isolate", tests, NULL, NULL);
}
