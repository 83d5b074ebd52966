/* SPDX-License-Identifier: MIT */
/*
 * The handler and the progress line.
 */
#include "interrupt.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "text.h"

/* One event may be a batch of thousands of operations, so the clock is looked at often. */
enum { EVENTS_BETWEEN = 1 << 8, FIRST_AFTER_US = 1000000, AGAIN_AFTER_US = 250000 };

static volatile sig_atomic_t own; /* where no memory can be shared */
static volatile sig_atomic_t *interrupted = &own;

static struct sigaction former, former_term, former_hangup;
static gint64 next_time;
static bool is_terminal, is_shown;

volatile sig_atomic_t *hakstat_interrupted(void)
{
	return interrupted;
}

static void on_interrupt(int number)
{
	(void)number;
	*interrupted = 1;
}

static void share(void)
{
	void *page = interrupted == &own ? mmap(NULL, sizeof *interrupted, PROT_READ | PROT_WRITE,
						MAP_SHARED | MAP_ANONYMOUS, -1, 0)
					 : MAP_FAILED;

	if (page != MAP_FAILED) {
		interrupted = page;
	}
}

static void watch(int number, struct sigaction *before)
{
	struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART };

	share();
	sigemptyset(&action.sa_mask);
	sigaction(number, NULL, before);
	if (before->sa_handler != SIG_IGN) { /* of what a shell runs in the background */
		sigaction(number, &action, NULL);
	}
}

void hakstat_interrupt_watch(void)
{
	watch(SIGINT, &former);
	is_terminal = isatty(STDERR_FILENO);
	next_time = g_get_monotonic_time() + FIRST_AFTER_US;
}

void hakstat_interrupt_unwatch(void)
{
	sigaction(SIGINT, &former, NULL);
}

void hakstat_interrupt_watch_end(void)
{
	watch(SIGTERM, &former_term);
	watch(SIGHUP, &former_hangup);
}

void hakstat_interrupt_unwatch_end(void)
{
	sigaction(SIGTERM, &former_term, NULL);
	sigaction(SIGHUP, &former_hangup, NULL);
}

void hakstat_progress(uint64_t events)
{
	static unsigned calls;
	char count[32];
	gint64 now;

	if (!is_terminal || ++calls % EVENTS_BETWEEN) {
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
