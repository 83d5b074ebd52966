/* SPDX-License-Identifier: MIT */
/*
 * A frame is two words: the caller's frame and the return address. A function that was
 * compiled without frame pointers leaves anything in that register, so a frame is followed
 * only upwards, aligned, and inside the stack, all of which can be read above the present
 * frame. Whatever is wrong shortens the stack.
 */
#include "frames.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "thread.h"

unsigned hak_frames_follow(uintptr_t frame, uintptr_t low, uintptr_t high, void **frames, unsigned capacity)
{
	unsigned n = 0;
	while (n < capacity && frame >= low && frame <= high - 2 * sizeof(uintptr_t) &&
	       frame % sizeof(uintptr_t) == 0) {
		const uintptr_t *words = (const uintptr_t *)frame;
		if (words[1] == 0) {
			break;
		}
		frames[n++] = (void *)words[1];
		low = frame + 1;
		frame = words[0];
	}
	return n;
}

static int (*real_getattr)(pthread_t, pthread_attr_t *);

static void find_real(void)
{
	*(void **)&real_getattr = dlsym(RTLD_NEXT, "pthread_getattr_np");
}

/*
 * Stands before libc's when the tracer is preloaded. That one allocates with a lock of the thread's held, for
 * which the same question would wait, were it asked by the stack walk of that allocation.
 */
__attribute__((visibility("default"))) int
hak_getattr(pthread_t thread, pthread_attr_t *attributes) __asm__("pthread_getattr_np");

int hak_getattr(pthread_t thread, pthread_attr_t *attributes)
{
	bool before = hak_tracer_thread.is_asking;
	if (!real_getattr) {
		find_real();
	}
	hak_tracer_thread.is_asking = true;
	int failure = real_getattr(thread, attributes);
	hak_tracer_thread.is_asking = before;
	return failure;
}

/* Asked for once a thread: for the first one glibc reads /proc/self/maps. */
static void find_stack(void)
{
	pthread_attr_t attributes;
	size_t bytes = 0;
	void *start = NULL;
	int saved = errno;

	hak_tracer_thread.knows_stack = true;
	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		if (pthread_attr_getstack(&attributes, &start, &bytes) == 0) {
			hak_tracer_thread.stack_low = (uintptr_t)start;
			hak_tracer_thread.stack_high = (uintptr_t)start + bytes;
		}
		pthread_attr_destroy(&attributes);
	}
	errno = saved;
}

/* Where the allocator opens the tracer, ours does not stand before libc's: the first thread is safe all the
 * same. */
void hak_frames_start(void)
{
	find_real();
	find_stack();
}

unsigned hak_frames_walk(void **frames, unsigned capacity)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);

	if (!hak_tracer_thread.knows_stack) {
		if (hak_tracer_thread.is_asking) {
			return 0;
		}
		find_stack();
	}
	if (frame < hak_tracer_thread.stack_low || frame >= hak_tracer_thread.stack_high) {
		return 0;
	}
	return hak_frames_follow(frame, frame, hak_tracer_thread.stack_high, frames, capacity);
}
