/* SPDX-License-Identifier: MIT */
/*
 * A fork child from its first moment. LTTng's fork helper takes a child out of its parent's
 * sessions and into them again before fork returns to the program. What the allocator asked
 * in between was that nothing is wanted, and by then it has counted out as many operations as
 * its stacks allow: a short child would end before it looked again. And LTTng allocates some
 * thousand blocks for it. So fork is stood in for, above LTTng's helper: when that is done
 * the child looks once more, and tells its counters as they stand, from which everything that
 * it does itself is counted.
 *
 * One child is left out: that of a signal handler which interrupted an event, or the allocator with a
 * lock held. LTTng waits, in its helper, until no thread is inside an event, and would wait for the very
 * one that the handler interrupted; in the parent, too, while a session begins or ends. And it allocates
 * in the child, behind that lock. So libc alone makes such a child, and it is not recorded, nor are its own
 * children, up to the next exec.
 *
 * Takes effect when the tracer is preloaded, as `hakstat record` does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <lttng/urcu/urcu-ust.h>
#include <lttng/ust-fork.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "host.h"
#include "leave.h"
#include "modules.h"
#include "snapshot.h"
#include "thread.h"

#define INTERPOSED __attribute__((visibility("default")))

static void begin(void *arg)
{
	(void)arg;
	hak_snapshot_first();
}

static void begin_child(void)
{
	int saved = errno;
	if (hak_leave_is_armed()) {
		hak_trace_run_unseen(begin, NULL);
		hak_trace_notice();
	}
	if (hak_tracer_thread.state == HAK_THREAD_HIDDEN) { /* not before: this look starts no thread yet */
		hak_tracer_thread.state = HAK_THREAD_NEW;
	}
	errno = saved;
}

static struct {
	pid_t (*fork)(void);
	int (*daemon)(int, int);
} real;

/* fork by the name that LTTng's helper does not stand in for. */
pid_t __fork(void);
#pragma weak __fork

/* Not at the first fork: that may be in a signal handler, where the loader must not be asked. */
static __attribute__((constructor)) void find(void)
{
	*(void **)&real.fork = dlsym(RTLD_NEXT, "fork");
	*(void **)&real.daemon = dlsym(RTLD_NEXT, "daemon");
}

/* Both are no cancellation points, and what LTTng does in the child has such. Returns the state before. */
static int prepare(void)
{
	int cancel;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	hak_modules_fork_begin();
	hak_tracer_thread.is_entering = true;
	return cancel;
}

static void conclude(bool is_child, int cancel)
{
	hak_tracer_thread.is_entering = false;
	hak_modules_fork_end(is_child);
	pthread_setcancelstate(cancel, NULL);
}

static bool interrupts(void)
{
	return (hak_trace_is_inside && hak_trace_is_inside()) || lttng_ust_urcu_read_ongoing();
}

static pid_t fork_left_out(void)
{
	pid_t pid = __fork();
	if (pid == 0) {
		hak_leave_out();
	}
	return pid;
}

INTERPOSED pid_t fork(void)
{
	if (!real.fork) {
		find();
	}
	if ((hak_leave_is_out() || interrupts()) && __fork) {
		return fork_left_out();
	}
	int cancel = prepare();
	pid_t pid = real.fork();
	conclude(pid == 0, cancel);
	if (pid == 0) {
		begin_child();
	}
	return pid;
}

/* LTTng's helper takes a daemon() that failed for one that made no child: here is one. */
static void enter_after_all(void)
{
	int saved = errno;
	sigset_t signals;
	lttng_ust_before_fork(&signals);
	lttng_ust_after_fork_child(&signals);
	errno = saved;
}

/*
 * What the first process gathered is written before: libc ends it by an _exit of its own. daemon() can fail
 * in the child, too, which then goes on.
 */
INTERPOSED int daemon(int nochdir, int noclose)
{
	if (!real.daemon) {
		find();
	}
	hak_leave_begin();
	int cancel = prepare();
	pid_t caller = getpid();
	int status = real.daemon(nochdir, noclose);
	bool is_child = status == 0 || getpid() != caller;
	if (is_child && status != 0) {
		enter_after_all();
	}
	conclude(is_child, cancel);
	hak_leave_cancel();
	if (is_child) {
		begin_child();
	}
	return status;
}
