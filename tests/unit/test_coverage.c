/* SPDX-License-Identifier: MIT */
/*
 * Thousands of sampled recordings of one known load, by the library's sampler and into the
 * report's estimator: a 95 % interval must hold the truth in 95 of 100 of them, and estimates must
 * be right on average. That goes for every sum and ratio that the report tells of classes, routes, sizes,
 * call sites, threads and all, of what is live at the end, at the peak and over time, of one recording, of
 * two merged, and of one whose allocations nobody counted. Seeds are fixed and printed; HAK_TEST_SEED=n takes
 * another one.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "columns.h"
#include "hakmem_route_list.h"
#include "model.h"
#include "predict.h"
#include "random.h"
#include "sample.h"
#include "samples.h"
#include "symbol.h"

enum { RUNS = 3000, PID = 100, MEAN = 512 << 10, PAGE = 4096 };

/* Requests of one class, in the same order in each run; `sizes` chooses among what the class serves. */
struct load {
	const char *name;
	uint32_t class_id, route;
	uint64_t block, least, most; /* block 0: whole pages */
	uint64_t allocs;
	uint64_t (*size)(const struct load *load, uint64_t n);
};

static uint64_t hash(uint64_t n)
{
	return hak_random_next(&n);
}

static uint64_t any(const struct load *load, uint64_t n)
{
	return load->least + hash(n) % (load->most - load->least + 1);
}

/* One of ten is of the largest size, the others of the smallest. */
static uint64_t skewed(const struct load *load, uint64_t n)
{
	return hash(n) % 10 ? load->least : load->most;
}

/* Sizes that grow with time. */
static uint64_t growing(const struct load *load, uint64_t n)
{
	return load->least + n * (load->most - load->least) / load->allocs;
}

static const struct load loads[] = {
	{ "C1.16", 1, HAK_ROUTE_TINY, 16, 9, 16, 2000000, any },
	{ "C7.1024", 2, HAK_ROUTE_TINY, 1024, 897, 1024, 100000, any },
	{ "S2048", 3, HAK_ROUTE_SMALLMID, 2048, 1793, 2048, 40000, growing },
	{ "M8192", 4, HAK_ROUTE_MID, 8192, 7169, 8192, 6000, skewed },
	{ "rare", 5, HAK_ROUTE_MID, 16384, 14337, 16384, 640, any },
	{ "large", 6, HAK_ROUTE_LARGE, 0, 300000, 3000000, 300, any },
};
enum { LOADS = sizeof loads / sizeof loads[0] };

enum { SITES = 3, ROUTES = 4 };

struct truth {
	uint64_t allocs, requested, usable;
};

static struct truth truths[LOADS], all_truth, site_truths[SITES], route_truths[ROUTES][2], size_truths[2];
static struct truth live_truths[LOADS], all_live, site_live[SITES], size_live[2];
static struct truth peak_truths[LOADS], all_peak, size_peak[2];
static int64_t now = 1000000000, snapshot_at[3];

/* Another table, which parts the requests of some classes, and what they would take in it. */
static struct hak_class_table other_table;
static struct truth other_truth, other_live;

static uint64_t usable_of(const struct load *load, uint64_t size)
{
	return load->block ? load->block : (size + PAGE - 1) / PAGE * PAGE;
}

/* Who asks, and why the route is taken: neither has to do with the size. */
static unsigned site_of(uint64_t n)
{
	return (unsigned)(hash(n ^ 0xabcdef) % 7 % SITES);
}

static uint32_t reason_of(uint64_t n)
{
	return hash(n ^ 0x123456) % 4 ? HAK_REASON_SIZE_FIT : HAK_REASON_ALIGNMENT;
}

static void add_truth(struct truth *t, uint64_t size, uint64_t usable)
{
	t->allocs++;
	t->requested += size;
	t->usable += usable;
}

/* Of five, one is given back before the next one comes. */
static bool is_freed_soon(uint64_t n)
{
	return hash(n ^ 0x555555) % 5 == 0;
}

/* Of three, two are still held in the end. */
static bool is_freed(uint64_t n)
{
	return hash(n ^ 0x777777) % 3 == 0;
}

static void find_live_truths(const struct load *load, uint64_t n)
{
	uint64_t size = load->size(load, n), usable = usable_of(load, size);
	uint64_t other = hak_route_decide(&other_table, size, 1).usable;
	add_truth(&other_truth, size, other);
	if (is_freed_soon(n)) {
		return;
	}
	add_truth(&peak_truths[load - loads], size, usable);
	add_truth(&all_peak, size, usable);
	if (load->size == skewed) {
		add_truth(&size_peak[size == load->most], size, usable);
	}
	if (is_freed(n)) {
		return;
	}
	add_truth(&other_live, size, other);
	add_truth(&live_truths[load - loads], size, usable);
	add_truth(&all_live, size, usable);
	add_truth(&site_live[site_of(n)], size, usable);
	if (load->size == skewed) {
		add_truth(&size_live[size == load->most], size, usable);
	}
}

static void find_truths(void)
{
	for (int i = 0; i < LOADS; i++) {
		const struct load *load = &loads[i];
		for (uint64_t n = 0; n < load->allocs; n++) {
			uint64_t size = load->size(load, n), usable = usable_of(load, size);
			add_truth(&truths[i], size, usable);
			add_truth(&all_truth, size, usable);
			add_truth(&site_truths[site_of(n)], size, usable);
			add_truth(&route_truths[load->route][reason_of(n) == HAK_REASON_ALIGNMENT], size,
				  usable);
			if (load->size == skewed) {
				add_truth(&size_truths[size == load->most], size, usable);
			}
			find_live_truths(load, n);
		}
	}
}

static struct hakstat_event event(enum hakstat_event_kind kind)
{
	return (struct hakstat_event) {
		.kind = kind, .has_pid = true, .pid = PID, .tid = PID, .time_ns = now += 1000
	};
}

/*
 * In the second of its eighths a thread is sampled less densely, as one whose samples come too fast is. Not
 * its large blocks: of the aligned ones 20 samples are left, and with two weights among them the interval of
 * their waste held the truth in 91 of 100 runs.
 */
static uint64_t mean_at(const struct load *load, uint64_t n)
{
	return load->block && n / (load->allocs / 8) == 1 ? 2 * MEAN : MEAN;
}

/* Where the mean changes next, and gaps are drawn anew. */
static uint64_t next_change(const struct load *load, uint64_t n)
{
	uint64_t eighth = load->allocs / 8;
	return n < eighth ? eighth : n < 2 * eighth ? 2 * eighth : UINT64_MAX;
}

static struct hakstat_event_op sampled(const struct load *load, uint64_t n)
{
	static const uint64_t stacks[SITES] = { 0x1000, 0x2000, 0x3000 };
	uint64_t size = load->size(load, n), usable = usable_of(load, size);
	return (struct hakstat_event_op) {
		.ptr = (uint64_t)load->class_id << 40 | n << 4,
		.requested = size,
		.usable = usable,
		.class_id = load->class_id,
		.route = load->route,
		.weight = 1 / hak_sample_chance(usable, mean_at(load, n)),
		.reason = reason_of(n),
		.stack_id = 1 + site_of(n),
		.depth = 1,
		.stack = &stacks[site_of(n)],
	};
}

/* Which allocation is sampled next, from `n` on: as in the library, a countdown in each class. */
static uint64_t next_sample(const struct load *load, uint64_t n, uint64_t *random)
{
	if (load->block) {
		uint64_t next = n + (uint64_t)hak_sample_gap(random, load->block, mean_at(load, n)) - 1;
		uint64_t change = next_change(load, n);
		return next >= change ? next_sample(load, change, random) : next;
	}
	while (n < load->allocs &&
	       hak_sample_gap(random, usable_of(load, load->size(load, n)), mean_at(load, n)) > 1) {
		n++;
	}
	return n;
}

typedef void take_fn(void *to, const struct hakstat_event_op *op);

static void sample_all(const struct load *load, uint64_t *random, take_fn *take, void *to)
{
	for (uint64_t n = next_sample(load, 0, random); n < load->allocs;
	     n = next_sample(load, n + 1, random)) {
		struct hakstat_event_op op = sampled(load, n);
		take(to, &op);
	}
}

/* What is freed later on. */
struct recording {
	struct hakstat_model *model;
	GArray *to_free;
};

static void feed_op(struct hakstat_model *m, enum hakstat_event_kind kind, const struct hakstat_event_op *op)
{
	struct hakstat_event e = event(kind);
	e.u.op = *op;
	hakstat_model_feed(m, &e);
}

static void feed_sample(void *to, const struct hakstat_event_op *op)
{
	struct recording *r = to;
	uint64_t n = op->ptr >> 4 & 0xffffffff;
	feed_op(r->model, HAKSTAT_EVENT_SAMPLE_ALLOC, op);
	if (is_freed_soon(n)) {
		feed_op(r->model, HAKSTAT_EVENT_SAMPLE_FREE, op);
	} else if (is_freed(n)) {
		g_array_append_val(r->to_free, *op);
	}
}

static void free_samples(const struct recording *r)
{
	for (guint i = 0; i < r->to_free->len; i++) {
		feed_op(r->model, HAKSTAT_EVENT_SAMPLE_FREE,
			&g_array_index(r->to_free, struct hakstat_event_op, i));
	}
}

/* Before, when the most is held, and with what stays of it; some seconds apart. */
static void snapshot(struct hakstat_model *m, uint64_t number)
{
	now += INT64_C(3000000000) * (int64_t)(1 + number);
	snapshot_at[number] = now;
	for (int i = 0; i < LOADS; i++) {
		const struct truth *held = number == 1 ? &peak_truths[i] : &live_truths[i];
		struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);
		e.u.class_stats = (struct hakstat_event_class_stats) {
			.snapshot = number,
			.class_id = loads[i].class_id,
			.route = loads[i].route,
			.usable = loads[i].block,
			.allocs = number ? loads[i].allocs : 0,
			.frees = number ? loads[i].allocs - held->allocs : 0,
			.live = number ? held->allocs : 0,
			.slab_bytes = number && !loads[i].block ? held->usable : 0,
		};
		hakstat_model_feed(m, &e);
	}
}

static void describe(struct hakstat_model *m)
{
	for (int i = 0; i < LOADS; i++) {
		struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_INFO);
		e.u.class_info = (struct hakstat_event_class_info) { loads[i].class_id, loads[i].route,
								     loads[i].name,	loads[i].block,
								     loads[i].least,	loads[i].most };
		hakstat_model_feed(m, &e);
	}
}

static struct hakstat_summary *recorded(uint64_t *random, bool is_counted)
{
	struct recording r = { hakstat_model_new(NULL),
			       g_array_new(FALSE, FALSE, sizeof(struct hakstat_event_op)) };
	describe(r.model);
	if (is_counted) {
		snapshot(r.model, 0);
	}
	for (int i = 0; i < LOADS; i++) {
		sample_all(&loads[i], random, feed_sample, &r);
	}
	if (is_counted) {
		snapshot(r.model, 1);
	}
	free_samples(&r);
	if (is_counted) {
		snapshot(r.model, 2);
	}
	g_array_unref(r.to_free);
	struct hakstat_summary *summary = hakstat_model_finish(r.model);
	hakstat_model_free(r.model);
	return summary;
}

/* How an estimate did in all runs. */
struct record {
	char what[40];
	double sum, squares; /* of estimate / truth - 1 */
	unsigned hits, runs;
};

static void note(struct record *r, double estimate, double half, double truth)
{
	double error = truth > 0 ? estimate / truth - 1 : estimate;
	r->sum += error;
	r->squares += error * error;
	r->hits += fabs(estimate - truth) <= half + 1e-9 * truth;
	r->runs++;
}

/*
 * Four deviations of the binomial, and of the mean. Sums over several small samples, each with its own remedy
 * for being small, may have wider intervals than they need.
 */
static bool is_good(const struct record *r, bool may_be_wider)
{
	double n = r->runs, most = 4 * sqrt(0.95 * 0.05 / n);
	double highest = may_be_wider ? 0.99 : 0.95 + most;
	double mean = r->sum / n, deviation = sqrt(r->squares / n);
	double hits = r->hits / n;
	bool good = hits >= 0.95 - most && hits <= highest && fabs(mean) <= 4 * deviation / sqrt(n) + 1e-9;
	print_message(
		"# %-26s in %5.2f %% of runs (%.2f to %.2f), mean error %+.4f %%, deviation %.3f %%%s\n",
		r->what, 100 * hits, 100 * (0.95 - most), 100 * highest, 100 * mean, 100 * deviation,
		good ? "" : ": NOT GOOD");
	return good;
}

static uint64_t seed(void)
{
	const char *chosen = getenv("HAK_TEST_SEED");
	uint64_t n = chosen ? strtoull(chosen, NULL, 10) : 20261125;
	print_message("# HAK_TEST_SEED=%" PRIu64 "\n", n);
	return n;
}

/* What a row tells, with its intervals as the report prints them. */
enum {
	ALLOCS,
	BYTES,
	WASTE,
	PERCENT,
	LIVE,
	LIVE_BYTES,
	LIVE_USABLE,
	LIVE_WASTE,
	PEAK_BYTES,
	PEAK_WASTE,
	PEAK,
	PEAK_USABLE,
	AREA,
	AREA_WASTE,
	TOLD
};

struct check {
	const struct truth *truth, *live, *peak; /* NULL: the row does not tell */
	bool has_areas;
	struct record told[TOLD];
};

static double value_of(const struct hakstat_row *row, const char *key)
{
	const struct hakstat_column *c = hakstat_column_find(1u << HAKSTAT_BY_CLASS, key);
	struct hakstat_value v = c->get(row);
	return c->unit == HAKSTAT_UNIT_PERCENT ? v.real : (double)v.number;
}

static void name_check(struct check *c, const char *name, const struct truth *truth, const struct truth *live)
{
	static const char *const told[TOLD] = { "allocs",     "bytes",	     "waste",	    "waste %",
						"live",	      "live bytes",  "live usable", "live waste",
						"peak bytes", "peak waste",  "peak",	    "peak usable",
						"byte s",     "waste byte s" };
	c->truth = truth;
	c->live = live;
	for (int i = 0; i < TOLD; i++) {
		snprintf(c->told[i].what, sizeof c->told[i].what, "%s, %s", name, told[i]);
	}
}

static void check_live(struct check *c, const struct hakstat_row *row, double times)
{
	double requested = times * (double)c->live->requested, usable = times * (double)c->live->usable;
	note(&c->told[LIVE], (double)row->n.live, value_of(row, "live_ci95"),
	     times * (double)c->live->allocs);
	note(&c->told[LIVE_BYTES], (double)row->n.live_requested_bytes,
	     value_of(row, "live_requested_bytes_ci95"), requested);
	note(&c->told[LIVE_USABLE], (double)row->n.live_usable_bytes, value_of(row, "live_usable_bytes_ci95"),
	     usable);
	note(&c->told[LIVE_WASTE], (double)hakstat_counts_live_waste(&row->n),
	     value_of(row, "live_waste_bytes_ci95"), usable - requested);
}

static void check_peak(struct check *c, const struct hakstat_row *row, double times)
{
	double requested = times * (double)c->peak->requested, usable = times * (double)c->peak->usable;
	note(&c->told[PEAK_BYTES], (double)row->n.peak_requested_bytes,
	     value_of(row, "peak_live_requested_bytes_ci95"), requested);
	note(&c->told[PEAK_WASTE], (double)hakstat_counts_peak_waste(&row->n),
	     value_of(row, "peak_live_waste_bytes_ci95"), usable - requested);
	note(&c->told[PEAK], (double)row->n.peak_live, value_of(row, "peak_live_ci95"),
	     times * (double)c->peak->allocs);
	note(&c->told[PEAK_USABLE], (double)row->n.peak_usable_bytes,
	     value_of(row, "peak_live_usable_bytes_ci95"), usable);
}

/* Between the snapshots, of the first of which nothing is live. */
static double area_of(double peak, double live)
{
	return ((double)(snapshot_at[1] - snapshot_at[0]) * peak +
		(double)(snapshot_at[2] - snapshot_at[1]) * (peak + live)) /
	       2e9;
}

static void check_areas(struct check *c, const struct hakstat_row *row, double times)
{
	double requested = area_of((double)c->peak->requested, (double)c->live->requested);
	double usable = area_of((double)c->peak->usable, (double)c->live->usable);
	note(&c->told[AREA], (double)row->n.requested_byte_s, value_of(row, "requested_byte_seconds_ci95"),
	     times * requested);
	note(&c->told[AREA_WASTE], (double)row->n.waste_byte_s, value_of(row, "waste_byte_seconds_ci95"),
	     times * (usable - requested));
}

/* `times`: recordings that were merged. */
static void check_row(struct check *c, const struct hakstat_row *row, double times)
{
	double requested = (double)c->truth->requested, usable = (double)c->truth->usable;
	double waste = usable - requested;
	note(&c->told[ALLOCS], (double)row->n.allocs, value_of(row, "allocs_ci95"),
	     times * (double)c->truth->allocs);
	note(&c->told[BYTES], (double)row->n.requested_bytes,
	     value_of(row, "ci95_percent") / 100 * (double)row->n.requested_bytes, times * requested);
	note(&c->told[WASTE], (double)hakstat_counts_waste(&row->n), value_of(row, "waste_bytes_ci95"),
	     times * waste);
	note(&c->told[PERCENT], value_of(row, "waste_percent"), value_of(row, "waste_percent_ci95"),
	     100 * waste / usable);
	if (c->live) {
		check_live(c, row, times);
	}
	if (c->peak) {
		check_peak(c, row, times);
	}
	if (c->has_areas) {
		check_areas(c, row, times);
	}
}

/*
 * Counts that are exact are right each time, with an interval of nothing. What is live rests on fewer
 * samples than the sums do: it has wider intervals where they are skewed.
 */
static bool is_check_good(const struct check *c, bool may_be_wider)
{
	int told = c->has_areas ? TOLD : c->peak ? AREA : c->live ? PEAK_BYTES : LIVE;
	bool good = true;
	for (int i = c->truth ? 0 : LIVE; i < told; i++) {
		const struct record *r = &c->told[i];
		bool is_exact = r->squares < 1e-12 * r->runs; /* but for sums in whole bytes */
		bool may = may_be_wider || i >= LIVE;
		good &= !r->runs || (r->runs > RUNS / 2 && (is_exact ? r->hits == r->runs : is_good(r, may)));
	}
	return good;
}

static const struct load *load_of(uint32_t class_id)
{
	for (int i = 0; i < LOADS; i++) {
		if (loads[i].class_id == class_id) {
			return &loads[i];
		}
	}
	fail();
	return NULL;
}

/* All that is looked at in one recording. */
struct checks {
	struct check classes[LOADS], all, routes[ROUTES][2], sites[SITES], sizes[2], thread;
	struct check heap[LOADS]; /* in the second snapshot */
};

static void name_checks(struct checks *c)
{
	static const char *const routes[ROUTES][2] = { { "tiny", "tiny aligned" },
						       { "smallmid", "smallmid aligned" },
						       { "mid", "mid aligned" },
						       { "large", "large aligned" } };
	static const char *const sites[SITES] = { "site 0", "site 1", "site 2" };
	for (int i = 0; i < LOADS; i++) {
		g_autofree char *heap = g_strdup_printf("%s in time", loads[i].name);
		name_check(&c->classes[i], loads[i].name, &truths[i], &live_truths[i]);
		name_check(&c->heap[i], heap, NULL, &peak_truths[i]);
	}
	for (int i = 0; i < ROUTES; i++) {
		name_check(&c->routes[i][0], routes[i][0], &route_truths[i][0], NULL);
		name_check(&c->routes[i][1], routes[i][1], &route_truths[i][1], NULL);
	}
	for (int i = 0; i < SITES; i++) {
		name_check(&c->sites[i], sites[i], &site_truths[i], &site_live[i]);
	}
	name_check(&c->sizes[0], "size 7169", &size_truths[0], &size_live[0]);
	name_check(&c->sizes[1], "size 8192", &size_truths[1], &size_live[1]);
	c->sizes[0].peak = &size_peak[0];
	c->sizes[1].peak = &size_peak[1];
	name_check(&c->all, "all", &all_truth, &all_live);
	name_check(&c->thread, "thread", &all_truth, NULL);
}

static struct check *check_of(struct checks *c, enum hakstat_table_id table, const struct hakstat_row *row)
{
	const struct hakstat_frame *frame;
	switch (table) {
	case HAKSTAT_BY_CLASS:
		return &c->classes[load_of(row->class_id) - loads];
	case HAKSTAT_BY_ROUTE:
		return &c->routes[row->route][row->reason == HAK_REASON_ALIGNMENT];
	case HAKSTAT_BY_SITE:
		frame = g_ptr_array_index(row->stack, 0);
		return &c->sites[frame->offset / 0x1000 - 1];
	case HAKSTAT_BY_SIZE:
		return row->block == 8192 && load_of(row->class_id)->size == skewed
			       ? &c->sizes[row->requested_max == 8192]
			       : NULL;
	default:
		return &c->thread;
	}
}

static struct hakstat_row total_of(const struct hakstat_summary *s)
{
	struct hakstat_row total = { 0 };
	for (guint k = 0; k < s->rows[HAKSTAT_BY_CLASS]->len; k++) {
		const struct hakstat_row *row = g_ptr_array_index(s->rows[HAKSTAT_BY_CLASS], k);
		hakstat_counts_add(&total.n, &row->n);
	}
	return total;
}

static void check_heap(struct checks *c, const struct hakstat_summary *s)
{
	const GPtrArray *rows = s->rows[HAKSTAT_BY_HEAP];
	for (guint k = 0; k < rows->len; k++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, k);
		if (row->time_ns <= snapshot_at[1] && snapshot_at[1] < row->time_ns + (int64_t)row->span_ns) {
			check_live(&c->heap[load_of(row->class_id) - loads], row, 1);
		}
	}
}

/* A prediction, and the difference between that and what was recorded of the same requests. */
enum { SAVING, LIVE_SAVING, SAVINGS };

static void check_prediction(struct check *c, struct record savings[SAVINGS], const struct hakstat_summary *s)
{
	struct hakstat_summary *predicted = hakstat_predict_summary(&other_table, "other", s);
	const struct hakstat_predicted *p = predicted->predicted;
	struct hakstat_row then = total_of(s), row = total_of(predicted);
	row.n.v = p->v;
	row.n.live_v = p->live_v;
	check_row(c, &row, 1);
	note(&savings[SAVING], (double)then.n.usable_bytes - (double)row.n.usable_bytes,
	     (double)hakstat_interval(p->saving).number,
	     (double)all_truth.usable - (double)other_truth.usable);
	note(&savings[LIVE_SAVING], (double)then.n.live_usable_bytes - (double)row.n.live_usable_bytes,
	     (double)hakstat_interval(p->live_saving).number,
	     (double)all_live.usable - (double)other_live.usable);
	hakstat_summary_free(predicted);
}

static void check_summary(struct checks *c, const struct hakstat_summary *s, double times)
{
	static const enum hakstat_table_id tables[] = { HAKSTAT_BY_CLASS, HAKSTAT_BY_ROUTE, HAKSTAT_BY_SITE,
							HAKSTAT_BY_SIZE, HAKSTAT_BY_THREAD };
	struct hakstat_row total = total_of(s);
	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
		const GPtrArray *rows = s->rows[tables[t]];
		for (guint k = 0; k < rows->len; k++) {
			const struct hakstat_row *row = g_ptr_array_index(rows, k);
			struct check *check = check_of(c, tables[t], row);
			if (check) {
				check_row(check, row, times);
			}
		}
	}
	check_row(&c->all, &total, times);
}

static bool are_good(const struct checks *checks, bool may_be_wider)
{
	const struct check *c = &checks->classes[0];
	bool good = true;
	for (size_t i = 0; i < sizeof *checks / sizeof *c; i++) {
		bool is_met = c[i].truth || c[i].told[LIVE].runs;
		good &= !is_met || is_check_good(&c[i], may_be_wider || &c[i] > &checks->all);
	}
	return good;
}

static void run_all(uint64_t random, int merged, bool is_counted)
{
	struct checks checks = { 0 };
	name_checks(&checks);
	for (int i = 0; i < LOADS && is_counted; i++) {
		checks.classes[i].peak = &peak_truths[i];
		checks.classes[i].has_areas = true;
	}
	checks.all.has_areas = is_counted;
	checks.all.peak = is_counted ? &all_peak : NULL;
	for (int run = 0; run < RUNS; run++) {
		struct hakstat_summary *s = recorded(&random, is_counted);
		for (int i = 1; i < merged; i++) {
			struct hakstat_summary *more = recorded(&random, is_counted);
			hakstat_summary_merge(s, more);
			hakstat_summary_free(more);
		}
		if (is_counted && merged == 1) {
			check_heap(&checks, s);
		}
		check_summary(&checks, s, merged);
		hakstat_summary_free(s);
	}
	assert_true(are_good(&checks, merged > 1 || !is_counted));
}

/* Counts of allocations are exact, but for parts of a class. */
static void intervals_of_the_report_hold_the_truth(void **state)
{
	(void)state;
	run_all(seed(), 1, true);
}

static void so_do_those_of_merged_recordings(void **state)
{
	(void)state;
	run_all(seed() + 2, 2, true);
}

static void so_do_those_without_snapshots(void **state)
{
	(void)state;
	run_all(seed() + 3, 1, false);
}

static void so_do_those_of_predictions(void **state)
{
	struct check all = { 0 };
	struct record savings[SAVINGS] = { { .what = "saving" }, { .what = "live saving" } };
	uint64_t random = seed() + 4;
	bool good;
	(void)state;
	name_check(&all, "predicted", &other_truth, &other_live);
	for (int run = 0; run < RUNS; run++) {
		struct hakstat_summary *s = recorded(&random, true);
		check_prediction(&all, savings, s);
		hakstat_summary_free(s);
	}
	/* How many there are is rounded for each size, which no interval is about. */
	all.told[ALLOCS].runs = all.told[LIVE].runs = 0;
	good = is_check_good(&all, true);
	for (int i = 0; i < SAVINGS; i++) {
		good &= is_good(&savings[i], true);
	}
	assert_true(good);
}

static void add_to_samples(void *to, const struct hakstat_event_op *op)
{
	hakstat_samples_alloc(to, op);
}

/* Without snapshots the number of allocations is an estimate as well. */
static void weights_give_the_count_and_its_variance(void **state)
{
	struct record counts[LOADS] = { 0 };
	uint64_t random = seed() + 1;
	bool is_well = true;
	(void)state;
	for (int run = 0; run < RUNS; run++) {
		struct hakstat_samples samples;
		hakstat_samples_init(&samples);
		for (int i = 0; i < LOADS; i++) {
			const struct hakstat_sample_sums *s = &samples.classes[loads[i].class_id];
			sample_all(&loads[i], &random, add_to_samples, &samples);
			note(&counts[i], s->weight, 1.96 * sqrt(s->v), (double)loads[i].allocs);
		}
		hakstat_samples_clear(&samples);
	}
	for (int i = 0; i < LOADS; i++) {
		snprintf(counts[i].what, sizeof counts[i].what, "%s, weights", loads[i].name);
		is_well &= is_good(&counts[i], false);
	}
	assert_true(is_well);
}

static int prepare(void **state)
{
	static const uint32_t blocks[] = { 16, 960, 1024, 1920, 2048, 7424, 8192, 15360, 16384 };
	(void)state;
	other_table.scheme = HAK_SCHEME_FILE;
	for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
		hak_class_table_add(&other_table, blocks[i]);
	}
	hak_class_table_finish(&other_table, HAK_TINY_GROUPS - 1, PAGE);
	find_truths();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_of_the_report_hold_the_truth),
		cmocka_unit_test(so_do_those_of_merged_recordings),
		cmocka_unit_test(so_do_those_without_snapshots),
		cmocka_unit_test(so_do_those_of_predictions),
		cmocka_unit_test(weights_give_the_count_and_its_variance),
	};
	return cmocka_run_group_tests_name("coverage", tests, prepare, NULL);
}
