/* SPDX-License-Identifier: MIT */
/*
 * The table of at most N blocks that wastes least on recorded requests: the optimum, by
 * dynamic programming over the sizes that occur.
 */
#ifndef HAKSTAT_TUNE_H
#define HAKSTAT_TUNE_H

#include "hakmem_size_class.h"
#include "summary.h"

enum hakstat_tune_weight {
	HAKSTAT_TUNE_ALLOCS, /* each allocation counts */
	HAKSTAT_TUNE_LIVE,   /* each block that is live at the end counts */
	HAKSTAT_TUNE_PEAK,   /* each block that was live when the most bytes were */
};

/*
 * Fills `table` with at most `max_classes` blocks (1..HAK_MAX_CLASSES). Blocks for sizes above the
 * largest recorded request, one a doubling, are among them, so that a size which did not occur
 * is not sent to whole pages. Returns 0, or -1 when no recorded request fits a class or the
 * classes are too few to reach the largest block.
 */
int hakstat_tune(const struct hakstat_summary *summary, unsigned max_classes, enum hakstat_tune_weight weight,
		 unsigned tiny_max_class, uint32_t page_size, struct hak_class_table *table);

#endif
