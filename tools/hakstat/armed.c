/* SPDX-License-Identifier: MIT */
/*
 * /proc tells which processes have the tracer loaded. That needs no session daemon: LTTng's
 * part in such a process waits for one.
 */
#include "armed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "text.h"

#define TRACER "libhakmem-tracer.so"

static char *proc_file(pid_t pid, const char *name, gsize *length)
{
	char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
	char *text = NULL;

	g_file_get_contents(path, &text, length, NULL);
	g_free(path);
	return text;
}

/* 1 armed, 0 not, -1 when its maps cannot be read. */
static int is_armed(pid_t pid)
{
	gsize length = 0;
	char *maps = proc_file(pid, "maps", &length);
	int answer = maps ? strstr(maps, "/" TRACER) != NULL : -1;

	g_free(maps);
	return answer;
}

static bool exists(pid_t pid)
{
	char *path = g_strdup_printf("/proc/%d", (int)pid);
	bool is_there = g_file_test(path, G_FILE_TEST_IS_DIR);

	g_free(path);
	return is_there;
}

int hakstat_armed_check(pid_t pid, struct hakstat_err *err)
{
	if (!exists(pid)) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "there is no process %d", (int)pid);
	}
	switch (is_armed(pid)) {
	case 1:
		return 0;
	case 0:
		return hakstat_err_set(
			err, HAKSTAT_USAGE,
			"process %d does not have the tracer loaded; start it with HAKMEM_TRACE=1 and "
			"libhakmem.so preloaded ('hakstat ps' lists those that have it)",
			(int)pid);
	default:
		return hakstat_err_set(err, HAKSTAT_USAGE, "process %d is not yours to look into", (int)pid);
	}
}

static gint compare_pids(gconstpointer a, gconstpointer b)
{
	const pid_t *left = a;
	const pid_t *right = b;

	return *left < *right ? -1 : *left > *right;
}

GArray *hakstat_armed_list(void)
{
	GArray *pids = g_array_new(FALSE, FALSE, sizeof(pid_t));
	GDir *processes = g_dir_open("/proc", 0, NULL);
	const char *name;

	while (processes && (name = g_dir_read_name(processes))) {
		uint64_t number;
		pid_t pid;

		if (hakstat_text_parse_count(name, &number) == 0) {
			pid = (pid_t)number;
			if (is_armed(pid) == 1) {
				g_array_append_val(pids, pid);
			}
		}
	}
	if (processes) {
		g_dir_close(processes);
	}
	g_array_sort(pids, compare_pids);
	return pids;
}

char *hakstat_armed_command(pid_t pid)
{
	gsize length = 0;
	char *text = proc_file(pid, "cmdline", &length);
	char *clean;

	/* The words end with a NUL each. */
	for (gsize i = 0; text && i + 1 < length; i++) {
		if (text[i] == '\0') {
			text[i] = ' ';
		}
	}
	clean = hakstat_text_clean(text ? text : "");
	g_free(text);
	return clean;
}
