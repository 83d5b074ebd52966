/* SPDX-License-Identifier: MIT */
/* Reservation and stepwise opening of the region and of the tables beside it. */
#include "region.h"

#include <errno.h>

#include "options.h"
#include "os.h"

struct hak_region hak_region HAK_ALIGNED(HAK_CACHE_LINE);

#define SMALLEST_RESERVE  ((size_t)16 << 20)
#define USUAL_RESERVE	  ((size_t)1 << 40)
#define LARGEST_SUPERSLAB ((size_t)32 << 20)
enum {
	TABLE_STEP = 65536, /* units whose tables are opened at a time: 5.5 MiB of address space */
	MOST_SLACK = 64,    /* so much of the region is at most spent on its alignment */
};

/* Four times the memory is more than can be used, fragmented or not. */
static size_t wanted_bytes(void)
{
	size_t wanted = USUAL_RESERVE;
	size_t limit = hak_os_address_limit();
	while (wanted / 4 < hak_os_memory() && wanted < (size_t)1 << 45) {
		wanted *= 2;
	}
	/* Under an address-space limit the program's stacks and files need their part. */
	while (limit != SIZE_MAX && wanted > limit / 4 * 3 && wanted > SMALLEST_RESERVE) {
		wanted -= wanted / 8;
		wanted &= ~(LARGEST_SUPERSLAB - 1);
	}
	return wanted;
}

/*
 * All in one mapping: what tracing keeps, the spans, growing down, the map, growing up from
 * there, and the region. So the first pages in use lie close together, and the kernel needs few
 * page tables for them. The seam lies where a page holds as many spans as units of the map.
 */
struct layout {
	size_t spans; /* from the start of the mapping: where they end and the map begins */
	size_t tables;
	size_t alignment; /* of the region behind them */
};

static struct layout lay_out(size_t units)
{
	size_t page = hak_os_page_size();
	size_t traced = hak_os_whole_pages(units * sizeof *hak_region.traced);
	size_t below = units * sizeof *hak_region.spans;
	size_t seam = page / (sizeof *hak_region.spans + sizeof *hak_region.map) * sizeof *hak_region.spans;
	struct layout l = { .alignment = LARGEST_SUPERSLAB };
	l.spans = traced + hak_os_whole_pages(below) + seam;
	l.tables = hak_os_whole_pages(l.spans + units * sizeof *hak_region.map);
	while (l.alignment > (units << HAK_UNIT_LOG2) / MOST_SLACK && l.alignment > HAK_UNIT) {
		l.alignment /= 2; /* address space is scarce */
	}
	return l;
}

int hak_region_init(void)
{
	for (size_t bytes = wanted_bytes(); bytes >= SMALLEST_RESERVE;
	     bytes = bytes / 2 & ~(LARGEST_SUPERSLAB - 1)) {
		size_t units = bytes >> HAK_UNIT_LOG2;
		struct layout l = lay_out(units);
		size_t all = l.tables + l.alignment + bytes;
		void *start;
		if (hak_os_reserve(all, &start)) {
			continue;
		}
		hak_region.traced = start;
		hak_region.spans = (struct hak_span *)(void *)((char *)start + l.spans);
		hak_region.map = (struct hak_unit *)(void *)hak_region.spans;
		hak_region.base = ((uintptr_t)start + l.tables + l.alignment - 1) & ~(l.alignment - 1);
		hak_region.reserved_units = units;
		hak_os_huge_pages(start, all, 0);
		return 0;
	}
	return -ENOMEM;
}

/* Makes [from, end) accessible, in whole pages; the outer ones may be opened twice. */
static int open_pages(void *from, void *end)
{
	uintptr_t mask = hak_os_page_size() - 1;
	uintptr_t first = (uintptr_t)from & ~mask;
	return hak_os_commit((void *)first, (((uintptr_t)end + mask) & ~mask) - first);
}

/* Opens the tables for units below `end`. */
static int open_tables(size_t end)
{
	size_t from = hak_region.table_units;
	if (end <= from) {
		return 0;
	}
	end = (end + TABLE_STEP - 1) & ~(size_t)(TABLE_STEP - 1);
	if (end > hak_region.reserved_units) {
		end = hak_region.reserved_units;
	}
	int error = open_pages(hak_region.traced + from, hak_region.traced + end);
	if (!error && from == 0) {
		error = open_pages(hak_region.spans - end, hak_region.map + end);
	} else if (!error) {
		error = open_pages(hak_region.spans - end, hak_region.spans - from);
		error = error ? error : open_pages(hak_region.map + from, hak_region.map + end);
	}
	if (!error) {
		hak_region.table_units = end;
	}
	return error;
}

/*
 * Where huge pages begin, whoever will use them: they pay once a heap is large; before, most of each is
 * waste. Below, spans say what was opened for one.
 */
static size_t all_huge_from(void)
{
	return ((size_t)hak_options.huge_pages_from + HAK_HUGE_PAGE - 1) & ~(HAK_HUGE_PAGE - 1);
}

bool hak_region_is_for_huge_pages(const void *p)
{
	size_t offset = (uintptr_t)p - hak_region.base;
	size_t first = (offset & ~(HAK_HUGE_PAGE - 1)) >> HAK_UNIT_LOG2;
	return offset >= all_huge_from() || hak_span_at(first)->is_huge;
}

static void open_for_huge_pages(size_t from, size_t end)
{
	for (size_t offset = from; offset < end && offset < all_huge_from(); offset += HAK_HUGE_PAGE) {
		hak_span_at(offset >> HAK_UNIT_LOG2)->is_huge = true;
	}
	hak_os_huge_pages((void *)(hak_region.base + from), end - from, 1);
}

uint32_t hak_region_extend(uint32_t units, bool for_huge_pages, uint32_t *opened)
{
	size_t step = hak_options.superslab_size >> HAK_UNIT_LOG2;
	size_t from = hak_region.units;
	size_t more = ((size_t)units + step - 1) / step * step;

	if (more > hak_region.reserved_units - from) {
		more = hak_region.reserved_units - from;
	}
	if (more < units || open_tables(from + more)) {
		return HAK_NO_UNIT;
	}
	void *start = (void *)(hak_region.base + (from << HAK_UNIT_LOG2));
	if (hak_os_commit(start, more << HAK_UNIT_LOG2)) {
		return HAK_NO_UNIT;
	}
	size_t huge = from << HAK_UNIT_LOG2, end = (from + more) << HAK_UNIT_LOG2;
	huge = for_huge_pages || huge > all_huge_from() ? huge : all_huge_from();
	if (huge < end) {
		open_for_huge_pages(huge, end);
	}
	/* Readers compare against `units` before they look at the tables, which are open by now. */
	__atomic_store_n(&hak_region.units, from + more, __ATOMIC_RELEASE);
	*opened = (uint32_t)more;
	return (uint32_t)from;
}

/* The neighbours' advice, or the kernel cannot join them. */
static void advise_again(size_t from, size_t end)
{
	while (from < end) {
		char *start = (char *)hak_region.base + from;
		size_t next = from < all_huge_from() ? (from / HAK_HUGE_PAGE + 1) * HAK_HUGE_PAGE : end;
		next = next < end ? next : end;
		hak_os_huge_pages(start, next - from, hak_region_is_for_huge_pages(start));
		from = next;
	}
}

int hak_region_renew(void *start, size_t bytes)
{
	int error = hak_os_renew(start, bytes);
	if (!error) {
		size_t from = (uintptr_t)start - hak_region.base;
		advise_again(from, from + bytes);
	}
	return error;
}
