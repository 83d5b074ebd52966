/* SPDX-License-Identifier: MIT */
/* Threads with the smallest stack that the system allows, in every function of the family. */
#include "check.h"

#include <limits.h>
#include <unistd.h>

enum { THREADS = 50 };

static void *use_the_family(void *argument)
{
	static const size_t sizes[] = { 1, 100, 1024, 5000, 20000, 100000, 262145, 3 << 20 };
	void *wrong = NULL;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		void *p = malloc(sizes[i]), *q = calloc(1, sizes[i]), *r = aligned_alloc(4096, sizes[i]);
		if (!p || !q || !r || !is_zero(q, sizes[i])) {
			wrong = argument;
		}
		p = realloc(p, sizes[i] * 2);
		free(q);
		free(p);
		free(r);
	}
	malloc_trim(0);
	return wrong;
}

/* HAKMEM_STATS and monitoring threads call this anywhere. */
static void *read_statistics(void *argument)
{
	struct mallinfo2 m = mallinfo2();
	return m.arena + m.hblkhd > 0 ? NULL : argument;
}

static void run_small(void *(*work)(void *), size_t stack_bytes)
{
	pthread_attr_t attributes;
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, stack_bytes), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;
		void *wrong = NULL;
		assert_int_equal(pthread_create(&thread, &attributes, work, &wrong), 0);
		assert_int_equal(pthread_join(thread, &wrong), 0);
		assert_null(wrong);
	}
	pthread_attr_destroy(&attributes);
}

static void allocation_fits_the_smallest_stack(void **state)
{
	(void)state;
	run_small(use_the_family, (size_t)sysconf(_SC_THREAD_STACK_MIN));
}

static void statistics_fit_the_smallest_stack(void **state)
{
	(void)state;
	run_small(read_statistics, (size_t)sysconf(_SC_THREAD_STACK_MIN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocation_fits_the_smallest_stack),
		cmocka_unit_test(statistics_fit_the_smallest_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
