/* SPDX-License-Identifier: MIT */
/*
 * Sums, stacks and live blocks of sampled allocations.
 */
#include "samples.h"

#include <string.h>

struct live_sample {
	struct hakstat_site *site;
	double weight;
	uint64_t requested, usable;
	uint32_t reason;
	struct hakstat_course course;
	GList link; /* among the live ones of its class */
};

static guint stack_hash(gconstpointer key)
{
	const struct hakstat_stack *stack = key;
	uint64_t hash = 1469598103934665603u;

	for (uint32_t i = 0; i < stack->depth; i++) {
		hash = (hash ^ stack->frames[i]) * 1099511628211u;
		hash ^= hash >> 32;
	}
	return (guint)hash;
}

static gboolean stack_equal(gconstpointer a, gconstpointer b)
{
	const struct hakstat_stack *x = a;
	const struct hakstat_stack *y = b;

	return x->depth == y->depth &&
	       (x->depth == 0 || memcmp(x->frames, y->frames, x->depth * sizeof *x->frames) == 0);
}

static guint site_hash(gconstpointer key)
{
	const struct hakstat_site *site = key;

	return g_direct_hash(site->stack) * 31u + site->class_id;
}

static gboolean site_equal(gconstpointer a, gconstpointer b)
{
	const struct hakstat_site *x = a;
	const struct hakstat_site *y = b;

	return x->stack == y->stack && x->class_id == y->class_id;
}

static void stack_free(void *data)
{
	struct hakstat_stack *stack = data;

	g_free(stack->frames);
	g_free(stack);
}

void hakstat_samples_init(struct hakstat_samples *samples)
{
	memset(samples, 0, sizeof *samples);
	samples->stack_by_id = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, stack_free);
	samples->stack_by_frames = g_hash_table_new_full(stack_hash, stack_equal, stack_free, NULL);
	for (int i = 0; i < HAKSTAT_SITE_SOURCES; i++) {
		samples->sites[i] = g_hash_table_new_full(site_hash, site_equal, g_free, NULL);
	}
	samples->sizes = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
	samples->live = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

void hakstat_samples_clear(struct hakstat_samples *samples)
{
	g_hash_table_destroy(samples->live);
	for (int i = 0; i < HAKSTAT_SITE_SOURCES; i++) {
		g_hash_table_destroy(samples->sites[i]);
	}
	g_hash_table_destroy(samples->stack_by_frames);
	g_hash_table_destroy(samples->stack_by_id);
	g_hash_table_destroy(samples->sizes);
	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		g_free(samples->reasons[i]);
		hakstat_class_course_clear(&samples->courses[i]);
	}
	hakstat_tally_clear(&samples->tally);
}

static uint64_t size_key(uint32_t class_id, uint32_t bucket)
{
	return (uint64_t)class_id << 32 | bucket;
}

const struct hakstat_size_sums *hakstat_samples_of_size(const struct hakstat_samples *samples,
							uint32_t class_id, uint32_t bucket)
{
	uint64_t key = size_key(class_id, bucket);

	return g_hash_table_lookup(samples->sizes, &key);
}

static struct hakstat_stack *stack_new(const uint64_t *frames, uint32_t depth)
{
	struct hakstat_stack *stack = g_new0(struct hakstat_stack, 1);

	stack->frames = g_memdup2(frames, depth * sizeof *frames);
	stack->depth = depth;
	return stack;
}

/* The frames come with the first sample of an id; buffers of several CPUs may swap two samples. */
static const struct hakstat_stack *stack_of_id(struct hakstat_samples *samples,
					       const struct hakstat_event_op *op)
{
	gpointer id = GUINT_TO_POINTER(op->stack_id);
	struct hakstat_stack *stack = g_hash_table_lookup(samples->stack_by_id, id);

	if (!stack) {
		stack = stack_new(op->stack, op->depth);
		g_hash_table_insert(samples->stack_by_id, id, stack);
	} else if (stack->depth == 0 && op->depth) {
		stack->frames = g_memdup2(op->stack, op->depth * sizeof *op->stack);
		stack->depth = op->depth;
	}
	return stack;
}

static const struct hakstat_stack *stack_of_frames(struct hakstat_samples *samples,
						   const struct hakstat_event_op *op)
{
	struct hakstat_stack wanted = { .depth = op->depth };
	struct hakstat_stack *stack;

	wanted.frames = g_memdup2(op->stack, op->depth * sizeof *op->stack);
	stack = g_hash_table_lookup(samples->stack_by_frames, &wanted);
	g_free(wanted.frames);
	if (!stack) {
		stack = stack_new(op->stack, op->depth);
		g_hash_table_add(samples->stack_by_frames, stack);
	}
	return stack;
}

static struct hakstat_site *site_at(GHashTable *sites, const struct hakstat_stack *stack, uint32_t class_id)
{
	struct hakstat_site wanted = { .stack = stack, .class_id = class_id };
	struct hakstat_site *site = g_hash_table_lookup(sites, &wanted);

	if (!site) {
		site = g_new0(struct hakstat_site, 1);
		site->stack = stack;
		site->class_id = class_id;
		site->min = UINT64_MAX;
		g_hash_table_add(sites, site);
	}
	return site;
}

static void add_sample(struct hakstat_sample_sums *sums, const struct hakstat_event_op *op)
{
	struct hakstat_sample_part part =
		hakstat_sample_part(op->weight, (double)op->requested, (double)op->usable);

	hakstat_sample_sums_add(sums, &part, 1);
}

static struct hakstat_size_sums *size_at(struct hakstat_samples *samples, uint32_t class_id,
					 uint64_t requested)
{
	uint64_t key = size_key(class_id, hakstat_bucket_of(requested));
	struct hakstat_size_sums *sums = g_hash_table_lookup(samples->sizes, &key);

	if (!sums) {
		sums = g_new0(struct hakstat_size_sums, 1);
		g_hash_table_insert(samples->sizes, g_memdup2(&key, sizeof key), sums);
	}
	return sums;
}

static void add_to_class(struct hakstat_samples *samples, const struct hakstat_event_op *op)
{
	if (!samples->reasons[op->class_id]) {
		samples->reasons[op->class_id] = g_new0(struct hakstat_sample_sums, HAKSTAT_REASONS);
	}
	add_sample(&samples->classes[op->class_id], op);
	add_sample(&samples->reasons[op->class_id][op->reason], op);
	add_sample(&size_at(samples, op->class_id, op->requested)->sums, op);
}

/* `by` is 1 when a block comes and -1 when it goes. */
static void add_live(struct hakstat_samples *samples, const struct live_sample *sample, int by)
{
	uint32_t class_id = sample->site->class_id;
	struct hakstat_sample_part part =
		hakstat_sample_part(sample->weight, (double)sample->requested, (double)sample->usable);

	hakstat_sample_sums_add(&samples->live_classes[class_id], &part, by);
	hakstat_sample_sums_add(&size_at(samples, class_id, sample->requested)->live, &part, by);
	hakstat_sample_sums_add(&sample->site->live, &part, by);
}

static struct hakstat_site *add_to_site(GHashTable *sites, const struct hakstat_stack *stack,
					const struct hakstat_event_op *op)
{
	struct hakstat_site *site = site_at(sites, stack, op->class_id);

	add_sample(&site->sums, op);
	site->min = MIN(site->min, op->requested);
	site->max = MAX(site->max, op->requested);
	return site;
}

static struct hakstat_tally_op tally_op(uint32_t class_id, const struct live_sample *sample)
{
	return (struct hakstat_tally_op) {
		.class_id = class_id,
		.reason = sample->reason,
		.requested = sample->requested,
		.usable = sample->usable,
		.weight = (uint64_t)(sample->weight * HAKSTAT_WEIGHT_ONE + 0.5),
	};
}

static void forget_live(struct hakstat_samples *samples, uint64_t ptr)
{
	struct live_sample *sample = g_hash_table_lookup(samples->live, &ptr);
	struct hakstat_tally_op counted;

	if (sample) {
		counted = tally_op(sample->site->class_id, sample);
		hakstat_tally_free(&samples->tally, &counted);
		add_live(samples, sample, -1);
		hakstat_class_course_part(&samples->courses[sample->site->class_id], &sample->course,
					  sample->weight);
		g_queue_unlink(&samples->live_of[sample->site->class_id], &sample->link);
		g_hash_table_remove(samples->live, &ptr);
	}
}

void hakstat_samples_alloc(struct hakstat_samples *samples, const struct hakstat_event_op *op)
{
	struct live_sample *sample = g_new0(struct live_sample, 1);
	struct hakstat_tally_op counted;

	forget_live(samples, op->ptr); /* its free was lost */
	sample->site = add_to_site(samples->sites[HAKSTAT_SITE_SAMPLE], stack_of_id(samples, op), op);
	sample->weight = op->weight;
	sample->requested = op->requested;
	sample->usable = op->usable;
	sample->reason = op->reason;
	counted = tally_op(op->class_id, sample);
	add_to_class(samples, op);
	add_live(samples, sample, 1);
	g_hash_table_replace(samples->live, g_memdup2(&op->ptr, sizeof op->ptr), sample);
	sample->link.data = sample;
	g_queue_push_tail_link(&samples->live_of[op->class_id], &sample->link);
	hakstat_tally_alloc(&samples->tally, &counted);
}

/* Takes the sample out from under its address. */
static struct live_sample *steal(struct hakstat_samples *samples, uint64_t ptr)
{
	gpointer key, sample;

	if (!g_hash_table_steal_extended(samples->live, &ptr, &key, &sample)) {
		return NULL;
	}
	g_free(key);
	return sample;
}

void hakstat_samples_resize(struct hakstat_samples *samples, const struct hakstat_event_op *op)
{
	struct live_sample *sample = steal(samples, op->old_ptr);
	struct hakstat_tally_op before, now;

	if (!sample) {
		return; /* it is older than the trace, or its allocation was lost */
	}
	if (op->ptr != op->old_ptr) {
		forget_live(samples, op->ptr);
	}
	before = tally_op(sample->site->class_id, sample);
	add_live(samples, sample, -1);
	sample->requested = op->requested;
	sample->usable = op->usable;
	add_live(samples, sample, 1);
	now = tally_op(sample->site->class_id, sample);
	hakstat_tally_replace(&samples->tally, &before, &now);
	g_hash_table_replace(samples->live, g_memdup2(&op->ptr, sizeof op->ptr), sample);
}

void hakstat_samples_free(struct hakstat_samples *samples, const struct hakstat_event_op *op)
{
	forget_live(samples, op->ptr);
}

void hakstat_samples_mark_peak(struct hakstat_samples *samples)
{
	GHashTableIter iter;
	gpointer value;

	if (!hakstat_tally_mark_peak(&samples->tally)) {
		return;
	}
	g_hash_table_iter_init(&iter, samples->sizes);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct hakstat_size_sums *size = value;
		size->peak = size->live;
	}
}

/* Linearized as in domain.c: all live blocks' bytes are known, so what errs is each sample's part of them. */
void hakstat_samples_pass(struct hakstat_samples *samples, uint32_t class_id, int64_t time_ns,
			  uint64_t usable)
{
	const struct hakstat_sample_sums *live = &samples->live_classes[class_id];
	double step = hakstat_class_course_step(&samples->courses[class_id], time_ns);
	double scale = live->usable > 0 ? (double)usable / live->usable : 0;
	double part = live->usable > 0 ? live->requested / live->usable : 0;

	for (const GList *l = samples->live_of[class_id].head; l; l = l->next) {
		struct live_sample *sample = l->data;
		double residual = (double)sample->requested - part * (double)sample->usable;
		hakstat_course_go_on(&sample->course, step, scale * residual, scale);
	}
}

struct hakstat_sample_sums hakstat_samples_areas(const struct hakstat_samples *samples, uint32_t class_id)
{
	struct hakstat_sample_sums sums = hakstat_class_course_gone(&samples->courses[class_id]);

	for (const GList *l = samples->live_of[class_id].head; l; l = l->next) {
		const struct live_sample *sample = l->data;
		hakstat_course_add(&sums, &sample->course, sample->weight);
	}
	return sums;
}

void hakstat_samples_frag(struct hakstat_samples *samples, const struct hakstat_event_op *op)
{
	add_to_site(samples->sites[HAKSTAT_SITE_FRAG], stack_of_frames(samples, op), op);
}
