/* SPDX-License-Identifier: MIT */
/*
 * restless [PATH...]: threads that allocate without pause; once all of them do, the program executes
 * the first path with the others as arguments, or ends, in the middle of what they do.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 3, ENOUGH = 20000 };

static atomic_uint busy;

static void *run(void *arg)
{
	for (unsigned n = 0;; n++) {
		void *volatile block = malloc(n % 2000);
		free(block);
		if (n == ENOUGH) {
			atomic_fetch_add(&busy, 1);
		}
	}
	return arg;
}

int main(int argc, char **argv)
{
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, run, NULL) != 0) {
			return 1;
		}
	}
	while (atomic_load(&busy) < THREADS) {
		sched_yield();
	}
	if (argc < 2) {
		return 0;
	}
	execv(argv[1], argv + 1);
	return 1;
}
