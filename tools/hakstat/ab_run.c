/* SPDX-License-Identifier: MIT */
/*
 * The runs. The sides take turns as ABBA, so that what drifts (a machine that warms up, a disk that
 * fills) weighs on both alike. A signal ends the series; what is complete by then counts.
 */
#include "ab_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "launch.h"
#include "record.h"
#include "sessiond.h"

enum { TAIL_LINES = 8 };

static const char letters[] = "ab";

struct series {
	const struct hakstat_ab_plan *plan;
	struct hakstat_ab_runs *runs;
	struct hakstat_err *err;
	FILE *output; /* what the command wrote in its last run */
	int null;
	bool is_asking; /* the library, whose answer stands in the output; how the command ends is no matter
			 */
};

/* Output of the command --------------------------------------------------------------------- */

/* All of it, at least "". Free with g_free. */
static char *read_output(const struct series *s)
{
	struct stat status;
	size_t size = fstat(fileno(s->output), &status) == 0 ? (size_t)status.st_size : 0;
	char *text = g_malloc(size + 1);
	ssize_t got = pread(fileno(s->output), text, size, 0);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

static void show_output(const struct series *s)
{
	char *text = read_output(s);

	fputs(text, stderr);
	g_free(text);
}

/* Its last lines, one message each. */
static void say_tail(const struct series *s)
{
	char *text = read_output(s);
	char **lines = g_strsplit(g_strchomp(text), "\n", -1);
	guint count = g_strv_length(lines);

	for (guint i = count > TAIL_LINES ? count - TAIL_LINES : 0; i < count; i++) {
		hakstat_say("ab: output: %s", lines[i]);
	}
	g_strfreev(lines);
	g_free(text);
}

/* What the library said of its settings, which would go unseen, or each time: a mistaken one compares what
 * nobody asked for. */
static void say_warnings(const struct series *s, enum hakstat_ab_side side)
{
	char *text = read_output(s);
	char **lines = g_strsplit(text, "\n", -1);

	for (char **line = lines; *line && !s->runs->has_run[side]; line++) {
		if (g_str_has_prefix(*line, "hakmem: ")) {
			hakstat_say("ab: %c: %s", letters[side], *line);
		}
	}
	s->runs->has_run[side] = true;
	g_strfreev(lines);
	g_free(text);
}

/* The last match: programs print their sum at the end. */
static int find_rate(const struct series *s, double *rate)
{
	char *text = read_output(s);
	char *valid = g_utf8_make_valid(text, -1);
	GMatchInfo *match = NULL;
	int status = -1;

	g_regex_match(s->plan->rate, valid, 0, &match);
	for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
		char *word = g_match_info_fetch(match, 1);
		char *end = word;
		double number = word ? g_ascii_strtod(word, &end) : 0;
		if (end != word && number >= 0 && number < 1e300) {
			*rate = number;
			status = 0;
		}
		g_free(word);
	}
	g_match_info_free(match);
	g_free(valid);
	g_free(text);
	return status;
}

/* One run ----------------------------------------------------------------------------------- */

static int open_input(const struct series *s)
{
	const char *path = s->plan->input ? s->plan->input : "/dev/null";
	int input = open(path, O_RDONLY | O_CLOEXEC);

	if (input < 0) {
		hakstat_err_set(s->err, HAKSTAT_USAGE, "--input %s: %s", path, g_strerror(errno));
	}
	return input;
}

/* A failed command measures something else than was meant, so it ends the series. */
static int judge(const struct series *s, enum hakstat_ab_side side, const struct hakstat_launch *launch)
{
	if (launch->signal) {
		s->runs->is_interrupted = true;
		return 0;
	}
	if (s->is_asking || launch->exit_status == 0) {
		return 0;
	}
	if (!s->plan->show_output) {
		say_tail(s);
	}
	return hakstat_err_set(s->err, HAKSTAT_USAGE, "ab: %s failed under %c: exit status %d",
			       launch->argv[0], letters[side], launch->exit_status);
}

typedef int (*starter)(const struct series *s, struct hakstat_launch *launch, void *data);

static int start_plain(const struct series *s, struct hakstat_launch *launch, void *data)
{
	(void)data;
	return hakstat_launch_run(launch, s->err);
}

struct recording {
	struct hakstat_recording_options options;
	struct hakstat_recorded recorded;
};

static int start_recorded(const struct series *s, struct hakstat_launch *launch, void *data)
{
	struct recording *recording = data;

	return hakstat_record_launch(&recording->options, s->plan->sample_bytes, launch, &recording->recorded,
				     s->err);
}

/* `extra`: one more NAME=VALUE, or NULL. */
static char **environment_of(const struct series *s, enum hakstat_ab_side side, bool traced,
			     const char *extra)
{
	char **environment = g_get_environ();

	for (char **setting = s->plan->settings[side]; *setting; setting++) {
		char *name = g_strndup(*setting, (gsize)(strchr(*setting, '=') - *setting));
		environment = g_environ_setenv(environment, name, *setting + strlen(name) + 1, TRUE);
		g_free(name);
	}
	if (extra) {
		char *name = g_strndup(extra, (gsize)(strchr(extra, '=') - extra));
		environment = g_environ_setenv(environment, name, extra + strlen(name) + 1, TRUE);
		g_free(name);
	}
	return hakstat_launch_environment(environment, traced, s->err);
}

/* Runs the command once. Returns 0 with `launch` filled, or a status. */
static int run_once(const struct series *s, enum hakstat_ab_side side, char **environment, starter start,
		    void *data, struct hakstat_launch *launch)
{
	bool keeps_output = s->plan->rate || s->plan->show_output;
	int output = fileno(s->output);
	int streams[3] = { open_input(s), keeps_output ? output : s->null, output };
	int status = HAKSTAT_USAGE;

	*launch = (struct hakstat_launch) { .argv = s->plan->argv,
					    .environment = environment,
					    .streams = streams };
	if (ftruncate(output, 0) != 0) {
		status = hakstat_err_set(s->err, HAKSTAT_USAGE, "ab: the command's output cannot be kept: %s",
					 g_strerror(errno));
	} else if (streams[0] >= 0 && environment) {
		status = start(s, launch, data);
	}
	if (status == 0 && s->plan->show_output && !s->is_asking) {
		show_output(s);
	} else if (status == 0) {
		say_warnings(s, side);
	}
	if (status == 0) {
		status = judge(s, side, launch);
	}
	if (streams[0] >= 0) {
		close(streams[0]);
	}
	g_strfreev(launch->environment);
	launch->environment = NULL;
	launch->streams = NULL;
	return status;
}

/* Series ------------------------------------------------------------------------------------ */

static bool is_over(const struct series *s)
{
	s->runs->is_interrupted = s->runs->is_interrupted || *hakstat_interrupted();
	return s->runs->is_interrupted;
}

static enum hakstat_ab_side side_of(uint64_t pair, unsigned turn)
{
	return (pair + turn) % 2 ? HAKSTAT_AB_B : HAKSTAT_AB_A;
}

static void show_progress(const char *what, uint64_t done, uint64_t all)
{
	if (isatty(STDERR_FILENO)) {
		fprintf(stderr, "\r\033[Khakstat: %s %" PRIu64 " of %" PRIu64 " ", what, done + 1, all);
		fflush(stderr);
	}
}

static void hide_progress(void)
{
	if (isatty(STDERR_FILENO)) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
}

static int not_served(const struct series *s)
{
	return hakstat_err_set(s->err, HAKSTAT_USAGE,
			       "ab: %s is not served by hakmem: programs that are linked statically, or run "
			       "with other rights than yours, cannot be",
			       s->plan->argv[0]);
}

/* A recording that breaks off shows the waste of a part of the run. */
static int judge_recording(const struct series *s, enum hakstat_ab_side side,
			   const struct hakstat_recorded *recorded)
{
	if (recorded->is_cut) {
		return hakstat_err_set(s->err, HAKSTAT_USAGE, "ab: recording under %c: %s", letters[side],
				       recorded->said);
	}
	return recorded->is_trace ? 0 : not_served(s);
}

static int record_once(const struct series *s, enum hakstat_ab_side side, uint64_t number)
{
	char *path = g_strdup_printf("%s/%c-%" PRIu64, s->plan->folder, letters[side], number + 1);
	struct recording recording = { .options = { .folder = path, .mode = s->plan->mode } };
	struct hakstat_launch launch;
	int status =
		run_once(s, side, environment_of(s, side, true, NULL), start_recorded, &recording, &launch);

	if (status == 0 && !s->runs->is_interrupted) {
		status = judge_recording(s, side, &recording.recorded);
	}
	g_free(recording.recorded.said);
	if (status == 0 && !s->runs->is_interrupted) {
		g_ptr_array_add(s->runs->traces[side], path);
	} else {
		g_free(path);
	}
	return status;
}

static void drop_odd_trace(struct hakstat_ab_runs *runs)
{
	guint complete = MIN(runs->traces[HAKSTAT_AB_A]->len, runs->traces[HAKSTAT_AB_B]->len);

	for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
		g_ptr_array_set_size(runs->traces[side], (gint)complete);
	}
}

/* One daemon for all recordings, and none any more when it comes to timing. */
static int record_all(const struct series *s)
{
	struct hakstat_sessiond daemon;
	int status = hakstat_sessiond_acquire(&daemon, s->err);

	if (status) {
		return status;
	}
	for (uint64_t i = 0; i < 2 * s->plan->recordings && status == 0 && !is_over(s); i++) {
		show_progress("recording", i, 2 * s->plan->recordings);
		status = record_once(s, side_of(i / 2, i % 2), i / 2);
	}
	hakstat_sessiond_release(&daemon);
	drop_odd_trace(s->runs);
	return status;
}

/* The library's first line with HAKMEM_VERBOSE is "hakmem VERSION in NAME[PID]". */
static void take_served(const struct series *s)
{
	char *text = read_output(s);
	char *valid = g_utf8_make_valid(text, -1);
	GRegex *line = g_regex_new("^hakmem \\S+ in (.*)\\[\\d+\\]$", G_REGEX_MULTILINE, 0, NULL);
	GMatchInfo *match;

	g_regex_match(line, valid, 0, &match);
	for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
		char *name = g_match_info_fetch(match, 1);
		if (!g_ptr_array_find_with_equal_func(s->runs->served, name, g_str_equal, NULL)) {
			g_ptr_array_add(s->runs->served, name);
		} else {
			g_free(name);
		}
	}
	g_match_info_free(match);
	g_regex_unref(line);
	g_free(valid);
	g_free(text);
}

/* Without recordings: a run of each that the library itself answers for. */
static int ask_library(struct series *s)
{
	int status = 0;

	s->is_asking = true;
	for (int side = 0; side < HAKSTAT_AB_SIDES && status == 0 && !is_over(s); side++) {
		struct hakstat_launch launch;
		char **environment = environment_of(s, (enum hakstat_ab_side)side, false, "HAKMEM_VERBOSE=1");
		g_ptr_array_set_size(s->runs->served, 0);
		status = run_once(s, (enum hakstat_ab_side)side, environment, start_plain, NULL, &launch);
		take_served(s);
		if (status == 0 && !is_over(s) && s->runs->served->len == 0) {
			status = not_served(s);
		}
	}
	s->is_asking = false;
	return status;
}

static double seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static int measure_once(const struct series *s, enum hakstat_ab_side side, double *values)
{
	struct hakstat_launch launch;
	const struct rusage *usage = &launch.usage;
	int status = run_once(s, side, environment_of(s, side, false, NULL), start_plain, NULL, &launch);

	if (status || s->runs->is_interrupted) {
		return status;
	}
	values[HAKSTAT_AB_WALL] = (double)launch.wall_ns / 1e9;
	values[HAKSTAT_AB_CPU] = seconds(usage->ru_utime) + seconds(usage->ru_stime);
	values[HAKSTAT_AB_RSS] = (double)usage->ru_maxrss * 1024;
	values[HAKSTAT_AB_FAULTS] = (double)usage->ru_minflt + (double)usage->ru_majflt;
	values[HAKSTAT_AB_RATE] = 0;
	if (s->plan->rate && find_rate(s, &values[HAKSTAT_AB_RATE]) != 0) {
		say_tail(s);
		return hakstat_err_set(s->err, HAKSTAT_USAGE,
				       "--rate %s: matches no number in what the command printed",
				       g_regex_get_pattern(s->plan->rate));
	}
	return 0;
}

static int measure_pair(const struct series *s, uint64_t pair)
{
	double values[HAKSTAT_AB_SIDES][HAKSTAT_AB_MEASURES];
	int status = 0;

	for (unsigned turn = 0; turn < 2 && status == 0 && !is_over(s); turn++) {
		enum hakstat_ab_side side = side_of(pair, turn);
		show_progress("run", 2 * pair + turn, 2 * s->plan->pairs);
		status = measure_once(s, side, values[side]);
	}
	if (status || is_over(s)) {
		return status;
	}
	for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
		for (int m = 0; m < HAKSTAT_AB_MEASURES; m++) {
			g_array_append_val(s->runs->values[side][m], values[side][m]);
		}
	}
	return 0;
}

static int run_series(struct series *s)
{
	int status = s->plan->recordings ? record_all(s) : ask_library(s);

	for (uint64_t pair = 0; pair < s->plan->pairs && status == 0 && !is_over(s); pair++) {
		status = measure_pair(s, pair);
	}
	hide_progress();
	return status;
}

static void init_runs(struct hakstat_ab_runs *runs)
{
	*runs = (struct hakstat_ab_runs) { .served = g_ptr_array_new_with_free_func(g_free) };
	for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
		runs->traces[side] = g_ptr_array_new_with_free_func(g_free);
		for (int m = 0; m < HAKSTAT_AB_MEASURES; m++) {
			runs->values[side][m] = g_array_new(FALSE, FALSE, sizeof(double));
		}
	}
}

int hakstat_ab_run(const struct hakstat_ab_plan *plan, struct hakstat_ab_runs *runs, struct hakstat_err *err)
{
	struct series s = { .plan = plan, .runs = runs, .err = err, .output = tmpfile() };
	int status;

	init_runs(runs);
	s.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!s.output || s.null < 0) {
		status = hakstat_err_set(err, HAKSTAT_USAGE, "ab: the command's output cannot be kept: %s",
					 g_strerror(errno));
	} else {
		fcntl(fileno(s.output), F_SETFD, FD_CLOEXEC);
		fcntl(fileno(s.output), F_SETFL, O_APPEND); /* after it is emptied writing begins anew */
		hakstat_interrupt_watch();
		status = run_series(&s);
		hakstat_interrupt_unwatch();
		*hakstat_interrupted() = 0; /* of the runs; reading the recordings may be interrupted, too */
	}
	if (s.null >= 0) {
		close(s.null);
	}
	if (s.output) {
		fclose(s.output);
	}
	return status;
}

void hakstat_ab_runs_clear(struct hakstat_ab_runs *runs)
{
	for (int side = 0; side < HAKSTAT_AB_SIDES; side++) {
		g_ptr_array_unref(runs->traces[side]);
		for (int m = 0; m < HAKSTAT_AB_MEASURES; m++) {
			g_array_unref(runs->values[side][m]);
		}
	}
	g_ptr_array_unref(runs->served);
}
