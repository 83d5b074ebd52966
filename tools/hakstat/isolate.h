/* SPDX-License-Identifier: MIT */
/*
 * Reads a trace in a process of its own: the reading library crashes on some damaged traces, and
 * what it takes down must not be a report about others, nor end without a word.
 */
#ifndef HAKSTAT_ISOLATE_H
#define HAKSTAT_ISOLATE_H

#include "err.h"
#include "summary.h"

typedef struct hakstat_summary *(*hakstat_reader)(void *data, struct hakstat_err *err);

/*
 * Calls read(data, err) in a child and hands back what it returns. NULL with `err` set also when the
 * child ended without a result; `name` is what it was reading. The child takes at most `memory` bytes.
 */
struct hakstat_summary *hakstat_isolate(const char *name, uint64_t memory, hakstat_reader read, void *data,
					struct hakstat_err *err);

#endif
