/* SPDX-License-Identifier: MIT */
/* Sampled blocks as they come, change and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "samples.h"

enum { CLASS = 8, BLOCK = 8192 };

static struct hakstat_event_op op(uint64_t ptr, uint64_t requested)
{
	static const uint64_t stack[] = { 0x401000 };

	return (struct hakstat_event_op) {
		.ptr = ptr,
		.old_ptr = ptr,
		.requested = requested,
		.usable = BLOCK,
		.class_id = CLASS,
		.weight = 2,
		.stack_id = 7,
		.depth = 1,
		.stack = stack,
	};
}

static void alloc(struct hakstat_samples *s, uint64_t ptr, uint64_t requested)
{
	struct hakstat_event_op o = op(ptr, requested);

	hakstat_samples_alloc(s, &o);
}

static void resize(struct hakstat_samples *s, uint64_t from, uint64_t ptr, uint64_t requested)
{
	struct hakstat_event_op o = op(ptr, requested);

	o.old_ptr = from;
	hakstat_samples_resize(s, &o);
}

static void release(struct hakstat_samples *s, uint64_t ptr)
{
	struct hakstat_event_op o = op(ptr, 0);

	hakstat_samples_free(s, &o);
}

static void expect_live(const struct hakstat_samples *s, uint64_t size, unsigned samples, double requested)
{
	const struct hakstat_size_sums *sums = hakstat_samples_of_size(s, CLASS, hakstat_bucket_of(size));
	const struct hakstat_class_tally *tally = s->tally.classes[CLASS];

	assert_int_equal(sums->live.samples, samples);
	assert_true(sums->live.requested >= requested && sums->live.requested <= requested);
	assert_int_equal(tally->buckets[hakstat_bucket_of(size) - tally->base].live,
			 2 * samples * HAKSTAT_WEIGHT_ONE);
}

/* What is live is what was asked for last; what was allocated stays. */
static void a_resized_sample_is_live_as_it_is_now(void **state)
{
	struct hakstat_samples s;
	(void)state;

	hakstat_samples_init(&s);
	alloc(&s, 0x1000, 1024);
	alloc(&s, 0x2000, 1024);
	alloc(&s, 0x3000, 1024);
	resize(&s, 0x1000, 0x1000, 3000);
	resize(&s, 0x2000, 0x5000, 3000); /* its pages were moved */
	resize(&s, 0x9000, 0x9000, 3000); /* older than the trace */
	expect_live(&s, 1024, 1, 2 * 1024);
	expect_live(&s, 3000, 2, 2 * 2 * 3000);
	release(&s, 0x2000); /* nothing is there any more */
	release(&s, 0x5000);
	expect_live(&s, 3000, 1, 2 * 3000);
	assert_int_equal(s.classes[CLASS].samples, 3);
	assert_int_equal((uint64_t)s.classes[CLASS].requested, 2 * 3 * 1024);
	assert_int_equal((uint64_t)s.live_classes[CLASS].requested, 2 * (3000 + 1024));
	release(&s, 0x1000);
	release(&s, 0x3000);
	expect_live(&s, 1024, 0, 0);
	assert_int_equal(s.live_classes[CLASS].samples, 0);
	assert_int_equal(s.tally.live_bytes, 0);
	hakstat_samples_clear(&s);
}

/* A block that comes where another one was moved to: the free of that was lost. */
static void pages_moved_onto_a_sample_end_it(void **state)
{
	struct hakstat_samples s;
	(void)state;

	hakstat_samples_init(&s);
	alloc(&s, 0x1000, 1024);
	alloc(&s, 0x2000, 3000);
	resize(&s, 0x1000, 0x2000, 2000);
	expect_live(&s, 1024, 0, 0);
	expect_live(&s, 3000, 0, 0);
	expect_live(&s, 2000, 1, 2 * 2000);
	hakstat_samples_clear(&s);
}

/* Two live samples in two snapshots a second apart, one of them gone between: a trapezoid and a half. */
static void what_errs_adds_up_over_snapshots(void **state)
{
	const int64_t second = 1000000000;
	struct hakstat_samples s;
	struct hakstat_sample_sums areas;
	(void)state;

	hakstat_samples_init(&s);
	alloc(&s, 0x1000, 1000);
	alloc(&s, 0x2000, 3000);
	hakstat_samples_pass(&s, CLASS, second, (uint64_t)4 * BLOCK);
	release(&s, 0x2000);
	hakstat_samples_pass(&s, CLASS, 2 * second, (uint64_t)2 * BLOCK);
	areas = hakstat_samples_areas(&s, CLASS);
	assert_int_equal(areas.samples, 2);
	/* -1000 and 1000 from the mean, for half a second; alone there is nothing to differ from. */
	assert_int_equal((int64_t)(areas.v_requested2 / 1e18), 2 * 2 * 500 * 500);
	assert_int_equal((int64_t)areas.usable, 2 * second + 2 * second / 2);
	hakstat_samples_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_resized_sample_is_live_as_it_is_now),
		cmocka_unit_test(pages_moved_onto_a_sample_end_it),
		cmocka_unit_test(what_errs_adds_up_over_snapshots),
	};

	return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
