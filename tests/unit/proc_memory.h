/* SPDX-License-Identifier: MIT */
/* What the kernel says of a process's memory, for tests. After cmocka.h. */
#ifndef HAK_TESTS_UNIT_PROC_MEMORY_H
#define HAK_TESTS_UNIT_PROC_MEMORY_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "os.h"

/* How many mappings the process has. */
static inline unsigned count_mappings(void)
{
	unsigned lines = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	assert_non_null(maps);
	for (int c; (c = fgetc(maps)) != EOF;) {
		lines += c == '\n';
	}
	fclose(maps);
	return lines;
}

/* How many pages of whole ones, at most 2 MiB, are in memory. */
static inline size_t pages_in_memory(void *start, size_t bytes)
{
	unsigned char pages[(2 << 20) / 4096];
	size_t n = bytes / hak_os_page_size(), in_memory = 0;
	assert_in_range(n, 1, sizeof pages);
	assert_int_equal(hak_os_resident(start, bytes, pages), 0);
	for (size_t i = 0; i < n; i++) {
		in_memory += pages[i] & 1;
	}
	return in_memory;
}

/* Whether huge pages were asked for at a place. Without such in the kernel, nothing is. */
static inline bool is_advised_huge(const void *place)
{
	char line[512];
	bool is_here = false, advised = false;
	FILE *smaps = fopen("/proc/self/smaps", "r");
	assert_non_null(smaps);
	while (fgets(line, sizeof line, smaps)) {
		unsigned long from, end;
		if (sscanf(line, "%lx-%lx ", &from, &end) == 2) {
			is_here = (uintptr_t)place >= from && (uintptr_t)place < end;
		} else if (is_here && strncmp(line, "VmFlags:", 8) == 0) {
			advised = strstr(line, " hg ") != NULL;
		}
	}
	fclose(smaps);
	return advised;
}

/* Whether it fetches pages that nobody has touched, if asked. */
static inline bool kernel_populates(void)
{
	void *page;
	size_t bytes = hak_os_page_size();
	assert_int_equal(hak_os_map(bytes, &page), 0);
	hak_os_populate(page, bytes);
	bool done = pages_in_memory(page, bytes) == 1;
	hak_os_unmap(page, bytes);
	return done;
}

#endif
