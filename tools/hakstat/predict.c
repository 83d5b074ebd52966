/* SPDX-License-Identifier: MIT */
/*
 * Requests against tables.
 */
#include "predict.h"

#include <glib.h>
#include <string.h>

void hakstat_predict_row(const struct hak_class_table *table, const struct hakstat_row *size,
			 struct hakstat_prediction *sum)
{
	uint64_t count = size->n.allocs;
	uint64_t mean = count ? (size->n.requested_bytes + count / 2) / count : 0;
	struct hak_decision decision = hak_route_decide(table, mean, 1);
	uint64_t usable =
		decision.usable > UINT64_MAX / (count ? count : 1) ? UINT64_MAX : decision.usable * count;

	sum->allocs += count;
	sum->requested_bytes += size->n.requested_bytes;
	sum->usable_bytes += usable;
	sum->waste_bytes += usable > size->n.requested_bytes ? usable - size->n.requested_bytes : 0;
}

struct hakstat_prediction hakstat_predict(const struct hak_class_table *table,
					  const struct hakstat_summary *summary)
{
	struct hakstat_prediction sum = { 0 };

	for (guint i = 0; i < summary->rows[HAKSTAT_BY_SIZE]->len; i++) {
		hakstat_predict_row(table, g_ptr_array_index(summary->rows[HAKSTAT_BY_SIZE], i), &sum);
	}
	return sum;
}

static int load_file(struct hak_class_table *table, const char *path, unsigned tiny_max_class,
		     uint32_t page_size, struct hakstat_err *err)
{
	GError *error = NULL;
	gchar *text;
	gsize length;
	const char *wrong;
	unsigned line;

	if (!g_file_get_contents(path, &text, &length, &error)) {
		hakstat_err_set(err, HAKSTAT_USAGE, "table of size classes: %s", error->message);
		g_error_free(error);
		return err->status;
	}
	wrong = hak_class_table_parse(table, text, length, tiny_max_class, page_size, &line);
	g_free(text);
	if (wrong) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "%s:%u: %s", path, line, wrong);
	}
	return 0;
}

int hakstat_table_load(struct hak_class_table *table, const char *name, unsigned tiny_max_class,
		       uint32_t page_size, struct hakstat_err *err)
{
	if (name[0] == '@') {
		return load_file(table, name + 1, tiny_max_class, page_size, err);
	}
	if (strcmp(name, "fine") != 0 && strcmp(name, "classic") != 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "table of size classes '%s': choose fine, classic or @FILE", name);
	}
	hak_class_table_build(table, name[0] == 'f' ? HAK_SCHEME_FINE : HAK_SCHEME_CLASSIC, tiny_max_class,
			      page_size);
	return 0;
}
