/* SPDX-License-Identifier: MIT */
/* Attaching, and the guarded calls. */
#include "trace.h"

#include <errno.h>
#include <pthread.h>

#include "lock.h"

_Atomic(const struct hak_trace_ops *) hak_trace_attached;
HAK_THREAD_LOCAL bool hak_trace_unseen;
atomic_uint hak_trace_full;

static void note_full(bool is_full)
{
	unsigned now = hak_trace_generation();
	if ((now & 1) != is_full) { /* when it fails, another thread has done it */
		atomic_compare_exchange_strong(&hak_trace_full, &now, now + 1);
	}
}

HAK_EXPORT int hak_trace_attach(const struct hak_trace_ops *ops)
{
	const struct hak_trace_ops *none = NULL;
	if (!ops || ops->abi != HAK_TRACE_ABI || ops->size < sizeof *ops) {
		return -EINVAL;
	}
	return atomic_compare_exchange_strong(&hak_trace_attached, &none, ops) ? 0 : -EBUSY;
}

HAK_EXPORT void hak_trace_detach(void)
{
	atomic_store(&hak_trace_attached, NULL);
	note_full(false);
}

HAK_EXPORT void hak_trace_run_unseen(void (*fn)(void *), void *arg)
{
	bool before = hak_trace_unseen;
	int cancel;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	hak_trace_unseen = true;
	fn(arg);
	hak_trace_unseen = before;
	pthread_setcancelstate(cancel, NULL);
}

HAK_EXPORT bool hak_trace_is_inside(void)
{
	return hak_trace_unseen || hak_locks_held != 0;
}

unsigned hak_trace_want_slow(const struct hak_trace_ops *ops)
{
	unsigned want = ops->wanted();
	note_full((want & HAK_TRACE_EVERY_OP) != 0);
	return want;
}

/*
 * Runs one hook; `ops` is in scope of the call. What a tracer calls may be a cancellation point,
 * and malloc and free are none.
 */
#define CALL(hook, ...)                                                                                      \
	do {                                                                                                 \
		const struct hak_trace_ops *ops =                                                            \
			atomic_load_explicit(&hak_trace_attached, memory_order_acquire);                     \
		if (ops && ops->hook && !hak_trace_unseen) {                                                 \
			int saved = errno;                                                                   \
			int cancel;                                                                          \
			pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);                             \
			hak_trace_unseen = true;                                                             \
			ops->hook(__VA_ARGS__);                                                              \
			hak_trace_unseen = false;                                                            \
			pthread_setcancelstate(cancel, NULL);                                                \
			errno = saved;                                                                       \
		}                                                                                            \
	} while (0)

void hak_trace_alloc(unsigned want, const struct hak_trace_op *op)
{
	CALL(alloc, want, op);
}

void hak_trace_free(unsigned want, const struct hak_trace_op *op)
{
	CALL(free, want, op);
}

void hak_trace_resize(unsigned want, const struct hak_trace_op *op, uint64_t old_requested)
{
	CALL(resize, want, op, old_requested);
}

void hak_trace_sample_alloc(const struct hak_trace_op *op, struct hak_trace_sample *sample)
{
	CALL(sample_alloc, op, sample);
}

void hak_trace_sample_resize(const struct hak_trace_op *op, const struct hak_trace_op *former,
			     const struct hak_trace_sample *sample)
{
	CALL(sample_resize, op, former, sample);
}

void hak_trace_sample_free(const struct hak_trace_op *op, const struct hak_trace_sample *sample)
{
	CALL(sample_free, op, sample);
}

void hak_trace_change(enum hak_trace_change what, const void *start, uint64_t bytes, uint32_t class_id)
{
	if (hak_trace_want() & HAK_TRACE_HEAP) {
		CALL(change, what, start, bytes, class_id);
	}
}

void hak_trace_oom(uint64_t requested, uint64_t alignment)
{
	CALL(oom, requested, alignment);
}

void hak_trace_corruption(const void *ptr, const char *what)
{
	CALL(corruption, ptr, what);
}

void hak_trace_thread_exit(void)
{
	CALL(thread_exit);
}

void hak_trace_fork(int phase)
{
	CALL(fork, phase);
}
