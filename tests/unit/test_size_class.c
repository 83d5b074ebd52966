/* SPDX-License-Identifier: MIT */
/* The tables themselves: every size, under both tables and every boundary. */
#include "hakmem_size_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these first. */
#include <cmocka.h>

/* Makes this one of the allocator's tests: the map that it builds from the table. */
#include "class_map.h"
#include "marks.h"
#include "options.h"

enum { PAGE = 4096, LAST = HAK_BLOCK_MAX + 2 * PAGE };

typedef void check_fn(const struct hak_class_table *t);

static void under_every_table(check_fn *check)
{
	struct hak_class_table t;
	for (unsigned scheme = HAK_SCHEME_FINE; scheme <= HAK_SCHEME_CLASSIC; scheme++) {
		for (unsigned k = 0; k < HAK_TINY_GROUPS; k++) {
			hak_class_table_build(&t, (enum hak_scheme)scheme, k, PAGE);
			check(&t);
		}
	}
}

static void has_no_gap(const struct hak_class_table *t)
{
	uint64_t before = 0;
	for (uint64_t size = 0; size <= LAST; size++) {
		struct hak_decision d = hak_route_decide(t, size, 1);
		assert_true(d.usable >= size && d.usable >= before);
		before = d.usable;
		assert_true(d.class_id <= t->count);
		assert_int_equal(d.class_id == t->count, d.route == HAK_ROUTE_LARGE);
	}
}

static void every_size_fits_and_usable_never_falls(void **state)
{
	(void)state;
	under_every_table(has_no_gap);
}

static void keeps_the_boundary(const struct hak_class_table *t)
{
	for (uint64_t size = 0; size <= LAST; size++) {
		struct hak_decision d = hak_route_decide(t, size, 1);
		assert_int_equal(d.route == HAK_ROUTE_TINY, size <= t->tiny_max_size);
		bool is_excluded = size > t->tiny_max_size && size <= t->tiny_full_size;
		assert_int_equal(d.reason == HAK_REASON_BOUNDARY, is_excluded);
	}
}

static void tiny_ends_at_its_boundary_and_says_so(void **state)
{
	(void)state;
	under_every_table(keeps_the_boundary);
}

static void fine_wastes_a_fifth_at_most(void **state)
{
	struct hak_class_table t;
	(void)state;
	for (unsigned k = 0; k < HAK_TINY_GROUPS; k++) {
		hak_class_table_build(&t, HAK_SCHEME_FINE, k, PAGE);
		for (uint64_t size = 65; size <= HAK_BLOCK_MAX; size++) {
			struct hak_decision d = hak_route_decide(&t, size, 1);
			assert_true((d.usable - size) * 5 <= d.usable);
		}
	}
}

/* A moved boundary must not make another size fatter. */
static void fine_blocks_do_not_depend_on_the_boundary(void **state)
{
	struct hak_class_table full, t;
	(void)state;
	hak_class_table_build(&full, HAK_SCHEME_FINE, 7, PAGE);
	for (unsigned k = 0; k < HAK_TINY_GROUPS; k++) {
		hak_class_table_build(&t, HAK_SCHEME_FINE, k, PAGE);
		for (uint64_t size = 0; size <= LAST; size++) {
			assert_int_equal(hak_route_decide(&t, size, 1).usable,
					 hak_route_decide(&full, size, 1).usable);
		}
	}
}

static void classic_has_the_historic_numbers(void **state)
{
	struct hak_class_table t;
	(void)state;
	hak_class_table_build(&t, HAK_SCHEME_CLASSIC, 7, PAGE);
	assert_int_equal(hak_route_decide(&t, 1023, 1).usable, 1024);
	assert_int_equal(hak_route_decide(&t, 1024, 1).usable, 8192);
	assert_int_equal(hak_route_decide(&t, 7, 1).usable, 8);
	assert_int_equal(hak_route_decide(&t, 8, 1).usable, 16);
	assert_int_equal(hak_route_decide(&t, 32768, 1).usable, 32768);
	assert_int_equal(hak_route_decide(&t, 32769, 1).route, HAK_ROUTE_LARGE);
	hak_class_table_build(&t, HAK_SCHEME_CLASSIC, 5, PAGE);
	assert_int_equal(t.tiny_max_size, 255);
	assert_int_equal(hak_route_decide(&t, 255, 1).usable, 256);
	assert_int_equal(hak_route_decide(&t, 256, 1).usable, 8192);
}

static void aligns(const struct hak_class_table *t)
{
	for (uint64_t alignment = 1; alignment <= (UINT64_C(1) << 40); alignment *= 2) {
		for (uint64_t size = 0; size <= 70000; size += size < 3000 ? 1 : 97) {
			struct hak_decision d = hak_route_decide(t, size, alignment);
			assert_true(d.usable >= size);
			assert_true(d.class_id == t->count || d.usable % alignment == 0);
		}
	}
}

static void aligned_requests_get_blocks_of_that_alignment(void **state)
{
	(void)state;
	under_every_table(aligns);
}

static void the_largest_sizes_do_not_wrap(void **state)
{
	struct hak_class_table t;
	(void)state;
	hak_class_table_build(&t, HAK_SCHEME_FINE, 7, PAGE);
	assert_int_equal(hak_route_decide(&t, UINT64_MAX, 1).usable, 0);
	assert_int_equal(hak_route_decide(&t, UINT64_MAX - PAGE + 2, 1).usable, 0);
	assert_true(hak_route_decide(&t, UINT64_MAX - PAGE + 1, 1).usable == UINT64_MAX - PAGE + 1);
}

/* What the fast paths look up is what the table says. */
static void look_ups_agree(const char *table, int64_t k)
{
	hak_options.size_classes = table;
	hak_options.tiny_max_class = k;
	hak_class_map_build();
	const struct hak_class_table *t = &hak_class_map.table;
	for (size_t size = 0; size <= LAST; size++) {
		struct hak_decision d = hak_route_decide(t, size, 1);
		unsigned bin = d.class_id < t->count ? d.class_id + 1 : 0;
		unsigned found = size <= HAK_DIRECT_MAX ? hak_bin_direct[size]
				 : size <= HAK_WIDE_MAX ? hak_bin_wide[(size - 1) >> HAK_WIDE_LOG2]
							: hak_bin_big(size);
		assert_int_equal(found, bin);
		assert_int_equal(hak_bin_aligned(size, 1), bin);
		for (size_t alignment = 16; alignment <= 2 * HAK_PAGE_ALIGN_MAX; alignment *= 8) {
			unsigned class_id = hak_route_decide(t, size, alignment).class_id;
			assert_int_equal(hak_bin_aligned(size, alignment),
					 class_id < t->count ? class_id + 1 : 0);
		}
	}
}

static int leave_secure_mode(void **state)
{
	(void)state;
	hak_options.secure = false;
	return 0;
}

/* The smallest block of that alignment with room for a trailer and the request, which is looked up in whole
 * steps. */
static unsigned roomy_bin(size_t size, size_t alignment)
{
	size_t step = size > HAK_DIRECT_MAX && size <= HAK_WIDE_MAX ? (size_t)1 << HAK_WIDE_LOG2 : 1;
	size_t needed = (size + step - 1) / step * step + HAK_TRAILER;
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		uint32_t block = hak_class_map.geometry[bin].block;
		if (block >= needed && block >= HAK_MARKED_LEAST && block % alignment == 0) {
			return bin;
		}
	}
	return 0;
}

static void aligned_blocks_of_secure_mode_have_room(void **state)
{
	(void)state;
	hak_options.secure = true;
	hak_options.size_classes = "fine";
	hak_options.tiny_max_class = HAK_TINY_GROUPS - 1;
	hak_class_map_build();
	for (size_t size = 0; size <= LAST; size++) {
		for (size_t alignment = 1; alignment <= HAK_PAGE_ALIGN_MAX; alignment *= 8) {
			assert_int_equal(hak_bin_aligned(size, alignment), roomy_bin(size, alignment));
		}
	}
	for (size_t above = 0; above < 3 * HAK_TRAILER; above++) { /* no room for a trailer may wrap */
		assert_int_equal(hak_bin_aligned(SIZE_MAX - above, 16), 0);
	}
}

static void the_maps_agree_with_both_tables_and_all_boundaries(void **state)
{
	(void)state;
	for (int64_t k = 0; k < HAK_TINY_GROUPS; k++) {
		look_ups_agree("fine", k);
		look_ups_agree("classic", k);
	}
}

static void the_maps_agree_with_own_tables(void **state)
{
	static const char *const texts[] = {
		"8\n",
		"16\n262144\n",
		"# gaps\n48 # cache\n\n208\r\n1040\n8208\n32752\n32784\n40976\n262144",
	};
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char name[] = "@/tmp/hakmem-table-XXXXXX";
		FILE *file = fdopen(mkstemp(name + 1), "w");
		assert_non_null(file);
		fputs(texts[i], file);
		fclose(file);
		look_ups_agree(name, (int64_t)i * 3);
		remove(name + 1);
		assert_int_equal(hak_class_map.table.scheme, HAK_SCHEME_FILE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_fits_and_usable_never_falls),
		cmocka_unit_test(tiny_ends_at_its_boundary_and_says_so),
		cmocka_unit_test(fine_wastes_a_fifth_at_most),
		cmocka_unit_test(fine_blocks_do_not_depend_on_the_boundary),
		cmocka_unit_test(classic_has_the_historic_numbers),
		cmocka_unit_test(aligned_requests_get_blocks_of_that_alignment),
		cmocka_unit_test(the_largest_sizes_do_not_wrap),
		cmocka_unit_test(the_maps_agree_with_both_tables_and_all_boundaries),
		cmocka_unit_test_teardown(aligned_blocks_of_secure_mode_have_room, leave_secure_mode),
		cmocka_unit_test(the_maps_agree_with_own_tables),
	};
	return cmocka_run_group_tests_name("size_class", tests, NULL, NULL);
}
