/* SPDX-License-Identifier: MIT */
/*
 * Free runs of one kind, found by length. Part of the page heap, under its lock.
 *
 * One list for each length up to 64 units, then four for each doubling; a bitmap of the
 * lists in use finds the next longer one (Knuth's segregated fits).
 */
#ifndef HAK_LIB_RUNS_H
#define HAK_LIB_RUNS_H

#include "region.h"

enum { HAK_RUN_EXACT = 64, HAK_RUN_LISTS = HAK_RUN_EXACT + 4 * 26 };

struct hak_runs {
	uint32_t lists[HAK_RUN_LISTS]; /* first unit + 1; 0: none, so that zeroed memory is an empty set */
	uint64_t used[(HAK_RUN_LISTS + 63) / 64];
	uint64_t units;
};

/* Adds the run at `unit`; its head's kind and units are set, the tail is written here. */
HAK_HIDDEN void hak_runs_add(struct hak_runs *runs, uint32_t unit);

/* Takes a known run out; its tail stops being one. */
HAK_HIDDEN void hak_runs_remove(struct hak_runs *runs, uint32_t unit);

/*
 * A run that holds `units` from a multiple of `align` (a power of two) on, the shortest by list;
 * HAK_NO_UNIT when there is none. Of those too short to hold them wherever they lie, only some are looked at.
 */
HAK_HIDDEN uint32_t hak_runs_find(const struct hak_runs *runs, uint32_t units, uint32_t align);

/* The first run in list order from *list on, to visit them all; HAK_NO_UNIT at the end. */
HAK_HIDDEN uint32_t hak_runs_first(const struct hak_runs *runs, unsigned *list);

#endif
