/* SPDX-License-Identifier: MIT */
/*
 * Text that came from a trace, a path or a user, made safe to show, and numbers made readable.
 * Pure; results are owned by the caller unless they are written to a buffer.
 */
#ifndef HAKSTAT_TEXT_H
#define HAKSTAT_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A copy in valid UTF-8 without control characters: those and stray bytes become \xNN. Free with g_free. */
char *hakstat_text_clean(const char *text);

/*
 * A copy for the terminal. Where a character is a byte "±" becomes "+-", and what else is beyond ASCII "?".
 * Free with g_free.
 */
char *hakstat_text_for_locale(const char *text);

/* The columns that UTF-8 text takes in a terminal: 2 for a wide character, none for a mark on another. */
size_t hakstat_text_width(const char *text);

/*
 * A copy with ends of lines instead of some blanks, so that lines have at most `width` columns where words
 * allow it; all but the first line begin with `indent` blanks. `width` 0: as it is. Free with g_free.
 */
char *hakstat_text_wrap(const char *text, int width, int indent);

/* "1.5 MiB"; below 1024 "17 B". */
void hakstat_text_bytes(char *out, size_t size, uint64_t bytes);

/* The same of a difference: "-1.5 MiB". */
void hakstat_text_change(char *out, size_t size, int64_t bytes);

/* "12,345,678" */
void hakstat_text_count(char *out, size_t size, uint64_t count);

/*
 * Reads "4096", "4K", "4KiB", "2M", "1G" (1 KiB = 1024 B). Returns 0, or -1 when the text is
 * not such a number or does not fit 64 bits.
 */
int hakstat_text_parse_bytes(const char *text, uint64_t *bytes);

/* Reads a decimal number without sign. Returns 0 or -1. */
int hakstat_text_parse_count(const char *text, uint64_t *count);

#endif
