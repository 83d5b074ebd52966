/* SPDX-License-Identifier: MIT */
/* Builds the look-up tables and decides the geometry of each class's slabs. */
#include "class_map.h"

#include <string.h>

#include "marks.h"
#include "options.h"
#include "os.h"

struct hak_class_map hak_class_map;
uint8_t hak_bin_direct[HAK_DIRECT_MAX + 1] HAK_ALIGNED(HAK_CACHE_LINE);
uint8_t hak_bin_wide[HAK_WIDE_MAX >> HAK_WIDE_LOG2] HAK_ALIGNED(HAK_CACHE_LINE);

enum {
	MIN_BLOCKS = 8, /* a slab of fewer is not worth its list */
	MAX_SLAB_UNITS = 8,
	COLOUR_STEP = HAK_CACHE_LINE,
	COLOUR_SPAN = 4096,  /* cache sets repeat with the page */
	MAX_SLACK_SHIFT = 4, /* at most 1/16 of a slab may be no block */
	ALIGNMENT = 16,
	SHARED_MAX = HAK_WIDE_MAX + ALIGNMENT, /* a larger block has a slab of its own */
	TRAILED_LEAST = 128,		       /* below, blocks are multiples of 16 already */
};

/*
 * Blocks of a size with many factors of two begin in the same few cache sets. The first
 * block of successive slabs is therefore moved on by a line (Bonwick's slab colouring,
 * 1994) through the span in which the block size repeats itself: its lowest set bit.
 */
static uint32_t colour_span(uint32_t block)
{
	uint32_t low_bit = block & -block;
	return low_bit > COLOUR_SPAN ? COLOUR_SPAN : low_bit;
}

static void try_units(struct hak_geometry *g, uint32_t units)
{
	uint32_t bytes = units << HAK_UNIT_LOG2;
	uint32_t span = colour_span(g->block);
	uint32_t need = span > COLOUR_STEP ? span - COLOUR_STEP : 0;

	g->slab_units = units;
	g->capacity = (bytes - need) / g->block;
	g->colours = need / COLOUR_STEP + 1;
}

static void geometry_of(struct hak_geometry *g, uint32_t block)
{
	g->block = block;
	g->reciprocal = (((uint64_t)1 << HAK_BLOCK_LOG2) + block - 1) / block;
	if (block > SHARED_MAX) { /* page-aligned, given back by itself */
		g->slab_units = (block + HAK_UNIT - 1) >> HAK_UNIT_LOG2;
		g->capacity = 1;
		g->colours = 1;
		return;
	}
	for (uint32_t units = 1; units <= MAX_SLAB_UNITS; units *= 2) {
		uint32_t bytes = units << HAK_UNIT_LOG2;
		try_units(g, units);
		if (g->capacity >= MIN_BLOCKS && bytes - g->capacity * block <= bytes >> MAX_SLACK_SHIFT) {
			return;
		}
	}
}

/* The largest request that the class takes, 0: none; secure mode needs room for its marks. */
static uint32_t limit_of(const struct hak_class *c)
{
	if (!hak_options.secure) {
		return c->max_request;
	}
	uint32_t room = c->block < HAK_MARKED_LEAST ? 0 : c->block - HAK_TRAILER;
	return c->max_request < room ? c->max_request : room;
}

unsigned hak_bin_aligned(size_t size, size_t alignment)
{
	const struct hak_class_table *t = &hak_class_map.table;
	if (alignment > HAK_PAGE_ALIGN_MAX || alignment > t->page_size) {
		return 0;
	}
	unsigned bin = size > HAK_WIDE_MAX ? hak_bin_big(size) : hak_bin_of(size);
	for (; bin && bin <= t->count; bin++) {
		const struct hak_geometry *g = &hak_class_map.geometry[bin];
		if (g->limit && !(g->block & (alignment - 1))) {
			return bin;
		}
	}
	return 0;
}

/*
 * Sets each entry to the first bin that serves it: so many entries as `served` says from the
 * start, but for those of smaller classes. A run for each class, because the tables are made at
 * each start of a program.
 */
static void fill(uint8_t *table, size_t entries, size_t (*served)(uint32_t limit))
{
	const struct hak_class_table *t = &hak_class_map.table;
	size_t at = 0;
	for (unsigned bin = 1; bin <= t->count && at < entries; bin++) {
		uint32_t limit = hak_class_map.geometry[bin].limit;
		size_t end = limit ? served(limit) : 0;
		end = end < entries ? end : entries;
		if (end > at) {
			memset(table + at, (int)bin, end - at);
			at = end;
		}
	}
	memset(table + at, 0, entries - at);
}

static size_t bytes_served(uint32_t limit)
{
	return (size_t)limit + 1;
}

/* Whole ones. */
static size_t wide_steps_served(uint32_t limit)
{
	return limit >> HAK_WIDE_LOG2;
}

/* Those too of which it serves the smaller part. */
static size_t big_steps_served(uint32_t limit)
{
	return ((limit - 1) >> HAK_BIG_LOG2) + 1;
}

static bool is_power_of_two(uint32_t n)
{
	return (n & (n - 1)) == 0;
}

/*
 * Programs ask for powers of two more than for anything else, and a trailer would take such a
 * request to a block that is a quarter larger, with the trailer in a line that nobody else needs.
 * So in secure mode each power of two of the fine table is followed by a block with room for both.
 */
static void add_trailed(struct hak_class_table *t)
{
	for (unsigned i = t->count; i-- > 0 && t->count < HAK_MAX_CLASSES;) {
		uint32_t block = t->classes[i].block;
		if (is_power_of_two(block) && block >= TRAILED_LEAST && block <= HAK_WIDE_MAX) {
			struct hak_class *after = &t->classes[i + 1];
			memmove(after + 1, after, (t->count - i - 1) * sizeof *after);
			after->block = block + ALIGNMENT;
			t->count++;
		}
	}
	hak_class_table_finish(t, t->tiny_max_class, t->page_size);
}

void hak_class_map_build(void)
{
	struct hak_class_table *t = &hak_class_map.table;
	hak_options_class_table(t, (uint32_t)hak_os_page_size());
	if (hak_options.secure && t->scheme == HAK_SCHEME_FINE) {
		add_trailed(t);
	}
	for (unsigned i = 0; i < t->count; i++) {
		geometry_of(&hak_class_map.geometry[i + 1], t->classes[i].block);
		t->classes[i].max_request = limit_of(&t->classes[i]);
		hak_class_map.geometry[i + 1].limit = t->classes[i].max_request;
	}
	fill(hak_bin_direct, sizeof hak_bin_direct, bytes_served);
	fill(hak_bin_wide, sizeof hak_bin_wide, wide_steps_served);
	fill(hak_class_map.big, sizeof hak_class_map.big, big_steps_served);
}
