/* SPDX-License-Identifier: MIT */
/* The call stack of an allocation, without the allocator's and the tracer's own frames. */
#ifndef HAK_TRACER_STACK_H
#define HAK_TRACER_STACK_H

#include <stdbool.h>
#include <stdint.h>

enum { HAK_STACK_MAX = 128 };

/* Room for the allocator's and tracer's frames, which are dropped. */
enum { HAK_STACK_ROOM = HAK_STACK_MAX + 16 };

struct hak_stack {
	uint64_t *frames; /* innermost first; points into room */
	uint32_t depth;	  /* 0: no stack could be had */
	uint64_t room[HAK_STACK_ROOM];
};

/*
 * Loads the unwinder; stacks have at most `depth` frames (1..HAK_STACK_MAX). With
 * by_frame_pointers it serves only where those cannot.
 */
void hak_stack_start(unsigned depth, bool by_frame_pointers);

/* From a hook. */
void hak_stack_capture(struct hak_stack *stack);

/* fork: 0 before, 1 in the parent after, 2 in the child after. */
void hak_stack_fork(int phase);

#endif
