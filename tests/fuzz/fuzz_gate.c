/* SPDX-License-Identifier: MIT */
/* Input: a budget file, each line of which is also tried as --fail-on. */
#include <glib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bytes.h"
#include "gate.h"

/* What a command does with its gates. Returns its status. */
static int check_all(const struct hakstat_gates *gates, const struct hakstat_report *report,
		     const struct hakstat_report *base, struct hakstat_err *err)
{
	GPtrArray *conditions = hakstat_gates_load(gates, err);
	GPtrArray *outcomes;
	int status;

	if (!conditions) {
		return err->status;
	}
	outcomes = hakstat_gates_judge(conditions, gates->allow_lost, report, base);
	status = hakstat_gates_say(outcomes, err);
	g_ptr_array_unref(outcomes);
	g_ptr_array_unref(conditions);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hakstat_report *make_report(uint64_t allocs)
{
	struct hakstat_summary *s = hakstat_summary_new();
	struct hakstat_row *row = hakstat_summary_row(s, HAKSTAT_BY_CLASS, "7:C7:1024", NULL);

	row->class_name = g_strdup("C7");
	row->block = 1024;
	row->n.allocs = allocs;
	row->n.usable_bytes = 1024 * allocs;
	row->n.requested_bytes = 1000 * allocs;
	row = hakstat_summary_row(s, HAKSTAT_BY_ROUTE, "0:0", NULL);
	row->n.allocs = allocs;
	s->partial = allocs & 1;
	return hakstat_report_new(s);
}

static void check_line(const char *line, const struct hakstat_report *report,
		       const struct hakstat_report *base)
{
	struct hakstat_err err = { 0 };
	struct hakstat_gate gate;
	double found;

	if (hakstat_gate_parse(line, &gate, &err) == 0) {
		expect(gate.column && gate.column->get && gate.op[0]);
		hakstat_gate_check(&gate, report, base, &found);
		hakstat_gate_check(&gate, report, NULL, &found);
		hakstat_gate_clear(&gate);
	} else {
		expect(err.status == HAKSTAT_USAGE && err.text[0]);
	}
}

static void check_lines(const char *text, const struct hakstat_report *report,
			const struct hakstat_report *base)
{
	char **lines = g_strsplit(text, "\n", -1);

	for (guint i = 0; lines[i]; i++) {
		check_line(lines[i], report, base);
	}
	g_strfreev(lines);
}

/* The path of an unnamed file that holds the input. */
static int put_file(const uint8_t *data, size_t size, char path[64])
{
	int fd = memfd_create("budget", MFD_CLOEXEC);

	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	g_snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hakstat_report *report = make_report(7 + size % 2);
	struct hakstat_report *base = make_report(6);
	char *text = g_strndup((const char *)data, size);
	char path[64];
	struct hakstat_gates gates = { .budget = path, .allow_lost = size & 4 };
	struct hakstat_err err = { 0 };
	int fd = put_file(data, size, path);
	int status = check_all(&gates, report, base, &err);

	expect(status == 0 || (err.status == status && err.text[0]));
	check_lines(text, report, base);
	close(fd);
	g_free(text);
	hakstat_report_free(report);
	hakstat_report_free(base);
	return 0;
}
