/* SPDX-License-Identifier: MIT */
/*
 * The figures of a comparison in every form; the difference of the recordings is render_diff.c's.
 */
#include "render_ab.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "benchmark.h"
#include "grid.h"
#include "json.h"
#include "number.h"
#include "render_diff.h"
#include "text.h"

/* A ratio beyond this is one to nothing. */
#define GREATEST_RATIO 1e6

static const char letters[] = "ab";

enum { FOOT_INDENT = 2 };

static char *settings_text(const struct hakstat_ab *ab, int side)
{
	char *text = g_strjoinv(" ", ab->plan->settings[side]);
	char *clean = hakstat_text_clean(*text ? text : "(the environment as it is)");

	g_free(text);
	return clean;
}

static char *command_text(const struct hakstat_ab *ab)
{
	char *text = g_strjoinv(" ", ab->plan->argv);
	char *clean = hakstat_text_clean(text);

	g_free(text);
	return clean;
}

static char *served_text(const struct hakstat_ab *ab)
{
	GString *text = g_string_new(NULL);
	char *clean;

	for (guint i = 0; i < ab->served->len; i++) {
		g_string_append_printf(text, "%s%s", i ? ", " : "",
				       (const char *)g_ptr_array_index(ab->served, i));
	}
	clean = hakstat_text_clean(text->str);
	g_string_free(text, TRUE);
	return clean;
}

/* For people ------------------------------------------------------------------------------- */

static char *amount(enum hakstat_ab_unit unit, double value, bool is_exact)
{
	char text[48];

	switch (unit) {
	case HAKSTAT_AB_SECONDS:
		return value < 1 && !is_exact ? g_strdup_printf("%.1f ms", value * 1e3)
					      : g_strdup_printf(is_exact ? "%.6f s" : "%.3f s", value);
	case HAKSTAT_AB_BYTES:
		if (is_exact) {
			return g_strdup_printf("%.0f", value);
		}
		hakstat_text_bytes(text, sizeof text, hakstat_rounded(value));
		return g_strdup(text);
	case HAKSTAT_AB_COUNT:
		hakstat_text_count(text, sizeof text, (uint64_t)value);
		return g_strdup(text);
	case HAKSTAT_AB_PERCENT:
		return g_strdup_printf("%.1f", value);
	default:
		return g_strdup_printf("%.6g", value);
	}
}

static char *median_text(const struct hakstat_ab_figure *f, int side, bool is_exact)
{
	return f->is_unknown[side] ? g_strdup("?") : amount(f->unit, f->spread[side].median, is_exact);
}

static char *range_text(const struct hakstat_ab_figure *f, int side, bool is_exact)
{
	if (f->is_unknown[side]) {
		return g_strdup("?");
	}
	char *min = amount(f->unit, f->spread[side].min, is_exact);
	char *max = amount(f->unit, f->spread[side].max, is_exact);
	char *text = g_strdup_printf("%s - %s", min, max);

	g_free(min);
	g_free(max);
	return text;
}

static char *percent(double ratio)
{
	if (ratio > GREATEST_RATIO || ratio < 1 / GREATEST_RATIO) {
		return g_strdup("-");
	}
	return g_strdup_printf("%+.1f %%", 100 * (ratio - 1));
}

static char *interval_text(const struct hakstat_ab_figure *f)
{
	char *low, *high, *text;

	if (f->is_recorded || !f->paired.has_interval) {
		return g_strdup("-");
	}
	low = percent(f->paired.low);
	high = percent(f->paired.high);
	text = g_strdup_printf("%s to %s", low, high); /* they have signs */
	g_free(low);
	g_free(high);
	return text;
}

static char *change_text(const struct hakstat_ab_figure *f)
{
	if (f->verdict == HAKSTAT_AB_UNKNOWN) {
		return g_strdup("?");
	}
	return percent(f->is_recorded ? f->change : f->paired.ratio);
}

static void fill_grid(const struct hakstat_ab *ab, bool is_exact, struct hakstat_grid *grid)
{
	static const struct {
		const char *header;
		int rank;
	} numbers[] = {
		{ "a", 0 },	      { "a from - to", 3 }, { "b", 0 },
		{ "b from - to", 3 }, { "b to a", 0 },	    { "95 %", 2 },
	};

	hakstat_grid_column(grid, "figure", HAKSTAT_GRID_TEXT);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		hakstat_grid_column_of_rank(grid, numbers[i].header, HAKSTAT_GRID_NUMBER, numbers[i].rank);
	}
	hakstat_grid_column(grid, "b is", HAKSTAT_GRID_TEXT);
	for (guint i = 0; i < ab->figures->len; i++) {
		const struct hakstat_ab_figure *f = g_ptr_array_index(ab->figures, i);
		hakstat_grid_cell(grid, g_strdup(f->name));
		for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
			hakstat_grid_cell(grid, median_text(f, side, is_exact));
			hakstat_grid_cell(grid, range_text(f, side, is_exact));
		}
		hakstat_grid_cell(grid, change_text(f));
		hakstat_grid_cell(grid, interval_text(f));
		hakstat_grid_cell(grid, g_strdup(hakstat_ab_verdict_text(f)));
	}
}

static GPtrArray *head_lines(const struct hakstat_ab *ab)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	char *command = command_text(ab);
	char *served = served_text(ab);

	hakstat_add_line(lines, "command   %s", command);
	for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
		char *settings = settings_text(ab, side);
		hakstat_add_line(lines, "%c         %s", letters[side], settings);
		g_free(settings);
	}
	hakstat_add_line(lines, "runs      %u pair%s, turn about%s", ab->pairs, ab->pairs == 1 ? "" : "s",
			 ab->is_interrupted ? "; PARTIAL: interrupted before the end" : "");
	if (ab->recordings) {
		hakstat_add_line(lines,
				 "waste     %u recording%s of each in mode %s, apart from the "
				 "timed runs%s",
				 ab->recordings, ab->recordings == 1 ? "" : "s",
				 hakstat_mode_name(hakstat_mode_of_choice(ab->plan->mode)),
				 ab->is_incomplete ? "; INCOMPLETE: events were lost" : "");
	}
	hakstat_add_line(lines, "served    by hakmem: %s", served);
	g_free(command);
	g_free(served);
	return lines;
}

static GPtrArray *foot_lines(const struct hakstat_ab *ab)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	if (ab->pairs) {
		hakstat_add_line(lines, "a and b are medians; 'b to a' and its interval come from the pairs' "
					"ratios (Hodges-Lehmann)");
		hakstat_add_line(lines, "more than noise: exact Wilcoxon signed-rank test of the pairs, 5 %% "
					"for all rows together (Holm)");
	}
	if (ab->recordings) {
		hakstat_add_line(lines,
				 "waste to committed: more than noise when all recordings of a and b "
				 "are apart, and %u of each are needed",
				 HAKSTAT_AB_RECORDINGS_LEAST);
	}
	hakstat_add_line(lines,
			 "peak RSS is the largest process's; CPU time and page faults are those of all");
	return lines;
}

static void put_lines(GPtrArray *lines, const struct hakstat_view *view, int indent, FILE *out)
{
	for (guint i = 0; i < lines->len; i++) {
		hakstat_put_prose(view, indent, g_ptr_array_index(lines, i), out);
	}
	g_ptr_array_unref(lines);
}

static void put_items(GPtrArray *lines, FILE *out)
{
	for (guint i = 0; i < lines->len; i++) {
		fputs("- ", out);
		hakstat_markdown_put(out, g_ptr_array_index(lines, i));
		fputc('\n', out);
	}
	g_ptr_array_unref(lines);
}

int hakstat_render_ab_table(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out)
{
	struct hakstat_grid grid;

	hakstat_grid_init(&grid);
	fill_grid(ab, view->is_exact, &grid);
	put_lines(head_lines(ab), view, HAKSTAT_HEAD_INDENT, out);
	fputc('\n', out);
	hakstat_grid_print(&grid, view->width, view->colours, out);
	hakstat_grid_clear(&grid);
	put_lines(foot_lines(ab), view, FOOT_INDENT, out);
	if (!ab->diff) {
		return ferror(out) ? -1 : 0;
	}
	fputs("\nthe recordings with the median waste, base a and new b:\n", out);
	return hakstat_render_diff_table(ab->diff, view, out);
}

int hakstat_render_ab_markdown(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out)
{
	struct hakstat_grid grid;

	hakstat_grid_init(&grid);
	fill_grid(ab, view->is_exact, &grid);
	fputs("## Two settings compared\n\n", out);
	put_items(head_lines(ab), out);
	fputc('\n', out);
	hakstat_markdown_grid(&grid, out);
	hakstat_grid_clear(&grid);
	fputc('\n', out);
	put_items(foot_lines(ab), out);
	if (!ab->diff) {
		return ferror(out) ? -1 : 0;
	}
	fputc('\n', out);
	return hakstat_render_diff_markdown(ab->diff, view, out);
}

/* For programs ----------------------------------------------------------------------------- */

static json_t *real_if(bool is_known, double value)
{
	return is_known ? json_real(value) : json_null();
}

static json_t *values_json(const struct hakstat_ab_figure *f, int side)
{
	const struct hakstat_spread *s = &f->spread[side];
	bool is_known = !f->is_unknown[side];
	json_t *to = json_object();
	json_t *values = json_array();

	json_object_set_new(to, "min", real_if(is_known, s->min));
	json_object_set_new(to, "median", real_if(is_known, s->median));
	json_object_set_new(to, "max", real_if(is_known, s->max));
	for (guint i = 0; is_known && i < f->values[side]->len; i++) {
		json_array_append_new(values, json_real(g_array_index(f->values[side], double, i)));
	}
	json_object_set_new(to, "values", values);
	return to;
}

static json_t *figure_json(const struct hakstat_ab_figure *f)
{
	const struct hakstat_paired *p = &f->paired;
	bool has_interval = !f->is_recorded && p->has_interval;
	json_t *to = json_pack("{s:s, s:b}", "key", f->key, "recorded", f->is_recorded);

	json_object_set_new(to, "a", values_json(f, HAKSTAT_AB_A));
	json_object_set_new(to, "b", values_json(f, HAKSTAT_AB_B));
	json_object_set_new(to, "ratio",
			    real_if(f->verdict != HAKSTAT_AB_UNKNOWN, f->is_recorded ? f->change : p->ratio));
	json_object_set_new(to, "ratio_low", real_if(has_interval, p->low));
	json_object_set_new(to, "ratio_high", real_if(has_interval, p->high));
	json_object_set_new(to, "p", real_if(!f->is_recorded, p->p));
	json_object_set_new(to, "verdict", json_string(hakstat_ab_verdict_text(f)));
	return to;
}

static json_t *settings_json(char *const *settings)
{
	json_t *array = json_array();

	for (; *settings; settings++) {
		json_array_append_new(array, hakstat_json_text(*settings));
	}
	return array;
}

static json_t *served_json(const struct hakstat_ab *ab)
{
	g_autofree char *text = served_text(ab);

	return json_string(text);
}

int hakstat_render_ab_json(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out)
{
	json_t *root = json_pack("{s:s, s:b, s:b, s:i, s:i, s:s}", "schema", "hakstat.ab/1", "partial",
				 ab->is_interrupted, "incomplete", ab->is_incomplete, "pairs", (int)ab->pairs,
				 "recordings", (int)ab->recordings, "mode",
				 hakstat_mode_name(hakstat_mode_of_choice(ab->plan->mode)));
	json_t *figures = json_array();

	json_object_set_new(root, "command", settings_json(ab->plan->argv));
	json_object_set_new(root, "a", settings_json(ab->plan->settings[HAKSTAT_AB_A]));
	json_object_set_new(root, "b", settings_json(ab->plan->settings[HAKSTAT_AB_B]));
	json_object_set_new(root, "served", served_json(ab));
	for (guint i = 0; i < ab->figures->len; i++) {
		json_array_append_new(figures, figure_json(g_ptr_array_index(ab->figures, i)));
	}
	json_object_set_new(root, "figures", figures);
	json_object_set_new(root, "diff", ab->diff ? hakstat_diff_json(ab->diff, view) : json_null());
	return hakstat_json_write(root, out);
}

static void put_spread(FILE *out, const struct hakstat_ab_figure *f, int side)
{
	const struct hakstat_spread *s = &f->spread[side];

	if (f->is_unknown[side]) {
		fputs(",,,", out);
	} else {
		fprintf(out, ",%.10g,%.10g,%.10g", s->min, s->median, s->max);
	}
}

int hakstat_render_ab_csv(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out)
{
	(void)view;
	fputs("figure,runs,a_min,a_median,a_max,b_min,b_median,b_max,ratio,ratio_low,ratio_high,p,verdict\n",
	      out);
	for (guint i = 0; i < ab->figures->len; i++) {
		const struct hakstat_ab_figure *f = g_ptr_array_index(ab->figures, i);
		fprintf(out, "%s,%u", f->key, f->values[HAKSTAT_AB_A]->len);
		for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
			put_spread(out, f, side);
		}
		if (f->verdict == HAKSTAT_AB_UNKNOWN) {
			fputc(',', out);
		} else {
			fprintf(out, ",%.10g", f->is_recorded ? f->change : f->paired.ratio);
		}
		if (!f->is_recorded && f->paired.has_interval) {
			fprintf(out, ",%.10g,%.10g", f->paired.low, f->paired.high);
		} else {
			fputs(",,", out);
		}
		if (f->is_recorded) {
			fputc(',', out);
		} else {
			fprintf(out, ",%.10g", f->paired.p);
		}
		fprintf(out, ",\"%s\"\n", hakstat_ab_verdict_text(f));
	}
	return ferror(out) ? -1 : 0;
}

/* Histories compare by "smaller is better", so a rate goes in as the time that one unit of it takes. */
static void add_entry(json_t *array, const struct hakstat_ab_figure *f, int side)
{
	static const char *const units[] = { "s", "bytes", "count", "%", "s" };
	const struct hakstat_spread *s = &f->spread[side];
	g_autofree char *name = g_strdup_printf("%c: %s%s", letters[side], f->name,
						f->is_larger_better ? ", seconds for one" : "");
	g_autofree char *range = f->is_larger_better ? g_strdup_printf("%.6g - %.6g", 1 / s->max, 1 / s->min)
						     : g_strdup_printf("%.10g - %.10g", s->min, s->max);
	g_autofree char *extra = g_strdup_printf("b is: %s", hakstat_ab_verdict_text(f));

	if (!f->is_unknown[side] && (!f->is_larger_better || s->min > 0)) {
		hakstat_benchmark_add(array, name, units[f->unit],
				      f->is_larger_better ? 1 / s->median : s->median, range, extra);
	}
}

int hakstat_render_ab_benchmark(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out)
{
	json_t *array = json_array();

	(void)view;
	for (guint i = 0; i < ab->figures->len; i++) {
		for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
			add_entry(array, g_ptr_array_index(ab->figures, i), side);
		}
	}
	return hakstat_json_write(array, out);
}
