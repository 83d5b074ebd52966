/* SPDX-License-Identifier: MIT */
/*
 * `hakstat record`: runs a command on the traced allocator and leaves a trace.
 */
#ifndef HAKSTAT_RECORD_H
#define HAKSTAT_RECORD_H

#include "cli.h"
#include "launch.h"
#include "recording.h"

extern const struct hakstat_command hakstat_command_record;

/*
 * Records one run of a command whose environment is a traced one of hakstat_launch_environment; it is
 * marked as this recording's. `sample_bytes` 0: as the environment says. Returns 0 with `recorded` set, or
 * a status with `err` set when the command did not run.
 */
int hakstat_record_launch(const struct hakstat_recording_options *options, uint64_t sample_bytes,
			  struct hakstat_launch *launch, struct hakstat_recorded *recorded,
			  struct hakstat_err *err);

#endif
