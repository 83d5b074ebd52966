/* SPDX-License-Identifier: MIT */
/*
 * hakstat: finds the command, runs it, prints its error and makes its exit status.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "columns_list.h"
#include "commands.h"
#include "hakmem.h"
#include "record.h"
#include "snapshot.h"

/* clang-format off */
static const struct hakstat_command *const commands[] = {
	&hakstat_command_record,
	&hakstat_command_attach,
	&hakstat_command_detach,
	&hakstat_command_ps,
	&hakstat_command_snapshot,
	&hakstat_command_report,
	&hakstat_command_diff,
	&hakstat_command_ab,
	&hakstat_command_whatif,
	&hakstat_command_tune,
	&hakstat_command_explain,
	&hakstat_command_classes,
	&hakstat_command_top,
};
/* clang-format on */

enum { COMMANDS = sizeof commands / sizeof commands[0], COLUMN = 12 };

static void print_usage(FILE *out)
{
	fputs("usage: hakstat COMMAND [OPTION...] [OPERAND...]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++) {
		char *head = g_strdup_printf("  %s", commands[i]->name);
		hakstat_cli_put_row(head, commands[i]->summary, COLUMN, out);
		g_free(head);
	}
	hakstat_cli_put_row("  help", "What a command does and its options: hakstat help COMMAND.", COLUMN,
			    out);
	fputc('\n', out);
	hakstat_cli_put_row(
		"",
		"hakstat --version prints the version, hakstat --list-columns what each column of a report "
		"means. Exit status: 0 done, 1 a budget or gate failed, "
		"2 usage or environment, 3 a trace that is unreadable or, with --strict, incomplete, 130 "
		"interrupted.",
		0, out);
}

static const struct hakstat_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0) {
			return commands[i];
		}
	}
	return NULL;
}

static int unknown_command(const char *name, struct hakstat_err *err)
{
	return hakstat_err_set(err, HAKSTAT_USAGE, "%s: no such command; 'hakstat help' lists them", name);
}

static int run_help(int argc, char **argv, struct hakstat_err *err)
{
	const struct hakstat_command *command;

	if (argc < 2) {
		print_usage(stdout);
		return 0;
	}
	command = find_command(argv[1]);
	if (!command) {
		return unknown_command(argv[1], err);
	}
	hakstat_cli_help(command, stdout);
	return 0;
}

static void list_commands(void)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		puts(commands[i]->name);
	}
	puts("help");
}

static int run(int argc, char **argv, struct hakstat_err *err)
{
	const struct hakstat_command *command;

	if (argc < 2) {
		return hakstat_err_set(err, HAKSTAT_USAGE, "no command given; 'hakstat help' lists them");
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("hakstat " HAKMEM_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--list-commands") == 0) {
		list_commands();
		return 0;
	}
	if (strcmp(argv[1], "--list-options") == 0) {
		puts("--help\n--version");
		return 0;
	}
	if (strcmp(argv[1], "--list-columns") == 0) {
		hakstat_columns_list(stdout);
		return 0;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		return run_help(argc - 1, argv + 1, err);
	}
	command = find_command(argv[1]);
	return command ? command->run(argc - 1, argv + 1, err) : unknown_command(argv[1], err);
}

/*
 * Where standard input, output or error is closed, a pipe or a socket would take its number and be
 * written over. What is opened instead fails to be read or written, as a closed one does.
 */
static void open_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
		}
	}
}

int main(int argc, char **argv)
{
	struct hakstat_err err = { 0 };
	int status;

	open_standard_descriptors();
	setlocale(LC_CTYPE, "");
	status = run(argc, argv, &err);
	if (status == 0 && (fflush(stdout) != 0 || ferror(stdout))) {
		status = hakstat_err_set(&err, HAKSTAT_USAGE, "standard output: cannot be written: %s",
					 strerror(errno));
	}
	if (err.text[0]) {
		hakstat_say("%s", err.text);
	}
	return status;
}
