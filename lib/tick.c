/* SPDX-License-Identifier: MIT */
/* Trimming and purging on a coarse clock. */
#include "tick.h"

#include <stdatomic.h>

#include "class_map.h"
#include "depot.h"
#include "options.h"
#include "os.h"
#include "page_heap.h"
#include "slab.h"
#include "tell.h"

enum { TICKS_PER_DELAY = 4, LONGEST_PERIOD_MS = 250 };

static _Atomic(uint64_t) due_ms;

static void trim_depots(bool all)
{
	for (unsigned bin = 1; bin <= hak_class_map.table.count; bin++) {
		hak_depot_trim(bin, all);
	}
}

void hak_make_way(void)
{
	hak_depot_make_way(HAK_DEPOT_BEFORE_GROWTH);
	uint64_t given = hak_slab_purge_idle();
	if (given) {
		hak_page_heap_count_purged(given);
		hak_tell_purged(NULL, given);
	}
}

void hak_tick(void)
{
	int64_t delay_ms = hak_options.purge_delay_ms;
	uint64_t due = atomic_load_explicit(&due_ms, memory_order_relaxed);
	uint64_t now_ms = hak_os_clock_ms();
	if (delay_ms < 0 || now_ms < due) {
		return;
	}
	uint64_t period = (uint64_t)delay_ms / TICKS_PER_DELAY;
	period = period > LONGEST_PERIOD_MS ? LONGEST_PERIOD_MS : period;
	if (atomic_compare_exchange_strong(&due_ms, &due, now_ms + period) && (due != 0 || delay_ms == 0)) {
		trim_depots(false);
		hak_page_heap_purge(now_ms, (uint64_t)delay_ms, hak_tell_purged);
		hak_tell_superslabs();
	}
}

uint64_t hak_give_back_all(void)
{
	trim_depots(true);
	uint64_t given = hak_page_heap_purge_all(hak_tell_purged);
	hak_tell_superslabs();
	return given;
}
