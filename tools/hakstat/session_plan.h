/* SPDX-License-Identifier: MIT */
/*
 * Which channels and events each mode records: tables, and the memory the channels may take.
 */
#ifndef HAKSTAT_SESSION_PLAN_H
#define HAKSTAT_SESSION_PLAN_H

#include "session.h"

/* The channels of a session: what happens rarely must not be lost to what happens often. */
enum hakstat_channel {
	HAKSTAT_CHANNEL_METADATA, /* LTTng's own, listed so that it reaches the file in time as well */
	HAKSTAT_CHANNEL_STATE,	  /* options, classes, snapshots, structure, modules */
	HAKSTAT_CHANNEL_MODULES,  /* modules, where the rest of the state is overwritten with time */
	HAKSTAT_CHANNEL_SAMPLE,	  /* samples with their stacks */
	HAKSTAT_CHANNEL_OPS,	  /* every operation, packed; larger buffers cost more than they save */
	HAKSTAT_CHANNEL_EVENTS,	  /* every operation, as events of its own */
	HAKSTAT_CHANNELS,
};

struct hakstat_channel_plan {
	const char *name;
	uint64_t buffer_bytes; /* of one sub-buffer; a power of two */
	uint64_t buffers;      /* per CPU; a power of two */
	unsigned modes;	       /* set of 1 << enum hakstat_mode */
};

struct hakstat_event_plan {
	const char *name; /* an LTTng event name, or a pattern of such */
	enum hakstat_channel channel;
	unsigned modes;
};

/* The rows; both tables end with one whose name is NULL. */
extern const struct hakstat_channel_plan hakstat_channel_plans[HAKSTAT_CHANNELS + 1];
extern const struct hakstat_event_plan hakstat_event_plans[];

/* Whether a session of that mode has the channel. */
bool hakstat_channel_is_used(enum hakstat_channel channel, enum hakstat_mode mode, bool is_snapshot);

/* Where its events go. */
enum hakstat_channel hakstat_event_channel(const struct hakstat_event_plan *plan, bool is_snapshot);

/*
 * The bytes of one sub-buffer of `channel` in `mode`: as planned, or less where all channels
 * of the mode on all CPUs would take more than an eighth of the memory that is free.
 */
uint64_t hakstat_channel_buffer_bytes(enum hakstat_channel channel, enum hakstat_mode mode);

/*
 * Whether there is room for the smallest buffers: LTTng would leave out those that find none, and
 * say nothing. Returns 0, or a status with `err` set.
 */
int hakstat_session_plan_check(enum hakstat_mode mode, struct hakstat_err *err);

#endif
