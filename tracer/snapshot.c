/* SPDX-License-Identifier: MIT */
/*
 * What the tracer's thread does in each round, and what it writes. LTTng gives no sign when a
 * session enables an event, so the thread looks: once a second while nothing is enabled, four
 * times a second while something is. Threads that notice a session earlier wake it.
 */
#include "snapshot.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "clock.h"
#include "estimate.h"
#include "hak_tp.h"
#include "host.h"
#include "modules.h"
#include "session.h"
#include "thread.h"
#include "worker.h"

enum {
	LOOK_MS = 250,		 /* something enabled */
	FLUSH_MS = 100,		 /* `ops` enabled: how long an operation may wait in its batch */
	TABLE_MS = 1000,	 /* configuration and class table, at most so often */
	LAST_WAIT_MS = 100,	 /* for a snapshot that is being written while the process ends */
	FIRST_REPEAT_MS = 100,	 /* what a session was told at its start is repeated, twice: */
	SECOND_REPEAT_MS = 1000, /* LTTng drops what comes while it is still starting one */
	MOST_CLASSES = 256,	 /* the class ids of a packed record end at 127 */
	RESIDENT_SHARE = 20, /* of the time that passes, one in so many parts may go into counting pages */
};

static struct {
	pthread_mutex_t lock; /* guards all but is_last */
	uint64_t count;
	int64_t table_due_ms;
	bool is_in_fork;     /* in a child, until our fork returns to the program */
	atomic_bool is_last; /* the next four are what the process leaves with */
	size_t row_count;
	struct hakmem_class_stats rows[MOST_CLASSES];
	uint64_t hidden[MOST_CLASSES];
	struct hakmem_heap_stats heap;
	uint64_t resident[MOST_CLASSES]; /* bytes of each class's pages in memory */
	int64_t resident_due_ns;
	unsigned period_ms;
} self = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* From one round of the thread to the next; its own. */
static struct {
	int64_t due_ms;	  /* the next snapshot */
	unsigned repeats; /* still to come for a new session */
} rounds;

static void write_table(uint32_t pid)
{
	struct hakmem_config config;
	hakmem_config_read(&config);
	lttng_ust_tracepoint(hakmem, config, pid, &config, hakmem_version());
	for (size_t i = 0; i < self.row_count; i++) {
		lttng_ust_tracepoint(hakmem, class_info, pid, &self.rows[i]);
	}
}

/* What filters compare, so that a session can wait for it. */
static struct hak_level level(void)
{
	uint64_t live = self.heap.large_bytes;
	uint64_t committed = self.heap.committed;
	for (size_t i = 0; i < self.row_count; i++) {
		live += self.rows[i].live * self.rows[i].usable;
	}
	return (struct hak_level) {
		.live_bytes = live,
		.idle_percent = live < committed ? (unsigned)((committed - live) * 100 / committed) : 0,
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

/*
 * Fills self.resident. A large heap has many pages, so it may not be counted in each snapshot: 0 then. The
 * last one of a process, and the first of a fork child, always is.
 */
static uint64_t count_resident(void)
{
	int64_t before = hak_clock_ns();
	if (life() == HAK_LIFE_RUNNING && before < self.resident_due_ns) {
		memset(self.resident, 0, sizeof self.resident);
		return 0;
	}
	uint64_t all = hakmem_stats_resident(self.resident, MOST_CLASSES);
	int64_t after = hak_clock_ns();
	self.resident_due_ns = after + (after - before) * (RESIDENT_SHARE - 1);
	return all;
}

static void write_counters(uint32_t pid)
{
	uint64_t resident = count_resident();
	struct hak_level now = level();
	lttng_ust_tracepoint(hakmem, heap_stats, pid, &self.heap, self.count, &now, resident, life());
	for (size_t i = 0; i < self.row_count; i++) {
		lttng_ust_tracepoint(hakmem, class_stats, pid, &self.rows[i], self.count, self.hidden[i],
				     self.resident[i]);
	}
	self.count++;
}

/* The caller holds the lock. No rows: a signal came inside malloc, and its handler ends the process. */
static void read_locked(void)
{
	size_t rows = hakmem_stats_classes(self.rows, MOST_CLASSES);
	self.row_count = rows > MOST_CLASSES ? MOST_CLASSES : rows;
	for (size_t i = 0; i < self.row_count; i++) {
		self.hidden[i] = hak_thread_hidden(self.rows[i].class_id);
	}
	hakmem_stats_heap(&self.heap);
}

/* What was read. The caller holds the lock. */
static void write_locked(bool with_table)
{
	uint32_t pid = (uint32_t)getpid();
	int64_t now = hak_clock_ms();

	if (self.row_count == 0 || !hak_session_begin_event()) {
		return;
	}
	if (with_table || now >= self.table_due_ms) {
		self.table_due_ms = now + TABLE_MS;
		write_table(pid);
	}
	write_counters(pid);
	hak_session_end_event();
}

static void write_snapshot(bool with_table)
{
	pthread_mutex_lock(&self.lock);
	if (!atomic_load(&self.is_last)) {
		read_locked();
		write_locked(with_table);
	}
	pthread_mutex_unlock(&self.lock);
}

static bool lock_for_a_while(void)
{
	struct timespec deadline = hak_clock_in_ms(LAST_WAIT_MS);
	return pthread_mutex_clocklock(&self.lock, CLOCK_MONOTONIC, &deadline) == 0;
}

void hak_snapshot_read_last(void)
{
	if (hak_session_takes_snapshots() && lock_for_a_while()) {
		read_locked();
		atomic_store(&self.is_last, true);
		pthread_mutex_unlock(&self.lock);
	}
}

void hak_snapshot_write_last(void)
{
	if (atomic_load(&self.is_last) && lock_for_a_while()) {
		write_locked(true);
		pthread_mutex_unlock(&self.lock);
	}
}

void hak_snapshot_forget_last(void)
{
	atomic_store(&self.is_last, false);
}

/* Until something is due; *due_ms is when the next snapshot is. */
static int64_t time_to_wait(bool wants_ops, int64_t due_ms)
{
	int64_t wait = wants_ops ? FLUSH_MS : LOOK_MS;
	if (!hak_session_takes_anything()) {
		return HAK_WORKER_IDLE_MS;
	}
	if (hak_session_takes_snapshots()) {
		int64_t left = due_ms - hak_clock_ms();
		left = left < 0 ? 0 : left;
		wait = left < wait ? left : wait;
	}
	return wait;
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
	return hak_clock_ms() + wait;
}

static int64_t go_round(void)
{
	bool has_come = hak_session_has_come();
	bool wants_ops = (hak_session_wanted() & HAK_TRACE_OPS) != 0;
	hak_batch_flush_all(); /* first, so that a snapshot meets its operations */
	if (hak_session_takes_anything()) {
		hak_modules_look();
	}
	if (hak_session_takes_snapshots() && (has_come || hak_clock_ms() >= rounds.due_ms)) {
		write_snapshot(has_come || rounds.repeats);
		rounds.repeats = has_come ? 2 : rounds.repeats ? rounds.repeats - 1 : 0;
		rounds.due_ms = next_due_ms(rounds.repeats);
	}
	return time_to_wait(wants_ops, rounds.due_ms);
}

static void enter(void)
{
	hak_tracer_thread.state = HAK_THREAD_HIDDEN; /* what LTTng allocates here is counted as hidden */
}

/* What came before main is the first snapshot's, the rest is traced. */
static void prepare(void)
{
	memset(&rounds, 0, sizeof rounds);
	if (hak_session_takes_snapshots()) {
		write_snapshot(true);
	}
}

void hak_snapshot_start(unsigned period_ms)
{
	static const struct hak_work work = { .prepare = prepare, .enter = enter, .round = go_round };
	self.period_ms = period_ms;
	hak_worker_start(&work);
}

void hak_snapshot_first(void)
{
	pthread_mutex_lock(&self.lock);
	if (hak_session_takes_snapshots()) {
		read_locked();
		write_locked(true);
	}
	self.is_in_fork = false;
	pthread_mutex_unlock(&self.lock);
}

void hak_snapshot_after_fork(void)
{
	pthread_mutex_init(&self.lock, NULL);
	hak_snapshot_forget_last();
	self.count = 0;
	self.table_due_ms = 0;
	self.is_in_fork = hak_tracer_thread.is_entering;
}
