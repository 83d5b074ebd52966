/* SPDX-License-Identifier: MIT */
/*
 * From a path to a summary: a folder is read as a recording, a file as a saved summary. Every
 * command that takes a trace comes through here.
 */
#ifndef HAKSTAT_INPUT_H
#define HAKSTAT_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "summary.h"

struct hakstat_input_options {
	bool has_pid; /* only the process `pid` */
	uint32_t pid;
	const char *sysroot; /* where the traced machine's files are; NULL: here */
	bool keeps_part;     /* Ctrl-C ends the reading, and what was read counts; else it is an error */
};

/* The caller frees the summary. NULL with `err` set when the path can't be read. */
struct hakstat_summary *hakstat_input_read(const char *path, const struct hakstat_input_options *options,
					   struct hakstat_err *err);

/* Several paths merged; none: where recordings go by default. */
struct hakstat_summary *hakstat_input_read_all(char *const *paths, int count,
					       const struct hakstat_input_options *options,
					       struct hakstat_err *err);

/* Says on standard error that `what` ("report") holds only a part of the trace, if that is so. */
void hakstat_input_say_partial(const struct hakstat_summary *summary, const char *what);

#endif
