/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, outermost frame first, with the wasted bytes: what flamegraph.pl, speedscope
 * and inferno read. Stacks that waste nothing are left out.
 */
#include <inttypes.h>
#include <string.h>

#include "render.h"
#include "symbol.h"
#include "text.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Semicolons part frames, so a name must not hold one. */
static void put_frame(FILE *out, const struct hakstat_frame *f)
{
	char *text = f->function ? g_strdup(f->function)
		     : f->module ? g_strdup_printf("%s+%#" PRIx64, base_name(f->module), f->offset)
				 : g_strdup_printf("%#" PRIx64, f->offset);
	char *clean = hakstat_text_clean(text);

	g_strdelimit(clean, ";", ':');
	fputs(clean, out);
	g_free(clean);
	g_free(text);
}

int hakstat_render_folded(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	guint rows =
		hakstat_view_rows(view, r->tables[HAKSTAT_BY_SITE]->len, r->tables[HAKSTAT_BY_SITE]->len);

	for (guint i = 0; i < rows; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_SITE], i);
		uint64_t waste = hakstat_counts_waste(&row->n);
		if (waste == 0) {
			continue;
		}
		if (row->stack->len == 0) {
			fputs("[stack not in this trace]", out);
		}
		for (guint f = row->stack->len; f-- > 0;) {
			put_frame(out, g_ptr_array_index(row->stack, f));
			if (f) {
				fputc(';', out);
			}
		}
		fprintf(out, " %" PRIu64 "\n", waste);
	}
	return ferror(out) ? -1 : 0;
}
