/* SPDX-License-Identifier: MIT */
/*
 * resizes: blocks that grow and shrink where they are, 500 from 700 to 760 bytes, and large ones that grow
 * until their pages have to be moved, 10 from 2 MB to 9 MB. Half of each is freed again.
 */
#include <stdlib.h>

enum { SMALL = 500, LARGE = 10 };

static int grow(char **blocks, int count, size_t from, size_t to)
{
	for (int i = 0; i < count; i++) {
		blocks[i] = malloc(from);
	}
	for (int i = 0; i < count; i++) {
		char *grown = realloc(blocks[i], to);
		if (!grown) {
			return -1;
		}
		blocks[i] = grown;
	}
	for (int i = 0; i < count; i += 2) {
		free(blocks[i]);
	}
	return 0;
}

int main(void)
{
	static char *small[SMALL], *large[LARGE];
	return grow(small, SMALL, 700, 760) == 0 && grow(large, LARGE, 2000000, 9000000) == 0 ? 0 : 2;
}
