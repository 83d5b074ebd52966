/* SPDX-License-Identifier: MIT */
/*
 * A difference for people. Lines and cells are made once and written by one of two printers.
 */
#include "render_diff.h"

#include <inttypes.h>
#include <string.h>

#include "grid.h"
#include "hakmem_size_class.h"
#include "text.h"

enum { STANDARD_ROWS = 10, LINE_INDENT = 2 };

/* A grid with a title. */
struct sheet {
	const char *title;
	guint left_out; /* rows */
	struct hakstat_grid grid;
};

struct paper {
	const struct hakstat_diff *diff;
	const struct hakstat_view *view;
	bool is_markdown;
	FILE *out;
};

/* One line of the head; takes the text over. Names and paths in it come from elsewhere. */
static void put_line(const struct paper *p, const char *indent, char *text)
{
	char *clean = hakstat_text_clean(text);
	char *line = g_strdup_printf("%s%s", indent, clean);

	if (p->is_markdown) {
		fprintf(p->out, "%s- ", indent);
		hakstat_markdown_put(p->out, clean);
		fputc('\n', p->out);
	} else {
		hakstat_put_prose(p->view, (int)strlen(indent) + LINE_INDENT, line, p->out);
	}
	g_free(line);
	g_free(clean);
	g_free(text);
}

static char *bytes_cell(int64_t bytes, bool is_exact, bool with_sign)
{
	char text[48];

	if (is_exact) {
		return g_strdup_printf(with_sign ? "%+" PRId64 : "%" PRId64, bytes);
	}
	hakstat_text_change(text, sizeof text, bytes);
	return g_strdup_printf("%s%s", with_sign && bytes > 0 ? "+" : "", text);
}

static bool are_known(const struct hakstat_diff *diff, const struct hakstat_counts *base,
		      const struct hakstat_counts *new)
{
	return hakstat_diff_is_known(diff, base) && hakstat_diff_is_known(diff, new);
}

/* The waste of one side; `bytes`: scaled, if it is the base. */
static char *waste_cell(const struct hakstat_diff *diff, const struct hakstat_counts *n, double bytes,
			bool is_exact)
{
	return hakstat_diff_is_known(diff, n) ? bytes_cell((int64_t)bytes, is_exact, false) : g_strdup("?");
}

static char *each_text(const struct hakstat_diff *diff, const struct hakstat_counts *n)
{
	return hakstat_diff_is_known(diff, n) ? g_strdup_printf("%.1f", hakstat_diff_each(diff, n))
					      : g_strdup("?");
}

/* A change of estimates with half the width of its 95 % interval. */
static char *change_cell(const struct hakstat_diff *diff, const struct hakstat_counts *base,
			 const struct hakstat_counts *new, bool is_exact)
{
	g_autofree char *change = bytes_cell(hakstat_diff_change(diff, base, new), is_exact, true);
	struct hakstat_value half = hakstat_interval(hakstat_diff_variance(diff, base, new));

	if (!are_known(diff, base, new)) {
		return g_strdup("?");
	}
	return hakstat_with_interval(change, &half, is_exact);
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

static void add_counts(const struct paper *p, const struct hakstat_diff *diff, struct sheet *sheet,
		       const struct hakstat_counts *base, const struct hakstat_counts *new)
{
	bool is_exact = p->view->is_exact;
	int64_t change = hakstat_diff_change(diff, base, new);
	double before = hakstat_diff_base(diff, base);

	hakstat_grid_cell(&sheet->grid, count_cell(hakstat_diff_count(diff, base)));
	hakstat_grid_cell(&sheet->grid, count_cell(hakstat_diff_count(diff, new)));
	hakstat_grid_cell(&sheet->grid, waste_cell(diff, base, before, is_exact));
	hakstat_grid_cell(&sheet->grid, waste_cell(diff, new, hakstat_diff_new_waste(diff, new), is_exact));
	hakstat_grid_cell(&sheet->grid, change_cell(diff, base, new, is_exact));
	hakstat_grid_cell(&sheet->grid,
			  are_known(diff, base, new) ? percent_cell((double)change, before) : g_strdup("?"));
	hakstat_grid_cell(&sheet->grid, each_text(diff, base));
	hakstat_grid_cell(&sheet->grid, each_text(diff, new));
}

static void open_sheet(const struct paper *p, struct sheet *sheet, const char *title, const char *first)
{
	bool is_live = p->diff->per == HAKSTAT_PER_LIVE_BYTE;
	const struct {
		const char *header;
		int rank;
	} numbers[] = {
		{ is_live ? "live base" : "allocs base", 3 },
		{ is_live ? "live new" : "allocs new", 3 },
		{ is_live ? "live waste base" : "waste base", 2 },
		{ is_live ? "live waste new" : "waste new", 2 },
		{ "change", 0 },
		{ "%", 1 },
		{ "each base", 4 },
		{ "each new", 4 },
	};

	sheet->title = title;
	sheet->left_out = 0;
	hakstat_grid_init(&sheet->grid);
	hakstat_grid_column(&sheet->grid, first, HAKSTAT_GRID_LONG);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		hakstat_grid_column_of_rank(&sheet->grid, numbers[i].header, HAKSTAT_GRID_NUMBER,
					    numbers[i].rank);
	}
}

/* "Classes", "Classes (10 of 27)". Free with g_free. */
static char *title_text(const struct sheet *sheet)
{
	guint rows = sheet->grid.cells->len / (guint)sheet->grid.columns;

	return sheet->left_out ? g_strdup_printf("%s (%u of %u)", sheet->title, rows, rows + sheet->left_out)
			       : g_strdup(sheet->title);
}

static void close_sheet(const struct paper *p, struct sheet *sheet)
{
	g_autofree char *title = title_text(sheet);

	if (sheet->grid.cells->len && p->is_markdown) {
		fprintf(p->out, "\n### %s\n\n", title);
		hakstat_markdown_grid(&sheet->grid, p->out);
	} else if (sheet->grid.cells->len) {
		fprintf(p->out, "\n%s\n", title);
		hakstat_grid_print(&sheet->grid, p->view->width, p->view->colours, p->out);
	}
	hakstat_grid_clear(&sheet->grid);
}

static bool is_changed(const struct hakstat_diff *diff, const struct hakstat_delta *d)
{
	return hakstat_diff_count(diff, &d->base) != hakstat_diff_count(diff, &d->new) ||
	       hakstat_diff_change(diff, &d->base, &d->new) != 0;
}

/* Of a call site only the innermost frames. Free with g_free. */
static char *delta_name(const struct hakstat_delta *d, enum hakstat_table_id table)
{
	if (table == HAKSTAT_BY_SITE) {
		return hakstat_cell_text(hakstat_column_find(1u << table, "stack"), d->example, false);
	}
	return hakstat_text_clean(d->name);
}

static const char *table_title(const struct hakstat_diff *diff, enum hakstat_table_id t)
{
	bool are_frag = diff->base->summary->sites_are_frag || diff->new->summary->sites_are_frag;
	return t == HAKSTAT_BY_SITE ? HAKSTAT_SITE_TITLE("Call sites", are_frag) : hakstat_table_titles[t];
}

static void draw_table(const struct paper *p, enum hakstat_table_id t)
{
	static const char *const headers[] = { "class", "route", "request", "call site" };
	const GPtrArray *deltas = p->diff->tables[t];
	guint rows = hakstat_view_rows(p->view, deltas->len, STANDARD_ROWS);
	struct sheet sheet;

	open_sheet(p, &sheet, table_title(p->diff, t), headers[t]);
	for (guint i = 0; i < deltas->len; i++) {
		const struct hakstat_delta *d = g_ptr_array_index(deltas, i);
		if (!is_changed(p->diff, d)) {
			continue;
		}
		if (rows == 0) {
			sheet.left_out++;
			continue;
		}
		rows--;
		hakstat_grid_cell(&sheet.grid, delta_name(d, t));
		add_counts(p, p->diff, &sheet, &d->base, &d->new);
	}
	close_sheet(p, &sheet);
}

/* What is live at the end says what a run of any length costs, so it always stands beside the sum. */
static void draw_totals(const struct paper *p)
{
	struct hakstat_diff live = *p->diff;
	struct sheet sheet;

	open_sheet(p, &sheet, "Totals", "total");
	hakstat_grid_cell(&sheet.grid, g_strdup(p->diff->per == HAKSTAT_PER_LIVE_BYTE ? "live" : "all"));
	add_counts(p, p->diff, &sheet, &p->diff->base->totals.n, &p->diff->new->totals.n);
	if (p->diff->per == HAKSTAT_PER_RUN) {
		live.per = HAKSTAT_PER_LIVE_BYTE;
		hakstat_grid_cell(&sheet.grid, g_strdup("live"));
		add_counts(p, &live, &sheet, &p->diff->base->totals.n, &p->diff->new->totals.n);
	}
	close_sheet(p, &sheet);
}

static char *change_text(const struct paper *p, const struct hakstat_counts *base,
			 const struct hakstat_counts *new)
{
	return change_cell(p->diff, base, new, p->view->is_exact);
}

static void put_sites_of_move(const struct paper *p, const struct hakstat_move *move)
{
	for (guint i = 0; i < move->sites->len; i++) {
		const struct hakstat_delta *site = g_ptr_array_index(move->sites, i);
		g_autofree char *change = change_text(p, &site->base, &site->new);
		g_autofree char *name = delta_name(site, HAKSTAT_BY_SITE);
		put_line(p, "  ",
			 hakstat_move_is_all_of(move, site)
				 ? g_strdup_printf("asked for by %s: %s of waste", name, change)
				 : g_strdup_printf("asked for, among other sizes, by %s", name));
	}
}

static char *sizes_text(const struct hakstat_move *m)
{
	return m->requested_min == m->requested_max
		       ? g_strdup_printf("%" PRIu64, m->requested_min)
		       : g_strdup_printf("%" PRIu64 "...%" PRIu64, m->requested_min, m->requested_max);
}

/* Sizes have moved even when nobody wastes more for it, so moves are said in sentences. */
static void put_moves(const struct paper *p)
{
	const GPtrArray *moves = p->diff->moves;
	guint rows = hakstat_view_rows(p->view, moves->len, STANDARD_ROWS);

	for (guint i = 0; i < rows; i++) {
		const struct hakstat_move *m = g_ptr_array_index(moves, i);
		char *change = change_text(p, &m->base, &m->new);
		char *sizes = sizes_text(m);
		g_autofree char *before = each_text(p->diff, &m->base);
		g_autofree char *after = each_text(p->diff, &m->new);
		put_line(p, "",
			 g_strdup_printf(
				 "requests of %s bytes moved from %s to %s%s: %s of waste, %s -> %s bytes "
				 "each%s%s",
				 sizes, m->from, m->to,
				 m->keeps_blocks ? ", in blocks as large as before" : "", change, before,
				 after, m->option ? "; " : "", m->option ? m->option : ""));
		put_sites_of_move(p, m);
		g_free(change);
		g_free(sizes);
	}
	if (rows < moves->len) {
		put_line(p, "",
			 g_strdup_printf("%u more size ranges moved (--format json has all)",
					 moves->len - rows));
	}
}

static void put_side(const struct paper *p, const char *name, const struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;
	GString *line = g_string_new(name);

	for (guint i = 0; i < s->paths->len; i++) {
		g_string_append_printf(line, "%s%s", i ? ", " : "",
				       (const char *)g_ptr_array_index(s->paths, i));
	}
	g_string_append_printf(line, ", mode %s%s, %.1f s, lost %s%" PRIu64 " events%s%s",
			       hakstat_mode_name(s->mode), s->estimated ? " (estimated)" : "",
			       hakstat_report_duration_s(r), s->lost_unknown ? "at least " : "",
			       s->lost_events, s->lost_operations ? " and packed operations" : "",
			       s->partial ? "; PARTIAL: only a part of it was read" : "");
	put_line(p, "", g_string_free(line, FALSE));
}

static void put_length(const struct paper *p)
{
	char *base = count_cell(p->diff->base->totals.n.allocs);
	char *new = count_cell(p->diff->new->totals.n.allocs);

	switch (p->diff->per) {
	case HAKSTAT_PER_OPERATION:
		put_line(p, "",
			 g_strdup_printf("waste of base is scaled by %.4g, from %s allocations to new's %s",
					 p->diff->scale, base, new));
		break;
	case HAKSTAT_PER_LIVE_BYTE:
		put_line(p, "",
			 g_strdup_printf("compared is what is live at the end; base is scaled by %.4g, to as "
					 "many live bytes as new",
					 p->diff->scale));
		break;
	default:
		if (hakstat_diff_lengths_differ(p->diff)) {
			put_line(p, "",
				 g_strdup_printf("the runs differ in length, %s and %s allocations: --per "
						 "operation or --per live-byte makes them alike",
						 base, new));
		}
	}
	g_free(base);
	g_free(new);
}

static int draw(const struct hakstat_diff *diff, const struct hakstat_view *view, bool is_markdown, FILE *out)
{
	struct paper p = { diff, view, is_markdown, out };

	put_side(&p, "base: ", diff->base);
	put_side(&p, "new : ", diff->new);
	put_length(&p);
	for (guint i = 0; i < diff->options->len; i++) {
		const struct hakstat_option_change *o = g_ptr_array_index(diff->options, i);
		put_line(&p, "", g_strdup_printf("%s: %s -> %s", o->name, o->base, o->new));
	}
	put_moves(&p);
	draw_totals(&p);
	for (int t = 0; t <= HAKSTAT_BY_SITE; t++) {
		if (!view->has_by || view->by == (enum hakstat_table_id)t) {
			draw_table(&p, (enum hakstat_table_id)t);
		}
	}
	return ferror(out) ? -1 : 0;
}

int hakstat_render_diff_table(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out)
{
	return draw(diff, view, false, out);
}

int hakstat_render_diff_markdown(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out)
{
	fputs("## Waste: what changed\n\n", out);
	return draw(diff, view, true, out);
}
