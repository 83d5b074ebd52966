/* SPDX-License-Identifier: MIT */
/* Requested sizes and samples, beside the slabs. */
#include "beside.h"

#include <string.h>

#include "class_map.h"
#include "lock.h"
#include "slab.h"
#include "trace.h"

enum { WASTE_MAX = UINT16_MAX - 1 };

static struct hak_lock emptying;

static const struct hak_geometry *geometry(unsigned bin)
{
	return &hak_class_map.geometry[bin];
}

/* The array of a slab, emptied when an earlier tracing wrote it. */
static struct hak_beside *current_array(struct hak_span *slab, bool make)
{
	struct hak_beside *b = hak_slab_beside(slab, make);
	uint32_t now = hak_trace_generation();
	if (b && __atomic_load_n(&b->generation, __ATOMIC_ACQUIRE) != now) {
		/* Threads that hold blocks of one slab come here together; what the first then writes stays.
		 */
		hak_lock_take(&emptying);
		if (b->generation != now) {
			memset(b->waste, 0, hak_slab_beside_bytes(slab->slab_kind, slab->bin) - sizeof *b);
			__atomic_store_n(&b->generation, now, __ATOMIC_RELEASE);
		}
		hak_lock_drop(&emptying);
	}
	return b;
}

/* For operations that need only the waste of their block (full.c). */
static void note_unit(const void *block, struct hak_beside *b)
{
	struct hak_traced_unit *t = &hak_region.traced[hak_unit_of(block)];
	__atomic_store_n(&t->waste, b->waste, __ATOMIC_RELAXED);
	__atomic_store_n(&t->generation, __atomic_load_n(&b->generation, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

void hak_beside_set(void *block, size_t requested)
{
	struct hak_span *slab = hak_slab_of(block);
	struct hak_beside *b = slab ? current_array(slab, true) : NULL;
	if (!b) {
		return;
	}
	uint32_t waste = geometry(slab->bin)->block - (uint32_t)requested;
	if (hak_slab_holds_one(slab->bin)) {
		uint32_t value = waste + 1;
		memcpy(b->waste, &value, sizeof value);
	} else {
		b->waste[hak_slab_block(slab, block)] = (uint16_t)(waste < WASTE_MAX ? waste : WASTE_MAX) + 1;
		note_unit(block, b);
	}
}

bool hak_beside_take(void *block, size_t *requested)
{
	struct hak_span *slab = hak_slab_of(block);
	struct hak_beside *b = slab ? current_array(slab, false) : NULL;
	uint32_t value = 0;
	if (!b) {
		return false;
	}
	if (hak_slab_holds_one(slab->bin)) {
		memcpy(&value, b->waste, sizeof value);
		memset(b->waste, 0, sizeof value);
	} else {
		uint16_t *entry = &b->waste[hak_slab_block(slab, block)];
		value = *entry;
		*entry = 0;
	}
	*requested = value ? geometry(slab->bin)->block - (value - 1) : 0;
	return value != 0;
}

struct hak_trace_sample *hak_beside_sample(struct hak_span *slab, void *block)
{
	struct hak_trace_sample *samples = hak_slab_beside(slab, true);
	uint32_t number = hak_slab_block(slab, block);
	return samples && number != UINT32_MAX ? &samples[number] : NULL;
}

void hak_beside_fork_lock(void)
{
	hak_lock_take(&emptying);
}

void hak_beside_fork_unlock(int in_child)
{
	if (in_child) {
		hak_lock_reset(&emptying);
	} else {
		hak_lock_drop(&emptying);
	}
}
