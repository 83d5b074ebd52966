/* SPDX-License-Identifier: MIT */
/*
 * Requests that do not fit the table of size classes, and tables that would fit them.
 */
#include <inttypes.h>

#include "finding.h"
#include "hakmem_size_class.h"
#include "number.h"
#include "predict.h"
#include "text.h"
#include "tune.h"

enum {
	NEAR_MISS_PERCENT = 8, /* a request this much above a limit just misses it: a third of fine's steps */
	WASTEFUL_PERCENT = 10,
};

static void fine_table(const struct hakstat_report *r, struct hak_class_table *table)
{
	uint32_t page = r->summary->config.page_size;

	hak_class_table_build(table, HAK_SCHEME_FINE, HAK_TINY_GROUPS - 1, page ? page : 4096);
}

/* Near misses -------------------------------------------------------------------------------- */

struct near_miss {
	const struct hakstat_row *below; /* the class they just miss */
	uint64_t min, max;
	struct hakstat_counts n;
	struct hakstat_prediction fine;
};

/* The class with the largest limit below `size`. */
static const struct hakstat_row *class_below(const struct hakstat_report *r, uint64_t size)
{
	const struct hakstat_row *best = NULL;

	for (guint i = 0; i < r->tables[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_CLASS], i);
		if (row->requested_max && row->requested_max < size &&
		    (!best || row->requested_max > best->requested_max)) {
			best = row;
		}
	}
	return best;
}

static bool just_misses(const struct hakstat_row *size, const struct hakstat_row *below)
{
	uint64_t by = below ? size->requested_min - below->requested_max : 0;
	bool is_near = below && by <= MAX(1, below->requested_max * NEAR_MISS_PERCENT / 100);

	return is_near &&
	       hakstat_percent(hakstat_counts_waste(&size->n), size->n.usable_bytes) >= WASTEFUL_PERCENT;
}

static void collect_near_misses(const struct hakstat_report *r, const struct hakstat_row *class,
				struct near_miss *m)
{
	struct hak_class_table fine;

	fine_table(r, &fine);
	m->min = UINT64_MAX;
	for (guint i = 0; i < r->tables[HAKSTAT_BY_SIZE]->len; i++) {
		const struct hakstat_row *size = g_ptr_array_index(r->tables[HAKSTAT_BY_SIZE], i);
		const struct hakstat_row *below;
		if (size->class_id != class->class_id || size->block != class->block) {
			continue;
		}
		below = class_below(r, size->requested_min);
		if (just_misses(size, below) && (!m->below || below == m->below)) {
			m->below = below;
			m->min = MIN(m->min, size->requested_min);
			m->max = MAX(m->max, size->requested_max);
			hakstat_counts_add(&m->n, &size->n);
			hakstat_predict_row(&fine, size, &m->fine);
		}
	}
}

/* Saved when all of them got blocks of `block` bytes. */
static struct hakstat_saving saving_with(const struct near_miss *m, uint64_t block)
{
	double was =
		m->n.allocs ? (double)m->n.usable_bytes / (double)m->n.allocs : 0; /* blocks of a class */
	double each = was - (double)block;

	return (struct hakstat_saving) { hakstat_less(m->n.usable_bytes, m->n.allocs * block),
					 hakstat_less(m->n.peak_usable_bytes, m->n.peak_live * block),
					 each * each * m->n.v.allocs, each * each * m->n.peak_v.allocs };
}

static void advise_near_miss(struct hakstat_finding *finding, const struct hakstat_report *r,
			     const struct near_miss *m)
{
	bool is_fine = g_strcmp0(r->summary->config.size_classes, "fine") == 0;
	uint64_t usable = m->n.usable_bytes;
	uint64_t own = (m->max + 15) & ~UINT64_C(15);
	g_autofree char *amount = NULL;

	if (!is_fine && m->fine.usable_bytes < usable) {
		hakstat_finding_advise(finding,
				       (struct hakstat_saving) { usable - m->fine.usable_bytes, 0,
								 m->fine.saving_variance, 0 },
				       "run with HAKMEM_SIZE_CLASSES=fine, or ask for at most %" PRIu64
				       " bytes",
				       m->below->requested_max);
		return;
	}
	if (saving_with(m, own).all == 0) {
		/* Blocks are multiples of 16: no table has one that fits better. */
		hakstat_finding_advise(finding, saving_with(m, m->below->block),
				       "ask for at most %" PRIu64 " bytes", m->below->requested_max);
		return;
	}
	amount = hakstat_finding_amount(saving_with(m, own).all, saving_with(m, own).all_variance);
	hakstat_finding_advise(finding, saving_with(m, m->below->block),
			       "give them a block of %" PRIu64
			       " bytes ('hakstat tune' writes the table), which saves %s, or ask "
			       "for at most %" PRIu64 " bytes",
			       own, amount, m->below->requested_max);
}

/* The route when it is another one, else the class. */
static const char *missed_name(const struct hakstat_row *below, const struct hakstat_row *taken)
{
	if (below->route == taken->route) {
		return below->class_name;
	}
	return below->route == HAK_ROUTE_TINY ? "Tiny" : hak_route_label(below->route);
}

/* How far they are above the limit: "1 byte", "1 to 81 bytes". */
static void by_text(char *out, size_t size, const struct near_miss *m)
{
	uint64_t least = m->min - m->below->requested_max;
	uint64_t most = m->max - m->below->requested_max;

	if (least == most) {
		g_snprintf(out, size, "%" PRIu64 " byte%s", least, least == 1 ? "" : "s");
	} else {
		g_snprintf(out, size, "%" PRIu64 " to %" PRIu64 " bytes", least, most);
	}
}

static void find_near_misses(struct hakstat_report *r)
{
	for (guint i = 0; i < r->tables[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *class = g_ptr_array_index(r->tables[HAKSTAT_BY_CLASS], i);
		struct near_miss m = { 0 };
		uint64_t waste;
		char range[64], by[64];
		if (!class->block) {
			continue;
		}
		collect_near_misses(r, class, &m);
		waste = hakstat_counts_waste(&m.n);
		if (!m.below || !hakstat_finding_is_worth(r, waste)) {
			continue;
		}
		by_text(by, sizeof by, &m);
		advise_near_miss(
			hakstat_finding_add(r, "near_miss", waste,
					    "%s requests (%.1f %% of all) miss %s by %s and take %" PRIu64
					    "-byte blocks of %s: %.1f %% of that memory is waste",
					    hakstat_finding_range(range, sizeof range, m.min, m.max),
					    hakstat_percent(m.n.allocs, r->totals.n.allocs),
					    missed_name(m.below, class), by, class->block,
					    hak_route_label(class->route),
					    hakstat_percent(waste, m.n.usable_bytes)),
			r, &m);
	}
}

/* Boundary, alignment, other tables ----------------------------------------------------------- */

static void advise_boundary(struct hakstat_finding *finding, const struct hakstat_report *r,
			    const struct hakstat_row *route)
{
	struct hak_class_table wide;
	struct hakstat_prediction now = { 0 }, then = { 0 };
	bool is_known = hakstat_recorded_table(r->summary, HAK_TINY_GROUPS - 1, &wide);

	for (guint i = 0; is_known && i < r->tables[HAKSTAT_BY_SIZE]->len; i++) {
		const struct hakstat_row *size = g_ptr_array_index(r->tables[HAKSTAT_BY_SIZE], i);
		if (size->requested_min >= route->requested_min &&
		    size->requested_max <= route->requested_max) {
			now.usable_bytes += size->n.usable_bytes;
			hakstat_predict_row(&wide, size, &then);
		}
	}
	if (then.usable_bytes < now.usable_bytes) {
		hakstat_finding_advise(finding,
				       (struct hakstat_saving) { now.usable_bytes - then.usable_bytes, 0,
								 then.saving_variance, 0 },
				       "run with HAKMEM_TINY_MAX_CLASS=7");
	} else {
		hakstat_finding_advise(
			finding, hakstat_no_saving,
			"with this table the boundary changes the route of these sizes, not their blocks");
	}
}

static void find_route_reasons(struct hakstat_report *r)
{
	for (guint i = 0; i < r->tables[HAKSTAT_BY_ROUTE]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_ROUTE], i);
		uint64_t waste = hakstat_counts_waste(&row->n);
		char range[64];
		hakstat_finding_range(range, sizeof range, row->requested_min, row->requested_max);
		if (row->reason == HAK_REASON_BOUNDARY && row->n.allocs) {
			advise_boundary(
				hakstat_finding_add(r, "boundary", waste,
						    "%s requests (%.1f %% of all) go to %s because "
						    "HAKMEM_TINY_MAX_CLASS=%u ends "
						    "Tiny at %u bytes: %.1f %% of their memory is waste",
						    range, hakstat_percent(row->n.allocs, r->totals.n.allocs),
						    hak_route_label(row->route),
						    r->summary->config.tiny_max_class,
						    r->summary->config.tiny_max_size,
						    hakstat_percent(waste, row->n.usable_bytes)),
				r, row);
		} else if (row->reason == HAK_REASON_ALIGNMENT && hakstat_finding_is_worth(r, waste)) {
			hakstat_finding_advise(
				hakstat_finding_add(r, "alignment", waste,
						    "%s requests (%.1f %% of all) take larger blocks of %s "
						    "for the sake of "
						    "their alignment: "
						    "%.1f %% of that memory is waste",
						    range, hakstat_percent(row->n.allocs, r->totals.n.allocs),
						    hak_route_label(row->route),
						    hakstat_percent(waste, row->n.usable_bytes)),
				hakstat_no_saving,
				"ask for the alignment that is needed, or for a multiple of it");
		}
	}
}

static void find_other_table(struct hakstat_report *r)
{
	struct hak_class_table fine;
	struct hakstat_prediction then;
	uint64_t now = hakstat_counts_waste(&r->totals.n);
	char before[32], after[32];

	if (!r->summary->config.known || r->summary->config.differs ||
	    g_strcmp0(r->summary->config.size_classes, "fine") == 0) {
		return;
	}
	fine_table(r, &fine);
	then = hakstat_predict(&fine, r->summary);
	if (then.allocs == 0 || then.waste_bytes >= now ||
	    !hakstat_finding_is_worth(r, now - then.waste_bytes)) {
		return;
	}
	hakstat_text_bytes(before, sizeof before, now);
	hakstat_text_bytes(after, sizeof after, then.waste_bytes);
	hakstat_finding_advise(
		hakstat_finding_add(
			r, "table", now - then.waste_bytes,
			"the table '%s' wastes %s on these requests; the table 'fine' would waste %s",
			r->summary->config.size_classes ? r->summary->config.size_classes : "?", before,
			after),
		(struct hakstat_saving) { now - then.waste_bytes, 0, then.saving_variance, 0 },
		"run with HAKMEM_SIZE_CLASSES=fine");
}

static uint64_t peak_usable(const struct hakstat_summary *s)
{
	uint64_t sum = 0;

	for (guint i = 0; i < s->rows[HAKSTAT_BY_SIZE]->len; i++) {
		sum += ((const struct hakstat_row *)g_ptr_array_index(s->rows[HAKSTAT_BY_SIZE], i))
			       ->n.peak_usable_bytes;
	}
	return sum;
}

/* A table of as many classes as there are, made for these requests. */
static void find_tuned_table(struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;
	struct hak_class_table now, tuned;
	struct hakstat_summary *then;
	struct hakstat_counts n = { 0 };
	struct hakstat_predicted errors = { 0 };
	uint64_t waste = hakstat_counts_waste(&r->totals.n);
	char before[32], after[32];

	if (!hakstat_recorded_table(s, s->config.tiny_max_class, &now) ||
	    hakstat_tune(s, now.count, HAKSTAT_TUNE_ALLOCS, now.tiny_max_class, now.page_size, &tuned)) {
		return;
	}
	then = hakstat_predict_summary(&tuned, "tuned", s);
	for (guint i = 0; i < then->rows[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(then->rows[HAKSTAT_BY_CLASS], i);
		hakstat_counts_add(&n, &row->n);
	}
	if (then->predicted) {
		errors = *then->predicted;
	}
	hakstat_summary_free(then);
	if (!hakstat_finding_is_worth(r, hakstat_less(waste, hakstat_counts_waste(&n)))) {
		return;
	}
	hakstat_text_bytes(before, sizeof before, waste);
	hakstat_text_bytes(after, sizeof after, hakstat_counts_waste(&n));
	hakstat_finding_advise(
		hakstat_finding_add(
			r, "tune", waste - hakstat_counts_waste(&n),
			"a table of %u classes made for these requests would waste %s instead of %s",
			tuned.count, after, before),
		(struct hakstat_saving) { waste - hakstat_counts_waste(&n),
					  hakstat_less(peak_usable(s), n.peak_usable_bytes), errors.saving,
					  errors.peak_saving },
		"'hakstat tune -n %u -o FILE TRACE', then run with HAKMEM_SIZE_CLASSES=@FILE", now.count);
}

void hakstat_findings_of_tables(struct hakstat_report *r)
{
	find_near_misses(r);
	find_route_reasons(r);
	find_other_table(r);
	find_tuned_table(r);
}
