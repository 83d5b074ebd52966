/* SPDX-License-Identifier: MIT */
/*
 * A difference of two reports: text for people (a terminal, or markdown), JSON of schema
 * hakstat.diff/1, entries of a benchmark history.
 */
#ifndef HAKSTAT_RENDER_DIFF_H
#define HAKSTAT_RENDER_DIFF_H

#include "diff.h"
#include "render.h"

/* Each returns 0, or -1 when the stream failed. Of `view`: has_by, by, top, is_exact, colours, width. */
int hakstat_render_diff_table(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out);
int hakstat_render_diff_json(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out);
int hakstat_render_diff_markdown(const struct hakstat_diff *diff, const struct hakstat_view *view, FILE *out);

/* Entries of a benchmark history: the new side's totals and the waste of each class. */
int hakstat_render_diff_benchmark(const struct hakstat_diff *diff, const struct hakstat_view *view,
				  FILE *out);

/* The whole difference as JSON, for commands that add to it; what jansson calls json_t. */
struct json_t *hakstat_diff_json(const struct hakstat_diff *diff, const struct hakstat_view *view);

#endif
