/* SPDX-License-Identifier: MIT */
/* Slab geometry: what each class's slab holds, and whose block each byte belongs to. */
#include "class_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "marks.h"
#include "options.h"

static void build(const char *table)
{
	hak_options.size_classes = table;
	hak_options.tiny_max_class = 7;
	hak_class_map_build();
}

static void check_numbers(const struct hak_geometry *g)
{
	uint32_t end = g->capacity * g->block;
	for (uint32_t offset = 0; offset < end; offset++) {
		if (hak_block_number(g, offset) != offset / g->block) {
			fail_msg("block %u, byte %u", g->block, offset);
		}
	}
}

static void every_byte_belongs_to_its_block(void **state)
{
	(void)state;
	for (const char *const *table = (const char *const[]) { "fine", "classic", NULL }; *table; table++) {
		build(*table);
		for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
			check_numbers(&hak_class_map.geometry[bin]);
		}
	}
}

/* Own tables may ask for any multiple of 16; the ends of blocks are where rounding would show. */
static void the_reciprocal_is_exact_for_any_block(void **state)
{
	(void)state;
	for (uint32_t block = 16; block <= HAK_BLOCK_MAX; block += 16) {
		struct hak_geometry g = { .block = block,
					  .reciprocal =
						  ((UINT64_C(1) << HAK_BLOCK_LOG2) + block - 1) / block };
		for (uint32_t offset = block; offset <= 1u << 20; offset += block) {
			assert_int_equal(hak_block_number(&g, offset), offset / block);
			assert_int_equal(hak_block_number(&g, offset - 1), (offset - 1) / block);
		}
	}
}

static void every_colour_leaves_room_for_all_blocks(void **state)
{
	(void)state;
	build("fine");
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		const struct hak_geometry *g = &hak_class_map.geometry[bin];
		uint64_t slab = (uint64_t)g->slab_units << HAK_UNIT_LOG2;
		uint64_t last_colour = (uint64_t)(g->colours - 1) * HAK_CACHE_LINE;
		assert_true(g->capacity >= 1 && g->colours >= 1);
		assert_true(last_colour + (uint64_t)g->capacity * g->block <= slab);
		/* A colour must not cost a block's natural alignment. */
		assert_true(g->colours == 1 || g->block % HAK_CACHE_LINE == 0);
	}
}

static uint32_t block_for(size_t size)
{
	unsigned bin =
		size <= HAK_DIRECT_MAX ? hak_bin_direct[size] : hak_bin_wide[(size - 1) >> HAK_WIDE_LOG2];
	return hak_class_map.geometry[bin].block;
}

static void secure_mode_has_room_for_a_trailer_and_wastes_none_on_powers_of_two(void **state)
{
	(void)state;
	hak_options.secure = true;
	build("fine");
	for (size_t size = 0; size <= HAK_WIDE_MAX; size++) {
		assert_true(block_for(size) >= size + HAK_TRAILER);
	}
	for (size_t size = 128; size <= HAK_WIDE_MAX; size *= 2) {
		assert_int_equal(block_for(size), size + 16);
	}
	assert_true(hak_class_map.geometry[hak_bin_wide[(HAK_WIDE_MAX - 1) >> HAK_WIDE_LOG2]].capacity > 1);
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		check_numbers(&hak_class_map.geometry[bin]);
	}
	hak_options.secure = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_belongs_to_its_block),
		cmocka_unit_test(the_reciprocal_is_exact_for_any_block),
		cmocka_unit_test(every_colour_leaves_room_for_all_blocks),
		cmocka_unit_test(secure_mode_has_room_for_a_trailer_and_wastes_none_on_powers_of_two),
	};
	return cmocka_run_group_tests_name("class_map", tests, NULL, NULL);
}
