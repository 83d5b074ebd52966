/* SPDX-License-Identifier: MIT */
/*
 * What the kernel does with fs.protected_symlinks and fs.protected_regular, wherever it is told not
 * to, and in shared folders without the sticky bit too.
 */
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether somebody who may write to the folder, but neither owns it nor is this user, put it there. */
static bool is_foreign(const char *path, const struct stat *file)
{
	char *name = g_path_get_dirname(path);
	struct stat folder;
	bool is_shared = stat(name, &folder) == 0 && (folder.st_mode & S_IWOTH);

	g_free(name);
	return is_shared && file->st_uid != geteuid() && file->st_uid != folder.st_uid;
}

static int open_or_refuse(const char *path)
{
	struct stat file;

	if (lstat(path, &file) != 0) {
		return -1;
	}
	if (is_foreign(path, &file)) {
		errno = EPERM;
		return -1;
	}
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
}

/* A device or a pipe has no length. */
static int empty(const char *path, int fd)
{
	struct stat file;

	if (fstat(fd, &file) != 0) {
		return -1;
	}
	if (!S_ISREG(file.st_mode)) {
		return 0;
	}
	if (is_foreign(path, &file)) {
		errno = EPERM;
		return -1;
	}
	return ftruncate(fd, 0);
}

FILE *hakstat_output_file_open(const char *path, struct hakstat_err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	FILE *out = NULL;

	/* The kernel's own refusal is EACCES, which would not say why. */
	if (fd < 0 && (errno == ELOOP || errno == EACCES)) {
		fd = open_or_refuse(path);
	}
	if (fd >= 0 && empty(path, fd) == 0) {
		out = fdopen(fd, "w");
	}
	if (!out) {
		hakstat_err_set(
			err, HAKSTAT_USAGE, "%s: cannot be written: %s", path,
			errno == EPERM
				? "it belongs to somebody else, in a folder that everybody may write to"
				: g_strerror(errno));
		if (fd >= 0) {
			close(fd);
		}
	}
	return out;
}
