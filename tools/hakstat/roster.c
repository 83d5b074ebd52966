/* SPDX-License-Identifier: MIT */
/*
 * Processes by session and id.
 */
#include "roster.h"

struct session {
	guint pids; /* that were seen */
	uint32_t first_pid;
	struct hakstat_process *anonymous;
};

static void free_process(void *process)
{
	hakstat_process_free(process);
}

void hakstat_roster_init(struct hakstat_roster *r)
{
	r->processes = g_ptr_array_new_with_free_func(free_process);
	r->current = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	r->sessions = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	r->last = NULL;
}

void hakstat_roster_clear(struct hakstat_roster *r)
{
	g_hash_table_destroy(r->sessions);
	g_hash_table_destroy(r->current);
	g_ptr_array_unref(r->processes);
}

static struct session *session_of(struct hakstat_roster *r, uint32_t number)
{
	gpointer key = GUINT_TO_POINTER(number);
	struct session *session = g_hash_table_lookup(r->sessions, key);

	if (!session) {
		session = g_new0(struct session, 1);
		g_hash_table_insert(r->sessions, key, session);
	}
	return session;
}

static struct hakstat_process *add_process(struct hakstat_roster *r, uint32_t session, uint32_t pid)
{
	struct hakstat_process *p = hakstat_process_new(r->processes->len, session, pid);

	g_ptr_array_add(r->processes, p);
	return p;
}

static void make_current(struct hakstat_roster *r, struct hakstat_process *p)
{
	gint64 key = (gint64)((uint64_t)p->session << 32 | p->pid);

	g_hash_table_replace(r->current, g_memdup2(&key, sizeof key), p);
}

/* The first process id of a session takes over what had none until then. */
static struct hakstat_process *meet(struct hakstat_roster *r, uint32_t number, uint32_t pid)
{
	struct session *session = session_of(r, number);
	struct hakstat_process *p;

	if (session->pids++ == 0) {
		session->first_pid = pid;
	}
	if (session->pids == 1 && session->anonymous) {
		p = session->anonymous;
		p->pid = pid;
		session->anonymous = NULL;
	} else {
		p = add_process(r, number, pid);
	}
	make_current(r, p);
	return p;
}

static struct hakstat_process *find_pid(struct hakstat_roster *r, uint32_t session, uint32_t pid)
{
	gint64 key = (gint64)((uint64_t)session << 32 | pid);
	struct hakstat_process *p = g_hash_table_lookup(r->current, &key);

	return p ? p : meet(r, session, pid);
}

static struct hakstat_process *find_without_pid(struct hakstat_roster *r, uint32_t number)
{
	struct session *session = session_of(r, number);

	if (session->pids == 1) {
		return find_pid(r, number, session->first_pid);
	}
	if (!session->anonymous) {
		session->anonymous = add_process(r, number, 0);
	}
	return session->anonymous;
}

static struct hakstat_process *replace(struct hakstat_roster *r, const struct hakstat_process *old)
{
	struct hakstat_process *p = add_process(r, old->session, old->pid);

	make_current(r, p);
	return p;
}

/* exec: the list of files begins again, or the counters do. */
static struct hakstat_process *check_image(struct hakstat_roster *r, struct hakstat_process *p,
					   const struct hakstat_event *e)
{
	if (e->kind == HAKSTAT_EVENT_IMAGE_START) {
		p = p->has_image_start ? replace(r, p) : p;
		p->has_image_start = true;
	} else if (e->kind == HAKSTAT_EVENT_CLASS_STATS && e->time_ns >= p->snapshot_ns &&
		   hakstat_process_went_back(p, &e->u.class_stats)) {
		p = replace(r, p);
	}
	return p;
}

struct hakstat_process *hakstat_roster_find(struct hakstat_roster *r, const struct hakstat_event *e)
{
	struct hakstat_process *p = r->last;

	if (!e->has_pid) {
		p = find_without_pid(r, e->session);
	} else if (!p || p->pid != e->pid || p->session != e->session) {
		p = find_pid(r, e->session, e->pid);
	}
	p = check_image(r, p, e);
	r->last = p;
	return p;
}

struct hakstat_process *hakstat_roster_anonymous(const struct hakstat_roster *r, uint32_t number)
{
	const struct session *session = g_hash_table_lookup(r->sessions, GUINT_TO_POINTER(number));

	return session ? session->anonymous : NULL;
}

const struct hakstat_process *hakstat_roster_who_knows(const struct hakstat_roster *r, uint32_t session,
						       uint32_t class_id)
{
	for (guint i = 0; i < r->processes->len; i++) {
		const struct hakstat_process *p = g_ptr_array_index(r->processes, i);
		if (p->session == session && p->classes[class_id].name) {
			return p;
		}
	}
	return NULL;
}
