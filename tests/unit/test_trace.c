/* SPDX-License-Identifier: MIT */
/*
 * The hooks against a truth that the test keeps itself: in full tracing every operation
 * exactly once with the size that was asked for, whatever happens to the block; in sampling
 * weights whose sum is the number of allocations.
 */
#include "alloc.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "hakmem_ops_word.h"
#include "hakmem_trace.h"
#include "options.h"

enum { SLOTS = 4000 };

struct sums {
	_Atomic(uint64_t) allocs, frees, resizes, alloc_bytes, free_bytes, resize_to, resize_from, untraced;
};

static struct sums told, truth;
static _Atomic(unsigned) want_now;
static double weights, variance; /* of the samples, by one thread */
static uint64_t now_ns;		 /* what the samples are told */
static _Atomic(uint64_t) packed; /* operations that came the short way */
static uint64_t sample_resizes;
static struct hak_trace_op resized_from, resized_to;
static uint64_t samples, sample_frees, sample_free_bytes;
static bool hooks_allocate;

static unsigned wanted(void)
{
	return atomic_load(&want_now);
}

/* What a tracer may do in a hook: allocate and free, of any class. */
static void disturb(uint64_t size)
{
	if (hooks_allocate) {
		void *p[40];
		for (unsigned i = 0; i < 40; i++) {
			p[i] = hak_malloc(size);
		}
		for (unsigned i = 0; i < 40; i++) {
			hak_free(p[i]);
		}
	}
}

static void on_alloc(unsigned want, const struct hak_trace_op *op)
{
	(void)want;
	told.allocs++;
	told.alloc_bytes += op->requested;
	disturb(op->requested);
}

static void on_free(unsigned want, const struct hak_trace_op *op)
{
	(void)want;
	told.frees++;
	told.free_bytes += op->requested;
	told.untraced += (op->flags & HAK_OP_UNTRACED) != 0;
	disturb(op->requested);
}

/* The short way; it keeps errno by not touching it. */
static void on_packed(unsigned head, uint64_t key)
{
	const struct hak_trace_op op = {
		.requested = key & HAK_OPS_LONG_MAX,
		.flags = (uint32_t)(key >> HAK_OPS_FLAGS_BIT),
	};
	unsigned class_id = head >> 1;

	packed++;
	assert_in_range(op.requested, 0, hak_class_map.table.classes[class_id].block);
	assert_int_equal(key >> HAK_OPS_REASON_BIT & 7, hak_reason_of_size(op.requested));
	if (head & 1) {
		on_free(HAK_TRACE_OPS, &op);
	} else {
		on_alloc(HAK_TRACE_OPS, &op);
	}
}

static void on_resize(unsigned want, const struct hak_trace_op *op, uint64_t old_requested)
{
	(void)want;
	told.resizes++;
	told.resize_to += op->requested;
	told.resize_from += old_requested;
	told.untraced += (op->flags & HAK_OP_UNTRACED) != 0;
}

static void on_sample_alloc(const struct hak_trace_op *op, struct hak_trace_sample *sample)
{
	assert_int_equal(op->requested, sample->requested);
	sample->time_ns = now_ns;
	weights += sample->weight;
	variance += sample->weight * (sample->weight - 1);
	samples++;
}

static void on_sample_resize(const struct hak_trace_op *op, const struct hak_trace_op *former,
			     const struct hak_trace_sample *sample)
{
	assert_int_equal(op->requested, sample->requested);
	sample_resizes++;
	resized_from = *former;
	resized_to = *op;
}

static void on_sample_free(const struct hak_trace_op *op, const struct hak_trace_sample *sample)
{
	(void)sample;
	sample_frees++;
	sample_free_bytes += op->requested;
}

static void on_change(enum hak_trace_change what, const void *start, uint64_t bytes, uint32_t class_id)
{
	(void)what;
	(void)start;
	(void)bytes;
	if (class_id < hak_class_map.table.count) {
		disturb(hak_class_map.table.classes[class_id].block);
	}
}

static struct hak_trace_ops recorder = {
	.abi = HAK_TRACE_ABI,
	.size = sizeof recorder,
	.wanted = wanted,
	.alloc = on_alloc,
	.free = on_free,
	.resize = on_resize,
	.sample_alloc = on_sample_alloc,
	.sample_resize = on_sample_resize,
	.sample_free = on_sample_free,
	.change = on_change,
};

/* The calling thread looks at what is wanted on a slow path: leads it there. */
static void notice(void)
{
	for (unsigned i = 0; i < 40; i++) {
		hak_free(hak_malloc(1 << 20));
	}
}

static void begin(unsigned want)
{
	atomic_store(&want_now, want);
	assert_int_equal(hak_trace_attach(&recorder), 0);
	notice();
	memset(&told, 0, sizeof told);
	memset(&truth, 0, sizeof truth);
	weights = 0;
	samples = sample_frees = sample_free_bytes = sample_resizes = now_ns = 0;
	variance = 0;
}

static void end(void)
{
	hak_trace_detach();
	atomic_store(&want_now, 0);
	notice();
}

struct held {
	void *p;
	size_t size;
};

static size_t draw(unsigned *seed)
{
	unsigned r = (unsigned)rand_r(seed);
	return r % 64 == 0 ? (size_t)rand_r(seed) % 600000 : (size_t)rand_r(seed) % 3000;
}

static void change_one(struct held *h, unsigned *seed)
{
	size_t size = draw(seed);
	if (!h->p) {
		h->p = rand_r(seed) % 8 ? hak_malloc(size)
					: hak_aligned_alloc((size_t)16 << rand_r(seed) % 10, size);
		h->size = size;
		truth.allocs++;
		truth.alloc_bytes += size;
	} else if (rand_r(seed) % 4) {
		hak_free(h->p);
		truth.frees++;
		truth.free_bytes += h->size;
		h->p = NULL;
	} else {
		/* Told as one resize, or as alloc and free: the sum is the same. */
		size = size ? size : 1;
		h->p = hak_realloc(h->p, size);
		truth.allocs++;
		truth.alloc_bytes += size;
		truth.frees++;
		truth.free_bytes += h->size;
		h->size = size;
	}
}

static void *churn(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument;
	struct held *held = calloc(SLOTS, sizeof *held);
	for (unsigned i = 0; held && i < 20 * SLOTS; i++) {
		change_one(&held[(unsigned)rand_r(&seed) % SLOTS], &seed);
		if (i % (3 * SLOTS) == 0) {
			hak_trim();
		}
	}
	for (unsigned i = 0; held && i < SLOTS; i++) {
		if (held[i].p) {
			truth.frees++;
			truth.free_bytes += held[i].size;
			hak_free(held[i].p);
		}
	}
	free(held);
	return NULL;
}

static void expect_truth(void)
{
	assert_int_equal(told.allocs + told.resizes, truth.allocs);
	assert_int_equal(told.alloc_bytes + told.resize_to, truth.alloc_bytes);
	assert_int_equal(told.frees + told.resizes, truth.frees);
	assert_int_equal(told.free_bytes + told.resize_from, truth.free_bytes);
	assert_int_equal(told.untraced, 0);
}

static void tell_the_truth(void)
{
	for (unsigned want = HAK_TRACE_OPS; want <= HAK_TRACE_EVENTS; want *= 2) {
		for (unsigned with = 0; with < 2; with++) {
			begin(want | (with ? HAK_TRACE_SAMPLE | HAK_TRACE_HEAP : 0));
			churn((void *)(uintptr_t)(7 + want));
			expect_truth();
			end();
		}
	}
}

static void full_tracing_tells_the_truth(void **state)
{
	(void)state;
	tell_the_truth();
	assert_int_equal(packed, 0);
	recorder.packed = on_packed;
	tell_the_truth();
	assert_true(packed > 100000);
}

/* Hooks that allocate use the very stacks that are being filled and emptied around them. */
static void hooks_may_allocate(void **state)
{
	(void)state;
	hooks_allocate = true;
	begin(HAK_TRACE_OPS | HAK_TRACE_HEAP);
	churn((void *)(uintptr_t)99);
	expect_truth();
	end();
	begin(HAK_TRACE_HEAP);
	churn((void *)(uintptr_t)98);
	end();
	hooks_allocate = false;
}

static void *late(void *argument)
{
	notice();
	return churn(argument);
}

static void threads_together_tell_the_truth(void **state)
{
	pthread_t threads[4];
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		begin(HAK_TRACE_OPS);
		uint64_t noise = 40;
		for (unsigned i = 0; i < 4; i++) {
			pthread_create(&threads[i], NULL, late, (void *)(uintptr_t)(i + 1 + round * 4));
		}
		for (unsigned i = 0; i < 4; i++) {
			pthread_join(threads[i], NULL);
			truth.allocs += noise;
			truth.frees += noise;
			truth.alloc_bytes += noise << 20;
			truth.free_bytes += noise << 20;
		}
		expect_truth();
		end();
	}
}

/* What an earlier tracing wrote beside a block says nothing about who has it now. */
static void a_new_tracing_knows_nothing_of_the_old(void **state)
{
	void *blocks[200];
	(void)state;
	begin(HAK_TRACE_OPS);
	for (unsigned i = 0; i < 200; i++) {
		blocks[i] = hak_malloc(100);
	}
	end();
	for (unsigned i = 0; i < 200; i++) {
		hak_free(blocks[i]);
	}
	for (unsigned i = 0; i < 200; i++) {
		blocks[i] = hak_malloc(110);
	}
	begin(HAK_TRACE_OPS);
	for (unsigned i = 0; i < 200; i++) {
		hak_free(blocks[i]);
	}
	assert_int_equal(told.frees, 200);
	assert_int_equal(told.untraced, 200);
	assert_int_equal(told.free_bytes, 200 * 112);
	end();
}

/* The sum of n samples' weights has a relative deviation of about 1 / sqrt(n). */
static void expect_weights(uint64_t allocations)
{
	double error = weights / (double)allocations - 1;
	assert_true(samples > 400);
	assert_true(error * error * (double)samples < 25); /* five deviations */
}

static void allocate_many(size_t alignment, size_t size, unsigned n, unsigned hold)
{
	static void *held[20000];
	for (unsigned i = 0; i < n; i++) {
		hak_free(held[i % hold]);
		held[i % hold] = alignment ? hak_aligned_alloc(alignment, size) : hak_malloc(size);
	}
	for (unsigned i = 0; i < hold; i++) {
		hak_free(held[i]);
		held[i] = NULL;
	}
}

static void samples_weigh_what_was_allocated(void **state)
{
	static const struct {
		size_t alignment, size;
		unsigned n, hold;
	} cases[] = {
		{ 0, 16, 2000000, 64 },	  { 0, 300, 400000, 64 },	{ 0, 5000, 60000, 64 },
		{ 0, 100000, 4000, 64 },  { 0, 400000, 2000, 64 },	{ 4096, 4096, 60000, 64 },
		{ 256, 768, 200000, 64 }, { 1024, 1024, 20000, 20000 }, { 0, 1024, 20000, 20000 },
	};
	(void)state;
	hak_options.sample_bytes = 16384;
	for (unsigned extra = 0; extra <= HAK_TRACE_OPS; extra += HAK_TRACE_OPS) {
		for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
			begin(HAK_TRACE_SAMPLE | extra);
			allocate_many(cases[i].alignment, cases[i].size, cases[i].n, cases[i].hold);
			expect_weights(cases[i].n);
			assert_int_equal(sample_frees, samples);
			assert_int_equal(sample_free_bytes, samples * cases[i].size);
			end();
		}
	}
}

/* 20 ns each is more than a thread is sampled at: two classes in turn, so that both feel it. */
static void a_fast_thread_is_weighed_all_the_same(void **state)
{
	enum { PAIRS = 1000000 };
	(void)state;
	hak_options.sample_bytes = 16384;
	begin(HAK_TRACE_SAMPLE);
	for (unsigned i = 0; i < PAIRS; i++) {
		now_ns += 40;
		hak_free(hak_malloc(300));
		hak_free(hak_malloc(64));
	}
	double error = weights - 2 * PAIRS;
	assert_true(error * error < 25 * variance);
	assert_in_range(samples, 100, PAIRS * 40 / 50000); /* instead of 23,000 */
	end();
}

static void a_moved_large_block_keeps_its_sample(void **state)
{
	/* It moves wherever it lies: the heap is opened for the first size, so there is less than that behind
	 * it. */
	const uint64_t size = (uint64_t)64 << 20, grown = 3 * size;
	(void)state;
	hak_options.sample_bytes = 1; /* every one */
	begin(HAK_TRACE_SAMPLE);
	void *p = hak_malloc(size);
	void *moved = hak_realloc(p, grown);
	assert_int_equal(sample_resizes, 1);
	assert_ptr_not_equal(moved, p);
	assert_ptr_equal(resized_from.ptr, p);
	assert_int_equal(resized_from.requested, size);
	assert_int_equal(resized_from.usable, size);
	assert_ptr_equal(resized_to.ptr, moved);
	assert_int_equal(resized_to.usable, grown);
	hak_free(moved);
	assert_int_equal(samples, 1);
	assert_int_equal(sample_frees, samples);
	assert_int_equal(sample_free_bytes, grown);
	end();
}

static void a_sampled_block_that_stays_tells_its_size(void **state)
{
	(void)state;
	hak_options.sample_bytes = 1;
	begin(HAK_TRACE_SAMPLE);
	void *p = hak_malloc(700);
	assert_ptr_equal(hak_realloc(p, 760), p);
	assert_int_equal(sample_resizes, 1);
	assert_ptr_equal(resized_from.ptr, p);
	assert_int_equal(resized_from.requested, 700);
	assert_int_equal(resized_from.usable, 768);
	assert_int_equal(resized_to.requested, 760);
	assert_int_equal(resized_to.usable, 768);
	hak_free(p);
	assert_int_equal(sample_free_bytes, 760);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_tracing_tells_the_truth),
		cmocka_unit_test(hooks_may_allocate),
		cmocka_unit_test(threads_together_tell_the_truth),
		cmocka_unit_test(a_new_tracing_knows_nothing_of_the_old),
		cmocka_unit_test(samples_weigh_what_was_allocated),
		cmocka_unit_test(a_fast_thread_is_weighed_all_the_same),
		cmocka_unit_test(a_moved_large_block_keeps_its_sample),
		cmocka_unit_test(a_sampled_block_that_stays_tells_its_size),
	};
	hak_init();
	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
