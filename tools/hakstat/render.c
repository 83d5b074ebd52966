/* SPDX-License-Identifier: MIT */
/*
 * What the renderers for people have in common: cells, frames and the head of a report.
 */
#include "render.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "frame.h"
#include "number.h"
#include "text.h"

const char *const hakstat_table_titles[HAKSTAT_TABLE_COUNT] = {
	[HAKSTAT_BY_CLASS] = "Classes",	      [HAKSTAT_BY_ROUTE] = "Routes",
	[HAKSTAT_BY_SIZE] = "Request sizes",  [HAKSTAT_BY_SITE] = "Call sites",
	[HAKSTAT_BY_THREAD] = "Threads",      [HAKSTAT_BY_PROCESS] = "Processes",
	[HAKSTAT_BY_TIME] = "Course of time", [HAKSTAT_BY_HEAP] = "Classes over time",
};

guint hakstat_view_rows(const struct hakstat_view *view, guint length, guint standard)
{
	uint64_t wanted = view->top ? view->top : view->has_by ? length : standard;

	return (guint)MIN(wanted, length);
}

char *hakstat_prose(const struct hakstat_view *view, int indent, const char *text)
{
	char *clean = hakstat_text_clean(text);
	char *wrapped = hakstat_text_wrap(clean, view->width, indent);

	g_free(clean);
	return wrapped;
}

void hakstat_put_prose(const struct hakstat_view *view, int indent, const char *text, FILE *out)
{
	char *shown = hakstat_prose(view, indent, text);

	fprintf(out, "%s\n", shown);
	g_free(shown);
}

/* The innermost frames say where; five are enough to know the path that led there. */
static char *stack_text(const GPtrArray *stack)
{
	enum { SHOWN = 5 };
	GString *out = g_string_new(NULL);

	if (stack->len == 0) {
		g_string_append(out, "(stack not in this trace)");
	}
	for (guint i = 0; i < stack->len && i < SHOWN; i++) {
		char *frame = hakstat_frame_text(g_ptr_array_index(stack, i));
		g_string_append_printf(out, "%s%s", i ? " < " : "", frame);
		g_free(frame);
	}
	if (stack->len > SHOWN) {
		g_string_append(out, " < ...");
	}
	return g_string_free(out, FALSE);
}

static char *time_text(uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm parts;
	char clock[16] = "?";

	if (localtime_r(&seconds, &parts)) {
		strftime(clock, sizeof clock, "%H:%M:%S", &parts);
	}
	return g_strdup_printf("%s.%03u", clock, (unsigned)(ns / 1000000u % 1000u));
}

/* An estimated part of waste stands with its interval. */
static char *percent_text(const struct hakstat_column *column, const struct hakstat_row *row, double percent)
{
	const struct hakstat_column *half = hakstat_column_interval(HAKSTAT_IN_TOTALS, column->key);
	struct hakstat_value v = half ? half->get(row) : (struct hakstat_value) { 0 };

	return v.is_known && v.real > 0 ? g_strdup_printf("%.1f ±%.1f", percent, v.real)
					: g_strdup_printf("%.1f", percent);
}

static char *plain_bytes(uint64_t bytes, bool is_exact)
{
	char text[32];

	if (is_exact) {
		return g_strdup_printf("%" PRIu64, bytes);
	}
	hakstat_text_bytes(text, sizeof text, bytes);
	return g_strdup(text);
}

char *hakstat_with_interval(const char *text, const struct hakstat_value *half, bool is_exact)
{
	g_autofree char *width = half && half->is_known ? plain_bytes(half->number, is_exact) : NULL;

	if (!half || (half->is_known && half->number == 0)) {
		return g_strdup(text);
	}
	return g_strdup_printf("%s ±%s", text, width ? width : "?");
}

char *hakstat_bytes_text(uint64_t bytes, const struct hakstat_value *half, bool is_exact)
{
	g_autofree char *text = plain_bytes(bytes, is_exact);

	return hakstat_with_interval(text, half, is_exact);
}

/* So does estimated waste of what is live; of all else it would make the tables too wide. */
static char *bytes_cell(const struct hakstat_column *column, const struct hakstat_row *row, uint64_t bytes,
			bool is_exact)
{
	struct hakstat_value half;

	if (strcmp(column->key, "live_waste_bytes") != 0) {
		return hakstat_bytes_text(bytes, NULL, is_exact);
	}
	half = hakstat_column_interval(HAKSTAT_IN_TOTALS, column->key)->get(row);
	return hakstat_bytes_text(bytes, &half, is_exact);
}

char *hakstat_cell_text(const struct hakstat_column *column, const struct hakstat_row *row, bool is_exact)
{
	struct hakstat_value v = column->get(row);
	char text[64];

	if (!v.is_known) {
		return g_strdup(
			column->unit == HAKSTAT_UNIT_TEXT || strcmp(column->key, "usable") == 0 ? "-" : "?");
	}
	switch (column->unit) {
	case HAKSTAT_UNIT_TEXT:
		return hakstat_text_clean(v.text);
	case HAKSTAT_UNIT_ID:
		return strcmp(column->key, "time_ns") == 0 ? time_text(v.number)
							   : g_strdup_printf("%" PRIu64, v.number);
	case HAKSTAT_UNIT_COUNT:
		hakstat_text_count(text, sizeof text, v.number);
		return g_strdup(text);
	case HAKSTAT_UNIT_SIZE:
		return g_strdup_printf("%" PRIu64, v.number);
	case HAKSTAT_UNIT_BYTES:
		return bytes_cell(column, row, v.number, is_exact);
	case HAKSTAT_UNIT_PERCENT:
		return percent_text(column, row, v.real);
	case HAKSTAT_UNIT_STACK:
		return stack_text(row->stack);
	}
	return g_strdup("");
}

static char *bytes_text(uint64_t bytes, bool is_exact)
{
	char text[48];

	if (is_exact) {
		return g_strdup_printf("%" PRIu64 " B", bytes);
	}
	hakstat_text_bytes(text, sizeof text, bytes);
	return g_strdup(text);
}

void hakstat_add_line(GPtrArray *lines, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(lines, g_strdup_vprintf(format, args));
	va_end(args);
}

static char *join(const GPtrArray *texts)
{
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < texts->len; i++) {
		g_string_append_printf(out, "%s%s", i ? ", " : "", (const char *)g_ptr_array_index(texts, i));
	}
	return g_string_free(out, FALSE);
}

static void add_lost_line(const struct hakstat_summary *s, GPtrArray *lines)
{
	char events[32], words[32];

	hakstat_text_count(events, sizeof events, s->lost_events);
	hakstat_text_count(words, sizeof words, s->lost_operations);
	hakstat_add_line(lines, "lost      %s%s events%s%s%s%s", s->lost_unknown ? "at least " : "", events,
			 s->lost_operations ? ", " : "", s->lost_operations ? words : "",
			 s->lost_operations ? " packed operations" : "",
			 s->partial ? "; PARTIAL: only a part of the trace was read" : "");
}

static void add_notes(const struct hakstat_summary *s, GPtrArray *lines)
{
	for (guint i = 0; i < s->notes->len; i++) {
		hakstat_add_line(lines, "note      %s", (const char *)g_ptr_array_index(s->notes, i));
	}
}

static void add_trace_lines(const struct hakstat_report *r, GPtrArray *lines)
{
	const struct hakstat_summary *s = r->summary;
	char *paths = join(s->paths);
	char *hosts = join(s->hosts);
	char operations[32], events[32];

	hakstat_text_count(operations, sizeof operations, s->operations);
	hakstat_text_count(events, sizeof events, s->events);
	hakstat_add_line(lines, "trace     %s%s%s", paths, hosts[0] ? " from " : "", hosts);
	hakstat_add_line(lines, "recorded  mode %s, %u process%s, %.1f s, %s events, %s %s",
			 hakstat_mode_name(s->mode), r->tables[HAKSTAT_BY_PROCESS]->len,
			 r->tables[HAKSTAT_BY_PROCESS]->len == 1 ? "" : "es", hakstat_report_duration_s(r),
			 events, operations, s->mode == HAKSTAT_MODE_SAMPLE ? "samples" : "operations");
	add_lost_line(s, lines);
	g_free(paths);
	g_free(hosts);
}

static void add_config_line(const struct hakstat_report *r, bool is_exact, GPtrArray *lines)
{
	const struct hakstat_config *c = &r->summary->config;
	char *slab;

	if (!c->known) {
		hakstat_add_line(lines, "options   not in this trace");
		return;
	}
	slab = bytes_text(c->superslab_size, is_exact);
	hakstat_add_line(lines,
			 "options   size classes %s, Tiny up to C%u (%u B), superslabs of %s, hakmem %s%s",
			 c->size_classes, c->tiny_max_class, c->tiny_max_size, slab, c->version,
			 c->differs ? "; the processes differ in them" : "");
	g_free(slab);
}

/* Older traces do not tell, and not each snapshot of a very large heap does. */
static char *resident_text(const struct hakstat_row *totals, bool is_exact)
{
	struct hakstat_value v = hakstat_column_find(HAKSTAT_IN_TOTALS, "resident_bytes")->get(totals);
	char *bytes = bytes_text(v.number, is_exact);
	char *text = v.is_known ? g_strdup_printf(", %s in memory", bytes) : g_strdup("");

	g_free(bytes);
	return text;
}

/* A sum of bytes; "?" when the trace does not tell. Free with g_free. */
static char *total_text(const struct hakstat_row *totals, const char *key, bool is_exact)
{
	struct hakstat_value v = hakstat_column_find(HAKSTAT_IN_TOTALS, key)->get(totals);

	return v.is_known ? bytes_text(v.number, is_exact) : g_strdup("?");
}

static char *live_waste_text(const struct hakstat_row *totals, bool is_exact)
{
	struct hakstat_value v = hakstat_column_find(HAKSTAT_IN_TOTALS, "live_waste_bytes")->get(totals);
	struct hakstat_value half =
		hakstat_column_interval(HAKSTAT_IN_TOTALS, "live_waste_bytes")->get(totals);

	return v.is_known ? hakstat_bytes_text(v.number, &half, is_exact) : g_strdup("?");
}

/* " (34.0 %)", or nothing. */
static char *waste_percent_text(const struct hakstat_row *totals)
{
	const struct hakstat_column *percent = hakstat_column_find(HAKSTAT_IN_TOTALS, "waste_percent");
	struct hakstat_value v = percent->get(totals);
	g_autofree char *text = percent_text(percent, totals, v.real);

	return v.is_known || totals->n.allocs == 0 ? g_strdup_printf(" (%s %%)", text) : g_strdup("");
}

/* What of the usable bytes requested and waste speak of, unless it is all or nothing. */
static char *known_part_text(const struct hakstat_row *totals, bool is_exact)
{
	const struct hakstat_counts *n = &totals->n;
	g_autofree char *usable = bytes_text(hakstat_less(n->usable_bytes, n->unknown_bytes), is_exact);

	if (n->unknown_allocs == 0 || n->unknown_allocs >= n->allocs) {
		return g_strdup("");
	}
	return g_strdup_printf(
		"; requested and waste are of the %.1f %% of allocations whose requests are known, with "
		"%s usable",
		100 - hakstat_percent(n->unknown_allocs, n->allocs), usable);
}

static void add_sum_lines(const struct hakstat_report *r, bool is_exact, GPtrArray *lines)
{
	const struct hakstat_row *t = &r->totals;
	char *requested = total_text(t, "requested_bytes", is_exact);
	char *usable = bytes_text(t->n.usable_bytes, is_exact);
	char *waste = total_text(t, "waste_bytes", is_exact);
	char *live = bytes_text(t->n.live_usable_bytes, is_exact);
	char *live_waste = live_waste_text(t, is_exact);
	char *peak = bytes_text(t->g.peak_live_bytes, is_exact);
	char *idle = bytes_text(hakstat_column_find(HAKSTAT_IN_TOTALS, "external_waste_bytes")->get(t).number,
				is_exact);
	char *committed = bytes_text(t->g.committed_bytes, is_exact);
	char *held = bytes_text(t->g.cached_bytes, is_exact);
	char *resident = resident_text(t, is_exact);
	char allocs[32], frees[32], blocks[32], error[48] = "";
	struct hakstat_value ci = hakstat_column_find(HAKSTAT_IN_TOTALS, "ci95_percent")->get(t);
	g_autofree char *part = waste_percent_text(t);
	g_autofree char *known = known_part_text(t, is_exact);

	hakstat_text_count(allocs, sizeof allocs, t->n.allocs);
	hakstat_text_count(frees, sizeof frees, t->n.frees);
	hakstat_text_count(blocks, sizeof blocks, t->n.live);
	if (r->summary->estimated && ci.is_known) {
		g_snprintf(error, sizeof error, " (estimated, ±%.1f %% at 95 %%)", ci.real);
	}
	hakstat_add_line(lines, "all       %s allocations, %s frees; requested %s%s, usable %s, waste %s%s%s",
			 allocs, frees, requested, error, usable, waste, part, known);
	hakstat_add_line(lines, "live      %s blocks of %s, %s of it waste; peak %s", blocks, live,
			 live_waste, peak);
	hakstat_add_line(lines, "slabs     committed %s%s; free in slabs %s; held, not given back %s",
			 committed, resident, idle, held);
	g_free(requested);
	g_free(usable);
	g_free(waste);
	g_free(live);
	g_free(live_waste);
	g_free(peak);
	g_free(idle);
	g_free(committed);
	g_free(held);
	g_free(resident);
}

GPtrArray *hakstat_head_lines(const struct hakstat_report *r, bool is_exact)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	add_trace_lines(r, lines);
	add_config_line(r, is_exact, lines);
	add_sum_lines(r, is_exact, lines);
	add_notes(r->summary, lines);
	return lines;
}

GPtrArray *hakstat_loss_lines(const struct hakstat_summary *s)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	if (hakstat_summary_is_incomplete(s)) {
		add_lost_line(s, lines);
		add_notes(s, lines);
	}
	return lines;
}
