/* SPDX-License-Identifier: MIT */
/*
 * hakstat ab: one command under two settings.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "folder_tree.h"
#include "interrupt.h"
#include "launch.h"
#include "output_folder.h"
#include "render_ab.h"
#include "view.h"

enum { PAIRS = 10, RECORDINGS = 4 };

struct values {
	const char *settings[HAKSTAT_AB_SIDES];
	uint64_t pairs, recordings, sample_bytes, top;
	int mode, format, by;
	const char *rate, *input, *keep, *output, *sysroot;
	bool show_output, is_exact;
};

/* clang-format off */

#define AT(member) offsetof(struct values, member)

static const struct hakstat_option options[] = {
	{ "env-a", 'a', HAKSTAT_OPT_TEXT, "ENV", AT(settings[HAKSTAT_AB_A]), 0, 0,
	  "one setting: NAME=VALUE words, quoted as in a shell (nothing)" },
	{ "env-b", 'b', HAKSTAT_OPT_TEXT, "ENV", AT(settings[HAKSTAT_AB_B]), 0, 0, "the other setting (nothing)" },
	{ "runs", 'n', HAKSTAT_OPT_COUNT, "N", AT(pairs), 0, HAKSTAT_PAIRED_MAX,
	  "timed runs of each, in pairs (10); 8 are needed to tell a difference from noise" },
	{ "recordings", 0, HAKSTAT_OPT_COUNT, "N", AT(recordings), 0, 100,
	  "recorded runs of each, for the waste (4); 0: only timed ones" },
	{ "mode", 'm', HAKSTAT_OPT_CHOICE, "sample|full", AT(mode), 0, 0, "of the recordings (sample)" },
	{ "sample-bytes", 0, HAKSTAT_OPT_BYTES, "N", AT(sample_bytes), 1, UINT64_C(1) << 40,
	  "mean bytes between two sampled allocations; by default HAKMEM_SAMPLE_BYTES or 512K" },
	{ "rate", 0, HAKSTAT_OPT_TEXT, "REGEX", AT(rate), 0, 0,
	  "also compare a number that CMD prints, the more the better: the first group of the last match, "
	  "such as '([0-9.]+) requests per second'" },
	{ "input", 0, HAKSTAT_OPT_TEXT, "FILE", AT(input), 0, 0, "standard input of each run (nothing)" },
	{ "show-output", 0, HAKSTAT_OPT_FLAG, NULL, AT(show_output), 0, 0, "show on stderr what CMD prints" },
	{ "keep", 0, HAKSTAT_OPT_TEXT, "DIR", AT(keep), 0, 0,
	  "leave the recordings there, as a-1, b-1 and so on" },
	{ "by", 0, HAKSTAT_OPT_CHOICE, "class|route|size|site", AT(by), 0, 0,
	  "of the difference one table instead of all" },
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json|csv|markdown|benchmark", AT(format), 0, 0,
	  "table and markdown for people; json with everything; csv with the figures; benchmark for "
	  "github-action-benchmark (customSmallerIsBetter)" },
	{ "top", 0, HAKSTAT_OPT_COUNT, "N", AT(top), 1, 1000000000, "only the first N rows of a table (10)" },
	{ "sysroot", 0, HAKSTAT_OPT_TEXT, "DIR", AT(sysroot), 0, 0,
	  "look for the traced programs' files below DIR" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "every digit of bytes in tables" },
	{ "output", 'o', HAKSTAT_OPT_TEXT, "FILE", AT(output), 0, 0, "write there instead of standard output" },
};

/* clang-format on */

static bool is_assignment(const char *word)
{
	const char *end = strchr(word, '=');

	if (!end || end == word || g_ascii_isdigit(*word)) {
		return false;
	}
	for (; word < end; word++) {
		if (!g_ascii_isalnum(*word) && *word != '_') {
			return false;
		}
	}
	return true;
}

static int parse_setting(const char *text, char letter, char ***setting, struct hakstat_err *err)
{
	GError *error = NULL;

	*setting = NULL;
	if (!text || !*text) {
		*setting = g_new0(char *, 1);
		return 0;
	}
	if (!g_shell_parse_argv(text, NULL, setting, &error)) {
		if (g_error_matches(error, G_SHELL_ERROR, G_SHELL_ERROR_EMPTY_STRING)) {
			*setting = g_new0(char *, 1);
		} else {
			hakstat_err_set(err, HAKSTAT_USAGE, "-%c %s: %s", letter, text, error->message);
		}
		g_error_free(error);
		return *setting ? 0 : err->status;
	}
	for (char **word = *setting; *word; word++) {
		if (!is_assignment(*word)) {
			return hakstat_err_set(err, HAKSTAT_USAGE, "-%c: %s: not of the form NAME=VALUE",
					       letter, *word);
		}
	}
	return 0;
}

static int parse_rate(const char *text, GRegex **rate, struct hakstat_err *err)
{
	GError *error = NULL;

	if (!text) {
		return 0;
	}
	*rate = g_regex_new(text, G_REGEX_MULTILINE, 0, &error);
	if (!*rate) {
		hakstat_err_set(err, HAKSTAT_USAGE, "--rate: %s", error->message);
		g_error_free(error);
		return err->status;
	}
	if (g_regex_get_capture_count(*rate) < 1) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "--rate %s: put what the number looks like in brackets: ([0-9.]+)",
				       text);
	}
	return 0;
}

static int check(const struct values *v, char **argv, struct hakstat_err *err)
{
	if (!argv[0]) {
		return hakstat_err_set(
			err, HAKSTAT_USAGE,
			"ab: no command; try: hakstat ab -a HAKMEM_TINY_MAX_CLASS=5 -- CMD...");
	}
	if (!v->settings[HAKSTAT_AB_A] && !v->settings[HAKSTAT_AB_B]) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "ab: no setting; give one with -a, -b, or both");
	}
	if (v->pairs == 0 && v->recordings == 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "ab: neither --runs nor --recordings: nothing to do");
	}
	return hakstat_launch_check(argv[0], err);
}

/* The folder of the recordings ------------------------------------------------------------- */

struct folder {
	struct hakstat_output_folder kept;
	char *temporary; /* NULL when the user keeps it */
};

static int make_folder(struct folder *folder, const char *keep, struct hakstat_err *err)
{
	GError *error = NULL;

	*folder = (struct folder) { .kept = HAKSTAT_OUTPUT_FOLDER_NONE };
	if (keep) {
		return hakstat_output_folder_make(&folder->kept, keep, false, err);
	}
	folder->temporary = g_dir_make_tmp("hakstat-ab-XXXXXX", &error);
	if (!folder->temporary) {
		hakstat_err_set(err, HAKSTAT_USAGE, "no room for the recordings: %s", error->message);
		g_error_free(error);
		return err->status;
	}
	return 0;
}

static void drop_folder(struct folder *folder)
{
	if (folder->temporary) {
		hakstat_folder_tree_remove(folder->temporary);
		g_free(folder->temporary);
	} else {
		hakstat_output_folder_undo(&folder->kept);
		hakstat_output_folder_finish(&folder->kept);
		hakstat_output_folder_clear(&folder->kept);
	}
}

/* ------------------------------------------------------------------------------------------ */

struct output {
	const struct hakstat_ab *ab;
	const struct values *values;
};

static int write_ab(void *data, FILE *out)
{
	static int (*const renderers[])(const struct hakstat_ab *, const struct hakstat_view *, FILE *) = {
		hakstat_render_ab_table,    hakstat_render_ab_json,	 hakstat_render_ab_csv,
		hakstat_render_ab_markdown, hakstat_render_ab_benchmark,
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
	return renderers[v->format](output->ab, &view, out);
}

static int show(const struct hakstat_ab_plan *plan, const struct hakstat_ab_runs *runs,
		const struct values *v, struct hakstat_err *err)
{
	struct hakstat_ab *ab = hakstat_ab_new(plan, runs, v->sysroot, err);
	struct output output = { ab, v };
	int status;

	if (!ab) {
		return err->status;
	}
	status = ab->pairs || ab->recordings
			 ? hakstat_write_to(v->output, write_ab, &output, err)
			 : hakstat_err_set(err, HAKSTAT_USAGE,
					   "ab: interrupted before both settings had run once");
	if (status == 0 && ab->is_interrupted) {
		hakstat_say("ab: interrupted; the result holds what was complete by then");
	}
	hakstat_ab_free(ab);
	return status;
}

static int run_plan(struct hakstat_ab_plan *plan, const struct values *v, struct hakstat_err *err)
{
	struct hakstat_ab_runs runs;
	struct folder folder;
	int status;

	hakstat_interrupt_watch_end();
	status = make_folder(&folder, v->keep, err);
	if (status == 0) {
		plan->folder = folder.temporary ? folder.temporary : folder.kept.absolute;
		plan->is_temporary = folder.temporary != NULL;
		status = hakstat_ab_run(plan, &runs, err);
		if (status == 0) {
			status = show(plan, &runs, v, err);
		}
		hakstat_ab_runs_clear(&runs);
	}
	drop_folder(&folder);
	hakstat_interrupt_unwatch_end();
	return status;
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	struct values v = { .by = -1, .pairs = PAIRS, .recordings = RECORDINGS };
	struct hakstat_ab_plan plan = { 0 };
	GRegex *rate = NULL;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_ab, argc, argv, &v, &first, err);

	if (status != 0) {
		return status == HAKSTAT_CLI_DONE ? 0 : status;
	}
	hakstat_launch_ignore_pipes();
	plan.argv = argv + first;
	plan.pairs = v.pairs;
	plan.recordings = v.recordings;
	plan.mode = v.mode;
	plan.sample_bytes = v.sample_bytes;
	plan.input = v.input;
	plan.show_output = v.show_output;
	if ((status = check(&v, plan.argv, err)) == 0 &&
	    (status = parse_setting(v.settings[HAKSTAT_AB_A], 'a', &plan.settings[HAKSTAT_AB_A], err)) == 0 &&
	    (status = parse_setting(v.settings[HAKSTAT_AB_B], 'b', &plan.settings[HAKSTAT_AB_B], err)) == 0 &&
	    (status = parse_rate(v.rate, &rate, err)) == 0) {
		plan.rate = rate;
		status = run_plan(&plan, &v, err);
	}
	g_strfreev(plan.settings[HAKSTAT_AB_A]);
	g_strfreev(plan.settings[HAKSTAT_AB_B]);
	if (rate) {
		g_regex_unref(rate);
	}
	return status;
}

const struct hakstat_command hakstat_command_ab = {
	.name = "ab",
	.operands = "-- CMD...",
	.summary = "Runs CMD under two settings in turn: speed, CPU, peak memory and waste side by side.",
	.details =
		"First CMD is recorded under each setting, for the waste and the difference row by row.\n"
		"Then it runs without the tracer, timed, as ABBA. 'b is' says whether a difference is more\n"
		"than noise. CMD's input is empty and its output is not shown unless asked for. A run that\n"
		"fails ends it with status 2; Ctrl-C shows what is complete by then.",
	.options = options,
	.option_count = sizeof options / sizeof options[0],
	.run = run,
};
