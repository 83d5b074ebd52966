/* SPDX-License-Identifier: MIT */
/*
 * What `hakstat top` shows, without the terminal: the newest report, what its numbers were before, the
 * page, the order. Pure.
 */
#ifndef HAKSTAT_TOP_TABLE_H
#define HAKSTAT_TOP_TABLE_H

#include "report.h"

enum hakstat_top_page { HAKSTAT_TOP_CLASSES, HAKSTAT_TOP_SITES, HAKSTAT_TOP_PAGES };

/* What the trend of a row shows. */
enum hakstat_top_trend { HAKSTAT_TOP_LIVE, HAKSTAT_TOP_WASTE, HAKSTAT_TOP_RATE, HAKSTAT_TOP_TRENDS };

enum { HAKSTAT_TOP_HISTORY = 64 };

enum hakstat_top_kind {
	HAKSTAT_TOP_COLUMN, /* of the report, by its key */
	HAKSTAT_TOP_LIVE_WASTE,
	HAKSTAT_TOP_LIVE_PERCENT, /* of it, of the live bytes whose requests are known */
	HAKSTAT_TOP_ALLOCS_PER_S,
	HAKSTAT_TOP_TREND, /* takes the room that is left */
};

struct hakstat_top_column {
	const char *header;
	enum hakstat_top_kind kind;
	const char *key;
	int width; /* 0: what is left of the line */
	int rank;  /* a narrow terminal leaves out the highest first */
	bool is_left;
};

struct hakstat_top {
	struct hakstat_report *report;		  /* NULL: nothing has come yet */
	GHashTable *histories[HAKSTAT_TOP_PAGES]; /* row key -> what it was */
	enum hakstat_top_page page;
	enum hakstat_top_trend trend;
	size_t sort[HAKSTAT_TOP_PAGES]; /* index of a column */
	bool is_reverse[HAKSTAT_TOP_PAGES];
};

void hakstat_top_init(struct hakstat_top *top);
void hakstat_top_clear(struct hakstat_top *top);

/* The next state of affairs; takes the summary over. */
void hakstat_top_take(struct hakstat_top *top, struct hakstat_summary *summary);

/* The columns of the page. */
const struct hakstat_top_column *hakstat_top_columns(enum hakstat_top_page page, size_t *count);

/* Which columns fit `width`: sets shown[], and returns what is left for the column without a width. */
int hakstat_top_fit(enum hakstat_top_page page, int width, bool *shown);

/* The rows of the page in order; free with g_ptr_array_unref. */
GPtrArray *hakstat_top_rows(const struct hakstat_top *top);

/* The next column of the page, or with -1 the one before, becomes the order. */
void hakstat_top_sort_next(struct hakstat_top *top, int step);

/* A cell; of a trend as many signs as `width`. Free with g_free. */
char *hakstat_top_cell(const struct hakstat_top *top, const struct hakstat_top_column *column,
		       const struct hakstat_row *row, int width, bool is_utf8);

/*
 * The last `width` of `count` values as signs from low to high; the highest fills its cell. Values are not
 * negative. Free with g_free.
 */
char *hakstat_top_sparkline(const double *values, size_t count, int width, bool is_utf8);

/* "live bytes over time", or in less than that many columns "live bytes". */
const char *hakstat_top_trend_name(enum hakstat_top_trend trend, int width);

#endif
