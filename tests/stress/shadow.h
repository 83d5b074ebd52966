/* SPDX-License-Identifier: MIT */
/*
 * What a test knows of the blocks it holds: place, size and the pattern it wrote. Each
 * operation looks at what it touches and ends the process with one line on stderr when the
 * allocator broke a promise. One block belongs to one thread at a time; no other state.
 */
#ifndef HAK_TESTS_STRESS_SHADOW_H
#define HAK_TESTS_STRESS_SHADOW_H

#include <stddef.h>
#include <stdint.h>

struct shadow_block {
	unsigned char *p; /* NULL: nothing held */
	size_t size;	  /* as requested */
	size_t alignment; /* as asked of the aligned functions, else 0: their blocks have no sized free */
	uint64_t mark;	  /* of the pattern; differs for every block */
};

/* One operation on a block: allocates when nothing is held, else resizes or frees. */
struct shadow_step {
	unsigned choice;    /* which function; any value */
	unsigned alignment; /* log2, for those that take one */
	size_t size;
	uint64_t mark;
};

/* Printed with what went wrong, so that the run can be repeated. */
extern uint64_t shadow_seed;

void shadow_do(struct shadow_block *b, const struct shadow_step *step);

/* The pattern is still there; then the block is freed. */
void shadow_free(struct shadow_block *b);

/* Requests that nothing can serve fail with ENOMEM and change nothing. */
void shadow_try_impossible(struct shadow_block *b);

/* Ends the process: the seed and `what`. */
_Noreturn void shadow_fail(const char *what, const void *p, size_t size);

#endif
