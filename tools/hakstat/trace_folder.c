/* SPDX-License-Identifier: MIT */
/*
 * The walk over a recording's folders.
 */
#include "trace_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace_index.h"

enum { MAX_DEPTH = 16 }; /* deeper is not a recording but a loop of links */

struct walk {
	GPtrArray *found;
	bool is_empty; /* no file of any kind was seen */
	struct hakstat_err *err;
};

static int cannot_read(struct walk *w, const char *path, int error)
{
	return hakstat_err_set(w->err, HAKSTAT_TRACE, "%s: cannot be read: %s", path, g_strerror(error));
}

static int visit(struct walk *w, const char *path, int depth);

static int visit_entry(struct walk *w, const char *path, const char *name, int depth)
{
	char *child = g_build_filename(path, name, NULL);
	struct stat info;
	int status = 0;

	w->is_empty = false;
	if (stat(child, &info) == 0) {
		if (S_ISDIR(info.st_mode)) {
			status = visit(w, child, depth + 1);
		} else if (S_ISREG(info.st_mode) && strcmp(name, "metadata") == 0) {
			status = access(child, R_OK) ? cannot_read(w, child, errno) : 0;
			g_ptr_array_add(w->found, g_strdup(path));
		}
	}
	g_free(child);
	return status;
}

static int visit(struct walk *w, const char *path, int depth)
{
	const struct dirent *entry;
	int status = 0;
	DIR *dir;

	if (depth > MAX_DEPTH) {
		return 0;
	}
	dir = opendir(path);
	if (!dir) {
		return cannot_read(w, path, errno);
	}
	while (status == 0 && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			status = visit_entry(w, path, entry->d_name, depth);
		}
	}
	closedir(dir);
	return status;
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_root(const char *path, struct walk *w)
{
	struct stat info;

	if (stat(path, &info) != 0) {
		if (errno == ENOENT) {
			return hakstat_err_set(w->err, HAKSTAT_TRACE,
					       "%s: no such trace; 'hakstat record -- CMD' writes one", path);
		}
		return cannot_read(w, path, errno);
	}
	if (!S_ISDIR(info.st_mode)) {
		return hakstat_err_set(w->err, HAKSTAT_TRACE,
				       "%s: neither a trace folder nor a saved summary of hakstat", path);
	}
	return 0;
}

/* The number of a folder that LTTng wrote a snapshot to; 0: it is none. */
static uint64_t snapshot_number(const char *name)
{
	static const char prefix[] = "snapshot-";
	const char *dash = g_str_has_prefix(name, prefix) ? strrchr(name, '-') : NULL;
	char *end;
	uint64_t number = dash ? g_ascii_strtoull(dash + 1, &end, 10) : 0;

	return dash && end != dash + 1 && *end == '\0' && number < UINT64_MAX ? number + 1 : 0;
}

/*
 * Snapshots of one flight recorder overlap, so each is a trace of its own, and the newest the one
 * that is meant. Returns its path, or that of `path` itself when it holds none; free with g_free.
 */
static char *newest_snapshot(const char *path)
{
	GDir *dir = g_dir_open(path, 0, NULL);
	char *newest = NULL;
	uint64_t latest = 0;
	unsigned count = 0;
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		uint64_t number = snapshot_number(name);
		count += number != 0;
		if (number > latest) {
			latest = number;
			g_free(newest);
			newest = g_build_filename(path, name, NULL);
		}
	}
	if (dir) {
		g_dir_close(dir);
	}
	if (count > 1) {
		hakstat_say("%s holds %u snapshots; this is of the newest, %s", path, count, newest);
	}
	return newest ? newest : g_strdup(path);
}

GPtrArray *hakstat_trace_folders(const char *path, struct hakstat_err *err)
{
	struct walk w = { g_ptr_array_new_with_free_func(g_free), true, err };
	int status = check_root(path, &w);

	if (status == 0) {
		char *from = newest_snapshot(path);
		status = visit(&w, from, 0);
		g_free(from);
	}
	if (status == 0 && w.found->len == 0) {
		status = hakstat_err_set(
			err, HAKSTAT_TRACE,
			w.is_empty ? "%s: an empty folder, not a trace"
				   : "%s: not a trace: no folder below it holds a file 'metadata'",
			path);
	}
	if (status != 0) {
		g_ptr_array_unref(w.found);
		return NULL;
	}
	g_ptr_array_sort(w.found, compare_paths);
	return w.found;
}

/* LTTng's users can bring a clock of their own. */
static bool has_other_clock(const char *folder)
{
	static const char any[] = "map = clock.";
	static const char usual[] = "map = clock.monotonic.";
	g_autofree char *path = g_build_filename(folder, "metadata", NULL);
	g_autofree gchar *data = NULL;
	gsize length = 0;

	return g_file_get_contents(path, &data, &length, NULL) && memmem(data, length, any, sizeof any - 1) &&
	       !memmem(data, length, usual, sizeof usual - 1);
}

static bool stream_reaches(const char *folder, const char *name, uint64_t ns)
{
	struct hakstat_trace_index index;
	uint64_t end;

	hakstat_trace_index_read(folder, name, &index);
	end = hakstat_trace_index_end(&index);
	hakstat_trace_index_clear(&index);
	return end >= ns;
}

static bool folder_reaches(const char *folder, uint64_t ns)
{
	GDir *dir = has_other_clock(folder) ? NULL : g_dir_open(folder, 0, NULL);
	bool reaches = true;
	const char *name;

	while (dir && reaches && (name = g_dir_read_name(dir)) != NULL) {
		reaches = strcmp(name, "metadata") == 0 || strcmp(name, "index") == 0 ||
			  stream_reaches(folder, name, ns);
	}
	if (dir) {
		g_dir_close(dir);
	}
	return reaches;
}

/* "archives/20260131T120000+0000-20260131T120500+0000-3/ust/...": 3. UINT64_MAX: in no archive. */
static uint64_t archive_number(const char *folder)
{
	const char *archives = g_strrstr(folder, "/" HAKSTAT_ARCHIVES "/");
	g_auto(GStrv) names = g_strsplit(archives ? archives + 1 : "", "/", 3);
	const char *dash = archives ? strrchr(names[1], '-') : NULL;

	return dash ? g_ascii_strtoull(dash + 1, NULL, 10) : UINT64_MAX;
}

bool hakstat_trace_reaches(const GPtrArray *folders, uint64_t ns)
{
	bool reaches = true;
	uint64_t last = 0;

	for (guint i = 0; i < folders->len; i++) {
		last = MAX(last, archive_number(g_ptr_array_index(folders, i)));
	}
	for (guint i = 0; i < folders->len && reaches; i++) {
		const char *folder = g_ptr_array_index(folders, i);
		reaches = archive_number(folder) < last || folder_reaches(folder, ns);
	}
	return reaches;
}

static uint64_t folder_bytes(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	uint64_t bytes = 0;
	struct stat info;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode)) {
			bytes += (uint64_t)info.st_size;
		}
	}
	if (dir) {
		closedir(dir);
	}
	return bytes;
}

uint64_t hakstat_trace_bytes(const GPtrArray *folders)
{
	uint64_t bytes = 0;

	for (guint i = 0; i < folders->len; i++) {
		bytes += folder_bytes(g_ptr_array_index(folders, i));
	}
	return bytes;
}
