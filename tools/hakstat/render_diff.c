/* SPDX-License-Identifier: MIT */
/*
 * A difference as tables and as JSON. Cells are made once and drawn by one of two printers.
 */
#include "render_diff.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "grid.h"
#include "hakmem_size_class.h"
#include "text.h"

enum { STANDARD_ROWS = 10 };

/* A grid with a title. */
struct sheet {
	const char *title;
	struct hakstat_grid grid;
};

typedef void (*sheet_printer)(const struct sheet *sheet, const struct hakstat_view *view, FILE *out);

static char *bytes_cell(int64_t bytes, bool is_exact, bool with_sign)
{
	char text[48];

	if (is_exact) {
		return g_strdup_printf(with_sign ? "%+" PRId64 : "%" PRId64, bytes);
	}
	hakstat_text_bytes(text, sizeof text, bytes);
	return g_strdup_printf("%s%s", with_sign && bytes > 0 ? "+" : "", text);
}

static char *percent_cell(double part, double whole)
{
	return whole > 0 ? g_strdup_printf("%+.1f", 100 * part / whole) : g_strdup(part > 0 ? "new" : "-");
}

static char *count_cell(uint64_t count)
{
	char text[32];

	hakstat_text_count(text, sizeof text, count);
	return g_strdup(text);
}

static void add_counts(struct sheet *sheet, const struct hakstat_counts *base,
		       const struct hakstat_counts *new, bool is_exact)
{
	int64_t change = hakstat_delta_waste(base, new);

	hakstat_grid_cell(&sheet->grid, count_cell(base->allocs));
	hakstat_grid_cell(&sheet->grid, count_cell(new->allocs));
	hakstat_grid_cell(&sheet->grid, bytes_cell((int64_t)hakstat_counts_waste(base), is_exact, false));
	hakstat_grid_cell(&sheet->grid, bytes_cell((int64_t)hakstat_counts_waste(new), is_exact, false));
	hakstat_grid_cell(&sheet->grid, bytes_cell(change, is_exact, true));
	hakstat_grid_cell(&sheet->grid, percent_cell((double)change, (double)hakstat_counts_waste(base)));
	hakstat_grid_cell(&sheet->grid, g_strdup_printf("%.1f", hakstat_waste_each(base)));
	hakstat_grid_cell(&sheet->grid, g_strdup_printf("%.1f", hakstat_waste_each(new)));
}

static void open_sheet(struct sheet *sheet, const char *title, const char *first)
{
	static const char *const numbers[] = { "allocs base", "new", "waste base", "new",
					       "change",      "%",   "each base",  "new" };

	sheet->title = title;
	hakstat_grid_init(&sheet->grid);
	hakstat_grid_column(&sheet->grid, first, HAKSTAT_GRID_LONG);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		hakstat_grid_column(&sheet->grid, numbers[i], HAKSTAT_GRID_NUMBER);
	}
}

static void print_sheet(const struct sheet *sheet, const struct hakstat_view *view, FILE *out)
{
	fprintf(out, "\n%s\n", sheet->title);
	hakstat_grid_print(&sheet->grid, view->width, view->colours, out);
}

static void print_markdown(const struct sheet *sheet, const struct hakstat_view *view, FILE *out)
{
	(void)view;
	fprintf(out, "\n### %s\n\n", sheet->title);
	hakstat_markdown_grid(&sheet->grid, out);
}

static bool is_changed(const struct hakstat_delta *d)
{
	return d->base.allocs != d->new.allocs || hakstat_delta_waste(&d->base, &d->new) != 0;
}

/* Of a call site only the innermost frames. Free with g_free. */
static char *delta_name(const struct hakstat_delta *d, enum hakstat_table_id table)
{
	if (table == HAKSTAT_BY_SITE) {
		return hakstat_cell_text(hakstat_column_find(1u << table, "stack"), d->example, false);
	}
	return hakstat_text_clean(d->name);
}

static void draw_table(const struct hakstat_diff *diff, const struct hakstat_view *view,
		       enum hakstat_table_id t, sheet_printer print, FILE *out)
{
	static const char *const titles[] = { "Classes", "Routes", "Request sizes", "Call sites" };
	static const char *const headers[] = { "class", "route", "request", "call site" };
	struct sheet sheet;
	guint rows = hakstat_view_rows(view, diff->tables[t]->len, STANDARD_ROWS);

	open_sheet(&sheet, titles[t], headers[t]);
	for (guint i = 0; i < rows; i++) {
		const struct hakstat_delta *d = g_ptr_array_index(diff->tables[t], i);
		if (is_changed(d)) {
			hakstat_grid_cell(&sheet.grid, delta_name(d, t));
			add_counts(&sheet, &d->base, &d->new, view->is_exact);
		}
	}
	if (sheet.grid.cells->len) {
		print(&sheet, view, out);
	}
	hakstat_grid_clear(&sheet.grid);
}

static void put_sites_of_move(const struct hakstat_move *move, const struct hakstat_view *view,
			      const char *mark, FILE *out)
{
	for (guint i = 0; i < move->sites->len; i++) {
		const struct hakstat_delta *site = g_ptr_array_index(move->sites, i);
		char *change = bytes_cell(hakstat_delta_waste(&site->base, &site->new), view->is_exact, true);
		char *name = delta_name(site, HAKSTAT_BY_SITE);
		fprintf(out, "  %sasked for by %s: %s of waste\n", mark, name, change);
		g_free(name);
		g_free(change);
	}
}

/* Sizes have moved even when nobody wastes more for it, so moves are said in sentences. */
static void put_moves(const struct hakstat_diff *diff, const struct hakstat_view *view, const char *mark,
		      FILE *out)
{
	guint rows = hakstat_view_rows(view, diff->moves->len, STANDARD_ROWS);

	for (guint i = 0; i < rows; i++) {
		const struct hakstat_move *m = g_ptr_array_index(diff->moves, i);
		char *change = bytes_cell(hakstat_delta_waste(&m->base, &m->new), view->is_exact, true);
		fprintf(out, "%srequests of %" PRIu64 "...%" PRIu64 " bytes moved from %s to %s", mark,
			m->requested_min, m->requested_max, m->from, m->to);
		fprintf(out, ": %s of waste, %.1f -> %.1f bytes each%s%s\n", change,
			hakstat_waste_each(&m->base), hakstat_waste_each(&m->new), m->option ? "; " : "",
			m->option ? m->option : "");
		put_sites_of_move(m, view, mark, out);
		g_free(change);
	}
	if (rows < diff->moves->len) {
		fprintf(out, "%s%u more size ranges moved (--format json has all)\n", mark,
			diff->moves->len - rows);
	}
}

static void put_side(FILE *out, const char *mark, const char *name, const struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;

	fprintf(out, "%s%s: ", mark, name);
	for (guint i = 0; i < s->paths->len; i++) {
		fprintf(out, "%s%s", i ? ", " : "", (const char *)g_ptr_array_index(s->paths, i));
	}
	fprintf(out, ", mode %s%s, %.1f s, lost %s%" PRIu64 " events%s\n", hakstat_summary_mode_name(s->mode),
		s->estimated ? " (estimated)" : "", hakstat_report_duration_s(r),
		s->lost_unknown ? "at least " : "", s->lost_events,
		s->lost_operations ? " and packed operations" : "");
}

static int draw(const struct hakstat_diff *diff, const struct hakstat_view *view, sheet_printer print,
		const char *mark, FILE *out)
{
	struct sheet totals;

	put_side(out, mark, "base", diff->base);
	put_side(out, mark, "new ", diff->new);
	for (guint i = 0; i < diff->options->len; i++) {
		const struct hakstat_option_change *o = g_ptr_array_index(diff->options, i);
		fprintf(out, "%s%s: %s -> %s\n", mark, o->name, o->base, o->new);
	}
	put_moves(diff, view, mark, out);
	open_sheet(&totals, "Totals", "total");
	hakstat_grid_cell(&totals.grid, g_strdup("all"));
	add_counts(&totals, &diff->base->totals.n, &diff->new->totals.n, view->is_exact);
	print(&totals, view, out);
	hakstat_grid_clear(&totals.grid);
	for (int t = 0; t <= HAKSTAT_BY_SITE; t++) {
		if (!view->has_by || view->by == (enum hakstat_table_id)t) {
			draw_table(diff, view, (enum hakstat_table_id)t, print, out);
		}
	}
	return ferror(out) ? -1 : 0;
}

int hakstat_render_diff_table(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out)
{
	return draw(diff, view, print_sheet, "", out);
}

int hakstat_render_diff_markdown(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out)
{
	fputs("## Waste: what changed\n\n", out);
	return draw(diff, view, print_markdown, "- ", out);
}

/* JSON -------------------------------------------------------------------------------------- */

static json_t *counts_json(const struct hakstat_counts *n)
{
	json_t *to = json_pack("{s:I, s:I, s:I, s:I, s:I}", "allocs", (json_int_t)n->allocs, "live",
			       (json_int_t)n->live, "requested_bytes", (json_int_t)n->requested_bytes,
			       "usable_bytes", (json_int_t)n->usable_bytes, "waste_bytes",
			       (json_int_t)hakstat_counts_waste(n));

	json_object_set_new(to, "live_waste_bytes", json_integer((json_int_t)hakstat_counts_live_waste(n)));
	json_object_set_new(to, "waste_bytes_per_alloc", json_real(hakstat_waste_each(n)));
	return to;
}

static void put_sides(json_t *to, const struct hakstat_counts *base, const struct hakstat_counts *new)
{
	json_object_set_new(to, "base", counts_json(base));
	json_object_set_new(to, "new", counts_json(new));
	json_object_set_new(to, "waste_bytes_change", json_integer(hakstat_delta_waste(base, new)));
}

static json_t *clean_json(const char *text)
{
	char *clean;
	json_t *value;

	if (!text) {
		return json_null();
	}
	clean = hakstat_text_clean(text);
	value = json_string(clean);
	g_free(clean);
	return value;
}

static json_t *deltas_json(const GPtrArray *deltas)
{
	json_t *array = json_array();

	for (guint i = 0; i < deltas->len; i++) {
		const struct hakstat_delta *d = g_ptr_array_index(deltas, i);
		json_t *row = json_object();
		json_object_set_new(row, "name", clean_json(d->name));
		put_sides(row, &d->base, &d->new);
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *sites_json(const GPtrArray *sites)
{
	json_t *array = json_array();

	for (guint i = 0; i < sites->len; i++) {
		const struct hakstat_delta *d = g_ptr_array_index(sites, i);
		json_t *site = json_object();
		json_object_set_new(site, "name", clean_json(d->name));
		json_object_set_new(site, "waste_bytes_change",
				    json_integer(hakstat_delta_waste(&d->base, &d->new)));
		json_array_append_new(array, site);
	}
	return array;
}

static json_t *moves_json(const struct hakstat_diff *diff)
{
	json_t *array = json_array();

	for (guint i = 0; i < diff->moves->len; i++) {
		const struct hakstat_move *m = g_ptr_array_index(diff->moves, i);
		json_t *row = json_pack("{s:I, s:I}", "requested_min", (json_int_t)m->requested_min,
					"requested_max", (json_int_t)m->requested_max);
		json_object_set_new(row, "from", clean_json(m->from));
		json_object_set_new(row, "to", clean_json(m->to));
		json_object_set_new(row, "option", clean_json(m->option));
		put_sides(row, &m->base, &m->new);
		json_object_set_new(row, "sites", sites_json(m->sites));
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *options_json(const struct hakstat_diff *diff)
{
	json_t *array = json_array();

	for (guint i = 0; i < diff->options->len; i++) {
		const struct hakstat_option_change *o = g_ptr_array_index(diff->options, i);
		json_t *row = json_pack("{s:s}", "name", o->name);
		json_object_set_new(row, "base", clean_json(o->base));
		json_object_set_new(row, "new", clean_json(o->new));
		json_array_append_new(array, row);
	}
	return array;
}

json_t *hakstat_diff_json(const struct hakstat_diff *diff, const struct hakstat_view *view)
{
	static const char *const keys[] = { "classes", "routes", "sizes", "sites" };
	json_t *root = json_pack("{s:s}", "schema", "hakstat.diff/1");
	json_t *totals = json_object();

	json_object_set_new(totals, "base", hakstat_totals_json(diff->base));
	json_object_set_new(totals, "new", hakstat_totals_json(diff->new));
	json_object_set_new(totals, "waste_bytes_change",
			    json_integer(hakstat_delta_waste(&diff->base->totals.n, &diff->new->totals.n)));
	json_object_set_new(root, "totals", totals);
	json_object_set_new(root, "options", options_json(diff));
	json_object_set_new(root, "moves", moves_json(diff));
	for (int t = 0; t <= HAKSTAT_BY_SITE; t++) {
		if (!view->has_by || view->by == (enum hakstat_table_id)t) {
			json_object_set_new(root, keys[t], deltas_json(diff->tables[t]));
		}
	}
	json_object_set_new(root, "incomplete",
			    json_boolean(hakstat_report_is_incomplete(diff->base) ||
					 hakstat_report_is_incomplete(diff->new)));
	return root;
}

int hakstat_render_diff_json(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out)
{
	json_t *root = hakstat_diff_json(diff, view);
	int status = json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

	fputc('\n', out);
	json_decref(root);
	return status || ferror(out) ? -1 : 0;
}
