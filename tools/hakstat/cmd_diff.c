/* SPDX-License-Identifier: MIT */
/*
 * hakstat diff: what changed between two recordings, and gates on it.
 */
#include "commands.h"
#include "gate.h"
#include "input.h"
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
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json|markdown", AT(format), 0, 0,
	  "table and markdown for people; json with raw bytes" },
	{ "top", 'n', HAKSTAT_OPT_COUNT, "N", AT(top), 1, 1000000000, "only the first N rows of a table (10)" },
	{ "sysroot", 0, HAKSTAT_OPT_TEXT, "DIR", AT(sysroot), 0, 0,
	  "look for the traced programs' files below DIR" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "every digit of bytes in tables" },
	{ "strict", 0, HAKSTAT_OPT_FLAG, NULL, AT(strict), 0, 0,
	  "exit with 3 when events were lost or a trace breaks off" },
	{ "fail-on", 0, HAKSTAT_OPT_TEXT, "CONDITION", AT(gates.fail_on), 0, 0,
	  "exit with 1 when it holds, such as 'total waste_bytes > +5%'" },
	{ "budget", 0, HAKSTAT_OPT_TEXT, "FILE", AT(gates.budget), 0, 0,
	  "exit with 1 unless all conditions hold, one a line" },
	{ "allow-lost", 0, HAKSTAT_OPT_FLAG, NULL, AT(gates.allow_lost), 0, 0,
	  "let --fail-on and --budget decide on incomplete traces" },
	{ "output", 'o', HAKSTAT_OPT_TEXT, "FILE", AT(output), 0, 0, "write there instead of standard output" },
};

/* clang-format on */

struct output {
	const struct hakstat_diff *diff;
	const struct values *values;
};

static int write_diff(void *data, FILE *out)
{
	static int (*const renderers[])(const struct hakstat_diff *, const struct hakstat_view *, FILE *) = {
		hakstat_render_diff_table,
		hakstat_render_diff_json,
		hakstat_render_diff_markdown,
	};
	const struct output *output = data;
	const struct values *v = output->values;
	struct hakstat_view view = {
		.has_by = v->by >= 0,
		.by = (enum hakstat_table_id)(v->by >= 0 ? v->by : 0),
		.top = v->top,
		.is_exact = v->is_exact,
	};

	hakstat_view_fit(&view, out);
	return renderers[v->format](output->diff, &view, out);
}

static int show(const struct hakstat_report *base, const struct hakstat_report *new, const struct values *v,
		struct hakstat_err *err)
{
	struct hakstat_diff *diff = hakstat_diff_new(base, new, (enum hakstat_diff_per)v->per);
	struct output output = { diff, v };
	int status = hakstat_write_to(v->output, write_diff, &output, err);

	hakstat_diff_free(diff);
	if (status == 0 && v->strict &&
	    (hakstat_report_is_incomplete(base) || hakstat_report_is_incomplete(new))) {
		return hakstat_err_set(
			err, HAKSTAT_TRACE,
			"a trace is incomplete (lost events, or cut short) and --strict was given");
	}
	return status ? status : hakstat_gates_check(&v->gates, new, base, err);
}

static struct hakstat_report *read_report(const char *path, const struct values *v, struct hakstat_err *err)
{
	struct hakstat_input_options input = { .sysroot = v->sysroot };
	struct hakstat_summary *summary = hakstat_input_read(path, &input, err);

	return summary ? hakstat_report_new(summary) : NULL;
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	struct values v = { .by = -1 };
	struct hakstat_report *base, *new;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_diff, argc, argv, &v, &first, err);

	if (status != 0) {
		return status == HAKSTAT_CLI_DONE ? 0 : status;
	}
	if (argc - first != 2) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "diff: two traces are needed, first the base, then the new one");
	}
	base = read_report(argv[first], &v, err);
	new = base ? read_report(argv[first + 1], &v, err) : NULL;
	status = new ? show(base, new, &v, err) : err->status;
	hakstat_report_free(base);
	hakstat_report_free(new);
	return status;
}

const struct hakstat_command hakstat_command_diff = {
	.name = "diff",
	.operands = "BASE NEW",
	.summary =
		"What changed from BASE to NEW: waste per class, route, size and site, and sizes that moved.",
	.details = "Both are traces or saved summaries. 'each' is the waste of one allocation. Runs of "
		   "different\n"
		   "length compare with --per.",
	.options = options,
	.option_count = sizeof options / sizeof options[0],
	.run = run,
};
