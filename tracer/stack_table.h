/* SPDX-License-Identifier: MIT */
/*
 * Numbers for call stacks. A stack keeps its number as long as the process lives; its frames
 * are to be written when it is first seen by a set of listening sessions. LTTng drops what
 * is written while a session is still being started, so they are repeated after a tenth of
 * a second and after a second, and then every ten, so that a lost event or an overwritten
 * buffer costs no more than that. Lock-free; memory by mmap, growing with the number of
 * distinct stacks.
 */
#ifndef HAK_TRACER_STACK_TABLE_H
#define HAK_TRACER_STACK_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The number of a stack of `depth` (at least 1) frames, or 0 when the table is full.
 * *is_due says whether the frames are to be written now; with 0 always. `listeners` names
 * the set of sessions, now_ns is the monotonic clock.
 */
uint32_t hak_stack_id(const uint64_t *frames, uint32_t depth, uint32_t listeners, uint64_t now_ns,
		      bool *is_due);

#endif
