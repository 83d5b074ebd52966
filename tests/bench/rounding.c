/* SPDX-License-Identifier: MIT */
/*
 * glibc's malloc, asked for the blocks that the table "fine" would serve each request with: what a table of
 * classes costs in memory, whoever keeps the blocks. To be named to run.py like an allocator:
 *
 *   make bench BENCH_ARGS='rounded=build/tests/bench/librounding.so'
 *
 * glibc keeps eight bytes in front of each block. Where the block has them to spare they come out of it, so
 * that a block takes no more room here than in hakmem.
 */
#include <dlfcn.h>
#include <errno.h>
#include <gnu/lib-names.h>
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hakmem_size_class.h"

#define PUBLIC __attribute__((visibility("default")))

enum { HEADER = sizeof(size_t) };

/* Says to run.py that glibc's heap is to grow under this library, and not that it was not there. */
extern const char bench_blocks_are_glibcs;
PUBLIC const char bench_blocks_are_glibcs = 1;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static struct hak_class_table table;
static size_t (*usable_size)(void *block);

__attribute__((constructor)) static void build(void)
{
	hak_class_table_build(&table, HAK_SCHEME_FINE, 7, (uint32_t)sysconf(_SC_PAGESIZE));
	void *libc = dlopen(LIBC_SO, RTLD_LAZY | RTLD_NOLOAD);
	void *found = libc ? dlsym(libc, "malloc_usable_size") : NULL;
	memcpy(&usable_size, &found, sizeof found); /* C has no other way from an object to a function */
}

/* Large blocks are whole pages in glibc as well. */
static size_t rounded(size_t size)
{
	unsigned class_id = hak_class_for(&table, size, 1);
	if (class_id >= table.count)
		return size;
	size_t block = table.classes[class_id].block;
	return size + HEADER <= block ? block - HEADER : block;
}

PUBLIC void *malloc(size_t size)
{
	return __libc_malloc(rounded(size));
}

PUBLIC void free(void *block)
{
	__libc_free(block);
}

PUBLIC void *calloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(1, rounded(bytes));
}

PUBLIC void *realloc(void *block, size_t size)
{
	if (block && !size) {
		__libc_free(block);
		return NULL;
	}
	return __libc_realloc(block, rounded(size));
}

PUBLIC void *memalign(size_t alignment, size_t size)
{
	return __libc_memalign(alignment, rounded(size));
}

PUBLIC void *aligned_alloc(size_t alignment, size_t size)
{
	return __libc_memalign(alignment, rounded(size));
}

PUBLIC int posix_memalign(void **out, size_t alignment, size_t size)
{
	if (!alignment || alignment % sizeof(void *) || (alignment & (alignment - 1)))
		return EINVAL;
	void *block = __libc_memalign(alignment, rounded(size));
	if (!block)
		return ENOMEM;
	*out = block;
	return 0;
}

/* glibc's own: redis has another allocator behind this library, whose function would be found first. */
PUBLIC size_t malloc_usable_size(void *block)
{
	return usable_size ? usable_size(block) : 0;
}
