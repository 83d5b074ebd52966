/* SPDX-License-Identifier: MIT */
/*
 * Entries of a benchmark history.
 */
#include "benchmark.h"

#include <glib.h>
#include <jansson.h>

#include "text.h"

static void set_text(json_t *entry, const char *key, const char *text)
{
	char *clean;

	if (text) {
		clean = hakstat_text_clean(text);
		json_object_set_new(entry, key, json_string(clean));
		g_free(clean);
	}
}

void hakstat_benchmark_add(json_t *array, const char *name, const char *unit, double value, const char *range,
			   const char *extra)
{
	json_t *entry = json_object();

	set_text(entry, "name", name);
	set_text(entry, "unit", unit);
	json_object_set_new(entry, "value", json_real(value));
	set_text(entry, "range", range);
	set_text(entry, "extra", extra);
	json_array_append_new(array, entry);
}

int hakstat_benchmark_write(json_t *array, FILE *out)
{
	int status = json_dumpf(array, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

	fputc('\n', out);
	json_decref(array);
	return status || ferror(out) ? -1 : 0;
}
