/* SPDX-License-Identifier: MIT */
/*
 * Spans: runs of 64 KiB units of the region, for slabs and for large blocks. Free runs are
 * merged with their neighbours of the same kind: dirty ones, which still hold pages and are
 * used first, and clean ones, which read as zero. Dirty runs that nobody wanted for
 * HAKMEM_PURGE_DELAY_MS give their pages back. A few spans that were freed just now are kept
 * apart, to be had without the lock; they count as dirty and join those with each purge, and
 * whenever no run is long enough.
 *
 * One lock; callers hold no other lock below it. Nothing here calls a tracer, but for the function that a
 * purge is given.
 */
#ifndef HAK_LIB_PAGE_HEAP_H
#define HAK_LIB_PAGE_HEAP_H

#include "superslab.h"

struct hak_page_heap_stats {
	uint64_t mapped, used, dirty, purged, superslabs; /* bytes but the last */
};

/* Where a span may come from: what holds pages, what holds none, both, or new address space, too. */
enum hak_growth { HAK_DIRTY_ONLY, HAK_CLEAN_ONLY, HAK_NO_GROWTH, HAK_MAY_GROW };

/*
 * A span of `units` (1..2^29), its first unit a multiple of `align_units` (a power of two).
 * kind is SPAN_NONE until the caller sets it, `units` and `head` are set. *zeroed tells
 * whether it reads as zero. NULL when the region is full or the system has no memory.
 */
HAK_HIDDEN struct hak_span *hak_span_alloc(uint32_t units, uint32_t align_units, enum hak_growth growth,
					   bool *zeroed);

/* Memory whose pages are to be fetched, by hak_os_populate. */
struct hak_pages {
	void *start;
	size_t bytes; /* 0: none */
};

/*
 * The same for a span of which every page will be used. Once the heap is large, it comes from memory that
 * holds pages, or from a new superslab, not from open space without. The superslab is put into *fetch, which
 * is left alone otherwise: the caller fetches it, for that takes long, as soon as it holds no lock. It may be
 * in use elsewhere by then.
 */
HAK_HIDDEN struct hak_span *hak_span_alloc_sure(uint32_t units, enum hak_growth growth, bool *zeroed,
						struct hak_pages *fetch);

/* Gives a span back, as HAK_SPAN_DIRTY, or as HAK_SPAN_CLEAN: it reads as zero and holds no page. */
HAK_HIDDEN void hak_span_free(struct hak_span *span, enum hak_span_kind as);

/* The same for one whose like is wanted again soon: it is kept, in place of another. */
HAK_HIDDEN void hak_span_keep(struct hak_span *span);

/* A kept span of so many units, its kind still HAK_SPAN_BUSY, or NULL. Its pages are dirty. */
HAK_HIDDEN struct hak_span *hak_span_reuse(uint32_t units);

/* Takes the free units behind a span until it has `units`; false when they are in use. */
HAK_HIDDEN bool hak_span_grow(struct hak_span *span, uint32_t units);

/* Gives the units from `units` on back, as hak_span_free does. */
HAK_HIDDEN void hak_span_cut(struct hak_span *span, uint32_t units, enum hak_span_kind as);

/* Hears what was given back: so many bytes at `start`, or, when that is NULL, at places that are forgotten.
 */
typedef void hak_purged_fn(void *start, uint64_t bytes);

/*
 * Purges dirty runs older than delay_ms, up to 512 of them. Returns the bytes given back. `tell`, unless it
 * is NULL, is called for each run without the lock. One thread purges at a time, others return 0.
 */
HAK_HIDDEN uint64_t hak_page_heap_purge(uint64_t now_ms, uint64_t delay_ms, hak_purged_fn *tell);

/* The same for all dirty runs. */
HAK_HIDDEN uint64_t hak_page_heap_purge_all(hak_purged_fn *tell);

/* Adds what others gave back to the total. */
HAK_HIDDEN void hak_page_heap_count_purged(uint64_t bytes);

/* The next superslab that came into use or gave its pages back, for tracers. False: there is none. */
HAK_HIDDEN bool hak_page_heap_next_change(struct hak_superslab_change *change);

/* As they stand, where the lock cannot be had for a tenth of a second: a signal handler may ask. */
HAK_HIDDEN void hak_page_heap_stats(struct hak_page_heap_stats *out);

HAK_HIDDEN void hak_page_heap_fork_lock(void);
HAK_HIDDEN void hak_page_heap_fork_unlock(int in_child);

#endif
