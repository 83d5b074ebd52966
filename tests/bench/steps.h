/* SPDX-License-Identifier: MIT */
/*
 * Counts instructions by single steps: exact, on any allocator and on machines without counters,
 * where callgrind needs an allocator that starts under valgrind. Some microseconds an instruction.
 */
#ifndef HAK_TESTS_STEPS_H
#define HAK_TESTS_STEPS_H

struct steps {
	unsigned long long instructions; /* of user space; one with a rep prefix counts once */
	unsigned long long branches;	 /* conditional jumps among them */
	unsigned long long syscalls;
};

/* Runs work(arg) in a forked child, one step at a time. 0; or 1 and a line on stderr. x86-64 only. */
int steps_count(void (*work)(void *arg), void *arg, struct steps *out);

#endif
