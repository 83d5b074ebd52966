/* SPDX-License-Identifier: MIT */
/*
 * Opens the file of a result.
 */
#ifndef HAKSTAT_OUTPUT_FILE_H
#define HAKSTAT_OUTPUT_FILE_H

#include <stdio.h>

#include "err.h"

/*
 * Opens `path` for writing, emptied; a new file gets what the umask leaves of 0666. In a folder
 * that everybody may write to, nothing that belongs to somebody else is written through or into: no
 * link, no file. Links elsewhere, and devices, are the user's choice. NULL with `err` set to
 * HAKSTAT_USAGE when it cannot be written.
 */
FILE *hakstat_output_file_open(const char *path, struct hakstat_err *err);

#endif
