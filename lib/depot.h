/* SPDX-License-Identifier: MIT */
/*
 * Magazines and their depots: how free blocks travel between threads. A magazine is an array
 * of block pointers; threads exchange whole ones, so a batch moves without its blocks being
 * read, and one compare-and-swap pays for all of them (Bonwick and Adams, "Magazines and
 * Vmem", 2001). Lock-free: a preempted or forked thread leaves nothing half done.
 */
#ifndef HAK_LIB_DEPOT_H
#define HAK_LIB_DEPOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"

enum {
	HAK_MAGAZINE_STEPS = 5,
	HAK_MAGAZINE_MAX = 254, /* blocks of the largest step: 2 KiB with the header */
};

struct hak_magazine {
	_Atomic(struct hak_magazine *) next;
	uint16_t capacity;
	uint16_t step;
	uint32_t count;
	void *slots[];
};

/* An empty magazine for at least `blocks` (1..HAK_MAGAZINE_MAX); NULL without memory. */
HAK_HIDDEN struct hak_magazine *hak_magazine_new(unsigned blocks);
HAK_HIDDEN void hak_magazine_free(struct hak_magazine *magazine);

/* A magazine with blocks of the bin, or NULL. */
HAK_HIDDEN struct hak_magazine *hak_depot_pop(unsigned bin);

/*
 * Takes a magazine with blocks. When the depot holds more than its share, the blocks go
 * back to their slabs instead.
 */
HAK_HIDDEN void hak_depot_push(unsigned bin, struct hak_magazine *magazine);

/* The same for any number of blocks, so many in a magazine; without memory for one, likewise. */
HAK_HIDDEN void hak_depot_give(unsigned bin, void *const *blocks, uint32_t n, uint32_t batch);

/* Gives back the magazines nobody needed since the last call; all of them if asked. */
HAK_HIDDEN void hak_depot_trim(unsigned bin, bool all);

/* The part of the heap, 1 / so much, that depots may hold when memory is needed that holds no pages. */
enum hak_depot_share {
	HAK_DEPOT_BEFORE_PAGES = 16,  /* pages of a superslab that is open */
	HAK_DEPOT_BEFORE_GROWTH = 64, /* another superslab */
};

/*
 * When the depots hold more, gives it back to the slabs, where other classes can have it; then true. Before
 * pages not blocks that have their slabs to themselves: other classes would touch more of these spans.
 */
HAK_HIDDEN bool hak_depot_make_way(enum hak_depot_share share);

/* Free blocks in the bin's depot. */
HAK_HIDDEN uint64_t hak_depot_blocks(unsigned bin);

#endif
