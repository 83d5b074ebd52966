/* SPDX-License-Identifier: MIT */
/*
 * The order of a recording's steps, each undone when a later one fails. Once something has been
 * recorded no failure is fatal any more: the sentence at the end says what there is.
 */
#include "recording.h"
#include "event.h"

#include <glib.h>
#include <time.h>

#include "snapshot.h"
#include "text.h"

int hakstat_recording_check(const struct hakstat_recording_options *options, struct hakstat_err *err)
{
	if (options->folder && options->url) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "--output and --set-url exclude each other");
	}
	if (options->when && !options->is_snapshot) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "--snapshot-when needs --snapshot");
	}
	if (options->is_snapshot && options->url) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "--snapshot and --set-url exclude each other");
	}
	if (options->folder && !*options->folder) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "--output needs the name of a folder");
	}
	return 0;
}

static int make_folder(struct hakstat_recording *recording, const struct hakstat_recording_options *options,
		       struct hakstat_err *err)
{
	const char *folder = options->folder;

	if (options->url) {
		return 0;
	}
	return hakstat_output_folder_make(&recording->folder, folder ? folder : HAKSTAT_RECORDING_FOLDER,
					  !folder, err);
}

static int start_session(struct hakstat_recording *recording, const struct hakstat_recording_options *options,
			 pid_t pid, struct hakstat_err *err)
{
	struct hakstat_err ignored;
	const struct hakstat_session_target target = { recording->folder.absolute, options->url,
						       options->is_snapshot };
	int status =
		hakstat_session_create(&recording->session, pid ? "hakstat-attach-" : HAKSTAT_RECORD_PREFIX,
				       hakstat_mode_of_choice(options->mode), &target, err);

	if (status) {
		return status;
	}
	if (pid) {
		status = hakstat_session_track(&recording->session, pid, err);
	}
	if (status == 0 && options->when) {
		status = hakstat_snapshot_arm(recording->session.name, options->when, err);
	}
	if (status == 0) {
		status = hakstat_session_start(&recording->session, err);
	}
	if (status) {
		hakstat_session_destroy(&recording->session, &ignored);
	}
	return status;
}

static void let_go(struct hakstat_recording *recording)
{
	hakstat_output_folder_clear(&recording->folder);
	hakstat_sessiond_release(&recording->daemon);
}

int hakstat_recording_begin(struct hakstat_recording *recording,
			    const struct hakstat_recording_options *options, pid_t pid,
			    struct hakstat_err *err)
{
	int status;

	*recording = (struct hakstat_recording) { .url = options->url, .folder = HAKSTAT_OUTPUT_FOLDER_NONE };
	status = hakstat_sessiond_acquire(&recording->daemon, err);
	if (status) {
		return status;
	}
	if (pid) {
		status = hakstat_session_await_process(pid, err);
	}
	if (status == 0) {
		status = make_folder(recording, options, err);
	}
	if (status == 0) {
		status = start_session(recording, options, pid, err);
	}
	if (status) {
		hakstat_output_folder_undo(&recording->folder);
		let_go(recording);
	}
	return status;
}

void hakstat_recording_cancel(struct hakstat_recording *recording)
{
	struct hakstat_err ignored;

	hakstat_session_destroy(&recording->session, &ignored);
	hakstat_output_folder_undo(&recording->folder);
	let_go(recording);
}

static int say_losses(const struct hakstat_session *session, char **said, struct hakstat_err *err)
{
	char count[32];
	uint64_t lost;
	bool is_known;
	int status = hakstat_session_lost_events(session, &lost, &is_known, err);

	if (status) {
		return status;
	}
	hakstat_text_count(count, sizeof(count), lost);
	*said = !is_known   ? g_strdup("whether events were lost is not known")
		: lost == 0 ? g_strdup("no events lost")
			    : g_strdup_printf("%s events LOST: its numbers are too low", count);
	return 0;
}

static int write_snapshot(const struct hakstat_session *session, char **said, struct hakstat_err *err)
{
	*said = g_strdup("what the buffers still held");
	return hakstat_snapshot_write(session->name, err);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Stops and destroys; says how complete the trace is, and whether it breaks off. */
static char *end_session(struct hakstat_session *session, bool *is_cut)
{
	struct hakstat_err ignored;
	struct hakstat_err err;
	char *losses = NULL;
	int status = hakstat_session_stop(session, &err);

	if (status == 0) {
		status = session->is_snapshot ? write_snapshot(session, &losses, &err)
					      : say_losses(session, &losses, &err);
	}
	*is_cut = status != 0;
	if (*is_cut) {
		g_free(losses);
		losses = g_strdup_printf("incomplete: recording was cut off; %s", err.text);
	}
	hakstat_session_destroy(session, &ignored);
	return losses;
}

static void say_folder(const struct hakstat_output_folder *folder, const char *losses,
		       struct hakstat_recorded *recorded)
{
	char size[32];
	uint64_t bytes = hakstat_output_folder_bytes(folder, &recorded->is_trace);
	GString *said = g_string_new(NULL);

	hakstat_text_bytes(size, sizeof(size), bytes);
	if (recorded->is_trace) {
		g_string_printf(said, "trace in %s (%s, %s)", folder->path, size, losses);
	} else if (recorded->is_cut) {
		g_string_printf(said, "no trace in %s (%s)", folder->path, losses);
	} else {
		g_string_printf(
			said,
			"no trace in %s: nothing that ran could be traced; programs that are linked "
			"statically or run with other rights than yours cannot, nor where the session "
			"daemon does not answer for 30 seconds",
			folder->path);
	}
	if (folder->moved_to) {
		g_string_append_printf(said, "; an older %s is now %s", folder->path, folder->moved_to);
	}
	if (folder->taken) {
		g_string_append_printf(said, "; another recording had %s", folder->taken);
	}
	recorded->said = g_string_free(said, FALSE);
}

/* What LTTng does not tell of: NULL when all is there that was recorded until `end_ns`. */
static const char *find_cut(const struct hakstat_recording *recording, uint64_t end_ns)
{
	if (hakstat_output_folder_is_full(&recording->folder)) {
		return "incomplete: recording was cut off; the disk is full";
	}
	if (!recording->session.is_snapshot && !hakstat_output_folder_reaches(&recording->folder, end_ns)) {
		return "incomplete: recording was cut off; LTTng stopped writing before the end, as it does "
		       "when the disk is full for a moment, or a process ends in the middle of an event";
	}
	return NULL;
}

static void finish_folder(const struct hakstat_recording *recording, uint64_t end_ns, char **losses,
			  struct hakstat_recorded *recorded)
{
	const char *cut = recorded->is_cut ? NULL : find_cut(recording, end_ns);

	if (cut) {
		recorded->is_cut = true;
		g_free(*losses);
		*losses = g_strdup(cut);
	}
	if (recorded->is_cut) {
		hakstat_output_folder_mark_cut(&recording->folder, *losses);
	}
	hakstat_output_folder_finish(&recording->folder);
}

struct hakstat_recorded hakstat_recording_finish(struct hakstat_recording *recording)
{
	struct hakstat_recorded recorded = { .is_trace = true };
	uint64_t end_ns = now_ns();
	char *losses = end_session(&recording->session, &recorded.is_cut);

	if (recording->url) {
		/* LTTng notices that a relay daemon ended, and tells nobody. */
		recorded.said =
			g_strdup_printf("trace sent to %s as %s (%s; whether all of it arrived is not known)",
					recording->url, recording->session.name, losses);
	} else {
		finish_folder(recording, end_ns, &losses, &recorded);
		say_folder(&recording->folder, losses, &recorded);
	}
	let_go(recording);
	g_free(losses);
	return recorded;
}
