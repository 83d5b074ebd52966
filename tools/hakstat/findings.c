/* SPDX-License-Identifier: MIT */
/*
 * What stands out in a report, in sentences with numbers and advice. A finding must point at
 * something that can be changed and be worth at least 1 % of all usable bytes, or say what
 * the report itself lacks.
 */
#include <inttypes.h>
#include <string.h>

#include "finding.h"
#include "frame.h"
#include "number.h"

enum {
	EXPLAINED_PERCENT = 80,
	UNSEEN_PERCENT = 1,    /* LTTng's own allocations are in the snapshots only */
	DOMINANT_PERCENT = 40, /* of all waste */
};

#define LEAST_UNSEEN UINT64_C(100)

/* Classes and sites -------------------------------------------------------------------------- */

/* Another finding names (nearly) the same bytes, and what to do about them. */
static bool is_explained(const struct hakstat_report *r, uint64_t waste)
{
	for (guint i = 0; i < r->findings->len; i++) {
		const struct hakstat_finding *f = g_ptr_array_index(r->findings, i);
		if (strcmp(f->kind, "table") != 0 && strcmp(f->kind, "tune") != 0 &&
		    hakstat_percent(f->waste_bytes, waste) >= EXPLAINED_PERCENT) {
			return true;
		}
	}
	return false;
}

static void find_dominant_class(struct hakstat_report *r)
{
	uint64_t all = hakstat_counts_waste(&r->totals.n);

	for (guint i = 0; i < r->tables[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_CLASS], i);
		uint64_t waste = hakstat_counts_waste(&row->n);
		uint64_t known = row->n.allocs - row->n.unknown_allocs;
		if (hakstat_percent(waste, all) < DOMINANT_PERCENT || !hakstat_finding_is_worth(r, waste) ||
		    !row->block || !known || is_explained(r, waste)) {
			continue;
		}
		hakstat_finding_advise(
			hakstat_finding_add(r, "share", waste,
					    "class %s makes %.0f %% of all waste: its %" PRIu64
					    "-byte blocks hold %" PRIu64 " requested bytes on average",
					    row->class_name, hakstat_percent(waste, all), row->block,
					    row->n.requested_bytes / known),
			hakstat_no_saving,
			"see which request sizes it serves (--by size) and who asks for them (--by site)");
	}
}

static void find_dominant_site(struct hakstat_report *r)
{
	const struct hakstat_row *row;
	const struct hakstat_frame *frame;
	char range[64];
	uint64_t waste, all = hakstat_counts_waste(&r->totals.n);

	if (r->tables[HAKSTAT_BY_SITE]->len == 0) {
		return;
	}
	row = g_ptr_array_index(r->tables[HAKSTAT_BY_SITE], 0);
	waste = hakstat_counts_waste(&row->n);
	if (!row->stack || row->stack->len == 0 || hakstat_percent(waste, all) < DOMINANT_PERCENT ||
	    !hakstat_finding_is_worth(r, waste)) {
		return;
	}
	frame = g_ptr_array_index(row->stack, 0);
	if (!frame->function) {
		return;
	}
	hakstat_finding_advise(
		hakstat_finding_add(
			r, "site", waste, "one call site makes %.0f %% of all waste: %s, with %s requests",
			hakstat_percent(waste, all), frame->function,
			hakstat_finding_range(range, sizeof range, row->requested_min, row->requested_max)),
		hakstat_no_saving, "see its stack with --by site");
}

/* What the report itself lacks --------------------------------------------------------------- */

static void find_gaps(struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;

	if (s->lost_events || s->lost_operations || s->lost_unknown) {
		hakstat_finding_advise(
			hakstat_finding_add(r, "lost", 0,
					    "%s%" PRIu64 " events and %" PRIu64
					    " packed operations were lost: the sums are "
					    "lower bounds, counts that come from snapshots stay exact",
					    s->lost_unknown ? "at least " : "", s->lost_events,
					    s->lost_operations),
			hakstat_no_saving,
			"make /dev/shm larger (the buffers take at most an eighth of "
			"it), or record in sampling mode");
	}
	if (s->unseen_allocs > LEAST_UNSEEN &&
	    hakstat_percent(s->unseen_allocs, r->totals.n.allocs) >= UNSEEN_PERCENT) {
		hakstat_finding_add(r, "mismatch", 0,
				    "%" PRIu64
				    " allocations that the snapshots count are not among the operations: the "
				    "sums are too small by that many",
				    s->unseen_allocs);
	}
	if (s->unended) {
		hakstat_finding_add(r, "unended", 0,
				    "the end of %" PRIu64
				    " process%s is not in the trace: still running when it ended, killed, or "
				    "what was written last is missing",
				    s->unended, s->unended == 1 ? "" : "es");
	}
	if (s->partial) {
		hakstat_finding_add(r, "partial", 0,
				    "only a part of the trace was read: the rest is not in this report");
	}
	if (r->totals.n.unknown_allocs) {
		hakstat_finding_advise(
			hakstat_finding_add(
				r, "unsampled", 0,
				"%" PRIu64
				" allocations (%.1f %%) are in classes that no sample fell into: what "
				"they asked for is "
				"unknown and in no sum of requested or wasted bytes",
				r->totals.n.unknown_allocs,
				hakstat_percent(r->totals.n.unknown_allocs, r->totals.n.allocs)),
			hakstat_no_saving, "record with a smaller --sample-bytes, or with --mode full");
	}
	if (s->out_of_memory) {
		hakstat_finding_add(r, "oom", 0, "%" PRIu64 " request%s found no memory", s->out_of_memory,
				    s->out_of_memory == 1 ? "" : "s");
	}
	if (s->corruptions) {
		hakstat_finding_add(r, "corruption", 0,
				    "%" PRIu64 " time%s the heap was found damaged or misused",
				    s->corruptions, s->corruptions == 1 ? "" : "s");
	}
}

static gint compare_findings(gconstpointer a, gconstpointer b)
{
	const struct hakstat_finding *x = *(const struct hakstat_finding *const *)a;
	const struct hakstat_finding *y = *(const struct hakstat_finding *const *)b;

	return (x->waste_bytes < y->waste_bytes) - (x->waste_bytes > y->waste_bytes);
}

void hakstat_findings_add(struct hakstat_report *r)
{
	hakstat_findings_of_tables(r);
	hakstat_findings_of_memory(r);
	find_dominant_class(r);
	find_dominant_site(r);
	g_ptr_array_sort(r->findings, compare_findings);
	find_gaps(r);
}
