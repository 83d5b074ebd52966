/* SPDX-License-Identifier: MIT */
/* The region asked for page by page, some superslabs' worth at a time. */
#include "resident.h"

#include <string.h>

#include "os.h"

/* The kernel holds the process's map of memory for one call of this size: microseconds. */
enum { CHUNK_UNITS = 64, LEAST_PAGE = 4096, CHUNK_PAGES = CHUNK_UNITS * (HAK_UNIT / LEAST_PAGE) };

/* The large block that the scan is inside of ends before this unit. */
struct scan {
	size_t large_end;
	size_t page;
};

#define NOBODY HAK_BINS

/* Whose a unit is: a bin, 0 for a large block, or NOBODY. Its neighbours may change meanwhile. */
static unsigned owner_of(struct scan *s, size_t unit)
{
	unsigned bin = HAK_RACY_READ(hak_region.map[unit].bin);
	struct hak_span *span = hak_span_at(unit);
	if (bin) {
		return bin;
	}
	if (unit < s->large_end) {
		return 0;
	}
	if (hak_span_kind_of(span) == HAK_SPAN_LARGE) {
		s->large_end = unit + HAK_RACY_READ(span->units);
		return 0;
	}
	/* Slabs of sampled blocks are in no bin's map. */
	size_t head = HAK_RACY_READ(span->head);
	struct hak_span *slab = hak_span_at(head <= unit ? head : unit);
	bool is_inside = hak_span_kind_of(slab) == HAK_SPAN_SLAB && head + HAK_RACY_READ(slab->units) > unit;
	bin = HAK_RACY_READ(slab->bin);
	return is_inside && bin < HAK_BINS ? bin : NOBODY;
}

static size_t resident_in(const unsigned char *pages, size_t count)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		found += pages[i] & 1;
	}
	return found;
}

uint64_t hak_resident_bytes(uint64_t by_bin[HAK_BINS])
{
	struct scan s = { .page = hak_os_page_size() };
	size_t units = hak_region_units(), each = HAK_UNIT / s.page;
	unsigned char pages[CHUNK_PAGES];
	uint64_t all = 0;

	memset(by_bin, 0, HAK_BINS * sizeof *by_bin);
	for (size_t from = 0; from < units; from += CHUNK_UNITS) {
		size_t count = units - from < CHUNK_UNITS ? units - from : CHUNK_UNITS;
		void *start = (void *)(hak_region.base + ((uintptr_t)from << HAK_UNIT_LOG2));
		if (hak_os_resident(start, count << HAK_UNIT_LOG2, pages) != 0) {
			return 0;
		}
		for (size_t i = 0; i < count; i++) {
			unsigned owner = owner_of(&s, from + i);
			uint64_t bytes = resident_in(pages + i * each, each) * s.page;
			all += bytes;
			if (owner != NOBODY) {
				by_bin[owner] += bytes;
			}
		}
	}
	return all;
}
