/* SPDX-License-Identifier: MIT */
/*
 * Reads recorded traces (CTF, as LTTng writes it) and hands on plain events in the order of
 * time. The reading library is seen in ctf_*.c only.
 */
#ifndef HAKSTAT_CTF_SOURCE_H
#define HAKSTAT_CTF_SOURCE_H

#include <glib.h>
#include <signal.h>
#include <stdbool.h>

#include "err.h"
#include "event.h"

typedef void (*hakstat_event_sink)(void *context, const struct hakstat_event *event);

struct hakstat_ctf_result {
	bool is_partial; /* reading ended before the trace did */
	char why[256];	 /* what ended it */
};

/*
 * Reads the traces in `folders` (char *) together. Returns 0 also when the trace breaks off
 * after something was read: then is_partial is set. HAKSTAT_TRACE with `err` set when nothing
 * could be read, or when an event lacks a field that this version needs. Reading ends early
 * when `stop` becomes other than 0.
 */
int hakstat_ctf_read(const GPtrArray *folders, hakstat_event_sink sink, void *context,
		     const volatile sig_atomic_t *stop, struct hakstat_ctf_result *result,
		     struct hakstat_err *err);

/* Who follows a live trace; `data` is handed to both. */
struct hakstat_ctf_follower {
	hakstat_event_sink sink;
	/* Called while it is read, often; `is_idle`: nothing has come, and it should wait a little. */
	void (*pause)(void *data, bool is_idle);
	void *data;
};

/*
 * Follows a live session of an LTTng relay daemon: net://HOST/host/NAME/SESSION, or net://HOST when it
 * has one session. Returns 0 when the session has ended or `stop` has become other than 0; HAKSTAT_USAGE
 * with `err` set when it can't be found or followed, HAKSTAT_TRACE as above.
 */
int hakstat_ctf_follow(const char *url, const struct hakstat_ctf_follower *follower,
		       const volatile sig_atomic_t *stop, struct hakstat_err *err);

#endif
