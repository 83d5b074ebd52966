/* SPDX-License-Identifier: MIT */
/*
 * Daemons close all descriptors they might have inherited, LTTng's among them. Its library
 * liblttng-ust-fd, which `hakstat record` preloads, keeps those open when they are closed one by
 * one. The functions of libc that close a whole range go past it, so they are stood in for by
 * closing one by one what is open. Without that library every close closes.
 *
 * Safe in signal handlers and in children of vfork: no memory, no lock of our own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INTERPOSED __attribute__((visibility("default")))

/* -1 when a name is no number, as . and .. are. */
static int descriptor_named(const char *name)
{
	unsigned n = 0;
	for (const char *c = name; *c; c++) {
		if (*c < '0' || *c > '9' || n > INT_MAX / 10 - 1) {
			return -1;
		}
		n = n * 10 + (unsigned)(*c - '0');
	}
	return (int)n;
}

/* Closing changes the folder that is read; what is behind in it stays in its place. */
static void close_listed(int list, const char *entries, long size, unsigned first, unsigned last)
{
	for (long at = 0; at < size;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		int fd = descriptor_named(entry->d_name);
		at += entry->d_reclen;
		if (fd >= 0 && fd != list && (unsigned)fd >= first && (unsigned)fd <= last) {
			close(fd);
		}
	}
}

/* False when the kernel does not say what is open. */
static bool close_each(unsigned first, unsigned last)
{
	_Alignas(struct dirent64) char entries[4096];
	int list = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long size = -1;

	if (list < 0) {
		return false;
	}
	while ((size = syscall(SYS_getdents64, list, entries, sizeof entries)) > 0) {
		close_listed(list, entries, size, first, last);
	}
	syscall(SYS_close, list);
	return size == 0;
}

INTERPOSED int close_range(unsigned fd, unsigned max_fd, int flags)
{
	int saved = errno;
	if (flags == 0 && fd <= max_fd && close_each(fd, max_fd)) {
		errno = saved;
		return 0;
	}
	return (int)syscall(SYS_close_range, fd, max_fd, flags);
}

/* As libc has it: nothing can fail. */
INTERPOSED void closefrom(int lowfd)
{
	close_range(lowfd < 0 ? 0 : (unsigned)lowfd, UINT_MAX, 0);
}
