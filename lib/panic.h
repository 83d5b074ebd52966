/* SPDX-License-Identifier: MIT */
/*
 * Messages to the user from inside an allocator: one line, written with write(2) to
 * standard error, without allocation. Usable in any state of the process.
 */
#ifndef HAK_LIB_PANIC_H
#define HAK_LIB_PANIC_H

#include "compiler.h"

/*
 * Writes "hakmem: PROGRAM[PID]: what: 0xptr" and ends the process with SIGABRT. For misuse
 * and damage that were detected; nothing of the heap is trusted or changed any more.
 */
HAK_HIDDEN void hak_panic(const char *what, const void *ptr) __attribute__((noreturn, cold));

/*
 * What hak_panic calls after the line is written, when set: the tracing layer, which lies above this one,
 * installs its `corruption` hook here. A panic inside it is not reported again.
 */
extern HAK_HIDDEN void (*hak_panic_observer)(const void *ptr, const char *what);

/*
 * Writes "hakmem: " and the strings up to the NULL that ends them, as one line. Nothing in
 * them is a format; control characters are shown as '?'. errno is kept.
 */
HAK_HIDDEN void hak_warn(const char *first, ...) __attribute__((sentinel, cold));

#endif
