/* SPDX-License-Identifier: MIT */
/*
 * A summary made ready to show: totals, rows in order, findings. Immutable once made.
 */
#ifndef HAKSTAT_REPORT_H
#define HAKSTAT_REPORT_H

#include <glib.h>

#include "columns.h"
#include "err.h"
#include "summary.h"

struct hakstat_finding {
	const char *kind; /* static: near_miss, boundary, tune, occupancy, held, share, lost, ... */
	char *message;	  /* one sentence, without a full stop */
	char *advice;	  /* what to do about it */
	uint64_t waste_bytes;
	/* Blocks that following the advice would have saved; 0: none or unknown. */
	uint64_t saving_bytes;	    /* over all allocations */
	uint64_t peak_saving_bytes; /* of what was live at the peak */
	double saving_variance, peak_saving_variance;
};

struct hakstat_report {
	struct hakstat_summary *summary; /* owned */
	struct hakstat_row totals;
	GPtrArray *tables[HAKSTAT_TABLE_COUNT]; /* const struct hakstat_row *, in order */
	GPtrArray *findings;			/* struct hakstat_finding *, the most wasteful first */
};

/* Takes the summary over. */
struct hakstat_report *hakstat_report_new(struct hakstat_summary *summary);
void hakstat_report_free(struct hakstat_report *report);

/* Orders one table by a column's key. HAKSTAT_USAGE with `err` set when the table lacks it. */
int hakstat_report_sort(struct hakstat_report *report, enum hakstat_table_id table, const char *key,
			struct hakstat_err *err);

/* As of its summary. */
bool hakstat_report_is_incomplete(const struct hakstat_report *report);

double hakstat_report_duration_s(const struct hakstat_report *report);

/* findings.c: what the numbers say, in sentences. */
void hakstat_findings_add(struct hakstat_report *report);

#endif
