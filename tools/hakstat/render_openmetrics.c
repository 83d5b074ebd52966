/* SPDX-License-Identifier: MIT */
/*
 * OpenMetrics text that is the older text format of Prometheus as well: node_exporter's textfile collector,
 * `promtool check metrics` and parsers of OpenMetrics read it. A file is of one recording and the
 * next one of another, so nothing counts on from file to file: all are gauges, sums over the recording too,
 * and rate() is for none of them. What is not known has no sample.
 */
#include <inttypes.h>
#include <string.h>

#include "render.h"
#include "text.h"

struct metric {
	const char *name; /* without hakmem_; ends with the unit */
	const char *key;  /* of the column, which has the unit, the text of HELP and the value */
};

static const struct metric class_metrics[] = {
	{ "allocations", "allocs" },
	{ "frees", "frees" },
	{ "requested_bytes", "requested_bytes" },
	{ "requested_interval_ratio", "ci95_percent" },
	{ "usable_bytes", "usable_bytes" },
	{ "waste_bytes", "waste_bytes" },
	{ "waste_interval_bytes", "waste_bytes_ci95" },
	{ "waste_ratio", "waste_percent" },
	{ "unsampled_allocations", "unknown_allocs" },
	{ "live_blocks", "live" },
	{ "live_requested_bytes", "live_requested_bytes" },
	{ "live_usable_bytes", "live_usable_bytes" },
	{ "live_requested_interval_bytes", "live_requested_bytes_ci95" },
	{ "live_waste_bytes", "live_waste_bytes" },
	{ "live_waste_interval_bytes", "live_waste_bytes_ci95" },
	{ "slab_bytes", "slab_bytes" },
	{ "idle_slab_bytes", "external_waste_bytes" },
};

static const struct metric total_metrics[] = {
	{ "mapped_bytes", "mapped_bytes" },	  { "committed_bytes", "committed_bytes" },
	{ "resident_bytes", "resident_bytes" },	  { "held_bytes", "held_bytes" },
	{ "peak_live_bytes", "peak_live_bytes" },
};

static void put_label(FILE *out, const char *name, const char *text)
{
	char *clean = hakstat_text_clean(text ? text : "");

	fprintf(out, "%s=\"", name);
	for (const char *p = clean; *p; p++) {
		if (*p == '"' || *p == '\\') {
			fputc('\\', out);
		}
		fputc(*p, out);
	}
	fputc('"', out);
	g_free(clean);
}

static void put_head(FILE *out, const char *name, const char *help)
{
	static const char *const units[] = { "bytes", "ratio", "seconds" };

	fprintf(out, "# HELP hakmem_%s %s\n# TYPE hakmem_%s gauge\n", name, help, name);
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		const char *end = g_strrstr(name, "_");
		if (end && strcmp(end + 1, units[i]) == 0) {
			fprintf(out, "# UNIT hakmem_%s %s\n", name, units[i]);
		}
	}
}

static void put_value(FILE *out, const struct hakstat_column *column, struct hakstat_value value)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	if (column->unit == HAKSTAT_UNIT_PERCENT) {
		fprintf(out, " %s\n", g_ascii_formatd(digits, sizeof digits, "%.6f", value.real / 100));
	} else {
		fprintf(out, " %" PRIu64 "\n", value.number);
	}
}

static void put_class_metric(FILE *out, const struct metric *m, const struct hakstat_report *r)
{
	const struct hakstat_column *column = hakstat_column_find(1u << HAKSTAT_BY_CLASS, m->key);

	put_head(out, m->name, column->help);
	for (guint i = 0; i < r->tables[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_CLASS], i);
		struct hakstat_value value = column->get(row);
		if (!value.is_known) {
			continue;
		}
		fprintf(out, "hakmem_%s{", m->name);
		put_label(out, "class", row->class_name);
		put_label(out, ",route", hakstat_column_find(1u << HAKSTAT_BY_CLASS, "route")->get(row).text);
		/* With the number, classes of several tables are told apart that have the same name. */
		fprintf(out, ",block=\"%" PRIu64 "\",id=\"%u\"}", row->block, row->class_id);
		put_value(out, column, value);
	}
}

static void put_total_metric(FILE *out, const struct metric *m, const struct hakstat_report *r)
{
	const struct hakstat_column *column = hakstat_column_find(HAKSTAT_IN_TOTALS, m->key);
	struct hakstat_value value = column->get(&r->totals);

	if (value.is_known) {
		put_head(out, m->name, column->help);
		fprintf(out, "hakmem_%s", m->name);
		put_value(out, column, value);
	}
}

static void put_info(FILE *out, const struct hakstat_summary *s)
{
	const struct hakstat_config *c = &s->config;

	put_head(out, "recording_info", "what was recorded, in its labels");
	fputs("hakmem_recording_info{", out);
	put_label(out, "mode", hakstat_mode_name(s->mode));
	put_label(out, ",estimated", s->estimated ? "true" : "false");
	if (c->known) {
		char boundary[16];
		g_snprintf(boundary, sizeof boundary, "%u", c->tiny_max_class);
		put_label(out, ",size_classes", c->size_classes);
		put_label(out, ",tiny_max_class", boundary);
		put_label(out, ",version", c->version);
	}
	fputs("} 1\n", out);
}

static void put_number(FILE *out, const char *name, const char *help, double value)
{
	char digits[G_ASCII_DTOSTR_BUF_SIZE];

	put_head(out, name, help);
	fprintf(out, "hakmem_%s %s\n", name, g_ascii_formatd(digits, sizeof digits, "%.15g", value));
}

/* What tells how far the rest can be relied on. */
static void put_recording(FILE *out, const struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;

	put_info(out, s);
	put_number(out, "recording_duration_seconds", "from the first event to the last",
		   hakstat_report_duration_s(r));
	if (s->end_ns >= s->begin_ns) {
		put_number(out, "recording_end_timestamp_seconds", "time of the last event",
			   (double)s->end_ns / 1e9);
	}
	put_number(out, "recording_complete", "1: no event was lost and all of the trace was read",
		   !hakstat_report_is_incomplete(r));
	put_number(out, "lost_events", "events that the tracer lost, as far as it knows; they are in no sum",
		   (double)s->lost_events);
	put_number(out, "lost_operations", "packed operations that were lost; they are in no sum of bytes",
		   (double)s->lost_operations);
}

int hakstat_render_openmetrics(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	(void)view;
	put_recording(out, r);
	for (size_t i = 0; i < G_N_ELEMENTS(class_metrics); i++) {
		put_class_metric(out, &class_metrics[i], r);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(total_metrics); i++) {
		put_total_metric(out, &total_metrics[i], r);
	}
	fputs("# EOF\n", out);
	return ferror(out) ? -1 : 0;
}
