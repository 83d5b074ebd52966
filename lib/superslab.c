/* SPDX-License-Identifier: MIT */
/* A state for each superslab, in the span of its first unit. */
#include "superslab.h"

#include "options.h"

enum {
	HOLDS_PAGES = 1,
	TOLD = 2, /* that it does */
};

atomic_bool hak_superslabs_untold;

/* The superslabs among which there are changes to be told. */
static uint32_t untold_from, untold_end;

static uint32_t units_of_one(void)
{
	return (uint32_t)(hak_options.superslab_size >> HAK_UNIT_LOG2);
}

static uint8_t *state_of(uint32_t superslab)
{
	return &hak_span_at((size_t)superslab * units_of_one())->superslab;
}

/* The region may end before it does. */
static uint32_t end_of(uint32_t superslab)
{
	size_t end = ((size_t)superslab + 1) * units_of_one();
	return (uint32_t)(end < hak_region.units ? end : hak_region.units);
}

static void set(uint32_t superslab, bool holds_pages)
{
	uint8_t *state = state_of(superslab);
	if (((*state & HOLDS_PAGES) != 0) == holds_pages) {
		return;
	}
	*state ^= HOLDS_PAGES;
	bool none = untold_from == untold_end;
	untold_from = none || superslab < untold_from ? superslab : untold_from;
	untold_end = none || superslab >= untold_end ? superslab + 1 : untold_end;
	atomic_store_explicit(&hak_superslabs_untold, true, memory_order_relaxed);
}

void hak_superslabs_use(uint32_t unit, uint32_t units)
{
	uint32_t last = (unit + units - 1) / units_of_one();
	for (uint32_t i = unit / units_of_one(); i <= last; i++) {
		set(i, true);
	}
}

void hak_superslabs_leave(uint32_t unit, uint32_t units, uint32_t run)
{
	uint32_t run_end = run + hak_span_at(run)->units;
	uint32_t last = (unit + units - 1) / units_of_one();
	for (uint32_t i = unit / units_of_one(); i <= last; i++) {
		if (i * units_of_one() >= run && end_of(i) <= run_end) {
			set(i, false);
		}
	}
}

static bool is_untold(uint32_t superslab)
{
	uint8_t state = *state_of(superslab);
	return ((state & HOLDS_PAGES) != 0) != ((state & TOLD) != 0);
}

/* Notes that [from, from + n) are told, n the number of superslabs that changed in the same way. */
static uint32_t take_alike(uint32_t from)
{
	uint8_t state = *state_of(from);
	uint32_t end = from;
	while (end < untold_end && *state_of(end) == state) {
		*state_of(end++) ^= TOLD;
	}
	return end;
}

bool hak_superslabs_next(struct hak_superslab_change *change)
{
	while (untold_from < untold_end && !is_untold(untold_from)) {
		untold_from++;
	}
	if (untold_from == untold_end) {
		atomic_store_explicit(&hak_superslabs_untold, false, memory_order_relaxed);
		return false;
	}
	uint32_t first = untold_from;
	change->holds_pages = (*state_of(first) & HOLDS_PAGES) != 0;
	untold_from = take_alike(first);
	uint32_t from = first * units_of_one();
	change->start = hak_span_start(hak_span_at(from));
	change->bytes = (uint64_t)(end_of(untold_from - 1) - from) << HAK_UNIT_LOG2;
	return true;
}
