/* SPDX-License-Identifier: MIT */
/*
 * Runs the user's command as `time` would: same terminal, same process group, its signals and
 * its exit status; and prepares its environment so that it runs on the traced allocator.
 */
#ifndef HAKSTAT_LAUNCH_H
#define HAKSTAT_LAUNCH_H

#include <stdint.h>

#include "err.h"

/*
 * A session daemon that goes away must not take this process with it: SIGPIPE is ignored from
 * here on. The command is given the handling that was in force before.
 */
void hakstat_launch_ignore_pipes(void);

/* Whether `program` can be run, as a shell would find it. Returns 0, or a status with `err` set. */
int hakstat_launch_check(const char *program, struct hakstat_err *err);

/*
 * This process's environment with the allocator, its tracer and LTTng's fork helper in front
 * of LD_PRELOAD. NULL with `err` set when they are not found. Free with g_strfreev.
 */
char **hakstat_launch_environment(struct hakstat_err *err);

/*
 * Runs argv with `environment` and waits for its end. SIGTERM and SIGHUP go on to it; SIGINT
 * and SIGQUIT are its own affair. `exit_status` is its status, 128 + the signal that ended it.
 * Returns 0, or a status with `err` set when it could not be started.
 */
int hakstat_launch_run(char **argv, char **environment, int *exit_status, struct hakstat_err *err);

/* How many of this user's processes have `assignment` (NAME=VALUE) in their first environment. */
unsigned hakstat_launch_count(const char *assignment);

#endif
