/* SPDX-License-Identifier: MIT */
/*
 * A short queue of events.
 */
#include "pending.h"

enum { MOST_BYTES = 4 << 20 }; /* block sizes come within the first snapshot period */

static void free_event(void *data)
{
	struct hakstat_event *event = data;

	g_free((void *)(uintptr_t)event->u.ops.words);
	g_free(event);
}

bool hakstat_pending_keep(struct hakstat_pending *p, const struct hakstat_event *event)
{
	struct hakstat_event *copy;
	size_t bytes = event->u.ops.count * sizeof *event->u.ops.words;

	if (p->is_over || p->bytes + bytes > MOST_BYTES) {
		return false;
	}
	if (!p->events) {
		p->events = g_ptr_array_new_with_free_func(free_event);
	}
	copy = g_memdup2(event, sizeof *event);
	copy->u.ops.words = g_memdup2(event->u.ops.words, bytes);
	g_ptr_array_add(p->events, copy);
	p->bytes += bytes + sizeof *copy;
	return true;
}

void hakstat_pending_release(struct hakstat_pending *p,
			     void (*fn)(void *context, const struct hakstat_event *event), void *context)
{
	p->is_over = true;
	for (guint i = 0; p->events && i < p->events->len; i++) {
		fn(context, g_ptr_array_index(p->events, i));
	}
	hakstat_pending_clear(p);
}

void hakstat_pending_clear(struct hakstat_pending *p)
{
	if (p->events) {
		g_ptr_array_unref(p->events);
		p->events = NULL;
	}
}
