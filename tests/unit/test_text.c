/* SPDX-License-Identifier: MIT */
/* Numbers and foreign text as people see and type them. */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include <glib.h>

static void bytes_have_the_largest_unit_that_fits(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1048524, "1023.9 KiB" },
		{ 1048525, "1.0 MiB" },
		{ 1u << 30, "1.0 GiB" },
		{ INT64_MAX, "8.0 EiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	char text[32];
	(void)state;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		hakstat_text_bytes(text, sizeof text, cases[i].bytes);
		assert_string_equal(text, cases[i].text);
	}
}

static void a_change_keeps_its_sign(void **state)
{
	char text[32], one[1] = { 'x' };
	(void)state;

	hakstat_text_change(text, sizeof text, -1);
	assert_string_equal(text, "-1 B");
	hakstat_text_change(text, sizeof text, 1536);
	assert_string_equal(text, "1.5 KiB");
	hakstat_text_change(text, sizeof text, INT64_MIN);
	assert_string_equal(text, "-8.0 EiB");
	hakstat_text_change(one, sizeof one, -1);
	assert_string_equal(one, "");
}

static void counts_have_commas(void **state)
{
	char text[32];
	(void)state;

	hakstat_text_count(text, sizeof text, 999);
	assert_string_equal(text, "999");
	hakstat_text_count(text, sizeof text, 1000);
	assert_string_equal(text, "1,000");
	hakstat_text_count(text, sizeof text, UINT64_MAX);
	assert_string_equal(text, "18,446,744,073,709,551,615");
}

static void what_a_terminal_would_obey_is_escaped(void **state)
{
	static const struct {
		const char *foreign, *clean;
	} cases[] = {
		{ "main", "main" },
		{ "\x1b[2J", "\\x1b[2J" },
		{ "a\nb\tc", "a\\x0ab\\x09c" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "cut \xc3", "cut \\xc3" },
		{ "\xe2\x80\xae"
		  "back",
		  "\\xe2\\x80\\xae"
		  "back" },
	};
	(void)state;

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *clean = hakstat_text_clean(cases[i].foreign);
		g_autofree char *twice = hakstat_text_clean(clean);
		assert_string_equal(clean, cases[i].clean);
		assert_string_equal(twice, clean);
	}
}

static void typed_bytes_are_read_or_refused(void **state)
{
	static const char *const bad[] = { "",	    "K",   "-1",  "1.5K",
					   "1 K B", "1KB", "16E", "18446744073709551616" };
	uint64_t bytes;
	(void)state;

	assert_int_equal(hakstat_text_parse_bytes("4096", &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(hakstat_text_parse_bytes("4 KiB", &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(hakstat_text_parse_bytes("15E", &bytes), 0);
	assert_true(bytes == UINT64_C(15) << 60);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		assert_int_equal(hakstat_text_parse_bytes(bad[i], &bytes), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_have_the_largest_unit_that_fits),
		cmocka_unit_test(a_change_keeps_its_sign),
		cmocka_unit_test(counts_have_commas),
		cmocka_unit_test(what_a_terminal_would_obey_is_escaped),
		cmocka_unit_test(typed_bytes_are_read_or_refused),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
