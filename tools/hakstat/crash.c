/* SPDX-License-Identifier: MIT */
/*
 * Out of the crash by siglongjmp. The crashed code may have held a lock of malloc, so what is still
 * done afterwards has a limit of time; a second crash ends the process.
 */
#include "crash.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

enum { SECONDS_LEFT = 60, STACK_BYTES = 64 << 10 };

/* SIGTRAP is how GLib ends when memory is short, SIGBUS a file that shrank while it was mapped. */
static const int watched[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP };

static _Thread_local sigjmp_buf *innermost;

static void crashed(int number)
{
	if (innermost) {
		alarm(SECONDS_LEFT);
		siglongjmp(*innermost, number);
	}
	raise(number); /* by default now, when this handler returns */
}

/* Runaway recursion crashes for want of a stack, so the handler brings its own. */
static void watch(void)
{
	static _Thread_local char stack[STACK_BYTES];
	static _Thread_local int is_watching;
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction action = { .sa_handler = crashed, .sa_flags = SA_ONSTACK | SA_RESETHAND };

	if (is_watching) {
		return;
	}
	is_watching = 1;
	sigaltstack(&own, NULL);
	for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++) {
		sigaction(watched[i], &action, NULL);
	}
}

int hakstat_crash_guard(void (*fn)(void *data), void *data)
{
	sigjmp_buf *const outer = innermost;
	sigjmp_buf here;
	int number;

	watch();
	number = sigsetjmp(here, 1);
	if (number == 0) {
		innermost = &here;
		fn(data);
	}
	innermost = outer;
	return number;
}
