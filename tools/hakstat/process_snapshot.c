/* SPDX-License-Identifier: MIT */
/*
 * A process's snapshots: the last one, the fullest one, and what lay between them over time.
 *
 * A snapshot comes as one event for the heap and one for each class. What the live blocks were
 * asked for is no part of it: it is taken from the operations or samples when a class's row
 * arrives, so that it belongs to the same moment. A snapshot is whole when the next one begins.
 */
#include "hakmem_life.h"
#include "number.h"
#include "process.h"

/* What a snapshot says of a class. */
struct counted {
	bool has_points;
	uint64_t block, blocks, usable;
};

static struct counted counted_last(const struct hakstat_class_state *c)
{
	return (struct counted) { c->has_points, c->block, c->last.live,
				  c->block ? c->last.live * c->block : c->last.slab_bytes };
}

/* Operations that the snapshot does not count are among those told: it is not known which. */
static void leave_out(struct hakstat_live *live, uint64_t requested, double part, double *doubt, double range)
{
	live->requested = hakstat_rounded((double)requested * part);
	*doubt += range > 0 ? range : (double)(requested - MIN(live->requested, requested));
}

/* Blocks older than the trace have no known request. */
static struct hakstat_live exact_live(const struct counted *now, const struct hakstat_cell *cell,
				      double range, double doubt)
{
	uint64_t traced = hakstat_at_least_zero((int64_t)(cell->allocs - cell->frees));
	uint64_t requested =
		hakstat_at_least_zero((int64_t)(cell->requested - cell->freed_requested) + cell->resized);
	uint64_t usable = hakstat_at_least_zero((int64_t)(cell->usable - cell->freed_usable) + cell->regrown);
	struct hakstat_live live = { .blocks = traced, .requested = requested };

	if (!now->has_points) {
		live.usable = now->block ? traced * now->block : usable;
		return live;
	}
	live.blocks = now->blocks;
	live.usable = now->usable;
	if (traced > live.blocks) {
		leave_out(&live, requested, (double)live.blocks / (double)traced, &doubt,
			  now->block ? (double)(traced - live.blocks) * range : 0);
		traced = live.blocks;
	}
	usable = now->block ? traced * now->block : usable;
	if (usable > live.usable) {
		leave_out(&live, live.requested, (double)live.usable / (double)usable, &doubt, 0);
		usable = live.usable;
	}
	live.requested = MIN(live.requested, usable);
	live.unknown_blocks = live.blocks - traced;
	live.unknown = live.usable - usable;
	live.v.requested = doubt * doubt / 3; /* all that lies in it is as likely */
	return live;
}

/*
 * Nobody sampled the blocks that are older than the trace, and how many of them are left is not counted: at
 * most as many as there were, and as the samples of live blocks do not stand for. In blocks; of a class
 * whose blocks differ, in bytes.
 */
double hakstat_process_sampled_live(const struct hakstat_process *p, uint32_t class_id,
				    const struct hakstat_sample_sums *sums)
{
	const struct hakstat_class_state *c = &p->classes[class_id];
	uint64_t all = c->block ? c->last.live : c->last.slab_bytes;
	uint64_t old = c->block ? hakstat_less(c->first.live, c->inherited.live)
				: hakstat_less(c->first.slab_bytes, c->inherited.slab_bytes);
	double sampled = c->block ? sums->weight : sums->usable;

	return CLAMP(sampled, (double)hakstat_less(all, old), (double)all);
}

/* How many of them samples stand for is their sum, within what is left open. */
static double sampled_variance(const struct hakstat_class_state *c, const struct hakstat_sample_sums *s)
{
	double old = (double)hakstat_less(c->first.live, c->inherited.live);

	return c->block ? MIN(s->v, old * old / 4) : 0;
}

/* Scaled to the number of blocks; of a class whose blocks differ, to the bytes. */
static struct hakstat_variances live_variances(const struct hakstat_process *p, uint32_t class_id,
					       const struct hakstat_sample_sums *s,
					       const struct hakstat_live *live)
{
	const struct hakstat_class_state *c = &p->classes[class_id];
	struct hakstat_domain domain = {
		.of = s,
		.among = s,
		.count = (double)(live->blocks - live->unknown_blocks),
		.count_variance = c->has_points ? sampled_variance(c, s) : 0,
		.is_count_sampled = !c->has_points,
		.usable = c->has_points && !c->block ? (double)(live->usable - live->unknown) : 0,
		.range = hakstat_process_request_range(p, class_id),
	};
	struct hakstat_variances v = hakstat_domain_variances(&domain);

	if (domain.count_variance > 0) { /* all that is live is counted: only what it was asked for is open */
		v = (struct hakstat_variances) { .requested = MAX(v.requested, hakstat_variances_waste(&v)),
						 .weights = v.weights };
	}
	return v;
}

/* `known`: blocks, or bytes where blocks differ. */
static void leave_old_out(struct hakstat_live *live, uint64_t block, uint64_t known)
{
	double part;

	if (block) {
		live->unknown_blocks = hakstat_less(live->blocks, known);
		live->unknown = live->unknown_blocks * block;
		return;
	}
	live->unknown = hakstat_less(live->usable, known);
	part = live->usable ? (double)live->unknown / (double)live->usable : 0;
	live->unknown_blocks = hakstat_rounded((double)live->blocks * part);
}

static struct hakstat_live estimated_live(const struct hakstat_process *p, uint32_t class_id,
					  const struct hakstat_sample_sums *s)
{
	const struct hakstat_class_state *c = &p->classes[class_id];
	struct hakstat_live live = { .blocks = c->has_points ? c->last.live : hakstat_rounded(s->weight) };

	live.usable = live.blocks * c->block;
	if (!c->block) {
		live.usable = c->has_points ? c->last.slab_bytes : hakstat_rounded(s->usable);
	}
	if (s->samples == 0) {
		live.unknown_blocks = live.blocks;
		live.unknown = live.usable;
		return live;
	}
	if (c->has_points) {
		leave_old_out(&live, c->block, hakstat_rounded(hakstat_process_sampled_live(p, class_id, s)));
	}
	/* Requested per usable byte: for blocks of one size the same as per block. */
	live.requested = hakstat_rounded(s->requested / s->usable * (double)(live.usable - live.unknown));
	live.requested = MIN(live.requested, live.usable - live.unknown);
	live.v = live_variances(p, class_id, s, &live);
	return live;
}

struct hakstat_live hakstat_process_live(const struct hakstat_process *p, uint32_t class_id,
					 const struct hakstat_tally *exact,
					 const struct hakstat_samples *samples)
{
	struct counted now = counted_last(&p->classes[class_id]);
	struct hakstat_cell cell;

	if (!exact) {
		return estimated_live(p, class_id, &samples->live_classes[class_id]);
	}
	cell = hakstat_tally_sum(exact, class_id);
	return exact_live(&now, &cell, hakstat_process_request_range(p, class_id), 0);
}

static const struct hakstat_tally *exact_source(const struct hakstat_process *p)
{
	if (p->ops.is_used) {
		return &p->ops;
	}
	return p->events.is_used ? &p->events : NULL;
}

static uint64_t waste_of(const struct hakstat_live *live)
{
	return hakstat_less(live->usable, live->unknown + live->requested);
}

/* The trapezoid between two snapshots. */
static void add_area(double *area, double step, uint64_t before, uint64_t now)
{
	*area += step * ((double)before + (double)now) / 2;
}

static void add_class_area(struct hakstat_class_state *c, double step)
{
	const struct hakstat_moment *a = &c->before;
	const struct hakstat_moment *b = &c->now;

	add_area(&c->area.requested, step, a->live.requested, b->live.requested);
	add_area(&c->area.waste, step, waste_of(&a->live), waste_of(&b->live));
	add_area(&c->area.unknown, step, a->live.unknown, b->live.unknown);
	add_area(&c->area.idle, step, a->idle, b->idle);
}

static uint64_t known_bytes(const struct hakstat_process *p)
{
	uint64_t known = p->heap.cached;

	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		known += p->classes[i].now.live.usable + p->classes[i].now.idle;
	}
	return known;
}

/*
 * Blocks beside the reserved range are live and not among the committed bytes. What a fork child has put
 * into free memory of its parent's is its own from then on: the system makes it a copy.
 */
static void place_rest(struct hakstat_process *p)
{
	uint64_t known = known_bytes(p);

	if (p->is_forked) {
		p->heap.committed = MAX(p->heap.committed, known);
	}
	p->heap.rest = hakstat_less(p->heap.committed, known);
}

static void keep_as_peak(struct hakstat_process *p)
{
	g_free(p->late_peak);
	p->late_peak = g_steal_pointer(&p->late);
	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		p->classes[i].peak = p->classes[i].now;
	}
	p->heap_peak = p->heap;
	p->peak_live_bytes = (uint64_t)p->snapshot_live_bytes;
}

/* What came after a snapshot and belongs before it is known by now. */
static void tell_late(struct hakstat_process *p, const struct hakstat_late *late, bool is_peak)
{
	for (uint32_t i = 0; late && p->ops.is_used && i < HAKSTAT_MAX_CLASSES; i++) {
		const struct hakstat_late_class *of = &late->classes[i];
		struct hakstat_class_state *c = &p->classes[i];
		struct hakstat_live *live = is_peak ? &c->peak.live : &c->now.live;
		struct counted then = { true, c->block, live->blocks, live->usable };
		double range = hakstat_process_request_range(p, i);
		if (of->is_there) {
			*live = exact_live(&then, &of->told, range, hakstat_late_doubt(of, range));
		}
	}
}

void hakstat_process_late_batch(struct hakstat_process *p, const struct hakstat_late_batch *batch)
{
	if (p->late && !p->has_lost) {
		hakstat_late_take(p->late, batch);
	}
	if (p->late_peak && !p->has_lost) {
		hakstat_late_take(p->late_peak, batch);
	}
}

void hakstat_process_finish_late(struct hakstat_process *p)
{
	tell_late(p, p->late_peak, true);
	g_free(g_steal_pointer(&p->late));
	g_free(g_steal_pointer(&p->late_peak));
}

/* How far the counters of a class are ahead of what was told. */
static void count_untold(const struct hakstat_class_point *point, const struct hakstat_cell *told,
			 struct hakstat_late_class *late)
{
	late->allocs = (int64_t)(point->allocs - point->hidden - told->allocs);
	late->frees = (int64_t)(point->frees - told->frees - told->untraced);
	late->bytes = (int64_t)(point->slab_bytes - told->usable + told->freed_usable - told->regrown +
				told->untraced_usable);
}

/* What of a snapshot nobody told yet. */
static void note_late(struct hakstat_process *p)
{
	if (!p->late) {
		p->late = g_new0(struct hakstat_late, 1);
	}
	p->late->time_ns = p->snapshot_ns;
	for (uint32_t i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		const struct hakstat_class_state *c = &p->classes[i];
		struct hakstat_late_class *late = &p->late->classes[i];
		if (!c->has_points || c->snapshot != p->snapshot) {
			continue;
		}
		late->is_there = true;
		late->told = hakstat_tally_sum(&p->ops, i);
		count_untold(&c->counted, &late->told, late);
		late->allocs -= c->untold_allocs;
		late->frees -= c->untold_frees;
		late->bytes = c->block ? 0 : late->bytes - c->untold_bytes;
	}
}

/* Where counting begins. */
static void begin_class(struct hakstat_process *p, uint32_t class_id, const struct hakstat_class_point *point)
{
	struct hakstat_class_state *c = &p->classes[class_id];
	struct hakstat_cell told = hakstat_tally_sum(&p->ops, class_id);
	struct hakstat_late_class untold;

	c->first = *point;
	c->has_points = true;
	count_untold(point, &told, &untold);
	c->untold_allocs = untold.allocs;
	c->untold_frees = untold.frees;
	c->untold_bytes = untold.bytes;
}

static void set_baseline(struct hakstat_process *p)
{
	p->has_baseline = true;
	p->baseline_live_bytes =
		p->snapshot_live_bytes - (p->ops.is_used ? p->ops.live_bytes : p->events.live_bytes);
}

void hakstat_process_close_snapshot(struct hakstat_process *p)
{
	double step = (double)(p->snapshot_ns - p->closed_ns);

	if (!p->is_open) {
		return;
	}
	p->is_open = false;
	tell_late(p, p->late, false);
	place_rest(p);
	if (!p->has_baseline) {
		set_baseline(p);
	}
	if (p->snapshots++ == 0 || p->snapshot_live_bytes > (int64_t)p->peak_live_bytes) {
		keep_as_peak(p);
	}
	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		if (p->snapshots > 1) {
			add_class_area(&p->classes[i], step);
		}
		p->classes[i].before = p->classes[i].now;
	}
	if (p->snapshots > 1) {
		add_area(&p->committed_area, step, p->heap_before.committed, p->heap.committed);
		add_area(&p->cached_area, step, p->heap_before.cached, p->heap.cached);
		add_area(&p->rest_area, step, p->heap_before.rest, p->heap.rest);
	}
	g_free(g_steal_pointer(&p->late));
	p->heap_before = p->heap;
	p->closed_ns = p->snapshot_ns;
}

bool hakstat_process_went_back(const struct hakstat_process *p, const struct hakstat_event_class_stats *stats)
{
	const struct hakstat_class_state *c = &p->classes[stats->class_id];

	return c->has_points && stats->allocs < c->last.allocs && stats->snapshot < p->snapshot;
}

/* What a fork child has more than its parent had; it may have freed some of that. */
static struct hakstat_class_point own_point(struct hakstat_class_state *c, bool is_in_fork,
					    struct hakstat_class_point point)
{
	if (is_in_fork) {
		c->inherited = point;
	}
	point.live = hakstat_less(point.live, c->inherited.live);
	point.slabs = hakstat_less(point.slabs, c->inherited.slabs);
	point.resident = hakstat_less(point.resident, c->inherited.resident);
	point.slab_bytes =
		MAX(hakstat_less(point.slab_bytes, c->inherited.slab_bytes), point.live * c->block);
	return point;
}

static void take_off_inherited(struct hakstat_process *p)
{
	struct hakstat_heap *heap = &p->heap;

	if (heap->life == HAK_LIFE_FORKED) {
		p->inherited = *heap;
	}
	heap->mapped = hakstat_less(heap->mapped, p->inherited.mapped);
	heap->committed = hakstat_less(heap->committed, p->inherited.committed);
	heap->cached = hakstat_less(heap->cached, p->inherited.cached);
	heap->metadata = hakstat_less(heap->metadata, p->inherited.metadata);
	heap->resident = hakstat_less(heap->resident, p->inherited.resident);
}

void hakstat_process_class_stats(struct hakstat_process *p, int64_t time_ns,
				 const struct hakstat_event_class_stats *stats)
{
	struct hakstat_class_state *c = &p->classes[stats->class_id];
	struct hakstat_class_point point = { stats->allocs,	stats->frees,  stats->live,    stats->slabs,
					     stats->slab_bytes, stats->hidden, stats->resident };

	if (p->has_snapshot && time_ns < p->snapshot_ns) {
		return;
	}
	if (stats->snapshot != p->snapshot) {
		hakstat_process_close_snapshot(p);
	}
	p->snapshot_ns = time_ns;
	p->has_snapshot = true;
	p->is_open = true;
	p->snapshot = stats->snapshot;
	hakstat_process_set_block(p, stats->class_id, stats->route, stats->usable);
	if (!c->has_points) {
		begin_class(p, stats->class_id, &point);
	}
	c->snapshot = stats->snapshot;
	c->counted = point;
	point = p->is_forked ? own_point(c, p->heap.life == HAK_LIFE_FORKED, point) : point;
	point.resident = p->heap.tells_resident ? point.resident : c->last.resident;
	c->last = point;
	p->snapshot_live_bytes -= (int64_t)c->now.live.usable;
	c->now.live = hakstat_process_live(p, stats->class_id, exact_source(p), &p->samples);
	hakstat_samples_pass(&p->samples, stats->class_id, time_ns,
			     exact_source(p) ? 0 : c->now.live.usable - c->now.live.unknown);
	c->now.idle = c->block ? hakstat_less(point.slab_bytes, c->now.live.usable) : 0;
	p->snapshot_live_bytes += (int64_t)c->now.live.usable;
	if (stats->usable == 0 && !p->has_lost) { /* the large class ends a snapshot */
		note_late(p);
	}
}

void hakstat_process_heap_stats(struct hakstat_process *p, const struct hakstat_event_heap_stats *stats)
{
	struct hakstat_heap before = p->heap;

	if (p->has_snapshot && stats->snapshot != p->snapshot) {
		hakstat_process_close_snapshot(p);
	}
	p->heap = (struct hakstat_heap) {
		.mapped = stats->mapped,
		.committed = stats->committed,
		.cached = stats->cached,
		.metadata = stats->metadata,
		.resident = stats->resident,
		.tells_resident = stats->resident != 0,
		.knows_resident = stats->resident != 0 || before.knows_resident,
		.life = stats->life,
	};
	p->is_forked |= stats->life == HAK_LIFE_FORKED;
	if (p->is_forked) {
		take_off_inherited(p);
	}
	if (!p->heap.tells_resident) {
		p->heap.resident = before.resident;
	}
}
