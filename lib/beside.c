/* SPDX-License-Identifier: MIT */
/* Requested sizes and samples, beside the slabs. */
#include "beside.h"

#include <string.h>

#include "class_map.h"
#include "lock.h"
#include "slab.h"

enum { WASTE_MAX = UINT16_MAX - 1 };

atomic_uint hak_beside_now;
static struct hak_lock emptying;

static const struct hak_geometry *geometry(unsigned bin)
{
	return &hak_class_map.geometry[bin];
}

/* Blocks that have a slab of their own keep their waste as one 32-bit number. */
static bool is_wide(unsigned bin)
{
	return geometry(bin)->capacity == 1;
}

size_t hak_beside_bytes(enum hak_slab_kind kind, unsigned bin)
{
	uint32_t blocks = geometry(bin)->capacity;
	if (kind == HAK_SLAB_SAMPLED) {
		return blocks * sizeof(struct hak_trace_sample);
	}
	return sizeof(struct hak_beside) + (is_wide(bin) ? sizeof(uint32_t) : blocks * sizeof(uint16_t));
}

void hak_beside_switch(bool on)
{
	unsigned now = atomic_load_explicit(&hak_beside_now, memory_order_relaxed);
	if ((now & 1) != on) { /* when it fails, another thread has done it */
		atomic_compare_exchange_strong(&hak_beside_now, &now, now + 1);
	}
}

/* The array of a slab, emptied when an earlier tracing wrote it. */
static struct hak_beside *current_array(struct hak_span *slab, bool make)
{
	struct hak_beside *b = hak_slab_beside(slab, make);
	uint32_t now = hak_beside_generation();
	if (b && __atomic_load_n(&b->generation, __ATOMIC_ACQUIRE) != now) {
		/* Threads that hold blocks of one slab come here together; what the first then writes stays.
		 */
		hak_lock_take(&emptying);
		if (b->generation != now) {
			memset(b->waste, 0, hak_beside_bytes(slab->slab_kind, slab->bin) - sizeof *b);
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

void hak_beside_forget(const struct hak_span *slab)
{
	struct hak_traced_unit *t = &hak_region.traced[hak_span_unit(slab)];
	for (uint32_t i = 0; i < slab->units; i++) {
		__atomic_store_n(&t[i].generation, 0, __ATOMIC_RELAXED);
	}
}

void hak_beside_set(void *block, size_t requested)
{
	struct hak_span *slab = hak_slab_of(block);
	struct hak_beside *b = slab ? current_array(slab, true) : NULL;
	if (!b) {
		return;
	}
	uint32_t waste = geometry(slab->bin)->block - (uint32_t)requested;
	if (is_wide(slab->bin)) {
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
	if (is_wide(slab->bin)) {
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
