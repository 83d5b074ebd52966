/* SPDX-License-Identifier: MIT */
/*
 * Amounts of memory from files of /proc.
 */
#include "proc.h"

#include <glib.h>
#include <string.h>

#define KIB 1024

uint64_t hakstat_proc_bytes(const char *path, const char *name)
{
	char *text = NULL;
	uint64_t kib = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL)) {
		return 0;
	}
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (g_str_has_prefix(line, name)) {
			kib = g_ascii_strtoull(line + strlen(name), NULL, 10);
			break;
		}
	}
	g_free(text);
	return kib * KIB;
}
