/* SPDX-License-Identifier: MIT */
/*
 * For targets whose work is done in a child that may die: the searching build's counters of coverage
 * become memory that parent and children share, so that the search sees how far a child got.
 */
#ifndef HAK_TEST_FORKED_H
#define HAK_TEST_FORKED_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "bytes.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Of clang's -fsanitize=fuzzer; other builds have none. */
extern uint8_t first_counter[] __asm__("__start___sancov_cntrs") __attribute__((weak, visibility("hidden")));
extern uint8_t end_of_counters[] __asm__("__stop___sancov_cntrs") __attribute__((weak, visibility("hidden")));

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static uint8_t copy[1 << 20];
	const uintptr_t page = 4096;
	uintptr_t from = ((uintptr_t)first_counter + page - 1) & ~(page - 1);
	uintptr_t to = (uintptr_t)end_of_counters & ~(page - 1); /* what shares a page with others stays */
	size_t length = to > from ? to - from : 0;

	(void)argc;
	(void)argv;
	if (length && length <= sizeof copy) {
		memcpy(copy, first_counter + (from - (uintptr_t)first_counter), length);
		expect(mmap(first_counter + (from - (uintptr_t)first_counter), length, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_FIXED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
		memcpy(first_counter + (from - (uintptr_t)first_counter), copy, length);
	}
	return 0;
}

#endif
