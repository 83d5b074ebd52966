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
	TABLE_STEP = 65536, /* units whose tables are opened at a time: 5.3 MiB of address space */
};
/* Huge pages pay once a heap is large; before, most of each would be waste. */
#define HUGE_PAGES_FROM ((size_t)64 << 20)

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

/* Lays the tables for `units` out from `at`, each on pages of its own; returns their bytes. */
static size_t lay_out_tables(char *at, size_t units)
{
	size_t spans = hak_os_whole_pages(units * sizeof *hak_region.spans);
	size_t traced = hak_os_whole_pages(units * sizeof *hak_region.traced);
	size_t firsts = hak_os_whole_pages(units * sizeof *hak_region.firsts);
	if (at) {
		hak_region.spans = (struct hak_span *)(void *)at;
		hak_region.traced = (struct hak_traced_unit *)(void *)(at + spans);
		hak_region.firsts = (uint32_t *)(void *)(at + spans + traced);
		hak_region.bins = (uint8_t *)at + spans + traced + firsts;
	}
	return spans + traced + firsts + hak_os_whole_pages(units);
}

int hak_region_init(void)
{
	for (size_t bytes = wanted_bytes(); bytes >= SMALLEST_RESERVE;
	     bytes = bytes / 2 & ~(LARGEST_SUPERSLAB - 1)) {
		size_t units = bytes >> HAK_UNIT_LOG2;
		void *base, *tables;
		if (hak_os_reserve(bytes, LARGEST_SUPERSLAB, &base)) {
			continue;
		}
		if (hak_os_reserve(lay_out_tables(NULL, units), hak_os_page_size(), &tables)) {
			hak_os_unmap(base, bytes);
			continue;
		}
		lay_out_tables(tables, units);
		hak_region.base = (uintptr_t)base;
		hak_region.reserved_units = units;
		hak_os_huge_pages(base, bytes, 0);
		return 0;
	}
	return -ENOMEM;
}

/* Makes bytes [from, end) of a table accessible; the last page may be opened twice. */
static int open_pages(void *table, size_t from, size_t end)
{
	size_t mask = hak_os_page_size() - 1;
	from &= ~mask;
	end = (end + mask) & ~mask;
	return hak_os_commit((char *)table + from, end - from);
}

#define OPEN(table, from, end)                                                                               \
	open_pages(hak_region.table, (from) * sizeof *hak_region.table, (end) * sizeof *hak_region.table)

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
	int error = OPEN(bins, from, end);
	if (!error) {
		error = OPEN(firsts, from, end);
	}
	if (!error) {
		error = OPEN(traced, from, end);
	}
	if (!error) {
		error = OPEN(spans, from, end);
	}
	if (!error) {
		hak_region.table_units = end;
	}
	return error;
}

uint32_t hak_region_extend(uint32_t units, uint32_t *opened)
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
	if (from << HAK_UNIT_LOG2 >= HUGE_PAGES_FROM) {
		hak_os_huge_pages(start, more << HAK_UNIT_LOG2, 1);
	}
	/* Readers compare against `units` before they look at the tables, which are open by now. */
	__atomic_store_n(&hak_region.units, from + more, __ATOMIC_RELEASE);
	*opened = (uint32_t)more;
	return (uint32_t)from;
}

int hak_region_renew(void *start, size_t bytes)
{
	int error = hak_os_renew(start, bytes);
	if (!error) { /* the neighbours' advice, or the kernel cannot join them */
		hak_os_huge_pages(start, bytes, (uintptr_t)start - hak_region.base >= HUGE_PAGES_FROM);
	}
	return error;
}
