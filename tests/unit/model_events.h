/* SPDX-License-Identifier: MIT */
/* Events as a trace of one process would bring them, for tests of the model. After cmocka.h. */
#ifndef HAK_TESTS_UNIT_MODEL_EVENTS_H
#define HAK_TESTS_UNIT_MODEL_EVENTS_H

#include <stdint.h>

#include "hakmem_ops_word.h"
#include "hakmem_route_list.h"
#include "model.h"
#include "ops_units.h"

enum { PID = 100, TID = 101, TINY_CLASS = 0, MID_CLASS = 8, LARGE_CLASS = 11 };

/* Of the event before. */
static int64_t now = 1000000000;

static inline struct hakstat_event event(enum hakstat_event_kind kind)
{
	struct hakstat_event e = { .kind = kind, .has_pid = true, .pid = PID, .tid = TID };

	e.time_ns = now += 1000;
	return e;
}

static inline void class_info(struct hakstat_model *m, uint32_t id, uint32_t route, const char *name,
			      uint64_t usable)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_INFO);

	e.u.class_info = (struct hakstat_event_class_info) { id, route, name, usable, usable / 2, usable };
	hakstat_model_feed(m, &e);
}

static inline void tables(struct hakstat_model *m)
{
	class_info(m, TINY_CLASS, HAK_ROUTE_TINY, "C7", 1024);
	class_info(m, MID_CLASS, HAK_ROUTE_MID, "M8192", 8192);
	class_info(m, LARGE_CLASS, HAK_ROUTE_LARGE, "large", 0);
}

static inline void stats(struct hakstat_model *m, uint64_t snapshot, uint32_t id, uint64_t usable,
			 uint64_t allocs, uint64_t frees)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);

	e.u.class_stats = (struct hakstat_event_class_stats) {
		.snapshot = snapshot,
		.class_id = id,
		.route = usable == 1024 ? HAK_ROUTE_TINY
			 : usable	? HAK_ROUTE_MID
					: HAK_ROUTE_LARGE,
		.usable = usable,
		.allocs = allocs,
		.frees = frees,
		.live = allocs - frees,
		.slabs = 1,
		.slab_bytes = 65536,
	};
	hakstat_model_feed(m, &e);
}

static inline void large_stats(struct hakstat_model *m, uint64_t snapshot, uint64_t allocs, uint64_t frees,
			       uint64_t bytes)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_CLASS_STATS);

	e.u.class_stats = (struct hakstat_event_class_stats) { .snapshot = snapshot,
							       .class_id = LARGE_CLASS,
							       .route = HAK_ROUTE_LARGE,
							       .allocs = allocs,
							       .frees = frees,
							       .live = allocs - frees,
							       .slab_bytes = bytes };
	hakstat_model_feed(m, &e);
}

static inline void ops_of_thread(struct hakstat_model *m, uint32_t tid, uint64_t first, const uint64_t *words,
				 uint32_t count)
{
	struct hakstat_event e = event(HAKSTAT_EVENT_OPS);
	struct ops_units packed = ops_units_of(words, count);

	e.tid = tid;
	e.u.ops = (struct hakstat_event_ops) { first, packed.operations, packed.units, packed.count,
					       packed.words };
	hakstat_model_feed(m, &e);
}

static inline void ops(struct hakstat_model *m, uint64_t first, const uint64_t *words, uint32_t count)
{
	ops_of_thread(m, TID, first, words, count);
}

static inline const struct hakstat_row *row_of(const struct hakstat_summary *s, enum hakstat_table_id table,
					       uint32_t class_id)
{
	for (guint i = 0; i < s->rows[table]->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(s->rows[table], i);
		if (row->class_id == class_id) {
			return row;
		}
	}
	fail_msg("no row of class %u by %s", class_id, hakstat_table_name(table));
	return NULL;
}

static inline uint64_t word(enum hak_word_kind kind, unsigned class_id, unsigned reason, unsigned flags,
			    uint64_t requested)
{
	return hak_word_pack(kind, class_id, reason, flags, 0, class_id == LARGE_CLASS, requested);
}

static inline struct hakstat_summary *finish(struct hakstat_model *m)
{
	struct hakstat_summary *s = hakstat_model_finish(m);

	hakstat_model_free(m);
	return s;
}

#endif
