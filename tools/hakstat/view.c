/* SPDX-License-Identifier: MIT */
/*
 * Terminals and files.
 */
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output_file.h"
#include "text.h"

enum { TERMINAL_MIN = 40, TERMINAL_MAX = 10000 };

/* As usual, COLUMNS is believed before the terminal is asked. */
static int terminal_width(FILE *out)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t wanted;

	if (columns && hakstat_text_parse_count(columns, &wanted) == 0 && wanted) {
		return (int)CLAMP(wanted, TERMINAL_MIN, TERMINAL_MAX);
	}
	if (!isatty(fileno(out)) || ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
		return 0;
	}
	return size.ws_col < TERMINAL_MIN ? TERMINAL_MIN : size.ws_col;
}

static bool wants_colours(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

void hakstat_view_fit(struct hakstat_view *view, FILE *out)
{
	view->colours = wants_colours(out);
	view->width = terminal_width(out);
}

static int cannot_write(const char *path, struct hakstat_err *err)
{
	return hakstat_err_set(err, HAKSTAT_USAGE, "%s: cannot be written: %s",
			       path ? path : "standard output", strerror(errno));
}

int hakstat_write_to(const char *path, int (*write)(void *data, FILE *out), void *data,
		     struct hakstat_err *err)
{
	FILE *out = path ? hakstat_output_file_open(path, err) : stdout;
	int status = 0;

	if (!out) {
		return err->status;
	}
	if (write(data, out) != 0 || fflush(out) != 0 || ferror(out)) {
		status = cannot_write(path, err);
	}
	if (path && fclose(out) != 0 && status == 0) {
		status = cannot_write(path, err);
	}
	return status;
}
