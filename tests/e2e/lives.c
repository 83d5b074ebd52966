/* SPDX-License-Identifier: MIT */
/*
 * lives HOW COUNT SIZE: a process that keeps COUNT blocks of SIZE bytes, and another one, or a
 * thread, that does the same with twice the size. HOW they are related:
 *
 *   leave    no other; ends by _exit
 *   kill     no other; ends by SIGKILL
 *   vfork    a vfork child that executes this program with `leave`
 *   spawn    the same by posix_spawn
 *   daemon   a daemon of the old kind: forked twice, in a session of its own, all descriptors closed,
 *            one by one
 *   range    the same, all at once
 *   astray   a daemon by daemon(), which fails in the child, for /dev/null is none; the child goes on
 *   threads  COUNT threads, one after the other, each with one block, which it frees; prints by how
 *            many KiB the resident set grew after the first tenth of them
 *   cancel   a thread that is cancelled before it begins, and comes to no cancellation point until
 *            it has done
 *   bequest  a child of such a thread, which forks
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int keep(unsigned long count, size_t size)
{
	for (unsigned long n = 0; n < count; n++) {
		if (!malloc(size)) {
			return -1;
		}
	}
	return 0;
}

static int ended_well(void)
{
	int status = 1;
	while (wait(&status) > 0 && status == 0) {
	}
	return status;
}

static int by_vfork(char **argv)
{
	pid_t child = vfork();
	if (child == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	return child < 0 || ended_well();
}

static int by_spawn(char **argv)
{
	pid_t child;
	return posix_spawn(&child, argv[0], NULL, NULL, argv, environ) != 0 || ended_well();
}

/* The first process adopts the daemon, to see it end. */
static int by_daemon(unsigned long count, size_t size, bool at_once)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (fork() != 0) {
		return ended_well();
	}
	if (setsid() < 0 || fork() != 0) {
		_exit(0);
	}
	if (at_once) {
		closefrom(0);
	}
	for (int fd = 0; fd < 1024; fd++) {
		close(fd);
	}
	exit(keep(count, size) != 0);
}

static int by_failed_daemon(unsigned long count, size_t size)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (fork() != 0) {
		return ended_well();
	}
	pid_t caller = getpid();
	if (daemon(1, 0) == 0 || getpid() == caller) {
		_exit(3);
	}
	exit(keep(count, size) != 0);
}

static void *short_life(void *arg)
{
	void *volatile block = malloc((size_t)arg);
	free(block);
	return NULL;
}

static long resident_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*d %ld", &pages) != 1) {
		exit(1);
	}
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int by_threads(unsigned long count, size_t size)
{
	long before = 0;
	for (unsigned long n = 0; n < count; n++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, short_life, (void *)size) != 0 ||
		    pthread_join(thread, NULL) != 0) {
			return 1;
		}
		if (n == count / 10) {
			before = resident_kib();
		}
	}
	printf("%ld\n", resident_kib() - before);
	return 0;
}

static struct {
	unsigned long count;
	size_t size;
	atomic_bool is_cancelled;
	bool is_through; /* it was cancelled where it let itself be */
} doomed;

static void await_cancellation(void)
{
	while (!atomic_load(&doomed.is_cancelled)) {
		sched_yield();
	}
}

static void *keep_doomed(void *unused)
{
	await_cancellation();
	doomed.is_through = keep(doomed.count, doomed.size) == 0;
	pthread_testcancel();
	return unused;
}

static void *fork_doomed(void *unused)
{
	await_cancellation();
	pid_t child = fork();
	if (child == 0) {
		_exit(keep(doomed.count, doomed.size) != 0);
	}
	doomed.is_through = child > 0;
	pthread_testcancel();
	return unused;
}

static int by_cancel(void *(*life)(void *), unsigned long count, size_t size)
{
	pthread_t thread;
	void *result = NULL;
	doomed.count = count;
	doomed.size = size;
	if (pthread_create(&thread, NULL, life, NULL) != 0 || pthread_cancel(thread) != 0) {
		return 1;
	}
	atomic_store(&doomed.is_cancelled, true);
	return pthread_join(thread, &result) != 0 || result != PTHREAD_CANCELED || !doomed.is_through;
}

int main(int argc, char **argv)
{
	const char *how = argc == 4 ? argv[1] : "";
	unsigned long count = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	size_t size = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	char twice[32];
	char *other[] = { argv[0], "leave", argc == 4 ? argv[2] : NULL, twice, NULL };

	snprintf(twice, sizeof twice, "%zu", 2 * size);
	if (count == 0) {
		return 2;
	}
	if (strcmp(how, "threads") == 0) {
		return by_threads(count, 2 * size);
	}
	if (keep(count, size) != 0) {
		return 1;
	}
	if (strcmp(how, "cancel") == 0) {
		return by_cancel(keep_doomed, count, 2 * size);
	}
	if (strcmp(how, "bequest") == 0) {
		return by_cancel(fork_doomed, count, 2 * size) || ended_well();
	}
	if (strcmp(how, "astray") == 0) {
		return by_failed_daemon(count, 2 * size);
	}
	if (strcmp(how, "kill") == 0) {
		raise(SIGKILL);
	} else if (strcmp(how, "vfork") == 0) {
		return by_vfork(other);
	} else if (strcmp(how, "spawn") == 0) {
		return by_spawn(other);
	} else if (strcmp(how, "daemon") == 0 || strcmp(how, "range") == 0) {
		return by_daemon(count, 2 * size, *how == 'r');
	}
	_exit(0);
}
