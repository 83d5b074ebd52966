/* SPDX-License-Identifier: MIT */
/*
 * Matching, moves and options.
 */
#include "diff.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "frame.h"
#include "hakmem_size_class.h"
#include "tally.h"

enum { SITES_OF_MOVE = 3 };

/* What serves one bucket of request sizes on one side: the class that most of it goes to. */
struct place {
	const struct hakstat_row *main;
	struct hakstat_counts n;
};

struct bucket {
	uint32_t number;
	uint64_t min, max;
	struct place base, new;
};

static bool is_live(const struct hakstat_diff *diff)
{
	return diff->per == HAKSTAT_PER_LIVE_BYTE;
}

double hakstat_diff_new_waste(const struct hakstat_diff *diff, const struct hakstat_counts *n)
{
	return (double)(is_live(diff) ? hakstat_counts_live_waste(n) : hakstat_counts_waste(n));
}

double hakstat_diff_base(const struct hakstat_diff *diff, const struct hakstat_counts *n)
{
	return diff->scale * hakstat_diff_new_waste(diff, n);
}

int64_t hakstat_diff_change(const struct hakstat_diff *diff, const struct hakstat_counts *base,
			    const struct hakstat_counts *new)
{
	return (int64_t)(hakstat_diff_new_waste(diff, new) - hakstat_diff_base(diff, base));
}

double hakstat_diff_variance(const struct hakstat_diff *diff, const struct hakstat_counts *base,
			     const struct hakstat_counts *new)
{
	double of_base = hakstat_variances_waste(is_live(diff) ? &base->live_v : &base->v);
	double of_new = hakstat_variances_waste(is_live(diff) ? &new->live_v : &new->v);

	return diff->scale * diff->scale * of_base + of_new;
}

uint64_t hakstat_diff_count(const struct hakstat_diff *diff, const struct hakstat_counts *n)
{
	return is_live(diff) ? n->live : n->allocs;
}

static uint64_t unknown_count(const struct hakstat_diff *diff, const struct hakstat_counts *n)
{
	return is_live(diff) ? n->live_unknown : n->unknown_allocs;
}

bool hakstat_diff_is_known(const struct hakstat_diff *diff, const struct hakstat_counts *n)
{
	return is_live(diff) ? hakstat_counts_know_live(n) : hakstat_counts_know_requests(n);
}

double hakstat_diff_each(const struct hakstat_diff *diff, const struct hakstat_counts *n)
{
	uint64_t count = hakstat_diff_count(diff, n);
	uint64_t unknown = unknown_count(diff, n);

	return count > unknown ? hakstat_diff_new_waste(diff, n) / (double)(count - unknown) : 0;
}

bool hakstat_diff_lengths_differ(const struct hakstat_diff *diff)
{
	double base = (double)diff->base->totals.n.allocs;
	double new = (double)diff->new->totals.n.allocs;

	return fmax(base, new) > 1.05 * fmin(base, new);
}

static double scale_of(const struct hakstat_diff *diff)
{
	const struct hakstat_counts *base = &diff->base->totals.n;
	const struct hakstat_counts *new = &diff->new->totals.n;
	uint64_t from = is_live(diff) ? base->live_usable_bytes : base->allocs;
	uint64_t to = is_live(diff) ? new->live_usable_bytes : new->allocs;

	return diff->per == HAKSTAT_PER_RUN || !from ? 1 : (double)to / (double)from;
}

static void free_delta(void *data)
{
	struct hakstat_delta *delta = data;

	g_free(delta->name);
	g_free(delta);
}

static void free_move(void *data)
{
	struct hakstat_move *move = data;

	g_free(move->from);
	g_free(move->to);
	g_free(move->option);
	g_ptr_array_unref(move->sites);
	g_free(move);
}

static void free_option(void *data)
{
	struct hakstat_option_change *change = data;

	g_free(change->base);
	g_free(change->new);
	g_free(change);
}

/* Tables ------------------------------------------------------------------------------------ */

static char *range_name(uint64_t min, uint64_t max)
{
	return min == max ? g_strdup_printf("%" PRIu64, min)
			  : g_strdup_printf("%" PRIu64 "...%" PRIu64, min, max);
}

/* What a row is about, without the number of its class, which differs from table to table. */
static char *row_name(enum hakstat_table_id table, const struct hakstat_row *row)
{
	GString *site;

	switch (table) {
	case HAKSTAT_BY_CLASS:
		return g_strdup(row->class_name);
	case HAKSTAT_BY_ROUTE:
		return g_strdup_printf("%s %s", hak_route_label(row->route), hak_reason_label(row->reason));
	case HAKSTAT_BY_SIZE:
		return g_strdup_printf("%u", hakstat_bucket_of(row->requested_max));
	default:
		site = g_string_new(NULL);
		for (guint i = 0; i < row->stack->len; i++) {
			char *frame = hakstat_frame_text(g_ptr_array_index(row->stack, i));
			g_string_append_printf(site, "%s%s", i ? " < " : "", frame);
			g_free(frame);
		}
		return g_string_free(site, FALSE);
	}
}

static void add_side(GHashTable *by_name, GPtrArray *deltas, enum hakstat_table_id table,
		     const GPtrArray *rows, bool is_new)
{
	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		char *name = row_name(table, row);
		struct hakstat_delta *delta = g_hash_table_lookup(by_name, name);
		if (!delta) {
			delta = g_new0(struct hakstat_delta, 1);
			delta->name = name;
			delta->example = row;
			delta->requested_min = row->requested_min;
			g_hash_table_insert(by_name, delta->name, delta);
			g_ptr_array_add(deltas, delta);
		} else {
			g_free(name);
		}
		delta->requested_min = MIN(delta->requested_min, row->requested_min);
		delta->requested_max = MAX(delta->requested_max, row->requested_max);
		hakstat_counts_add(is_new ? &delta->new : &delta->base, &row->n);
	}
}

static uint64_t size_of_change(const struct hakstat_diff *diff, const struct hakstat_counts *base,
			       const struct hakstat_counts *new)
{
	int64_t change = hakstat_diff_change(diff, base, new);

	return change < 0 ? -(uint64_t)change : (uint64_t)change;
}

static gint compare_deltas(gconstpointer a, gconstpointer b, gpointer diff)
{
	const struct hakstat_delta *x = *(const struct hakstat_delta *const *)a;
	const struct hakstat_delta *y = *(const struct hakstat_delta *const *)b;
	uint64_t p = size_of_change(diff, &x->base, &x->new);
	uint64_t q = size_of_change(diff, &y->base, &y->new);

	return p != q ? (p < q) - (p > q) : strcmp(x->name, y->name);
}

static GPtrArray *make_table(struct hakstat_diff *diff, enum hakstat_table_id table)
{
	GPtrArray *deltas = g_ptr_array_new_with_free_func(free_delta);
	GHashTable *by_name = g_hash_table_new(g_str_hash, g_str_equal);

	add_side(by_name, deltas, table, diff->base->tables[table], false);
	add_side(by_name, deltas, table, diff->new->tables[table], true);
	g_hash_table_destroy(by_name);
	for (guint i = 0; table == HAKSTAT_BY_SIZE && i < deltas->len; i++) {
		struct hakstat_delta *delta = g_ptr_array_index(deltas, i);
		g_free(delta->name); /* the bucket's number was only to match by */
		delta->name = range_name(delta->example->requested_min, delta->example->requested_max);
	}
	g_ptr_array_sort_with_data(deltas, compare_deltas, diff);
	return deltas;
}

/* Options ----------------------------------------------------------------------------------- */

/* Takes the texts over. */
static void add_option(struct hakstat_diff *diff, const char *name, char *base, char *new)
{
	struct hakstat_option_change *change;

	if (strcmp(base, new) == 0) {
		g_free(base);
		g_free(new);
		return;
	}
	change = g_new0(struct hakstat_option_change, 1);
	change->name = name;
	change->base = base;
	change->new = new;
	g_ptr_array_add(diff->options, change);
}

static void find_options(struct hakstat_diff *diff)
{
	const struct hakstat_config *a = &diff->base->summary->config;
	const struct hakstat_config *b = &diff->new->summary->config;

	if (!a->known || !b->known) {
		return;
	}
	add_option(diff, "HAKMEM_SIZE_CLASSES", g_strdup(a->size_classes), g_strdup(b->size_classes));
	add_option(diff, "HAKMEM_TINY_MAX_CLASS", g_strdup_printf("%u", a->tiny_max_class),
		   g_strdup_printf("%u", b->tiny_max_class));
	add_option(diff, "HAKMEM_SUPERSLAB_SIZE", g_strdup_printf("%" PRIu64, a->superslab_size),
		   g_strdup_printf("%" PRIu64, b->superslab_size));
}

/*
 * The options that can send a size elsewhere. The boundary alone explains it when the table is
 * the same; when both differ both are named.
 */
static char *option_for_move(const struct hakstat_diff *diff)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < diff->options->len; i++) {
		const struct hakstat_option_change *change = g_ptr_array_index(diff->options, i);
		if (strcmp(change->name, "HAKMEM_SUPERSLAB_SIZE") != 0) {
			g_string_append_printf(text, "%s%s %s -> %s", text->len ? ", " : "", change->name,
					       change->base, change->new);
		}
	}
	return g_string_free(text, text->len == 0);
}

/* Moves ------------------------------------------------------------------------------------- */

static void add_place(struct place *place, const struct hakstat_row *row)
{
	if (!place->main || row->n.allocs > place->main->n.allocs) {
		place->main = row;
	}
	hakstat_counts_add(&place->n, &row->n);
}

static void add_buckets(GHashTable *buckets, const GPtrArray *rows, bool is_new)
{
	for (guint i = 0; i < rows->len; i++) {
		const struct hakstat_row *row = g_ptr_array_index(rows, i);
		gpointer key = GUINT_TO_POINTER(hakstat_bucket_of(row->requested_max));
		struct bucket *bucket = g_hash_table_lookup(buckets, key);
		if (!bucket) {
			bucket = g_new0(struct bucket, 1);
			bucket->number = GPOINTER_TO_UINT(key);
			bucket->min = row->requested_min;
			bucket->max = row->requested_max;
			g_hash_table_insert(buckets, key, bucket);
		}
		bucket->min = MIN(bucket->min, row->requested_min);
		bucket->max = MAX(bucket->max, row->requested_max);
		add_place(is_new ? &bucket->new : &bucket->base, row);
	}
}

static gint compare_buckets(gconstpointer a, gconstpointer b)
{
	const struct bucket *x = *(const struct bucket *const *)a;
	const struct bucket *y = *(const struct bucket *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

static bool same_place(const struct hakstat_row *a, const struct hakstat_row *b)
{
	return a->route == b->route && a->block == b->block;
}

/* The route is another, the block is not: it costs no memory. */
static bool keeps_block(const struct hakstat_row *from, const struct hakstat_row *to)
{
	return from->block == to->block;
}

/* The classes on one side of a move, in the order of their requests. */
struct classes {
	const struct hakstat_row *first, *last;
	unsigned count;
};

/* Neighbouring buckets of request sizes that moved in the same way: what becomes one move. */
struct story {
	struct hakstat_move *move; /* NULL: none has begun */
	struct classes from, to;
};

static void add_class(struct classes *classes, const struct hakstat_row *row)
{
	if (classes->count && same_place(classes->last, row)) {
		return;
	}
	if (classes->count == 0) {
		classes->first = row;
	}
	classes->last = row;
	classes->count++;
}

/* "tiny C6", "tiny C6, C7"; of many classes the first and the last. Free with g_free. */
static char *name_classes(const struct classes *classes)
{
	const char *route = hak_route_label(classes->first->route);

	if (classes->count == 1) {
		return g_strdup_printf("%s %s", route, classes->first->class_name);
	}
	return g_strdup_printf("%s %s%s%s", route, classes->first->class_name,
			       classes->count == 2 ? ", " : " ... ", classes->last->class_name);
}

/*
 * Classes of one route that lose their requests to the same class are one story, and so are those
 * that give them to another route's classes of their own sizes.
 */
static bool continues(const struct story *story, const struct bucket *bucket)
{
	if (!story->move || story->from.last->route != bucket->base.main->route) {
		return false;
	}
	if (same_place(story->to.last, bucket->new.main)) {
		return true;
	}
	if (story->to.last->route != bucket->new.main->route) {
		return false;
	}
	return keeps_block(story->from.last, story->to.last) &&
	       keeps_block(bucket->base.main, bucket->new.main);
}

static void begin_move(struct hakstat_diff *diff, struct story *story, const struct bucket *bucket)
{
	struct hakstat_move *move = g_new0(struct hakstat_move, 1);

	move->requested_min = bucket->min;
	move->keeps_blocks = true;
	move->option = option_for_move(diff);
	move->sites = g_ptr_array_new();
	g_ptr_array_add(diff->moves, move);
	*story = (struct story) { .move = move };
}

static void add_to_move(struct story *story, const struct bucket *bucket)
{
	struct hakstat_move *move = story->move;

	move->requested_max = bucket->max;
	move->keeps_blocks &= keeps_block(bucket->base.main, bucket->new.main);
	add_class(&story->from, bucket->base.main);
	add_class(&story->to, bucket->new.main);
	hakstat_counts_add(&move->base, &bucket->base.n);
	hakstat_counts_add(&move->new, &bucket->new.n);
}

/* Sizes that come later are another story. */
static void end_move(struct story *story)
{
	if (story->move) {
		story->move->from = name_classes(&story->from);
		story->move->to = name_classes(&story->to);
		story->move = NULL;
	}
}

static void add_bucket(struct hakstat_diff *diff, struct story *story, const struct bucket *bucket)
{
	if (!bucket->base.main || !bucket->new.main) {
		return; /* asked for on one side only: nothing to compare, and no gap in a range */
	}
	if (same_place(bucket->base.main, bucket->new.main)) {
		end_move(story);
		return;
	}
	if (!continues(story, bucket)) {
		end_move(story);
		begin_move(diff, story, bucket);
	}
	add_to_move(story, bucket);
}

static gint compare_moves(gconstpointer a, gconstpointer b, gpointer diff)
{
	const struct hakstat_move *x = *(const struct hakstat_move *const *)a;
	const struct hakstat_move *y = *(const struct hakstat_move *const *)b;
	uint64_t p = size_of_change(diff, &x->base, &x->new);
	uint64_t q = size_of_change(diff, &y->base, &y->new);

	return p != q ? (p < q) - (p > q)
		      : (x->requested_min > y->requested_min) - (x->requested_min < y->requested_min);
}

static void find_moves(struct hakstat_diff *diff)
{
	GHashTable *buckets = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	GPtrArray *order = g_ptr_array_new();
	struct story story = { 0 };
	GHashTableIter iter;
	gpointer value;

	add_buckets(buckets, diff->base->tables[HAKSTAT_BY_SIZE], false);
	add_buckets(buckets, diff->new->tables[HAKSTAT_BY_SIZE], true);
	g_hash_table_iter_init(&iter, buckets);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_ptr_array_add(order, value);
	}
	g_ptr_array_sort(order, compare_buckets);
	for (guint i = 0; i < order->len; i++) {
		add_bucket(diff, &story, g_ptr_array_index(order, i));
	}
	end_move(&story);
	g_ptr_array_sort_with_data(diff->moves, compare_moves, diff);
	g_ptr_array_unref(order);
	g_hash_table_destroy(buckets);
}

bool hakstat_move_is_all_of(const struct hakstat_move *move, const struct hakstat_delta *site)
{
	return site->requested_min >= move->requested_min && site->requested_max <= move->requested_max;
}

static bool asks_for(const struct hakstat_delta *site, const struct hakstat_move *move)
{
	return site->requested_min <= move->requested_max && site->requested_max >= move->requested_min;
}

/*
 * Sites are known by the range of sizes they ask for. Those whose waste changed the other way explain
 * nothing.
 */
static void add_sites(const struct hakstat_diff *diff, struct hakstat_move *move, bool is_all)
{
	const GPtrArray *sites = diff->tables[HAKSTAT_BY_SITE]; /* the greatest change first */
	bool is_more = hakstat_diff_change(diff, &move->base, &move->new) > 0;

	for (guint i = 0; i < sites->len && move->sites->len < SITES_OF_MOVE; i++) {
		struct hakstat_delta *site = g_ptr_array_index(sites, i);
		int64_t change = hakstat_diff_change(diff, &site->base, &site->new);
		if (change != 0 && (change > 0) == is_more && asks_for(site, move) &&
		    hakstat_move_is_all_of(move, site) == is_all) {
			g_ptr_array_add(move->sites, site);
		}
	}
}

/* A move between equal blocks has nothing to explain. */
static void find_sites(const struct hakstat_diff *diff, struct hakstat_move *move)
{
	if (!move->keeps_blocks) {
		add_sites(diff, move, true);
		add_sites(diff, move, false);
	}
}

struct hakstat_diff *hakstat_diff_new(const struct hakstat_report *base, const struct hakstat_report *new,
				      enum hakstat_diff_per per)
{
	struct hakstat_diff *diff = g_new0(struct hakstat_diff, 1);

	diff->base = base;
	diff->new = new;
	diff->per = per;
	diff->scale = scale_of(diff);
	diff->options = g_ptr_array_new_with_free_func(free_option);
	diff->moves = g_ptr_array_new_with_free_func(free_move);
	for (int t = 0; t <= HAKSTAT_BY_SITE; t++) {
		diff->tables[t] = make_table(diff, (enum hakstat_table_id)t);
	}
	find_options(diff);
	find_moves(diff);
	for (guint i = 0; i < diff->moves->len; i++) {
		find_sites(diff, g_ptr_array_index(diff->moves, i));
	}
	return diff;
}

void hakstat_diff_free(struct hakstat_diff *diff)
{
	for (int t = 0; t <= HAKSTAT_BY_SITE; t++) {
		g_ptr_array_unref(diff->tables[t]);
	}
	g_ptr_array_unref(diff->options);
	g_ptr_array_unref(diff->moves);
	g_free(diff);
}
