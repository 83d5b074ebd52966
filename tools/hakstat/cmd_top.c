/* SPDX-License-Identifier: MIT */
/*
 * hakstat top: a program's memory while it runs.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "armed.h"
#include "commands.h"
#include "launch.h"
#include "text.h"
#include "top_reader.h"
#include "top_screen.h"
#include "view.h"

enum { PERIOD_S = 2, LOOKS = 10, LOOKS_FOR_ALL = 3 };

struct values {
	uint64_t period_s;
	const char *url, *sysroot;
	bool is_once, is_exact;
};

/* clang-format off */

#define AT(member) offsetof(struct values, member)

static const struct hakstat_option options[] = {
	{ "live", 0, HAKSTAT_OPT_TEXT, "URL", AT(url), 0, 0,
	  "follow a live session of an LTTng relay daemon, net://HOST/host/NAME/SESSION; net://HOST alone when "
	  "it has one session" },
	{ "delay", 'd', HAKSTAT_OPT_COUNT, "SECONDS", AT(period_s), 1, 3600, "time between two looks (2)" },
	{ "once", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_once), 0, 0,
	  "print the table once and end, as happens when standard output is no terminal" },
	{ "sysroot", 0, HAKSTAT_OPT_TEXT, "DIR", AT(sysroot), 0, 0,
	  "look for the traced programs' files below DIR" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "with --once: every digit of bytes" },
};

/* clang-format on */

/* Whom to look at ------------------------------------------------------------------------- */

static GPtrArray *choices(const GArray *pids)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

	g_ptr_array_add(lines, g_strdup("    all"));
	for (guint i = 0; i < pids->len; i++) {
		pid_t pid = g_array_index(pids, pid_t, i);
		char *command = hakstat_armed_command(pid);
		g_ptr_array_add(lines, g_strdup_printf("%7d %s", (int)pid, command));
		g_free(command);
	}
	return lines;
}

/* HAKSTAT_CLI_DONE: the user wants none. */
static int choose(const GArray *pids, pid_t *pid, struct hakstat_err *err)
{
	GPtrArray *lines = choices(pids);
	int chosen = hakstat_top_choose(lines, "Which process?", err);

	g_ptr_array_unref(lines);
	if (chosen < 0) {
		return err->text[0] ? err->status : HAKSTAT_CLI_DONE;
	}
	*pid = chosen ? g_array_index(pids, pid_t, chosen - 1) : 0;
	return 0;
}

static int find_process(bool may_ask, pid_t *pid, struct hakstat_err *err)
{
	GArray *pids = hakstat_armed_list();
	int status = 0;

	if (pids->len == 0) {
		status = hakstat_err_set(err, HAKSTAT_USAGE,
					 "top: no process has the tracer loaded; start one with "
					 "HAKMEM_TRACE=1 and libhakmem.so "
					 "preloaded, or see what 'hakstat record' does");
	} else if (pids->len == 1) {
		*pid = g_array_index(pids, pid_t, 0);
	} else if (may_ask) {
		status = choose(pids, pid, err);
	}
	g_array_unref(pids);
	return status;
}

static int take_operands(const struct values *v, int count, char **operands, bool may_ask,
			 struct hakstat_top_source *source, struct hakstat_err *err)
{
	if (count > 1 || (count && v->url)) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "top: one process, or --live URL, not both");
	}
	if (v->url) {
		return 0;
	}
	if (count == 0) {
		return find_process(may_ask, &source->pid, err);
	}
	return hakstat_cli_pid(&hakstat_command_top, operands[0], &source->pid, err)
		       ? err->status
		       : hakstat_armed_check(source->pid, err);
}

static char *title_of(const struct hakstat_top_source *source)
{
	char *command, *title;

	if (source->url) {
		return hakstat_text_clean(source->url);
	}
	if (!source->pid) {
		return g_strdup("all processes");
	}
	command = hakstat_armed_command(source->pid);
	title = g_strdup_printf("%d %s", (int)source->pid, g_strchomp(command));
	g_free(command);
	return title;
}

/* Without a terminal ----------------------------------------------------------------------- */

struct output {
	const struct hakstat_report *report;
	const struct values *values;
};

static int write_once(void *data, FILE *out)
{
	const struct output *output = data;
	struct hakstat_view view = { .has_by = true,
				     .by = HAKSTAT_BY_CLASS,
				     .is_exact = output->values->is_exact };

	hakstat_view_fit(&view, out);
	return hakstat_render_table(output->report, &view, out);
}

static guint processes_of(const struct hakstat_top_source *source)
{
	GArray *pids;
	guint count;

	if (source->pid || source->url) {
		return 1;
	}
	pids = hakstat_armed_list();
	count = pids->len;
	g_array_unref(pids);
	return count;
}

/* One that never answers holds the others up for some looks only. */
static bool has_all(const struct hakstat_summary *summary, const struct hakstat_top_source *source, int looks)
{
	return looks >= LOOKS_FOR_ALL || summary->rows[HAKSTAT_BY_PROCESS]->len >= processes_of(source);
}

/* The first samples may come before the counters and the names of the classes. */
static bool is_whole(const struct hakstat_summary *summary)
{
	const GPtrArray *classes = summary->rows[HAKSTAT_BY_CLASS];

	for (guint i = 0; i < classes->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(classes, i);
		if (!row->n.seen) {
			return false;
		}
	}
	return classes->len != 0 && summary->config.known;
}

static enum hakstat_top_news await_whole(struct hakstat_top_reader *reader,
					 const struct hakstat_top_source *source,
					 struct hakstat_summary **summary, struct hakstat_err *err)
{
	struct pollfd ready = { .fd = reader->from, .events = POLLIN };
	int looks = 1;

	for (;;) {
		enum hakstat_top_news news = hakstat_top_reader_take(reader, summary, err);
		if (news == HAKSTAT_TOP_NOTHING) {
			poll(&ready, 1, -1);
		} else if (news != HAKSTAT_TOP_SUMMARY || looks == LOOKS ||
			   (is_whole(*summary) && has_all(*summary, source, looks))) {
			return news;
		} else {
			hakstat_summary_free(*summary);
			looks++;
		}
	}
}

static int print_once(struct hakstat_top_reader *reader, const struct hakstat_top_source *source,
		      const char *title, const struct values *v, struct hakstat_err *err)
{
	struct hakstat_summary *summary = NULL;
	struct output output = { .values = v };
	struct hakstat_report *report;
	int status;

	switch (await_whole(reader, source, &summary, err)) {
	case HAKSTAT_TOP_SUMMARY:
		hakstat_summary_add_path(summary, title);
		report = hakstat_report_new(summary);
		output.report = report;
		status = hakstat_write_to(NULL, write_once, &output, err);
		hakstat_report_free(report);
		return status;
	case HAKSTAT_TOP_FAILED:
		return err->status;
	default:
		return hakstat_err_set(err, HAKSTAT_USAGE, "top: it ended before there were any numbers");
	}
}

/* ------------------------------------------------------------------------------------------ */

static int watch(const struct hakstat_top_source *source, const struct values *v, struct hakstat_err *err)
{
	struct hakstat_top_reader reader;
	char *title = title_of(source);
	int status = hakstat_top_reader_start(&reader, source, err);

	if (status == 0) {
		status = v->is_once ? print_once(&reader, source, title, v, err)
				    : hakstat_top_screen(&reader, title, err);
		hakstat_top_reader_stop(&reader);
	}
	g_free(title);
	return status;
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	struct values v = { .period_s = PERIOD_S };
	struct hakstat_top_source source = { 0 };
	int first;
	int status = hakstat_cli_parse(&hakstat_command_top, argc, argv, &v, &first, err);

	if (status) {
		return status == HAKSTAT_CLI_DONE ? HAKSTAT_OK : status;
	}
	hakstat_launch_ignore_pipes();
	v.is_once = v.is_once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
	source.url = v.url;
	source.sysroot = v.sysroot;
	source.period_s = (unsigned)v.period_s;
	status = take_operands(&v, argc - first, argv + first, !v.is_once, &source, err);
	if (status) {
		return status == HAKSTAT_CLI_DONE ? HAKSTAT_OK : status;
	}
	return watch(&source, &v, err);
}

const struct hakstat_command hakstat_command_top = {
	.name = "top",
	.operands = "[PID]",
	.summary = "Live view in the terminal: waste per class and call site of a running process.",
	.details = "The process must have the tracer loaded, as for 'hakstat attach'; without PID the one "
		   "that has,\n"
		   "or a choice of them. It is recorded in sampling mode meanwhile, and nothing is kept. "
		   "Keys are\n"
		   "shown on the last line; h explains the rest.",
	.options = options,
	.option_count = sizeof options / sizeof options[0],
	.run = run,
};
