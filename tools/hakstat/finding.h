/* SPDX-License-Identifier: MIT */
/*
 * How a finding is made, for the files that look for them: findings*.c.
 */
#ifndef HAKSTAT_FINDING_H
#define HAKSTAT_FINDING_H

#include <stdbool.h>

#include "report.h"

/* In blocks: over all allocations, and of what was live at the peak. 0: none or unknown. */
struct hakstat_saving {
	uint64_t all, peak;
	double all_variance, peak_variance; /* 0: exact */
};

extern const struct hakstat_saving hakstat_no_saving;

/* A sentence without its full stop. The kind is static. */
struct hakstat_finding *hakstat_finding_add(struct hakstat_report *report, const char *kind, uint64_t waste,
					    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What to do about it, to which the saving is added. */
void hakstat_finding_advise(struct hakstat_finding *finding, struct hakstat_saving saving, const char *format,
			    ...) __attribute__((format(printf, 3, 4)));

/* A number of bytes with its interval unless it is exact. Free with g_free. */
char *hakstat_finding_amount(uint64_t bytes, double variance);

/* Is it worth a sentence? */
bool hakstat_finding_is_worth(const struct hakstat_report *report, uint64_t waste);

/* "1024-byte", "1024...1104-byte"; returns `out`. */
const char *hakstat_finding_range(char *out, size_t size, uint64_t min, uint64_t max);

/* What could be had by another table or other requests; and where memory is that no block uses. */
void hakstat_findings_of_tables(struct hakstat_report *report);
void hakstat_findings_of_memory(struct hakstat_report *report);

#endif
