/* SPDX-License-Identifier: MIT */
/*
 * The report for a terminal: libsmartcols draws the tables; a terminal too narrow for all
 * columns gets the important ones.
 */
#include <libsmartcols/libsmartcols.h>
#include <string.h>

#include "render.h"
#include "text.h"

#define BOLD   "\033[1m"
#define YELLOW "\033[33m"
#define PLAIN  "\033[0m"

enum { STANDARD_ROWS = 10, MIN_SITE_WIDTH = 30, MAX_COLUMNS = 48 };

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

struct grid {
	const struct hakstat_column *columns[MAX_COLUMNS];
	size_t widths[MAX_COLUMNS];
	size_t count;
	GPtrArray *cells; /* char *, row by row */
	guint rows;
	bool dropped; /* columns were left out to fit */
};

static size_t columns_wide(const char *text)
{
	return (size_t)g_utf8_strlen(text, -1);
}

static bool class_is_silent(const struct hakstat_row *row)
{
	return row->n.allocs == 0 && row->n.frees == 0 && row->n.live == 0 && row->n.slabs == 0;
}

static void fill_grid(struct grid *g, const struct hakstat_report *r, enum hakstat_table_id table,
		      guint limit, bool is_exact)
{
	for (guint i = 0; i < r->tables[table]->len && g->rows < limit; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[table], i);
		if (table == HAKSTAT_BY_CLASS && class_is_silent(row)) {
			continue;
		}
		for (size_t c = 0; c < g->count; c++) {
			char *text = hakstat_cell_text(g->columns[c], row, is_exact);
			g->widths[c] = MAX(g->widths[c], columns_wide(text));
			g_ptr_array_add(g->cells, text);
		}
		g->rows++;
	}
}

static void choose_columns(struct grid *g, enum hakstat_table_id table)
{
	for (size_t i = 0; i < hakstat_column_count && g->count < MAX_COLUMNS; i++) {
		if (hakstat_columns[i].shown & 1u << table) {
			g->widths[g->count] = columns_wide(hakstat_columns[i].header);
			g->columns[g->count++] = &hakstat_columns[i];
		}
	}
}

static size_t total_width(const struct grid *g)
{
	size_t sum = 0;

	for (size_t c = 0; c < g->count; c++) {
		if (g->columns[c]) {
			sum += 1 +
			       (g->columns[c]->unit == HAKSTAT_UNIT_STACK ? MIN_SITE_WIDTH : g->widths[c]);
		}
	}
	return sum;
}

/* Columns go one by one, from the highest rank, until the rest fits. Rank 0 stays. */
static void fit(struct grid *g, int width)
{
	while (width > 0 && total_width(g) > (size_t)width) {
		size_t worst = g->count;
		for (size_t c = 0; c < g->count; c++) {
			if (g->columns[c] && g->columns[c]->rank > 0 &&
			    (worst == g->count || g->columns[c]->rank >= g->columns[worst]->rank)) {
				worst = c;
			}
		}
		if (worst == g->count) {
			return;
		}
		g->columns[worst] = NULL;
		g->dropped = true;
	}
}

static int column_flags(const struct hakstat_column *column)
{
	switch (column->unit) {
	case HAKSTAT_UNIT_TEXT:
		return 0;
	case HAKSTAT_UNIT_STACK:
		return SCOLS_FL_TRUNC;
	default:
		return SCOLS_FL_RIGHT;
	}
}

static struct libscols_table *make_table(const struct grid *g, const struct hakstat_view *view, FILE *out)
{
	struct libscols_table *table = scols_new_table();

	scols_table_set_stream(table, out);
	scols_table_enable_colors(table, view->colours);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, view->width > 0 ? (size_t)view->width : 100000);
	for (size_t c = 0; c < g->count; c++) {
		if (g->columns[c]) {
			struct libscols_column *column = scols_table_new_column(
				table, g->columns[c]->header, 0, column_flags(g->columns[c]));
			if (view->colours) {
				scols_cell_set_color(scols_column_get_header(column), "bold");
			}
		}
	}
	return table;
}

static int print_grid(const struct grid *g, const struct hakstat_view *view, FILE *out)
{
	struct libscols_table *table = make_table(g, view, out);
	int status;

	for (guint row = 0; row < g->rows; row++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		size_t at = 0;
		for (size_t c = 0; c < g->count; c++) {
			if (g->columns[c]) {
				scols_line_set_data(line, at++,
						    g_ptr_array_index(g->cells, row * g->count + c));
			}
		}
	}
	status = scols_print_table(table);
	scols_unref_table(table);
	return status;
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
	struct grid g = { .cells = g_ptr_array_new_with_free_func(g_free) };
	guint all = r->tables[section->table]->len;
	guint limit = hakstat_view_rows(view, all, section->standard ? section->standard : all);
	int status = 0;

	choose_columns(&g, section->table);
	fill_grid(&g, r, section->table, limit, view->is_exact);
	fit(&g, view->width);
	print_title(section->title, g.rows, section->standard || view->top ? all : g.rows, view, out);
	if (g.rows == 0) {
		fputs("none in this trace\n", out);
	} else {
		status = print_grid(&g, view, out);
	}
	if (g.dropped) {
		fputs("(the terminal is too narrow for all columns; --format csv has them)\n", out);
	}
	g_ptr_array_unref(g.cells);
	return status;
}

static void print_findings(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	print_title("Findings", r->findings->len, r->findings->len, view, out);
	if (r->findings->len == 0) {
		fputs("nothing stands out\n", out);
	}
	for (guint i = 0; i < r->findings->len; i++) {
		const struct hakstat_finding *f = g_ptr_array_index(r->findings, i);
		char *message = hakstat_text_clean(f->message);
		fprintf(out, "%u. %s%s%s.\n", i + 1, view->colours ? YELLOW : "", message,
			view->colours ? PLAIN : "");
		if (f->advice) {
			fprintf(out, "   Advice: %s.\n", f->advice);
		}
		g_free(message);
	}
}

static void print_head(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	GPtrArray *lines = hakstat_head_lines(r, view->is_exact);

	for (guint i = 0; i < lines->len; i++) {
		fprintf(out, "%s\n", (const char *)g_ptr_array_index(lines, i));
	}
	g_ptr_array_unref(lines);
}

static const char *site_title(const struct hakstat_summary *s)
{
	if (s->sites_are_frag) {
		return "Worst call sites (only requests that waste HAKMEM_FRAG_PERCENT or more)";
	}
	return "Worst call sites (estimated from samples)";
}

int hakstat_render_table(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	static const char *const titles[] = { "Classes", "Routes",    "Request sizes", "Call sites",
					      "Threads", "Processes", "Course of time" };

	print_head(r, view, out);
	if (view->has_by) {
		struct section section = { view->by, titles[view->by], 0 };
		section.title = view->by == HAKSTAT_BY_SITE ? site_title(r->summary) : section.title;
		return print_section(r, view, &section, out) || ferror(out) ? -1 : 0;
	}
	for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
		struct section section = sections[i];
		section.title = section.table == HAKSTAT_BY_SITE ? site_title(r->summary) : section.title;
		if (print_section(r, view, &section, out)) {
			return -1;
		}
	}
	print_findings(r, view, out);
	return ferror(out) ? -1 : 0;
}
