/* SPDX-License-Identifier: MIT */
/*
 * The shape of larson (Larson and Krishnan, "Memory allocation for long-running server
 * applications", 1998): a server whose threads come and go. Each thread takes a set of blocks that an
 * earlier thread left, replaces random ones of it, leaves the set and ends. So most frees are of blocks that
 * another thread, often one that is gone, allocated.
 */
#include "bench.h"

#include <pthread.h>

enum { REPLACED_PER_LIFE = 20000 };

struct set {
	struct set *next;
	void *blocks[];
};

/* More sets than threads, so that a set hardly ever returns to the thread before. */
static struct {
	pthread_mutex_t lock;
	struct set *first;
	struct set **last;
} waiting = { PTHREAD_MUTEX_INITIALIZER, NULL, &waiting.first };

static void leave(struct set *set)
{
	set->next = NULL;
	pthread_mutex_lock(&waiting.lock);
	*waiting.last = set;
	waiting.last = &set->next;
	pthread_mutex_unlock(&waiting.lock);
}

static struct set *take(void)
{
	struct set *set;

	pthread_mutex_lock(&waiting.lock);
	set = waiting.first;
	waiting.first = set->next;
	if (!waiting.first)
		waiting.last = &waiting.first;
	pthread_mutex_unlock(&waiting.lock);
	return set;
}

static void prepare(const struct bench_options *o)
{
	uint64_t seed = 42;

	for (unsigned k = 0; k < 2 * o->threads; k++) {
		struct set *set = bench_memory(sizeof *set + o->slots * sizeof *set->blocks);

		for (size_t i = 0; i < o->slots; i++)
			set->blocks[i] = bench_malloc(bench_size(o, bench_random(&seed)));
		leave(set);
	}
}

static void finish(const struct bench_options *o)
{
	while (waiting.first) {
		struct set *set = take();

		for (size_t i = 0; i < o->slots; i++)
			free(set->blocks[i]);
	}
}

static void *life(void *arg)
{
	struct bench_worker *w = arg;
	const struct bench_options *o = w->options;
	struct set *set = take();
	uint64_t seed = w->seed;

	for (size_t i = 0; i < REPLACED_PER_LIFE; i++) {
		uint64_t random = bench_random(&seed);
		void **slot = &set->blocks[bench_below(random, o->slots)];

		free(*slot);
		*slot = bench_malloc(bench_size(o, random));
	}
	w->seed = seed;
	leave(set);
	w->cpu_seconds += bench_seconds(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

static uint64_t one_life(struct bench_worker *w)
{
	pthread_t id;

	if (pthread_create(&id, NULL, life, w))
		bench_fail("cannot start a thread");
	pthread_join(id, NULL);
	return REPLACED_PER_LIFE;
}

int main(int argc, char **argv)
{
	static const struct bench_mode modes[] = { { "lives", one_life, NULL }, { NULL, NULL, NULL } };
	static const struct bench_program program = {
		.name = "churn",
		.defaults = { .min = 8, .max = 1000, .slots = 5000, .threads = 2, .millis = 500 },
		.modes = modes,
		.prepare = prepare,
		.finish = finish,
	};

	return bench_main(argc, argv, &program);
}
