/* SPDX-License-Identifier: MIT */
/*
 * Threads that end: their blocks stay valid and can be freed by others, destructors of
 * thread-specific data may still allocate and free, and nothing is left behind.
 */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

#include "hakmem.h"

enum { THREADS = 1000, BLOCKS = 64 };

static pthread_key_t key;

static size_t size_of(unsigned i)
{
	static const size_t sizes[] = { 16, 100, 700, 3000, 10000, 50000, 300000 };
	return sizes[i % 7];
}

static void *leave_blocks(void *argument)
{
	void **blocks = argument;
	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(size_of(i));
		if (blocks[i]) {
			fill(blocks[i], size_of(i), i);
		}
	}
	return NULL;
}

static void blocks_outlive_their_thread(void **state)
{
	(void)state;
	static void *blocks[BLOCKS];
	for (int round = 0; round < 20; round++) {
		run_in_thread(leave_blocks, blocks);
		for (unsigned i = 0; i < BLOCKS; i++) {
			assert_non_null(blocks[i]);
			assert_true(is_filled(blocks[i], size_of(i), i));
			free(blocks[i]);
		}
	}
}

/* Frees what it was given and asks for another round, as libraries with caches do. */
static void destructor(void *value)
{
	unsigned *left = value;
	unsigned next = *left - 1;
	free(left);
	void *scratch = malloc(5000);
	if (scratch) {
		memset(scratch, 1, 5000);
	}
	free(scratch);
	if (next > 0) {
		unsigned *again = malloc(sizeof *again);
		if (again) {
			*again = next;
			pthread_setspecific(key, again);
		}
	}
}

static void *with_destructor(void *argument)
{
	unsigned *rounds = malloc(sizeof *rounds);
	if (!rounds) {
		return argument;
	}
	*rounds = 3; /* below PTHREAD_DESTRUCTOR_ITERATIONS, so that the last is freed */
	return pthread_setspecific(key, rounds) ? argument : NULL;
}

/* The destructor is the first and only user of the allocator in this thread. */
static void first_use_destructor(void *value)
{
	void *p = malloc((size_t)(uintptr_t)value);
	if (p) {
		memset(p, 2, (size_t)(uintptr_t)value);
	}
	free(p);
}

static pthread_key_t first_use_key;

static void *first_use_in_destructor(void *argument)
{
	return pthread_setspecific(first_use_key, (void *)(uintptr_t)3000) ? argument : NULL;
}

static uint64_t live_caches(void)
{
	struct hakmem_heap_stats heap = { 0 };
	void (*read)(struct hakmem_heap_stats *) =
		(void (*)(struct hakmem_heap_stats *))dlsym(RTLD_DEFAULT, "hakmem_stats_heap");
	if (read) {
		read(&heap);
	}
	return heap.threads;
}

static void destructors_may_allocate_and_free(void **state)
{
	(void)state;
	uint64_t before = live_caches();
	for (int i = 0; i < THREADS; i++) {
		assert_null(run_in_thread(with_destructor, &key));
	}
	assert_int_equal(live_caches(), before);
}

static void a_destructor_may_be_the_first_user(void **state)
{
	(void)state;
	uint64_t before = live_caches();
	for (int i = 0; i < THREADS; i++) {
		assert_null(run_in_thread(first_use_in_destructor, &first_use_key));
	}
	assert_int_equal(live_caches(), before);
}

static size_t resident_pages(void)
{
	size_t total = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (f) {
		if (fscanf(f, "%zu %zu", &total, &resident) != 2) {
			resident = 0;
		}
		fclose(f);
	}
	return resident;
}

static void *use_all_routes(void *argument)
{
	void *blocks[BLOCKS];
	leave_blocks(blocks);
	for (unsigned i = 0; i < BLOCKS; i++) {
		free(blocks[i]);
	}
	return argument;
}

/* Each thread uses about 4 MiB; what one left, the next must be able to use. */
static void memory_of_ended_threads_is_used_again(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		run_in_thread(use_all_routes, NULL);
	}
	size_t before = resident_pages();
	for (int i = 0; i < THREADS; i++) {
		run_in_thread(use_all_routes, NULL);
	}
	size_t after = resident_pages();
	assert_true(before > 0);
	assert_true(after < before + (32 << 20) / (size_t)sysconf(_SC_PAGESIZE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_outlive_their_thread),
		cmocka_unit_test(destructors_may_allocate_and_free),
		cmocka_unit_test(a_destructor_may_be_the_first_user),
		cmocka_unit_test(memory_of_ended_threads_is_used_again),
	};
	if (pthread_key_create(&key, destructor) ||
	    pthread_key_create(&first_use_key, first_use_destructor)) {
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
