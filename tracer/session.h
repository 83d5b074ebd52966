/* SPDX-License-Identifier: MIT */
/*
 * What LTTng sessions enable at this moment, and whether it is still the same ones. LTTng
 * has no callback for that: each tracepoint holds a state and the list of its listeners,
 * which are read here. Thread-safe.
 */
#ifndef HAK_TRACER_SESSION_H
#define HAK_TRACER_SESSION_H

#include <lttng/urcu/urcu-ust.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "thread.h"

extern __attribute__((visibility("hidden"))) atomic_bool hak_session_is_closed;

/* The bits of enum hak_trace_want: a few loads, async-signal-safe. */
unsigned hak_session_wanted(void);

/*
 * The process is about to leave its program: nothing is wanted from now on, and no event
 * begins but those of the thread that closed. Reopened where it stays after all.
 */
void hak_session_close(void);
void hak_session_reopen(void);

/*
 * Around the writing of an event. A thread that the end of its process catches while it writes
 * one leaves a hole in a buffer that all processes of the user share, and LTTng then reads
 * nothing more of that buffer, without counting what it loses. So an event begins under
 * LTTng's read lock, and whoever closes waits until those that began have ended.
 * False: closed, write nothing.
 */
static inline bool hak_session_begin_event(void);
static inline void hak_session_end_event(void);

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

static inline bool hak_session_begin_event(void)
{
	lttng_ust_urcu_read_lock();
	if (__builtin_expect(atomic_load_explicit(&hak_session_is_closed, memory_order_relaxed), 0) &&
	    !hak_tracer_thread.is_leaving) {
		lttng_ust_urcu_read_unlock();
		return false;
	}
	return true;
}

static inline void hak_session_end_event(void)
{
	lttng_ust_urcu_read_unlock();
}

#endif
