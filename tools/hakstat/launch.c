/* SPDX-License-Identifier: MIT */
/*
 * The traced command: found, given its environment, started, waited for.
 */
#include "launch.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * They come with LTTng-UST. One keeps children of fork apart, the other keeps LTTng's descriptors
 * open in daemons that close all.
 */
static const char *const helpers[] = { "liblttng-ust-fork.so.1", "liblttng-ust-fd.so.1" };

/*
 * Where the libraries are, seen from the folder of this program: a build tree, an installation. The
 * Makefile gives HAKSTAT_LIBRARIES, the way from bindir to libdir.
 */
static const struct {
	const char *allocator;
	const char *tracer;
} places[] = {
	{ "../../lib/libhakmem.so", "../../tracer/libhakmem-tracer.so" },
	{ HAKSTAT_LIBRARIES "/libhakmem.so", HAKSTAT_LIBRARIES "/libhakmem-tracer.so" },
};

/* What the caller's handling of signals was, for the command and for afterwards. */
struct signals {
	sigset_t mask;
	struct sigaction interrupt;
	struct sigaction quit;
	struct sigaction child;
};

static struct sigaction users_pipe;

void hakstat_launch_ignore_pipes(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, &users_pipe);
}

int hakstat_launch_check(const char *program, struct hakstat_err *err)
{
	char *path = g_find_program_in_path(program);
	struct stat status;
	const char *why = "Permission denied";

	if (path) {
		g_free(path);
		return 0;
	}
	if (!strchr(program, '/')) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "cannot run %s: not found in PATH", program);
	}
	if (stat(program, &status) < 0) {
		why = g_strerror(errno);
	} else if (S_ISDIR(status.st_mode)) {
		why = g_strerror(EISDIR);
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "cannot run %s: %s", program, why);
}

static char *own_folder(void)
{
	char *self = g_file_read_link("/proc/self/exe", NULL);
	char *folder = self ? g_path_get_dirname(self) : g_strdup(".");

	g_free(self);
	return folder;
}

/* The absolute path of `relative`, or NULL when there is no such file. */
static char *find_beside(const char *folder, const char *relative)
{
	char *joined = g_build_filename(folder, relative, NULL);
	char *path = g_canonicalize_filename(joined, NULL);

	g_free(joined);
	if (access(path, R_OK) == 0) {
		return path;
	}
	g_free(path);
	return NULL;
}

/*
 * The helpers as LD_PRELOAD names them: by their paths, for in a program that runs with other rights
 * than its caller the dynamic linker passes over paths in silence and complains of names. LTTng's
 * libraries lie beside each other; where these do not, their names have to do.
 */
static char *helper_paths(void)
{
	GString *list = g_string_new(NULL);
	Dl_info lttng = { .dli_fname = NULL };
	void *known = dlsym(RTLD_DEFAULT, "lttng_session_daemon_alive");
	char *folder;

	folder = known && dladdr(known, &lttng) ? g_path_get_dirname(lttng.dli_fname) : g_strdup(".");
	for (size_t i = 0; i < G_N_ELEMENTS(helpers); i++) {
		char *path = find_beside(folder, helpers[i]);

		g_string_append_printf(list, "%s%s", i == 0 ? "" : ":", path ? path : helpers[i]);
		g_free(path);
	}
	g_free(folder);
	return g_string_free(list, FALSE);
}

/* `tracer` NULL: the allocator alone. */
static int set_preload(char ***environment, const char *allocator, const char *tracer,
		       struct hakstat_err *err)
{
	const char *users = g_environ_getenv(*environment, "LD_PRELOAD");
	char *helping, *value;

	if (strpbrk(allocator, " :") || (tracer && strpbrk(tracer, " :"))) {
		return hakstat_err_set(
			err, HAKSTAT_USAGE,
			"%s cannot be preloaded: the path holds a space or a colon; install it elsewhere",
			allocator);
	}
	users = users && *users ? users : NULL;
	helping = helper_paths();
	value = tracer ? g_strjoin(":", allocator, tracer, helping, users, NULL)
		       : g_strjoin(":", allocator, users, NULL);
	g_free(helping);
	*environment = g_environ_setenv(*environment, "LD_PRELOAD", value, TRUE);
	g_free(value);
	return 0;
}

/* False when there is nothing at the i-th place; else `status` says how it went. */
static bool preload_from(size_t i, const char *folder, bool traced, char ***environment, int *status,
			 struct hakstat_err *err)
{
	char *allocator = find_beside(folder, places[i].allocator);
	char *tracer = find_beside(folder, places[i].tracer);
	bool is_there = allocator && tracer;

	if (is_there) {
		*status = set_preload(environment, allocator, traced ? tracer : NULL, err);
	}
	g_free(allocator);
	g_free(tracer);
	return is_there;
}

static int say_missing(const char *folder, struct hakstat_err *err)
{
	char *installed = g_canonicalize_filename(HAKSTAT_LIBRARIES, folder);
	int status =
		hakstat_err_set(err, HAKSTAT_USAGE,
				"libhakmem.so and libhakmem-tracer.so are neither in %s nor in a build tree; "
				"install them",
				installed);

	g_free(installed);
	return status;
}

char **hakstat_launch_environment(char **environment, bool traced, struct hakstat_err *err)
{
	char *folder = own_folder();
	bool is_found = false;
	int status = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(places) && !is_found; i++) {
		is_found = preload_from(i, folder, traced, &environment, &status, err);
	}
	if (!is_found) {
		status = say_missing(folder, err);
	}
	g_free(folder);
	if (status) {
		g_strfreev(environment);
		return NULL;
	}
	return environment;
}

/* Job control and faults are left out: they are of each process itself. */
static void watched(sigset_t *set)
{
	static const int numbers[] = { SIGCHLD, SIGINT,	 SIGQUIT, SIGTERM,  SIGHUP,
				       SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGPWR };

	sigemptyset(set);
	for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
		sigaddset(set, numbers[i]);
	}
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++) {
		sigaddset(set, number);
	}
}

/* Where SIGCHLD is ignored, which a caller may hand down, no child's end and status are ever told. */
static void take_signals(struct signals *old)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction usual = { .sa_handler = SIG_DFL };
	sigset_t set;

	watched(&set);
	sigprocmask(SIG_BLOCK, &set, &old->mask);
	sigaction(SIGINT, &ignore, &old->interrupt);
	sigaction(SIGQUIT, &ignore, &old->quit);
	sigaction(SIGCHLD, &usual, &old->child);
}

static void give_back_signals(const struct signals *old)
{
	sigaction(SIGINT, &old->interrupt, NULL);
	sigaction(SIGQUIT, &old->quit, NULL);
	sigaction(SIGCHLD, &old->child, NULL);
	sigprocmask(SIG_SETMASK, &old->mask, NULL);
}

static void become(const struct hakstat_launch *launch, const struct signals *old)
{
	give_back_signals(old);
	sigaction(SIGPIPE, &users_pipe, NULL);
	for (int i = 0; launch->streams && i < 3; i++) {
		dup2(launch->streams[i], i);
	}
	execvpe(launch->argv[0], launch->argv, launch->environment);
}

/* The pipe carries the child's errno, or ends when it has become the command. */
static pid_t start(const struct hakstat_launch *launch, const struct signals *old, int *failure)
{
	int ends[2];
	pid_t pid;

	*failure = 0;
	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		*failure = errno;
		return -1;
	}
	if (pid == 0) {
		become(launch, old);
		*failure = errno;
		_exit(write(ends[1], failure, sizeof(*failure)) == sizeof(*failure) ? 127 : 126);
	}
	close(ends[1]);
	if (read(ends[0], failure, sizeof(*failure)) != sizeof(*failure)) {
		*failure = 0;
	}
	close(ends[0]);
	return pid;
}

/*
 * What the kernel sent (a key, a terminal that hung up) the command has got itself, but for the alarm
 * of a caller that became this process. What the command sent is for its parent. A SIGINT or SIGQUIT
 * from its process group went to the whole group, and many a program ends at once at the second one.
 */
static bool is_for_command(pid_t pid, const siginfo_t *info)
{
	bool is_key = info->si_signo == SIGINT || info->si_signo == SIGQUIT;
	bool is_in_reach = info->si_pid > 0; /* else the sender is outside this container */

	if (info->si_code > 0) {
		return info->si_signo == SIGALRM;
	}
	if (info->si_pid == pid) {
		return false;
	}
	return !is_key || !is_in_reach || getpgid(info->si_pid) != getpgid(pid);
}

static void note(struct hakstat_launch *launch, int number)
{
	if (number == SIGINT || number == SIGTERM || number == SIGHUP) {
		launch->signal = number;
	}
}

static void take_signal(struct hakstat_launch *launch, pid_t pid, const siginfo_t *info)
{
	note(launch, info->si_signo);
	if (is_for_command(pid, info)) {
		kill(pid, info->si_signo);
	}
}

static void wait_for(struct hakstat_launch *launch, pid_t pid)
{
	static const struct timespec at_once = { 0 };
	siginfo_t info;
	sigset_t set;
	int status = 0;

	watched(&set);
	while (wait4(pid, &status, WNOHANG, &launch->usage) == 0) {
		if (sigwaitinfo(&set, &info) > 0 && info.si_signo != SIGCHLD) {
			take_signal(launch, pid, &info);
		}
	}
	launch->exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	sigdelset(&set, SIGCHLD);
	/* One that came with the end must not end this process when signals are let through again. */
	while (sigtimedwait(&set, &info, &at_once) > 0) {
		note(launch, info.si_signo);
	}
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int hakstat_launch_run(struct hakstat_launch *launch, struct hakstat_err *err)
{
	struct signals old;
	int64_t begin_ns;
	int failure;
	pid_t pid;

	launch->signal = 0;
	take_signals(&old);
	begin_ns = now_ns();
	pid = start(launch, &old, &failure);
	if (pid > 0) {
		wait_for(launch, pid);
		launch->wall_ns = now_ns() - begin_ns;
	}
	give_back_signals(&old);
	if (failure) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "cannot run %s: %s", launch->argv[0],
				       g_strerror(failure));
	}
	return 0;
}

static bool has_assignment(const char *process, const char *assignment)
{
	char *path = g_build_filename("/proc", process, "environ", NULL);
	char *text = NULL;
	gsize length = 0;
	bool is_found = false;

	/* Others' processes cannot be read, and are none of the command's. */
	if (g_file_get_contents(path, &text, &length, NULL)) {
		is_found = memmem(text, length, assignment, strlen(assignment) + 1);
	}
	g_free(text);
	g_free(path);
	return is_found;
}

unsigned hakstat_launch_count(const char *assignment)
{
	GDir *processes = g_dir_open("/proc", 0, NULL);
	const char *name;
	unsigned count = 0;

	while (processes && (name = g_dir_read_name(processes))) {
		count += g_ascii_isdigit(name[0]) && has_assignment(name, assignment);
	}
	if (processes) {
		g_dir_close(processes);
	}
	return count;
}
