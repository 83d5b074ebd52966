/* SPDX-License-Identifier: MIT */
/*
 * The ways in which a process leaves its program: exit, _exit, quick_exit and exec. Before
 * each, what the threads have gathered and the last counters are written.
 */
#ifndef HAK_TRACER_LEAVE_H
#define HAK_TRACER_LEAVE_H

#include <stdbool.h>

/* From now on leaving is worth the work. */
void hak_leave_start(void);

/* Whether that is so, for the calling process. Async-signal-safe. */
bool hak_leave_is_armed(void);

/*
 * Ends tracing as the process is about to leave its program: other threads begin no event any
 * more, and what all have gathered and the last counters are written. Keeps errno.
 * Cancelled where the process stays after all, as after a failed exec.
 */
void hak_leave_begin(void);
void hak_leave_cancel(void);

/* In a fork child. */
void hak_leave_after_fork(void);

/* In a fork child that LTTng is not told of: it is not recorded, nor are its children. Async-signal-safe. */
void hak_leave_out(void);
bool hak_leave_is_out(void);

#endif
