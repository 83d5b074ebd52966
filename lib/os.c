/* SPDX-License-Identifier: MIT */
/* Linux. */
#include "os.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

size_t hak_os_page_size(void)
{
	static size_t page; /* every thread would store the same */
	size_t known = __atomic_load_n(&page, __ATOMIC_RELAXED);
	if (HAK_UNLIKELY(!known)) {
		known = getauxval(AT_PAGESZ);
		__atomic_store_n(&page, known, __ATOMIC_RELAXED);
	}
	return known;
}

/* Runs one system call with errno kept; its failure as -errno. */
#define QUIETLY(ok, ...)                                                                                     \
	({                                                                                                   \
		int saved_ = errno;                                                                          \
		int result_ = (__VA_ARGS__)ok ? 0 : -errno;                                                  \
		errno = saved_;                                                                              \
		result_;                                                                                     \
	})

static int map_raw(size_t bytes, int protection, void **out)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (protection == PROT_NONE ? MAP_NORESERVE : 0);
	return QUIETLY(!= MAP_FAILED, *out = mmap(NULL, bytes, protection, flags, -1, 0));
}

/* Maps more than asked and cuts the ends off. */
int hak_os_map_aligned(size_t bytes, size_t alignment, void **out)
{
	void *raw;
	size_t page = hak_os_page_size();
	size_t extra = alignment > page ? alignment - page : 0;
	if (bytes > PTRDIFF_MAX - extra) {
		return -ENOMEM;
	}
	int error = map_raw(bytes + extra, PROT_READ | PROT_WRITE, &raw);
	if (error) {
		return error;
	}
	uintptr_t start = ((uintptr_t)raw + alignment - 1) & ~(alignment - 1);
	size_t before = start - (uintptr_t)raw;
	if (before) {
		hak_os_unmap(raw, before);
	}
	if (extra > before) {
		hak_os_unmap((void *)(start + bytes), extra - before);
	}
	*out = (void *)start;
	return 0;
}

int hak_os_reserve(size_t bytes, void **out)
{
	return map_raw(bytes, PROT_NONE, out);
}

int hak_os_map(size_t bytes, void **out)
{
	return map_raw(bytes, PROT_READ | PROT_WRITE, out);
}

int hak_os_unmap(void *start, size_t bytes)
{
	return QUIETLY(== 0, munmap(start, bytes));
}

int hak_os_commit(void *start, size_t bytes)
{
	return QUIETLY(== 0, mprotect(start, bytes, PROT_READ | PROT_WRITE));
}

void hak_os_populate(void *start, size_t bytes)
{
	(void)QUIETLY(== 0, madvise(start, bytes, MADV_POPULATE_WRITE));
}

int hak_os_purge(void *start, size_t bytes)
{
	return QUIETLY(== 0, madvise(start, bytes, MADV_DONTNEED));
}

int hak_os_renew(void *start, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
	return QUIETLY(!= MAP_FAILED, mmap(start, bytes, PROT_READ | PROT_WRITE, flags, -1, 0));
}

int hak_os_move(void *from, void *to, size_t bytes)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;
	return QUIETLY(!= MAP_FAILED, mremap(from, bytes, bytes, flags, to));
}

int hak_os_guard(void *start, size_t bytes, enum hak_os_guard from, enum hak_os_guard to)
{
	if (from == HAK_OS_MARKED || to == HAK_OS_MARKED) {
		int advice = to == HAK_OS_MARKED ? MADV_GUARD_INSTALL : MADV_GUARD_REMOVE;
		return QUIETLY(== 0, madvise(start, bytes, advice));
	}
	return QUIETLY(== 0,
		       mprotect(start, bytes, to == HAK_OS_CLOSED ? PROT_NONE : PROT_READ | PROT_WRITE));
}

int hak_os_remap(void *start, size_t old_bytes, size_t new_bytes, void **out)
{
	return QUIETLY(!= MAP_FAILED, *out = mremap(start, old_bytes, new_bytes, MREMAP_MAYMOVE));
}

void hak_os_huge_pages(void *start, size_t bytes, int wanted)
{
	(void)QUIETLY(== 0, madvise(start, bytes, wanted ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
}

int hak_os_resident(void *start, size_t bytes, unsigned char *pages)
{
	return QUIETLY(== 0, mincore(start, bytes, pages));
}

size_t hak_os_memory(void)
{
	struct sysinfo info;
	int failed = QUIETLY(== 0, sysinfo(&info));
	return failed ? (size_t)1 << 30 : (size_t)info.totalram * info.mem_unit;
}

size_t hak_os_address_limit(void)
{
	struct rlimit limit;
	int failed = QUIETLY(== 0, getrlimit(RLIMIT_AS, &limit));
	return failed || limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : limit.rlim_cur;
}

uint64_t hak_os_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t hak_os_seed(void)
{
	/* Not AT_RANDOM: libc makes its stack guard of those bytes. */
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((uint64_t)now.tv_sec << 32 | (uint64_t)now.tv_nsec) ^ (uint64_t)(uintptr_t)&now << 16;
}

uint64_t hak_os_random(void)
{
	uint64_t value = 0;
	int failed = QUIETLY(== sizeof value, getrandom(&value, sizeof value, GRND_NONBLOCK));
	return failed ? hak_os_seed() : value;
}
