/* SPDX-License-Identifier: MIT */
/*
 * Each entry point as the very first thing that a thread does with the allocator, with
 * blocks of every route: a thread's state is made on whichever path comes first.
 */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

static const size_t sizes[] = { 1, 100, 1024, 5000, 20000, 100000, 262144, 3 << 20 };
enum { SIZES = sizeof sizes / sizeof sizes[0] };

struct task {
	void *block; /* allocated in the main thread, `size` bytes filled with seed 1 */
	size_t size;
	const char *wrong; /* what the thread found, or NULL */
};

typedef void operation(struct task *t);

static void check_new(struct task *t, void *p)
{
	if (!p || malloc_usable_size(p) < t->size) {
		t->wrong = "no usable block";
		return;
	}
	fill(p, t->size, 2);
	if (!is_filled(t->block, t->size, 1) || !is_filled(p, t->size, 2)) {
		t->wrong = "blocks overlap";
	}
	free(p);
}

static void first_malloc(struct task *t)
{
	check_new(t, malloc(t->size));
}

static void first_calloc(struct task *t)
{
	void *p = calloc(1, t->size);
	if (!p || !is_zero(p, t->size)) {
		t->wrong = "not zero";
	}
	check_new(t, p);
}

static void first_realloc_null(struct task *t)
{
	check_new(t, realloc(NULL, t->size));
}

static void first_aligned_alloc(struct task *t)
{
	check_new(t, aligned_alloc(64, t->size));
}

static void first_memalign(struct task *t)
{
	check_new(t, memalign(8192, t->size));
}

static void first_posix_memalign(struct task *t)
{
	void *p = NULL;
	if (posix_memalign(&p, 32, t->size)) {
		t->wrong = "posix_memalign failed";
	}
	check_new(t, p);
}

static void first_valloc(struct task *t)
{
	check_new(t, valloc(t->size));
}

static void first_pvalloc(struct task *t)
{
	check_new(t, pvalloc(t->size));
}

static void first_free(struct task *t)
{
	free(t->block);
	t->block = NULL;
}

static void first_free_null(struct task *t)
{
	(void)t;
	free(NULL);
}

static void resize(struct task *t, size_t size)
{
	size_t common = size < t->size ? size : t->size;
	void *p = realloc(t->block, size);
	if (!p || !is_filled(p, common, 1)) {
		t->wrong = "realloc lost the contents";
	}
	t->block = p;
	t->size = common;
}

static void first_realloc_grows(struct task *t)
{
	resize(t, t->size * 3 + 1);
}

static void first_realloc_shrinks(struct task *t)
{
	resize(t, t->size / 3 + 1);
}

static void first_realloc_frees(struct task *t)
{
	t->wrong = realloc(t->block, opaque(0)) ? "realloc to nothing gave a block" : NULL;
	t->block = NULL;
}

static void first_usable_size(struct task *t)
{
	if (malloc_usable_size(t->block) < t->size) {
		t->wrong = "usable size too small";
	}
}

static void first_trim(struct task *t)
{
	(void)t;
	malloc_trim(0);
}

static void first_mallinfo(struct task *t)
{
	struct mallinfo2 m = mallinfo2();
	if (m.uordblks + m.hblkhd < t->size) {
		t->wrong = "less live than allocated";
	}
}

static void first_malloc_info(struct task *t)
{
	FILE *null = fopen("/dev/null", "w");
	if (!null || malloc_info(0, null)) {
		t->wrong = "malloc_info failed";
	}
	if (null) {
		fclose(null);
	}
}

struct start {
	operation *run;
	struct task task;
};

static void *thread_main(void *argument)
{
	struct start *s = argument;
	s->run(&s->task);
	return NULL;
}

static void check_operation(operation *run)
{
	for (int i = 0; i < SIZES; i++) {
		struct start s = { .run = run, .task = { .size = sizes[i] } };
		s.task.block = malloc(sizes[i]);
		assert_non_null(s.task.block);
		fill(s.task.block, sizes[i], 1);
		run_in_thread(thread_main, &s);
		assert_null(s.task.wrong);
		if (s.task.block) {
			assert_true(is_filled(s.task.block, s.task.size, 1));
			free(s.task.block);
		}
	}
}

#define OPERATIONS(X)                                                                                        \
	X(first_malloc)                                                                                      \
	X(first_calloc)                                                                                      \
	X(first_realloc_null)                                                                                \
	X(first_aligned_alloc)                                                                               \
	X(first_memalign)                                                                                    \
	X(first_posix_memalign)                                                                              \
	X(first_valloc)                                                                                      \
	X(first_pvalloc)                                                                                     \
	X(first_free)                                                                                        \
	X(first_free_null)                                                                                   \
	X(first_realloc_grows)                                                                               \
	X(first_realloc_shrinks)                                                                             \
	X(first_realloc_frees)                                                                               \
	X(first_usable_size)                                                                                 \
	X(first_trim)                                                                                        \
	X(first_mallinfo)                                                                                    \
	X(first_malloc_info)

#define TEST_FUNCTION(name)                                                                                  \
	static void test_##name(void **state)                                                                \
	{                                                                                                    \
		(void)state;                                                                                 \
		check_operation(name);                                                                       \
	}
OPERATIONS(TEST_FUNCTION)

int main(void)
{
#define TEST_ROW(name) { #name, test_##name, NULL, NULL, NULL },
	const struct CMUnitTest tests[] = { OPERATIONS(TEST_ROW) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
