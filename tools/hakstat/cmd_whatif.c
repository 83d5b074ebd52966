/* SPDX-License-Identifier: MIT */
/*
 * hakstat whatif and hakstat tune: recorded requests under another table of size classes, and
 * the table that would waste least on them.
 */
#include <inttypes.h>
#include <string.h>

#include "commands.h"
#include "grid.h"
#include "input.h"
#include "json.h"
#include "predict.h"
#include "recording.h"
#include "text.h"
#include "tune.h"
#include "view.h"

enum { PAGE_SIZE = 4096, DEFAULT_CLASSES = 48, UNSET = 99 };
enum format { FORMAT_TABLE, FORMAT_JSON };

struct values {
	int format, weight;
	const char *size_classes, *output;
	uint64_t tiny_max_class, max_classes;
	bool is_exact;
};

/* clang-format off */

#define AT(member) offsetof(struct values, member)

static const struct hakstat_option whatif_options[] = {
	{ "size-classes", 0, HAKSTAT_OPT_TEXT, "fine|classic|@FILE", AT(size_classes), 0, 0,
	  "the other table, as HAKMEM_SIZE_CLASSES names it (the recorded one)" },
	{ "tiny-max-class", 0, HAKSTAT_OPT_COUNT, "K", AT(tiny_max_class), 0, 7,
	  "the other boundary, as HAKMEM_TINY_MAX_CLASS sets it (the recorded one)" },
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json", AT(format), 0, 0,
	  "for people; or the keys of 'report --format json' for the prediction" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "every digit of bytes in tables" },
	{ "output", 'o', HAKSTAT_OPT_TEXT, "FILE", AT(output), 0, 0, "write there instead of standard output" },
};

static const struct hakstat_option tune_options[] = {
	{ "max-classes", 'n', HAKSTAT_OPT_COUNT, "N", AT(max_classes), 1, HAK_MAX_CLASSES,
	  "at most so many classes (48)" },
	{ "weight", 0, HAKSTAT_OPT_CHOICE, "allocs|live|peak", AT(weight), 0, 0,
	  "what counts: each allocation, what is live at the end, or what was when the most bytes were" },
	{ "format", 'f', HAKSTAT_OPT_CHOICE, "table|json", AT(format), 0, 0,
	  "for people; or the keys of 'report --format json' for the prediction" },
	{ "exact", 0, HAKSTAT_OPT_FLAG, NULL, AT(is_exact), 0, 0, "every digit of bytes in tables" },
	{ "output", 'o', HAKSTAT_OPT_TEXT, "FILE", AT(output), 0, 0,
	  "write the table there, for HAKMEM_SIZE_CLASSES=@FILE" },
};

/* clang-format on */

struct comparison {
	const struct values *values;
	struct hakstat_report *recorded, *predicted;
};

/* Only what has a known request can be predicted, so only that is compared. */
static struct hakstat_row known_part(const struct comparison *c)
{
	struct hakstat_row known = c->recorded->totals;
	const GPtrArray *sizes = c->recorded->summary->rows[HAKSTAT_BY_SIZE];
	const struct hakstat_predicted *predicted = c->predicted->summary->predicted;

	known.n.usable_bytes -= known.n.unknown_bytes;
	known.n.unknown_bytes = 0;
	known.n.live_usable_bytes -= known.n.live_unknown_bytes;
	known.n.live_unknown_bytes = 0;
	known.n.peak_v = predicted ? predicted->recorded_peak_v : (struct hakstat_variances) { 0 };
	known.n.peak_live = 0;
	known.n.peak_usable_bytes = known.n.peak_requested_bytes = known.n.peak_unknown_bytes = 0;
	for (guint i = 0; i < sizes->len; i++) { /* the peak of the operations, as the prediction has it */
		const struct hakstat_row *row = g_ptr_array_index(sizes, i);
		known.n.peak_usable_bytes += row->n.peak_usable_bytes;
		known.n.peak_requested_bytes += row->n.peak_requested_bytes;
		known.n.peak_live += row->n.peak_live;
	}
	return known;
}

struct saving {
	int64_t bytes;
	struct hakstat_value half; /* of its 95 % interval */
};

struct savings {
	struct saving usable, live, peak;
	struct saving waste, live_waste, peak_waste;
};

/*
 * Of waste, beside what is saved of the blocks. The two are one, with one interval, unless reallocs that move
 * under one table and stay under the other change what is requested.
 */
static struct saving of_waste(uint64_t recorded, uint64_t predicted, const struct saving *blocks)
{
	return (struct saving) { (int64_t)(recorded - predicted), blocks->half };
}

static struct savings savings_of(const struct comparison *c)
{
	struct hakstat_row known = known_part(c);
	const struct hakstat_counts *recorded = &known.n, *predicted = &c->predicted->totals.n;
	const struct hakstat_predicted *p = c->predicted->summary->predicted;
	struct savings s = {
		.usable = { (int64_t)(recorded->usable_bytes - predicted->usable_bytes),
			    hakstat_interval(p ? p->saving : 0) },
		.live = { (int64_t)(recorded->live_usable_bytes - predicted->live_usable_bytes),
			  hakstat_interval(p ? p->live_saving : 0) },
		.peak = { (int64_t)(recorded->peak_usable_bytes - predicted->peak_usable_bytes),
			  hakstat_interval(p ? p->peak_saving : 0) },
	};

	s.waste = of_waste(hakstat_counts_waste(recorded), hakstat_counts_waste(predicted), &s.usable);
	s.live_waste =
		of_waste(hakstat_counts_live_waste(recorded), hakstat_counts_live_waste(predicted), &s.live);
	s.peak_waste =
		of_waste(hakstat_counts_peak_waste(recorded), hakstat_counts_peak_waste(predicted), &s.peak);
	return s;
}

static char *saving_text(const struct saving *saving, bool is_exact)
{
	char text[48];

	if (is_exact) {
		g_snprintf(text, sizeof text, "%" PRId64, saving->bytes);
	} else {
		hakstat_text_change(text, sizeof text, saving->bytes);
	}
	return hakstat_with_interval(text, &saving->half, is_exact);
}

static char *sum_text(const struct hakstat_column *column, const struct hakstat_row *row, bool is_exact)
{
	struct hakstat_value value = column->get(row);
	struct hakstat_value half;

	if (column->unit != HAKSTAT_UNIT_BYTES || strcmp(column->key, "usable_bytes") == 0 ||
	    !value.is_known) {
		return hakstat_cell_text(column, row, is_exact);
	}
	half = hakstat_column_interval(HAKSTAT_IN_TOTALS, column->key)->get(row);
	return hakstat_bytes_text(value.number, &half, is_exact);
}

static void fill_sums(const struct comparison *c, struct hakstat_grid *grid)
{
	const struct hakstat_row *now = &c->predicted->totals;
	struct hakstat_row then = known_part(c);
	struct savings saved = savings_of(c);
	const struct {
		const char *name, *key;
		const struct saving *saving;
	} sums[] = {
		{ "usable", "usable_bytes", &saved.usable },
		{ "waste", "waste_bytes", &saved.waste },
		{ "waste %", "waste_percent", NULL },
		{ "live usable", "live_usable_bytes", &saved.live },
		{ "live waste", "live_waste_bytes", &saved.live_waste },
		{ "peak usable", "peak_live_usable_bytes", &saved.peak },
		{ "peak waste", "peak_live_waste_bytes", &saved.peak_waste },
	};
	bool is_exact = c->values->is_exact;

	hakstat_grid_column(grid, "sum", HAKSTAT_GRID_TEXT);
	hakstat_grid_column(grid, "recorded", HAKSTAT_GRID_NUMBER);
	hakstat_grid_column(grid, "predicted", HAKSTAT_GRID_NUMBER);
	hakstat_grid_column(grid, "saving", HAKSTAT_GRID_NUMBER);
	for (size_t i = 0; i < G_N_ELEMENTS(sums); i++) {
		const struct hakstat_column *column = hakstat_column_find(HAKSTAT_IN_TOTALS, sums[i].key);
		hakstat_grid_cell(grid, g_strdup(sums[i].name));
		hakstat_grid_cell(grid, sum_text(column, &then, is_exact));
		hakstat_grid_cell(grid, sum_text(column, now, is_exact));
		hakstat_grid_cell(grid,
				  sums[i].saving ? saving_text(sums[i].saving, is_exact) : g_strdup(""));
	}
}

/* What the recording lacks, the prediction lacks. */
static void put_losses(const struct hakstat_summary *recorded, const struct hakstat_view *view, FILE *out)
{
	GPtrArray *lines = hakstat_loss_lines(recorded);

	for (guint i = 0; i < lines->len; i++) {
		hakstat_put_prose(view, HAKSTAT_HEAD_INDENT, g_ptr_array_index(lines, i), out);
	}
	if (lines->len) {
		fputc('\n', out);
	}
	g_ptr_array_unref(lines);
}

static int write_table(const struct comparison *c, FILE *out)
{
	struct hakstat_view view = {
		.has_by = true, .by = HAKSTAT_BY_CLASS, .is_exact = c->values->is_exact, .is_bare = true
	};
	struct hakstat_grid grid;
	int status;

	hakstat_view_fit(&view, out);
	put_losses(c->recorded->summary, &view, out);
	hakstat_grid_init(&grid);
	fill_sums(c, &grid);
	status = hakstat_grid_print(&grid, view.width, view.colours, out);
	hakstat_grid_clear(&grid);
	hakstat_put_prose(
		&view, 0,
		"usable and waste are of all allocations, live at the end, peak when the most bytes "
		"were live; slabs, sites and what was recorded without its size are not predicted",
		out);
	return status ? status : hakstat_render_table(c->predicted, &view, out);
}

static void put_saving(json_t *root, const char *key, const struct saving *saving)
{
	g_autofree char *interval = g_strconcat(key, "_ci95", NULL);

	json_object_set_new(root, key, json_integer(saving->bytes));
	json_object_set_new(root, interval,
			    saving->half.is_known ? hakstat_json_number(saving->half.number) : json_null());
}

static int write_json(const struct comparison *c, FILE *out)
{
	struct hakstat_view view = { .has_by = false };
	json_t *root = hakstat_report_json(c->predicted, &view);
	struct savings saved = savings_of(c);

	json_object_set_new(root, "recorded", hakstat_totals_json(c->recorded));
	put_saving(root, "saving_bytes", &saved.usable);
	put_saving(root, "live_saving_bytes", &saved.live);
	put_saving(root, "peak_saving_bytes", &saved.peak);
	return hakstat_json_write(root, out);
}

static int write_comparison(void *data, FILE *out)
{
	const struct comparison *c = data;

	return c->values->format == FORMAT_JSON ? write_json(c, out) : write_table(c, out);
}

/* Takes the summary over. */
static int compare(struct hakstat_summary *recorded, const struct hak_class_table *table, const char *name,
		   const struct values *v, const char *output, struct hakstat_err *err)
{
	struct comparison c = { .values = v };
	int status;

	c.predicted = hakstat_report_new(hakstat_predict_summary(table, name, recorded));
	c.recorded = hakstat_report_new(recorded);
	status = hakstat_write_to(output, write_comparison, &c, err);
	if (status == 0) {
		hakstat_input_say_partial(recorded, "prediction");
	}
	hakstat_report_free(c.predicted);
	hakstat_report_free(c.recorded);
	return status;
}

static unsigned recorded_boundary(const struct hakstat_summary *s, uint64_t wanted)
{
	if (wanted != UNSET) {
		return (unsigned)wanted;
	}
	return s->config.known && s->config.tiny_max_class < HAK_TINY_GROUPS ? s->config.tiny_max_class
									     : HAK_TINY_GROUPS - 1;
}

static uint32_t recorded_page(const struct hakstat_summary *s)
{
	uint32_t page = s->config.page_size;

	return page >= PAGE_SIZE && (page & (page - 1)) == 0 ? page : PAGE_SIZE;
}

static int run_whatif(int argc, char **argv, struct hakstat_err *err)
{
	static const struct hakstat_input_options input;
	struct values v = { .tiny_max_class = UNSET };
	struct hakstat_summary *summary;
	struct hak_class_table table;
	const char *name;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_whatif, argc, argv, &v, &first, err);

	if (status != 0) {
		return status == HAKSTAT_CLI_DONE ? 0 : status;
	}
	summary = hakstat_input_read_all(argv + first, argc - first, &input, err);
	if (!summary) {
		return err->status;
	}
	name = v.size_classes ? v.size_classes : summary->config.size_classes;
	if (!name || (!v.size_classes && v.tiny_max_class == UNSET)) {
		status = hakstat_err_set(
			err, HAKSTAT_USAGE,
			"whatif: what is to change? Give --size-classes, --tiny-max-class or both");
	} else {
		status = hakstat_table_load(&table, name, recorded_boundary(summary, v.tiny_max_class),
					    recorded_page(summary), err);
	}
	if (status != 0) {
		hakstat_summary_free(summary);
		return status;
	}
	return compare(summary, &table, name, &v, v.output, err);
}

/* tune --------------------------------------------------------------------------------------- */

struct table_file {
	const struct hak_class_table *table;
	const struct hakstat_summary *summary;
};

static int write_blocks(void *data, FILE *out)
{
	const struct table_file *file = data;
	GPtrArray *losses = hakstat_loss_lines(file->summary);

	fprintf(out, "# %u size classes, by hakstat tune for the requests of\n", file->table->count);
	for (guint i = 0; i < file->summary->paths->len; i++) {
		fprintf(out, "# %s\n", (const char *)g_ptr_array_index(file->summary->paths, i));
	}
	if (losses->len) { /* the file outlives what is said here */
		fprintf(out, "# The recording is incomplete, lost: %s\n",
			(const char *)g_ptr_array_index(losses, 0) + HAKSTAT_HEAD_INDENT);
	}
	g_ptr_array_unref(losses);
	fputs("# One block size a line, for HAKMEM_SIZE_CLASSES=@FILE\n", out);
	for (unsigned i = 0; i < file->table->count; i++) {
		fprintf(out, "%u\n", file->table->classes[i].block);
	}
	return ferror(out) ? -1 : 0;
}

static int run_tune(int argc, char **argv, struct hakstat_err *err)
{
	static const struct hakstat_input_options input;
	struct values v = { .max_classes = DEFAULT_CLASSES };
	struct hakstat_summary *summary;
	struct hak_class_table table;
	struct table_file file = { &table, NULL };
	int first;
	int status = hakstat_cli_parse(&hakstat_command_tune, argc, argv, &v, &first, err);

	if (status != 0) {
		return status == HAKSTAT_CLI_DONE ? 0 : status;
	}
	summary = hakstat_input_read_all(argv + first, argc - first, &input, err);
	if (!summary) {
		return err->status;
	}
	if (hakstat_tune(summary, (unsigned)v.max_classes, (enum hakstat_tune_weight)v.weight,
			 recorded_boundary(summary, UNSET), recorded_page(summary), &table) != 0) {
		hakstat_summary_free(summary);
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "tune: no table of at most %" PRIu64
				       " classes serves these requests: they need more "
				       "classes, or none of them was recorded with its size",
				       v.max_classes);
	}
	file.summary = summary;
	status = v.format == FORMAT_TABLE || v.output ? hakstat_write_to(v.output, write_blocks, &file, err)
						      : 0;
	if (status != 0) {
		hakstat_summary_free(summary);
		return status;
	}
	if (v.output) {
		hakstat_say("table of %u classes in %s", table.count, v.output);
	} else if (v.format == FORMAT_TABLE) {
		fputc('\n', stdout);
	}
	return compare(summary, &table, v.output ? v.output : "the table above", &v, NULL, err);
}

const struct hakstat_command hakstat_command_whatif = {
	.name = "whatif",
	.operands = "[TRACE...]",
	.summary = "The waste of recorded requests under another table or boundary, predicted.",
	.details = "TRACE is a recording or a saved summary, as for 'hakstat report'; several are merged; "
		   "without one it\nis " HAKSTAT_RECORDING_FOLDER
		   ". What an incomplete recording lost is said above the numbers.",
	.options = whatif_options,
	.option_count = sizeof whatif_options / sizeof whatif_options[0],
	.run = run_whatif,
};

const struct hakstat_command hakstat_command_tune = {
	.name = "tune",
	.operands = "[TRACE...]",
	.summary = "The table of size classes that wastes least on recorded requests, and what it saves.",
	.details = "TRACE is a recording or a saved summary, as for 'hakstat report'; several are merged; "
		   "without one it\nis " HAKSTAT_RECORDING_FOLDER
		   ". What an incomplete recording lost is said above the numbers.\n\n"
		   "Prints the table, or writes it with -o, and then its prediction. Blocks above the "
		   "largest recorded\n"
		   "request, one a doubling, are part of it.",
	.options = tune_options,
	.option_count = sizeof tune_options / sizeof tune_options[0],
	.run = run_tune,
};
