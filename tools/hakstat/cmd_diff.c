/* SPDX-License-Identifier: MIT */
/*
 * hakstat diff: what changed between two recordings, and gates on it.
 */
#include "commands.h"
#include "gate.h"
#include "input.h"
#include "junit.h"
#include "render_diff.h"
#include "view.h"

struct values {
	int by, format, per;
	const char *output, *sysroot;
	uint64_t top;
	bool is_exact, strict;
	struct hakstat_gates gates;
};

/* clang-format off */

#define AT(member) offsetof(struct values, member)

static const struct hakstat_option options[] = {
	{ "by", 0, HAKSTAT_OPT_CHOICE, "class|route|size|site", AT(by), 0, 0, "one table instead of all" },
	{ "per", 0, HAKSTAT_OPT_CHOICE, "run|operation|live-byte", AT(per), 0, 0,
	  "compare the runs as they are; or scaled to as many allocations; or what is live at the end, scaled "
	  "to as many live bytes (run)" },
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json|markdown|junit|benchmark", AT(format), 0, 0,
	  "table and markdown for people; json with raw bytes; junit with a test case for each gate; benchmark "
	  "for github-action-benchmark (customSmallerIsBetter)" },
	{ "top", 'n', HAKSTAT_OPT_COUNT, "N", AT(top), 1, 1000000000, "only the first N rows of a table (10)" },
	{ "sysroot", 0, HAKSTAT_OPT_TEXT, "DIR", AT(sysroot), 0, 0,
	  "look for the traced programs' files below DIR" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "every digit of bytes in tables" },
	{ "strict", 0, HAKSTAT_OPT_FLAG, NULL, AT(strict), 0, 0,
	  "exit with 3 when events were lost or a trace breaks off" },
	{ "fail-on", 0, HAKSTAT_OPT_TEXTS, "CONDITION", AT(gates.fail_on), 0, 0,
	  "exit with 1 when it holds, or one of several, such as 'total waste_bytes > +5%'" },
	{ "budget", 0, HAKSTAT_OPT_TEXT, "FILE", AT(gates.budget), 0, 0,
	  "exit with 1 unless all conditions hold, one a line" },
	{ "allow-lost", 0, HAKSTAT_OPT_FLAG, NULL, AT(gates.allow_lost), 0, 0,
	  "let --fail-on and --budget decide on incomplete traces" },
	{ "output", 'o', HAKSTAT_OPT_TEXT, "FILE", AT(output), 0, 0, "write there instead of standard output" },
};

/* clang-format on */

enum { FORMAT_JUNIT = 3 };

struct output {
	const struct hakstat_diff *diff;
	const GPtrArray *outcomes;
	const struct values *values;
};

static int write_junit(const struct output *output, FILE *out)
{
	return hakstat_junit_write(output->outcomes, "hakstat diff", output->diff->new, out);
}

static int write_diff(void *data, FILE *out)
{
	static int (*const renderers[])(const struct hakstat_diff *, const struct hakstat_view *, FILE *) = {
		hakstat_render_diff_table, hakstat_render_diff_json,	  hakstat_render_diff_markdown,
		NULL /* junit */,	   hakstat_render_diff_benchmark,
	};
	const struct output *output = data;
	const struct values *v = output->values;
	struct hakstat_view view = {
		.has_by = v->by >= 0,
		.by = (enum hakstat_table_id)(v->by >= 0 ? v->by : 0),
		.top = v->top,
		.is_exact = v->is_exact,
	};

	if (v->format == FORMAT_JUNIT) {
		return write_junit(output, out);
	}
	hakstat_view_fit(&view, out);
	return renderers[v->format](output->diff, &view, out);
}

static int show(const struct hakstat_report *base, const struct hakstat_report *new, const struct values *v,
		const GPtrArray *conditions, struct hakstat_err *err)
{
	struct hakstat_diff *diff = hakstat_diff_new(base, new, (enum hakstat_diff_per)v->per);
	GPtrArray *outcomes = hakstat_gates_judge(conditions, v->gates.allow_lost, new, base);
	struct output output = { diff, outcomes, v };
	int status = hakstat_write_to(v->output, write_diff, &output, err);

	if (status == 0 && v->strict &&
	    (hakstat_report_is_incomplete(base) || hakstat_report_is_incomplete(new))) {
		status = hakstat_err_set(
			err, HAKSTAT_TRACE,
			"a trace is incomplete (lost events, or cut short) and --strict was given");
	}
	if (status == 0) {
		status = hakstat_gates_say(outcomes, err);
	}
	g_ptr_array_unref(outcomes);
	hakstat_diff_free(diff);
	return status;
}

static struct hakstat_report *read_report(const char *path, const struct values *v, struct hakstat_err *err)
{
	struct hakstat_input_options input = { .sysroot = v->sysroot };
	struct hakstat_summary *summary = hakstat_input_read(path, &input, err);

	return summary ? hakstat_report_new(summary) : NULL;
}

/* The conditions are read first: a mistake in them must not cost the time that traces take. */
static int compare(char *const *paths, const struct values *v, struct hakstat_err *err)
{
	GPtrArray *conditions = hakstat_gates_load(&v->gates, err);
	struct hakstat_report *base = NULL, *new = NULL;
	int status;

	if (!conditions) {
		return err->status;
	}
	if (v->format == FORMAT_JUNIT && conditions->len == 0) {
		g_ptr_array_unref(conditions);
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "diff: --format junit lists gates; give --budget or --fail-on");
	}
	base = read_report(paths[0], v, err);
	new = base ? read_report(paths[1], v, err) : NULL;
	status = new ? show(base, new, v, conditions, err) : err->status;
	hakstat_report_free(base);
	hakstat_report_free(new);
	g_ptr_array_unref(conditions);
	return status;
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	struct values v = { .by = -1 };
	int first;
	int status = hakstat_cli_parse(&hakstat_command_diff, argc, argv, &v, &first, err);

	if (status == 0 && argc - first != 2) {
		status = hakstat_err_set(err, HAKSTAT_USAGE,
					 "diff: two traces are needed, first the base, then the new one");
	}
	if (status == 0) {
		status = compare(argv + first, &v, err);
	}
	hakstat_gates_clear(&v.gates);
	return status == HAKSTAT_CLI_DONE ? 0 : status;
}

const struct hakstat_command hakstat_command_diff = {
	.name = "diff",
	.operands = "BASE NEW",
	.summary =
		"What changed from BASE to NEW: waste per class, route, size and site, and sizes that moved.",
	.details =
		"Both are traces or saved summaries. 'each' is the waste of one allocation. Runs of "
		"different\n"
		"length compare with --per. A budget is a file of conditions that must hold, one a line:\n"
		"class NAME, route NAME or total, then a key of the JSON rows, an operator and a number; a\n"
		"number with a sign is the difference to BASE, with % relative to it. A class or route that\n"
		"served nothing has 0, in percent as well:\n\n"
		"class C7 waste_percent < 15\n"
		"route mid allocs == 0\n"
		"total live_waste_bytes < +5%    # of BASE\n\n"
		"No gate passes on a trace with lost events unless --allow-lost says so.",
	.options = options,
	.option_count = sizeof options / sizeof options[0],
	.run = run,
};
