/* SPDX-License-Identifier: MIT */
/* Warnings and the end of the process. */
#include "panic.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "writer.h"

void (*hak_panic_observer)(const void *ptr, const char *what);

void hak_warn(const char *first, ...)
{
	struct hak_writer w;
	va_list parts;

	hak_writer_to_fd(&w, STDERR_FILENO);
	hak_write_string(&w, "hakmem: ");
	va_start(parts, first);
	for (const char *part = first; part; part = va_arg(parts, const char *)) {
		hak_write_foreign(&w, part);
	}
	va_end(parts);
	hak_write_string(&w, "\n");
	hak_writer_flush(&w);
}

static void report(const char *what, const void *ptr)
{
	struct hak_writer w;

	hak_writer_to_fd(&w, STDERR_FILENO);
	hak_write_string(&w, "hakmem: ");
	hak_write_foreign(&w, program_invocation_short_name ? program_invocation_short_name : "?");
	hak_write_string(&w, "[");
	hak_write_unsigned(&w, (uint64_t)getpid());
	hak_write_string(&w, "]: ");
	hak_write_string(&w, what);
	hak_write_string(&w, ": ");
	hak_write_hex(&w, (uint64_t)(uintptr_t)ptr);
	hak_write_string(&w, "\n");
	hak_writer_flush(&w);
}

void hak_panic(const char *what, const void *ptr)
{
	static atomic_flag is_observed = ATOMIC_FLAG_INIT;

	report(what, ptr); /* first: whatever the observer does, the user has the line */
	if (hak_panic_observer && !atomic_flag_test_and_set(&is_observed)) {
		hak_panic_observer(ptr, what);
	}
	abort();
}
