/* SPDX-License-Identifier: MIT */
/*
 * The LTTng session daemon: uses the one that runs, else starts one for this user, which ends
 * with the last hakstat that uses it, however that one ends, unless it has sessions of others.
 */
#ifndef HAKSTAT_SESSIOND_H
#define HAKSTAT_SESSIOND_H

#include "err.h"

/* While this is held, a daemon that a hakstat started does not end. */
struct hakstat_sessiond {
	int lock;	 /* of this user's daemon; -1 when there can be none */
	int system_lock; /* of the system's, when this user may use it; else -1 */
};

/* Makes sure that a daemon answers. Returns 0, or a status with `err` set when none can be had. */
int hakstat_sessiond_acquire(struct hakstat_sessiond *daemon, struct hakstat_err *err);

/* The home in which LTTng's daemon and hakstat have that folder, for users other than root. */
const char *hakstat_sessiond_home(void);

/* The folder of this user's session daemon and of hakstat's own locks. Free with g_free. */
char *hakstat_sessiond_folder(void);

/*
 * Lets go of the daemon. When a hakstat had started it and nobody else uses it, it has ended when
 * this returns.
 */
void hakstat_sessiond_release(struct hakstat_sessiond *daemon);

#endif
