/* SPDX-License-Identifier: MIT */
/*
 * Requests against tables.
 */
#include "predict.h"
#include "number.h"
#include "predict_error.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

enum { PAGE_SIZE = 4096 };

static uint32_t page_of(const struct hakstat_summary *s)
{
	uint32_t page = s->config.page_size;

	return page >= PAGE_SIZE && (page & (page - 1)) == 0 ? page : PAGE_SIZE;
}

static int compare_blocks(gconstpointer a, gconstpointer b)
{
	const struct hakstat_row *x = *(const struct hakstat_row *const *)a;
	const struct hakstat_row *y = *(const struct hakstat_row *const *)b;

	return (x->block > y->block) - (x->block < y->block);
}

/* An own table: every class of it is in each snapshot. */
static bool table_of_classes(const struct hakstat_summary *s, unsigned tiny_max_class,
			     struct hak_class_table *table)
{
	GPtrArray *rows = g_ptr_array_copy(s->rows[HAKSTAT_BY_CLASS], NULL, NULL);

	g_ptr_array_set_free_func(rows, NULL);
	g_ptr_array_sort(rows, compare_blocks);
	memset(table, 0, sizeof *table);
	table->scheme = HAK_SCHEME_FILE;
	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		if (row->block && row->block <= HAK_BLOCK_MAX) {
			hak_class_table_add(table, (uint32_t)row->block);
		}
	}
	g_ptr_array_unref(rows);
	hak_class_table_finish(table, tiny_max_class, page_of(s));
	return table->count != 0;
}

bool hakstat_recorded_table(const struct hakstat_summary *s, unsigned tiny_max_class,
			    struct hak_class_table *table)
{
	const struct hakstat_config *c = &s->config;
	struct hakstat_err err;

	if (!c->known || c->differs || !c->size_classes || tiny_max_class >= HAK_TINY_GROUPS) {
		return false;
	}
	if (c->size_classes[0] == '@') {
		return table_of_classes(s, tiny_max_class, table);
	}
	return hakstat_table_load(table, c->size_classes, tiny_max_class, page_of(s), &err) == 0;
}

/* Estimated counts are rounded, so what they make of the bytes may be more than any request was. */
static uint64_t mean_of(const struct hakstat_row *size)
{
	uint64_t count = size->n.allocs;
	uint64_t mean = count ? (size->n.requested_bytes + count / 2) / count : size->requested_max;

	return CLAMP(mean, size->requested_min, MAX(size->requested_min, size->requested_max));
}

uint64_t hakstat_row_alignment(const struct hak_class_table *table, const struct hakstat_row *size)
{
	uint64_t mean = mean_of(size);

	for (uint64_t alignment = 1; table && alignment <= HAK_PAGE_ALIGN_MAX; alignment *= 2) {
		struct hak_decision d = hak_route_decide(table, mean, alignment);
		if (d.class_id < table->count && d.usable == size->block) {
			return alignment;
		}
	}
	return 1;
}

static uint64_t times(uint64_t count, uint64_t bytes)
{
	return count && bytes > UINT64_MAX / count ? UINT64_MAX : count * bytes;
}

/* Whole pages for each request: what they took, `usable`, if the row was large, too. */
static uint64_t large_bytes(const struct hakstat_row *size, const struct hak_decision *d, uint64_t count,
			    uint64_t requested, uint64_t usable)
{
	return size->block == 0 && usable >= requested ? usable : times(count, d->usable);
}

void hakstat_predict_row(const struct hak_class_table *table, const struct hakstat_row *size,
			 struct hakstat_prediction *sum)
{
	struct hak_decision d = hak_route_decide(table, mean_of(size), 1);
	uint64_t usable =
		d.class_id == table->count
			? large_bytes(size, &d, size->n.allocs, size->n.requested_bytes, size->n.usable_bytes)
			: times(size->n.allocs, d.usable);

	sum->allocs += size->n.allocs;
	sum->requested_bytes += size->n.requested_bytes;
	sum->usable_bytes += usable;
	sum->waste_bytes += usable > size->n.requested_bytes ? usable - size->n.requested_bytes : 0;
	if (size->n.allocs && size->n.v.allocs > 0) { /* its blocks are of one size, before and then */
		double each = ((double)size->n.usable_bytes - (double)usable) / (double)size->n.allocs;
		sum->saving_variance += each * each * size->n.v.allocs;
	}
}

/* Resizes ------------------------------------------------------------------------------------ */

/* What becomes of the allocations of each index of sizes: times (seen + change) / seen. */
struct moves {
	double seen[HAKSTAT_RESIZE_INDEXES];
	double change[HAKSTAT_RESIZE_INDEXES];
};

/* Whether realloc keeps a block that was asked for as `from`; as hak_realloc of the allocator decides. */
static bool stays(const struct hak_class_table *table, uint64_t from, uint64_t to)
{
	enum { CACHE_LINE = 64 };
	struct hak_decision old = hak_route_decide(table, from, 1);
	struct hak_decision new = hak_route_decide(table, to, 1);

	if (old.class_id == table->count) {
		return new.class_id == table->count;
	}
	return to <= old.usable &&
	       (to >= old.usable / 2 || old.usable <= CACHE_LINE || new.class_id == old.class_id);
}

/* Two tables: `recorded` is NULL where it is unknown. */
struct tables {
	const struct hak_class_table *then, *recorded;
};

/*
 * The allocations that a realloc saves, or costs. Of blocks that were resized before, or aligned, the former
 * size does not tell the block, so only what the tables make different changes what was recorded.
 */
static double change_of(const struct tables *t, const struct hakstat_resize *r)
{
	uint64_t from = hakstat_resize_from(r->key), to = hakstat_resize_to(r->key);
	bool will_stay = stays(t->then, from, to);

	if (t->recorded && stays(t->recorded, from, to) == will_stay) {
		return 0;
	}
	return will_stay ? -(double)r->moved : (double)r->stayed;
}

/* Free with g_free. */
static struct moves *predict_moves(const struct tables *t, const struct hakstat_summary *s)
{
	struct moves *m = g_new0(struct moves, 1);

	for (guint i = 0; i < s->rows[HAKSTAT_BY_SIZE]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], i);
		m->seen[hakstat_resize_index(row->requested_max)] += (double)row->n.allocs;
	}
	for (uint32_t i = 0; i < s->resizes.capacity; i++) {
		const struct hakstat_resize *r = &s->resizes.entries[i];
		if (r->key) {
			m->change[hakstat_resize_index(hakstat_resize_to(r->key))] += change_of(t, r);
		}
	}
	return m;
}

static uint64_t scaled(uint64_t value, double by)
{
	double product = (double)value * by + 0.5;

	return product < 0 ? 0 : product < 18446744073709549568.0 ? (uint64_t)product : UINT64_MAX;
}

/* A row of sizes with the allocations that are to be expected; live and peak stay. */
static struct hakstat_row expected_row(const struct moves *m, const struct hakstat_row *size)
{
	uint32_t index = hakstat_resize_index(size->requested_max);
	double by = m->seen[index] > 0 ? MAX(1 + m->change[index] / m->seen[index], 0) : 1;
	struct hakstat_row row = *size;

	if (m->change[index] < 0 || m->change[index] > 0) {
		row.n.allocs = scaled(size->n.allocs, by);
		row.n.requested_bytes = scaled(size->n.requested_bytes, by);
		row.n.usable_bytes = scaled(size->n.usable_bytes, by);
	}
	return row;
}

typedef void (*row_taker)(void *to, const struct hakstat_row *size);

/* Each row as it is expected, and those of sizes that no allocation had. */
static void each_expected(const struct tables *t, const struct hakstat_summary *s, row_taker take, void *to)
{
	struct moves *m = predict_moves(t, s);

	for (guint i = 0; i < s->rows[HAKSTAT_BY_SIZE]->len; i++) {
		struct hakstat_row row = expected_row(m, g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], i));
		take(to, &row);
	}
	for (uint32_t i = 1; i < HAKSTAT_RESIZE_INDEXES; i++) {
		uint64_t size = hakstat_resize_to(i);
		struct hakstat_row row = { .requested_min = size, .requested_max = size };
		if (m->seen[i] <= 0 && m->change[i] > 0) {
			row.n.allocs = scaled(1, m->change[i]);
			row.n.requested_bytes = times(row.n.allocs, size);
			take(to, &row);
		}
	}
	g_free(m);
}

struct total {
	const struct hak_class_table *table;
	struct hakstat_prediction sum;
};

static void add_to_total(void *data, const struct hakstat_row *size)
{
	struct total *total = data;

	hakstat_predict_row(total->table, size, &total->sum);
}

struct hakstat_prediction hakstat_predict(const struct hak_class_table *table,
					  const struct hakstat_summary *summary)
{
	struct total total = { .table = table };
	struct hak_class_table recorded;
	bool is_known = hakstat_recorded_table(summary, summary->config.tiny_max_class, &recorded);
	struct tables tables = { table, is_known ? &recorded : NULL };

	each_expected(&tables, summary, add_to_total, &total);
	return total.sum;
}

/* A whole summary ---------------------------------------------------------------------------- */

struct predicted {
	const struct hak_class_table *table;
	const struct hak_class_table *recorded; /* NULL: unknown */
	struct hakstat_summary *to;
	struct hak_decision decision;
	struct hakstat_counts n;
	struct hakstat_predict_error *error; /* NULL: nothing was left to samples */
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

static void add_row(struct predicted *p, enum hakstat_table_id table, const char *key,
		    const struct hakstat_row *size)
{
	bool is_new;
	struct hakstat_row *row = hakstat_summary_row(p->to, table, key, &is_new);

	fill_row(p, row);
	hakstat_row_add_range(row, table, is_new, size->requested_min, size->requested_max);
	hakstat_counts_add(&row->n, &p->n);
	if (p->error) {
		hakstat_predict_error_add(p->error, size, &p->n, row);
	}
}

static bool is_large(const struct predicted *p)
{
	return p->decision.class_id == p->table->count;
}

/* Bytes that some of a row's requests take, which took `usable`. */
static uint64_t usable_of(const struct predicted *p, const struct hakstat_row *size, uint64_t count,
			  uint64_t requested, uint64_t usable)
{
	uint64_t bytes = is_large(p) ? large_bytes(size, &p->decision, count, requested, usable)
				     : times(count, p->decision.usable);

	return MAX(bytes, requested);
}

static void predict_counts(struct predicted *p, const struct hakstat_row *size)
{
	const struct hakstat_counts *n = &size->n;

	p->n = (struct hakstat_counts) {
		.allocs = n->allocs,
		.live = n->live,
		.requested_bytes = n->requested_bytes,
		.usable_bytes = usable_of(p, size, n->allocs, n->requested_bytes, n->usable_bytes),
		.live_requested_bytes = n->live_requested_bytes,
		.live_usable_bytes =
			usable_of(p, size, n->live, n->live_requested_bytes, n->live_usable_bytes),
		.peak_live = n->peak_live,
		.peak_requested_bytes = n->peak_requested_bytes,
		.peak_usable_bytes =
			usable_of(p, size, n->peak_live, n->peak_requested_bytes, n->peak_usable_bytes),
	};
	p->n.large_live_bytes = is_large(p) ? p->n.live_usable_bytes : 0;
}

/* What was asked for when the row's blocks were allocated, if a realloc in place made them what they are; or
 * 0. */
static uint64_t former_request(const struct hak_class_table *recorded, const struct hakstat_row *size)
{
	for (unsigned i = 0; i < recorded->count; i++) {
		uint64_t most = recorded->classes[i].max_request; /* stands for all of the class */
		if (size->block && recorded->classes[i].block == size->block) {
			return stays(recorded, most, mean_of(size)) ? most : 0;
		}
	}
	return 0;
}

/*
 * A realloc in place leaves a block that no request of its size gets. It was another one's, and is under the
 * other table, too, if it can stay there.
 */
static struct hak_decision decide(const struct predicted *p, const struct hakstat_row *size)
{
	uint64_t alignment = hakstat_row_alignment(p->recorded, size), mean = mean_of(size), former;

	if (!p->recorded || hak_route_decide(p->recorded, mean, 1).usable == size->block) {
		return hak_route_decide(p->table, mean, alignment);
	}
	former = size->n.allocs == 0 || alignment == 1 ? former_request(p->recorded, size) : 0;
	if (former) {
		return hak_route_decide(p->table, stays(p->table, former, mean) ? former : mean, 1);
	}
	return hak_route_decide(p->table, mean, alignment);
}

static void predict_size(void *data, const struct hakstat_row *size)
{
	struct predicted *p = data;
	char key[128];

	/* A size that blocks were only grown to in place has no allocations. */
	if (size->n.allocs == 0 && size->n.live == 0 && size->n.peak_live == 0) {
		return;
	}
	p->decision = decide(p, size);
	predict_counts(p, size);
	g_snprintf(key, sizeof key, "%u:%s:%" PRIu64, p->decision.class_id, predicted_class(p),
		   p->decision.usable);
	if (is_large(p)) {
		g_snprintf(key, sizeof key, "%u:large:0", p->decision.class_id);
	}
	add_row(p, HAKSTAT_BY_CLASS, key, size);
	g_snprintf(key, sizeof key, "%u:%u", p->decision.route, p->decision.reason);
	add_row(p, HAKSTAT_BY_ROUTE, key, size);
	g_snprintf(key, sizeof key, "%" PRIu64 ":%" PRIu64 ":%u", size->requested_min, size->requested_max,
		   p->decision.class_id);
	add_row(p, HAKSTAT_BY_SIZE, key, size);
	if (p->error) {
		hakstat_predict_error_add(p->error, size, &p->n, NULL);
	}
}

/* Of the smallest and the largest request; whole pages stay what they are. */
static double block_range(const void *data, const struct hakstat_row *class_row)
{
	const struct hak_class_table *table = data;
	uint64_t least = hak_route_decide(table, class_row->requested_min, 1).usable;
	uint64_t most = hak_route_decide(table, class_row->requested_max, 1).usable;

	return class_row->block ? (double)hakstat_less(most, least) : 0;
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

/* Of whole rows: a block may be live in a size that realloc brought it to, and that nobody allocated. */
static void count_frees(const struct hakstat_summary *to)
{
	static const enum hakstat_table_id tables[] = { HAKSTAT_BY_CLASS, HAKSTAT_BY_ROUTE, HAKSTAT_BY_SIZE };

	for (guint t = 0; t < G_N_ELEMENTS(tables); t++) {
		for (guint i = 0; i < to->rows[tables[t]]->len; i++) {
			struct hakstat_counts *n =
				&((struct hakstat_row *)g_ptr_array_index(to->rows[tables[t]], i))->n;
			n->frees = hakstat_less(n->allocs, n->live);
		}
	}
}

struct hakstat_summary *hakstat_predict_summary(const struct hak_class_table *table, const char *table_name,
						const struct hakstat_summary *summary)
{
	struct hak_class_table recorded;
	bool is_known = hakstat_recorded_table(summary, summary->config.tiny_max_class, &recorded);
	struct predicted p = {
		.table = table,
		.recorded = is_known ? &recorded : NULL,
		.to = hakstat_summary_new(),
	};
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
	p.error = summary->estimated ? hakstat_predict_error_new(summary) : NULL;
	each_expected(&(struct tables) { table, p.recorded }, summary, predict_size, &p);
	count_frees(p.to);
	if (p.error) {
		p.to->predicted = g_new0(struct hakstat_predicted, 1);
		hakstat_predict_error_finish(p.error, block_range, table, p.to->predicted);
		hakstat_predict_error_free(p.error);
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
