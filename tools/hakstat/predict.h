/* SPDX-License-Identifier: MIT */
/*
 * What recorded requests would waste under another size-class table, computed with the
 * allocator's own routing functions from the header it shares with the tools.
 *
 * A realloc that moved may stay in the other table's block, and the other way round; where operations
 * were read one by one, that is part of the prediction, wherever the two tables differ in it: the recorded
 * table predicts what was recorded. What it can't know: that a program asks
 * malloc_usable_size how much it got and goes on from there. Sizes above HAKSTAT_EXACT_SIZES are
 * known within 1/64.
 */
#ifndef HAKSTAT_PREDICT_H
#define HAKSTAT_PREDICT_H

#include <stdbool.h>

#include "err.h"
#include "hakmem_size_class.h"
#include "summary.h"

struct hakstat_prediction {
	uint64_t allocs, requested_bytes, usable_bytes, waste_bytes;
	double saving_variance; /* of what the rows had less usable_bytes; more than it is where they are many
				 */
};

/*
 * The table that was in force, with another boundary if wanted: rebuilt by name, or from the classes
 * of the trace when it was a file. False when the trace does not tell, or several were.
 */
bool hakstat_recorded_table(const struct hakstat_summary *summary, unsigned tiny_max_class,
			    struct hak_class_table *table);

/*
 * The least alignment with which `table` gives a row's requests the blocks they got: 1 for malloc's
 * own, or when no alignment explains them. `table` is the recorded one; NULL: unknown.
 */
uint64_t hakstat_row_alignment(const struct hak_class_table *table, const struct hakstat_row *size);

/* Adds what one row of HAKSTAT_BY_SIZE would take under `table`. */
void hakstat_predict_row(const struct hak_class_table *table, const struct hakstat_row *size,
			 struct hakstat_prediction *sum);

/* All rows of sizes. */
struct hakstat_prediction hakstat_predict(const struct hak_class_table *table,
					  const struct hakstat_summary *summary);

/*
 * The recorded requests as they would have been served under `table`: a summary with the tables
 * by class, route and size, to be shown like a recorded one. Alignments are told from the blocks
 * that requests got. The caller frees it.
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
