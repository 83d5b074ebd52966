/* SPDX-License-Identifier: MIT */
/*
 * Source, model and symbolizer put together.
 */
#include "input.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "crash.h"
#include "ctf_source.h"
#include "interrupt.h"
#include "isolate.h"
#include "model.h"
#include "output_folder.h"
#include "recording.h"
#include "summary_file.h"
#include "symbol.h"
#include "trace_folder.h"
#include "trace_repair.h"

static void feed(void *model, const struct hakstat_event *event)
{
	hakstat_model_feed(model, event);
	hakstat_progress(hakstat_model_events(model));
}

static void add_symbol_notes(struct hakstat_summary *summary, const struct hakstat_symbolizer *symbolizer)
{
	const GPtrArray *notes = hakstat_symbolizer_notes(symbolizer);

	for (guint i = 0; i < notes->len; i++) {
		hakstat_summary_note(summary, "%s", (const char *)g_ptr_array_index(notes, i));
	}
}

/* No event is left to report of. */
static void refuse(const char *path, const struct hakstat_model *model,
		   const struct hakstat_input_options *options, struct hakstat_err *err)
{
	g_autofree char *others = hakstat_model_left_out(model);

	if (others) {
		hakstat_err_set(err, HAKSTAT_TRACE,
				"%s: no process %" PRIu32 " in this trace; --pid can be %s", path,
				options->pid, others);
		return;
	}
	hakstat_err_set(err, HAKSTAT_TRACE,
			"%s: a trace, but without events of hakmem; record with 'hakstat record -- CMD', or "
			"enable 'hakmem:*' in the LTTng session and run the program with HAKMEM_TRACE=1",
			path);
}

static struct hakstat_summary *finish(const char *path, struct hakstat_model *model,
				      const struct hakstat_symbolizer *symbolizer, const char *damage,
				      const struct hakstat_input_options *options, struct hakstat_err *err)
{
	struct hakstat_summary *summary;

	if (hakstat_model_events(model) == 0 && damage) {
		hakstat_err_set(err, HAKSTAT_TRACE, "%s: damaged before its first event of hakmem: %s", path,
				damage);
		return NULL;
	}
	if (hakstat_model_events(model) == 0) {
		refuse(path, model, options, err);
		return NULL;
	}
	summary = hakstat_model_finish(model);
	hakstat_summary_add_path(summary, path);
	add_symbol_notes(summary, symbolizer);
	return summary;
}

static void mark_partial(struct hakstat_summary *summary, const struct hakstat_repaired *repaired,
			 const struct hakstat_ctf_result *result)
{
	for (guint i = 0; i < repaired->notes->len; i++) {
		summary->partial = true;
		hakstat_summary_note(summary, "%s", (const char *)g_ptr_array_index(repaired->notes, i));
	}
	if (result->is_partial) {
		summary->partial = true;
		hakstat_summary_note(summary, "reading ended early: %s", result->why);
	}
}

struct step {
	const GPtrArray *folders;
	struct hakstat_model *model;
	struct hakstat_ctf_result *result;
	struct hakstat_err *err;
	int status;
};

static void take_step(void *data)
{
	struct step *step = data;

	step->status = hakstat_ctf_read(step->folders, feed, step->model, hakstat_interrupted(), step->result,
					step->err);
}

/* Of a trace on which the reading library crashes, what came before is reported. */
static int read_guarded(const GPtrArray *folders, struct hakstat_model *model,
			struct hakstat_ctf_result *result, bool *has_crashed, struct hakstat_err *err)
{
	struct step step = { folders, model, result, err, 0 };
	int number = hakstat_crash_guard(take_step, &step);

	*has_crashed = number != 0;
	if (number == 0) {
		return step.status;
	}
	result->is_partial = true;
	g_snprintf(result->why, sizeof result->why, "the reading library crashed (%s)", strsignal(number));
	return hakstat_model_events(model) ? 0
					   : hakstat_err_set(err, HAKSTAT_TRACE, "damaged: %s", result->why);
}

/* What is left of incomplete packets: reading each ends in an error that is no news. */
static void read_tails(const GPtrArray *tails, struct hakstat_model *model, bool has_crashed)
{
	for (guint i = 0; i < tails->len && !has_crashed; i++) {
		GPtrArray *one = g_ptr_array_new();
		struct hakstat_ctf_result result;
		struct hakstat_err ignored;
		g_ptr_array_add(one, g_ptr_array_index(tails, i));
		read_guarded(one, model, &result, &has_crashed, &ignored);
		g_ptr_array_unref(one);
	}
}

/* The first that is known of; NULL: none. */
static const char *damage_of(const struct hakstat_repaired *repaired, const struct hakstat_ctf_result *result)
{
	if (result->is_partial) {
		return result->why;
	}
	return repaired->notes->len ? g_ptr_array_index(repaired->notes, 0) : NULL;
}

static struct hakstat_summary *read_repaired(const char *path, const struct hakstat_repaired *repaired,
					     const struct hakstat_input_options *options,
					     struct hakstat_err *err)
{
	struct hakstat_symbolizer *symbolizer = hakstat_symbolizer_new(options->sysroot);
	struct hakstat_model *model = hakstat_model_new(symbolizer);
	struct hakstat_summary *summary = NULL;
	struct hakstat_ctf_result result;
	bool has_crashed;

	if (options->has_pid) {
		hakstat_model_only_pid(model, options->pid);
	}
	if (read_guarded(repaired->folders, model, &result, &has_crashed, err) == 0) {
		read_tails(repaired->tails, model, has_crashed);
		summary = finish(path, model, symbolizer, damage_of(repaired, &result), options, err);
	} else {
		hakstat_err_context(err, "%s", path);
	}
	if (summary) {
		mark_partial(summary, repaired, &result);
	}
	hakstat_model_free(model);
	hakstat_symbolizer_free(symbolizer);
	return summary;
}

struct reading {
	const char *path;
	const struct hakstat_repaired *repaired;
	const struct hakstat_input_options *options;
};

static struct hakstat_summary *read_in_child(void *data, struct hakstat_err *err)
{
	const struct reading *reading = data;
	struct hakstat_summary *summary =
		read_repaired(reading->path, reading->repaired, reading->options, err);

	hakstat_progress_end();
	return summary;
}

/* Room for the sites and for the symbols of large programs, and less than would push others out. */
static uint64_t memory_limit(const GPtrArray *folders)
{
	const uint64_t least = UINT64_C(2) << 30;
	uint64_t half = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;

	return MIN(half, least + 16 * hakstat_trace_bytes(folders));
}

/* What was read until Ctrl-C, if that is wanted. Takes the summary over. */
static struct hakstat_summary *take_part(const char *path, struct hakstat_summary *summary,
					 const struct hakstat_input_options *options, struct hakstat_err *err)
{
	if (summary && options->keeps_part) {
		return summary;
	}
	hakstat_summary_free(summary);
	hakstat_err_set(err, HAKSTAT_INTERRUPTED, "%s: interrupted%s", path,
			options->keeps_part ? " before its first event of hakmem" : "");
	return NULL;
}

static struct hakstat_summary *read_recording(const char *path, const struct hakstat_input_options *options,
					      struct hakstat_err *err)
{
	GPtrArray *folders = hakstat_trace_folders(path, err);
	char *cut = hakstat_output_folder_cut(path);
	struct hakstat_summary *summary = NULL;
	struct hakstat_repaired repaired;
	struct reading reading = { path, &repaired, options };

	if (!folders) {
		g_free(cut);
		return NULL;
	}
	if (hakstat_trace_repair(folders, &repaired, err) == 0) {
		hakstat_interrupt_watch();
		summary = hakstat_isolate(path, memory_limit(folders), read_in_child, &reading, err);
		hakstat_interrupt_unwatch();
		hakstat_repaired_clear(&repaired);
		if (*hakstat_interrupted()) {
			summary = take_part(path, summary, options, err);
		}
	}
	if (summary && cut) {
		summary->partial = true;
		hakstat_summary_note(summary, "%s", cut);
	}
	g_free(cut);
	g_ptr_array_unref(folders);
	return summary;
}

struct hakstat_summary *hakstat_input_read(const char *path, const struct hakstat_input_options *options,
					   struct hakstat_err *err)
{
	if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		return hakstat_summary_read(path, err);
	}
	return read_recording(path, options, err);
}

/* After Ctrl-C the rest is not read. */
static void note_unread(struct hakstat_summary *all, char *const *paths, int count)
{
	for (int i = 0; i < count; i++) {
		all->partial = true;
		hakstat_summary_note(all, "interrupted before %s was read", paths[i]);
	}
}

/* Adds what was read of `path` to all before it; takes `one` over. NULL with `err` set: that would count
 * twice. */
static struct hakstat_summary *add_one(struct hakstat_summary *all, struct hakstat_summary *one,
				       const char *path, struct hakstat_err *err)
{
	enum hakstat_overlap overlap = all ? hakstat_summary_overlap(all, one) : HAKSTAT_OVERLAP_NONE;

	if (!all) {
		return one;
	}
	if (overlap == HAKSTAT_OVERLAP_NONE) {
		hakstat_summary_merge(all, one);
	} else if (overlap == HAKSTAT_OVERLAP_SAME) {
		hakstat_summary_note(all, "%s is the same recording as one given before it: it counts once",
				     path);
	} else {
		hakstat_err_set(err, HAKSTAT_USAGE,
				"%s holds a recording, or a part of one, that was given before it: give each "
				"recording once",
				path);
		hakstat_summary_free(all);
		all = NULL;
	}
	hakstat_summary_free(one);
	return all;
}

struct hakstat_summary *hakstat_input_read_all(char *const *paths, int count,
					       const struct hakstat_input_options *options,
					       struct hakstat_err *err)
{
	static char standard[] = HAKSTAT_RECORDING_FOLDER;
	char *const standards[] = { standard };
	struct hakstat_summary *all = NULL;

	if (count == 0) {
		paths = standards;
		count = 1;
	}
	for (int i = 0; i < count; i++) {
		struct hakstat_summary *one;
		if (all && *hakstat_interrupted()) {
			note_unread(all, paths + i, count - i);
			break;
		}
		one = hakstat_input_read(paths[i], options, err);
		if (!one) {
			hakstat_summary_free(all);
			return NULL;
		}
		all = add_one(all, one, paths[i], err);
		if (!all) {
			return NULL;
		}
	}
	return all;
}

void hakstat_input_say_partial(const struct hakstat_summary *summary, const char *what)
{
	if (summary->partial && *hakstat_interrupted()) {
		hakstat_say("interrupted; the %s holds what was read until then", what);
	} else if (summary->partial) {
		hakstat_say("the trace breaks off before its end; the %s holds what could be read", what);
	}
}
