/* SPDX-License-Identifier: MIT */
/* The monotonic clock, which LTTng's timestamps follow as well. Async-signal-safe. */
#ifndef HAK_TRACER_CLOCK_H
#define HAK_TRACER_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t hak_clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t hak_clock_ms(void)
{
	return hak_clock_ns() / 1000000;
}

/* The time in so many milliseconds. */
static inline struct timespec hak_clock_in_ms(int64_t ms)
{
	int64_t at = hak_clock_ns() + ms * 1000000;
	return (struct timespec) { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };
}

#endif
