/* SPDX-License-Identifier: MIT */
#include "site_tree.h"

#include <string.h>

#include "frame.h"

static void free_node(void *data)
{
	hakstat_tree_free(data);
}

static struct hakstat_tree_node *new_node(char *name)
{
	struct hakstat_tree_node *node = g_new0(struct hakstat_tree_node, 1);

	node->name = name;
	node->row.stack = g_ptr_array_new();
	node->children = g_ptr_array_new_with_free_func(free_node);
	node->by_name = g_hash_table_new(g_str_hash, g_str_equal);
	return node;
}

void hakstat_tree_free(struct hakstat_tree_node *node)
{
	g_free(node->name);
	g_ptr_array_unref(node->row.stack);
	g_ptr_array_unref(node->children);
	g_hash_table_destroy(node->by_name);
	g_free(node);
}

/* The line is no part of it: a function that asks in two places is one caller. */
static char *node_name(const struct hakstat_frame *frame)
{
	if (!frame->function || !frame->module) {
		return hakstat_frame_name(frame);
	}
	return g_strdup_printf("%s (%s)", frame->function, basename(frame->module));
}

static struct hakstat_tree_node *child_of(struct hakstat_tree_node *parent, char *name)
{
	struct hakstat_tree_node *child = g_hash_table_lookup(parent->by_name, name);

	if (child) {
		g_free(name);
		return child;
	}
	child = new_node(name);
	g_hash_table_insert(parent->by_name, child->name, child);
	g_ptr_array_add(parent->children, child);
	return child;
}

static void add_site(struct hakstat_tree_node *root, const struct hakstat_row *site, bool from_callees)
{
	struct hakstat_tree_node *node = root;
	guint frames = site->stack->len;

	hakstat_counts_add(&root->row.n, &site->n);
	if (frames == 0) {
		node = child_of(node, g_strdup("(stack not in this trace)"));
		hakstat_counts_add(&node->row.n, &site->n);
	}
	for (guint i = 0; i < frames; i++) {
		struct hakstat_frame *frame =
			g_ptr_array_index(site->stack, from_callees ? frames - 1 - i : i);
		node = child_of(node, node_name(frame));
		if (node->row.stack->len == 0) {
			g_ptr_array_add(node->row.stack, frame);
		}
		hakstat_counts_add(&node->row.n, &site->n);
	}
}

static gint compare_nodes(gconstpointer a, gconstpointer b)
{
	const struct hakstat_tree_node *x = *(const struct hakstat_tree_node *const *)a;
	const struct hakstat_tree_node *y = *(const struct hakstat_tree_node *const *)b;
	uint64_t p = hakstat_counts_waste(&x->row.n);
	uint64_t q = hakstat_counts_waste(&y->row.n);

	return p != q ? (p < q) - (p > q) : strcmp(x->name, y->name);
}

/* As deep as the longest stack, which the tracer bounds. */
static void sort_nodes(struct hakstat_tree_node *node)
{
	g_ptr_array_sort(node->children, compare_nodes);
	for (guint i = 0; i < node->children->len; i++) {
		sort_nodes(g_ptr_array_index(node->children, i));
	}
}

struct hakstat_tree_node *hakstat_tree_new(const struct hakstat_report *report, bool from_callees)
{
	struct hakstat_tree_node *root = new_node(NULL);
	const GPtrArray *sites = report->tables[HAKSTAT_BY_SITE];

	for (guint i = 0; i < sites->len; i++) {
		add_site(root, g_ptr_array_index(sites, i), from_callees);
	}
	sort_nodes(root);
	return root;
}
