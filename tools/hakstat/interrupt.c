/* SPDX-License-Identifier: MIT */
/*
 * The handler and the progress line.
 */
#include "interrupt.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "text.h"

enum { EVENTS_BETWEEN = 1 << 16, FIRST_AFTER_US = 1000000, AGAIN_AFTER_US = 250000 };

volatile sig_atomic_t hakstat_interrupted;

static struct sigaction former;
static gint64 next_time;
static bool is_shown;

static void on_interrupt(int number)
{
	(void)number;
	hakstat_interrupted = 1;
}

void hakstat_interrupt_watch(void)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, &former);
	next_time = g_get_monotonic_time() + FIRST_AFTER_US;
}

void hakstat_interrupt_unwatch(void)
{
	sigaction(SIGINT, &former, NULL);
}

void hakstat_progress(uint64_t events)
{
	char count[32];
	gint64 now;

	if (events % EVENTS_BETWEEN || !isatty(STDERR_FILENO)) {
		return;
	}
	now = g_get_monotonic_time();
	if (now < next_time) {
		return;
	}
	next_time = now + AGAIN_AFTER_US;
	hakstat_text_count(count, sizeof count, events);
	fprintf(stderr, "\rhakstat: %s events read ", count);
	fflush(stderr);
	is_shown = true;
}

void hakstat_progress_end(void)
{
	if (is_shown) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
		is_shown = false;
	}
}
