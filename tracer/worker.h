/* SPDX-License-Identifier: MIT */
/*
 * The tracer's own thread, "hakmem-trace". It blocks all signals. What it does is given to it;
 * whoever finds that something is to be done sooner wakes it.
 */
#ifndef HAK_TRACER_WORKER_H
#define HAK_TRACER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

/* How long the thread sleeps while nothing is enabled. */
enum { HAK_WORKER_IDLE_MS = 1000 };

struct hak_work {
	void (*prepare)(void);	/* before the thread is created, by whoever starts it */
	void (*enter)(void);	/* first, in the thread */
	int64_t (*round)(void); /* what is due; returns after how many ms it wants to be called again */
};

/* Starts the thread; `work` stays. Without memory for one there is none, and nothing else fails. */
void hak_worker_start(const struct hak_work *work);

/* In a fork child whose parent had the thread: whether it has none yet. Async-signal-safe. */
bool hak_worker_is_missing(void);

/* From a hook: starts the thread when it is missing. */
void hak_worker_start_if_missing(void);

/* Has the thread go round now. Async-signal-safe. */
void hak_worker_wake(void);

/* The same, when it believes that nothing is enabled: one load otherwise. */
void hak_worker_wake_if_idle(void);

/*
 * After hak_session_close: waits until every event that another thread had begun has ended,
 * a second at most. A signal handler that interrupted the writing of an event does not wait.
 */
void hak_worker_quiesce(void);

/*
 * In a fork child. It gets its thread from the first hook that is called in it: most
 * children go on to exec, and creating a thread in one whose parent was inside dlopen can
 * hang in glibc.
 */
void hak_worker_after_fork(void);

#endif
