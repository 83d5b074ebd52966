/* SPDX-License-Identifier: MIT */
/*
 * Entries of a benchmark history.
 */
#include "benchmark.h"

#include "json.h"

static void set_text(json_t *entry, const char *key, const char *text)
{
	if (text) {
		json_object_set_new(entry, key, hakstat_json_text(text));
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
