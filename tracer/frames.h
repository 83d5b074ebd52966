/* SPDX-License-Identifier: MIT */
/* Walking a call stack by frame pointers: for programs that are compiled with them. */
#ifndef HAK_TRACER_FRAMES_H
#define HAK_TRACER_FRAMES_H

#include <stdint.h>

/* Once, by the thread that loads the tracer. */
void hak_frames_start(void);

/*
 * The return addresses of the calling thread, innermost first, at most `capacity`; returns how
 * many: 0 when the thread is not on the stack it was started with, or libc is just asked where that is. Reads
 * that stack only.
 */
unsigned hak_frames_walk(void **frames, unsigned capacity);

/* The same from a frame on, which must lie, as all that follow it, in low..high - 1. */
unsigned hak_frames_follow(uintptr_t frame, uintptr_t low, uintptr_t high, void **frames, unsigned capacity);

#endif
