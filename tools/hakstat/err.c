/* SPDX-License-Identifier: MIT */
/*
 * The error chain and the one function that writes a message to stderr.
 */
#include "err.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>

#include "text.h"

int hakstat_err_set(struct hakstat_err *err, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	err->status = status;
	return status;
}

int hakstat_err_context(struct hakstat_err *err, const char *format, ...)
{
	char what[sizeof err->text];
	char cause[sizeof err->text];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	g_strlcpy(cause, err->text, sizeof cause);
	g_snprintf(err->text, sizeof err->text, "%s: %s", what, cause);
	return err->status;
}

void hakstat_say(const char *format, ...)
{
	va_list args;
	char *text, *clean;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	clean = hakstat_text_clean(text);
	fprintf(stderr, "hakstat: %s\n", clean);
	g_free(clean);
	g_free(text);
}
