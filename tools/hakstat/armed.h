/* SPDX-License-Identifier: MIT */
/*
 * Processes that run on the traced allocator: found by what they have mapped.
 */
#ifndef HAKSTAT_ARMED_H
#define HAKSTAT_ARMED_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

/* Returns 0 when `pid` is such a process and this user may look into it, else a status with `err` set. */
int hakstat_armed_check(pid_t pid, struct hakstat_err *err);

/* The ids (pid_t) of all that this user may look into, rising. Free with g_array_unref. */
GArray *hakstat_armed_list(void);

/* The command line of a process, safe to show. Free with g_free. */
char *hakstat_armed_command(pid_t pid);

#endif
