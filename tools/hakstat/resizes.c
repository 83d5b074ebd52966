/* SPDX-License-Identifier: MIT */
/*
 * A hash table with open addressing.
 */
#include "resizes.h"

#include <glib.h>

#include "bucket.h"

enum { FIRST_CAPACITY = 64, EXACT_INDEXES = 2 * (HAKSTAT_EXACT_SIZES / 8) + 2 };

_Static_assert(EXACT_INDEXES + HAKSTAT_WIDE_BUCKETS == HAKSTAT_RESIZE_INDEXES, "indexes of resizes");

/* Two indexes for each 8 bytes: their end, and what lies before it. */
uint32_t hakstat_resize_index(uint64_t size)
{
	if (size > HAKSTAT_EXACT_SIZES) {
		return EXACT_INDEXES + hakstat_bucket_of(size) - (HAKSTAT_EXACT_SIZES + 1);
	}
	return 2 * (uint32_t)((size + 7) / 8) + (size % 8 == 0);
}

static uint64_t size_of(uint32_t index)
{
	uint32_t above = index - EXACT_INDEXES;
	uint64_t end;

	if (index < EXACT_INDEXES) {
		return (uint64_t)(index / 2) * 8 - (index % 2 == 0);
	}
	end = (uint64_t)(HAKSTAT_SUB_BUCKETS + above % HAKSTAT_SUB_BUCKETS + 1)
	      << (above / HAKSTAT_SUB_BUCKETS + 6);
	return end ? end : UINT64_MAX; /* that of the last one is 2^64 */
}

uint32_t hakstat_resize_key(uint64_t from, uint64_t to)
{
	return hakstat_resize_index(from) << 16 | hakstat_resize_index(to);
}

uint64_t hakstat_resize_from(uint32_t key)
{
	return size_of(key >> 16);
}

uint64_t hakstat_resize_to(uint32_t key)
{
	return size_of(key & 0xffff);
}

void hakstat_resizes_clear(struct hakstat_resizes *r)
{
	g_free(r->entries);
	*r = (struct hakstat_resizes) { 0 };
}

static struct hakstat_resize *entry_of(const struct hakstat_resizes *r, uint32_t key)
{
	uint32_t at = key * UINT32_C(2654435769) >> 7;

	for (at &= r->capacity - 1; r->entries[at].key && r->entries[at].key != key;) {
		at = (at + 1) & (r->capacity - 1);
	}
	return &r->entries[at];
}

static void grow(struct hakstat_resizes *r)
{
	struct hakstat_resizes wider = { .capacity = r->capacity ? 2 * r->capacity : FIRST_CAPACITY,
					 .used = r->used };

	wider.entries = g_new0(struct hakstat_resize, wider.capacity);
	for (uint32_t i = 0; i < r->capacity; i++) {
		if (r->entries[i].key) {
			*entry_of(&wider, r->entries[i].key) = r->entries[i];
		}
	}
	g_free(r->entries);
	*r = wider;
}

void hakstat_resizes_add(struct hakstat_resizes *r, uint32_t key, uint64_t moved, uint64_t stayed)
{
	struct hakstat_resize *entry;

	if (key == 0) {
		return;
	}
	if (r->used >= r->capacity / 2) {
		grow(r);
	}
	entry = entry_of(r, key);
	r->used += entry->key == 0;
	entry->key = key;
	entry->moved += moved;
	entry->stayed += stayed;
}

void hakstat_resizes_merge(struct hakstat_resizes *to, const struct hakstat_resizes *from)
{
	for (uint32_t i = 0; i < from->capacity; i++) {
		const struct hakstat_resize *entry = &from->entries[i];
		hakstat_resizes_add(to, entry->key, entry->moved, entry->stayed);
	}
}
