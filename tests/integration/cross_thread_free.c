/* SPDX-License-Identifier: MIT */
/* Blocks freed or resized by another thread than the one that allocated them. */
#include "check.h"

#include <semaphore.h>
#include <stdatomic.h>

enum { RING = 1024, ROUNDS = 200, PAIRS = 2, SHARED = 512, WORKERS = 4, STEPS = 60000 };

static size_t size_of(uint64_t random)
{
	return random % 256 == 0 ? random / 256 % 300000 + 1 : random / 256 % 2000 + 1;
}

/* One producer, one consumer, a batch of blocks between them. */
struct pair {
	sem_t filled, emptied;
	void *blocks[RING];
	size_t sizes[RING];
	unsigned seed;
	bool is_damaged;
};

static void *produce(void *argument)
{
	struct pair *p = argument;
	uint64_t random = p->seed * 2 + 1;
	for (int round = 0; round < ROUNDS; round++) {
		sem_wait(&p->emptied);
		for (unsigned i = 0; i < RING; i++) {
			p->sizes[i] = size_of(next_random(&random)) % 2000 + 1;
			p->blocks[i] = malloc(p->sizes[i]);
			if (p->blocks[i]) {
				fill(p->blocks[i], p->sizes[i], i + p->seed);
			}
		}
		sem_post(&p->filled);
	}
	return NULL;
}

static void *consume(void *argument)
{
	struct pair *p = argument;
	for (int round = 0; round < ROUNDS; round++) {
		sem_wait(&p->filled);
		for (unsigned i = 0; i < RING; i++) {
			p->is_damaged |= !p->blocks[i] || !is_filled(p->blocks[i], p->sizes[i], i + p->seed);
			free(p->blocks[i]);
		}
		sem_post(&p->emptied);
	}
	return NULL;
}

static void one_thread_allocates_another_frees(void **state)
{
	(void)state;
	static struct pair pairs[PAIRS];
	pthread_t threads[PAIRS][2];
	for (unsigned i = 0; i < PAIRS; i++) {
		pairs[i].seed = i + 1;
		assert_int_equal(sem_init(&pairs[i].filled, 0, 0), 0);
		assert_int_equal(sem_init(&pairs[i].emptied, 0, 1), 0);
		assert_int_equal(pthread_create(&threads[i][0], NULL, produce, &pairs[i]), 0);
		assert_int_equal(pthread_create(&threads[i][1], NULL, consume, &pairs[i]), 0);
	}
	for (unsigned i = 0; i < PAIRS; i++) {
		assert_int_equal(pthread_join(threads[i][0], NULL), 0);
		assert_int_equal(pthread_join(threads[i][1], NULL), 0);
		assert_false(pairs[i].is_damaged);
	}
}

/* A block that carries its own size and seed, so that any thread can check it. */
struct shared {
	size_t size;
	unsigned seed;
	unsigned char bytes[];
};

static _Atomic(struct shared *) slots[SHARED];
static atomic_int damaged;

static struct shared *shared_new(size_t size, unsigned seed)
{
	struct shared *s = malloc(sizeof *s + size);
	if (s) {
		s->size = size;
		s->seed = seed;
		fill(s->bytes, size, seed);
	}
	return s;
}

static struct shared *shared_resize(struct shared *old, size_t size)
{
	size_t common = old->size < size ? old->size : size;
	struct shared *s = realloc(old, sizeof *s + size);
	if (!s || !is_filled(s->bytes, common, s->seed)) {
		atomic_fetch_add(&damaged, 1);
	}
	if (s) {
		s->size = size;
		fill(s->bytes, size, s->seed);
	}
	return s;
}

static void *exchange(void *argument)
{
	uint64_t random = (uintptr_t)argument * 2 + 1;
	for (int i = 0; i < STEPS; i++) {
		unsigned slot = (unsigned)(next_random(&random) % SHARED);
		size_t size = size_of(next_random(&random));
		struct shared *fresh = shared_new(size, (unsigned)i);
		struct shared *old = atomic_exchange(&slots[slot], fresh);
		if (!old) {
			continue;
		}
		if (!is_filled(old->bytes, old->size, old->seed)) {
			atomic_fetch_add(&damaged, 1);
		}
		if (i % 8 == 0) {
			old = shared_resize(old, size_of(next_random(&random)));
		}
		free(old);
	}
	return NULL;
}

static void any_thread_frees_any_block(void **state)
{
	(void)state;
	pthread_t threads[WORKERS];
	for (uintptr_t i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, exchange, (void *)(i + 1)), 0);
	}
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	for (int i = 0; i < SHARED; i++) {
		struct shared *s = atomic_exchange(&slots[i], NULL);
		assert_true(!s || is_filled(s->bytes, s->size, s->seed));
		free(s);
	}
	assert_int_equal(damaged, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thread_allocates_another_frees),
		cmocka_unit_test(any_thread_frees_any_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
