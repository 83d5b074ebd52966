/* SPDX-License-Identifier: MIT */
/*
 * A program that can do without memory for a while: everything it asks for may fail, and if
 * so with ENOMEM and NULL; what it got stays what it was. The system calls by which the
 * library gets and changes memory come here, because the program exports their names, and one
 * of them fails. HAK_TEST_FAIL_AT=n: the n-th call; HAK_TEST_FAIL_ON=1: and all after it.
 * In the end nothing fails any more; then everything must succeed, and nothing be lost.
 * Prints how many calls were made before.
 */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "include/hakmem.h"

static const size_t sizes[] = { 0, 24, 100, 1000, 1025, 8192, 20000, 60000, 200000, 300000, 700000 };
enum { SIZES = sizeof sizes / sizeof sizes[0], EACH = 3 };

static struct {
	unsigned char *p;
	size_t size;
} held[SIZES * EACH];
static bool may_fail = true;

/* --- calls that fail ---------------------------------------------------------------------- */

#pragma GCC visibility push(default) /* the library calls these, not libc's */

static long calls, fail_at;
static bool is_ready, goes_on;

static bool fails(void)
{
	if (!is_ready) { /* by the first call: before any constructor */
		const char *at = getenv("HAK_TEST_FAIL_AT");
		fail_at = at ? strtol(at, NULL, 10) : 0;
		goes_on = getenv("HAK_TEST_FAIL_ON") != NULL;
		is_ready = true;
	}
	long number = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	if (!fail_at || number < fail_at || (number > fail_at && !goes_on)) {
		return false;
	}
	errno = ENOMEM;
	return true;
}

void *mmap(void *start, size_t bytes, int protection, int flags, int file, off_t offset)
{
	return fails() ? MAP_FAILED
		       : (void *)syscall(SYS_mmap, start, bytes, protection, flags, file, offset);
}

int mprotect(void *start, size_t bytes, int protection)
{
	return fails() ? -1 : (int)syscall(SYS_mprotect, start, bytes, protection);
}

int madvise(void *start, size_t bytes, int advice)
{
	return fails() ? -1 : (int)syscall(SYS_madvise, start, bytes, advice);
}

void *mremap(void *start, size_t old_bytes, size_t new_bytes, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	void *to = flags & MREMAP_FIXED ? va_arg(rest, void *) : NULL;
	va_end(rest);
	return fails() ? MAP_FAILED : (void *)syscall(SYS_mremap, start, old_bytes, new_bytes, flags, to);
}

#pragma GCC visibility pop

/* --- the program -------------------------------------------------------------------------- */

static void require(bool ok, const char *what, size_t size)
{
	if (!ok) {
		fprintf(stderr, "%s, %zu bytes\n", what, size);
		abort();
	}
}

static unsigned char fill_of(const void *p)
{
	return (unsigned char)((uintptr_t)p >> 4 | 1);
}

/* The bytes that are looked at; touching all would take most of the time. */
static size_t next_of(size_t k)
{
	return k + (k < 64 ? 1 : k / 2);
}

static void keep(unsigned i, unsigned char *p, size_t size)
{
	require(p || (may_fail && errno == ENOMEM), "refused without reason or ENOMEM", size);
	held[i].p = p;
	held[i].size = size;
	for (size_t k = 0; p && k < size; k = next_of(k)) {
		p[k] = fill_of(p);
	}
}

static void verify(unsigned i, size_t bytes, unsigned char fill)
{
	for (size_t k = 0; k < bytes; k = next_of(k)) {
		require(held[i].p[k] == fill, "contents changed", held[i].size);
	}
}

static void *ask(unsigned way, size_t size)
{
	errno = 0;
	switch (way % 4) {
	case 0:
		return calloc(1, size);
	case 1:
		return aligned_alloc(4096, size);
	case 2:
		return realloc(NULL, size);
	default:
		return malloc(size);
	}
}

static void grow(unsigned i)
{
	unsigned char fill = fill_of(held[i].p);
	size_t size = held[i].size * 2 + 1;
	errno = 0;
	unsigned char *p = realloc(held[i].p, size);
	if (!p) { /* the block is as before */
		require(may_fail && errno == ENOMEM, "realloc refused without reason or ENOMEM", size);
		verify(i, held[i].size, fill);
		return;
	}
	held[i].p = p;
	verify(i, held[i].size, fill);
	keep(i, p, size);
}

static void release(unsigned i)
{
	if (held[i].p) {
		verify(i, held[i].size, fill_of(held[i].p));
	}
	errno = EDOM;
	free(held[i].p);
	require(errno == EDOM, "free changed errno", held[i].size);
	held[i].p = NULL;
}

static void *use(void *unused)
{
	for (unsigned i = 0; i < SIZES * EACH; i++) {
		size_t size = sizes[i % SIZES];
		keep(i, ask(i, size), size);
	}
	for (unsigned i = 0; i < SIZES * EACH; i += 3) {
		if (held[i].p) {
			grow(i);
		}
	}
	for (unsigned i = 0; i < SIZES * EACH; i++) {
		release(i);
	}
	malloc_trim(0);
	return unused;
}

static void use_in_thread(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, use, NULL) == 0) {
		pthread_join(thread, NULL);
	} else {
		require(may_fail, "no thread", 0);
	}
}

/* What spans hold beyond slabs and large blocks; those end within a unit of 64 KiB. */
static uint64_t lost_bytes(void)
{
	struct hakmem_class_stats classes[128];
	struct hakmem_heap_stats heap;
	void (*read_heap)(struct hakmem_heap_stats *);
	size_t (*read_classes)(struct hakmem_class_stats *, size_t);
	*(void **)&read_heap = dlsym(RTLD_DEFAULT, "hakmem_stats_heap");
	*(void **)&read_classes = dlsym(RTLD_DEFAULT, "hakmem_stats_classes");
	require(read_heap && read_classes, "the library is not there", 0);
	size_t count = read_classes(classes, 128);
	read_heap(&heap);
	uint64_t in_use = heap.committed - heap.cached, known = heap.large_blocks << 16;
	for (size_t i = 0; i < count; i++) {
		known += classes[i].slab_bytes;
	}
	return in_use > known ? in_use - known : 0;
}

int main(void)
{
	use(NULL);
	use_in_thread();
	long made = calls;
	fail_at = 0;
	may_fail = false;
	use(NULL);
	use_in_thread();
	/* What the first round lost the second has replaced; a third finds all in place. */
	size_t mapped = mallinfo2().arena, live = mallinfo2().uordblks;
	use(NULL);
	require(mallinfo2().uordblks == live, "blocks are missing", mallinfo2().uordblks - live);
	require(mallinfo2().arena == mapped, "the heap has grown", mallinfo2().arena - mapped);
	require(lost_bytes() == 0, "lost", lost_bytes());
	printf("%ld\n", made);
	return 0;
}
