/* SPDX-License-Identifier: MIT */
/*
 * Grids by libsmartcols.
 */
#include "grid.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* A long column may be cut to LEAST_LONG before others are left out. */
enum { ANY_WIDTH = 100000, LEAST_LONG = 30 };

/* What is printed of a grid. */
struct choice {
	bool hidden[HAKSTAT_GRID_MAX];
};

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

void hakstat_grid_column_of_rank(struct hakstat_grid *grid, const char *header, enum hakstat_grid_kind kind,
				 int rank)
{
	if (grid->columns < HAKSTAT_GRID_MAX) {
		grid->headers[grid->columns] = header;
		grid->ranks[grid->columns] = rank;
		grid->kinds[grid->columns++] = kind;
	}
}

void hakstat_grid_column(struct hakstat_grid *grid, const char *header, enum hakstat_grid_kind kind)
{
	hakstat_grid_column_of_rank(grid, header, kind, 0);
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

/* The least that a column needs. */
static size_t column_width(const struct hakstat_grid *grid, size_t column)
{
	size_t widest = hakstat_text_width(grid->headers[column]);

	for (guint i = (guint)column; i < grid->cells->len; i += (guint)grid->columns) {
		widest = MAX(widest, hakstat_text_width(g_ptr_array_index(grid->cells, i)));
	}
	return grid->kinds[column] >= HAKSTAT_GRID_LONG ? MIN(widest, LEAST_LONG) : widest;
}

/* Columns go one by one, from the highest rank, until the rest fits. */
static struct choice fit(const struct hakstat_grid *grid, int width)
{
	struct choice choice = { 0 };
	size_t widths[HAKSTAT_GRID_MAX], sum = 0;

	for (size_t c = 0; c < grid->columns; c++) {
		widths[c] = column_width(grid, c) + (c != 0);
		sum += widths[c];
	}
	while (width > 0 && sum > (size_t)width) {
		size_t worst = grid->columns;
		for (size_t c = 0; c < grid->columns; c++) {
			if (!choice.hidden[c] && grid->ranks[c] > 0 &&
			    (worst == grid->columns || grid->ranks[c] >= grid->ranks[worst])) {
				worst = c;
			}
		}
		if (worst == grid->columns) {
			break;
		}
		choice.hidden[worst] = true;
		sum -= widths[worst];
	}
	return choice;
}

static void print_hidden(const struct hakstat_grid *grid, const struct choice *choice, int width, FILE *out)
{
	GString *text = g_string_new(NULL);
	char *wrapped;

	for (size_t c = 0; c < grid->columns; c++) {
		if (choice->hidden[c]) {
			g_string_append_printf(text, "%s%s",
					       text->len ? ", " : "(left out, the terminal is too narrow: ",
					       grid->headers[c]);
		}
	}
	if (text->len) {
		g_string_append_c(text, ')');
		wrapped = hakstat_text_wrap(text->str, width, 1);
		fprintf(out, "%s\n", wrapped);
		g_free(wrapped);
	}
	g_string_free(text, TRUE);
}

static struct libscols_table *make_table(const struct hakstat_grid *grid, const struct choice *choice,
					 int width, bool colours, FILE *out)
{
	static const int flags[] = { 0, SCOLS_FL_RIGHT, SCOLS_FL_TRUNC, SCOLS_FL_TREE | SCOLS_FL_TRUNC };
	struct libscols_table *table = scols_new_table();

	scols_table_set_stream(table, out);
	scols_table_enable_colors(table, colours);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, width > 0 ? (size_t)width : ANY_WIDTH);
	for (size_t c = 0; c < grid->columns; c++) {
		struct libscols_column *column;
		if (choice->hidden[c]) {
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
	struct choice choice = fit(grid, width);
	struct libscols_table *table = make_table(grid, &choice, width, colours, out);
	int status;

	for (guint i = 0; i + grid->columns <= grid->cells->len; i += (guint)grid->columns) {
		struct libscols_line *line = add_line(table, grid, i / (guint)grid->columns);
		size_t at = 0;
		for (size_t c = 0; c < grid->columns; c++) {
			g_autofree char *cell =
				hakstat_text_for_locale(g_ptr_array_index(grid->cells, i + c));
			if (!choice.hidden[c]) {
				scols_line_set_data(line, at++, cell);
			}
		}
	}
	status = scols_print_table(table);
	scols_unref_table(table);
	print_hidden(grid, &choice, width, out);
	return status ? -1 : 0;
}
