/* SPDX-License-Identifier: MIT */
/*
 * The tracer as the allocator sees it: attaches when the library is loaded, and turns each
 * hook into LTTng events. A hook writes only what a session enabled; the tracepoint macros
 * test that. Hooks run in the program's threads with errno kept and re-entry barred by the
 * allocator. An operation takes no lock but its own batch's, and that one when the batch is
 * full; a thread's first one, a sample that finds a session changed, and a stack with frames that
 * libunwind has not seen take locks that threads share.
 */
#include <stdatomic.h>
#include <sys/auxv.h>

#include "batch.h"
#include "clock.h"
#include "estimate.h"
#include "hak_tp.h"
#include "hakmem_ops_word.h"
#include "host.h"
#include "leave.h"
#include "modules.h"
#include "session.h"
#include "snapshot.h"
#include "stack.h"
#include "stack_table.h"
#include "thread.h"
#include "worker.h"

static unsigned frag_percent;

static uint64_t pack(enum hak_word_kind kind, const struct hak_trace_op *op)
{
	unsigned log2 = op->alignment ? (unsigned)__builtin_ctzll(op->alignment) : 0;
	return hak_word_pack(kind, op->class_id, op->reason, op->flags, log2 < 31 ? log2 : 31,
			     op->route == HAK_ROUTE_LARGE, op->requested);
}

static void batch_operation(enum hak_word_kind kind, const struct hak_trace_op *op)
{
	if (op->route != HAK_ROUTE_LARGE && op->alignment == 0 && op->requested <= HAK_OPS_LONG_MAX) {
		hak_batch_add(hak_ops_head(kind, op->class_id),
			      hak_ops_key(op->requested, op->reason, op->flags));
	} else {
		const uint64_t words[] = { pack(kind, op), op->usable };
		hak_batch_add_full(words, op->route == HAK_ROUTE_LARGE ? 2 : 1);
	}
}

/* The short way: nothing but `ops` is listened to. Keeps errno. */
static void on_packed(unsigned head, uint64_t key)
{
	if (hak_thread_is_traced()) {
		hak_batch_add(head, key);
	} else if ((head & 1) == HAK_WORD_ALLOC) {
		hak_thread_hide(head >> 1);
	}
}

static void write_frag(const struct hak_trace_op *op, unsigned percent)
{
	struct hak_stack stack;
	hak_stack_capture(&stack);
	lttng_ust_do_tracepoint(hakmem, frag, op, percent, stack.frames, stack.depth);
}

static unsigned waste_percent(const struct hak_trace_op *op)
{
	uint64_t waste = op->usable > op->requested ? op->usable - op->requested : 0;
	if (op->usable == 0) {
		return 0;
	}
	return (unsigned)(op->usable > UINT64_MAX / 100 ? waste / (op->usable / 100)
							: waste * 100 / op->usable);
}

static void write_alloc_events(const struct hak_trace_op *op)
{
	if (!hak_session_begin_event()) {
		return;
	}
	lttng_ust_tracepoint(hakmem, route, op);
	lttng_ust_tracepoint(hakmem, class_select, op);
	lttng_ust_tracepoint(hakmem, alloc, op);
	if (lttng_ust_tracepoint_enabled(hakmem, frag)) {
		unsigned percent = waste_percent(op);
		if (percent >= frag_percent) {
			write_frag(op, percent);
		}
	}
	hak_session_end_event();
}

static void on_alloc(unsigned want, const struct hak_trace_op *op)
{
	if (!hak_thread_is_traced()) {
		hak_thread_hide(op->class_id);
		return;
	}
	if (want & HAK_TRACE_OPS) {
		batch_operation(HAK_WORD_ALLOC, op);
	}
	if (want & HAK_TRACE_EVENTS) {
		write_alloc_events(op);
	}
}

static void on_free(unsigned want, const struct hak_trace_op *op)
{
	if (!hak_thread_is_traced()) {
		return;
	}
	if (want & HAK_TRACE_OPS) {
		batch_operation(HAK_WORD_FREE, op);
	}
	if ((want & HAK_TRACE_EVENTS) && hak_session_begin_event()) {
		lttng_ust_tracepoint(hakmem, free, op);
		hak_session_end_event();
	}
}

static void on_resize(unsigned want, const struct hak_trace_op *op, uint64_t old_requested)
{
	if (!hak_thread_is_traced()) {
		return;
	}
	if (want & HAK_TRACE_OPS) {
		const uint64_t words[] = { pack(HAK_WORD_RESIZE, op), old_requested, op->usable };
		hak_batch_add_full(words, op->route == HAK_ROUTE_LARGE ? 3 : 2);
	}
	if ((want & HAK_TRACE_EVENTS) && hak_session_begin_event()) {
		lttng_ust_tracepoint(hakmem, resize, op, old_requested);
		hak_session_end_event();
	}
}

/* A sample that nobody hears belongs to no session: `generation` 0. */
static void on_sample_alloc(const struct hak_trace_op *op, struct hak_trace_sample *sample)
{
	struct hak_session_sampling session;
	struct hak_stack stack;
	bool is_due = false;
	bool is_new;

	sample->stack_id = 0;
	sample->generation = 0;
	if (!lttng_ust_tracepoint_enabled(hakmem, sample_alloc) || !hak_thread_is_traced()) {
		return;
	}
	session = hak_session_sampling(&is_new);
	sample->generation = session.since;
	sample->time_ns = (uint64_t)hak_clock_ns();
	hak_estimate_begin(session.since);
	hak_estimate_add(session.since, op, sample->weight, 1);
	hak_stack_capture(&stack);
	if (stack.depth) {
		sample->stack_id =
			hak_stack_id(stack.frames, stack.depth, session.listeners, sample->time_ns, &is_due);
	}
	if (hak_session_begin_event()) {
		lttng_ust_do_tracepoint(hakmem, sample_alloc, op, sample, stack.frames,
					is_due ? stack.depth : 0);
		hak_session_end_event();
	}
	if (is_new) {
		hak_worker_wake();
	}
}

/* The estimate is of what is live, so it follows though nobody may hear of a resize or free itself. */
static void on_sample_resize(const struct hak_trace_op *op, const struct hak_trace_op *former,
			     const struct hak_trace_sample *sample)
{
	hak_estimate_add(sample->generation, former, sample->weight, -1);
	hak_estimate_add(sample->generation, op, sample->weight, 1);
	if (!lttng_ust_tracepoint_enabled(hakmem, sample_resize) || !hak_thread_is_traced()) {
		return;
	}
	if (hak_session_begin_event()) {
		lttng_ust_do_tracepoint(hakmem, sample_resize, op, former, sample);
		hak_session_end_event();
	}
}

static void on_sample_free(const struct hak_trace_op *op, const struct hak_trace_sample *sample)
{
	uint64_t lifetime_ns = 0;
	bool is_new;

	hak_estimate_add(sample->generation, op, sample->weight, -1);
	if (!lttng_ust_tracepoint_enabled(hakmem, sample_free) || !hak_thread_is_traced()) {
		return;
	}
	if (sample->generation != 0 && sample->generation == hak_session_sampling(&is_new).since) {
		uint64_t now = (uint64_t)hak_clock_ns();
		lifetime_ns = now > sample->time_ns ? now - sample->time_ns : 1;
	}
	if (hak_session_begin_event()) {
		lttng_ust_do_tracepoint(hakmem, sample_free, op, sample, lifetime_ns);
		hak_session_end_event();
	}
}

static void on_change(enum hak_trace_change what, const void *start, uint64_t bytes, uint32_t class_id)
{
	if (!hak_session_begin_event()) {
		return;
	}
	switch (what) {
	case HAK_CHANGE_SUPERSLAB_MAP:
		lttng_ust_tracepoint(hakmem, superslab_map, start, bytes);
		break;
	case HAK_CHANGE_SUPERSLAB_UNMAP:
		lttng_ust_tracepoint(hakmem, superslab_unmap, start, bytes);
		break;
	case HAK_CHANGE_SLAB_ACQUIRE:
		lttng_ust_tracepoint(hakmem, slab_acquire, start, bytes, class_id);
		break;
	case HAK_CHANGE_SLAB_RELEASE:
		lttng_ust_tracepoint(hakmem, slab_release, start, bytes, class_id);
		break;
	case HAK_CHANGE_PURGE:
		lttng_ust_tracepoint(hakmem, purge, start, bytes);
		break;
	}
	hak_session_end_event();
}

static void on_oom(uint64_t requested, uint64_t alignment)
{
	if (hak_session_begin_event()) {
		lttng_ust_tracepoint(hakmem, oom, requested, alignment);
		hak_session_end_event();
	}
}

/* The process is aborted next: nobody else will write what was gathered. */
static void on_corruption(const void *ptr, const char *what)
{
	lttng_ust_tracepoint(hakmem, corruption, ptr, what);
	hak_leave_begin();
}

/*
 * No event is written in here: around a fork LTTng may hold its own locks. The parent keeps
 * what its threads gathered, the child starts with nothing.
 */
static void on_fork(int phase)
{
	hak_tracer_thread.is_forking = phase == 0;
	hak_stack_fork(phase);
	if (phase == 2) {
		if (hak_tracer_thread.state == HAK_THREAD_NEW ||
		    hak_tracer_thread.state == HAK_THREAD_SHOWN) {
			hak_tracer_thread.state =
				hak_tracer_thread.is_entering ? HAK_THREAD_HIDDEN : HAK_THREAD_NEW;
		}
		hak_thread_expect_lttng();
		hak_modules_after_fork();
		hak_session_after_fork();
		hak_batch_after_fork();
		hak_leave_after_fork();
		hak_snapshot_after_fork();
		hak_worker_after_fork();
	}
}

static const struct hak_trace_ops ops = {
	.abi = HAK_TRACE_ABI,
	.size = sizeof(struct hak_trace_ops),
	.wanted = hak_session_wanted,
	.packed = on_packed,
	.alloc = on_alloc,
	.free = on_free,
	.resize = on_resize,
	.sample_alloc = on_sample_alloc,
	.sample_resize = on_sample_resize,
	.sample_free = on_sample_free,
	.change = on_change,
	.oom = on_oom,
	.corruption = on_corruption,
	.thread_exit = hak_batch_thread_exit,
	.fork = on_fork,
};

static void start(void *arg)
{
	struct hakmem_config config;

	(void)arg;
	hakmem_config_read(&config);
	frag_percent = config.frag_percent;
	hak_stack_start(config.stack_depth, config.frame_pointers != 0);
	hak_thread_expect_lttng();
	if (hak_trace_attach(&ops) == 0) {
		hak_leave_start();
		hak_snapshot_start(config.snapshot_ms);
	}
}

/* A program that runs with more rights than its user is not traced; LTTng refuses it too. */
static __attribute__((constructor)) void attach(void)
{
	if (!getauxval(AT_SECURE) && hak_host_present()) {
		hak_trace_run_unseen(start, NULL);
		hak_trace_notice();
	}
}
