/* SPDX-License-Identifier: MIT */
/*
 * Per-thread batches of packed operations, written as `hakmem:ops` events: when a batch is
 * full, when its thread ends, and whatever has gathered when the tracer's thread comes by.
 *
 * The owner appends with plain stores and publishes the count with one release store; no
 * lock, no atomic read-modify-write. Writing an event takes the batch's lock, which the
 * owner shares with whoever flushes for it.
 */
#ifndef HAK_TRACER_BATCH_H
#define HAK_TRACER_BATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "thread.h"

enum {
	/* 2 KiB: an event's fixed cost is then a fraction of a nanosecond a word, and the
	 * whole is small against any sub-buffer. */
	HAK_BATCH_WORDS = 256,
	HAK_OPERATION_WORDS = 3, /* at most */
};

struct hak_batch {
	struct hak_batch *next_free; /* the pool's */
	pthread_mutex_t lock;	     /* guards the next five, and the writing of events */
	uint64_t next;		     /* number of words[sent] in its thread */
	uint32_t sent;		     /* words written already */
	uint32_t pid;
	uint32_t tid;
	bool is_used;
	_Alignas(64) _Atomic(uint32_t) count; /* words published; reset by the owner under the lock */
	uint64_t words[HAK_BATCH_WORDS];
};

/* The cold halves of hak_batch_add: a full batch, and a thread without one. */
void hak_batch_flush_own(struct hak_batch *batch);
void hak_batch_add_first(unsigned count, uint64_t word, uint64_t second, uint64_t third);

/*
 * Appends one operation: its `count` (1..3) words, of which the later ones are ignored when
 * they do not count. For the calling thread's batch, from a hook.
 */
static inline void hak_batch_add(unsigned count, uint64_t word, uint64_t second, uint64_t third)
{
	struct hak_batch *b = hak_thread.batch;
	uint32_t at;

	if (__builtin_expect(!b, 0)) {
		hak_batch_add_first(count, word, second, third);
		return;
	}
	at = atomic_load_explicit(&b->count, memory_order_relaxed);
	b->words[at] = word;
	b->words[at + 1] = second;
	b->words[at + 2] = third;
	at += count;
	atomic_store_explicit(&b->count, at, memory_order_release);
	if (__builtin_expect(at > HAK_BATCH_WORDS - HAK_OPERATION_WORDS, 0)) {
		hak_batch_flush_own(b);
	}
}

/* The calling thread ends: flushes its batch and gives it back. */
void hak_batch_thread_exit(void);

/* Writes what all threads have gathered, or forgets it when nobody takes `ops` any more. */
void hak_batch_flush_all(void);

/*
 * The same for a process that is about to end: waits for batches that are being written,
 * but not for long, and not for one that the calling thread itself was writing when a
 * signal handler took over.
 */
void hak_batch_flush_last(void);

/* In a fork child: the parent writes what was gathered before, so here it is forgotten. */
void hak_batch_after_fork(void);

#endif
