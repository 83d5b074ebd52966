/* SPDX-License-Identifier: MIT */
/* The buffer, its sinks and the formats. */
#include "text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 24 }; /* of a 64-bit number with sign and end */

static void write_fd(void *to, const char *bytes, size_t length)
{
	int saved = errno;
	int fd = (int)(intptr_t)to;
	while (length) {
		ssize_t n = write(fd, bytes, length);
		if (n < 0 && errno != EINTR) {
			break; /* nobody to tell */
		}
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	errno = saved;
}

void hak_text_to_sink(struct hak_text *t, void (*sink)(void *, const char *, size_t), void *to)
{
	t->sink = sink;
	t->to = to;
	t->length = 0;
}

void hak_text_to_fd(struct hak_text *t, int fd)
{
	hak_text_to_sink(t, write_fd, (void *)(intptr_t)fd);
}

void hak_text_flush(struct hak_text *t)
{
	if (t->length) {
		t->sink(t->to, t->buffer, t->length);
		t->length = 0;
	}
}

static void put(struct hak_text *t, char c)
{
	if (t->length == sizeof t->buffer) {
		hak_text_flush(t);
	}
	t->buffer[t->length++] = c;
}

void hak_text_string(struct hak_text *t, const char *s)
{
	while (*s) {
		put(t, *s++);
	}
}

void hak_text_foreign(struct hak_text *t, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		put(t, c < 0x20 || c == 0x7f ? '?' : *s);
	}
}

void hak_text_xml(struct hak_text *t, const char *s)
{
	static const char *const entities[] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&apos;",
	};
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < sizeof entities / sizeof entities[0] && entities[c]) {
			hak_text_string(t, entities[c]);
		} else {
			put(t, *s);
		}
	}
}

/* Writes the number at the end of `out` and returns where it begins. */
static char *digits_of(char out[DIGITS], uint64_t value, unsigned base)
{
	char *at = out + DIGITS - 1;
	*at = '\0';
	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	return at;
}

void hak_text_unsigned(struct hak_text *t, uint64_t value)
{
	char digits[DIGITS];
	hak_text_string(t, digits_of(digits, value, 10));
}

void hak_text_signed(struct hak_text *t, int64_t value)
{
	if (value < 0) {
		put(t, '-');
	}
	hak_text_unsigned(t, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void hak_text_hex(struct hak_text *t, uint64_t value)
{
	char digits[DIGITS];
	hak_text_string(t, "0x");
	hak_text_string(t, digits_of(digits, value, 16));
}

void hak_text_size(struct hak_text *t, uint64_t bytes)
{
	static const char suffixes[] = "KMG";
	unsigned unit = 0;
	while (bytes && bytes % 1024 == 0 && unit < sizeof suffixes - 1) {
		bytes /= 1024;
		unit++;
	}
	hak_text_unsigned(t, bytes);
	if (unit) {
		put(t, suffixes[unit - 1]);
	}
}

static void spaces(struct hak_text *t, size_t used, size_t width)
{
	for (; used < width; used++) {
		put(t, ' ');
	}
}

void hak_text_left(struct hak_text *t, const char *s, size_t width)
{
	hak_text_string(t, s);
	spaces(t, strlen(s), width);
}

void hak_text_right(struct hak_text *t, const char *s, size_t width)
{
	spaces(t, strlen(s), width);
	hak_text_string(t, s);
}

void hak_text_count(struct hak_text *t, uint64_t value, size_t width)
{
	char digits[DIGITS];
	hak_text_right(t, digits_of(digits, value, 10), width);
}

/* `tenths` as a number with one decimal and an optional unit (0: none). */
static void tenths_right(struct hak_text *t, uint64_t tenths, char unit, size_t width)
{
	char number[DIGITS + 3];
	char digits[DIGITS];
	char *whole = digits_of(digits, tenths / 10, 10);
	size_t n = strlen(whole);
	memcpy(number, whole, n);
	number[n++] = '.';
	number[n++] = (char)('0' + tenths % 10);
	if (unit) {
		number[n++] = unit;
	}
	number[n] = '\0';
	hak_text_right(t, number, width);
}

void hak_text_bytes(struct hak_text *t, uint64_t bytes, size_t width)
{
	static const char suffixes[] = "KMGTPE";
	unsigned shift = 10;
	unsigned unit = 0;
	if (bytes < 1024) {
		hak_text_count(t, bytes, width);
		return;
	}
	uint64_t tenths;
	for (;;) {
		uint64_t rest = (bytes >> (shift - 10)) & 1023;
		tenths = (bytes >> shift) * 10 + (rest * 10 + 512) / 1024;
		if (tenths < 10240) { /* else "1024.0K" */
			break;
		}
		shift += 10;
		unit++;
	}
	tenths_right(t, tenths, suffixes[unit], width);
}

void hak_text_percent(struct hak_text *t, uint64_t part, uint64_t whole, size_t width)
{
	if (whole == 0) {
		hak_text_right(t, "-", width);
		return;
	}
	while (whole > UINT64_MAX / 2048) { /* keeps part * 1000 within 64 bits */
		whole >>= 1;
		part >>= 1;
	}
	tenths_right(t, (part * 1000 + whole / 2) / whole, 0, width);
}
