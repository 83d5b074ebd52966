/* SPDX-License-Identifier: MIT */
/*
 * One recording from beginning to end: session daemon, folder, session. What records, a command
 * or a running process, is the caller's business.
 */
#ifndef HAKSTAT_RECORDING_H
#define HAKSTAT_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "output_folder.h"
#include "session.h"
#include "sessiond.h"

/* Where it goes when the user names no folder. */
#define HAKSTAT_RECORDING_FOLDER "hakmem.trace"

/* What the user may choose. */
struct hakstat_recording_options {
	const char *folder; /* NULL: HAKSTAT_RECORDING_FOLDER, and an older one moves aside */
	const char *url;    /* NULL: into the folder */
	int mode;	    /* a choice of HAKSTAT_MODE_CHOICES */
	bool is_snapshot;   /* a flight recorder: written on demand and at the end */
	const char *when;   /* written once when this LTTng filter on hakmem:heap_stats holds; NULL: no */
};

struct hakstat_recording {
	struct hakstat_sessiond daemon;
	struct hakstat_output_folder folder;
	struct hakstat_session session;
	const char *url;
};

/* What is wrong with the options alone. Returns 0, or a status with `err` set. */
int hakstat_recording_check(const struct hakstat_recording_options *options, struct hakstat_err *err);

/*
 * Starts recording all processes, or only `pid` when that is not 0. Returns 0, or a status with
 * `err` set and everything as it was.
 */
int hakstat_recording_begin(struct hakstat_recording *recording,
			    const struct hakstat_recording_options *options, pid_t pid,
			    struct hakstat_err *err);

/* Takes a recording back of which nothing has come. */
void hakstat_recording_cancel(struct hakstat_recording *recording);

/* What became of it. */
struct hakstat_recorded {
	char *said; /* a sentence for the user: where the trace is, how large, what was lost; free with g_free
		     */
	bool is_trace; /* there is one, or it was sent away */
	bool is_cut;   /* it breaks off */
};

/* Ends it. */
struct hakstat_recorded hakstat_recording_finish(struct hakstat_recording *recording);

#endif
