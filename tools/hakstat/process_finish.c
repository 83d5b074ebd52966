/* SPDX-License-Identifier: MIT */
/*
 * One process into the summary: which source gives which number, and what is an estimate.
 *
 * Counts come from the operations when the trace has them, else from the difference of the
 * first and the last snapshot; what is live and the slabs from the last snapshot. Requested
 * bytes come from the operations, else from samples: the mean request of a class's samples
 * times the exact number of its allocations. That ratio has a smaller variance than the plain
 * weighted sum, since how many blocks there were is not left to chance.
 */
#include "process_finish.h"

#include <inttypes.h>

#include "hakmem_life.h"
#include "hakmem_route_list.h"
#include "number.h"
#include "text.h"

static enum hakstat_mode mode_of(const struct hakstat_process *p)
{
	if (p->ops.is_used) {
		return HAKSTAT_MODE_FULL;
	}
	return p->events.is_used ? HAKSTAT_MODE_EVENTS : HAKSTAT_MODE_SAMPLE;
}

static void exact_requests(const struct hakstat_cell *cell, uint64_t block, struct hakstat_counts *n)
{
	n->usable_bytes = block ? n->allocs * block : cell->usable;
	if (n->usable_bytes < cell->requested) {
		/* The trace does not tell the block: no waste can be known. */
		n->unknown_allocs = n->allocs;
		n->usable_bytes = 0;
		return;
	}
	n->requested_bytes = cell->requested;
}

static void estimated_requests(struct hakstat_finish *f, uint32_t class_id, struct hakstat_counts *n)
{
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	const struct hakstat_sample_sums *s = &f->samples->classes[class_id];
	double count = (double)n->allocs;

	n->usable_bytes = n->allocs * c->block;
	n->samples = s->samples;
	f->uses_samples |= n->allocs != 0;
	if (s->samples == 0) {
		n->unknown_allocs = n->allocs;
		n->unknown_bytes = n->usable_bytes;
		return;
	}
	n->requested_bytes = hakstat_rounded(s->requested / s->weight * count);
	if (!c->block) {
		n->usable_bytes = hakstat_rounded(s->usable / s->weight * count);
	}
	n->requested_bytes = MIN(n->requested_bytes, n->usable_bytes);
	hakstat_finish_add_variances(f, class_id, s, count, n);
}

/* Without operations: what happened between the first and the last snapshot, and before the first. */
static void counts_between(struct hakstat_process *p, uint32_t class_id,
			   const struct hakstat_samples *samples, struct hakstat_counts *n)
{
	const struct hakstat_class_state *c = &p->classes[class_id];
	double weight = samples->classes[class_id].weight;

	if (!c->has_points) {
		n->allocs = hakstat_rounded(weight);
		n->frees = hakstat_rounded(weight - samples->live_classes[class_id].weight);
		return;
	}
	n->allocs = hakstat_less(c->last.allocs, c->first.allocs) + hakstat_rounded(c->early_allocs);
	n->frees = hakstat_less(c->last.frees, c->first.frees) + hakstat_rounded(c->early_frees);
	p->has_early_samples |= c->early_allocs > 0;
}

static uint64_t byte_seconds(double byte_nanoseconds)
{
	return hakstat_rounded(byte_nanoseconds / 1e9);
}

/* No count scales these sums: each sample's part is scaled in each snapshot. */
static struct hakstat_variances area_variances(const struct hakstat_finish *f, uint32_t class_id)
{
	struct hakstat_sample_sums areas = hakstat_samples_areas(&f->process->samples, class_id);
	double reach = areas.weight > 0 ? areas.usable / areas.weight : 0;
	struct hakstat_domain domain = {
		.of = &areas,
		.among = &areas,
		.count = areas.weight,
		.is_count_sampled = true,
		.range = hakstat_process_request_range(f->process, class_id) * reach,
	};

	return (struct hakstat_variances) { .requested = hakstat_domain_variances(&domain).requested / 1e18 };
}

static void live_counts(const struct hakstat_finish *f, uint32_t class_id, struct hakstat_counts *n)
{
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	struct hakstat_live live = hakstat_process_live(f->process, class_id, f->exact, f->samples);

	n->live = live.blocks;
	n->live_usable_bytes = live.usable;
	n->large_live_bytes = c->block ? 0 : live.usable;
	n->live_requested_bytes = live.requested;
	n->live_unknown = live.unknown_blocks;
	n->live_unknown_bytes = live.unknown;
	n->live_v = live.v;
	n->seen = c->has_points;
	n->peak_live = c->peak.live.blocks;
	n->peak_usable_bytes = c->peak.live.usable;
	n->peak_requested_bytes = c->peak.live.requested;
	n->peak_unknown_bytes = c->peak.live.unknown;
	n->peak_v = c->peak.live.v;
	n->peak_idle_bytes = c->peak.idle;
	n->requested_byte_s = byte_seconds(c->area.requested);
	n->waste_byte_s = byte_seconds(c->area.waste);
	n->unknown_byte_s = byte_seconds(c->area.unknown);
	n->idle_byte_s = byte_seconds(c->area.idle);
	n->area_v = area_variances(f, class_id);
}

static void class_counts(struct hakstat_finish *f, uint32_t class_id, struct hakstat_counts *n)
{
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	struct hakstat_cell cell = hakstat_tally_sum(f->exact, class_id);

	if (f->exact) {
		n->allocs = cell.allocs;
		n->frees = cell.frees + cell.untraced;
		exact_requests(&cell, c->block, n);
	} else {
		counts_between(f->process, class_id, f->samples, n);
		estimated_requests(f, class_id, n);
	}
	live_counts(f, class_id, n);
	n->slabs = c->last.slabs;
	n->slab_bytes = c->block ? c->last.slab_bytes : 0; /* large blocks lie in no slab */
	n->resident_seen = f->process->heap.tells_resident ? n->seen : 0;
	n->resident_bytes = n->resident_seen ? c->last.resident : 0;
}

static char *class_key(const struct hakstat_process *p, uint32_t class_id, const char *name)
{
	return g_strdup_printf("%u:%s:%" PRIu64, class_id, name, p->classes[class_id].block);
}

/* Operations must not be fewer than what two snapshots say happened between them. */
static void note_unseen(struct hakstat_finish *f, uint32_t class_id, const struct hakstat_counts *n)
{
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	uint64_t between = hakstat_less(c->last.allocs, c->first.allocs);
	uint64_t hidden = hakstat_less(c->last.hidden, c->first.hidden);

	between = hakstat_less(between, hidden);
	if (f->exact && c->has_points && between > n->allocs) {
		f->summary->unseen_allocs += between - n->allocs;
	}
}

static void finish_class(struct hakstat_finish *f, uint32_t class_id)
{
	struct hakstat_process *p = f->process;
	struct hakstat_counts n = { 0 };
	struct hakstat_cell cell = hakstat_tally_sum(f->requests, class_id);
	struct hakstat_row *row;
	char *name, *key;
	bool is_new;

	class_counts(f, class_id, &n);
	note_unseen(f, class_id, &n);
	f->counts[class_id] = (double)n.allocs;
	f->scale[class_id] = cell.allocs ? (double)n.allocs / (double)cell.allocs : 0;
	if (p->samples.classes[class_id].weight > 0) {
		f->site_scale[class_id] = (double)n.allocs / p->samples.classes[class_id].weight;
	} else if (f->shared) {
		f->shared->shared_allocs[class_id] += n.allocs;
	}
	if (!p->classes[class_id].is_known && n.allocs == 0 && n.frees == 0) {
		return;
	}
	name = hakstat_process_class_name(p, class_id);
	key = class_key(p, class_id, name);
	row = hakstat_summary_row(f->summary, HAKSTAT_BY_CLASS, key, &is_new);
	hakstat_finish_fill_class(p, class_id, row);
	hakstat_row_add_range(row, HAKSTAT_BY_CLASS, is_new, p->classes[class_id].min_request,
			      p->classes[class_id].max_request);
	hakstat_counts_add(&row->n, &n);
	hakstat_counts_add(&f->totals, &n);
	g_free(key);
	g_free(name);
}

/* A class that no sample fell into: its route is known, the reason is not. */
static void finish_unsampled(struct hakstat_finish *f, uint32_t class_id)
{
	const struct hakstat_class_state *c = &f->process->classes[class_id];
	struct hakstat_counts n = { 0 };
	struct hakstat_row *row;

	if (f->exact || f->samples->classes[class_id].samples) {
		return;
	}
	class_counts(f, class_id, &n);
	if (n.allocs == 0) {
		return;
	}
	row = hakstat_finish_route_row(f, class_id, HAKSTAT_REASON_UNKNOWN, c->min_request, c->max_request);
	row->n.allocs += n.allocs;
	row->n.usable_bytes += n.usable_bytes;
	row->n.unknown_allocs += n.allocs;
	row->n.unknown_bytes += n.usable_bytes;
}

static uint64_t peak_of(const struct hakstat_finish *f)
{
	const struct hakstat_process *p = f->process;
	int64_t running = p->baseline_live_bytes + (f->exact ? f->exact->peak_bytes : 0);
	uint64_t peak = MAX(p->peak_live_bytes, hakstat_at_least_zero(running));

	return MAX(peak, f->totals.live_usable_bytes);
}

static struct hakstat_gauges gauges_of(const struct hakstat_finish *f)
{
	const struct hakstat_process *p = f->process;

	return (struct hakstat_gauges) {
		.peak_live_bytes = peak_of(f),
		.mapped_bytes = p->heap.mapped,
		.committed_bytes = p->heap.committed,
		.cached_bytes = p->heap.cached,
		.rest_bytes = p->heap.rest,
		.peak_committed_bytes = p->heap_peak.committed,
		.peak_cached_bytes = p->heap_peak.cached,
		.peak_rest_bytes = p->heap_peak.rest,
		.committed_byte_s = byte_seconds(p->committed_area),
		.cached_byte_s = byte_seconds(p->cached_area),
		.rest_byte_s = byte_seconds(p->rest_area),
		.resident_bytes = p->heap.tells_resident ? p->heap.resident : 0,
		.resident_snapshots = p->heap.tells_resident ? p->snapshots : 0,
		.peak_resident_bytes = p->heap_peak.tells_resident ? p->heap_peak.resident : 0,
		.peak_resident_snapshots = p->heap_peak.tells_resident ? p->snapshots : 0,
		.snapshots = p->snapshots,
		.intervals = p->snapshots ? p->snapshots - 1 : 0,
	};
}

static void copy_gauges(const struct hakstat_finish *f, struct hakstat_row *row)
{
	struct hakstat_gauges gauges = gauges_of(f);

	hakstat_gauges_add(&row->g, &gauges);
	hakstat_gauges_add(&f->summary->g, &gauges);
	f->summary->metadata_bytes += f->process->heap.metadata;
}

/* What makes it another one than those with its id elsewhere, or at another time. Free with g_free. */
static char *process_key(const struct hakstat_process *p)
{
	return g_strdup_printf("%s%s%s:%u", p->session_id ? p->session_id : "", p->session_id ? ":" : "",
			       p->host_name ? p->host_name : "", p->pid);
}

static void finish_process_row(struct hakstat_finish *f)
{
	const struct hakstat_process *p = f->process;
	char *name = p->name ? hakstat_text_clean(p->name) : NULL;
	char *process = process_key(p), *key = g_strdup_printf("%s:%s", process, name ? name : "");
	struct hakstat_row *row = hakstat_summary_row(f->summary, HAKSTAT_BY_PROCESS, key, NULL);

	row->pid = p->pid;
	row->host = row->host ? row->host : g_strdup(p->host_name);
	row->process = row->process ? row->process : g_strdup(name);
	hakstat_counts_add(&row->n, &f->totals);
	copy_gauges(f, row);
	g_free(process);
	g_free(key);
	g_free(name);
}

static void finish_threads(struct hakstat_finish *f)
{
	const struct hakstat_process *p = f->process;
	GHashTableIter iter;
	gpointer tid, value;
	char *process = process_key(p);

	g_hash_table_iter_init(&iter, p->threads);
	while (g_hash_table_iter_next(&iter, &tid, &value)) {
		const struct hakstat_thread *thread = value;
		char *key = g_strdup_printf("%s:%u", process, GPOINTER_TO_UINT(tid));
		struct hakstat_row *row = hakstat_summary_row(f->summary, HAKSTAT_BY_THREAD, key, NULL);
		row->pid = p->pid;
		row->tid = GPOINTER_TO_UINT(tid);
		row->host = row->host ? row->host : g_strdup(p->host_name);
		row->process = row->process || !p->name ? row->process : hakstat_text_clean(p->name);
		hakstat_counts_add(&row->n, &thread->n[mode_of(p)]);
		f->summary->lost_operations += thread->lost_operations;
		f->summary->lost_unknown |= thread->lost_unknown;
		g_free(key);
	}
	g_free(process);
}

static bool is_idle(const struct hakstat_process *p)
{
	return !p->ops.is_used && !p->events.is_used && !p->samples.tally.is_used && !p->has_snapshot &&
	       !p->config.known && g_hash_table_size(p->samples.sites[HAKSTAT_SITE_FRAG]) == 0;
}

static void choose_sources(struct hakstat_finish *f)
{
	struct hakstat_process *p = f->process;
	enum hakstat_mode mode = mode_of(p);

	f->exact = mode == HAKSTAT_MODE_FULL ? &p->ops : mode == HAKSTAT_MODE_EVENTS ? &p->events : NULL;
	f->samples = &p->samples;
	if (f->shared && !p->samples.tally.is_used) {
		f->samples = &f->shared->samples;
		f->shared->was_shared = true;
	}
	if (f->shared && f->exact) {
		f->shared->is_superseded = true;
	}
	f->requests = f->exact ? f->exact : &f->samples->tally;
	f->summary->mode = MAX(f->summary->mode, mode);
}

static void count_samples(const struct hakstat_process *p, struct hakstat_summary *s)
{
	for (uint32_t i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		s->operations +=
			p->samples.classes[i].samples; /* they are operations that were read one by one */
	}
}

static void add_notes(const struct hakstat_process *p, struct hakstat_summary *s)
{
	if (p->has_early_samples) {
		hakstat_summary_note(
			s, "the first snapshot of a process came after its first samples: the counts of "
			   "allocations and frees before it are estimates");
	}
	if (p->is_full && !p->ops.is_used) {
		hakstat_summary_note(
			s, "of a process recorded in mode full no operation was written before it ended: its "
			   "requests are estimated from its samples");
	}
	if (p->is_forked) {
		hakstat_summary_note(
			s, "what a fork child holds counts from its fork on: the rest is its parent's");
	}
}

void hakstat_process_finish(struct hakstat_process *p, struct hakstat_process *shared,
			    struct hakstat_summary *s, struct hakstat_symbolizer *symbolizer)
{
	struct hakstat_finish f = { .process = p, .shared = shared, .summary = s };

	if (is_idle(p)) {
		return; /* it only loaded files */
	}
	hakstat_process_close_snapshot(p);
	hakstat_process_finish_late(p);
	choose_sources(&f);
	if (p->host_name) {
		hakstat_summary_add_host(s, p->host_name);
	}
	hakstat_summary_add_config(s, &p->config);
	for (uint32_t i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		finish_class(&f, i);
	}
	for (uint32_t i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		hakstat_finish_requests(&f, i);
		finish_unsampled(&f, i);
	}
	if (f.exact) {
		hakstat_resizes_merge(&s->resizes, &f.exact->resizes);
	}
	finish_process_row(&f);
	finish_threads(&f);
	s->unended += p->heap.life && p->heap.life != HAK_LIFE_LEAVING;
	s->estimated |= f.uses_samples;
	if (f.exact) {
		s->operations += p->operations[mode_of(p)];
	} else {
		count_samples(p, s);
	}
	add_notes(p, s);
	hakstat_process_finish_sites(p, f.site_scale, s, symbolizer);
}

void hakstat_process_finish_shared(struct hakstat_process *shared, struct hakstat_summary *s,
				   struct hakstat_symbolizer *symbolizer)
{
	double scale[HAKSTAT_MAX_CLASSES];

	if (shared->is_superseded) {
		hakstat_tally_clear(&shared->events);
	}
	if (!shared->was_shared || shared->events.is_used) {
		hakstat_process_finish(shared, NULL, s, symbolizer);
		return;
	}
	for (uint32_t i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		double weight = shared->samples.classes[i].weight;
		scale[i] = weight > 0 ? (double)shared->shared_allocs[i] / weight : 0;
	}
	count_samples(shared, s);
	hakstat_process_finish_sites(shared, scale, s, symbolizer);
}
