/* SPDX-License-Identifier: MIT */
/*
 * Reading the environment: from `environ`, and from /proc/self/environ when libc has not
 * set that yet. The latter shows what a process was started with, so the program starts
 * itself again with an environment of its own.
 */
#include "options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants these first. */
#include <cmocka.h>

static char warnings[65536];

/* Reads the options from `entries` with stderr caught in `warnings`. */
static void read_with(char **entries)
{
	char **former = environ;
	int file = memfd_create("stderr", MFD_CLOEXEC);
	int saved = dup(STDERR_FILENO);
	assert_true(file >= 0 && saved >= 0);
	dup2(file, STDERR_FILENO);
	environ = entries;
	hak_options_read();
	environ = former;
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t length = pread(file, warnings, sizeof warnings - 1, 0);
	close(file);
	warnings[length > 0 ? length : 0] = '\0';
}

static void defaults_are_those_of_the_list(void **state)
{
	(void)state;
	char *none[] = { NULL };
	read_with(none);
	assert_string_equal(warnings, "");
	assert_string_equal(hak_options.size_classes, "fine");
	assert_int_equal(hak_options.tiny_max_class, 7);
	assert_false(hak_options.secure || hak_options.stats || hak_options.trace || hak_options.verbose);
	assert_int_equal(hak_options.sample_bytes, 512 * 1024);
	assert_int_equal(hak_options.snapshot_ms, 1000);
	assert_int_equal(hak_options.frag_percent, 50);
	assert_int_equal(hak_options.stack_depth, 32);
}

static char printed[8192];

static void append(void *to, const char *bytes, size_t length)
{
	strncat(to, bytes, length);
}

/* A default that its own parser refuses, or that is written otherwise than it prints, would show. */
static void every_default_is_in_force_as_written(void **state)
{
	(void)state;
	char *none[] = { NULL };
	char line[128];
	struct hak_writer w;
	read_with(none);
	printed[0] = '\0';
	hak_writer_to_sink(&w, append, printed);
	hak_options_print(&w);
	hak_writer_flush(&w);
#define EXPECT(field, type, name, initial, min, max, help)                                                   \
	snprintf(line, sizeof line, "  %-22s %s\n", name, initial);                                          \
	assert_non_null(strstr(printed, line));
	HAK_OPTIONS(EXPECT)
}

static void values_replace_defaults(void **state)
{
	(void)state;
	char *set[] = { "PATH=/bin",
			"HAKMEM_TINY_MAX_CLASS=5",
			"HAKMEM_SUPERSLAB_SIZE=1m",
			"HAKMEM_PURGE_DELAY_MS=-1",
			"HAKMEM_SIZE_CLASSES=@a/b",
			"HAKMEM_SECURE=1",
			NULL };
	read_with(set);
	assert_string_equal(warnings, "");
	assert_int_equal(hak_options.tiny_max_class, 5);
	assert_int_equal(hak_options.superslab_size, 1 << 20);
	assert_int_equal(hak_options.purge_delay_ms, -1);
	assert_string_equal(hak_options.size_classes, "@a/b");
	assert_true(hak_options.secure);
}

static void the_first_of_a_name_counts(void **state)
{
	(void)state;
	char *twice[] = { "HAKMEM_TINY_MAX_CLASS=5", "HAKMEM_TINY_MAX_CLASS=3", "HAKMEM_TINY_MAX_CLASS=x",
			  NULL };
	read_with(twice);
	assert_string_equal(warnings, "");
	assert_int_equal(hak_options.tiny_max_class, 5);
}

static void entries_that_are_no_assignments_are_passed_over(void **state)
{
	(void)state;
	char *odd[] = { "", "=", "HAKMEM_STATS", "=HAKMEM_STATS=1", "HAKMEM_STATS=1", NULL };
	read_with(odd);
	assert_string_equal(warnings, "");
	assert_true(hak_options.stats);
}

static void a_bad_value_is_one_line_and_the_default(void **state)
{
	(void)state;
	char *bad[] = { "HAKMEM_TINY_MAX_CLASS=9", NULL };
	errno = 55;
	read_with(bad);
	assert_string_equal(warnings,
			    "hakmem: HAKMEM_TINY_MAX_CLASS=9: expected a number from 0 to 7; using 7\n");
	assert_int_equal(hak_options.tiny_max_class, 7);
}

/* As --env-file of docker leaves it. */
static void a_blank_behind_a_number_is_no_suffix(void **state)
{
	(void)state;
	char *bad[] = { "HAKMEM_PURGE_DELAY_MS=5 ", "HAKMEM_SAMPLE_BYTES=1 ", NULL };
	read_with(bad);
	assert_non_null(strstr(warnings, "hakmem: HAKMEM_PURGE_DELAY_MS=5 : expected"));
	assert_non_null(strstr(warnings, "hakmem: HAKMEM_SAMPLE_BYTES=1 : expected"));
	assert_int_equal(hak_options.purge_delay_ms, 1000);
	assert_int_equal(hak_options.sample_bytes, 512 << 10);
}

static void reading_keeps_errno(void **state)
{
	(void)state;
	char **former = environ;
	environ = NULL;
	errno = 55;
	hak_options_read();
	assert_int_equal(errno, 55);
	environ = former;
}

static void names_are_not_prefixes(void **state)
{
	(void)state;
	char *near[] = { "HAKMEM_STAT=1", "HAKMEM_STATSX=1", NULL };
	read_with(near);
	assert_false(hak_options.stats);
	assert_non_null(strstr(warnings, "hakmem: HAKMEM_STAT=1: no such option"));
	assert_non_null(strstr(warnings, "hakmem: HAKMEM_STATSX=1: no such option"));
}

/* --- /proc/self/environ --------------------------------------------------------------- */

static char self[4096];

/* The options that a process started with `entries` finds in /proc, as it prints them. */
static void read_in_new_process(char **entries, char *out, size_t capacity)
{
	int ends[2], status = -1;
	char *arguments[] = { self, "from-proc", NULL };
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execve(self, arguments, entries);
		_exit(127);
	}
	close(ends[1]);
	size_t length = 0;
	ssize_t n;
	while (length < capacity - 1 && (n = read(ends[0], out + length, capacity - 1 - length)) > 0) {
		length += (size_t)n;
	}
	out[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int print_from_proc(void)
{
	struct hak_writer w;
	environ = NULL;
	hak_options_read();
	hak_writer_to_fd(&w, STDOUT_FILENO);
	hak_options_print(&w);
	hak_writer_flush(&w);
	return 0;
}

static void without_environ_proc_is_read(void **state)
{
	(void)state;
	static char out[16384], padding[70000];
	/* Longer than any buffer, so that entries begin at every place of a chunk. */
	memset(padding, 'x', sizeof padding - 1);
	memcpy(padding, "A=", 2);
	char *entries[] = { padding,	     "HAKMEM_TINY_MAX_CLASS=4", "B=", "HAKMEM_SAMPLE_BYTES=64K",
			    padding + 69000, "HAKMEM_STATS=1",		NULL };
	read_in_new_process(entries, out, sizeof out);
	assert_non_null(strstr(out, "  HAKMEM_TINY_MAX_CLASS  4\n"));
	assert_non_null(strstr(out, "  HAKMEM_SAMPLE_BYTES    64K\n"));
	assert_non_null(strstr(out, "  HAKMEM_STATS           1\n"));
	assert_null(strstr(out, "hakmem: "));
}

static void a_value_too_long_is_refused_there_too(void **state)
{
	(void)state;
	static char out[32768], value[9000];
	memset(value, 'x', sizeof value - 1);
	memcpy(value, "HAKMEM_SIZE_CLASSES=@", strlen("HAKMEM_SIZE_CLASSES=@"));
	char *entries[] = { value, "HAKMEM_TINY_MAX_CLASS=2", NULL };
	read_in_new_process(entries, out, sizeof out);
	assert_non_null(strstr(out, ": expected fine, classic or @FILE; using fine\n"));
	assert_non_null(strstr(out, "  HAKMEM_SIZE_CLASSES    fine\n"));
	assert_non_null(strstr(out, "  HAKMEM_TINY_MAX_CLASS  2\n"));
}

/* --- the table ------------------------------------------------------------------------ */

static void the_table_follows_the_options(void **state)
{
	(void)state;
	struct hak_class_table t;
	char *classic[] = { "HAKMEM_SIZE_CLASSES=classic", "HAKMEM_TINY_MAX_CLASS=5", NULL };
	read_with(classic);
	hak_options_class_table(&t, 4096);
	assert_int_equal(t.scheme, HAK_SCHEME_CLASSIC);
	assert_int_equal(t.tiny_max_size, 255);
	assert_int_equal(hak_route_decide(&t, 1024, 1).usable, 8192);
	char *none[] = { NULL };
	read_with(none);
	hak_options_class_table(&t, 4096);
	assert_int_equal(t.scheme, HAK_SCHEME_FINE);
	assert_int_equal(t.tiny_max_size, 1024);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_those_of_the_list),
		cmocka_unit_test(every_default_is_in_force_as_written),
		cmocka_unit_test(values_replace_defaults),
		cmocka_unit_test(the_first_of_a_name_counts),
		cmocka_unit_test(entries_that_are_no_assignments_are_passed_over),
		cmocka_unit_test(a_bad_value_is_one_line_and_the_default),
		cmocka_unit_test(a_blank_behind_a_number_is_no_suffix),
		cmocka_unit_test(reading_keeps_errno),
		cmocka_unit_test(names_are_not_prefixes),
		cmocka_unit_test(without_environ_proc_is_read),
		cmocka_unit_test(a_value_too_long_is_refused_there_too),
		cmocka_unit_test(the_table_follows_the_options),
	};
	(void)argv;
	if (argc > 1) {
		return print_from_proc();
	}
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	return length > 0 ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
