/* SPDX-License-Identifier: MIT */
/* Which pages are in memory, and to whom they are counted. */
#include "resident.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "alloc.h"
#include "beside.h"
#include "os.h"
#include "slab.h"

#define MIB ((size_t)1 << 20)

static void touch(char *p, size_t bytes)
{
	for (size_t at = 0; at < bytes; at += hak_os_page_size()) {
		((volatile char *)p)[at] = 1;
	}
}

static void a_large_block_counts_what_was_touched(void **state)
{
	uint64_t before[HAK_BINS], after[HAK_BINS];
	(void)state;
	char *p = hak_malloc(20 * MIB); /* longer than what is asked for at a time */
	uint64_t all = hak_resident_bytes(before);
	touch(p + 3 * MIB, 5 * MIB);
	touch(p + 19 * MIB, 1);
	assert_int_equal(hak_resident_bytes(after) - all, 5 * MIB + hak_os_page_size());
	assert_int_equal(after[0] - before[0], 5 * MIB + hak_os_page_size());
	hak_free(p);
	assert_int_equal(hak_resident_bytes(after), all + 5 * MIB + hak_os_page_size()); /* not purged */
	assert_int_equal(after[0], 0);
}

static void slabs_count_for_their_class(void **state)
{
	enum { COUNT = 100, SIZE = 8192 };
	uint64_t before[HAK_BINS], after[HAK_BINS];
	char *blocks[COUNT];
	unsigned bin = hak_bin_wide[(SIZE - 1) >> HAK_WIDE_LOG2];
	(void)state;
	hak_resident_bytes(before);
	for (int i = 0; i < COUNT; i++) {
		blocks[i] = hak_malloc(SIZE);
		touch(blocks[i], 1);
	}
	hak_resident_bytes(after);
	assert_int_equal(after[bin] - before[bin], COUNT * hak_os_page_size());
	assert_int_equal(after[0], before[0]);
	for (int i = 0; i < COUNT; i++) {
		hak_free(blocks[i]);
	}
}

/* Their units are in no bin's map, so that frees of them take the slow path. */
static void slabs_of_sampled_blocks_do_so_too(void **state)
{
	uint64_t before[HAK_BINS], after[HAK_BINS];
	unsigned bin = hak_bin_wide[(4096 - 1) >> HAK_WIDE_LOG2];
	void *blocks[20];
	(void)state;
	unsigned count = hak_slab_take(bin, HAK_SLAB_SAMPLED, HAK_MAY_GROW, blocks, 20);
	assert_true(count > 2);
	hak_resident_bytes(before);
	for (unsigned i = 0; i < count; i++) {
		touch(blocks[i], 1);
	}
	hak_resident_bytes(after);
	assert_int_equal(after[bin] - before[bin], count * hak_os_page_size());
	hak_slab_give(bin, blocks, count);
}

static void errno_stays(void **state)
{
	uint64_t by_bin[HAK_BINS];
	unsigned char page;
	(void)state;
	errno = EDOM;
	hak_resident_bytes(by_bin);
	assert_int_equal(hak_os_resident(NULL, hak_os_page_size(), &page), -ENOMEM);
	assert_int_equal(errno, EDOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_block_counts_what_was_touched),
		cmocka_unit_test(slabs_count_for_their_class),
		cmocka_unit_test(slabs_of_sampled_blocks_do_so_too),
		cmocka_unit_test(errno_stays),
	};
	return cmocka_run_group_tests_name("resident", tests, NULL, NULL);
}
