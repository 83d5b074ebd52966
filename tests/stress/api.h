/* SPDX-License-Identifier: MIT */
/*
 * The functions under test, under one name for both builds: the C library's names, to be
 * run with the allocator preloaded, or with HAK_TEST_CORE the core's own, so that
 * sanitizers keep the malloc they need.
 */
#ifndef HAK_TESTS_STRESS_API_H
#define HAK_TESTS_STRESS_API_H

#include <malloc.h>
#include <stdlib.h>

#ifdef HAK_TEST_CORE
#include "alloc.h"
#define API(name) hak_##name
static inline void *api_memalign(size_t alignment, size_t size)
{
	return hak_aligned_alloc(alignment, size);
}
static inline size_t api_usable_size(void *p)
{
	return hak_usable_size(p);
}
static inline void api_free_sized(void *p, size_t size)
{
	hak_free_sized(p, size, HAK_SIZE_OF_REALLOC);
}
static inline void *api_reallocarray(void *p, size_t count, size_t size)
{
	return hak_realloc(p, count * size);
}
static inline void api_trim(void)
{
	hak_trim();
}
#else
#define API(name) name
static inline void *api_memalign(size_t alignment, size_t size)
{
	void *p;
	if (alignment < sizeof p || size & 1) {
		return memalign(alignment, size);
	}
	return posix_memalign(&p, alignment, size) ? NULL : p;
}
static inline size_t api_usable_size(void *p)
{
	return malloc_usable_size(p);
}
/* C23; where the running libc has it not, the allocator under test brings it. */
void free_sized(void *p, size_t size) __attribute__((weak));
static inline void api_free_sized(void *p, size_t size)
{
	if (free_sized) {
		free_sized(p, size);
	} else {
		free(p);
	}
}
static inline void *api_reallocarray(void *p, size_t count, size_t size)
{
	return reallocarray(p, count, size);
}
static inline void api_trim(void)
{
	malloc_trim(0);
}
#endif

#endif
