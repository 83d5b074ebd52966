/* SPDX-License-Identifier: MIT */
/*
 * The operating system's memory, the only place that maps or advises. Functions return 0
 * or -errno, leave errno alone and take page-aligned ranges. Thread-safe, no state.
 */
#ifndef HAK_LIB_OS_H
#define HAK_LIB_OS_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

HAK_HIDDEN size_t hak_os_page_size(void);

/* Rounded up to whole pages; bytes up to PTRDIFF_MAX. */
HAK_INLINE size_t hak_os_whole_pages(size_t bytes)
{
	size_t mask = hak_os_page_size() - 1;
	return (bytes + mask) & ~mask;
}

/* Address space without memory behind it. */
HAK_HIDDEN int hak_os_reserve(size_t bytes, void **out);

/* Zeroed readable and writable memory anywhere. */
HAK_HIDDEN int hak_os_map(size_t bytes, void **out);
HAK_HIDDEN int hak_os_map_aligned(size_t bytes, size_t alignment, void **out);
HAK_HIDDEN int hak_os_unmap(void *start, size_t bytes);

/* Makes reserved space usable; it reads as zero until written. */
HAK_HIDDEN int hak_os_commit(void *start, size_t bytes);

/* Gives usable space its pages, if the kernel can (Linux 5.14); otherwise each comes when it is touched. */
HAK_HIDDEN void hak_os_populate(void *start, size_t bytes);

/* Gives the pages back; the range stays usable and reads as zero. */
HAK_HIDDEN int hak_os_purge(void *start, size_t bytes);

/* The same by a new mapping over whatever is there, or nothing. */
HAK_HIDDEN int hak_os_renew(void *start, size_t bytes);

/*
 * Moves the pages of `from` over `to`; `from` stays mapped and reads as zero. After a failure
 * `to` may not be mapped any more: the kernel makes room before it looks at `from`.
 */
HAK_HIDDEN int hak_os_move(void *from, void *to, size_t bytes);

/*
 * Whether touching the pages of a mapping ends the process with SIGSEGV. Marked ones keep
 * their mapping in one piece, which needs Linux 6.13; closed ones split it.
 */
enum hak_os_guard { HAK_OS_OPEN, HAK_OS_MARKED, HAK_OS_CLOSED };
HAK_HIDDEN int hak_os_guard(void *start, size_t bytes, enum hak_os_guard from, enum hak_os_guard to);

/* Resizes a mapping of its own, which may move. */
HAK_HIDDEN int hak_os_remap(void *start, size_t old_bytes, size_t new_bytes, void **out);

/* Whether huge pages may back the range. Advice only. */
HAK_HIDDEN void hak_os_huge_pages(void *start, size_t bytes, int wanted);

/* One byte for each page of a mapping; its lowest bit tells whether the page is in memory. */
HAK_HIDDEN int hak_os_resident(void *start, size_t bytes, unsigned char *pages);

/* Bytes of physical memory, and the address-space limit (SIZE_MAX when there is none). */
HAK_HIDDEN size_t hak_os_memory(void);
HAK_HIDDEN size_t hak_os_address_limit(void);

/* Milliseconds of a steady clock, a few milliseconds coarse. */
HAK_HIDDEN uint64_t hak_os_clock_ms(void);

/* 64 bits that differ between processes and calls. No secret, and no system call. */
HAK_HIDDEN uint64_t hak_os_seed(void);

/* 64 bits nobody can guess; from the clock and addresses where the kernel has none yet. */
HAK_HIDDEN uint64_t hak_os_random(void);

#endif
