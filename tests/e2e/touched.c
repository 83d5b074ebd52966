/* SPDX-License-Identifier: MIT */
/*
 * touched BYTES PERCENT: keeps a block of BYTES and 512 blocks of two pages each. Writes to each page of the
 * first PERCENT of the one, and to one page of each of the others. Nothing else of them is touched.
 */
#include <stdlib.h>

enum { BLOCKS = 512, PAGE = 4096 };

int main(int argc, char **argv)
{
	size_t bytes = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	volatile char *large = malloc(bytes);
	if (argc != 3 || !large) {
		return 2;
	}
	for (size_t at = 0; at < bytes / 100 * strtoul(argv[2], NULL, 10); at += PAGE) {
		large[at] = 1;
	}
	for (int i = 0; i < BLOCKS; i++) {
		volatile char *block = malloc((size_t)2 * PAGE);
		if (!block) {
			return 2;
		}
		block[0] = 1;
	}
	return 0;
}
