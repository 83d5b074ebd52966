/* SPDX-License-Identifier: MIT */
/*
 * steady: says its process id. For each line of standard input, a number of pairs, two threads
 * free and allocate so many blocks of 16 to 2,000 bytes, whose contents they check; then a line says
 * that it is done. At the end of the input: says that all is whole, and ends with status 7.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LANES = 2, SLOTS = 500, STATUS = 7 };

struct lane {
	uint64_t random;
	unsigned long pairs;
	unsigned char *blocks[SLOTS];
	size_t sizes[SLOTS];
	bool is_damaged;
};

static struct lane lanes[LANES];

static uint64_t next_random(struct lane *lane)
{
	lane->random = lane->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return lane->random >> 33;
}

static unsigned char mark(const struct lane *lane, unsigned slot)
{
	return (unsigned char)(slot * 7 + (unsigned)(lane - lanes) + 1);
}

static bool is_whole(const struct lane *lane, unsigned slot)
{
	const unsigned char *block = lane->blocks[slot];
	return block[0] == mark(lane, slot) && block[lane->sizes[slot] - 1] == mark(lane, slot);
}

static void *run(void *arg)
{
	struct lane *lane = arg;
	for (unsigned long n = 0; n < lane->pairs; n++) {
		unsigned slot = (unsigned)(next_random(lane) % SLOTS);
		if (lane->blocks[slot] && !is_whole(lane, slot)) {
			lane->is_damaged = true;
		}
		free(lane->blocks[slot]);
		lane->sizes[slot] = 16 + next_random(lane) % 1985;
		lane->blocks[slot] = malloc(lane->sizes[slot]);
		if (!lane->blocks[slot]) {
			lane->is_damaged = true;
			return NULL;
		}
		memset(lane->blocks[slot], mark(lane, slot), lane->sizes[slot]);
	}
	return NULL;
}

static bool work(unsigned long pairs)
{
	pthread_t threads[LANES];
	bool is_good = true;
	for (int i = 0; i < LANES; i++) {
		lanes[i].pairs = pairs;
		if (pthread_create(&threads[i], NULL, run, &lanes[i]) != 0) {
			abort();
		}
	}
	for (int i = 0; i < LANES; i++) {
		pthread_join(threads[i], NULL);
		is_good &= !lanes[i].is_damaged;
	}
	return is_good;
}

int main(void)
{
	char line[64];
	printf("%d\n", (int)getpid());
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		if (!work(strtoul(line, NULL, 10))) {
			puts("damaged");
			return 1;
		}
		puts("done");
		fflush(stdout);
	}
	puts("whole");
	return STATUS;
}
