/* SPDX-License-Identifier: MIT */
/*
 * forks COUNT SIZE: keeps COUNT blocks of SIZE bytes, then forks a child that keeps COUNT blocks of
 * twice the size and leaves by _exit, and waits for it. Neither frees anything.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int keep(unsigned long count, size_t size)
{
	for (unsigned long n = 0; n < count; n++) {
		if (!malloc(size)) {
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	size_t size = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	int status = 0;
	if (count == 0 || keep(count, size) != 0) {
		return 2;
	}
	pid_t child = fork();
	if (child == 0) {
		_exit(keep(count, 2 * size) == 0 ? 0 : 1);
	}
	return child < 0 || waitpid(child, &status, 0) != child || status != 0;
}
