/* SPDX-License-Identifier: MIT */
/*
 * The ways in which a process leaves its program: exit, _exit, quick_exit and exec. Before
 * each, what the threads have gathered and the last counters are written.
 */
#ifndef HAK_TRACER_LEAVE_H
#define HAK_TRACER_LEAVE_H

/* From now on leaving is worth the work. */
void hak_leave_start(void);

/* Writes what would be lost. The process may go on afterwards, as after a failed exec. */
void hak_leave_flush(void);

/* In a fork child. */
void hak_leave_after_fork(void);

#endif
