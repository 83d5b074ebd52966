/* SPDX-License-Identifier: MIT */
/*
 * Escaping of foreign text, and numbers to and from what people read and type.
 */
#include "text.h"

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The bytes of the character at `p` that may be shown as they are; 0: this byte must be escaped. */
static size_t printable_length(const char *p)
{
	gunichar c = g_utf8_get_char_validated(p, -1);

	if (c == (gunichar)-1 || c == (gunichar)-2) {
		return 0;
	}
	/* Cf holds the marks that reverse the direction of what a terminal shows. */
	if (g_unichar_iscntrl(c) || g_unichar_type(c) == G_UNICODE_FORMAT ||
	    g_unichar_type(c) == G_UNICODE_LINE_SEPARATOR ||
	    g_unichar_type(c) == G_UNICODE_PARAGRAPH_SEPARATOR) {
		return 0;
	}
	return (size_t)g_unichar_to_utf8(c, NULL);
}

char *hakstat_text_clean(const char *text)
{
	GString *out = g_string_new(NULL);

	while (*text) {
		size_t length = printable_length(text);
		if (length) {
			g_string_append_len(out, text, (gssize)length);
			text += length;
		} else {
			g_string_append_printf(out, "\\x%02x", (unsigned char)*text++);
		}
	}
	return g_string_free(out, FALSE);
}

char *hakstat_text_for_locale(const char *text)
{
	GString *out;

	if (MB_CUR_MAX > 1) {
		return g_strdup(text);
	}
	out = g_string_new(NULL);
	for (; *text; text += g_utf8_skip[(guchar)*text]) {
		if (g_str_has_prefix(text, "±")) {
			g_string_append(out, "+-");
		} else {
			g_string_append_c(out, (guchar)*text < 0x80 ? *text : '?');
		}
	}
	return g_string_free(out, FALSE);
}

static size_t char_width(gunichar c)
{
	return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

size_t hakstat_text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text += g_utf8_skip[(guchar)*text]) {
		width += char_width(g_utf8_get_char(text));
	}
	return width;
}

/* Where the next line begins: behind the last blank that still has its word in front, or behind that word. */
static const char *line_end(const char *text, size_t width)
{
	const char *end = NULL;
	size_t used = 0;

	for (; *text; text += g_utf8_skip[(guchar)*text]) {
		if (*text == ' ' && (used <= width || !end)) {
			end = text;
		}
		used += char_width(g_utf8_get_char(text));
		if (used > width && end) {
			return end;
		}
	}
	return text;
}

char *hakstat_text_wrap(const char *text, int width, int indent)
{
	GString *out = g_string_new(NULL);
	size_t first = strspn(text, " "); /* those are no place for an end of line */

	g_string_append_len(out, text, (gssize)first);
	for (text += first; width > 0; text += strspn(text, " ")) {
		size_t used = out->len == first ? first : (size_t)indent;
		const char *end = line_end(text, (size_t)width > used ? (size_t)width - used : 1);
		g_string_append_len(out, text, end - text);
		text = end;
		if (!text[strspn(text, " ")]) {
			break;
		}
		g_string_append_printf(out, "\n%*s", indent, "");
	}
	g_string_append(out, text);
	return g_string_free(out, FALSE);
}

void hakstat_text_bytes(char *out, size_t size, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1023.95 && unit + 1 < G_N_ELEMENTS(units)) {
		value /= 1024;
		unit++;
	}
	if (unit == 0) {
		g_snprintf(out, size, "%" PRIu64 " B", bytes);
	} else {
		g_snprintf(out, size, "%.1f %s", value, units[unit]);
	}
}

void hakstat_text_change(char *out, size_t size, int64_t bytes)
{
	bool is_negative = bytes < 0 && size > 1;

	if (is_negative) {
		*out = '-';
	}
	hakstat_text_bytes(out + is_negative, size - is_negative,
			   bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes);
}

void hakstat_text_count(char *out, size_t size, uint64_t count)
{
	char digits[32];
	size_t n = (size_t)g_snprintf(digits, sizeof digits, "%" PRIu64, count);
	size_t at = 0;

	for (size_t i = 0; i < n && at + 2 < size; i++) {
		if (i && (n - i) % 3 == 0) {
			out[at++] = ',';
		}
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

/* The power of two that a unit stands for, or -1. */
static int unit_shift(const char *unit)
{
	static const char letters[] = "KMGTPE";
	const char *letter;

	if (*unit == '\0' || g_ascii_strcasecmp(unit, "b") == 0) {
		return 0;
	}
	letter = strchr(letters, g_ascii_toupper(*unit));
	if (!letter || !(unit[1] == '\0' || g_ascii_strcasecmp(unit + 1, "ib") == 0)) {
		return -1;
	}
	return 10 * (int)(letter - letters + 1);
}

static int parse_number(const char *text, uint64_t *value, const char **rest)
{
	char *end;

	if (!g_ascii_isdigit(*text)) {
		return -1;
	}
	errno = 0;
	*value = g_ascii_strtoull(text, &end, 10);
	*rest = end;
	return errno ? -1 : 0;
}

int hakstat_text_parse_bytes(const char *text, uint64_t *bytes)
{
	const char *unit;
	int shift;

	if (parse_number(text, bytes, &unit) != 0) {
		return -1;
	}
	while (*unit == ' ') {
		unit++;
	}
	shift = unit_shift(unit);
	if (shift < 0 || (shift && *bytes >> (64 - shift))) {
		return -1;
	}
	*bytes <<= shift;
	return 0;
}

int hakstat_text_parse_count(const char *text, uint64_t *count)
{
	const char *rest;

	return parse_number(text, count, &rest) == 0 && *rest == '\0' ? 0 : -1;
}
