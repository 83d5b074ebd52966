/* SPDX-License-Identifier: MIT */
/*
 * Who uses the session daemon is said by locks on one file beside the daemon's sockets. Locks
 * vanish with their process, so a hakstat that was killed leaves no daemon behind, and one
 * that ends does not take the daemon away from another.
 */
#include "sessiond.h"

#include "lttng_call.h"
#include "sessiond_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <lttng/lttng.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FOLDER "/var/run/lttng"
#define LOCK_NAME     "hakstat.lock"

/* As long as a recording is given to stop: the daemon does one thing after the other. */
#define ASK_SECONDS 20

/* As LTTng's daemon looks for it. */
const char *hakstat_sessiond_home(void)
{
	const char *home = g_getenv("LTTNG_HOME");
	const struct passwd *user;

	home = home ? home : g_getenv("HOME");
	if (home) {
		return home;
	}
	user = getpwuid(getuid());
	return user ? user->pw_dir : "/";
}

char *hakstat_sessiond_folder(void)
{
	if (geteuid() == 0) {
		return g_strdup(SYSTEM_FOLDER);
	}
	return g_build_filename(hakstat_sessiond_home(), ".lttng", NULL);
}

/* Waits while another process holds a lock that excludes this one. */
static bool lock_byte(int fd, short type, enum hakstat_sessiond_byte byte)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return TEMP_FAILURE_RETRY(fcntl(fd, F_OFD_SETLKW, &lock)) == 0;
}

static bool try_lock_byte(int fd, short type, enum hakstat_sessiond_byte byte)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* The folder's group is the one that may use the system's daemon, so it may read the lock. */
static int open_own_lock(const char *path, const char *folder)
{
	struct stat status;
	int fd;

	if (g_mkdir_with_parents(folder, 0755) < 0) {
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd >= 0 && stat(folder, &status) == 0 && fchown(fd, (uid_t)-1, status.st_gid) < 0) {
		errno = 0; /* then the group does not read it, and its members do not hold the daemon */
	}
	return fd;
}

static bool is_alive(void)
{
	return lttng_session_daemon_alive() == 1;
}

static int ask(const char *unused)
{
	struct lttng_session *sessions = NULL;
	int count = lttng_list_sessions(&sessions);

	(void)unused;
	free(sessions);
	return count;
}

/* That it lets itself be connected to means nothing, and what is asked of it next waits without limit. */
static int check_answers(struct hakstat_err *err)
{
	int ignored;

	if (hakstat_lttng_call(ask, NULL, NULL, ASK_SECONDS, &ignored)) {
		return 0;
	}
	return hakstat_err_set(
		err, HAKSTAT_USAGE,
		"the LTTng session daemon that runs has not answered for %u seconds; end it, or "
		"wait until it has written what it holds",
		(unsigned)ASK_SECONDS);
}

static int start_if_needed(int lock, const char *path, struct hakstat_err *err)
{
	int status;

	lock_byte(lock, F_WRLCK, HAKSTAT_SESSIOND_STARTING);
	lock_byte(lock, F_RDLCK, HAKSTAT_SESSIOND_USERS);
	status = is_alive() ? 0 : hakstat_sessiond_start(path, err);
	lock_byte(lock, F_UNLCK, HAKSTAT_SESSIOND_STARTING);
	return status;
}

static void hold_system_lock(struct hakstat_sessiond *daemon)
{
	if (geteuid() == 0) {
		return;
	}
	daemon->system_lock = open(SYSTEM_FOLDER "/" LOCK_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (daemon->system_lock >= 0) {
		lock_byte(daemon->system_lock, F_RDLCK, HAKSTAT_SESSIOND_USERS);
	}
}

static int refuse(const char *lock, int reason, struct hakstat_err *err)
{
	return hakstat_err_set(err, HAKSTAT_USAGE, "no LTTng session daemon: cannot write %s: %s%s", lock,
			       g_strerror(reason),
			       geteuid() == 0 ? "" : "; set LTTNG_HOME to a folder of yours");
}

int hakstat_sessiond_acquire(struct hakstat_sessiond *daemon, struct hakstat_err *err)
{
	char *folder = hakstat_sessiond_folder();
	char *path = g_build_filename(folder, LOCK_NAME, NULL);
	int status = 0;
	int reason;

	daemon->system_lock = -1;
	hold_system_lock(daemon);
	daemon->lock = open_own_lock(path, folder);
	reason = errno;
	if (daemon->lock >= 0) {
		status = start_if_needed(daemon->lock, path, err);
	} else if (!is_alive()) {
		status = refuse(path, reason, err);
	}
	if (status == 0) {
		status = check_answers(err);
	}
	if (status) {
		hakstat_sessiond_release(daemon);
	}
	g_free(path);
	g_free(folder);
	return status;
}

void hakstat_sessiond_release(struct hakstat_sessiond *daemon)
{
	if (daemon->lock >= 0) {
		/* Ours alone now: nobody can begin to use the daemon until it has ended. */
		if (try_lock_byte(daemon->lock, F_WRLCK, HAKSTAT_SESSIOND_USERS)) {
			hakstat_sessiond_end(daemon->lock);
		}
		close(daemon->lock);
	}
	if (daemon->system_lock >= 0) {
		close(daemon->system_lock);
	}
	daemon->lock = -1;
	daemon->system_lock = -1;
}
