/* SPDX-License-Identifier: MIT */
/*
 * nftw and fts do the walking; nftw has no place to keep a sum.
 */
#include "folder_tree.h"

#include <fts.h>
#include <ftw.h>
#include <glib.h>
#include <stdio.h>
#include <sys/stat.h>

enum { OPEN_FOLDERS = 16 };

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	remove(path);
	return 0;
}

uint64_t hakstat_folder_tree_bytes(const char *path)
{
	g_autofree char *top = g_strdup(path);
	char *paths[] = { top, NULL };
	FTS *walk = top ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	const FTSENT *entry;
	uint64_t bytes = 0;

	while (walk && (entry = fts_read(walk))) {
		bytes += entry->fts_info == FTS_F ? (uint64_t)entry->fts_statp->st_size : 0;
	}
	if (walk) {
		fts_close(walk);
	}
	return bytes;
}

void hakstat_folder_tree_remove(const char *path)
{
	nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
