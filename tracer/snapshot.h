/* SPDX-License-Identifier: MIT */
/*
 * The tracer's own thread, "hakmem-trace": it looks for sessions that came or went, writes
 * configuration, class table and counters as soon as one is seen and once a period, and
 * flushes batches that gather slowly. It blocks all signals and what it allocates is not
 * traced.
 */
#ifndef HAK_TRACER_SNAPSHOT_H
#define HAK_TRACER_SNAPSHOT_H

#include <stdint.h>

/* What a snapshot comes to, for filters. */
struct hak_level {
	uint64_t live_bytes;	/* usable bytes of live blocks */
	unsigned idle_percent;	/* of committed memory: in no live block */
	unsigned waste_percent; /* of the live blocks' bytes: not asked for; estimated from samples */
};

/* Starts the thread. A process without it still traces, but tells its counters only at its end. */
void hak_snapshot_start(unsigned period_ms);

/* In a fork child: the counters as they stand, from which its own are counted. */
void hak_snapshot_first(void);

/* From a hook in a fork child: starts the thread when the parent had one. */
void hak_snapshot_start_if_missing(void);

/* Has the thread look at the sessions now. Async-signal-safe. */
void hak_snapshot_wake(void);

/* The same, when it believes that nothing is enabled: one load otherwise. */
void hak_snapshot_wake_if_idle(void);

/* The state of a process that is about to end, from the thread that ends it. */
void hak_snapshot_last(void);

/*
 * After hak_session_close: waits until every event that another thread had begun has ended,
 * a second at most. A signal handler that interrupted the writing of an event does not wait.
 */
void hak_snapshot_quiesce(void);

/*
 * In a fork child. It gets its thread when one of its operations is first traced: most
 * children go on to exec, and creating a thread in one whose parent was inside dlopen can
 * hang in glibc.
 */
void hak_snapshot_after_fork(void);

#endif
