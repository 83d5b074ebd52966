/* SPDX-License-Identifier: MIT */
/*
 * hakstat report: the waste report of recorded traces.
 */
#include "commands.h"
#include "gate.h"
#include "input.h"
#include "recording.h"
#include "render.h"
#include "summary_file.h"
#include "view.h"

struct values {
	int by, tree, format;
	const char *sort, *output, *sysroot;
	uint64_t top, pid;
	bool is_exact, strict;
	struct hakstat_gates gates;
};

/* clang-format off */

#define AT(member) offsetof(struct values, member)

static const struct hakstat_option options[] = {
	{ "by", 0, HAKSTAT_OPT_CHOICE, "class|route|size|site|thread|process|time|heap", AT(by), 0, 0,
	  "one table instead of the whole report" },
	{ "tree", 0, HAKSTAT_OPT_CHOICE, "callers|callees", AT(tree), 0, 0,
	  "call sites merged into one tree: from who asks, or from where threads begin; as table or json" },
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json|csv|markdown|html|folded|pprof|openmetrics|summary", AT(format), 0, 0,
	  "table (default), markdown and html (one page with plots, for a browser) for people; json and csv with raw bytes; folded and pprof for flame graphs; "
	  "openmetrics for Prometheus; summary to be read again where a trace is" },
	{ "sort", 0, HAKSTAT_OPT_TEXT, "COLUMN", AT(sort), 0, 0,
	  "order of the table that --by names (class): a key of its JSON rows, as 'hakstat --list-columns' has them" },
	{ "top", 'n', HAKSTAT_OPT_COUNT, "N", AT(top), 1, 1000000000, "only the first N rows of a table (10 of sizes and sites; with --by, all)" },
	{ "pid", 'p', HAKSTAT_OPT_COUNT, "PID", AT(pid), 1, UINT32_MAX, "only this process" },
	{ "sysroot", 0, HAKSTAT_OPT_TEXT, "DIR", AT(sysroot), 0, 0,
	  "look for the traced programs' files below DIR" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "every digit of bytes in tables" },
	{ "strict", 0, HAKSTAT_OPT_FLAG, NULL, AT(strict), 0, 0,
	  "exit with 3 when events were lost or a trace breaks off" },
	{ "fail-on", 0, HAKSTAT_OPT_TEXTS, "CONDITION", AT(gates.fail_on), 0, 0,
	  "exit with 1 when it holds, or one of several, such as 'total waste_percent > 20'" },
	{ "budget", 0, HAKSTAT_OPT_TEXT, "FILE", AT(gates.budget), 0, 0,
	  "exit with 1 unless all conditions hold, one a line" },
	{ "allow-lost", 0, HAKSTAT_OPT_FLAG, NULL, AT(gates.allow_lost), 0, 0,
	  "let --fail-on and --budget decide on incomplete traces" },
	{ "output", 'o', HAKSTAT_OPT_TEXT, "FILE", AT(output), 0, 0, "write there instead of standard output" },
};

/* clang-format on */

static int render_summary(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out)
{
	(void)view; /* what is left out can't be merged */
	return hakstat_summary_write(report->summary, out);
}

/* In the order of the choices of --format, of which these have no table to choose. */
enum { FORMAT_FOLDED = 5, FORMAT_PPROF, FORMAT_OPENMETRICS, FORMAT_SUMMARY };

static const hakstat_renderer renderers[] = {
	hakstat_render_table,	 hakstat_render_json,	     hakstat_render_csv,
	hakstat_render_markdown, hakstat_render_html,	     hakstat_render_folded,
	hakstat_render_pprof,	 hakstat_render_openmetrics, render_summary,
};

/* With --tree; of the choices of --format the first ones. */
static const hakstat_renderer tree_renderers[] = { hakstat_render_tree, hakstat_render_tree_json };

/* Choices of --tree. */
enum { FROM_CALLERS, FROM_CALLEES };

struct output {
	const struct hakstat_report *report;
	const struct values *values;
};

static int write_report(void *data, FILE *out)
{
	const struct output *output = data;
	const struct values *v = output->values;
	struct hakstat_view view = {
		.has_by = v->by >= 0,
		.by = (enum hakstat_table_id)(v->by >= 0 ? v->by : 0),
		.top = v->top,
		.is_exact = v->is_exact,
		.from_callees = v->tree == FROM_CALLEES,
	};

	hakstat_view_fit(&view, out);
	return (v->tree < 0 ? renderers : tree_renderers)[v->format](output->report, &view, out);
}

static int judge(const struct hakstat_report *report, const struct values *v, const GPtrArray *conditions,
		 struct hakstat_err *err)
{
	GPtrArray *outcomes = hakstat_gates_judge(conditions, v->gates.allow_lost, report, NULL);
	int status = hakstat_gates_say(outcomes, err);

	g_ptr_array_unref(outcomes);
	return status;
}

static int show(struct hakstat_report *report, const struct values *v, const GPtrArray *conditions,
		struct hakstat_err *err)
{
	struct output output = { report, v };
	int status = 0;

	if (v->sort) {
		status = hakstat_report_sort(
			report, v->by < 0 ? HAKSTAT_BY_CLASS : (enum hakstat_table_id)v->by, v->sort, err);
	}
	if (status == 0) {
		status = hakstat_write_to(v->output, write_report, &output, err);
	}
	if (status == 0) {
		hakstat_input_say_partial(report->summary, "report");
	}
	if (status == 0 && v->strict && hakstat_report_is_incomplete(report)) {
		return hakstat_err_set(
			err, HAKSTAT_TRACE,
			"the trace is incomplete (lost events, or cut short) and --strict was given");
	}
	return status ? status : judge(report, v, conditions, err);
}

/* Conditions are read first: a trace may take long. */
static int make(char **paths, int count, const struct values *v, struct hakstat_err *err)
{
	struct hakstat_input_options input = {
		.has_pid = v->pid != 0, .pid = (uint32_t)v->pid, .sysroot = v->sysroot, .keeps_part = true
	};
	GPtrArray *conditions = hakstat_gates_load(&v->gates, err);
	struct hakstat_summary *summary =
		conditions ? hakstat_input_read_all(paths, count, &input, err) : NULL;
	int status = err->status;

	if (summary) {
		struct hakstat_report *report = hakstat_report_new(summary);
		status = show(report, v, conditions, err);
		hakstat_report_free(report);
	}
	if (conditions) {
		g_ptr_array_unref(conditions);
	}
	return status;
}

/* Formats that are of one table or of the whole recording. */
static int check_by(const struct values *v, struct hakstat_err *err)
{
	static const struct {
		const char *format, *why;
		bool has_sites;
	} fixed[] = {
		[FORMAT_FOLDED] = { "folded", "is of call sites", true },
		[FORMAT_PPROF] = { "pprof", "is of call sites", true },
		[FORMAT_OPENMETRICS] = { "openmetrics", "has its own tables", false },
		[FORMAT_SUMMARY] = { "summary", "holds all tables", false },
	};

	if (v->by < 0 || v->format >= (int)G_N_ELEMENTS(fixed) || !fixed[v->format].format ||
	    (fixed[v->format].has_sites && v->by == HAKSTAT_BY_SITE)) {
		return 0;
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "report: --format %s %s: leave --by out",
			       fixed[v->format].format, fixed[v->format].why);
}

static int check(const struct values *v, struct hakstat_err *err)
{
	if (v->tree >= 0 && v->by >= 0 && v->by != HAKSTAT_BY_SITE) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "report: --tree is of call sites: leave --by out");
	}
	if (v->tree >= 0 && v->format >= (int)G_N_ELEMENTS(tree_renderers)) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "report: --tree has the formats table and json; folded and html draw "
				       "the same as a flame graph");
	}
	return check_by(v, err);
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	struct values v = { .by = -1, .tree = -1 };
	int first;
	int status = hakstat_cli_parse(&hakstat_command_report, argc, argv, &v, &first, err);

	if (status == 0) {
		status = check(&v, err);
	}
	if (status == 0) {
		status = make(argv + first, argc - first, &v, err);
	}
	hakstat_gates_clear(&v.gates);
	return status == HAKSTAT_CLI_DONE ? 0 : status;
}

const struct hakstat_command hakstat_command_report = {
	.name = "report",
	.operands = "[TRACE...]",
	.summary = "The waste report: totals, classes, routes, worst request sizes and call sites, findings.",
	.details =
		"TRACE is a folder that 'hakstat record' or an LTTng session wrote, or a saved summary;\n"
		"several are merged. Without TRACE it is " HAKSTAT_RECORDING_FOLDER
		". 'usable' is the size of the\n"
		"blocks, 'waste' is usable less requested, 'waste %' its part of usable, 'idle' what no\n"
		"live block uses in slabs; 'hakstat --list-columns' explains every column.\n\n"
		"Allocations and frees are those of the recording; live also counts blocks from before it,\n"
		"such as LTTng's own. What was requested for those is unknown.\n\n"
		"CONDITION is 'total', 'class NAME' or 'route NAME', then a key of that list, one of\n"
		"< <= == != >= > and a number, which may have a unit: total live_waste_bytes > 4M. A budget\n"
		"has one a line, which must hold, and # before comments. Neither passes on a trace with "
		"lost\n"
		"events unless --allow-lost says so.",
	.options = options,
	.option_count = sizeof options / sizeof options[0],
	.run = run,
};
