/* SPDX-License-Identifier: MIT */
/*
 * `hakstat record`: runs a command on the traced allocator and leaves a trace.
 */
#ifndef HAKSTAT_RECORD_H
#define HAKSTAT_RECORD_H

#include "cli.h"

extern const struct hakstat_command hakstat_command_record;

#endif
