/* SPDX-License-Identifier: MIT */
/*
 * Grids by libsmartcols.
 */
#include "grid.h"

#include <libsmartcols/libsmartcols.h>
#include <string.h>

enum { ANY_WIDTH = 100000 };

void hakstat_grid_init(struct hakstat_grid *grid)
{
	memset(grid, 0, sizeof *grid);
	grid->cells = g_ptr_array_new_with_free_func(g_free);
	grid->parents = g_array_new(FALSE, FALSE, sizeof(guint));
}

void hakstat_grid_clear(struct hakstat_grid *grid)
{
	g_ptr_array_unref(grid->cells);
	g_array_unref(grid->parents);
}

void hakstat_grid_column(struct hakstat_grid *grid, const char *header, enum hakstat_grid_kind kind)
{
	if (grid->columns < HAKSTAT_GRID_MAX) {
		grid->headers[grid->columns] = header;
		grid->kinds[grid->columns++] = kind;
	}
}

guint hakstat_grid_below(struct hakstat_grid *grid, guint parent)
{
	const guint top = HAKSTAT_GRID_TOP;
	guint row = grid->cells->len / (guint)grid->columns;

	while (grid->parents->len < row) {
		g_array_append_val(grid->parents, top);
	}
	g_array_append_val(grid->parents, parent);
	return row;
}

void hakstat_grid_cell(struct hakstat_grid *grid, char *text)
{
	g_ptr_array_add(grid->cells, text);
}

static struct libscols_table *make_table(const struct hakstat_grid *grid, int width, bool colours, FILE *out)
{
	static const int flags[] = { 0, SCOLS_FL_RIGHT, SCOLS_FL_TRUNC, SCOLS_FL_TREE | SCOLS_FL_TRUNC };
	struct libscols_table *table = scols_new_table();

	scols_table_set_stream(table, out);
	scols_table_enable_colors(table, colours);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, width > 0 ? (size_t)width : ANY_WIDTH);
	for (size_t c = 0; c < grid->columns; c++) {
		struct libscols_column *column;
		if (grid->hidden[c]) {
			continue;
		}
		column = scols_table_new_column(table, grid->headers[c], 0, flags[grid->kinds[c]]);
		if (colours) {
			scols_cell_set_color(scols_column_get_header(column), "bold");
		}
	}
	return table;
}

/* Rows come in order, so a parent's line is there before those below it. */
static struct libscols_line *add_line(struct libscols_table *table, const struct hakstat_grid *grid,
				      guint row)
{
	guint parent = row < grid->parents->len ? g_array_index(grid->parents, guint, row) : HAKSTAT_GRID_TOP;

	return scols_table_new_line(table,
				    parent == HAKSTAT_GRID_TOP ? NULL : scols_table_get_line(table, parent));
}

int hakstat_grid_print(const struct hakstat_grid *grid, int width, bool colours, FILE *out)
{
	struct libscols_table *table = make_table(grid, width, colours, out);
	int status;

	for (guint i = 0; i + grid->columns <= grid->cells->len; i += (guint)grid->columns) {
		struct libscols_line *line = add_line(table, grid, i / (guint)grid->columns);
		size_t at = 0;
		for (size_t c = 0; c < grid->columns; c++) {
			if (!grid->hidden[c]) {
				scols_line_set_data(line, at++, g_ptr_array_index(grid->cells, i + c));
			}
		}
	}
	status = scols_print_table(table);
	scols_unref_table(table);
	return status ? -1 : 0;
}
