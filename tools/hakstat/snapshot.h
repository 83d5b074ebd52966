/* SPDX-License-Identifier: MIT */
/*
 * The flight recorder: sessions of LTTng that overwrite their buffers and write them to a folder
 * of its own whenever they are asked to. `session` is an LTTng session's name.
 */
#ifndef HAKSTAT_SNAPSHOT_H
#define HAKSTAT_SNAPSHOT_H

#include "cli.h"
#include "err.h"

extern const struct hakstat_command hakstat_command_snapshot;

/* Writes what the buffers hold. Returns 0, or a status with `err` set. */
int hakstat_snapshot_write(const char *session, struct hakstat_err *err);

/* Has LTTng write it by itself, once, when `filter` holds for an event hakmem:heap_stats. */
int hakstat_snapshot_arm(const char *session, const char *filter, struct hakstat_err *err);

/* Undoes that, if it was done. */
void hakstat_snapshot_disarm(const char *session);

#endif
