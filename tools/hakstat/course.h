/* SPDX-License-Identifier: MIT */
/*
 * Samples over time. A sum over snapshots rests on the same samples again and again, so its interval is no
 * sum of theirs: each sample adds up what it makes of all snapshots it was live in, and those numbers have
 * the variance of a sum over samples. Times in nanoseconds, areas in byte nanoseconds.
 */
#ifndef HAKSTAT_COURSE_H
#define HAKSTAT_COURSE_H

#include <glib.h>
#include <stdbool.h>

#include "sample_sums.h"

/* Of one sample. */
struct hakstat_course {
	double residual, scale; /* what it makes of the last snapshot, and how many its weight stood for */
	double area, reach;	/* both over time, up to that snapshot */
};

/* Of a class. Zeroed memory is one that no snapshot has met. */
struct hakstat_class_course {
	bool is_begun;
	int64_t time_ns;		 /* of the last snapshot */
	GArray *gone;			 /* samples that went since; or NULL */
	struct hakstat_sample_sums done; /* those that went before: areas as requested, reach as usable */
};

void hakstat_class_course_clear(struct hakstat_class_course *course);

/*
 * A snapshot: those that went are done with; returns the time since the one before, by which each live
 * sample is to go on.
 */
double hakstat_class_course_step(struct hakstat_class_course *course, int64_t time_ns);
void hakstat_course_go_on(struct hakstat_course *sample, double step, double residual, double scale);

/* A sample goes. */
void hakstat_class_course_part(struct hakstat_class_course *course, const struct hakstat_course *sample,
			       double weight);

/* The sums of those that went; those of live samples are to be added. */
struct hakstat_sample_sums hakstat_class_course_gone(const struct hakstat_class_course *course);
void hakstat_course_add(struct hakstat_sample_sums *sums, const struct hakstat_course *sample, double weight);

#endif
