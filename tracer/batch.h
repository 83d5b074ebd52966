/* SPDX-License-Identifier: MIT */
/*
 * Per-thread batches of packed operations, written as `hakmem:ops` events: when a batch is
 * full, when its thread ends, and whatever has gathered when the tracer's thread comes by.
 *
 * The owner appends with plain stores and publishes with one release store; no lock, no atomic
 * read-modify-write. Writing an event takes the batch's lock, which the owner shares with
 * whoever flushes for it.
 *
 * Records refer to earlier ones of their event (hakmem_ops_word.h), so a batch is written in
 * one piece. Who flushes for another thread first asks it to do that itself, by taking the
 * limit away, and writes only the batch of a thread that did nothing until the next round.
 * Should such a thread be just adding records, what it adds before it notices is packed anew.
 */
#ifndef HAK_TRACER_BATCH_H
#define HAK_TRACER_BATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hakmem_ops_word.h"
#include "thread.h"

enum {
	/* 4 KiB: an event's fixed cost, and that of the first records that the others refer to, is
	 * then small, and the whole is small against any sub-buffer. */
	HAK_BATCH_UNITS = 2048,
	HAK_BATCH_LIMIT = HAK_BATCH_UNITS - HAK_OPS_FULL_UNITS,
};

struct hak_batch {
	struct hak_batch *next_free; /* the pool's */
	pthread_mutex_t lock;	     /* guards the next six, and the writing of events */
	uint64_t next;		     /* number of the first operation not written, in its thread */
	uint64_t sent;		     /* as `published`, when it was last written */
	uint64_t missed;	     /* operations after those, for which there was no room */
	uint32_t pid;
	uint32_t tid;
	bool is_used;
	/* Units in the lower half, operations in the upper; reset by the owner under the lock. */
	_Alignas(64) _Atomic(uint64_t) published;
	_Atomic(uint32_t) limit;	/* the owner flushes before it appends when so many units are there */
	uint64_t keys[HAK_OPS_CLASSES]; /* of the long records; the owner's */
	_Alignas(8) uint16_t units[HAK_BATCH_UNITS];
};

/* A full record of `count` words (1..3), for the calling thread, from a hook. */
void hak_batch_add_full(const uint64_t *words, unsigned count);

/* hak_batch_add where it takes more than one unit of the batch. */
void hak_batch_add_slow(unsigned head, uint64_t key);

static inline uint32_t hak_batch_units(uint64_t published)
{
	return (uint32_t)published;
}

static inline uint32_t hak_batch_operations(uint64_t published)
{
	return (uint32_t)(published >> 32);
}

/* Makes one more operation of `units` known. */
static inline void hak_batch_publish(struct hak_batch *b, uint64_t published, unsigned units)
{
	atomic_store_explicit(&b->published, published + (UINT64_C(1) << 32) + units, memory_order_release);
}

/* Appends an operation on a block of a class: head and key as of hakmem_ops_word.h. From a hook. */
static inline void hak_batch_add(unsigned head, uint64_t key)
{
	struct hak_batch *b = hak_tracer_thread.batch;
	if (__builtin_expect(b != NULL, 1)) {
		uint64_t published = atomic_load_explicit(&b->published, memory_order_relaxed);
		uint64_t reference = b->keys[head >> 1];
		bool has_room =
			hak_batch_units(published) < atomic_load_explicit(&b->limit, memory_order_relaxed);
		if (__builtin_expect(has_room && hak_ops_is_near(key, reference), 1)) {
			b->units[hak_batch_units(published)] = hak_ops_short(head, key, reference);
			hak_batch_publish(b, published, 1);
			return;
		}
	}
	hak_batch_add_slow(head, key);
}

/* The calling thread ends: flushes its batch and gives it back. */
void hak_batch_thread_exit(void);

/*
 * Writes what idle threads have gathered and asks the others to, or forgets it when nobody
 * takes `ops` any more. A thread that has not seen that yet goes on to add, so this is called
 * then, too.
 */
void hak_batch_flush_all(void);

/*
 * Writes all for a process that is about to end: waits for batches that are being written,
 * but not for long, and not for one that the calling thread itself was writing when a
 * signal handler took over.
 */
void hak_batch_flush_last(void);

/* In a fork child: the parent writes what was gathered before, so here it is forgotten. */
void hak_batch_after_fork(void);

#endif
