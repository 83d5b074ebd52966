/* SPDX-License-Identifier: MIT */
/*
 * Text without stdio, locale or allocation: numbers, columns and sizes are appended to a
 * small buffer that goes to a file descriptor or a sink when it is full or flushed. Usable
 * before libc has initialised and inside malloc. A hak_writer belongs to one thread.
 */
#ifndef HAK_LIB_WRITER_H
#define HAK_LIB_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

struct hak_writer {
	void (*sink)(void *to, const char *bytes, size_t length);
	void *to;
	size_t length;
	char buffer[1024]; /* one line of a table or of a warning goes out in one write */
};

/* Text for a file descriptor. Failing and short writes are retried or dropped; errno is kept. */
HAK_HIDDEN void hak_writer_to_fd(struct hak_writer *w, int fd);

/* Text for a function of the caller. */
HAK_HIDDEN void hak_writer_to_sink(struct hak_writer *w, void (*sink)(void *, const char *, size_t),
				   void *to);

/* Hands over what is buffered. The last call for every hak_writer. */
HAK_HIDDEN void hak_writer_flush(struct hak_writer *w);

HAK_HIDDEN void hak_write_string(struct hak_writer *w, const char *s);
/* The same with control characters as '?': for what comes from a user. */
HAK_HIDDEN void hak_write_foreign(struct hak_writer *w, const char *s);
/* The same with the five characters of XML as entities. */
HAK_HIDDEN void hak_write_xml(struct hak_writer *w, const char *s);

HAK_HIDDEN void hak_write_unsigned(struct hak_writer *w, uint64_t value);
HAK_HIDDEN void hak_write_signed(struct hak_writer *w, int64_t value);
HAK_HIDDEN void hak_write_hex(struct hak_writer *w, uint64_t value);
/* Bytes without loss: "512K", "2M", "1000". */
HAK_HIDDEN void hak_write_size(struct hak_writer *w, uint64_t bytes);

/* Columns, filled with spaces to `width`; longer content is kept whole. */
HAK_HIDDEN void hak_write_left(struct hak_writer *w, const char *s, size_t width);
HAK_HIDDEN void hak_write_right(struct hak_writer *w, const char *s, size_t width);
HAK_HIDDEN void hak_write_count(struct hak_writer *w, uint64_t value, size_t width);
/* Bytes for people: "1023", "12.3K", "4.0G". */
HAK_HIDDEN void hak_write_bytes(struct hak_writer *w, uint64_t bytes, size_t width);
/* 100 * part / whole with one decimal, "-" when whole is 0. */
HAK_HIDDEN void hak_write_percent(struct hak_writer *w, uint64_t part, uint64_t whole, size_t width);

#endif
