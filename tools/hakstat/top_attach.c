/* SPDX-License-Identifier: MIT */
/*
 * The session and its rotations. The daemon moves a part aside when all of its buffers are written,
 * and says so when it is asked.
 */
#include "top_attach.h"

#include <errno.h>
#include <glib.h>
#include <lttng/lttng.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "folder_tree.h"
#include "session.h"
#include "sessiond.h"
#include "trace_folder.h"

#define ASK_PAUSE_MS 50
#define ASK_LIMIT_MS 20000

struct hakstat_top_attach {
	struct hakstat_sessiond daemon;
	struct hakstat_session session;
	char *folder;
};

static int start(struct hakstat_top_attach *a, pid_t pid, struct hakstat_err *err)
{
	const struct hakstat_session_target target = { .path = a->folder };
	struct hakstat_err ignored;
	int status = hakstat_session_create(&a->session, "hakstat-top-", HAKSTAT_MODE_SAMPLE, &target, err);

	if (status) {
		return status;
	}
	status = pid ? hakstat_session_track(&a->session, pid, err) : 0;
	if (status == 0) {
		status = hakstat_session_start(&a->session, err);
	}
	if (status) {
		hakstat_session_destroy(&a->session, &ignored);
	}
	return status;
}

/* The daemon has another working directory than we have, so the path must be whole. */
static int make_folder(struct hakstat_top_attach *a, struct hakstat_err *err)
{
	GError *error = NULL;
	char *folder = g_dir_make_tmp("hakstat-top-XXXXXX", &error);

	if (!folder) {
		hakstat_err_set(err, HAKSTAT_USAGE, "top: no room for what is recorded: %s", error->message);
		g_error_free(error);
		return err->status;
	}
	a->folder = g_canonicalize_filename(folder, NULL);
	g_free(folder);
	return 0;
}

struct hakstat_top_attach *hakstat_top_attach_new(pid_t pid, struct hakstat_err *err)
{
	struct hakstat_top_attach *a = g_new0(struct hakstat_top_attach, 1);
	int status = hakstat_sessiond_acquire(&a->daemon, err);

	if (status) {
		g_free(a);
		return NULL;
	}
	status = make_folder(a, err);
	if (status == 0 && pid) {
		status = hakstat_session_await_process(pid, err);
	}
	if (status == 0) {
		status = start(a, pid, err);
	}
	if (status == 0) {
		return a;
	}
	hakstat_top_attach_drop(a->folder);
	hakstat_sessiond_release(&a->daemon);
	g_free(a);
	return NULL;
}

/* Waits for the end of a rotation. */
static bool is_completed(struct lttng_rotation_handle *handle)
{
	struct timespec pause = { .tv_nsec = ASK_PAUSE_MS * 1000000L };
	enum lttng_rotation_state state = LTTNG_ROTATION_STATE_ONGOING;

	for (int waited = 0; state == LTTNG_ROTATION_STATE_ONGOING && waited < ASK_LIMIT_MS;
	     waited += ASK_PAUSE_MS) {
		if (lttng_rotation_handle_get_state(handle, &state) != LTTNG_ROTATION_STATUS_OK) {
			return false;
		}
		if (state == LTTNG_ROTATION_STATE_ONGOING) {
			nanosleep(&pause, NULL);
		}
	}
	return state == LTTNG_ROTATION_STATE_COMPLETED;
}

int hakstat_top_attach_next(struct hakstat_top_attach *a, char **folder, struct hakstat_err *err)
{
	const struct lttng_trace_archive_location *location;
	struct lttng_rotation_handle *handle = NULL;
	const char *path = NULL;
	int code = lttng_rotate_session(a->session.name, NULL, &handle);

	if (code < 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "LTTng cannot hand over what it recorded: %s",
				       lttng_strerror(code));
	}
	if (!is_completed(handle) ||
	    lttng_rotation_handle_get_archive_location(handle, &location) != LTTNG_ROTATION_STATUS_OK ||
	    lttng_trace_archive_location_local_get_absolute_path(location, &path) !=
		    LTTNG_TRACE_ARCHIVE_LOCATION_STATUS_OK) {
		lttng_rotation_handle_destroy(handle);
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "LTTng cannot hand over what it recorded: the "
				       "session daemon gave up, or is gone");
	}
	*folder = g_strdup(path);
	lttng_rotation_handle_destroy(handle);
	return 0;
}

void hakstat_top_attach_drop(char *folder)
{
	if (folder) {
		hakstat_folder_tree_remove(folder);
		g_free(folder);
	}
}

/* Both paths are of one trace; the metadata of a session only grows. */
static void copy_metadata(const char *from, const char *to)
{
	g_autofree char *source = g_build_filename(from, "metadata", NULL);
	g_autofree char *target = g_build_filename(to, "metadata", NULL);
	g_autofree char *bytes = NULL;
	gsize length;

	if (g_file_test(target, G_FILE_TEST_EXISTS) && g_file_get_contents(source, &bytes, &length, NULL)) {
		g_file_set_contents(target, bytes, (gssize)length, NULL);
	}
}

void hakstat_top_attach_describe(const char *folder, const char *newer)
{
	struct hakstat_err ignored;
	GPtrArray *traces = strcmp(folder, newer) == 0 ? NULL : hakstat_trace_folders(newer, &ignored);

	for (guint i = 0; traces && i < traces->len; i++) {
		const char *from = g_ptr_array_index(traces, i);
		g_autofree char *to = g_build_filename(folder, from + strlen(newer), NULL);
		copy_metadata(from, to);
	}
	if (traces) {
		g_ptr_array_unref(traces);
	}
}

void hakstat_top_attach_free(struct hakstat_top_attach *a)
{
	struct hakstat_err ignored;

	hakstat_session_stop(&a->session, &ignored);
	hakstat_session_destroy(&a->session, &ignored);
	hakstat_top_attach_drop(a->folder);
	hakstat_sessiond_release(&a->daemon);
	g_free(a);
}
