/* SPDX-License-Identifier: MIT */
/* Formatting without stdio: each format at its edges, columns, and the buffer's flushing. */
#include "writer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants these first. */
#include <cmocka.h>

static struct {
	char text[8192];
	size_t length;
	int calls;
} got;

static void collect(void *to, const char *bytes, size_t length)
{
	assert_ptr_equal(to, &got);
	assert_true(got.length + length < sizeof got.text);
	memcpy(got.text + got.length, bytes, length);
	got.length += length;
	got.calls++;
}

static void begin(struct hak_writer *w)
{
	memset(&got, 0, sizeof got);
	hak_writer_to_sink(w, collect, &got);
}

static void expect(struct hak_writer *w, const char *text)
{
	hak_writer_flush(w);
	assert_string_equal(got.text, text);
	begin(w);
}

static void numbers_are_written_in_full(void **state)
{
	(void)state;
	struct hak_writer w;
	begin(&w);
	hak_write_unsigned(&w, 0);
	expect(&w, "0");
	hak_write_unsigned(&w, UINT64_MAX);
	expect(&w, "18446744073709551615");
	hak_write_signed(&w, INT64_MIN);
	expect(&w, "-9223372036854775808");
	hak_write_signed(&w, -1);
	expect(&w, "-1");
	hak_write_signed(&w, INT64_MAX);
	expect(&w, "9223372036854775807");
	hak_write_hex(&w, 0);
	expect(&w, "0x0");
	hak_write_hex(&w, UINT64_C(0xfedcba9876543210));
	expect(&w, "0xfedcba9876543210");
}

static void sizes_lose_nothing(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = { { 0, "0" },
		     { 1023, "1023" },
		     { 1024, "1K" },
		     { 1536, "1536" },
		     { 1536 * 1024, "1536K" },
		     { 2 << 20, "2M" },
		     { UINT64_C(3) << 30, "3G" },
		     { UINT64_C(1) << 40, "1024G" } };
	struct hak_writer w;
	begin(&w);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		hak_write_size(&w, rows[i].bytes);
		expect(&w, rows[i].text);
	}
}

static void bytes_for_people_have_one_decimal(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1.0K" },
		{ 1536, "1.5K" },
		{ 1048575, "1.0M" },
		{ 1048524, "1023.9K" },
		{ 1 << 20, "1.0M" },
		{ (5 << 20) + 104858, "5.1M" },
		{ UINT64_C(1) << 60, "1.0E" },
		{ UINT64_MAX, "16.0E" },
	};
	struct hak_writer w;
	begin(&w);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		hak_write_bytes(&w, rows[i].bytes, 0);
		expect(&w, rows[i].text);
	}
}

static void percentages_are_rounded_and_never_overflow(void **state)
{
	(void)state;
	struct hak_writer w;
	begin(&w);
	hak_write_percent(&w, 7168, 8192, 0);
	expect(&w, "87.5");
	hak_write_percent(&w, 1, 3, 0);
	expect(&w, "33.3");
	hak_write_percent(&w, 2, 3, 0);
	expect(&w, "66.7");
	hak_write_percent(&w, 0, 0, 5);
	expect(&w, "    -");
	hak_write_percent(&w, UINT64_MAX, UINT64_MAX, 0);
	expect(&w, "100.0");
	hak_write_percent(&w, UINT64_MAX / 2, UINT64_MAX, 0);
	expect(&w, "50.0");
}

static void columns_are_filled_and_never_cut(void **state)
{
	(void)state;
	struct hak_writer w;
	begin(&w);
	hak_write_left(&w, "ab", 4);
	hak_write_right(&w, "cd", 4);
	hak_write_count(&w, 5, 3);
	expect(&w, "ab    cd  5");
	hak_write_left(&w, "abcdef", 4);
	hak_write_right(&w, "ghijkl", 4);
	hak_write_count(&w, 123456, 3);
	expect(&w, "abcdefghijkl123456");
}

static void what_a_user_gave_cannot_move_the_cursor(void **state)
{
	(void)state;
	struct hak_writer w;
	begin(&w);
	hak_write_foreign(&w, "a\033[31m\n\r\tb\x7f\xc3\xa4");
	expect(&w, "a?[31m???b?\xc3\xa4");
}

static void xml_is_escaped(void **state)
{
	(void)state;
	struct hak_writer w;
	begin(&w);
	hak_write_xml(&w, "<a b=\"c\" & 'd'>\xc3\xa4");
	expect(&w, "&lt;a b=&quot;c&quot; &amp; &apos;d&apos;&gt;\xc3\xa4");
}

static void a_full_buffer_is_handed_on(void **state)
{
	(void)state;
	struct hak_writer w;
	begin(&w);
	for (int i = 0; i < 300; i++) {
		hak_write_string(&w, "0123456789");
	}
	hak_writer_flush(&w);
	assert_int_equal(got.length, 3000);
	assert_int_equal(got.calls, 3);
	for (size_t i = 0; i < 3000; i++) {
		assert_int_equal(got.text[i], '0' + (int)(i % 10));
	}
	hak_writer_flush(&w);
	assert_int_equal(got.calls, 3);
}

static void a_descriptor_gets_the_text_and_errno_stays(void **state)
{
	(void)state;
	struct hak_writer w;
	char read_back[16] = "";
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	hak_writer_to_fd(&w, ends[1]);
	hak_write_string(&w, "to a pipe");
	hak_writer_flush(&w);
	assert_int_equal(read(ends[0], read_back, sizeof read_back), 9);
	assert_string_equal(read_back, "to a pipe");
	close(ends[0]);
	close(ends[1]);
	errno = 77;
	hak_writer_to_fd(&w, ends[1]);
	hak_write_string(&w, "to nobody");
	hak_writer_flush(&w);
	assert_int_equal(errno, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_in_full),
		cmocka_unit_test(sizes_lose_nothing),
		cmocka_unit_test(bytes_for_people_have_one_decimal),
		cmocka_unit_test(percentages_are_rounded_and_never_overflow),
		cmocka_unit_test(columns_are_filled_and_never_cut),
		cmocka_unit_test(what_a_user_gave_cannot_move_the_cursor),
		cmocka_unit_test(xml_is_escaped),
		cmocka_unit_test(a_full_buffer_is_handed_on),
		cmocka_unit_test(a_descriptor_gets_the_text_and_errno_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
