/* SPDX-License-Identifier: MIT */
/*
 * What the tracer keeps of a thread: one small block of initial-exec TLS, touched by its
 * own thread only.
 */
#ifndef HAK_TRACER_THREAD_H
#define HAK_TRACER_THREAD_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hakmem_trace.h"

enum hak_thread_state {
	HAK_THREAD_NEW,	   /* nothing known yet */
	HAK_THREAD_SHOWN,  /* one of the program's */
	HAK_THREAD_HIDDEN, /* one of LTTng's or the tracer's own, whose allocations are not the program's */
	HAK_THREAD_GONE,   /* past its thread_exit: keeps no batch any more */
};

struct hak_batch;

struct hak_tracer_thread {
	struct hak_batch *batch;
	uint64_t next_operation; /* with HAK_THREAD_GONE: the number of the next operation */
	uint32_t unloads;	 /* the count of unloads when this thread first walked its stack */
	uint8_t state;		 /* enum hak_thread_state */
	bool is_flushing;	 /* holds its batch's lock */
	bool is_walking;	 /* inside libunwind */
	bool is_forking;	 /* between fork's first and last phase */
	bool is_entering;	 /* inside our fork: in the child, LTTng's work to be in its sessions again */
	bool has_walked;
	bool is_leaving;  /* ends its process, or replaces the program */
	bool is_asking;	  /* inside pthread_getattr_np */
	bool knows_stack; /* the next two are known, or never will be */
	uintptr_t stack_low, stack_high;
};

extern __attribute__((visibility("hidden"))) _Thread_local struct hak_tracer_thread hak_tracer_thread;

/* Counts an allocation of a thread that is not traced; how many there were. Class ids above 255 are not
 * counted. */
void hak_thread_hide(uint32_t class_id);
uint64_t hak_thread_hidden(uint32_t class_id);

/* Notes how LTTng names its threads. In the thread that has just loaded it, or forked. */
void hak_thread_expect_lttng(void);

/* Decides once whether the calling thread is the program's. Keeps errno. */
bool hak_thread_classify(void);

/* Around what may set errno or be a cancellation point, as writing an event is. */
struct hak_thread_guard {
	int saved_errno;
	int cancel_state;
};

static inline struct hak_thread_guard hak_thread_guard_begin(void)
{
	struct hak_thread_guard guard = { .saved_errno = errno };
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &guard.cancel_state);
	return guard;
}

static inline void hak_thread_guard_end(struct hak_thread_guard guard)
{
	pthread_setcancelstate(guard.cancel_state, NULL);
	errno = guard.saved_errno;
}

/* Whether operations of the calling thread are to be traced. */
static inline bool hak_thread_is_traced(void)
{
	return __builtin_expect(hak_tracer_thread.state == HAK_THREAD_SHOWN, 1) || hak_thread_classify();
}

#endif
