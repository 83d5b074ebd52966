/* SPDX-License-Identifier: MIT */
/*
 * The samples of a recorded class, as its rows of sizes have them, once more through the estimator: with
 * the blocks that they would get.
 */
#include "predict_error.h"

#include <math.h>
#include <string.h>

#include "domain.h"
#include "number.h"

/* Sums over the same samples of what was asked and what is given: of all, live at the end, live at the peak.
 */
enum { ALL, LIVE, PEAK, TIMES };

struct sums {
	struct hakstat_sample_sums of[TIMES];
};

/* A recorded class. */
struct group {
	const struct hakstat_row *class_row; /* NULL: none; its samples still tell */
	struct sums all, recorded,
		saved;	  /* `recorded`: the blocks they had; `saved`: less those, as requested */
	GHashTable *rows; /* struct hakstat_row of the prediction -> struct sums */
};

struct hakstat_predict_error {
	const struct hakstat_summary *recorded;
	GHashTable *groups; /* key of the class */
};

static void free_group(void *data)
{
	struct group *g = data;

	g_hash_table_destroy(g->rows);
	g_free(g);
}

struct hakstat_predict_error *hakstat_predict_error_new(const struct hakstat_summary *recorded)
{
	struct hakstat_predict_error *e = g_new0(struct hakstat_predict_error, 1);

	e->recorded = recorded;
	e->groups = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_group);
	return e;
}

void hakstat_predict_error_free(struct hakstat_predict_error *e)
{
	g_hash_table_destroy(e->groups);
	g_free(e);
}

/* A size's key is the bucket and the key of its class. */
static struct group *group_of(struct hakstat_predict_error *e, const struct hakstat_row *size)
{
	const char *colon = strchr(size->key, ':');
	char *key = (char *)(uintptr_t)(colon ? colon + 1 : size->key);
	struct group *g = g_hash_table_lookup(e->groups, key);

	if (!g) {
		g = g_new0(struct group, 1);
		g->class_row = g_hash_table_lookup(e->recorded->by_key[HAKSTAT_BY_CLASS], key);
		g->rows = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
		g_hash_table_insert(e->groups, key, g);
	}
	return g;
}

/* Blocks, how far their number errs, and what they were asked for and got. */
struct blocks {
	double count, weights, requested, usable;
};

/* Of equal weights as many samples as have this variance. */
static struct hakstat_sample_part part_of(const struct blocks *b)
{
	double both = b->count + b->weights;

	return (struct hakstat_sample_part) {
		.samples = MAX(1, hakstat_rounded(both > 0 ? b->count * b->count / both : 0)),
		.weight = b->count,
		.v = b->weights,
		.requested = b->count > 0 ? b->requested / b->count : 0,
		.usable = b->count > 0 ? b->usable / b->count : 0,
	};
}

/* Where no sample of a class is live, what is live of it is known to nobody, and in no sum. */
static double weights_of(uint64_t count, double weights)
{
	return count || isfinite(weights) ? weights : 0;
}

static void blocks_of(const struct hakstat_counts *n, const struct hakstat_row *size,
		      struct blocks out[TIMES])
{
	const struct hakstat_counts *was = &size->n;

	out[ALL] = (struct blocks) { (double)n->allocs, was->v.weights, (double)n->requested_bytes,
				     (double)n->usable_bytes };
	out[LIVE] = (struct blocks) { (double)n->live, weights_of(n->live, was->live_v.weights),
				      (double)n->live_requested_bytes, (double)n->live_usable_bytes };
	out[PEAK] = (struct blocks) { (double)n->peak_live, weights_of(n->peak_live, was->peak_v.weights),
				      (double)n->peak_requested_bytes, (double)n->peak_usable_bytes };
}

static void add_blocks(struct sums *sums, const struct blocks blocks[TIMES])
{
	for (int t = 0; t < TIMES; t++) {
		struct hakstat_sample_part part = part_of(&blocks[t]);
		if (blocks[t].count > 0 || blocks[t].weights > 0) {
			hakstat_sample_sums_add(&sums->of[t], &part, 1);
		}
	}
}

static void add_to_all(struct group *g, const struct hakstat_row *size, const struct blocks predicted[TIMES])
{
	struct blocks was[TIMES], saved[TIMES];

	blocks_of(&size->n, size, was);
	for (int t = 0; t < TIMES; t++) {
		saved[t] = was[t];
		saved[t].requested = was[t].usable - predicted[t].usable;
	}
	add_blocks(&g->all, predicted);
	add_blocks(&g->recorded, was);
	add_blocks(&g->saved, saved);
}

void hakstat_predict_error_add(struct hakstat_predict_error *e, const struct hakstat_row *size,
			       const struct hakstat_counts *predicted, struct hakstat_row *row)
{
	struct blocks blocks[TIMES];
	struct group *g;
	struct sums *sums;

	if (!size->key) {
		return; /* of operations that were read one by one */
	}
	g = group_of(e, size);
	blocks_of(predicted, size, blocks);
	if (!row) {
		add_to_all(g, size, blocks);
		return;
	}
	sums = g_hash_table_lookup(g->rows, row);
	if (!sums) {
		sums = g_new0(struct sums, 1);
		g_hash_table_insert(g->rows, row, sums);
	}
	add_blocks(sums, blocks);
}

static double request_range(const struct group *g)
{
	const struct hakstat_row *c = g->class_row;

	return c && c->block ? (double)hakstat_less(c->requested_max, c->requested_min) : 4096;
}

/* Counts of the class are known as well as its row says. At the peak they are some of its allocations. */
static struct hakstat_variances variances_of(const struct group *g, int time, const struct sums *of,
					     const struct sums *among, double range)
{
	const struct hakstat_sample_sums *all = &among->of[time == LIVE ? LIVE : ALL];
	struct hakstat_domain domain = {
		.of = &of->of[time],
		.among = all,
		.from = &of->of[ALL],
		.count = all->weight,
		.range = range,
	};

	if (!isfinite(among->of[ALL].v) || !isfinite(among->of[time].v)) {
		return hakstat_variances_unknown();
	}
	if (g->class_row) {
		domain.count_variance =
			time == LIVE ? g->class_row->n.live_v.allocs : g->class_row->n.v.allocs;
		domain.usable =
			time == LIVE && !g->class_row->block && g->class_row->n.seen ? all->usable : 0;
	}
	return hakstat_domain_variances(&domain);
}

static void add_all(struct hakstat_variances *to[TIMES], const struct group *g, const struct sums *of)
{
	for (int t = 0; t < TIMES; t++) {
		struct hakstat_variances v = variances_of(g, t, of, &g->all, request_range(g));
		hakstat_variances_add(to[t], &v);
	}
}

static void finish_group(const struct group *g, double block_range, struct hakstat_predicted *all)
{
	struct hakstat_variances *sums[TIMES] = { &all->v, &all->live_v, &all->peak_v };
	double *savings[TIMES] = { &all->saving, &all->live_saving, &all->peak_saving };
	struct hakstat_variances was = variances_of(g, PEAK, &g->recorded, &g->recorded, request_range(g));
	GHashTableIter iter;
	gpointer key, value;

	add_all(sums, g, &g->all);
	hakstat_variances_add(&all->recorded_peak_v, &was);
	for (int t = 0; t < TIMES; t++) {
		*savings[t] += variances_of(g, t, &g->saved, &g->saved, block_range).requested;
	}
	g_hash_table_iter_init(&iter, g->rows);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		struct hakstat_row *row = key;
		struct hakstat_variances *of_row[TIMES] = { &row->n.v, &row->n.live_v, &row->n.peak_v };
		add_all(of_row, g, value);
	}
}

void hakstat_predict_error_finish(const struct hakstat_predict_error *e, hakstat_block_range range,
				  const void *data, struct hakstat_predicted *all)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, e->groups);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const struct group *g = value;
		finish_group(g, g->class_row ? range(data, g->class_row) : 0, all);
	}
}
