/* SPDX-License-Identifier: MIT */
/*
 * A call of liblttng-ctl that comes back. The library waits for its daemon's answer without limit,
 * and a daemon whose consumer cannot write (a disk that was full) may answer nobody any more.
 */
#ifndef HAKSTAT_LTTNG_CALL_H
#define HAKSTAT_LTTNG_CALL_H

#include <stdbool.h>

typedef int (*hakstat_lttng_function)(const char *session);

/*
 * Calls `function` in a process of its own. False when for `seconds` it has neither come back nor
 * has anything been written into `folder` (NULL: there is none); else *code is what it returned.
 */
bool hakstat_lttng_call(hakstat_lttng_function function, const char *session, const char *folder,
			unsigned seconds, int *code);

#endif
