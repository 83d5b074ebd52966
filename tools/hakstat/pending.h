/* SPDX-License-Identifier: MIT */
/*
 * Packed operations that came before the trace told the block sizes of the classes: kept until
 * then, because the usable bytes of a thread or of a moment can't be made up for later.
 */
#ifndef HAKSTAT_PENDING_H
#define HAKSTAT_PENDING_H

#include <glib.h>
#include <stdbool.h>

#include "event.h"

struct hakstat_pending {
	GPtrArray *events; /* struct hakstat_event * with their words; NULL: none yet */
	size_t bytes;
	bool is_over; /* nothing is kept any more */
};

/* Keeps a copy of a HAKSTAT_EVENT_OPS. False when it is to be counted now: kept ones must be, first. */
bool hakstat_pending_keep(struct hakstat_pending *pending, const struct hakstat_event *event);

/* Hands all kept events to fn in order, and keeps none from now on. */
void hakstat_pending_release(struct hakstat_pending *pending,
			     void (*fn)(void *context, const struct hakstat_event *event), void *context);

void hakstat_pending_clear(struct hakstat_pending *pending);

#endif
