/* SPDX-License-Identifier: MIT */
/*
 * Hash tables of growing size, searched one after the other: a small program touches a few
 * pages, a large one gets room for some 350,000 stacks. A stack is known by a 64-bit hash of
 * its frames alone: among a million stacks two share one with a chance of 3 in 10^8.
 */
#include "stack_table.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

enum {
	TABLES = 5,
	FIRST_LOG2 = 10,
	STEP_LOG2 = 2,
	PROBES = 16,
};

struct slot {
	_Atomic(uint64_t) hash; /* 0: empty */
	_Atomic(uint64_t) told; /* told_pack: when the frames were written; 0: never */
};

/* Milliseconds from one writing of the frames to the next; the last goes on for ever. */
static const uint64_t repeat_ms[] = { 100, 1000, 10000 };

/* One word: the time of the last writing, how many there were (at most 3), for whom. */
static uint64_t told_pack(uint64_t now_ms, unsigned times, uint32_t listeners)
{
	return now_ms << 24 | (uint64_t)times << 16 | (listeners & 0xffff);
}

static _Atomic(struct slot *) tables[TABLES];

static uint32_t slots_of(unsigned table)
{
	return 1u << (FIRST_LOG2 + STEP_LOG2 * table);
}

/* The number of the first slot of a table, from 1. */
static uint32_t first_id(unsigned table)
{
	uint32_t id = 1;
	for (unsigned i = 0; i < table; i++) {
		id += slots_of(i);
	}
	return id;
}

static uint64_t hash_of(const uint64_t *frames, uint32_t depth)
{
	uint64_t h = depth;
	for (uint32_t i = 0; i < depth; i++) {
		h = (h ^ frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h ? h : 1;
}

static struct slot *table_get(unsigned table)
{
	struct slot *t = atomic_load_explicit(&tables[table], memory_order_acquire);
	struct slot *none = NULL;
	size_t bytes = slots_of(table) * sizeof *t;

	if (t) {
		return t;
	}
	t = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (t == MAP_FAILED) {
		return NULL;
	}
	if (!atomic_compare_exchange_strong(&tables[table], &none, t)) {
		munmap(t, bytes);
		t = none;
	}
	return t;
}

/* Finds the hash or an empty slot to put it, within a few steps of its place. */
static struct slot *slot_find(struct slot *t, uint32_t slots, uint64_t hash)
{
	for (uint32_t i = 0; i < PROBES; i++) {
		struct slot *s = &t[(hash + i) & (slots - 1)];
		uint64_t there = atomic_load_explicit(&s->hash, memory_order_relaxed);
		if (there == hash || (there == 0 && (atomic_compare_exchange_strong(&s->hash, &there, hash) ||
						     there == hash))) {
			return s;
		}
	}
	return NULL;
}

/* One of several threads that come at once is told so. */
static bool slot_is_due(struct slot *s, uint32_t listeners, uint64_t now_ms)
{
	uint64_t told = atomic_load_explicit(&s->told, memory_order_relaxed);
	unsigned times = told >> 16 & 0xff;
	if (told == 0 || (told & 0xffff) != (listeners & 0xffff)) {
		times = 0;
	} else if (now_ms < (told >> 24) + repeat_ms[times - 1]) {
		return false;
	}
	times += times < 3;
	return atomic_compare_exchange_strong(&s->told, &told, told_pack(now_ms, times, listeners));
}

uint32_t hak_stack_id(const uint64_t *frames, uint32_t depth, uint32_t listeners, uint64_t now_ns,
		      bool *is_due)
{
	uint64_t hash = hash_of(frames, depth);
	for (unsigned table = 0; table < TABLES; table++) {
		struct slot *t = table_get(table);
		struct slot *s = t ? slot_find(t, slots_of(table), hash) : NULL;
		if (s) {
			*is_due = slot_is_due(s, listeners, now_ns / 1000000);
			return first_id(table) + (uint32_t)(s - t);
		}
	}
	*is_due = true;
	return 0;
}
