/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <glib.h>

#include "text.h"

json_t *hakstat_json_text(const char *text)
{
	g_autofree char *clean = text ? hakstat_text_clean(text) : NULL;

	return clean ? json_string(clean) : json_null();
}

json_t *hakstat_json_number(uint64_t number)
{
	return json_integer((json_int_t)MIN(number, INT64_MAX));
}

int hakstat_json_write(json_t *root, FILE *out)
{
	int status = json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

	fputc('\n', out);
	json_decref(root);
	return status || ferror(out) ? -1 : 0;
}
