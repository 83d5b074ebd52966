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
	char *name;			       /* class, "route reason", size range or call site */
	const struct hakstat_row *example;     /* of either side, for what the row is about */
	uint64_t requested_min, requested_max; /* of both sides */
	struct hakstat_counts base, new;
};

/*
 * Request sizes that are served elsewhere now: by one class, from one class or several of a route, or by
 * another route in blocks of the same sizes.
 */
struct hakstat_move {
	uint64_t requested_min, requested_max;
	char *from, *to; /* "tiny C6, C7", "mid M8192", "smallmid S320 ... S1024" */
	bool keeps_blocks;
	struct hakstat_counts base, new;
	char *option; /* "HAKMEM_SIZE_CLASSES fine -> classic"; NULL: no option explains it */
	/*
	 * const struct hakstat_delta *: who asks for them, the greatest change first; before those that ask
	 * for other sizes as well, of whose change nobody knows how much is the move's.
	 */
	GPtrArray *sites;
};

struct hakstat_option_change {
	const char *name; /* HAKMEM_... */
	char *base, *new;
};

/* What is compared. Runs of different length are made alike by scaling the base. */
enum hakstat_diff_per {
	HAKSTAT_PER_RUN,       /* the waste of all allocations */
	HAKSTAT_PER_OPERATION, /* the same, the base scaled to as many allocations as the new run made */
	HAKSTAT_PER_LIVE_BYTE, /* the waste of what is live at the end, scaled to as many live bytes */
};

struct hakstat_diff {
	enum hakstat_diff_per per;
	double scale; /* of the base; 1 for HAKSTAT_PER_RUN */
	const struct hakstat_report *base, *new;
	GPtrArray *tables[HAKSTAT_BY_SITE + 1]; /* struct hakstat_delta *, the greatest change first */
	GPtrArray *moves;			/* struct hakstat_move *, likewise */
	GPtrArray *options;			/* struct hakstat_option_change * */
};

/* The reports must outlive the difference. */
struct hakstat_diff *hakstat_diff_new(const struct hakstat_report *base, const struct hakstat_report *new,
				      enum hakstat_diff_per per);
void hakstat_diff_free(struct hakstat_diff *diff);

/* True when the site asks for no other sizes than those that moved: its change is a part of the move's. */
bool hakstat_move_is_all_of(const struct hakstat_move *move, const struct hakstat_delta *site);

/* The waste that is compared, the base's scaled, and its change: new less base. Bytes. */
double hakstat_diff_base(const struct hakstat_diff *diff, const struct hakstat_counts *n);
double hakstat_diff_new_waste(const struct hakstat_diff *diff, const struct hakstat_counts *n);
int64_t hakstat_diff_change(const struct hakstat_diff *diff, const struct hakstat_counts *base,
			    const struct hakstat_counts *new);

/* The variance of that: the two runs were sampled each for itself. Infinite: not known. */
double hakstat_diff_variance(const struct hakstat_diff *diff, const struct hakstat_counts *base,
			     const struct hakstat_counts *new);

/* Allocations, or live blocks where those are compared; not scaled. */
uint64_t hakstat_diff_count(const struct hakstat_diff *diff, const struct hakstat_counts *n);

/* Waste of one of them in bytes; 0 when there are none. */
double hakstat_diff_each(const struct hakstat_diff *diff, const struct hakstat_counts *n);

/* False when nothing tells what any of the row's requests asked for: its waste is unknown, not 0. */
bool hakstat_diff_is_known(const struct hakstat_diff *diff, const struct hakstat_counts *n);

/* True when one run made over a twentieth more allocations than the other. */
bool hakstat_diff_lengths_differ(const struct hakstat_diff *diff);

#endif
