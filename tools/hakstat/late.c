/* SPDX-License-Identifier: MIT */
/*
 * Batches are read twice: where the snapshot lies in one, then what comes before that.
 */
#include "late.h"

#include <glib.h>
#include <stdlib.h>

#include "hakmem_ops_word.h"
#include "hakmem_route_list.h"
#include "number.h"

/* Operations of a batch: those before `cut` belong to the snapshot, those from `stop` on do not. */
struct place {
	uint32_t cut, stop;
};

static struct place place_of(const struct hakstat_late *late, const struct hakstat_late_batch *batch)
{
	uint64_t seen[HAKSTAT_MAX_CLASSES][2] = { 0 };
	struct place place = { 0, 0 };
	struct hak_ops_operation op;
	struct hak_ops_reader reader;

	hak_ops_read_begin(&reader, batch->words, batch->units);
	for (; hak_ops_read(&reader, &op) > 0; place.stop++) {
		const struct hakstat_late_class *c = &late->classes[op.class_id];
		bool is_free = op.kind == HAK_WORD_FREE;
		int64_t missing = is_free ? c->frees : c->allocs;
		if (op.kind == HAK_WORD_RESIZE) {
			continue;
		}
		if ((int64_t)seen[op.class_id][is_free] >= missing) {
			break;
		}
		seen[op.class_id][is_free]++;
		place.cut = place.stop + 1;
	}
	return place;
}

static uint64_t usable_of(const struct hak_ops_operation *op, const struct hakstat_late_batch *batch)
{
	return op->usable ? op->usable : batch->block[op->class_id];
}

/* It may be one of those that the snapshot counts. */
static void note_candidate(struct hakstat_late_class *c, uint32_t tid, uint64_t requested)
{
	c->is_contested |= c->has_tid && c->tid != tid;
	c->min = c->has_tid ? MIN(c->min, requested) : requested;
	c->max = c->has_tid ? MAX(c->max, requested) : requested;
	c->has_tid = true;
	c->tid = tid;
}

static void take_alloc(struct hakstat_late_class *c, const struct hak_ops_operation *op, uint64_t usable)
{
	c->allocs--;
	c->bytes -= (int64_t)usable;
	c->told.allocs++;
	c->told.requested += op->requested;
	c->told.usable += usable;
}

static void take_free(struct hakstat_late_class *c, const struct hak_ops_operation *op, uint64_t usable)
{
	c->frees--;
	c->bytes += (int64_t)usable;
	if (op->flags & HAK_OP_UNTRACED) {
		c->told.untraced++;
		c->told.untraced_usable += usable;
		return;
	}
	c->told.frees++;
	c->told.freed_requested += op->requested;
	c->told.freed_usable += usable;
}

static void take_counted(struct hakstat_late_class *c, const struct hakstat_late_batch *batch,
			 const struct hak_ops_operation *op)
{
	c->taken++;
	if (op->kind == HAK_WORD_FREE) {
		take_free(c, op, usable_of(op, batch));
	} else {
		take_alloc(c, op, usable_of(op, batch));
	}
}

/* `usable`: what the block takes more than before, where blocks differ. */
static void take_resize(struct hakstat_late_class *c, const struct hak_ops_operation *op, int64_t usable)
{
	if (op->flags & HAK_OP_UNTRACED) {
		c->told.frees--; /* as hakstat_tally_resize */
		c->told.untraced++;
		c->told.resized += (int64_t)op->requested;
		return;
	}
	c->told.resized += (int64_t)(op->requested - op->old_requested);
	c->told.regrown += usable;
	c->bytes -= usable;
}

/* A resize that no counter places: a large one shows in the bytes. */
static void weigh_resize(struct hakstat_late_class *c, const struct hak_ops_operation *op, int64_t usable)
{
	if (usable && llabs(c->bytes - usable) < llabs(c->bytes)) {
		take_resize(c, op, usable);
	} else if (!usable) {
		c->resized += (uint64_t)llabs((int64_t)(op->requested - op->old_requested));
	}
}

static int64_t growth_of(const struct hakstat_late_batch *batch, const struct hak_ops_operation *op)
{
	uint64_t mask = 4095;

	if (batch->block[op->class_id] || (op->flags & HAK_OP_UNTRACED)) {
		return 0;
	}
	return (int64_t)(op->usable - ((MAX(op->old_requested, 1) + mask) & ~mask));
}

static void take_operation(struct hakstat_late *late, const struct hakstat_late_batch *batch,
			   const struct hak_ops_operation *op, struct place place, uint32_t at)
{
	struct hakstat_late_class *c = &late->classes[op->class_id];

	if (op->usable > HAKSTAT_MOST || op->old_requested > HAKSTAT_MOST) {
		return; /* the tally leaves it out as well */
	}
	if (op->kind == HAK_WORD_RESIZE) {
		if (at < place.cut) {
			take_resize(c, op, growth_of(batch, op));
		} else if (at < place.stop) {
			weigh_resize(c, op, growth_of(batch, op));
		}
		return;
	}
	note_candidate(c, batch->tid, op->requested);
	if (at < place.cut) {
		take_counted(c, batch, op);
	}
}

void hakstat_late_take(struct hakstat_late *late, const struct hakstat_late_batch *batch)
{
	struct hak_ops_operation op;
	struct hak_ops_reader reader;
	struct place place;

	if (!batch->is_first && batch->before_ns > late->time_ns) {
		return;
	}
	place = place_of(late, batch);
	hak_ops_read_begin(&reader, batch->words, batch->units);
	for (uint32_t at = 0; hak_ops_read(&reader, &op) > 0; at++) {
		take_operation(late, batch, &op, place, at);
	}
}

double hakstat_late_doubt(const struct hakstat_late_class *c, double range)
{
	double early = (double)(MAX(-c->allocs, 0) + MAX(-c->frees, 0));
	double contested = c->is_contested ? (double)c->taken * (double)(c->max - c->min) : 0;

	return early * range + contested + (double)c->resized;
}
