/* SPDX-License-Identifier: MIT */
/*
 * The one address range from which all slabs and spans come, its map of units and its span
 * table. Whether a pointer is ours, and which bin its block belongs to, follows from the
 * address alone: a subtraction, a compare and one byte.
 *
 * The range is reserved once, inaccessible, and opened from the bottom in superslab steps.
 */
#ifndef HAK_LIB_REGION_H
#define HAK_LIB_REGION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "class_map.h"
#include "compiler.h"

enum hak_span_kind {
	HAK_SPAN_NONE,	/* not the first unit of anything */
	HAK_SPAN_DIRTY, /* free, may hold pages */
	HAK_SPAN_CLEAN, /* free, reads as zero */
	HAK_SPAN_SLAB,
	HAK_SPAN_LARGE,
	HAK_SPAN_BUSY, /* in no list: being purged, kept, on the way back, or waiting for a guard to go */
};

/* Which of a class's lists a slab belongs to. */
enum hak_slab_kind {
	HAK_SLAB_PLAIN,
	HAK_SLAB_ALIGNED, /* first block at the slab's start: blocks keep their natural alignment */
	HAK_SLAB_SAMPLED, /* its units have bin 0, so that free takes the slow path */
	HAK_SLAB_KINDS,
};

/* What of a slab happened since the heap was to grow. */
enum hak_slab_rest {
	HAK_SLAB_IN_USE, /* blocks came or went */
	HAK_SLAB_IDLE,	 /* nothing, once */
	HAK_SLAB_PURGED, /* nothing, twice: its free pages are given back */
};

/* What is known of one live large block. */
struct hak_large {
	uint64_t requested;
	uint64_t usable;
	_Atomic(void *) sample; /* a hak_trace_sample, or NULL */
	bool is_moved;		/* its pages came from elsewhere: hak_region_renew before others use them */
	bool is_left;		/* its pages went elsewhere, but for what lies behind `usable` */
	uint8_t guard;		/* enum hak_os_guard: of the page behind it, in secure mode */
};

/*
 * One for each unit, backwards; describes the span whose first unit it is. Interior units of a slab
 * carry `head`; the last unit of a free run carries `units`. All else is stale there.
 */
struct hak_span {
	uint8_t kind;
	uint8_t slab_kind;
	uint8_t bin;
	uint8_t is_listed; /* in its class's list of slabs with room */
	uint32_t units;
	uint32_t head;
	uint32_t next, previous; /* lists of spans by unit number; HAK_NO_UNIT ends them */
	uint8_t rest;		 /* of a slab: enum hak_slab_rest */
	uint8_t is_bare;	 /* what was never handed out of it holds no page that could be given back */
	uint8_t superslab;	 /* of the superslab that begins here: superslab.c's */
	bool is_huge;		 /* the HAK_HUGE_PAGE that begins here was opened for one; see region.c */
	union {
		struct {
			uint32_t fresh;		/* blocks never handed out begin here */
			uint32_t returned;	/* free blocks in the bitmap */
			uint32_t out;		/* blocks in caches or with the program */
			uint32_t colour;	/* bytes before the first block */
			uint64_t *bits;		/* set: free; beyond 64 blocks */
			uint64_t few_bits;	/* the same for up to 64 blocks */
			_Atomic(void *) beside; /* what tracing knows of each block */
		} slab;
		struct hak_large large;
		struct {
			uint64_t since_ms;
		} free;
	};
};

_Static_assert(sizeof(struct hak_span) == 64, "one line for each unit");

#define HAK_NO_UNIT UINT32_MAX

/* What full tracing keeps of a unit of a slab, so that an operation need not look at the slab. */
struct hak_traced_unit {
	uint16_t *waste;     /* of the slab's blocks, hak_beside's */
	uint32_t generation; /* of the tracing in which this holds; 0: in none */
};

/* What free looks at. */
struct hak_unit {
	uint32_t first; /* in a slab: its first block's distance from `base`, modulo 2^32 */
	uint8_t bin;	/* of its blocks, 0: no plain slab */
};

struct hak_region {
	uintptr_t base;
	size_t units; /* opened so far; above it nothing is ours */
	struct hak_unit *map;
	struct hak_span *spans;		/* they end where the map begins; unit 0 last */
	struct hak_traced_unit *traced; /* no page of it is touched before the first full tracing */
	size_t reserved_units;
	size_t table_units; /* for which the tables are accessible */
};

extern HAK_HIDDEN struct hak_region hak_region;

/* Reserves. Smaller and smaller until it fits; returns 0 or -ENOMEM. Once. */
HAK_HIDDEN int hak_region_init(void);

/*
 * Opens `units` more (whole superslabs are opened ahead), for huge pages where that is asked for, and from
 * HAKMEM_HUGE_PAGES_FROM on. Returns the first unit or HAK_NO_UNIT. With the page heap's lock held.
 */
HAK_HIDDEN uint32_t hak_region_extend(uint32_t units, bool for_huge_pages, uint32_t *opened);

/*
 * Maps opened space anew. Pages that were moved to where they are keep a mapping of their
 * own, which the kernel never joins with its neighbours, and a process may have only so many
 * (vm.max_map_count). Returns 0 or -errno; the space reads as zero then.
 */
HAK_HIDDEN int hak_region_renew(void *start, size_t bytes);

HAK_INLINE size_t hak_unit_of(const void *p)
{
	return ((uintptr_t)p - hak_region.base) >> HAK_UNIT_LOG2;
}

#define HAK_HUGE_PAGE ((size_t)2 << 20)

/* Whether the place was opened for huge pages. */
HAK_HIDDEN bool hak_region_is_for_huge_pages(const void *p);

/* Grows in another thread meanwhile; whoever holds a block has seen enough of it. */
HAK_INLINE size_t hak_region_units(void)
{
	return HAK_RACY_READ(hak_region.units);
}

HAK_INLINE bool hak_region_owns(const void *p)
{
	return hak_unit_of(p) < hak_region_units();
}

HAK_INLINE struct hak_span *hak_span_at(size_t unit)
{
	return hak_region.spans - 1 - unit;
}

/* The owner of a span sets its kind without a lock; neighbours look whether it is free. */
HAK_INLINE enum hak_span_kind hak_span_kind_of(const struct hak_span *span)
{
	return (enum hak_span_kind)__atomic_load_n(&span->kind, __ATOMIC_RELAXED);
}

HAK_INLINE void hak_span_set_kind(struct hak_span *span, enum hak_span_kind kind)
{
	__atomic_store_n(&span->kind, (uint8_t)kind, __ATOMIC_RELAXED);
}

HAK_INLINE uint32_t hak_span_unit(const struct hak_span *span)
{
	return (uint32_t)(hak_region.spans - 1 - span);
}

HAK_INLINE void *hak_span_start(const struct hak_span *span)
{
	return (void *)(hak_region.base + ((uintptr_t)hak_span_unit(span) << HAK_UNIT_LOG2));
}

HAK_INLINE size_t hak_span_bytes(const struct hak_span *span)
{
	return (size_t)span->units << HAK_UNIT_LOG2;
}

#endif
