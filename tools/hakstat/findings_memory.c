/* SPDX-License-Identifier: MIT */
/*
 * Memory that no live block uses: free in slabs, and held, not given back.
 */

#include "finding.h"
#include "number.h"
#include "text.h"

enum {
	LOW_OCCUPANCY_PERCENT = 50, /* of slab bytes that are idle at the peak */
	HELD_PERCENT = 25,	    /* of committed bytes that are held at the peak */
	STILL_BUSY_PERCENT = 10,    /* of the most live bytes */
	NAMED_CLASSES = 3,
	SEEN_PEAK_PERCENT = 90,
};

#define LEAST_IDLE_BYTES   (UINT64_C(4) << 20) /* less is the slabs that programs begin with */
#define LEAST_HELD_BYTES   (UINT64_C(1) << 20)
#define LEAST_UNSEEN_BYTES (UINT64_C(1) << 20)

/* What the slabs of all processes held at one time. */
struct slab_moment {
	int64_t time_ns;
	uint64_t idle, used, live; /* live: with large blocks */
};

static uint64_t idle_bytes(const struct hakstat_row *row)
{
	return row->block ? hakstat_less(row->n.slab_bytes, row->n.live_usable_bytes) : 0;
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
		hakstat_text_bytes(amount, sizeof amount, idle_bytes(row));
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
		if (m->idle > best.idle && hakstat_percent(m->live, most) >= STILL_BUSY_PERCENT) {
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

	if (m.idle < LEAST_IDLE_BYTES || hakstat_percent(m.idle, m.idle + m.used) < LOW_OCCUPANCY_PERCENT) {
		return;
	}
	names = idlest_classes(r, m.time_ns);
	hakstat_text_bytes(idle, sizeof idle, m.idle);
	hakstat_text_bytes(live, sizeof live, m.live);
	hakstat_finding_advise(
		hakstat_finding_add(r, "occupancy", m.idle,
				    "at one time, with %s live, %s (%.0f %%) of the slabs held no live "
				    "block; most in the "
				    "classes %s",
				    live, idle, hakstat_percent(m.idle, m.idle + m.used), names),
		hakstat_no_saving,
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
	    hakstat_percent(held, r->totals.g.peak_committed_bytes) < HELD_PERCENT) {
		return;
	}
	hakstat_text_bytes(amount, sizeof amount, held);
	hakstat_finding_advise(hakstat_finding_add(r, "held", held,
						   "at the peak%s, %s (%.0f %%) of the committed memory was "
						   "free and not given back to the "
						   "system",
						   processes > 1 ? "s of the processes together" : "", amount,
						   hakstat_percent(held, r->totals.g.peak_committed_bytes)),
			       (struct hakstat_saving) { .peak = held },
			       "run with a smaller HAKMEM_PURGE_DELAY_MS; 0 gives back at once");
}

/* What was live at most, as requests know it, and half of its 95 % interval where they were sampled. */
static double peak_of_requests(const struct hakstat_report *r, double *half)
{
	const GPtrArray *sizes = r->summary->rows[HAKSTAT_BY_SIZE];
	double bytes = 0, variance = 0;

	for (guint i = 0; i < sizes->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(sizes, i);
		bytes += (double)row->n.peak_usable_bytes;
		variance += row->n.peak_v.usable;
	}
	*half = hakstat_half_width(variance);
	return bytes;
}

static void add_unseen_peak(struct hakstat_report *r, const char *most, uint64_t seen)
{
	char seen_text[32];

	hakstat_text_bytes(seen_text, sizeof seen_text, seen);
	hakstat_finding_advise(hakstat_finding_add(r, "peak", 0,
						   "the peak of %s of live blocks fell between two "
						   "snapshots; the highest of them saw %s, "
						   "and "
						   "what is said of memory at the peak is of that one",
						   most, seen_text),
			       hakstat_no_saving, "record with a smaller HAKMEM_SNAPSHOT_MS");
}

/* Requests know how much was live at most, samples within an interval; where it was, snapshots only. */
static void find_unseen_peak(struct hakstat_report *r)
{
	uint64_t seen = r->totals.n.peak_usable_bytes, most = r->totals.g.peak_live_bytes;
	double half, estimate = peak_of_requests(r, &half), least = estimate - half;
	bool by_samples = least > (double)most;
	uint64_t surely = by_samples ? hakstat_rounded(least) : most;
	char text[80], half_text[32];

	if (r->totals.g.snapshots == 0 || hakstat_less(surely, seen) < LEAST_UNSEEN_BYTES ||
	    hakstat_percent(seen, surely) >= SEEN_PEAK_PERCENT) {
		return;
	}
	hakstat_text_bytes(text, sizeof text, by_samples ? hakstat_rounded(estimate) : most);
	if (by_samples) {
		hakstat_text_bytes(half_text, sizeof half_text, hakstat_rounded(half));
		g_strlcat(text, " (estimated, ±", sizeof text);
		g_strlcat(text, half_text, sizeof text);
		g_strlcat(text, " at 95 %)", sizeof text);
	}
	add_unseen_peak(r, text, seen);
}

void hakstat_findings_of_memory(struct hakstat_report *r)
{
	find_idle_slabs(r);
	find_held_memory(r);
	find_unseen_peak(r);
}
