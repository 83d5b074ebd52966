/* SPDX-License-Identifier: MIT */
/*
 * The graph source.ctf.fs -> filter.utils.muxer -> our sink, or source.ctf.lttng-live -> our sink.
 */
#include "ctf_source.h"

#include <babeltrace2/babeltrace.h>
#include <string.h>

#include "ctf_decoder.h"
#include "ctf_live.h"

struct source {
	struct hakstat_ctf_decoder decoder;
	const volatile sig_atomic_t *stop;
	struct hakstat_ctf_result *result; /* NULL of a live session */
	struct hakstat_err *err;
};

static bt_graph_simple_sink_component_consume_func_status consume(bt_message_iterator *iterator, void *data)
{
	struct source *s = data;
	bt_message_array_const messages;
	uint64_t count;
	bt_message_iterator_next_status status = bt_message_iterator_next(iterator, &messages, &count);

	if (status != BT_MESSAGE_ITERATOR_NEXT_STATUS_OK) {
		return (bt_graph_simple_sink_component_consume_func_status)status;
	}
	for (uint64_t i = 0; i < count; i++) {
		if (!s->decoder.failed) {
			hakstat_ctf_decoder_take(&s->decoder, messages[i]);
		}
		bt_message_put_ref(messages[i]);
	}
	return s->decoder.failed ? BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END
				 : BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

/* Graph ------------------------------------------------------------------------------------- */

static const bt_plugin *plugin(const char *name, struct hakstat_err *err)
{
	const bt_plugin *found = NULL;

	if (bt_plugin_find(name, BT_TRUE, BT_TRUE, BT_TRUE, BT_TRUE, BT_FALSE, &found) !=
	    BT_PLUGIN_FIND_STATUS_OK) {
		bt_current_thread_clear_error();
		hakstat_err_set(err, HAKSTAT_USAGE,
				"babeltrace2's plugin '%s' is missing; install the package babeltrace2",
				name);
		return NULL;
	}
	return found;
}

static bt_value *folder_params(const char *folder)
{
	bt_value *params = bt_value_map_create();
	bt_value *inputs = NULL;

	if (params && bt_value_map_insert_empty_array_entry(params, "inputs", &inputs) == 0) {
		bt_value_array_append_string_element(inputs, folder);
	}
	return params;
}

static int connect_outputs(bt_graph *graph, const bt_component_source *from, const bt_component_filter *muxer,
			   uint64_t *inputs)
{
	uint64_t count = bt_component_source_get_output_port_count(from);

	for (uint64_t i = 0; i < count; i++) {
		const bt_port_output *out = bt_component_source_borrow_output_port_by_index_const(from, i);
		const bt_port_input *in =
			bt_component_filter_borrow_input_port_by_index_const(muxer, (*inputs)++);
		if (bt_graph_connect_ports(graph, out, in, NULL) != BT_GRAPH_CONNECT_PORTS_STATUS_OK) {
			return -1;
		}
	}
	return 0;
}

static int add_folders(bt_graph *graph, const bt_plugin *ctf, const GPtrArray *folders,
		       const bt_component_filter *muxer)
{
	const bt_component_class_source *class =
		bt_plugin_borrow_source_component_class_by_name_const(ctf, "fs");
	uint64_t inputs = 0;
	int status = class ? 0 : -1;

	for (guint i = 0; status == 0 && i < folders->len; i++) {
		const bt_component_source *component = NULL;
		bt_value *params = folder_params(g_ptr_array_index(folders, i));
		char name[24];
		g_snprintf(name, sizeof name, "trace%u", i);
		status = bt_graph_add_source_component(graph, class, name, params, BT_LOGGING_LEVEL_NONE,
						       &component);
		bt_value_put_ref(params);
		if (status == 0) {
			status = connect_outputs(graph, component, muxer, &inputs);
		}
	}
	return status;
}

static int build_graph(struct source *s, bt_graph *graph, const bt_plugin *ctf, const bt_plugin *utils,
		       const GPtrArray *folders)
{
	const bt_component_class_filter *class =
		bt_plugin_borrow_filter_component_class_by_name_const(utils, "muxer");
	const bt_component_filter *muxer = NULL;
	const bt_component_sink *sink = NULL;

	if (!class ||
	    bt_graph_add_filter_component(graph, class, "muxer", NULL, BT_LOGGING_LEVEL_NONE, &muxer) ||
	    add_folders(graph, ctf, folders, muxer) ||
	    bt_graph_add_simple_sink_component(graph, "hakstat", NULL, consume, NULL, s, &sink)) {
		return -1;
	}
	return bt_graph_connect_ports(graph, bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
				      bt_component_sink_borrow_input_port_by_index_const(sink, 0), NULL);
}

static int run_graph(struct source *s, bt_graph *graph)
{
	bt_graph_run_once_status status;

	do {
		/* The library sometimes leaves an error behind that it did not return, and aborts on it next
		 * time. */
		bt_current_thread_clear_error();
		status = bt_graph_run_once(graph);
	} while ((status == BT_GRAPH_RUN_ONCE_STATUS_OK || status == BT_GRAPH_RUN_ONCE_STATUS_AGAIN) &&
		 !*s->stop);
	if (s->decoder.failed) {
		return s->err->status;
	}
	if (status == BT_GRAPH_RUN_ONCE_STATUS_END) {
		return 0;
	}
	s->result->is_partial = true;
	if (*s->stop) {
		g_strlcpy(s->result->why, "it was interrupted", sizeof s->result->why);
		return 0;
	}
	hakstat_ctf_cause(s->result->why, sizeof s->result->why);
	if (s->decoder.events == 0) {
		return hakstat_err_set(s->err, HAKSTAT_TRACE, "cannot be read: %s", s->result->why);
	}
	return 0;
}

static int read_with(struct source *s, const bt_plugin *ctf, const bt_plugin *utils, const GPtrArray *folders)
{
	bt_graph *graph = bt_graph_create(0);
	char why[256];
	int status;

	if (build_graph(s, graph, ctf, utils, folders) != 0) {
		hakstat_ctf_cause(why, sizeof why);
		status = hakstat_err_set(s->err, HAKSTAT_TRACE, "not a readable trace: %s", why);
	} else {
		status = run_graph(s, graph);
	}
	hakstat_ctf_decoder_clear(&s->decoder);
	bt_graph_put_ref(graph);
	return status;
}

int hakstat_ctf_read(const GPtrArray *folders, hakstat_event_sink sink, void *context,
		     const volatile sig_atomic_t *stop, struct hakstat_ctf_result *result,
		     struct hakstat_err *err)
{
	struct source s = { .stop = stop, .result = result, .err = err };
	const bt_plugin *ctf = plugin("ctf", err);
	const bt_plugin *utils = ctf ? plugin("utils", err) : NULL;
	int status = HAKSTAT_USAGE;

	memset(result, 0, sizeof *result);
	bt_logging_set_global_level(BT_LOGGING_LEVEL_NONE); /* it speaks of its code before it aborts */
	if (utils) {
		hakstat_ctf_decoder_init(&s.decoder, sink, context, err);
		status = read_with(&s, ctf, utils, folders);
	}
	bt_plugin_put_ref(ctf);
	bt_plugin_put_ref(utils);
	return status;
}

/* Live ------------------------------------------------------------------------------------- */

static int build_live_graph(struct source *s, bt_graph *graph, const bt_component_class_source *class,
			    const char *url)
{
	const bt_component_source *live = NULL;
	const bt_component_sink *sink = NULL;
	bt_value *params = folder_params(url);
	int status = bt_value_map_insert_string_entry(params, "session-not-found-action", "end");

	if (status == 0) {
		status = bt_graph_add_source_component(graph, class, "live", params, BT_LOGGING_LEVEL_NONE,
						       &live);
	}
	bt_value_put_ref(params);
	if (status || bt_graph_add_simple_sink_component(graph, "hakstat", NULL, consume, NULL, s, &sink)) {
		return -1;
	}
	return bt_graph_connect_ports(graph, bt_component_source_borrow_output_port_by_index_const(live, 0),
				      bt_component_sink_borrow_input_port_by_index_const(sink, 0), NULL);
}

static int follow_graph(struct source *s, bt_graph *graph, const char *url,
			const struct hakstat_ctf_follower *follower)
{
	bt_graph_run_once_status status;
	char why[256];

	do {
		bt_current_thread_clear_error();
		status = bt_graph_run_once(graph);
		follower->pause(follower->data, status == BT_GRAPH_RUN_ONCE_STATUS_AGAIN);
	} while ((status == BT_GRAPH_RUN_ONCE_STATUS_OK || status == BT_GRAPH_RUN_ONCE_STATUS_AGAIN) &&
		 !*s->stop);
	if (s->decoder.failed) {
		return s->err->status;
	}
	if (status == BT_GRAPH_RUN_ONCE_STATUS_END || *s->stop) {
		return 0;
	}
	hakstat_ctf_cause(why, sizeof why);
	return hakstat_err_set(s->err, HAKSTAT_USAGE, "%s: can't be followed: %s", url, why);
}

static int follow_with(struct source *s, const bt_component_class_source *class, const char *url,
		       const struct hakstat_ctf_follower *follower)
{
	bt_graph *graph = bt_graph_create(0);
	char why[256];
	int status;

	if (build_live_graph(s, graph, class, url) != 0) {
		hakstat_ctf_cause(why, sizeof why);
		status = hakstat_err_set(s->err, HAKSTAT_USAGE, "%s: can't be followed: %s", url, why);
	} else {
		status = follow_graph(s, graph, url, follower);
	}
	hakstat_ctf_decoder_clear(&s->decoder);
	bt_graph_put_ref(graph);
	return status;
}

int hakstat_ctf_follow(const char *url, const struct hakstat_ctf_follower *follower,
		       const volatile sig_atomic_t *stop, struct hakstat_err *err)
{
	struct source s = { .stop = stop, .err = err };
	const bt_plugin *ctf = plugin("ctf", err);
	const bt_component_class_source *class =
		ctf ? bt_plugin_borrow_source_component_class_by_name_const(ctf, "lttng-live") : NULL;
	char *session = NULL;
	int status = HAKSTAT_USAGE;

	if (class) {
		session = hakstat_ctf_live_url(bt_component_class_source_as_component_class_const(class), url,
					       err);
	} else if (ctf) {
		hakstat_err_set(err, HAKSTAT_USAGE, "this babeltrace2 cannot follow live sessions");
	}
	if (session) {
		hakstat_ctf_decoder_init(&s.decoder, follower->sink, follower->data, err);
		status = follow_with(&s, class, session, follower);
	}
	g_free(session);
	bt_plugin_put_ref(ctf);
	return status;
}
