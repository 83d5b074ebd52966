/* SPDX-License-Identifier: MIT */
/*
 * The distribution of the signed-rank sum is counted, not approximated: with ties the ranks are halves,
 * so everything is counted in doubled ranks.
 */
#include "paired.h"

#include <glib.h>
#include <math.h>
#include <string.h>

/* Stands for the logarithm of a ratio to nothing; the greatest that exp can take twice. */
#define ENDLESS 350.0

#define ONE_SIDE 0.025

/* Ratios closer than this are one: only rounding tells them apart. */
#define SAME 1e-12

struct rank {
	double size; /* of the logarithm, without its sign */
	bool is_up;
	unsigned doubled;
};

static int compare_doubles(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static int compare_ranks(const void *a, const void *b)
{
	const struct rank *x = a;
	const struct rank *y = b;

	return (x->size > y->size) - (x->size < y->size);
}

static double middle(const double *sorted, size_t count)
{
	return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

struct hakstat_spread hakstat_spread_of(const double *values, size_t count)
{
	double *sorted = g_memdup2(values, count * sizeof *values);
	struct hakstat_spread spread;

	qsort(sorted, count, sizeof *sorted, compare_doubles);
	spread = (struct hakstat_spread) { sorted[0], middle(sorted, count), sorted[count - 1] };
	g_free(sorted);
	return spread;
}

static double log_ratio(double a, double b)
{
	if (a <= 0 || b <= 0) {
		return a > 0 ? -ENDLESS : b > 0 ? ENDLESS : 0;
	}
	return log(b / a);
}

/* Ties share the mean of their ranks. */
static void give_ranks(struct rank *ranks, size_t count)
{
	size_t from = 0;

	qsort(ranks, count, sizeof *ranks, compare_ranks);
	while (from < count) {
		size_t to = from + 1;
		while (to < count && ranks[to].size - ranks[from].size < SAME) {
			to++;
		}
		for (size_t i = from; i < to; i++) {
			ranks[i].doubled = (unsigned)(from + to + 1);
		}
		from = to;
	}
}

/*
 * chance[s]: that the doubled ranks of pairs in which b came out higher add up to s, when each pair is
 * as likely to come out either way. Free with g_free.
 */
static double *rank_sum_chances(const struct rank *ranks, size_t count, size_t *sums)
{
	size_t reach = 0;
	double *chance;

	*sums = count * (count + 1) + 1;
	chance = g_new0(double, *sums);
	chance[0] = 1;
	for (size_t i = 0; i < count; i++) {
		unsigned rank = ranks[i].doubled;
		reach += rank;
		for (size_t s = reach + 1; s-- > 0;) {
			chance[s] = (chance[s] + (s >= rank ? chance[s - rank] : 0)) / 2;
		}
	}
	return chance;
}

static double both_sides(const double *chance, size_t sums, size_t found)
{
	double below = 0, above = 0;

	for (size_t s = 0; s < sums; s++) {
		below += s <= found ? chance[s] : 0;
		above += s >= found ? chance[s] : 0;
	}
	return fmin(1, 2 * fmin(below, above));
}

/* Pairs without a difference tell nothing and are left out. */
static double signed_rank_p(const double *logs, size_t count)
{
	struct rank *ranks = g_new0(struct rank, count);
	size_t used = 0, sums, found = 0;
	double *chance;
	double p;

	for (size_t i = 0; i < count; i++) {
		if (fabs(logs[i]) > SAME) {
			ranks[used++] = (struct rank) { .size = fabs(logs[i]), .is_up = logs[i] > 0 };
		}
	}
	give_ranks(ranks, used);
	for (size_t i = 0; i < used; i++) {
		found += ranks[i].is_up ? ranks[i].doubled : 0;
	}
	chance = rank_sum_chances(ranks, used, &sums);
	p = both_sides(chance, sums, found);
	g_free(chance);
	g_free(ranks);
	return p;
}

/* How many of the sorted means lie outside on each side; 0: there are too few for an interval. */
static size_t outside(size_t count)
{
	struct rank *ranks = g_new0(struct rank, count);
	size_t sums, k = 0;
	double *chance;
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		ranks[i].doubled = (unsigned)(2 * (i + 1));
	}
	chance = rank_sum_chances(ranks, count, &sums);
	while (sum + chance[2 * k] <= ONE_SIDE) {
		sum += chance[2 * k++];
	}
	g_free(chance);
	g_free(ranks);
	return k;
}

static void estimate(const double *logs, size_t count, struct hakstat_paired *out)
{
	size_t length = 0, k = outside(count);
	double *means = g_new(double, count *(count + 1) / 2);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = i; j < count; j++) {
			means[length++] = (logs[i] + logs[j]) / 2;
		}
	}
	qsort(means, length, sizeof *means, compare_doubles);
	out->ratio = exp(middle(means, length));
	out->has_interval = k > 0;
	if (k > 0) {
		out->low = exp(means[k - 1]);
		out->high = exp(means[length - k]);
	}
	g_free(means);
}

struct hakstat_paired hakstat_paired_compare(const double *a, const double *b, size_t count)
{
	struct hakstat_paired out = { 0 };
	double *logs = g_new(double, count);

	for (size_t i = 0; i < count; i++) {
		logs[i] = log_ratio(a[i], b[i]);
	}
	out.p = signed_rank_p(logs, count);
	estimate(logs, count, &out);
	g_free(logs);
	return out;
}

void hakstat_paired_correct(double *p, size_t count)
{
	bool *is_done = g_new0(bool, count);
	double least = 0;

	for (size_t left = count; left > 0; left--) {
		size_t next = count;
		for (size_t i = 0; i < count; i++) {
			if (!is_done[i] && (next == count || p[i] < p[next])) {
				next = i;
			}
		}
		is_done[next] = true;
		least = fmin(1, fmax(least, p[next] * (double)left));
		p[next] = least;
	}
	g_free(is_done);
}
