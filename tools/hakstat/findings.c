/* SPDX-License-Identifier: MIT */
/*
 * What stands out in a report, in sentences with numbers and advice. A finding must point at
 * something that can be changed and be worth at least 1 % of all usable bytes, or say what
 * the report itself lacks.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "hakmem_size_class.h"
#include "predict.h"
#include "report.h"
#include "symbol.h"
#include "text.h"

enum {
	WORTH_PERCENT = 1,     /* of usable or slab bytes */
	NEAR_MISS_PERCENT = 3, /* a request this much above a limit just misses it */
	WASTEFUL_PERCENT = 25,
	LOW_OCCUPANCY_PERCENT = 50, /* of slab bytes that are idle */
	STILL_BUSY_PERCENT = 10,    /* of the peak that is live at the end */
	NAMED_CLASSES = 3,
	EXPLAINED_PERCENT = 80,
	UNSEEN_PERCENT = 1,    /* LTTng's own allocations are in the snapshots only */
	DOMINANT_PERCENT = 40, /* of all waste */
};

#define LEAST_UNSEEN	 UINT64_C(100)
#define LEAST_IDLE_BYTES (UINT64_C(1) << 20)

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static struct hakstat_finding *add(struct hakstat_report *r, const char *kind, uint64_t waste,
				   const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct hakstat_finding *add(struct hakstat_report *r, const char *kind, uint64_t waste,
				   const char *format, ...)
{
	struct hakstat_finding *finding = g_new0(struct hakstat_finding, 1);
	va_list args;

	va_start(args, format);
	finding->message = g_strdup_vprintf(format, args);
	va_end(args);
	finding->kind = kind;
	finding->waste_bytes = waste;
	g_ptr_array_add(r->findings, finding);
	return finding;
}

static void advise(struct hakstat_finding *finding, uint64_t saving, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void advise(struct hakstat_finding *finding, uint64_t saving, const char *format, ...)
{
	va_list args;
	char amount[32];
	char *text;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	finding->saving_bytes = saving;
	if (saving) {
		hakstat_text_bytes(amount, sizeof amount, (int64_t)MIN(saving, INT64_MAX));
		finding->advice = g_strdup_printf("%s, which saves %s of blocks", text, amount);
		g_free(text);
	} else {
		finding->advice = text;
	}
}

/* Is it worth a sentence? */
static bool is_worth(const struct hakstat_report *r, uint64_t waste)
{
	return share(waste, r->totals.n.usable_bytes) >= WORTH_PERCENT;
}

static const char *range_text(char *out, size_t size, uint64_t min, uint64_t max)
{
	if (min == max) {
		g_snprintf(out, size, "%" PRIu64 "-byte", min);
	} else {
		g_snprintf(out, size, "%" PRIu64 "...%" PRIu64 "-byte", min, max);
	}
	return out;
}

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

	return is_near && share(hakstat_counts_waste(&size->n), size->n.usable_bytes) >= WASTEFUL_PERCENT;
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

static void advise_near_miss(struct hakstat_finding *finding, const struct hakstat_report *r,
			     const struct near_miss *m)
{
	bool is_fine = g_strcmp0(r->summary->config.size_classes, "fine") == 0;
	uint64_t usable = m->n.usable_bytes;

	if (!is_fine && m->fine.usable_bytes < usable) {
		advise(finding, usable - m->fine.usable_bytes,
		       "run with HAKMEM_SIZE_CLASSES=fine, or ask for at most %" PRIu64 " bytes",
		       m->below->requested_max);
	} else {
		advise(finding, usable - MIN(usable, m->n.allocs * m->below->block),
		       "ask for at most %" PRIu64 " bytes", m->below->requested_max);
	}
}

/* The route when it is another one, else the class. */
static const char *missed_name(const struct hakstat_row *below, const struct hakstat_row *taken)
{
	if (below->route == taken->route) {
		return below->class_name;
	}
	return below->route == HAK_ROUTE_TINY ? "Tiny" : hak_route_label(below->route);
}

static void find_near_misses(struct hakstat_report *r)
{
	for (guint i = 0; i < r->tables[HAKSTAT_BY_CLASS]->len; i++) {
		const struct hakstat_row *class = g_ptr_array_index(r->tables[HAKSTAT_BY_CLASS], i);
		struct near_miss m = { 0 };
		uint64_t waste;
		char range[64];
		if (!class->block) {
			continue;
		}
		collect_near_misses(r, class, &m);
		waste = hakstat_counts_waste(&m.n);
		if (!m.below || !is_worth(r, waste)) {
			continue;
		}
		advise_near_miss(
			add(r, "near_miss", waste,
			    "%s requests (%.0f %% of all) miss %s by %" PRIu64 " byte%s and take %" PRIu64
			    "-byte blocks of %s: %.1f %% of that memory is waste",
			    range_text(range, sizeof range, m.min, m.max),
			    share(m.n.allocs, r->totals.n.allocs), missed_name(m.below, class),
			    m.min - m.below->requested_max, m.min - m.below->requested_max == 1 ? "" : "s",
			    class->block, hak_route_label(class->route), share(waste, m.n.usable_bytes)),
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
		advise(finding, now.usable_bytes - then.usable_bytes, "run with HAKMEM_TINY_MAX_CLASS=7");
	} else {
		advise(finding, 0,
		       "with this table the boundary changes the route of these sizes, not their blocks");
	}
}

static void find_route_reasons(struct hakstat_report *r)
{
	for (guint i = 0; i < r->tables[HAKSTAT_BY_ROUTE]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_ROUTE], i);
		uint64_t waste = hakstat_counts_waste(&row->n);
		char range[64];
		range_text(range, sizeof range, row->requested_min, row->requested_max);
		if (row->reason == HAK_REASON_BOUNDARY && row->n.allocs) {
			advise_boundary(add(r, "boundary", waste,
					    "%s requests (%.1f %% of all) go to %s because "
					    "HAKMEM_TINY_MAX_CLASS=%u ends "
					    "Tiny at %u bytes: %.1f %% of their memory is waste",
					    range, share(row->n.allocs, r->totals.n.allocs),
					    hak_route_label(row->route), r->summary->config.tiny_max_class,
					    r->summary->config.tiny_max_size,
					    share(waste, row->n.usable_bytes)),
					r, row);
		} else if (row->reason == HAK_REASON_ALIGNMENT && is_worth(r, waste)) {
			advise(add(r, "alignment", waste,
				   "%s requests (%.1f %% of all) take larger blocks of %s for the sake of "
				   "their alignment: "
				   "%.1f %% of that memory is waste",
				   range, share(row->n.allocs, r->totals.n.allocs),
				   hak_route_label(row->route), share(waste, row->n.usable_bytes)),
			       0, "ask for the alignment that is needed, or for a multiple of it");
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
	if (then.allocs == 0 || then.waste_bytes >= now || !is_worth(r, now - then.waste_bytes)) {
		return;
	}
	hakstat_text_bytes(before, sizeof before, (int64_t)now);
	hakstat_text_bytes(after, sizeof after, (int64_t)then.waste_bytes);
	advise(add(r, "table", now - then.waste_bytes,
		   "the table '%s' wastes %s on these requests; the table 'fine' would waste %s",
		   r->summary->config.size_classes ? r->summary->config.size_classes : "?", before, after),
	       now - then.waste_bytes, "run with HAKMEM_SIZE_CLASSES=fine");
}

/* Slabs, classes, sites ---------------------------------------------------------------------- */

static uint64_t idle_bytes(const struct hakstat_row *row)
{
	return row->block ? row->n.slab_bytes - MIN(row->n.slab_bytes, row->n.live_usable_bytes) : 0;
}

static gint compare_idle(gconstpointer a, gconstpointer b)
{
	uint64_t x = idle_bytes(*(const struct hakstat_row *const *)a);
	uint64_t y = idle_bytes(*(const struct hakstat_row *const *)b);

	return (x < y) - (x > y);
}

/* "M8192 (12.0 MiB), ...": the classes with the most idle bytes. Free with g_free. */
static char *idlest_classes(const struct hakstat_report *r)
{
	GPtrArray *rows = g_ptr_array_copy(r->tables[HAKSTAT_BY_CLASS], NULL, NULL);
	GString *names = g_string_new(NULL);

	g_ptr_array_set_free_func(rows, NULL);
	g_ptr_array_sort(rows, compare_idle);
	for (guint i = 0; i < rows->len && i < NAMED_CLASSES; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		char amount[32];
		hakstat_text_bytes(amount, sizeof amount, (int64_t)idle_bytes(row));
		g_string_append_printf(names, "%s%s (%s)", i ? ", " : "", row->class_name, amount);
	}
	g_ptr_array_unref(rows);
	return g_string_free(names, FALSE);
}

/* A program that has freed all it had before it ends leaves idle slabs, and that is no fault. */
static void find_idle_slabs(struct hakstat_report *r)
{
	uint64_t idle = 0;
	char amount[32];
	char *names;

	for (guint i = 0; i < r->tables[HAKSTAT_BY_CLASS]->len; i++) {
		idle += idle_bytes(g_ptr_array_index(r->tables[HAKSTAT_BY_CLASS], i));
	}
	if (idle < LEAST_IDLE_BYTES || share(idle, r->totals.n.slab_bytes) < LOW_OCCUPANCY_PERCENT ||
	    share(r->totals.n.live_usable_bytes, r->totals.g.peak_live_bytes) < STILL_BUSY_PERCENT) {
		return;
	}
	names = idlest_classes(r);
	hakstat_text_bytes(amount, sizeof amount, (int64_t)idle);
	advise(add(r, "occupancy", idle,
		   "%s (%.0f %%) of the slabs hold no live block; most in the classes %s", amount,
		   share(idle, r->totals.n.slab_bytes), names),
	       0, "a live block keeps its slab: --by site --sort live_requested_bytes names who holds them");
	g_free(names);
}

/* Another finding names (nearly) the same bytes, and what to do about them. */
static bool is_explained(const struct hakstat_report *r, uint64_t waste)
{
	for (guint i = 0; i < r->findings->len; i++) {
		const struct hakstat_finding *f = g_ptr_array_index(r->findings, i);
		if (strcmp(f->kind, "table") != 0 && share(f->waste_bytes, waste) >= EXPLAINED_PERCENT) {
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
		if (share(waste, all) < DOMINANT_PERCENT || !is_worth(r, waste) || !row->block || !known ||
		    is_explained(r, waste)) {
			continue;
		}
		advise(add(r, "share", waste,
			   "class %s makes %.0f %% of all waste: its %" PRIu64 "-byte blocks hold %" PRIu64
			   " requested bytes on average",
			   row->class_name, share(waste, all), row->block, row->n.requested_bytes / known),
		       0, "see which request sizes it serves (--by size) and who asks for them (--by site)");
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
	if (!row->stack || row->stack->len == 0 || share(waste, all) < DOMINANT_PERCENT ||
	    !is_worth(r, waste)) {
		return;
	}
	frame = g_ptr_array_index(row->stack, 0);
	if (!frame->function) {
		return;
	}
	advise(add(r, "site", waste, "one call site makes %.0f %% of all waste: %s, with %s requests",
		   share(waste, all), frame->function,
		   range_text(range, sizeof range, row->requested_min, row->requested_max)),
	       0, "see its stack with --by site");
}

/* What the report itself lacks --------------------------------------------------------------- */

static void find_gaps(struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;

	if (s->lost_events || s->lost_operations || s->lost_unknown) {
		advise(add(r, "lost", 0,
			   "%s%" PRIu64 " events and %" PRIu64 " packed operations were lost: the sums are "
			   "lower bounds, counts that come from snapshots stay exact",
			   s->lost_unknown ? "at least " : "", s->lost_events, s->lost_operations),
		       0, "record with larger buffers, or in sampling mode");
	}
	if (s->unseen_allocs > LEAST_UNSEEN &&
	    share(s->unseen_allocs, r->totals.n.allocs) >= UNSEEN_PERCENT) {
		add(r, "mismatch", 0,
		    "%" PRIu64 " allocations that the snapshots count are not among the operations: the "
		    "sums are too small by that many",
		    s->unseen_allocs);
	}
	if (s->unended) {
		add(r, "unended", 0,
		    "the end of %" PRIu64
		    " process%s is not in the trace: still running when it ended, killed, or "
		    "what was written last is missing",
		    s->unended, s->unended == 1 ? "" : "es");
	}
	if (s->partial) {
		add(r, "partial", 0,
		    "the trace breaks off before its end: what follows is not in this report");
	}
	if (r->totals.n.unknown_allocs) {
		advise(add(r, "unsampled", 0,
			   "%" PRIu64 " allocations (%.1f %%) are in classes that no sample fell into: what "
			   "they asked for is "
			   "unknown and in no sum of requested or wasted bytes",
			   r->totals.n.unknown_allocs, share(r->totals.n.unknown_allocs, r->totals.n.allocs)),
		       0, "record with a smaller --sample-bytes, or with --mode full");
	}
	if (s->out_of_memory) {
		add(r, "oom", 0, "%" PRIu64 " requests found no memory", s->out_of_memory);
	}
	if (s->corruptions) {
		add(r, "corruption", 0, "%" PRIu64 " times the heap was found damaged or misused",
		    s->corruptions);
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
	find_near_misses(r);
	find_route_reasons(r);
	find_other_table(r);
	find_idle_slabs(r);
	find_dominant_class(r);
	find_dominant_site(r);
	g_ptr_array_sort(r->findings, compare_findings);
	find_gaps(r);
}
