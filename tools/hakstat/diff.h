/* SPDX-License-Identifier: MIT */
/*
 * Two reports against each other: rows matched by what they are about, size ranges that moved
 * between classes or routes, and the options that differ. Runs of different length are compared by
 * waste per allocation, beside the sums.
 */
#ifndef HAKSTAT_DIFF_H
#define HAKSTAT_DIFF_H

#include "report.h"

/* One row on both sides; a side that lacks it has zero counts. */
struct hakstat_delta {
	char *name;			   /* class, "route reason", size range or call site */
	const struct hakstat_row *example; /* of either side, for what the row is about */
	struct hakstat_counts base, new;
};

/* Request sizes that are served elsewhere now, by one class; from one class or several of a route. */
struct hakstat_move {
	uint64_t requested_min, requested_max;
	char *from, *to; /* "tiny C6, C7", "mid M8192" */
	struct hakstat_counts base, new;
	char *option; /* "HAKMEM_SIZE_CLASSES fine -> classic"; NULL: no option explains it */
	GPtrArray
		*sites; /* const struct hakstat_delta *: who asks for such sizes, the greatest change first */
};

struct hakstat_option_change {
	const char *name; /* HAKMEM_... */
	char *base, *new;
};

struct hakstat_diff {
	const struct hakstat_report *base, *new;
	GPtrArray *tables[HAKSTAT_BY_SITE + 1]; /* struct hakstat_delta *, the greatest change first */
	GPtrArray *moves;			/* struct hakstat_move *, likewise */
	GPtrArray *options;			/* struct hakstat_option_change * */
};

/* The reports must outlive the difference. */
struct hakstat_diff *hakstat_diff_new(const struct hakstat_report *base, const struct hakstat_report *new);
void hakstat_diff_free(struct hakstat_diff *diff);

/* new less base; of waste. */
int64_t hakstat_delta_waste(const struct hakstat_counts *base, const struct hakstat_counts *new);

/* Waste of one allocation in bytes; 0 without allocations. */
double hakstat_waste_each(const struct hakstat_counts *n);

#endif
