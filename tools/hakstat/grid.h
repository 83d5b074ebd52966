/* SPDX-License-Identifier: MIT */
/*
 * A table of texts, drawn for a terminal. The only place that knows the drawing library.
 */
#ifndef HAKSTAT_GRID_H
#define HAKSTAT_GRID_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum hakstat_grid_kind {
	HAKSTAT_GRID_TEXT,   /* to the left */
	HAKSTAT_GRID_NUMBER, /* to the right */
	HAKSTAT_GRID_LONG,   /* to the left, and cut where the terminal ends */
	HAKSTAT_GRID_TREE,   /* likewise, with lines from each row to those below it */
};

enum { HAKSTAT_GRID_MAX = 48 };

/* The parent of a row that is below no other. */
#define HAKSTAT_GRID_TOP G_MAXUINT

struct hakstat_grid {
	size_t columns;
	const char *headers[HAKSTAT_GRID_MAX];
	enum hakstat_grid_kind kinds[HAKSTAT_GRID_MAX];
	int ranks[HAKSTAT_GRID_MAX];
	GPtrArray *cells; /* char *, row by row, owned */
	GArray *parents;  /* guint, by row; rows beyond its end are below no other */
};

void hakstat_grid_init(struct hakstat_grid *grid);
void hakstat_grid_clear(struct hakstat_grid *grid);

/* Of rank 0, or of another one: a narrow terminal leaves out the highest first, and rank 0 never. */
void hakstat_grid_column(struct hakstat_grid *grid, const char *header, enum hakstat_grid_kind kind);
void hakstat_grid_column_of_rank(struct hakstat_grid *grid, const char *header, enum hakstat_grid_kind kind,
				 int rank);

/* The next row is a branch of an earlier one. Returns its number, for rows below it. */
guint hakstat_grid_below(struct hakstat_grid *grid, guint parent);

/* The next cell; the text is taken over. */
void hakstat_grid_cell(struct hakstat_grid *grid, char *text);

/*
 * `width` 0: as wide as it is. What does not fit is left out or cut, and what was left out is named below
 * the table. Returns 0 or -1.
 */
int hakstat_grid_print(const struct hakstat_grid *grid, int width, bool colours, FILE *out);

#endif
