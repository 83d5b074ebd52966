/* SPDX-License-Identifier: MIT */
/*
 * The LTTng-UST events of provider `hakmem`: the public record of what the allocator
 * decided. Names and types are an interface that traces on disk and other people's
 * filters rely on; docs/events.md describes them field by field.
 *
 * Rules: integers and labelled enumerations on every path that an operation takes; each
 * event readable without another one; sizes in bytes, times in nanoseconds.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER hakmem

/* The tracepoints' state is read at each heartbeat of the allocator: no GOT in between. */
#ifndef LTTNG_UST_TRACEPOINT_HIDDEN_DEFINITION
#define LTTNG_UST_TRACEPOINT_HIDDEN_DEFINITION
#endif

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "hak_tp.h"

#if !defined(HAK_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define HAK_TP_H

#include <lttng/tracepoint.h>
#include <stddef.h>
#include <stdint.h>

#include "hakmem.h"
#include "hakmem_life.h"
#include "hakmem_trace.h"
#include "snapshot.h"

#ifndef HAK_TP_ENUM_ROW
#define HAK_TP_ROUTE_ROW(id, label, help)  lttng_ust_field_enum_value(#label, HAK_ROUTE_##id)
#define HAK_TP_REASON_ROW(id, label, help) lttng_ust_field_enum_value(#label, HAK_REASON_##id)
#define HAK_TP_LIFE_ROW(id, label, value)  lttng_ust_field_enum_value(#label, value)
#define HAK_TP_ENUM_ROW
#endif

LTTNG_UST_TRACEPOINT_ENUM(hakmem, route, LTTNG_UST_TP_ENUM_VALUES(HAK_ROUTES(HAK_TP_ROUTE_ROW)))
LTTNG_UST_TRACEPOINT_ENUM(hakmem, reason, LTTNG_UST_TP_ENUM_VALUES(HAK_REASONS(HAK_TP_REASON_ROW)))
LTTNG_UST_TRACEPOINT_ENUM(hakmem, life, LTTNG_UST_TP_ENUM_VALUES(HAK_LIVES(HAK_TP_LIFE_ROW)))

/* clang-format off */

LTTNG_UST_TRACEPOINT_EVENT(hakmem, route,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, requested, op->requested)
		lttng_ust_field_integer(uint64_t, alignment, op->alignment)
		lttng_ust_field_enum(hakmem, route, uint8_t, route, op->route)
		lttng_ust_field_enum(hakmem, reason, uint8_t, reason, op->reason)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, class_select,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, requested, op->requested)
		lttng_ust_field_integer(uint64_t, usable, op->usable)
		lttng_ust_field_integer(uint64_t, waste, op->usable - op->requested)
		lttng_ust_field_integer(uint16_t, class_id, op->class_id)
		lttng_ust_field_enum(hakmem, route, uint8_t, route, op->route)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, frag,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op, uint32_t, percent, uint64_t *, frames, uint32_t, depth),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uint64_t, ptr, (uint64_t)(uintptr_t)op->ptr)
		lttng_ust_field_integer(uint64_t, requested, op->requested)
		lttng_ust_field_integer(uint64_t, usable, op->usable)
		lttng_ust_field_integer(uint64_t, waste, op->usable - op->requested)
		lttng_ust_field_integer(uint8_t, waste_percent, percent)
		lttng_ust_field_integer(uint16_t, class_id, op->class_id)
		lttng_ust_field_enum(hakmem, route, uint8_t, route, op->route)
		lttng_ust_field_enum(hakmem, reason, uint8_t, reason, op->reason)
		lttng_ust_field_sequence_hex(uint64_t, stack, frames, uint16_t, depth)
	)
)

#define HAK_TP_OPERATION_FIELDS \
		lttng_ust_field_integer_hex(uint64_t, ptr, (uint64_t)(uintptr_t)op->ptr) \
		lttng_ust_field_integer(uint64_t, requested, op->requested) \
		lttng_ust_field_integer(uint64_t, usable, op->usable) \
		lttng_ust_field_integer(uint64_t, alignment, op->alignment) \
		lttng_ust_field_integer(uint16_t, class_id, op->class_id) \
		lttng_ust_field_enum(hakmem, route, uint8_t, route, op->route) \
		lttng_ust_field_enum(hakmem, reason, uint8_t, reason, op->reason) \
		lttng_ust_field_integer(uint32_t, flags, op->flags)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, alloc,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op),
	LTTNG_UST_TP_FIELDS(HAK_TP_OPERATION_FIELDS)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, free,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op),
	LTTNG_UST_TP_FIELDS(HAK_TP_OPERATION_FIELDS)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, resize,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op, uint64_t, old_requested),
	LTTNG_UST_TP_FIELDS(
		HAK_TP_OPERATION_FIELDS
		lttng_ust_field_integer(uint64_t, old_requested, old_requested)
	)
)

/*
 * Many operations of one thread, oldest first, packed (hakmem_ops_word.h has the layout). The
 * tracer's thread may write a batch for its owner, so the ids are fields. `first` is the number
 * of the first operation in that thread, from 0: a gap between events says how many were lost.
 * 0 again with the same tid is a new thread, whose number the system used again. Operations
 * that no session asked for are not counted.
 */
LTTNG_UST_TRACEPOINT_EVENT(hakmem, ops,
	LTTNG_UST_TP_ARGS(uint32_t, pid, uint32_t, tid, uint64_t, first, uint32_t, operations, uint32_t, units,
			  uint64_t *, words, uint32_t, count),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_integer(uint32_t, tid, tid)
		lttng_ust_field_integer(uint64_t, first, first)
		lttng_ust_field_integer(uint16_t, operations, operations)
		lttng_ust_field_integer(uint16_t, units, units)
		lttng_ust_field_sequence(uint64_t, words, words, uint16_t, count)
	)
)

#define HAK_TP_SAMPLE_FIELDS \
		lttng_ust_field_integer_hex(uint64_t, ptr, (uint64_t)(uintptr_t)op->ptr) \
		lttng_ust_field_integer(uint64_t, requested, op->requested) \
		lttng_ust_field_integer(uint64_t, usable, op->usable) \
		lttng_ust_field_integer(uint16_t, class_id, op->class_id) \
		lttng_ust_field_enum(hakmem, route, uint8_t, route, op->route) \
		lttng_ust_field_enum(hakmem, reason, uint8_t, reason, op->reason) \
		lttng_ust_field_float(double, weight, sample->weight) \
		lttng_ust_field_integer(uint32_t, stack_id, sample->stack_id)

/*
 * `stack` is empty when the frames of `stack_id` were written before; they are repeated now
 * and then, and another thread's event may name the id a moment before they come. An id is
 * good for the whole life of its process. 0 names no stack: with frames, the table of stacks
 * was full; without, no stack could be had.
 */
LTTNG_UST_TRACEPOINT_EVENT(hakmem, sample_alloc,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op, const struct hak_trace_sample *, sample,
			  uint64_t *, frames, uint32_t, depth),
	LTTNG_UST_TP_FIELDS(
		HAK_TP_SAMPLE_FIELDS
		lttng_ust_field_sequence_hex(uint64_t, stack, frames, uint16_t, depth)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, sample_resize,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op, const struct hak_trace_op *, former,
			  const struct hak_trace_sample *, sample),
	LTTNG_UST_TP_FIELDS(
		HAK_TP_SAMPLE_FIELDS
		lttng_ust_field_integer_hex(uint64_t, old_ptr, (uint64_t)(uintptr_t)former->ptr)
		lttng_ust_field_integer(uint64_t, old_requested, former->requested)
		lttng_ust_field_integer(uint64_t, old_usable, former->usable)
	)
)

/*
 * `in_session` is 0, and lifetime_ns too, for a block that was sampled before sampling last
 * went from off to on. With several sessions at once it speaks for the oldest; the lifetime
 * says whether the block is older than another one.
 */
LTTNG_UST_TRACEPOINT_EVENT(hakmem, sample_free,
	LTTNG_UST_TP_ARGS(const struct hak_trace_op *, op, const struct hak_trace_sample *, sample,
			  uint64_t, lifetime_ns),
	LTTNG_UST_TP_FIELDS(
		HAK_TP_SAMPLE_FIELDS
		lttng_ust_field_integer(uint64_t, lifetime_ns, lifetime_ns)
		lttng_ust_field_integer(uint8_t, in_session, lifetime_ns != 0)
	)
)

/* A snapshot whose rows are not all there was cut off by the end of its process. */
LTTNG_UST_TRACEPOINT_EVENT(hakmem, class_stats,
	LTTNG_UST_TP_ARGS(uint32_t, pid, const struct hakmem_class_stats *, c, uint64_t, snapshot, uint64_t, hidden,
			  uint64_t, resident_bytes),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_integer(uint64_t, snapshot, snapshot)
		lttng_ust_field_integer(uint16_t, class_id, c->class_id)
		lttng_ust_field_enum(hakmem, route, uint8_t, route, c->route)
		lttng_ust_field_integer(uint64_t, usable, c->usable)
		lttng_ust_field_integer(uint64_t, allocs, c->allocs)
		lttng_ust_field_integer(uint64_t, frees, c->frees)
		lttng_ust_field_integer(uint64_t, live, c->live)
		lttng_ust_field_integer(uint64_t, cached, c->cached)
		lttng_ust_field_integer(uint64_t, slabs, c->slabs)
		lttng_ust_field_integer(uint64_t, slab_bytes, c->slab_bytes)
		lttng_ust_field_integer(uint64_t, hidden, hidden)
		lttng_ust_field_integer(uint64_t, resident_bytes, resident_bytes)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, heap_stats,
	LTTNG_UST_TP_ARGS(uint32_t, pid, const struct hakmem_heap_stats *, h, uint64_t, snapshot,
			  const struct hak_level *, level, uint64_t, resident_bytes, enum hak_life, life),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_integer(uint64_t, snapshot, snapshot)
		lttng_ust_field_integer(uint64_t, reserved, h->reserved)
		lttng_ust_field_integer(uint64_t, mapped, h->mapped)
		lttng_ust_field_integer(uint64_t, committed, h->committed)
		lttng_ust_field_integer(uint64_t, cached, h->cached)
		lttng_ust_field_integer(uint64_t, large_bytes, h->large_bytes)
		lttng_ust_field_integer(uint64_t, large_blocks, h->large_blocks)
		lttng_ust_field_integer(uint64_t, metadata, h->metadata)
		lttng_ust_field_integer(uint64_t, purged, h->purged)
		lttng_ust_field_integer(uint64_t, superslabs, h->superslabs)
		lttng_ust_field_integer(uint64_t, threads, h->threads)
		lttng_ust_field_integer(uint64_t, live_bytes, level->live_bytes)
		lttng_ust_field_integer(uint8_t, idle_percent, level->idle_percent)
		lttng_ust_field_integer(uint8_t, waste_percent, level->waste_percent)
		lttng_ust_field_integer(uint64_t, resident_bytes, resident_bytes)
		lttng_ust_field_enum(hakmem, life, uint8_t, life, life)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, config,
	LTTNG_UST_TP_ARGS(uint32_t, pid, const struct hakmem_config *, c, const char *, version),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_string(version, version)
		lttng_ust_field_string(size_classes, c->size_classes)
		lttng_ust_field_integer(uint8_t, tiny_max_class, c->tiny_max_class)
		lttng_ust_field_integer(uint32_t, tiny_max_size, c->tiny_max_size)
		lttng_ust_field_integer(uint16_t, class_count, c->class_count)
		lttng_ust_field_integer(uint32_t, page_size, c->page_size)
		lttng_ust_field_integer(uint64_t, superslab_size, c->superslab_size)
		lttng_ust_field_integer(uint64_t, huge_pages_from, c->huge_pages_from)
		lttng_ust_field_integer(int64_t, purge_delay_ms, c->purge_delay_ms)
		lttng_ust_field_integer(uint8_t, secure, c->secure)
		lttng_ust_field_integer(uint64_t, sample_bytes, c->sample_bytes)
		lttng_ust_field_integer(uint32_t, snapshot_ms, c->snapshot_ms)
		lttng_ust_field_integer(uint8_t, frag_percent, c->frag_percent)
		lttng_ust_field_integer(uint16_t, stack_depth, c->stack_depth)
		lttng_ust_field_integer(uint8_t, frame_pointers, c->frame_pointers)
		lttng_ust_field_string(session, c->session[0] ? c->session : "-")
	)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, class_info,
	LTTNG_UST_TP_ARGS(uint32_t, pid, const struct hakmem_class_stats *, c),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint32_t, pid, pid)
		lttng_ust_field_integer(uint16_t, class_id, c->class_id)
		lttng_ust_field_string(name, c->name)
		lttng_ust_field_enum(hakmem, route, uint8_t, route, c->route)
		lttng_ust_field_integer(uint64_t, usable, c->usable)
		lttng_ust_field_integer(uint64_t, min_request, c->min_request)
		lttng_ust_field_integer(uint64_t, max_request, c->max_request)
	)
)

#define HAK_TP_REGION_FIELDS \
		lttng_ust_field_integer_hex(uint64_t, start, (uint64_t)(uintptr_t)start) \
		lttng_ust_field_integer(uint64_t, bytes, bytes)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, superslab_map,
	LTTNG_UST_TP_ARGS(const void *, start, uint64_t, bytes),
	LTTNG_UST_TP_FIELDS(HAK_TP_REGION_FIELDS)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, superslab_unmap,
	LTTNG_UST_TP_ARGS(const void *, start, uint64_t, bytes),
	LTTNG_UST_TP_FIELDS(HAK_TP_REGION_FIELDS)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, slab_acquire,
	LTTNG_UST_TP_ARGS(const void *, start, uint64_t, bytes, uint32_t, class_id),
	LTTNG_UST_TP_FIELDS(HAK_TP_REGION_FIELDS lttng_ust_field_integer(uint16_t, class_id, class_id))
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, slab_release,
	LTTNG_UST_TP_ARGS(const void *, start, uint64_t, bytes, uint32_t, class_id),
	LTTNG_UST_TP_FIELDS(HAK_TP_REGION_FIELDS lttng_ust_field_integer(uint16_t, class_id, class_id))
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, purge,
	LTTNG_UST_TP_ARGS(const void *, start, uint64_t, bytes),
	LTTNG_UST_TP_FIELDS(HAK_TP_REGION_FIELDS)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, oom,
	LTTNG_UST_TP_ARGS(uint64_t, requested, uint64_t, alignment),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer(uint64_t, requested, requested)
		lttng_ust_field_integer(uint64_t, alignment, alignment)
	)
)

LTTNG_UST_TRACEPOINT_EVENT(hakmem, corruption,
	LTTNG_UST_TP_ARGS(const void *, ptr, const char *, what),
	LTTNG_UST_TP_FIELDS(
		lttng_ust_field_integer_hex(uint64_t, ptr, (uint64_t)(uintptr_t)ptr)
		lttng_ust_field_string(what, what)
	)
)

/* clang-format on */

#endif /* HAK_TP_H */

#include <lttng/tracepoint-event.h>
