/* SPDX-License-Identifier: MIT */
/*
 * Reading the state of the tracepoints. LTTng replaces a tracepoint's list of listeners as
 * a whole, so the list's address serves as its identity; it is compared, never followed.
 * A session that ends and another that begins between two looks may go unnoticed when the
 * new list happens to lie where the old one was: configuration and stacks are therefore
 * repeated from time to time.
 */
#include "session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "hak_tp.h"
#include "worker.h"

/* The state itself, 0 or 1: states are added up without a branch, for in full mode the
 * allocator asks at each operation. */
#define STATE(event)   ((unsigned)CMM_LOAD_SHARED(lttng_ust_tracepoint_hakmem___##event.state))
#define ENABLED(event) (lttng_ust_tracepoint_enabled(hakmem, event) != 0)
#define LISTENER(event)                                                                                      \
	(ENABLED(event) ? (const void *)CMM_LOAD_SHARED(lttng_ust_tracepoint_hakmem___##event.probes) : NULL)

atomic_bool hak_session_is_closed;

/* Guards the changes of the next three. */
static pthread_mutex_t sampler_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(const void *) sampler;
static _Atomic(uint32_t) sampling_since;
static _Atomic(uint32_t) sampling_listeners;

/* Used by the tracer's thread only. */
static const void *told[4];

static unsigned bit(unsigned states, unsigned want)
{
	return states ? want : 0;
}

/* What the sessions enable. */
static unsigned enabled(void)
{
	unsigned samples = STATE(sample_alloc) | STATE(sample_free);
	unsigned heap = STATE(superslab_map) | STATE(superslab_unmap) | STATE(slab_acquire) |
			STATE(slab_release) | STATE(purge);
	unsigned events =
		STATE(alloc) | STATE(free) | STATE(resize) | STATE(frag) | STATE(route) | STATE(class_select);
	return bit(samples, HAK_TRACE_SAMPLE) | bit(STATE(ops), HAK_TRACE_OPS) |
	       bit(events, HAK_TRACE_EVENTS) | bit(heap, HAK_TRACE_HEAP);
}

/*
 * In a fork child that is recorded but has no thread of the tracer's, the next operation that is
 * slow anyway is wanted, for its hook starts the thread: else there were none before the
 * child's first sample, and none at all where only snapshots are taken.
 */
static unsigned starter(unsigned want)
{
	bool starts = hak_worker_is_missing() && hak_tracer_thread.state == HAK_THREAD_NEW &&
		      !(want & HAK_TRACE_EVERY_OP) && (want || hak_session_takes_snapshots());
	return starts ? HAK_TRACE_EVENTS : 0;
}

unsigned hak_session_wanted(void)
{
	unsigned want = enabled();
	want |= starter(want);
	return atomic_load_explicit(&hak_session_is_closed, memory_order_relaxed) ? 0 : want;
}

void hak_session_close(void)
{
	hak_tracer_thread.is_leaving = true;
	atomic_store(&hak_session_is_closed, true);
}

void hak_session_reopen(void)
{
	atomic_store(&hak_session_is_closed, false);
	hak_tracer_thread.is_leaving = false;
}

/* The counters change before the listener does: whoever sees the listener sees them. */
static void note_sampler(const void *now)
{
	pthread_mutex_lock(&sampler_lock);
	const void *before = atomic_load(&sampler);
	if (now != before) {
		if (now && !before) {
			atomic_fetch_add(&sampling_since, 1);
		}
		if (now) {
			atomic_fetch_add(&sampling_listeners, 1);
		}
		atomic_store(&sampler, now);
	}
	pthread_mutex_unlock(&sampler_lock);
}

struct hak_session_sampling hak_session_sampling(bool *is_new)
{
	struct hak_session_sampling s;
	const void *now = LISTENER(sample_alloc);

	*is_new = now != atomic_load_explicit(&sampler, memory_order_acquire);
	if (*is_new) {
		note_sampler(now);
	}
	s.since = atomic_load_explicit(&sampling_since, memory_order_relaxed);
	s.listeners = atomic_load_explicit(&sampling_listeners, memory_order_relaxed);
	return s;
}

bool hak_session_has_come(void)
{
	const void *now[4] = { LISTENER(config), LISTENER(class_info), LISTENER(class_stats),
			       LISTENER(heap_stats) };
	bool has_come = false;
	bool is_new;

	(void)hak_session_sampling(&is_new);
	for (size_t i = 0; i < 4; i++) {
		has_come |= now[i] && now[i] != told[i];
		told[i] = now[i];
	}
	return has_come;
}

bool hak_session_takes_snapshots(void)
{
	return ENABLED(config) || ENABLED(class_info) || ENABLED(class_stats) || ENABLED(heap_stats);
}

bool hak_session_takes_anything(void)
{
	return hak_session_wanted() != 0 || hak_session_takes_snapshots();
}

void hak_session_after_fork(void)
{
	pthread_mutex_init(&sampler_lock, NULL);
	hak_session_reopen(); /* the parent may be on its way out */
	for (size_t i = 0; i < 4; i++) {
		told[i] = NULL;
	}
}
