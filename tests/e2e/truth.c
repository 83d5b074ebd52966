/* SPDX-License-Identifier: MIT */
/*
 * A program whose requests are known in advance, to hold a report against.
 *
 *   truth run        makes the requests of the list
 *   truth idle       does the same without the list: what libc, the loader and the threads'
 *                    creation ask for; the difference of the two is the list
 *   truth describe   prints the list, one JSON object a line, counts over all threads
 *
 * The list has each size at, one below and one above every block size of both built-in
 * tables, from one to three times, zeroed, aligned, resized and large requests. Each thread,
 * the main thread first, makes the whole list; the next thread frees it, but for every
 * seventh block, which stays.
 * Between the first request and the last nothing else here allocates.
 *
 * All blocks of the list are live at one moment, and that moment is the peak of the whole run:
 * a block larger than all others together comes then, and goes before the first of them, with
 * the list or without it. Operations reach the trace in batches of a thread; so that none of
 * those before the peak comes after it, each thread fills its batch with pairs of a malloc
 * and a free before it goes on.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, REQUESTS = 256, SLOTS = 1024, STAYS = 7 };
enum {
	BATCH = 3000,
	FILLER = 3
}; /* pairs: more than a batch of the tracer holds; of a size no one asks for */
#define PEAK_BYTES ((size_t)1 << 30) /* of address space: never touched */

enum kind { MALLOC, CALLOC, ALIGNED, REALLOC };

struct request {
	enum kind kind;
	size_t size;
	size_t alignment; /* ALIGNED */
	size_t resized;	  /* REALLOC: the size afterwards */
	unsigned times;
};

static struct request list[REQUESTS];
static unsigned list_length;
static unsigned slot_count;

static void *slots[THREADS][SLOTS];
static pthread_barrier_t barrier;
static bool is_idle;

static void add(struct request request)
{
	request.times = 1 + list_length % 3;
	slot_count += request.times;
	if (list_length == REQUESTS || slot_count > SLOTS) {
		fputs("truth: the list is longer than its arrays\n", stderr);
		exit(2);
	}
	list[list_length++] = request;
}

static void add_around(size_t block)
{
	add((struct request) { .kind = MALLOC, .size = block - 1 });
	add((struct request) { .kind = MALLOC, .size = block });
	add((struct request) { .kind = MALLOC, .size = block + 1 });
}

static void make_list(void)
{
	add((struct request) { .kind = MALLOC, .size = 0 });
	add_around(8);
	add_around(16);
	add_around(32);
	add_around(48);
	add_around(64);
	for (size_t base = 64; base < 262144; base *= 2) {
		for (size_t step = 5; step <= 8; step++) {
			add_around(base / 4 * step);
		}
	}
	add((struct request) { .kind = MALLOC, .size = 5000001 });
	/* Blocks of two sizes, in one row of the report's sizes. */
	for (int i = 0; i < 4; i++) {
		add((struct request) { .kind = MALLOC, .size = i % 2 ? 1003600 : 1000000 });
	}

	add((struct request) { .kind = CALLOC, .size = 100 });
	add((struct request) { .kind = CALLOC, .size = 5000 });
	add((struct request) { .kind = CALLOC, .size = 300000 });

	add((struct request) { .kind = ALIGNED, .size = 100, .alignment = 64 });
	add((struct request) { .kind = ALIGNED, .size = 10, .alignment = 256 });
	add((struct request) { .kind = ALIGNED, .size = 5000, .alignment = 1024 });
	add((struct request) { .kind = ALIGNED, .size = 100, .alignment = 4096 });
	add((struct request) { .kind = ALIGNED, .size = 70000, .alignment = 65536 });

	add((struct request) { .kind = REALLOC, .size = 100, .resized = 111 });	 /* the same block */
	add((struct request) { .kind = REALLOC, .size = 100, .resized = 3000 }); /* a larger one */
	add((struct request) { .kind = REALLOC, .size = 20000, .resized = 50 }); /* a smaller one */
	for (size_t i = 0; i < 8; i++) { /* the same block, of sizes that nothing begins with */
		add((struct request) { .kind = REALLOC, .size = 97 + i, .resized = 105 + i % 3 });
	}
}

static void *ask(const struct request *r)
{
	void *p = NULL;
	switch (r->kind) {
	case MALLOC:
		return malloc(r->size);
	case CALLOC:
		return calloc(1, r->size);
	case ALIGNED:
		return posix_memalign(&p, r->alignment, r->size) == 0 ? p : NULL;
	case REALLOC:
		p = malloc(r->size);
		return p ? realloc(p, r->resized) : NULL;
	}
	return NULL;
}

static void fill_batch(void)
{
	for (int i = 0; i < BATCH; i++) {
		free(malloc(FILLER));
	}
}

/* One thread holds the peak while the others wait. */
static void make_peak(bool is_mine)
{
	void *peak = NULL;
	fill_batch();
	pthread_barrier_wait(&barrier);
	if (is_mine) {
		peak = malloc(PEAK_BYTES);
		fill_batch();
		free(peak);
		fill_batch();
	}
	pthread_barrier_wait(&barrier);
}

static void *run_thread(void *arg)
{
	void **mine = arg;
	void **others = slots[((mine - slots[0]) / SLOTS + 1) % THREADS];
	unsigned at = 0;
	for (unsigned i = 0; i < list_length && !is_idle; i++) {
		for (unsigned n = 0; n < list[i].times; n++) {
			mine[at] = ask(&list[i]);
			if (!mine[at++]) {
				abort();
			}
		}
	}
	make_peak(mine == slots[0]);
	for (unsigned slot = 0; slot < slot_count && !is_idle; slot++) {
		if (slot % STAYS != 0) {
			free(others[slot]);
		}
	}
	return NULL;
}

static int run(void)
{
	pthread_t threads[THREADS];
	if (pthread_barrier_init(&barrier, NULL, THREADS) != 0) {
		return 2;
	}
	for (unsigned t = 1; t < THREADS; t++) {
		if (pthread_create(&threads[t], NULL, run_thread, slots[t]) != 0) {
			return 2;
		}
	}
	run_thread(slots[0]);
	for (unsigned t = 1; t < THREADS; t++) {
		pthread_join(threads[t], NULL);
	}
	return 0;
}

static int describe(void)
{
	static const char *const kinds[] = { "malloc", "calloc", "aligned", "realloc" };
	unsigned slot = 0;
	for (unsigned i = 0; i < list_length; i++) {
		unsigned stay = 0;
		for (unsigned n = 0; n < list[i].times; n++) {
			stay += slot++ % STAYS == 0;
		}
		printf("{\"kind\": \"%s\", \"size\": %zu, \"alignment\": %zu, \"resized\": %zu, "
		       "\"times\": %u, \"stay\": %u}\n",
		       kinds[list[i].kind], list[i].size, list[i].alignment, list[i].resized,
		       list[i].times * THREADS, stay * THREADS);
	}
	return 0;
}

int main(int argc, char **argv)
{
	make_list();
	if (argc == 2 && strcmp(argv[1], "describe") == 0) {
		return describe();
	}
	if (argc == 2 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "idle") == 0)) {
		is_idle = argv[1][0] == 'i';
		return run();
	}
	fputs("usage: truth run|idle|describe\n", stderr);
	return 2;
}
