/* SPDX-License-Identifier: MIT */
/*
 * Written by hand: it is a handful of elements.
 */
#include "junit.h"

#include <time.h>

#include "text.h"

/* Safe inside an attribute. Free with g_free. */
static char *attribute(const char *text)
{
	char *clean = hakstat_text_clean(text);
	char *escaped = g_markup_escape_text(clean, -1);

	g_free(clean);
	return escaped;
}

static void put_case(FILE *out, const struct hakstat_outcome *outcome, const char *suite)
{
	g_autofree char *name = attribute(outcome->name);
	g_autofree char *class = attribute(outcome->where ? outcome->where : suite);

	fprintf(out, "    <testcase name=\"%s\" classname=\"%s\" time=\"0\"", name, class);
	if (outcome->why) {
		g_autofree char *why = attribute(outcome->why);
		fprintf(out,
			">\n      <failure message=\"%s\" type=\"gate\">%s: %s</failure>\n    </testcase>\n",
			why, name, why);
	} else {
		fputs("/>\n", out);
	}
}

static guint count_failed(const GPtrArray *outcomes)
{
	guint failed = 0;

	for (guint i = 0; i < outcomes->len; i++) {
		failed += ((const struct hakstat_outcome *)g_ptr_array_index(outcomes, i))->why != NULL;
	}
	return failed;
}

int hakstat_junit_write(const GPtrArray *outcomes, const char *suite, const struct hakstat_report *report,
			FILE *out)
{
	const GPtrArray *hosts = report->summary->hosts;
	g_autofree char *host = attribute(hosts->len ? g_ptr_array_index(hosts, 0) : "unknown");
	g_autofree char *name = attribute(suite);
	time_t end = (time_t)(report->summary->end_ns / 1000000000);
	char when[32] = "1970-01-01T00:00:00";
	struct tm parts;

	if (gmtime_r(&end, &parts)) {
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
	fprintf(out,
		"  <testsuite name=\"%s\" package=\"hakstat\" id=\"0\" hostname=\"%s\" timestamp=\"%s\" "
		"tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"%.3f\">\n    <properties/>\n",
		name, host, when, outcomes->len, count_failed(outcomes), hakstat_report_duration_s(report));
	for (guint i = 0; i < outcomes->len; i++) {
		put_case(out, g_ptr_array_index(outcomes, i), suite);
	}
	fputs("    <system-out/>\n    <system-err/>\n  </testsuite>\n</testsuites>\n", out);
	return ferror(out) ? -1 : 0;
}
