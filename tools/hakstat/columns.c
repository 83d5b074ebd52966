/* SPDX-License-Identifier: MIT */
/*
 * The getters and the table of columns.
 */
#include "columns.h"

#include <math.h>
#include <string.h>

#include "hakmem_size_class.h"
#include "number.h"

static struct hakstat_value number(uint64_t value)
{
	return (struct hakstat_value) { .is_known = true, .number = value };
}

static struct hakstat_value number_if(bool is_known, uint64_t value)
{
	return (struct hakstat_value) { .is_known = is_known, .number = value };
}

static struct hakstat_value text(const char *value)
{
	return (struct hakstat_value) { .is_known = value != NULL, .text = value };
}

static struct hakstat_value percent(double part, double whole)
{
	return (struct hakstat_value) { .is_known = whole > 0, .real = whole > 0 ? 100 * part / whole : 0 };
}

/* Of slabs, so what is live outside of slabs does not count; a large class has neither. */
static uint64_t idle_slab_bytes(const struct hakstat_row *r)
{
	uint64_t held = hakstat_less(r->n.live_usable_bytes, r->n.large_live_bytes);

	return r->n.slab_bytes > held ? r->n.slab_bytes - held : 0;
}

static struct hakstat_value get_class_id(const struct hakstat_row *r)
{
	return number(r->class_id);
}
static struct hakstat_value get_name(const struct hakstat_row *r)
{
	return text(r->class_name);
}
static struct hakstat_value get_route(const struct hakstat_row *r)
{
	return text(hak_route_label(r->route));
}
static struct hakstat_value get_reason(const struct hakstat_row *r)
{
	return text(hak_reason_label(r->reason));
}
static struct hakstat_value get_block(const struct hakstat_row *r)
{
	return number_if(r->block != 0, r->block);
}
static struct hakstat_value get_min(const struct hakstat_row *r)
{
	return number(r->requested_min);
}
static struct hakstat_value get_max(const struct hakstat_row *r)
{
	return number(r->requested_max);
}
static struct hakstat_value get_host(const struct hakstat_row *r)
{
	return text(r->host);
}
static struct hakstat_value get_process(const struct hakstat_row *r)
{
	return text(r->process);
}
static struct hakstat_value get_pid(const struct hakstat_row *r)
{
	return number(r->pid);
}
static struct hakstat_value get_tid(const struct hakstat_row *r)
{
	return number(r->tid);
}
static struct hakstat_value get_time(const struct hakstat_row *r)
{
	return number((uint64_t)r->time_ns);
}
static struct hakstat_value get_span(const struct hakstat_row *r)
{
	return number(r->span_ns);
}
static struct hakstat_value get_stack(const struct hakstat_row *r)
{
	return (struct hakstat_value) { .is_known = r->stack != NULL };
}
static struct hakstat_value get_allocs(const struct hakstat_row *r)
{
	return number(r->n.allocs);
}
static struct hakstat_value get_frees(const struct hakstat_row *r)
{
	return number(r->n.frees);
}
static struct hakstat_value get_live(const struct hakstat_row *r)
{
	return number_if(r->n.live >= r->n.live_unknown, r->n.live);
}
static struct hakstat_value get_requested(const struct hakstat_row *r)
{
	return number_if(hakstat_counts_know_requests(&r->n), r->n.requested_bytes);
}
static struct hakstat_value get_usable(const struct hakstat_row *r)
{
	return number(r->n.usable_bytes);
}
static struct hakstat_value get_waste(const struct hakstat_row *r)
{
	return number_if(hakstat_counts_know_requests(&r->n), hakstat_counts_waste(&r->n));
}
static struct hakstat_value get_waste_percent(const struct hakstat_row *r)
{
	double known = (double)r->n.usable_bytes - (double)r->n.unknown_bytes;

	return percent((double)hakstat_counts_waste(&r->n), known);
}
/* Infinite: an older summary does not tell. */
static struct hakstat_value half_if(bool is_known, double variance)
{
	return number_if(is_known && variance < (double)INFINITY,
			 hakstat_rounded(hakstat_half_width(variance)));
}

static struct hakstat_value get_allocs_ci95(const struct hakstat_row *r)
{
	return half_if(true, r->n.v.allocs);
}
static struct hakstat_value get_ci95(const struct hakstat_row *r)
{
	struct hakstat_value v = percent(hakstat_half_width(r->n.v.requested), (double)r->n.requested_bytes);

	v.is_known = hakstat_counts_know_requests(&r->n) && r->n.v.requested < (double)INFINITY &&
		     (v.is_known || r->n.v.requested <= 0);
	return v;
}
static struct hakstat_value get_waste_ci95(const struct hakstat_row *r)
{
	return half_if(hakstat_counts_know_requests(&r->n), hakstat_variances_waste(&r->n.v));
}
static struct hakstat_value get_waste_percent_ci95(const struct hakstat_row *r)
{
	double known = (double)r->n.usable_bytes - (double)r->n.unknown_bytes;
	double part = known > 0 ? (double)hakstat_counts_waste(&r->n) / known : 0;

	struct hakstat_value v = percent(hakstat_half_width(hakstat_variances_ratio(&r->n.v, part)), known);

	v.is_known &= r->n.v.usable < (double)INFINITY;
	return v;
}

static struct hakstat_value get_unknown(const struct hakstat_row *r)
{
	return number(r->n.unknown_allocs);
}
static struct hakstat_value get_live_requested(const struct hakstat_row *r)
{
	return number_if(hakstat_counts_know_live(&r->n), r->n.live_requested_bytes);
}
static struct hakstat_value get_live_usable(const struct hakstat_row *r)
{
	return number(r->n.live_usable_bytes);
}
static struct hakstat_value get_live_waste(const struct hakstat_row *r)
{
	return number_if(hakstat_counts_know_live(&r->n), hakstat_counts_live_waste(&r->n));
}
static struct hakstat_value get_live_ci95(const struct hakstat_row *r)
{
	return half_if(get_live(r).is_known, r->n.live_v.allocs);
}
static struct hakstat_value get_live_requested_ci95(const struct hakstat_row *r)
{
	return half_if(hakstat_counts_know_live(&r->n), r->n.live_v.requested);
}
static struct hakstat_value get_live_usable_ci95(const struct hakstat_row *r)
{
	return half_if(true, r->n.live_v.usable);
}
static struct hakstat_value get_live_waste_ci95(const struct hakstat_row *r)
{
	return half_if(hakstat_counts_know_live(&r->n), hakstat_variances_waste(&r->n.live_v));
}
static struct hakstat_value get_live_unknown(const struct hakstat_row *r)
{
	return number(r->n.live_unknown);
}
static struct hakstat_value get_slabs(const struct hakstat_row *r)
{
	return number_if(r->n.seen != 0, r->n.slabs);
}
static struct hakstat_value get_slab_bytes(const struct hakstat_row *r)
{
	return number_if(r->n.seen != 0, r->n.slab_bytes);
}
static struct hakstat_value get_occupancy(const struct hakstat_row *r)
{
	double whole = (double)r->n.slab_bytes;

	return percent(whole - (double)idle_slab_bytes(r), whole);
}
static struct hakstat_value get_external(const struct hakstat_row *r)
{
	return number_if(r->n.seen != 0, idle_slab_bytes(r));
}
/* A slice of time has levels only when a snapshot fell into it. */
static bool is_measured(const struct hakstat_row *r, uint64_t level)
{
	return r->span_ns == 0 || level != 0;
}

static struct hakstat_value get_peak(const struct hakstat_row *r)
{
	return number_if(is_measured(r, r->g.peak_live_bytes), r->g.peak_live_bytes);
}
static struct hakstat_value get_mapped(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.mapped_bytes);
}
static struct hakstat_value get_committed(const struct hakstat_row *r)
{
	return number_if(r->span_ns ? r->g.committed_bytes != 0 : r->g.snapshots != 0, r->g.committed_bytes);
}
/* Known when all have told: a class's processes, or processes at a moment or their ends. */
static struct hakstat_value get_resident(const struct hakstat_row *r)
{
	if (r->g.snapshots) {
		return number_if(r->g.resident_snapshots == r->g.snapshots, r->g.resident_bytes);
	}
	return number_if(r->n.seen != 0 && r->n.resident_seen == r->n.seen, r->n.resident_bytes);
}
static struct hakstat_value get_peak_resident(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0 && r->g.peak_resident_snapshots == r->g.snapshots,
			 r->g.peak_resident_bytes);
}
static struct hakstat_value get_cached(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.cached_bytes);
}
static struct hakstat_value get_rest(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.rest_bytes);
}
static struct hakstat_value get_live_unknown_bytes(const struct hakstat_row *r)
{
	return number(r->n.live_unknown_bytes);
}

/* Of sizes from operations, else from snapshots: a trace without any knows no peak. */
static bool has_peak(const struct hakstat_row *r)
{
	return r->n.seen != 0 || r->n.peak_live != 0 || r->requested_max != 0;
}

/* The fullest snapshot may be older than any sample or operation. */
static bool knows_peak(const struct hakstat_row *r)
{
	return has_peak(r) &&
	       (r->n.peak_unknown_bytes == 0 || r->n.peak_unknown_bytes < r->n.peak_usable_bytes);
}

static struct hakstat_value get_peak_blocks(const struct hakstat_row *r)
{
	return number_if(has_peak(r), r->n.peak_live);
}
static struct hakstat_value get_peak_requested(const struct hakstat_row *r)
{
	return number_if(knows_peak(r), r->n.peak_requested_bytes);
}
static struct hakstat_value get_peak_usable(const struct hakstat_row *r)
{
	return number_if(has_peak(r), r->n.peak_usable_bytes);
}
static struct hakstat_value get_peak_waste(const struct hakstat_row *r)
{
	return number_if(knows_peak(r), hakstat_counts_peak_waste(&r->n));
}
static struct hakstat_value get_peak_blocks_ci95(const struct hakstat_row *r)
{
	return half_if(has_peak(r), r->n.peak_v.allocs);
}
static struct hakstat_value get_peak_requested_ci95(const struct hakstat_row *r)
{
	return half_if(knows_peak(r), r->n.peak_v.requested);
}
static struct hakstat_value get_peak_usable_ci95(const struct hakstat_row *r)
{
	return half_if(has_peak(r), r->n.peak_v.usable);
}
static struct hakstat_value get_peak_waste_ci95(const struct hakstat_row *r)
{
	return half_if(knows_peak(r), hakstat_variances_waste(&r->n.peak_v));
}
static struct hakstat_value get_peak_unknown(const struct hakstat_row *r)
{
	return number_if(has_peak(r), r->n.peak_unknown_bytes);
}
static struct hakstat_value get_peak_idle(const struct hakstat_row *r)
{
	return number_if(has_peak(r), r->n.peak_idle_bytes);
}
static struct hakstat_value get_peak_committed(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.peak_committed_bytes);
}
static struct hakstat_value get_peak_cached(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.peak_cached_bytes);
}
static struct hakstat_value get_peak_rest(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.peak_rest_bytes);
}
static struct hakstat_value get_requested_s(const struct hakstat_row *r)
{
	return number_if(r->n.seen != 0, r->n.requested_byte_s);
}
static struct hakstat_value get_waste_s(const struct hakstat_row *r)
{
	return number_if(r->n.seen != 0, r->n.waste_byte_s);
}
static struct hakstat_value get_requested_s_ci95(const struct hakstat_row *r)
{
	return half_if(r->n.seen != 0, r->n.area_v.requested);
}
static struct hakstat_value get_waste_s_ci95(const struct hakstat_row *r)
{
	return half_if(r->n.seen != 0, hakstat_variances_waste(&r->n.area_v));
}
static struct hakstat_value get_unknown_s(const struct hakstat_row *r)
{
	return number_if(r->n.seen != 0, r->n.unknown_byte_s);
}
static struct hakstat_value get_idle_s(const struct hakstat_row *r)
{
	return number_if(r->n.seen != 0, r->n.idle_byte_s);
}
static struct hakstat_value get_committed_s(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.committed_byte_s);
}
static struct hakstat_value get_cached_s(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.cached_byte_s);
}
static struct hakstat_value get_rest_s(const struct hakstat_row *r)
{
	return number_if(r->g.snapshots != 0, r->g.rest_byte_s);
}
static struct hakstat_value get_snapshots(const struct hakstat_row *r)
{
	return number(r->g.snapshots);
}
static struct hakstat_value get_samples(const struct hakstat_row *r)
{
	return number(r->n.samples);
}

/* clang-format off */

#define CLA (1u << HAKSTAT_BY_CLASS)
#define ROU (1u << HAKSTAT_BY_ROUTE)
#define SIZ (1u << HAKSTAT_BY_SIZE)
#define SIT (1u << HAKSTAT_BY_SITE)
#define THR (1u << HAKSTAT_BY_THREAD)
#define PRO (1u << HAKSTAT_BY_PROCESS)
#define TIM (1u << HAKSTAT_BY_TIME)
#define HEA (1u << HAKSTAT_BY_HEAP)
#define TOT ((unsigned)HAKSTAT_IN_TOTALS)
#define ALL (CLA | ROU | SIZ | SIT | THR | PRO | TIM | TOT)

#define TEXT    HAKSTAT_UNIT_TEXT
#define ID      HAKSTAT_UNIT_ID
#define COUNT   HAKSTAT_UNIT_COUNT
#define BYTES   HAKSTAT_UNIT_BYTES
#define SIZE    HAKSTAT_UNIT_SIZE
#define PERCENT HAKSTAT_UNIT_PERCENT
#define STACK   HAKSTAT_UNIT_STACK

const struct hakstat_column hakstat_columns[] = {
	{ "class_id", "id", ID, CLA | SIZ | HEA, 0, 0, "number of the class in its table", get_class_id },
	{ "time_ns", "time", ID, TIM | HEA, TIM | HEA, 0, "begin of the slice, nanoseconds since the epoch", get_time },
	{ "span_ns", "width", ID, TIM | HEA, 0, 0, "width of the slice in nanoseconds", get_span },
	{ "host", "host", TEXT, THR | PRO, THR | PRO, 8, "name of the machine", get_host },
	{ "process", "process", TEXT, THR | PRO, THR | PRO, 0, "name of the process", get_process },
	{ "pid", "pid", ID, THR | PRO, THR | PRO, 0, "process id", get_pid },
	{ "tid", "tid", ID, THR, THR, 0, "thread id; 0: unknown", get_tid },
	{ "requested_min", "from", SIZE, SIZ, SIZ, 0, "smallest request of the row", get_min },
	{ "requested_max", "to", SIZE, SIZ, SIZ, 1, "largest request of the row", get_max },
	{ "name", "class", TEXT, CLA | SIZ | HEA, CLA | SIZ | HEA, 0, "name of the class", get_name },
	{ "route", "route", TEXT, CLA | ROU | SIZ | HEA, CLA | ROU | SIZ, 9, "which part of the allocator serves it", get_route },
	{ "reason", "reason", TEXT, ROU, ROU, 0, "why that route was taken", get_reason },
	{ "min_requested", "from", SIZE, ROU, ROU, 3, "smallest request that took the route for the reason", get_min },
	{ "max_requested", "to", SIZE, ROU, ROU, 3, "largest request that took the route for the reason", get_max },
	{ "usable", "block", SIZE, CLA | SIZ | HEA, CLA | SIZ, 0, "usable bytes of one block; none for large, whose blocks differ", get_block },
	{ "allocs", "allocs", COUNT, ALL, ALL & ~TOT, 0, "number of allocations in the recording", get_allocs },
	{ "frees", "frees", COUNT, CLA | THR | PRO | TIM | TOT, CLA | THR | PRO, 7, "number of frees in the recording", get_frees },
	{ "live", "live", COUNT, CLA | SIZ | SIT | PRO | TOT | HEA, CLA | PRO | HEA, 4, "blocks the program holds, at the end unless it is a moment's row", get_live },
	{ "requested_bytes", "requested", BYTES, ALL, ALL & ~TOT, 2, "sum of what the allocations asked for", get_requested },
	{ "usable_bytes", "usable", BYTES, ALL, CLA | ROU | THR | PRO | TIM, 5, "sum of the blocks they got", get_usable },
	{ "waste_bytes", "waste", BYTES, ALL, ALL & ~TOT, 0, "usable less requested, of all allocations", get_waste },
	{ "waste_percent", "waste %", PERCENT, ALL, ALL & ~TOT, 0, "waste as part of the usable bytes", get_waste_percent },
	{ "ci95_percent", "±%", PERCENT, ALL, 0, 0, "half width of the 95 % interval of requested_bytes, as part of it; 0 when exact", get_ci95 },
	{ "allocs_ci95", "± allocs", COUNT, ALL, 0, 0, "half width of the 95 % interval of allocs; 0 when they were counted", get_allocs_ci95 },
	{ "waste_bytes_ci95", "± waste", BYTES, ALL, 0, 0, "half width of the 95 % interval of waste_bytes; 0 when exact", get_waste_ci95 },
	{ "waste_percent_ci95", "± waste %", PERCENT, ALL, 0, 0, "half width of the 95 % interval of waste_percent, in its points; 0 when exact", get_waste_percent_ci95 },
	{ "unknown_allocs", "unknown", COUNT, CLA | ROU | TOT, 0, 0, "allocations of which no sample tells the request; not in requested and waste", get_unknown },
	{ "live_requested_bytes", "live req.", BYTES, CLA | SIZ | SIT | PRO | TOT | HEA, HEA, 0, "what the live blocks were asked for", get_live_requested },
	{ "live_usable_bytes", "live usable", BYTES, CLA | SIZ | SIT | PRO | TOT | HEA, PRO | HEA, 6, "usable bytes of the live blocks", get_live_usable },
	{ "live_waste_bytes", "live waste", BYTES, CLA | SIZ | SIT | PRO | TOT | HEA, CLA | SIT | PRO | HEA, 6, "waste in the live blocks", get_live_waste },
	{ "live_ci95", "± live", COUNT, CLA | SIZ | SIT | PRO | TOT | HEA, 0, 0, "half width of the 95 % interval of live; 0 when they were counted", get_live_ci95 },
	{ "live_requested_bytes_ci95", "± live req.", BYTES, CLA | SIZ | SIT | PRO | TOT | HEA, 0, 0, "half width of the 95 % interval of live_requested_bytes; 0 when exact", get_live_requested_ci95 },
	{ "live_usable_bytes_ci95", "± live usable", BYTES, CLA | SIZ | SIT | PRO | TOT | HEA, 0, 0, "half width of the 95 % interval of live_usable_bytes; 0 when exact", get_live_usable_ci95 },
	{ "live_waste_bytes_ci95", "± live waste", BYTES, CLA | SIZ | SIT | PRO | TOT | HEA, 0, 0, "half width of the 95 % interval of live_waste_bytes; 0 when exact", get_live_waste_ci95 },
	{ "live_unknown", "live unknown", COUNT, CLA | TOT | HEA, 0, 0, "live blocks whose request is unknown: older than the trace, or not sampled", get_live_unknown },
	{ "live_unknown_bytes", "live unknown", BYTES, CLA | PRO | TOT | HEA, 0, 0, "usable bytes of those blocks; live requested, live waste and these are live usable", get_live_unknown_bytes },
	{ "slabs", "slabs", COUNT, CLA | TOT, CLA, 10, "slabs the class owns at the end", get_slabs },
	{ "slab_bytes", "slab bytes", BYTES, CLA | PRO | TOT | HEA, HEA, 0, "bytes of those slabs", get_slab_bytes },
	{ "occupancy_percent", "occup. %", PERCENT, CLA | TOT, CLA, 8, "live blocks as part of the slabs", get_occupancy },
	{ "external_waste_bytes", "idle", BYTES, CLA | PRO | TOT | HEA, CLA | HEA, 9, "bytes in slabs that no live block uses", get_external },
	{ "peak_live_bytes", "peak", BYTES, PRO | TIM | TOT, PRO | TIM, 5, "most usable bytes that were live at once, as seen at snapshots and operations; of several processes the sum", get_peak },
	{ "mapped_bytes", "mapped", BYTES, PRO | TOT, 0, 0, "superslabs made accessible, at the end", get_mapped },
	{ "committed_bytes", "committed", BYTES, PRO | TIM | TOT, PRO | TIM, 5, "of those, spans that hold or held data and were not given back", get_committed },
	{ "resident_bytes", "resident", BYTES, CLA | PRO | TIM | TOT | HEA, PRO | TIM | HEA, 6, "of superslabs (of a class: of its slabs, or its live large blocks), pages that are in memory; more than committed where huge pages reach beyond it", get_resident },
	{ "held_bytes", "held", BYTES, PRO | TOT, 0, 0, "committed spans that nobody uses and that were not given back yet", get_cached },
	{ "span_rest_bytes", "span ends", BYTES, PRO | TOT, 0, 0, "committed, and neither held nor in slabs nor in a large block: the ends of large blocks' spans", get_rest },
	{ "peak_live", "peak blocks", COUNT, CLA | SIZ | PRO | TOT, 0, 0, "blocks that were live at the peak: in that snapshot of the process which had the most live bytes; in the table by size, when its operations had the most, within 1 %", get_peak_blocks },
	{ "peak_live_requested_bytes", "peak req.", BYTES, CLA | SIZ | PRO | TOT, 0, 0, "what they were asked for", get_peak_requested },
	{ "peak_live_usable_bytes", "peak usable", BYTES, CLA | SIZ | PRO | TOT, 0, 0, "their usable bytes", get_peak_usable },
	{ "peak_live_waste_bytes", "peak waste", BYTES, CLA | SIZ | PRO | TOT, 0, 0, "waste in them", get_peak_waste },
	{ "peak_live_ci95", "± peak blocks", COUNT, CLA | SIZ | PRO | TOT, 0, 0, "half width of the 95 % interval of peak_live; 0 when they were counted", get_peak_blocks_ci95 },
	{ "peak_live_requested_bytes_ci95", "± peak req.", BYTES, CLA | SIZ | PRO | TOT, 0, 0, "half width of the 95 % interval of peak_live_requested_bytes; 0 when exact", get_peak_requested_ci95 },
	{ "peak_live_usable_bytes_ci95", "± peak usable", BYTES, CLA | SIZ | PRO | TOT, 0, 0, "half width of the 95 % interval of peak_live_usable_bytes; 0 when exact", get_peak_usable_ci95 },
	{ "peak_live_waste_bytes_ci95", "± peak waste", BYTES, CLA | SIZ | PRO | TOT, 0, 0, "half width of the 95 % interval of peak_live_waste_bytes; 0 when exact", get_peak_waste_ci95 },
	{ "peak_live_unknown_bytes", "peak unknown", BYTES, CLA | PRO | TOT, 0, 0, "usable bytes of those whose request is unknown", get_peak_unknown },
	{ "peak_external_waste_bytes", "peak idle", BYTES, CLA | PRO | TOT, 0, 0, "at the peak, bytes in slabs that no live block used", get_peak_idle },
	{ "peak_held_bytes", "peak held", BYTES, PRO | TOT, 0, 0, "held_bytes at the peak", get_peak_cached },
	{ "peak_span_rest_bytes", "peak span ends", BYTES, PRO | TOT, 0, 0, "span_rest_bytes at the peak", get_peak_rest },
	{ "peak_committed_bytes", "peak committed", BYTES, PRO | TOT, 0, 0, "committed_bytes at the peak", get_peak_committed },
	{ "peak_resident_bytes", "peak resident", BYTES, PRO | TOT, 0, 0, "resident_bytes at the peak", get_peak_resident },
	{ "requested_byte_seconds", "requested B s", COUNT, CLA | PRO | TOT, 0, 0, "live requested bytes times seconds, from the first snapshot to the last", get_requested_s },
	{ "waste_byte_seconds", "waste B s", COUNT, CLA | PRO | TOT, 0, 0, "the same of live waste", get_waste_s },
	{ "requested_byte_seconds_ci95", "± requested B s", COUNT, CLA | PRO | TOT, 0, 0, "half width of the 95 % interval of requested_byte_seconds; 0 when exact", get_requested_s_ci95 },
	{ "waste_byte_seconds_ci95", "± waste B s", COUNT, CLA | PRO | TOT, 0, 0, "half width of the 95 % interval of waste_byte_seconds; 0 when exact", get_waste_s_ci95 },
	{ "unknown_byte_seconds", "unknown B s", COUNT, CLA | PRO | TOT, 0, 0, "of live blocks whose request is unknown", get_unknown_s },
	{ "external_waste_byte_seconds", "idle B s", COUNT, CLA | PRO | TOT, 0, 0, "of bytes in slabs that no live block uses", get_idle_s },
	{ "held_byte_seconds", "held B s", COUNT, PRO | TOT, 0, 0, "of held bytes", get_cached_s },
	{ "span_rest_byte_seconds", "span ends B s", COUNT, PRO | TOT, 0, 0, "of the ends of large blocks' spans", get_rest_s },
	{ "committed_byte_seconds", "committed B s", COUNT, PRO | TOT, 0, 0, "of committed bytes", get_committed_s },
	{ "snapshots", "snapshots", COUNT, PRO | TOT, 0, 0, "how often the allocator's counters were recorded: the more, the closer the peak", get_snapshots },
	{ "samples", "samples", COUNT, CLA | SIT, 0, 0, "samples the estimates rest on", get_samples },
	{ "stack", "call site", STACK, SIT, SIT, 0, "call stack, innermost first", get_stack },
};

/* clang-format on */

const size_t hakstat_column_count = sizeof hakstat_columns / sizeof hakstat_columns[0];

const struct hakstat_column *hakstat_column_find(unsigned in, const char *key)
{
	for (size_t i = 0; i < hakstat_column_count; i++) {
		if ((hakstat_columns[i].in & in) && strcmp(hakstat_columns[i].key, key) == 0) {
			return &hakstat_columns[i];
		}
	}
	return NULL;
}

struct hakstat_value hakstat_interval(double variance)
{
	return half_if(true, variance);
}

const struct hakstat_column *hakstat_column_interval(unsigned in, const char *key)
{
	g_autofree char *name = g_strconcat(key, "_ci95", NULL);

	return hakstat_column_find(in, name);
}

static int compare_known(enum hakstat_unit unit, struct hakstat_value a, struct hakstat_value b)
{
	switch (unit) {
	case HAKSTAT_UNIT_TEXT:
		return strcmp(a.text, b.text);
	case HAKSTAT_UNIT_ID:
	case HAKSTAT_UNIT_SIZE:
		return (a.number > b.number) - (a.number < b.number);
	case HAKSTAT_UNIT_PERCENT:
		return (a.real < b.real) - (a.real > b.real);
	default:
		return (a.number < b.number) - (a.number > b.number);
	}
}

int hakstat_column_compare(const struct hakstat_column *column, const struct hakstat_row *a,
			   const struct hakstat_row *b)
{
	struct hakstat_value x = column->get(a);
	struct hakstat_value y = column->get(b);

	if (!x.is_known || !y.is_known) {
		return (int)y.is_known - (int)x.is_known;
	}
	return compare_known(column->unit, x, y);
}
