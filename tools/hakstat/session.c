/* SPDX-License-Identifier: MIT */
/*
 * Sessions through liblttng-ctl: what session_plan.c lays down, step by step. A session's name
 * cannot be guessed, so no other one is hit by accident.
 */
#include "session.h"

#include "event.h"
#include "lttng_call.h"
#include "session_guard.h"
#include "session_plan.h"
#include "snapshot.h"
#include "trace_folder.h"

#include <glib.h>
#include <lttng/lttng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* Of liblttng-ctl: it has no header for the switch that keeps its own messages off stderr. */
extern int lttng_opt_quiet;

#define REGISTER_PAUSE_MS 10
#define REGISTER_LIMIT_MS 10000

/*
 * How long LTTng may neither answer nor write. Over a network what it writes cannot be seen, so all
 * that the buffers hold must have passed by then.
 */
#define STOP_SECONDS	 20
#define STOP_SECONDS_URL 300
#define DESTROY_SECONDS	 5

/* What is in the buffers reaches the files after a second, even if nobody stops the session. */
#define SWITCH_PERIOD_US 1000000u

static int fail(struct hakstat_err *err, const char *what, int code)
{
	return hakstat_err_set(err, HAKSTAT_USAGE, "LTTng cannot %s: %s", what, lttng_strerror(code));
}

static bool choose_name(struct hakstat_session *session, const char *prefix)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number)) {
		return false;
	}
	snprintf(session->name, sizeof(session->name), "%s%d-%016llx", prefix, (int)getpid(),
		 (unsigned long long)number);
	return true;
}

static int create_session(const char *name, const struct hakstat_session_target *target,
			  struct hakstat_err *err)
{
	struct lttng_session_descriptor *descriptor;
	int code;

	if (target->url) {
		code = lttng_create_session(name, target->url);
		return code == 0 ? 0 : fail(err, "create a session for that URL", code);
	}
	descriptor = target->is_snapshot ? lttng_session_descriptor_snapshot_local_create(name, target->path)
					 : lttng_session_descriptor_local_create(name, target->path);
	if (!descriptor) {
		return fail(err, "write to that folder", -LTTNG_ERR_INVALID);
	}
	code = lttng_create_session_ext(descriptor);
	lttng_session_descriptor_destroy(descriptor);
	return code == LTTNG_OK ? 0 : fail(err, "create a session", -code);
}

static struct lttng_handle *open_handle(const char *name)
{
	struct lttng_domain domain = { .type = LTTNG_DOMAIN_UST, .buf_type = LTTNG_BUFFER_PER_UID };

	return lttng_create_handle(name, &domain);
}

/* A timer that gave an almost empty buffer away each second would leave a snapshot few seconds. */
static int add_channel(struct lttng_handle *handle, enum hakstat_channel which,
		       const struct hakstat_session *session, struct hakstat_err *err)
{
	const struct hakstat_channel_plan *plan = &hakstat_channel_plans[which];
	struct lttng_channel *channel = lttng_channel_create(&handle->domain);
	int code;

	if (!channel) {
		return fail(err, "make a channel", -LTTNG_ERR_NOMEM);
	}
	g_strlcpy(channel->name, plan->name, sizeof(channel->name));
	channel->enabled = 1;
	channel->attr.overwrite = session->is_snapshot;
	channel->attr.subbuf_size = hakstat_channel_buffer_bytes(which, session->mode);
	channel->attr.num_subbuf = plan->buffers;
	channel->attr.switch_timer_interval = session->is_snapshot ? 0 : SWITCH_PERIOD_US;
	channel->attr.output = LTTNG_EVENT_MMAP;
	code = lttng_enable_channel(handle, channel);
	lttng_channel_destroy(channel);
	return code >= 0 ? 0 : fail(err, "make a channel", code);
}

static int add_contexts(struct lttng_handle *handle, const char *channel, struct hakstat_err *err)
{
	static const enum lttng_event_context_type contexts[] = {
		LTTNG_EVENT_CONTEXT_VPID,
		LTTNG_EVENT_CONTEXT_VTID,
		LTTNG_EVENT_CONTEXT_PROCNAME,
	};

	for (unsigned i = 0; i < G_N_ELEMENTS(contexts); i++) {
		struct lttng_event_context context = { .ctx = contexts[i] };
		int code = lttng_add_context(handle, &context, NULL, channel);

		if (code < 0) {
			return fail(err, "record the process of an event", code);
		}
	}
	return 0;
}

static int add_event(struct lttng_handle *handle, const struct hakstat_event_plan *plan, bool is_snapshot,
		     struct hakstat_err *err)
{
	enum hakstat_channel channel = hakstat_event_channel(plan, is_snapshot);
	struct lttng_event *event = lttng_event_create();
	int code = -LTTNG_ERR_NOMEM;

	if (event) {
		event->type = LTTNG_EVENT_TRACEPOINT;
		event->loglevel_type = LTTNG_EVENT_LOGLEVEL_ALL;
		event->loglevel = -1;
		g_strlcpy(event->name, plan->name, sizeof(event->name));
		code = lttng_enable_event(handle, event, hakstat_channel_plans[channel].name);
		lttng_event_destroy(event);
	}
	return code >= 0 ? 0 : fail(err, "record an event", code);
}

static int add_channels(struct lttng_handle *handle, const struct hakstat_session *session,
			struct hakstat_err *err)
{
	int status = 0;

	for (unsigned i = 0; i < HAKSTAT_CHANNELS && status == 0; i++) {
		if (!hakstat_channel_is_used((enum hakstat_channel)i, session->mode, session->is_snapshot)) {
			continue;
		}
		status = add_channel(handle, (enum hakstat_channel)i, session, err);
		if (status == 0 && i != HAKSTAT_CHANNEL_METADATA) {
			status = add_contexts(handle, hakstat_channel_plans[i].name, err);
		}
	}
	return status;
}

static int add_plan(struct lttng_handle *handle, const struct hakstat_session *session,
		    struct hakstat_err *err)
{
	int status = add_channels(handle, session, err);

	for (const struct hakstat_event_plan *plan = hakstat_event_plans; plan->name && status == 0; plan++) {
		if (plan->modes & (1u << session->mode)) {
			status = add_event(handle, plan, session->is_snapshot, err);
		}
	}
	return status;
}

int hakstat_session_create(struct hakstat_session *session, const char *prefix, enum hakstat_mode mode,
			   const struct hakstat_session_target *target, struct hakstat_err *err)
{
	struct hakstat_err ignored;
	struct lttng_handle *handle;
	int status;

	lttng_opt_quiet = 1;
	session->mode = mode;
	session->is_snapshot = target->is_snapshot;
	session->folder = target->url ? NULL : target->path;
	session->guard = -1;
	status = hakstat_session_plan_check(mode, err);
	if (status) {
		return status;
	}
	if (!choose_name(session, prefix)) {
		return fail(err, "name a session", -LTTNG_ERR_UNK);
	}
	status = create_session(session->name, target, err);
	if (status) {
		return status;
	}
	hakstat_session_guard(session);
	handle = open_handle(session->name);
	status = handle ? add_plan(handle, session, err) : fail(err, "reach a session", -LTTNG_ERR_NOMEM);
	lttng_destroy_handle(handle);
	if (status) {
		hakstat_session_destroy(session, &ignored);
	}
	return status;
}

static bool is_known(struct lttng_handle *handle, int64_t pid)
{
	struct lttng_event *events = NULL;
	int count = lttng_list_tracepoints(handle, &events);
	bool is_found = false;

	for (int i = 0; i < count && !is_found; i++) {
		is_found = events[i].pid == pid;
	}
	free(events);
	return is_found;
}

int hakstat_session_await_process(int64_t pid, struct hakstat_err *err)
{
	struct timespec pause = { .tv_nsec = REGISTER_PAUSE_MS * 1000000L };
	struct lttng_handle *handle = open_handle("");
	bool is_found = false;

	for (int waited = 0; handle && !is_found && waited < REGISTER_LIMIT_MS; waited += REGISTER_PAUSE_MS) {
		is_found = is_known(handle, pid);
		if (!is_found) {
			nanosleep(&pause, NULL);
		}
	}
	lttng_destroy_handle(handle);
	if (!is_found) {
		return hakstat_err_set(
			err, HAKSTAT_USAGE,
			"process %d does not answer the LTTng session daemon; does it run as another "
			"user, in a container, or with another LTTNG_HOME?",
			(int)pid);
	}
	return 0;
}

int hakstat_session_track(const struct hakstat_session *session, int64_t pid, struct hakstat_err *err)
{
	struct lttng_process_attr_tracker_handle *tracker = NULL;
	int code = lttng_session_get_tracker_handle(session->name, LTTNG_DOMAIN_UST,
						    LTTNG_PROCESS_ATTR_VIRTUAL_PROCESS_ID, &tracker);
	bool is_set = code == LTTNG_OK &&
		      lttng_process_attr_tracker_handle_set_tracking_policy(
			      tracker, LTTNG_TRACKING_POLICY_INCLUDE_SET) ==
			      LTTNG_PROCESS_ATTR_TRACKER_HANDLE_STATUS_OK &&
		      lttng_process_attr_process_id_tracker_handle_add_pid(tracker, (pid_t)pid) ==
			      LTTNG_PROCESS_ATTR_TRACKER_HANDLE_STATUS_OK;

	lttng_process_attr_tracker_handle_destroy(tracker);
	return is_set ? 0 : fail(err, "record one process alone", code == LTTNG_OK ? -LTTNG_ERR_UNK : -code);
}

int hakstat_session_start(struct hakstat_session *session, struct hakstat_err *err)
{
	int code = lttng_start_tracing(session->name);

	return code >= 0 ? 0 : fail(err, "start recording", code);
}

int hakstat_session_stop(struct hakstat_session *session, struct hakstat_err *err)
{
	unsigned seconds = session->folder ? STOP_SECONDS : STOP_SECONDS_URL;
	int code;

	if (!hakstat_lttng_call(lttng_stop_tracing, session->name, session->folder, seconds, &code)) {
		return hakstat_err_set(
			err, HAKSTAT_USAGE,
			"LTTng cannot stop recording: it has written nothing more for %u seconds", seconds);
	}
	return code >= 0 ? 0 : fail(err, "stop recording", code);
}

static bool channel_losses(struct lttng_channel *channel, uint64_t *lost)
{
	uint64_t discarded;

	if (lttng_channel_get_discarded_event_count(channel, &discarded) < 0 ||
	    discarded > HAKSTAT_LOST_MOST) {
		return false;
	}
	*lost += discarded;
	return true;
}

int hakstat_session_lost_events(const struct hakstat_session *session, uint64_t *lost, bool *is_known,
				struct hakstat_err *err)
{
	struct lttng_handle *handle = open_handle(session->name);
	struct lttng_channel *channels = NULL;
	int count = handle ? lttng_list_channels(handle, &channels) : -LTTNG_ERR_NOMEM;

	*lost = 0;
	*is_known = count >= 0;
	for (int i = 0; i < count && *is_known; i++) {
		*is_known = channel_losses(&channels[i], lost);
	}
	free(channels);
	lttng_destroy_handle(handle);
	return count >= 0 ? 0 : fail(err, "say what was lost, its consumer daemon may have died", count);
}

/* Of a session that somebody rotated LTTng moves the last part to the others when it is destroyed. */
static bool is_rotated(const struct hakstat_session *session)
{
	g_autofree char *archives =
		session->folder ? g_build_filename(session->folder, HAKSTAT_ARCHIVES, NULL) : NULL;

	return archives && g_file_test(archives, G_FILE_TEST_IS_DIR);
}

int hakstat_session_destroy(struct hakstat_session *session, struct hakstat_err *err)
{
	int code = -LTTNG_ERR_UNK;
	bool is_answered = hakstat_lttng_call(is_rotated(session) ? lttng_destroy_session
								  : lttng_destroy_session_no_wait,
					      session->name, NULL, DESTROY_SECONDS, &code);

	if (is_answered && session->is_snapshot) {
		hakstat_snapshot_disarm(session->name);
	}
	hakstat_session_unguard(session);
	return code >= 0 ? 0 : fail(err, "end the session", code);
}
