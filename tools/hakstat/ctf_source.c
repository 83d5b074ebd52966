/* SPDX-License-Identifier: MIT */
/*
 * The graph source.ctf.fs -> filter.utils.muxer -> our sink, or source.ctf.lttng-live -> our sink. What each
 * event class holds is resolved once, when its first event comes; after that a field is an index and an
 * offset.
 */
#include "ctf_source.h"

#include <babeltrace2/babeltrace.h>
#include <string.h>

#include "ctf_live.h"
#include "ctf_rules.h"

struct context_fields {
	const bt_stream_class *stream_class;
	int vpid, vtid, procname; /* indexes in the common context; -1: absent */
};

struct event_class {
	const bt_event_class *class;
	const struct hakstat_ctf_event *rule; /* NULL: not for us */
	bool is_ours;			      /* of provider hakmem */
	struct context_fields context;
	uint64_t index[HAKSTAT_CTF_MAX_FIELDS];
};

#define NO_FIELD UINT64_MAX

struct trace_facts {
	const bt_trace *trace;
	uint32_t session;
	const char *host_name, *process_name, *session_name;
	bool has_pid;
	uint32_t pid;
};

struct source {
	hakstat_event_sink sink;
	void *context;
	const volatile sig_atomic_t *stop;
	struct hakstat_ctf_result *result;
	struct hakstat_err *err;
	bool failed; /* `err` is set: an event that can't be understood */
	GHashTable *classes;
	struct event_class *last_class;
	GHashTable *traces;
	struct trace_facts *last_trace;
	GPtrArray *sessions; /* char *: what makes one of another */
	GArray *words;
	GString *hex;
};

/* Fields ------------------------------------------------------------------------------------ */

static bool is_integer(bt_field_class_type type)
{
	return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_INTEGER);
}

static bool is_sequence(const bt_field_class *class)
{
	const bt_field_class *element;

	if (!bt_field_class_type_is(bt_field_class_get_type(class), BT_FIELD_CLASS_TYPE_ARRAY)) {
		return false;
	}
	element = bt_field_class_array_borrow_element_field_class_const(class);
	return bt_field_class_type_is(bt_field_class_get_type(element), BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER);
}

static bool type_fits(enum hakstat_ctf_type wanted, const bt_field_class *class)
{
	bt_field_class_type type = bt_field_class_get_type(class);

	switch (wanted) {
	case HAKSTAT_CTF_U32:
	case HAKSTAT_CTF_U64:
	case HAKSTAT_CTF_BOOL:
		return is_integer(type);
	case HAKSTAT_CTF_REAL:
		return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_REAL);
	case HAKSTAT_CTF_TEXT:
		return bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_STRING);
	default:
		return is_sequence(class);
	}
}

/* A negative number is no size and no count: it becomes the largest, which the model rejects. */
static uint64_t integer_of(const bt_field *field)
{
	if (bt_field_class_type_is(bt_field_get_class_type(field), BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER)) {
		return bt_field_integer_unsigned_get_value(field);
	}
	return bt_field_integer_signed_get_value(field) < 0
		       ? UINT64_MAX
		       : (uint64_t)bt_field_integer_signed_get_value(field);
}

static double real_of(const bt_field *field)
{
	if (bt_field_get_class_type(field) == BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL) {
		return (double)bt_field_real_single_precision_get_value(field);
	}
	return bt_field_real_double_precision_get_value(field);
}

static const uint64_t *words_of(struct source *s, const bt_field *field, uint32_t *count)
{
	uint64_t length = bt_field_array_get_length(field);
	uint64_t *to;

	g_array_set_size(s->words, (guint)length);
	to = (uint64_t *)(void *)s->words->data;
	for (uint64_t i = 0; i < length; i++) {
		to[i] = bt_field_integer_unsigned_get_value(
			bt_field_array_borrow_element_field_by_index_const(field, i));
	}
	*count = (uint32_t)length;
	return to;
}

static const char *hex_of(struct source *s, const bt_field *field)
{
	uint64_t length = bt_field_array_get_length(field);

	g_string_truncate(s->hex, 0);
	for (uint64_t i = 0; i < length && i < 64; i++) {
		g_string_append_printf(
			s->hex, "%02x",
			(unsigned)(bt_field_integer_unsigned_get_value(
					   bt_field_array_borrow_element_field_by_index_const(field, i)) &
				   255));
	}
	return s->hex->str;
}

static void store_field(struct source *s, const struct hakstat_ctf_field *rule, const bt_field *field,
			struct hakstat_event *event)
{
	char *at = (char *)event + rule->offset;
	uint64_t value;

	switch (rule->type) {
	case HAKSTAT_CTF_U32:
		value = integer_of(field);
		*(uint32_t *)(void *)at = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
		break;
	case HAKSTAT_CTF_U64:
		*(uint64_t *)(void *)at = integer_of(field);
		break;
	case HAKSTAT_CTF_BOOL:
		*(bool *)at = integer_of(field) != 0;
		break;
	case HAKSTAT_CTF_REAL:
		*(double *)(void *)at = real_of(field);
		break;
	case HAKSTAT_CTF_TEXT:
		*(const char **)(void *)at = bt_field_string_get_value(field);
		break;
	case HAKSTAT_CTF_WORDS:
		*(const uint64_t **)(void *)at =
			words_of(s, field, (uint32_t *)(void *)((char *)event + rule->count_offset));
		break;
	case HAKSTAT_CTF_HEX:
		*(const char **)(void *)at = hex_of(s, field);
		break;
	}
}

/* Event classes ----------------------------------------------------------------------------- */

static int member_index(const bt_field_class *structure, const char *name, enum hakstat_ctf_type type)
{
	uint64_t count = structure ? bt_field_class_structure_get_member_count(structure) : 0;

	for (uint64_t i = 0; i < count; i++) {
		const bt_field_class_structure_member *member =
			bt_field_class_structure_borrow_member_by_index_const(structure, i);
		if (strcmp(bt_field_class_structure_member_get_name(member), name) == 0) {
			return type_fits(type,
					 bt_field_class_structure_member_borrow_field_class_const(member))
				       ? (int)i
				       : -1;
		}
	}
	return -1;
}

static struct context_fields resolve_context(const bt_stream_class *stream_class)
{
	const bt_field_class *c = bt_stream_class_borrow_event_common_context_field_class_const(stream_class);

	return (struct context_fields) {
		.stream_class = stream_class,
		.vpid = member_index(c, "vpid", HAKSTAT_CTF_U32),
		.vtid = member_index(c, "vtid", HAKSTAT_CTF_U32),
		.procname = member_index(c, "procname", HAKSTAT_CTF_TEXT),
	};
}

static void missing_field(struct source *s, const char *event, const char *field)
{
	s->failed = true;
	hakstat_err_set(s->err, HAKSTAT_TRACE,
			"event %s has no field '%s' of the type this version reads; the trace is of another "
			"version of hakmem",
			event, field);
}

static void resolve_fields(struct source *s, struct event_class *class, const bt_event_class *bt_class)
{
	const bt_field_class *payload = bt_event_class_borrow_payload_field_class_const(bt_class);
	const struct hakstat_ctf_event *rule = class->rule;

	for (size_t i = 0; rule && i < rule->count; i++) {
		int index = member_index(payload, rule->fields[i].name, rule->fields[i].type);
		if (index < 0 && rule->fields[i].is_optional) {
			class->index[i] = NO_FIELD;
			continue;
		}
		if (index < 0) {
			if (rule->is_ours) {
				missing_field(s, rule->name, rule->fields[i].name);
			}
			class->rule = NULL;
			return;
		}
		class->index[i] = (uint64_t)index;
	}
}

static void free_class(void *data)
{
	struct event_class *class = data;

	bt_event_class_put_ref(class->class);
	g_free(class);
}

static struct event_class *class_of(struct source *s, const bt_event *event)
{
	const bt_event_class *bt_class = bt_event_borrow_class_const(event);
	struct event_class *class = s->last_class;
	const char *name;

	if (class && class->class == bt_class) {
		return class;
	}
	class = g_hash_table_lookup(s->classes, bt_class);
	if (!class) {
		class = g_new0(struct event_class, 1);
		class->class = bt_class;
		bt_event_class_get_ref(bt_class); /* its address stays its own */
		name = bt_event_class_get_name(bt_class);
		class->rule = name ? hakstat_ctf_rule(name) : NULL;
		class->is_ours = name && g_str_has_prefix(name, "hakmem:");
		class->context = resolve_context(bt_event_class_borrow_stream_class_const(bt_class));
		resolve_fields(s, class, bt_class);
		g_hash_table_insert(s->classes, (gpointer)(uintptr_t)bt_class, class);
	}
	s->last_class = class;
	return class;
}

/* Traces ------------------------------------------------------------------------------------ */

static const char *trace_text(const bt_trace *trace, const char *name)
{
	const bt_value *value = bt_trace_borrow_environment_entry_value_by_name_const(trace, name);

	return value && bt_value_is_string(value) ? bt_value_string_get(value) : NULL;
}

/*
 * Process ids mean something within one session on one machine. Traces of one session share
 * name and time of creation, whatever their number.
 */
static uint32_t session_number(struct source *s, const bt_trace *trace)
{
	static const char *const parts[] = { "hostname", "trace_name", "trace_creation_datetime" };
	GString *id = g_string_new(NULL);
	guint number = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		const char *text = trace_text(trace, parts[i]);
		g_string_append_printf(id, "%s\n", text ? text : "");
	}
	while (number < s->sessions->len && strcmp(g_ptr_array_index(s->sessions, number), id->str) != 0) {
		number++;
	}
	if (number == s->sessions->len) {
		g_ptr_array_add(s->sessions, g_strdup(id->str));
	}
	g_string_free(id, TRUE);
	return number;
}

static void free_facts(void *data)
{
	struct trace_facts *facts = data;

	bt_trace_put_ref(facts->trace);
	g_free(facts);
}

static struct trace_facts *facts_of(struct source *s, const bt_trace *trace)
{
	struct trace_facts *facts = s->last_trace;
	const bt_value *pid;

	if (facts && facts->trace == trace) {
		return facts;
	}
	facts = g_hash_table_lookup(s->traces, trace);
	if (!facts) {
		facts = g_new0(struct trace_facts, 1);
		facts->trace = trace;
		bt_trace_get_ref(trace);
		facts->host_name = trace_text(trace, "hostname");
		facts->session = session_number(s, trace);
		facts->process_name = trace_text(trace, "procname");
		facts->session_name = trace_text(trace, "trace_name");
		pid = bt_trace_borrow_environment_entry_value_by_name_const(trace, "vpid");
		facts->has_pid = pid && bt_value_is_signed_integer(pid);
		facts->pid = facts->has_pid ? (uint32_t)bt_value_integer_signed_get(pid) : 0;
		g_hash_table_insert(s->traces, (gpointer)(uintptr_t)trace, facts);
	}
	s->last_trace = facts;
	return facts;
}

/* Messages ---------------------------------------------------------------------------------- */

static void take_context(const struct event_class *class, const bt_event *event, struct hakstat_event *out)
{
	const struct context_fields *c = &class->context;
	const bt_field *fields;

	if (c->vpid < 0 && c->vtid < 0 && c->procname < 0) {
		return;
	}
	fields = bt_event_borrow_common_context_field_const(event);
	if (c->vpid >= 0) {
		out->has_pid = true;
		out->pid = (uint32_t)integer_of(
			bt_field_structure_borrow_member_field_by_index_const(fields, (uint64_t)c->vpid));
	}
	if (c->vtid >= 0) {
		out->tid = (uint32_t)integer_of(
			bt_field_structure_borrow_member_field_by_index_const(fields, (uint64_t)c->vtid));
	}
	if (c->procname >= 0) {
		out->process_name = bt_field_string_get_value(
			bt_field_structure_borrow_member_field_by_index_const(fields, (uint64_t)c->procname));
	}
}

static void take_payload(struct source *s, const struct event_class *class, const bt_event *event,
			 struct hakstat_event *out)
{
	const bt_field *payload = bt_event_borrow_payload_field_const(event);
	const struct hakstat_ctf_event *rule = class->rule;

	for (size_t i = 0; i < rule->count; i++) {
		const struct hakstat_ctf_field *field = &rule->fields[i];
		if (class->index[i] == NO_FIELD) {
			continue;
		}
		store_field(s, field,
			    bt_field_structure_borrow_member_field_by_index_const(payload, class->index[i]),
			    out);
		out->has_pid |= field->offset == offsetof(struct hakstat_event, pid);
	}
}

static int64_t time_of(const bt_message *message, const bt_event *event)
{
	const bt_stream_class *class = bt_stream_borrow_class_const(bt_event_borrow_stream_const(event));
	int64_t ns = 0;

	if (!bt_stream_class_borrow_default_clock_class_const(class)) {
		return 0;
	}
	if (bt_clock_snapshot_get_ns_from_origin(
		    bt_message_event_borrow_default_clock_snapshot_const(message), &ns) !=
	    BT_CLOCK_SNAPSHOT_GET_NS_FROM_ORIGIN_STATUS_OK) {
		bt_current_thread_clear_error();
		return 0;
	}
	return ns;
}

static bool is_operation(enum hakstat_event_kind kind)
{
	return kind >= HAKSTAT_EVENT_ALLOC && kind <= HAKSTAT_EVENT_SAMPLE_FREE;
}

static void take_event(struct source *s, const bt_message *message)
{
	const bt_event *event = bt_message_event_borrow_event_const(message);
	struct event_class *class = class_of(s, event);
	const struct trace_facts *facts;
	struct hakstat_event out = { .kind = HAKSTAT_EVENT_OTHER };

	if (!class->rule && !class->is_ours) {
		return;
	}
	facts = facts_of(s, bt_stream_borrow_trace_const(bt_event_borrow_stream_const(event)));
	out.session = facts->session;
	out.host_name = facts->host_name;
	out.process_name = facts->process_name;
	out.session_name = facts->session_name;
	out.has_pid = facts->has_pid;
	out.pid = facts->pid;
	out.time_ns = time_of(message, event);
	take_context(class, event, &out);
	if (class->rule) {
		out.kind = class->rule->kind;
		if (is_operation(out.kind)) {
			out.u.op.weight = 1; /* what has no weight of its own was seen with certainty */
		}
		take_payload(s, class, event, &out);
	}
	s->sink(s->context, &out);
}

static void take_lost(struct source *s, const bt_message *message, bool packets)
{
	struct hakstat_event out = { .kind = HAKSTAT_EVENT_LOST };
	uint64_t count = 0;
	bt_property_availability known = packets ? bt_message_discarded_packets_get_count(message, &count)
						 : bt_message_discarded_events_get_count(message, &count);

	out.u.lost.packets = packets;
	if (!packets && known == BT_PROPERTY_AVAILABILITY_AVAILABLE) {
		out.u.lost.count = count;
		if (count == 0) {
			return;
		}
	}
	s->sink(s->context, &out);
}

static void take_message(struct source *s, const bt_message *message)
{
	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_EVENT:
		s->result->messages++;
		take_event(s, message);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		take_lost(s, message, false);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		take_lost(s, message, true);
		break;
	default:
		break;
	}
}

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
		if (!s->failed) {
			take_message(s, messages[i]);
		}
		bt_message_put_ref(messages[i]);
	}
	return s->failed ? BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END
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
	if (s->failed) {
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
	if (s->result->messages == 0) {
		return hakstat_err_set(s->err, HAKSTAT_TRACE, "cannot be read: %s", s->result->why);
	}
	return 0;
}

static void init_source(struct source *s)
{
	s->classes = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_class);
	s->traces = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_facts);
	s->sessions = g_ptr_array_new_with_free_func(g_free);
	s->words = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	s->hex = g_string_new(NULL);
}

/* What refers to the graph's objects; before the graph goes. */
static void forget_classes(struct source *s)
{
	g_hash_table_destroy(s->classes);
	g_hash_table_destroy(s->traces);
}

static void clear_source(struct source *s)
{
	g_ptr_array_unref(s->sessions);
	g_array_unref(s->words);
	g_string_free(s->hex, TRUE);
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
	forget_classes(s);
	bt_graph_put_ref(graph);
	return status;
}

int hakstat_ctf_read(const GPtrArray *folders, hakstat_event_sink sink, void *context,
		     const volatile sig_atomic_t *stop, struct hakstat_ctf_result *result,
		     struct hakstat_err *err)
{
	struct source s = { .sink = sink, .context = context, .stop = stop, .result = result, .err = err };
	const bt_plugin *ctf = plugin("ctf", err);
	const bt_plugin *utils = ctf ? plugin("utils", err) : NULL;
	int status = HAKSTAT_USAGE;

	memset(result, 0, sizeof *result);
	bt_logging_set_global_level(BT_LOGGING_LEVEL_NONE); /* it speaks of its code before it aborts */
	if (utils) {
		init_source(&s);
		status = read_with(&s, ctf, utils, folders);
		clear_source(&s);
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
	if (s->failed) {
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
	forget_classes(s);
	bt_graph_put_ref(graph);
	return status;
}

int hakstat_ctf_follow(const char *url, const struct hakstat_ctf_follower *follower,
		       const volatile sig_atomic_t *stop, struct hakstat_err *err)
{
	struct hakstat_ctf_result result = { 0 };
	struct source s = {
		.sink = follower->sink, .context = follower->data, .stop = stop, .result = &result, .err = err
	};
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
		init_source(&s);
		status = follow_with(&s, class, session, follower);
		clear_source(&s);
	}
	g_free(session);
	bt_plugin_put_ref(ctf);
	return status;
}
