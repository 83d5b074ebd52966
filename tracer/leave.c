/* SPDX-License-Identifier: MIT */
/*
 * exec and _exit run no destructors, so they are stood in for by functions of the same name.
 * These take effect when the tracer is preloaded. Opened by the allocator it comes after
 * libc, and a program that leaves by exec or _exit then loses what its threads gathered in
 * the last tenth of a second.
 *
 * All of this is async-signal-safe as far as LTTng's tracepoints are, and stays out of
 * children of vfork, which borrow their parent's memory.
 */
#include "leave.h"

#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <lttng/urcu/urcu-ust.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "batch.h"
#include "host.h"
#include "modules.h"
#include "session.h"
#include "snapshot.h"
#include "thread.h"
#include "worker.h"

#define INTERPOSED __attribute__((visibility("default")))

static _Atomic(pid_t) armed_pid; /* 0: nothing to do */
static bool is_out;

static struct {
	int (*execve)(const char *, char *const *, char *const *);
	int (*execv)(const char *, char *const *);
	int (*execvp)(const char *, char *const *);
	int (*execvpe)(const char *, char *const *, char *const *);
	int (*fexecve)(int, char *const *, char *const *);
	int (*execveat)(int, const char *, char *const *, char *const *, int);
} real;

static void count(void *arg)
{
	(void)arg;
	hak_snapshot_read_last();
}

static void flush(void *arg)
{
	(void)arg;
	hak_snapshot_write_last();
	hak_batch_flush_last();
}

bool hak_leave_is_armed(void)
{
	return atomic_load(&armed_pid) == getpid();
}

/* The other threads end in the middle of what they do, but not in the middle of an event. */
void hak_leave_begin(void)
{
	int saved = errno;
	if (hak_leave_is_armed()) {
		hak_trace_run_unseen(count, NULL);
		hak_session_close();
		hak_worker_quiesce();
		hak_trace_run_unseen(flush, NULL);
	}
	errno = saved;
}

void hak_leave_cancel(void)
{
	if (hak_leave_is_armed()) {
		hak_snapshot_forget_last();
		hak_session_reopen();
	}
}

static void leave_for_good(void)
{
	hak_leave_begin();
	if (hak_leave_is_armed()) {
		atomic_store(&armed_pid, 0);
	}
}

static void find(void *slot, const char *name)
{
	*(void **)slot = dlsym(RTLD_NEXT, name);
}

void hak_leave_start(void)
{
	find(&real.execve, "execve");
	find(&real.execv, "execv");
	find(&real.execvp, "execvp");
	find(&real.execvpe, "execvpe");
	find(&real.fexecve, "fexecve");
	find(&real.execveat, "execveat");
	(void)at_quick_exit(leave_for_good); /* without it that way out loses the last records, no more */
	atomic_store(&armed_pid, getpid());
}

void hak_leave_after_fork(void)
{
	if (atomic_load(&armed_pid) != 0) {
		atomic_store(&armed_pid, getpid());
	}
}

void hak_leave_out(void)
{
	if (!is_out) {
		is_out = true;
		atomic_store(&armed_pid, 0); /* on_fork set it, where no hook was interrupted */
		hak_modules_after_fork();
		if (hak_host_present()) {
			hak_trace_detach();
		}
	}
}

bool hak_leave_is_out(void)
{
	return is_out;
}

/*
 * LTTng waits at the end for events under way: for those of its parent's threads, which are not there, and
 * for the one that was interrupted, when its signal handler ends the process.
 */
static void end_events(void)
{
	sigset_t signals;
	while (lttng_ust_urcu_read_ongoing()) {
		lttng_ust_urcu_read_unlock();
	}
	pthread_sigmask(SIG_SETMASK, NULL, &signals);
	lttng_ust_urcu_after_fork_child(); /* sets the mask of a fork that it was not told of */
	pthread_sigmask(SIG_SETMASK, &signals, NULL);
}

/* What LTTng allocates for it is not the program's. */
static void look(void)
{
	uint8_t state = hak_tracer_thread.state;
	hak_tracer_thread.state = HAK_THREAD_HIDDEN;
	hak_modules_look();
	hak_tracer_thread.state = state;
}

/*
 * Runs after the program's own handlers and destructors and before LTTng's: this library
 * depends on LTTng's, and of one library's destructors those linked last run first, which
 * is why this file's name comes after hak_tp.c's.
 */
static __attribute__((destructor)) void on_exit_of_process(void)
{
	if (hak_leave_is_armed() && hak_session_takes_anything()) {
		look();
	}
	leave_for_good();
	if (is_out) {
		end_events();
	}
}

INTERPOSED _Noreturn void _exit(int status)
{
	leave_for_good();
	for (;;) {
		syscall(SYS_exit_group, status);
	}
}

INTERPOSED _Noreturn void _Exit(int status)
{
	_exit(status);
}

#define FORWARD(name, ...)                                                                                   \
	do {                                                                                                 \
		if (!real.name) {                                                                            \
			find(&real.name, #name);                                                             \
		}                                                                                            \
		hak_leave_begin();                                                                           \
		int failed = real.name ? real.name(__VA_ARGS__) : -1;                                        \
		hak_leave_cancel();                                                                          \
		return failed;                                                                               \
	} while (0)

INTERPOSED int execve(const char *path, char *const argv[], char *const envp[])
{
	FORWARD(execve, path, argv, envp);
}

INTERPOSED int execv(const char *path, char *const argv[])
{
	FORWARD(execv, path, argv);
}

INTERPOSED int execvp(const char *file, char *const argv[])
{
	FORWARD(execvp, file, argv);
}

INTERPOSED int execvpe(const char *file, char *const argv[], char *const envp[])
{
	FORWARD(execvpe, file, argv, envp);
}

INTERPOSED int fexecve(int fd, char *const argv[], char *const envp[])
{
	FORWARD(fexecve, fd, argv, envp);
}

INTERPOSED int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	FORWARD(execveat, fd, path, argv, envp, flags);
}

/* How many arguments a list form has, its NULL included; the array goes on its caller's stack. */
static size_t list_length(const char *first, va_list *list)
{
	size_t n = 1;
	for (const char *arg = first; arg; arg = va_arg(*list, const char *)) {
		n++;
	}
	return n;
}

/* Leaves `list` behind the NULL, where execle has its environment. */
static void list_read(char **argv, const char *first, va_list *list)
{
	*argv = (char *)(uintptr_t)first;
	while (*argv++) {
		*argv = va_arg(*list, char *);
	}
}

INTERPOSED int execl(const char *path, const char *arg, ...)
{
	va_list list;
	va_start(list, arg);
	char **argv = alloca(list_length(arg, &list) * sizeof *argv);
	va_end(list);
	va_start(list, arg);
	list_read(argv, arg, &list);
	va_end(list);
	return execv(path, argv);
}

INTERPOSED int execlp(const char *file, const char *arg, ...)
{
	va_list list;
	va_start(list, arg);
	char **argv = alloca(list_length(arg, &list) * sizeof *argv);
	va_end(list);
	va_start(list, arg);
	list_read(argv, arg, &list);
	va_end(list);
	return execvp(file, argv);
}

INTERPOSED int execle(const char *path, const char *arg, ...)
{
	va_list list;
	va_start(list, arg);
	char **argv = alloca(list_length(arg, &list) * sizeof *argv);
	va_end(list);
	va_start(list, arg);
	list_read(argv, arg, &list);
	char *const *envp = va_arg(list, char *const *);
	va_end(list);
	return execve(path, argv, envp);
}
