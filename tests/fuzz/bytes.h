/* SPDX-License-Identifier: MIT */
/* A fuzz input as a stream of values: short inputs give small numbers, long ones any. */
#ifndef HAK_TEST_BYTES_H
#define HAK_TEST_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	const uint8_t *at, *end;
};

static inline size_t bytes_left(const struct bytes *b)
{
	return (size_t)(b->end - b->at);
}

/* 0 behind the end. */
static inline uint8_t bytes_u8(struct bytes *b)
{
	return b->at < b->end ? *b->at++ : 0;
}

static inline uint64_t bytes_fixed(struct bytes *b, size_t length)
{
	uint64_t value = 0;

	for (size_t i = 0; i < length; i++) {
		value |= (uint64_t)bytes_u8(b) << (8 * i);
	}
	return value;
}

/* The first byte is the value when it is below 248, else it says how many bytes follow. */
static inline uint64_t bytes_number(struct bytes *b)
{
	uint8_t first = bytes_u8(b);

	return first < 248 ? first : bytes_fixed(b, (size_t)first - 247);
}

/* A text of at most 255 bytes, copied to `out`. */
static inline const char *bytes_text(struct bytes *b, char out[256])
{
	size_t length = bytes_u8(b);

	length = length < bytes_left(b) ? length : bytes_left(b);
	memcpy(out, b->at, length);
	out[length] = '\0';
	b->at += length;
	return out;
}

/* Ends the process where a promise is broken; the fuzzer keeps the input. */
#define expect(holds) ((holds) ? (void)0 : broken(__FILE__, __LINE__))

static inline void broken(const char *file, int line)
{
	fprintf(stderr, "%s:%d: a promise is broken\n", file, line);
	abort();
}

#endif
