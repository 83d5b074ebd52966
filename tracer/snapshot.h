/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: configuration, class table and counters, written as soon as a session is seen and
 * once a period by the tracer's own thread, which also flushes batches that gather slowly. What
 * that thread allocates is not traced.
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

/*
 * The state of a process that is about to end, from the thread that ends it: read before its other threads
 * stop telling what they do, so that it counts nothing that they do not tell, and written when none of
 * them writes any more. Forgotten where the process stays after all.
 */
void hak_snapshot_read_last(void);
void hak_snapshot_write_last(void);
void hak_snapshot_forget_last(void);

/* In a fork child. */
void hak_snapshot_after_fork(void);

#endif
