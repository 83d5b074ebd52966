/* SPDX-License-Identifier: MIT */
/*
 * The pool of batches and their flushing. Memory comes from mmap in chunks that are never
 * given back: a batch whose thread has ended serves the next one, so what is mapped follows
 * the largest number of threads at one time, not the number of threads ever.
 *
 * `next` numbers the words of a thread. It counts words that a session asked for, written
 * or lost on the way; words that nobody wanted any more do not count.
 */
#include "batch.h"

#include <lttng/urcu/urcu-ust.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "hak_tp.h"
#include "snapshot.h"
#include "thread.h"

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

static uint32_t published(struct hak_batch *b)
{
	return atomic_load_explicit(&b->count, memory_order_acquire);
}

/* Writes words[sent..end); the caller holds the lock. */
static void write_words(struct hak_batch *b, uint32_t end)
{
	uint32_t count = end - b->sent;
	if (lttng_ust_tracepoint_enabled(hakmem, ops)) {
		lttng_ust_do_tracepoint(hakmem, ops, b->pid, b->tid, b->next, b->words + b->sent, count);
		b->next += count;
	}
	b->sent = end;
}

/* For the owner: everything out, and room again. */
void hak_batch_flush_own(struct hak_batch *b)
{
	hak_thread.is_flushing = true;
	pthread_mutex_lock(&b->lock);
	write_words(b, published(b));
	b->sent = 0;
	atomic_store_explicit(&b->count, 0, memory_order_relaxed);
	pthread_mutex_unlock(&b->lock);
	hak_thread.is_flushing = false;
	hak_snapshot_wake_if_idle();
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
static struct hak_batch *own_batch(void)
{
	struct hak_batch *b;
	if (hak_thread.is_forking) {
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
	b->next = hak_thread.next_word;
	b->sent = 0;
	atomic_store_explicit(&b->count, 0, memory_order_relaxed);
	b->is_used = true;
	pthread_mutex_unlock(&b->lock);
	hak_thread.batch = b;
	return b;
}

/* Without a batch: no memory for one, or the thread is past its end. */
static void add_without_batch(unsigned count, uint64_t *words)
{
	if (hak_thread.state == HAK_THREAD_GONE && !hak_thread.is_forking &&
	    lttng_ust_tracepoint_enabled(hakmem, ops)) {
		lttng_ust_do_tracepoint(hakmem, ops, (uint32_t)getpid(), (uint32_t)gettid(),
					hak_thread.next_word, words, count);
	}
	hak_thread.next_word += count;
}

void hak_batch_add_first(unsigned count, uint64_t word, uint64_t second, uint64_t third)
{
	uint64_t words[HAK_OPERATION_WORDS] = { word, second, third };
	if (hak_thread.state == HAK_THREAD_GONE || !own_batch()) {
		add_without_batch(count, words);
		return;
	}
	hak_batch_add(count, word, second, third);
}

void hak_batch_thread_exit(void)
{
	struct hak_batch *b = hak_thread.batch;
	if (!hak_thread_is_traced()) {
		return;
	}
	hak_thread.state = HAK_THREAD_GONE;
	if (!b) {
		return;
	}
	hak_batch_flush_own(b);
	pthread_mutex_lock(&b->lock);
	hak_thread.next_word = b->next;
	b->is_used = false;
	pthread_mutex_unlock(&b->lock);
	hak_thread.batch = NULL;
	give_back(b);
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

/* For others than the owner; the caller holds the lock. */
static void flush_locked(struct hak_batch *b)
{
	uint32_t end = published(b);
	if (b->is_used && end > b->sent) {
		write_words(b, end);
	}
}

/* A batch whose lock is taken is being written just now. */
static void flush_unless_busy(struct hak_batch *b, void *arg)
{
	(void)arg;
	if (published(b) != 0 && pthread_mutex_trylock(&b->lock) == 0) {
		flush_locked(b);
		pthread_mutex_unlock(&b->lock);
	}
}

void hak_batch_flush_all(void)
{
	for_each(flush_unless_busy, NULL);
}

static void flush_before(struct hak_batch *b, void *arg)
{
	const struct timespec *deadline = arg;
	if (published(b) == 0 || (b == hak_thread.batch && hak_thread.is_flushing)) {
		return;
	}
	if (pthread_mutex_clocklock(&b->lock, CLOCK_MONOTONIC, deadline) == 0) {
		flush_locked(b);
		pthread_mutex_unlock(&b->lock);
	}
}

void hak_batch_flush_last(void)
{
	struct timespec deadline;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_nsec += LAST_WAIT_MS * 1000000L;
	if (deadline.tv_nsec >= 1000000000L) {
		deadline.tv_nsec -= 1000000000L;
		deadline.tv_sec++;
	}
	for_each(flush_before, &deadline);
}

static void forget(struct hak_batch *b, void *arg)
{
	(void)arg;
	pthread_mutex_init(&b->lock, NULL);
	b->next = 0;
	b->sent = 0;
	atomic_store_explicit(&b->count, 0, memory_order_relaxed);
	b->is_used = false;
	b->next_free = pool;
	pool = b;
}

void hak_batch_after_fork(void)
{
	pthread_mutex_init(&pool_lock, NULL);
	pool = NULL;
	hak_thread.batch = NULL;
	hak_thread.next_word = 0;
	for_each(forget, NULL);
}
