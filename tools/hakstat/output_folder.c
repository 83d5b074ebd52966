/* SPDX-License-Identifier: MIT */
/*
 * Makes the folder of a recording; an older one is renamed to the first free NAME.1, NAME.2...
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
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "trace_folder.h"

#define MOST_OLDER 1000000u
#define FULL_BYTES 65536u /* less than any packet of a busy recording */
#define CUT_NAME   "hakstat.incomplete"

static bool is_empty_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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

static int make(struct hakstat_output_folder *folder, struct hakstat_err *err)
{
	if (mkdir(folder->path, 0700) == 0) {
		folder->is_made = true;
		return 0;
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "cannot make the folder %s: %s", folder->path,
			       g_strerror(errno));
}

static int make_anew(struct hakstat_output_folder *folder, bool move_older, struct hakstat_err *err)
{
	struct stat status;
	int failure;

	if (lstat(folder->path, &status) < 0) {
		return make(folder, err);
	}
	if (is_empty_folder(folder->path)) {
		return 0;
	}
	if (!move_older) {
		return hakstat_err_set(
			err, HAKSTAT_USAGE,
			"%s exists and is not an empty folder; name a new one with -o, or remove it",
			folder->path);
	}
	failure = move_aside(folder, err);
	return failure ? failure : make(folder, err);
}

int hakstat_output_folder_make(struct hakstat_output_folder *folder, const char *path, bool move_older,
			       struct hakstat_err *err)
{
	size_t length = strlen(path);
	int status;

	while (length > 1 && path[length - 1] == '/') {
		length--; /* else the older one could not be given a number */
	}
	*folder = (struct hakstat_output_folder) { .path = g_strndup(path, length) };
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

/* From the inside outwards: the folder itself opens last. */
void hakstat_output_folder_finish(const struct hakstat_output_folder *folder)
{
	char *paths[] = { folder->absolute, NULL };
	FTS *walk = folder->absolute ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
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

	if (statvfs(folder->absolute, &disk) < 0) {
		return false;
	}
	blocks = geteuid() == 0 ? disk.f_bfree : disk.f_bavail;
	return blocks * disk.f_frsize < FULL_BYTES;
}

bool hakstat_output_folder_reaches(const struct hakstat_output_folder *folder, uint64_t ns)
{
	struct hakstat_err ignored;
	GPtrArray *traces = hakstat_trace_folders(folder->absolute, &ignored);
	bool reaches = !traces || hakstat_trace_reaches(traces, ns);

	if (traces) {
		g_ptr_array_unref(traces);
	}
	return reaches;
}

/* Where the disk is full, at least the name of the file may find room. */
void hakstat_output_folder_mark_cut(const struct hakstat_output_folder *folder, const char *why)
{
	char *path = g_build_filename(folder->absolute, CUT_NAME, NULL);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (fd >= 0) {
		if (write(fd, why, strlen(why)) < 0) {
			errno = 0;
		}
		close(fd);
	}
	g_free(path);
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
	char *paths[] = { folder->absolute, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	const FTSENT *entry;
	uint64_t bytes = 0;

	*is_trace = false;
	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info == FTS_F) {
			bytes += (uint64_t)entry->fts_statp->st_size;
			*is_trace = *is_trace || (strcmp(entry->fts_name, "metadata") == 0 &&
						  describes_events(entry->fts_accpath));
		}
	}
	if (walk) {
		fts_close(walk);
	}
	return bytes;
}

void hakstat_output_folder_clear(struct hakstat_output_folder *folder)
{
	g_free(folder->path);
	g_free(folder->absolute);
	g_free(folder->moved_to);
	*folder = (struct hakstat_output_folder) { 0 };
}
