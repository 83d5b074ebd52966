/* SPDX-License-Identifier: MIT */
/*
 * The program of the stored traces: a fixed list of requests, so that every number of a report
 * about them is known. record.sh runs it.
 */
#include <stdlib.h>

enum { HELD = 64 };

static void *held[HELD];
static int count;

static void take(int times, size_t size)
{
	for (int i = 0; i < times; i++) {
		held[count++] = malloc(size);
	}
}

int main(void)
{
	take(20, 1024);
	take(10, 300);
	take(5, 100);
	take(3, 300000);
	for (int i = 0; i < 4; i++) {
		free(held[i]);
	}
	return held[4] == NULL;
}
