/* SPDX-License-Identifier: MIT */
#include "rendering.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "predict.h"
#include "render.h"
#include "render_diff.h"
#include "summary_file.h"
#include "tune.h"

/* Text is UTF-8 without control characters but the ends of lines. */
static void check_text(const char *text, size_t length)
{
	expect(g_utf8_validate(text, (gssize)length, NULL));
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		bool is_line_end = c == '\n' || (c == '\r' && i + 1 < length && text[i + 1] == '\n');
		expect(c >= 0x20 ? c != 0x7f : is_line_end);
	}
}

/* As many cells in each row as in the first: quotes are closed, and none is inside a cell. */
static void check_csv(const char *text, size_t length)
{
	size_t cells = 0, wanted = 0;
	bool is_quoted = false;

	check_text(text, length);
	for (size_t i = 0; i < length; i++) {
		is_quoted ^= text[i] == '"';
		cells += !is_quoted && text[i] == ',';
		if (!is_quoted && text[i] == '\n') {
			expect(wanted == 0 || cells == wanted);
			wanted = cells;
			cells = 0;
		}
	}
	expect(!is_quoted);
}

/* No cell opens another one, no markup of HTML: what was shown comes with its marks escaped. */
static void check_markdown(const char *text, size_t length)
{
	check_text(text, length);
	for (size_t i = 0; i < length; i++) {
		expect(text[i] != '<');
	}
}

/* Frames, a blank, a number. */
static void check_folded(const char *text, size_t length)
{
	check_text(text, length);
	for (const char *line = text; line < text + length;) {
		const char *end = strchr(line, '\n');
		const char *blank = end;
		expect(end != NULL);
		while (blank > line && *blank != ' ') {
			blank--;
		}
		expect(blank > line && end - blank > 1);
		expect(strspn(blank + 1, "0123456789") == (size_t)(end - blank - 1));
		line = end + 1;
	}
}

static void check_json(const char *text, size_t length)
{
	json_error_t error;
	json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);

	expect(json_is_object(root));
	json_decref(root);
}

static void check_gzip(const char *text, size_t length)
{
	expect(length > 18 && memcmp(text, "\x1f\x8b", 2) == 0);
}

static const struct {
	hakstat_renderer render;
	void (*check)(const char *text, size_t length);
} forms[] = {
	{ hakstat_render_table, check_text },	    { hakstat_render_json, check_json },
	{ hakstat_render_csv, check_csv },	    { hakstat_render_markdown, check_markdown },
	{ hakstat_render_folded, check_folded },    { hakstat_render_pprof, check_gzip },
	{ hakstat_render_openmetrics, check_text },
};

static void render(const struct hakstat_report *report, unsigned choice)
{
	struct hakstat_view view = {
		.has_by = choice & 8,
		.by = (enum hakstat_table_id)(choice / 32 % HAKSTAT_TABLE_COUNT),
		.top = choice & 16 ? 2 : 0,
		.is_exact = choice & 8,
		.width = choice & 16 ? 80 : 0,
	};
	unsigned form = choice % G_N_ELEMENTS(forms);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	expect(forms[form].render(report, &view, out) == 0);
	fclose(out);
	forms[form].check(text, length);
	free(text);
}

static void render_diff(const struct hakstat_report *base, const struct hakstat_report *new, unsigned choice)
{
	struct hakstat_view view = { .is_exact = choice & 1 };
	struct hakstat_diff *diff = hakstat_diff_new(base, new, HAKSTAT_PER_RUN);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (choice & 2) {
		expect(hakstat_render_diff_json(diff, &view, out) == 0);
	} else {
		expect((choice & 4 ? hakstat_render_diff_markdown : hakstat_render_diff_table)(diff, &view,
											       out) == 0);
	}
	fclose(out);
	(choice & 2 ? check_json : check_text)(text, length);
	free(text);
	hakstat_diff_free(diff);
}

static struct hakstat_summary *save_and_load(const struct hakstat_summary *summary)
{
	struct hakstat_err err = { 0 };
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);
	struct hakstat_summary *again;

	expect(hakstat_summary_write(summary, file) == 0);
	fclose(file);
	file = fmemopen(text, length, "r");
	again = hakstat_summary_load(file, "saved", &err);
	expect(again != NULL); /* what hakstat wrote hakstat reads */
	fclose(file);
	free(text);
	return again;
}

static void predict(const struct hakstat_summary *summary, unsigned choice)
{
	struct hak_class_table table;
	struct hakstat_report *report;

	hak_class_table_build(&table, choice & 1 ? HAK_SCHEME_FINE : HAK_SCHEME_CLASSIC, choice % 8, 4096);
	hakstat_tune(summary, 1 + choice % HAK_MAX_CLASSES,
		     choice & 2 ? HAKSTAT_TUNE_LIVE : HAKSTAT_TUNE_ALLOCS, choice % 8, 4096, &table);
	report = hakstat_report_new(hakstat_predict_summary(&table, "fine", summary));
	render(report, choice);
	hakstat_report_free(report);
}

void rendering_check(struct hakstat_summary *summary, unsigned choice)
{
	struct hakstat_summary *again = save_and_load(summary);
	struct hakstat_report *base, *new;

	predict(summary, choice);
	hakstat_summary_merge(again, summary);
	base = hakstat_report_new(summary);
	new = hakstat_report_new(again);
	render(base, choice);
	render_diff(base, new, choice);
	hakstat_report_free(base);
	hakstat_report_free(new);
}
