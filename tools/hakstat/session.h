/* SPDX-License-Identifier: MIT */
/*
 * One recording session of LTTng with the channels and events that a mode of hakstat needs.
 * Functions return 0, or a status with `err` set.
 */
#ifndef HAKSTAT_SESSION_H
#define HAKSTAT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "mode.h"

/* Room for "hakstat-record-", a process id, a random number. */
#define HAKSTAT_SESSION_NAME_SIZE 48

struct hakstat_session {
	char name[HAKSTAT_SESSION_NAME_SIZE];
	enum hakstat_mode mode;
	bool is_snapshot;   /* buffers are written on demand only */
	const char *folder; /* the target's; NULL: it goes elsewhere */
	int guard;	    /* pipe to the process that destroys the session when this one dies */
	int64_t guard_pid;
};

/* Where a session writes to. */
struct hakstat_session_target {
	const char *path; /* a folder, absolute; the session keeps the pointer */
	const char *url;  /* in its place when not NULL */
	bool is_snapshot; /* into a folder only, and only when hakstat_snapshot_write is called */
};

/*
 * Creates a session, called by `prefix` and a number nobody can guess; it is not started. On failure
 * nothing is left of it.
 */
int hakstat_session_create(struct hakstat_session *session, const char *prefix, enum hakstat_mode mode,
			   const struct hakstat_session_target *target, struct hakstat_err *err);

/*
 * Waits until the session daemon knows the running process `pid`, which takes some time after the
 * daemon's start. Returns 0, or a status with `err` set when they do not find each other.
 */
int hakstat_session_await_process(int64_t pid, struct hakstat_err *err);

/* Records the process `pid` alone; call it before the start. */
int hakstat_session_track(const struct hakstat_session *session, int64_t pid, struct hakstat_err *err);

int hakstat_session_start(struct hakstat_session *session, struct hakstat_err *err);

/* Stops and waits until all that was recorded is where it goes, or nothing more comes there. */
int hakstat_session_stop(struct hakstat_session *session, struct hakstat_err *err);

/*
 * Of a stopped session. *is_known is false when LTTng gives a number that cannot be. It fails when
 * LTTng cannot be asked: then what was in its buffers is lost.
 */
int hakstat_session_lost_events(const struct hakstat_session *session, uint64_t *lost, bool *is_known,
				struct hakstat_err *err);

/* Ends the session. What it recorded is complete if it was stopped before. */
int hakstat_session_destroy(struct hakstat_session *session, struct hakstat_err *err);

#endif
