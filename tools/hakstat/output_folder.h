/* SPDX-License-Identifier: MIT */
/*
 * The folder that a recording goes to. What was recorded before is never deleted and never
 * written into; symbolic links in its place are not followed.
 */
#ifndef HAKSTAT_OUTPUT_FOLDER_H
#define HAKSTAT_OUTPUT_FOLDER_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct hakstat_output_folder {
	char *path; /* as the user knows it */
	char *absolute;
	char *moved_to; /* where an older one went; NULL when there was none */
	char *taken;	/* the name that was wanted and that another recording has; NULL: `path` was */
	bool is_made;	/* it did not exist before */
	int fd;		/* what is done at the end is done here, wherever it was moved to; -1: none */
};

#define HAKSTAT_OUTPUT_FOLDER_NONE ((struct hakstat_output_folder) { .fd = -1 })

/*
 * Makes the folder `path` and locks it. One that is in the way is moved aside when `move_older`; else it
 * is an error unless it is an empty folder. One that another recording is written to stays where it is:
 * then the first free NAME.1, NAME.2... is made. A new one is open to nobody but its owner as long as it
 * is written to. Returns 0, or a status with `err` set.
 */
int hakstat_output_folder_make(struct hakstat_output_folder *folder, const char *path, bool move_older,
			       struct hakstat_err *err);

/*
 * Takes the permissions away that the umask forbids: LTTng's daemons have none and give the owner's
 * group everything. Then the folder itself gets what the umask leaves, if it is new. What belongs to
 * another user stays as it is. The process's umask changes for a moment, to 077.
 */
void hakstat_output_folder_finish(const struct hakstat_output_folder *folder);

/* Whether the disk has room for nothing more: then LTTng drops what it should write and says nothing. */
bool hakstat_output_folder_is_full(const struct hakstat_output_folder *folder);

/* Whether all that was recorded until `ns` of CLOCK_MONOTONIC, before the session was stopped, is there. */
bool hakstat_output_folder_reaches(const struct hakstat_output_folder *folder, uint64_t ns);

/*
 * Leaves a file that tells readers, who cannot see it otherwise, that the recording was cut off, and
 * why. The reader: NULL when it was not; free with g_free.
 */
void hakstat_output_folder_mark_cut(const struct hakstat_output_folder *folder, const char *why);
char *hakstat_output_folder_cut(const char *path);

/* Puts everything back as it was, if nothing has been recorded. */
void hakstat_output_folder_undo(const struct hakstat_output_folder *folder);

/* The size of its files; `is_trace` says whether there is any trace in it. */
uint64_t hakstat_output_folder_bytes(const struct hakstat_output_folder *folder, bool *is_trace);

void hakstat_output_folder_clear(struct hakstat_output_folder *folder);

#endif
