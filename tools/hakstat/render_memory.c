/* SPDX-License-Identifier: MIT */
/*
 * Where the memory is, as a small table of the totals' columns: each row is one kind, and the
 * kinds add up to the last row.
 */
#include <string.h>

#include "number.h"
#include "render.h"

const char *hakstat_memory_header(const struct hakstat_report *r, int column)
{
	static const char *const headers[HAKSTAT_MEMORY_COLUMNS] = { "memory", "at the end", "at the peak",
								     "on average" };
	enum { PEAK = 2 };

	for (guint i = 0; column == PEAK && i < r->findings->len; i++) {
		const struct hakstat_finding *finding = g_ptr_array_index(r->findings, i);
		if (strcmp(finding->kind, "peak") == 0) { /* it fell between two snapshots */
			return "highest snapshot";
		}
	}
	return headers[column];
}

struct kind {
	const char *label;
	const char *end, *peak, *over_time; /* keys of columns of the totals */
	bool is_rare;			    /* left out where it is nothing */
};

static const struct kind kinds[] = {
	{ "requested and live", "live_requested_bytes", "peak_live_requested_bytes", "requested_byte_seconds",
	  false },
	{ "+ waste in live blocks", "live_waste_bytes", "peak_live_waste_bytes", "waste_byte_seconds",
	  false },
	{ "+ live, request unknown", "live_unknown_bytes", "peak_live_unknown_bytes", "unknown_byte_seconds",
	  true },
	{ "+ free in slabs", "external_waste_bytes", "peak_external_waste_bytes",
	  "external_waste_byte_seconds", false },
	{ "+ ends of large blocks", "span_rest_bytes", "peak_span_rest_bytes", "span_rest_byte_seconds",
	  true },
	{ "+ held, not given back", "held_bytes", "peak_held_bytes", "held_byte_seconds", false },
	{ "= committed", "committed_bytes", "peak_committed_bytes", "committed_byte_seconds", false },
};

static struct hakstat_value value_of(const struct hakstat_report *r, const char *key)
{
	return hakstat_column_find(HAKSTAT_IN_TOTALS, key)->get(&r->totals);
}

/* A number and half the width of its interval, if it may have one. */
struct estimate {
	struct hakstat_value value, half;
	bool has_half;
};

static struct estimate estimate_of(const struct hakstat_report *r, const char *key)
{
	const struct hakstat_column *half = hakstat_column_interval(HAKSTAT_IN_TOTALS, key);
	struct estimate e = { .value = value_of(r, key), .has_half = half != NULL };

	if (half) {
		e.half = half->get(&r->totals);
	}
	return e;
}

static char *cell(const struct estimate *e, bool is_exact)
{
	return e->value.is_known
		       ? hakstat_bytes_text(e->value.number, e->has_half ? &e->half : NULL, is_exact)
		       : g_strdup("?");
}

/* One snapshot has no duration. */
static struct hakstat_value average(const struct hakstat_report *r, struct hakstat_value value)
{
	double seconds = hakstat_report_duration_s(r);

	value.is_known &= r->totals.g.intervals != 0 && seconds > 0;
	value.number = value.is_known ? hakstat_rounded((double)value.number / seconds) : 0;
	return value;
}

static void free_row(void *data)
{
	struct hakstat_memory_row *row = data;

	for (int c = 0; c < HAKSTAT_MEMORY_COLUMNS; c++) {
		g_free(row->cells[c]);
	}
	g_free(row);
}

static void add_row(const struct hakstat_report *r, const struct kind *kind, bool is_exact, GPtrArray *rows)
{
	struct estimate end = estimate_of(r, kind->end);
	struct estimate peak = estimate_of(r, kind->peak);
	struct estimate mean = estimate_of(r, kind->over_time);
	struct hakstat_memory_row *row;

	mean.value = average(r, mean.value);
	mean.half = average(r, mean.half);
	if (kind->is_rare && end.value.number == 0 && peak.value.number == 0 && mean.value.number == 0) {
		return;
	}
	row = g_new0(struct hakstat_memory_row, 1);
	row->cells[0] = g_strdup(kind->label);
	row->cells[1] = cell(&end, is_exact);
	row->cells[2] = cell(&peak, is_exact);
	row->cells[3] = cell(&mean, is_exact);
	g_ptr_array_add(rows, row);
}

GPtrArray *hakstat_memory_rows(const struct hakstat_report *r, bool is_exact)
{
	GPtrArray *rows;

	if (r->totals.g.snapshots == 0) {
		return NULL;
	}
	rows = g_ptr_array_new_with_free_func(free_row);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		add_row(r, &kinds[i], is_exact, rows);
	}
	return rows;
}
