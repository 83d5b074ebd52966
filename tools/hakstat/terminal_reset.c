/* SPDX-License-Identifier: MIT */
/*
 * The bytes that reset the terminal are looked up beforehand: a handler may hardly do anything. Apart
 * from the drawing because term.h defines macros such as `lines`.
 */
#include "terminal_reset.h"

#include <curses.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

static const int crashes[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };

static struct termios modes;
static char bytes[128];
static size_t length;

static void on_crash(int number)
{
	if (write(STDOUT_FILENO, bytes, length) >= 0) {
		tcsetattr(STDIN_FILENO, TCSANOW, &modes);
	}
	signal(number, SIG_DFL);
	raise(number);
}

void hakstat_terminal_reset_note(void)
{
	tcgetattr(STDIN_FILENO, &modes);
}

void hakstat_terminal_reset_arm(void)
{
	static const char *const names[] = { "sgr0", "rmkx", "cnorm", "rmcup" };

	length = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const char *text = tigetstr(names[i]);
		if (text && text != (const char *)-1) {
			g_strlcpy(bytes + length, text, sizeof bytes - length);
			length = strlen(bytes);
		}
	}
	for (size_t i = 0; i < G_N_ELEMENTS(crashes); i++) {
		signal(crashes[i], on_crash);
	}
}

void hakstat_terminal_reset_disarm(void)
{
	for (size_t i = 0; i < G_N_ELEMENTS(crashes); i++) {
		signal(crashes[i], SIG_DFL);
	}
}
