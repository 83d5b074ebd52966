/* SPDX-License-Identifier: MIT */
/*
 * The recorder's file holds two lines: where the trace goes, and at the end the sentence that
 * detach shows. F_GETLK gives the process that holds the lock, so no process id is ever stale.
 */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"

static char *file_path(pid_t pid)
{
	char *folder = hakstat_sessiond_folder();
	char *path = g_strdup_printf("%s/hakstat-attach-%d", folder, (int)pid);

	g_free(folder);
	return path;
}

static int open_process(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* The process that holds the lock of an open file; 0 when none does. */
static pid_t lock_holder(int file)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

static bool take_lock(int file)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(file, F_SETLK, &lock) == 0;
}

/* The n-th line of an open file; NULL when there is none. */
static char *read_line(int file, guint n)
{
	char text[4096];
	ssize_t length = pread(file, text, sizeof(text) - 1, 0);
	char **lines;
	char *line = NULL;

	text[length > 0 ? length : 0] = '\0';
	lines = g_strsplit(text, "\n", -1);
	if (g_strv_length(lines) > n + 1) {
		line = g_strdup(lines[n]);
	}
	g_strfreev(lines);
	return line;
}

static void append_line(int file, const char *line)
{
	char *text = g_strdup_printf("%s\n", line);

	if (write(file, text, strlen(text)) < 0) {
		errno = 0; /* then nobody is told more than the trace itself tells */
	}
	g_free(text);
}

/* Until the process ends or somebody says SIGTERM. */
static void wait_for_end(int process)
{
	struct pollfd events[2] = { { .fd = process, .events = POLLIN }, { .events = POLLIN } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	events[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
	TEMP_FAILURE_RETRY(poll(events, 2, -1));
}

static int open_own_file(const char *path, pid_t pid, struct hakstat_err *err)
{
	int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (file < 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "cannot write %s: %s", path, g_strerror(errno)),
		       -1;
	}
	if (!take_lock(file)) {
		char *target = read_line(file, 0);

		hakstat_err_set(err, HAKSTAT_USAGE, "process %d is already recorded into %s", (int)pid,
				target ? target : "another trace");
		g_free(target);
		close(file);
		return -1;
	}
	return ftruncate(file, 0) == 0 ? file : -1;
}

/* Tells the hakstat that waits how the beginning went: an empty text is success. */
static void report(int pipe_end, const struct hakstat_err *err)
{
	if (write(pipe_end, err, sizeof(*err)) < 0) {
		errno = 0; /* it was killed; the recording goes on and detach ends it */
	}
	close(pipe_end);
}

static void record_until_end(struct hakstat_recording *recording, const char *path, int file, int process)
{
	char *sentence;

	/* Whoever detaches may be in another folder. */
	g_free(recording->folder.path);
	recording->folder.path = g_strdup(recording->folder.absolute);
	if (chdir("/") < 0) {
		errno = 0; /* it only keeps a folder busy */
	}
	wait_for_end(process);
	sentence = hakstat_recording_finish(recording).said;
	append_line(file, sentence);
	unlink(path);
	g_free(sentence);
}

/* The recorder's whole life. */
static void recorder_main(pid_t pid, const struct hakstat_recording_options *options, int pipe_end)
{
	struct hakstat_recording recording;
	struct hakstat_err err = { 0 };
	char *path = file_path(pid);
	sigset_t set;
	int process;
	int file;

	hakstat_background(pipe_end);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	process = open_process(pid);
	if (process < 0) {
		hakstat_err_set(&err, HAKSTAT_USAGE, "process %d has ended", (int)pid);
	} else if (hakstat_recording_begin(&recording, options, pid, &err) == 0) {
		file = open_own_file(path, pid, &err);
		if (file < 0) {
			hakstat_recording_cancel(&recording);
		} else {
			append_line(file, options->url ? options->url : recording.folder.absolute);
			report(pipe_end, &err);
			record_until_end(&recording, path, file, process);
			_exit(0);
		}
	}
	report(pipe_end, &err);
	_exit(1);
}

int hakstat_recorder_start(pid_t pid, const struct hakstat_recording_options *options, char **said,
			   struct hakstat_err *err)
{
	int ends[2];
	pid_t recorder;
	char *target = hakstat_recorder_target(pid);

	if (target) {
		hakstat_err_set(err, HAKSTAT_USAGE, "process %d is already recorded into %s", (int)pid,
				target);
		g_free(target);
		return err->status;
	}
	if (pipe2(ends, O_CLOEXEC) < 0 || (recorder = fork()) < 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "cannot start a recorder: %s", g_strerror(errno));
	}
	if (recorder == 0) {
		recorder_main(pid, options, ends[1]);
	}
	close(ends[1]);
	if (read(ends[0], err, sizeof(*err)) != sizeof(*err)) {
		hakstat_err_set(err, HAKSTAT_USAGE, "the recorder was killed");
	}
	close(ends[0]);
	if (err->status == 0) {
		target = hakstat_recorder_target(pid);
		*said = g_strdup_printf("recording process %d into %s; 'hakstat detach %d' ends it", (int)pid,
					target ? target : "a trace that has ended", (int)pid);
		g_free(target);
	}
	return err->status;
}

static int open_recorder(pid_t pid, int *file)
{
	char *path = file_path(pid);
	pid_t recorder;

	*file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	g_free(path);
	if (*file < 0) {
		return -1;
	}
	recorder = lock_holder(*file);
	if (recorder > 0) {
		int process = open_process(recorder);

		if (process >= 0) {
			return process;
		}
	}
	close(*file);
	return -1;
}

int hakstat_recorder_stop(pid_t pid, char **said, struct hakstat_err *err)
{
	int file;
	int recorder = open_recorder(pid, &file);
	struct pollfd end = { .fd = recorder, .events = POLLIN };

	if (recorder < 0) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "process %d is not recorded by 'hakstat attach'",
				       (int)pid);
	}
	syscall(SYS_pidfd_send_signal, recorder, SIGTERM, NULL, 0);
	TEMP_FAILURE_RETRY(poll(&end, 1, -1));
	*said = read_line(file, 1);
	if (!*said) {
		*said = g_strdup("the recorder was killed; the trace may be incomplete");
	}
	close(recorder);
	close(file);
	return 0;
}

char *hakstat_recorder_target(pid_t pid)
{
	int file;
	int recorder = open_recorder(pid, &file);
	char *target;

	if (recorder < 0) {
		return NULL;
	}
	target = read_line(file, 0);
	close(recorder);
	close(file);
	return target;
}
