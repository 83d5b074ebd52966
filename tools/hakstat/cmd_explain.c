/* SPDX-License-Identifier: MIT */
/*
 * hakstat explain and hakstat classes: what the allocator does with a request, answered with
 * its own routing functions and without a trace.
 */
#include <inttypes.h>
#include <string.h>

#include "commands.h"
#include "grid.h"
#include "json.h"
#include "number.h"
#include "predict.h"
#include "render.h"
#include "text.h"
#include "view.h"

enum { PAGE_SIZE = 4096 };
enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_MARKDOWN };

struct values {
	int format;
	const char *size_classes;
	uint64_t tiny_max_class, alignment;
};

/* clang-format off */

#define AT(member) offsetof(struct values, member)
#define TABLE_OPTIONS \
	{ "size-classes", 0, HAKSTAT_OPT_TEXT, "fine|classic|@FILE", AT(size_classes), 0, 0, \
	  "the table, as HAKMEM_SIZE_CLASSES names it (fine)" }, \
	{ "tiny-max-class", 0, HAKSTAT_OPT_COUNT, "K", AT(tiny_max_class), 0, 7, \
	  "the boundary, as HAKMEM_TINY_MAX_CLASS sets it (7)" }

static const struct hakstat_option explain_options[] = {
	{ "alignment", 0, HAKSTAT_OPT_BYTES, "A", AT(alignment), 1, 0, "as aligned_alloc is given it, a power of two" },
	TABLE_OPTIONS,
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json", AT(format), 0, 0, "for people, or for programs" },
};

static const struct hakstat_option classes_options[] = {
	TABLE_OPTIONS,
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json|csv|markdown", AT(format), 0, 0, "for people, or for programs" },
};

/* clang-format on */

struct answer {
	uint64_t size, alignment;
	struct hak_decision decision;
	const char *class_name;
	uint64_t waste;
	bool has_smaller; /* a smaller request that fits a smaller block */
	uint64_t smaller, smaller_usable;
};

/* The largest request below `size` that gets a smaller block. */
static void find_smaller(const struct hak_class_table *t, struct answer *a)
{
	uint64_t candidate = 0;

	if (a->decision.class_id == t->count) {
		candidate = a->decision.usable > t->page_size ? a->decision.usable - t->page_size : 0;
	}
	for (unsigned i = 0; i < t->count && i < a->decision.class_id; i++) {
		if (t->classes[i].max_request < a->size && t->classes[i].block % a->alignment == 0) {
			candidate =
				t->classes[i].max_request > candidate ? t->classes[i].max_request : candidate;
		}
	}
	if (candidate && candidate < a->size) {
		a->has_smaller = true;
		a->smaller = candidate;
		a->smaller_usable = hak_route_decide(t, candidate, a->alignment).usable;
	}
}

static struct answer answer_for(const struct hak_class_table *t, uint64_t size, uint64_t alignment)
{
	struct answer a = { .size = size, .alignment = alignment ? alignment : 1 };

	a.decision = hak_route_decide(t, size, a.alignment);
	a.class_name = a.decision.class_id < t->count ? t->classes[a.decision.class_id].name : "large";
	a.waste = a.decision.usable - a.size;
	find_smaller(t, &a);
	return a;
}

/* A class whose block could hold the request and whose limit says no; the classic table has such. */
static const struct hak_class *just_too_small(const struct hak_class_table *t, const struct answer *a)
{
	for (unsigned i = 0; i < t->count && i < a->decision.class_id; i++) {
		const struct hak_class *c = &t->classes[i];
		if (c->block >= a->size && c->max_request && c->max_request < a->size) {
			return c;
		}
	}
	return NULL;
}

static char *why_it_fits(const struct hak_class_table *t, const struct answer *a)
{
	const struct hak_class *missed = just_too_small(t, a);

	if (missed) {
		return g_strdup_printf(
			"the block of %s has %u bytes but serves at most %u in this table, so %s is "
			"the smallest block that holds the request",
			missed->name, missed->block, missed->max_request, a->class_name);
	}
	return g_strdup_printf("%s is the smallest block that holds the request", a->class_name);
}

/* One sentence. Free with g_free. */
static char *why(const struct hak_class_table *t, const struct answer *a)
{
	const char *route = hak_route_label(a->decision.route);

	switch (a->decision.reason) {
	case HAK_REASON_BOUNDARY:
		return g_strdup_printf(
			"HAKMEM_TINY_MAX_CLASS=%u ends Tiny at %u bytes, so %s takes the sizes up to %u that "
			"Tiny could serve",
			t->tiny_max_class, t->tiny_max_size, route, t->tiny_full_size);
	case HAK_REASON_ALIGNMENT:
		return g_strdup_printf(
			"no smaller block of the table is a multiple of the alignment %" PRIu64,
			a->alignment);
	case HAK_REASON_ABOVE_MID:
		return g_strdup_printf(
			"the request is above the largest class (%u bytes), so it gets whole pages of %u "
			"bytes",
			t->classes[t->count - 1].max_request, t->page_size);
	default:
		break;
	}
	if (a->decision.route == HAK_ROUTE_LARGE) {
		return g_strdup("an alignment above a page is served with whole pages");
	}
	return why_it_fits(t, a);
}

static void explain_table(const struct hak_class_table *t, const struct answer *a, FILE *out)
{
	char *reason = why(t, a);
	char *line = g_strdup_printf("reason    %s: %s", hak_reason_label(a->decision.reason), reason);
	struct hakstat_view view = { 0 };

	hakstat_view_fit(&view, out);
	fprintf(out, "request   %" PRIu64 " bytes", a->size);
	if (a->alignment > 1) {
		fprintf(out, ", aligned to %" PRIu64, a->alignment);
	}
	fprintf(out,
		"\nroute     %s\nclass     %s (id %u)\nusable    %" PRIu64 " bytes\nwaste     %" PRIu64
		" bytes, %.1f %%\n",
		hak_route_label(a->decision.route), a->class_name, a->decision.class_id, a->decision.usable,
		a->waste, hakstat_percent(a->waste, a->decision.usable));
	hakstat_put_prose(&view, HAKSTAT_HEAD_INDENT, line, out);
	if (a->waste && a->has_smaller) {
		fprintf(out,
			"instead   at most %" PRIu64 " bytes (%" PRIu64 " less) take a block of %" PRIu64
			"\n",
			a->smaller, a->size - a->smaller, a->smaller_usable);
	}
	g_free(line);
	g_free(reason);
}

static void explain_json(const struct hak_class_table *t, const struct answer *a, FILE *out)
{
	char *reason = why(t, a);
	json_t *root = json_pack("{s:s, s:I, s:I, s:s, s:i, s:s, s:I, s:I, s:f, s:s, s:s}", "schema",
				 "hakstat.explain/1", "requested", (json_int_t)a->size, "alignment",
				 (json_int_t)a->alignment, "route", hak_route_label(a->decision.route),
				 "class_id", (int)a->decision.class_id, "name", a->class_name, "usable",
				 (json_int_t)a->decision.usable, "waste_bytes", (json_int_t)a->waste,
				 "waste_percent", hakstat_percent(a->waste, a->decision.usable), "reason",
				 hak_reason_label(a->decision.reason), "why", reason);

	json_object_set_new(root, "smaller_request",
			    a->has_smaller ? json_integer((json_int_t)a->smaller) : json_null());
	json_object_set_new(root, "smaller_usable",
			    a->has_smaller ? json_integer((json_int_t)a->smaller_usable) : json_null());
	hakstat_json_write(root, out);
	g_free(reason);
}

static int parse_request(const char *text, const struct values *v, uint64_t *size, struct hakstat_err *err)
{
	if (hakstat_text_parse_bytes(text, size) != 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "explain %s: not a size (such as 64, 4K, 1M)",
				       text);
	}
	if (*size > (uint64_t)PTRDIFF_MAX - PAGE_SIZE) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "explain %s: no allocator serves more than PTRDIFF_MAX bytes", text);
	}
	if (v->alignment && (v->alignment & (v->alignment - 1))) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "--alignment %" PRIu64 ": not a power of two",
				       v->alignment);
	}
	return 0;
}

static int run_explain(int argc, char **argv, struct hakstat_err *err)
{
	struct values v = { .size_classes = "fine", .tiny_max_class = HAK_TINY_GROUPS - 1 };
	struct hak_class_table table;
	struct answer answer;
	uint64_t size;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_explain, argc, argv, &v, &first, err);

	if (status != 0) {
		return status == HAKSTAT_CLI_DONE ? 0 : status;
	}
	if (argc - first != 1) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "explain: exactly one SIZE is needed, such as 'hakstat explain 1024'");
	}
	status = parse_request(argv[first], &v, &size, err);
	if (status == 0) {
		status = hakstat_table_load(&table, v.size_classes, (unsigned)v.tiny_max_class, PAGE_SIZE,
					    err);
	}
	if (status != 0) {
		return status;
	}
	answer = answer_for(&table, size, v.alignment);
	if (v.format == FORMAT_JSON) {
		explain_json(&table, &answer, stdout);
	} else {
		explain_table(&table, &answer, stdout);
	}
	return 0;
}

/* classes ------------------------------------------------------------------------------------ */

struct class_line {
	const char *name, *route;
	unsigned class_id;
	uint64_t block, from, to; /* block 0: large, to 0: no request reaches the class */
	double worst_percent;
};

static struct class_line line_of(const struct hak_class_table *t, unsigned i)
{
	const struct hak_class *c = &t->classes[i];
	struct class_line line = { c->name, hak_route_label(c->route), i, c->block, 0, c->max_request, 0 };

	for (unsigned j = i; j-- > 0;) {
		if (t->classes[j].max_request) {
			line.from = (uint64_t)t->classes[j].max_request + 1;
			break;
		}
	}
	if (line.to == 0) {
		line.from = 0;
	} else {
		line.worst_percent = hakstat_percent(c->block - MAX(line.from, 1), c->block);
	}
	return line;
}

static struct class_line large_line(const struct hak_class_table *t)
{
	struct class_line line = {
		"large", hak_route_label(HAK_ROUTE_LARGE), t->count, 0, 0, PTRDIFF_MAX, 0
	};
	struct hak_decision first;

	line.from = (uint64_t)t->classes[t->count - 1].max_request + 1;
	first = hak_route_decide(t, line.from, 1);
	line.worst_percent = hakstat_percent(first.usable - line.from, first.usable);
	return line;
}

static struct class_line any_line(const struct hak_class_table *t, unsigned i)
{
	return i < t->count ? line_of(t, i) : large_line(t);
}

static void add_line(struct hakstat_grid *grid, const struct class_line *c)
{
	bool is_reached = c->to != 0;

	hakstat_grid_cell(grid, g_strdup_printf("%u", c->class_id));
	hakstat_grid_cell(grid, g_strdup(c->name));
	hakstat_grid_cell(grid, g_strdup(c->route));
	hakstat_grid_cell(grid, c->block ? g_strdup_printf("%" PRIu64, c->block) : g_strdup("pages"));
	hakstat_grid_cell(grid, is_reached ? g_strdup_printf("%" PRIu64, c->from) : g_strdup("-"));
	hakstat_grid_cell(grid, !is_reached ? g_strdup("-")
				: c->block  ? g_strdup_printf("%" PRIu64, c->to)
					    : g_strdup("any"));
	hakstat_grid_cell(grid, is_reached ? g_strdup_printf("%.1f", c->worst_percent) : g_strdup("-"));
}

/* For people: on a terminal or as markdown. */
static void classes_table(const struct hak_class_table *t, bool is_markdown, FILE *out)
{
	static const char *const headers[] = {
		"id", "class", "route", "block", "from", "to", "worst waste %"
	};
	struct hakstat_view view = { 0 };
	struct hakstat_grid grid;

	hakstat_view_fit(&view, out);
	hakstat_grid_init(&grid);
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		hakstat_grid_column_of_rank(&grid, headers[i],
					    i == 1 || i == 2 ? HAKSTAT_GRID_TEXT : HAKSTAT_GRID_NUMBER,
					    i == 0 || i == 2);
	}
	for (unsigned i = 0; i <= t->count; i++) {
		struct class_line line = any_line(t, i);
		add_line(&grid, &line);
	}
	if (is_markdown) {
		hakstat_markdown_grid(&grid, out);
	} else {
		hakstat_grid_print(&grid, view.width, view.colours, out);
	}
	hakstat_grid_clear(&grid);
}

static void classes_json(const struct hak_class_table *t, FILE *out)
{
	json_t *rows = json_array();
	json_t *root;

	for (unsigned i = 0; i <= t->count; i++) {
		struct class_line c = any_line(t, i);
		json_t *row =
			json_pack("{s:i, s:s, s:s, s:I, s:I, s:f}", "class_id", (int)c.class_id, "name",
				  c.name, "route", c.route, "min_request", (json_int_t)c.from, "max_request",
				  (json_int_t)c.to, "worst_waste_percent", c.worst_percent);
		json_object_set_new(row, "usable", c.block ? json_integer((json_int_t)c.block) : json_null());
		json_array_append_new(rows, row);
	}
	root = json_pack("{s:s, s:i, s:i, s:o}", "schema", "hakstat.classes/1", "tiny_max_class",
			 (int)t->tiny_max_class, "tiny_max_size", (int)t->tiny_max_size, "classes", rows);
	hakstat_json_write(root, out);
}

static void classes_csv(const struct hak_class_table *t, FILE *out)
{
	fputs("class_id,name,route,usable,min_request,max_request,worst_waste_percent\r\n", out);
	for (unsigned i = 0; i <= t->count; i++) {
		struct class_line c = any_line(t, i);
		char block[32] = "";
		if (c.block) {
			g_snprintf(block, sizeof block, "%" PRIu64, c.block);
		}
		fprintf(out, "%u,%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%.1f\r\n", c.class_id, c.name, c.route,
			block, c.from, c.to, c.worst_percent);
	}
}

static int run_classes(int argc, char **argv, struct hakstat_err *err)
{
	struct values v = { .size_classes = "fine", .tiny_max_class = HAK_TINY_GROUPS - 1 };
	struct hak_class_table table;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_classes, argc, argv, &v, &first, err);

	if (status != 0) {
		return status == HAKSTAT_CLI_DONE ? 0 : status;
	}
	if (first < argc) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "classes %s: takes no operand", argv[first]);
	}
	status = hakstat_table_load(&table, v.size_classes, (unsigned)v.tiny_max_class, PAGE_SIZE, err);
	if (status != 0) {
		return status;
	}
	if (v.format == FORMAT_JSON) {
		classes_json(&table, stdout);
	} else if (v.format == FORMAT_CSV) {
		classes_csv(&table, stdout);
	} else {
		classes_table(&table, v.format == FORMAT_MARKDOWN, stdout);
	}
	return 0;
}

const struct hakstat_command hakstat_command_explain = {
	.name = "explain",
	.operands = "SIZE",
	.summary = "Route, class, block and waste of one request, and why.",
	.details = "SIZE may have a unit: 4K, 1M (1 KiB = 1024 B).",
	.options = explain_options,
	.option_count = sizeof explain_options / sizeof explain_options[0],
	.run = run_explain,
};

const struct hakstat_command hakstat_command_classes = {
	.name = "classes",
	.operands = NULL,
	.summary = "The whole table of size classes: route, block, requests served and worst waste.",
	.details = NULL,
	.options = classes_options,
	.option_count = sizeof classes_options / sizeof classes_options[0],
	.run = run_classes,
};
