/* SPDX-License-Identifier: MIT */
/*
 * forks COUNT SIZE [release]: keeps COUNT blocks of SIZE bytes, then forks a child that keeps COUNT
 * blocks of twice the size and leaves by _exit, and waits for it. With `release` the child first frees
 * three of four of its parent's blocks; else neither frees anything.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void **kept; /* the newest, each beginning with the address of the one before */

static int keep(unsigned long count, size_t size)
{
	for (unsigned long n = 0; n < count; n++) {
		void **block = malloc(size);
		if (!block) {
			return -1;
		}
		*block = kept;
		kept = block;
	}
	return 0;
}

static void release_most(void)
{
	void **block = kept;
	for (unsigned long n = 0; block; n++) {
		void **before = *block;
		if (n % 4) {
			free(block);
		}
		block = before;
	}
}

int main(int argc, char **argv)
{
	bool releases = argc == 4 && strcmp(argv[3], "release") == 0;
	unsigned long count = argc == 3 || releases ? strtoul(argv[1], NULL, 10) : 0;
	size_t size = argc >= 3 ? strtoul(argv[2], NULL, 10) : 0;
	int status = 0;
	if (count == 0 || size < sizeof *kept || keep(count, size) != 0) {
		return 2;
	}
	pid_t child = fork();
	if (child == 0) {
		if (releases) {
			release_most();
		}
		_exit(keep(count, 2 * size) == 0 ? 0 : 1);
	}
	return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
