#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# HAKMEM_STATS=1 and malloc_stats: the table is printed, its numbers are the program's, and
# it goes to standard error and nowhere else.
. "$(dirname "$0")/../support/tap.sh"
tap_need "${CC:-cc}"

# usage: truth COUNT SIZE KEEP: allocates, frees all but KEEP.
cat >"$tmp/truth.c" <<'C'
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
static void leave(int signal)
{
	(void)signal;
	exit(0);
}
static void be_interrupted(int number)
{
	static void *blocks[3000];
	struct itimerval once = { { 0, 0 }, { 0, 2000 + 37 * number } };
	signal(SIGALRM, leave);
	setitimer(ITIMER_REAL, &once, NULL);
	for (;;) {
		for (int i = 0; i < 3000; i++) {
			blocks[i] = malloc(500);
		}
		for (int i = 0; i < 3000; i++) {
			free(blocks[i]);
		}
	}
}
int main(int argc, char **argv)
{
	static void *blocks[100000];
	int count = atoi(argv[1]), keep = atoi(argv[3]);
	size_t size = strtoul(argv[2], NULL, 10);
	const char *how = argc > 4 ? argv[4] : "";
	for (int i = 0; i < count; i++) {
		blocks[i] = malloc(size);
	}
	for (int i = keep; i < count; i++) {
		free(blocks[i]);
	}
	if (strcmp(how, "signal") == 0) {
		for (int i = 0; i < 100; i++) {
			if (fork() == 0) {
				be_interrupted(i);
			}
			wait(NULL);
		}
		_exit(0);
	}
	if (strcmp(how, "malloc_stats") == 0) {
		malloc_stats();
		_exit(0);
	}
	if (strcmp(how, "close") == 0) { /* as coreutils do */
		close(2);
	}
	if (strcmp(how, "reuse") == 0) { /* every number is another file now */
		int fd = open(argv[5], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		for (int i = 1; i < 1024; i++) {
			dup2(fd, i);
		}
	}
	if (strcmp(how, "_exit") == 0) {
		_exit(0);
	}
	if (strcmp(how, "fork") == 0) {
		if (fork() == 0) {
			exit(0);
		}
		wait(NULL); /* or the table may be looked at before the child has printed its own */
	}
	return 0;
}
C
tap_ok "the program builds" "${CC:-cc}" -O0 -fno-builtin -w -o "$tmp/truth" "$tmp/truth.c"

run() { # ARGUMENT...
	env HAKMEM_STATS=1 LD_PRELOAD="$lib" "$tmp/truth" "$@" 2>"$tmp/err" >"$tmp/out"
}

# column CLASS N: a column of the class's row
column() {
	awk -v class="$1" -v n="$2" '$1 == class { print $n }' "$tmp/err"
}

# The size is one that libc's own start-up does not ask for.
run 5000 3333 1200
tap_like "$(head -n 1 "$tmp/err")" '^hakmem [0-9.]+ in truth\[[0-9]+\]: ' "the table names version and process"
tap_is "$(column S3584 2)" smallmid "the class has its route"
tap_is "$(column S3584 3)" 5000 "allocs are exact"
tap_is "$(column S3584 4)" 3800 "frees are exact"
tap_is "$(column S3584 5)" 1200 "live blocks are exact"
tap_is "$(column S3584 6)" 4.1M "live bytes are live blocks times the block"
tap_is "$(column S3072 1)" "" "a class that was not used has no row"
tap_like "$(tail -n 1 "$tmp/err")" '^mapped .* superslabs, committed .*threads 1$' "the process has its line"
tap_is "$(cat "$tmp/out")" "" "nothing is printed on standard output"

run 20 1000000 5
tap_is "$(column large 3) $(column large 4) $(column large 5)" "20 15 5" "large blocks are counted too"
tap_like "$(tail -n 1 "$tmp/err")" 'large 4[.]8M in 5 blocks' "with their bytes"

run 100 3333 10 malloc_stats
tap_is "$(column S3584 3) $(column S3584 5)" "100 10" "malloc_stats prints the same table"

run 100 3333 10 close
tap_is "$(column S3584 5)" 10 "a program that closes its standard error has its table all the same"
run 100 3333 10 reuse "$tmp/data"
tap_is "$(stat -c %s "$tmp/data")" 0 "the table is not written into a file of the program"
run 100 3333 10 _exit
tap_is "$(cat "$tmp/err")" "" "_exit prints nothing"
run 100 3333 10 fork
tap_is "$(grep -c '^S3584 .* 100 .* 10 ' "$tmp/err")" 2 "a forked child prints its own"
tap_is "$(sed -n 's/^hakmem .* in truth\[\([0-9]*\)\].*/\1/p' "$tmp/err" | sort -u | wc -l)" 2 "under its own process id"

tap_ok "a signal handler may exit while malloc or free is at work" \
	timeout 60 env HAKMEM_STATS=1 LD_PRELOAD="$lib" "$tmp/truth" 1 100 1 signal
tap_is "$(LD_PRELOAD="$lib" "$tmp/truth" 10 100 1 2>&1)" "" "without the option nothing is printed"
tap_done
