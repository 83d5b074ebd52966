/* SPDX-License-Identifier: MIT */
/*
 * The guard waits at a pipe: a byte means that the session is gone, the pipe's end that its
 * maker is. It inherits the maker's lock on the session daemon, so the daemon stays until the
 * guard is done. It is in a session of its own, where no Ctrl-C reaches it, and no signal to all that
 * is called hakstat ends it before it has done its work.
 */
#include "session_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void let_go_of_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	for (int fd = 0; fd <= 2; fd++) {
		dup2(null, fd);
	}
}

static void guard_main(struct hakstat_session *session, int pipe_end)
{
	struct hakstat_err ignored;
	sigset_t all;
	char byte;
	ssize_t got;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	let_go_of_terminal();
	got = TEMP_FAILURE_RETRY(read(pipe_end, &byte, 1));
	if (got == 0) {
		hakstat_session_stop(session, &ignored);
		hakstat_session_destroy(session, &ignored);
	}
	_exit(0);
}

void hakstat_session_guard(struct hakstat_session *session)
{
	int ends[2];
	pid_t pid;

	session->guard = -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return;
	}
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		guard_main(session, ends[0]);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return;
	}
	session->guard = ends[1];
	session->guard_pid = pid;
}

void hakstat_session_unguard(struct hakstat_session *session)
{
	if (session->guard < 0) {
		return;
	}
	if (write(session->guard, "", 1) < 0) {
		errno = 0; /* somebody killed the guard */
	}
	close(session->guard);
	TEMP_FAILURE_RETRY(waitpid((pid_t)session->guard_pid, NULL, 0));
	session->guard = -1;
}
