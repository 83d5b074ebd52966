/* SPDX-License-Identifier: MIT */
/*
 * The hook interface between the allocator and a tracer.
 *
 * A tracer attaches one `struct hak_trace_ops`. The allocator's fast paths know nothing of
 * it: they count down, and only when a countdown ends does the slow path ask `wanted()`
 * what is being listened to. While nothing is wanted, nothing is called.
 *
 * Every hook is called with no allocator lock held, with errno saved and restored and
 * cancellation disabled around it (but for `packed`), and with the calling thread marked, so that
 * memory the tracer itself allocates is served but never traced. Hooks run in any thread, also in one that is
 * about to exit and inside a signal handler that interrupted another hook: then the mark is set and no hook
 * is called.
 */
#ifndef HAKMEM_TRACE_H
#define HAKMEM_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hakmem_route_list.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HAK_TRACE_ABI 3u

/* What a tracer wants just now: a set of these bits. */
enum hak_trace_want {
	HAK_TRACE_SAMPLE = 1u << 0, /* sample_alloc, sample_resize, sample_free */
	HAK_TRACE_OPS = 1u << 1,    /* every operation, in the packed form */
	HAK_TRACE_EVENTS = 1u << 2, /* every operation, as readable events */
	HAK_TRACE_HEAP = 1u << 3,   /* structure changes */
	HAK_TRACE_EVERY_OP = HAK_TRACE_OPS | HAK_TRACE_EVENTS,
};

/* One operation on one block. Sizes in bytes. */
struct hak_trace_op {
	const void *ptr;
	uint64_t requested;
	uint64_t usable;
	uint64_t alignment; /* as asked; 0 for malloc's own */
	uint16_t class_id;
	uint8_t route;	/* enum hak_route */
	uint8_t reason; /* enum hak_reason */
	uint32_t flags; /* enum hak_op_flag */
};

/*
 * What the allocator keeps beside a sampled block, for the tracer. `requested` and
 * `weight` are set before sample_alloc; `stack_id` and `time_ns` are the tracer's. From the
 * times (nanoseconds of a monotonic clock) the allocator sees when samples come too fast.
 */
struct hak_trace_sample {
	uint64_t requested;
	uint64_t time_ns;
	double weight; /* 1 / the probability with which this block was picked */
	uint32_t stack_id;
	uint32_t generation; /* of the tracing session; the tracer's */
};

enum hak_trace_change {
	HAK_CHANGE_SUPERSLAB_MAP,
	HAK_CHANGE_SUPERSLAB_UNMAP,
	HAK_CHANGE_SLAB_ACQUIRE,
	HAK_CHANGE_SLAB_RELEASE,
	HAK_CHANGE_PURGE,
};

struct hak_trace_ops {
	uint32_t abi;  /* HAK_TRACE_ABI */
	uint32_t size; /* sizeof(struct hak_trace_ops) */

	/* The bits of enum hak_trace_want; cheap, async-signal-safe. */
	unsigned (*wanted)(void);

	/*
	 * The short way for allocations and frees while HAK_TRACE_OPS is wanted and HAK_TRACE_EVENTS is
	 * not: head and key as hakmem_ops_word.h makes them, alignment 0. Must keep errno, and be no
	 * cancellation point. Whatever is out of the ordinary comes by alloc and free all the same. NULL:
	 * everything does.
	 */
	void (*packed)(unsigned head, uint64_t key);
	/* Every operation while HAK_TRACE_OPS or HAK_TRACE_EVENTS is wanted. */
	void (*alloc)(unsigned want, const struct hak_trace_op *op);
	void (*free)(unsigned want, const struct hak_trace_op *op);
	/* A realloc that kept its block: `op` is the new state, `old_requested` the former. */
	void (*resize)(unsigned want, const struct hak_trace_op *op, uint64_t old_requested);

	/* Sampled blocks. `sample` stays valid from its alloc to its free. */
	void (*sample_alloc)(const struct hak_trace_op *op, struct hak_trace_sample *sample);
	/* A realloc that kept the block, or moved its pages: `op` is the new state, `former` what it was. */
	void (*sample_resize)(const struct hak_trace_op *op, const struct hak_trace_op *former,
			      const struct hak_trace_sample *sample);
	void (*sample_free)(const struct hak_trace_op *op, const struct hak_trace_sample *sample);

	/* Structure: the region and, for slabs, the class (else UINT32_MAX). */
	void (*change)(enum hak_trace_change what, const void *start, uint64_t bytes, uint32_t class_id);

	/* A request that no memory could be found for. */
	void (*oom)(uint64_t requested, uint64_t alignment);
	/* Misuse, just before the process is ended. `what` is the text shown to the user. */
	void (*corruption)(const void *ptr, const char *what);

	/* The calling thread's last words: flush what it has batched. */
	void (*thread_exit)(void);
	/* fork: 0 before, 1 in the parent after, 2 in the child after. */
	void (*fork)(int phase);
};

/*
 * Attaches; `ops` must live as long as the process. Returns 0, -EBUSY when a tracer is
 * attached, -EINVAL when the ABI differs. Thread-safe.
 */
int hak_trace_attach(const struct hak_trace_ops *ops);

/*
 * Detaches: no hook is entered after it returns in threads that pass a slow path later;
 * one that is inside a hook may still be there, so the tracer's code must stay loaded.
 */
void hak_trace_detach(void);

/*
 * The calling thread looks at once at what is wanted, not at its next slow path, and all its
 * later operations follow that. For a tracer that is loaded into a recording under way.
 */
void hak_trace_notice(void);

/* Runs fn(arg) with the calling thread marked, so that what it allocates is not traced. */
void hak_trace_run_unseen(void (*fn)(void *), void *arg);

/*
 * For a signal handler: whether it interrupted a hook, hak_trace_run_unseen or the allocator with a lock
 * held, so that nothing may be called that allocates or traces. Async-signal-safe.
 */
bool hak_trace_is_inside(void);

#ifdef __cplusplus
}
#endif

#endif
