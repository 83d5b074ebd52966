/* SPDX-License-Identifier: MIT */
/*
 * With the sizes in order, a table is a choice of which sizes are blocks; the requests between
 * two blocks take the upper one. best[k][i] is the least number of bytes that serve the sizes up
 * to i with k blocks, the last of which is i: the minimum over the block before. A block that is no
 * recorded size (rounded up as blocks must be) never helps, since the largest size below it
 * would serve the same requests with less.
 */
#include "tune.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

struct candidate {
	uint64_t block;
	double weight;
};

struct problem {
	GArray *candidates;  /* by block, each once */
	double *weight_upto; /* weight_upto[i]: of the candidates before i */
	double *best;	     /* of the current number of blocks */
	double *before;	     /* of one block less */
	guint *choice;	     /* [k * count + i]: the block before i, plus 1; 0: none */
};

static uint64_t block_for(uint64_t size)
{
	return size <= 8 ? 8 : (size + 15) & ~UINT64_C(15);
}

static int compare_candidates(gconstpointer a, gconstpointer b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	return (x->block > y->block) - (x->block < y->block);
}

/*
 * Of the sizes that a trace keeps together the largest stands for all, so that there are at most a
 * few hundred candidates, whatever the summary holds.
 */
static void merge_equal(GArray *candidates)
{
	guint kept = 0;

	g_array_sort(candidates, compare_candidates);
	for (guint i = 0; i < candidates->len; i++) {
		struct candidate c = g_array_index(candidates, struct candidate, i);
		struct candidate *last = kept ? &g_array_index(candidates, struct candidate, kept - 1) : NULL;
		if (last && hakstat_bucket_of(last->block) == hakstat_bucket_of(c.block)) {
			last->weight += c.weight;
			last->block = c.block;
		} else {
			g_array_index(candidates, struct candidate, kept++) = c;
		}
	}
	g_array_set_size(candidates, kept);
}

static uint64_t count_of(const struct hakstat_row *row, enum hakstat_tune_weight weight)
{
	switch (weight) {
	case HAKSTAT_TUNE_LIVE:
		return row->n.live;
	case HAKSTAT_TUNE_PEAK:
		return row->n.peak_live;
	default:
		return row->n.allocs;
	}
}

static GArray *collect(const struct hakstat_summary *s, enum hakstat_tune_weight weight)
{
	GArray *candidates = g_array_new(FALSE, FALSE, sizeof(struct candidate));

	for (guint i = 0; i < s->rows[HAKSTAT_BY_SIZE]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], i);
		uint64_t count = count_of(row, weight);
		struct candidate c = { block_for(row->requested_max), (double)count };
		if (count && c.block <= HAK_BLOCK_MAX) {
			g_array_append_val(candidates, c);
		}
	}
	merge_equal(candidates);
	return candidates;
}

static uint64_t block_at(const struct problem *p, guint i)
{
	return g_array_index(p->candidates, struct candidate, i).block;
}

/* One more block: the best way to end at each candidate. */
static void add_block(struct problem *p, unsigned k)
{
	guint count = p->candidates->len;

	memcpy(p->before, p->best, count * sizeof *p->best);
	for (guint i = 0; i < count; i++) {
		double block = (double)block_at(p, i);
		double least = p->weight_upto[i + 1] * block; /* one block serves all */
		guint from = 0;
		for (guint j = 0; k > 0 && j < i; j++) {
			double cost = p->before[j] + (p->weight_upto[i + 1] - p->weight_upto[j + 1]) * block;
			if (cost < least) {
				least = cost;
				from = j + 1;
			}
		}
		p->best[i] = least;
		p->choice[(size_t)k * count + i] = from;
	}
}

static unsigned solve(struct problem *p, unsigned blocks, uint64_t *out)
{
	guint count = p->candidates->len;
	guint at = count - 1;
	unsigned used = 0;
	unsigned k = MIN(blocks, count);

	for (unsigned i = 0; i < k; i++) {
		add_block(p, i);
	}
	while (k > 0) {
		guint from = p->choice[(size_t)(k - 1) * count + at];
		out[used++] = block_at(p, at);
		if (from == 0) {
			break;
		}
		at = from - 1;
		k--;
	}
	return used;
}

/* Blocks above the largest recorded one, the last being the largest a table may have. */
static unsigned doublings(uint64_t largest, uint64_t *out)
{
	unsigned used = 0;

	for (uint64_t block = 64; block <= HAK_BLOCK_MAX; block *= 2) {
		if (block > largest) {
			out[used++] = block;
		}
	}
	return used;
}

static unsigned optimise(GArray *candidates, unsigned blocks, uint64_t *out)
{
	guint count = candidates->len;
	struct problem p = { .candidates = candidates };
	unsigned used;

	p.weight_upto = g_new0(double, count + 1);
	p.best = g_new0(double, count);
	p.before = g_new0(double, count);
	p.choice = g_new0(guint, (gsize)blocks * count);
	for (guint i = 0; i < count; i++) {
		p.weight_upto[i + 1] =
			p.weight_upto[i] + g_array_index(candidates, struct candidate, i).weight;
	}
	used = solve(&p, blocks, out);
	g_free(p.weight_upto);
	g_free(p.best);
	g_free(p.before);
	g_free(p.choice);
	return used;
}

int hakstat_tune(const struct hakstat_summary *summary, unsigned max_classes, enum hakstat_tune_weight weight,
		 unsigned tiny_max_class, uint32_t page_size, struct hak_class_table *table)
{
	GArray *candidates = collect(summary, weight);
	uint64_t chosen[HAK_MAX_CLASSES], above[HAK_MAX_CLASSES];
	unsigned used = 0, extra = 0;
	int status = -1;

	memset(table, 0, sizeof *table);
	table->scheme = HAK_SCHEME_FILE;
	if (candidates->len) {
		extra = doublings(g_array_index(candidates, struct candidate, candidates->len - 1).block,
				  above);
	}
	if (candidates->len && extra < max_classes) {
		used = optimise(candidates, max_classes - extra, chosen);
		for (unsigned i = used; i-- > 0;) { /* found from the largest */
			hak_class_table_add(table, (uint32_t)chosen[i]);
		}
		for (unsigned i = 0; i < extra; i++) {
			hak_class_table_add(table, (uint32_t)above[i]);
		}
		hak_class_table_finish(table, tiny_max_class, page_size);
		status = 0;
	}
	g_array_unref(candidates);
	return status;
}
