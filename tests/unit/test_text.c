/* SPDX-License-Identifier: MIT */
/*
 * Text that came from elsewhere, and lines of a certain width.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include <glib.h>

#include "text.h"

static void wraps(const char *text, int width, int indent, const char *wanted)
{
	char *got = hakstat_text_wrap(text, width, indent);

	assert_string_equal(got, wanted);
	g_free(got);
}

static void lines_end_at_blanks(void **state)
{
	(void)state;
	wraps("one two three", 8, 0, "one two\nthree");
	wraps("one two three", 7, 2, "one two\n  three");
	wraps("one two three", 6, 0, "one\ntwo\nthree");
	wraps("one two three", 13, 0, "one two three");
}

static void no_width_is_any_width(void **state)
{
	(void)state;
	wraps("one two  three ", 0, 4, "one two  three ");
}

static void a_word_longer_than_the_line_stays_whole(void **state)
{
	(void)state;
	wraps("incomprehensible at first", 6, 0, "incomprehensible\nat\nfirst");
	wraps("an incomprehensible", 6, 1, "an\n incomprehensible");
	wraps("", 6, 1, "");
}

static void leading_blanks_and_gaps_stay(void **state)
{
	(void)state;
	wraps("   Advice: do it", 12, 3, "   Advice:\n   do it");
	wraps("lost      0 events of all", 18, 10, "lost      0 events\n          of all");
}

static void width_is_that_of_the_terminal(void **state)
{
	(void)state;
	assert_int_equal(hakstat_text_width("abc"), 3);
	assert_int_equal(hakstat_text_width("\xe6\xbc\xa2\xe5\xad\x97"), 4); /* two ideographs */
	assert_int_equal(hakstat_text_width("e\xcc\x81\xc2\xb1"), 2);	     /* a combining accent */
	wraps("\xe6\xbc\xa2 \xe5\xad\x97 x", 5, 0, "\xe6\xbc\xa2 \xe5\xad\x97\nx");
}

static void cleans(const char *text, const char *wanted)
{
	char *got = hakstat_text_clean(text);

	assert_string_equal(got, wanted);
	g_free(got);
}

static void what_is_no_text_is_escaped(void **state)
{
	(void)state;
	cleans("plain \xc2\xb1", "plain \xc2\xb1");
	cleans("\x1b[31m\t\n\x7f", "\\x1b[31m\\x09\\x0a\\x7f");
	cleans("\xff\xc2", "\\xff\\xc2");
	cleans("\xe2\x80\xae\xe2\x80\xa8",
	       "\\xe2\\x80\\xae\\xe2\\x80\\xa8"); /* right to left, a line separator */
	cleans("\xc2\x85", "\\xc2\\x85");	  /* C1 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_at_blanks),
		cmocka_unit_test(no_width_is_any_width),
		cmocka_unit_test(a_word_longer_than_the_line_stays_whole),
		cmocka_unit_test(leading_blanks_and_gaps_stay),
		cmocka_unit_test(width_is_that_of_the_terminal),
		cmocka_unit_test(what_is_no_text_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
