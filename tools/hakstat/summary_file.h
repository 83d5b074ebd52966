/* SPDX-License-Identifier: MIT */
/*
 * Saved summaries: JSON of schema hakstat.summary/1, written by `report --format summary` and
 * read wherever a trace is.
 */
#ifndef HAKSTAT_SUMMARY_FILE_H
#define HAKSTAT_SUMMARY_FILE_H

#include <stdio.h>

#include "err.h"
#include "summary.h"

/* Returns 0, or -1 when the stream failed. */
int hakstat_summary_write(const struct hakstat_summary *summary, FILE *out);

/* NULL with `err` set (HAKSTAT_TRACE) when the file is no saved summary or a damaged one. */
struct hakstat_summary *hakstat_summary_read(const char *path, struct hakstat_err *err);

/* The same from an open file, whose name is for messages. */
struct hakstat_summary *hakstat_summary_load(FILE *in, const char *name, struct hakstat_err *err);

#endif
