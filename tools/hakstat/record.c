/* SPDX-License-Identifier: MIT */
/*
 * `record`: all that can fail is checked before the command runs, and once it has run its exit
 * status is the answer, whatever became of the trace.
 */
#include "record.h"

#include <glib.h>
#include <inttypes.h>
#include <stdint.h>

#include "launch.h"
#include "recording.h"

/* Names the recording to the command and all that it starts. */
#define MARK "HAKMEM_SESSION"

struct options {
	struct hakstat_recording_options recording;
	uint64_t sample_bytes; /* 0: not given */
};

/* clang-format off */
static const struct hakstat_option option_rows[] = {
	{ "output", 'o', HAKSTAT_OPT_TEXT, "DIR", offsetof(struct options, recording.folder), 0, 0,
	  "the trace's folder; by default " HAKSTAT_RECORDING_FOLDER ", and an older one moves aside" },
	{ "mode", 'm', HAKSTAT_OPT_CHOICE, HAKSTAT_MODE_CHOICES, offsetof(struct options, recording.mode), 0, 0,
	  "what is recorded; by default sample" },
	{ "sample-bytes", 0, HAKSTAT_OPT_BYTES, "N", offsetof(struct options, sample_bytes), 1, UINT64_C(1) << 40,
	  "mean bytes between two sampled allocations; by default HAKMEM_SAMPLE_BYTES or 512K" },
	{ "snapshot", 0, HAKSTAT_OPT_FLAG, NULL, offsetof(struct options, recording.is_snapshot), 0, 0,
	  "keep the last buffers in memory; 'hakstat snapshot' and the end of CMD write them" },
	{ "snapshot-when", 0, HAKSTAT_OPT_TEXT, "EXPR", offsetof(struct options, recording.when), 0, 0,
	  "with --snapshot: write one snapshot automatically as soon as EXPR holds, for instance 'waste_percent > 30'" },
	{ "set-url", 0, HAKSTAT_OPT_TEXT, "URL", offsetof(struct options, recording.url), 0, 0,
	  "send the trace to an LTTng relay daemon, net://HOST, instead of a folder; not with --output or --snapshot" },
};
/* clang-format on */

static int check(const struct options *options, char **argv, char ***environment, struct hakstat_err *err)
{
	int status = hakstat_recording_check(&options->recording, err);

	if (status) {
		return status;
	}
	if (!argv[0]) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "record: no command; try: hakstat record -- CMD...");
	}
	status = hakstat_launch_check(argv[0], err);
	if (status) {
		return status;
	}
	*environment = hakstat_launch_environment(g_get_environ(), true, err);
	return *environment ? 0 : err->status;
}

static char **set_environment(char **environment, const char *session, uint64_t sample_bytes)
{
	char *bytes = g_strdup_printf("%" PRIu64, sample_bytes);

	/* On a busy machine LTTng's own 3 seconds pass, and the program then runs untraced. */
	environment = g_environ_setenv(environment, "LTTNG_UST_REGISTER_TIMEOUT", "30000", FALSE);
	environment = g_environ_setenv(environment, MARK, session, TRUE);
	/* Without HOME the daemon asks the user database, LTTng in the program does not. */
	if (!g_environ_getenv(environment, "HOME")) {
		environment = g_environ_setenv(environment, "LTTNG_HOME", hakstat_sessiond_home(), FALSE);
	}
	if (sample_bytes) {
		environment = g_environ_setenv(environment, "HAKMEM_SAMPLE_BYTES", bytes, TRUE);
	}
	g_free(bytes);
	return environment;
}

static void say_survivors(const struct hakstat_session *session)
{
	char *mark = g_strdup_printf("%s=%s", MARK, session->name);
	unsigned count = hakstat_launch_count(mark);

	if (count) {
		hakstat_say("%u process%s that the command started still run%s; the trace ends here", count,
			    count == 1 ? "" : "es", count == 1 ? "s" : "");
	}
	g_free(mark);
}

int hakstat_record_launch(const struct hakstat_recording_options *options, uint64_t sample_bytes,
			  struct hakstat_launch *launch, struct hakstat_recorded *recorded,
			  struct hakstat_err *err)
{
	struct hakstat_recording recording;
	int status = hakstat_recording_begin(&recording, options, 0, err);

	if (status) {
		return status;
	}
	launch->environment = set_environment(launch->environment, recording.session.name, sample_bytes);
	status = hakstat_launch_run(launch, err);
	if (status) {
		hakstat_recording_cancel(&recording);
		return status;
	}
	say_survivors(&recording.session);
	*recorded = hakstat_recording_finish(&recording);
	return 0;
}

/* The command's exit status; a status with `err` set when it did not run. */
static int record(const struct options *options, struct hakstat_launch *launch, struct hakstat_err *err)
{
	struct hakstat_recorded recorded;
	int status =
		hakstat_record_launch(&options->recording, options->sample_bytes, launch, &recorded, err);

	if (status) {
		return status;
	}
	hakstat_say("%s", recorded.said);
	g_free(recorded.said);
	return launch->exit_status;
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	struct options options = { 0 };
	struct hakstat_launch launch = { 0 };
	int first;
	int status = hakstat_cli_parse(&hakstat_command_record, argc, argv, &options, &first, err);

	if (status) {
		return status == HAKSTAT_CLI_DONE ? HAKSTAT_OK : status;
	}
	hakstat_launch_ignore_pipes();
	launch.argv = argv + first;
	status = check(&options, launch.argv, &launch.environment, err);
	if (status == 0) {
		status = record(&options, &launch, err);
	}
	g_strfreev(launch.environment);
	return status;
}

const struct hakstat_command hakstat_command_record = {
	.name = "record",
	.operands = "-- CMD...",
	.summary = "Runs CMD on the traced allocator and leaves a trace in " HAKSTAT_RECORDING_FOLDER ".",
	.details =
		"sample  some allocations with their call stacks; exact counts per class\n"
		"full    every operation, packed, and the samples\n"
		"events  every operation as readable events, for other LTTng tools; slow\n\n"
		"EXPR is an LTTng filter on the fields of hakmem:heap_stats, which each process writes "
		"every\n"
		"HAKMEM_SNAPSHOT_MS: waste_percent of live blocks, idle_percent of committed memory, "
		"committed and\n"
		"others that hakmem-events(7) describes.\n\n"
		"LTTng's buffers take about 6 MiB (sample), 22 MiB (full) or 66 MiB (events) of /dev/shm "
		"for\n"
		"each processor; with --snapshot 1 MiB more. They are made smaller, and lose events sooner,\n"
		"where that is more than an eighth of free memory or of what /dev/shm has free. The default\n"
		"of a container, 64 MiB, is small: --shm-size=1g.\n\n"
		"Uses the LTTng session daemon that runs, or starts one and ends it afterwards.\n"
		"The exit status is CMD's, or 2 when CMD was not run.",
	.options = option_rows,
	.option_count = G_N_ELEMENTS(option_rows),
	.run = run,
};
