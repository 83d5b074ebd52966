/* SPDX-License-Identifier: MIT */
/*
 * Calls into libraries that crash on some damaged files. For a process that reads and then ends
 * (isolate.h): what crashed leaves its memory and its locks as they were, and must not be called again.
 */
#ifndef HAKSTAT_CRASH_H
#define HAKSTAT_CRASH_H

/*
 * Calls fn(data). Returns 0, or the number of the signal by which it crashed. May be nested; each
 * thread guards itself.
 */
int hakstat_crash_guard(void (*fn)(void *data), void *data);

#endif
