/* SPDX-License-Identifier: MIT */
/*
 * A folder with all that is in it. Symbolic links are not followed.
 */
#ifndef HAKSTAT_FOLDER_TREE_H
#define HAKSTAT_FOLDER_TREE_H

#include <stdint.h>

/* Of its files; 0 for NULL. */
uint64_t hakstat_folder_tree_bytes(const char *path);

/* What cannot be removed stays. */
void hakstat_folder_tree_remove(const char *path);

#endif
