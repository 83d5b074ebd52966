/* SPDX-License-Identifier: MIT */
/*
 * The columns for programs: completion, and the generator of the JSON schema.
 */
#ifndef HAKSTAT_COLUMNS_LIST_H
#define HAKSTAT_COLUMNS_LIST_H

#include <stdio.h>

/* A line "TABLE KEY UNIT HELP" for each column of each table, in their order. */
void hakstat_columns_list(FILE *out);

#endif
