/* SPDX-License-Identifier: MIT */
/*
 * Starts lttng-sessiond below a keeper process. The keeper waits for the lock that all users
 * of the daemon share; when it gets it, or is told to, it ends the daemon and itself. Programs
 * other than hakstat take no such lock: while they have sessions, the daemon stays. Keeper
 * and daemon have a session of their own, so no Ctrl-C reaches them, and none of the caller's
 * files, so no pipe stays open for them.
 */
#include "sessiond_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <lttng/lttng.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "background.h"
#include "lttng_call.h"

#define FOREVER	    ((time_t)-1)
#define END_SECONDS ((time_t)20)
#define ASK_SECONDS 5

/* Tells the keeper to end the daemon. What is sent to all that is called hakstat means others. */
#define END_SIGNAL SIGRTMIN

/* What the keeper tells its maker, once. */
struct verdict {
	int error; /* 0: ready; else errno of the exec, or -1 when the daemon gave up */
	char message[240];
};

struct keeper {
	int lock;
	int output; /* what the daemon printed */
	pid_t daemon;
};

static void watched(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGCHLD);
	sigaddset(set, END_SIGNAL);
}

/* The number of the next signal; -1 when none came within `seconds`. */
static int next_signal(time_t seconds)
{
	struct timespec limit = { .tv_sec = seconds };
	sigset_t set;

	watched(&set);
	return (int)TEMP_FAILURE_RETRY(sigtimedwait(&set, NULL, seconds == FOREVER ? NULL : &limit));
}

/* The kernel tracer is not wanted, and without it no kernel modules are loaded. */
static void exec_daemon(pid_t keeper, int output)
{
	const char *program = getenv("LTTNG_SESSIOND_PATH");
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != keeper) {
		_exit(1);
	}
	dup2(output, 1);
	dup2(output, 2);
	program = program ? program : "lttng-sessiond";
	execlp(program, program, "--sig-parent", "--no-kernel", (char *)NULL);
}

/* The child's errno arrives through a pipe that a successful exec closes. */
static int spawn_daemon(struct keeper *keeper)
{
	pid_t self = getpid();
	int failure = 0;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		return errno;
	}
	keeper->daemon = fork();
	if (keeper->daemon == 0) {
		exec_daemon(self, keeper->output);
		failure = errno;
		_exit(write(ends[1], &failure, sizeof(failure)) == sizeof(failure) ? 127 : 126);
	}
	close(ends[1]);
	if (keeper->daemon < 0) {
		failure = errno;
	} else if (read(ends[0], &failure, sizeof(failure)) != sizeof(failure)) {
		failure = 0;
	}
	close(ends[0]);
	return failure;
}

static bool has_ended(const struct keeper *keeper)
{
	return waitpid(keeper->daemon, NULL, WNOHANG) != 0;
}

/* True when the daemon says it is ready, false when it ended before that. */
static bool wait_ready(const struct keeper *keeper)
{
	while (next_signal(FOREVER) != SIGUSR1) {
		if (has_ended(keeper)) {
			return false;
		}
	}
	return true;
}

/* The last line that the daemon printed says why it gave up. */
static void read_reason(const struct keeper *keeper, struct verdict *verdict)
{
	char text[4096];
	off_t size = lseek(keeper->output, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - ((off_t)sizeof(text) - 1) : 0;
	ssize_t length = pread(keeper->output, text, sizeof(text) - 1, from);
	const char *line;

	text[length > 0 ? length : 0] = '\0';
	g_strchomp(text);
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	g_strlcpy(verdict->message, *line ? line : "it ended at once", sizeof(verdict->message));
}

static int count_others(const char *unused)
{
	struct lttng_session *sessions = NULL;
	int count = lttng_list_sessions(&sessions);
	int others = 0;

	(void)unused;
	for (int i = 0; i < count; i++) {
		others += !g_str_has_prefix(sessions[i].name, "hakstat-");
	}
	free(sessions);
	return others;
}

/* A daemon that does not answer is of no use to anybody. */
static bool has_other_sessions(void)
{
	int others;

	return hakstat_lttng_call(count_others, NULL, NULL, ASK_SECONDS, &others) && others > 0;
}

/* With others' sessions the daemon is left to the next hakstat that uses it. */
static void *end_when_unused(void *data)
{
	const struct keeper *keeper = data;
	struct flock lock = { .l_type = F_WRLCK, .l_start = HAKSTAT_SESSIOND_USERS, .l_len = 1 };

	TEMP_FAILURE_RETRY(fcntl(keeper->lock, F_OFD_SETLKW, &lock));
	if (has_other_sessions()) {
		lock.l_type = F_UNLCK;
		fcntl(keeper->lock, F_OFD_SETLK, &lock);
	} else {
		kill(getpid(), END_SIGNAL);
	}
	return NULL;
}

/*
 * A session that LTTng loses count of would keep its daemon for ever: then the whole process
 * group goes, this process included.
 */
static void end_daemon(const struct keeper *keeper)
{
	kill(keeper->daemon, SIGTERM);
	while (!has_ended(keeper)) {
		if (next_signal(END_SECONDS) < 0) {
			kill(0, SIGKILL);
		}
	}
}

static void keep(struct keeper *keeper)
{
	pthread_t thread;
	bool can_wait = pthread_create(&thread, NULL, end_when_unused, keeper) == 0;

	while (can_wait) {
		if (next_signal(FOREVER) == END_SIGNAL) {
			break;
		}
		if (has_ended(keeper)) {
			return;
		}
	}
	end_daemon(keeper);
}

static void show_keeper(int lock)
{
	struct flock own = { .l_type = F_WRLCK, .l_start = HAKSTAT_SESSIOND_KEEPER, .l_len = 1 };

	fcntl(lock, F_SETLK, &own);
}

/* The keeper's whole life. `report` is the pipe to the hakstat that made it. */
static void keeper_main(const char *lock_path, int report)
{
	struct keeper keeper = { 0 };
	struct verdict verdict = { 0 };
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGCHLD,
	       SIG_DFL); /* a caller may hand it down ignored, and the daemon's end would go unseen */
	hakstat_background(report);
	keeper.lock = open(lock_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	keeper.output = memfd_create("lttng-sessiond", MFD_CLOEXEC);
	show_keeper(keeper.lock);
	verdict.error = spawn_daemon(&keeper);
	if (verdict.error == 0 && !wait_ready(&keeper)) {
		verdict.error = -1;
		read_reason(&keeper, &verdict);
	}
	if (write(report, &verdict, sizeof(verdict)) != sizeof(verdict)) {
		verdict.error = -1; /* nobody is left to use the daemon */
	}
	close(report);
	if (chdir("/") == 0 && verdict.error == 0) {
		keep(&keeper);
	} else if (keeper.daemon > 0) {
		end_daemon(&keeper);
	}
	_exit(0);
}

static void read_verdict(int report, struct verdict *verdict)
{
	if (TEMP_FAILURE_RETRY(read(report, verdict, sizeof(*verdict))) != sizeof(*verdict)) {
		verdict->error = -1;
		g_strlcpy(verdict->message, "it was killed", sizeof(verdict->message));
	}
}

static int refuse(const struct verdict *verdict, struct hakstat_err *err)
{
	if (verdict->error == ENOENT) {
		return hakstat_err_set(err, HAKSTAT_USAGE,
				       "no LTTng session daemon: lttng-sessiond is not installed "
				       "(package lttng-tools)");
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "cannot start lttng-sessiond: %s",
			       verdict->error > 0 ? g_strerror(verdict->error) : verdict->message);
}

int hakstat_sessiond_start(const char *lock_path, struct hakstat_err *err)
{
	struct verdict verdict = { 0 };
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		verdict.error = errno;
		return refuse(&verdict, err);
	}
	if (pid == 0) {
		keeper_main(lock_path, ends[1]);
	}
	close(ends[1]);
	read_verdict(ends[0], &verdict);
	close(ends[0]);
	if (verdict.error == 0) {
		return 0;
	}
	waitpid(pid, NULL, 0);
	return refuse(&verdict, err);
}

void hakstat_sessiond_end(int lock)
{
	struct flock keeper = { .l_type = F_WRLCK, .l_start = HAKSTAT_SESSIOND_KEEPER, .l_len = 1 };
	struct pollfd wait = { .events = POLLIN };

	if (fcntl(lock, F_GETLK, &keeper) < 0 || keeper.l_type == F_UNLCK || keeper.l_pid <= 0) {
		return;
	}
	if (has_other_sessions()) {
		hakstat_say("the LTTng session daemon goes on: 'lttng list' shows sessions of others");
		return;
	}
	wait.fd = (int)syscall(SYS_pidfd_open, keeper.l_pid, 0);
	if (wait.fd < 0) {
		return;
	}
	syscall(SYS_pidfd_send_signal, wait.fd, END_SIGNAL, NULL, 0);
	TEMP_FAILURE_RETRY(poll(&wait, 1, -1));
	close(wait.fd);
}
