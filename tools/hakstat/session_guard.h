/* SPDX-License-Identifier: MIT */
/*
 * A child process that destroys a session when its maker dies without having done so. Used by
 * session.c only.
 */
#ifndef HAKSTAT_SESSION_GUARD_H
#define HAKSTAT_SESSION_GUARD_H

#include "session.h"

/* Without a process to spare, the session goes unguarded. */
void hakstat_session_guard(struct hakstat_session *session);
void hakstat_session_unguard(struct hakstat_session *session);

#endif
