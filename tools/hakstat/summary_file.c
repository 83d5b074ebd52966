/* SPDX-License-Identifier: MIT */
/*
 * A summary to JSON and back. The lists of summary.h give the numbers; what is not a count
 * has a line of its own in both directions.
 */
#include "summary_file.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "frame.h"
#include "json.h"
#include "text.h"

#define SCHEMA "hakstat.summary/1"
/* Whether it has those of what is live, at any time: in older summaries they are not known, not 0. */
#define LEVEL_VARIANCES "has_level_variances"

/* Stacks and rows of one table are bounded, so that a hostile file can't take all memory. */
enum { MAX_ROWS = 10000000, MAX_FRAMES = 4096 };

/* Writing ----------------------------------------------------------------------------------- */

static void put_text(json_t *to, const char *key, const char *text)
{
	if (text) {
		json_object_set_new(to, key, json_string(text));
	}
}

static void put_number(json_t *to, const char *key, uint64_t value)
{
	if (value) {
		json_object_set_new(to, key, hakstat_json_number(value));
	}
}

/* 0 is left out; JSON has no number for what is not known. */
static void put_variance(json_t *to, const char *key, double value)
{
	if (value != 0) {
		json_object_set_new(to, key, isfinite(value) ? json_real(value) : json_null());
	}
}

static json_t *texts(const GPtrArray *array)
{
	json_t *to = json_array();

	for (guint i = 0; i < array->len; i++) {
		json_array_append_new(to, json_string(g_ptr_array_index(array, i)));
	}
	return to;
}

static json_t *counts_json(const struct hakstat_counts *n)
{
	json_t *to = json_object();

#define PUT(field) put_number(to, #field, n->field);
	HAKSTAT_COUNTS(PUT)
#undef PUT
#define PUT(field, key)                                                                                      \
	put_variance(to, key, n->v.field);                                                                   \
	put_variance(to, "live_" key, n->live_v.field);                                                      \
	put_variance(to, "peak_" key, n->peak_v.field);                                                      \
	put_variance(to, "area_" key, n->area_v.field);
	HAKSTAT_VARIANCES(PUT)
#undef PUT
	return to;
}

static json_t *stack_json(const GPtrArray *stack)
{
	json_t *to = json_array();

	for (guint i = 0; i < stack->len; i++) {
		const struct hakstat_frame *f = g_ptr_array_index(stack, i);
		json_t *frame = json_object();
		put_text(frame, "function", f->function);
		put_text(frame, "file", f->file);
		put_text(frame, "module", f->module);
		put_text(frame, "build_id", f->build_id);
		put_number(frame, "line", f->line);
		put_number(frame, "offset", f->offset);
		put_number(frame, "inlined", f->inlined);
		json_array_append_new(to, frame);
	}
	return to;
}

static json_t *row_json(const struct hakstat_row *row)
{
	json_t *to = json_object();

	put_text(to, "key", row->key);
	put_text(to, "class_name", row->class_name);
	put_text(to, "host", row->host);
	put_text(to, "process", row->process);
	put_number(to, "class_id", row->class_id);
	put_number(to, "route", row->route);
	put_number(to, "reason", row->reason);
	put_number(to, "block", row->block);
	put_number(to, "requested_min", row->requested_min);
	put_number(to, "requested_max", row->requested_max);
	put_number(to, "pid", row->pid);
	put_number(to, "tid", row->tid);
	json_object_set_new(to, "time_ns", json_integer(row->time_ns));
	put_number(to, "span_ns", row->span_ns);
#define PUT(field) put_number(to, #field, row->g.field);
	HAKSTAT_GAUGES(PUT)
#undef PUT
	if (row->stack) {
		json_object_set_new(to, "stack", stack_json(row->stack));
	}
	json_object_set_new(to, "n", counts_json(&row->n));
	return to;
}

static json_t *tables_json(const struct hakstat_summary *s)
{
	json_t *to = json_object();

	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		json_t *rows = json_array();
		for (guint i = 0; i < s->rows[t]->len; i++) {
			json_array_append_new(rows, row_json(g_ptr_array_index(s->rows[t], i)));
		}
		json_object_set_new(to, hakstat_table_name((enum hakstat_table_id)t), rows);
	}
	return to;
}

static json_t *resizes_json(const struct hakstat_resizes *r)
{
	json_t *to = json_array();

	for (uint32_t i = 0; i < r->capacity; i++) {
		const struct hakstat_resize *entry = &r->entries[i];
		json_t *pair;
		if (!entry->key) {
			continue;
		}
		pair = json_object();
		put_number(pair, "from", hakstat_resize_from(entry->key));
		put_number(pair, "to", hakstat_resize_to(entry->key));
		put_number(pair, "moved", entry->moved);
		put_number(pair, "stayed", entry->stayed);
		json_array_append_new(to, pair);
	}
	return to;
}

static json_t *config_json(const struct hakstat_config *c)
{
	json_t *to = json_object();

	put_text(to, "version", c->version);
	put_text(to, "size_classes", c->size_classes);
	put_number(to, "tiny_max_class", c->tiny_max_class);
	put_number(to, "tiny_max_size", c->tiny_max_size);
	put_number(to, "page_size", c->page_size);
	put_number(to, "frag_percent", c->frag_percent);
	put_number(to, "superslab_size", c->superslab_size);
	put_number(to, "differs", c->differs);
	return to;
}

int hakstat_summary_write(const struct hakstat_summary *s, FILE *out)
{
	json_t *root = json_object();
	int status;

	json_object_set_new(root, "schema", json_string(SCHEMA));
	json_object_set_new(root, "paths", texts(s->paths));
	json_object_set_new(root, "hosts", texts(s->hosts));
	json_object_set_new(root, "traces", texts(s->traces));
	json_object_set_new(root, "notes", texts(s->notes));
	put_number(root, "mode", s->mode);
	put_number(root, "estimated", s->estimated);
	put_number(root, "partial", s->partial);
	put_number(root, "sites_are_frag", s->sites_are_frag);
	put_number(root, "lost_unknown", s->lost_unknown);
	put_number(root, LEVEL_VARIANCES, 1);
	json_object_set_new(root, "begin_ns", json_integer(s->begin_ns));
	json_object_set_new(root, "end_ns", json_integer(s->end_ns));
#define PUT(field) put_number(root, #field, s->field);
	HAKSTAT_SUMS(PUT)
#undef PUT
#define PUT(field) put_number(root, #field, s->g.field);
	HAKSTAT_GAUGES(PUT)
#undef PUT
	if (s->config.known) {
		json_object_set_new(root, "config", config_json(&s->config));
	}
	json_object_set_new(root, "resizes", resizes_json(&s->resizes));
	json_object_set_new(root, "tables", tables_json(s));
	status = json_dumpf(root, out, JSON_COMPACT | JSON_REAL_PRECISION(17));
	fputc('\n', out);
	json_decref(root);
	return status || ferror(out) ? -1 : 0;
}

/* Reading ----------------------------------------------------------------------------------- */

/* Absent, negative or of another type: 0. Numbers of a summary are never negative. */
static uint64_t get_number(const json_t *from, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(from, key));

	return value > 0 ? (uint64_t)value : 0;
}

static uint32_t get_u32(const json_t *from, const char *key)
{
	return (uint32_t)MIN(get_number(from, key), UINT32_MAX);
}

static char *get_text(const json_t *from, const char *key)
{
	const char *text = json_string_value(json_object_get(from, key));

	return text ? hakstat_text_clean(text) : NULL;
}

static double get_variance(const json_t *from, const char *key)
{
	const json_t *value = json_object_get(from, key);

	return json_is_null(value) ? (double)INFINITY : json_number_value(value);
}

static void get_counts(const json_t *from, struct hakstat_counts *n)
{
#define GET(field) n->field = get_number(from, #field);
	HAKSTAT_COUNTS(GET)
#undef GET
#define GET(field, key)                                                                                      \
	n->v.field = get_variance(from, key);                                                                \
	n->live_v.field = get_variance(from, "live_" key);                                                   \
	n->peak_v.field = get_variance(from, "peak_" key);                                                   \
	n->area_v.field = get_variance(from, "area_" key);
	HAKSTAT_VARIANCES(GET)
#undef GET
}

static GPtrArray *get_stack(const json_t *from)
{
	GPtrArray *stack = hakstat_frames_new();

	for (size_t i = 0; i < json_array_size(from) && i < MAX_FRAMES; i++) {
		const json_t *source = json_array_get(from, i);
		struct hakstat_frame *f = g_new0(struct hakstat_frame, 1);
		f->function = get_text(source, "function");
		f->file = get_text(source, "file");
		f->module = get_text(source, "module");
		f->build_id = get_text(source, "build_id");
		f->line = get_u32(source, "line");
		f->offset = get_number(source, "offset");
		f->inlined = get_number(source, "inlined") != 0;
		g_ptr_array_add(stack, f);
	}
	return stack;
}

static void get_dimensions(const json_t *from, struct hakstat_row *row)
{
	row->class_name = get_text(from, "class_name");
	row->host = get_text(from, "host");
	row->process = get_text(from, "process");
	row->class_id = get_u32(from, "class_id");
	row->route = get_u32(from, "route");
	row->reason = get_u32(from, "reason");
	row->block = get_number(from, "block");
	row->requested_min = get_number(from, "requested_min");
	row->requested_max = get_number(from, "requested_max");
	row->pid = get_u32(from, "pid");
	row->tid = get_u32(from, "tid");
	row->time_ns = json_integer_value(json_object_get(from, "time_ns"));
	row->span_ns = get_number(from, "span_ns");
#define GET(field) row->g.field = get_number(from, #field);
	HAKSTAT_GAUGES(GET)
#undef GET
}

/* What renderers rely on: a name where the table is about classes, a stack where it is about sites. */
static bool row_is_whole(const struct hakstat_row *row, enum hakstat_table_id table)
{
	switch (table) {
	case HAKSTAT_BY_CLASS:
	case HAKSTAT_BY_SIZE:
		return row->class_name != NULL;
	case HAKSTAT_BY_SITE:
		return row->stack != NULL;
	case HAKSTAT_BY_TIME:
		return row->span_ns && (row->span_ns & (row->span_ns - 1)) == 0;
	case HAKSTAT_BY_HEAP:
		return row->class_name && row->span_ns && (row->span_ns & (row->span_ns - 1)) == 0;
	default:
		return true;
	}
}

static int get_row(struct hakstat_summary *s, enum hakstat_table_id table, const json_t *from)
{
	const char *key = json_string_value(json_object_get(from, "key"));
	const json_t *stack = json_object_get(from, "stack");
	struct hakstat_row *row;
	bool is_new;

	if (!key) {
		return -1;
	}
	row = hakstat_summary_row(s, table, key, &is_new);
	if (!is_new) {
		return -1;
	}
	get_dimensions(from, row);
	row->stack = json_is_array(stack) ? get_stack(stack) : NULL;
	get_counts(json_object_get(from, "n"), &row->n);
	return row_is_whole(row, table) ? 0 : -1;
}

static int get_tables(struct hakstat_summary *s, const json_t *from)
{
	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		const json_t *rows = json_object_get(from, hakstat_table_name((enum hakstat_table_id)t));
		if (!json_is_array(rows) || json_array_size(rows) > MAX_ROWS) {
			return -1;
		}
		for (size_t i = 0; i < json_array_size(rows); i++) {
			if (get_row(s, (enum hakstat_table_id)t, json_array_get(rows, i)) != 0) {
				return -1;
			}
		}
	}
	return 0;
}

static void forget_level_variances(struct hakstat_summary *s)
{
	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		for (guint i = 0; i < s->rows[t]->len; i++) {
			struct hakstat_row *row = g_ptr_array_index(s->rows[t], i);
			row->n.live_v = row->n.peak_v = row->n.area_v = hakstat_variances_unknown();
			row->n.v.weights = (double)INFINITY;
		}
	}
}

static void get_config(struct hakstat_summary *s, const json_t *from)
{
	struct hakstat_config c = { .known = true };

	if (!json_is_object(from)) {
		return;
	}
	c.version = get_text(from, "version");
	c.size_classes = get_text(from, "size_classes");
	c.tiny_max_class = get_u32(from, "tiny_max_class");
	c.tiny_max_size = get_u32(from, "tiny_max_size");
	c.page_size = get_u32(from, "page_size");
	c.frag_percent = get_u32(from, "frag_percent");
	c.superslab_size = get_number(from, "superslab_size");
	c.differs = get_number(from, "differs") != 0;
	hakstat_summary_add_config(s, &c);
	g_free(c.version);
	g_free(c.size_classes);
}

static void get_resizes(struct hakstat_summary *s, const json_t *from)
{
	json_t *pair;
	size_t i;

	json_array_foreach(from, i, pair)
	{
		hakstat_resizes_add(&s->resizes,
				    hakstat_resize_key(get_number(pair, "from"), get_number(pair, "to")),
				    get_number(pair, "moved"), get_number(pair, "stayed"));
	}
}

static void get_texts(struct hakstat_summary *s, const json_t *root)
{
	const char *text;
	size_t i;
	json_t *value;

	json_array_foreach(json_object_get(root, "paths"), i, value)
	{
		if ((text = json_string_value(value)) != NULL) {
			hakstat_summary_add_path(s, text);
		}
	}
	json_array_foreach(json_object_get(root, "hosts"), i, value)
	{
		if ((text = json_string_value(value)) != NULL) {
			hakstat_summary_add_host(s, text);
		}
	}
	json_array_foreach(json_object_get(root, "traces"), i, value)
	{
		if ((text = json_string_value(value)) != NULL) {
			g_ptr_array_add(s->traces, hakstat_text_clean(text));
		}
	}
	json_array_foreach(json_object_get(root, "notes"), i, value)
	{
		if ((text = json_string_value(value)) != NULL) {
			hakstat_summary_note(s, "%s", text);
		}
	}
}

static void get_facts(struct hakstat_summary *s, const json_t *root)
{
	s->mode = (enum hakstat_mode)MIN(get_number(root, "mode"), HAKSTAT_MODE_FULL);
	s->estimated = get_number(root, "estimated") != 0;
	s->partial = get_number(root, "partial") != 0;
	s->sites_are_frag = get_number(root, "sites_are_frag") != 0;
	s->lost_unknown = get_number(root, "lost_unknown") != 0;
	s->begin_ns = json_integer_value(json_object_get(root, "begin_ns"));
	s->end_ns = json_integer_value(json_object_get(root, "end_ns"));
#define GET(field) s->field = get_number(root, #field);
	HAKSTAT_SUMS(GET)
#undef GET
#define GET(field) s->g.field = get_number(root, #field);
	HAKSTAT_GAUGES(GET)
#undef GET
}

struct hakstat_summary *hakstat_summary_load(FILE *in, const char *name, struct hakstat_err *err)
{
	struct hakstat_summary *s;
	json_error_t error;
	json_t *root = json_loadf(in, JSON_REJECT_DUPLICATES, &error);

	if (!root) {
		hakstat_err_set(err, HAKSTAT_TRACE,
				"%s: neither a trace folder nor a saved summary of hakstat: %s", name,
				error.text);
		return NULL;
	}
	if (g_strcmp0(json_string_value(json_object_get(root, "schema")), SCHEMA) != 0) {
		hakstat_err_set(
			err, HAKSTAT_TRACE,
			"%s: JSON, but not a saved summary; 'hakstat report --format summary' writes one",
			name);
		json_decref(root);
		return NULL;
	}
	s = hakstat_summary_new();
	get_texts(s, root);
	get_facts(s, root);
	get_config(s, json_object_get(root, "config"));
	get_resizes(s, json_object_get(root, "resizes"));
	if (get_tables(s, json_object_get(root, "tables")) != 0) {
		hakstat_err_set(err, HAKSTAT_TRACE,
				"%s: a damaged summary: a table or a row of it is not as hakstat wrote it",
				name);
		hakstat_summary_free(s);
		s = NULL;
	} else if (s->estimated && !get_number(root, LEVEL_VARIANCES)) {
		forget_level_variances(s);
	}
	json_decref(root);
	return s;
}

struct hakstat_summary *hakstat_summary_read(const char *path, struct hakstat_err *err)
{
	struct hakstat_summary *s;
	FILE *in = fopen(path, "re");

	if (!in) {
		hakstat_err_set(err, HAKSTAT_TRACE, "%s: cannot be read: %s", path, g_strerror(errno));
		return NULL;
	}
	s = hakstat_summary_load(in, path, err);
	fclose(in);
	return s;
}
