/* SPDX-License-Identifier: MIT */
/* The thread's life, and waiting for it and by it. */
#include "worker.h"

#include <errno.h>
#include <lttng/urcu/urcu-ust.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "clock.h"
#include "thread.h"

enum {
	QUIET_WAIT_MS = 1000, /* for events that are being written while the process ends */
	STACK_BYTES = 256 * 1024,
};

static struct {
	const struct hak_work *work;
	sem_t wake;
	sem_t quiet; /* posted when every event that had begun has ended */
	atomic_bool is_quiet_wanted;
	atomic_bool is_running;
	atomic_bool is_missing; /* in a fork child: not started yet */
	atomic_bool is_idle;
} self;

static void wait_for(int64_t ms)
{
	struct timespec until = hak_clock_in_ms(ms);
	atomic_store(&self.is_idle, ms == HAK_WORKER_IDLE_MS);
	while (sem_clockwait(&self.wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {
	}
	atomic_store(&self.is_idle, false);
}

static void run(void)
{
	for (;;) {
		int64_t wait_ms = self.work->round();
		if (atomic_exchange(&self.is_quiet_wanted, false)) {
			lttng_ust_urcu_synchronize_rcu();
			sem_post(&self.quiet);
		}
		wait_for(wait_ms);
	}
}

static void *thread_main(void *arg)
{
	pthread_setname_np(pthread_self(), "hakmem-trace");
	self.work->enter();
	run();
	return arg;
}

/* A program with much thread-local data needs more stack than ours: then the default. */
static int create_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failure;

	if (pthread_attr_init(&attributes) != 0) {
		return -1;
	}
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	failure = pthread_create(&thread, &attributes, thread_main, NULL);
	pthread_attr_destroy(&attributes);
	if (failure == EINVAL) {
		failure = pthread_create(&thread, NULL, thread_main, NULL);
		if (failure == 0) {
			pthread_detach(thread);
		}
	}
	return failure;
}

void hak_worker_start(const struct hak_work *work)
{
	sigset_t all, before;
	self.work = work;
	sem_init(&self.wake, 0, 0);
	sem_init(&self.quiet, 0, 0);
	work->prepare();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_store(&self.is_running, create_thread() == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool hak_worker_is_missing(void)
{
	return atomic_load_explicit(&self.is_missing, memory_order_relaxed);
}

void hak_worker_start_if_missing(void)
{
	if (hak_worker_is_missing() && atomic_exchange(&self.is_missing, false)) {
		hak_worker_start(self.work);
	}
}

void hak_worker_wake(void)
{
	if (atomic_load(&self.is_running)) {
		sem_post(&self.wake);
	}
}

void hak_worker_wake_if_idle(void)
{
	if (__builtin_expect(atomic_load_explicit(&self.is_idle, memory_order_relaxed), 0) &&
	    atomic_exchange(&self.is_idle, false)) {
		hak_worker_wake();
	}
}

/* This thread does not wait for the others itself: one of them may be stopped, or its own. */
void hak_worker_quiesce(void)
{
	struct timespec deadline = hak_clock_in_ms(QUIET_WAIT_MS);
	struct hak_thread_guard guard;
	if (!atomic_load(&self.is_running) || lttng_ust_urcu_read_ongoing()) {
		return;
	}
	while (sem_trywait(&self.quiet) == 0) { /* came too late for an earlier one */
	}
	guard = hak_thread_guard_begin();
	atomic_store(&self.is_quiet_wanted, true);
	sem_post(&self.wake);
	while (sem_clockwait(&self.quiet, CLOCK_MONOTONIC, &deadline) != 0 && errno == EINTR) {
	}
	hak_thread_guard_end(guard);
}

void hak_worker_after_fork(void)
{
	atomic_store(&self.is_idle, false);
	if (atomic_exchange(&self.is_running, false)) {
		atomic_store(&self.is_missing, true);
	}
}
