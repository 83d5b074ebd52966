/* SPDX-License-Identifier: MIT */
/*
 * A fixed number of malloc+free pairs of one size, for counting instructions. The counts of two
 * runs that differ only in their number of pairs, minus those of the same loop without calls,
 * are the price of the pairs.
 *
 *   instructions pair|batch SIZE PAIRS calls|loop
 *
 * pair: each block is freed at once. batch: blocks are freed in the order of allocation, BATCH at a time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };

static char no_block;

static void pairs(size_t size, size_t count, int calls)
{
	for (size_t i = 0; i < count; i++) {
		void *block = calls ? malloc(size) : &no_block;

		__asm__ volatile("" : "+r"(block) : : "memory");
		if (calls)
			free(block);
	}
}

static void batches(size_t size, size_t count, int calls)
{
	static void *blocks[BATCH];

	for (size_t done = 0; done < count; done += BATCH) {
		for (size_t i = 0; i < BATCH; i++) {
			blocks[i] = calls ? malloc(size) : &no_block;
			__asm__ volatile("" : : : "memory");
		}
		for (size_t i = 0; i < BATCH; i++) {
			__asm__ volatile("" : : "r"(blocks[i]) : "memory");
			if (calls)
				free(blocks[i]);
		}
	}
}

int main(int argc, char **argv)
{
	size_t size, count;
	int calls;

	if (argc != 5) {
		fprintf(stderr, "usage: instructions pair|batch SIZE PAIRS calls|loop\n");
		return 2;
	}
	size = strtoul(argv[2], NULL, 0);
	count = strtoul(argv[3], NULL, 0);
	calls = !strcmp(argv[4], "calls");
	if (!strcmp(argv[1], "pair"))
		pairs(size, count, calls);
	else
		batches(size, count, calls);
	return 0;
}
