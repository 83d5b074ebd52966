/* SPDX-License-Identifier: MIT */
/*
 * Capturing a stack, by libunwind or by frame pointers.
 *
 * libunwind takes locks of its own on cold frames. A child must not inherit them taken, so
 * fork waits until no other thread is inside; if one does not come out in time, the child
 * does without stacks.
 */
#include "stack.h"

#include <dlfcn.h>
#include <link.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "frames.h"
#include "host.h"
#include "modules.h"
#include "thread.h"
#include "unwinder.h"

enum { FORK_WAIT_MS = 1000 };

struct range {
	uintptr_t start;
	uintptr_t end;
};

static struct range own[2]; /* the tracer's and the allocator's code */
static unsigned most_frames;
static bool by_frames;
static atomic_bool is_usable;
static atomic_uint walkers;
static atomic_uint forkers;
static bool fork_waited_in_vain; /* between the phases of one fork; LTTng serialises forks, else rare */

static bool is_own(uintptr_t address)
{
	return address - own[0].start < own[0].end - own[0].start ||
	       address - own[1].start < own[1].end - own[1].start;
}

static void drop_own_frames(struct hak_stack *stack)
{
	uint32_t skip = 0;
	while (skip < stack->depth && is_own((uintptr_t)stack->frames[skip])) {
		skip++;
	}
	stack->frames += skip;
	stack->depth -= skip;
	if (stack->depth > most_frames) {
		stack->depth = most_frames;
	}
}

/* The return addresses that libunwind finds, unless a fork is under way. */
static unsigned unwind(void **frames, unsigned capacity)
{
	unsigned depth = 0;
	if (!atomic_load_explicit(&is_usable, memory_order_relaxed) || hak_tracer_thread.is_forking) {
		return 0;
	}
	atomic_fetch_add(&walkers, 1);
	if (atomic_load(&forkers) == 0) {
		depth = hak_unwinder_walk(frames, capacity);
	}
	atomic_fetch_sub(&walkers, 1);
	return depth;
}

void hak_stack_capture(struct hak_stack *stack)
{
	unsigned capacity = most_frames + HAK_STACK_ROOM - HAK_STACK_MAX;

	stack->frames = stack->room;
	stack->depth = by_frames ? hak_frames_walk((void **)stack->room, capacity) : 0;
	if (stack->depth == 0) { /* on a signal's stack, or a coroutine's, too */
		stack->depth = unwind((void **)stack->room, capacity);
	}
	drop_own_frames(stack);
}

struct search {
	uintptr_t inside;
	struct range found;
};

static int find_module(struct dl_phdr_info *info, size_t size, void *data)
{
	struct search *s = data;
	struct range r = { UINTPTR_MAX, 0 };

	(void)size;
	for (ElfW(Half) i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;
		if (p->p_type == PT_LOAD) {
			r.start = start < r.start ? start : r.start;
			r.end = start + p->p_memsz > r.end ? start + p->p_memsz : r.end;
		}
	}
	if (s->inside < r.start || s->inside >= r.end) {
		return 0;
	}
	s->found = r;
	return 1;
}

static struct range module_of(uintptr_t address)
{
	struct search s = { .inside = address };
	dl_iterate_phdr(find_module, &s);
	return s.found;
}

/* Where the allocator is linked into the program its frames cannot be told apart by module. */
static bool is_allocator_apart(void)
{
	Dl_info info;
	return dladdr((void *)hak_trace_attach, &info) != 0 && info.dli_fname &&
	       strstr(info.dli_fname, "libhakmem") != NULL;
}

void hak_stack_start(unsigned depth, bool by_frame_pointers)
{
	by_frames = by_frame_pointers;
	most_frames = depth < 1 ? 1 : depth > HAK_STACK_MAX ? HAK_STACK_MAX : depth;
	if (by_frames) {
		hak_frames_start();
	}
	own[0] = module_of((uintptr_t)hak_stack_start);
	if (is_allocator_apart()) {
		own[1] = module_of((uintptr_t)hak_trace_attach);
	}
	atomic_store(&is_usable, hak_unwinder_start());
}

/* Others than the calling thread, which may fork from a signal handler inside a walk. */
static bool wait_for_walkers(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	unsigned self = hak_tracer_thread.is_walking ? 1 : 0;
	for (int waited_ms = 0; atomic_load(&walkers) > self; waited_ms++) {
		if (waited_ms == FORK_WAIT_MS) {
			return false;
		}
		if (waited_ms == 0) {
			sched_yield();
		} else {
			nanosleep(&pause, NULL);
		}
	}
	return true;
}

void hak_stack_fork(int phase)
{
	switch (phase) {
	case 0:
		atomic_fetch_add(&forkers, 1);
		fork_waited_in_vain = !wait_for_walkers();
		break;
	case 1:
		atomic_fetch_sub(&forkers, 1);
		break;
	default:
		atomic_store(&forkers, 0);
		atomic_store(&walkers, hak_tracer_thread.is_walking ? 1 : 0);
		if (fork_waited_in_vain || !hak_modules_are_lock_free()) {
			atomic_store(&is_usable, false);
		}
		break;
	}
}
