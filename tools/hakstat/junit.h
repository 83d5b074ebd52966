/* SPDX-License-Identifier: MIT */
/*
 * Gates as JUnit XML: each condition is a test case, so that CI systems list what failed. The form is the
 * stricter one of those in use, with every attribute that some reader demands.
 */
#ifndef HAKSTAT_JUNIT_H
#define HAKSTAT_JUNIT_H

#include <stdio.h>

#include "gate.h"

/* `suite` names what was checked; time and host are those of `report`. Returns 0, or -1 on a failed stream.
 */
int hakstat_junit_write(const GPtrArray *outcomes, const char *suite, const struct hakstat_report *report,
			FILE *out);

#endif
