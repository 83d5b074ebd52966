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

#include "summary_file.h"

enum { IS_ERROR = 'E', IS_SUMMARY = 'S' };

static void work(hakstat_reader read, void *data, FILE *out)
{
	struct rlimit no_core = { 0, 0 };
	struct hakstat_err err = { 0 };
	struct hakstat_summary *summary;
	int status;

	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would take the result */
	summary = read(data, &err);
	if (summary) {
		fputc(IS_SUMMARY, out);
		status = hakstat_summary_write(summary, out);
	} else {
		fputc(IS_ERROR, out);
		status = fwrite(&err, sizeof err, 1, out) == 1 ? 0 : -1;
	}
	_exit(status || fflush(out) != 0);
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

	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	return status;
}

struct hakstat_summary *hakstat_isolate(const char *name, hakstat_reader read, void *data,
					struct hakstat_err *err)
{
	struct hakstat_summary *summary = NULL;
	FILE *shared = tmpfile();
	pid_t child;
	int status;

	fflush(NULL);
	child = shared ? fork() : -1;
	if (child == 0) {
		work(read, data, shared);
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
