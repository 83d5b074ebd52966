/* SPDX-License-Identifier: MIT */
/*
 * The process between hakstat and a session daemon that hakstat started: it outlives hakstat
 * while others use the daemon. Used by sessiond.c only.
 */
#ifndef HAKSTAT_SESSIOND_KEEPER_H
#define HAKSTAT_SESSIOND_KEEPER_H

#include "err.h"

/* The bytes of the lock file, one lock each. */
enum hakstat_sessiond_byte {
	HAKSTAT_SESSIOND_USERS,	   /* shared: the daemon is in use; exclusive: it is being ended */
	HAKSTAT_SESSIOND_STARTING, /* exclusive: look for a daemon, start one */
	HAKSTAT_SESSIOND_KEEPER,   /* held by the keeper; F_GETLK tells its process id */
};

/* Starts keeper and daemon; returns 0 when the daemon is ready, else a status with `err` set. */
int hakstat_sessiond_start(const char *lock_path, struct hakstat_err *err);

/*
 * Ends the daemon whose keeper holds its lock in the file `lock`, if any, and waits until it has ended.
 * One that has sessions of others goes on, and that is said.
 */
void hakstat_sessiond_end(int lock);

#endif
