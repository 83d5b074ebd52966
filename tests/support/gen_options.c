/* SPDX-License-Identifier: MIT */
/* Prints docs/options.md from lib/option_list.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "option_list.h"

enum option_type { TABLE, INT, SIZE, POWER2, SWITCH, NAME };

struct row {
	const char *name, *initial, *help;
	int64_t min, max;
	enum option_type type;
};

static const struct row rows[] = {
#define OPTION_ROW(field, type, name, initial, min, max, help) { name, initial, help, min, max, type },
	HAK_OPTIONS(OPTION_ROW)
};

static void print_bytes(int64_t bytes)
{
	static const char *const units[] = { "", "K", "M", "G" };
	int unit = 0;
	while (bytes % 1024 == 0 && bytes && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	printf("%" PRId64 "%s", bytes, units[unit]);
}

static void print_values(const struct row *r)
{
	switch (r->type) {
	case TABLE:
		printf("`fine`, `classic` or `@FILE`");
		break;
	case NAME:
		printf("at most 63 characters");
		break;
	case SWITCH:
		printf("0 or 1");
		break;
	case INT:
		printf("%" PRId64 " to %" PRId64, r->min, r->max);
		break;
	case SIZE:
	case POWER2:
		print_bytes(r->min);
		printf(" to ");
		print_bytes(r->max);
		printf(r->type == POWER2 ? ", a power of two" : "");
		break;
	}
}

int main(void)
{
	puts("<!-- Made by `make docs` from lib/option_list.h; edit that. -->\n"
	     "# Options\n\n"
	     "The allocator reads its options from the environment, once, when the process makes its first "
	     "allocation.\n"
	     "In a program that runs with raised privileges (setuid, setgid, file capabilities) all of them "
	     "are ignored.\n\n"
	     "An unknown name that begins with `HAKMEM_` or a value that is not accepted gives one warning "
	     "line on standard\n"
	     "error, and the default is used. An empty value counts as unset. Sizes are bytes; `K`, `M` and "
	     "`G` multiply by\n"
	     "1024, 1024² and 1024³.\n\n"
	     "| name | default | values | meaning |\n|---|---|---|---|");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		printf("| `%s` | %s | ", rows[i].name, rows[i].initial);
		print_values(&rows[i]);
		printf(" | %s |\n", rows[i].help);
	}
	puts("\n`HAKMEM_SIZE_CLASSES=@FILE` names a text file with one block size a line, rising; `#` begins "
	     "a comment. Blocks are 8\n"
	     "or multiples of 16, at most 262144 bytes, at most 64 of them. `hakstat tune` writes such "
	     "files.");
	return 0;
}
