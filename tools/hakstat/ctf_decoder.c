/* SPDX-License-Identifier: MIT */
/*
 * What each event class holds is resolved once, when its first event comes; after that a field is an index
 * and an offset.
 */
#include "ctf_decoder.h"

#include <string.h>

#include "ctf_rules.h"

struct context_fields {
	const bt_stream_class *stream_class;
	int vpid, vtid, procname; /* indexes in the common context; -1: absent */
};

struct hakstat_ctf_class {
	const bt_event_class *class;
	const struct hakstat_ctf_event *rule; /* NULL: not for us */
	bool is_ours;			      /* of provider hakmem */
	struct context_fields context;
	uint64_t index[HAKSTAT_CTF_MAX_FIELDS];
};

#define NO_FIELD UINT64_MAX

struct hakstat_ctf_trace {
	const bt_trace *trace;
	uint32_t session;
	const char *host_name, *process_name, *session_name, *session_id;
	char *id; /* NULL: it has none */
	bool is_full, has_pid;
	uint32_t pid;
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

static const uint64_t *words_of(struct hakstat_ctf_decoder *d, const bt_field *field, uint32_t *count)
{
	uint64_t length = bt_field_array_get_length(field);
	uint64_t *to;

	g_array_set_size(d->words, (guint)length);
	to = (uint64_t *)(void *)d->words->data;
	for (uint64_t i = 0; i < length; i++) {
		to[i] = bt_field_integer_unsigned_get_value(
			bt_field_array_borrow_element_field_by_index_const(field, i));
	}
	*count = (uint32_t)length;
	return to;
}

static const char *hex_of(struct hakstat_ctf_decoder *d, const bt_field *field)
{
	uint64_t length = bt_field_array_get_length(field);

	g_string_truncate(d->hex, 0);
	for (uint64_t i = 0; i < length && i < 64; i++) {
		g_string_append_printf(
			d->hex, "%02x",
			(unsigned)(bt_field_integer_unsigned_get_value(
					   bt_field_array_borrow_element_field_by_index_const(field, i)) &
				   255));
	}
	return d->hex->str;
}

static void store_field(struct hakstat_ctf_decoder *d, const struct hakstat_ctf_field *rule,
			const bt_field *field, struct hakstat_event *event)
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
			words_of(d, field, (uint32_t *)(void *)((char *)event + rule->count_offset));
		break;
	case HAKSTAT_CTF_HEX:
		*(const char **)(void *)at = hex_of(d, field);
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

static void missing_field(struct hakstat_ctf_decoder *d, const char *event, const char *field)
{
	d->failed = true;
	hakstat_err_set(d->err, HAKSTAT_TRACE,
			"event %s has no field '%s' of the type this version reads; the trace is of another "
			"version of hakmem",
			event, field);
}

static void resolve_fields(struct hakstat_ctf_decoder *d, struct hakstat_ctf_class *class,
			   const bt_event_class *bt_class)
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
				missing_field(d, rule->name, rule->fields[i].name);
			}
			class->rule = NULL;
			return;
		}
		class->index[i] = (uint64_t)index;
	}
}

static void free_class(void *data)
{
	struct hakstat_ctf_class *class = data;

	bt_event_class_put_ref(class->class);
	g_free(class);
}

static struct hakstat_ctf_class *class_of(struct hakstat_ctf_decoder *d, const bt_event *event)
{
	const bt_event_class *bt_class = bt_event_borrow_class_const(event);
	struct hakstat_ctf_class *class = d->last_class;
	const char *name;

	if (class && class->class == bt_class) {
		return class;
	}
	class = g_hash_table_lookup(d->classes, bt_class);
	if (!class) {
		class = g_new0(struct hakstat_ctf_class, 1);
		class->class = bt_class;
		bt_event_class_get_ref(bt_class); /* its address stays its own */
		name = bt_event_class_get_name(bt_class);
		class->rule = name ? hakstat_ctf_rule(name) : NULL;
		class->is_ours = name && g_str_has_prefix(name, "hakmem:");
		class->context = resolve_context(bt_event_class_borrow_stream_class_const(bt_class));
		resolve_fields(d, class, bt_class);
		g_hash_table_insert(d->classes, (gpointer)(uintptr_t)bt_class, class);
	}
	d->last_class = class;
	return class;
}

/* Traces ------------------------------------------------------------------------------------ */

static const char *trace_text(const bt_trace *trace, const char *name)
{
	const bt_value *value = bt_trace_borrow_environment_entry_value_by_name_const(trace, name);

	return value && bt_value_is_string(value) ? bt_value_string_get(value) : NULL;
}

/* As text; NULL: it has none. Free with g_free. */
static char *trace_id(const bt_trace *trace)
{
	enum { UUID_BYTES = 16 };
	bt_uuid uuid = bt_trace_get_uuid(trace);
	GString *id = g_string_new(NULL);

	for (int i = 0; uuid && i < UUID_BYTES; i++) {
		g_string_append_printf(id, "%02x", uuid[i]);
	}
	return g_string_free(id, uuid == NULL);
}

/*
 * Process ids mean something within one session on one machine. Traces of one session share
 * name and time of creation, whatever their number.
 */
static uint32_t session_number(struct hakstat_ctf_decoder *d, const bt_trace *trace, const char *trace_id)
{
	static const char *const parts[] = { "hostname", "trace_name", "trace_creation_datetime" };
	GString *id = g_string_new(NULL);
	guint number = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
		const char *text = trace_text(trace, parts[i]);
		g_string_append_printf(id, "%s\n", text ? text : "");
	}
	while (number < d->sessions->len && strcmp(g_ptr_array_index(d->sessions, number), id->str) != 0) {
		number++;
	}
	if (number == d->sessions->len) {
		g_ptr_array_add(d->sessions, g_strdup(id->str));
		g_string_append_printf(id, "%s", trace_id ? trace_id : "");
		g_ptr_array_add(d->session_ids, g_compute_checksum_for_string(G_CHECKSUM_SHA1, id->str, -1));
	}
	g_string_free(id, TRUE);
	return number;
}

static bool declares(const bt_trace *trace, const char *name)
{
	const bt_trace_class *class = bt_trace_borrow_class_const(trace);
	uint64_t count = bt_trace_class_get_stream_class_count(class);

	for (uint64_t i = 0; i < count; i++) {
		const bt_stream_class *stream = bt_trace_class_borrow_stream_class_by_index_const(class, i);
		for (uint64_t k = 0; k < bt_stream_class_get_event_class_count(stream); k++) {
			const bt_event_class *event =
				bt_stream_class_borrow_event_class_by_index_const(stream, k);
			if (g_strcmp0(bt_event_class_get_name(event), name) == 0) {
				return true;
			}
		}
	}
	return false;
}

static void free_facts(void *data)
{
	struct hakstat_ctf_trace *facts = data;

	bt_trace_put_ref(facts->trace);
	g_free(facts->id);
	g_free(facts);
}

static struct hakstat_ctf_trace *facts_of(struct hakstat_ctf_decoder *d, const bt_trace *trace)
{
	struct hakstat_ctf_trace *facts = d->last_trace;
	const bt_value *pid;

	if (facts && facts->trace == trace) {
		return facts;
	}
	facts = g_hash_table_lookup(d->traces, trace);
	if (!facts) {
		facts = g_new0(struct hakstat_ctf_trace, 1);
		facts->trace = trace;
		bt_trace_get_ref(trace);
		facts->host_name = trace_text(trace, "hostname");
		facts->id = trace_id(trace);
		facts->session = session_number(d, trace, facts->id);
		facts->session_id = g_ptr_array_index(d->session_ids, facts->session);
		facts->process_name = trace_text(trace, "procname");
		facts->session_name = trace_text(trace, "trace_name");
		pid = bt_trace_borrow_environment_entry_value_by_name_const(trace, "vpid");
		facts->is_full = declares(trace, "hakmem:ops");
		facts->has_pid = pid && bt_value_is_signed_integer(pid);
		facts->pid = facts->has_pid ? (uint32_t)bt_value_integer_signed_get(pid) : 0;
		g_hash_table_insert(d->traces, (gpointer)(uintptr_t)trace, facts);
	}
	d->last_trace = facts;
	return facts;
}

/* Messages ---------------------------------------------------------------------------------- */

static void take_context(const struct hakstat_ctf_class *class, const bt_event *event,
			 struct hakstat_event *out)
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

static void take_payload(struct hakstat_ctf_decoder *d, const struct hakstat_ctf_class *class,
			 const bt_event *event, struct hakstat_event *out)
{
	const bt_field *payload = bt_event_borrow_payload_field_const(event);
	const struct hakstat_ctf_event *rule = class->rule;

	for (size_t i = 0; i < rule->count; i++) {
		const struct hakstat_ctf_field *field = &rule->fields[i];
		if (class->index[i] == NO_FIELD) {
			continue;
		}
		store_field(d, field,
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

static void take_event(struct hakstat_ctf_decoder *d, const bt_message *message)
{
	const bt_event *event = bt_message_event_borrow_event_const(message);
	struct hakstat_ctf_class *class = class_of(d, event);
	const struct hakstat_ctf_trace *facts;
	struct hakstat_event out = { .kind = HAKSTAT_EVENT_OTHER };

	if (!class->rule && !class->is_ours) {
		return;
	}
	facts = facts_of(d, bt_stream_borrow_trace_const(bt_event_borrow_stream_const(event)));
	out.session = facts->session;
	out.host_name = facts->host_name;
	out.process_name = facts->process_name;
	out.session_name = facts->session_name;
	out.session_id = facts->session_id;
	out.trace_id = facts->id;
	out.is_of_full = facts->is_full;
	out.has_pid = facts->has_pid;
	out.pid = facts->pid;
	out.time_ns = time_of(message, event);
	take_context(class, event, &out);
	if (class->rule) {
		out.kind = class->rule->kind;
		if (is_operation(out.kind)) {
			out.u.op.weight = 1; /* what has no weight of its own was seen with certainty */
		}
		take_payload(d, class, event, &out);
	}
	d->sink(d->context, &out);
}

static void take_lost(struct hakstat_ctf_decoder *d, const bt_message *message, bool packets)
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
	d->sink(d->context, &out);
}

void hakstat_ctf_decoder_take(struct hakstat_ctf_decoder *d, const bt_message *message)
{
	switch (bt_message_get_type(message)) {
	case BT_MESSAGE_TYPE_EVENT:
		d->events++;
		take_event(d, message);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_EVENTS:
		take_lost(d, message, false);
		break;
	case BT_MESSAGE_TYPE_DISCARDED_PACKETS:
		take_lost(d, message, true);
		break;
	default:
		break;
	}
}

void hakstat_ctf_decoder_init(struct hakstat_ctf_decoder *d, hakstat_event_sink sink, void *context,
			      struct hakstat_err *err)
{
	*d = (struct hakstat_ctf_decoder) { .sink = sink, .context = context, .err = err };
	d->classes = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_class);
	d->traces = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_facts);
	d->sessions = g_ptr_array_new_with_free_func(g_free);
	d->session_ids = g_ptr_array_new_with_free_func(g_free);
	d->words = g_array_new(FALSE, FALSE, sizeof(uint64_t));
	d->hex = g_string_new(NULL);
}

void hakstat_ctf_decoder_clear(struct hakstat_ctf_decoder *d)
{
	g_hash_table_destroy(d->classes);
	g_hash_table_destroy(d->traces);
	g_ptr_array_unref(d->sessions);
	g_ptr_array_unref(d->session_ids);
	g_array_unref(d->words);
	g_string_free(d->hex, TRUE);
}
