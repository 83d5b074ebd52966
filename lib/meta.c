/* SPDX-License-Identifier: MIT */
/* One lock, a chunk used up from both ends, one free list for each power of two. */
#include "meta.h"

#include <string.h>

#include "lock.h"
#include "os.h"

enum {
	SMALLEST_LOG2 = 6,
	LARGEST_LOG2 = 20,
	SMALL = 1024,	 /* from the end of a chunk: the first stacks share a page with the library's data */
	CHUNK = 1 << 20, /* address space only: untouched pages cost nothing */
	/* Beside the data: a small program needs no mapping for records. With what follows it ends with a
	   page. */
	FIRST_CHUNK = 23 << 10,
};

struct free_record {
	struct free_record *next;
};

static struct {
	struct hak_lock lock;
	char *at, *end;
	_Atomic(uint64_t) bytes; /* changed with the lock held */
	struct free_record *free[LARGEST_LOG2 - SMALLEST_LOG2 + 1];
} meta;

static unsigned size_index(size_t bytes)
{
	unsigned log2 = SMALLEST_LOG2;
	while (((size_t)1 << log2) < bytes) {
		log2++;
	}
	return log2 - SMALLEST_LOG2;
}

static char first_chunk[FIRST_CHUNK] HAK_ALIGNED(HAK_CACHE_LINE);

/* The rest of the former chunk is left: never more than what did not fit. */
static int open_chunk(size_t bytes)
{
	void *chunk = first_chunk;
	size_t size = sizeof first_chunk;
	if (meta.bytes || bytes > size) {
		size = CHUNK;
		int error = hak_os_map(size, &chunk);
		if (error) {
			return error;
		}
		hak_os_huge_pages(chunk, size, 0);
	}
	meta.at = chunk;
	meta.end = meta.at + size;
	meta.bytes += size;
	return 0;
}

/* With the lock held. */
static void *bump(size_t bytes)
{
	if ((size_t)(meta.end - meta.at) < bytes && open_chunk(bytes) != 0) {
		return NULL;
	}
	if (bytes <= SMALL) {
		return meta.end -= bytes;
	}
	meta.at += bytes;
	return meta.at - bytes;
}

void *hak_meta_alloc(size_t bytes)
{
	unsigned index = size_index(bytes);
	if (index > LARGEST_LOG2 - SMALLEST_LOG2) {
		return NULL;
	}
	hak_lock_take(&meta.lock);
	struct free_record *reused = meta.free[index];
	void *record = reused;
	if (reused) {
		meta.free[index] = reused->next;
	} else {
		record = bump((size_t)1 << (index + SMALLEST_LOG2));
	}
	hak_lock_drop(&meta.lock);
	if (reused) {
		memset(record, 0, bytes);
	}
	return record;
}

void hak_meta_free(void *record, size_t bytes)
{
	struct free_record *r = record;
	unsigned index = size_index(bytes);
	hak_lock_take(&meta.lock);
	r->next = meta.free[index];
	meta.free[index] = r;
	hak_lock_drop(&meta.lock);
}

uint64_t hak_meta_bytes(void)
{
	return atomic_load_explicit(&meta.bytes, memory_order_relaxed);
}

void hak_meta_fork_lock(void)
{
	hak_lock_take(&meta.lock);
}

void hak_meta_fork_unlock(int in_child)
{
	if (in_child) {
		hak_lock_reset(&meta.lock);
	} else {
		hak_lock_drop(&meta.lock);
	}
}
