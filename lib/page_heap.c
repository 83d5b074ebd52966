/* SPDX-License-Identifier: MIT */
/* Splitting, merging, opening and purging of spans. */
#include "page_heap.h"

#include <pthread.h>

#include "lock.h"
#include "options.h"
#include "os.h"
#include "runs.h"
#include "superslab.h"

enum {
	PURGE_BATCH = 32, /* runs taken out at a time, so that the lock is not held over system calls */
	BATCHES = 16,	  /* in a purge by the clock: who happens to look at it does not work for all */
	KEPT = 8,
	PATIENCE_MS = 100,	  /* of a reader of the counters, whose own thread may hold the lock */
	PURGE_PATIENCE_MS = 1000, /* of an allocation that found nothing else, with another thread's purge */
	FETCH_FROM = 8, /* superslabs in use: what is fetched for nothing is less than a ninth of the heap */
	FETCH_DELAY_MS = 100, /* with a shorter purge delay it would be given back before it is used */
};

static struct {
	struct hak_lock lock;
	struct hak_runs dirty;
	struct hak_runs clean;
	uint64_t used_units;
	uint64_t purged;
	uint64_t untold; /* bytes of it that nobody could be told of */
	uint64_t superslabs;
} heap HAK_ALIGNED(HAK_CACHE_LINE);

/* Runs that are in no list while their pages are given back; a fork child puts them in again. */
static struct {
	uint32_t batch[PURGE_BATCH];
	uint32_t taken;
	uint32_t refused; /* by the system: first unit + 1, linked by `next` */
	bool is_under_way;
	pthread_t by;
} purging;

/* Spans kept at hand, first unit + 1; each length has one place. Who takes one out owns it. */
static _Atomic(uint32_t) kept[KEPT];

static struct hak_runs *runs_of(enum hak_span_kind kind)
{
	return kind == HAK_SPAN_DIRTY ? &heap.dirty : &heap.clean;
}

/*
 * Puts [unit, unit + units) among the free runs, merged with neighbours of its kind. Returns where the run
 * begins. It is as old as the largest part: what a program frees time and again keeps nothing large from
 * being purged.
 */
static uint32_t insert(uint32_t unit, uint32_t units, enum hak_span_kind kind, uint64_t now_ms)
{
	struct hak_runs *runs = runs_of(kind);
	uint32_t behind = unit + units, largest = units;
	uint64_t since_ms = now_ms;

	if (behind < hak_region.units && hak_span_kind_of(hak_span_at(behind)) == kind) {
		struct hak_span *run = hak_span_at(behind);
		since_ms = run->units > largest ? run->free.since_ms : since_ms;
		largest = run->units > largest ? run->units : largest;
		units += run->units;
		hak_runs_remove(runs, behind);
	}
	if (unit > 0 && hak_span_kind_of(hak_span_at(unit - 1)) == kind) {
		uint32_t before = hak_span_at(unit - 1)->units;
		unit -= before;
		units += before;
		since_ms = before > largest ? hak_span_at(unit)->free.since_ms : since_ms;
		hak_runs_remove(runs, unit);
	}
	struct hak_span *head = hak_span_at(unit);
	hak_span_set_kind(head, kind);
	head->units = units;
	head->free.since_ms = since_ms;
	hak_runs_add(runs, unit);
	return unit;
}

/* The same for what was in use. */
static void give(uint32_t unit, uint32_t units, enum hak_span_kind as, uint64_t now_ms)
{
	uint32_t run = insert(unit, units, as, now_ms);
	if (as == HAK_SPAN_CLEAN) {
		hak_superslabs_leave(unit, units, run);
	}
}

/* Takes [from, from + units) out of the free run at `run`, which contains it. */
static void carve(uint32_t run, uint32_t from, uint32_t units)
{
	struct hak_span *head = hak_span_at(run);
	enum hak_span_kind kind = hak_span_kind_of(head);
	uint32_t end = run + head->units;
	uint64_t since = head->free.since_ms;

	hak_runs_remove(runs_of(kind), run);
	if (from > run) {
		insert(run, from - run, kind, since);
	}
	if (end > from + units) {
		insert(from + units, end - from - units, kind, since);
	}
}

void hak_span_keep(struct hak_span *span)
{
	hak_span_set_kind(span, HAK_SPAN_BUSY);
	uint32_t other = atomic_exchange_explicit(&kept[span->units % KEPT], hak_span_unit(span) + 1,
						  memory_order_acq_rel);
	if (other) {
		hak_span_free(hak_span_at(other - 1), HAK_SPAN_DIRTY);
	}
}

struct hak_span *hak_span_reuse(uint32_t units)
{
	_Atomic(uint32_t) *place = &kept[units % KEPT];
	if (!atomic_load_explicit(place, memory_order_relaxed)) {
		return NULL;
	}
	uint32_t unit = atomic_exchange_explicit(place, 0, memory_order_acq_rel);
	struct hak_span *span = unit ? hak_span_at(unit - 1) : NULL;
	if (HAK_UNLIKELY(span && span->units != units)) {
		hak_span_free(span, HAK_SPAN_DIRTY);
		return NULL;
	}
	return span;
}

/* With the lock held. False: there were none. */
static bool release_kept(uint64_t now_ms)
{
	bool any = false;
	for (unsigned i = 0; i < KEPT; i++) {
		uint32_t unit = atomic_load_explicit(&kept[i], memory_order_relaxed);
		unit = unit ? atomic_exchange_explicit(&kept[i], 0, memory_order_acq_rel) : 0;
		if (unit) {
			struct hak_span *span = hak_span_at(unit - 1);
			heap.used_units -= span->units;
			insert(unit - 1, span->units, HAK_SPAN_DIRTY, now_ms);
			any = true;
		}
	}
	return any;
}

/* Those in use that are not. */
static uint64_t kept_units(void)
{
	uint64_t units = 0;
	for (unsigned i = 0; i < KEPT; i++) {
		uint32_t unit = atomic_load_explicit(&kept[i], memory_order_relaxed);
		units += unit ? HAK_RACY_READ(hak_span_at(unit - 1)->units) : 0;
	}
	return units < heap.used_units ? units : heap.used_units;
}

/* Kept spans among it. */
static uint32_t find_dirty(uint32_t units, uint32_t align)
{
	uint32_t run = hak_runs_find(&heap.dirty, units, align);
	if (run == HAK_NO_UNIT && release_kept(hak_os_clock_ms())) {
		run = hak_runs_find(&heap.dirty, units, align);
	}
	return run;
}

/* What holds pages first, where either will do. */
static uint32_t find_run(uint32_t units, uint32_t align, enum hak_growth growth, bool *zeroed)
{
	uint32_t run = growth != HAK_CLEAN_ONLY ? find_dirty(units, align) : HAK_NO_UNIT;
	*zeroed = false;
	if (run == HAK_NO_UNIT && growth != HAK_DIRTY_ONLY) {
		run = hak_runs_find(&heap.clean, units, align);
		*zeroed = true;
	}
	return run;
}

/*
 * A superslab's pages cost far less at once than by a fault for each, and as a huge page a tenth of that. Who
 * fetches one is sure to use it up, or others do, for it counts as memory that is used already: what is
 * wasted is the rest of the last one. Open space that holds no pages is left unused meanwhile, so there must
 * be little.
 */
static bool fetches(void)
{
	uint64_t used = heap.used_units << HAK_UNIT_LOG2;
	int64_t delay_ms = hak_options.purge_delay_ms;
	return (delay_ms < 0 || delay_ms >= FETCH_DELAY_MS) && hak_options.superslab_size >= HAK_HUGE_PAGE &&
	       used >= FETCH_FROM * hak_options.superslab_size && used >= hak_options.huge_pages_from / 4 &&
	       heap.clean.units <= heap.used_units / FETCH_FROM;
}

/* Opens more of the region, which joins the clean runs, or, to be fetched, the dirty ones. */
static bool extend(uint32_t units, struct hak_pages *fetched)
{
	uint32_t opened;
	uint32_t unit = hak_region_extend(units, fetched != NULL, &opened);
	if (unit == HAK_NO_UNIT) {
		return false;
	}
	heap.superslabs += ((uint64_t)opened << HAK_UNIT_LOG2) / hak_options.superslab_size;
	if (fetched) {
		fetched->start = hak_span_start(hak_span_at(unit));
		fetched->bytes = (size_t)opened << HAK_UNIT_LOG2;
		hak_superslabs_use(unit, opened);
	}
	insert(unit, opened, fetched ? HAK_SPAN_DIRTY : HAK_SPAN_CLEAN, hak_os_clock_ms());
	return true;
}

static uint64_t purge_locked(uint64_t now_ms, uint64_t delay_ms, bool all, hak_purged_fn *tell);
static void await_purge(void);

/* Free and without pages, at the end of what is open. */
static uint32_t clean_at_end(void)
{
	struct hak_span *last = hak_region.units ? hak_span_at(hak_region.units - 1) : NULL;
	return last && hak_span_kind_of(last) == HAK_SPAN_CLEAN ? last->units : 0;
}

/*
 * The last resort, with the lock held. Dirty and clean neighbours merge, and of what is not open yet no more
 * is taken than the end lacks: a program that frees a block for a larger one needs the place of both.
 */
static uint32_t scrape(uint32_t units, uint32_t align, enum hak_growth growth, bool *zeroed)
{
	uint32_t wanted = units + align - 1;
	await_purge();
	uint64_t given = purge_locked(UINT64_MAX, 0, true, NULL);
	heap.untold += given;
	uint32_t run = find_run(units, align, growth, zeroed);
	uint32_t there = clean_at_end();
	if (run == HAK_NO_UNIT && there && there < wanted && extend(wanted - there, NULL)) {
		run = find_run(units, align, growth, zeroed);
	}
	return run;
}

/* With the lock held; what can be had without new address space, then with it. */
static uint32_t obtain(uint32_t units, uint32_t align, enum hak_growth growth, bool may_fetch, bool *zeroed,
		       struct hak_pages *fetched)
{
	uint32_t run = find_run(units, align, may_fetch ? HAK_DIRTY_ONLY : growth, zeroed);
	if (run != HAK_NO_UNIT || growth != HAK_MAY_GROW) {
		return run;
	}
	if (extend(units + align - 1, may_fetch ? fetched : NULL) || may_fetch) {
		run = find_run(units, align, growth, zeroed);
	}
	return run != HAK_NO_UNIT ? run : scrape(units, align, growth, zeroed);
}

/* fetched: not NULL for a sure one. */
static struct hak_span *alloc(uint32_t units, uint32_t align_units, enum hak_growth growth, bool *zeroed,
			      struct hak_pages *fetched)
{
	struct hak_span *span = NULL;

	hak_lock_take(&heap.lock);
	uint32_t run = obtain(units, align_units, growth, fetched && fetches(), zeroed, fetched);
	if (run != HAK_NO_UNIT) {
		uint32_t from = (run + align_units - 1) & ~(align_units - 1);
		carve(run, from, units);
		span = hak_span_at(from);
		hak_span_set_kind(span, HAK_SPAN_NONE);
		span->units = units;
		span->head = from;
		heap.used_units += units;
		if (*zeroed) {
			hak_superslabs_use(from, units);
		}
	}
	hak_lock_drop(&heap.lock);
	return span;
}

struct hak_span *hak_span_alloc(uint32_t units, uint32_t align_units, enum hak_growth growth, bool *zeroed)
{
	return alloc(units, align_units, growth, zeroed, NULL);
}

struct hak_span *hak_span_alloc_sure(uint32_t units, enum hak_growth growth, bool *zeroed,
				     struct hak_pages *fetch)
{
	return alloc(units, 1, growth, zeroed, fetch);
}

void hak_span_free(struct hak_span *span, enum hak_span_kind as)
{
	uint64_t now_ms = hak_os_clock_ms();
	hak_lock_take(&heap.lock);
	heap.used_units -= span->units;
	give(hak_span_unit(span), span->units, as, now_ms);
	hak_lock_drop(&heap.lock);
}

static bool begins_free_run(uint32_t unit, uint32_t units)
{
	if (unit >= hak_region.units) {
		return false;
	}
	struct hak_span *run = hak_span_at(unit);
	enum hak_span_kind kind = hak_span_kind_of(run);
	return (kind == HAK_SPAN_DIRTY || kind == HAK_SPAN_CLEAN) && run->units >= units;
}

bool hak_span_grow(struct hak_span *span, uint32_t units)
{
	uint32_t behind = hak_span_unit(span) + span->units;
	uint32_t more = units - span->units;

	hak_lock_take(&heap.lock);
	bool is_free = begins_free_run(behind, more) ||
		       (release_kept(hak_os_clock_ms()) && begins_free_run(behind, more));
	if (is_free) {
		carve(behind, behind, more);
		hak_superslabs_use(behind, more);
		heap.used_units += more;
		span->units = units;
	}
	hak_lock_drop(&heap.lock);
	return is_free;
}

void hak_span_cut(struct hak_span *span, uint32_t units, enum hak_span_kind as)
{
	uint64_t now_ms = hak_os_clock_ms();
	hak_lock_take(&heap.lock);
	uint32_t rest = span->units - units;
	heap.used_units -= rest;
	span->units = units;
	give(hak_span_unit(span) + units, rest, as, now_ms);
	hak_lock_drop(&heap.lock);
}

/* Takes up to PURGE_BATCH dirty runs that are old enough out of the lists. */
static void take_old(uint64_t now_ms, uint64_t delay_ms)
{
	for (unsigned list = 0; purging.taken < PURGE_BATCH; list++) {
		uint32_t unit = hak_runs_first(&heap.dirty, &list);
		while (unit != HAK_NO_UNIT && purging.taken < PURGE_BATCH) {
			struct hak_span *run = hak_span_at(unit);
			uint32_t next = run->next;
			if (run->free.since_ms + delay_ms <= now_ms) {
				hak_runs_remove(&heap.dirty, unit);
				hak_span_set_kind(run, HAK_SPAN_BUSY);
				purging.batch[purging.taken++] = unit;
			}
			unit = next;
		}
		if (list >= HAK_RUN_LISTS) {
			break;
		}
	}
}

/* Without the lock. A bit for each run of the batch that holds no page now; locked memory cannot be given
 * back. */
static uint32_t purge_batch(hak_purged_fn *tell)
{
	uint32_t clean = 0;
	for (unsigned i = 0; i < purging.taken; i++) {
		struct hak_span *run = hak_span_at(purging.batch[i]);
		if (hak_os_purge(hak_span_start(run), hak_span_bytes(run))) {
			continue;
		}
		clean |= (uint32_t)1 << i;
		if (tell) {
			tell(hak_span_start(run), hak_span_bytes(run));
		}
	}
	return clean;
}

/* What was given back is clean; the rest waits in a list of its own, or it would be taken again at once. */
static uint64_t settle_batch(uint32_t clean)
{
	uint64_t given = 0;
	for (unsigned i = 0; i < purging.taken; i++) {
		uint32_t unit = purging.batch[i];
		struct hak_span *run = hak_span_at(unit);
		if (clean >> i & 1) {
			given += hak_span_bytes(run);
			give(unit, run->units, HAK_SPAN_CLEAN, 0);
		} else {
			run->next = purging.refused;
			purging.refused = unit + 1;
		}
	}
	purging.taken = 0;
	return given;
}

/* Back among the dirty runs, as young as any. */
static void end_purge(uint64_t now_ms)
{
	while (purging.refused) {
		uint32_t unit = purging.refused - 1;
		purging.refused = hak_span_at(unit)->next;
		insert(unit, hak_span_at(unit)->units, HAK_SPAN_DIRTY, now_ms);
	}
	purging.is_under_way = false;
}

/*
 * The lock is held on entry and return, and dropped over the system calls. One thread at a time; others, and
 * a tracer that is told and allocates, give nothing back.
 */
static uint64_t purge_locked(uint64_t now_ms, uint64_t delay_ms, bool all, hak_purged_fn *tell)
{
	uint64_t given = 0;
	if (purging.is_under_way) {
		return 0;
	}
	purging.is_under_way = true;
	purging.by = pthread_self();
	bool more = true;
	for (unsigned batch = 0; more && (all || batch < BATCHES); batch++) {
		take_old(now_ms, delay_ms);
		more = purging.taken == PURGE_BATCH;
		hak_lock_drop(&heap.lock);
		uint32_t clean = purge_batch(tell);
		hak_lock_take(&heap.lock);
		more = more &&
		       (all || clean != 0); /* by the clock, a heap that is locked is not tried whole */
		given += settle_batch(clean);
	}
	end_purge(hak_os_clock_ms());
	heap.purged += given;
	return given;
}

/* Runs that another thread is giving back are in no list: until they are again, or it takes long. */
static void await_purge(void)
{
	bool goes_on = true;
	/* By this thread: a tracer that was told of it allocates. */
	for (unsigned turn = 0; goes_on && purging.is_under_way && !pthread_equal(purging.by, pthread_self());
	     turn++) {
		hak_lock_drop(&heap.lock);
		goes_on = hak_lock_pause(turn, PURGE_PATIENCE_MS);
		hak_lock_take(&heap.lock);
	}
}

static uint64_t purge(uint64_t now_ms, uint64_t delay_ms, bool all, hak_purged_fn *tell)
{
	hak_lock_take(&heap.lock);
	release_kept(hak_os_clock_ms());
	uint64_t given = purge_locked(now_ms, delay_ms, all, tell);
	uint64_t untold = heap.untold;
	heap.untold = 0;
	hak_lock_drop(&heap.lock);
	if (untold && tell) {
		tell(NULL, untold);
	}
	return given;
}

uint64_t hak_page_heap_purge(uint64_t now_ms, uint64_t delay_ms, hak_purged_fn *tell)
{
	return purge(now_ms, delay_ms, false, tell);
}

uint64_t hak_page_heap_purge_all(hak_purged_fn *tell)
{
	return purge(UINT64_MAX, 0, true, tell);
}

void hak_page_heap_count_purged(uint64_t bytes)
{
	hak_lock_take(&heap.lock);
	heap.purged += bytes;
	hak_lock_drop(&heap.lock);
}

bool hak_page_heap_next_change(struct hak_superslab_change *change)
{
	if (!atomic_load_explicit(&hak_superslabs_untold, memory_order_relaxed)) {
		return false;
	}
	hak_lock_take(&heap.lock);
	bool any = hak_superslabs_next(change);
	hak_lock_drop(&heap.lock);
	return any;
}

void hak_page_heap_stats(struct hak_page_heap_stats *out)
{
	bool is_held = hak_lock_take_within(&heap.lock, PATIENCE_MS);
	uint64_t at_hand = kept_units();
	out->mapped = (uint64_t)hak_region.units << HAK_UNIT_LOG2;
	out->used = (heap.used_units - at_hand) << HAK_UNIT_LOG2;
	out->dirty = (heap.dirty.units + at_hand) << HAK_UNIT_LOG2;
	out->purged = heap.purged;
	out->superslabs = heap.superslabs;
	if (is_held) {
		hak_lock_drop(&heap.lock);
	}
}

void hak_page_heap_fork_lock(void)
{
	hak_lock_take(&heap.lock);
}

void hak_page_heap_fork_unlock(int in_child)
{
	if (!in_child) {
		hak_lock_drop(&heap.lock);
		return;
	}
	settle_batch(0);
	end_purge(hak_os_clock_ms());
	hak_lock_reset(&heap.lock);
}
