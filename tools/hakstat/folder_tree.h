/* SPDX-License-Identifier: MIT */
/*
 * Removing a folder of our own with all that is in it.
 */
#ifndef HAKSTAT_FOLDER_TREE_H
#define HAKSTAT_FOLDER_TREE_H

/* Does not follow symbolic links; what cannot be removed stays. */
void hakstat_folder_tree_remove(const char *path);

#endif
