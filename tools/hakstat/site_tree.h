/* SPDX-License-Identifier: MIT */
/*
 * Call sites merged into one tree, from either end of their stacks.
 */
#ifndef HAKSTAT_SITE_TREE_H
#define HAKSTAT_SITE_TREE_H

#include <stdbool.h>

#include "report.h"

struct hakstat_tree_node {
	char *name; /* function, or module and offset; NULL for the root, which is no frame */
	/* Only `n`, of all stacks that pass here, and `stack`: the first one's frame. */
	struct hakstat_row row;
	GPtrArray *children; /* struct hakstat_tree_node *, the most wasteful first */
	GHashTable *by_name; /* name -> child; owns nothing */
};

/*
 * Below who called malloc, its callers; or `from_callees`: below where the thread began, what it called.
 * Frames of one function are one node, whichever line they are in. The tree refers to the report's
 * frames, so the report must outlive it. Free with hakstat_tree_free.
 */
struct hakstat_tree_node *hakstat_tree_new(const struct hakstat_report *report, bool from_callees);
void hakstat_tree_free(struct hakstat_tree_node *node);

#endif
