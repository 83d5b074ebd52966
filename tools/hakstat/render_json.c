/* SPDX-License-Identifier: MIT */
/*
 * The whole report as JSON: schema hakstat.report/1. Bytes raw, null for what is unknown.
 */
#include "frame.h"
#include "json.h"
#include "render.h"

static json_t *texts_json(const GPtrArray *texts)
{
	json_t *array = json_array();

	for (guint i = 0; i < texts->len; i++) {
		json_array_append_new(array, hakstat_json_text(g_ptr_array_index(texts, i)));
	}
	return array;
}

json_t *hakstat_frame_json(const struct hakstat_frame *f)
{
	json_t *object = json_object();

	json_object_set_new(object, "function", hakstat_json_text(f->function));
	json_object_set_new(object, "file", hakstat_json_text(f->file));
	json_object_set_new(object, "line", f->line ? hakstat_json_number(f->line) : json_null());
	json_object_set_new(object, "module", hakstat_json_text(f->module));
	json_object_set_new(object, "build_id", hakstat_json_text(f->build_id));
	json_object_set_new(object, "offset", hakstat_json_number(f->offset));
	json_object_set_new(object, "inlined", json_boolean(f->inlined));
	return object;
}

static json_t *stack_json(const GPtrArray *stack)
{
	json_t *array = json_array();

	for (guint i = 0; i < stack->len; i++) {
		json_array_append_new(array, hakstat_frame_json(g_ptr_array_index(stack, i)));
	}
	return array;
}

json_t *hakstat_value_json(const struct hakstat_column *column, const struct hakstat_row *row)
{
	struct hakstat_value v = column->get(row);

	if (!v.is_known) {
		return json_null();
	}
	switch (column->unit) {
	case HAKSTAT_UNIT_TEXT:
		return hakstat_json_text(v.text);
	case HAKSTAT_UNIT_PERCENT:
		return json_real(v.real);
	case HAKSTAT_UNIT_STACK:
		return stack_json(row->stack);
	default:
		return hakstat_json_number(v.number);
	}
}

static json_t *row_json(unsigned in, const struct hakstat_row *row)
{
	json_t *object = json_object();

	for (size_t c = 0; c < hakstat_column_count; c++) {
		if (hakstat_columns[c].in & in) {
			json_object_set_new(object, hakstat_columns[c].key,
					    hakstat_value_json(&hakstat_columns[c], row));
		}
	}
	return object;
}

static json_t *table_json(const struct hakstat_report *r, const struct hakstat_view *view,
			  enum hakstat_table_id table)
{
	json_t *array = json_array();
	guint rows = hakstat_view_rows(view, r->tables[table]->len, r->tables[table]->len);

	for (guint i = 0; i < rows; i++) {
		json_array_append_new(array, row_json(1u << table, g_ptr_array_index(r->tables[table], i)));
	}
	return array;
}

static json_t *trace_json(const struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;
	json_t *object = json_object();

	json_object_set_new(object, "paths", texts_json(s->paths));
	json_object_set_new(object, "hosts", texts_json(s->hosts));
	json_object_set_new(object, "mode", hakstat_json_text(hakstat_mode_name(s->mode)));
	json_object_set_new(object, "estimated", json_boolean(s->estimated));
	json_object_set_new(object, "duration_s", json_real(hakstat_report_duration_s(r)));
	json_object_set_new(object, "events", hakstat_json_number(s->events));
	json_object_set_new(object, "operations", hakstat_json_number(s->operations));
	json_object_set_new(object, "lost_events", hakstat_json_number(s->lost_events));
	json_object_set_new(object, "lost_operations", hakstat_json_number(s->lost_operations));
	json_object_set_new(object, "lost_is_lower_bound", json_boolean(s->lost_unknown));
	json_object_set_new(object, "malformed_records", hakstat_json_number(s->malformed));
	json_object_set_new(object, "partial", json_boolean(s->partial));
	json_object_set_new(object, "sites_are_wasteful_requests_only", json_boolean(s->sites_are_frag));
	json_object_set_new(object, "notes", texts_json(s->notes));
	return object;
}

static json_t *config_json(const struct hakstat_config *c)
{
	json_t *object;

	if (!c->known) {
		return json_null();
	}
	object = json_object();
	json_object_set_new(object, "size_classes", hakstat_json_text(c->size_classes));
	json_object_set_new(object, "tiny_max_class", hakstat_json_number(c->tiny_max_class));
	json_object_set_new(object, "tiny_max_size", hakstat_json_number(c->tiny_max_size));
	json_object_set_new(object, "superslab_size", hakstat_json_number(c->superslab_size));
	json_object_set_new(object, "page_size", hakstat_json_number(c->page_size));
	json_object_set_new(object, "version", hakstat_json_text(c->version));
	json_object_set_new(object, "differs", json_boolean(c->differs));
	return object;
}

static json_t *interval_json(double variance)
{
	struct hakstat_value half = hakstat_interval(variance);

	return half.is_known ? hakstat_json_number(half.number) : json_null();
}

static json_t *findings_json(const struct hakstat_report *r)
{
	json_t *array = json_array();

	for (guint i = 0; i < r->findings->len; i++) {
		const struct hakstat_finding *f = g_ptr_array_index(r->findings, i);
		json_t *object = json_object();
		json_object_set_new(object, "kind", hakstat_json_text(f->kind));
		json_object_set_new(object, "message", hakstat_json_text(f->message));
		json_object_set_new(object, "waste_bytes", hakstat_json_number(f->waste_bytes));
		json_object_set_new(object, "saving_bytes", hakstat_json_number(f->saving_bytes));
		json_object_set_new(object, "peak_saving_bytes", hakstat_json_number(f->peak_saving_bytes));
		json_object_set_new(object, "saving_bytes_ci95", interval_json(f->saving_variance));
		json_object_set_new(object, "peak_saving_bytes_ci95", interval_json(f->peak_saving_variance));
		json_object_set_new(object, "advice", hakstat_json_text(f->advice));
		json_array_append_new(array, object);
	}
	return array;
}

json_t *hakstat_totals_json(const struct hakstat_report *r)
{
	return row_json(HAKSTAT_IN_TOTALS, &r->totals);
}

json_t *hakstat_facts_json(const struct hakstat_report *r)
{
	json_t *root = json_object();

	json_object_set_new(root, "schema", json_string("hakstat.report/1"));
	json_object_set_new(root, "trace", trace_json(r));
	json_object_set_new(root, "config", config_json(&r->summary->config));
	json_object_set_new(root, "totals", row_json(HAKSTAT_IN_TOTALS, &r->totals));
	json_object_set_new(root, "findings", findings_json(r));
	return root;
}

json_t *hakstat_report_json(const struct hakstat_report *r, const struct hakstat_view *view)
{
	static const char *const keys[] = { "classes", "routes",    "sizes", "sites",
					    "threads", "processes", "times", "heap" };
	json_t *root = hakstat_facts_json(r);

	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		if (!view->has_by || view->by == (enum hakstat_table_id)t) {
			json_object_set_new(root, keys[t], table_json(r, view, (enum hakstat_table_id)t));
		}
	}
	return root;
}

int hakstat_render_json(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	return hakstat_json_write(hakstat_report_json(r, view), out);
}
