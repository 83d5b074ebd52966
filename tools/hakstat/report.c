/* SPDX-License-Identifier: MIT */
/*
 * Totals and orders.
 */
#include "report.h"

#include "timeline.h"

static void free_finding(void *data)
{
	struct hakstat_finding *finding = data;

	g_free(finding->message);
	g_free(finding->advice);
	g_free(finding);
}

static void sum_totals(struct hakstat_report *report)
{
	const struct hakstat_summary *s = report->summary;
	struct hakstat_row *totals = &report->totals;

	for (guint i = 0; i < s->rows[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(s->rows[HAKSTAT_BY_CLASS], i);
		hakstat_counts_add(&totals->n, &row->n);
	}
	if (s->predicted) {
		totals->n.v = s->predicted->v;
		totals->n.live_v = s->predicted->live_v;
		totals->n.peak_v = s->predicted->peak_v;
	}
	totals->g = s->g;
}

static int compare_default(gconstpointer a, gconstpointer b, gpointer data)
{
	const struct hakstat_row *x = *(const struct hakstat_row *const *)a;
	const struct hakstat_row *y = *(const struct hakstat_row *const *)b;
	const struct hakstat_column *column = data;
	int order = hakstat_column_compare(column, x, y);

	if (order == 0 && column->unit == HAKSTAT_UNIT_TEXT) { /* route, then reason */
		order = (x->reason > y->reason) - (x->reason < y->reason);
	}
	return order ? order : g_strcmp0(x->key, y->key);
}

static int compare_routes(gconstpointer a, gconstpointer b)
{
	const struct hakstat_row *x = *(const struct hakstat_row *const *)a;
	const struct hakstat_row *y = *(const struct hakstat_row *const *)b;

	if (x->route != y->route) {
		return x->route < y->route ? -1 : 1;
	}
	return (x->reason > y->reason) - (x->reason < y->reason);
}

static void sort_by(GPtrArray *rows, const struct hakstat_column *column)
{
	union {
		const struct hakstat_column *in;
		gpointer out;
	} data = { column };

	g_ptr_array_sort_with_data(rows, compare_default, data.out);
}

/* These are in order of time, and brought to one width. */
static bool is_about_time(enum hakstat_table_id table)
{
	return table == HAKSTAT_BY_TIME || table == HAKSTAT_BY_HEAP;
}

static void sort_default(struct hakstat_report *report, enum hakstat_table_id table)
{
	GPtrArray *rows = report->tables[table];

	if (table == HAKSTAT_BY_ROUTE) {
		g_ptr_array_sort(rows, compare_routes);
	} else if (!is_about_time(table)) {
		sort_by(rows, hakstat_column_find(1u << table,
						  table == HAKSTAT_BY_CLASS ? "class_id" : "waste_bytes"));
	}
}

struct hakstat_report *hakstat_report_new(struct hakstat_summary *summary)
{
	struct hakstat_report *report = g_new0(struct hakstat_report, 1);

	report->summary = summary;
	report->findings = g_ptr_array_new_with_free_func(free_finding);
	sum_totals(report);
	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		report->tables[t] = is_about_time((enum hakstat_table_id)t)
					    ? hakstat_timeline_rows(summary, (enum hakstat_table_id)t)
					    : g_ptr_array_copy(summary->rows[t], NULL, NULL);
		if (!is_about_time((enum hakstat_table_id)t)) {
			g_ptr_array_set_free_func(report->tables[t], NULL);
		}
		sort_default(report, (enum hakstat_table_id)t);
	}
	hakstat_findings_add(report);
	return report;
}

void hakstat_report_free(struct hakstat_report *report)
{
	if (!report) {
		return;
	}
	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		g_ptr_array_unref(report->tables[t]);
	}
	g_ptr_array_unref(report->findings);
	hakstat_summary_free(report->summary);
	g_free(report);
}

int hakstat_report_sort(struct hakstat_report *report, enum hakstat_table_id table, const char *key,
			struct hakstat_err *err)
{
	const struct hakstat_column *column = hakstat_column_find(1u << table, key);
	GString *keys;

	if (column && column->unit != HAKSTAT_UNIT_STACK) {
		sort_by(report->tables[table], column);
		return 0;
	}
	keys = g_string_new(NULL);
	for (size_t i = 0; i < hakstat_column_count; i++) {
		if ((hakstat_columns[i].in & 1u << table) && hakstat_columns[i].unit != HAKSTAT_UNIT_STACK) {
			g_string_append_printf(keys, " %s", hakstat_columns[i].key);
		}
	}
	hakstat_err_set(err, HAKSTAT_USAGE, "--sort %s: the table by %s has the columns%s", key,
			hakstat_table_name(table), keys->str);
	g_string_free(keys, TRUE);
	return err->status;
}

bool hakstat_report_is_incomplete(const struct hakstat_report *report)
{
	return hakstat_summary_is_incomplete(report->summary);
}

double hakstat_report_duration_s(const struct hakstat_report *report)
{
	const struct hakstat_summary *s = report->summary;

	return s->end_ns > s->begin_ns ? ((double)s->end_ns - (double)s->begin_ns) / 1e9 : 0;
}
