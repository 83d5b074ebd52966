/* SPDX-License-Identifier: MIT */
/*
 * Asks babeltrace2's lttng-live component, which speaks the relay daemon's protocol.
 */
#include "ctf_live.h"

#include <stdbool.h>
#include <string.h>

void hakstat_ctf_cause(char *out, size_t size)
{
	const bt_error *error = bt_current_thread_take_error();

	g_strlcpy(out, "no reason given", size);
	if (error && bt_error_get_cause_count(error)) {
		g_strlcpy(out, bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, 0)), size);
	}
	if (error) {
		bt_error_release(error);
	}
}

static const char *const url_form = "it has the form net://HOST/host/NAME/SESSION";

static const char *text_of(const bt_value *map, const char *key)
{
	const bt_value *value = bt_value_map_borrow_entry_value_const(map, key);

	return value && bt_value_is_string(value) ? bt_value_string_get(value) : "";
}

/* The only session of a relay daemon; else an error that names what there is. Free with g_free. */
static char *only_session(const char *url, const bt_value *sessions, struct hakstat_err *err)
{
	uint64_t count = bt_value_is_array(sessions) ? bt_value_array_get_length(sessions) : 0;
	GString *names = g_string_new(NULL);
	char *found = NULL;

	for (uint64_t i = 0; i < count; i++) {
		const bt_value *session = bt_value_array_borrow_element_by_index_const(sessions, i);
		const char *prefix = g_str_has_suffix(url, "/") ? "" : "/";
		g_string_append_printf(names, "%s%s%shost/%s/%s", i ? ", " : "", url, prefix,
				       text_of(session, "target-hostname"), text_of(session, "session-name"));
	}
	if (count == 1) {
		found = g_strdup(names->str);
	} else if (count == 0) {
		hakstat_err_set(err, HAKSTAT_USAGE, "%s: no live session there; %s", url, url_form);
	} else {
		hakstat_err_set(err, HAKSTAT_USAGE, "%s: several sessions: %s", url, names->str);
	}
	g_string_free(names, TRUE);
	return found;
}

static bool names_session(const char *url)
{
	const char *host = strstr(url, "://");

	return host && strstr(host + 3, "/host/");
}

char *hakstat_ctf_live_url(const bt_component_class *class, const char *url, struct hakstat_err *err)
{
	bt_value *params = bt_value_map_create();
	const bt_value *sessions = NULL;
	bt_query_executor *query;
	char why[256], *found = NULL;

	if (names_session(url)) {
		bt_value_put_ref(params);
		return g_strdup(url);
	}
	bt_value_map_insert_string_entry(params, "url", url);
	query = bt_query_executor_create(class, "sessions", params);
	if (query && bt_query_executor_query(query, &sessions) == BT_QUERY_EXECUTOR_QUERY_STATUS_OK) {
		found = only_session(url, sessions, err);
		bt_value_put_ref(sessions);
	} else {
		hakstat_ctf_cause(why, sizeof why);
		hakstat_err_set(err, HAKSTAT_USAGE,
				"%s: no relay daemon answers, or the URL is wrong (%s): %s", url, url_form,
				why);
	}
	bt_query_executor_put_ref(query);
	bt_value_put_ref(params);
	return found;
}
