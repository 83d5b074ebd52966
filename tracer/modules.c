/* SPDX-License-Identifier: MIT */
/*
 * A cold unwind asks dl_iterate_phdr which module an address belongs to, and that takes the
 * loader's lock. When one thread is in dlopen while another forks, the child inherits the
 * lock taken by nobody and hangs at its first cold unwind. glibc has answered since 2.35
 * with _dl_find_object, which needs no lock; libunwind does not know it yet.
 */
#include "modules.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "clock.h"
#include "thread.h"

enum { LOCK_WAIT_MS = 1000 };

#pragma weak _dl_find_object

/* LTTng-UST exports it for its dlopen wrapper, without a header: tells what was loaded and unloaded. */
void lttng_ust_dl_update(void *ip);
#pragma weak lttng_ust_dl_update

static _Atomic(uint32_t) unloads;
static _Atomic(unsigned long long) seen_unloads;
static void (*after_unload)(void);
static int (*real_dlclose)(void *);

typedef int iterate_fn(int (*)(struct dl_phdr_info *, size_t, void *), void *);
static iterate_fn *real_iterate;
static atomic_uint iterators; /* threads that list the modules, and hold the loader's lock for it */
static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;
static unsigned long long seen_loads; /* looking */
static bool is_fork_ours;
static _Thread_local bool is_fork_locked;
static bool is_stuck; /* a fork child of a process that was loading, unloading or listing modules */

bool hak_modules_are_lock_free(void)
{
	return _dl_find_object != NULL;
}

/* The module as libunwind's callback wants it: its extent, unwind table and dynamic section. */
static int call_back(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data,
		     const struct dl_find_object *found)
{
	const struct link_map *map = found->dlfo_link_map;
	ElfW(Addr) base = map->l_addr;
	ElfW(Addr) start = (ElfW(Addr))found->dlfo_map_start - base;
	ElfW(Xword) length =
		(ElfW(Xword))((ElfW(Addr))found->dlfo_map_end - (ElfW(Addr))found->dlfo_map_start);
	ElfW(Phdr) headers[] = {
		{ .p_type = PT_LOAD, .p_vaddr = start, .p_filesz = length, .p_memsz = length },
		{ .p_type = PT_GNU_EH_FRAME, .p_vaddr = (ElfW(Addr))found->dlfo_eh_frame - base },
		{ .p_type = PT_DYNAMIC, .p_vaddr = (ElfW(Addr))map->l_ld - base },
	};
	struct dl_phdr_info info = {
		.dlpi_addr = base,
		.dlpi_name = map->l_name,
		.dlpi_phdr = headers,
		.dlpi_phnum = map->l_ld ? 3 : 2,
	};
	return callback(&info, sizeof info, data);
}

/*
 * libunwind's callback data begin with the address that it looks for, in all versions from
 * 1.1 to 1.8; the start-up test of the unwinder proves it for the one at hand. The callback
 * compares the address with the module's extent itself, so a wrong guess finds nothing.
 */
int hak_modules_iterate(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data)
{
	struct dl_find_object found;
	if (!hak_tracer_thread.is_walking || !hak_modules_are_lock_free()) {
		return dl_iterate_phdr(callback, data);
	}
	if (_dl_find_object(*(void **)data, &found) != 0 || !found.dlfo_eh_frame) {
		return 0;
	}
	return call_back(callback, data, &found);
}

uint32_t hak_modules_unloads(void)
{
	return atomic_load_explicit(&unloads, memory_order_acquire);
}

static int read_unloads(struct dl_phdr_info *info, size_t size, void *subs)
{
	if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs) {
		*(unsigned long long *)subs = info->dlpi_subs;
	}
	return 1;
}

static int read_loads(struct dl_phdr_info *info, size_t size, void *adds)
{
	if (size >= offsetof(struct dl_phdr_info, dlpi_adds) + sizeof info->dlpi_adds) {
		*(unsigned long long *)adds = info->dlpi_adds;
	}
	return 1;
}

/*
 * For so long at most: a signal handler may fork, or end the process, while its thread holds the loader's
 * lock, for which a look may wait.
 */
static bool lock_for_a_while(void)
{
	struct timespec deadline = hak_clock_in_ms(LOCK_WAIT_MS);
	return pthread_mutex_clocklock(&looking, CLOCK_MONOTONIC, &deadline) == 0;
}

void hak_modules_look(void)
{
	unsigned long long loads = 0;
	if (!is_fork_ours || is_stuck || !lttng_ust_dl_update || !lock_for_a_while()) {
		return;
	}
	dl_iterate_phdr(read_loads, &loads);
	if (loads != seen_loads) {
		seen_loads = loads;
		lttng_ust_dl_update((void *)hak_modules_look);
	}
	pthread_mutex_unlock(&looking);
}

void hak_modules_fork_begin(void)
{
	is_fork_locked = lock_for_a_while();
}

/* In the child, too, it is unlocked, not made anew: the child's own thread of the tracer may wait for it by
 * now. */
void hak_modules_fork_end(bool in_child)
{
	if (is_fork_locked) {
		pthread_mutex_unlock(&looking);
	} else if (in_child) {
		pthread_mutex_init(&looking, NULL);
	}
	is_fork_locked = false;
}

static bool is_ours(const void *function)
{
	Dl_info theirs, ours;
	return function && dladdr(function, &theirs) != 0 && dladdr((void *)is_ours, &ours) != 0 &&
	       theirs.dli_fbase == ours.dli_fbase;
}

void hak_modules_start(void (*on_unload)(void))
{
	unsigned long long subs = 0;
	dl_iterate_phdr(read_loads, &seen_loads); /* of these LTTng knows */
	is_fork_ours = is_ours(dlsym(RTLD_DEFAULT, "fork"));
	dl_iterate_phdr(read_unloads, &subs);
	atomic_store(&seen_unloads, subs);
	real_dlclose = (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
	after_unload = on_unload;
}

/*
 * Stands before libc's when the tracer is preloaded. Most calls only drop a reference; the
 * loader's own count says whether something went. The lock taken for that is one that the
 * caller has just held.
 */
__attribute__((visibility("default"))) int dlclose(void *handle)
{
	int (*real)(void *) = real_dlclose ? real_dlclose : (int (*)(void *))dlsym(RTLD_NEXT, "dlclose");
	int result = real(handle);
	unsigned long long subs = 0;

	if (after_unload) {
		dl_iterate_phdr(read_unloads, &subs);
		if (atomic_exchange(&seen_unloads, subs) != subs) {
			after_unload();
			atomic_fetch_add(&unloads, 1);
		}
	}
	return result;
}

/*
 * What is written is a note to debuggers, that the list of modules changes. Nobody changes it any
 * more; a dlopen that finds the note there gives up by an assertion, though it opens what has long
 * been loaded and looks for it by name, in a list whose entries are linked when they are complete.
 */
void hak_modules_after_fork(void)
{
	if (_r_debug.r_state != RT_CONSISTENT) {
		_r_debug.r_state = RT_CONSISTENT;
		is_stuck = true;
	}
	if (atomic_exchange(&iterators, 0) != 0) {
		is_stuck = true;
	}
}

/*
 * Stands before libc's when the tracer is preloaded. LTTng lists the modules in each fork child; in
 * one that inherited the loader's lock from a thread that does not exist there it would wait for
 * ever. Such a child has no modules.
 */
__attribute__((visibility("default"))) int
dl_iterate_phdr(int (*callback)(struct dl_phdr_info *, size_t, void *), void *data)
{
	if (!real_iterate) {
		real_iterate = (iterate_fn *)dlsym(RTLD_NEXT, "dl_iterate_phdr");
	}
	if (is_stuck || !real_iterate) {
		return 0;
	}
	atomic_fetch_add(&iterators, 1);
	int result = real_iterate(callback, data);
	atomic_fetch_sub(&iterators, 1);
	return result;
}
