/* SPDX-License-Identifier: MIT */
/*
 * The thread's loop and what it writes. LTTng gives no sign when a session enables an
 * event, so the thread looks: once a second while nothing is enabled, four times a second
 * while something is. Threads that notice a session earlier wake it.
 */
#include "snapshot.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "estimate.h"
#include "hak_tp.h"
#include "host.h"
#include "modules.h"
#include "session.h"
#include "thread.h"

enum {
	IDLE_MS = 1000,		 /* nothing enabled: how late a session may be noticed */
	LOOK_MS = 250,		 /* something enabled */
	FLUSH_MS = 100,		 /* `ops` enabled: how long an operation may wait in its batch */
	TABLE_MS = 1000,	 /* configuration and class table, at most so often */
	LAST_WAIT_MS = 100,	 /* for a snapshot that is being written while the process ends */
	QUIET_WAIT_MS = 1000,	 /* for events that are being written then */
	FIRST_REPEAT_MS = 100,	 /* what a session was told at its start is repeated, twice: */
	SECOND_REPEAT_MS = 1000, /* LTTng drops what comes while it is still starting one */
	MOST_CLASSES = 256,	 /* the class ids of a packed record end at 127 */
	RESIDENT_SHARE = 20, /* of the time that passes, one in so many parts may go into counting pages */
	STACK_BYTES = 256 * 1024,
};

static struct {
	pthread_mutex_t lock; /* guards the next six */
	uint64_t count;
	int64_t table_due_ms;
	bool is_in_fork; /* in a child, until our fork returns to the program */
	struct hakmem_class_stats rows[MOST_CLASSES];
	uint64_t resident[MOST_CLASSES]; /* bytes of each class's pages in memory */
	int64_t resident_due_ns;
	sem_t wake;
	sem_t quiet; /* posted when every event that had begun has ended */
	atomic_bool is_quiet_wanted;
	unsigned period_ms;
	atomic_bool is_running;
	atomic_bool is_missing; /* in a fork child: not started yet */
	atomic_bool is_idle;
} self = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct timespec in_ms(int64_t ms)
{
	int64_t at = now_ms() + ms;
	return (struct timespec) { .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };
}

static void write_table(uint32_t pid, size_t rows)
{
	struct hakmem_config config;
	hakmem_config_read(&config);
	lttng_ust_tracepoint(hakmem, config, pid, &config, hakmem_version());
	for (size_t i = 0; i < rows; i++) {
		lttng_ust_tracepoint(hakmem, class_info, pid, &self.rows[i]);
	}
}

/* What filters compare, so that a session can wait for it. */
static struct hak_level level_of(const struct hakmem_heap_stats *heap, size_t rows)
{
	uint64_t live = heap->large_bytes;
	for (size_t i = 0; i < rows; i++) {
		live += self.rows[i].live * self.rows[i].usable;
	}
	return (struct hak_level) {
		.live_bytes = live,
		.idle_percent = live < heap->committed
					? (unsigned)((heap->committed - live) * 100 / heap->committed)
					: 0,
		.waste_percent = hak_estimate_waste_percent(),
	};
}

static enum hak_life life(void)
{
	if (hak_tracer_thread.is_leaving) {
		return HAK_LIFE_LEAVING;
	}
	return self.is_in_fork ? HAK_LIFE_FORKED : HAK_LIFE_RUNNING;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/*
 * Fills self.resident. A large heap has many pages, so it may not be counted in each snapshot: 0 then. The
 * last one of a process, and the first of a fork child, always is.
 */
static uint64_t count_resident(void)
{
	int64_t before = now_ns();
	if (life() == HAK_LIFE_RUNNING && before < self.resident_due_ns) {
		memset(self.resident, 0, sizeof self.resident);
		return 0;
	}
	uint64_t all = hakmem_stats_resident(self.resident, MOST_CLASSES);
	int64_t after = now_ns();
	self.resident_due_ns = after + (after - before) * (RESIDENT_SHARE - 1);
	return all;
}

static void write_counters(uint32_t pid, size_t rows)
{
	uint64_t resident = count_resident();
	struct hakmem_heap_stats heap;
	hakmem_stats_heap(&heap);
	struct hak_level level = level_of(&heap, rows);
	lttng_ust_tracepoint(hakmem, heap_stats, pid, &heap, self.count, &level, resident, life());
	for (size_t i = 0; i < rows; i++) {
		uint64_t hidden = hak_thread_hidden(self.rows[i].class_id);
		lttng_ust_tracepoint(hakmem, class_stats, pid, &self.rows[i], self.count, hidden,
				     self.resident[i]);
	}
	self.count++;
}

/* The caller holds the lock. */
static void write_locked(bool with_table)
{
	uint32_t pid = (uint32_t)getpid();
	size_t rows = hakmem_stats_classes(self.rows, MOST_CLASSES);
	int64_t now = now_ms();

	rows = rows > MOST_CLASSES ? MOST_CLASSES : rows;
	if (!hak_session_begin_event()) {
		return;
	}
	if (with_table || now >= self.table_due_ms) {
		self.table_due_ms = now + TABLE_MS;
		write_table(pid, rows);
	}
	write_counters(pid, rows);
	hak_session_end_event();
}

static void write_snapshot(bool with_table)
{
	pthread_mutex_lock(&self.lock);
	write_locked(with_table);
	pthread_mutex_unlock(&self.lock);
}

void hak_snapshot_last(void)
{
	struct timespec deadline = in_ms(LAST_WAIT_MS);
	if (hak_session_takes_snapshots() &&
	    pthread_mutex_clocklock(&self.lock, CLOCK_MONOTONIC, &deadline) == 0) {
		write_locked(true);
		pthread_mutex_unlock(&self.lock);
	}
}

/* Until something is due; *due_ms is when the next snapshot is. */
static int64_t time_to_wait(bool wants_ops, int64_t due_ms)
{
	int64_t wait = wants_ops ? FLUSH_MS : LOOK_MS;
	if (!hak_session_takes_anything()) {
		return IDLE_MS;
	}
	if (hak_session_takes_snapshots()) {
		int64_t left = due_ms - now_ms();
		left = left < 0 ? 0 : left;
		wait = left < wait ? left : wait;
	}
	return wait;
}

static void wait_for(int64_t ms)
{
	struct timespec until = in_ms(ms);
	atomic_store(&self.is_idle, ms == IDLE_MS);
	while (sem_clockwait(&self.wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR) {
	}
	atomic_store(&self.is_idle, false);
}

/* When the next snapshot is due; `repeats` are still to come for a new session. */
static int64_t next_due_ms(unsigned repeats)
{
	int64_t wait = self.period_ms;
	if (repeats == 2 && wait > FIRST_REPEAT_MS) {
		wait = FIRST_REPEAT_MS;
	} else if (repeats == 1 && wait > SECOND_REPEAT_MS) {
		wait = SECOND_REPEAT_MS;
	}
	return now_ms() + wait;
}

static void run(void)
{
	int64_t due_ms = 0;
	unsigned repeats = 0;
	bool wanted_ops = false;

	for (;;) {
		bool has_come = hak_session_has_come();
		bool wants_ops = (hak_session_wanted() & HAK_TRACE_OPS) != 0;
		if (wants_ops || wanted_ops) { /* first, so that a snapshot meets its operations */
			hak_batch_flush_all();
		}
		wanted_ops = wants_ops;
		if (hak_session_takes_anything()) {
			hak_modules_look();
		}
		if (hak_session_takes_snapshots() && (has_come || now_ms() >= due_ms)) {
			write_snapshot(has_come || repeats);
			repeats = has_come ? 2 : repeats ? repeats - 1 : 0;
			due_ms = next_due_ms(repeats);
		}
		if (atomic_exchange(&self.is_quiet_wanted, false)) {
			lttng_ust_urcu_synchronize_rcu();
			sem_post(&self.quiet);
		}
		wait_for(time_to_wait(wants_ops, due_ms));
	}
}

static void *thread_main(void *arg)
{
	hak_tracer_thread.state = HAK_THREAD_HIDDEN; /* what LTTng allocates here is counted as hidden */
	pthread_setname_np(pthread_self(), "hakmem-trace");
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

void hak_snapshot_start(unsigned period_ms)
{
	sigset_t all, before;
	self.period_ms = period_ms;
	sem_init(&self.wake, 0, 0);
	sem_init(&self.quiet, 0, 0);
	if (hak_session_takes_snapshots()) {
		write_snapshot(true); /* what came before main is the first snapshot's, the rest is traced */
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	atomic_store(&self.is_running, create_thread() == 0);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void hak_snapshot_first(void)
{
	pthread_mutex_lock(&self.lock);
	if (hak_session_takes_snapshots()) {
		write_locked(true);
	}
	self.is_in_fork = false;
	pthread_mutex_unlock(&self.lock);
}

void hak_snapshot_start_if_missing(void)
{
	if (atomic_load_explicit(&self.is_missing, memory_order_relaxed) &&
	    atomic_exchange(&self.is_missing, false)) {
		hak_snapshot_start(self.period_ms);
	}
}

void hak_snapshot_wake(void)
{
	if (atomic_load(&self.is_running)) {
		sem_post(&self.wake);
	}
}

void hak_snapshot_wake_if_idle(void)
{
	if (__builtin_expect(atomic_load_explicit(&self.is_idle, memory_order_relaxed), 0) &&
	    atomic_exchange(&self.is_idle, false)) {
		hak_snapshot_wake();
	}
}

/* This thread does not wait for the others itself: one of them may be stopped, or its own. */
void hak_snapshot_quiesce(void)
{
	struct timespec deadline = in_ms(QUIET_WAIT_MS);
	if (!atomic_load(&self.is_running) || lttng_ust_urcu_read_ongoing()) {
		return;
	}
	while (sem_trywait(&self.quiet) == 0) { /* came too late for an earlier one */
	}
	atomic_store(&self.is_quiet_wanted, true);
	sem_post(&self.wake);
	while (sem_clockwait(&self.quiet, CLOCK_MONOTONIC, &deadline) != 0 && errno == EINTR) {
	}
}

void hak_snapshot_after_fork(void)
{
	pthread_mutex_init(&self.lock, NULL);
	self.count = 0;
	self.table_due_ms = 0;
	self.is_in_fork = hak_tracer_thread.is_entering;
	atomic_store(&self.is_idle, false);
	if (atomic_exchange(&self.is_running, false)) {
		atomic_store(&self.is_missing, true);
	}
}
