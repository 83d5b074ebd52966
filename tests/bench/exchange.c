/* SPDX-License-Identifier: MIT */
/*
 * Patterns between threads: blocks that another thread frees than the one that allocated them.
 */
#include "bench.h"

#include <sched.h>
#include <stdatomic.h>

enum { BATCH = 256, DRAWS = 4096, QUEUE = 1024 };

/* One producer, one consumer. Indexes only rise; a slot is index % QUEUE. */
struct queue {
	_Alignas(128) _Atomic size_t sent;
	_Alignas(128) _Atomic size_t taken;
	_Alignas(128) void *blocks[QUEUE];
};

static struct queue *queues;	/* queues[i]: from thread i to thread i + 1 */
static _Atomic(void *) *shared; /* one working set for all threads */

static void prepare(const struct bench_options *o)
{
	uint64_t seed = 42;

	queues = bench_memory(o->threads * sizeof *queues);
	shared = bench_memory(o->slots * sizeof *shared);
	for (size_t i = 0; i < o->slots; i++)
		atomic_init(&shared[i], bench_malloc(bench_size(o, bench_random(&seed))));
}

static size_t send(struct bench_worker *w, struct queue *q)
{
	size_t at = atomic_load_explicit(&q->sent, memory_order_relaxed);
	size_t room = QUEUE - (at - atomic_load_explicit(&q->taken, memory_order_acquire));
	size_t count = room < BATCH ? room : BATCH;

	for (size_t i = 0; i < count; i++)
		q->blocks[(at + i) % QUEUE] = bench_malloc(bench_size(w->options, bench_random(&w->seed)));
	atomic_store_explicit(&q->sent, at + count, memory_order_release);
	return count;
}

static size_t receive(struct queue *q)
{
	size_t at = atomic_load_explicit(&q->taken, memory_order_relaxed);
	size_t count = atomic_load_explicit(&q->sent, memory_order_acquire) - at;

	for (size_t i = 0; i < count; i++)
		free(q->blocks[(at + i) % QUEUE]);
	atomic_store_explicit(&q->taken, at + count, memory_order_release);
	return count;
}

/* Each thread allocates for its neighbour and frees what the other neighbour allocated. */
static uint64_t remote(struct bench_worker *w)
{
	unsigned threads = w->options->threads;
	size_t sent = send(w, &queues[w->index]);
	size_t freed = receive(&queues[(w->index + threads - 1) % threads]);

	if (!sent && !freed)
		sched_yield();
	return freed;
}

/* A block is freed by whichever thread draws its slot. */
static uint64_t anyone(struct bench_worker *w)
{
	const struct bench_options *o = w->options;

	for (size_t i = 0; i < DRAWS; i++) {
		uint64_t random = bench_random(&w->seed);
		void *fresh = bench_malloc(bench_size(o, random));

		free(atomic_exchange_explicit(&shared[bench_below(random, o->slots)], fresh,
					      memory_order_acq_rel));
	}
	return DRAWS;
}

static void finish(const struct bench_options *o)
{
	for (unsigned i = 0; i < o->threads; i++)
		receive(&queues[i]);
	for (size_t i = 0; i < o->slots; i++)
		free(atomic_exchange(&shared[i], NULL));
}

int main(int argc, char **argv)
{
	static const struct bench_mode modes[] = { { "remote", remote, NULL },
						   { "shared", anyone, NULL },
						   { NULL, NULL, NULL } };
	static const struct bench_program program = {
		.name = "exchange",
		.defaults = { .min = 16, .max = 512, .slots = 4096, .threads = 2, .millis = 200 },
		.modes = modes,
		.prepare = prepare,
		.finish = finish,
	};

	return bench_main(argc, argv, &program);
}
