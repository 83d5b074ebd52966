/* SPDX-License-Identifier: MIT */
/*
 * Runs one command and writes what it cost. Linked statically and small, because the kernel counts
 * the resident set of the process that calls exec into the peak of the program that follows.
 *
 *   launch REPORT PRELOAD COMMAND [ARG...]
 *
 * PRELOAD becomes the command's LD_PRELOAD; "-" removes the variable, "=" leaves it. REPORT gets one line of
 * key=value: wall, user and sys in seconds, rss_kib, minflt, majflt, status (128 + signal when killed).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static _Noreturn void become(char **argv, const char *preload)
{
	if (strcmp(preload, "-") == 0)
		unsetenv("LD_PRELOAD");
	else if (strcmp(preload, "=") != 0)
		setenv("LD_PRELOAD", preload, 1);
	execvp(argv[0], argv);
	fprintf(stderr, "launch: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int write_report(const char *path, double wall, const struct rusage *use, int status)
{
	FILE *out = fopen(path, "w");

	if (!out) {
		fprintf(stderr, "launch: %s: %s\n", path, strerror(errno));
		return 1;
	}
	fprintf(out, "wall=%.6f user=%.6f sys=%.6f rss_kib=%ld minflt=%ld majflt=%ld status=%d\n", wall,
		seconds(use->ru_utime), seconds(use->ru_stime), use->ru_maxrss, use->ru_minflt,
		use->ru_majflt, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(out) ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct rusage use;
	double began = seconds_now();
	int status;
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: launch REPORT PRELOAD|- COMMAND [ARG...]\n");
		return 2;
	}
	pid = fork();
	if (pid < 0) {
		perror("launch: fork");
		return 1;
	}
	if (pid == 0)
		become(argv + 3, argv[2]);
	while (wait4(pid, &status, 0, &use) < 0) {
		if (errno != EINTR) {
			perror("launch: wait4");
			return 1;
		}
	}
	return write_report(argv[1], seconds_now() - began, &use, status);
}
