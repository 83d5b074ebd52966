/* SPDX-License-Identifier: MIT */
/*
 * The paired comparison: against published numbers, and against all signs counted one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "paired.h"

#define NEAR(got, want) assert_true(fabs((got) - (want)) < 1e-9)

/* The test is on logarithms of ratios, books are on differences. */
static void to_ratios(const double *from, double *to, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		to[i] = exp(from[i]);
	}
}

/* Hamilton's scale before and after: Hollander and Wolfe, table 3.1; R: wilcox.test(paired = TRUE). */
static void published_numbers(void **state)
{
	static const double before[] = { 1.83, .50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30 };
	static const double after[] = { .878, .647, .598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29 };
	double a[9], b[9];
	struct hakstat_paired got;

	(void)state;
	to_ratios(before, a, 9);
	to_ratios(after, b, 9);
	got = hakstat_paired_compare(a, b, 9);
	NEAR(got.p, 0.0390625);
	NEAR(log(got.ratio), -.46);
	assert_true(got.has_interval);
	NEAR(log(got.low), -.786);
	NEAR(log(got.high), -.010);
}

/* The part of all 2^count signs whose sum of ranks is at least as far out. */
static double counted_p(const double *ranks, unsigned count, double found)
{
	unsigned below = 0, above = 0, all = 1u << count;

	for (unsigned signs = 0; signs < all; signs++) {
		double sum = 0;
		for (unsigned i = 0; i < count; i++) {
			sum += signs >> i & 1 ? ranks[i] : 0;
		}
		below += sum <= found;
		above += sum >= found;
	}
	return fmin(1, 2.0 * fmin(below, above) / all);
}

static void ties_and_pairs_without_difference(void **state)
{
	/* Of seven pairs one is equal; the others' sizes are 1 1 2 2 2 4, so their ranks 1.5 1.5 4 4 4 6. */
	static const double ranks[] = { 1.5, 1.5, 4, 4, 4, 6 };
	static const double a[] = { 1, 1, 2, 1, 4, 4, 1 };
	static const double b[] = { 1, 2, 1, 4, 1, 16, 16 };
	struct hakstat_paired got = hakstat_paired_compare(a, b, 7);

	(void)state;
	NEAR(got.p, counted_p(ranks, 6, 1.5 + 4 + 4 + 6));
}

static void equal_runs_are_no_difference(void **state)
{
	static const double a[] = { 5, 6, 7, 8, 9, 10, 11, 12 };
	struct hakstat_paired got = hakstat_paired_compare(a, a, 8);

	(void)state;
	NEAR(got.p, 1);
	NEAR(got.ratio, 1);
}

static void what_slows_both_down_is_no_noise(void **state)
{
	double a[10], b[10];
	struct hakstat_paired got;

	(void)state;
	for (int i = 0; i < 10; i++) {
		a[i] = 1 << i;
		b[i] = a[i] * (1.01 + i * 1e-4);
	}
	got = hakstat_paired_compare(a, b, 10);
	NEAR(got.p, 2.0 / 1024);
	assert_true(got.low > 1.009 && got.high < 1.012);
}

static void few_pairs_have_no_interval(void **state)
{
	static const double a[] = { 1, 2, 3, 4, 5, 6 };
	static const double b[] = { 2, 5, 7, 9, 11, 13 };

	(void)state;
	assert_false(hakstat_paired_compare(a, b, HAKSTAT_PAIRED_LEAST - 1).has_interval);
	assert_true(hakstat_paired_compare(a, b, HAKSTAT_PAIRED_LEAST).has_interval);
	assert_false(hakstat_paired_compare(a, b, 1).has_interval);
}

static void nothing_against_something(void **state)
{
	static const double a[] = { 0, 0, 0, 0, 0, 0 };
	static const double b[] = { 1, 2, 3, 4, 5, 0 };
	struct hakstat_paired got = hakstat_paired_compare(a, b, 6);

	(void)state;
	assert_true(isfinite(got.ratio) && isfinite(got.low) && isfinite(got.high));
	assert_true(got.ratio > 1e6);
	NEAR(got.p, 2.0 / 32);
}

static void most_pairs(void **state)
{
	double *a = calloc(HAKSTAT_PAIRED_MAX, sizeof *a);
	double *b = calloc(HAKSTAT_PAIRED_MAX, sizeof *b);
	struct hakstat_paired got;

	(void)state;
	for (int i = 0; i < HAKSTAT_PAIRED_MAX; i++) {
		a[i] = 100 + (i * 37) % 11;
		b[i] = 100 + (i * 53) % 13;
	}
	got = hakstat_paired_compare(a, b, HAKSTAT_PAIRED_MAX);
	assert_true(got.p > 0 && got.p <= 1);
	assert_true(got.low <= got.ratio && got.ratio <= got.high);
	free(a);
	free(b);
}

static void several_questions_at_once(void **state)
{
	double p[] = { .01, .04, .03, .005 };

	(void)state;
	hakstat_paired_correct(p, 4);
	NEAR(p[0], .03);
	NEAR(p[1], .06);
	NEAR(p[2], .06);
	NEAR(p[3], .02);
}

static void spread_of_even_and_odd(void **state)
{
	static const double values[] = { 4, 1, 3, 2, 9 };
	struct hakstat_spread odd = hakstat_spread_of(values, 5);
	struct hakstat_spread even = hakstat_spread_of(values, 4);

	(void)state;
	NEAR(odd.min, 1);
	NEAR(odd.median, 3);
	NEAR(odd.max, 9);
	NEAR(even.median, 2.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_numbers),
		cmocka_unit_test(ties_and_pairs_without_difference),
		cmocka_unit_test(equal_runs_are_no_difference),
		cmocka_unit_test(what_slows_both_down_is_no_noise),
		cmocka_unit_test(few_pairs_have_no_interval),
		cmocka_unit_test(nothing_against_something),
		cmocka_unit_test(most_pairs),
		cmocka_unit_test(several_questions_at_once),
		cmocka_unit_test(spread_of_even_and_odd),
	};

	return cmocka_run_group_tests_name("paired", tests, NULL, NULL);
}
