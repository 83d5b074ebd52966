/* SPDX-License-Identifier: MIT */
/*
 * Commands and their options as tables: from one row come parsing, the checks of values,
 * `hakstat help CMD`, `CMD --help` and what shell completion asks for (`--list-options`).
 */
#ifndef HAKSTAT_CLI_H
#define HAKSTAT_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "err.h"

enum hakstat_option_kind {
	HAKSTAT_OPT_FLAG,   /* bool: set to true */
	HAKSTAT_OPT_COUNT,  /* uint64_t, decimal, min..max */
	HAKSTAT_OPT_BYTES,  /* uint64_t, with K, M, G */
	HAKSTAT_OPT_TEXT,   /* const char * */
	HAKSTAT_OPT_TEXTS,  /* GPtrArray * of const char *, for an option that may be given again; NULL: never
			     */
	HAKSTAT_OPT_CHOICE, /* int: index among the words of `argument`, which are parted by | */
};

struct hakstat_option {
	const char *name; /* without the dashes */
	char letter;	  /* 0: no short form */
	enum hakstat_option_kind kind;
	const char *argument; /* what help shows for the value; NULL for a flag */
	size_t offset;	      /* of the value in the command's struct of values */
	uint64_t min, max;    /* COUNT and BYTES; max 0: no limit */
	const char *help;
};

struct hakstat_command {
	const char *name;
	const char *operands; /* for the usage line; NULL: none */
	const char *summary;  /* one line */
	const char *details;  /* paragraphs for help; may be NULL */
	const struct hakstat_option *options;
	size_t option_count;
	/* argv[0] is the command's name. Returns the exit status; a failure is in `err`. */
	int (*run)(int argc, char **argv, struct hakstat_err *err);
};

enum { HAKSTAT_CLI_DONE = -1 }; /* help was asked for and printed */

/*
 * Fills `values` (which holds the defaults) from argv. Returns 0 and the index of the first
 * operand, HAKSTAT_CLI_DONE, or HAKSTAT_USAGE with `err` set.
 */
int hakstat_cli_parse(const struct hakstat_command *command, int argc, char **argv, void *values,
		      int *first_operand, struct hakstat_err *err);

/* An operand that names a process. 0, or HAKSTAT_USAGE with `err` set. */
int hakstat_cli_pid(const struct hakstat_command *command, const char *text, pid_t *pid,
		    struct hakstat_err *err);

/* A row of help: a head and, from `column` on, a text over as many lines as it needs. */
void hakstat_cli_put_row(const char *head, const char *text, int column, FILE *out);

/* What `hakstat help CMD` prints. */
void hakstat_cli_help(const struct hakstat_command *command, FILE *out);

#endif
