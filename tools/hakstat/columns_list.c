/* SPDX-License-Identifier: MIT */
/*
 * One line for each column of each table.
 */
#include "columns_list.h"

#include "columns.h"

void hakstat_columns_list(FILE *out)
{
	/* As --by and the JSON have them, in the order of enum hakstat_table_id. */
	static const char *const tables[] = { "class",	 "route", "size", "site", "thread",
					      "process", "time",  "heap", "total" };
	static const char *const units[] = { "text", "id", "count", "bytes", "size", "percent", "stack" };

	for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
		for (size_t c = 0; c < hakstat_column_count; c++) {
			const struct hakstat_column *column = &hakstat_columns[c];
			if (column->in & (1u << t)) {
				fprintf(out, "%s %s %s %s\n", tables[t], column->key, units[column->unit],
					column->help);
			}
		}
	}
}
