/* SPDX-License-Identifier: MIT */
/* Allocates at the end of a chain of calls, compiled with frame pointers whatever the flags. */
#include <stdlib.h>

#define CALLED                                                                                               \
	__attribute__((noinline, noclone, optimize("no-omit-frame-pointer", "no-optimize-sibling-calls")))

void *innermost(size_t size);
void *middle(size_t size);
void *outermost(size_t size);

CALLED void *innermost(size_t size)
{
	void *p = malloc(size);
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

CALLED void *middle(size_t size)
{
	void *p = innermost(size);
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

CALLED void *outermost(size_t size)
{
	void *p = middle(size);
	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}

CALLED int main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 20000;
	for (long i = 0; i < rounds; i++) {
		free(outermost(1000));
	}
	return 0;
}
