/* SPDX-License-Identifier: MIT */
/*
 * A debugger that only counts: the child stops itself before and after the work, the parent steps
 * it from one stop to the other and looks at each instruction before it runs.
 */
#include "steps.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
	fprintf(stderr, "steps: %s: %s\n", what, strerror(errno));
	return 1;
}

#ifdef __x86_64__

static void stop(void)
{
	__asm__ volatile("int3" : : : "memory");
}

static _Noreturn void be_counted(void (*work)(void *arg), void *arg)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(fail("PTRACE_TRACEME"));
	stop();
	work(arg);
	stop();
	_exit(0);
}

enum kind { PLAIN, BRANCH, SYSCALL, STOP };

/* By the opcode behind what prefixes there may be. */
static enum kind kind_of(const unsigned char *code)
{
	while (*code == 0x66 || *code == 0xf2 || *code == 0xf3 || *code == 0x2e || *code == 0x3e)
		code++;
	if (*code == 0xcc)
		return STOP;
	if ((*code & 0xf0) == 0x70 || (*code & 0xfc) == 0xe0)
		return BRANCH;
	if (*code == 0x0f && (code[1] & 0xf0) == 0x80)
		return BRANCH;
	return *code == 0x0f && code[1] == 0x05 ? SYSCALL : PLAIN;
}

static bool next_kind(pid_t pid, unsigned long long *at, enum kind *kind)
{
	struct user_regs_struct regs;
	unsigned char code[sizeof(long)];
	long word;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		return false;
	*at = regs.rip;
	errno = 0;
	word = ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, NULL);
	memcpy(code, &word, sizeof code);
	*kind = kind_of(code);
	return errno == 0;
}

static bool step_once(pid_t pid)
{
	int status;

	return !ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) && waitpid(pid, &status, 0) == pid &&
	       WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

static int follow(pid_t pid, struct steps *out)
{
	unsigned long long at = 0, last;
	enum kind kind = PLAIN;

	for (;;) {
		last = at;
		if (!next_kind(pid, &at, &kind))
			return fail("cannot look at the child");
		if (kind == STOP)
			return 0;
		if (at != last) { /* a repeated string instruction traps at each of its rounds */
			out->instructions++;
			out->branches += kind == BRANCH;
			out->syscalls += kind == SYSCALL;
		}
		if (!step_once(pid))
			return fail("the child did not stop after a step");
	}
}

int steps_count(void (*work)(void *arg), void *arg, struct steps *out)
{
	pid_t pid = fork();
	int status, result;

	memset(out, 0, sizeof *out);
	if (pid < 0)
		return fail("fork");
	if (pid == 0)
		be_counted(work, arg);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
		return fail("the child did not stop");
	result = follow(pid, out);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return result;
}

#else

int steps_count(void (*work)(void *arg), void *arg, struct steps *out)
{
	(void)work, (void)arg, (void)out;
	errno = ENOSYS;
	return fail("instructions are known on x86-64 only");
}

#endif
