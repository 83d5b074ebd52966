/* SPDX-License-Identifier: MIT */
/*
 * Runs one command under two settings in turn: first recorded, which gives the waste and shows that
 * hakmem serves the command, then without the tracer, which gives the timings.
 */
#ifndef HAKSTAT_AB_RUN_H
#define HAKSTAT_AB_RUN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

enum hakstat_ab_side { HAKSTAT_AB_A, HAKSTAT_AB_B, HAKSTAT_AB_SIDES };

/* What is measured of each run; the names are in ab.h. */
enum hakstat_ab_measure {
	HAKSTAT_AB_WALL,   /* seconds */
	HAKSTAT_AB_CPU,	   /* seconds, user and system, of all processes */
	HAKSTAT_AB_RSS,	   /* bytes, of the largest process */
	HAKSTAT_AB_FAULTS, /* of all processes */
	HAKSTAT_AB_RATE,   /* printed by the command */
	HAKSTAT_AB_MEASURES,
};

struct hakstat_ab_plan {
	char **argv;
	char **settings[HAKSTAT_AB_SIDES]; /* NAME=VALUE, the last NULL */
	uint64_t pairs, recordings;	   /* of each side; without recordings nothing is known of waste */
	int mode;			   /* of the recordings, a choice of HAKSTAT_MODE_CHOICES */
	uint64_t sample_bytes;		   /* 0: as the environment says */
	const char *input;		   /* the command's standard input; NULL: nothing */
	const GRegex *rate;		   /* its first group is a number in the output; NULL: none */
	bool show_output;		   /* the command's, on stderr */
	const char *folder;		   /* where the recordings go; it exists */
	bool is_temporary;		   /* the folder will be gone */
};

struct hakstat_ab_runs {
	GArray *values[HAKSTAT_AB_SIDES][HAKSTAT_AB_MEASURES]; /* double; of complete pairs */
	GPtrArray *traces[HAKSTAT_AB_SIDES];		       /* char *: folders, as many of each side */
	GPtrArray *served;		/* char *: processes that hakmem served; only without recordings */
	bool has_run[HAKSTAT_AB_SIDES]; /* and what the library warned of was passed on */
	bool is_interrupted;
};

/* Returns 0, also when a signal ended it early; or a status with `err` set. Clear `runs` in any case. */
int hakstat_ab_run(const struct hakstat_ab_plan *plan, struct hakstat_ab_runs *runs, struct hakstat_err *err);
void hakstat_ab_runs_clear(struct hakstat_ab_runs *runs);

#endif
