/* SPDX-License-Identifier: MIT */
/*
 * Slices of time, folded in pairs whenever the trace outgrows them.
 */
#include "timeline.h"

#include <inttypes.h>
#include <string.h>

enum { SLICES = 128, FIRST_SHIFT = 20, LAST_SHIFT = 62 };

struct slice {
	uint64_t allocs, frees, requested, usable;
	struct hakstat_variances v;
	uint64_t peak_live, committed, resident; /* the most there was in it */
	uint64_t has_level, has_resident;	 /* a snapshot is in it; and all processes had told */
	GArray *classes; /* struct hakstat_heap_class at the last snapshot in it; or NULL */
};

/* What one process held last. */
struct level {
	int64_t live;
	uint64_t committed, resident;
	uint64_t is_there, knows_resident;
	GArray *classes; /* struct hakstat_heap_class; or NULL */
};

struct hakstat_timeline {
	bool is_used;
	unsigned shift; /* a slice is 2^shift ns wide */
	int64_t base;	/* number of the first slice */
	struct slice slices[SLICES];
	GArray *levels; /* struct level by process */
	int64_t live_bytes;
	uint64_t committed_bytes, resident_bytes;
	uint64_t processes, telling; /* that are there; those that told what is in memory */
	GArray *classes;	     /* struct hakstat_heap_class: the sums over all processes */
};

static void clear_classes(void *data)
{
	GArray **classes = data;

	if (*classes) {
		g_array_unref(*classes);
		*classes = NULL;
	}
}

static void clear_level(void *data)
{
	clear_classes(&((struct level *)data)->classes);
}

struct hakstat_timeline *hakstat_timeline_new(void)
{
	struct hakstat_timeline *t = g_new0(struct hakstat_timeline, 1);

	t->shift = FIRST_SHIFT;
	t->levels = g_array_new(FALSE, TRUE, sizeof(struct level));
	g_array_set_clear_func(t->levels, clear_level);
	t->classes = g_array_new(FALSE, TRUE, sizeof(struct hakstat_heap_class));
	return t;
}

void hakstat_timeline_free(struct hakstat_timeline *t)
{
	for (int i = 0; i < SLICES; i++) {
		clear_classes(&t->slices[i].classes);
	}
	g_array_unref(t->levels);
	g_array_unref(t->classes);
	g_free(t);
}

/* `from` is the later one, and its classes are taken over. */
static void fold_slice(struct slice *to, struct slice *from)
{
	to->allocs += from->allocs;
	to->frees += from->frees;
	to->requested += from->requested;
	to->usable += from->usable;
	hakstat_variances_add(&to->v, &from->v);
	to->peak_live = MAX(to->peak_live, from->peak_live);
	to->committed = MAX(to->committed, from->committed);
	to->resident = MAX(to->resident, from->resident);
	to->has_level |= from->has_level;
	to->has_resident |= from->has_resident;
	if (from->classes) {
		clear_classes(&to->classes);
		to->classes = g_steal_pointer(&from->classes);
	}
}

static void double_width(struct hakstat_timeline *t)
{
	struct slice old[SLICES];
	int64_t base = t->base >> 1;

	memcpy(old, t->slices, sizeof old);
	memset(t->slices, 0, sizeof t->slices);
	for (int i = 0; i < SLICES; i++) {
		fold_slice(&t->slices[((t->base + i) >> 1) - base], &old[i]);
	}
	t->base = base;
	t->shift++;
}

/* Nothing was told of it. */
static bool is_empty(const struct slice *s)
{
	return !s->allocs && !s->frees && !s->requested && !s->usable && !s->peak_live && !s->has_level &&
	       !s->classes;
}

/* Time that went back moves the first slice to the left while the right end is unused. */
static void extend_left(struct hakstat_timeline *t, int64_t number)
{
	int64_t by = t->base - number;
	int last = SLICES - 1;

	while (last >= 0 && is_empty(&t->slices[last])) {
		last--;
	}
	if (last + by < SLICES) {
		memmove(t->slices + by, t->slices, (size_t)(last + 1) * sizeof *t->slices);
		memset(t->slices, 0, (size_t)by * sizeof *t->slices);
		t->base = number;
	} else {
		double_width(t);
	}
}

static struct slice *slice_at(struct hakstat_timeline *t, int64_t time_ns)
{
	int64_t number = time_ns >> t->shift;

	if (!t->is_used) {
		t->is_used = true;
		t->base = number;
	}
	while ((number < t->base || number - t->base >= SLICES) && t->shift < LAST_SHIFT) {
		if (number < t->base) {
			extend_left(t, number);
		} else {
			double_width(t);
		}
		number = time_ns >> t->shift;
	}
	return &t->slices[CLAMP(number - t->base, 0, SLICES - 1)];
}

void hakstat_timeline_add(struct hakstat_timeline *t, int64_t time_ns, const struct hakstat_batch *batch)
{
	struct slice *slice = slice_at(t, time_ns);

	slice->allocs += batch->allocs;
	slice->frees += batch->frees;
	slice->requested += batch->requested;
	slice->usable += batch->usable;
	hakstat_variances_add(&slice->v, &batch->v);
}

static struct hakstat_heap_class *class_of(GArray *classes, const struct hakstat_heap_class *like)
{
	struct hakstat_heap_class empty = { .route = like->route, .block = like->block };

	for (guint i = 0; i < classes->len; i++) {
		struct hakstat_heap_class *c = &g_array_index(classes, struct hakstat_heap_class, i);
		if (c->route == like->route && c->block == like->block) {
			return c;
		}
	}
	g_array_append_val(classes, empty);
	return &g_array_index(classes, struct hakstat_heap_class, classes->len - 1);
}

static void add_variances(struct hakstat_heap_class *sum, const struct hakstat_heap_class *c, double sign)
{
	if (sum->processes == 0) { /* no rounding errors stay behind */
		sum->v = (struct hakstat_variances) { 0 };
		return;
	}
#define ADD(field, key) sum->v.field += sign * c->v.field;
	HAKSTAT_VARIANCES(ADD)
#undef ADD
}

/* Unsigned sums that wrap come right again when the same number is taken off. */
static void add_classes(GArray *to, const GArray *from, bool is_added)
{
	for (guint i = 0; from && i < from->len; i++) {
		const struct hakstat_heap_class *c = &g_array_index(from, struct hakstat_heap_class, i);
		struct hakstat_heap_class *sum = class_of(to, c);
		uint64_t sign = is_added ? 1 : UINT64_MAX;
		sum->live_bytes += sign * c->live_bytes;
		sum->requested_bytes += sign * c->requested_bytes;
		sum->slab_bytes += sign * c->slab_bytes;
		sum->live += sign * c->live;
		sum->unknown += sign * c->unknown;
		sum->unknown_bytes += sign * c->unknown_bytes;
		sum->resident_bytes += sign * c->resident_bytes;
		sum->processes += sign * c->processes;
		sum->telling += sign * c->telling;
		add_variances(sum, c, is_added ? 1 : -1);
	}
}

static void set_classes(struct hakstat_timeline *t, struct slice *slice, struct level *level,
			const struct hakstat_heap_level *now)
{
	add_classes(t->classes, level->classes, false);
	clear_classes(&level->classes);
	level->classes = g_array_new(FALSE, FALSE, sizeof(struct hakstat_heap_class));
	g_array_append_vals(level->classes, now->classes, now->class_count);
	add_classes(t->classes, level->classes, true);
	clear_classes(&slice->classes);
	slice->classes = g_array_copy(t->classes);
}

/* Unsigned sums, as above. */
static void take_off(struct hakstat_timeline *t, const struct level *level)
{
	t->live_bytes -= level->live;
	t->committed_bytes -= level->committed;
	t->resident_bytes -= level->resident;
	t->processes -= level->is_there;
	t->telling -= level->knows_resident;
}

static void add_on(struct hakstat_timeline *t, const struct level *level)
{
	t->live_bytes += level->live;
	t->committed_bytes += level->committed;
	t->resident_bytes += level->resident;
	t->processes += level->is_there;
	t->telling += level->knows_resident;
}

static void raise_levels(const struct hakstat_timeline *t, struct slice *slice)
{
	slice->has_level = 1;
	slice->peak_live = MAX(slice->peak_live, (uint64_t)MAX(t->live_bytes, 0));
	slice->committed = MAX(slice->committed, t->committed_bytes);
	if (t->telling == t->processes) {
		slice->has_resident = 1;
		slice->resident = MAX(slice->resident, t->resident_bytes);
	}
}

void hakstat_timeline_level(struct hakstat_timeline *t, int64_t time_ns, uint32_t process,
			    const struct hakstat_heap_level *now)
{
	struct slice *slice = slice_at(t, time_ns);
	struct level *level;

	if (process >= t->levels->len) {
		g_array_set_size(t->levels, process + 1);
	}
	level = &g_array_index(t->levels, struct level, process);
	take_off(t, level);
	level->live = now->live_bytes;
	level->committed = now->committed_bytes;
	level->resident = now->resident_bytes;
	level->is_there = 1;
	level->knows_resident = now->knows_resident;
	add_on(t, level);
	set_classes(t, slice, level, now);
	raise_levels(t, slice);
}

void hakstat_timeline_forget(struct hakstat_timeline *t, uint32_t process)
{
	struct level *level;

	if (process >= t->levels->len) {
		return;
	}
	level = &g_array_index(t->levels, struct level, process);
	take_off(t, level);
	add_classes(t->classes, level->classes, false);
	clear_level(level);
	*level = (struct level) { 0 };
}

static struct hakstat_row *time_row(struct hakstat_summary *s, int64_t number, unsigned shift)
{
	char key[48];
	struct hakstat_row *row;

	g_snprintf(key, sizeof key, "%u:%" PRId64, shift, number);
	row = hakstat_summary_row(s, HAKSTAT_BY_TIME, key, NULL);
	row->time_ns = (int64_t)((uint64_t)number << shift);
	row->span_ns = UINT64_C(1) << shift;
	return row;
}

/* The number of the slice and what makes the class one in all traces. */
static struct hakstat_row *heap_row(struct hakstat_summary *s, int64_t number, unsigned shift,
				    const struct hakstat_row *class_row)
{
	char *key = g_strdup_printf("%u:%" PRId64 ":%s", shift, number, class_row->key);
	bool is_new;
	struct hakstat_row *row = hakstat_summary_row(s, HAKSTAT_BY_HEAP, key, &is_new);

	g_free(key);
	if (is_new) {
		row->time_ns = (int64_t)((uint64_t)number << shift);
		row->span_ns = UINT64_C(1) << shift;
		row->class_id = class_row->class_id;
		row->class_name = g_strdup(class_row->class_name);
		row->route = class_row->route;
		row->block = class_row->block;
	}
	return row;
}

static const struct hakstat_row *class_row_of(const struct hakstat_summary *s,
					      const struct hakstat_heap_class *c)
{
	const GPtrArray *rows = s->rows[HAKSTAT_BY_CLASS];

	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		if (row->route == c->route && row->block == c->block) {
			return row;
		}
	}
	return NULL;
}

static void finish_classes(struct hakstat_summary *s, int64_t number, unsigned shift, const GArray *classes)
{
	for (guint i = 0; i < classes->len; i++) {
		const struct hakstat_heap_class *c = &g_array_index(classes, struct hakstat_heap_class, i);
		const struct hakstat_row *class_row = class_row_of(s, c);
		struct hakstat_row *row;
		if (!class_row || (c->live_bytes == 0 && c->slab_bytes == 0)) {
			continue;
		}
		row = heap_row(s, number, shift, class_row);
		row->n.large_live_bytes += c->block ? 0 : c->live_bytes;
		row->n.live_usable_bytes += c->live_bytes;
		row->n.live_requested_bytes += c->requested_bytes;
		row->n.live += c->live;
		row->n.live_unknown += c->unknown;
		row->n.live_unknown_bytes += c->unknown_bytes;
		row->n.slab_bytes += c->slab_bytes;
		row->n.seen = 1;
		row->n.resident_seen = c->telling == c->processes;
		row->n.resident_bytes += c->resident_bytes;
		hakstat_variances_add(&row->n.live_v, &c->v);
	}
}

/* A slice without a snapshot holds what the one before it did, or sums of several traces would dip. */
static void finish_heap(struct hakstat_timeline *t, struct hakstat_summary *s)
{
	const GArray *classes = NULL;
	int last = SLICES - 1;

	while (last > 0 && !t->slices[last].classes) {
		last--;
	}
	for (int i = 0; t->is_used && i <= last; i++) {
		classes = t->slices[i].classes ? t->slices[i].classes : classes;
		if (classes) {
			finish_classes(s, t->base + i, t->shift, classes);
		}
	}
}

void hakstat_timeline_finish(struct hakstat_timeline *t, struct hakstat_summary *s)
{
	finish_heap(t, s);
	for (int i = 0; t->is_used && i < SLICES; i++) {
		const struct slice *slice = &t->slices[i];
		struct hakstat_row *row;
		if (is_empty(slice)) {
			continue;
		}
		row = time_row(s, t->base + i, t->shift);
		row->n.allocs = slice->allocs;
		row->n.frees = slice->frees;
		row->n.requested_bytes = slice->requested;
		row->n.usable_bytes = slice->usable;
		row->n.v = slice->v;
		row->g.peak_live_bytes = slice->peak_live;
		row->g.committed_bytes = slice->committed;
		row->g.resident_bytes = slice->resident;
		row->g.snapshots = slice->has_level;
		row->g.resident_snapshots = slice->has_resident;
	}
}

static gint compare_times(gconstpointer a, gconstpointer b)
{
	const struct hakstat_row *x = *(const struct hakstat_row *const *)a;
	const struct hakstat_row *y = *(const struct hakstat_row *const *)b;

	if (x->time_ns != y->time_ns) {
		return x->time_ns < y->time_ns ? -1 : 1;
	}
	return x->class_id != y->class_id ? (x->class_id < y->class_id ? -1 : 1) : g_strcmp0(x->key, y->key);
}

/* Levels of a class: those of the latest slice. Everything else adds up, or has its highest level. */
static void fold_row(struct hakstat_row *to, const struct hakstat_row *from, enum hakstat_table_id table)
{
	if (table == HAKSTAT_BY_HEAP) {
		to->n = from->n;
	} else {
		hakstat_counts_add(&to->n, &from->n);
	}
	to->g.peak_live_bytes = MAX(to->g.peak_live_bytes, from->g.peak_live_bytes);
	to->g.committed_bytes = MAX(to->g.committed_bytes, from->g.committed_bytes);
	to->g.resident_bytes = MAX(to->g.resident_bytes, from->g.resident_bytes);
	to->g.snapshots = MAX(to->g.snapshots, from->g.snapshots);
	to->g.resident_snapshots = MAX(to->g.resident_snapshots, from->g.resident_snapshots);
}

static void add_row(struct hakstat_row *to, const struct hakstat_row *from)
{
	hakstat_counts_add(&to->n, &from->n);
	hakstat_gauges_add(&to->g, &from->g);
}

/* What stays of a row's key when slices become one: the wide slice, and the class if it has one. */
static char *wide_key(const struct hakstat_row *row, uint64_t wide)
{
	const char *number = strchr(row->key, ':');
	const char *class_key = number ? strchr(number + 1, ':') : NULL;

	return g_strdup_printf("%" PRId64 "%s", (int64_t)((uint64_t)row->time_ns & ~(wide - 1)),
			       class_key ? class_key : "");
}

/* Rows in `table` by wide_key(). A new one shares its texts with `like`. */
static struct hakstat_row *wide_row(GHashTable *table, char *key, const struct hakstat_row *like,
				    uint64_t wide)
{
	struct hakstat_row *row = g_hash_table_lookup(table, key);

	if (row) {
		g_free(key);
		return row;
	}
	row = g_new0(struct hakstat_row, 1);
	row->key = like->key;
	row->class_name = like->class_name;
	row->class_id = like->class_id;
	row->route = like->route;
	row->block = like->block;
	row->time_ns = (int64_t)((uint64_t)like->time_ns & ~(wide - 1));
	row->span_ns = wide;
	g_hash_table_insert(table, key, row);
	return row;
}

/* Adds what all slices of one width hold to the wide slices. `rows` are in order of time. */
static void fold_width(const GPtrArray *rows, uint64_t span, enum hakstat_table_id table, uint64_t wide,
		       GHashTable *out)
{
	GHashTable *folded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	GHashTableIter iter;
	gpointer value;

	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		if (row->span_ns == span) {
			fold_row(wide_row(folded, wide_key(row, wide), row, wide), row, table);
		}
	}
	g_hash_table_iter_init(&iter, folded);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct hakstat_row *from = value;
		add_row(wide_row(out, wide_key(from, wide), from, wide), from);
	}
	g_hash_table_destroy(folded);
}

GPtrArray *hakstat_timeline_rows(const struct hakstat_summary *s, enum hakstat_table_id table)
{
	GPtrArray *rows = g_ptr_array_copy(s->rows[table], NULL, NULL);
	GPtrArray *result = g_ptr_array_new_with_free_func(g_free);
	GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer value;
	uint64_t spans = 0, wide = 1;

	g_ptr_array_set_free_func(rows, NULL);
	g_ptr_array_sort(rows, compare_times);
	for (guint i = 0; i < rows->len; i++) {
		spans |= ((const struct hakstat_row *)g_ptr_array_index(rows, i))->span_ns;
	}
	while (spans / wide > 1) {
		wide <<= 1;
	}
	for (uint64_t span = 1; span && span <= wide; span <<= 1) {
		if (spans & span) {
			fold_width(rows, span, table, wide, out);
		}
	}
	g_hash_table_iter_init(&iter, out);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_ptr_array_add(result, value);
	}
	g_hash_table_destroy(out);
	g_ptr_array_unref(rows);
	g_ptr_array_sort(result, compare_times);
	return result;
}
