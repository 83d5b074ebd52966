/* SPDX-License-Identifier: MIT */
/*
 * Figures, verdicts and the choice of the recordings that are compared row by row.
 */
#include "ab.h"

#include <math.h>
#include <string.h>

#include "input.h"

#define ALPHA 0.05

/* clang-format off */
static const struct {
	const char *key, *name, *lower, *higher;
	enum hakstat_ab_unit unit;
	bool is_larger_better;
} measures[HAKSTAT_AB_MEASURES] = {
	[HAKSTAT_AB_WALL] = { "wall_s", "wall time", "faster", "slower", HAKSTAT_AB_SECONDS, false },
	[HAKSTAT_AB_CPU] = { "cpu_s", "CPU time", "less", "more", HAKSTAT_AB_SECONDS, false },
	[HAKSTAT_AB_RSS] = { "peak_rss_bytes", "peak RSS", "less", "more", HAKSTAT_AB_BYTES, false },
	[HAKSTAT_AB_FAULTS] = { "page_faults", "page faults", "fewer", "more", HAKSTAT_AB_COUNT, false },
	[HAKSTAT_AB_RATE] = { "rate", "rate", "slower", "faster", HAKSTAT_AB_NUMBER, true },
};

/* Columns of a report's totals. */
static const struct {
	const char *key, *name;
	enum hakstat_ab_unit unit;
} recorded[] = {
	{ "waste_bytes", "waste", HAKSTAT_AB_BYTES },
	{ "waste_percent", "waste %", HAKSTAT_AB_PERCENT },
	{ "committed_bytes", "committed", HAKSTAT_AB_BYTES },
};
/* clang-format on */

static const double *numbers(const struct hakstat_ab_figure *f, int side)
{
	return (const double *)(const void *)f->values[side]->data;
}

static void free_figure(void *data)
{
	struct hakstat_ab_figure *figure = data;

	g_array_unref(figure->values[HAKSTAT_AB_A]);
	g_array_unref(figure->values[HAKSTAT_AB_B]);
	g_free(figure);
}

static void spread(struct hakstat_ab_figure *f)
{
	for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
		f->spread[side] = hakstat_spread_of(numbers(f, side), f->values[side]->len);
	}
	if (f->spread[HAKSTAT_AB_A].median > 0) {
		f->change = f->spread[HAKSTAT_AB_B].median / f->spread[HAKSTAT_AB_A].median;
	}
}

static bool is_constant(const struct hakstat_ab_figure *f)
{
	const struct hakstat_spread *a = &f->spread[HAKSTAT_AB_A];
	const struct hakstat_spread *b = &f->spread[HAKSTAT_AB_B];

	return !(fmin(a->min, b->min) < fmax(a->max, b->max));
}

/* Timed runs ------------------------------------------------------------------------------- */

static void add_measures(struct hakstat_ab *ab, const struct hakstat_ab_runs *runs)
{
	for (int m = 0; m < HAKSTAT_AB_MEASURES && ab->pairs; m++) {
		struct hakstat_ab_figure *f;
		if (m == HAKSTAT_AB_RATE && !ab->plan->rate) {
			continue;
		}
		f = g_new0(struct hakstat_ab_figure, 1);
		f->key = measures[m].key;
		f->name = measures[m].name;
		f->lower = measures[m].lower;
		f->higher = measures[m].higher;
		f->unit = measures[m].unit;
		f->is_larger_better = measures[m].is_larger_better;
		f->values[HAKSTAT_AB_A] = g_array_ref(runs->values[HAKSTAT_AB_A][m]);
		f->values[HAKSTAT_AB_B] = g_array_ref(runs->values[HAKSTAT_AB_B][m]);
		spread(f);
		f->paired =
			hakstat_paired_compare(numbers(f, HAKSTAT_AB_A), numbers(f, HAKSTAT_AB_B), ab->pairs);
		g_ptr_array_add(ab->figures, f);
	}
}

/* With so many pairs and questions even the clearest difference could be chance. */
static bool are_too_few(guint pairs, guint questions)
{
	return ldexp(2, -(int)pairs) * questions >= ALPHA;
}

static void judge_measures(struct hakstat_ab *ab)
{
	double p[HAKSTAT_AB_MEASURES];

	for (guint i = 0; i < ab->figures->len; i++) {
		p[i] = ((struct hakstat_ab_figure *)g_ptr_array_index(ab->figures, i))->paired.p;
	}
	hakstat_paired_correct(p, ab->figures->len);
	for (guint i = 0; i < ab->figures->len; i++) {
		struct hakstat_ab_figure *f = g_ptr_array_index(ab->figures, i);
		f->paired.p = p[i];
		if (are_too_few(ab->pairs, ab->figures->len)) {
			f->verdict = HAKSTAT_AB_TOO_FEW;
		} else if (is_constant(f)) {
			f->verdict = HAKSTAT_AB_SAME;
		} else if (p[i] >= ALPHA) {
			f->verdict = HAKSTAT_AB_NOISE;
		} else {
			f->verdict = f->paired.ratio < 1 ? HAKSTAT_AB_LOWER : HAKSTAT_AB_HIGHER;
		}
	}
}

/* Recordings ------------------------------------------------------------------------------- */

static double total_of(const struct hakstat_report *report, const char *key, bool *is_unknown)
{
	const struct hakstat_column *column = hakstat_column_find(HAKSTAT_IN_TOTALS, key);
	struct hakstat_value v = column->get(&report->totals);

	*is_unknown |= !v.is_known;
	return column->unit == HAKSTAT_UNIT_PERCENT ? v.real : (double)v.number;
}

static void judge_recorded(struct hakstat_ab_figure *f, bool is_incomplete)
{
	const struct hakstat_spread *a = &f->spread[HAKSTAT_AB_A];
	const struct hakstat_spread *b = &f->spread[HAKSTAT_AB_B];

	if (f->is_unknown[HAKSTAT_AB_A] || f->is_unknown[HAKSTAT_AB_B]) {
		f->verdict = HAKSTAT_AB_UNKNOWN;
	} else if (is_incomplete) {
		f->verdict = HAKSTAT_AB_INCOMPLETE;
	} else if (f->values[HAKSTAT_AB_A]->len < HAKSTAT_AB_RECORDINGS_LEAST) {
		f->verdict = HAKSTAT_AB_TOO_FEW;
	} else if (is_constant(f)) {
		f->verdict = HAKSTAT_AB_SAME;
	} else if (b->max < a->min) {
		f->verdict = HAKSTAT_AB_LOWER;
	} else if (a->max < b->min) {
		f->verdict = HAKSTAT_AB_HIGHER;
	} else {
		f->verdict = HAKSTAT_AB_NOISE;
	}
}

static void add_recorded(struct hakstat_ab *ab, GPtrArray *const reports[HAKSTAT_AB_SIDES])
{
	for (size_t i = 0; i < G_N_ELEMENTS(recorded) && ab->recordings; i++) {
		struct hakstat_ab_figure *f = g_new0(struct hakstat_ab_figure, 1);
		f->key = recorded[i].key;
		f->name = recorded[i].name;
		f->lower = "less";
		f->higher = "more";
		f->unit = recorded[i].unit;
		f->is_recorded = true;
		for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
			f->values[side] = g_array_new(FALSE, FALSE, sizeof(double));
			for (guint r = 0; r < reports[side]->len; r++) {
				double value = total_of(g_ptr_array_index(reports[side], r), recorded[i].key,
							&f->is_unknown[side]);
				g_array_append_val(f->values[side], value);
			}
		}
		spread(f);
		judge_recorded(f, ab->is_incomplete);
		g_ptr_array_add(ab->figures, f);
	}
}

static void add_served(struct hakstat_ab *ab, const struct hakstat_report *report)
{
	const GPtrArray *rows = report->tables[HAKSTAT_BY_PROCESS];

	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		if (row->process && row->n.allocs &&
		    !g_ptr_array_find_with_equal_func(ab->served, row->process, g_str_equal, NULL)) {
			g_ptr_array_add(ab->served, g_strdup(row->process));
		}
	}
}

static gint compare_waste(gconstpointer a, gconstpointer b)
{
	bool is_unknown = false;
	double x = total_of(*(const struct hakstat_report *const *)a, "waste_bytes", &is_unknown);
	double y = total_of(*(const struct hakstat_report *const *)b, "waste_bytes", &is_unknown);

	return (x > y) - (x < y);
}

/* Takes the report with the median waste out of the array. */
static struct hakstat_report *take_median(GPtrArray *reports)
{
	g_ptr_array_sort(reports, compare_waste);
	return reports->len ? g_ptr_array_steal_index(reports, (reports->len - 1) / 2) : NULL;
}

static void free_report(void *report)
{
	hakstat_report_free(report);
}

/* A folder that will be gone is called by its name alone. */
static void shorten_path(struct hakstat_summary *s, const char *path)
{
	char *name = g_path_get_basename(path);

	g_ptr_array_set_size(s->paths, 0);
	hakstat_summary_add_path(s, name);
	g_free(name);
}

static int read_side(struct hakstat_ab *ab, const GPtrArray *paths, const char *sysroot, GPtrArray *reports,
		     struct hakstat_err *err)
{
	struct hakstat_input_options options = { .sysroot = sysroot };

	for (guint i = 0; i < paths->len; i++) {
		struct hakstat_summary *s = hakstat_input_read(g_ptr_array_index(paths, i), &options, err);
		if (!s) {
			return err->status;
		}
		ab->is_incomplete |= hakstat_summary_is_incomplete(s);
		if (ab->plan->is_temporary) {
			shorten_path(s, g_ptr_array_index(paths, i));
		}
		g_ptr_array_add(reports, hakstat_report_new(s));
	}
	return 0;
}

static int read_recordings(struct hakstat_ab *ab, const struct hakstat_ab_runs *runs, const char *sysroot,
			   struct hakstat_err *err)
{
	GPtrArray *reports[HAKSTAT_AB_SIDES];
	int status = 0;

	for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
		reports[side] = g_ptr_array_new_with_free_func(free_report);
		status = status ? status : read_side(ab, runs->traces[side], sysroot, reports[side], err);
	}
	if (status == 0) {
		add_recorded(ab, reports);
		for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
			ab->reports[side] = take_median(reports[side]);
		}
	}
	g_ptr_array_unref(reports[HAKSTAT_AB_A]);
	g_ptr_array_unref(reports[HAKSTAT_AB_B]);
	return status;
}

struct hakstat_ab *hakstat_ab_new(const struct hakstat_ab_plan *plan, const struct hakstat_ab_runs *runs,
				  const char *sysroot, struct hakstat_err *err)
{
	struct hakstat_ab *ab = g_new0(struct hakstat_ab, 1);

	ab->plan = plan;
	ab->pairs = runs->values[HAKSTAT_AB_A][HAKSTAT_AB_WALL]->len;
	ab->recordings = runs->traces[HAKSTAT_AB_A]->len;
	ab->is_interrupted = runs->is_interrupted;
	ab->served = g_ptr_array_new_with_free_func(g_free);
	for (guint i = 0; i < runs->served->len; i++) {
		g_ptr_array_add(ab->served, g_strdup(g_ptr_array_index(runs->served, i)));
	}
	ab->figures = g_ptr_array_new_with_free_func(free_figure);
	add_measures(ab, runs);
	judge_measures(ab);
	if (read_recordings(ab, runs, sysroot, err) != 0) {
		hakstat_ab_free(ab);
		return NULL;
	}
	for (int side = 0; side < HAKSTAT_AB_SIDES && ab->recordings; side++) {
		add_served(ab, ab->reports[side]);
	}
	ab->diff = ab->recordings ? hakstat_diff_new(ab->reports[HAKSTAT_AB_A], ab->reports[HAKSTAT_AB_B],
						     HAKSTAT_PER_RUN)
				  : NULL;
	return ab;
}

void hakstat_ab_free(struct hakstat_ab *ab)
{
	if (ab->diff) {
		hakstat_diff_free(ab->diff);
	}
	hakstat_report_free(ab->reports[HAKSTAT_AB_A]);
	hakstat_report_free(ab->reports[HAKSTAT_AB_B]);
	g_ptr_array_unref(ab->figures);
	g_ptr_array_unref(ab->served);
	g_free(ab);
}

const char *hakstat_ab_verdict_text(const struct hakstat_ab_figure *figure)
{
	switch (figure->verdict) {
	case HAKSTAT_AB_TOO_FEW:
		return "too few runs";
	case HAKSTAT_AB_NOISE:
		return "within noise";
	case HAKSTAT_AB_SAME:
		return "same";
	case HAKSTAT_AB_LOWER:
		return figure->lower;
	case HAKSTAT_AB_UNKNOWN:
		return "unknown";
	case HAKSTAT_AB_INCOMPLETE:
		return "incomplete";
	default:
		return figure->higher;
	}
}
