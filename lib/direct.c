/* SPDX-License-Identifier: MIT */
/* The table of mapped blocks. */
#include "direct.h"

#include "lock.h"
#include "meta.h"
#include "os.h"

enum { BUCKETS = 256 };

struct mapping {
	struct mapping *next;
	void *start;
	struct hak_large large;
};

static struct {
	struct hak_lock lock;
	struct mapping *buckets[BUCKETS];
} table;

static struct mapping **bucket_of(const void *p)
{
	uint64_t hash = ((uint64_t)(uintptr_t)p >> 12) * 0x9e3779b97f4a7c15u;
	return &table.buckets[hash >> 56];
}

/* With the lock held: the link that points to the mapping at `p`, or to NULL. */
static struct mapping **find(const void *p)
{
	struct mapping **link = bucket_of(p);
	while (*link && (*link)->start != p) {
		link = &(*link)->next;
	}
	return link;
}

static void insert(struct mapping *m)
{
	struct mapping **bucket = bucket_of(m->start);
	m->next = *bucket;
	*bucket = m;
}

void *hak_direct_new(size_t bytes, size_t alignment)
{
	struct mapping *m = hak_meta_alloc(sizeof *m);
	if (!m) {
		return NULL;
	}
	if (hak_os_map_aligned(bytes, alignment, &m->start)) {
		hak_meta_free(m, sizeof *m);
		return NULL;
	}
	m->large.usable = bytes;
	hak_lock_take(&table.lock);
	insert(m);
	hak_lock_drop(&table.lock);
	return m->start;
}

struct hak_large *hak_direct_of(const void *p)
{
	hak_lock_take(&table.lock);
	struct mapping *m = *find(p);
	hak_lock_drop(&table.lock);
	return m ? &m->large : NULL;
}

size_t hak_direct_delete(void *p)
{
	hak_lock_take(&table.lock);
	struct mapping **link = find(p);
	struct mapping *m = *link;
	if (m) {
		*link = m->next;
	}
	hak_lock_drop(&table.lock);
	if (!m) {
		return 0;
	}
	size_t bytes = m->large.usable;
	hak_os_unmap(m->start, bytes);
	hak_meta_free(m, sizeof *m);
	return bytes;
}

void *hak_direct_resize(void *p, size_t bytes)
{
	void *moved = NULL;
	hak_lock_take(&table.lock);
	struct mapping **link = find(p);
	struct mapping *m = *link;
	if (m && hak_os_remap(p, m->large.usable, bytes, &moved) == 0) {
		*link = m->next;
		m->start = moved;
		m->large.usable = bytes;
		insert(m);
	} else {
		moved = NULL;
	}
	hak_lock_drop(&table.lock);
	return moved;
}

void hak_direct_fork_lock(void)
{
	hak_lock_take(&table.lock);
}

void hak_direct_fork_unlock(int in_child)
{
	if (in_child) {
		hak_lock_reset(&table.lock);
	} else {
		hak_lock_drop(&table.lock);
	}
}
