/* SPDX-License-Identifier: MIT */
/*
 * Sends each event to the process it is about, and keeps what belongs to the whole trace.
 */
#include "model.h"

#include <inttypes.h>
#include <string.h>

#include "domain.h"
#include "hakmem_life.h"
#include "hakmem_route_list.h"
#include "number.h"
#include "process.h"
#include "roster.h"
#include "text.h"
#include "timeline.h"

struct hakstat_model {
	struct hakstat_symbolizer *symbolizer;
	struct hakstat_summary *summary;
	struct hakstat_roster roster;
	/* By source; which one counts is known at the end. */
	struct hakstat_timeline *timelines[HAKSTAT_MODE_COUNT];
	bool has_only_pid;
	uint32_t only_pid;
	const char *last_trace; /* of the event before */
	GHashTable *traces;	/* char *: ids that were met */
	GHashTable *left_out;	/* process id -> name, of the others */
};

struct hakstat_model *hakstat_model_new(struct hakstat_symbolizer *symbolizer)
{
	struct hakstat_model *m = g_new0(struct hakstat_model, 1);

	m->symbolizer = symbolizer;
	m->summary = hakstat_summary_new();
	m->traces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	hakstat_roster_init(&m->roster);
	m->left_out = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	for (int i = 0; i < HAKSTAT_MODE_COUNT; i++) {
		m->timelines[i] = hakstat_timeline_new();
	}
	return m;
}

void hakstat_model_free(struct hakstat_model *m)
{
	hakstat_summary_free(m->summary);
	g_hash_table_destroy(m->traces);
	hakstat_roster_clear(&m->roster);
	g_hash_table_destroy(m->left_out);
	for (int i = 0; i < HAKSTAT_MODE_COUNT; i++) {
		hakstat_timeline_free(m->timelines[i]);
	}
	g_free(m);
}

void hakstat_model_only_pid(struct hakstat_model *m, uint32_t pid)
{
	m->has_only_pid = true;
	m->only_pid = pid;
}

static void leave_out(struct hakstat_model *m, const struct hakstat_event *e)
{
	gpointer key = GUINT_TO_POINTER(e->pid);
	const char *name = g_hash_table_lookup(m->left_out, key);

	/* The main thread's is the one that people know. */
	if (!name || (e->tid == e->pid && e->process_name && strcmp(name, e->process_name) != 0)) {
		g_hash_table_insert(m->left_out, key,
				    hakstat_text_clean(e->process_name ? e->process_name : ""));
	}
}

static gint compare_pids(gconstpointer a, gconstpointer b)
{
	guint x = GPOINTER_TO_UINT(a);
	guint y = GPOINTER_TO_UINT(b);

	return (x > y) - (x < y);
}

char *hakstat_model_left_out(const struct hakstat_model *m)
{
	enum { NAMED = 20 };
	guint count = g_hash_table_size(m->left_out);
	GList *pids = g_list_sort(g_hash_table_get_keys(m->left_out), compare_pids);
	GString *text = g_string_new(NULL);
	guint named = 0;

	for (const GList *pid = pids; pid && named < NAMED; pid = pid->next, named++) {
		const char *name = g_hash_table_lookup(m->left_out, pid->data);
		g_string_append_printf(text, "%s%u%s%s%s", named ? ", " : "", GPOINTER_TO_UINT(pid->data),
				       *name ? " (" : "", name, *name ? ")" : "");
	}
	if (count > NAMED) {
		g_string_append_printf(text, " and %u more", count - NAMED);
	}
	g_list_free(pids);
	return g_string_free(text, count == 0);
}

void hakstat_model_forget_symbols(struct hakstat_model *m)
{
	m->symbolizer = NULL;
}

uint64_t hakstat_model_events(const struct hakstat_model *m)
{
	return m->summary->events;
}

/*
 * LTTng's name of a process is that of the thread which writes. The main thread's is the one
 * that people know; the tracer's own thread says nothing.
 */
static void name_process(struct hakstat_process *p, const struct hakstat_event *e)
{
	bool is_main = e->has_pid && e->tid == e->pid;

	if (is_main || !p->name || strcmp(e->process_name, "hakmem-trace") != 0) {
		g_free(p->name);
		p->name = g_strdup(e->process_name);
	}
	p->has_main_name = is_main;
}

static struct hakstat_process *process_of(struct hakstat_model *m, const struct hakstat_event *e)
{
	struct hakstat_process *p = hakstat_roster_find(&m->roster, e);

	p->is_full |= e->is_of_full;
	if (!p->host_name && e->host_name) {
		p->host_name = hakstat_text_clean(e->host_name);
	}
	if (!p->session_id && e->session_id) {
		p->session_id = g_strdup(e->session_id);
	}
	if (e->process_name && !p->has_main_name && g_strcmp0(p->name, e->process_name) != 0) {
		name_process(p, e);
	}
	return p;
}

static bool op_is_sane(const struct hakstat_event_op *op)
{
	/* A weight is one over a probability; 2^40 is far beyond any sampling period. */
	return op->class_id < HAKSTAT_MAX_CLASSES && op->reason < HAK_REASON_COUNT && op->weight >= 1 &&
	       op->weight < 1099511627776.0 && op->requested <= HAKSTAT_MOST && op->usable <= HAKSTAT_MOST &&
	       op->old_requested <= HAKSTAT_MOST;
}

static bool class_stats_are_sane(const struct hakstat_event_class_stats *s)
{
	return s->class_id < HAKSTAT_MAX_CLASSES && s->usable <= HAKSTAT_MOST && s->allocs <= HAKSTAT_MOST &&
	       s->frees <= HAKSTAT_MOST && s->live <= HAKSTAT_MOST / MAX(s->usable, 1) &&
	       s->slabs <= HAKSTAT_MOST && s->slab_bytes <= HAKSTAT_MOST && s->resident <= HAKSTAT_MOST;
}

static bool heap_stats_are_sane(const struct hakstat_event_heap_stats *s)
{
	return s->mapped <= HAKSTAT_MOST && s->committed <= HAKSTAT_MOST && s->cached <= HAKSTAT_MOST &&
	       s->metadata <= HAKSTAT_MOST && s->resident <= HAKSTAT_MOST;
}

static bool class_info_is_sane(const struct hakstat_event_class_info *info)
{
	return info->class_id < HAKSTAT_MAX_CLASSES && info->usable <= HAKSTAT_MOST;
}

/* Ids that the tables have, and numbers that a machine can have. */
static bool is_sane(const struct hakstat_event *e)
{
	switch (e->kind) {
	case HAKSTAT_EVENT_ALLOC:
	case HAKSTAT_EVENT_FREE:
	case HAKSTAT_EVENT_RESIZE:
	case HAKSTAT_EVENT_FRAG:
	case HAKSTAT_EVENT_SAMPLE_ALLOC:
	case HAKSTAT_EVENT_SAMPLE_RESIZE:
	case HAKSTAT_EVENT_SAMPLE_FREE:
		return op_is_sane(&e->u.op);
	case HAKSTAT_EVENT_CLASS_STATS:
		return class_stats_are_sane(&e->u.class_stats);
	case HAKSTAT_EVENT_HEAP_STATS:
		return heap_stats_are_sane(&e->u.heap_stats);
	case HAKSTAT_EVENT_CLASS_INFO:
		return class_info_is_sane(&e->u.class_info);
	default:
		return true;
	}
}

static struct hakstat_tally_op tally_op(const struct hakstat_event_op *op)
{
	return (struct hakstat_tally_op) {
		.class_id = op->class_id,
		.reason = op->reason,
		.flags = op->flags,
		.requested = op->requested,
		.usable = op->usable,
		.weight = 1,
	};
}

/*
 * A session may hold samples, events and packed operations of the same allocations, in any order.
 * Each source is counted apart; the best one that a process has is chosen when all is read.
 */
static void count_batch(struct hakstat_model *m, struct hakstat_process *p, const struct hakstat_event *e,
			enum hakstat_mode source, const struct hakstat_batch *batch)
{
	struct hakstat_counts *n = &hakstat_process_thread(p, e->tid)->n[source];

	n->allocs += batch->allocs;
	n->frees += batch->frees;
	n->requested_bytes += batch->requested;
	n->usable_bytes += batch->usable;
	hakstat_variances_add(&n->v, &batch->v);
	n->samples += source == HAKSTAT_MODE_SAMPLE;
	p->operations[source] += batch->allocs + batch->frees + batch->resizes;
	m->summary->malformed += batch->malformed;
	if (source == HAKSTAT_MODE_SAMPLE) {
		hakstat_samples_mark_peak(&p->samples);
	} else {
		hakstat_tally_mark_peak(source == HAKSTAT_MODE_FULL ? &p->ops : &p->events);
	}
	hakstat_timeline_add(m->timelines[source], e->time_ns, batch);
}

static void count_ops(struct hakstat_model *m, struct hakstat_process *p, const struct hakstat_event *e)
{
	const struct hakstat_event_ops *ops = &e->u.ops;
	struct hakstat_thread *thread = hakstat_process_thread(p, e->tid);
	struct hakstat_batch batch = { 0 };
	struct hakstat_late_batch late = {
		.tid = e->tid,
		.is_first = !thread->has_batches,
		.before_ns = thread->batch_ns,
		.words = ops->words,
		.block = p->ops.block,
		.units = MIN(ops->units, 4 * ops->count),
	};

	hakstat_thread_batch(thread, ops->first, ops->operations);
	thread->batch_ns = e->time_ns;
	hakstat_process_late_batch(p, &late);
	hakstat_tally_ops(&p->ops, &thread->moving[HAKSTAT_MODE_FULL], late.words, late.units, &batch);
	thread->lost_operations += hakstat_less(ops->operations, batch.allocs + batch.frees + batch.resizes);
	p->has_lost |= thread->lost_operations || thread->lost_unknown;
	count_batch(m, p, e, HAKSTAT_MODE_FULL, &batch);
}

struct release {
	struct hakstat_model *model;
	struct hakstat_process *process;
};

static void release_one(void *data, const struct hakstat_event *e)
{
	const struct release *release = data;

	count_ops(release->model, release->process, e);
}

static void release_pending(struct hakstat_model *m, struct hakstat_process *p)
{
	struct release release = { m, p };

	hakstat_pending_release(&p->pending, release_one, &release);
}

static void feed_ops(struct hakstat_model *m, struct hakstat_process *p, const struct hakstat_event *e)
{
	if (!p->has_snapshot && hakstat_pending_keep(&p->pending, e)) {
		return;
	}
	if (!p->pending.is_over) {
		release_pending(m, p);
	}
	count_ops(m, p, e);
}

static void feed_single(struct hakstat_model *m, struct hakstat_process *p, const struct hakstat_event *e)
{
	uint64_t *moving = &hakstat_process_thread(p, e->tid)->moving[HAKSTAT_MODE_EVENTS];
	struct hakstat_tally_op op = tally_op(&e->u.op);
	struct hakstat_batch batch = { 0 };

	if (e->kind != HAKSTAT_EVENT_RESIZE) {
		hakstat_tally_note_move(&p->events, moving, e->kind == HAKSTAT_EVENT_ALLOC, &op);
	}
	if (e->kind == HAKSTAT_EVENT_ALLOC) {
		hakstat_tally_alloc(&p->events, &op);
		batch = (struct hakstat_batch) { .allocs = 1,
						 .requested = op.requested,
						 .usable = op.usable };
	} else if (e->kind == HAKSTAT_EVENT_FREE) {
		hakstat_tally_free(&p->events, &op);
		batch.frees = 1;
	} else {
		hakstat_tally_resize(&p->events, &op, e->u.op.old_requested);
		batch.resizes = 1;
	}
	count_batch(m, p, e, HAKSTAT_MODE_EVENTS, &batch);
}

/* The first snapshot is where exact counts begin; what was sampled before it can only be estimated. */
static void note_early(struct hakstat_process *p, const struct hakstat_event *e)
{
	struct hakstat_class_state *c = &p->classes[e->u.op.class_id];

	if (c->has_points) {
		return;
	}
	if (e->kind == HAKSTAT_EVENT_SAMPLE_ALLOC) {
		c->early_allocs += e->u.op.weight;
		c->early_variance += e->u.op.weight * (e->u.op.weight - 1);
	} else {
		c->early_frees += e->u.op.weight;
	}
}

static void feed_sample(struct hakstat_model *m, struct hakstat_process *p, const struct hakstat_event *e)
{
	const struct hakstat_event_op *op = &e->u.op;
	uint64_t weight = hakstat_rounded(op->weight);
	struct hakstat_batch batch = { .allocs = weight,
				       .requested = hakstat_rounded(op->weight * (double)op->requested),
				       .usable = hakstat_rounded(op->weight * (double)op->usable),
				       .v = hakstat_sample_variances(op->weight, (double)op->requested,
								     (double)op->usable) };

	note_early(p, e);
	if (e->kind == HAKSTAT_EVENT_SAMPLE_FREE) {
		hakstat_samples_free(&p->samples, op);
		batch = (struct hakstat_batch) { .frees = weight };
	} else {
		hakstat_samples_alloc(&p->samples, op);
	}
	count_batch(m, p, e, HAKSTAT_MODE_SAMPLE, &batch);
}

static void feed_config(struct hakstat_process *p, const struct hakstat_event_config *config)
{
	g_free(p->config.version);
	g_free(p->config.size_classes);
	p->config = (struct hakstat_config) {
		.known = true,
		.version = g_strdup(config->version),
		.size_classes = g_strdup(config->size_classes),
		.tiny_max_class = config->tiny_max_class,
		.tiny_max_size = config->tiny_max_size,
		.page_size = config->page_size,
		.frag_percent = config->frag_percent,
		.superslab_size = config->superslab_size,
	};
	p->ops.page_size = p->events.page_size = config->page_size;
}

/*
 * A session takes in every process of its user that has the tracer loaded. In one that was
 * made for a command, only those that the command started belong to the report.
 */
static bool is_foreign(const struct hakstat_event *e)
{
	const char *own = e->u.config.session;
	return own && e->session_name && g_str_has_prefix(e->session_name, HAKSTAT_RECORD_PREFIX) &&
	       strcmp(own, e->session_name) != 0;
}

static void feed_lost(struct hakstat_summary *s, const struct hakstat_event_lost *lost)
{
	if (lost->count == 0 || lost->count > HAKSTAT_LOST_MOST) {
		s->lost_unknown = true;
		return;
	}
	s->lost_events += MIN(lost->count, UINT64_MAX - s->lost_events);
}

/* The large class ends a snapshot; it alone has no block size. */
static bool is_last_row(const struct hakstat_process *p, const struct hakstat_event_class_stats *stats)
{
	return stats->usable == 0 && stats->snapshot == p->snapshot;
}

static struct hakstat_heap_class heap_class(const struct hakstat_class_state *c, bool knows_resident)
{
	const struct hakstat_live *live = &c->now.live;

	return (struct hakstat_heap_class) {
		.route = c->route,
		.block = c->block,
		.live = live->blocks,
		.live_bytes = live->usable,
		.requested_bytes = live->requested,
		.slab_bytes = c->block ? c->last.slab_bytes : 0,
		.unknown = live->unknown_blocks,
		.unknown_bytes = live->unknown,
		.resident_bytes = c->last.resident,
		.processes = 1,
		.telling = knows_resident,
		.v = live->v,
	};
}

static void keep_level(struct hakstat_model *m, const struct hakstat_process *p, int64_t time_ns)
{
	struct hakstat_heap_class classes[HAKSTAT_MAX_CLASSES];
	struct hakstat_heap_level level = { p->snapshot_live_bytes, p->heap.committed, p->heap.resident,
					    p->heap.knows_resident, classes,	       0 };

	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		if (p->classes[i].has_points) {
			classes[level.class_count++] = heap_class(&p->classes[i], p->heap.knows_resident);
		}
	}
	for (int i = 0; i < HAKSTAT_MODE_COUNT; i++) {
		hakstat_timeline_level(m->timelines[i], time_ns, p->index, &level);
	}
}

static void forget_level(struct hakstat_model *m, const struct hakstat_process *p)
{
	for (int i = 0; i < HAKSTAT_MODE_COUNT; i++) {
		hakstat_timeline_forget(m->timelines[i], p->index);
	}
}

static void feed_snapshot(struct hakstat_model *m, struct hakstat_process *p, const struct hakstat_event *e)
{
	if (e->kind == HAKSTAT_EVENT_HEAP_STATS) {
		hakstat_process_heap_stats(p, &e->u.heap_stats);
		return;
	}
	if (!p->pending.is_over && p->classes[e->u.class_stats.class_id].name) {
		release_pending(m, p); /* the table is known, so they need not wait */
	}
	hakstat_process_class_stats(p, e->time_ns, &e->u.class_stats);
	if (is_last_row(p, &e->u.class_stats)) {
		keep_level(m, p, e->time_ns);
		if (p->heap.life == HAK_LIFE_LEAVING) {
			forget_level(m, p);
		}
	}
}

static void feed_process(struct hakstat_model *m, struct hakstat_process *p, const struct hakstat_event *e)
{
	switch (e->kind) {
	case HAKSTAT_EVENT_OPS:
		feed_ops(m, p, e);
		break;
	case HAKSTAT_EVENT_ALLOC:
	case HAKSTAT_EVENT_FREE:
	case HAKSTAT_EVENT_RESIZE:
		feed_single(m, p, e);
		break;
	case HAKSTAT_EVENT_SAMPLE_ALLOC:
	case HAKSTAT_EVENT_SAMPLE_FREE:
		feed_sample(m, p, e);
		break;
	case HAKSTAT_EVENT_SAMPLE_RESIZE:
		hakstat_samples_resize(&p->samples, &e->u.op);
		hakstat_samples_mark_peak(&p->samples);
		break;
	case HAKSTAT_EVENT_FRAG:
		hakstat_samples_frag(&p->samples, &e->u.op);
		break;
	case HAKSTAT_EVENT_CLASS_STATS:
	case HAKSTAT_EVENT_HEAP_STATS:
		feed_snapshot(m, p, e);
		break;
	case HAKSTAT_EVENT_CONFIG:
		feed_config(p, &e->u.config);
		p->is_foreign = is_foreign(e);
		break;
	case HAKSTAT_EVENT_CLASS_INFO:
		hakstat_process_class_info(p, &e->u.class_info);
		break;
	case HAKSTAT_EVENT_MODULE_LOAD:
	case HAKSTAT_EVENT_MODULE_OPEN:
	case HAKSTAT_EVENT_MODULE_BUILD_ID:
	case HAKSTAT_EVENT_MODULE_DEBUG_LINK:
	case HAKSTAT_EVENT_MODULE_UNLOAD:
		hakstat_process_module(p, e, m->symbolizer);
		break;
	case HAKSTAT_EVENT_OOM:
		m->summary->out_of_memory++;
		break;
	case HAKSTAT_EVENT_CORRUPTION:
		m->summary->corruptions++;
		break;
	default:
		break;
	}
}

/* Its first event tells it from another part of the same trace. */
static void note_trace(struct hakstat_model *m, const struct hakstat_event *e)
{
	if (e->trace_id == m->last_trace) {
		return;
	}
	m->last_trace = e->trace_id;
	if (e->trace_id && g_hash_table_add(m->traces, g_strdup(e->trace_id))) {
		hakstat_summary_add_trace(m->summary, e->trace_id, e->time_ns);
	}
}

static bool is_about_loading(enum hakstat_event_kind kind)
{
	return kind >= HAKSTAT_EVENT_IMAGE_START;
}

void hakstat_model_feed(struct hakstat_model *m, const struct hakstat_event *e)
{
	struct hakstat_summary *s = m->summary;

	if (e->kind == HAKSTAT_EVENT_LOST) {
		feed_lost(s, &e->u.lost);
		return;
	}
	note_trace(m, e);
	if (m->has_only_pid && e->has_pid && e->pid != m->only_pid) {
		leave_out(m, e);
		return;
	}
	if (!is_about_loading(e->kind)) {
		s->events++;
		s->begin_ns = MIN(s->begin_ns, e->time_ns);
		s->end_ns = MAX(s->end_ns, e->time_ns);
	}
	if (!is_sane(e)) {
		s->malformed++;
		return;
	}
	if (e->kind == HAKSTAT_EVENT_OTHER) {
		return;
	}
	struct hakstat_process *p = process_of(m, e);
	if (!p->is_foreign || e->kind == HAKSTAT_EVENT_CONFIG) {
		feed_process(m, p, e);
	}
}

/* A process whose table is not in the trace has that of its session: the options rarely differ. */
static void lend_classes(const struct hakstat_roster *roster, struct hakstat_process *p)
{
	for (uint32_t i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		const struct hakstat_class_state *c = &p->classes[i];
		bool is_needed = c->is_known || p->ops.classes[i] || p->events.classes[i] ||
				 p->samples.classes[i].samples;
		const struct hakstat_process *from =
			c->name || !is_needed ? NULL : hakstat_roster_who_knows(roster, p->session, i);
		if (from && (!c->is_known || c->block == from->classes[i].block)) {
			hakstat_process_borrow_class(p, from, i);
		}
	}
}

/* Sites and samples that nobody signed are shared by all processes of their session. */
static void finish_anonymous(struct hakstat_model *m, struct hakstat_process *p)
{
	hakstat_summary_note(m->summary,
			     "some events do not say which process wrote them (the session lacks the "
			     "vpid context); they are counted for all processes together");
	hakstat_process_finish_shared(p, m->summary, m->symbolizer);
}

/* Sampled sites stand for all requests, sites of frag events for the wasteful ones: never mix them. */
static void prefer_sampled_sites(const GPtrArray *all)
{
	bool is_sampled = false;

	for (guint i = 0; i < all->len; i++) {
		is_sampled |=
			((const struct hakstat_process *)g_ptr_array_index(all, i))->samples.tally.is_used;
	}
	for (guint i = 0; i < all->len; i++) {
		((struct hakstat_process *)g_ptr_array_index(all, i))->has_no_frag_sites = is_sampled;
	}
}

static void note_foreign(struct hakstat_summary *s, unsigned count)
{
	if (count) {
		hakstat_summary_note(s, "%u process%s that the recorded command did not start %s left out",
				     count, count == 1 ? "" : "es", count == 1 ? "was" : "were");
	}
}

static void finish_processes(struct hakstat_model *m)
{
	const GPtrArray *all = m->roster.processes;
	unsigned foreign = 0;

	prefer_sampled_sites(all);
	for (guint i = 0; i < all->len; i++) {
		struct hakstat_process *p = g_ptr_array_index(all, i);
		if (p->is_foreign) {
			foreign++;
			continue;
		}
		struct hakstat_process *shared = hakstat_roster_anonymous(&m->roster, p->session);
		release_pending(m, p);
		lend_classes(&m->roster, p);
		if (p != shared) {
			hakstat_process_finish(p, shared, m->summary, m->symbolizer);
		}
	}
	note_foreign(m->summary, foreign);
	for (guint i = 0; i < all->len; i++) {
		struct hakstat_process *p = g_ptr_array_index(all, i);
		if (p == hakstat_roster_anonymous(&m->roster, p->session)) {
			finish_anonymous(m, p);
		}
	}
}

struct hakstat_summary *hakstat_model_finish(struct hakstat_model *m)
{
	struct hakstat_summary *s = m->summary;

	finish_processes(m);
	hakstat_summary_end_traces(s);
	hakstat_timeline_finish(m->timelines[s->mode], s);
	if (s->malformed) {
		hakstat_summary_note(s, "%" PRIu64 " record%s had impossible values and %s left out",
				     s->malformed, s->malformed == 1 ? "" : "s",
				     s->malformed == 1 ? "was" : "were");
	}
	m->summary = hakstat_summary_new();
	return s;
}
