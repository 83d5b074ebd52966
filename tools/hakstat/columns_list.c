/* SPDX-License-Identifier: MIT */
/*
 * One line for each column of each table; tabs between.
 */
#include "columns_list.h"

#include "columns.h"

/* As --by and the JSON have it. */
static const char *table_name(unsigned table)
{
	return table < HAKSTAT_TABLE_COUNT ? hakstat_table_name((enum hakstat_table_id)table) : "total";
}

void hakstat_columns_list(FILE *out)
{
	static const char *const units[] = { "text", "id", "count", "bytes", "size", "percent", "stack" };

	for (unsigned t = 0; t <= HAKSTAT_TABLE_COUNT; t++) { /* the last one: the totals */
		for (size_t c = 0; c < hakstat_column_count; c++) {
			const struct hakstat_column *column = &hakstat_columns[c];
			if (column->in & (1u << t)) {
				fprintf(out, "%s\t%s\t%s\t%s\t%s\n", table_name(t), column->key,
					units[column->unit], column->header, column->help);
			}
		}
	}
}
