/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks, outermost frame first, with the wasted bytes: what flamegraph.pl, speedscope
 * and inferno read. Stacks that waste nothing are left out.
 */
#include <inttypes.h>

#include "frame.h"
#include "render.h"

/* Semicolons part frames, so a name must not hold one. */
static void put_frame(FILE *out, const struct hakstat_frame *frame)
{
	g_autofree char *name = hakstat_frame_name(frame);

	fputs(g_strdelimit(name, ";", ':'), out);
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
