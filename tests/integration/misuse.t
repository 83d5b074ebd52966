#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Misuse: what is detected ends in one line on stderr that says what and where, then SIGABRT.
# The table of docs/security.md says what becomes of each misuse in the default build and in
# secure mode; every cell is run.
. "$(dirname "$0")/../support/tap.sh"
tap_need "${CC:-cc}"

cat >"$tmp/misuse.c" <<'C'
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <stdio.h>
static char global[4096];
static char *batch[20000];

/* Frees more than a thread keeps, so that what was freed reaches the slabs. */
static void flush(size_t size)
{
	for (int i = 0; i < 20000; i++) {
		batch[i] = malloc(size);
	}
	for (int i = 0; i < 20000; i++) {
		free(batch[i]);
	}
	malloc_trim(0);
}

int main(int argc, char **argv)
{
	const char *what = argv[1];
	size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
	char stack[64];
	char *p = malloc(size), *q = NULL;
	if (!strcmp(what, "stack")) {
		q = stack;
	} else if (!strcmp(what, "global")) {
		q = global + 64;
	} else if (!strcmp(what, "text")) {
		q = (char *)(uintptr_t)main;
	} else if (!strcmp(what, "wild")) {
		q = (char *)(uintptr_t)0x123456789000;
	} else if (!strcmp(what, "low")) {
		q = (char *)16;
	} else if (!strcmp(what, "high")) {
		q = (char *)(uintptr_t)-64;
	} else if (!strcmp(what, "interior")) {
		q = p + size / 2 / 16 * 16;
	} else if (!strcmp(what, "unaligned")) {
		q = p + 1;
	} else if (!strcmp(what, "twice")) {
		free(p);
		q = p;
	}
	fprintf(stderr, "%p\n", (void *)q);
	if (argc > 3 && !strcmp(argv[3], "realloc")) {
		q = realloc(q, 200);
	} else {
		free(q);
	}
	flush(size);
	return 0;
}
C
tap_ok "the program builds" "${CC:-cc}" -O0 -fno-builtin -w -o "$tmp/misuse" "$tmp/misuse.c"

# detected MESSAGE ARGUMENT...
detected() {
	local message=$1 status pointer
	shift
	# In a shell of its own, whose word about the signal goes nowhere.
	bash -c 'ulimit -c 0; LD_PRELOAD=$0 "$@" 2>"$1.err"; exit $?' "$lib" "$tmp/misuse" "$@" 2>/dev/null
	status=$?
	pointer=$(head -n 1 "$tmp/misuse.err")
	tap_is "$status" 134 "$*: ended by SIGABRT"
	tap_like "$(sed 1d "$tmp/misuse.err")" "^hakmem: misuse\[[0-9]+\]: ($message): $pointer\$" "$*: said what and where"
	tap_is "$(wc -l <"$tmp/misuse.err")" 2 "$*: in one line"
}

for how in free realloc; do
	for where in stack global text wild low high; do
		detected "$how of a pointer to no block" $where 100 $how
	done
done
detected 'free of a pointer to no block' interior 1000000
detected 'free of a pointer to no block' unaligned 1000000
detected 'free of a pointer to no block' twice 1000000
detected 'free of a pointer inside a block' interior 200
detected 'free of a pointer inside a block' unaligned 200
detected 'double free' twice 200
detected 'double free|free of a pointer to no block' twice 40000

program=$build/tests/support/misuse
table=$top/docs/security.md

# outcome MODE NAME: the message, or unharmed, damaged, crash
outcome() {
	local status
	# In a shell of its own, whose word about the signal goes nowhere.
	bash -c 'ulimit -c 0; HAKMEM_SECURE=$0 LD_PRELOAD=$1 timeout 60 "$2" "$3" 2>"$4"; exit $?' \
		"$1" "$lib" "$program" "$2" "$tmp/misuse.err" >/dev/null 2>&1
	status=$?
	case $status in
	0) echo unharmed ;;
	3) echo damaged ;;
	134)
		if [ "$(wc -l <"$tmp/misuse.err")" -eq 1 ]; then
			sed -nE 's/^hakmem: misuse\[[0-9]+\]: (.*): 0x[0-9a-f]+$/\1/p' "$tmp/misuse.err"
		else
			echo "SIGABRT without its line: $(cat "$tmp/misuse.err")"
		fi
		;;
	139) echo crash ;;
	*) echo "status $status" ;;
	esac
}

# check_outcome MODE NAME EXPECTED: alternatives, which chance or the kernel decides, are joined by " or ".
check_outcome() {
	local got
	got=$(outcome "$1" "$2")
	case " or $3 or " in
	*" or $got or "*) tap_result 0 "$2, HAKMEM_SECURE=$1: $got" ;;
	*) tap_is "$got" "$3" "$2, HAKMEM_SECURE=$1" ;;
	esac
}

# "name|default|secure" for each row of the table
sed -nE 's/^\| `([a-z_0-9]+)` \| [^|]* \| ([^|]*) \| ([^|]*) \| [^|]* \|$/\1|\2|\3/p' "$table" >"$tmp/rows"
tap_is "$(cut -d '|' -f 1 "$tmp/rows")" "$("$program")" "docs/security.md has a row for every misuse"
while IFS='|' read -r name default secure; do
	check_outcome 0 "$name" "$default"
	check_outcome 1 "$name" "$secure"
done <"$tmp/rows"

count() { # COLUMN PATTERN
	cut -d '|' -f "$1" "$tmp/rows" | grep -cvE "$2"
}
total=$(wc -l <"$tmp/rows")
quiet='unharmed|damaged'
tap_like "$(cat "$table")" "^Of the $total misuses the default build stops $(count 2 "$quiet"),.*secure mode stops $(count 3 "$quiet")" \
	"the sums in docs/security.md are those of its rows"
tap_done
