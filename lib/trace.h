/* SPDX-License-Identifier: MIT */
/*
 * The allocator's side of tracing: who is attached, what it wants, and calling it safely.
 * Only slow paths come here. A hook runs with errno kept and its thread marked; while the
 * mark is set nothing is traced.
 */
#ifndef HAK_LIB_TRACE_H
#define HAK_LIB_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "compiler.h"
#include "hakmem_trace.h"

extern HAK_HIDDEN _Atomic(const struct hak_trace_ops *) hak_trace_attached;
extern HAK_HIDDEN HAK_THREAD_LOCAL bool hak_trace_unseen;

/*
 * Which full tracing is under way: odd while every operation is traced, one more with each
 * beginning and each end. What an earlier one remembered of a block is unknown to it.
 */
extern HAK_HIDDEN atomic_uint hak_trace_full;

HAK_INLINE uint32_t hak_trace_generation(void)
{
	return atomic_load_explicit(&hak_trace_full, memory_order_relaxed);
}

HAK_HIDDEN unsigned hak_trace_want_slow(const struct hak_trace_ops *ops);

/* The bits of enum hak_trace_want just now; 0 without a tracer. */
HAK_INLINE unsigned hak_trace_want(void)
{
	const struct hak_trace_ops *ops = atomic_load_explicit(&hak_trace_attached, memory_order_acquire);
	return HAK_LIKELY(!ops) ? 0 : hak_trace_want_slow(ops);
}

/* Each calls its hook when a tracer is attached and the thread is not marked. */
HAK_HIDDEN void hak_trace_alloc(unsigned want, const struct hak_trace_op *op);
HAK_HIDDEN void hak_trace_free(unsigned want, const struct hak_trace_op *op);
HAK_HIDDEN void hak_trace_resize(unsigned want, const struct hak_trace_op *op, uint64_t old_requested);
HAK_HIDDEN void hak_trace_sample_alloc(const struct hak_trace_op *op, struct hak_trace_sample *sample);
HAK_HIDDEN void hak_trace_sample_resize(const struct hak_trace_op *op, const struct hak_trace_op *former,
					const struct hak_trace_sample *sample);
HAK_HIDDEN void hak_trace_sample_free(const struct hak_trace_op *op, const struct hak_trace_sample *sample);
HAK_HIDDEN void hak_trace_change(enum hak_trace_change what, const void *start, uint64_t bytes,
				 uint32_t class_id);
HAK_HIDDEN void hak_trace_oom(uint64_t requested, uint64_t alignment);
HAK_HIDDEN void hak_trace_corruption(const void *ptr, const char *what);
HAK_HIDDEN void hak_trace_thread_exit(void);
HAK_HIDDEN void hak_trace_fork(int phase);

#endif
