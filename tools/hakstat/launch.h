/* SPDX-License-Identifier: MIT */
/*
 * Runs the user's command as `time` would: same terminal, same process group, its signals and
 * its exit status; and prepares its environment so that it runs on the traced allocator.
 */
#ifndef HAKSTAT_LAUNCH_H
#define HAKSTAT_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "err.h"

/*
 * A session daemon that goes away must not take this process with it: SIGPIPE is ignored from
 * here on. The command is given the handling that was in force before.
 */
void hakstat_launch_ignore_pipes(void);

/* Whether `program` can be run, as a shell would find it. Returns 0, or a status with `err` set. */
int hakstat_launch_check(const char *program, struct hakstat_err *err);

/*
 * Puts the allocator, and when `traced` its tracer and LTTng's fork helper, in front of LD_PRELOAD in
 * `environment`, which is taken over. NULL with `err` set when they are not found. Free with g_strfreev.
 */
char **hakstat_launch_environment(char **environment, bool traced, struct hakstat_err *err);

struct hakstat_launch {
	char **argv;
	char **environment;
	const int *streams; /* what the command has for descriptors 0, 1 and 2; NULL: this process's own */
	/* How it went: */
	int exit_status;     /* the command's, or 128 + the signal that ended it */
	int signal;	     /* SIGINT, SIGTERM or SIGHUP that came to this process meanwhile; 0: none */
	int64_t wall_ns;     /* from before the fork to the end */
	struct rusage usage; /* of the command and of those of its children that it waited for */
};

/*
 * Runs the command and waits for its end. Signals that somebody sends to this process go on to it;
 * a key's are its own affair. Returns 0, or a status with `err` set when it could not be started.
 */
int hakstat_launch_run(struct hakstat_launch *launch, struct hakstat_err *err);

/* How many of this user's processes have `assignment` (NAME=VALUE) in their first environment. */
unsigned hakstat_launch_count(const char *assignment);

#endif
