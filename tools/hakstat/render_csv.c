/* SPDX-License-Identifier: MIT */
/*
 * One table as RFC 4180 CSV: keys in the first line, raw numbers, empty for unknown. The
 * whole report has many tables; without --by it is the one by class.
 */
#include <inttypes.h>
#include <string.h>

#include "frame.h"
#include "render.h"
#include "text.h"

/* A cell that a spreadsheet would take for a formula is made a text. */
static void put_text(FILE *out, const char *text)
{
	char *clean = hakstat_text_clean(text);

	fputc('"', out);
	if (strchr("=+-@", clean[0]) && clean[0]) {
		fputc('\'', out);
	}
	for (const char *p = clean; *p; p++) {
		if (*p == '"') {
			fputc('"', out);
		}
		fputc(*p, out);
	}
	fputc('"', out);
	g_free(clean);
}

static void put_stack(FILE *out, const GPtrArray *stack)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < stack->len; i++) {
		char *frame = hakstat_frame_text(g_ptr_array_index(stack, i));
		g_string_append_printf(text, "%s%s", i ? ";" : "", frame);
		g_free(frame);
	}
	put_text(out, text->str);
	g_string_free(text, TRUE);
}

static void put_cell(FILE *out, const struct hakstat_column *column, const struct hakstat_row *row)
{
	struct hakstat_value v = column->get(row);

	if (!v.is_known) {
		return;
	}
	if (column->unit == HAKSTAT_UNIT_TEXT) {
		put_text(out, v.text);
	} else if (column->unit == HAKSTAT_UNIT_STACK) {
		put_stack(out, row->stack);
	} else if (column->unit == HAKSTAT_UNIT_PERCENT) {
		char digits[G_ASCII_DTOSTR_BUF_SIZE];
		fputs(g_ascii_formatd(digits, sizeof digits, "%.4f", v.real), out);
	} else {
		fprintf(out, "%" PRIu64, v.number);
	}
}

int hakstat_render_csv(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	enum hakstat_table_id table = view->has_by ? view->by : HAKSTAT_BY_CLASS;
	guint rows = hakstat_view_rows(view, r->tables[table]->len, r->tables[table]->len);
	const char *comma = "";

	for (size_t c = 0; c < hakstat_column_count; c++) {
		if (hakstat_columns[c].in & 1u << table) {
			fprintf(out, "%s%s", comma, hakstat_columns[c].key);
			comma = ",";
		}
	}
	fputs("\r\n", out);
	for (guint i = 0; i < rows; i++) {
		comma = "";
		for (size_t c = 0; c < hakstat_column_count; c++) {
			if (hakstat_columns[c].in & 1u << table) {
				fputs(comma, out);
				put_cell(out, &hakstat_columns[c], g_ptr_array_index(r->tables[table], i));
				comma = ",";
			}
		}
		fputs("\r\n", out);
	}
	return ferror(out) ? -1 : 0;
}
