/* SPDX-License-Identifier: MIT */
/*
 * The tree of call sites: for people the branches that matter, as JSON all of it.
 */
#include <inttypes.h>

#include "grid.h"
#include "json.h"
#include "render.h"
#include "site_tree.h"

enum {
	STANDARD_CHILDREN = 10, /* of one node */
	SHOWN_PARTS = 200,	/* what wastes less than such a part of all is left out */
};

/* One fact, one place: the columns of the table by site, as far as a node has them. */
static const char *const keys[] = { "waste_bytes", "waste_percent", "allocs", "requested_bytes" };

struct drawing {
	struct hakstat_grid grid;
	const struct hakstat_view *view;
	uint64_t waste; /* of all */
};

static const struct hakstat_column *column(const char *key)
{
	return hakstat_column_find(1u << HAKSTAT_BY_SITE, key);
}

static void put_numbers(struct drawing *d, const struct hakstat_row *row)
{
	double part = d->waste ? (double)hakstat_counts_waste(&row->n) / (double)d->waste : 0;

	hakstat_grid_cell(&d->grid, g_strdup_printf("%.1f", part * 100));
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		hakstat_grid_cell(&d->grid, hakstat_cell_text(column(keys[i]), row, d->view->is_exact));
	}
}

static bool is_shown(const struct drawing *d, const GPtrArray *children, guint i)
{
	const struct hakstat_tree_node *child = g_ptr_array_index(children, i);
	uint64_t waste = hakstat_counts_waste(&child->row.n);

	return i < (d->view->top ? d->view->top : STANDARD_CHILDREN) && waste > 0 &&
	       waste >= d->waste / SHOWN_PARTS;
}

/* A frame that is reached in one way, and goes on in one way, needs no line of its own. */
static const struct hakstat_tree_node *follow(const struct drawing *d, const struct hakstat_tree_node *node,
					      GString *names)
{
	while (node->children->len == 1 && is_shown(d, node->children, 0)) {
		node = g_ptr_array_index(node->children, 0);
		g_string_append_printf(names, " %c %s", d->view->from_callees ? '>' : '<', node->name);
	}
	return node;
}

static void draw_rest(struct drawing *d, const GPtrArray *children, guint first, guint parent)
{
	struct hakstat_row rest = { 0 };

	for (guint i = first; i < children->len; i++) {
		const struct hakstat_tree_node *child = g_ptr_array_index(children, i);
		hakstat_counts_add(&rest.n, &child->row.n);
	}
	hakstat_grid_below(&d->grid, parent);
	put_numbers(d, &rest);
	hakstat_grid_cell(&d->grid, g_strdup_printf("(%u more)", children->len - first));
}

static void draw_children(struct drawing *d, const GPtrArray *children, guint parent)
{
	guint i;

	for (i = 0; i < children->len && is_shown(d, children, i); i++) {
		const struct hakstat_tree_node *child = g_ptr_array_index(children, i);
		GString *names = g_string_new(child->name);
		const struct hakstat_tree_node *last = follow(d, child, names);
		guint row = hakstat_grid_below(&d->grid, parent);
		put_numbers(d, &child->row);
		hakstat_grid_cell(&d->grid, g_string_free(names, FALSE));
		draw_children(d, last->children, row);
	}
	if (i < children->len) {
		draw_rest(d, children, i, parent);
	}
}

int hakstat_render_tree(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	struct hakstat_tree_node *root = hakstat_tree_new(r, view->from_callees);
	struct drawing d = { .view = view, .waste = hakstat_counts_waste(&root->row.n) };
	int status = 0;

	hakstat_grid_init(&d.grid);
	hakstat_grid_column(&d.grid, "% of all", HAKSTAT_GRID_NUMBER);
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		hakstat_grid_column_of_rank(&d.grid, column(keys[i])->header, HAKSTAT_GRID_NUMBER, (int)i);
	}
	hakstat_grid_column(&d.grid, view->from_callees ? "thread > calls" : "asked for by < called by",
			    HAKSTAT_GRID_TREE);
	draw_children(&d, root->children, HAKSTAT_GRID_TOP);
	hakstat_put_head(r, view, out);
	fprintf(out, "\n%s\n", hakstat_site_title(r->summary));
	status = hakstat_grid_print(&d.grid, view->width, view->colours, out);
	hakstat_grid_clear(&d.grid);
	hakstat_tree_free(root);
	return status || ferror(out) ? -1 : 0;
}

static json_t *node_json(const struct hakstat_tree_node *node)
{
	json_t *object = json_object();
	json_t *children = json_array();

	if (node->name) {
		json_object_set_new(object, "name", json_string(node->name));
	}
	if (node->row.stack->len) {
		json_object_set_new(object, "frame",
				    hakstat_frame_json(g_ptr_array_index(node->row.stack, 0)));
	}
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		json_object_set_new(object, keys[i], hakstat_value_json(column(keys[i]), &node->row));
	}
	for (guint i = 0; i < node->children->len; i++) {
		json_array_append_new(children, node_json(g_ptr_array_index(node->children, i)));
	}
	json_object_set_new(object, "children", children);
	return object;
}

/* All of it, whatever the view leaves out: a program takes what it wants. */
int hakstat_render_tree_json(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	struct hakstat_tree_node *root = hakstat_tree_new(r, view->from_callees);
	json_t *object = hakstat_facts_json(r);

	json_object_set_new(object, "tree", node_json(root));
	hakstat_tree_free(root);
	return hakstat_json_write(object, out);
}
