/* SPDX-License-Identifier: MIT */
/*
 * Options from tables: getopt_long does the reading, the rows say what is allowed.
 */
#include "cli.h"

#include <getopt.h>
#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "text.h"

enum { CODE_BASE = 256, CODE_HELP = 1000, CODE_LIST = 1001 };
enum { HELP_WIDTH = 80, HELP_COLUMN = 31 };

static void build_tables(const struct hakstat_command *command, GArray *longs, GString *shorts)
{
	struct option row = { "help", no_argument, NULL, CODE_HELP };

	g_string_assign(shorts, "+:h");
	g_array_append_val(longs, row);
	row = (struct option) { "list-options", no_argument, NULL, CODE_LIST };
	g_array_append_val(longs, row);
	for (size_t i = 0; i < command->option_count; i++) {
		const struct hakstat_option *o = &command->options[i];
		int has = o->kind == HAKSTAT_OPT_FLAG ? no_argument : required_argument;
		row = (struct option) { o->name, has, NULL, CODE_BASE + (int)i };
		g_array_append_val(longs, row);
		if (o->letter) {
			g_string_append_printf(shorts, "%c%s", o->letter, has ? ":" : "");
		}
	}
}

/* The index of `word` among words parted by |, or -1. */
static int choice_index(const char *choices, const char *word)
{
	char **words = g_strsplit(choices, "|", -1);
	int found = -1;

	for (int i = 0; words[i] && found < 0; i++) {
		if (strcmp(words[i], word) == 0) {
			found = i;
		}
	}
	g_strfreev(words);
	return found;
}

static int bad_value(const struct hakstat_option *o, const char *text, struct hakstat_err *err)
{
	char range[64] = "";

	if (o->kind == HAKSTAT_OPT_CHOICE) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "--%s %s: choose one of %s", o->name, text,
				       o->argument);
	}
	if (o->max) {
		g_snprintf(range, sizeof range, " from %" PRIu64 " to %" PRIu64, o->min, o->max);
	} else if (o->min) {
		g_snprintf(range, sizeof range, " of at least %" PRIu64, o->min);
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "--%s %s: not a %s%s", o->name, text,
			       o->kind == HAKSTAT_OPT_BYTES ? "size (such as 64, 4K, 1M)" : "number", range);
}

static int parse_unsigned(const struct hakstat_option *o, const char *text, uint64_t *out)
{
	uint64_t value;
	int failed = o->kind == HAKSTAT_OPT_BYTES ? hakstat_text_parse_bytes(text, &value)
						  : hakstat_text_parse_count(text, &value);

	if (failed || value < o->min || (o->max && value > o->max)) {
		return -1;
	}
	*out = value;
	return 0;
}

static void add_text(GPtrArray **texts, const char *text)
{
	if (!*texts) {
		*texts = g_ptr_array_new();
	}
	g_ptr_array_add(*texts, (gpointer)(uintptr_t)text);
}

static int store(const struct hakstat_option *o, const char *text, void *values, struct hakstat_err *err)
{
	char *at = (char *)values + o->offset;
	int choice;

	switch (o->kind) {
	case HAKSTAT_OPT_FLAG:
		*(bool *)(void *)at = true;
		return 0;
	case HAKSTAT_OPT_TEXT:
		*(const char **)(void *)at = text;
		return 0;
	case HAKSTAT_OPT_TEXTS:
		add_text((GPtrArray **)(void *)at, text);
		return 0;
	case HAKSTAT_OPT_CHOICE:
		choice = choice_index(o->argument, text);
		if (choice < 0) {
			return bad_value(o, text, err);
		}
		*(int *)(void *)at = choice;
		return 0;
	case HAKSTAT_OPT_COUNT:
	case HAKSTAT_OPT_BYTES:
		break;
	}
	return parse_unsigned(o, text, (uint64_t *)(void *)at) == 0 ? 0 : bad_value(o, text, err);
}

/* A line for each way to write an option, and one for the operands; each with what its value is. */
static void list_options(const struct hakstat_command *command, FILE *out)
{
	fputs("--help\n", out);
	for (size_t i = 0; i < command->option_count; i++) {
		const struct hakstat_option *o = &command->options[i];
		const char *argument = o->argument ? o->argument : "";
		fprintf(out, "--%s %s\n", o->name, argument);
		if (o->letter) {
			fprintf(out, "-%c %s\n", o->letter, argument);
		}
	}
	fprintf(out, "operands %s\n", command->operands ? command->operands : "");
}

static const struct hakstat_option *option_of(const struct hakstat_command *command, int code)
{
	if (code >= CODE_BASE) {
		return &command->options[code - CODE_BASE];
	}
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].letter == code) {
			return &command->options[i];
		}
	}
	return NULL;
}

static int unusable(const struct hakstat_command *command, int code, char **argv, struct hakstat_err *err)
{
	const char *shown = argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };

	if (optopt > 0 && optopt < CODE_BASE) {
		shown = letter;
	}
	return hakstat_err_set(err, HAKSTAT_USAGE, "%s %s: %s; 'hakstat help %s' lists the options",
			       command->name, shown, code == ':' ? "a value is missing" : "unknown option",
			       command->name);
}

static int take_code(const struct hakstat_command *command, int code, char **argv, void *values,
		     struct hakstat_err *err)
{
	if (code == CODE_HELP || code == 'h') {
		hakstat_cli_help(command, stdout);
		return HAKSTAT_CLI_DONE;
	}
	if (code == CODE_LIST) {
		list_options(command, stdout);
		return HAKSTAT_CLI_DONE;
	}
	if (code == '?' || code == ':') {
		return unusable(command, code, argv, err);
	}
	return store(option_of(command, code), optarg, values, err);
}

int hakstat_cli_parse(const struct hakstat_command *command, int argc, char **argv, void *values,
		      int *first_operand, struct hakstat_err *err)
{
	GArray *longs = g_array_new(TRUE, TRUE, sizeof(struct option));
	GString *shorts = g_string_new(NULL);
	int status = 0;

	build_tables(command, longs, shorts);
	if (!command->operands || !strstr(command->operands, "--")) {
		g_string_erase(shorts, 0, 1); /* options may follow operands, but for a command line to run */
	}
	optind = 0; /* GNU: start anew */
	opterr = 0;
	while (status == 0) {
		int code = getopt_long(argc, argv, shorts->str, (const struct option *)(void *)longs->data,
				       NULL);
		if (code == -1) {
			break;
		}
		status = take_code(command, code, argv, values, err);
	}
	*first_operand = optind;
	g_string_free(shorts, TRUE);
	g_array_free(longs, TRUE);
	return status;
}

void hakstat_cli_put_row(const char *head, const char *text, int column, FILE *out)
{
	bool is_long = *head && (int)strlen(head) > column - 1;
	char *line = g_strdup_printf("%-*s%s", column, is_long ? "" : head, text);
	char *wrapped = hakstat_text_wrap(line, HELP_WIDTH, column);

	if (is_long) {
		fprintf(out, "%s\n", head);
	}
	fprintf(out, "%s\n", wrapped);
	g_free(wrapped);
	g_free(line);
}

/* Lines with a gap in them are a small table and stay as they are; others flow. */
static void put_paragraph(char *text, FILE *out)
{
	if (strstr(text, "  ")) {
		fprintf(out, "%s\n", text);
	} else {
		hakstat_cli_put_row("", g_strdelimit(text, "\n", ' '), 0, out);
	}
}

static void put_paragraphs(const char *text, FILE *out)
{
	char **paragraphs = g_strsplit(text, "\n\n", -1);

	for (char **p = paragraphs; *p; p++) {
		fputc('\n', out);
		put_paragraph(*p, out);
	}
	g_strfreev(paragraphs);
}

void hakstat_cli_help(const struct hakstat_command *command, FILE *out)
{
	fprintf(out, "usage: hakstat %s%s%s%s\n", command->name, command->option_count ? " [OPTION...]" : "",
		command->operands ? " " : "", command->operands ? command->operands : "");
	put_paragraphs(command->summary, out);
	if (command->details) {
		put_paragraphs(command->details, out);
	}
	if (command->option_count) {
		fputs("\noptions:\n", out);
	}
	for (size_t i = 0; i < command->option_count; i++) {
		const struct hakstat_option *o = &command->options[i];
		char letter[8] = "    ";
		char *head;
		if (o->letter) {
			g_snprintf(letter, sizeof letter, "-%c, ", o->letter);
		}
		head = g_strdup_printf("  %s--%s%s%s", letter, o->name, o->argument ? " " : "",
				       o->argument ? o->argument : "");
		hakstat_cli_put_row(head, o->help, HELP_COLUMN, out);
		g_free(head);
	}
}

int hakstat_cli_pid(const struct hakstat_command *command, const char *text, pid_t *pid,
		    struct hakstat_err *err)
{
	uint64_t number;

	if (hakstat_text_parse_count(text, &number) < 0 || number == 0 || number > INT32_MAX) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "%s: %s is not a process id", command->name, text);
	}
	*pid = (pid_t)number;
	return 0;
}
