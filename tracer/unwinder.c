/* SPDX-License-Identifier: MIT */
/*
 * libunwind is not linked but opened with a scope of its own: it exports _Unwind_* and
 * `backtrace`, and from a preloaded library these would replace libgcc's for every program
 * that loads its C++ parts later.
 *
 * Five of its imports are redirected, and act differently only while a thread of ours walks:
 * - dl_iterate_phdr takes the loader's lock (modules.c);
 * - pipe2, read, syscall and mincore serve to test whether memory can be read. libunwind
 *   keeps a pipe for that. A daemon that closes all descriptors would hand those numbers to
 *   its own files, from which libunwind then reads a byte. One system call that looks at
 *   the address does the same without a descriptor.
 */
#include "unwinder.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include "import.h"
#include "modules.h"
#include "thread.h"

#define LIBUNWIND "libunwind.so.8"
#define TEXT_(x)  #x
#define TEXT(x)	  TEXT_(x)

static struct {
	int (*backtrace)(void **frames, int capacity);
	__typeof__(unw_init_local) *init_local;
	__typeof__(unw_step) *step;
	__typeof__(unw_get_reg) *get_reg;
	__typeof__(unw_flush_cache) *flush_cache;
	unw_addr_space_t *local_addr_space;
#ifdef __x86_64__
	int (*getcontext)(unw_context_t *);
#endif
} unwind;

/*
 * The kernel reads the new signal mask before it looks at `how`, so a wrong `how` makes
 * this a test of the address: EFAULT when it cannot be read, EINVAL when it can.
 */
static bool is_readable(const void *address)
{
	return syscall(SYS_rt_sigprocmask, ~0, address, NULL, 8) != 0 && errno == EINVAL;
}

static int unwind_mincore(void *start, size_t length, unsigned char *vector)
{
	if (!hak_tracer_thread.is_walking) {
		return mincore(start, length, vector);
	}
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t at = 0; at < length; at += page) {
		if (!is_readable((char *)start + at)) {
			errno = ENOMEM;
			return -1;
		}
	}
	return 0;
}

static int unwind_pipe2(int ends[2], int flags)
{
	if (!hak_tracer_thread.is_walking) {
		return pipe2(ends, flags);
	}
	errno = EMFILE;
	return -1;
}

/* "The pipe is there and empty." */
static ssize_t unwind_read(int fd, void *buffer, size_t size)
{
	if (!hak_tracer_thread.is_walking) {
		return read(fd, buffer, size);
	}
	errno = EAGAIN;
	return -1;
}

/* The only call there is write, of one byte of memory that unwind_mincore has tested. */
static long unwind_syscall(long number, long first, long second, long third)
{
	if (!hak_tracer_thread.is_walking || number != SYS_write) {
		return syscall(number, first, second, third);
	}
	errno = 0;
	return third;
}

static bool redirect_imports(const struct link_map *library)
{
	static const struct {
		const char *name;
		void *to;
		bool is_needed;
	} imports[] = {
		{ "dl_iterate_phdr", hak_modules_iterate, true },
		{ "mincore", unwind_mincore, false },
		{ "pipe2", unwind_pipe2, false },
		{ "read", unwind_read, false },
		{ "syscall", unwind_syscall, false },
	};
	for (size_t i = 0; i < sizeof imports / sizeof imports[0]; i++) {
		int failure = hak_import_redirect(library, imports[i].name, imports[i].to);
		if (failure && (imports[i].is_needed || failure != -ENOENT)) {
			return false;
		}
	}
	return true;
}

static bool find_functions(void *library)
{
	unwind.backtrace = (int (*)(void **, int))dlsym(library, "unw_backtrace");
	unwind.init_local = (__typeof__(unwind.init_local))dlsym(library, TEXT(unw_init_local));
	unwind.step = (__typeof__(unwind.step))dlsym(library, TEXT(unw_step));
	unwind.get_reg = (__typeof__(unwind.get_reg))dlsym(library, TEXT(unw_get_reg));
	unwind.flush_cache = (__typeof__(unwind.flush_cache))dlsym(library, TEXT(unw_flush_cache));
	unwind.local_addr_space = (unw_addr_space_t *)dlsym(library, TEXT(unw_local_addr_space));
#ifdef __x86_64__
	unwind.getcontext = (int (*)(unw_context_t *))dlsym(library, TEXT(unw_tdep_getcontext));
	if (!unwind.getcontext) {
		return false;
	}
#endif
	return unwind.backtrace && unwind.init_local && unwind.step && unwind.get_reg && unwind.flush_cache &&
	       unwind.local_addr_space;
}

/* What libunwind keeps for all threads; what it keeps for one cannot be flushed. */
static void forget_frames(void)
{
	unwind.flush_cache(*unwind.local_addr_space, 0, 0);
}

/* Frame by frame, without the thread's remembered frames: some 60 times slower. */
static unsigned walk_by_step(void **frames, unsigned capacity)
{
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t ip;
	unsigned n = 0;

#ifdef __x86_64__
	unwind.getcontext(&context);
#else
	unw_getcontext(&context);
#endif
	if (unwind.init_local(&cursor, &context) < 0) {
		return 0;
	}
	while (n < capacity && unwind.step(&cursor) > 0 && unwind.get_reg(&cursor, UNW_REG_IP, &ip) >= 0) {
		frames[n++] = (void *)ip;
	}
	return n;
}

/*
 * A thread remembers how to get from each return address to the next and never forgets.
 * Where a module was unloaded and another one loaded in its place that would be wrong, so
 * a thread that walked before an unload does it the slow way from then on.
 */
unsigned hak_unwinder_walk(void **frames, unsigned capacity)
{
	uint32_t unloads = hak_modules_unloads();
	unsigned n;

	if (!hak_tracer_thread.has_walked) {
		hak_tracer_thread.has_walked = true;
		hak_tracer_thread.unloads = unloads;
	}
	hak_tracer_thread.is_walking = true;
	if (__builtin_expect(hak_tracer_thread.unloads == unloads, 1)) {
		int found = unwind.backtrace(frames, (int)capacity);
		n = found > 0 ? (unsigned)found : 0;
	} else {
		n = walk_by_step(frames, capacity);
	}
	hak_tracer_thread.is_walking = false;
	return n;
}

/* A walk from here must come out of this function, or our look-up does not serve. */
static __attribute__((noinline)) bool finds_its_caller(void)
{
	enum { ENOUGH = 4 };
	void *frames[ENOUGH] = { 0 };
	void *caller = __builtin_extract_return_addr(__builtin_return_address(0));
	unsigned n = hak_unwinder_walk(frames, ENOUGH);

	for (unsigned i = 0; i < n; i++) {
		if (frames[i] == caller) {
			return true;
		}
	}
	return false;
}

bool hak_unwinder_start(void)
{
	void *library = dlopen(LIBUNWIND, RTLD_NOW | RTLD_LOCAL);
	struct link_map *map;

	if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !find_functions(library) ||
	    !redirect_imports(map)) {
		return false;
	}
	hak_modules_start(forget_frames);
	return finds_its_caller();
}
