/* SPDX-License-Identifier: MIT */
/*
 * THE column table: what a row can say, under which key and header, in which unit, and in
 * which tables. Every renderer walks it; a new column is one row of it.
 */
#ifndef HAKSTAT_COLUMNS_H
#define HAKSTAT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "summary.h"

enum hakstat_unit {
	HAKSTAT_UNIT_TEXT,
	HAKSTAT_UNIT_ID, /* a number that names: never rounded, never grouped */
	HAKSTAT_UNIT_COUNT,
	HAKSTAT_UNIT_BYTES,
	HAKSTAT_UNIT_SIZE, /* bytes of one request or block: never rounded */
	HAKSTAT_UNIT_PERCENT,
	HAKSTAT_UNIT_STACK, /* row->stack */
};

struct hakstat_value {
	bool is_known;
	uint64_t number;  /* ID, COUNT, BYTES, SIZE */
	double real;	  /* PERCENT */
	const char *text; /* TEXT; the row's or static */
};

struct hakstat_column {
	const char *key;    /* in JSON and CSV */
	const char *header; /* in tables for people */
	enum hakstat_unit unit;
	unsigned in;	/* tables whose data have it: bits 1 << hakstat_table_id, HAKSTAT_IN_TOTALS */
	unsigned shown; /* tables for people that show it */
	int rank;	/* what a narrow terminal leaves out first: the highest */
	const char *help;
	struct hakstat_value (*get)(const struct hakstat_row *row);
};

enum { HAKSTAT_IN_TOTALS = 1 << HAKSTAT_TABLE_COUNT };

extern const struct hakstat_column hakstat_columns[];
extern const size_t hakstat_column_count;

/* The column of a table with this key, or NULL. */
const struct hakstat_column *hakstat_column_find(unsigned in, const char *key);

/* Half the width of the 95 % interval of a number of this variance; not known when that is infinite. */
struct hakstat_value hakstat_interval(double variance);

/* The column with half the width of this one's 95 % interval, or NULL. */
const struct hakstat_column *hakstat_column_interval(unsigned in, const char *key);

/* Orders rows by a column: numbers from the largest, names and ids from the first; unknown last. */
int hakstat_column_compare(const struct hakstat_column *column, const struct hakstat_row *a,
			   const struct hakstat_row *b);

#endif
