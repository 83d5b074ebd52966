/* SPDX-License-Identifier: MIT */
/*
 * Finds the traces below a path: an LTTng session folder holds them some levels down, one for
 * each user or process and for each rotation. A trace is a folder with a file `metadata`.
 */
#ifndef HAKSTAT_TRACE_FOLDER_H
#define HAKSTAT_TRACE_FOLDER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* Where LTTng puts the parts of a recording, each a trace of its own, when somebody rotates the session. */
#define HAKSTAT_ARCHIVES "archives"

/*
 * The folders below `path` that are traces, sorted, of several snapshots those of the newest one; free with
 * g_ptr_array_unref. NULL with `err` set (HAKSTAT_TRACE) when the path is missing, can't be read or holds no
 * trace.
 */
GPtrArray *hakstat_trace_folders(const char *path, struct hakstat_err *err);

/*
 * Whether each stream of the folders goes on until `ns` of CLOCK_MONOTONIC: LTTng ends the packets of all
 * when it stops, and silently writes nothing more of a stream of which it could not write a packet. Of
 * archives only the last one must. True where the traces have another clock.
 */
bool hakstat_trace_reaches(const GPtrArray *folders, uint64_t ns);

/* Of the files in these folders. */
uint64_t hakstat_trace_bytes(const GPtrArray *folders);

#endif
