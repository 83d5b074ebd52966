/* SPDX-License-Identifier: MIT */
/* The distribution behind sampling, with fixed seeds: chance and gap must be those of one law. */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "options.h"

enum { DRAWS = 200000 };

static void chance_is_that_of_poisson(void **state)
{
	(void)state;
	for (uint64_t mean = 1; mean <= UINT64_C(1) << 40; mean *= 16) {
		hak_options.sample_bytes = mean;
		for (uint64_t bytes = 8; bytes <= UINT64_C(1) << 32; bytes *= 2) {
			double exact = -expm1(-(double)bytes / (double)mean);
			assert_true(fabs(hak_sample_chance(bytes) / exact - 1) < 1e-12);
		}
	}
}

/* The gap is geometric: mean 1 / p, variance (1 - p) / p^2. */
static void gaps_have_the_mean_of_their_chance(void **state)
{
	static const uint64_t sizes[] = { 8, 16, 112, 1024, 8192, 32768, 262144, 4 << 20 };
	uint64_t random = 1;
	(void)state;
	hak_options.sample_bytes = 512 << 10;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		double p = hak_sample_chance(sizes[i]), sum = 0, ones = 0;
		for (unsigned k = 0; k < DRAWS; k++) {
			int64_t gap = hak_sample_gap(&random, sizes[i]);
			assert_true(gap >= 1);
			sum += (double)gap;
			ones += gap == 1;
		}
		double deviation = sqrt((1 - p) / DRAWS) / p;
		assert_true(fabs(sum / DRAWS - 1 / p) < 5 * deviation + 1e-9);
		assert_true(fabs(ones / DRAWS - p) < 5 * sqrt(p * (1 - p) / DRAWS) + 1e-9);
	}
}

static void extremes_stay_in_range(void **state)
{
	uint64_t random = 7;
	(void)state;
	hak_options.sample_bytes = 1;
	assert_int_equal(hak_sample_gap(&random, UINT64_C(1) << 40), 1);
	hak_options.sample_bytes = UINT64_C(1) << 40;
	for (unsigned i = 0; i < DRAWS; i++) {
		int64_t gap = hak_sample_gap(&random, 8);
		assert_true(gap >= 1 && gap < INT64_MAX / 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance_is_that_of_poisson),
		cmocka_unit_test(gaps_have_the_mean_of_their_chance),
		cmocka_unit_test(extremes_stay_in_range),
	};
	return cmocka_run_group_tests_name("sample", tests, NULL, NULL);
}
