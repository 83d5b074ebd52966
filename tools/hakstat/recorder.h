/* SPDX-License-Identifier: MIT */
/*
 * The background process that records a running program until it ends or is let go. A file
 * beside the session daemon's sockets, locked while the recorder lives, says where the trace is.
 */
#ifndef HAKSTAT_RECORDER_H
#define HAKSTAT_RECORDER_H

#include <sys/types.h>

#include "recording.h"

/*
 * Begins to record `pid` in the background. `said` is a sentence for the user, to be freed with
 * g_free. Returns 0, or a status with `err` set and nothing begun.
 */
int hakstat_recorder_start(pid_t pid, const struct hakstat_recording_options *options, char **said,
			   struct hakstat_err *err);

/* Ends it and waits until the trace is complete. `said` as above. */
int hakstat_recorder_stop(pid_t pid, char **said, struct hakstat_err *err);

/* Where `pid` is recorded to; NULL when it is not. Free with g_free. */
char *hakstat_recorder_target(pid_t pid);

#endif
