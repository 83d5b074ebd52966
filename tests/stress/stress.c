/* SPDX-License-Identifier: MIT */
/*
 * Random operations of the whole malloc family against a shadow, from threads that come and
 * go, with blocks that change hands and forks amid it all.
 *
 * usage: stress [-n OPERATIONS] [-t THREADS] [-s SEED] [-f FORKS] [-m LARGEST]
 * Prints seed and operations done; exit status 1 or a signal when a promise was broken.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api.h"
#include "shadow.h"

enum { THREADS_MAX = 64, HELD = 512, POSTS = 256, ROUND = 20000 };

struct worker {
	pthread_t thread;
	uint64_t random;
	_Atomic(uint64_t) operations;
	struct shadow_block held[HELD];
};

/* Where threads leave blocks for each other. */
static struct post {
	atomic_flag taken;
	struct shadow_block block;
} posts[POSTS];

static struct worker workers[THREADS_MAX];
static unsigned threads = 4;
static unsigned forks = 4;
static uint64_t operations = 1000000;
static size_t largest = (size_t)4 << 20;

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Mostly small, some around the ends of the tables, a few large: those cost a thousand times as much. */
static size_t draw_size(uint64_t *random)
{
	uint64_t r = draw(random);
	unsigned kind = r & 1023;
	r >>= 10;
	if (kind < 800) {
		return r % 1100;
	}
	if (kind < 1012) {
		return r % 33000;
	}
	return kind < 1022 ? r % 300000 : r % (largest + 1);
}

static struct shadow_step draw_step(uint64_t *random)
{
	struct shadow_step step = { .size = draw_size(random), .mark = draw(random) };
	uint64_t r = draw(random);
	step.choice = (unsigned)r & 255;
	/* Seldom above a page: such blocks are large ones. */
	step.alignment = (unsigned)(r >> 8) % (r >> 56 ? 13 : 27);
	return step;
}

/* Swaps a block with what lies in a post; false when another thread is at it. */
static bool swap(struct post *post, struct shadow_block *b)
{
	if (atomic_flag_test_and_set_explicit(&post->taken, memory_order_acquire)) {
		return false;
	}
	struct shadow_block other = post->block;
	post->block = *b;
	*b = other;
	atomic_flag_clear_explicit(&post->taken, memory_order_release);
	return true;
}

static void *work(void *argument)
{
	struct worker *w = argument;
	for (unsigned i = 0; i < ROUND; i++) {
		struct shadow_step step = draw_step(&w->random);
		uint64_t r = draw(&w->random);
		struct shadow_block *b = &w->held[r % HELD];
		if (r >> 62 == 0) {
			swap(&posts[r >> 20 & (POSTS - 1)], b);
		}
		shadow_do(b, &step);
		if (r >> 48 == 0) {
			api_trim();
		} else if (r >> 52 == 1) {
			shadow_try_impossible(b);
		}
	}
	/* Every other thread leaves with what it has: the next one in its place frees it. */
	for (unsigned i = 0; i < HELD && draw(&w->random) % HELD != 0; i++) {
		shadow_free(&w->held[i]);
	}
	w->operations += ROUND;
	return NULL;
}

static void start(unsigned i)
{
	if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
		shadow_fail("no thread", NULL, i);
	}
}

static void clear_posts(void)
{
	struct shadow_block none = { 0 };
	for (unsigned i = 0; i < POSTS; i++) {
		struct shadow_block b = none;
		if (swap(&posts[i], &b)) {
			shadow_free(&b);
		}
	}
}

/* The child has one thread, whose heap must be whole and whose blocks are a copy. */
static void run_child(uint64_t random)
{
	static struct worker mine;
	alarm(120); /* a lock that nobody will release is a failure, not a hang */
	mine.random = random;
	work(&mine);
	clear_posts();
	_exit(0);
}

static void fork_once(uint64_t random)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		run_child(random);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
		shadow_fail("the fork child failed", NULL, (size_t)(child < 0 ? 0 : status));
	}
}

static uint64_t operations_done(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < threads; i++) {
		sum += workers[i].operations;
	}
	return sum;
}

static void read_arguments(int argc, char **argv)
{
	for (int option; (option = getopt(argc, argv, "n:t:s:f:m:")) != -1;) {
		uint64_t value = optarg ? strtoull(optarg, NULL, 10) : 0;
		switch (option) {
		case 'n':
			operations = value;
			break;
		case 't':
			threads = value < 1 ? 1 : value > THREADS_MAX ? THREADS_MAX : (unsigned)value;
			break;
		case 's':
			shadow_seed = value;
			break;
		case 'f':
			forks = (unsigned)value;
			break;
		case 'm':
			largest = value;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	uint64_t random, rounds = 0;
	shadow_seed = 1;
	read_arguments(argc, argv);
	random = shadow_seed;
	for (unsigned i = 0; i < threads; i++) {
		workers[i].random = draw(&random);
		start(i);
	}
	while (operations_done() < operations) {
		unsigned i = (unsigned)(rounds++ % threads);
		if (rounds <= forks) {
			fork_once(draw(&random));
		}
		pthread_join(workers[i].thread, NULL);
		start(i);
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		for (unsigned k = 0; k < HELD; k++) {
			shadow_free(&workers[i].held[k]);
		}
	}
	clear_posts();
	printf("seed %llu: %llu operations\n", (unsigned long long)shadow_seed,
	       (unsigned long long)operations_done());
	return 0;
}
