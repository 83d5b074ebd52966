/* SPDX-License-Identifier: MIT */
/*
 * What `hakstat ab` found, for people (a terminal, or markdown) and for programs: JSON of schema
 * hakstat.ab/1, CSV, and entries of a benchmark history.
 */
#ifndef HAKSTAT_RENDER_AB_H
#define HAKSTAT_RENDER_AB_H

#include "ab.h"
#include "render.h"

/* Each returns 0, or -1 when the stream failed. Of `view`: has_by, by, top, is_exact, colours, width. */
int hakstat_render_ab_table(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out);
int hakstat_render_ab_json(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out);
int hakstat_render_ab_csv(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out);
int hakstat_render_ab_markdown(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out);
int hakstat_render_ab_benchmark(const struct hakstat_ab *ab, const struct hakstat_view *view, FILE *out);

#endif
