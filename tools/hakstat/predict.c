/* SPDX-License-Identifier: MIT */
/*
 * Requests against tables.
 */
#include "predict.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

void hakstat_predict_row(const struct hak_class_table *table, const struct hakstat_row *size,
			 struct hakstat_prediction *sum)
{
	uint64_t count = size->n.allocs;
	uint64_t mean = count ? (size->n.requested_bytes + count / 2) / count : 0;
	struct hak_decision decision = hak_route_decide(table, mean, 1);
	uint64_t usable =
		decision.usable > UINT64_MAX / (count ? count : 1) ? UINT64_MAX : decision.usable * count;

	sum->allocs += count;
	sum->requested_bytes += size->n.requested_bytes;
	sum->usable_bytes += usable;
	sum->waste_bytes += usable > size->n.requested_bytes ? usable - size->n.requested_bytes : 0;
}

struct hakstat_prediction hakstat_predict(const struct hak_class_table *table,
					  const struct hakstat_summary *summary)
{
	struct hakstat_prediction sum = { 0 };

	for (guint i = 0; i < summary->rows[HAKSTAT_BY_SIZE]->len; i++) {
		hakstat_predict_row(table, g_ptr_array_index(summary->rows[HAKSTAT_BY_SIZE], i), &sum);
	}
	return sum;
}

struct predicted {
	const struct hak_class_table *table;
	struct hakstat_summary *to;
	uint64_t mean;
	struct hak_decision decision;
	struct hakstat_counts n;
};

static const char *predicted_class(const struct predicted *p)
{
	return p->decision.class_id < p->table->count ? p->table->classes[p->decision.class_id].name
						      : "large";
}

static void fill_row(const struct predicted *p, struct hakstat_row *row)
{
	row->class_id = p->decision.class_id;
	row->route = p->decision.route;
	row->reason = p->decision.reason;
	row->block = p->decision.class_id < p->table->count ? p->decision.usable : 0;
	if (!row->class_name) {
		row->class_name = g_strdup(predicted_class(p));
	}
}

static void add_row(const struct predicted *p, enum hakstat_table_id table, const char *key,
		    const struct hakstat_row *size)
{
	bool is_new;
	struct hakstat_row *row = hakstat_summary_row(p->to, table, key, &is_new);

	fill_row(p, row);
	hakstat_row_add_range(row, table, is_new, size->requested_min, size->requested_max);
	hakstat_counts_add(&row->n, &p->n);
}

static uint64_t times(uint64_t count, uint64_t bytes)
{
	return count && bytes > UINT64_MAX / count ? UINT64_MAX : count * bytes;
}

static void predict_size(struct predicted *p, const struct hakstat_row *size)
{
	char key[128];

	if (size->n.allocs == 0) {
		return;
	}
	p->mean = (size->n.requested_bytes + size->n.allocs / 2) / size->n.allocs;
	p->decision = hak_route_decide(p->table, p->mean, 1);
	p->n = (struct hakstat_counts) {
		.allocs = size->n.allocs,
		.frees = size->n.allocs - MIN(size->n.allocs, size->n.live),
		.live = size->n.live,
		.requested_bytes = size->n.requested_bytes,
		.usable_bytes = times(size->n.allocs, p->decision.usable),
		.live_requested_bytes = times(size->n.live, p->mean),
		.live_usable_bytes = times(size->n.live, p->decision.usable),
	};
	g_snprintf(key, sizeof key, "%u:%s:%" PRIu64, p->decision.class_id, predicted_class(p),
		   p->decision.usable);
	if (p->decision.class_id == p->table->count) {
		g_snprintf(key, sizeof key, "%u:large:0", p->decision.class_id);
	}
	add_row(p, HAKSTAT_BY_CLASS, key, size);
	g_snprintf(key, sizeof key, "%u:%u", p->decision.route, p->decision.reason);
	add_row(p, HAKSTAT_BY_ROUTE, key, size);
	g_snprintf(key, sizeof key, "%" PRIu64 ":%" PRIu64 ":%u", size->requested_min, size->requested_max,
		   p->decision.class_id);
	add_row(p, HAKSTAT_BY_SIZE, key, size);
}

static void copy_facts(struct hakstat_summary *to, const struct hakstat_summary *from)
{
	for (guint i = 0; i < from->paths->len; i++) {
		hakstat_summary_add_path(to, g_ptr_array_index(from->paths, i));
	}
	for (guint i = 0; i < from->hosts->len; i++) {
		hakstat_summary_add_host(to, g_ptr_array_index(from->hosts, i));
	}
	to->mode = from->mode;
	to->estimated = from->estimated;
	to->partial = from->partial;
	to->lost_unknown = from->lost_unknown;
	to->lost_events = from->lost_events;
	to->lost_operations = from->lost_operations;
	to->begin_ns = from->begin_ns;
	to->end_ns = from->end_ns;
	to->events = from->events;
	to->operations = from->operations;
}

struct hakstat_summary *hakstat_predict_summary(const struct hak_class_table *table, const char *table_name,
						const struct hakstat_summary *summary)
{
	struct predicted p = { .table = table, .to = hakstat_summary_new() };
	struct hakstat_config config = {
		.known = true,
		.version = summary->config.version,
		.tiny_max_class = table->tiny_max_class,
		.tiny_max_size = table->tiny_max_size,
		.page_size = table->page_size,
		.superslab_size = summary->config.superslab_size,
	};

	config.size_classes = g_strdup(table_name);
	copy_facts(p.to, summary);
	hakstat_summary_add_config(p.to, &config);
	g_free(config.size_classes);
	for (guint i = 0; i < summary->rows[HAKSTAT_BY_SIZE]->len; i++) {
		predict_size(&p, g_ptr_array_index(summary->rows[HAKSTAT_BY_SIZE], i));
	}
	hakstat_summary_note(
		p.to, "a prediction: the recorded requests under another table; slabs, sites and what the "
		      "program holds elsewhere are not predicted");
	return p.to;
}

static int load_file(struct hak_class_table *table, const char *path, unsigned tiny_max_class,
		     uint32_t page_size, struct hakstat_err *err)
{
	GError *error = NULL;
	gchar *text;
	gsize length;
	const char *wrong;
	unsigned line;

	if (!g_file_get_contents(path, &text, &length, &error)) {
		hakstat_err_set(err, HAKSTAT_USAGE, "table of size classes: %s", error->message);
		g_error_free(error);
		return err->status;
	}
	wrong = hak_class_table_parse(table, text, length, tiny_max_class, page_size, &line);
	g_free(text);
	if (wrong) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "%s:%u: %s", path, line, wrong);
	}
	return 0;
}

int hakstat_table_load(struct hak_class_table *table, const char *name, unsigned tiny_max_class,
		       uint32_t page_size, struct hakstat_err *err)
{
	if (name[0] == '@') {
		return load_file(table, name + 1, tiny_max_class, page_size, err);
	}
	if (strcmp(name, "fine") != 0 && strcmp(name, "classic") != 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "table of size classes '%s': choose fine, classic or @FILE", name);
	}
	hak_class_table_build(table, name[0] == 'f' ? HAK_SCHEME_FINE : HAK_SCHEME_CLASSIC, tiny_max_class,
			      page_size);
	return 0;
}
