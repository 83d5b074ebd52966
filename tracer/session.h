/* SPDX-License-Identifier: MIT */
/*
 * What LTTng sessions enable at this moment, and whether it is still the same ones. LTTng
 * has no callback for that: each tracepoint holds a state and the list of its listeners,
 * which are read here. Thread-safe.
 */
#ifndef HAK_TRACER_SESSION_H
#define HAK_TRACER_SESSION_H

#include <stdbool.h>
#include <stdint.h>

/* The bits of enum hak_trace_want: a few loads, async-signal-safe. */
unsigned hak_session_wanted(void);

/* Nothing is wanted from now on: the process leaves. */
void hak_session_close(void);

/* Sampling's tracing sessions. `since` rises when sampling goes from off to on, `listeners`
 * whenever the set of sessions that take samples changes. Both start at 0: never yet. */
struct hak_session_sampling {
	uint32_t since;
	uint32_t listeners;
};

/* Notes changes on the way; *is_new tells of one. */
struct hak_session_sampling hak_session_sampling(bool *is_new);

/*
 * For the tracer's own thread: whether a session has come since the last call that has
 * not been told the configuration.
 */
bool hak_session_has_come(void);

/* Whether any session takes snapshots, or anything at all. */
bool hak_session_takes_snapshots(void);
bool hak_session_takes_anything(void);

/* In a fork child, when no other thread exists. */
void hak_session_after_fork(void);

#endif
