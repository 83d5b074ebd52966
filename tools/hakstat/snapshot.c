/* SPDX-License-Identifier: MIT */
/*
 * LTTng's own means: snapshot sessions, and a trigger whose action is a snapshot. The session
 * daemon evaluates the filter in the program and takes the snapshot, so nothing of ours waits
 * for it. A trigger is called by the session that it is for.
 */
#include "snapshot.h"

#include <glib.h>
#include <lttng/lttng.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "session.h"

/* Of liblttng-ctl, without a header. */
extern int lttng_opt_quiet;

#define EVENT "hakmem:heap_stats"

int hakstat_snapshot_write(const char *session, struct hakstat_err *err)
{
	int code = lttng_snapshot_record(session, NULL, 0);

	return code >= 0 ? 0
			 : hakstat_err_set(err, HAKSTAT_USAGE, "LTTng cannot write a snapshot: %s",
					   lttng_strerror(code));
}

/* --- triggers -------------------------------------------------------------------------------- */

/* NULL when the filter is none. */
static struct lttng_condition *make_condition(const char *filter)
{
	struct lttng_event_rule *rule = lttng_event_rule_user_tracepoint_create();
	struct lttng_condition *condition = NULL;

	if (rule &&
	    lttng_event_rule_user_tracepoint_set_name_pattern(rule, EVENT) == LTTNG_EVENT_RULE_STATUS_OK &&
	    lttng_event_rule_user_tracepoint_set_filter(rule, filter) == LTTNG_EVENT_RULE_STATUS_OK) {
		condition = lttng_condition_event_rule_matches_create(rule);
	}
	lttng_event_rule_destroy(rule);
	return condition;
}

static struct lttng_action *make_action(const char *session)
{
	struct lttng_action *action = lttng_action_snapshot_session_create();
	struct lttng_rate_policy *once = lttng_rate_policy_once_after_n_create(1);
	bool is_made =
		action && once &&
		lttng_action_snapshot_session_set_session_name(action, session) == LTTNG_ACTION_STATUS_OK &&
		lttng_action_snapshot_session_set_rate_policy(action, once) == LTTNG_ACTION_STATUS_OK;

	lttng_rate_policy_destroy(once);
	if (!is_made) {
		lttng_action_destroy(action);
		return NULL;
	}
	return action;
}

/*
 * LTTng takes any name, and a filter with one that the event does not have never holds. A test compares these
 * with docs/events.md.
 */
#define FIELDS                                                                                               \
	"pid, snapshot, reserved, mapped, committed, cached, large_bytes, large_blocks, metadata, purged, "  \
	"superslabs, threads, live_bytes, idle_percent, waste_percent, resident_bytes, life"

/* Strings, context fields, numbers, and what is left: names. */
#define WORDS "\"(?:\\\\.|[^\"])*\"|\\$[\\w.]+|\\d[\\w.]*|([A-Za-z_]\\w*)"

static int check_names(const char *filter, struct hakstat_err *err)
{
	char **fields = g_strsplit(FIELDS, ", ", -1);
	GRegex *words = g_regex_new(WORDS, 0, 0, NULL);
	GMatchInfo *match = NULL;
	int status = 0;

	for (g_regex_match(words, filter, 0, &match); status == 0 && g_match_info_matches(match);
	     g_match_info_next(match, NULL)) {
		char *name = g_match_info_fetch(match, 1);
		if (name && name[0] && !g_strv_contains((const char *const *)fields, name)) {
			status = hakstat_err_set(err, HAKSTAT_USAGE,
						 "--snapshot-when %s: no field '%s'; there are " FIELDS,
						 filter, name);
		}
		g_free(name);
	}
	g_match_info_free(match);
	g_regex_unref(words);
	g_strfreev(fields);
	return status;
}

int hakstat_snapshot_arm(const char *session, const char *filter, struct hakstat_err *err)
{
	int status = check_names(filter, err);
	if (status != 0) {
		return status;
	}
	struct lttng_condition *condition = make_condition(filter);
	struct lttng_action *action = make_action(session);
	struct lttng_trigger *trigger = condition && action ? lttng_trigger_create(condition, action) : NULL;
	enum lttng_error_code code =
		trigger ? lttng_register_trigger_with_name(trigger, session) : LTTNG_ERR_FILTER_INVAL;

	lttng_trigger_destroy(trigger);
	lttng_action_destroy(action);
	lttng_condition_destroy(condition);
	if (code == LTTNG_OK) {
		return 0;
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "--snapshot-when %s: LTTng does not take it: %s", filter,
			       lttng_strerror(-(int)code));
}

static const struct lttng_trigger *find_trigger(const struct lttng_triggers *all, const char *name)
{
	unsigned count = 0;

	if (lttng_triggers_get_count(all, &count) != LTTNG_TRIGGER_STATUS_OK) {
		return NULL;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct lttng_trigger *trigger = lttng_triggers_get_at_index(all, i);
		const char *its_name;
		if (lttng_trigger_get_name(trigger, &its_name) == LTTNG_TRIGGER_STATUS_OK &&
		    strcmp(its_name, name) == 0) {
			return trigger;
		}
	}
	return NULL;
}

void hakstat_snapshot_disarm(const char *session)
{
	struct lttng_triggers *all = NULL;
	const struct lttng_trigger *trigger;

	if (lttng_list_triggers(&all) != LTTNG_OK) {
		return;
	}
	trigger = find_trigger(all, session);
	if (trigger) {
		lttng_unregister_trigger(trigger);
	}
	lttng_triggers_destroy(all);
}

/* --- the command ----------------------------------------------------------------------------- */

/* The recording that a process belongs to, as its environment says; NULL: none. */
static char *session_of_process(pid_t pid)
{
	char *path = g_strdup_printf("/proc/%d/environ", (int)pid);
	static const char key[] = "HAKMEM_SESSION=";
	char *text = NULL;
	char *name = NULL;
	gsize length = 0;

	if (g_file_get_contents(path, &text, &length, NULL)) {
		for (gsize at = 0; at < length && !name; at += strlen(text + at) + 1) {
			name = g_str_has_prefix(text + at, key) ? g_strdup(text + at + strlen(key)) : NULL;
		}
	}
	g_free(text);
	g_free(path);
	return name;
}

static bool is_wanted(const struct lttng_session *session, const char *name, const char *prefix)
{
	return session->snapshot_mode && g_str_has_prefix(session->name, prefix) &&
	       (!name || strcmp(session->name, name) == 0);
}

/*
 * The one flight recorder meant: that of the process, which is hakstat record itself or one that
 * it started, or the only one there is.
 */
static int find_session(pid_t pid, struct lttng_session *found, struct hakstat_err *err)
{
	char *name = pid ? session_of_process(pid) : NULL;
	char *prefix = pid && !name ? g_strdup_printf("%s%d-", HAKSTAT_RECORD_PREFIX, (int)pid)
				    : g_strdup(HAKSTAT_RECORD_PREFIX);
	struct lttng_session *sessions = NULL;
	int count = lttng_list_sessions(&sessions);
	unsigned matches = 0;

	for (int i = 0; i < count; i++) {
		if (is_wanted(&sessions[i], name, prefix)) {
			*found = sessions[i];
			matches++;
		}
	}
	free(sessions);
	g_free(prefix);
	g_free(name);
	if (matches == 1) {
		return 0;
	}
	return hakstat_err_set(
		err, HAKSTAT_USAGE,
		matches ? "snapshot: several recordings keep snapshots; name one by its process"
		: pid	? "snapshot: no 'hakstat record --snapshot' records process %d"
			: "snapshot: no 'hakstat record --snapshot' runs here",
		(int)pid);
}

/* Where the session's snapshots go; free with g_free. */
static char *folder_of(const char *session)
{
	struct lttng_snapshot_output_list *outputs = NULL;
	const struct lttng_snapshot_output *output = NULL;
	const char *url = "its folder";

	if (lttng_snapshot_list_output(session, &outputs) == 0) {
		output = lttng_snapshot_output_list_get_next(outputs);
	}
	if (output) {
		url = lttng_snapshot_output_get_ctrl_url(output);
	}
	url += g_str_has_prefix(url, "file://") ? strlen("file://") : 0;
	char *folder = g_strdup(url);
	lttng_snapshot_output_list_destroy(outputs);
	return folder;
}

/* 0 when no process is named. */
static int take_pid(int count, char **operands, pid_t *pid, struct hakstat_err *err)
{
	*pid = 0;
	if (count > 1) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "snapshot: %s: one process is enough",
				       operands[1]);
	}
	return count ? hakstat_cli_pid(&hakstat_command_snapshot, operands[0], pid, err) : 0;
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	struct lttng_session session;
	char *folder;
	pid_t pid;
	int first;
	int status = hakstat_cli_parse(&hakstat_command_snapshot, argc, argv, NULL, &first, err);

	if (status) {
		return status == HAKSTAT_CLI_DONE ? HAKSTAT_OK : status;
	}
	lttng_opt_quiet = 1;
	if ((status = take_pid(argc - first, argv + first, &pid, err)) ||
	    (status = find_session(pid, &session, err)) ||
	    (status = hakstat_snapshot_write(session.name, err))) {
		return status;
	}
	folder = folder_of(session.name);
	hakstat_say("snapshot written below %s", folder);
	g_free(folder);
	return HAKSTAT_OK;
}

const struct hakstat_command hakstat_command_snapshot = {
	.name = "snapshot",
	.operands = "[PID]",
	.summary = "Writes what 'hakstat record --snapshot' holds in memory.",
	.details =
		"PID is hakstat record's or that of a process it records; needed only when several record.\n"
		"Each snapshot is a trace in a folder of its own; 'hakstat report' reads the newest.",
	.run = run,
};
