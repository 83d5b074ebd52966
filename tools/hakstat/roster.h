/* SPDX-License-Identifier: MIT */
/*
 * Which process an event is about: by session and process id, with what to do when the
 * session did not record process ids, and when an exec puts a new image under an old id.
 */
#ifndef HAKSTAT_ROSTER_H
#define HAKSTAT_ROSTER_H

#include "event.h"
#include "process.h"

struct hakstat_roster {
	GPtrArray *processes; /* every one there ever was, in order of appearance */
	GHashTable *current;  /* session and pid -> the process that has them now */
	GHashTable *sessions;
	struct hakstat_process *last;
};

void hakstat_roster_init(struct hakstat_roster *roster);
void hakstat_roster_clear(struct hakstat_roster *roster);

/* The process, made when it is new. Never NULL. */
struct hakstat_process *hakstat_roster_find(struct hakstat_roster *roster, const struct hakstat_event *event);

/*
 * The process that stands for the events of the session of this number which do not say who wrote
 * them; NULL when there are none, or when only one process can have written them, which has them then.
 */
struct hakstat_process *hakstat_roster_anonymous(const struct hakstat_roster *roster, uint32_t number);

/* A process of the same session that knows this class by name, or NULL. */
const struct hakstat_process *hakstat_roster_who_knows(const struct hakstat_roster *roster, uint32_t session,
						       uint32_t class_id);

#endif
