/* SPDX-License-Identifier: MIT */
/* Warnings and the end of the process. */
#include "panic.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "text.h"

void (*hak_panic_observer)(const void *ptr, const char *what);

void hak_warn(const char *first, ...)
{
	struct hak_text t;
	va_list parts;

	hak_text_to_fd(&t, STDERR_FILENO);
	hak_text_string(&t, "hakmem: ");
	va_start(parts, first);
	for (const char *part = first; part; part = va_arg(parts, const char *)) {
		hak_text_foreign(&t, part);
	}
	va_end(parts);
	hak_text_string(&t, "\n");
	hak_text_flush(&t);
}

static void report(const char *what, const void *ptr)
{
	struct hak_text t;

	hak_text_to_fd(&t, STDERR_FILENO);
	hak_text_string(&t, "hakmem: ");
	hak_text_foreign(&t, program_invocation_short_name ? program_invocation_short_name : "?");
	hak_text_string(&t, "[");
	hak_text_unsigned(&t, (uint64_t)getpid());
	hak_text_string(&t, "]: ");
	hak_text_string(&t, what);
	hak_text_string(&t, ": ");
	hak_text_hex(&t, (uint64_t)(uintptr_t)ptr);
	hak_text_string(&t, "\n");
	hak_text_flush(&t);
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
