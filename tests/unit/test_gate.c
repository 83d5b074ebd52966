/* SPDX-License-Identifier: MIT */
/*
 * Conditions: what is one, and what it comes to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "gate.h"

static struct hakstat_report *report_with(uint64_t allocs, uint64_t requested, uint64_t block)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hakstat_row *row = hakstat_summary_row(s, HAKSTAT_BY_CLASS, "0:C7:1024", NULL);

	row->class_name = g_strdup("C7");
	row->block = block;
	row->n.allocs = allocs;
	row->n.requested_bytes = allocs * requested;
	row->n.usable_bytes = allocs * block;
	return hakstat_report_new(s);
}

static enum hakstat_gate_result check(const char *text, const struct hakstat_report *now,
				      const struct hakstat_report *base)
{
	struct hakstat_gate gate;
	struct hakstat_err err;
	enum hakstat_gate_result result;
	double found;

	assert_int_equal(hakstat_gate_parse(text, &gate, &err), 0);
	result = hakstat_gate_check(&gate, now, base, &found);
	hakstat_gate_clear(&gate);
	return result;
}

static void conditions_compare_columns(void **state)
{
	struct hakstat_report *r = report_with(100, 768, 1024);
	(void)state;

	assert_int_equal(check("total waste_percent > 24.9", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("total waste_percent > 25", r, NULL), HAKSTAT_GATE_FALSE);
	assert_int_equal(check("total waste_percent >= 25", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("total waste_percent >= 25%", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("class C7 waste_bytes == 25600", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("class C7 waste_bytes == 25K", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("class C7 allocs != 100", r, NULL), HAKSTAT_GATE_FALSE);
	assert_int_equal(check("  class   C7 allocs\t<= 100 ", r, NULL), HAKSTAT_GATE_TRUE);
	hakstat_report_free(r);
}

static void what_the_report_lacks_is_unknown(void **state)
{
	struct hakstat_report *r = report_with(100, 768, 1024);
	(void)state;

	assert_int_equal(check("class C9 allocs < 5", r, NULL), HAKSTAT_GATE_UNKNOWN);
	assert_int_equal(check("total waste_bytes < +5%", r, NULL), HAKSTAT_GATE_UNKNOWN);
	hakstat_report_free(r);
}

/* A program that stopped to ask for such sizes is what a gate is for. */
static void what_served_nothing_is_0(void **state)
{
	struct hakstat_report *r = report_with(100, 768, 1024);
	struct hakstat_report *nothing = report_with(0, 0, 1024);
	(void)state;

	hakstat_summary_row(r->summary, HAKSTAT_BY_CLASS, "1:M8192:8192", NULL)->class_name =
		g_strdup("M8192");
	g_ptr_array_add(r->tables[HAKSTAT_BY_CLASS],
			hakstat_summary_row(r->summary, HAKSTAT_BY_CLASS, "1:M8192:8192", NULL));
	assert_int_equal(check("route mid allocs == 0", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("route mid allocs > 0", r, NULL), HAKSTAT_GATE_FALSE);
	assert_int_equal(check("route mid waste_percent < 15", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("route mid waste_bytes > +5%", r, r), HAKSTAT_GATE_FALSE);
	assert_int_equal(check("class M8192 waste_percent < 15", r, NULL), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("class M8192 waste_percent > 15", r, NULL), HAKSTAT_GATE_FALSE);

	assert_int_equal(check("route mid allocs == 0", nothing, NULL), HAKSTAT_GATE_UNKNOWN);
	assert_int_equal(check("class C7 waste_percent < 15", nothing, NULL), HAKSTAT_GATE_UNKNOWN);
	assert_int_equal(check("total waste_percent < 15", nothing, NULL), HAKSTAT_GATE_UNKNOWN);
	hakstat_report_free(r);
	hakstat_report_free(nothing);
}

static void signed_numbers_are_differences(void **state)
{
	struct hakstat_report *base = report_with(100, 768, 1024);
	struct hakstat_report *now = report_with(110, 768, 1024);
	struct hakstat_report *none = report_with(0, 0, 1024);
	(void)state;

	assert_int_equal(check("total waste_bytes > +9.9%", now, base), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("total waste_bytes > +10%", now, base), HAKSTAT_GATE_FALSE);
	assert_int_equal(check("total waste_bytes == +2560", now, base), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("total allocs < -5", base, now), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("total waste_bytes > +1000%", now, none), HAKSTAT_GATE_TRUE);
	assert_int_equal(check("total waste_bytes > +0%", none, none), HAKSTAT_GATE_FALSE);
	hakstat_report_free(base);
	hakstat_report_free(now);
	hakstat_report_free(none);
}

static void what_is_no_condition_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"total",
		"total waste_bytes",
		"total waste_bytes <",
		"total nothing < 5",
		"total waste_bytes ~ 5",
		"total waste_bytes < five",
		"total waste_bytes < 5 6",
		"class",
		"class C7",
		"site main allocs < 5",
		"total waste_bytes < +",
		"total waste_bytes < 99999999999999999999G",
		"class C7 name < 5",
		"route medium allocs == 0",
		"total waste_bytes > 5%",
	};
	struct hakstat_gate gate;
	struct hakstat_err err;
	(void)state;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(hakstat_gate_parse(texts[i], &gate, &err), HAKSTAT_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_compare_columns),
		cmocka_unit_test(what_the_report_lacks_is_unknown),
		cmocka_unit_test(what_served_nothing_is_0),
		cmocka_unit_test(signed_numbers_are_differences),
		cmocka_unit_test(what_is_no_condition_is_refused),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
