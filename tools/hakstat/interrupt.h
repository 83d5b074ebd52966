/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C while a trace is read: the first one ends the reading and keeps what was read, the
 * second one ends the program. And the line that shows how far a long reading has come.
 * The reading may be a child's: what one of the two processes hears, both know.
 */
#ifndef HAKSTAT_INTERRUPT_H
#define HAKSTAT_INTERRUPT_H

#include <signal.h>
#include <stdint.h>

/* What it points to is not 0 after Ctrl-C, in this process and in those it forked. */
volatile sig_atomic_t *hakstat_interrupted(void);

/* From watch to unwatch Ctrl-C is handled as above, unless it was ignored; afterwards as before. */
void hakstat_interrupt_watch(void);
void hakstat_interrupt_unwatch(void);

/* The same for SIGTERM and SIGHUP, of a command that has something to clean up. */
void hakstat_interrupt_watch_end(void);
void hakstat_interrupt_unwatch_end(void);

/* Call it often: it shows the count now and then, when stderr is a terminal and time has passed. */
void hakstat_progress(uint64_t events);
/* Takes the line away. */
void hakstat_progress_end(void);

#endif
