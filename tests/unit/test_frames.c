/* SPDX-License-Identifier: MIT */
/* The walk by frame pointers: right where they are right, and harmless where they are not. */
#include "frames.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
/* cmocka wants these first. */
#include <cmocka.h>

#include "thread.h"

enum { WORDS = 64, MOST = 16 };

static uintptr_t stack[WORDS]; /* stands for one; the deeper, the lower */
static void *found[MOST];

static uintptr_t at(unsigned word)
{
	return (uintptr_t)&stack[word];
}

static void frame(unsigned word, uintptr_t next, uintptr_t address)
{
	stack[word] = next;
	stack[word + 1] = address;
}

static unsigned follow(uintptr_t first)
{
	return hak_frames_follow(first, at(0), at(WORDS), found, MOST);
}

static void right_frames_are_followed_to_the_end(void **state)
{
	(void)state;
	frame(2, at(10), 101);
	frame(10, at(11), 102); /* overlapping, as in a damaged one, is still harmless */
	frame(11, at(62), 103);
	frame(62, 0, 104);
	assert_int_equal(follow(at(2)), 4);
	assert_ptr_equal(found[0], 101);
	assert_ptr_equal(found[3], 104);
}

static void a_broken_frame_ends_the_walk(void **state)
{
	const uintptr_t broken[] = {
		0,	    1,	    at(2),	   at(1),	  at(20) + 1,
		at(WORDS),  at(63), (uintptr_t)-1, (uintptr_t)-8, at(0) - 8,
		0xdead0000,
	};
	(void)state;
	for (unsigned i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		frame(2, broken[i], 101);
		assert_int_equal(follow(at(2)), 1);
		assert_int_equal(follow(broken[i]), broken[i] == at(2) ? 1 : broken[i] == at(1) ? 1 : 0);
	}
	frame(2, at(10), 0);
	assert_int_equal(follow(at(2)), 0);
}

static void no_more_than_asked_for(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 31; i++) {
		frame(2 * i, at(2 * i + 2), 100 + i);
	}
	assert_int_equal(follow(at(0)), MOST);
	assert_int_equal(hak_frames_follow(at(0), at(0), at(WORDS), found, 3), 3);
}

static void any_words_are_harmless(void **state)
{
	(void)state;
	srand(3);
	for (unsigned round = 0; round < 200000; round++) {
		for (unsigned i = 0; i < 8; i++) {
			unsigned word = (unsigned)rand() % WORDS;
			stack[word] =
				rand() % 3 ? at((unsigned)rand() % WORDS) : (uintptr_t)rand() << rand() % 33;
		}
		assert_in_range(follow(at((unsigned)rand() % WORDS)), 0, MOST);
	}
}

static __attribute__((noinline)) unsigned inner(void)
{
	unsigned n = hak_frames_walk(found, MOST);
	__asm__ volatile("" : : : "memory");
	return n;
}

/* This file may be compiled without frame pointers; the walker's own caller is known all the same. */
static void the_stack_of_this_thread_is_known(void **state)
{
	(void)state;
	assert_true(inner() >= 1);
	assert_true(hak_tracer_thread.stack_low < (uintptr_t)&state &&
		    (uintptr_t)&state < hak_tracer_thread.stack_high);
	hak_tracer_thread.stack_high = hak_tracer_thread.stack_low; /* as on a stack of somebody else */
	assert_int_equal(inner(), 0);
	hak_tracer_thread.knows_stack = false;
}

/* A walk that comes from inside that question must not ask it. */
static void libc_is_not_asked_while_it_is_asked(void **state)
{
	pthread_attr_t attributes;
	(void)state;
	hak_tracer_thread.is_asking = true;
	assert_int_equal(inner(), 0);
	assert_false(hak_tracer_thread.knows_stack);
	hak_tracer_thread.is_asking = false;
	assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
	pthread_attr_destroy(&attributes);
	assert_false(hak_tracer_thread.is_asking);
	assert_true(inner() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_frames_are_followed_to_the_end),
		cmocka_unit_test(a_broken_frame_ends_the_walk),
		cmocka_unit_test(no_more_than_asked_for),
		cmocka_unit_test(any_words_are_harmless),
		cmocka_unit_test(the_stack_of_this_thread_is_known),
		cmocka_unit_test(libc_is_not_asked_while_it_is_asked),
	};

	return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
