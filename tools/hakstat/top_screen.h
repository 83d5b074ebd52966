/* SPDX-License-Identifier: MIT */
/*
 * The terminal of `hakstat top`. Whatever ends the program, the terminal is left as it was found.
 */
#ifndef HAKSTAT_TOP_SCREEN_H
#define HAKSTAT_TOP_SCREEN_H

#include "top_reader.h"

/* Shows what the reader hands over until the user has had enough. Returns 0, or a status with `err` set. */
int hakstat_top_screen(struct hakstat_top_reader *reader, const char *title, struct hakstat_err *err);

/*
 * Lets the user choose one of `lines` (char *). Returns its index, or -1 when there is no choice made.
 */
int hakstat_top_choose(const GPtrArray *lines, const char *question, struct hakstat_err *err);

#endif
