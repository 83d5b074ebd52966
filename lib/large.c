/* SPDX-License-Identifier: MIT */
/* Large blocks in spans. */
#include "large.h"

#include "depot.h"
#include "direct.h"
#include "options.h"
#include "os.h"
#include "page_heap.h"
#include "tell.h"
#include "tick.h"

/*
 * From here on moving the pages is cheaper than copying what they hold. Where they are huge it splits those
 * at both ends and leaves a hole that no huge page fits into, so there only what would take long to copy is
 * moved.
 */
#define MOVE_PAGES_FROM	     ((size_t)256 << 10)
#define MOVE_HUGE_PAGES_FROM (2 * HAK_HUGE_PAGE)

static _Atomic(uint64_t) live_blocks;
static _Atomic(uint64_t) live_bytes;

static size_t whole_pages(size_t size)
{
	return hak_os_whole_pages(size ? size : 1);
}

/* For so many bytes and the guard behind them. */
static uint32_t units_for(size_t bytes)
{
	size_t guard = hak_options.secure ? hak_os_page_size() : 0;
	return (uint32_t)((bytes + guard + HAK_UNIT - 1) >> HAK_UNIT_LOG2);
}

/* --- guards ------------------------------------------------------------------------------ */

/* Where the kernel knows no marked pages, each guard splits a mapping, and a process may have 65,530. */
enum { CLOSED_MAX = 8192 };
static _Atomic(uint32_t) closed_guards;

static bool set_guard(struct hak_span *span, enum hak_os_guard to)
{
	char *behind = (char *)hak_span_start(span) + span->large.usable;
	if (hak_os_guard(behind, hak_os_page_size(), span->large.guard, to) != 0) {
		return false;
	}
	span->large.guard = (uint8_t)to;
	return true;
}

/* Protection that the system refuses is done without. */
static void raise_guard(struct hak_span *span)
{
	span->large.guard = HAK_OS_OPEN;
	if (!hak_options.secure || set_guard(span, HAK_OS_MARKED)) {
		return;
	}
	bool is_bounded = atomic_fetch_add_explicit(&closed_guards, 1, memory_order_relaxed) < CLOSED_MAX;
	if (!is_bounded || !set_guard(span, HAK_OS_CLOSED)) {
		atomic_fetch_sub_explicit(&closed_guards, 1, memory_order_relaxed);
	}
}

/* False: the page behind the block stays out of reach. */
static bool lower_guard(struct hak_span *span)
{
	enum hak_os_guard was = span->large.guard;
	char *behind = (char *)hak_span_start(span) + span->large.usable;
	if (was == HAK_OS_OPEN) {
		return true;
	}
	if (!set_guard(span, HAK_OS_OPEN) && hak_region_renew(behind, hak_os_page_size()) != 0) {
		return false;
	}
	if (was == HAK_OS_CLOSED) {
		atomic_fetch_sub_explicit(&closed_guards, 1, memory_order_relaxed);
	}
	span->large.guard = HAK_OS_OPEN;
	return true;
}

/* --- spans ------------------------------------------------------------------------------- */

static void *span_new(size_t bytes, size_t alignment, enum hak_growth growth, bool *zeroed)
{
	size_t align_units = alignment > HAK_UNIT ? alignment >> HAK_UNIT_LOG2 : 1;
	bool is_coarser = (hak_region.base & (alignment - 1)) != 0; /* than the region's own place */
	if (alignment > HAK_UNIT && is_coarser) {
		return NULL;
	}
	if ((bytes >> HAK_UNIT_LOG2) + align_units >= hak_region.reserved_units) {
		return NULL;
	}
	struct hak_span *span = hak_span_alloc(units_for(bytes), (uint32_t)align_units, growth, zeroed);
	if (!span) {
		return NULL;
	}
	span->large.requested = 0;
	span->large.usable = bytes;
	span->large.is_moved = false;
	span->large.is_left = false;
	atomic_store_explicit(&span->large.sample, NULL, memory_order_relaxed);
	raise_guard(span);
	hak_span_set_kind(span, HAK_SPAN_LARGE);
	return hak_span_start(span);
}

static void count(int64_t blocks, int64_t bytes)
{
	atomic_fetch_add_explicit(&live_blocks, (uint64_t)blocks, memory_order_relaxed);
	atomic_fetch_add_explicit(&live_bytes, (uint64_t)bytes, memory_order_relaxed);
}

void *hak_large_new(size_t size, size_t alignment, bool *zeroed)
{
	size_t bytes = whole_pages(size);
	void *block = span_new(bytes, alignment, HAK_DIRTY_ONLY, zeroed);
	if (!block) {
		hak_depot_make_way(HAK_DEPOT_BEFORE_PAGES);
		block = span_new(bytes, alignment, HAK_NO_GROWTH, zeroed);
	}
	if (!block) {
		hak_make_way();
		block = span_new(bytes, alignment, HAK_MAY_GROW, zeroed);
	}
	if (!block) {
		size_t page = hak_os_page_size();
		block = hak_direct_new(bytes, alignment > page ? alignment : page);
		*zeroed = true;
	}
	if (block) {
		count(1, (int64_t)bytes);
	}
	hak_tell_superslabs();
	return block;
}

void *hak_large_reuse(size_t size)
{
	if (HAK_UNLIKELY(size >> HAK_UNIT_LOG2 >= hak_region.reserved_units)) {
		return NULL;
	}
	size_t bytes = whole_pages(size);
	struct hak_span *span = hak_span_reuse(units_for(bytes));
	if (!span) {
		return NULL;
	}
	span->large.requested = size;
	span->large.usable = bytes;
	count(1, (int64_t)bytes);
	hak_span_set_kind(span, HAK_SPAN_LARGE);
	return hak_span_start(span);
}

bool hak_large_keep(void *p)
{
	struct hak_span *span = hak_span_at(hak_unit_of(p));
	struct hak_large *l = &span->large;
	if (hak_span_kind_of(span) != HAK_SPAN_LARGE || hak_span_start(span) != p) {
		return false;
	}
	/* What hak_large_reuse does not set again. */
	bool is_plain = !l->is_moved && l->guard == HAK_OS_OPEN &&
			!atomic_load_explicit(&l->sample, memory_order_relaxed);
	if (!is_plain || hak_options.purge_delay_ms == 0) {
		return false;
	}
	count(-1, -(int64_t)l->usable);
	hak_span_keep(span);
	hak_tick();
	return true;
}

struct hak_large *hak_large_of(const void *p)
{
	if (!hak_region_owns(p)) {
		return hak_direct_of(p);
	}
	struct hak_span *span = hak_span_at(hak_unit_of(p));
	return hak_span_kind_of(span) == HAK_SPAN_LARGE && hak_span_start(span) == p ? &span->large : NULL;
}

/* What is in the span from `from` on, as others get it. */
static enum hak_span_kind state_of_rest(const struct hak_span *span, size_t from)
{
	char *rest = (char *)hak_span_start(span) + from;
	size_t bytes = hak_span_bytes(span) - from;
	bool is_clean = false;
	if (span->large.is_moved) {
		is_clean = hak_region_renew(rest, bytes) == 0; /* or it stays a mapping more */
	} else if (span->large.is_left) {
		size_t left = span->large.usable;
		is_clean = left == bytes || hak_os_purge(rest + left, bytes - left) == 0;
	}
	return is_clean ? HAK_SPAN_CLEAN : HAK_SPAN_DIRTY;
}

/* False: nobody could touch the page behind the block, so the span cannot be handed out. */
static bool give_back(struct hak_span *span)
{
	if (!lower_guard(span)) {
		return false;
	}
	hak_span_free(span, state_of_rest(span, 0));
	return true;
}

/* Spans that could not be given back, by first unit + 1. Each later free tries again. */
static _Atomic(uint32_t) shelf;

static void shelve(struct hak_span *span)
{
	span->next = atomic_load_explicit(&shelf, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&shelf, &span->next, hak_span_unit(span) + 1,
						      memory_order_release, memory_order_relaxed)) {
	}
}

static void clear_shelf(void)
{
	uint32_t next = atomic_load_explicit(&shelf, memory_order_relaxed);
	if (HAK_LIKELY(!next)) {
		return;
	}
	next = atomic_exchange_explicit(&shelf, 0, memory_order_acquire);
	while (next) {
		struct hak_span *span = hak_span_at(next - 1);
		next = span->next;
		if (!give_back(span)) {
			shelve(span);
		}
	}
}

void hak_large_delete(void *p)
{
	if (!hak_region_owns(p)) {
		count(-1, -(int64_t)hak_direct_delete(p));
		return;
	}
	struct hak_span *span = hak_span_at(hak_unit_of(p));
	count(-1, -(int64_t)span->large.usable);
	hak_span_set_kind(span, HAK_SPAN_BUSY);
	clear_shelf();
	if (!give_back(span)) {
		shelve(span);
		return;
	}
	hak_tick();
	hak_tell_superslabs();
}

/* Within the span, or with free units behind it. The guard is down. */
static bool resize_span(struct hak_span *span, size_t bytes)
{
	uint32_t units = units_for(bytes);
	if (units > span->units && !hak_span_grow(span, units)) {
		return false;
	}
	if (units < span->units) {
		hak_span_cut(span, units, state_of_rest(span, (size_t)units << HAK_UNIT_LOG2));
	}
	count(0, (int64_t)bytes - (int64_t)span->large.usable);
	span->large.usable = bytes;
	return true;
}

static bool resize_in_place(struct hak_span *span, size_t bytes)
{
	if (!lower_guard(span)) {
		return false;
	}
	bool done = resize_span(span, bytes);
	raise_guard(span);
	return done;
}

/* To another span, by page tables instead of bytes. */
static void *move_pages(struct hak_span *span, size_t bytes)
{
	size_t old_bytes = span->large.usable;
	bool zeroed;
	void *from = hak_span_start(span);
	size_t least = hak_region_is_for_huge_pages(from) ? MOVE_HUGE_PAGES_FROM : MOVE_PAGES_FROM;
	if (old_bytes < least || bytes < old_bytes) {
		return NULL;
	}
	void *to = span_new(bytes, 1, HAK_CLEAN_ONLY, &zeroed); /* pages that are there would be lost */
	to = to ? to : span_new(bytes, 1, HAK_MAY_GROW, &zeroed);
	if (!to) {
		return NULL;
	}
	count(1, (int64_t)bytes);
	struct hak_span *moved = hak_span_at(hak_unit_of(to));
	if (hak_os_move(from, to, old_bytes)) {
		if (hak_region_renew(to, old_bytes) == 0) { /* else nobody may use it again */
			hak_large_delete(to);
		}
		return NULL;
	}
	moved->large.is_moved = true;
	moved->large.requested = span->large.requested;
	void *sample = atomic_load_explicit(&span->large.sample, memory_order_relaxed);
	atomic_store_explicit(&moved->large.sample, sample, memory_order_relaxed);
	span->large.is_left = true;
	hak_large_delete(from);
	return to;
}

void *hak_large_resize(void *p, size_t size)
{
	size_t bytes = whole_pages(size);
	if (!hak_region_owns(p)) {
		struct hak_large *l = hak_direct_of(p);
		int64_t old_bytes = l ? (int64_t)l->usable : 0;
		void *moved = hak_direct_resize(p, bytes);
		if (moved) {
			count(0, (int64_t)bytes - old_bytes);
		}
		return moved;
	}
	struct hak_span *span = hak_span_at(hak_unit_of(p));
	uint32_t units = span->units;
	if (bytes == span->large.usable) {
		return p;
	}
	bool is_done = (bytes >> HAK_UNIT_LOG2) < hak_region.reserved_units && resize_in_place(span, bytes);
	void *resized = is_done ? p : move_pages(span, bytes);
	if (is_done && span->units < units) {
		hak_tick();
	}
	hak_tell_superslabs();
	return resized;
}

void hak_large_stats(uint64_t *blocks, uint64_t *bytes)
{
	*blocks = atomic_load_explicit(&live_blocks, memory_order_relaxed);
	*bytes = atomic_load_explicit(&live_bytes, memory_order_relaxed);
}

void hak_large_fork_lock(void)
{
	hak_direct_fork_lock();
}

void hak_large_fork_unlock(int in_child)
{
	hak_direct_fork_unlock(in_child);
}
