/* SPDX-License-Identifier: MIT */
/*
 * What came of running a command under two settings: each figure with its spread, whether the
 * settings differ in it, and the difference of one recording of each.
 */
#ifndef HAKSTAT_AB_H
#define HAKSTAT_AB_H

#include "ab_run.h"
#include "diff.h"
#include "paired.h"

enum hakstat_ab_unit {
	HAKSTAT_AB_SECONDS,
	HAKSTAT_AB_BYTES,
	HAKSTAT_AB_COUNT,
	HAKSTAT_AB_PERCENT,
	HAKSTAT_AB_NUMBER,
};

enum hakstat_ab_verdict {
	HAKSTAT_AB_TOO_FEW, /* runs to tell */
	HAKSTAT_AB_NOISE,
	HAKSTAT_AB_SAME,  /* every run came out alike */
	HAKSTAT_AB_LOWER, /* b than a */
	HAKSTAT_AB_HIGHER,
	HAKSTAT_AB_UNKNOWN,    /* recordings do not tell: no sample fell into them */
	HAKSTAT_AB_INCOMPLETE, /* something is missing of a recording: lost events, most often */
};

/* Fewer recordings than this of each can be apart by chance in more than one of twenty cases. */
enum { HAKSTAT_AB_RECORDINGS_LEAST = 4 };

struct hakstat_ab_figure {
	const char *key, *name;
	const char *lower, *higher; /* what b is then */
	enum hakstat_ab_unit unit;
	bool is_recorded; /* of the recordings, not of the timed runs */
	bool is_larger_better;
	GArray *values[HAKSTAT_AB_SIDES];  /* double, at least one; owned */
	bool is_unknown[HAKSTAT_AB_SIDES]; /* at least one value is, and 0 in its place */
	struct hakstat_spread spread[HAKSTAT_AB_SIDES];
	struct hakstat_paired paired; /* p is corrected; not of recorded figures */
	double change;		      /* of the medians, b over a; not when a's is 0 */
	enum hakstat_ab_verdict verdict;
};

struct hakstat_ab {
	const struct hakstat_ab_plan *plan;
	guint pairs, recordings; /* complete ones */
	bool is_incomplete;	 /* something is missing of a recording */
	bool is_interrupted;
	GPtrArray *served;  /* char *: what hakmem served, owned */
	GPtrArray *figures; /* struct hakstat_ab_figure * */
	/* Of the recordings with the median waste, and their difference; or NULL. */
	struct hakstat_report *reports[HAKSTAT_AB_SIDES];
	struct hakstat_diff *diff;
};

/*
 * Evaluates what was run; the recordings are read with `sysroot` (or NULL). Returns NULL with `err`
 * set when one can't be read. The plan must outlive the result.
 */
struct hakstat_ab *hakstat_ab_new(const struct hakstat_ab_plan *plan, const struct hakstat_ab_runs *runs,
				  const char *sysroot, struct hakstat_err *err);
void hakstat_ab_free(struct hakstat_ab *ab);

/* "slower", "within noise", ...: what b is. Static. */
const char *hakstat_ab_verdict_text(const struct hakstat_ab_figure *figure);

#endif
