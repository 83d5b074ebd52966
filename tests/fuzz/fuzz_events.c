/* SPDX-License-Identifier: MIT */
/* Input: events of any kind and content, as a trace could tell them, through model and renderers. */
#include "bytes.h"
#include "model.h"
#include "rendering.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 64 };

struct texts {
	char host[256], process[256], session[256], name[256], other[256];
	uint64_t words[WORDS];
};

static uint32_t take_words(struct bytes *b, struct texts *t)
{
	uint32_t count = bytes_u8(b) % (WORDS + 1);

	for (uint32_t i = 0; i < count; i++) {
		t->words[i] = bytes_number(b);
	}
	return count;
}

static double take_weight(struct bytes *b)
{
	uint64_t bits = bytes_number(b);
	double weight = (double)bits;

	if (bits > UINT32_MAX) { /* any pattern: also none that is a number */
		memcpy(&weight, &bits, sizeof weight);
	}
	return weight;
}

static void take_op(struct bytes *b, struct hakstat_event *e, struct texts *t)
{
	e->u.op = (struct hakstat_event_op) {
		.ptr = bytes_number(b),
		.requested = bytes_number(b),
		.usable = bytes_number(b),
		.old_requested = e->kind == HAKSTAT_EVENT_RESIZE ? bytes_number(b) : 0,
		.weight = 1,
		.class_id = (uint32_t)bytes_number(b),
		.route = bytes_u8(b),
		.reason = bytes_u8(b),
		.flags = bytes_u8(b),
		.stack = t->words,
	};
	if (e->kind == HAKSTAT_EVENT_SAMPLE_ALLOC || e->kind == HAKSTAT_EVENT_SAMPLE_FREE) {
		e->u.op.weight = take_weight(b);
		e->u.op.stack_id = bytes_u8(b);
		e->u.op.in_session = bytes_u8(b) & 1;
	}
	if (e->kind == HAKSTAT_EVENT_SAMPLE_ALLOC || e->kind == HAKSTAT_EVENT_FRAG) {
		e->u.op.depth = take_words(b, t);
	}
}

static void take_snapshot(struct bytes *b, struct hakstat_event *e)
{
	if (e->kind == HAKSTAT_EVENT_CLASS_STATS) {
		struct hakstat_event_class_stats *s = &e->u.class_stats;
		s->snapshot = bytes_number(b);
		s->usable = bytes_number(b);
		s->allocs = bytes_number(b);
		s->frees = bytes_number(b);
		s->live = bytes_number(b);
		s->cached = bytes_number(b);
		s->slabs = bytes_number(b);
		s->slab_bytes = bytes_number(b);
		s->class_id = (uint32_t)bytes_number(b);
		s->route = bytes_u8(b);
		return;
	}
	e->u.heap_stats = (struct hakstat_event_heap_stats) {
		.snapshot = bytes_number(b),
		.mapped = bytes_number(b),
		.committed = bytes_number(b),
		.cached = bytes_number(b),
		.metadata = bytes_number(b),
	};
}

static void take_facts(struct bytes *b, struct hakstat_event *e, struct texts *t)
{
	if (e->kind == HAKSTAT_EVENT_CONFIG) {
		e->u.config = (struct hakstat_event_config) {
			.version = bytes_text(b, t->name),
			.size_classes = bytes_text(b, t->other),
			.tiny_max_class = (uint32_t)bytes_number(b),
			.tiny_max_size = (uint32_t)bytes_number(b),
			.page_size = (uint32_t)bytes_number(b),
			.superslab_size = bytes_number(b),
			.session = bytes_u8(b) & 1 ? t->session : NULL,
		};
		return;
	}
	e->u.class_info = (struct hakstat_event_class_info) {
		.class_id = (uint32_t)bytes_number(b),
		.route = bytes_u8(b),
		.name = bytes_text(b, t->name),
		.usable = bytes_number(b),
		.min_request = bytes_number(b),
		.max_request = bytes_number(b),
	};
}

static void take_payload(struct bytes *b, struct hakstat_event *e, struct texts *t)
{
	switch (e->kind) {
	case HAKSTAT_EVENT_OPS:
		e->u.ops.first = bytes_number(b);
		e->u.ops.operations = (uint32_t)bytes_number(b);
		e->u.ops.count = take_words(b, t);
		e->u.ops.units = 4 * e->u.ops.count - (e->u.ops.operations & 3);
		e->u.ops.words = t->words;
		break;
	case HAKSTAT_EVENT_CLASS_STATS:
	case HAKSTAT_EVENT_HEAP_STATS:
		take_snapshot(b, e);
		break;
	case HAKSTAT_EVENT_CONFIG:
	case HAKSTAT_EVENT_CLASS_INFO:
		take_facts(b, e, t);
		break;
	case HAKSTAT_EVENT_LOST:
		e->u.lost.count = bytes_number(b);
		break;
	case HAKSTAT_EVENT_MODULE_LOAD:
	case HAKSTAT_EVENT_MODULE_OPEN:
	case HAKSTAT_EVENT_MODULE_BUILD_ID:
	case HAKSTAT_EVENT_MODULE_DEBUG_LINK:
	case HAKSTAT_EVENT_MODULE_UNLOAD:
		e->u.module.base = bytes_number(b);
		e->u.module.size = bytes_number(b);
		e->u.module.text = bytes_text(b, t->name);
		break;
	case HAKSTAT_EVENT_OTHER:
	case HAKSTAT_EVENT_OOM:
	case HAKSTAT_EVENT_CORRUPTION:
	case HAKSTAT_EVENT_IMAGE_START:
		break;
	default:
		take_op(b, e, t);
	}
}

static void feed_one(struct hakstat_model *model, struct bytes *b, struct texts *t, int64_t *now)
{
	struct hakstat_event e = {
		.kind = (enum hakstat_event_kind)(bytes_u8(b) % (HAKSTAT_EVENT_MODULE_UNLOAD + 1)),
	};
	unsigned flags = bytes_u8(b);

	if (flags & 32) {
		bytes_text(b, flags & 1 ? t->process : t->host);
	}
	/* Time mostly goes on, now and then by much, and may go back. */
	*now = flags & 64 ? (int64_t)bytes_fixed(b, 8) : (int64_t)((uint64_t)*now + (bytes_number(b) << 16));
	e.time_ns = *now;
	e.has_pid = !(flags & 2);
	e.pid = flags & 4 ? bytes_u8(b) : 7;
	e.tid = flags & 8 ? (uint32_t)bytes_number(b) : 1;
	e.session = flags >> 7;
	e.process_name = flags & 1 ? t->process : NULL;
	e.host_name = flags & 16 ? t->host : NULL;
	e.session_name = flags & 16 ? t->session : NULL;
	take_payload(b, &e, t);
	hakstat_model_feed(model, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, data + size };
	struct texts t = { .session = HAKSTAT_RECORD_PREFIX };
	struct hakstat_symbolizer *symbolizer;
	struct hakstat_model *model;
	unsigned choice = bytes_u8(&b);
	int64_t now = 0;

	symbolizer = choice & 128 ? hakstat_symbolizer_new("/nonexistent") : NULL;
	model = hakstat_model_new(symbolizer);
	if (choice & 64) {
		hakstat_model_only_pid(model, bytes_u8(&b));
	}
	while (bytes_left(&b)) {
		feed_one(model, &b, &t, &now);
	}
	rendering_check(hakstat_model_finish(model), choice);
	hakstat_model_free(model);
	hakstat_symbolizer_free(symbolizer);
	return 0;
}
