/* SPDX-License-Identifier: MIT */
/*
 * How much a session records, and a trace holds.
 */
#ifndef HAKSTAT_MODE_H
#define HAKSTAT_MODE_H

/* From the least to the most: of several traces the greatest counts. Saved summaries hold the number. */
enum hakstat_mode {
	HAKSTAT_MODE_NONE,
	HAKSTAT_MODE_SAMPLE,
	HAKSTAT_MODE_EVENTS,
	HAKSTAT_MODE_FULL,
	HAKSTAT_MODE_COUNT,
};

/* "sample", "events", "full" or "none". */
const char *hakstat_mode_name(enum hakstat_mode mode);

/* What --mode offers, the usual ones first, and the mode that a choice means. */
#define HAKSTAT_MODE_CHOICES "sample|full|events"
enum hakstat_mode hakstat_mode_of_choice(int choice);

#endif
