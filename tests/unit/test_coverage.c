/* SPDX-License-Identifier: MIT */
/*
 * Thousands of sampled recordings of one known load, by the library's sampler and into the
 * report's estimator: a 95 % interval must hold the truth in 95 of 100 of them, and estimates must
 * be right on average. Seeds are fixed and printed; HAK_TEST_SEED=n takes another one.
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
#include "options.h"
#include "random.h"
#include "sample.h"
#include "samples.h"

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

struct truth {
	uint64_t requested, usable;
};

static struct truth truths[LOADS];

static uint64_t usable_of(const struct load *load, uint64_t size)
{
	return load->block ? load->block : (size + PAGE - 1) / PAGE * PAGE;
}

static void find_truths(void)
{
	for (int i = 0; i < LOADS; i++) {
		truths[i] = (struct truth) { 0 };
		for (uint64_t n = 0; n < loads[i].allocs; n++) {
			uint64_t size = loads[i].size(&loads[i], n);
			truths[i].requested += size;
			truths[i].usable += usable_of(&loads[i], size);
		}
	}
}

static struct hakstat_event event(enum hakstat_event_kind kind)
{
	static int64_t now = 1000000000;
	return (struct hakstat_event) {
		.kind = kind, .has_pid = true, .pid = PID, .tid = PID, .time_ns = now += 1000
	};
}

static struct hakstat_event_op sampled(const struct load *load, uint64_t n)
{
	uint64_t size = load->size(load, n), usable = usable_of(load, size);
	return (struct hakstat_event_op) {
		.ptr = (uint64_t)load->class_id << 40 | n << 4,
		.requested = size,
		.usable = usable,
		.class_id = load->class_id,
		.route = load->route,
		.weight = 1 / hak_sample_chance(usable),
		.stack_id = load->class_id,
	};
}

/* Which allocation is sampled next, from `n` on: as in the library, a countdown in each class. */
static uint64_t next_sample(const struct load *load, uint64_t n, uint64_t *random)
{
	if (load->block) {
		return n + (uint64_t)hak_sample_gap(random, load->block) - 1;
	}
	while (n < load->allocs && hak_sample_gap(random, usable_of(load, load->size(load, n))) > 1) {
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

static void feed_sample(void *to, const struct hakstat_event_op *op)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_SAMPLE_ALLOC);
	e.u.op = *op;
	hakstat_model_feed(to, &e);
}

static void snapshot(struct hakstat_model *m, uint64_t number)
{
	for (int i = 0; i < LOADS; i++) {
		struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);
		e.u.class_stats = (struct hakstat_event_class_stats) {
			.snapshot = number,
			.class_id = loads[i].class_id,
			.route = loads[i].route,
			.usable = loads[i].block,
			.allocs = number ? loads[i].allocs : 0,
			.live = number ? loads[i].allocs : 0,
			.slab_bytes = number && !loads[i].block ? truths[i].usable : 0,
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

static struct hakstat_summary *recorded(uint64_t *random)
{
	struct hakstat_model *m = hakstat_model_new(NULL);
	describe(m);
	snapshot(m, 0);
	for (int i = 0; i < LOADS; i++) {
		sample_all(&loads[i], random, feed_sample, m);
	}
	snapshot(m, 1);
	return hakstat_model_finish(m);
}

/* How an estimate did in all runs. */
struct record {
	const char *what;
	double sum, squares; /* of estimate / truth - 1 */
	unsigned hits, runs;
};

static void note(struct record *r, double estimate, double half, double truth)
{
	double error = estimate / truth - 1;
	r->sum += error;
	r->squares += error * error;
	r->hits += fabs(estimate - truth) <= half;
	r->runs++;
}

/* Four deviations of the binomial, and of the mean. */
static bool is_good(const struct record *r)
{
	double n = r->runs, most = 4 * sqrt(0.95 * 0.05 / n);
	double mean = r->sum / n, deviation = sqrt(r->squares / n);
	double hits = r->hits / n;
	bool good = fabs(hits - 0.95) <= most && fabs(mean) <= 4 * deviation / sqrt(n) + 1e-9;
	print_message(
		"# %-18s in %5.2f %% of runs (%.2f to %.2f), mean error %+.4f %%, deviation %.3f %%%s\n",
		r->what, 100 * hits, 100 * (0.95 - most), 100 * (0.95 + most), 100 * mean, 100 * deviation,
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

/* Half an interval in bytes, from what the report prints. */
static double half_of(const struct hakstat_row *row)
{
	const struct hakstat_column *c = hakstat_column_find(1u << HAKSTAT_BY_CLASS, "ci95_percent");
	return c->get(row).real / 100 * (double)row->n.requested_bytes;
}

static const struct load *load_of(const struct hakstat_row *row)
{
	for (int i = 0; i < LOADS; i++) {
		if (loads[i].class_id == row->class_id) {
			return &loads[i];
		}
	}
	fail();
	return NULL;
}

/* The report's figures: counts are exact, bytes and waste are estimates with one interval. */
static void intervals_of_the_report_hold_the_truth(void **state)
{
	struct record bytes[LOADS] = { 0 }, waste[LOADS] = { 0 };
	struct record all = { .what = "all, bytes" };
	uint64_t random = seed(), requested = 0;
	char names[LOADS][2][32];
	bool is_well = true;
	(void)state;
	for (int i = 0; i < LOADS; i++) {
		snprintf(names[i][0], sizeof names[i][0], "%s, bytes", loads[i].name);
		snprintf(names[i][1], sizeof names[i][1], "%s, waste", loads[i].name);
		bytes[i].what = names[i][0];
		waste[i].what = names[i][1];
		requested += truths[i].requested;
	}
	for (int run = 0; run < RUNS; run++) {
		struct hakstat_summary *s = recorded(&random);
		struct hakstat_row total = { 0 };
		for (guint k = 0; k < s->rows[HAKSTAT_BY_CLASS]->len; k++) {
			const struct hakstat_row *row = g_ptr_array_index(s->rows[HAKSTAT_BY_CLASS], k);
			const struct load *load = load_of(row);
			size_t i = (size_t)(load - loads);
			assert_int_equal(row->n.allocs, load->allocs);
			note(&bytes[i], (double)row->n.requested_bytes, half_of(row),
			     (double)truths[i].requested);
			if (load->block) {
				note(&waste[i], (double)(row->n.usable_bytes - row->n.requested_bytes),
				     half_of(row), (double)(truths[i].usable - truths[i].requested));
			}
			hakstat_counts_add(&total.n, &row->n);
		}
		note(&all, (double)total.n.requested_bytes, half_of(&total), (double)requested);
		hakstat_summary_free(s);
	}
	for (int i = 0; i < LOADS; i++) {
		is_well &= is_good(&bytes[i]);
		is_well &= !loads[i].block || is_good(&waste[i]);
	}
	is_well &= is_good(&all);
	assert_true(is_well);
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
		counts[i].what = loads[i].name;
		is_well &= is_good(&counts[i]);
	}
	assert_true(is_well);
}

static int prepare(void **state)
{
	(void)state;
	hak_options.sample_bytes = MEAN;
	find_truths();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_of_the_report_hold_the_truth),
		cmocka_unit_test(weights_give_the_count_and_its_variance),
	};
	return cmocka_run_group_tests_name("coverage", tests, prepare, NULL);
}
