/* SPDX-License-Identifier: MIT */
/*
 * A difference for programs: JSON, and entries of a benchmark history.
 */
#include <inttypes.h>

#include "benchmark.h"
#include "json.h"
#include "render_diff.h"

static json_t *number_if(bool is_known, int64_t number)
{
	return is_known ? json_integer((json_int_t)number) : json_null();
}

static json_t *counts_json(const struct hakstat_counts *n)
{
	bool is_known = hakstat_counts_know_requests(n);
	uint64_t waste = hakstat_counts_waste(n);
	uint64_t known = n->allocs - n->unknown_allocs;
	json_t *to = json_pack("{s:I, s:I, s:I, s:I}", "allocs", (json_int_t)n->allocs, "live",
			       (json_int_t)n->live, "usable_bytes", (json_int_t)n->usable_bytes,
			       "live_usable_bytes", (json_int_t)n->live_usable_bytes);

	json_object_set_new(to, "requested_bytes", number_if(is_known, (int64_t)n->requested_bytes));
	json_object_set_new(to, "waste_bytes", number_if(is_known, (int64_t)waste));
	json_object_set_new(to, "live_waste_bytes",
			    number_if(hakstat_counts_know_live(n), (int64_t)hakstat_counts_live_waste(n)));
	json_object_set_new(to, "waste_bytes_per_alloc",
			    is_known ? json_real(known ? (double)waste / (double)known : 0) : json_null());
	return to;
}

/* Of whole runs, whatever is compared. */
static json_t *waste_change(const struct hakstat_counts *base, const struct hakstat_counts *new)
{
	return number_if(hakstat_counts_know_requests(base) && hakstat_counts_know_requests(new),
			 (int64_t)hakstat_counts_waste(new) - (int64_t)hakstat_counts_waste(base));
}

static void put_sides(const struct hakstat_diff *diff, json_t *to, const struct hakstat_counts *base,
		      const struct hakstat_counts *new)
{
	struct hakstat_value half = hakstat_interval(hakstat_diff_variance(diff, base, new));
	bool are_known = hakstat_diff_is_known(diff, base) && hakstat_diff_is_known(diff, new);

	json_object_set_new(to, "base", counts_json(base));
	json_object_set_new(to, "new", counts_json(new));
	json_object_set_new(to, "waste_bytes_change", waste_change(base, new));
	json_object_set_new(to, "change_bytes", number_if(are_known, hakstat_diff_change(diff, base, new)));
	json_object_set_new(to, "change_bytes_ci95",
			    are_known && half.is_known ? hakstat_json_number(half.number) : json_null());
}

static json_t *deltas_json(const struct hakstat_diff *diff, const GPtrArray *deltas)
{
	json_t *array = json_array();

	for (guint i = 0; i < deltas->len; i++) {
		const struct hakstat_delta *d = g_ptr_array_index(deltas, i);
		json_t *row = json_object();
		json_object_set_new(row, "name", hakstat_json_text(d->name));
		put_sides(diff, row, &d->base, &d->new);
		json_array_append_new(array, row);
	}
	return array;
}

static json_t *sites_json(const struct hakstat_move *move)
{
	json_t *array = json_array();

	for (guint i = 0; i < move->sites->len; i++) {
		const struct hakstat_delta *d = g_ptr_array_index(move->sites, i);
		json_t *site = json_object();
		json_object_set_new(site, "name", hakstat_json_text(d->name));
		json_object_set_new(site, "waste_bytes_change",
				    hakstat_move_is_all_of(move, d) ? waste_change(&d->base, &d->new)
								    : json_null());
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
		json_object_set_new(row, "from", hakstat_json_text(m->from));
		json_object_set_new(row, "to", hakstat_json_text(m->to));
		json_object_set_new(row, "option", hakstat_json_text(m->option));
		put_sides(diff, row, &m->base, &m->new);
		json_object_set_new(row, "sites", sites_json(m));
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
		json_object_set_new(row, "base", hakstat_json_text(o->base));
		json_object_set_new(row, "new", hakstat_json_text(o->new));
		json_array_append_new(array, row);
	}
	return array;
}

json_t *hakstat_diff_json(const struct hakstat_diff *diff, const struct hakstat_view *view)
{
	static const char *const keys[] = { "classes", "routes", "sizes", "sites" };
	static const char *const pers[] = { "run", "operation", "live-byte" };
	json_t *root = json_pack("{s:s, s:s, s:f}", "schema", "hakstat.diff/1", "per", pers[diff->per],
				 "base_scale", diff->scale);
	json_t *totals = json_object();

	json_object_set_new(totals, "base", hakstat_totals_json(diff->base));
	json_object_set_new(totals, "new", hakstat_totals_json(diff->new));
	json_object_set_new(totals, "waste_bytes_change",
			    waste_change(&diff->base->totals.n, &diff->new->totals.n));
	json_object_set_new(root, "totals", totals);
	json_object_set_new(root, "options", options_json(diff));
	json_object_set_new(root, "moves", moves_json(diff));
	for (int t = 0; t <= HAKSTAT_BY_SITE; t++) {
		if (!view->has_by || view->by == (enum hakstat_table_id)t) {
			json_object_set_new(root, keys[t], deltas_json(diff, diff->tables[t]));
		}
	}
	json_object_set_new(root, "incomplete",
			    json_boolean(hakstat_report_is_incomplete(diff->base) ||
					 hakstat_report_is_incomplete(diff->new)));
	return root;
}

int hakstat_render_diff_json(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out)
{
	return hakstat_json_write(hakstat_diff_json(diff, view), out);
}

/* Benchmark history ------------------------------------------------------------------------ */

static double value_of(const struct hakstat_column *column, const struct hakstat_row *row, bool *is_known)
{
	struct hakstat_value v = column->get(row);

	*is_known = v.is_known;
	return column->unit == HAKSTAT_UNIT_PERCENT ? v.real : (double)v.number;
}

static void add_total(json_t *array, const struct hakstat_diff *diff, const char *key)
{
	const struct hakstat_column *column = hakstat_column_find(HAKSTAT_IN_TOTALS, key);
	bool is_known, was_known;
	double value = value_of(column, &diff->new->totals, &is_known);
	double before = value_of(column, &diff->base->totals, &was_known);
	g_autofree char *name = g_strdup_printf("total %s", key);
	g_autofree char *extra = was_known ? g_strdup_printf("base: %.10g", before) : NULL;

	if (is_known) {
		hakstat_benchmark_add(array, name, column->unit == HAKSTAT_UNIT_PERCENT ? "%" : "bytes",
				      value, NULL, extra);
	}
}

/* The table by class is sorted by what changed most, a history wants each name every time. */
static void add_classes(json_t *array, const struct hakstat_diff *diff)
{
	const GPtrArray *deltas = diff->tables[HAKSTAT_BY_CLASS];

	for (guint i = 0; i < deltas->len; i++) {
		const struct hakstat_delta *d = g_ptr_array_index(deltas, i);
		g_autofree char *name = g_strdup_printf("class %s waste_bytes", d->name);
		g_autofree char *extra = g_strdup_printf("base: %" PRIu64, hakstat_counts_waste(&d->base));
		if (hakstat_counts_know_requests(&d->new)) {
			hakstat_benchmark_add(array, name, "bytes", (double)hakstat_counts_waste(&d->new),
					      NULL, hakstat_counts_know_requests(&d->base) ? extra : NULL);
		}
	}
}

int hakstat_render_diff_benchmark(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out)
{
	static const char *const keys[] = { "waste_bytes", "waste_percent", "live_waste_bytes",
					    "external_waste_bytes", "committed_bytes" };
	json_t *array = json_array();

	(void)view;
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		add_total(array, diff, keys[i]);
	}
	add_classes(array, diff);
	return hakstat_json_write(array, out);
}
