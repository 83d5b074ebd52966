/* SPDX-License-Identifier: MIT */
/* Patterns, and the promises of the malloc family. */
#include "shadow.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "api.h"

/* Of longer blocks the edges, and a word here and there. All are whole words. */
enum { WORD = sizeof(uint64_t), WHOLE = 2048, EDGE = 256, STRIDE = 1024, FAR = 65536, FAR_STRIDE = 4096 };

uint64_t shadow_seed;

void shadow_fail(const char *what, const void *p, size_t size)
{
	fprintf(stderr, "%s: block %p of %zu bytes (seed %llu)\n", what, p, size,
		(unsigned long long)shadow_seed);
	abort();
}

static uint64_t expected(uint64_t mark, size_t i)
{
	return (mark + i / WORD) * 0x9e3779b97f4a7c15u;
}

static size_t next_index(size_t i, size_t size)
{
	size_t stride = size > FAR ? FAR_STRIDE : STRIDE;
	bool skips = size > WHOLE && i >= EDGE && i + stride + EDGE < size;
	return i + (skips ? stride : WORD);
}

static size_t word_bytes(size_t i, size_t size)
{
	return size - i < WORD ? size - i : WORD;
}

static bool is_word(const unsigned char *p, uint64_t word, size_t bytes)
{
	/* No call where the length is a constant: this is most of what the stress program does. */
	return bytes == WORD ? __builtin_memcmp(p, &word, WORD) == 0 : memcmp(p, &word, bytes) == 0;
}

static void write_pattern(unsigned char *p, size_t size, uint64_t mark)
{
	for (size_t i = 0; i < size; i = next_index(i, size)) {
		uint64_t word = expected(mark, i);
		if (size - i >= WORD) {
			__builtin_memcpy(p + i, &word, WORD);
		} else {
			memcpy(p + i, &word, size - i);
		}
	}
}

/* The first `kept` bytes of a pattern that was written over `size`. */
static bool has_pattern(const unsigned char *p, size_t size, size_t kept, uint64_t mark)
{
	for (size_t i = 0; i < kept && i < size; i = next_index(i, size)) {
		if (!is_word(p + i, expected(mark, i), word_bytes(i, kept < size ? kept : size))) {
			return false;
		}
	}
	return true;
}

static void check_pattern(const struct shadow_block *b)
{
	if (!has_pattern(b->p, b->size, b->size, b->mark)) {
		shadow_fail("contents have changed", b->p, b->size);
	}
}

static void check_zero(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i = next_index(i, size)) {
		if (!is_word(p + i, 0, word_bytes(i, size))) {
			shadow_fail("calloc did not zero", p, size);
		}
	}
}

/* Takes a fresh block into the books. `alignment` is what it must have. */
static void note(struct shadow_block *b, unsigned char *p, const struct shadow_step *step, size_t alignment)
{
	if (!p) {
		shadow_fail("no memory", p, step->size);
	}
	if ((uintptr_t)p % alignment) {
		shadow_fail("misaligned", p, step->size);
	}
	if (api_usable_size(p) < step->size) {
		shadow_fail("usable size below the requested", p, step->size);
	}
	*b = (struct shadow_block) { .p = p, .size = step->size, .mark = step->mark };
	write_pattern(p, step->size, step->mark);
}

static size_t natural(size_t size)
{
	return size >= 16 ? 16 : 8;
}

static void allocate(struct shadow_block *b, const struct shadow_step *step)
{
	size_t alignment = (size_t)1 << step->alignment;
	unsigned char *p;
	switch (step->choice % 8) {
	case 0:
		p = API(calloc)(1, step->size);
		if (p) {
			check_zero(p, step->size);
		}
		note(b, p, step, natural(step->size));
		break;
	case 1:
		note(b, API(aligned_alloc)(alignment, step->size), step, alignment);
		b->alignment = alignment;
		break;
	case 2:
		note(b, api_memalign(alignment, step->size), step, alignment);
		b->alignment = alignment;
		break;
	case 3:
		note(b, API(realloc)(NULL, step->size), step, natural(step->size));
		break;
	default:
		note(b, API(malloc)(step->size), step, natural(step->size));
	}
}

static void resize(struct shadow_block *b, const struct shadow_step *step)
{
	struct shadow_step to = *step;
	size_t former = b->size;
	uint64_t mark = b->mark;
	to.size = to.size ? to.size : 1;
	unsigned char *p =
		step->choice & 8 ? api_reallocarray(b->p, 1, to.size) : API(realloc)(b->p, to.size);
	size_t kept = former < to.size ? former : to.size;
	if (p && !has_pattern(p, former, kept, mark)) {
		shadow_fail("realloc lost contents", p, to.size);
	}
	note(b, p, &to, natural(to.size));
}

void shadow_free(struct shadow_block *b)
{
	if (!b->p) {
		return;
	}
	check_pattern(b);
	errno = EDOM;
	if (b->mark & 1 || b->alignment) {
		API(free)(b->p);
	} else {
		api_free_sized(b->p, b->size);
	}
	if (errno != EDOM) {
		shadow_fail("free changed errno", b->p, b->size);
	}
	b->p = NULL;
}

void shadow_try_impossible(struct shadow_block *b)
{
	volatile size_t half = SIZE_MAX / 2, huge = SIZE_MAX - 4096;
	errno = 0;
	if (API(malloc)(huge) || errno != ENOMEM) {
		shadow_fail("malloc of nearly everything", NULL, huge);
	}
	errno = 0;
	if (API(calloc)(half, 3) || errno != ENOMEM) {
		shadow_fail("calloc that overflows", NULL, half);
	}
	errno = 0;
	if (b->p && (API(realloc)(b->p, huge) || errno != ENOMEM)) {
		shadow_fail("realloc to nearly everything", b->p, huge);
	}
}

void shadow_do(struct shadow_block *b, const struct shadow_step *step)
{
	if (!b->p) {
		allocate(b, step);
	} else if (step->choice % 4 == 0) {
		check_pattern(b);
		resize(b, step);
	} else {
		shadow_free(b);
	}
}
