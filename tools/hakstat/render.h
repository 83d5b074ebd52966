/* SPDX-License-Identifier: MIT */
/*
 * Reports as text for people and for programs. A renderer reads the report, walks the column
 * table and writes to one stream; it changes nothing and decides nothing.
 */
#ifndef HAKSTAT_RENDER_H
#define HAKSTAT_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "report.h"

struct hakstat_frame;
struct hakstat_grid;
struct json_t;

struct hakstat_view {
	bool has_by; /* only this table; else the whole report */
	enum hakstat_table_id by;
	uint64_t top;  /* rows of a table; 0: all */
	bool is_exact; /* bytes with every digit */
	bool is_bare;  /* no head: tables only */
	bool colours;
	int width;	   /* of the terminal; 0: any */
	bool from_callees; /* a tree begins where threads begin, not at who called malloc */
};

/* Each returns 0, or -1 when the stream failed. */
typedef int (*hakstat_renderer)(const struct hakstat_report *report, const struct hakstat_view *view,
				FILE *out);

int hakstat_render_table(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_csv(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_json(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_markdown(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_openmetrics(const struct hakstat_report *report, const struct hakstat_view *view,
			       FILE *out);
int hakstat_render_tree(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_tree_json(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_html(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_folded(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);
int hakstat_render_pprof(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);

/* The totals alone as a JSON object, for commands that compare; what jansson calls json_t. */
struct json_t *hakstat_totals_json(const struct hakstat_report *report);
/* The whole report as JSON, for commands that add to it; and what of it is in no table. */
struct json_t *hakstat_report_json(const struct hakstat_report *report, const struct hakstat_view *view);
struct json_t *hakstat_facts_json(const struct hakstat_report *report);
/* One cell; JSON's null when it is not known. */
struct json_t *hakstat_value_json(const struct hakstat_column *column, const struct hakstat_row *row);
struct json_t *hakstat_frame_json(const struct hakstat_frame *frame);

/* How many rows of a table of `length` rows a view shows, `standard` being what it shows unasked. */
guint hakstat_view_rows(const struct hakstat_view *view, guint length, guint standard);

/*
 * A row's value as people read it: "1.5 MiB", "87.5", "?" when unknown. Free with g_free. An
 * estimate has a ~ in front.
 */
char *hakstat_cell_text(const struct hakstat_column *column, const struct hakstat_row *row, bool is_exact);

/*
 * A number of bytes with half the width of its 95 % interval unless that is 0: "1.5 MiB ±40 B"; "±?" when it
 * is not known. `half` NULL: it has none. Free with g_free.
 */
char *hakstat_bytes_text(uint64_t bytes, const struct hakstat_value *half, bool is_exact);
/* The same behind a text. */
char *hakstat_with_interval(const char *text, const struct hakstat_value *half, bool is_exact);

/* Writes text so that markdown and HTML take none of it for markup. */
void hakstat_markdown_put(FILE *out, const char *text);

/* A grid as a markdown table. */
void hakstat_markdown_grid(const struct hakstat_grid *grid, FILE *out);

/* The heading of each table. */
extern const char *const hakstat_table_titles[HAKSTAT_TABLE_COUNT];

/*
 * Where the memory is: what the live blocks were asked for, each kind of waste, and their sum, at
 * the end, at the peak and on average over time. Only rows that say something.
 */
enum { HAKSTAT_MEMORY_COLUMNS = 4 }; /* name, end, peak, average */

struct hakstat_memory_row {
	char *cells[HAKSTAT_MEMORY_COLUMNS];
};

/* The peak's column says so when no snapshot saw the peak. */
const char *hakstat_memory_header(const struct hakstat_report *report, int column);

/* NULL when the trace has no snapshot. Free with g_ptr_array_unref. */
GPtrArray *hakstat_memory_rows(const struct hakstat_report *report, bool is_exact);

/*
 * A line of text for people, escaped, over as many lines as the terminal needs; all but the first indented.
 * The end of the last line is put_prose's. Free with g_free.
 */
char *hakstat_prose(const struct hakstat_view *view, int indent, const char *text);
void hakstat_put_prose(const struct hakstat_view *view, int indent, const char *text, FILE *out);

/* Where the text of such a line begins, behind its label. */
enum { HAKSTAT_HEAD_INDENT = 10 };

/* One more of the lines that a head is made of. */
void hakstat_add_line(GPtrArray *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The report's head: lines of text that say what was recorded, how, and what was lost. */
GPtrArray *hakstat_head_lines(const struct hakstat_report *report, bool is_exact);
void hakstat_put_head(const struct hakstat_report *report, const struct hakstat_view *view, FILE *out);

/* Of these, what an incomplete recording lacks, for commands without the rest; none when it is complete. */
GPtrArray *hakstat_loss_lines(const struct hakstat_summary *summary);

/* The title of a table of call sites, which nobody counts: which requests they stand for. */
#define HAKSTAT_SITE_TITLE(words, are_frag)                                                                  \
	((are_frag) ? words " (only requests that waste HAKMEM_FRAG_PERCENT or more)"                        \
		    : words " (estimated from samples)")
const char *hakstat_site_title(const struct hakstat_summary *summary);

#endif
