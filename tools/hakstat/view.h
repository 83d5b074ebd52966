/* SPDX-License-Identifier: MIT */
/*
 * Where a command's result goes: standard output or a file, with or without colours, as wide
 * as the terminal. Options that several commands share are here as well.
 */
#ifndef HAKSTAT_VIEW_H
#define HAKSTAT_VIEW_H

#include "err.h"
#include "render.h"

/* Sets colours (only on a terminal, not with NO_COLOR) and width for what goes to `out`. */
void hakstat_view_fit(struct hakstat_view *view, FILE *out);

/*
 * Calls write(data, out) for the file `path`, or for standard output when it is NULL. HAKSTAT_USAGE
 * with `err` set when something could not be written.
 */
int hakstat_write_to(const char *path, int (*write)(void *data, FILE *out), void *data,
		     struct hakstat_err *err);

#endif
