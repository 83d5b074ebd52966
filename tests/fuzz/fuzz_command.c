/* SPDX-License-Identifier: MIT */
/*
 * Input: a command line, its words parted by NUL. Every command's options are parsed; commands that
 * neither run nor write anything but standard output are carried out.
 */
#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "attach.h"
#include "bytes.h"
#include "commands.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_WORDS = 64, VALUES_BYTES = 4096 };

static const struct {
	const struct hakstat_command *command;
	bool is_harmless;
} commands[] = {
	{ &hakstat_command_record, false }, { &hakstat_command_attach, false },
	{ &hakstat_command_report, false }, { &hakstat_command_diff, false },
	{ &hakstat_command_whatif, false }, { &hakstat_command_tune, false },
	{ &hakstat_command_explain, true }, { &hakstat_command_classes, true },
};

static int split(char *text, size_t length, char *words[MOST_WORDS + 1])
{
	int count = 0;

	for (size_t at = 0; at < length && count < MOST_WORDS; at += strlen(text + at) + 1) {
		words[count++] = text + at;
	}
	words[count] = NULL;
	return count;
}

/* Options with @FILE would read whatever the input names. */
static bool names_a_file(char *const *words)
{
	for (; *words; words++) {
		if (strchr(*words, '@')) {
			return true;
		}
	}
	return false;
}

static union {
	char bytes[VALUES_BYTES];
	max_align_t alignment;
} values;

/* Lists of texts are the caller's, even after a failure. */
static void clear_values(const struct hakstat_command *command)
{
	for (size_t i = 0; i < command->option_count; i++) {
		if (command->options[i].kind == HAKSTAT_OPT_TEXTS) {
			GPtrArray **texts = (GPtrArray **)(void *)(values.bytes + command->options[i].offset);
			g_clear_pointer(texts, g_ptr_array_unref);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *words[MOST_WORDS + 1];
	char *text;
	struct hakstat_err err = { 0 };
	size_t which = size ? data[0] % G_N_ELEMENTS(commands) : 0;
	int first, status, count;

	if (size < 2) {
		return 0;
	}
	expect(freopen("/dev/null", "w", stdout) != NULL);
	text = g_strndup((const char *)data + 1, size - 1);
	text = g_realloc(text, size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	count = split(text, size - 1, words);
	memset(&values, 0, sizeof values);
	status = hakstat_cli_parse(commands[which].command, count, words, &values, &first, &err);
	expect(status == 0 || status == HAKSTAT_CLI_DONE || (status == HAKSTAT_USAGE && err.text[0]));
	expect(status != 0 || (first >= 0 && first <= MAX(count, 1)));
	if (commands[which].is_harmless && count && !names_a_file(words)) {
		status = commands[which].command->run(count, words, &err);
		expect(status == 0 || err.text[0]);
	}
	clear_values(commands[which].command);
	g_free(text);
	return 0;
}
