/* SPDX-License-Identifier: MIT */
/*
 * Routes and request sizes of a process into the summary: from its operations, or from samples that are
 * scaled to the exact number of allocations of their class.
 */
#include <inttypes.h>
#include <math.h>

#include "number.h"
#include "process_finish.h"

static void add_scaled(struct hakstat_counts *n, double allocs, double requested, double usable)
{
	n->allocs += hakstat_rounded(allocs);
	n->requested_bytes += hakstat_rounded(requested);
	n->usable_bytes += hakstat_rounded(usable);
}

static void finish_route(struct hakstat_finish *f, uint32_t class_id, uint32_t reason)
{
	const struct hakstat_cell *cell = &f->requests->classes[class_id]->cells[reason];
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	double scale = f->scale[class_id];
	double usable = c->block ? (double)cell->allocs * (double)c->block : (double)cell->usable;
	struct hakstat_row *row;

	if (cell->allocs == 0) {
		return;
	}
	row = hakstat_finish_route_row(f, class_id, reason, cell->min, cell->max);
	add_scaled(&row->n, (double)cell->allocs * scale, (double)cell->requested * scale, usable * scale);
	if (f->samples->reasons[class_id]) {
		hakstat_finish_add_variances(f, class_id, &f->samples->reasons[class_id][reason],
					     f->counts[class_id], &row->n);
	}
}

static double page_of(const struct hakstat_process *p)
{
	return p->config.page_size ? p->config.page_size : 4096;
}

/* Bytes of one bucket. */
struct bucket_bytes {
	double requested, usable, live_requested, live_usable, peak_requested, peak_usable;
};

/* Up to HAKSTAT_EXACT_SIZES all its requests are of one size. */
static struct bucket_bytes bytes_of_one_size(const struct hakstat_finish *f, uint32_t class_id, uint32_t size,
					     const struct hakstat_bucket *b)
{
	double block = (double)f->process->classes[class_id].block, page = page_of(f->process);
	double allocs = (double)b->allocs, live = (double)b->live, peak = (double)b->peak;

	block = block > 0 ? block : ceil(MAX(size, 1) / page) * page;
	return (struct bucket_bytes) { allocs * size, allocs * block, live * size,
				       live * block,  peak * size,    peak * block };
}

static struct bucket_bytes bytes_of(const struct hakstat_finish *f, uint32_t class_id, uint32_t index)
{
	const struct hakstat_class_tally *tally = f->requests->classes[class_id];
	const struct hakstat_bucket *b = &tally->buckets[index];
	const struct hakstat_bucket_bytes *wide = tally->bytes ? &tally->bytes[index] : NULL;
	double block = (double)f->process->classes[class_id].block;

	if (!wide || tally->base + index <= HAKSTAT_EXACT_SIZES) {
		return bytes_of_one_size(f, class_id, tally->base + index, b);
	}
	return (struct bucket_bytes) {
		.requested = (double)wide->requested,
		.usable = block > 0 ? (double)b->allocs * block : (double)wide->usable,
		.live_requested = (double)wide->live_requested,
		.live_usable = block > 0 ? (double)b->live * block : (double)wide->live_usable,
		.peak_requested = (double)wide->peak_requested,
		.peak_usable = block > 0 ? (double)b->peak * block : (double)wide->peak_usable,
	};
}

/* Live bytes of a class whose blocks differ that its samples stand for; 0: of another class. */
static double known_live_bytes(const struct hakstat_finish *f, uint32_t class_id)
{
	const struct hakstat_class_state *c = &f->process->classes[class_id];

	return c->has_points && !c->block ? hakstat_process_sampled_live(f->process, class_id,
									 &f->samples->live_classes[class_id])
					  : 0;
}

/*
 * Of the blocks whose end was not traced, those that the last snapshot still counts: the trace may have ended
 * before a thread wrote what it freed last, and it is not known which they were.
 */
static double live_part(const struct hakstat_finish *f, uint32_t class_id)
{
	struct hakstat_cell cell = hakstat_tally_sum(f->exact, class_id);
	struct hakstat_live live = hakstat_process_live(f->process, class_id, f->exact, f->samples);
	uint64_t traced = hakstat_at_least_zero((int64_t)(cell.allocs - cell.frees));
	uint64_t known = live.blocks - live.unknown_blocks;

	return known < traced ? (double)known / (double)traced : 1;
}

/* Samples in a class whose live blocks, or their bytes, are known stand for exactly those. */
static double live_scale(const struct hakstat_finish *f, uint32_t class_id)
{
	const struct hakstat_sample_sums *s = &f->samples->live_classes[class_id];
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	double bytes = known_live_bytes(f, class_id);

	if (f->exact) {
		return f->scale[class_id] * live_part(f, class_id);
	}
	if (!c->has_points || s->weight <= 0) {
		return f->scale[class_id];
	}
	return (bytes > 0 ? bytes / s->usable
			  : hakstat_process_sampled_live(f->process, class_id, s) / s->weight) /
	       HAKSTAT_WEIGHT_ONE;
}

/* What rounding takes from one size goes to the next, so that those of a class add up to its blocks. */
static uint64_t live_blocks(struct hakstat_finish *f, uint32_t class_id, const struct hakstat_bucket *b)
{
	double blocks = (double)b->live * f->live_scale[class_id] + f->live_rest;
	uint64_t whole = hakstat_rounded(blocks);

	if (b->live <= 0) {
		return 0;
	}
	f->live_rest = blocks - (double)whole;
	return whole;
}

static void add_bucket(struct hakstat_finish *f, uint32_t class_id, uint32_t index, struct hakstat_counts *n)
{
	const struct hakstat_bucket *b = &f->requests->classes[class_id]->buckets[index];
	struct bucket_bytes bytes = bytes_of(f, class_id, index);
	double scale = f->scale[class_id];
	double live = f->live_scale[class_id];

	add_scaled(n, (double)b->allocs * scale, bytes.requested * scale, bytes.usable * scale);
	n->live += live_blocks(f, class_id, b);
	n->live_requested_bytes += hakstat_rounded(bytes.live_requested * live);
	n->live_usable_bytes += hakstat_rounded(bytes.live_usable * live);
	n->peak_live += hakstat_rounded((double)b->peak * scale);
	n->peak_requested_bytes += hakstat_rounded(bytes.peak_requested * scale);
	n->peak_usable_bytes += hakstat_rounded(bytes.peak_usable * scale);
}

static void add_live_variances(const struct hakstat_finish *f, uint32_t class_id,
			       const struct hakstat_size_sums *size, struct hakstat_counts *n)
{
	const struct hakstat_sample_sums *live = &f->samples->live_classes[class_id];
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	struct hakstat_domain domain = {
		.of = &size->live,
		.among = live,
		.from = &size->sums,
		.count = c->has_points && c->block ? hakstat_process_sampled_live(f->process, class_id, live)
			 : c->has_points	   ? (double)c->last.live
						   : live->weight,
		.is_count_sampled = !c->has_points,
		.usable = known_live_bytes(f, class_id),
		.range = hakstat_process_request_range(f->process, class_id),
	};
	struct hakstat_variances v = hakstat_variances_unknown();

	if (live->samples || !c->has_points || c->last.live == 0) {
		v = hakstat_domain_variances(&domain);
	}
	hakstat_variances_add(&n->live_v, &v);
}

/* Nobody counted what was live when the samples had the most bytes: they stand for what they stand for. */
static void add_peak_variances(const struct hakstat_finish *f, uint32_t class_id,
			       const struct hakstat_size_sums *size, struct hakstat_counts *n)
{
	struct hakstat_domain domain =
		hakstat_process_domain(f->process, f->samples, class_id, f->counts[class_id]);
	struct hakstat_variances v;

	domain.of = &size->peak;
	domain.from = &size->sums;
	v = hakstat_domain_variances(&domain);
	hakstat_variances_add(&n->peak_v, &v);
}

static void add_size_variances(const struct hakstat_finish *f, uint32_t class_id, uint32_t bucket,
			       struct hakstat_counts *n)
{
	const struct hakstat_size_sums *size = hakstat_samples_of_size(f->samples, class_id, bucket);

	if (size && !f->exact) {
		hakstat_finish_add_variances(f, class_id, &size->sums, f->counts[class_id], n);
		add_live_variances(f, class_id, size, n);
		add_peak_variances(f, class_id, size, n);
	}
}

static void finish_size(struct hakstat_finish *f, uint32_t class_id, uint32_t index)
{
	const struct hakstat_class_tally *tally = f->requests->classes[class_id];
	uint32_t bucket = tally->base + index;
	bool is_wide = bucket > HAKSTAT_EXACT_SIZES;
	char *name = hakstat_process_class_name(f->process, class_id);
	char *key = g_strdup_printf("%u:%u:%s:%" PRIu64, bucket, class_id, name,
				    f->process->classes[class_id].block);
	bool is_new;
	struct hakstat_row *row = hakstat_summary_row(f->summary, HAKSTAT_BY_SIZE, key, &is_new);

	hakstat_finish_fill_class(f->process, class_id, row);
	hakstat_row_add_range(row, HAKSTAT_BY_SIZE, is_new, is_wide ? tally->bytes[index].min : bucket,
			      is_wide ? tally->bytes[index].max : bucket);
	add_bucket(f, class_id, index, &row->n);
	add_size_variances(f, class_id, bucket, &row->n);
	g_free(key);
	g_free(name);
}

/* Blocks come to a size by a realloc in place, too. */
static bool is_met(const struct hakstat_bucket *b)
{
	return b->allocs || b->live > 0 || b->peak > 0;
}

void hakstat_finish_requests(struct hakstat_finish *f, uint32_t class_id)
{
	const struct hakstat_class_tally *tally = f->requests->classes[class_id];

	if (!tally || f->scale[class_id] == 0) {
		return;
	}
	f->live_scale[class_id] = live_scale(f, class_id);
	f->live_rest = 0;
	for (uint32_t reason = 0; reason < HAKSTAT_REASONS; reason++) {
		finish_route(f, class_id, reason);
	}
	for (uint32_t i = 0; i < tally->count; i++) {
		if (is_met(&tally->buckets[i])) {
			finish_size(f, class_id, i);
		}
	}
}
