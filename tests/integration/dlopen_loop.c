/* SPDX-License-Identifier: MIT */
/*
 * Libraries that come and go: the loader allocates for them, their constructors allocate,
 * and thread-local storage of theirs is allocated in every thread.
 */
#include "check.h"

#include <stdatomic.h>

enum { ROUNDS = 100 };

/* libstdc++ allocates its emergency pool when it is loaded; the others are libc's own. */
static const char *const libraries[] = { "libstdc++.so.6", "libresolv.so.2", "libthread_db.so.1",
					 "libanl.so.1" };
enum { LIBRARIES = sizeof libraries / sizeof libraries[0] };

static atomic_bool stop;

static void *allocate_until_stopped(void *argument)
{
	uint64_t random = 11;
	void *wrong = NULL;
	while (!atomic_load(&stop)) {
		size_t size = next_random(&random) % 5000 + 1;
		void *p = malloc(size);
		if (!p) {
			return argument;
		}
		fill(p, size, 3);
		if (!is_filled(p, size, 3)) {
			wrong = argument;
		}
		free(p);
	}
	return wrong;
}

static int open_and_close_all(void)
{
	int opened = 0;
	for (int i = 0; i < LIBRARIES; i++) {
		void *handle = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
		if (handle) {
			opened++;
			assert_int_equal(dlclose(handle), 0);
		}
	}
	return opened;
}

static void libraries_come_and_go(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		assert_true(open_and_close_all() >= 2);
	}
}

static void libraries_come_and_go_while_threads_allocate(void **state)
{
	(void)state;
	pthread_t threads[2];
	void *wrong;
	atomic_store(&stop, false);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, allocate_until_stopped, &stop), 0);
	}
	for (int i = 0; i < ROUNDS; i++) {
		assert_true(open_and_close_all() >= 2);
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

static void a_missing_library_is_an_error_and_no_more(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		assert_null(dlopen("libdoes-not-exist-anywhere.so.9", RTLD_NOW));
		assert_non_null(dlerror());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libraries_come_and_go),
		cmocka_unit_test(libraries_come_and_go_while_threads_allocate),
		cmocka_unit_test(a_missing_library_is_an_error_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
