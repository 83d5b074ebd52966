/* SPDX-License-Identifier: MIT */
/*
 * The report as GitHub-flavoured markdown, for step summaries and issues.
 */
#include <string.h>

#include "grid.h"
#include "render.h"
#include "text.h"

enum { STANDARD_ROWS = 10 };

void hakstat_markdown_put(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '<') {
			fputs("&lt;", out);
		} else if (*p == '>') {
			fputs("&gt;", out);
		} else if (*p == '&') {
			fputs("&amp;", out);
		} else {
			if (strchr("\\`*_[]|#~", *p)) {
				fputc('\\', out);
			}
			fputc(*p, out);
		}
	}
}

void hakstat_markdown_grid(const struct hakstat_grid *grid, FILE *out)
{
	if (grid->columns == 0) {
		return;
	}
	for (size_t c = 0; c < grid->columns; c++) {
		fputs("| ", out);
		hakstat_markdown_put(out, grid->headers[c]);
		fputc(' ', out);
	}
	fputs("|\n", out);
	for (size_t c = 0; c < grid->columns; c++) {
		fputs(grid->kinds[c] == HAKSTAT_GRID_NUMBER ? "|--:" : "|---", out);
	}
	fputs("|\n", out);
	for (guint i = 0; i < grid->cells->len; i++) {
		fputs("| ", out);
		hakstat_markdown_put(out, g_ptr_array_index(grid->cells, i));
		fputs((i + 1) % grid->columns ? " " : " |\n", out);
	}
}

static bool is_shown(const struct hakstat_column *column, enum hakstat_table_id table)
{
	return (column->shown & 1u << table) != 0;
}

static void put_header(FILE *out, enum hakstat_table_id table)
{
	for (size_t c = 0; c < hakstat_column_count; c++) {
		if (is_shown(&hakstat_columns[c], table)) {
			fputs("| ", out);
			hakstat_markdown_put(out, hakstat_columns[c].header);
			fputc(' ', out);
		}
	}
	fputs("|\n", out);
	for (size_t c = 0; c < hakstat_column_count; c++) {
		if (is_shown(&hakstat_columns[c], table)) {
			bool is_text = hakstat_columns[c].unit == HAKSTAT_UNIT_TEXT ||
				       hakstat_columns[c].unit == HAKSTAT_UNIT_STACK;
			fputs(is_text ? "|---" : "|--:", out);
		}
	}
	fputs("|\n", out);
}

static void put_row(FILE *out, enum hakstat_table_id table, const struct hakstat_row *row, bool is_exact)
{
	for (size_t c = 0; c < hakstat_column_count; c++) {
		if (is_shown(&hakstat_columns[c], table)) {
			char *text = hakstat_cell_text(&hakstat_columns[c], row, is_exact);
			fputs("| ", out);
			hakstat_markdown_put(out, text);
			fputc(' ', out);
			g_free(text);
		}
	}
	fputs("|\n", out);
}

static void put_table(FILE *out, const struct hakstat_report *r, const struct hakstat_view *view,
		      enum hakstat_table_id table)
{
	guint all = r->tables[table]->len;
	bool is_whole = table == HAKSTAT_BY_CLASS || table == HAKSTAT_BY_ROUTE;
	guint rows = hakstat_view_rows(view, all, is_whole ? all : STANDARD_ROWS);

	fprintf(out, "\n### %s\n\n",
		table == HAKSTAT_BY_SITE ? HAKSTAT_SITE_TITLE("Call sites", r->summary->sites_are_frag)
					 : hakstat_table_titles[table]);
	if (all == 0) {
		fputs("none in this trace\n", out);
		return;
	}
	put_header(out, table);
	for (guint i = 0; i < rows; i++) {
		put_row(out, table, g_ptr_array_index(r->tables[table], i), view->is_exact);
	}
	if (rows < all) {
		fprintf(out, "\n%u of %u rows\n", rows, all);
	}
}

static void put_memory(FILE *out, const struct hakstat_report *r, bool is_exact)
{
	GPtrArray *rows = hakstat_memory_rows(r, is_exact);

	if (!rows) {
		return;
	}
	fputs("\n### Memory\n\n", out);
	for (int c = 0; c < HAKSTAT_MEMORY_COLUMNS; c++) {
		fprintf(out, "| %s ", hakstat_memory_header(r, c));
	}
	fputs("|\n| :-- | --: | --: | --: |\n", out);
	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_memory_row *row = g_ptr_array_index(rows, i);
		for (int c = 0; c < HAKSTAT_MEMORY_COLUMNS; c++) {
			fprintf(out, "| %s ", row->cells[c]);
		}
		fputs("|\n", out);
	}
	g_ptr_array_unref(rows);
}

static void put_findings(FILE *out, const struct hakstat_report *r)
{
	fputs("\n### Findings\n\n", out);
	if (r->findings->len == 0) {
		fputs("nothing stands out\n", out);
	}
	for (guint i = 0; i < r->findings->len; i++) {
		const struct hakstat_finding *f = g_ptr_array_index(r->findings, i);
		char *message = hakstat_text_clean(f->message);
		fprintf(out, "%u. ", i + 1);
		hakstat_markdown_put(out, message);
		fputs(".", out);
		if (f->advice) {
			fputs(" Advice: ", out);
			hakstat_markdown_put(out, f->advice);
			fputs(".", out);
		}
		fputc('\n', out);
		g_free(message);
	}
}

int hakstat_render_markdown(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	GPtrArray *lines = hakstat_head_lines(r, view->is_exact);

	fputs("## Waste report\n\n", out);
	for (guint i = 0; i < lines->len; i++) {
		fputs("- ", out);
		hakstat_markdown_put(out, g_ptr_array_index(lines, i));
		fputc('\n', out);
	}
	g_ptr_array_unref(lines);
	if (view->has_by) {
		put_table(out, r, view, view->by);
		return ferror(out) ? -1 : 0;
	}
	put_memory(out, r, view->is_exact);
	for (int t = HAKSTAT_BY_CLASS; t <= HAKSTAT_BY_SITE; t++) {
		put_table(out, r, view, (enum hakstat_table_id)t);
	}
	put_findings(out, r);
	return ferror(out) ? -1 : 0;
}
