/* SPDX-License-Identifier: MIT */
/*
 * The tight loop over packed operations, and its single-operation siblings.
 */
#include "tally.h"

#include <glib.h>
#include <string.h>

#include "hakmem_ops_word.h"
#include "hakmem_route_list.h"
#include "number.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

void hakstat_tally_clear(struct hakstat_tally *tally)
{
	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		if (tally->classes[i]) {
			g_free(tally->classes[i]->buckets);
			g_free(tally->classes[i]->bytes);
			g_free(tally->classes[i]);
		}
	}
	hakstat_resizes_clear(&tally->resizes);
	memset(tally, 0, sizeof *tally);
}

static __attribute__((noinline)) struct hakstat_class_tally *make_class(struct hakstat_tally *tally,
									uint32_t class_id)
{
	struct hakstat_class_tally *c = g_new0(struct hakstat_class_tally, 1);

	for (int i = 0; i < HAKSTAT_REASONS; i++) {
		c->cells[i].min = UINT64_MAX;
	}
	tally->classes[class_id] = c;
	tally->is_used = true;
	return c;
}

static inline struct hakstat_class_tally *class_at(struct hakstat_tally *tally, uint32_t class_id)
{
	struct hakstat_class_tally *c = tally->classes[class_id];

	return LIKELY(c != NULL) ? c : make_class(tally, class_id);
}

/* A zeroed array of `count` elements with the former one, which may be NULL, from `at` on. */
static void *widened(void *former, uint32_t former_count, uint32_t at, uint32_t count, size_t size)
{
	char *wider = g_malloc0_n(count, size);

	if (former) {
		memcpy(wider + at * size, former, former_count * size);
	}
	g_free(former);
	return wider;
}

/* A class's requests lie close together, so a window of buckets is kept, not all of them. */
static __attribute__((noinline)) void widen(struct hakstat_class_tally *c, uint32_t bucket)
{
	uint32_t low = bucket & ~UINT32_C(15);
	uint32_t high = (bucket | 15) + 1;
	uint32_t at;

	if (c->count) {
		low = MIN(low, c->base);
		high = MAX(high, c->base + c->count);
	}
	at = c->count ? c->base - low : 0;
	c->buckets = widened(c->buckets, c->count, at, high - low, sizeof *c->buckets);
	if (high > HAKSTAT_EXACT_SIZES) {
		c->bytes = widened(c->bytes, c->count, at, high - low, sizeof *c->bytes);
	}
	c->base = low;
	c->count = high - low;
}

static inline struct hakstat_bucket *bucket_at(struct hakstat_class_tally *c, uint64_t size)
{
	uint32_t bucket = hakstat_bucket_of(size);

	if (UNLIKELY(bucket - c->base >= c->count)) {
		widen(c, bucket);
	}
	return &c->buckets[bucket - c->base];
}

static inline void note_range(uint64_t *min, uint64_t *max, uint64_t size)
{
	if (UNLIKELY(size < *min)) {
		*min = size;
	}
	if (UNLIKELY(size > *max)) {
		*max = size;
	}
}

/* Of a bucket above HAKSTAT_EXACT_SIZES. */
static struct hakstat_bucket_bytes *bytes_at(struct hakstat_class_tally *c, const struct hakstat_bucket *b)
{
	return &c->bytes[b - c->buckets];
}

static void add_live_bytes(struct hakstat_bucket_bytes *bytes, uint64_t size, uint64_t usable, int64_t by)
{
	bytes->live_requested += by * (int64_t)size;
	bytes->live_usable += by * (int64_t)usable;
	if (bytes->max == 0) {
		bytes->min = size;
	}
	note_range(&bytes->min, &bytes->max, size);
}

/* `by`: blocks that come, or go when negative. */
static inline void add_live(struct hakstat_class_tally *c, uint64_t size, uint64_t usable, int64_t by)
{
	struct hakstat_bucket *b = bucket_at(c, size);

	b->live += by;
	if (UNLIKELY(size > HAKSTAT_EXACT_SIZES)) {
		add_live_bytes(bytes_at(c, b), size, usable, by);
	}
}

static void add_wide_alloc(struct hakstat_bucket_bytes *bytes, const struct hakstat_tally_op *op)
{
	bytes->requested += op->requested * op->weight;
	bytes->usable += op->usable * op->weight;
	add_live_bytes(bytes, op->requested, op->usable, (int64_t)op->weight);
}

static inline void count_alloc(struct hakstat_tally *tally, const struct hakstat_tally_op *op)
{
	struct hakstat_class_tally *c = class_at(tally, op->class_id);
	struct hakstat_cell *cell = &c->cells[op->reason];
	struct hakstat_bucket *b = bucket_at(c, op->requested);

	cell->allocs += op->weight;
	cell->requested += op->requested * op->weight;
	cell->usable += op->usable * op->weight;
	note_range(&cell->min, &cell->max, op->requested);
	b->allocs += op->weight;
	b->live += (int64_t)op->weight;
	if (UNLIKELY(op->requested > HAKSTAT_EXACT_SIZES)) {
		add_wide_alloc(bytes_at(c, b), op);
	}
	tally->live_bytes += (int64_t)(op->usable * op->weight);
	if (tally->live_bytes > tally->peak_bytes) {
		tally->peak_bytes = tally->live_bytes;
	}
}

static inline void count_free(struct hakstat_tally *tally, const struct hakstat_tally_op *op)
{
	struct hakstat_class_tally *c = class_at(tally, op->class_id);
	struct hakstat_cell *cell = &c->cells[op->reason];

	tally->live_bytes -= (int64_t)(op->usable * op->weight);
	if (UNLIKELY(op->flags & HAK_OP_UNTRACED)) {
		cell->untraced += op->weight;
		cell->untraced_usable += op->usable * op->weight;
		return;
	}
	cell->frees += op->weight;
	cell->freed_requested += op->requested * op->weight;
	cell->freed_usable += op->usable * op->weight;
	add_live(c, op->requested, op->usable, -(int64_t)op->weight);
}

/* What the block held before it was resized: a large one is whole pages, before as after. */
static uint64_t usable_before(const struct hakstat_tally *tally, const struct hakstat_tally_op *op,
			      uint64_t old_requested)
{
	uint64_t mask = (tally->page_size ? tally->page_size : 4096) - 1;

	return tally->block[op->class_id] ? op->usable : (MAX(old_requested, 1) + mask) & ~mask;
}

/* Returns by how much. */
static int64_t regrow(struct hakstat_tally *tally, const struct hakstat_tally_op *op, uint64_t before)
{
	int64_t by = (int64_t)((op->usable - before) * op->weight);

	tally->live_bytes += by;
	if (tally->live_bytes > tally->peak_bytes) {
		tally->peak_bytes = tally->live_bytes;
	}
	return by;
}

/*
 * The block stays, what is asked of it changes. When its former size is unknown, the block
 * comes under the trace here: it is taken for freed untraced and found again.
 */
static inline void count_resize(struct hakstat_tally *tally, const struct hakstat_tally_op *op,
				uint64_t old_requested)
{
	struct hakstat_class_tally *c = class_at(tally, op->class_id);
	struct hakstat_cell *cell = &c->cells[op->reason];
	uint64_t before = usable_before(tally, op, old_requested);

	if (op->flags & HAK_OP_UNTRACED) {
		cell->untraced += op->weight;
		cell->untraced_usable += op->usable * op->weight;
		cell->frees -= op->weight; /* modulo 2^64: only allocs - frees is made of it */
		cell->freed_usable -= op->usable * op->weight;
		cell->resized += (int64_t)(op->requested * op->weight);
	} else {
		cell->resized += (int64_t)((op->requested - old_requested) * op->weight);
		hakstat_resizes_add(&tally->resizes, hakstat_resize_key(old_requested, op->requested), 0,
				    op->weight);
		add_live(c, old_requested, before, -(int64_t)op->weight);
		if (before != op->usable) {
			cell->regrown += regrow(tally, op, before);
		}
	}
	add_live(c, op->requested, op->usable, (int64_t)op->weight);
}

static inline void note_move(struct hakstat_tally *tally, uint64_t *moving, bool is_alloc,
			     const struct hakstat_tally_op *op)
{
	if (LIKELY((op->flags & HAK_OP_RESIZE) == 0)) {
		return;
	}
	if (is_alloc) {
		*moving = op->requested + 1;
	} else if (*moving && !(op->flags & HAK_OP_UNTRACED)) {
		hakstat_resizes_add(&tally->resizes, hakstat_resize_key(op->requested, *moving - 1),
				    op->weight, 0);
		*moving = 0;
	}
}

void hakstat_tally_note_move(struct hakstat_tally *tally, uint64_t *moving, bool is_alloc,
			     const struct hakstat_tally_op *op)
{
	note_move(tally, moving, is_alloc, op);
}

void hakstat_tally_alloc(struct hakstat_tally *tally, const struct hakstat_tally_op *op)
{
	count_alloc(tally, op);
}

void hakstat_tally_free(struct hakstat_tally *tally, const struct hakstat_tally_op *op)
{
	count_free(tally, op);
}

void hakstat_tally_resize(struct hakstat_tally *tally, const struct hakstat_tally_op *op,
			  uint64_t old_requested)
{
	count_resize(tally, op, old_requested);
}

void hakstat_tally_replace(struct hakstat_tally *tally, const struct hakstat_tally_op *old,
			   const struct hakstat_tally_op *now)
{
	struct hakstat_class_tally *c = class_at(tally, old->class_id);

	add_live(c, old->requested, old->usable, -(int64_t)old->weight);
	add_live(c, now->requested, now->usable, (int64_t)now->weight);
	regrow(tally, now, old->usable);
}

static inline void count_operation(struct hakstat_tally *tally, uint64_t *moving, enum hak_word_kind kind,
				   const struct hakstat_tally_op *op, uint64_t old_requested,
				   struct hakstat_batch *batch)
{
	if (kind == HAK_WORD_ALLOC) {
		count_alloc(tally, op);
		note_move(tally, moving, true, op);
		batch->allocs++;
		batch->requested += op->requested;
		batch->usable += op->usable;
	} else if (kind == HAK_WORD_FREE) {
		count_free(tally, op);
		note_move(tally, moving, false, op);
		batch->frees++;
	} else {
		count_resize(tally, op, old_requested);
		batch->resizes++;
	}
}

void hakstat_tally_ops(struct hakstat_tally *tally, uint64_t *moving, const uint64_t *words, uint32_t units,
		       struct hakstat_batch *out)
{
	struct hakstat_batch batch = { 0 };
	struct hak_ops_operation read;
	struct hak_ops_reader reader;
	int more;

	hak_ops_read_begin(&reader, words, units);
	while ((more = hak_ops_read(&reader, &read)) > 0) {
		struct hakstat_tally_op op = {
			.class_id = read.class_id,
			.reason = read.reason,
			.flags = read.flags,
			.requested = read.requested,
			.usable = read.usable ? read.usable : tally->block[read.class_id],
			.weight = 1,
		};
		if (UNLIKELY(read.old_requested > HAKSTAT_MOST || read.usable > HAKSTAT_MOST)) {
			batch.malformed++;
			continue;
		}
		count_operation(tally, moving, read.kind, &op, read.old_requested, &batch);
	}
	out->allocs += batch.allocs;
	out->frees += batch.frees;
	out->resizes += batch.resizes;
	out->requested += batch.requested;
	out->usable += batch.usable;
	out->malformed += batch.malformed + (more < 0);
}

bool hakstat_tally_mark_peak(struct hakstat_tally *tally)
{
	if (LIKELY(tally->live_bytes <= tally->marked_bytes + tally->marked_bytes / 100)) {
		return false;
	}
	tally->marked_bytes = tally->live_bytes;
	for (int i = 0; i < HAKSTAT_MAX_CLASSES; i++) {
		struct hakstat_class_tally *c = tally->classes[i];
		for (uint32_t b = 0; c && b < c->count; b++) {
			c->buckets[b].peak = c->buckets[b].live;
		}
		for (uint32_t b = 0; c && c->bytes && b < c->count; b++) {
			c->bytes[b].peak_requested = c->bytes[b].live_requested;
			c->bytes[b].peak_usable = c->bytes[b].live_usable;
		}
	}
	return true;
}

struct hakstat_cell hakstat_tally_sum(const struct hakstat_tally *tally, uint32_t class_id)
{
	struct hakstat_cell sum = { .min = UINT64_MAX };
	const struct hakstat_class_tally *c = tally ? tally->classes[class_id] : NULL;

	for (int i = 0; c && i < HAKSTAT_REASONS; i++) {
		const struct hakstat_cell *cell = &c->cells[i];
		sum.allocs += cell->allocs;
		sum.requested += cell->requested;
		sum.usable += cell->usable;
		sum.frees += cell->frees;
		sum.freed_requested += cell->freed_requested;
		sum.freed_usable += cell->freed_usable;
		sum.untraced += cell->untraced;
		sum.untraced_usable += cell->untraced_usable;
		sum.resized += cell->resized;
		sum.regrown += cell->regrown;
		sum.min = MIN(sum.min, cell->min);
		sum.max = MAX(sum.max, cell->max);
	}
	return sum;
}
