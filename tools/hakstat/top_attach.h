/* SPDX-License-Identifier: MIT */
/*
 * A recording of running processes that is read while it goes on: LTTng rotates it, and each part
 * is a trace of its own. Needs no relay daemon.
 */
#ifndef HAKSTAT_TOP_ATTACH_H
#define HAKSTAT_TOP_ATTACH_H

#include <sys/types.h>

#include "err.h"

struct hakstat_top_attach;

/*
 * Begins to record `pid`, or all processes that have the tracer loaded when it is 0. NULL with `err` set.
 */
struct hakstat_top_attach *hakstat_top_attach_new(pid_t pid, struct hakstat_err *err);

/*
 * Ends a part and begins the next one. `folder` receives where the ended part is, which may be empty; drop
 * it when it is read. Takes about half a second. Returns 0, or a status with `err` set.
 */
int hakstat_top_attach_next(struct hakstat_top_attach *attach, char **folder, struct hakstat_err *err);
void hakstat_top_attach_drop(char *folder);

/* What the part in `newer` says of its streams is said in the earlier part in `folder` as well. */
void hakstat_top_attach_describe(const char *folder, const char *newer);

/* Ends the recording; nothing is left of it. */
void hakstat_top_attach_free(struct hakstat_top_attach *attach);

#endif
