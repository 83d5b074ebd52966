/* SPDX-License-Identifier: MIT */
/*
 * collisions HOW COUNT SIZE: COUNT children, one after the other, whose tracing something gets into
 * the way of. Prints how many blocks of SIZE bytes they have asked for and been given; status 1
 * when a child did not end as it should, a minute's hang included.
 *
 *   dlopen    forked while a thread opens and closes libraries; they allocate and leave
 *   list      forked while a thread lists the modules, under the loader's lock; likewise
 *   signal    interrupted again and again while they allocate; the last handler leaves by _exit
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 2000, TICKS = 10, MOST_SECONDS = 60 };

static atomic_ulong *given; /* shared with the children */
static size_t size;
static volatile sig_atomic_t ticks;

/* Always on the way into the loader or out of it. */
static void *open_and_close(void *arg)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libresolv.so.2", "libthread_db.so.1" };
	for (unsigned n = 0;; n++) {
		void *library = dlopen(libraries[n % 3], RTLD_NOW | RTLD_LOCAL);
		if (library) {
			dlclose(library);
		}
	}
	return arg;
}

static int look_at(struct dl_phdr_info *info, size_t length, void *seen)
{
	(void)length;
	*(unsigned long *)seen += info->dlpi_phnum;
	return 0;
}

static void *list_modules(void *arg)
{
	unsigned long seen = 0;
	for (;;) {
		dl_iterate_phdr(look_at, &seen);
	}
	return arg;
}

static void allocate(void)
{
	void *volatile block = malloc(size);
	if (block) {
		atomic_fetch_add_explicit(given, 1, memory_order_relaxed);
	}
	free(block);
}

static _Noreturn void be_forked(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		allocate();
	}
	_exit(0);
}

static void on_tick(int signal)
{
	(void)signal;
	if (++ticks == TICKS) {
		_exit(0);
	}
	errno = 1234; /* whoever was interrupted must not see it */
}

static _Noreturn void be_interrupted(unsigned number)
{
	struct sigaction action = { .sa_handler = on_tick };
	struct itimerval often = { { 0, 300 + 37 * number }, { 0, 300 + 37 * number } };
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
	for (;;) {
		allocate();
	}
}

static int run_child(int is_interrupted, unsigned number)
{
	int status = 1;
	pid_t child = fork();
	if (child == 0) {
		alarm(MOST_SECONDS);
		if (is_interrupted) {
			be_interrupted(number);
		}
		be_forked();
	}
	return child < 0 || waitpid(child, &status, 0) != child ? -1 : status;
}

int main(int argc, char **argv)
{
	pthread_t other;
	unsigned long count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	int is_interrupted = argc == 4 && strcmp(argv[1], "signal") == 0;
	given = mmap(NULL, sizeof *given, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	if (count == 0 || given == MAP_FAILED) {
		return 2;
	}
	bool lists = argc == 4 && strcmp(argv[1], "list") == 0;
	if (!is_interrupted &&
	    pthread_create(&other, NULL, lists ? list_modules : open_and_close, NULL) != 0) {
		return 2;
	}
	for (unsigned n = 0; n < count; n++) {
		int status = run_child(is_interrupted, n);
		if (status != 0) {
			fprintf(stderr, "child %u: status %#x\n", n, (unsigned)status);
			return 1;
		}
	}
	printf("%lu\n", atomic_load(given));
	return 0;
}
