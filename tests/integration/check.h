/* SPDX-License-Identifier: MIT */
/*
 * What the programs here share. Each is a cmocka program that uses malloc as any program
 * does; run with the allocator preloaded it tests that, run alone it tests libc, and both
 * must pass: what only ours promises is asked for behind on_hakmem().
 *
 * cmocka's assertions belong to the main thread; other threads return what they found.
 */
#ifndef HAK_TESTS_INTEGRATION_CHECK_H
#define HAK_TESTS_INTEGRATION_CHECK_H

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif
#include <cmocka.h>
#ifdef __cplusplus
}
#endif

static inline bool on_hakmem(void)
{
	return dlsym(RTLD_DEFAULT, "hakmem_version") != NULL;
}

/* A value that the compiler knows nothing of, so that it neither warns nor computes ahead. */
static inline size_t opaque(size_t value)
{
	volatile size_t hidden = value;
	return hidden;
}

static inline bool is_aligned(const void *p, size_t alignment)
{
	return (uintptr_t)p % alignment == 0;
}

/* The ABI's: 16, and for less than 16 bytes what an object of that size can need. */
static inline size_t natural_alignment(size_t size)
{
	return size >= 16 ? 16 : 8;
}

/* Fills with bytes that depend on the seed, and says whether they are still there. */
static inline void fill(void *p, size_t size, unsigned seed)
{
	unsigned char *bytes = (unsigned char *)p;
	for (size_t i = 0; i < size; i++) {
		bytes[i] = (unsigned char)(seed * 31 + i * 7);
	}
}

static inline bool is_filled(const void *p, size_t size, unsigned seed)
{
	const unsigned char *bytes = (const unsigned char *)p;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != (unsigned char)(seed * 31 + i * 7)) {
			return false;
		}
	}
	return true;
}

static inline bool is_zero(const void *p, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)p;
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Small numbers that repeat for a seed: xorshift64 (Marsaglia, 2003). */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Runs one thread to its end; what it returns. */
static inline void *run_in_thread(void *(*work)(void *), void *argument)
{
	pthread_t thread;
	void *result;
	assert_int_equal(pthread_create(&thread, NULL, work, argument), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	return result;
}

#endif
