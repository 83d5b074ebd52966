/* SPDX-License-Identifier: MIT */
/*
 * The report for a terminal. One that is too narrow for all
 * columns gets the important ones.
 */

#include "grid.h"
#include "render.h"

#define BOLD   "\033[1m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

enum { STANDARD_ROWS = 10, FINDING_INDENT = 3 };

struct section {
	enum hakstat_table_id table;
	const char *title;
	guint standard; /* rows shown unasked; 0: all */
};

static const struct section sections[] = {
	{ HAKSTAT_BY_CLASS, "Classes", 0 },
	{ HAKSTAT_BY_ROUTE, "Routes", 0 },
	{ HAKSTAT_BY_SIZE, "Worst request sizes", STANDARD_ROWS },
	{ HAKSTAT_BY_SITE, "Worst call sites", STANDARD_ROWS },
};

/* A section's grid, and what its columns are. */
struct plan {
	struct hakstat_grid grid;
	const struct hakstat_column *columns[HAKSTAT_GRID_MAX];
	guint rows;
};

static bool class_is_silent(const struct hakstat_row *row)
{
	return row->n.allocs == 0 && row->n.frees == 0 && row->n.live == 0 && row->n.slabs == 0;
}

static enum hakstat_grid_kind kind_of(const struct hakstat_column *column)
{
	switch (column->unit) {
	case HAKSTAT_UNIT_TEXT:
		return HAKSTAT_GRID_TEXT;
	case HAKSTAT_UNIT_STACK:
		return HAKSTAT_GRID_LONG;
	default:
		return HAKSTAT_GRID_NUMBER;
	}
}

static void choose_columns(struct plan *p, enum hakstat_table_id table)
{
	for (size_t i = 0; i < hakstat_column_count; i++) {
		if (hakstat_columns[i].shown & 1u << table) {
			p->columns[p->grid.columns] = &hakstat_columns[i];
			hakstat_grid_column_of_rank(&p->grid, hakstat_columns[i].header,
						    kind_of(&hakstat_columns[i]), hakstat_columns[i].rank);
		}
	}
}

static void fill(struct plan *p, const struct hakstat_report *r, enum hakstat_table_id table, guint limit,
		 bool is_exact)
{
	for (guint i = 0; i < r->tables[table]->len && p->rows < limit; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[table], i);
		if (table == HAKSTAT_BY_CLASS && class_is_silent(row)) {
			continue;
		}
		for (size_t c = 0; c < p->grid.columns; c++) {
			hakstat_grid_cell(&p->grid, hakstat_cell_text(p->columns[c], row, is_exact));
		}
		p->rows++;
	}
}

static void print_title(const char *title, guint shown, guint all, const struct hakstat_view *view, FILE *out)
{
	fprintf(out, "\n%s%s%s", view->colours ? BOLD : "", title, view->colours ? PLAIN : "");
	if (shown < all) {
		fprintf(out, " (%u of %u)", shown, all);
	}
	fputc('\n', out);
}

static int print_section(const struct hakstat_report *r, const struct hakstat_view *view,
			 const struct section *section, FILE *out)
{
	struct plan p = { .rows = 0 };
	guint all = r->tables[section->table]->len;
	guint limit = hakstat_view_rows(view, all, section->standard ? section->standard : all);
	int status = 0;

	hakstat_grid_init(&p.grid);
	choose_columns(&p, section->table);
	fill(&p, r, section->table, limit, view->is_exact);
	print_title(section->title, p.rows, section->standard || view->top ? all : p.rows, view, out);
	if (p.rows == 0) {
		fputs("none in this trace\n", out);
	} else {
		status = hakstat_grid_print(&p.grid, view->width, view->colours, out);
	}
	hakstat_grid_clear(&p.grid);
	return status;
}

static int print_memory(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	GPtrArray *rows = hakstat_memory_rows(r, view->is_exact);
	struct hakstat_grid grid;
	int status;

	if (!rows) {
		return 0;
	}
	print_title("Memory", 0, 0, view, out);
	hakstat_grid_init(&grid);
	for (int c = 0; c < HAKSTAT_MEMORY_COLUMNS; c++) {
		hakstat_grid_column(&grid, hakstat_memory_header(r, c),
				    c ? HAKSTAT_GRID_NUMBER : HAKSTAT_GRID_TEXT);
	}
	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_memory_row *row = g_ptr_array_index(rows, i);
		for (int c = 0; c < HAKSTAT_MEMORY_COLUMNS; c++) {
			hakstat_grid_cell(&grid, g_strdup(row->cells[c]));
		}
	}
	status = hakstat_grid_print(&grid, view->width, view->colours, out);
	hakstat_grid_clear(&grid);
	g_ptr_array_unref(rows);
	return status;
}

static void put_finding(const struct hakstat_view *view, guint number, const struct hakstat_finding *f,
			FILE *out)
{
	g_autofree char *message = g_strdup_printf("%u. %s.", number, f->message);
	g_autofree char *shown = hakstat_prose(view, FINDING_INDENT, message);
	g_autofree char *advice = g_strdup_printf("   Advice: %s.", f->advice ? f->advice : "none");

	fprintf(out, "%s%s%s\n", view->colours ? YELLOW : "", shown, view->colours ? PLAIN : "");
	if (f->advice) {
		hakstat_put_prose(view, FINDING_INDENT, advice, out);
	}
}

static void print_findings(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	print_title("Findings", r->findings->len, r->findings->len, view, out);
	if (r->findings->len == 0) {
		fputs("nothing stands out\n", out);
	}
	for (guint i = 0; i < r->findings->len; i++) {
		const struct hakstat_finding *f = g_ptr_array_index(r->findings, i);
		put_finding(view, i + 1, f, out);
	}
}

void hakstat_put_head(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	GPtrArray *lines = hakstat_head_lines(r, view->is_exact);

	for (guint i = 0; i < lines->len; i++) {
		hakstat_put_prose(view, HAKSTAT_HEAD_INDENT, g_ptr_array_index(lines, i), out);
	}
	g_ptr_array_unref(lines);
}

const char *hakstat_site_title(const struct hakstat_summary *s)
{
	return HAKSTAT_SITE_TITLE("Worst call sites", s->sites_are_frag);
}

int hakstat_render_table(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	if (!view->is_bare) {
		hakstat_put_head(r, view, out);
	}
	if (view->has_by) {
		struct section section = { view->by, hakstat_table_titles[view->by], 0 };
		section.title = view->by == HAKSTAT_BY_SITE ? hakstat_site_title(r->summary) : section.title;
		return print_section(r, view, &section, out) || ferror(out) ? -1 : 0;
	}
	if (print_memory(r, view, out)) {
		return -1;
	}
	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
		struct section section = sections[i];
		section.title =
			section.table == HAKSTAT_BY_SITE ? hakstat_site_title(r->summary) : section.title;
		if (print_section(r, view, &section, out)) {
			return -1;
		}
	}
	print_findings(r, view, out);
	return ferror(out) ? -1 : 0;
}
