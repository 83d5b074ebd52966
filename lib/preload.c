/* SPDX-License-Identifier: MIT */
/*
 * The malloc family under its public names, and nothing else: argument rules of POSIX, C23
 * and the glibc manual here, the work in alloc.c. The only file that defines malloc; tests
 * of internals link without it.
 *
 * Also the library's first and last act: settings and statistics that HAKMEM_VERBOSE and
 * HAKMEM_STATS ask for.
 */
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "alloc.h"
#include "compiler.h"
#include "options.h"
#include "os.h"
#include "secure.h"
#include "stats_print.h"

/* C23; not declared by every libc. */
void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t alignment, size_t size);
/* Gone from glibc's headers, still called by old programs. */
void cfree(void *p);

const char hak_is_malloc = 1;

static bool is_power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

static void *fail(int error)
{
	errno = error;
	return NULL;
}

HAK_EXPORT void *malloc(size_t size)
{
	return hak_malloc(size);
}

HAK_EXPORT void free(void *ptr)
{
	hak_free(ptr);
}

HAK_EXPORT void free_sized(void *p, size_t size)
{
	hak_free_sized(p, size, HAK_SIZE_OF_REALLOC);
}

HAK_EXPORT void free_aligned_sized(void *p, size_t alignment, size_t size)
{
	hak_check_size(p, size, alignment, HAK_SIZE_OF_NEW);
	hak_free(p);
}

HAK_EXPORT void *calloc(size_t nmemb, size_t size)
{
	return hak_calloc(nmemb, size);
}

HAK_EXPORT void *realloc(void *ptr, size_t size)
{
	return hak_realloc(ptr, size);
}

HAK_EXPORT void *reallocarray(void *ptr, size_t nmemb, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(nmemb, size, &bytes)) {
		bytes = SIZE_MAX; /* which is refused, and told */
	}
	return hak_realloc(ptr, bytes);
}

/* glibc's rule: an alignment that is no power of two is rounded up to one. */
HAK_EXPORT void *memalign(size_t alignment, size_t size)
{
	size_t rounded = sizeof(void *);
	if (alignment > SIZE_MAX / 2 + 1) {
		return fail(EINVAL);
	}
	while (rounded < alignment) {
		rounded *= 2;
	}
	return hak_aligned_alloc(rounded, size);
}

HAK_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	if (!is_power_of_two(alignment)) {
		return fail(EINVAL);
	}
	return hak_aligned_alloc(alignment, size);
}

HAK_EXPORT int posix_memalign(void **memptr, size_t alignment, size_t size)
{
	if (!is_power_of_two(alignment) || alignment % sizeof(void *)) {
		return EINVAL;
	}
	int saved = errno;
	void *p = hak_aligned_alloc(alignment, size);
	errno = saved;
	if (!p) {
		return ENOMEM;
	}
	*memptr = p;
	return 0;
}

HAK_EXPORT void *valloc(size_t size)
{
	return hak_aligned_alloc(hak_os_page_size(), size);
}

HAK_EXPORT void *pvalloc(size_t size)
{
	size_t page = hak_os_page_size();
	size_t bytes;
	if (__builtin_add_overflow(size, page - 1, &bytes)) {
		bytes = SIZE_MAX; /* which is refused, and told */
	}
	return hak_aligned_alloc(page, bytes & ~(page - 1));
}

HAK_EXPORT size_t malloc_usable_size(void *ptr)
{
	return hak_usable_size(ptr);
}

/* Superslabs have no top that `pad` could be kept of. */
HAK_EXPORT int malloc_trim(size_t pad)
{
	(void)pad;
	return hak_trim();
}

HAK_EXPORT struct mallinfo2 mallinfo2(void)
{
	return hak_mallinfo();
}

static int clamp(size_t value)
{
	return value > INT_MAX ? INT_MAX : (int)value;
}

HAK_EXPORT struct mallinfo mallinfo(void)
{
	struct mallinfo2 m = hak_mallinfo();
	return (struct mallinfo) {
		.arena = clamp(m.arena),
		.ordblks = clamp(m.ordblks),
		.hblks = clamp(m.hblks),
		.hblkhd = clamp(m.hblkhd),
		.uordblks = clamp(m.uordblks),
		.fordblks = clamp(m.fordblks),
		.keepcost = clamp(m.keepcost),
	};
}

/*
 * Accepts the parameters of glibc's manual, which tune a heap that this one is not, and
 * changes nothing: programs that insist on success go on. Others fail, as documented.
 */
HAK_EXPORT int mallopt(int param, int val)
{
	(void)val;
	switch (param) {
	case M_MXFAST:
	case M_TRIM_THRESHOLD:
	case M_TOP_PAD:
	case M_MMAP_THRESHOLD:
	case M_MMAP_MAX:
	case M_CHECK_ACTION:
	case M_PERTURB:
	case M_ARENA_TEST:
	case M_ARENA_MAX:
		return 1;
	default:
		return 0;
	}
}

HAK_EXPORT void malloc_stats(void)
{
	hak_print_stats(STDERR_FILENO);
}

static void to_stream(void *stream, const char *bytes, size_t length)
{
	fwrite(bytes, 1, length, stream);
}

/* Returns the error, as glibc does, and sets errno, as its manual says. */
HAK_EXPORT int malloc_info(int options, FILE *fp)
{
	struct hak_writer w;
	if (options != 0) {
		errno = EINVAL;
		return EINVAL;
	}
	hak_writer_to_sink(&w, to_stream, fp);
	hak_print_info(&w);
	hak_writer_flush(&w);
	return 0;
}

/* Old binaries call cfree; others reach libc's own entry points by these names. */
#if __has_attribute(copy)
#define COPY_OF(function) , copy(function)
#else
#define COPY_OF(function)
#endif
void cfree(void *p) HAK_SAME_AS(free);
void *__libc_malloc(size_t size) HAK_SAME_AS(malloc);
void *__libc_calloc(size_t count, size_t size) HAK_SAME_AS(calloc);
void *__libc_realloc(void *p, size_t size) HAK_SAME_AS(realloc);
void __libc_free(void *p) HAK_SAME_AS(free);
void *__libc_memalign(size_t alignment, size_t size) HAK_SAME_AS(memalign);
void *__libc_valloc(size_t size) HAK_SAME_AS(valloc);
void *__libc_pvalloc(size_t size) HAK_SAME_AS(pvalloc);

/* A preload's constructor runs while the program has one thread. */
__attribute__((constructor)) static void at_start(void)
{
	hak_init();
	if (hak_options.verbose) {
		hak_print_config();
	}
	if (hak_options.stats) {
		hak_exit_stats_prepare();
	}
}

__attribute__((destructor)) static void at_exit(void)
{
	if (hak_options.stats) {
		hak_exit_stats_print();
	}
	if (hak_options.secure) {
		hak_secure_check_freed();
	}
}
