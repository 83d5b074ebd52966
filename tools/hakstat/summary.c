/* SPDX-License-Identifier: MIT */
/*
 * Rows, tables and their merging.
 */
#include "summary.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "frame.h"
#include "text.h"

static void row_free(void *data)
{
	struct hakstat_row *row = data;

	g_free(row->key);
	g_free(row->class_name);
	g_free(row->host);
	g_free(row->process);
	if (row->stack) {
		g_ptr_array_unref(row->stack);
	}
	g_free(row);
}

struct hakstat_summary *hakstat_summary_new(void)
{
	struct hakstat_summary *s = g_new0(struct hakstat_summary, 1);

	s->paths = g_ptr_array_new_with_free_func(g_free);
	s->hosts = g_ptr_array_new_with_free_func(g_free);
	s->notes = g_ptr_array_new_with_free_func(g_free);
	s->traces = g_ptr_array_new_with_free_func(g_free);
	s->begin_ns = INT64_MAX;
	s->end_ns = INT64_MIN;
	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		s->rows[t] = g_ptr_array_new_with_free_func(row_free);
		s->by_key[t] = g_hash_table_new(g_str_hash, g_str_equal);
	}
	return s;
}

void hakstat_summary_free(struct hakstat_summary *s)
{
	if (!s) {
		return;
	}
	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		g_hash_table_destroy(s->by_key[t]);
		g_ptr_array_unref(s->rows[t]);
	}
	g_ptr_array_unref(s->paths);
	g_ptr_array_unref(s->hosts);
	g_ptr_array_unref(s->notes);
	g_ptr_array_unref(s->traces);
	hakstat_resizes_clear(&s->resizes);
	g_free(s->config.version);
	g_free(s->config.size_classes);
	g_free(s->predicted);
	g_free(s);
}

struct hakstat_row *hakstat_summary_row(struct hakstat_summary *s, enum hakstat_table_id table,
					const char *key, bool *is_new)
{
	struct hakstat_row *row = g_hash_table_lookup(s->by_key[table], key);

	if (is_new) {
		*is_new = row == NULL;
	}
	if (!row) {
		row = g_new0(struct hakstat_row, 1);
		row->key = g_strdup(key);
		g_hash_table_insert(s->by_key[table], row->key, row);
		g_ptr_array_add(s->rows[table], row);
	}
	return row;
}

static bool holds(const GPtrArray *texts, const char *text)
{
	for (guint i = 0; i < texts->len; i++) {
		if (strcmp(g_ptr_array_index(texts, i), text) == 0) {
			return true;
		}
	}
	return false;
}

static int compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, so that the order of merging does not show. */
static void add_once(GPtrArray *texts, const char *text)
{
	char *clean = hakstat_text_clean(text);

	if (holds(texts, clean)) {
		g_free(clean);
		return;
	}
	g_ptr_array_add(texts, clean);
	g_ptr_array_sort(texts, compare_texts);
}

void hakstat_summary_add_path(struct hakstat_summary *s, const char *path)
{
	add_once(s->paths, path);
}

void hakstat_summary_add_host(struct hakstat_summary *s, const char *host)
{
	add_once(s->hosts, host);
}

void hakstat_summary_add_trace(struct hakstat_summary *s, const char *id, int64_t begin_ns)
{
	g_ptr_array_add(s->traces, g_strdup_printf("%s:%" PRId64, id, begin_ns));
}

/* A part of a trace that begins where the whole does is told from it by where it ends. */
void hakstat_summary_end_traces(struct hakstat_summary *s)
{
	for (guint i = 0; i < s->traces->len; i++) {
		char *begun = s->traces->pdata[i];
		s->traces->pdata[i] = g_strdup_printf("%s:%" PRId64 ":%" PRIu64, begun, s->end_ns, s->events);
		g_free(begun);
	}
	g_ptr_array_sort(s->traces, compare_texts);
}

/* Of a text of the above, id and begin. Free with g_free. */
static char *begin_of(const char *trace)
{
	const char *id_end = strchr(trace, ':');
	const char *end = id_end ? strchr(id_end + 1, ':') : NULL;

	return end ? g_strndup(trace, (gsize)(end - trace)) : g_strdup(trace);
}

enum hakstat_overlap hakstat_summary_overlap(const struct hakstat_summary *all,
					     const struct hakstat_summary *one)
{
	GHashTable *whole = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTable *begun = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	guint same = 0, met = 0;

	for (guint i = 0; i < all->traces->len; i++) {
		g_hash_table_add(whole, all->traces->pdata[i]);
		g_hash_table_add(begun, begin_of(all->traces->pdata[i]));
	}
	for (guint i = 0; i < one->traces->len; i++) {
		char *begin = begin_of(one->traces->pdata[i]);
		same += g_hash_table_contains(whole, one->traces->pdata[i]) ? 1 : 0;
		met += g_hash_table_contains(begun, begin) ? 1 : 0;
		g_free(begin);
	}
	g_hash_table_destroy(whole);
	g_hash_table_destroy(begun);
	if (met == 0) {
		return HAKSTAT_OVERLAP_NONE;
	}
	return same == one->traces->len ? HAKSTAT_OVERLAP_SAME : HAKSTAT_OVERLAP_PART;
}

void hakstat_summary_note(struct hakstat_summary *s, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	add_once(s->notes, text);
	g_free(text);
}

static int compare_configs(const struct hakstat_config *a, const struct hakstat_config *b)
{
	int order = g_strcmp0(a->size_classes, b->size_classes);

	if (order == 0) {
		order = g_strcmp0(a->version, b->version);
	}
	if (order == 0) {
		order = (a->tiny_max_class > b->tiny_max_class) - (a->tiny_max_class < b->tiny_max_class);
	}
	if (order == 0) {
		order = (a->superslab_size > b->superslab_size) - (a->superslab_size < b->superslab_size);
	}
	return order;
}

static void copy_config(struct hakstat_config *to, const struct hakstat_config *from)
{
	char *version = hakstat_text_clean(from->version ? from->version : "");
	char *size_classes = hakstat_text_clean(from->size_classes ? from->size_classes : "");

	g_free(to->version);
	g_free(to->size_classes);
	*to = *from;
	to->version = version;
	to->size_classes = size_classes;
}

/* The smallest of all seen stays, so that the order of merging does not matter. */
void hakstat_summary_add_config(struct hakstat_summary *s, const struct hakstat_config *config)
{
	bool differs = s->config.differs || config->differs;
	int order;

	if (!config->known) {
		return;
	}
	if (!s->config.known) {
		copy_config(&s->config, config);
		return;
	}
	order = compare_configs(config, &s->config);
	if (order < 0) {
		copy_config(&s->config, config);
	}
	s->config.differs = differs || order != 0;
}

static uint64_t add_capped(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

#define ADD_FIELD(field) to->field = add_capped(to->field, from->field);

void hakstat_counts_add(struct hakstat_counts *to, const struct hakstat_counts *from)
{
	HAKSTAT_COUNTS(ADD_FIELD)
	hakstat_variances_add(&to->v, &from->v);
	hakstat_variances_add(&to->live_v, &from->live_v);
	hakstat_variances_add(&to->peak_v, &from->peak_v);
	hakstat_variances_add(&to->area_v, &from->area_v);
}

void hakstat_gauges_add(struct hakstat_gauges *to, const struct hakstat_gauges *from)
{
	HAKSTAT_GAUGES(ADD_FIELD)
}

static uint64_t rest(uint64_t usable, uint64_t unknown, uint64_t requested)
{
	uint64_t known = usable > unknown ? usable - unknown : 0;

	return known > requested ? known - requested : 0;
}

uint64_t hakstat_counts_waste(const struct hakstat_counts *n)
{
	return rest(n->usable_bytes, n->unknown_bytes, n->requested_bytes);
}

uint64_t hakstat_counts_live_waste(const struct hakstat_counts *n)
{
	return rest(n->live_usable_bytes, n->live_unknown_bytes, n->live_requested_bytes);
}

bool hakstat_counts_know_requests(const struct hakstat_counts *n)
{
	return n->unknown_allocs == 0 || n->unknown_allocs < n->allocs;
}

bool hakstat_counts_know_live(const struct hakstat_counts *n)
{
	return n->live_unknown == 0 || n->live_unknown < n->live;
}

uint64_t hakstat_counts_peak_waste(const struct hakstat_counts *n)
{
	return rest(n->peak_usable_bytes, n->peak_unknown_bytes, n->peak_requested_bytes);
}

static void copy_dimensions(struct hakstat_row *to, const struct hakstat_row *from)
{
	char *key = to->key;

	*to = *from;
	to->key = key;
	to->class_name = g_strdup(from->class_name);
	to->host = g_strdup(from->host);
	to->process = g_strdup(from->process);
	to->stack = from->stack ? hakstat_frames_copy(from->stack) : NULL;
}

/* A class whose range ends at 0 serves no request: the boundary excludes it. */
void hakstat_row_add_range(struct hakstat_row *row, enum hakstat_table_id table, bool is_new, uint64_t min,
			   uint64_t max)
{
	bool is_class = table == HAKSTAT_BY_CLASS;

	if (is_new || (is_class && row->requested_max == 0)) {
		row->requested_min = min;
		row->requested_max = max;
	} else if (!is_class || max != 0) {
		row->requested_min = MIN(row->requested_min, min);
		row->requested_max = MAX(row->requested_max, max);
	}
}

static void merge_row(enum hakstat_table_id table, struct hakstat_row *to, const struct hakstat_row *from)
{
	hakstat_row_add_range(to, table, false, from->requested_min, from->requested_max);
	hakstat_gauges_add(&to->g, &from->g);
	hakstat_counts_add(&to->n, &from->n);
}

static void merge_tables(struct hakstat_summary *to, const struct hakstat_summary *from)
{
	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		for (guint i = 0; i < from->rows[t]->len; i++) {
			const struct hakstat_row *source = g_ptr_array_index(from->rows[t], i);
			bool is_new;
			struct hakstat_row *row =
				hakstat_summary_row(to, (enum hakstat_table_id)t, source->key, &is_new);
			if (is_new) {
				copy_dimensions(row, source);
			} else {
				merge_row((enum hakstat_table_id)t, row, source);
			}
		}
	}
}

static void merge_texts(struct hakstat_summary *to, const struct hakstat_summary *from)
{
	for (guint i = 0; i < from->paths->len; i++) {
		add_once(to->paths, g_ptr_array_index(from->paths, i));
	}
	for (guint i = 0; i < from->hosts->len; i++) {
		add_once(to->hosts, g_ptr_array_index(from->hosts, i));
	}
	for (guint i = 0; i < from->traces->len; i++) {
		g_ptr_array_add(to->traces, g_strdup(from->traces->pdata[i]));
	}
	g_ptr_array_sort(to->traces, compare_texts);
	for (guint i = 0; i < from->notes->len; i++) {
		add_once(to->notes, g_ptr_array_index(from->notes, i));
	}
}

void hakstat_summary_merge(struct hakstat_summary *to, const struct hakstat_summary *from)
{
	merge_texts(to, from);
	merge_tables(to, from);
	hakstat_summary_add_config(to, &from->config);
	hakstat_resizes_merge(&to->resizes, &from->resizes);
	to->mode = MAX(to->mode, from->mode);
	to->estimated |= from->estimated;
	to->partial |= from->partial;
	to->sites_are_frag |= from->sites_are_frag;
	to->lost_unknown |= from->lost_unknown;
	to->begin_ns = MIN(to->begin_ns, from->begin_ns);
	to->end_ns = MAX(to->end_ns, from->end_ns);
	HAKSTAT_SUMS(ADD_FIELD)
	hakstat_gauges_add(&to->g, &from->g);
}

const char *hakstat_table_name(enum hakstat_table_id table)
{
	static const char *const names[] = { "class",  "route",	  "size", "site",
					     "thread", "process", "time", "heap" };

	return names[table];
}

bool hakstat_summary_is_incomplete(const struct hakstat_summary *s)
{
	return s->lost_events || s->lost_operations || s->lost_unknown || s->partial || s->malformed;
}
