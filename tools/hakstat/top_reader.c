/* SPDX-License-Identifier: MIT */
/*
 * Messages to the terminal's process are a head and what it announces; a summary goes as the text that
 * `report --format summary` writes. What the model comes to is worked out in a child of the reader,
 * because it can be done once only and the model is to go on.
 */
#include "top_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctf_source.h"
#include "model.h"
#include "summary_file.h"
#include "symbol.h"
#include "top_attach.h"
#include "trace_folder.h"
#include "write_all.h"

enum { FIRST_PERIOD_MS = 500, LIVE_PAUSE_MS = 50, PATIENCE = 5 };

struct head {
	enum hakstat_top_news news;
	size_t length;
};

/* Commands are single bytes. */
enum { WITH_SITES = 's', WITHOUT_SITES = 'c' };

struct reading {
	const struct hakstat_top_source *source;
	struct hakstat_model *model;
	struct hakstat_symbolizer *symbolizer;
	int to, from; /* the terminal's process */
	bool wants_sites;
	bool is_over;	  /* nobody is there to read */
	GPtrArray *parts; /* char *: not read yet, the oldest first */
	bool is_partial;  /* one of them broke off */
	gint64 next;	  /* when the next summary is due, by the monotonic clock */
};

static volatile sig_atomic_t is_told_to_end;

static void on_signal(int number)
{
	(void)number;
	is_told_to_end = 1;
}

/* Sending ---------------------------------------------------------------------------------- */

static void send_message(int to, enum hakstat_top_news news, const void *data, size_t length)
{
	struct head head = { .news = news, .length = length };

	/* What fails the reader notices at its next look. */
	if (hakstat_write_all(to, &head, sizeof head) == 0) {
		hakstat_write_all(to, data, length);
	}
}

static void send_failure(const struct reading *r, const struct hakstat_err *err)
{
	send_message(r->to, HAKSTAT_TOP_FAILED, err, sizeof *err);
}

static void drop_sites(struct hakstat_summary *s)
{
	g_hash_table_remove_all(s->by_key[HAKSTAT_BY_SITE]);
	g_ptr_array_set_size(s->rows[HAKSTAT_BY_SITE], 0);
}

/* The child's whole life. */
static void work_out(struct reading *r)
{
	struct hakstat_summary *summary;
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!r->wants_sites) {
		hakstat_model_forget_symbols(r->model);
	}
	summary = hakstat_model_finish(r->model);
	if (!r->wants_sites) {
		drop_sites(summary);
	}
	summary->partial |= r->is_partial;
	if (out && hakstat_summary_write(summary, out) == 0 && fclose(out) == 0) {
		send_message(r->to, HAKSTAT_TOP_SUMMARY, text, length);
	}
	_exit(0);
}

/* `is_last`: nothing more can be asked for, so it has the call sites. */
static void publish(struct reading *r, bool is_last)
{
	pid_t child;

	r->wants_sites |= is_last;

	if (hakstat_model_events(r->model) == 0) {
		return;
	}
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work_out(r);
	}
	if (child > 0) {
		TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
	}
}

/* Waiting ---------------------------------------------------------------------------------- */

static bool is_ending(const struct reading *r)
{
	return r->is_over || is_told_to_end;
}

/* Returns true when a summary is wanted at once. */
static bool take_commands(struct reading *r)
{
	char command = 0;
	ssize_t got = read(r->from, &command, 1);

	if (got == 0) {
		r->is_over = true;
	} else if (got > 0) {
		r->wants_sites = command == WITH_SITES;
	}
	return got > 0;
}

/* Waits until the next summary is due, or the terminal wants something else, at most `limit_ms`. */
static bool is_due_within(struct reading *r, int limit_ms)
{
	struct pollfd command = { .fd = r->from, .events = POLLIN };
	gint64 left = (r->next - g_get_monotonic_time()) / 1000;

	if (left > 0 && poll(&command, 1, (int)MIN(left, limit_ms)) > 0 && take_commands(r)) {
		return true;
	}
	return !is_ending(r) && g_get_monotonic_time() >= r->next;
}

static void set_next(struct reading *r)
{
	r->next = g_get_monotonic_time() + (gint64)r->source->period_s * G_USEC_PER_SEC;
}

/* Sources ---------------------------------------------------------------------------------- */

static void feed(void *data, const struct hakstat_event *event)
{
	struct reading *r = data;

	hakstat_model_feed(r->model, event);
}

/* A part in which nothing was written is no trace. */
static int read_part(struct reading *r, const char *folder, struct hakstat_err *err)
{
	struct hakstat_err ignored;
	struct hakstat_ctf_result result;
	GPtrArray *folders = hakstat_trace_folders(folder, &ignored);
	int status = 0;

	if (folders) {
		status = hakstat_ctf_read(folders, feed, r, &is_told_to_end, &result, err);
		g_ptr_array_unref(folders);
		r->is_partial |= status == 0 && result.is_partial && !is_told_to_end;
	}
	return status;
}

/*
 * LTTng may hand over a part while a process is still telling what its streams hold; what describes them
 * is in the next part then. So a part that can't be read waits, for some parts.
 */
static int read_parts(struct reading *r, struct hakstat_err *err)
{
	int status = 0;

	while (r->parts->len && status == 0) {
		const char *newest = g_ptr_array_index(r->parts, r->parts->len - 1);
		uint64_t before = hakstat_model_events(r->model);
		hakstat_top_attach_describe(g_ptr_array_index(r->parts, 0), newest);
		status = read_part(r, g_ptr_array_index(r->parts, 0), err);
		if (status && hakstat_model_events(r->model) == before && r->parts->len < PATIENCE) {
			return 0;
		}
		if (status == 0) {
			g_ptr_array_remove_index(r->parts, 0);
		}
	}
	return status;
}

static bool has_ended(pid_t pid)
{
	return pid && kill(pid, 0) != 0 && errno == ESRCH;
}

static int next_part(struct reading *r, struct hakstat_top_attach *attach, struct hakstat_err *err)
{
	char *folder = NULL;
	int status = hakstat_top_attach_next(attach, &folder, err);

	if (status == 0) {
		g_ptr_array_add(r->parts, folder);
		status = read_parts(r, err);
	}
	return status;
}

static int follow_parts(struct reading *r, struct hakstat_top_attach *attach, struct hakstat_err *err)
{
	int status = 0;
	bool is_last = false;

	while (status == 0 && !is_last && !is_ending(r)) {
		if (!is_due_within(r, INT32_MAX)) {
			continue;
		}
		is_last = has_ended(r->source->pid);
		status = next_part(r, attach, err);
		if (status == 0 && !is_ending(r)) {
			publish(r, is_last);
			set_next(r);
		}
	}
	return status;
}

static void drop_part(void *folder)
{
	hakstat_top_attach_drop(folder);
}

static int run_attached(struct reading *r, struct hakstat_err *err)
{
	struct hakstat_top_attach *attach = hakstat_top_attach_new(r->source->pid, err);
	int status;

	if (!attach) {
		return err->status;
	}
	r->parts = g_ptr_array_new_with_free_func(drop_part);
	status = follow_parts(r, attach, err);
	g_ptr_array_unref(r->parts);
	hakstat_top_attach_free(attach);
	return status;
}

/* Called while the live trace is read: often, and when nothing has come (`is_idle`). */
static void pause_live(void *data, bool is_idle)
{
	struct reading *r = data;

	if (is_due_within(r, is_idle ? LIVE_PAUSE_MS : 0)) {
		publish(r, false);
		set_next(r);
	}
	if (r->is_over) {
		is_told_to_end = 1;
	}
}

static int run_live(struct reading *r, struct hakstat_err *err)
{
	const struct hakstat_ctf_follower follower = { feed, pause_live, r };
	int status = hakstat_ctf_follow(r->source->url, &follower, &is_told_to_end, err);

	if (status == 0 && !is_ending(r)) {
		publish(r, true);
	}
	return status;
}

/* The reader's whole life. */
static void reader_main(const struct hakstat_top_source *source, int to, int from)
{
	struct sigaction end = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct reading r = { .source = source, .to = to, .from = from };
	struct hakstat_err err = { 0 };
	sigset_t none;
	int status;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGINT, &ignore, NULL); /* Ctrl-C is the terminal's process's affair */
	sigaction(SIGQUIT, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	r.symbolizer = hakstat_symbolizer_new(source->sysroot);
	r.model = hakstat_model_new(r.symbolizer);
	r.next = g_get_monotonic_time() + (gint64)FIRST_PERIOD_MS * 1000;
	status = source->url ? run_live(&r, &err) : run_attached(&r, &err);
	if (status) {
		send_failure(&r, &err);
	} else {
		send_message(r.to, HAKSTAT_TOP_ENDED, NULL, 0);
	}
	_exit(0);
}

/* The terminal's side ---------------------------------------------------------------------- */

static int fail_start(struct hakstat_err *err, const int ends[4])
{
	hakstat_err_set(err, HAKSTAT_USAGE, "top: no process to read with: %s", g_strerror(errno));
	for (int i = 0; i < 4; i++) {
		if (ends[i] >= 0) {
			close(ends[i]);
		}
	}
	return err->status;
}

int hakstat_top_reader_start(struct hakstat_top_reader *reader, const struct hakstat_top_source *source,
			     struct hakstat_err *err)
{
	int ends[4] = { -1, -1, -1, -1 };
	int *up = ends, *down = ends + 2;

	*reader = (struct hakstat_top_reader) { 0 };
	if (pipe2(up, O_CLOEXEC) != 0 || pipe2(down, O_CLOEXEC) != 0 || (reader->pid = fork()) < 0) {
		return fail_start(err, ends);
	}
	if (reader->pid == 0) {
		close(up[0]);
		close(down[1]);
		reader_main(source, up[1], down[0]);
	}
	close(up[1]);
	close(down[0]);
	reader->from = up[0];
	reader->to = down[1];
	fcntl(reader->from, F_SETFL, O_NONBLOCK);
	reader->buffer = g_byte_array_new();
	return 0;
}

void hakstat_top_reader_want_sites(const struct hakstat_top_reader *reader, bool wanted)
{
	char command = wanted ? WITH_SITES : WITHOUT_SITES;

	if (write(reader->to, &command, 1) < 0) {
		errno = 0; /* it is gone, which its pipe tells */
	}
}

/* False when the reader is gone. */
static bool fill(struct hakstat_top_reader *reader)
{
	guint8 chunk[65536];
	ssize_t got;

	while ((got = read(reader->from, chunk, sizeof chunk)) > 0 || (got < 0 && errno == EINTR)) {
		if (got > 0) {
			g_byte_array_append(reader->buffer, chunk, (guint)got);
		}
	}
	return got < 0 && errno == EAGAIN;
}

static struct hakstat_summary *load(void *text, size_t length, struct hakstat_err *err)
{
	FILE *in = fmemopen(text, length, "r");
	struct hakstat_summary *summary = in ? hakstat_summary_load(in, "top", err) : NULL;

	if (in) {
		fclose(in);
	}
	return summary;
}

static enum hakstat_top_news take_message(struct hakstat_top_reader *reader, const struct head *head,
					  struct hakstat_summary **summary, struct hakstat_err *err)
{
	guint8 *body = reader->buffer->data + sizeof *head;
	enum hakstat_top_news news = head->news;

	if (news == HAKSTAT_TOP_SUMMARY) {
		*summary = load(body, head->length, err);
		news = *summary ? news : HAKSTAT_TOP_FAILED;
	} else if (news == HAKSTAT_TOP_FAILED && head->length == sizeof *err) {
		memcpy(err, body, sizeof *err);
	}
	g_byte_array_remove_range(reader->buffer, 0, (guint)(sizeof *head + head->length));
	return news;
}

enum hakstat_top_news hakstat_top_reader_take(struct hakstat_top_reader *reader,
					      struct hakstat_summary **summary, struct hakstat_err *err)
{
	bool is_there = fill(reader);
	struct head head;

	if (reader->buffer->len >= sizeof head) {
		memcpy(&head, reader->buffer->data, sizeof head);
		if (reader->buffer->len - sizeof head >= head.length) {
			return take_message(reader, &head, summary, err);
		}
	}
	if (is_there) {
		return HAKSTAT_TOP_NOTHING;
	}
	hakstat_err_set(err, HAKSTAT_USAGE, "top: the process that reads the events was killed");
	return HAKSTAT_TOP_FAILED;
}

void hakstat_top_reader_stop(struct hakstat_top_reader *reader)
{
	close(reader->to);
	kill(reader->pid, SIGTERM);
	close(reader->from);
	TEMP_FAILURE_RETRY(waitpid(reader->pid, NULL, 0));
	g_byte_array_unref(reader->buffer);
}
