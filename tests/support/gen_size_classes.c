/* SPDX-License-Identifier: MIT */
/* Prints docs/size-classes.md from hakmem_size_class.h, with the waste of each class's worst request. */
#include <stdio.h>

#include "hakmem_size_class.h"

enum { PAGE = 4096 };

static void print_class(const struct hak_class *c, unsigned id, unsigned min)
{
	if (c->max_request == 0) {
		printf("| %u | %s | %s | %u | none | |\n", id, c->name, hak_route_label(c->route), c->block);
		return;
	}
	unsigned smallest = min ? min : 1; /* a request of 0 bytes is served, but its waste has no meaning */
	printf("| %u | %s | %s | %u | %u to %u | %.1f |\n", id, c->name, hak_route_label(c->route), c->block,
	       min, c->max_request, 100.0 * (c->block - smallest) / c->block);
}

static void print_table(enum hak_scheme scheme, unsigned tiny_max_class)
{
	struct hak_class_table t;
	unsigned min = 0;

	hak_class_table_build(&t, scheme, tiny_max_class, PAGE);
	puts("| id | class | route | block | requests | worst waste % |\n|--:|---|---|--:|---|--:|");
	for (unsigned i = 0; i < t.count; i++) {
		print_class(&t.classes[i], i, min);
		if (t.classes[i].max_request) {
			min = t.classes[i].max_request + 1;
		}
	}
	printf("| %u | large | %s | whole pages | %u and more | %.1f |\n", t.count,
	       hak_route_label(HAK_ROUTE_LARGE), min, 100.0 * (PAGE - 1) / ((min + PAGE - 1) / PAGE * PAGE));
}

int main(void)
{
	puts("<!-- Made by `make docs` from lib/include/hakmem_size_class.h; edit that. -->\n"
	     "# Size classes\n\n"
	     "A request of `requests` bytes gets a block of `block` bytes. Waste is block - requested; the "
	     "last column is that of\n"
	     "the smallest request of the class (1 byte where that would be 0), as percent of the block. "
	     "Alignments above 16 may\n"
	     "take a larger class, whose block is a multiple of the alignment.\n\n"
	     "`HAKMEM_SIZE_CLASSES` chooses the table and `HAKMEM_TINY_MAX_CLASS` the end of the tiny route; "
	     "`hakstat classes`\n"
	     "prints any combination.\n\n"
	     "## fine (the default)\n");
	print_table(HAK_SCHEME_FINE, HAK_TINY_GROUPS - 1);
	puts("\nA lower boundary renames the classes above it and gives them the route smallmid; no block "
	     "changes.\n\n"
	     "## classic\n");
	print_table(HAK_SCHEME_CLASSIC, HAK_TINY_GROUPS - 1);
	puts("\n## classic with HAKMEM_TINY_MAX_CLASS=5\n\nWhat the excluded classes served falls to the 8 "
	     "KiB blocks of mid.\n");
	print_table(HAK_SCHEME_CLASSIC, 5);
	puts("\n## Routes and reasons\n\n| route | serves |\n|---|---|");
#define ROUTE_ROW(id, label, help) printf("| %s | %s |\n", #label, help);
	HAK_ROUTES(ROUTE_ROW)
	puts("\n| reason | why the route was taken |\n|---|---|");
#define REASON_ROW(id, label, help) printf("| %s | %s |\n", #label, help);
	HAK_REASONS(REASON_ROW)
	return 0;
}
