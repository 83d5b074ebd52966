/* SPDX-License-Identifier: MIT */
/*
 * Signals that arrive inside the allocator: system calls it makes are interrupted, and the
 * thread's state is left half way for the time of the handler. The handler does what a
 * handler may do; the test goes on until enough signals came.
 */
#include "check.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIGNALS = 300, SLOTS = 128 };

static atomic_int received;

static void count(int signal)
{
	(void)signal;
	atomic_fetch_add(&received, 1);
}

static bool churn(void **blocks, size_t *sizes, uint64_t *random)
{
	for (int i = 0; i < 1000; i++) {
		uint64_t r = next_random(random);
		unsigned slot = (unsigned)(r % SLOTS);
		if (blocks[slot] && !is_filled(blocks[slot], sizes[slot], slot)) {
			return false;
		}
		free(blocks[slot]);
		sizes[slot] = (r >> 8) % 512 == 0 ? (r >> 17) % 2000000 + 1 : (r >> 17) % 1000 + 1;
		errno = 55;
		blocks[slot] = malloc(sizes[slot]);
		if (!blocks[slot] || errno != 55) {
			return false;
		}
		fill(blocks[slot], sizes[slot], slot);
	}
	return true;
}

static void contents_and_errno_survive_signals(void **state)
{
	(void)state;
	static void *blocks[SLOTS];
	static size_t sizes[SLOTS];
	struct sigaction action = { .sa_handler = count }; /* no SA_RESTART */
	struct itimerval every = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	uint64_t random = 9;
	bool is_whole = true;
	assert_int_equal(sigaction(SIGPROF, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_PROF, &every, NULL), 0);
	while (is_whole && atomic_load(&received) < SIGNALS) {
		is_whole = churn(blocks, sizes, &random);
	}
	assert_int_equal(setitimer(ITIMER_PROF, &never, NULL), 0);
	assert_true(is_whole);
	for (int i = 0; i < SLOTS; i++) {
		free(blocks[i]);
	}
}

static sigjmp_buf back;

static void leave(int signal)
{
	siglongjmp(back, signal);
}

/* A handler that leaves by longjmp is allowed where the interrupted call was not malloc. */
static void the_heap_works_after_a_longjmp(void **state)
{
	(void)state;
	struct sigaction action = { .sa_handler = leave }, former;
	assert_int_equal(sigaction(SIGSEGV, &action, &former), 0);
	volatile int jumps = 0;
	for (int i = 0; i < 100; i++) {
		void *p = malloc(1000);
		if (sigsetjmp(back, 1) == 0) {
			raise(SIGSEGV);
		} else {
			jumps++;
		}
		free(p);
	}
	assert_int_equal(sigaction(SIGSEGV, &former, NULL), 0);
	assert_int_equal(jumps, 100);
}

static int failures;
static bool has_threads;

/* A fork in a handler may come while the allocator, or fork itself, is at work. */
static void fork_and_wait(int signal)
{
	int status = signal, saved = errno;
	pid_t child = fork();
	if (child == 0) {
		if (!has_threads) {
			free(malloc(100));
		}
		_exit(0);
	}
	failures += child < 0 || waitpid(child, &status, 0) != child || status != 0;
	atomic_fetch_add(&received, 1);
	errno = saved;
}

static void *wait_for_ever(void *arg)
{
	for (;;) {
		pause();
	}
	return arg;
}

/* Most of it with a lock held. */
static void take_and_give_slabs(void)
{
	enum { BLOCKS = 64 };
	void *blocks[BLOCKS];
	for (unsigned i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(270000 + i % 7 * 65536);
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		free(blocks[i]);
	}
}

/*
 * In a process of one thread, as with libc's malloc, or of two, where the child may only end, and libc's own
 * fork must not be interrupted.
 */
static int fork_in_handlers(void)
{
	enum { FORKS = 200 };
	struct sigaction action = { .sa_handler = fork_and_wait };
	struct itimerval every = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	int status;
	pthread_t other;
	alarm(100);
	atomic_store(&received, 0);
	if (has_threads && pthread_create(&other, NULL, wait_for_ever, NULL) != 0) {
		return 1;
	}
	if (sigaction(SIGPROF, &action, NULL) || setitimer(ITIMER_PROF, &every, NULL)) {
		return 1;
	}
	while (atomic_load(&received) < FORKS) {
		void *p = malloc(300000);
		void *q = malloc(100);
		take_and_give_slabs();
		pid_t child = has_threads ? -1 : fork();
		if (child == 0) {
			_exit(0);
		}
		while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
		}
		free(p);
		free(q);
	}
	return setitimer(ITIMER_PROF, &never, NULL) || failures;
}

static void may_fork(bool with_threads)
{
	int status = -1;
	has_threads = with_threads;
	pid_t child = fork();
	if (child == 0) {
		_exit(fork_in_handlers());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void handlers_may_fork(void **state)
{
	(void)state;
	may_fork(false);
}

static void handlers_may_fork_beside_another_thread(void **state)
{
	(void)state;
	may_fork(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handlers_may_fork),
		cmocka_unit_test(handlers_may_fork_beside_another_thread),
		cmocka_unit_test(contents_and_errno_survive_signals),
		cmocka_unit_test(the_heap_works_after_a_longjmp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
