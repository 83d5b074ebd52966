/* SPDX-License-Identifier: MIT */
/*
 * The child writes either an error or a saved summary to an unnamed file that both share.
 */
#include "isolate.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"
#include "summary_file.h"
#include "text.h"

enum { IS_ERROR = 'E', IS_SUMMARY = 'S' };

struct work {
	const char *name;
	uint64_t memory;
	hakstat_reader read;
	void *data;
	FILE *out;
};

static int hand_over_error(FILE *out, const struct hakstat_err *err)
{
	fputc(IS_ERROR, out);
	return fwrite(err, sizeof *err, 1, out) == 1 ? 0 : -1;
}

/* GLib ends the process when there is no memory. Its words are for developers, so nothing is printed. */
static void hear_glib(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
	const struct work *work = data;
	struct hakstat_err err = { 0 };
	char limit[32];

	(void)domain;
	if (level & G_LOG_LEVEL_ERROR && strstr(message, "failed to allocate")) {
		hakstat_text_bytes(limit, sizeof limit, work->memory);
		hakstat_err_set(&err, HAKSTAT_TRACE,
				"%s: damaged: reading it takes more than %s of memory, which no trace of its "
				"size needs",
				work->name, limit);
		hand_over_error(work->out, &err);
		_exit(fflush(work->out) != 0);
	}
}

/* Of private memory, on top of what this process has; mapped files do not count. */
static void limit_memory(uint64_t bytes)
{
	uint64_t used = hakstat_proc_bytes("/proc/self/status", "VmData:");
	struct rlimit limit = { .rlim_cur = used + bytes, .rlim_max = used + bytes };

	if (used) {
		setrlimit(RLIMIT_DATA, &limit);
	}
}

static void do_work(struct work *work)
{
	const struct rlimit no_core = { 0, 0 };
	struct hakstat_err err = { 0 };
	struct hakstat_summary *summary;
	int status;

	setrlimit(RLIMIT_CORE, &no_core);
	limit_memory(work->memory);
	g_log_set_default_handler(hear_glib, work);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would take the result */
	summary = work->read(work->data, &err);
	if (summary) {
		fputc(IS_SUMMARY, work->out);
		status = hakstat_summary_write(summary, work->out);
	} else {
		status = hand_over_error(work->out, &err);
	}
	_exit(status || fflush(work->out) != 0);
}

static struct hakstat_summary *take(const char *name, FILE *in, struct hakstat_err *err)
{
	rewind(in);
	switch (fgetc(in)) {
	case IS_SUMMARY:
		return hakstat_summary_load(in, name, err);
	case IS_ERROR:
		if (fread(err, sizeof *err, 1, in) == 1) {
			return NULL;
		}
		break;
	default:
		break;
	}
	hakstat_err_set(err, HAKSTAT_USAGE,
			"%s: the result of reading it could not be handed over: is the disk full?", name);
	return NULL;
}

static int wait_for(pid_t child)
{
	int status = 0;

	TEMP_FAILURE_RETRY(waitpid(child, &status, 0));
	return status;
}

struct hakstat_summary *hakstat_isolate(const char *name, uint64_t memory, hakstat_reader read, void *data,
					struct hakstat_err *err)
{
	struct hakstat_summary *summary = NULL;
	FILE *shared = tmpfile();
	struct work work = { name, memory, read, data, shared };
	pid_t child;
	int status;

	fflush(NULL);
	child = shared ? fork() : -1;
	if (child == 0) {
		do_work(&work);
	}
	if (child < 0) {
		hakstat_err_set(err, HAKSTAT_USAGE, "%s: no process could be made to read it: %s", name,
				strerror(errno));
	} else {
		status = wait_for(child);
		if (WIFSIGNALED(status)) {
			hakstat_err_set(err, HAKSTAT_TRACE, "%s: damaged: reading it ended by signal %d (%s)",
					name, WTERMSIG(status), strsignal(WTERMSIG(status)));
		} else {
			summary = take(name, shared, err);
		}
	}
	if (shared) {
		fclose(shared);
	}
	return summary;
}
