/* SPDX-License-Identifier: MIT */
/* Segregated lists of free runs. */
#include "runs.h"

enum { SCAN = 32 }; /* runs looked at in a list of mixed lengths */

static unsigned list_of(uint32_t units)
{
	if (units <= HAK_RUN_EXACT) {
		return units - 1;
	}
	unsigned log2 = 31 - (unsigned)__builtin_clz(units);
	return HAK_RUN_EXACT + (log2 - 6) * 4 + ((units >> (log2 - 2)) & 3);
}

void hak_runs_add(struct hak_runs *runs, uint32_t unit)
{
	struct hak_span *head = hak_span_at(unit);
	struct hak_span *tail = hak_span_at(unit + head->units - 1);
	unsigned list = list_of(head->units);

	hak_span_set_kind(tail, hak_span_kind_of(head));
	tail->units = head->units;
	head->previous = HAK_NO_UNIT;
	head->next = runs->lists[list] ? runs->lists[list] - 1 : HAK_NO_UNIT;
	if (head->next != HAK_NO_UNIT) {
		hak_span_at(head->next)->previous = unit;
	}
	runs->lists[list] = unit + 1;
	runs->used[list / 64] |= (uint64_t)1 << (list % 64);
	runs->units += head->units;
}

void hak_runs_remove(struct hak_runs *runs, uint32_t unit)
{
	struct hak_span *head = hak_span_at(unit);
	unsigned list = list_of(head->units);

	if (head->next != HAK_NO_UNIT) {
		hak_span_at(head->next)->previous = head->previous;
	}
	if (head->previous != HAK_NO_UNIT) {
		hak_span_at(head->previous)->next = head->next;
	} else if (head->next != HAK_NO_UNIT) {
		runs->lists[list] = head->next + 1;
	} else {
		runs->lists[list] = 0;
		runs->used[list / 64] &= ~((uint64_t)1 << (list % 64));
	}
	runs->units -= head->units;
	hak_span_set_kind(hak_span_at(unit + head->units - 1), HAK_SPAN_NONE);
	hak_span_set_kind(head, HAK_SPAN_NONE);
}

/* The first list in use from `list` on, or HAK_RUN_LISTS. */
static unsigned next_used(const struct hak_runs *runs, unsigned list)
{
	for (unsigned word = list / 64; word < sizeof runs->used / sizeof runs->used[0]; word++) {
		uint64_t bits = runs->used[word];
		if (word == list / 64) {
			bits &= ~(uint64_t)0 << (list % 64);
		}
		if (bits) {
			return word * 64 + (unsigned)__builtin_ctzll(bits);
		}
	}
	return HAK_RUN_LISTS;
}

/* Among the shortest that may be long enough, those that happen to lie right. */
static uint32_t find_aligned(const struct hak_runs *runs, uint32_t units, uint32_t align)
{
	unsigned list = next_used(runs, list_of(units)), last = list_of(units + align - 1);
	for (int looks = 0; list <= last && looks < SCAN; list = next_used(runs, list + 1)) {
		uint32_t unit = runs->lists[list] - 1;
		for (; unit != HAK_NO_UNIT && looks < SCAN; looks++, unit = hak_span_at(unit)->next) {
			uint32_t from = (unit + align - 1) & ~(align - 1);
			if (from + units <= unit + hak_span_at(unit)->units) {
				return unit;
			}
		}
	}
	return HAK_NO_UNIT;
}

static uint32_t find(const struct hak_runs *runs, uint32_t units)
{
	unsigned list = list_of(units);
	if (list >= HAK_RUN_EXACT && runs->lists[list]) {
		uint32_t unit = runs->lists[list] - 1;
		for (int i = 0; i < SCAN && unit != HAK_NO_UNIT; i++, unit = hak_span_at(unit)->next) {
			if (hak_span_at(unit)->units >= units) {
				return unit;
			}
		}
		list++;
	}
	list = next_used(runs, list);
	return list < HAK_RUN_LISTS ? runs->lists[list] - 1 : HAK_NO_UNIT;
}

uint32_t hak_runs_find(const struct hak_runs *runs, uint32_t units, uint32_t align)
{
	uint32_t unit = align > 1 ? find_aligned(runs, units, align) : HAK_NO_UNIT;
	return unit != HAK_NO_UNIT ? unit : find(runs, units + align - 1);
}

uint32_t hak_runs_first(const struct hak_runs *runs, unsigned *list)
{
	*list = next_used(runs, *list);
	return *list < HAK_RUN_LISTS ? runs->lists[*list] - 1 : HAK_NO_UNIT;
}
