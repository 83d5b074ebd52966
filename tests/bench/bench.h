/* SPDX-License-Identifier: MIT */
/*
 * What the benchmark programs share: options, worker threads that run rounds until the time
 * is up, random numbers, the driver's own memory (never the measured allocator's), and the
 * result line with its proof of which allocator served the run.
 */
#ifndef HAK_TESTS_BENCH_H
#define HAK_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct bench_options {
	const char *mode;
	size_t min; /* request sizes in bytes, uniform in min..max */
	size_t max;
	size_t slots; /* blocks in the working set of one thread */
	unsigned threads;
	unsigned millis;
	size_t pairs;	       /* ends when a thread has done as many, whatever the time; 0: after millis */
	const char *served_by; /* part of the path of the object that has to serve; NULL: any */
};

struct bench_worker {
	_Alignas(128) const struct bench_options *options;
	unsigned index;
	uint64_t seed;
	uint64_t pairs; /* mallocs with their frees done so far */
	double seconds;
	long faults;	    /* of pages, in the thread */
	double cpu_seconds; /* of the thread and those it ran: what other programs do not change */
	void **slots;	    /* options->slots pointers, NULL at first */
};

/* One way to use an allocator. `round` does a few thousand operations and returns the pairs it
 * completed; `warm`, which may be NULL, fills the working set before the clock starts. */
struct bench_mode {
	const char *name;
	uint64_t (*round)(struct bench_worker *worker);
	void (*warm)(struct bench_worker *worker);
};

struct bench_program {
	const char *name;
	struct bench_options defaults;
	const struct bench_mode *modes; /* ends with a NULL name; the first is the default */
	void (*prepare)(const struct bench_options *options); /* before the threads start; may be NULL */
	void (*finish)(const struct bench_options *options);  /* after they ended; may be NULL */
};

/* The whole of main: parses, runs, prints. Returns the exit status: 0, 1 (failed) or 2 (usage). */
int bench_main(int argc, char **argv, const struct bench_program *program);

/* Zeroed memory from the system; ends the program when there is none. */
void *bench_memory(size_t bytes);
double bench_seconds(clockid_t clock);
_Noreturn void bench_fail(const char *what);

/*
 * Finds out which object's malloc and free this program calls, and how much glibc's own heap grows while 64
 * blocks of `bytes`, at most 1000, are requested. To be called first: it allocates.
 */
void bench_proof_take(size_t bytes);

/*
 * Prints that as "served_by=PATH glibc_bytes=N" (0 unless glibc serves the program, whatever the symbols
 * say). False, and a line on stderr, when `wanted`, unless NULL, is no part of PATH, or glibc served
 * behind it.
 */
bool bench_proof_print(const char *wanted);

static inline uint64_t bench_random(uint64_t *seed)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
	return x ^ (x >> 32);
}

/* Uniform in 0..n-1, from the upper half of `random`; n below 2^32. */
static inline size_t bench_below(uint64_t random, size_t n)
{
	return (size_t)(((random >> 32) * (uint64_t)n) >> 32);
}

static inline size_t bench_size(const struct bench_options *o, uint64_t random)
{
	return o->min + bench_below(random << 32, o->max - o->min + 1);
}

/* A program writes to what it allocates: first and last byte stand for that. */
static inline void *bench_touch(void *block, size_t size)
{
	volatile char *bytes = block;

	if (__builtin_expect(!block, 0))
		bench_fail("out of memory");
	bytes[0] = 1;
	bytes[size - 1] = 2;
	return block;
}

static inline void *bench_malloc(size_t size)
{
	return bench_touch(malloc(size), size);
}

#endif
