/* SPDX-License-Identifier: MIT */
/*
 * hakstat report: the waste report of recorded traces.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "input.h"
#include "render.h"
#include "summary_file.h"

enum { TERMINAL_MIN = 40 };

struct values {
	int by, format;
	const char *sort, *output, *sysroot;
	uint64_t top, pid;
	bool is_exact, strict;
};

/* clang-format off */

#define AT(member) offsetof(struct values, member)

static const struct hakstat_option options[] = {
	{ "by", 0, HAKSTAT_OPT_CHOICE, "class|route|size|site|thread|process|time", AT(by), 0, 0,
	  "one table instead of the whole report" },
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json|csv|markdown|folded|pprof|openmetrics|summary", AT(format), 0, 0,
	  "table and markdown for people; json and csv with raw bytes; folded and pprof for flame graphs; "
	  "openmetrics for Prometheus; summary to be read again where a trace is" },
	{ "sort", 0, HAKSTAT_OPT_TEXT, "COLUMN", AT(sort), 0, 0,
	  "order of the table that --by names: a key of its JSON rows" },
	{ "top", 'n', HAKSTAT_OPT_COUNT, "N", AT(top), 1, 1000000000, "only the first N rows of a table" },
	{ "pid", 'p', HAKSTAT_OPT_COUNT, "PID", AT(pid), 1, UINT32_MAX, "only this process" },
	{ "sysroot", 0, HAKSTAT_OPT_TEXT, "DIR", AT(sysroot), 0, 0,
	  "look for the traced programs' files below DIR" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "every digit of bytes in tables" },
	{ "strict", 0, HAKSTAT_OPT_FLAG, NULL, AT(strict), 0, 0,
	  "exit with 3 when events were lost or a trace breaks off" },
	{ "output", 'o', HAKSTAT_OPT_TEXT, "FILE", AT(output), 0, 0, "write there instead of standard output" },
};

/* clang-format on */

static int render_summary(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out)
{
	(void)view; /* what is left out can't be merged */
	return hakstat_summary_write(report->summary, out);
}

/* In the order of the choices of --format. */
static const hakstat_renderer renderers[] = {
	hakstat_render_table,  hakstat_render_json,  hakstat_render_csv,	 hakstat_render_markdown,
	hakstat_render_folded, hakstat_render_pprof, hakstat_render_openmetrics, render_summary,
};

static int terminal_width(FILE *out)
{
	struct winsize size;

	if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
		return 0;
	}
	return size.ws_col < TERMINAL_MIN ? TERMINAL_MIN : size.ws_col;
}

static bool wants_colours(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

static int write_report(const struct hakstat_report *report, const struct values *v, FILE *out,
			struct hakstat_err *err)
{
	struct hakstat_view view = {
		.has_by = v->by >= 0,
		.by = (enum hakstat_table_id)(v->by >= 0 ? v->by : 0),
		.top = v->top,
		.is_exact = v->is_exact,
		.colours = wants_colours(out),
		.width = terminal_width(out),
	};

	if (renderers[v->format](report, &view, out) != 0 || fflush(out) != 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "%s: cannot be written: %s",
				       v->output ? v->output : "standard output", strerror(errno));
	}
	return 0;
}

static int write_to_file(const struct hakstat_report *report, const struct values *v, struct hakstat_err *err)
{
	FILE *out = fopen(v->output, "w");
	int status;

	if (!out) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "%s: cannot be written: %s", v->output,
				       strerror(errno));
	}
	status = write_report(report, v, out, err);
	if (fclose(out) != 0 && status == 0) {
		status = hakstat_err_set(err, HAKSTAT_USAGE, "%s: cannot be written: %s", v->output,
					 strerror(errno));
	}
	return status;
}

static int show(struct hakstat_report *report, const struct values *v, struct hakstat_err *err)
{
	int status = 0;

	if (v->sort) {
		status = hakstat_report_sort(
			report, v->by < 0 ? HAKSTAT_BY_CLASS : (enum hakstat_table_id)v->by, v->sort, err);
	}
	if (status == 0) {
		status = v->output ? write_to_file(report, v, err) : write_report(report, v, stdout, err);
	}
	if (status == 0 && report->summary->partial) {
		hakstat_say("the trace breaks off before its end; the report holds what could be read");
	}
	if (status == 0 && v->strict && hakstat_report_is_incomplete(report)) {
		return hakstat_err_set(
			err, HAKSTAT_TRACE,
			"the trace is incomplete (lost events, or cut short) and --strict was given");
	}
	return status;
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	static char standard_path[] = "hakmem.trace";
	char *standard[] = { standard_path };
	struct values v = { .by = -1 };
	struct hakstat_input_options input = { 0 };
	struct hakstat_summary *summary;
	struct hakstat_report *report;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_report, argc, argv, &v, &first, err);

	if (status != 0) {
		return status == HAKSTAT_CLI_DONE ? 0 : status;
	}
	input.has_pid = v.pid != 0;
	input.pid = (uint32_t)v.pid;
	input.sysroot = v.sysroot;
	summary = first < argc ? hakstat_input_read_all(argv + first, argc - first, &input, err)
			       : hakstat_input_read_all(standard, 1, &input, err);
	if (!summary) {
		return err->status;
	}
	report = hakstat_report_new(summary);
	status = show(report, &v, err);
	hakstat_report_free(report);
	return status;
}

const struct hakstat_command hakstat_command_report = {
	.name = "report",
	.operands = "[TRACE...]",
	.summary = "The waste report: totals, classes, routes, worst request sizes and call sites, findings.",
	.details = "TRACE is a folder that 'hakstat record' or an LTTng session wrote, or a saved summary;\n"
		   "several are merged. Without TRACE it is hakmem.trace. waste is usable less requested;\n"
		   "waste % is its part of the usable bytes.",
	.options = options,
	.option_count = sizeof options / sizeof options[0],
	.run = run,
};
