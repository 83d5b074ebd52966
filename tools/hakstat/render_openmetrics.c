/* SPDX-License-Identifier: MIT */
/*
 * OpenMetrics text: sums as counters, what is there at the end as gauges, with the class as
 * label. node_exporter's textfile collector and `promtool check metrics` read it.
 */
#include <inttypes.h>
#include <string.h>

#include "render.h"
#include "text.h"

struct metric {
	const char *name; /* without hakmem_ and, for counters, without _total */
	const char *unit; /* the name's ending, or NULL */
	bool is_counter;
	const char *column; /* key of a class's column */
	const char *help;
};

static const struct metric class_metrics[] = {
	{ "allocations", NULL, true, "allocs", "Allocations." },
	{ "frees", NULL, true, "frees", "Frees." },
	{ "requested_bytes", "bytes", true, "requested_bytes", "Bytes that allocations asked for." },
	{ "usable_bytes", "bytes", true, "usable_bytes", "Bytes of the blocks they got." },
	{ "waste_bytes", "bytes", true, "waste_bytes", "Usable bytes less requested bytes." },
	{ "live_blocks", NULL, false, "live", "Blocks the program holds." },
	{ "live_usable_bytes", "bytes", false, "live_usable_bytes", "Usable bytes of live blocks." },
	{ "live_waste_bytes", "bytes", false, "live_waste_bytes", "Waste in live blocks." },
	{ "slab_bytes", "bytes", false, "slab_bytes", "Bytes of the slabs." },
	{ "idle_slab_bytes", "bytes", false, "external_waste_bytes",
	  "Bytes in slabs that no live block uses." },
};

static const struct metric total_metrics[] = {
	{ "mapped_bytes", "bytes", false, "mapped_bytes", "Superslabs made accessible." },
	{ "committed_bytes", "bytes", false, "committed_bytes", "Of those, spans in use or not given back." },
	{ "held_bytes", "bytes", false, "held_bytes", "Committed spans that nobody uses." },
	{ "peak_live_bytes", "bytes", false, "peak_live_bytes", "Most usable bytes that were live at once." },
};

static void put_label(FILE *out, const char *text)
{
	char *clean = hakstat_text_clean(text ? text : "");

	for (const char *p = clean; *p; p++) {
		if (*p == '"' || *p == '\\') {
			fputc('\\', out);
		}
		fputc(*p, out);
	}
	g_free(clean);
}

static void put_head(FILE *out, const struct metric *m)
{
	fprintf(out, "# TYPE hakmem_%s %s\n", m->name, m->is_counter ? "counter" : "gauge");
	if (m->unit) {
		fprintf(out, "# UNIT hakmem_%s %s\n", m->name, m->unit);
	}
	fprintf(out, "# HELP hakmem_%s %s\n", m->name, m->help);
}

static void put_class_metric(FILE *out, const struct metric *m, const struct hakstat_report *r)
{
	const struct hakstat_column *column = hakstat_column_find(1u << HAKSTAT_BY_CLASS, m->column);

	put_head(out, m);
	for (guint i = 0; i < r->tables[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_CLASS], i);
		struct hakstat_value value = column->get(row);
		if (!value.is_known) {
			continue;
		}
		fprintf(out, "hakmem_%s%s{class=\"", m->name, m->is_counter ? "_total" : "");
		put_label(out, row->class_name);
		fputs("\",route=\"", out);
		put_label(out, hakstat_column_find(1u << HAKSTAT_BY_CLASS, "route")->get(row).text);
		fprintf(out, "\",block=\"%" PRIu64 "\"} %" PRIu64 "\n", row->block, value.number);
	}
}

static void put_lost(FILE *out, const struct hakstat_summary *s)
{
	static const struct metric lost = { "lost_events", NULL, true, NULL, "Events the tracer lost." };

	put_head(out, &lost);
	fprintf(out, "hakmem_lost_events_total %" PRIu64 "\n", s->lost_events);
}

int hakstat_render_openmetrics(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	(void)view;
	for (size_t i = 0; i < G_N_ELEMENTS(class_metrics); i++) {
		put_class_metric(out, &class_metrics[i], r);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(total_metrics); i++) {
		const struct metric *m = &total_metrics[i];
		put_head(out, m);
		fprintf(out, "hakmem_%s %" PRIu64 "\n", m->name,
			hakstat_column_find(HAKSTAT_IN_TOTALS, m->column)->get(&r->totals).number);
	}
	put_lost(out, r->summary);
	fputs("# EOF\n", out);
	return ferror(out) ? -1 : 0;
}
