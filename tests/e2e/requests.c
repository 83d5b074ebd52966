/* SPDX-License-Identifier: MIT */
/*
 * requests COUNT SIZE [SIZE...]: asks COUNT times for each size, writes the block whole and
 * keeps the last 64 blocks. The last of all stay allocated at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 64 };

static void *kept[KEPT];

static int keep_buffer(unsigned long n, size_t size)
{
	char *buffer = malloc(size);
	if (!buffer) {
		return -1;
	}
	memset(buffer, 'x', size);
	free(kept[n % KEPT]);
	kept[n % KEPT] = buffer;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;
	if (count == 0) {
		fputs("usage: requests COUNT SIZE [SIZE...]\n", stderr);
		return 2;
	}
	for (unsigned long n = 0; n < count; n++) {
		for (int i = 2; i < argc; i++) {
			if (keep_buffer(n * (unsigned long)(argc - 2) + (unsigned long)i,
					strtoul(argv[i], NULL, 10)) != 0) {
				return 1;
			}
		}
	}
	return 0;
}
