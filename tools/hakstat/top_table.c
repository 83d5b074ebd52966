/* SPDX-License-Identifier: MIT */
/*
 * Histories, order and cells.
 */
#include "top_table.h"

#include <math.h>
#include <string.h>

#include "number.h"
#include "render.h"
#include "text.h"

struct history {
	bool is_seen; /* in the newest summary */
	size_t count;
	double values[HAKSTAT_TOP_TRENDS][HAKSTAT_TOP_HISTORY]; /* the newest last */
	uint64_t allocs;
	int64_t time_ns;
	double rate; /* allocations a second */
};

/* clang-format off */
static const struct hakstat_top_column class_columns[] = {
	{ "class",      HAKSTAT_TOP_COLUMN,       "name",                 9,  0, true },
	{ "route",      HAKSTAT_TOP_COLUMN,       "route",                8,  5, true },
	{ "block",      HAKSTAT_TOP_COLUMN,       "usable",               8,  3, false },
	{ "live",       HAKSTAT_TOP_COLUMN,       "live",                 11, 2, false },
	{ "live bytes", HAKSTAT_TOP_COLUMN,       "live_usable_bytes",    10, 1, false },
	{ "live waste", HAKSTAT_TOP_LIVE_WASTE,   NULL,                   11, 0, false },
	{ "waste %",    HAKSTAT_TOP_LIVE_PERCENT, NULL,                   7,  2, false },
	{ "± live",     HAKSTAT_TOP_COLUMN,       "live_waste_bytes_ci95", 10, 7, false },
	{ "idle",       HAKSTAT_TOP_COLUMN,       "external_waste_bytes", 10, 4, false },
	{ "occup. %",   HAKSTAT_TOP_COLUMN,       "occupancy_percent",    8,  6, false },
	{ "allocs/s",   HAKSTAT_TOP_ALLOCS_PER_S, NULL,                   11, 1, false },
	{ "trend",      HAKSTAT_TOP_TREND,        NULL,                   0,  0, true },
};

static const struct hakstat_top_column site_columns[] = {
	{ "live waste", HAKSTAT_TOP_LIVE_WASTE,   NULL,                   11, 0, false },
	{ "live bytes", HAKSTAT_TOP_COLUMN,       "live_usable_bytes",    10, 2, false },
	{ "waste",      HAKSTAT_TOP_COLUMN,       "waste_bytes",          10, 1, false },
	{ "waste %",    HAKSTAT_TOP_COLUMN,       "waste_percent",        11, 3, false },
	{ "± live",     HAKSTAT_TOP_COLUMN,       "live_waste_bytes_ci95", 10, 7, false },
	{ "allocs/s",   HAKSTAT_TOP_ALLOCS_PER_S, NULL,                   11, 4, false },
	{ "call site",  HAKSTAT_TOP_COLUMN,       "stack",                0,  0, true },
};
/* clang-format on */

static const struct {
	const struct hakstat_top_column *columns;
	size_t count;
	enum hakstat_table_id table;
	size_t standard; /* order */
} pages[HAKSTAT_TOP_PAGES] = {
	[HAKSTAT_TOP_CLASSES] = { class_columns, G_N_ELEMENTS(class_columns), HAKSTAT_BY_CLASS, 5 },
	[HAKSTAT_TOP_SITES] = { site_columns, G_N_ELEMENTS(site_columns), HAKSTAT_BY_SITE, 0 },
};

enum { LEAST_REST = 10, GAP = 1 }; /* the shortest name of each trend */

void hakstat_top_init(struct hakstat_top *top)
{
	memset(top, 0, sizeof *top);
	for (int page = 0; page < HAKSTAT_TOP_PAGES; page++) {
		top->histories[page] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
		top->sort[page] = pages[page].standard;
	}
}

void hakstat_top_clear(struct hakstat_top *top)
{
	for (int page = 0; page < HAKSTAT_TOP_PAGES; page++) {
		g_hash_table_destroy(top->histories[page]);
	}
	hakstat_report_free(top->report);
}

/* History ---------------------------------------------------------------------------------- */

static void push(struct history *h, const double values[HAKSTAT_TOP_TRENDS])
{
	bool is_full = h->count == HAKSTAT_TOP_HISTORY;

	for (int t = 0; t < HAKSTAT_TOP_TRENDS; t++) {
		if (is_full) {
			memmove(h->values[t], h->values[t] + 1, (HAKSTAT_TOP_HISTORY - 1) * sizeof(double));
		}
		h->values[t][is_full ? HAKSTAT_TOP_HISTORY - 1 : h->count] = values[t];
	}
	h->count += !is_full;
}

static void remember(GHashTable *histories, const struct hakstat_row *row, int64_t time_ns)
{
	struct history *h = g_hash_table_lookup(histories, row->key);
	double values[HAKSTAT_TOP_TRENDS];

	if (!h) {
		h = g_new0(struct history, 1);
		g_hash_table_insert(histories, g_strdup(row->key), h);
	} else if (time_ns > h->time_ns) {
		h->rate = row->n.allocs > h->allocs
				  ? (double)(row->n.allocs - h->allocs) * 1e9 / (double)(time_ns - h->time_ns)
				  : 0;
	}
	values[HAKSTAT_TOP_LIVE] = (double)row->n.live_usable_bytes;
	values[HAKSTAT_TOP_WASTE] = (double)hakstat_counts_live_waste(&row->n);
	values[HAKSTAT_TOP_RATE] = h->rate;
	push(h, values);
	h->allocs = row->n.allocs;
	h->time_ns = time_ns;
	h->is_seen = true;
}

static gboolean is_forgotten(gpointer key, gpointer value, gpointer data)
{
	struct history *h = value;
	bool was_seen = h->is_seen;

	(void)key;
	(void)data;
	h->is_seen = false;
	return !was_seen;
}

void hakstat_top_take(struct hakstat_top *top, struct hakstat_summary *summary)
{
	hakstat_report_free(top->report);
	top->report = hakstat_report_new(summary);
	for (int page = 0; page < HAKSTAT_TOP_PAGES; page++) {
		const GPtrArray *rows = top->report->tables[pages[page].table];
		for (guint i = 0; i < rows->len; i++) {
			remember(top->histories[page], g_ptr_array_index(rows, i), summary->end_ns);
		}
		g_hash_table_foreach_remove(top->histories[page], is_forgotten, NULL);
	}
}

static const struct history *history_of(const struct hakstat_top *top, const struct hakstat_row *row)
{
	return g_hash_table_lookup(top->histories[top->page], row->key);
}

static double rate_of(const struct hakstat_top *top, const struct hakstat_row *row)
{
	const struct history *h = history_of(top, row);

	return h ? h->rate : 0;
}

static double trend_of(const struct hakstat_top *top, const struct hakstat_row *row)
{
	const struct history *h = history_of(top, row);

	return h && h->count ? h->values[top->trend][h->count - 1] : 0;
}

/* Percent; below 0 when nothing is live. */
static double live_waste_percent(const struct hakstat_row *row)
{
	uint64_t known = hakstat_less(row->n.live_usable_bytes, row->n.live_unknown_bytes);

	return known ? 100 * (double)hakstat_counts_live_waste(&row->n) / (double)known : -1;
}

/* Order ------------------------------------------------------------------------------------ */

static int compare_reals(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare_by(const struct hakstat_top *top, const struct hakstat_top_column *column,
		      const struct hakstat_row *a, const struct hakstat_row *b)
{
	switch (column->kind) {
	case HAKSTAT_TOP_LIVE_WASTE:
		return compare_reals((double)hakstat_counts_live_waste(&a->n),
				     (double)hakstat_counts_live_waste(&b->n));
	case HAKSTAT_TOP_LIVE_PERCENT:
		return compare_reals(live_waste_percent(a), live_waste_percent(b));
	case HAKSTAT_TOP_ALLOCS_PER_S:
		return compare_reals(rate_of(top, a), rate_of(top, b));
	case HAKSTAT_TOP_TREND:
		return compare_reals(trend_of(top, a), trend_of(top, b));
	default:
		return hakstat_column_compare(hakstat_column_find(1u << pages[top->page].table, column->key),
					      a, b);
	}
}

static gint compare_rows(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct hakstat_row *x = *(const struct hakstat_row *const *)a;
	const struct hakstat_row *y = *(const struct hakstat_row *const *)b;
	const struct hakstat_top *top = data;
	int order = compare_by(top, &pages[top->page].columns[top->sort[top->page]], x, y);

	order = top->is_reverse[top->page] ? -order : order;
	if (order == 0) {
		order = (x->n.live_usable_bytes < y->n.live_usable_bytes) -
			(x->n.live_usable_bytes > y->n.live_usable_bytes);
	}
	return order ? order : g_strcmp0(x->key, y->key);
}

GPtrArray *hakstat_top_rows(const struct hakstat_top *top)
{
	GPtrArray *rows = g_ptr_array_new();
	const GPtrArray *all = top->report ? top->report->tables[pages[top->page].table] : NULL;

	for (guint i = 0; all && i < all->len; i++) {
		g_ptr_array_add(rows, g_ptr_array_index(all, i));
	}
	g_ptr_array_sort_with_data(rows, compare_rows, (gpointer)(uintptr_t)top);
	return rows;
}

/* A column of texts that has no order of its own is passed over. */
static bool is_sortable(const struct hakstat_top_column *column)
{
	return column->kind != HAKSTAT_TOP_COLUMN || strcmp(column->key, "stack") != 0;
}

void hakstat_top_sort_next(struct hakstat_top *top, int step)
{
	size_t count = pages[top->page].count;
	size_t *at = &top->sort[top->page];

	do {
		*at = (*at + (step > 0 ? 1 : count - 1)) % count;
	} while (!is_sortable(&pages[top->page].columns[*at]));
}

/* Columns and cells ------------------------------------------------------------------------ */

const struct hakstat_top_column *hakstat_top_columns(enum hakstat_top_page page, size_t *count)
{
	*count = pages[page].count;
	return pages[page].columns;
}

/* What is left of `width` beside all columns up to `rank`. */
static int rest_of(enum hakstat_top_page page, int width, int rank)
{
	for (size_t i = 0; i < pages[page].count; i++) {
		const struct hakstat_top_column *column = &pages[page].columns[i];
		if (column->width && column->rank <= rank) {
			width -= column->width + GAP;
		}
	}
	return width;
}

int hakstat_top_fit(enum hakstat_top_page page, int width, bool *shown)
{
	int rank = 9;

	while (rank > 0 && rest_of(page, width, rank) < LEAST_REST) {
		rank--;
	}
	for (size_t i = 0; i < pages[page].count; i++) {
		shown[i] = pages[page].columns[i].rank <= rank;
	}
	return MAX(rest_of(page, width, rank), 0);
}

const char *hakstat_top_trend_name(enum hakstat_top_trend trend, int width)
{
	static const char *const names[][2] = { { "live bytes over time", "live bytes" },
						{ "live waste over time", "live waste" },
						{ "allocs/s over time", "allocs/s" } };

	return names[trend][(int)strlen(names[trend][0]) > width];
}

char *hakstat_top_sparkline(const double *values, size_t count, int width, bool is_utf8)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const plain[] = { "_", ".", ",", "-", "=", "+", "*", "#" };
	size_t used = MIN(count, (size_t)MAX(width, 0));
	GString *out = g_string_new(NULL);
	double most = 0;

	for (size_t i = count - used; i < count; i++) {
		most = fmax(most, values[i]);
	}
	for (size_t i = count - used; i < count; i++) {
		/* Nothing is the lowest sign, and every something is above it. */
		int level = values[i] > 0 ? 1 + (int)(values[i] / most * 6.999) : 0;
		g_string_append(out, is_utf8 ? blocks[MIN(level, 7)] : plain[MIN(level, 7)]);
	}
	return g_string_free(out, FALSE);
}

/* Of what was allocated before the view began nobody knows the request: then the waste is at least this. */
static char *live_waste_cell(const struct hakstat_row *row)
{
	char text[32];

	if (row->n.live_unknown >= row->n.live && row->n.live) {
		return g_strdup("?");
	}
	hakstat_text_bytes(text, sizeof text, hakstat_counts_live_waste(&row->n));
	return g_strdup_printf("%s%s", row->n.live_unknown ? ">" : "", text);
}

char *hakstat_top_cell(const struct hakstat_top *top, const struct hakstat_top_column *column,
		       const struct hakstat_row *row, int width, bool is_utf8)
{
	const struct history *h = history_of(top, row);
	double percent = live_waste_percent(row);
	char text[32];

	switch (column->kind) {
	case HAKSTAT_TOP_LIVE_WASTE:
		return live_waste_cell(row);
	case HAKSTAT_TOP_LIVE_PERCENT:
		return percent < 0 ? g_strdup("-") : g_strdup_printf("%.1f", percent);
	case HAKSTAT_TOP_ALLOCS_PER_S:
		hakstat_text_count(text, sizeof text, (uint64_t)(rate_of(top, row) + 0.5));
		return g_strdup(text);
	case HAKSTAT_TOP_TREND:
		return h ? hakstat_top_sparkline(h->values[top->trend], h->count, width, is_utf8)
			 : g_strdup("");
	default:
		return hakstat_cell_text(hakstat_column_find(1u << pages[top->page].table, column->key), row,
					 false);
	}
}
