/* SPDX-License-Identifier: MIT */
/*
 * One HTML file that needs nothing else. The page is fixed; what differs is the data in it: the
 * facts of the JSON report, and each table as its columns (of columns.c, so that the page
 * knows none by itself) and rows of bare values. Frames are written once and stacks name them by
 * number, because a program has far fewer frames than its stacks have.
 */
#include <inttypes.h>
#include <string.h>

#include "frame.h"
#include "html_page.h"
#include "json.h"
#include "render.h"
#include "text.h"

/* The frames met so far. */
struct frames {
	GHashTable *numbers; /* text of a frame -> number + 1 */
	json_t *array;
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static json_t *frame_number(struct frames *frames, const struct hakstat_frame *f)
{
	char *key = g_strdup_printf("%s\x1f%s\x1f%u\x1f%s\x1f%s\x1f%" PRIx64 "\x1f%d", or_empty(f->function),
				    or_empty(f->file), f->line, or_empty(f->module), or_empty(f->build_id),
				    f->function ? 0 : f->offset, f->inlined);
	guint number = GPOINTER_TO_UINT(g_hash_table_lookup(frames->numbers, key));

	if (number) {
		g_free(key);
		return json_integer(number - 1);
	}
	number = g_hash_table_size(frames->numbers) + 1;
	g_hash_table_insert(frames->numbers, key, GUINT_TO_POINTER(number));
	json_array_append_new(frames->array, hakstat_frame_json(f));
	return json_integer(number - 1);
}

static json_t *stack_numbers(struct frames *frames, const GPtrArray *stack)
{
	json_t *array = json_array();

	for (guint i = 0; stack && i < stack->len; i++) {
		json_array_append_new(array, frame_number(frames, g_ptr_array_index(stack, i)));
	}
	return array;
}

static json_t *columns_json(unsigned table)
{
	static const char *const units[] = { "text", "id", "count", "bytes", "size", "percent", "stack" };
	json_t *array = json_array();

	for (size_t i = 0; i < hakstat_column_count; i++) {
		const struct hakstat_column *c = &hakstat_columns[i];
		if (c->in & table) {
			json_array_append_new(array,
					      json_pack("{s:s, s:s, s:s, s:s, s:b}", "key", c->key, "header",
							c->header, "unit", units[c->unit], "help", c->help,
							"shown", (c->shown & table) != 0));
		}
	}
	return array;
}

static json_t *row_values(unsigned table, const struct hakstat_row *row, struct frames *frames)
{
	json_t *array = json_array();

	for (size_t i = 0; i < hakstat_column_count; i++) {
		const struct hakstat_column *c = &hakstat_columns[i];
		if (c->in & table) {
			json_array_append_new(array, c->unit == HAKSTAT_UNIT_STACK
							     ? stack_numbers(frames, row->stack)
							     : hakstat_value_json(c, row));
		}
	}
	return array;
}

static json_t *tables_json(const struct hakstat_report *r, const struct hakstat_view *view,
			   struct frames *frames)
{
	json_t *tables = json_object();

	for (int t = 0; t < HAKSTAT_TABLE_COUNT; t++) {
		const GPtrArray *from = r->tables[t];
		guint count = hakstat_view_rows(view, from->len, from->len);
		json_t *rows = json_array();
		for (guint i = 0; i < count; i++) {
			json_array_append_new(rows, row_values(1u << t, g_ptr_array_index(from, i), frames));
		}
		json_object_set_new(tables, hakstat_table_name((enum hakstat_table_id)t),
				    json_pack("{s:o, s:o}", "columns", columns_json(1u << t), "rows", rows));
	}
	return tables;
}

static json_t *data_json(const struct hakstat_report *r, const struct hakstat_view *view)
{
	json_t *root = hakstat_facts_json(r);
	struct frames frames = { g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL), json_array() };

	json_object_set_new(root, "exact", json_boolean(view->is_exact));
	json_object_set_new(root, "open_table",
			    json_string(hakstat_table_name(view->has_by ? view->by : HAKSTAT_BY_CLASS)));
	json_object_set_new(root, "tables", tables_json(r, view, &frames));
	json_object_set_new(root, "frames", frames.array);
	g_hash_table_destroy(frames.numbers);
	return root;
}

/*
 * Inside a script element only "<" can begin what ends it or a comment. In JSON it can stand in
 * texts only, where its escape says the same.
 */
static int put_script(const char *text, size_t size, void *data)
{
	FILE *out = data;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '<' || text[i] == '>' || text[i] == '&') {
			fprintf(out, "\\u%04x", (unsigned)text[i]);
		} else {
			fputc(text[i], out);
		}
	}
	return ferror(out) ? -1 : 0;
}

static void put_escaped(FILE *out, const char *text)
{
	char *clean = hakstat_text_clean(text);
	char *escaped = g_markup_escape_text(clean, -1);

	fputs(escaped, out);
	g_free(escaped);
	g_free(clean);
}

/* For readers without JavaScript. */
static void put_summary(FILE *out, const struct hakstat_report *r, bool is_exact)
{
	GPtrArray *lines = hakstat_head_lines(r, is_exact);

	for (guint i = 0; i < lines->len; i++) {
		put_escaped(out, g_ptr_array_index(lines, i));
		fputc('\n', out);
	}
	g_ptr_array_unref(lines);
}

static void put_title(FILE *out, const struct hakstat_report *r)
{
	GString *title = g_string_new("Waste report");

	for (guint i = 0; i < r->summary->paths->len; i++) {
		g_string_append_printf(title, "%s%s", i ? ", " : ": ",
				       (const char *)g_ptr_array_index(r->summary->paths, i));
	}
	put_escaped(out, title->str);
	g_string_free(title, TRUE);
}

/* Writes the page up to the mark; returns what comes after it. */
static const char *put_until(FILE *out, const char *page, const char *mark)
{
	const char *at = strstr(page, mark);

	fwrite(page, 1, (size_t)(at - page), out);
	return at + strlen(mark);
}

int hakstat_render_html(const struct hakstat_report *r, const struct hakstat_view *view, FILE *out)
{
	json_t *data = data_json(r, view);
	const char *page = put_until(out, hakstat_html_page, "@title@");
	int status;

	put_title(out, r);
	page = put_until(out, page, "@summary@");
	put_summary(out, r, view->is_exact);
	page = put_until(out, page, "@data@");
	status = json_dump_callback(data, put_script, out,
				    JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(10));
	fputs(page, out);
	json_decref(data);
	return status || ferror(out) ? -1 : 0;
}
