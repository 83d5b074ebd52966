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
	uint64_t peak_live, committed; /* the most there was in it */
};

struct level {
	int64_t live;
	uint64_t committed;
};

struct hakstat_timeline {
	bool is_used;
	unsigned shift; /* a slice is 2^shift ns wide */
	int64_t base;	/* number of the first slice */
	struct slice slices[SLICES];
	GArray *levels; /* struct level by process */
	int64_t live_bytes;
	uint64_t committed_bytes;
};

struct hakstat_timeline *hakstat_timeline_new(void)
{
	struct hakstat_timeline *t = g_new0(struct hakstat_timeline, 1);

	t->shift = FIRST_SHIFT;
	t->levels = g_array_new(FALSE, TRUE, sizeof(struct level));
	return t;
}

void hakstat_timeline_free(struct hakstat_timeline *t)
{
	g_array_unref(t->levels);
	g_free(t);
}

static void fold_slice(struct slice *to, const struct slice *from)
{
	to->allocs += from->allocs;
	to->frees += from->frees;
	to->requested += from->requested;
	to->usable += from->usable;
	to->peak_live = MAX(to->peak_live, from->peak_live);
	to->committed = MAX(to->committed, from->committed);
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

/* Time that went back moves the first slice to the left while the right end is unused. */
static void extend_left(struct hakstat_timeline *t, int64_t number)
{
	int64_t by = t->base - number;
	int last = SLICES - 1;
	static const struct slice empty;

	while (last >= 0 && memcmp(&t->slices[last], &empty, sizeof empty) == 0) {
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
}

void hakstat_timeline_level(struct hakstat_timeline *t, int64_t time_ns, uint32_t process, int64_t live_bytes,
			    uint64_t committed_bytes)
{
	struct slice *slice = slice_at(t, time_ns);
	struct level *level;

	if (process >= t->levels->len) {
		g_array_set_size(t->levels, process + 1);
	}
	level = &g_array_index(t->levels, struct level, process);
	t->live_bytes += live_bytes - level->live;
	t->committed_bytes += committed_bytes - level->committed;
	level->live = live_bytes;
	level->committed = committed_bytes;
	slice->peak_live = MAX(slice->peak_live, (uint64_t)MAX(t->live_bytes, 0));
	slice->committed = MAX(slice->committed, t->committed_bytes);
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

static bool is_empty(const struct slice *s)
{
	return !(s->allocs || s->frees || s->peak_live || s->committed);
}

void hakstat_timeline_finish(struct hakstat_timeline *t, struct hakstat_summary *s)
{
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
		row->g.peak_live_bytes = slice->peak_live;
		row->g.committed_bytes = slice->committed;
	}
}

static gint compare_times(gconstpointer a, gconstpointer b)
{
	const struct hakstat_row *x = *(const struct hakstat_row *const *)a;
	const struct hakstat_row *y = *(const struct hakstat_row *const *)b;

	return (x->time_ns > y->time_ns) - (x->time_ns < y->time_ns);
}

/* Adds what all slices of one width hold to the wide slices. */
static void fold_width(const GPtrArray *rows, uint64_t span, uint64_t wide, GHashTable *out)
{
	GHashTable *folded = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
	GHashTableIter iter;
	gpointer value;

	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		gint64 start = (gint64)((uint64_t)row->time_ns & ~(wide - 1));
		struct hakstat_row *to = g_hash_table_lookup(folded, &start);
		if (row->span_ns != span) {
			continue;
		}
		if (!to) {
			to = g_new0(struct hakstat_row, 1);
			to->time_ns = start;
			to->span_ns = wide;
			g_hash_table_insert(folded, &to->time_ns, to);
		}
		hakstat_counts_add(&to->n, &row->n);
		to->g.peak_live_bytes = MAX(to->g.peak_live_bytes, row->g.peak_live_bytes);
		to->g.committed_bytes = MAX(to->g.committed_bytes, row->g.committed_bytes);
	}
	g_hash_table_iter_init(&iter, folded);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct hakstat_row *from = value;
		struct hakstat_row *to = g_hash_table_lookup(out, &from->time_ns);
		if (!to) {
			to = g_memdup2(from, sizeof *from);
			g_hash_table_insert(out, &to->time_ns, to);
			continue;
		}
		hakstat_counts_add(&to->n, &from->n);
		hakstat_gauges_add(&to->g, &from->g);
	}
	g_hash_table_destroy(folded);
}

GPtrArray *hakstat_timeline_rows(const struct hakstat_summary *s)
{
	const GPtrArray *rows = s->rows[HAKSTAT_BY_TIME];
	GPtrArray *result = g_ptr_array_new_with_free_func(g_free);
	GHashTable *out = g_hash_table_new(g_int64_hash, g_int64_equal);
	GHashTableIter iter;
	gpointer value;
	uint64_t spans = 0, wide = 1;

	for (guint i = 0; i < rows->len; i++) {
		spans |= ((const struct hakstat_row *)g_ptr_array_index(rows, i))->span_ns;
	}
	while (spans / wide > 1) {
		wide <<= 1;
	}
	for (uint64_t span = 1; span && span <= wide; span <<= 1) {
		if (spans & span) {
			fold_width(rows, span, wide, out);
		}
	}
	g_hash_table_iter_init(&iter, out);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_ptr_array_add(result, value);
	}
	g_hash_table_destroy(out);
	g_ptr_array_sort(result, compare_times);
	return result;
}
