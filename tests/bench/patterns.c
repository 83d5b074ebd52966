/* SPDX-License-Identifier: MIT */
/*
 * Patterns inside one thread: the orders in which programs free what they allocated.
 * With several threads each runs the pattern on its own blocks.
 */
#include "bench.h"

enum { DRAWS = 4096 };

static void fill(struct bench_worker *w)
{
	for (size_t i = 0; i < w->options->slots; i++)
		w->slots[i] = bench_malloc(bench_size(w->options, bench_random(&w->seed)));
}

/* malloc, then free of that block. */
static uint64_t pair(struct bench_worker *w)
{
	const struct bench_options *o = w->options;

	for (size_t i = 0; i < DRAWS; i++) {
		size_t size = o->min == o->max ? o->min : bench_size(o, bench_random(&w->seed));
		void *block = bench_malloc(size);

		__asm__ volatile("" : "+r"(block) : : "memory");
		free(block);
	}
	return DRAWS;
}

/* A full working set; a random block is replaced. */
static uint64_t ring(struct bench_worker *w)
{
	const struct bench_options *o = w->options;
	uint64_t seed = w->seed;

	for (size_t i = 0; i < DRAWS; i++) {
		uint64_t random = bench_random(&seed);
		void **slot = &w->slots[bench_below(random, o->slots)];

		free(*slot);
		*slot = bench_malloc(bench_size(o, random));
	}
	w->seed = seed;
	return DRAWS;
}

static uint64_t ring_calloc(struct bench_worker *w)
{
	const struct bench_options *o = w->options;
	uint64_t seed = w->seed;

	for (size_t i = 0; i < DRAWS; i++) {
		uint64_t random = bench_random(&seed);
		void **slot = &w->slots[bench_below(random, o->slots)];
		size_t size = bench_size(o, random);

		free(*slot);
		*slot = bench_touch(calloc(1, size), size);
	}
	w->seed = seed;
	return DRAWS;
}

static void drop(struct bench_worker *w, size_t i)
{
	free(w->slots[i]);
	w->slots[i] = NULL;
}

static uint64_t fifo(struct bench_worker *w)
{
	fill(w);
	for (size_t i = 0; i < w->options->slots; i++)
		drop(w, i);
	return w->options->slots;
}

static uint64_t lifo(struct bench_worker *w)
{
	fill(w);
	for (size_t i = w->options->slots; i > 0; i--)
		drop(w, i - 1);
	return w->options->slots;
}

static uint64_t shuffle(struct bench_worker *w)
{
	fill(w);
	for (size_t left = w->options->slots; left > 0; left--) {
		size_t i = bench_below(bench_random(&w->seed), left);

		free(w->slots[i]);
		w->slots[i] = w->slots[left - 1];
		w->slots[left - 1] = NULL;
	}
	return w->options->slots;
}

/* Strings that grow by half until they reach max and start again. The size stands at the block's start. */
static uint64_t grow(struct bench_worker *w)
{
	const struct bench_options *o = w->options;

	for (size_t i = 0; i < DRAWS / 8; i++) {
		size_t **slot = (size_t **)&w->slots[bench_below(bench_random(&w->seed), o->slots)];
		size_t size = *slot ? **slot + **slot / 2 : o->min;

		if (size > o->max) {
			free(*slot);
			*slot = NULL;
			size = o->min;
		}
		*slot = bench_touch(realloc(*slot, size), size);
		**slot = size;
	}
	return DRAWS / 8;
}

int main(int argc, char **argv)
{
	static const struct bench_mode modes[] = {
		{ "ring", ring, fill },		 { "pair", pair, NULL },       { "fifo", fifo, NULL },
		{ "lifo", lifo, NULL },		 { "shuffle", shuffle, NULL }, { "realloc", grow, NULL },
		{ "calloc", ring_calloc, fill }, { NULL, NULL, NULL },
	};
	static const struct bench_program program = {
		.name = "patterns",
		.defaults = { .min = 16, .max = 1024, .slots = 4096, .threads = 1, .millis = 200 },
		.modes = modes,
	};

	return bench_main(argc, argv, &program);
}
