/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a trace: counts that add up, in tables of rows. A summary is what a model
 * ends in, what can be saved and read again, and what merges: merging is associative and
 * commutative, so hosts, processes and runs come together in any order. Percentages,
 * findings and orders are no part of it; report.c derives them.
 */
#ifndef HAKSTAT_SUMMARY_H
#define HAKSTAT_SUMMARY_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "mode.h"
#include "resizes.h"
#include "variances.h"

enum hakstat_table_id {
	HAKSTAT_BY_CLASS,
	HAKSTAT_BY_ROUTE,
	HAKSTAT_BY_SIZE,
	HAKSTAT_BY_SITE,
	HAKSTAT_BY_THREAD,
	HAKSTAT_BY_PROCESS,
	HAKSTAT_BY_TIME,
	HAKSTAT_BY_HEAP, /* the classes over time */
	HAKSTAT_TABLE_COUNT,
};

/* clang-format off */

/*
 * X(field): sums over allocations. `unknown_allocs` of `allocs` are those of which nothing says
 * what they requested, `unknown_bytes` their usable bytes, which are in `usable_bytes` as well;
 * likewise for what is live; `large_live_bytes` of it lie in no slab. `samples` is what the estimates rest on. `peak_` is what was live, and
 * `peak_idle_bytes` what slabs had free, in the snapshot of its process with the most live bytes;
 * of sizes, when their process's operations had the most live bytes (within 1 %). `_byte_s` are
 * byte seconds from the first snapshot to the last. `seen`: processes whose snapshots have the class; `resident_seen`: those of them
 * whose last one tells which pages are in memory, so that the sum is known when the two are equal.
 */
#define HAKSTAT_COUNTS(X) \
	X(allocs) X(frees) X(live) \
	X(requested_bytes) X(usable_bytes) X(unknown_allocs) X(unknown_bytes) \
	X(live_requested_bytes) X(live_usable_bytes) X(live_unknown) X(live_unknown_bytes) \
	X(slabs) X(slab_bytes) X(large_live_bytes) X(samples) X(seen) \
	X(peak_live) X(peak_requested_bytes) X(peak_usable_bytes) X(peak_unknown_bytes) X(peak_idle_bytes) \
	X(requested_byte_s) X(waste_byte_s) X(unknown_byte_s) X(idle_byte_s) \
	X(resident_bytes) X(resident_seen)

/*
 * X(field): of a process or a moment; merged by adding. `rest`: committed, and neither cached nor in
 * slabs nor in live large blocks: the ends of large blocks' spans. `intervals`: between snapshots. `resident_snapshots`:
 * the snapshots of processes whose last one tells what is in memory; of a moment, both are 1 or 0.
 */
#define HAKSTAT_GAUGES(X) \
	X(peak_live_bytes) X(mapped_bytes) X(committed_bytes) X(cached_bytes) X(rest_bytes) \
	X(peak_committed_bytes) X(peak_cached_bytes) X(peak_rest_bytes) \
	X(committed_byte_s) X(cached_byte_s) X(rest_byte_s) X(snapshots) X(intervals) \
	X(resident_bytes) X(resident_snapshots) X(peak_resident_bytes) X(peak_resident_snapshots)

/* X(field): of the whole summary; merged by adding. */
#define HAKSTAT_SUMS(X) \
	X(events) X(operations) X(lost_events) X(lost_operations) X(malformed) X(unseen_allocs) X(unended) \
	X(metadata_bytes) X(out_of_memory) X(corruptions)

/* clang-format on */

#define HAKSTAT_U64_FIELD(field) uint64_t field;

struct hakstat_counts {
	HAKSTAT_COUNTS(HAKSTAT_U64_FIELD)
	struct hakstat_variances v;		 /* of the sums */
	struct hakstat_variances live_v, peak_v; /* of what is live at the end, and at the peak */
	struct hakstat_variances area_v;	 /* of byte seconds: usable ones are known */
};

struct hakstat_gauges {
	HAKSTAT_GAUGES(HAKSTAT_U64_FIELD)
};

/*
 * How well a prediction is known. Its classes rest on the same samples, so that their variances do not add up
 * to those of all. `recorded_peak_v`: of the sizes at the peak, as they were; `saving`: of the differences.
 */
struct hakstat_predicted {
	struct hakstat_variances v, live_v, peak_v, recorded_peak_v;
	double saving, live_saving, peak_saving;
};

enum { HAKSTAT_REASON_UNKNOWN = 7 }; /* no sample tells why these requests took their route */

/* One line of a table. A table uses the dimension fields it is about; others are 0 or NULL. */
struct hakstat_row {
	char *key; /* what makes rows of several summaries one */
	char *class_name;
	uint32_t class_id;
	uint32_t route;	 /* enum hak_route */
	uint32_t reason; /* enum hak_reason */
	uint64_t block;	 /* usable bytes of one block; 0 when they differ */
	uint64_t requested_min, requested_max;
	GPtrArray *stack; /* of struct hakstat_frame, innermost first */
	char *host;
	char *process;
	uint32_t pid, tid;
	int64_t time_ns;
	uint64_t span_ns;
	struct hakstat_gauges g; /* process, time and totals */
	struct hakstat_counts n;
};

struct hakstat_config {
	bool known;
	bool differs; /* the processes do not agree; the values are those of the smallest name */
	char *version;
	char *size_classes;
	uint32_t tiny_max_class, tiny_max_size, page_size, frag_percent;
	uint64_t superslab_size;
};

struct hakstat_summary {
	GPtrArray *paths, *hosts; /* char *, sorted, each once */
	GPtrArray *traces; /* char *, sorted: what tells each from all others, and where it was read from and
			      to */
	GPtrArray *notes;  /* char *: what the reader must know, sorted, each once */
	enum hakstat_mode mode;
	bool estimated;	     /* requested bytes are estimates */
	bool partial;	     /* a trace ended early */
	bool sites_are_frag; /* sites cover only requests that waste frag_percent and more */
	int64_t begin_ns, end_ns;
	bool lost_unknown; /* more was lost than lost_events counts */
	/*
	 * operations: allocations, frees and resizes that were read one by one; lost_operations: of packed
	 * operations; malformed: events whose values made no sense; unseen_allocs: counted by snapshots
	 * but not among the operations; unended: processes whose end is not in the trace.
	 */
	HAKSTAT_SUMS(HAKSTAT_U64_FIELD)
	struct hakstat_gauges g;
	struct hakstat_config config;
	struct hakstat_predicted *predicted;	 /* NULL: recorded; or nothing was left to samples */
	struct hakstat_resizes resizes;		 /* of operations that were read one by one */
	GPtrArray *rows[HAKSTAT_TABLE_COUNT];	 /* struct hakstat_row * */
	GHashTable *by_key[HAKSTAT_TABLE_COUNT]; /* key -> row */
};

struct hakstat_summary *hakstat_summary_new(void);
void hakstat_summary_free(struct hakstat_summary *summary);

/* The row with this key, made with zero counts when new (*is_new, may be NULL). */
struct hakstat_row *hakstat_summary_row(struct hakstat_summary *summary, enum hakstat_table_id table,
					const char *key, bool *is_new);

/* Takes requests of `min` to `max` bytes into a row's range; `is_new`: the row has none yet. */
void hakstat_row_add_range(struct hakstat_row *row, enum hakstat_table_id table, bool is_new, uint64_t min,
			   uint64_t max);

/* Adds a path, a host or a note once. The text is copied and made safe to show. */
void hakstat_summary_add_path(struct hakstat_summary *summary, const char *path);
void hakstat_summary_add_host(struct hakstat_summary *summary, const char *host);
/* A trace as of its first event. When all are read, `end_traces`. */
void hakstat_summary_add_trace(struct hakstat_summary *summary, const char *id, int64_t begin_ns);
void hakstat_summary_end_traces(struct hakstat_summary *summary);

/* What `one` has of the traces of `all`. */
enum hakstat_overlap { HAKSTAT_OVERLAP_NONE, HAKSTAT_OVERLAP_PART, HAKSTAT_OVERLAP_SAME };
enum hakstat_overlap hakstat_summary_overlap(const struct hakstat_summary *all,
					     const struct hakstat_summary *one);

void hakstat_summary_note(struct hakstat_summary *summary, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Takes a process's options in; notes when they differ from those seen before. */
void hakstat_summary_add_config(struct hakstat_summary *summary, const struct hakstat_config *config);

void hakstat_counts_add(struct hakstat_counts *to, const struct hakstat_counts *from);

void hakstat_gauges_add(struct hakstat_gauges *to, const struct hakstat_gauges *from);

/* Adds `from` to `to`. `from` stays as it is. */
void hakstat_summary_merge(struct hakstat_summary *to, const struct hakstat_summary *from);

/* True when something the trace should have is missing: lost events or operations, a trace cut short. */
bool hakstat_summary_is_incomplete(const struct hakstat_summary *summary);

/* usable - requested over what is known of both. */
uint64_t hakstat_counts_waste(const struct hakstat_counts *n);
uint64_t hakstat_counts_live_waste(const struct hakstat_counts *n);

/* False when every allocation, or every live block, is one whose request is unknown: then so is the waste. */
bool hakstat_counts_know_requests(const struct hakstat_counts *n);
bool hakstat_counts_know_live(const struct hakstat_counts *n);
uint64_t hakstat_counts_peak_waste(const struct hakstat_counts *n);

/* "class", "route", ... */
const char *hakstat_table_name(enum hakstat_table_id table);

#endif
