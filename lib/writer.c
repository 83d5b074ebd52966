/* SPDX-License-Identifier: MIT */
/* The buffer, its sinks and the formats. */
#include "writer.h"

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

void hak_writer_to_sink(struct hak_writer *w, void (*sink)(void *, const char *, size_t), void *to)
{
	w->sink = sink;
	w->to = to;
	w->length = 0;
}

void hak_writer_to_fd(struct hak_writer *w, int fd)
{
	hak_writer_to_sink(w, write_fd, (void *)(intptr_t)fd);
}

void hak_writer_flush(struct hak_writer *w)
{
	if (w->length) {
		w->sink(w->to, w->buffer, w->length);
		w->length = 0;
	}
}

static void put(struct hak_writer *w, char c)
{
	if (w->length == sizeof w->buffer) {
		hak_writer_flush(w);
	}
	w->buffer[w->length++] = c;
}

void hak_write_string(struct hak_writer *w, const char *s)
{
	while (*s) {
		put(w, *s++);
	}
}

void hak_write_foreign(struct hak_writer *w, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		put(w, (char)(c < 0x20 || c == 0x7f ? '?' : *s));
	}
}

void hak_write_xml(struct hak_writer *w, const char *s)
{
	static const char *const entities[] = {
		['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&apos;",
	};
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c < sizeof entities / sizeof entities[0] && entities[c]) {
			hak_write_string(w, entities[c]);
		} else {
			put(w, *s);
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

void hak_write_unsigned(struct hak_writer *w, uint64_t value)
{
	char digits[DIGITS];
	hak_write_string(w, digits_of(digits, value, 10));
}

void hak_write_signed(struct hak_writer *w, int64_t value)
{
	if (value < 0) {
		put(w, '-');
	}
	hak_write_unsigned(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void hak_write_hex(struct hak_writer *w, uint64_t value)
{
	char digits[DIGITS];
	hak_write_string(w, "0x");
	hak_write_string(w, digits_of(digits, value, 16));
}

void hak_write_size(struct hak_writer *w, uint64_t bytes)
{
	static const char suffixes[] = "KMG";
	unsigned unit = 0;
	while (bytes && bytes % 1024 == 0 && unit < sizeof suffixes - 1) {
		bytes /= 1024;
		unit++;
	}
	hak_write_unsigned(w, bytes);
	if (unit) {
		put(w, suffixes[unit - 1]);
	}
}

static void spaces(struct hak_writer *w, size_t used, size_t width)
{
	for (; used < width; used++) {
		put(w, ' ');
	}
}

void hak_write_left(struct hak_writer *w, const char *s, size_t width)
{
	hak_write_string(w, s);
	spaces(w, strlen(s), width);
}

void hak_write_right(struct hak_writer *w, const char *s, size_t width)
{
	spaces(w, strlen(s), width);
	hak_write_string(w, s);
}

void hak_write_count(struct hak_writer *w, uint64_t value, size_t width)
{
	char digits[DIGITS];
	hak_write_right(w, digits_of(digits, value, 10), width);
}

/* `tenths` as a number with one decimal and an optional unit (0: none). */
static void tenths_right(struct hak_writer *w, uint64_t tenths, char unit, size_t width)
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
	hak_write_right(w, number, width);
}

void hak_write_bytes(struct hak_writer *w, uint64_t bytes, size_t width)
{
	static const char suffixes[] = "KMGTPE";
	unsigned shift = 10;
	unsigned unit = 0;
	if (bytes < 1024) {
		hak_write_count(w, bytes, width);
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
	tenths_right(w, tenths, suffixes[unit], width);
}

void hak_write_percent(struct hak_writer *w, uint64_t part, uint64_t whole, size_t width)
{
	if (whole == 0) {
		hak_write_right(w, "-", width);
		return;
	}
	while (whole > UINT64_MAX / 2048) { /* keeps part * 1000 within 64 bits */
		whole >>= 1;
		part >>= 1;
	}
	tenths_right(w, (part * 1000 + whole / 2) / whole, 0, width);
}
