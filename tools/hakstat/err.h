/* SPDX-License-Identifier: MIT */
/*
 * How a failure travels: functions return a status and fill one `struct hakstat_err`, each
 * caller may add why it matters; main.c prints the chain as one line. Warnings that do not
 * end a command go through hakstat_say. Not thread-safe per object.
 */
#ifndef HAKSTAT_ERR_H
#define HAKSTAT_ERR_H

#include <stddef.h>

/* Exit statuses; the same numbers are what functions return. */
enum hakstat_status {
	HAKSTAT_OK = 0,
	HAKSTAT_GATE = 1,	   /* a budget or gate failed */
	HAKSTAT_USAGE = 2,	   /* usage or environment */
	HAKSTAT_TRACE = 3,	   /* the trace is unreadable or, with --strict, incomplete */
	HAKSTAT_INTERRUPTED = 130, /* by Ctrl-C, with nothing to show */
};

struct hakstat_err {
	int status; /* enum hakstat_status */
	char text[1024];
};

/* Replaces the error. Returns `status`, so that a caller can write `return hakstat_err_set(...)`. */
int hakstat_err_set(struct hakstat_err *err, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "what: " in front of the chain. Returns the error's status. */
int hakstat_err_context(struct hakstat_err *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* One line "hakstat: ..." on stderr; control characters are shown escaped. */
void hakstat_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
