/* SPDX-License-Identifier: MIT */
/* The distribution behind sampling, with fixed seeds: chance and gap must be those of one law. */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "options.h"

enum { DRAWS = 200000, MEAN = 512 << 10, RUNS = 2000 };

static void chance_is_that_of_poisson(void **state)
{
	(void)state;
	for (uint64_t mean = 1; mean <= UINT64_C(1) << 40; mean *= 16) {
		for (uint64_t bytes = 8; bytes <= UINT64_C(1) << 32; bytes *= 2) {
			double exact = -expm1(-(double)bytes / (double)mean);
			assert_true(fabs(hak_sample_chance(bytes, mean) / exact - 1) < 1e-12);
		}
	}
}

/* The gap is geometric: mean 1 / p, variance (1 - p) / p^2. */
static void gaps_have_the_mean_of_their_chance(void **state)
{
	static const uint64_t sizes[] = { 8, 16, 112, 1024, 8192, 32768, 262144, 4 << 20 };
	uint64_t random = 1;
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		double p = hak_sample_chance(sizes[i], MEAN), sum = 0, ones = 0;
		for (unsigned k = 0; k < DRAWS; k++) {
			int64_t gap = hak_sample_gap(&random, sizes[i], MEAN);
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
	assert_int_equal(hak_sample_gap(&random, UINT64_C(1) << 40, 1), 1);
	for (unsigned i = 0; i < DRAWS; i++) {
		int64_t gap = hak_sample_gap(&random, 8, UINT64_C(1) << 40);
		assert_true(gap >= 1 && gap < INT64_MAX / 2);
	}
}

/* A thread that allocates blocks of 512 bytes, one every so many nanoseconds. */
struct thread {
	struct hak_sample_pace pace;
	uint64_t random, now_ns, samples;
	double weights, variance;
};

static void allocate(struct thread *t, int64_t blocks, uint64_t every_ns)
{
	while (blocks > 0) {
		int64_t gap = hak_sample_gap(&t->random, 512, t->pace.mean);
		t->now_ns += (uint64_t)(gap < blocks ? gap : blocks) * every_ns;
		blocks -= gap;
		if (blocks >= 0) {
			double weight = 1 / hak_sample_chance(512, t->pace.mean);
			t->samples++;
			t->weights += weight;
			t->variance += weight * (weight - 1);
			hak_sample_taken(&t->pace, t->now_ns);
		}
	}
}

static struct thread new_thread(uint64_t seed)
{
	struct thread t = { .random = seed, .now_ns = 1 };
	hak_sample_begin(&t.pace);
	return t;
}

/* Calm, busy, calm: the weights must give the number of blocks all the same, with their interval. */
static void weights_stay_unbiased_while_the_mean_changes(void **state)
{
	enum { CALM = 100000, BUSY = 1000000 };
	double sum = 0, squares = 0;
	int held = 0;
	(void)state;
	for (uint64_t run = 1; run <= RUNS; run++) {
		struct thread t = new_thread(run);
		allocate(&t, CALM, 500);
		allocate(&t, BUSY, 5);
		allocate(&t, CALM, 500);
		double error = t.weights - (2 * CALM + BUSY);
		sum += error;
		squares += error * error;
		held += fabs(error) < 1.96 * sqrt(t.variance);
	}
	assert_true(fabs(sum / RUNS) < 4 * sqrt(squares) / RUNS);
	assert_in_range(held, RUNS * 93 / 100, RUNS * 97 / 100);
}

static void a_fast_thread_is_sampled_less_densely(void **state)
{
	(void)state;
	struct thread t = new_thread(1);
	allocate(&t, 1000000, 500);
	assert_int_equal(t.pace.mean, MEAN); /* a sample every 512 us */
	allocate(&t, 1000000, 10);
	t.samples = 0;
	allocate(&t, 10000000, 10);
	assert_in_range(t.samples, 10000000 * 10 / 300000, 10000000 * 10 / 50000);
	assert_true(t.pace.mean > MEAN);
	allocate(&t, 300000, 500);
	assert_int_equal(t.pace.mean, MEAN);
	allocate(&t, 1000000000, 0); /* as if the clock stood still: there is an end to it */
	assert_in_range(t.pace.mean, MEAN, (uint64_t)MEAN << 12);
}

static void a_mean_that_was_asked_for_is_kept(void **state)
{
	(void)state;
	setenv("HAKMEM_SAMPLE_BYTES", "64K", 1);
	hak_options_read();
	struct thread t = new_thread(1);
	allocate(&t, 1000000, 10);
	assert_int_equal(t.pace.mean, 64 << 10);
	setenv("HAKMEM_SAMPLE_BYTES", "many", 1); /* one warning, and the default */
	hak_options_read();
	assert_false(hak_options_is_given(HAK_OPTION_sample_bytes));
	unsetenv("HAKMEM_SAMPLE_BYTES");
	hak_options_read();
}

static int prepare(void **state)
{
	(void)state;
	hak_options_read();
	return hak_options.sample_bytes == MEAN ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chance_is_that_of_poisson),
		cmocka_unit_test(gaps_have_the_mean_of_their_chance),
		cmocka_unit_test(extremes_stay_in_range),
		cmocka_unit_test(weights_stay_unbiased_while_the_mean_changes),
		cmocka_unit_test(a_fast_thread_is_sampled_less_densely),
		cmocka_unit_test(a_mean_that_was_asked_for_is_kept),
	};
	return cmocka_run_group_tests_name("sample", tests, prepare, NULL);
}
