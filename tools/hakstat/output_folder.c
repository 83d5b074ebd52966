/* SPDX-License-Identifier: MIT */
/*
 * Makes the folder of a recording; an older one is renamed to the first free NAME.1, NAME.2... One that a
 * recording is written to is locked by that, so that no other one moves it or takes it for its own.
 */
#include "output_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "folder_tree.h"
#include "trace_folder.h"

#define MOST_OLDER 1000000u
#define FULL_BYTES 65536u /* less than any packet of a busy recording */
#define CUT_NAME   "hakstat.incomplete"

static bool is_empty(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool is_empty = entries;

	if (fd >= 0 && !entries) {
		close(fd);
	}
	while (is_empty && (entry = readdir(entries))) {
		is_empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	}
	if (entries) {
		closedir(entries);
	}
	return is_empty;
}

/*
 * Opens and locks what stands at the path: 0, or what is wrong with it, EWOULDBLOCK when another recording
 * is written to it. Not every file system has locks.
 */
static int claim(struct hakstat_output_folder *folder)
{
	int error = 0;

	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder->fd < 0) {
		return errno;
	}
	if (flock(folder->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		error = errno;
		close(folder->fd);
		folder->fd = -1;
	}
	return error;
}

static int cannot_make(const struct hakstat_output_folder *folder, int error, struct hakstat_err *err)
{
	return hakstat_err_set(err, HAKSTAT_USAGE, "cannot make the folder %s: %s", folder->path,
			       g_strerror(error));
}

/* renameat2 takes no name that somebody else took in between. */
static int move_aside(struct hakstat_output_folder *folder, struct hakstat_err *err)
{
	for (unsigned i = 1; i < MOST_OLDER; i++) {
		char *name = g_strdup_printf("%s.%u", folder->path, i);

		if (renameat2(AT_FDCWD, folder->path, AT_FDCWD, name, RENAME_NOREPLACE) == 0) {
			folder->moved_to = name;
			return 0;
		}
		g_free(name);
		if (errno != EEXIST) {
			break;
		}
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "cannot move %s aside: %s; choose another folder with -o",
			       folder->path, g_strerror(errno));
}

/* 0, or the error. */
static int make(struct hakstat_output_folder *folder)
{
	int error = mkdir(folder->path, 0700) == 0 ? claim(folder) : errno;

	folder->is_made = error != EEXIST && error != EWOULDBLOCK;
	return error;
}

/* Somebody else has that name. */
static bool is_taken(int error)
{
	return error == EEXIST || error == EWOULDBLOCK;
}

static int make_beside(struct hakstat_output_folder *folder, struct hakstat_err *err)
{
	int error = EEXIST;

	folder->taken = g_strdup(folder->path);
	for (unsigned i = 1; i < MOST_OLDER && is_taken(error); i++) {
		g_free(folder->path);
		folder->path = g_strdup_printf("%s.%u", folder->taken, i);
		error = make(folder);
	}
	return error ? cannot_make(folder, error, err) : 0;
}

/* The older one is locked until it is out of the way, so that no other recording moves what is new. */
static int replace(struct hakstat_output_folder *folder, struct hakstat_err *err)
{
	int older = folder->fd;
	int status = move_aside(folder, err);
	int error = status ? 0 : make(folder);

	if (older >= 0) {
		close(older);
	}
	if (is_taken(error)) {
		return make_beside(folder, err);
	}
	return error ? cannot_make(folder, error, err) : status;
}

static int make_anew(struct hakstat_output_folder *folder, bool move_older, struct hakstat_err *err)
{
	int error = make(folder);
	bool is_older = error == EEXIST;

	if (is_older) {
		error = claim(folder);
		if (error == 0 && is_empty(folder->fd)) {
			return 0;
		}
	}
	if (error == EWOULDBLOCK) {
		return move_older
			       ? make_beside(folder, err)
			       : hakstat_err_set(err, HAKSTAT_USAGE,
						 "%s: another recording goes there; name a new one with -o",
						 folder->path);
	}
	if (is_older && move_older) {
		return replace(folder, err);
	}
	if (is_older) {
		return hakstat_err_set(
			err, HAKSTAT_USAGE,
			"%s exists and is not an empty folder; name a new one with -o, or remove it",
			folder->path);
	}
	return error ? cannot_make(folder, error, err) : 0;
}

int hakstat_output_folder_make(struct hakstat_output_folder *folder, const char *path, bool move_older,
			       struct hakstat_err *err)
{
	size_t length = strlen(path);
	int status;

	while (length > 1 && path[length - 1] == '/') {
		length--; /* else the older one could not be given a number */
	}
	*folder = HAKSTAT_OUTPUT_FOLDER_NONE;
	folder->path = g_strndup(path, length);
	status = make_anew(folder, move_older, err);
	if (status == 0) {
		char *resolved = realpath(folder->path, NULL);

		folder->absolute = g_strdup(resolved ? resolved : folder->path);
		free(resolved);
	}
	return status;
}

void hakstat_output_folder_undo(const struct hakstat_output_folder *folder)
{
	if (folder->is_made && rmdir(folder->path) == 0 && folder->moved_to) {
		renameat2(AT_FDCWD, folder->moved_to, AT_FDCWD, folder->path, RENAME_NOREPLACE);
	}
}

static mode_t forbidden_rights(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

/* Of what the caller owns and others may have put a link in the place of. */
static void set_rights(const char *path, mode_t given, mode_t forbidden)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;

	if (fd >= 0 && fstat(fd, &status) == 0) {
		fchmod(fd, ((status.st_mode & 0777) | given) & ~forbidden);
	}
	if (fd >= 0) {
		close(fd);
	}
}

/* A path to the folder that holds wherever it was moved to. Free with g_free. */
static char *path_to(const struct hakstat_output_folder *folder)
{
	return g_strdup_printf("/proc/self/fd/%d/", folder->fd);
}

/* From the inside outwards: the folder itself opens last. */
void hakstat_output_folder_finish(const struct hakstat_output_folder *folder)
{
	g_autofree char *path = path_to(folder);
	char *paths[] = { path, NULL };
	FTS *walk = folder->fd >= 0 ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	mode_t forbidden = forbidden_rights();
	const FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_level > 0 && (entry->fts_info == FTS_F || entry->fts_info == FTS_DP)) {
			set_rights(entry->fts_path, 0, forbidden);
		} else if (folder->is_made && entry->fts_info == FTS_DP) {
			set_rights(entry->fts_path, 0777, forbidden);
		}
	}
	if (walk) {
		fts_close(walk);
	}
}

bool hakstat_output_folder_is_full(const struct hakstat_output_folder *folder)
{
	struct statvfs disk;
	uint64_t blocks;

	if (fstatvfs(folder->fd, &disk) < 0) {
		return false;
	}
	blocks = geteuid() == 0 ? disk.f_bfree : disk.f_bavail;
	return blocks * disk.f_frsize < FULL_BYTES;
}

bool hakstat_output_folder_reaches(const struct hakstat_output_folder *folder, uint64_t ns)
{
	struct hakstat_err ignored;
	g_autofree char *path = path_to(folder);
	GPtrArray *traces = hakstat_trace_folders(path, &ignored);
	bool reaches = !traces || hakstat_trace_reaches(traces, ns);

	if (traces) {
		g_ptr_array_unref(traces);
	}
	return reaches;
}

/* Where the disk is full, at least the name of the file may find room. */
void hakstat_output_folder_mark_cut(const struct hakstat_output_folder *folder, const char *why)
{
	int fd = openat(folder->fd, CUT_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd >= 0) {
		if (write(fd, why, strlen(why)) < 0) {
			errno = 0;
		}
		close(fd);
	}
}

char *hakstat_output_folder_cut(const char *path)
{
	char *file = g_build_filename(path, CUT_NAME, NULL);
	char *why = NULL;

	if (g_file_get_contents(file, &why, NULL, NULL) && (!*why || !g_utf8_validate(why, -1, NULL))) {
		g_free(why);
		why = g_strdup("incomplete: recording was cut off");
	}
	g_free(file);
	return why;
}

/* LTTng writes metadata for a session to which no process came as well. */
static bool describes_events(const char *path)
{
	static const char ours[] = "\"hakmem:";
	gchar *data = NULL;
	gsize length = 0;
	bool is_found = g_file_get_contents(path, &data, &length, NULL) &&
			memmem(data, length, ours, sizeof ours - 1) != NULL;

	g_free(data);
	return is_found;
}

uint64_t hakstat_output_folder_bytes(const struct hakstat_output_folder *folder, bool *is_trace)
{
	g_autofree char *path = path_to(folder);
	char *paths[] = { path, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;

	*is_trace = false;
	while (walk && !*is_trace && (entry = fts_read(walk))) {
		*is_trace = entry->fts_info == FTS_F && strcmp(entry->fts_name, "metadata") == 0 &&
			    describes_events(entry->fts_accpath);
	}
	if (walk) {
		fts_close(walk);
	}
	return hakstat_folder_tree_bytes(path);
}

void hakstat_output_folder_clear(struct hakstat_output_folder *folder)
{
	g_free(folder->path);
	g_free(folder->absolute);
	g_free(folder->moved_to);
	g_free(folder->taken);
	if (folder->fd >= 0) {
		close(folder->fd);
	}
	*folder = HAKSTAT_OUTPUT_FOLDER_NONE;
}
