/* SPDX-License-Identifier: MIT */
/* Telling LTTng's threads from the program's. */
#include "thread.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "worker.h"

enum { CLASSES = 256 };

_Thread_local struct hak_tracer_thread hak_tracer_thread;

static _Atomic(uint64_t) hidden[CLASSES];

static char lttng_name[16];

/*
 * LTTng-UST runs threads of its own in every process, and they name themselves before they
 * allocate: after the thread that brought LTTng in, cut off, with "-ust" behind it.
 */
void hak_thread_expect_lttng(void)
{
	static const char suffix[] = "-ust";
	char name[sizeof lttng_name] = "";
	size_t length;

	if (prctl(PR_GET_NAME, name) != 0) {
		return;
	}
	length = strnlen(name, sizeof name - sizeof suffix);
	memcpy(lttng_name, name, length);
	memcpy(lttng_name + length, suffix, sizeof suffix);
}

/* What these do would otherwise stand in the program's account. The first thread is always the program's. */
static bool is_lttng(void)
{
	char name[sizeof lttng_name] = "";
	return gettid() != getpid() && prctl(PR_GET_NAME, name) == 0 &&
	       strncmp(name, lttng_name, sizeof name) == 0;
}

void hak_thread_hide(uint32_t class_id)
{
	if (class_id < CLASSES) {
		atomic_fetch_add_explicit(&hidden[class_id], 1, memory_order_relaxed);
	}
}

uint64_t hak_thread_hidden(uint32_t class_id)
{
	return class_id < CLASSES ? atomic_load_explicit(&hidden[class_id], memory_order_relaxed) : 0;
}

bool hak_thread_classify(void)
{
	if (hak_tracer_thread.state == HAK_THREAD_NEW) {
		struct hak_thread_guard guard = hak_thread_guard_begin();
		hak_tracer_thread.state = is_lttng() ? HAK_THREAD_HIDDEN : HAK_THREAD_SHOWN;
		hak_worker_start_if_missing();
		hak_thread_guard_end(guard);
	}
	return hak_tracer_thread.state != HAK_THREAD_HIDDEN;
}
