/* SPDX-License-Identifier: MIT */
/*
 * Sites as a tree, from either end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "frame.h"
#include "site_tree.h"

/* `functions`: innermost first, parted by spaces; each asked for `allocs` of 10 bytes in blocks of 16. */
static void add_site(struct hakstat_summary *s, const char *functions, uint64_t allocs)
{
	struct hakstat_row *row = hakstat_summary_row(s, HAKSTAT_BY_SITE, functions, NULL);
	char **names = g_strsplit(functions, " ", -1);

	row->stack = hakstat_frames_new();
	for (char **name = names; *name && **name; name++) {
		struct hakstat_frame *frame = g_new0(struct hakstat_frame, 1);
		frame->function = g_strdup(*name);
		frame->line = row->stack->len + 1;
		g_ptr_array_add(row->stack, frame);
	}
	row->n.allocs = allocs;
	row->n.requested_bytes = 10 * allocs;
	row->n.usable_bytes = 16 * allocs;
	g_strfreev(names);
}

static struct hakstat_report *some_sites(void)
{
	struct hakstat_summary *s = hakstat_summary_new();

	add_site(s, "xmalloc parse main", 100);
	add_site(s, "xmalloc print main", 30);
	add_site(s, "strdup print main", 500);
	add_site(s, "", 7);
	return hakstat_report_new(s);
}

static const struct hakstat_tree_node *child(const struct hakstat_tree_node *node, guint i)
{
	assert_true(i < node->children->len);
	return g_ptr_array_index(node->children, i);
}

static void expect(const struct hakstat_tree_node *node, const char *name, uint64_t allocs, guint children)
{
	assert_string_equal(node->name, name);
	assert_int_equal(node->row.n.allocs, allocs);
	assert_int_equal(hakstat_counts_waste(&node->row.n), 6 * allocs);
	assert_int_equal(node->children->len, children);
}

static void callers_stand_below_who_asked(void **state)
{
	struct hakstat_report *r = some_sites();
	struct hakstat_tree_node *root = hakstat_tree_new(r, false);

	(void)state;
	assert_int_equal(root->row.n.allocs, 637);
	assert_int_equal(root->children->len, 3);
	expect(child(root, 0), "strdup", 500, 1);
	expect(child(root, 1), "xmalloc", 130, 2);
	expect(child(child(root, 1), 0), "parse", 100, 1);
	expect(child(child(root, 1), 1), "print", 30, 1);
	expect(child(root, 2), "(stack not in this trace)", 7, 0);
	hakstat_tree_free(root);
	hakstat_report_free(r);
}

static void callees_stand_below_who_called_them(void **state)
{
	struct hakstat_report *r = some_sites();
	struct hakstat_tree_node *root = hakstat_tree_new(r, true);

	(void)state;
	assert_int_equal(root->children->len, 2);
	expect(child(root, 0), "main", 630, 2);
	expect(child(child(root, 0), 0), "print", 530, 2);
	expect(child(child(child(root, 0), 0), 0), "strdup", 500, 0);
	expect(child(child(root, 0), 1), "parse", 100, 1);
	hakstat_tree_free(root);
	hakstat_report_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers_stand_below_who_asked),
		cmocka_unit_test(callees_stand_below_who_called_them),
	};

	return cmocka_run_group_tests_name("site_tree", tests, NULL, NULL);
}
