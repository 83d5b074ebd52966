/* SPDX-License-Identifier: MIT */
/*
 * fork while other threads are inside the allocator: the child's heap is whole, in the child
 * and in its children, and the parent goes on. A lock left held shows as a hang, which the
 * test's time limit turns into a failure.
 */
#include "check.h"

#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, FORKS = 60 /* HAK_TEST_FORKS for more */, SLOTS = 64 };

static atomic_bool stop;
static atomic_int damaged;

static size_t random_size(uint64_t *random)
{
	uint64_t r = next_random(random);
	return r % 64 == 0 ? r / 64 % 400000 + 1 : r / 64 % 3000 + 1;
}

/* Allocates, resizes and frees `count` times; false when contents were damaged. */
static bool churn(uint64_t seed, int count)
{
	void *blocks[SLOTS] = { 0 };
	size_t sizes[SLOTS] = { 0 };
	bool is_whole = true;
	uint64_t random = seed * 2 + 1;
	for (int i = 0; i < count; i++) {
		unsigned slot = (unsigned)(next_random(&random) % SLOTS);
		is_whole = is_whole && is_filled(blocks[slot], sizes[slot], slot);
		sizes[slot] = random_size(&random);
		if (next_random(&random) % 4 == 0) {
			blocks[slot] = realloc(blocks[slot], sizes[slot]);
		} else {
			free(blocks[slot]);
			blocks[slot] = malloc(sizes[slot]);
		}
		if (!blocks[slot]) {
			return false;
		}
		fill(blocks[slot], sizes[slot], slot);
	}
	for (unsigned slot = 0; slot < SLOTS; slot++) {
		is_whole = is_whole && is_filled(blocks[slot], sizes[slot], slot);
		free(blocks[slot]);
	}
	return is_whole;
}

static void *churn_until_stopped(void *argument)
{
	for (uint64_t seed = (uint64_t)(uintptr_t)argument; !atomic_load(&stop); seed += 100) {
		if (!churn(seed, 200)) {
			atomic_fetch_add(&damaged, 1);
		}
	}
	return NULL;
}

static void *churn_in_child(void *argument)
{
	return churn((uint64_t)(uintptr_t)argument, 200) ? NULL : argument;
}

/* In the child: alone, with a new thread, and in a grandchild. The exit status. */
static int child(void)
{
	pthread_t thread;
	void *failed = NULL;
	int status = 0;
	if (!churn((uint64_t)getpid(), 200)) {
		return 1;
	}
	if (pthread_create(&thread, NULL, churn_in_child, (void *)(uintptr_t)getpid()) ||
	    pthread_join(thread, &failed) || failed) {
		return 2;
	}
	pid_t grandchild = fork();
	if (grandchild == 0) {
		_exit(churn(3, 200) ? 0 : 1);
	}
	return grandchild > 0 && waitpid(grandchild, &status, 0) == grandchild && status == 0 ? 0 : 3;
}

static void children_of_a_busy_parent_have_a_whole_heap(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	atomic_store(&stop, false);
	for (uintptr_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, churn_until_stopped, (void *)(i + 1)), 0);
	}
	int failures = 0;
	const char *more = getenv("HAK_TEST_FORKS");
	long forks = more ? strtol(more, NULL, 10) : FORKS;
	for (long i = 0; i < forks; i++) {
		int status = -1;
		pid_t pid = fork();
		if (pid == 0) {
			_exit(child());
		}
		failures += pid < 0 || waitpid(pid, &status, 0) != pid || status != 0;
	}
	atomic_store(&stop, true);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	assert_int_equal(failures, 0);
	assert_int_equal(damaged, 0);
}

/* What the parent's threads held in caches must not be handed out twice in the child. */
static void blocks_of_the_parent_are_the_childs_too(void **state)
{
	(void)state;
	void *kept[SLOTS];
	int status = -1;
	for (unsigned i = 0; i < SLOTS; i++) {
		kept[i] = malloc(100 * (i + 1));
		fill(kept[i], 100 * (i + 1), i);
	}
	pid_t pid = fork();
	if (pid == 0) {
		bool is_whole = churn(17, 2000);
		for (unsigned i = 0; i < SLOTS; i++) {
			is_whole = is_whole && is_filled(kept[i], 100 * (i + 1), i);
			free(kept[i]);
		}
		_exit(is_whole && churn(19, 2000) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (unsigned i = 0; i < SLOTS; i++) {
		assert_true(is_filled(kept[i], 100 * (i + 1), i));
		free(kept[i]);
	}
}

enum { HOLDERS = 100, HELD = 60, LARGEST = 30000, LAST = 90 };

static pthread_barrier_t holding, released;
static void *held[HOLDERS * HELD]; /* free, and in the caches of threads that wait */

static void *hold(void *argument)
{
	void **blocks = (void **)argument;
	for (size_t size = LARGEST; size >= LAST; size = size / 4 * 3) {
		for (unsigned i = 0; i < HELD; i++) {
			blocks[i] = malloc(opaque(size));
		}
		for (unsigned i = 0; i < HELD; i++) {
			free(blocks[i]);
		}
	}
	pthread_barrier_wait(&holding);
	pthread_barrier_wait(&released);
	return NULL;
}

static bool was_held(const void *p)
{
	for (unsigned i = 0; i < HOLDERS * HELD; i++) {
		if (held[i] == p) {
			return true;
		}
	}
	return false;
}

/* Pages that the child touched or copied so far are few, and what its parent's threads held is its own. */
static int child_of_holders(void)
{
	struct rusage used;
	bool any = false;
	getrusage(RUSAGE_SELF, &used);
	if (used.ru_minflt > 4 * HOLDERS) {
		return 1;
	}
	for (unsigned i = 0; i < HELD * HELD; i++) {
		any = was_held(malloc(opaque(LAST))) || any;
	}
	return any || !on_hakmem() ? 0 : 2;
}

static void a_child_leaves_the_caches_of_threads_until_it_needs_memory(void **state)
{
	(void)state;
	static pthread_t threads[HOLDERS];
	int status = -1;
	pthread_barrier_init(&holding, NULL, HOLDERS + 1);
	pthread_barrier_init(&released, NULL, HOLDERS + 1);
	for (unsigned i = 0; i < HOLDERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, hold, &held[(size_t)i * HELD]), 0);
	}
	pthread_barrier_wait(&holding);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(child_of_holders());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pthread_barrier_wait(&released);
	for (unsigned i = 0; i < HOLDERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
}

static void nothing(void) {}

/* Handlers of fork run inside it, where the allocator's own handlers hold its locks or not. */
static void allocate(void)
{
	free(malloc(50000));
	free(malloc(50));
}

static void fork_handlers_may_allocate(void **state)
{
	(void)state;
	int status = -1;
	assert_int_equal(pthread_atfork(allocate, allocate, allocate), 0);
	assert_int_equal(pthread_atfork(nothing, nothing, nothing), 0);
	pid_t pid = fork();
	if (pid == 0) {
		_exit(churn(23, 500) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_of_a_busy_parent_have_a_whole_heap),
		cmocka_unit_test(blocks_of_the_parent_are_the_childs_too),
		cmocka_unit_test(a_child_leaves_the_caches_of_threads_until_it_needs_memory),
		cmocka_unit_test(fork_handlers_may_allocate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
