/* SPDX-License-Identifier: MIT */
/*
 * A day of a server in a few seconds: sessions come and go in two threads, ten times as many
 * at noon as at night, each with blocks of all sizes, and one block in two hundred stays much
 * longer than its session. Memory follows the load down: at night, resident memory is within
 * FACTOR of the live bytes and SLACK, as soon as the purge delay is over.
 */
#include "check.h"

#include <stdio.h>
#include <unistd.h>

enum {
	THREADS = 2,
	SESSIONS = 300, /* at noon, in each thread */
	BLOCKS = 40,	/* of a session */
	KEPT = 1024,
	HOURS = 24,
	TURNS = 600, /* sessions that end and begin in an hour */
};

/* Resident memory at night against live bytes, and what a program has anyway. */
#define FACTOR 3
#define SLACK  ((size_t)16 << 20)

struct session {
	void *blocks[BLOCKS];
	size_t bytes;
};

struct server {
	struct session sessions[SESSIONS];
	void *kept[KEPT];
	size_t kept_sizes[KEPT];
	uint64_t random;
	size_t live;
	unsigned hour;
	unsigned open; /* sessions */
};

static struct server servers[THREADS];

/* As many small blocks as large ones have bytes: all sizes matter. */
static size_t draw_size(uint64_t *random)
{
	uint64_t r = next_random(random) >> 8;
	unsigned log2 = 4 + (unsigned)(r % 12); /* 16 to 64 KiB */
	return ((size_t)1 << log2) + (r >> 8) % ((size_t)1 << log2);
}

static void keep(struct server *s, void *p, size_t size)
{
	unsigned i = (unsigned)(next_random(&s->random) % KEPT);
	s->live += size - s->kept_sizes[i];
	free(s->kept[i]);
	s->kept[i] = p;
	s->kept_sizes[i] = size;
}

static void begin(struct server *s, struct session *to)
{
	to->bytes = 0;
	for (unsigned i = 0; i < BLOCKS; i++) {
		size_t size = draw_size(&s->random);
		void *p = malloc(size);
		if (!p) {
			abort();
		}
		memset(p, 1, size);
		if (next_random(&s->random) % 200 == 0) {
			keep(s, p, size);
			p = NULL;
			size = 0;
		}
		to->blocks[i] = p;
		to->bytes += size;
	}
	s->live += to->bytes;
}

static void end(struct server *s, struct session *of)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		free(of->blocks[i]);
	}
	s->live -= of->bytes;
}

/* One hour: the number of sessions goes to what the hour has, and they change all the time. */
static void *serve(void *argument)
{
	static const unsigned char tenths[HOURS] = { 1,	 1,  1, 1, 1, 2, 3, 5, 7, 8, 9, 10,
						     10, 10, 9, 9, 8, 8, 7, 6, 5, 3, 2, 1 };
	struct server *s = argument;
	unsigned wanted = SESSIONS * tenths[s->hour] / 10;
	for (unsigned turn = 0; turn < TURNS; turn++) {
		if (s->open > 0 && (s->open >= wanted || next_random(&s->random) % 2)) {
			unsigned i = (unsigned)(next_random(&s->random) % s->open);
			end(s, &s->sessions[i]);
			s->sessions[i] = s->sessions[--s->open];
		}
		if (s->open < wanted) {
			begin(s, &s->sessions[s->open++]);
		}
	}
	return NULL;
}

static size_t resident(void)
{
	size_t total = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%zu %zu", &total, &pages) != 2) {
		abort();
	}
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static size_t live(void)
{
	size_t sum = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		sum += servers[i].live;
	}
	return sum;
}

static void an_hour(unsigned hour)
{
	pthread_t threads[THREADS];
	for (unsigned i = 0; i < THREADS; i++) {
		servers[i].hour = hour;
		assert_int_equal(pthread_create(&threads[i], NULL, serve, &servers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
}

static void memory_follows_the_load(void **state)
{
	(void)state;
	size_t peak = 0, nights = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		servers[i].random = i + 1;
	}
	for (unsigned hour = 0; hour < HOURS; hour++) {
		an_hour(hour);
		peak = resident() > peak ? resident() : peak;
		print_message("hour %u: live %zu KiB, resident %zu KiB\n", hour, live() >> 10,
			      resident() >> 10);
	}
	/* The night goes on until memory went back; a heap that keeps it runs into the alarm. */
	alarm(100);
	while (on_hakmem() && resident() > FACTOR * live() + SLACK) {
		an_hour(0);
		nights++;
		print_message("night: live %zu KiB, resident %zu KiB\n", live() >> 10, resident() >> 10);
	}
	alarm(0);
	print_message("peak %zu KiB, at night %zu KiB for %zu KiB live\n", peak >> 10, resident() >> 10,
		      live() >> 10);
	assert_true(peak > 3 * live());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_follows_the_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
