/* SPDX-License-Identifier: MIT */
/*
 * The table of hakstat top without its terminal: trends, order, what fits, what is not known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include <string.h>

#include "top_table.h"

static void take(struct hakstat_top *top, int64_t seconds, uint64_t a_live, uint64_t b_live,
		 uint64_t b_unknown)
{
	struct hakstat_summary *summary = hakstat_summary_new();
	struct hakstat_row *a = hakstat_summary_row(summary, HAKSTAT_BY_CLASS, "a", NULL);
	struct hakstat_row *b = hakstat_summary_row(summary, HAKSTAT_BY_CLASS, "b", NULL);

	summary->end_ns = seconds * 1000000000;
	a->class_name = g_strdup("A");
	a->n = (struct hakstat_counts) { .allocs = 100 * (uint64_t)seconds,
					 .live = a_live,
					 .live_usable_bytes = 64 * a_live,
					 .live_requested_bytes = 32 * a_live };
	b->class_name = g_strdup("B");
	b->n = (struct hakstat_counts) { .allocs = b_live,
					 .live = b_live,
					 .live_usable_bytes = 100 * b_live,
					 .live_requested_bytes = 90 * (b_live - b_unknown),
					 .live_unknown = b_unknown,
					 .live_unknown_bytes = 100 * b_unknown };
	hakstat_top_take(top, summary);
}

static const struct hakstat_top_column *column_of(enum hakstat_top_page page, enum hakstat_top_kind kind)
{
	size_t count;
	const struct hakstat_top_column *columns = hakstat_top_columns(page, &count);

	for (size_t i = 0; i < count; i++) {
		if (columns[i].kind == kind) {
			return &columns[i];
		}
	}
	fail_msg("no such column");
	return NULL;
}

static void expect_cell(const struct hakstat_top *top, enum hakstat_top_kind kind, guint row,
			const char *text)
{
	GPtrArray *rows = hakstat_top_rows(top);
	char *cell =
		hakstat_top_cell(top, column_of(top->page, kind), g_ptr_array_index(rows, row), 20, false);

	assert_string_equal(cell, text);
	g_free(cell);
	g_ptr_array_unref(rows);
}

static void expect_first(const struct hakstat_top *top, const char *name)
{
	GPtrArray *rows = hakstat_top_rows(top);

	assert_string_equal(((const struct hakstat_row *)g_ptr_array_index(rows, 0))->class_name, name);
	g_ptr_array_unref(rows);
}

static void a_line_shows_the_newest_values_and_fills_the_cell(void **state)
{
	static const double values[] = { 1000, 0, 1, 50, 100 };
	static const double none[] = { 0, 0 };
	char *line = hakstat_top_sparkline(values, 5, 4, false);
	(void)state;

	assert_string_equal(line, "_.=#"); /* the first value is out of sight and does not scale */
	g_free(line);
	line = hakstat_top_sparkline(values, 5, 80, true);
	assert_string_equal(line, "█▁▂▂▂");
	g_free(line);
	line = hakstat_top_sparkline(none, 2, 80, false);
	assert_string_equal(line, "__");
	g_free(line);
	line = hakstat_top_sparkline(values, 5, 0, false);
	assert_string_equal(line, "");
	g_free(line);
}

static void rows_have_an_order_that_turns(void **state)
{
	struct hakstat_top top;
	(void)state;

	hakstat_top_init(&top);
	take(&top, 1, 10, 20, 0); /* A wastes 320 of 640 bytes, B 200 of 2000 */
	expect_first(&top, "A");
	top.is_reverse[HAKSTAT_TOP_CLASSES] = true;
	expect_first(&top, "B");
	top.is_reverse[HAKSTAT_TOP_CLASSES] = false;
	hakstat_top_sort_next(&top, -1);
	expect_first(&top, "B"); /* live bytes */
	hakstat_top_sort_next(&top, 1);
	expect_first(&top, "A");
	hakstat_top_clear(&top);
}

static void every_order_is_reached_and_the_stacks_are_left_out(void **state)
{
	struct hakstat_top top;
	size_t count;
	(void)state;

	hakstat_top_init(&top);
	take(&top, 1, 10, 20, 0);
	for (enum hakstat_top_page page = 0; page < HAKSTAT_TOP_PAGES; page++) {
		size_t first = top.sort[page], steps = 0;
		top.page = page;
		hakstat_top_columns(page, &count);
		do {
			g_ptr_array_unref(hakstat_top_rows(&top));
			hakstat_top_sort_next(&top, 1);
			steps++;
		} while (top.sort[page] != first);
		assert_int_equal(steps, page == HAKSTAT_TOP_SITES ? count - 1 : count);
	}
	hakstat_top_clear(&top);
}

static void what_is_not_known_is_not_shown_as_known(void **state)
{
	struct hakstat_top top;
	(void)state;

	hakstat_top_init(&top);
	take(&top, 1, 10, 20, 5);
	expect_cell(&top, HAKSTAT_TOP_LIVE_WASTE, 0, "320 B");
	expect_cell(&top, HAKSTAT_TOP_LIVE_PERCENT, 0, "50.0");
	expect_cell(&top, HAKSTAT_TOP_LIVE_WASTE, 1, ">150 B");
	expect_cell(&top, HAKSTAT_TOP_LIVE_PERCENT, 1, "10.0"); /* of the 15 that are known */
	take(&top, 2, 0, 20, 20);
	expect_first(&top, "B");
	expect_cell(&top, HAKSTAT_TOP_LIVE_WASTE, 0, "?");
	expect_cell(&top, HAKSTAT_TOP_LIVE_PERCENT, 0, "-");
	hakstat_top_clear(&top);
}

static void rates_are_of_the_time_between_two_looks(void **state)
{
	struct hakstat_top top;
	(void)state;

	hakstat_top_init(&top);
	take(&top, 1, 10, 1, 0);
	expect_cell(&top, HAKSTAT_TOP_ALLOCS_PER_S, 0, "0"); /* there is nothing to compare with */
	take(&top, 5, 10, 1, 0);
	expect_cell(&top, HAKSTAT_TOP_ALLOCS_PER_S, 0, "100");
	take(&top, 5, 10, 1, 0);
	expect_cell(&top, HAKSTAT_TOP_ALLOCS_PER_S, 0, "100"); /* no time has passed */
	hakstat_top_clear(&top);
}

static void a_trend_keeps_the_last_looks(void **state)
{
	struct hakstat_top top;
	GPtrArray *rows;
	char *cell;
	(void)state;

	hakstat_top_init(&top);
	for (int i = 0; i < 3 * HAKSTAT_TOP_HISTORY; i++) {
		take(&top, i, 10, 1, 0);
	}
	rows = hakstat_top_rows(&top);
	cell = hakstat_top_cell(&top, column_of(HAKSTAT_TOP_CLASSES, HAKSTAT_TOP_TREND),
				g_ptr_array_index(rows, 0), 1000, false);
	assert_int_equal(strlen(cell), HAKSTAT_TOP_HISTORY);
	g_free(cell);
	g_ptr_array_unref(rows);
	hakstat_top_clear(&top);
}

static void columns_fit_any_width(void **state)
{
	(void)state;

	for (enum hakstat_top_page page = 0; page < HAKSTAT_TOP_PAGES; page++) {
		for (int width = 0; width < 300; width++) {
			bool shown[16];
			int used = hakstat_top_fit(page, width, shown);
			size_t count, visible = 0;
			const struct hakstat_top_column *columns = hakstat_top_columns(page, &count);
			assert_true(count <= G_N_ELEMENTS(shown));
			for (size_t i = 0; i < count; i++) {
				visible += shown[i];
				used += shown[i] && columns[i].width ? columns[i].width + 1 : 0;
			}
			assert_true(used <= MAX(width, 25)); /* less is no terminal */
			assert_true(width < 200 || visible == count);
			for (int trend = 0; trend < HAKSTAT_TOP_TRENDS && width >= 80; trend++) {
				int rest = hakstat_top_fit(page, width, shown);
				assert_true((int)strlen(hakstat_top_trend_name(trend, rest)) <= rest);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_shows_the_newest_values_and_fills_the_cell),
		cmocka_unit_test(rows_have_an_order_that_turns),
		cmocka_unit_test(every_order_is_reached_and_the_stacks_are_left_out),
		cmocka_unit_test(what_is_not_known_is_not_shown_as_known),
		cmocka_unit_test(rates_are_of_the_time_between_two_looks),
		cmocka_unit_test(a_trend_keeps_the_last_looks),
		cmocka_unit_test(columns_fit_any_width),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
