/* SPDX-License-Identifier: MIT */
/*
 * A fixed number of malloc+free pairs of one size, for counting instructions. The counts of two
 * runs that differ only in their number of pairs, minus those of the same loop without calls,
 * are the price of the pairs.
 *
 *   instructions pair|batch SIZE PAIRS calls|loop    to be run under callgrind
 *   instructions pair|batch SIZE PAIRS step          counts by itself, see steps.c; prints the
 *                                                   price of PAIRS and who served
 *
 * pair: each block is freed at once. batch: blocks are freed in the order of allocation, BATCH at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "steps.h"

enum { BATCH = 64, WARM_PAIRS = 8192 };

struct work {
	size_t size, count;
	int calls, in_batches;
};

static char no_block;

static void pairs(const struct work *w)
{
	for (size_t i = 0; i < w->count; i++) {
		void *block = w->calls ? malloc(w->size) : &no_block;

		__asm__ volatile("" : "+r"(block) : : "memory");
		if (w->calls)
			free(block);
	}
}

static void batches(const struct work *w)
{
	static void *blocks[BATCH];

	for (size_t done = 0; done < w->count; done += BATCH) {
		for (size_t i = 0; i < BATCH; i++) {
			blocks[i] = w->calls ? malloc(w->size) : &no_block;
			__asm__ volatile("" : : : "memory");
		}
		for (size_t i = 0; i < BATCH; i++) {
			__asm__ volatile("" : : "r"(blocks[i]) : "memory");
			if (w->calls)
				free(blocks[i]);
		}
	}
}

static void do_work(void *arg)
{
	const struct work *w = arg;

	if (w->in_batches)
		batches(w);
	else
		pairs(w);
}

/* Warm first: what an allocator does once for a size is not the price of a pair. */
static int step(struct work *w)
{
	struct work warm = *w;
	struct steps loop, calls;

	warm.count = WARM_PAIRS;
	warm.calls = 1;
	do_work(&warm);
	w->calls = 0;
	if (steps_count(do_work, w, &loop))
		return 1;
	w->calls = 1;
	if (steps_count(do_work, w, &calls))
		return 1;
	printf("instructions=%llu branches=%llu syscalls=%llu ", calls.instructions - loop.instructions,
	       calls.branches - loop.branches, calls.syscalls - loop.syscalls);
	bench_proof_take(w->size);
	return bench_proof_print(NULL) ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct work w;

	if (argc != 5) {
		fprintf(stderr, "usage: instructions pair|batch SIZE PAIRS calls|loop|step\n");
		return 2;
	}
	w.in_batches = strcmp(argv[1], "pair") != 0;
	w.size = strtoul(argv[2], NULL, 0);
	w.count = strtoul(argv[3], NULL, 0);
	w.calls = !strcmp(argv[4], "calls");
	if (!strcmp(argv[4], "step"))
		return step(&w);
	do_work(&w);
	return 0;
}
