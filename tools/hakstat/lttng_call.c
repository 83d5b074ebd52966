/* SPDX-License-Identifier: MIT */
/*
 * A process, not a thread: it can be ended, and the library's one connection to the daemon stays
 * unused in this process.
 */
#include "lttng_call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder_tree.h"

#define LOOK_MS 1000

/* True when something can be read, or never will be. */
static bool wait_for(int answer, const char *folder, unsigned seconds)
{
	struct pollfd event = { .fd = answer, .events = POLLIN };
	uint64_t bytes = hakstat_folder_tree_bytes(folder);

	for (unsigned waited = 0; waited < seconds; waited++) {
		uint64_t before = bytes;

		if (TEMP_FAILURE_RETRY(poll(&event, 1, LOOK_MS)) > 0) {
			return true;
		}
		bytes = hakstat_folder_tree_bytes(folder);
		if (bytes != before) {
			waited = 0;
		}
	}
	return false;
}

static void answer_and_exit(hakstat_lttng_function function, const char *session, int answer)
{
	int code;

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not keep what it inherited, locks among it */
	code = function(session);
	_exit(write(answer, &code, sizeof(code)) != sizeof(code));
}

bool hakstat_lttng_call(hakstat_lttng_function function, const char *session, const char *folder,
			unsigned seconds, int *code)
{
	bool is_answered;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		return false;
	}
	pid = fork();
	if (pid == 0) {
		answer_and_exit(function, session, ends[1]);
	}
	close(ends[1]);
	is_answered = pid > 0 && wait_for(ends[0], folder, seconds) &&
		      read(ends[0], code, sizeof(*code)) == sizeof(*code);
	close(ends[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
	}
	return is_answered;
}
