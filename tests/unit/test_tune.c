/* SPDX-License-Identifier: MIT */
/*
 * Predictions against the allocator's own routing, and the tuned table against every other
 * table that is possible.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "predict.h"
#include "tune.h"

enum { PAGE = 4096 };

static void add_size(struct hakstat_summary *s, uint64_t size, uint64_t allocs, uint64_t live)
{
	char key[32];
	struct hakstat_row *row;

	g_snprintf(key, sizeof key, "%lu", (unsigned long)size);
	row = hakstat_summary_row(s, HAKSTAT_BY_SIZE, key, NULL);
	row->class_name = g_strdup("recorded");
	row->requested_min = size;
	row->requested_max = size;
	row->n.allocs = allocs;
	row->n.live = live;
	row->n.requested_bytes = size * allocs;
}

static struct hakstat_summary *some_sizes(void)
{
	struct hakstat_summary *s = hakstat_summary_new();

	add_size(s, 7, 1000, 10);
	add_size(s, 24, 500, 400);
	add_size(s, 100, 300, 0);
	add_size(s, 113, 20, 20);
	add_size(s, 300, 77, 5);
	add_size(s, 1024, 40, 40);
	add_size(s, 1500, 3, 3);
	add_size(s, 5000, 9, 1);
	return s;
}

static uint64_t usable_under(const uint64_t *blocks, size_t count, const struct hakstat_summary *s)
{
	struct hak_class_table table = { .scheme = HAK_SCHEME_FILE };

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(hak_class_table_add(&table, (uint32_t)blocks[i]), 0);
	}
	hak_class_table_finish(&table, 7, PAGE);
	return hakstat_predict(&table, s).usable_bytes;
}

static void prediction_is_what_the_allocator_would_do(void **state)
{
	struct hakstat_summary *s = some_sizes();
	struct hak_class_table classic, fine;
	struct hakstat_prediction p;
	(void)state;

	hak_class_table_build(&classic, HAK_SCHEME_CLASSIC, 5, PAGE);
	hak_class_table_build(&fine, HAK_SCHEME_FINE, 7, PAGE);
	p = hakstat_predict(&classic, s);
	assert_int_equal(p.allocs, 1949);
	assert_int_equal(p.usable_bytes, 1000 * 8 + 500 * 32 + 320 * 128 + (77 + 40 + 3 + 9) * 8192);
	assert_int_equal(p.waste_bytes, p.usable_bytes - p.requested_bytes);
	p = hakstat_predict(&fine, s);
	assert_int_equal(p.usable_bytes, 1000 * 8 + 500 * 32 + 300 * 112 + 20 * 128 + 77 * 320 + 40 * 1024 +
						 3 * 1536 + 9 * 5120);
	hakstat_summary_free(s);
}

static void a_predicted_summary_adds_up(void **state)
{
	struct hakstat_summary *s = some_sizes();
	struct hak_class_table classic;
	struct hakstat_summary *predicted;
	uint64_t usable = 0, allocs = 0;
	(void)state;

	hak_class_table_build(&classic, HAK_SCHEME_CLASSIC, 5, PAGE);
	predicted = hakstat_predict_summary(&classic, "classic", s);
	for (guint i = 0; i < predicted->rows[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(predicted->rows[HAKSTAT_BY_CLASS], i);
		usable += row->n.usable_bytes;
		allocs += row->n.allocs;
	}
	assert_int_equal(allocs, 1949);
	assert_int_equal(usable, hakstat_predict(&classic, s).usable_bytes);
	assert_int_equal(predicted->rows[HAKSTAT_BY_ROUTE]->len, 3); /* tiny, and mid for two reasons */
	hakstat_summary_free(predicted);
	hakstat_summary_free(s);
}

/* All tables of `count` blocks that can serve the sizes, by trying every choice of sizes. */
static uint64_t least_by_trying(const uint64_t *sizes, size_t size_count, size_t count, const uint64_t *above,
				size_t above_count, const struct hakstat_summary *s)
{
	uint64_t least = UINT64_MAX;

	for (unsigned choice = 0; choice < 1u << size_count; choice++) {
		uint64_t blocks[16];
		size_t used = 0;
		uint64_t usable;
		if ((size_t)__builtin_popcount(choice) > count || !(choice >> (size_count - 1))) {
			continue;
		}
		for (size_t i = 0; i < size_count; i++) {
			if (choice >> i & 1) {
				blocks[used++] = sizes[i];
			}
		}
		for (size_t i = 0; i < above_count; i++) {
			blocks[used++] = above[i];
		}
		usable = usable_under(blocks, used, s);
		least = usable < least ? usable : least;
	}
	return least;
}

static void no_table_of_as_many_blocks_wastes_less(void **state)
{
	static const uint64_t sizes[] = { 8, 32, 112, 128, 304, 1024, 1504, 5008 };
	static const uint64_t above[] = { 8192, 16384, 32768, 65536, 131072, 262144 };
	struct hakstat_summary *s = some_sizes();
	(void)state;

	for (unsigned count = 1; count <= 8; count++) {
		struct hak_class_table table;
		assert_int_equal(hakstat_tune(s, count + 6, HAKSTAT_TUNE_ALLOCS, 7, PAGE, &table), 0);
		assert_in_range(table.count, 7, count + 6);
		assert_int_equal(hakstat_predict(&table, s).usable_bytes,
				 least_by_trying(sizes, 8, count, above, 6, s));
	}
	hakstat_summary_free(s);
}

static void what_is_live_can_be_what_counts(void **state)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hak_class_table table;
	(void)state;

	add_size(s, 16, 1000000, 0);
	add_size(s, 32, 1, 1000);
	add_size(s, 48, 1, 1000);
	assert_int_equal(hakstat_tune(s, 2 + 13, HAKSTAT_TUNE_LIVE, 7, PAGE, &table), 0);
	assert_int_equal(table.classes[0].block, 32);
	assert_int_equal(table.classes[1].block, 48);
	assert_int_equal(hakstat_tune(s, 2 + 13, HAKSTAT_TUNE_ALLOCS, 7, PAGE, &table), 0);
	assert_int_equal(table.classes[0].block, 16);
	hakstat_summary_free(s);
}

static void too_few_classes_or_no_sizes_are_refused(void **state)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hak_class_table table;
	(void)state;

	assert_int_equal(hakstat_tune(s, 20, HAKSTAT_TUNE_ALLOCS, 7, PAGE, &table), -1);
	add_size(s, 1000000, 5, 5); /* only whole pages serve it */
	assert_int_equal(hakstat_tune(s, 20, HAKSTAT_TUNE_ALLOCS, 7, PAGE, &table), -1);
	add_size(s, 5000, 5, 5);
	assert_int_equal(hakstat_tune(s, 6, HAKSTAT_TUNE_ALLOCS, 7, PAGE, &table), -1);
	assert_int_equal(hakstat_tune(s, 7, HAKSTAT_TUNE_ALLOCS, 7, PAGE, &table), 0);
	hakstat_summary_free(s);
}

static void what_was_live_at_the_peak_can_be_what_counts(void **state)
{
	struct hakstat_summary *s = some_sizes();
	struct hak_class_table table;
	struct hakstat_row *row = g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], 3); /* 113 */
	(void)state;

	row->n.peak_live = 1000;
	((struct hakstat_row *)g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], 5))->n.peak_live = 10; /* 1024 */
	assert_int_equal(hakstat_tune(s, 10, HAKSTAT_TUNE_PEAK, 7, PAGE, &table), 0);
	assert_int_equal(table.classes[0].block, 128);
	assert_int_equal(table.classes[1].block, 1024);
	hakstat_summary_free(s);
}

/* What `table` makes of `moved` reallocs that moved from 1100 to 1200 and `stayed` that did not. */
static struct hakstat_prediction resized(const char *table_name, uint64_t moved, uint64_t stayed)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hakstat_prediction sum;
	struct hak_class_table table;
	struct hakstat_err err;

	add_size(s, 1100, 100, 0);
	add_size(s, 1200, 80, 0);
	hakstat_resizes_add(&s->resizes, hakstat_resize_key(1100, 1200), moved, stayed);
	assert_int_equal(hakstat_table_load(&table, table_name, 7, PAGE, &err), 0);
	sum = hakstat_predict(&table, s);
	hakstat_summary_free(s);
	return sum;
}

static void a_realloc_that_fits_the_other_block_is_no_allocation(void **state)
{
	struct hakstat_prediction sum = resized("fine", 30, 5); /* both sizes are in 1280 */
	(void)state;

	assert_int_equal(sum.allocs, 100 + 80 - 30);
	assert_int_equal(sum.requested_bytes, 1100 * 100 + 1200 * 50);
	assert_int_equal(sum.usable_bytes, 1280 * 150);
}

static void a_realloc_that_no_longer_fits_is_one_more(void **state)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hak_class_table table = { .scheme = HAK_SCHEME_FILE };
	struct hakstat_prediction sum;
	(void)state;

	add_size(s, 1100, 100, 0); /* 1200 was never allocated, only grown to */
	hakstat_resizes_add(&s->resizes, hakstat_resize_key(1100, 1200), 0, 7);
	hak_class_table_add(&table, 1104);
	hak_class_table_add(&table, 2048);
	hak_class_table_finish(&table, 7, PAGE);
	sum = hakstat_predict(&table, s);
	assert_int_equal(sum.allocs, 107);
	assert_int_equal(sum.requested_bytes, 1100 * 100 + 1200 * 7);
	assert_int_equal(sum.usable_bytes, 1104 * 100 + 2048 * 7);
	hakstat_summary_free(s);
}

/* A block of 1024 bytes serves 1023 under `classic`, and realloc grows it by one byte. */
static struct hakstat_summary *grown_to_the_edge(void)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hakstat_config config = {
		.known = true, .size_classes = (char[]) { "classic" }, .tiny_max_class = 7, .page_size = PAGE
	};
	struct hakstat_row *row;

	hakstat_summary_add_config(s, &config);
	add_size(s, 1023, 10, 6);
	row = g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], 0);
	row->block = 1024;
	add_size(s, 1024, 0, 4);
	row = g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], 1);
	row->block = 1024;
	row->n.live_requested_bytes = 4096;
	hakstat_resizes_add(&s->resizes, hakstat_resize_key(1023, 1024), 0, 4);
	/* One had grown before: it stayed, as no block that was asked for as 100 can. */
	hakstat_resizes_add(&s->resizes, hakstat_resize_key(100, 1023), 0, 3);
	/* And one moved, as none that is 1000 does by itself. */
	hakstat_resizes_add(&s->resizes, hakstat_resize_key(1000, 1023), 2, 0);
	return s;
}

static void the_recorded_table_changes_nothing(void **state)
{
	struct hakstat_summary *s = grown_to_the_edge(), *predicted;
	struct hak_class_table table;
	const struct hakstat_row *row;
	(void)state;

	hak_class_table_build(&table, HAK_SCHEME_CLASSIC, 7, PAGE);
	predicted = hakstat_predict_summary(&table, "classic", s);
	assert_int_equal(predicted->rows[HAKSTAT_BY_CLASS]->len, 1);
	row = g_ptr_array_index(predicted->rows[HAKSTAT_BY_CLASS], 0);
	assert_int_equal(row->n.allocs, 10);
	assert_int_equal(row->n.live, 10);
	assert_int_equal(row->n.frees, 0);
	assert_int_equal(row->n.live_usable_bytes, 10 * 1024);
	assert_int_equal(hakstat_predict(&table, s).allocs, 10);
	hakstat_summary_free(predicted);

	hak_class_table_build(&table, HAK_SCHEME_FINE, 7, PAGE);
	assert_int_equal(hakstat_predict(&table, s).allocs, 10);
	hakstat_summary_free(s);
}

static void a_size_that_was_only_grown_to_counts_at_the_peak(void **state)
{
	struct hakstat_summary *s = some_sizes();
	struct hak_class_table fine;
	struct hakstat_summary *predicted;
	struct hakstat_row *row;
	uint64_t peak = 0;
	(void)state;

	add_size(s, 70000, 0, 0);
	row = g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], s->rows[HAKSTAT_BY_SIZE]->len - 1);
	row->n.peak_live = 2;
	row->n.peak_requested_bytes = 140000;
	hak_class_table_build(&fine, HAK_SCHEME_FINE, 7, PAGE);
	predicted = hakstat_predict_summary(&fine, "fine", s);
	for (guint i = 0; i < predicted->rows[HAKSTAT_BY_CLASS]->len; i++) {
		row = g_ptr_array_index(predicted->rows[HAKSTAT_BY_CLASS], i);
		peak += row->n.peak_usable_bytes;
	}
	assert_int_equal(peak, 2 * 81920);
	hakstat_summary_free(predicted);
	hakstat_summary_free(s);
}

static void an_alignment_is_told_from_the_block_it_led_to(void **state)
{
	struct hak_class_table fine;
	struct hakstat_row row = { .requested_min = 100, .requested_max = 100 };
	(void)state;

	hak_class_table_build(&fine, HAK_SCHEME_FINE, 7, PAGE);
	row.n.allocs = 1;
	row.n.requested_bytes = 100;
	row.block = 112;
	assert_int_equal(hakstat_row_alignment(&fine, &row), 1);
	row.block = 128;
	assert_int_equal(hakstat_row_alignment(&fine, &row), 32); /* the least that 112 does not give */
	row.block = 4096;
	assert_int_equal(hakstat_row_alignment(&fine, &row), 4096);
	row.block = 144; /* of no alignment */
	assert_int_equal(hakstat_row_alignment(&fine, &row), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_live_at_the_peak_can_be_what_counts),
		cmocka_unit_test(a_realloc_that_fits_the_other_block_is_no_allocation),
		cmocka_unit_test(a_realloc_that_no_longer_fits_is_one_more),
		cmocka_unit_test(the_recorded_table_changes_nothing),
		cmocka_unit_test(a_size_that_was_only_grown_to_counts_at_the_peak),
		cmocka_unit_test(an_alignment_is_told_from_the_block_it_led_to),
		cmocka_unit_test(prediction_is_what_the_allocator_would_do),
		cmocka_unit_test(a_predicted_summary_adds_up),
		cmocka_unit_test(no_table_of_as_many_blocks_wastes_less),
		cmocka_unit_test(what_is_live_can_be_what_counts),
		cmocka_unit_test(too_few_classes_or_no_sizes_are_refused),
	};

	return cmocka_run_group_tests_name("tune", tests, NULL, NULL);
}
