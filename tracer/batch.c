/* SPDX-License-Identifier: MIT */
/*
 * The pool of batches and their flushing. Memory comes from mmap in chunks that are never
 * given back: a batch whose thread has ended serves the next one, so what is mapped follows
 * the largest number of threads at one time, not the number of threads ever.
 *
 * `next` numbers the operations of a thread. It counts those that a session asked for, written
 * or lost on the way; those that nobody wanted any more do not count.
 */
#include "batch.h"

#include <lttng/urcu/urcu-ust.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "hak_tp.h"
#include "session.h"
#include "thread.h"
#include "worker.h"

enum {
	CHUNK_BYTES = 64 * 1024,
	LAST_WAIT_MS = 100,
};

struct chunk {
	struct chunk *next;
	_Atomic(uint32_t) used; /* batches[0..used) were handed out once */
	struct hak_batch batches[];
};

enum { CHUNK_BATCHES = (CHUNK_BYTES - sizeof(struct chunk)) / sizeof(struct hak_batch) };

static pthread_mutex_t pool_lock = PTHREAD_MUTEX_INITIALIZER;
static struct hak_batch *pool;	       /* pool_lock */
static _Atomic(struct chunk *) chunks; /* grows at the head, under pool_lock */

static bool is_wanted(void)
{
	return lttng_ust_tracepoint_enabled(hakmem, ops) != 0;
}

static uint64_t published(struct hak_batch *b)
{
	return atomic_load_explicit(&b->published, memory_order_acquire);
}

/* Writes one event. What lies behind the last unit in its word is nobody's. */
static void write_event(const struct hak_batch *b, uint16_t *units, uint32_t count, uint32_t operations)
{
	lttng_ust_do_tracepoint(hakmem, ops, b->pid, b->tid, b->next, operations, count,
				(uint64_t *)(void *)units, (count + 3) / 4);
}

/* Empty, as its owner wants it. */
static void reset(struct hak_batch *b)
{
	b->sent = 0;
	for (unsigned i = 0; i < HAK_OPS_CLASSES; i++) {
		b->keys[i] = HAK_OPS_NO_KEY;
	}
	atomic_store_explicit(&b->published, 0, memory_order_relaxed);
	atomic_store_explicit(&b->limit, HAK_BATCH_LIMIT, memory_order_relaxed);
}

/* Adds an operation on a block of a class; there is room. */
static void put(struct hak_batch *b, unsigned head, uint64_t key)
{
	uint64_t before = published(b);
	uint64_t reference = b->keys[head >> 1];
	if (hak_ops_is_near(key, reference)) {
		b->units[hak_batch_units(before)] = hak_ops_short(head, key, reference);
		hak_batch_publish(b, before, 1);
		return;
	}
	hak_ops_long(b->units + hak_batch_units(before), head, key);
	if (key >> HAK_OPS_FLAGS_BIT == 0) {
		b->keys[head >> 1] = key;
	}
	hak_batch_publish(b, before, HAK_OPS_LONG_UNITS);
}

/* Of a batch that nobody else knows. */
static void write_alone(struct hak_batch *b)
{
	uint64_t end = published(b);
	write_event(b, b->units, hak_batch_units(end), hak_batch_operations(end));
	b->next += hak_batch_operations(end);
	reset(b);
}

/*
 * The rest of a batch whose first `from` units were written before, while its owner was adding to it. Its
 * records may refer to those, so they are packed anew. Out of line, for what it takes of the stack.
 */
static __attribute__((noinline)) void write_rest(const struct hak_batch *b, uint32_t from, uint32_t end)
{
	struct hak_batch rest = { .pid = b->pid, .tid = b->tid, .next = b->next };
	struct hak_ops_operation op;
	struct hak_ops_reader reader;

	reset(&rest);
	hak_ops_read_begin(&reader, (const uint64_t *)(const void *)b->units, end);
	for (uint32_t at = 0; hak_ops_read(&reader, &op) == 1; at = reader.at) {
		uint32_t units = reader.at - at;
		if (at < from) {
			continue;
		}
		if (hak_batch_units(published(&rest)) >= HAK_BATCH_LIMIT) {
			write_alone(&rest);
		}
		if (units > HAK_OPS_LONG_UNITS) { /* a full record: refers to nothing */
			memcpy(rest.units + hak_batch_units(published(&rest)), b->units + at,
			       units * sizeof *b->units);
			hak_batch_publish(&rest, published(&rest), units);
		} else {
			put(&rest, hak_ops_head(op.kind, op.class_id),
			    hak_ops_key(op.requested, op.reason, op.flags));
		}
	}
	write_alone(&rest);
}

static uint32_t unsent(const struct hak_batch *b, uint64_t end)
{
	return hak_batch_operations(end) - hak_batch_operations(b->sent);
}

/*
 * Writes what is not written yet or, when nobody wants it, forgets it. False: the process leaves,
 * and the thread that ends it writes it. The caller holds the lock.
 */
static bool write_batch(struct hak_batch *b, uint64_t end)
{
	uint32_t operations = unsent(b, end);
	if (operations != 0 && is_wanted()) {
		if (!hak_session_begin_event()) {
			return false;
		}
		if (b->sent == 0) {
			write_event(b, b->units, hak_batch_units(end), operations);
		} else {
			write_rest(b, hak_batch_units(b->sent), hak_batch_units(end));
		}
		hak_session_end_event();
		b->next += operations;
	}
	b->sent = end;
	return true;
}

/*
 * For the owner: everything out, and room again. False: the process leaves, so nothing is written; what was
 * gathered stays for the thread that ends it.
 */
static bool flush_own(struct hak_batch *b)
{
	struct hak_thread_guard guard = hak_thread_guard_begin();
	hak_tracer_thread.is_flushing = true;
	pthread_mutex_lock(&b->lock);
	bool is_written = write_batch(b, published(b));
	if (is_written) {
		b->next += b->missed;
		b->missed = 0;
		reset(b);
	}
	if (!is_wanted()) { /* so that the next one, which may be another session's, finds nothing here */
		atomic_store_explicit(&b->limit, 0, memory_order_relaxed);
	}
	pthread_mutex_unlock(&b->lock);
	hak_tracer_thread.is_flushing = false;
	hak_worker_wake_if_idle();
	hak_thread_guard_end(guard);
	return is_written;
}

static struct hak_batch *fresh_batch(void)
{
	struct chunk *c = atomic_load_explicit(&chunks, memory_order_relaxed);
	uint32_t used = c ? atomic_load_explicit(&c->used, memory_order_relaxed) : CHUNK_BATCHES;

	if (used == CHUNK_BATCHES) {
		struct chunk *more =
			mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (more == MAP_FAILED) {
			return NULL;
		}
		more->next = c;
		atomic_store_explicit(&chunks, more, memory_order_release);
		c = more;
		used = 0;
	}
	pthread_mutex_init(&c->batches[used].lock, NULL);
	atomic_store_explicit(&c->used, used + 1, memory_order_release);
	return &c->batches[used];
}

static struct hak_batch *take_batch(void)
{
	pthread_mutex_lock(&pool_lock);
	struct hak_batch *b = pool;
	if (b) {
		pool = b->next_free;
	} else {
		b = fresh_batch();
	}
	pthread_mutex_unlock(&pool_lock);
	return b;
}

static void give_back(struct hak_batch *b)
{
	pthread_mutex_lock(&pool_lock);
	b->next_free = pool;
	pool = b;
	pthread_mutex_unlock(&pool_lock);
}

/*
 * LTTng holds its registry of threads across a fork. A thread that is not in it yet would
 * wait there for itself, so registering happens here and never on the way.
 */
static struct hak_batch *get_batch(void)
{
	struct hak_batch *b;
	if (hak_tracer_thread.is_forking) {
		return NULL;
	}
	lttng_ust_urcu_register_thread();
	b = take_batch();
	if (!b) {
		return NULL;
	}
	pthread_mutex_lock(&b->lock);
	b->pid = (uint32_t)getpid();
	b->tid = (uint32_t)gettid();
	b->next = hak_tracer_thread.next_operation;
	reset(b);
	b->is_used = true;
	pthread_mutex_unlock(&b->lock);
	hak_tracer_thread.batch = b;
	return b;
}

/* For a thread without a batch; one that is past its end gets none. */
static struct hak_batch *own_batch(void)
{
	struct hak_thread_guard guard = hak_thread_guard_begin();
	struct hak_batch *b = hak_tracer_thread.state == HAK_THREAD_GONE ? NULL : get_batch();
	hak_thread_guard_end(guard);
	return b;
}

/* Room for one record in the calling thread's batch; NULL when there is none. */
static struct hak_batch *room(void)
{
	struct hak_batch *b = hak_tracer_thread.batch;
	if (!b) {
		return own_batch();
	}
	if (hak_batch_units(published(b)) >= atomic_load_explicit(&b->limit, memory_order_relaxed) &&
	    !flush_own(b) && hak_batch_units(published(b)) >= HAK_BATCH_LIMIT) {
		b->missed++;
		return NULL;
	}
	return b;
}

/*
 * An operation for which there is no room: its thread is past its end, or without memory, or has filled its
 * batch while the process leaves.
 */
static void add_alone(const uint16_t *units, unsigned count)
{
	struct hak_thread_guard guard = hak_thread_guard_begin();
	if (hak_tracer_thread.state == HAK_THREAD_GONE && !hak_tracer_thread.is_forking && is_wanted() &&
	    hak_session_begin_event()) {
		struct hak_batch alone = { .pid = (uint32_t)getpid(),
					   .tid = (uint32_t)gettid(),
					   .next = hak_tracer_thread.next_operation };
		memcpy(alone.units, units, count * sizeof *units);
		write_event(&alone, alone.units, count, 1);
		hak_session_end_event();
	}
	hak_tracer_thread.next_operation++;
	hak_thread_guard_end(guard);
}

void hak_batch_add_full(const uint64_t *words, unsigned count)
{
	struct hak_batch *b = room();
	if (!b) {
		uint16_t units[HAK_OPS_FULL_UNITS];
		add_alone(units, hak_ops_full(units, words, count));
		return;
	}
	uint64_t before = atomic_load_explicit(&b->published, memory_order_relaxed);
	hak_batch_publish(b, before, hak_ops_full(b->units + hak_batch_units(before), words, count));
}

void hak_batch_add_slow(unsigned head, uint64_t key)
{
	struct hak_batch *b = room();
	if (!b) {
		uint16_t units[HAK_OPS_LONG_UNITS];
		hak_ops_long(units, head, key);
		add_alone(units, HAK_OPS_LONG_UNITS);
		return;
	}
	put(b, head, key);
}

void hak_batch_thread_exit(void)
{
	struct hak_batch *b = hak_tracer_thread.batch;
	if (!hak_thread_is_traced()) {
		return;
	}
	hak_tracer_thread.state = HAK_THREAD_GONE;
	if (!b) {
		return;
	}
	bool is_written = flush_own(b);
	pthread_mutex_lock(&b->lock);
	hak_tracer_thread.next_operation = b->next + unsent(b, published(b)) + b->missed;
	b->is_used = !is_written;
	pthread_mutex_unlock(&b->lock);
	hak_tracer_thread.batch = NULL;
	if (is_written) {
		give_back(b);
	}
}

/* Calls fn for each batch that was ever handed out; needs no lock. */
static void for_each(void (*fn)(struct hak_batch *, void *), void *arg)
{
	for (struct chunk *c = atomic_load_explicit(&chunks, memory_order_acquire); c; c = c->next) {
		uint32_t used = atomic_load_explicit(&c->used, memory_order_acquire);
		for (uint32_t i = 0; i < used; i++) {
			fn(&c->batches[i], arg);
		}
	}
}

/* For others than the owner, who begins anew after it; the caller holds the lock. */
static void flush_locked(struct hak_batch *b)
{
	if (b->is_used) {
		atomic_store_explicit(&b->limit, 0, memory_order_relaxed);
		write_batch(b, published(b));
	}
}

/*
 * The first round takes the limit away, the next one writes if the owner did not come by. What nobody
 * wants is forgotten at once, before another session begins. A batch whose lock is taken is being
 * written just now.
 */
static void flush_idle(struct hak_batch *b, void *arg)
{
	(void)arg;
	if (published(b) == 0) {
		return;
	}
	bool was_asked = atomic_exchange_explicit(&b->limit, 0, memory_order_relaxed) == 0;
	if ((was_asked || !is_wanted()) && pthread_mutex_trylock(&b->lock) == 0) {
		flush_locked(b);
		pthread_mutex_unlock(&b->lock);
	}
}

void hak_batch_flush_all(void)
{
	for_each(flush_idle, NULL);
}

static void flush_before(struct hak_batch *b, void *arg)
{
	const struct timespec *deadline = arg;
	if (published(b) == 0 || (b == hak_tracer_thread.batch && hak_tracer_thread.is_flushing)) {
		return;
	}
	if (pthread_mutex_clocklock(&b->lock, CLOCK_MONOTONIC, deadline) == 0) {
		flush_locked(b);
		pthread_mutex_unlock(&b->lock);
	}
}

void hak_batch_flush_last(void)
{
	struct timespec deadline = hak_clock_in_ms(LAST_WAIT_MS);
	for_each(flush_before, &deadline);
}

static void forget(struct hak_batch *b, void *arg)
{
	(void)arg;
	pthread_mutex_init(&b->lock, NULL);
	b->next = 0;
	b->missed = 0;
	reset(b);
	b->is_used = false;
	b->next_free = pool;
	pool = b;
}

void hak_batch_after_fork(void)
{
	pthread_mutex_init(&pool_lock, NULL);
	pool = NULL;
	hak_tracer_thread.batch = NULL;
	hak_tracer_thread.next_operation = 0;
	for_each(forget, NULL);
}
