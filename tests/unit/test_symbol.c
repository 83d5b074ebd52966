/* SPDX-License-Identifier: MIT */
/*
 * The symbolizer against programs that this test compiles: what it must know of them is read
 * with nm, and the modules are described as a trace would describe them.
 */
#include "symbol.h"

#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#define BASE	   UINT64_C(0x7f0000000000)
#define FIXED_BASE UINT64_C(0x400000)
#define PID	   42u

/* Line numbers matter below: `inner` is marked on line 4 and called on line 9. */
static const char source[] = "static inline __attribute__((always_inline)) int inner(int x)\n"
			     "{\n"
			     "	x *= 3;\n"
			     "	__asm__ volatile(\".globl mark\\nmark: nop\" : \"+r\"(x));\n"
			     "	return x + 1;\n"
			     "}\n"
			     "__attribute__((noinline)) int outer(int x)\n"
			     "{\n"
			     "	return inner(x) * 7;\n"
			     "}\n"
			     "int cxx(int x) __asm__(\"_ZN3app5Cache3getEi\");\n"
			     "__attribute__((noinline)) int cxx(int x) { return x + 2; }\n"
			     "int rs(int x) __asm__(\"_ZN4core3fmt5write17h0123456789abcdefE\");\n"
			     "__attribute__((noinline)) int rs(int x) { return x + 4; }\n"
			     "int rs0(int x) __asm__(\"_RNvNtCs1234_7mycrate3foo3bar\");\n"
			     "__attribute__((noinline)) int rs0(int x) { return x + 8; }\n"
			     "int main(int c, char **v)\n"
			     "{\n"
			     "	(void)v;\n"
			     "	return outer(c) + cxx(c) + rs(c) + rs0(c);\n"
			     "}\n";

static char *folder;

struct fixture {
	struct hakstat_symbolizer *symbolizer;
	GPtrArray *frames;
};

static char *in_folder(const char *name)
{
	return g_build_filename(folder, name, NULL);
}

/* Runs a shell command in the folder and gives its output; the test fails when it fails. */
static char *run(const char *format, ...)
{
	va_list arguments;
	char *command;
	char *script;
	char *output = NULL;
	int status = -1;

	va_start(arguments, format);
	command = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	script = g_strdup_printf("cd '%s' && %s", folder, command);
	const char *argv[] = { "/bin/sh", "-c", script, NULL };
	if (!g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL,
			  &status, NULL) ||
	    status != 0) {
		print_error("failed: %s\n", command);
		status = -1;
	}
	assert_int_equal(status, 0);
	g_free(script);
	g_free(command);
	return output;
}

static uint64_t nm_field(const char *program, const char *symbol, const char *option, int field)
{
	char *output = run("nm %s %s | awk '$NF == \"%s\" { print $%d }'", option, program, symbol, field);
	uint64_t value = strtoull(output, NULL, 16);

	assert_true(value != 0);
	g_free(output);
	return value;
}

static uint64_t address_of(const char *program, const char *symbol)
{
	return nm_field(program, symbol, "", 1);
}

static char *build_id_of(const char *program)
{
	char *output = run("readelf -n %s | sed -n 's/.*Build ID: //p'", program);

	g_strchomp(output);
	assert_true(strlen(output) >= 8);
	return output;
}

static void compile(const char *name, const char *options)
{
	const char *cc = g_getenv("CC");

	g_free(run("%s -O2 -g %s -Wl,--build-id=sha1 -o %s program.c", cc ? cc : "cc", options, name));
}

static int make_programs(void **state)
{
	char *path;

	(void)state;
	folder = g_dir_make_tmp("hakstat-symbol-XXXXXX", NULL);
	assert_non_null(folder);
	path = in_folder("program.c");
	assert_true(g_file_set_contents(path, source, -1, NULL));
	g_free(path);
	compile("pie", "-fPIE -pie");
	compile("fixed", "-no-pie");
	g_free(run("cp pie whole && objcopy --only-keep-debug pie split.debug && objcopy --strip-all "
		   "--add-gnu-debuglink=split.debug pie split && "
		   "objcopy --remove-section=.debug_aranges pie unindexed && strip -o bare pie && mkdir -p "
		   "root && cp "
		   "pie root/pie"));
	return 0;
}

static int remove_programs(void **state)
{
	(void)state;
	g_free(run("rm -rf -- '%s'", folder));
	g_free(folder);
	return 0;
}

static int set_up(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->symbolizer = hakstat_symbolizer_new(NULL);
	fixture->frames = hakstat_frames_new();
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	g_ptr_array_free(fixture->frames, TRUE);
	hakstat_symbolizer_free(fixture->symbolizer);
	g_free(fixture);
	return 0;
}

static void add_path(struct fixture *fixture, uint32_t pid, uint64_t base, const char *path,
		     const char *build_id)
{
	struct hakstat_module module = {
		.base = base,
		.size = 0x10000,
		.path = path,
		.build_id_hex = build_id,
		.is_pic = base != FIXED_BASE,
	};

	hakstat_symbolizer_add_module(fixture->symbolizer, pid, &module);
}

static void add_program(struct fixture *fixture, uint64_t base, const char *name)
{
	char *path = in_folder(name);
	char *build_id = build_id_of(name);

	add_path(fixture, PID, base, path, build_id);
	g_free(build_id);
	g_free(path);
}

static const struct hakstat_frame *frame_at(const struct fixture *fixture, guint index)
{
	assert_true(index < fixture->frames->len);
	return g_ptr_array_index(fixture->frames, index);
}

static void look_up(struct fixture *fixture, uint64_t addr)
{
	g_ptr_array_set_size(fixture->frames, 0);
	hakstat_symbolize(fixture->symbolizer, PID, addr, false, fixture->frames);
}

static void assert_function(struct fixture *fixture, uint64_t addr, const char *function)
{
	look_up(fixture, addr);
	assert_int_equal(fixture->frames->len, 1);
	assert_non_null(frame_at(fixture, 0)->function);
	assert_string_equal(frame_at(fixture, 0)->function, function);
}

static void assert_inner_and_outer(const struct fixture *fixture)
{
	assert_int_equal(fixture->frames->len, 2);
	assert_string_equal(frame_at(fixture, 0)->function, "inner");
	assert_true(frame_at(fixture, 0)->inlined);
	assert_int_equal(frame_at(fixture, 0)->line, 4);
	assert_true(g_str_has_suffix(frame_at(fixture, 0)->file, "/program.c"));
	assert_string_equal(frame_at(fixture, 1)->function, "outer");
	assert_false(frame_at(fixture, 1)->inlined);
	assert_int_equal(frame_at(fixture, 1)->line, 9);
	assert_true(g_str_has_suffix(frame_at(fixture, 1)->file, "/program.c"));
}

static void inlined_function_comes_before_its_caller(void **state)
{
	struct fixture *fixture = *state;
	uint64_t mark = address_of("pie", "mark");

	add_program(fixture, BASE, "pie");
	look_up(fixture, BASE + mark);
	assert_inner_and_outer(fixture);
	assert_int_equal(frame_at(fixture, 0)->offset, mark);
	assert_true(g_str_has_suffix(frame_at(fixture, 0)->module, "/pie"));
	assert_int_equal(strlen(frame_at(fixture, 0)->build_id), 40);
}

static void fixed_program_keeps_its_addresses(void **state)
{
	struct fixture *fixture = *state;
	uint64_t mark = address_of("fixed", "mark");

	add_program(fixture, FIXED_BASE, "fixed");
	look_up(fixture, mark);
	assert_inner_and_outer(fixture);
	assert_int_equal(frame_at(fixture, 0)->offset, mark);
}

static void return_address_belongs_to_the_call_before_it(void **state)
{
	struct fixture *fixture = *state;
	uint64_t end = address_of("pie", "outer") + nm_field("pie", "outer", "-S", 2);

	add_program(fixture, BASE, "pie");
	hakstat_symbolize(fixture->symbolizer, PID, BASE + end, true, fixture->frames);
	assert_string_equal(frame_at(fixture, fixture->frames->len - 1)->function, "outer");
	assert_int_equal(frame_at(fixture, 0)->offset, end);
	look_up(fixture, BASE + end);
	assert_null(frame_at(fixture, 0)->function);
}

static void cplusplus_and_rust_names_are_readable(void **state)
{
	struct fixture *fixture = *state;

	add_program(fixture, BASE, "pie");
	assert_function(fixture, BASE + address_of("pie", "_ZN3app5Cache3getEi"), "app::Cache::get(int)");
	assert_function(fixture, BASE + address_of("pie", "_ZN4core3fmt5write17h0123456789abcdefE"),
			"core::fmt::write");
	assert_function(fixture, BASE + address_of("pie", "_RNvNtCs1234_7mycrate3foo3bar"),
			"mycrate::foo::bar");
}

static void separate_debug_file_is_found_by_its_link(void **state)
{
	struct fixture *fixture = *state;

	add_program(fixture, BASE, "split");
	look_up(fixture, BASE + address_of("pie", "mark"));
	assert_inner_and_outer(fixture);
}

/* Not every compiler writes .debug_aranges. */
static void index_of_addresses_is_not_needed(void **state)
{
	struct fixture *fixture = *state;

	add_program(fixture, BASE, "unindexed");
	look_up(fixture, BASE + address_of("pie", "mark"));
	assert_inner_and_outer(fixture);
}

static void stripped_program_shows_module_and_offset(void **state)
{
	struct fixture *fixture = *state;
	uint64_t mark = address_of("pie", "mark");

	add_program(fixture, BASE, "bare");
	look_up(fixture, BASE + mark);
	assert_int_equal(fixture->frames->len, 1);
	assert_null(frame_at(fixture, 0)->function);
	assert_null(frame_at(fixture, 0)->file);
	assert_true(g_str_has_suffix(frame_at(fixture, 0)->module, "/bare"));
	assert_int_equal(frame_at(fixture, 0)->offset, mark);
	assert_int_equal(hakstat_symbolizer_notes(fixture->symbolizer)->len, 0);
}

static void assert_only_note(struct fixture *fixture, const char *words)
{
	const GPtrArray *notes = hakstat_symbolizer_notes(fixture->symbolizer);

	assert_int_equal(notes->len, 1);
	assert_non_null(strstr(g_ptr_array_index(notes, 0), words));
}

static void other_build_of_the_file_is_not_used(void **state)
{
	struct fixture *fixture = *state;
	char *path = in_folder("pie");

	add_path(fixture, PID, BASE, path, "0123456789abcdef0123456789abcdef01234567");
	look_up(fixture, BASE + address_of("pie", "mark"));
	look_up(fixture, BASE + address_of("pie", "outer"));
	assert_null(frame_at(fixture, 0)->function);
	assert_string_equal(frame_at(fixture, 0)->module, path);
	assert_only_note(fixture, "is another build than the traced one");
	g_free(path);
}

static void absent_file_is_noted_once(void **state)
{
	struct fixture *fixture = *state;

	add_path(fixture, PID, BASE, "/nonexistent/program", NULL);
	look_up(fixture, BASE + 0x1000);
	look_up(fixture, BASE + 0x1001);
	assert_null(frame_at(fixture, 0)->function);
	assert_only_note(fixture, "/nonexistent/program: the file cannot be read here");
}

static void files_are_looked_for_below_the_sysroot(void **state)
{
	struct fixture *fixture = *state;
	char *root = in_folder("root");

	hakstat_symbolizer_free(fixture->symbolizer);
	fixture->symbolizer = hakstat_symbolizer_new(root);
	add_path(fixture, PID, BASE, "/pie", NULL);
	look_up(fixture, BASE + address_of("pie", "mark"));
	assert_inner_and_outer(fixture);
	assert_string_equal(frame_at(fixture, 0)->module, "/pie");
	g_free(root);
}

static void address_outside_all_modules_stays_absolute(void **state)
{
	struct fixture *fixture = *state;

	add_program(fixture, BASE, "pie");
	look_up(fixture, 0x1234);
	assert_int_equal(fixture->frames->len, 1);
	assert_null(frame_at(fixture, 0)->module);
	assert_int_equal(frame_at(fixture, 0)->offset, 0x1234);
}

static void removed_module_answers_until_another_takes_its_place(void **state)
{
	struct fixture *fixture = *state;
	uint64_t entry = address_of("pie", "main");

	add_program(fixture, BASE, "pie");
	hakstat_symbolizer_remove_module(fixture->symbolizer, PID, BASE);
	assert_function(fixture, BASE + entry, "main");
	add_program(fixture, BASE, "bare");
	look_up(fixture, BASE + entry);
	assert_true(g_str_has_suffix(frame_at(fixture, 0)->module, "/bare"));
}

static void forked_child_has_the_modules_of_its_parent(void **state)
{
	struct fixture *fixture = *state;
	uint64_t entry = address_of("pie", "main");

	add_program(fixture, BASE, "pie");
	hakstat_symbolizer_set_parent(fixture->symbolizer, PID + 1, PID);
	hakstat_symbolize(fixture->symbolizer, PID + 1, BASE + entry, false, fixture->frames);
	assert_string_equal(frame_at(fixture, 0)->function, "main");
}

static void circle_of_parents_ends(void **state)
{
	struct fixture *fixture = *state;

	hakstat_symbolizer_set_parent(fixture->symbolizer, PID, PID + 1);
	hakstat_symbolizer_set_parent(fixture->symbolizer, PID + 1, PID);
	look_up(fixture, BASE);
	assert_null(frame_at(fixture, 0)->module);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inlined_function_comes_before_its_caller),
		TEST(fixed_program_keeps_its_addresses),
		TEST(return_address_belongs_to_the_call_before_it),
		TEST(cplusplus_and_rust_names_are_readable),
		TEST(separate_debug_file_is_found_by_its_link),
		TEST(index_of_addresses_is_not_needed),
		TEST(stripped_program_shows_module_and_offset),
		TEST(other_build_of_the_file_is_not_used),
		TEST(absent_file_is_noted_once),
		TEST(files_are_looked_for_below_the_sysroot),
		TEST(address_outside_all_modules_stays_absolute),
		TEST(removed_module_answers_until_another_takes_its_place),
		TEST(forked_child_has_the_modules_of_its_parent),
		TEST(circle_of_parents_ends),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_programs);
}
