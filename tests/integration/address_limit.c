/* SPDX-License-Identifier: MIT */
/*
 * Little address space. The limit must be there before the allocator reserves any, so the
 * program sets it and executes itself again, with the limit in MiB as its argument.
 */
#include "check.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 100000 };

static void *blocks[MOST];
static char self[4096];

/* Allocates until nothing is left; how many, with *ok false when a failure was not ENOMEM. */
static int exhaust(size_t size, bool *ok)
{
	for (int i = 0; i < MOST; i++) {
		errno = 0;
		blocks[i] = malloc(size);
		if (!blocks[i]) {
			*ok = *ok && errno == ENOMEM;
			return i;
		}
		memset(blocks[i], i, size < 64 ? size : 64);
	}
	return MOST;
}

static void release(int count)
{
	for (int i = 0; i < count; i++) {
		free(blocks[i]);
	}
}

/* A buffer that is given up for a larger one, until it takes most of what there is. */
static bool grows(size_t limit)
{
	for (size_t size = limit / 10; size < limit / 20 * 13; size += limit / 20) {
		char *p = malloc(size);
		if (!p) {
			return false;
		}
		p[0] = p[size - 1] = 1;
		free(p);
	}
	return true;
}

/* Under the limit: 0, or a number that says which promise was broken. */
static int limited(size_t limit_mib)
{
	static const size_t sizes[] = { 20000, 200000, 1 << 20, 10 << 20 };
	bool ok = true;
	if (limit_mib >= 256 && !grows(limit_mib << 20)) { /* of less, more is kept for stacks and files */
		return 6;
	}
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		int first = exhaust(sizes[i], &ok);
		if (!ok) {
			return 1;
		}
		if (sizes[i] * (size_t)first < (limit_mib << 20) / 4) {
			return 2; /* less than a quarter of the limit was to be had */
		}
		if (realloc(blocks[0], limit_mib << 20) != NULL || errno != ENOMEM) {
			return 3;
		}
		release(first);
		int second = exhaust(sizes[i], &ok);
		if (second < first / 10 * 9) {
			return 4; /* what was freed did not come back */
		}
		release(second);
	}
	void *small = malloc(100);
	free(small);
	return small && ok ? 0 : 5;
}

static void set_limit_and_execute(const char *limit_mib)
{
	rlim_t bytes = (rlim_t)strtoul(limit_mib, NULL, 10) << 20;
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = bytes };
	if (setrlimit(RLIMIT_AS, &limit) == 0) {
		execl(self, self, limit_mib, (char *)NULL);
	}
	_exit(100);
}

static int run_limited(const char *limit_mib)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0) {
		set_limit_and_execute(limit_mib);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void works_in_1_gib(void **state)
{
	(void)state;
	assert_int_equal(run_limited("1024"), 0);
}

static void works_in_256_mib(void **state)
{
	(void)state;
	assert_int_equal(run_limited("256"), 0);
}

static void works_in_64_mib(void **state)
{
	(void)state;
	assert_int_equal(run_limited("64"), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(works_in_1_gib),
		cmocka_unit_test(works_in_256_mib),
		cmocka_unit_test(works_in_64_mib),
	};
	if (argc > 1) {
		return limited(strtoul(argv[1], NULL, 10));
	}
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	return length > 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
