/* SPDX-License-Identifier: MIT */
/*
 * What recorded requests would waste under another size-class table, computed with the
 * allocator's own routing functions from the header it shares with the tools.
 */
#ifndef HAKSTAT_PREDICT_H
#define HAKSTAT_PREDICT_H

#include <stdbool.h>

#include "err.h"
#include "hakmem_size_class.h"
#include "summary.h"

struct hakstat_prediction {
	uint64_t allocs, requested_bytes, usable_bytes, waste_bytes;
};

/* Adds what one row of HAKSTAT_BY_SIZE would take under `table`. */
void hakstat_predict_row(const struct hak_class_table *table, const struct hakstat_row *size,
			 struct hakstat_prediction *sum);

/* All rows of sizes. */
struct hakstat_prediction hakstat_predict(const struct hak_class_table *table,
					  const struct hakstat_summary *summary);

/*
 * The recorded requests as they would have been served under `table`: a summary with the tables
 * by class, route and size, to be shown like a recorded one. Alignments are not recorded by size,
 * so requests are taken as malloc's own. The caller frees it.
 */
struct hakstat_summary *hakstat_predict_summary(const struct hak_class_table *table, const char *table_name,
						const struct hakstat_summary *summary);

/*
 * Builds a table from what a user names: fine, classic or @FILE. `tiny_max_class` is 0..7.
 * HAKSTAT_USAGE with `err` set when the file can't be read or is no table.
 */
int hakstat_table_load(struct hak_class_table *table, const char *name, unsigned tiny_max_class,
		       uint32_t page_size, struct hakstat_err *err);

#endif
