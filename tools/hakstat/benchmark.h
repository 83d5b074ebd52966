/* SPDX-License-Identifier: MIT */
/*
 * Figures for a benchmark history: the array that github-action-benchmark reads as
 * `customSmallerIsBetter`, and others with it: objects of name, unit, value, range and extra.
 */
#ifndef HAKSTAT_BENCHMARK_H
#define HAKSTAT_BENCHMARK_H

struct json_t; /* jansson's */

/* `range` and `extra` are texts for people; NULL leaves them out. */
void hakstat_benchmark_add(struct json_t *array, const char *name, const char *unit, double value,
			   const char *range, const char *extra);

#endif
