/* SPDX-License-Identifier: MIT */
/*
 * Writing to a descriptor that may take less than it is given.
 */
#ifndef HAKSTAT_WRITE_ALL_H
#define HAKSTAT_WRITE_ALL_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* 0, or -1 and errno: then some of it may have been written. */
static inline int hakstat_write_all(int to, const void *data, size_t length)
{
	const char *at = data;

	while (length) {
		ssize_t written = write(to, at, length);
		if (written < 0 && errno != EINTR) {
			return -1;
		}
		at += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	return 0;
}

#endif
