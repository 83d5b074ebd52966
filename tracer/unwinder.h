/* SPDX-License-Identifier: MIT */
/* libunwind, loaded apart from the program and made fit to run inside malloc. */
#ifndef HAK_TRACER_UNWINDER_H
#define HAK_TRACER_UNWINDER_H

#include <stdbool.h>

/* Loads and tests it. False: no stacks in this process. To be called at start. */
bool hak_unwinder_start(void);

/*
 * The return addresses of the calling thread, innermost first, at most `capacity`; returns
 * how many. Not to be entered again by a signal handler of the same thread.
 */
unsigned hak_unwinder_walk(void **frames, unsigned capacity);

#endif
