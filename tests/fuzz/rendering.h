/* SPDX-License-Identifier: MIT */
/* What fuzz targets of hakstat do with a summary that they have got. */
#ifndef HAK_TEST_RENDERING_H
#define HAK_TEST_RENDERING_H

#include "summary.h"

/*
 * Takes the summary over: saves it, reads it again, merges both, and shows the result in the form
 * that `choice` selects. Ends the process where what is shown is not valid in its form, or holds
 * bytes that could steer a terminal.
 */
void rendering_check(struct hakstat_summary *summary, unsigned choice);

#endif
