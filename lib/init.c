/* SPDX-License-Identifier: MIT */
/*
 * The library's life: made by the first allocation, completed by the constructor, kept whole
 * across fork.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/single_threaded.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc.h"
#include "beside.h"
#include "large.h"
#include "lock.h"
#include "marks.h"
#include "meta.h"
#include "options.h"
#include "page_heap.h"
#include "panic.h"
#include "slab.h"
#include "trace.h"

static struct hak_lock init_lock;
static atomic_bool is_ready;

/*
 * A sanitizer brings a malloc, and interceptors of system calls that must not be called before
 * it is ready. AddressSanitizer sees that it does not come first and refuses by itself;
 * ThreadSanitizer would crash in the middle of its start. Where the sanitizer is part of the
 * program its malloc is the program's, ours is never called, and the constructor comes late
 * enough.
 */
static bool is_constructor;
extern void __tsan_init(void) __attribute__((weak));

HAK_COLD HAK_NOINLINE static void refuse_sanitizer(void)
{
	static const char line[] = "hakmem: built with ThreadSanitizer, which needs its own malloc; "
				   "run the program without libhakmem.so\n";
	if (&hak_is_malloc && __tsan_init && !is_constructor) {
		syscall(SYS_write, STDERR_FILENO, line, sizeof line - 1);
		syscall(SYS_exit_group, 1);
	}
}

HAK_COLD HAK_NOINLINE static void init_once(void)
{
	refuse_sanitizer();
	hak_lock_take(&init_lock);
	if (!atomic_load_explicit(&is_ready, memory_order_relaxed)) {
		hak_options_read();
		/* Without a region the class tables stay empty and every request takes the large route. */
		if (hak_region_init() == 0) {
			hak_class_map_build();
			if (hak_options.secure) {
				hak_marks_init();
			}
			hak_heap_init();
		}
		hak_panic_observer = hak_trace_corruption;
		atomic_store_explicit(&is_ready, true, memory_order_release);
	}
	hak_lock_drop(&init_lock);
}

void hak_init(void)
{
	if (HAK_UNLIKELY(!atomic_load_explicit(&is_ready, memory_order_acquire))) {
		init_once();
	}
}

/* --- fork ----------------------------------------------------------------------------- */

/*
 * A signal handler that forks may have interrupted the allocator, or fork itself, with locks held: they are
 * kept for those who will drop them, in the parent and in the child, and no others are waited for, whose
 * owners may wait for these. In the child those then stay as they are; a program of more threads may call
 * nothing there that needs them before it executes another (POSIX). In a process of one thread nobody else
 * holds any.
 */
static HAK_THREAD_LOCAL unsigned forks_without_locks; /* of this thread, one inside the other */

/* Locks in the order in which they nest. The depots have none. */
static void fork_prepare(void)
{
	hak_trace_fork(0);
	if (__libc_single_threaded || hak_locks_held != 0) {
		forks_without_locks++;
		return;
	}
	hak_heap_fork_lock();
	hak_beside_fork_lock();
	hak_slab_fork_lock();
	hak_large_fork_lock();
	hak_page_heap_fork_lock();
	hak_meta_fork_lock();
}

static void fork_unlock(int in_child)
{
	if (forks_without_locks != 0) {
		forks_without_locks--;
		return;
	}
	hak_meta_fork_unlock(in_child);
	hak_page_heap_fork_unlock(in_child);
	hak_large_fork_unlock(in_child);
	hak_slab_fork_unlock(in_child);
	hak_beside_fork_unlock(in_child);
	hak_heap_fork_unlock(in_child);
}

static void fork_parent(void)
{
	fork_unlock(0);
	hak_trace_fork(1);
}

static void fork_child(void)
{
	/* Taking over the caches of other threads must not trace: the tracer has not seen the fork. */
	bool before = hak_trace_unseen;
	hak_trace_unseen = true;
	fork_unlock(1);
	hak_trace_unseen = before;
	hak_trace_fork(2);
}

/* --- start -------------------------------------------------------------------- */

/* The tracer lies beside this library, or where the loader finds it by name. */
static void load_tracer(void)
{
	static const char name[] = "libhakmem-tracer.so";
	Dl_info self;
	char path[4096];
	const char *slash;
	if (dladdr((void *)load_tracer, &self) && self.dli_fname && (slash = strrchr(self.dli_fname, '/'))) {
		size_t folder = (size_t)(slash + 1 - self.dli_fname);
		if (folder + sizeof name <= sizeof path) {
			memcpy(path, self.dli_fname, folder);
			memcpy(path + folder, name, sizeof name);
			if (dlopen(path, RTLD_NOW | RTLD_GLOBAL)) {
				return;
			}
		}
	}
	if (!dlopen(name, RTLD_NOW | RTLD_GLOBAL)) {
		hak_warn("HAKMEM_TRACE: ", dlerror(), NULL);
	}
}

/* Before the other constructors of this library. */
__attribute__((constructor(101))) static void start(void)
{
	is_constructor = true;
	hak_init();
	pthread_atfork(fork_prepare, fork_parent, fork_child);
	if (hak_options.trace) {
		load_tracer();
	}
}
