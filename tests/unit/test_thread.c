/* SPDX-License-Identifier: MIT */
/* Which threads are LTTng's: those that bear the name it gives them, and no other that looks like it. */
#include "thread.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
/* cmocka wants these first. */
#include <cmocka.h>

static void *classify(void *name)
{
	prctl(PR_SET_NAME, name);
	return hak_thread_classify() ? name : NULL;
}

/* Whether a thread of that name is the program's; `program` loaded LTTng. */
static bool is_shown(const char *program, const char *name)
{
	pthread_t thread;
	void *shown = NULL;
	prctl(PR_SET_NAME, program);
	hak_thread_expect_lttng();
	assert_int_equal(pthread_create(&thread, NULL, classify, (void *)(uintptr_t)name), 0);
	assert_int_equal(pthread_join(thread, &shown), 0);
	return shown != NULL;
}

static void threads_of_lttng_are_hidden(void **state)
{
	(void)state;
	assert_false(is_shown("program", "program-ust"));
	assert_false(is_shown("elevenchars", "elevenchars-ust"));
	assert_false(is_shown("a-long-name-so", "a-long-name-ust"));
	assert_false(is_shown("robust-ust", "robust-ust-ust"));
}

static void threads_with_names_like_theirs_are_shown(void **state)
{
	(void)state;
	assert_true(is_shown("program", "program"));
	assert_true(is_shown("program", "worker-ust"));
	assert_true(is_shown("program", "-ust"));
	assert_true(is_shown("robust-ust", "robust-ust"));
}

static void the_first_thread_is_the_programs_whatever_its_name(void **state)
{
	(void)state;
	prctl(PR_SET_NAME, "program");
	hak_thread_expect_lttng();
	prctl(PR_SET_NAME, "program-ust");
	assert_true(hak_thread_classify());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_of_lttng_are_hidden),
		cmocka_unit_test(threads_with_names_like_theirs_are_shown),
		cmocka_unit_test(the_first_thread_is_the_programs_whatever_its_name),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
