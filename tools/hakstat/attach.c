/* SPDX-License-Identifier: MIT */
/*
 * The commands for programs that run already. Such a program must have the tracer loaded; then
 * recording begins and ends without its knowing.
 */
#include "attach.h"

#include <glib.h>
#include <stdint.h>
#include <stdio.h>

#include "armed.h"
#include "launch.h"
#include "recorder.h"

/* clang-format off */
static const struct hakstat_option attach_rows[] = {
	{ "output", 'o', HAKSTAT_OPT_TEXT, "DIR", offsetof(struct hakstat_recording_options, folder), 0, 0,
	  "the trace's folder; by default " HAKSTAT_RECORDING_FOLDER ", and an older one moves aside" },
	{ "mode", 'm', HAKSTAT_OPT_CHOICE, HAKSTAT_MODE_CHOICES, offsetof(struct hakstat_recording_options, mode), 0, 0,
	  "what is recorded; by default sample" },
	{ "set-url", 0, HAKSTAT_OPT_TEXT, "URL", offsetof(struct hakstat_recording_options, url), 0, 0,
	  "send the trace to an LTTng relay daemon, net://HOST, instead of a folder; not with --output" },
};
/* clang-format on */

/* The one operand of attach and detach. */
static int take_pid(const struct hakstat_command *command, int count, char **operands, pid_t *pid,
		    struct hakstat_err *err)
{
	if (count != 1) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "%s: name one process by its id; 'hakstat ps' lists them",
				       command->name);
	}
	return hakstat_cli_pid(command, operands[0], pid, err);
}

static void say_and_free(char *sentence)
{
	hakstat_say("%s", sentence);
	g_free(sentence);
}

static int run_attach(int argc, char **argv, struct hakstat_err *err)
{
	struct hakstat_recording_options options = { 0 };
	char *said = NULL;
	pid_t pid = 0;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_attach, argc, argv, &options, &first, err);

	if (status) {
		return status == HAKSTAT_CLI_DONE ? HAKSTAT_OK : status;
	}
	hakstat_launch_ignore_pipes();
	if ((status = hakstat_recording_check(&options, err)) ||
	    (status = take_pid(&hakstat_command_attach, argc - first, argv + first, &pid, err)) ||
	    (status = hakstat_armed_check(pid, err)) ||
	    (status = hakstat_recorder_start(pid, &options, &said, err))) {
		return status;
	}
	say_and_free(said);
	return HAKSTAT_OK;
}

static int run_detach(int argc, char **argv, struct hakstat_err *err)
{
	char *said = NULL;
	pid_t pid = 0;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_detach, argc, argv, NULL, &first, err);

	if (status) {
		return status == HAKSTAT_CLI_DONE ? HAKSTAT_OK : status;
	}
	if ((status = take_pid(&hakstat_command_detach, argc - first, argv + first, &pid, err)) ||
	    (status = hakstat_recorder_stop(pid, &said, err))) {
		return status;
	}
	say_and_free(said);
	return HAKSTAT_OK;
}

static void print_process(pid_t pid)
{
	char *command = hakstat_armed_command(pid);
	char *target = hakstat_recorder_target(pid);

	printf("%7d  %-24s  %s\n", (int)pid, target ? target : "-", command);
	g_free(target);
	g_free(command);
}

static int run_ps(int argc, char **argv, struct hakstat_err *err)
{
	GArray *pids;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_ps, argc, argv, NULL, &first, err);

	if (status) {
		return status == HAKSTAT_CLI_DONE ? HAKSTAT_OK : status;
	}
	if (first < argc) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "ps: %s: takes no operand", argv[first]);
	}
	pids = hakstat_armed_list();
	printf("%7s  %-24s  %s\n", "PID", "ATTACHED", "COMMAND");
	for (guint i = 0; i < pids->len; i++) {
		print_process(g_array_index(pids, pid_t, i));
	}
	g_array_unref(pids);
	return HAKSTAT_OK;
}

const struct hakstat_command hakstat_command_attach = {
	.name = "attach",
	.operands = "PID",
	.summary = "Begins to record a running process that has the tracer loaded.",
	.details =
		"Recording goes on in the background until 'hakstat detach PID' or the end of the process.\n"
		"The process alone is recorded, not its children. It has the tracer when HAKMEM_TRACE=1 and\n"
		"libhakmem.so in LD_PRELOAD were in its environment; 'hakstat ps' lists such processes.\n"
		"Sampling is as HAKMEM_SAMPLE_BYTES of the process says.",
	.options = attach_rows,
	.option_count = G_N_ELEMENTS(attach_rows),
	.run = run_attach,
};

const struct hakstat_command hakstat_command_detach = {
	.name = "detach",
	.operands = "PID",
	.summary = "Ends what 'hakstat attach PID' began, and says where the trace is.",
	.run = run_detach,
};

const struct hakstat_command hakstat_command_ps = {
	.name = "ps",
	.summary = "Lists the processes that have the tracer loaded, and where attach records them to.",
	.details = "Of other users' processes only root sees any.",
	.run = run_ps,
};
