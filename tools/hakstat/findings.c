/* SPDX-License-Identifier: MIT */
/*
 * What stands out in a report, in sentences with numbers and advice. A finding must point at
 * something that can be changed and be worth at least 1 % of all usable bytes, or say what
 * the report itself lacks.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "frame.h"
#include "hakmem_size_class.h"
#include "predict.h"
#include "report.h"
#include "text.h"
#include "tune.h"

enum {
	WORTH_PERCENT = 1,     /* of usable or slab bytes */
	NEAR_MISS_PERCENT = 8, /* a request this much above a limit just misses it: a third of fine's steps */
	WASTEFUL_PERCENT = 10,
	LOW_OCCUPANCY_PERCENT = 50, /* of slab bytes that are idle at the peak */
	HELD_PERCENT = 25,	    /* of committed bytes that are held at the peak */
	STILL_BUSY_PERCENT = 10,    /* of the most live bytes */
	NAMED_CLASSES = 3,
	EXPLAINED_PERCENT = 80,
	UNSEEN_PERCENT = 1,    /* LTTng's own allocations are in the snapshots only */
	DOMINANT_PERCENT = 40, /* of all waste */
	SEEN_PEAK_PERCENT = 90,
};

#define LEAST_UNSEEN	   UINT64_C(100)
#define LEAST_UNSEEN_BYTES (UINT64_C(1) << 20)
#define LEAST_IDLE_BYTES   (UINT64_C(4) << 20) /* less is the slabs that programs begin with */
#define LEAST_HELD_BYTES   (UINT64_C(1) << 20)

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

/* In blocks: over all allocations, and of what was live at the peak. 0: none or unknown. */
struct saving {
	uint64_t all, peak;
};

static const struct saving no_saving;

static void advise(struct hakstat_finding *finding, struct saving saving, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void advise(struct hakstat_finding *finding, struct saving saving, const char *format, ...)
{
	GString *text = g_string_new(NULL);
	char amount[32];
	va_list args;

	va_start(args, format);
	g_string_append_vprintf(text, format, args);
	va_end(args);
	finding->saving_bytes = saving.all;
	finding->peak_saving_bytes = saving.peak;
	if (saving.all) {
		hakstat_text_bytes(amount, sizeof amount, (int64_t)MIN(saving.all, INT64_MAX));
		g_string_append_printf(text, ", which saves %s of blocks", amount);
	}
	if (saving.peak) {
		hakstat_text_bytes(amount, sizeof amount, (int64_t)MIN(saving.peak, INT64_MAX));
		g_string_append_printf(
			text, saving.all ? ", and %s at the peak" : ", which saves %s at the peak", amount);
	}
	finding->advice = g_string_free(text, FALSE);
}

static uint64_t less(uint64_t from, uint64_t by)
{
	return from - MIN(from, by);
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

/* Saved when all of them got blocks of `block` bytes. */
static struct saving saving_with(const struct near_miss *m, uint64_t block)
{
	return (struct saving) { less(m->n.usable_bytes, m->n.allocs * block),
				 less(m->n.peak_usable_bytes, m->n.peak_live * block) };
}

static void advise_near_miss(struct hakstat_finding *finding, const struct hakstat_report *r,
			     const struct near_miss *m)
{
	bool is_fine = g_strcmp0(r->summary->config.size_classes, "fine") == 0;
	uint64_t usable = m->n.usable_bytes;
	uint64_t own = (m->max + 15) & ~UINT64_C(15);
	char amount[32];

	if (!is_fine && m->fine.usable_bytes < usable) {
		advise(finding, (struct saving) { usable - m->fine.usable_bytes, 0 },
		       "run with HAKMEM_SIZE_CLASSES=fine, or ask for at most %" PRIu64 " bytes",
		       m->below->requested_max);
		return;
	}
	if (saving_with(m, own).all ==
	    0) { /* blocks are multiples of 16: no table has one that fits better */
		advise(finding, saving_with(m, m->below->block), "ask for at most %" PRIu64 " bytes",
		       m->below->requested_max);
		return;
	}
	hakstat_text_bytes(amount, sizeof amount, (int64_t)MIN(saving_with(m, own).all, INT64_MAX));
	advise(finding, saving_with(m, m->below->block),
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
		if (!m.below || !is_worth(r, waste)) {
			continue;
		}
		by_text(by, sizeof by, &m);
		advise_near_miss(add(r, "near_miss", waste,
				     "%s requests (%.1f %% of all) miss %s by %s and take %" PRIu64
				     "-byte blocks of %s: %.1f %% of that memory is waste",
				     range_text(range, sizeof range, m.min, m.max),
				     share(m.n.allocs, r->totals.n.allocs), missed_name(m.below, class), by,
				     class->block, hak_route_label(class->route),
				     share(waste, m.n.usable_bytes)),
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
		advise(finding, (struct saving) { now.usable_bytes - then.usable_bytes, 0 },
		       "run with HAKMEM_TINY_MAX_CLASS=7");
	} else {
		advise(finding, no_saving,
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
			       no_saving, "ask for the alignment that is needed, or for a multiple of it");
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
	       (struct saving) { now - then.waste_bytes, 0 }, "run with HAKMEM_SIZE_CLASSES=fine");
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
	hakstat_summary_free(then);
	if (!is_worth(r, less(waste, hakstat_counts_waste(&n)))) {
		return;
	}
	hakstat_text_bytes(before, sizeof before, (int64_t)MIN(waste, INT64_MAX));
	hakstat_text_bytes(after, sizeof after, (int64_t)MIN(hakstat_counts_waste(&n), INT64_MAX));
	advise(add(r, "tune", waste - hakstat_counts_waste(&n),
		   "a table of %u classes made for these requests would waste %s instead of %s", tuned.count,
		   after, before),
	       (struct saving) { waste - hakstat_counts_waste(&n),
				 less(peak_usable(s), n.peak_usable_bytes) },
	       "'hakstat tune -n %u -o FILE TRACE', then run with HAKMEM_SIZE_CLASSES=@FILE", now.count);
}

/* Slabs, classes, sites ---------------------------------------------------------------------- */

/* What the slabs of all processes held at one time. */
struct slab_moment {
	int64_t time_ns;
	uint64_t idle, used, live; /* live: with large blocks */
};

static uint64_t idle_bytes(const struct hakstat_row *row)
{
	return row->block ? less(row->n.slab_bytes, row->n.live_usable_bytes) : 0;
}

static gint compare_idle(gconstpointer a, gconstpointer b)
{
	uint64_t x = idle_bytes(*(const struct hakstat_row *const *)a);
	uint64_t y = idle_bytes(*(const struct hakstat_row *const *)b);

	return (x < y) - (x > y);
}

/* "M8192 (12.0 MiB), ...": the classes with the most idle bytes then. Free with g_free. */
static char *idlest_classes(const struct hakstat_report *r, int64_t time_ns)
{
	GPtrArray *rows = g_ptr_array_new();
	GString *names = g_string_new(NULL);

	for (guint i = 0; i < r->tables[HAKSTAT_BY_HEAP]->len; i++) {
		struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_HEAP], i);
		if (row->time_ns == time_ns) {
			g_ptr_array_add(rows, row);
		}
	}
	g_ptr_array_sort(rows, compare_idle);
	for (guint i = 0; i < rows->len && i < NAMED_CLASSES; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		char amount[32];
		hakstat_text_bytes(amount, sizeof amount, (int64_t)MIN(idle_bytes(row), INT64_MAX));
		g_string_append_printf(names, "%s%s (%s)", i ? ", " : "", row->class_name, amount);
	}
	g_ptr_array_unref(rows);
	return g_string_free(names, FALSE);
}

/* The moments, from the rows of classes over time, which are in order of time. Free with g_array_unref. */
static GArray *slab_moments(const struct hakstat_report *r)
{
	GArray *moments = g_array_new(FALSE, TRUE, sizeof(struct slab_moment));
	struct slab_moment *m = NULL;

	for (guint i = 0; i < r->tables[HAKSTAT_BY_HEAP]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_HEAP], i);
		if (!m || m->time_ns != row->time_ns) {
			g_array_set_size(moments, moments->len + 1);
			m = &g_array_index(moments, struct slab_moment, moments->len - 1);
			m->time_ns = row->time_ns;
		}
		m->idle += idle_bytes(row);
		m->used += row->block ? row->n.live_usable_bytes : 0;
		m->live += row->n.live_usable_bytes;
	}
	return moments;
}

/* At least: processes may have had their peaks together. */
static uint64_t most_live(const struct hakstat_report *r, const GArray *moments)
{
	uint64_t most = 0;

	for (guint i = 0; i < moments->len; i++) {
		most = MAX(most, g_array_index(moments, struct slab_moment, i).live);
	}
	for (guint i = 0; i < r->tables[HAKSTAT_BY_PROCESS]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(r->tables[HAKSTAT_BY_PROCESS], i);
		most = MAX(most, row->g.peak_live_bytes);
	}
	return most;
}

/* The moment with the most idle bytes while the program was in work. */
static struct slab_moment idlest_moment(const struct hakstat_report *r)
{
	GArray *moments = slab_moments(r);
	struct slab_moment best = { 0 };
	uint64_t most = most_live(r, moments);

	for (guint i = 0; i < moments->len; i++) {
		const struct slab_moment *m = &g_array_index(moments, struct slab_moment, i);
		if (m->idle > best.idle && share(m->live, most) >= STILL_BUSY_PERCENT) {
			best = *m;
		}
	}
	g_array_unref(moments);
	return best;
}

/*
 * Of one time, since memory of processes that are gone takes no room from those that came later. A program
 * that has freed all it had before it ends leaves idle slabs, and that is no fault.
 */
static void find_idle_slabs(struct hakstat_report *r)
{
	struct slab_moment m = idlest_moment(r);
	char idle[32], live[32];
	char *names;

	if (m.idle < LEAST_IDLE_BYTES || share(m.idle, m.idle + m.used) < LOW_OCCUPANCY_PERCENT) {
		return;
	}
	names = idlest_classes(r, m.time_ns);
	hakstat_text_bytes(idle, sizeof idle, (int64_t)MIN(m.idle, INT64_MAX));
	hakstat_text_bytes(live, sizeof live, (int64_t)MIN(m.live, INT64_MAX));
	advise(add(r, "occupancy", m.idle,
		   "at one time, with %s live, %s (%.0f %%) of the slabs held no live block; most in the "
		   "classes %s",
		   live, idle, share(m.idle, m.idle + m.used), names),
	       no_saving,
	       "a live block keeps its slab: --by site --sort live_requested_bytes names who holds them; "
	       "pages that were never touched take no memory");
	g_free(names);
}

/* Each process's at its own peak. */
static void find_held_memory(struct hakstat_report *r)
{
	uint64_t held = r->totals.g.peak_cached_bytes;
	guint processes = MAX(r->tables[HAKSTAT_BY_PROCESS]->len, 1);
	char amount[32];

	if (held < LEAST_HELD_BYTES * processes ||
	    share(held, r->totals.g.peak_committed_bytes) < HELD_PERCENT) {
		return;
	}
	hakstat_text_bytes(amount, sizeof amount, (int64_t)MIN(held, INT64_MAX));
	advise(add(r, "held", held,
		   "at the peak%s, %s (%.0f %%) of the committed memory was free and not given back to the "
		   "system",
		   processes > 1 ? "s of the processes together" : "", amount,
		   share(held, r->totals.g.peak_committed_bytes)),
	       (struct saving) { 0, held }, "run with a smaller HAKMEM_PURGE_DELAY_MS; 0 gives back at once");
}

/* Another finding names (nearly) the same bytes, and what to do about them. */
static bool is_explained(const struct hakstat_report *r, uint64_t waste)
{
	for (guint i = 0; i < r->findings->len; i++) {
		const struct hakstat_finding *f = g_ptr_array_index(r->findings, i);
		if (strcmp(f->kind, "table") != 0 && strcmp(f->kind, "tune") != 0 &&
		    share(f->waste_bytes, waste) >= EXPLAINED_PERCENT) {
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
		       no_saving,
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
	       no_saving, "see its stack with --by site");
}

/* What the report itself lacks --------------------------------------------------------------- */

/* Operations know how much was live at most; where it was, snapshots only. */
static void find_unseen_peak(struct hakstat_report *r)
{
	uint64_t seen = r->totals.n.peak_usable_bytes, most = r->totals.g.peak_live_bytes;
	char seen_text[32], most_text[32];

	if (r->totals.g.snapshots == 0 || less(most, seen) < LEAST_UNSEEN_BYTES ||
	    share(seen, most) >= SEEN_PEAK_PERCENT) {
		return;
	}
	hakstat_text_bytes(seen_text, sizeof seen_text, (int64_t)MIN(seen, INT64_MAX));
	hakstat_text_bytes(most_text, sizeof most_text, (int64_t)MIN(most, INT64_MAX));
	advise(add(r, "peak", 0,
		   "the peak of %s of live blocks fell between two snapshots; the highest of them saw %s, "
		   "and "
		   "what is said of memory at the peak is of that one",
		   most_text, seen_text),
	       no_saving, "record with a smaller HAKMEM_SNAPSHOT_MS");
}

static void find_gaps(struct hakstat_report *r)
{
	const struct hakstat_summary *s = r->summary;

	if (s->lost_events || s->lost_operations || s->lost_unknown) {
		advise(add(r, "lost", 0,
			   "%s%" PRIu64 " events and %" PRIu64 " packed operations were lost: the sums are "
			   "lower bounds, counts that come from snapshots stay exact",
			   s->lost_unknown ? "at least " : "", s->lost_events, s->lost_operations),
		       no_saving, "record with larger buffers, or in sampling mode");
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
		add(r, "partial", 0, "only a part of the trace was read: the rest is not in this report");
	}
	if (r->totals.n.unknown_allocs) {
		advise(add(r, "unsampled", 0,
			   "%" PRIu64 " allocations (%.1f %%) are in classes that no sample fell into: what "
			   "they asked for is "
			   "unknown and in no sum of requested or wasted bytes",
			   r->totals.n.unknown_allocs, share(r->totals.n.unknown_allocs, r->totals.n.allocs)),
		       no_saving, "record with a smaller --sample-bytes, or with --mode full");
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
	find_tuned_table(r);
	find_idle_slabs(r);
	find_held_memory(r);
	find_dominant_class(r);
	find_dominant_site(r);
	g_ptr_array_sort(r->findings, compare_findings);
	find_gaps(r);
	find_unseen_peak(r);
}
