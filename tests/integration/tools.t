#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The preloaded allocator under the tools that programs are looked at with, beside sanitizers,
# and with plugins that are loaded with RTLD_DEEPBIND.
. "$(dirname "$0")/../support/tap.sh"
tap_need "${CC:-cc}" gdb strace valgrind

cat >"$tmp/leak.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static char *volatile lost;
static void reached(void) {}
int main(void)
{
	lost = malloc(1234);
	memset(lost, 1, 1234);
	lost = malloc(20);
	free(lost);
	lost = NULL;
	reached();
	puts("ran");
	return 0;
}
C
compile() {
	"${CC:-cc}" -g -O0 -fno-builtin -w "$@"
}
tap_ok "a program that leaks builds" compile -o "$tmp/leak" "$tmp/leak.c"

# --- debugger and tracers ---

cat >"$tmp/commands" <<C
set confirm off
set env LD_PRELOAD $lib
break reached
run
backtrace
print (char) *(char *)malloc(7) * 0 + 7
continue
C
output=$(gdb -q -nx -batch -x "$tmp/commands" "$tmp/leak" 2>&1)
tap_like "$output" '#1 .* in main' "gdb: stops where it should"
tap_like "$output" '^[$]1 = 7$' "gdb: a call of malloc from the prompt"
tap_like "$output" 'exited normally' "gdb: the program goes on to its end"
tap_is "$(strace -f -o "$tmp/calls" env LD_PRELOAD="$lib" "$tmp/leak" 2>&1)" ran "strace: same output"
tap_like "$(cat "$tmp/calls")" 'exited with 0' "strace: same status"

# under_valgrind OPTION...: program and library's account
under_valgrind() {
	valgrind --leak-check=full --trace-children=yes "$@" env LD_PRELOAD="$lib" HAKMEM_STATS=1 "$tmp/leak" 2>&1
}
output=$(under_valgrind)
tap_like "$output" '1,234 bytes in 1 blocks are definitely lost' "valgrind: puts its own malloc in the place of ours and finds the leak"
tap_like "$output" '^mapped 0 in 0 superslabs' "valgrind: ours serves nothing then"
output=$(under_valgrind --soname-synonyms=somalloc=nouserintercepts)
tap_like "$output" '^mapped 2.0M in 1 superslabs' "valgrind --soname-synonyms=somalloc=nouserintercepts: ours serves"
tap_like "$output" '^ran$' "and the program runs"
tap_is "$(grep -c 'ERROR SUMMARY: [1-9]' <<<"$output")" 0 "without an error"

# --- sanitizers ---

# sanitized KIND: its output and status with the library preloaded
sanitized() {
	compile -fsanitize="$1" -o "$tmp/$1" "$tmp/leak.c" && {
		ASAN_OPTIONS=detect_leaks=0 LSAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$lib "$tmp/$1" 2>&1
		echo "status $?"
	}
}
output=$(sanitized address)
tap_like "$output" 'ASan runtime does not come first' "AddressSanitizer says that it must come first"
tap_like "$output" '^status 1$' "and refuses"
tap_is "$(sanitized thread)" "hakmem: built with ThreadSanitizer, which needs its own malloc; run the program without libhakmem.so
status 1" "ThreadSanitizer is refused in one line"
tap_is "$(sanitized undefined)" "ran
status 0" "UBSan has no malloc and runs"

# --- RTLD_DEEPBIND ---

cat >"$tmp/plugin.c" <<'C'
#include <stdlib.h>
void *plugin_malloc(size_t n) { return malloc(n); }
void plugin_free(void *p) { free(p); }
C
cat >"$tmp/host.c" <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	void *plugin = dlopen(argv[1], RTLD_NOW | RTLD_DEEPBIND);
	void *(*its_malloc)(size_t) = dlsym(plugin, "plugin_malloc");
	void (*its_free)(void *) = dlsym(plugin, "plugin_free");
	its_free(its_malloc(100));
	free(malloc(100));
	puts("apart");
	fflush(stdout);
	void *p = its_malloc(100);
	fprintf(stderr, "%p\n", p);
	free(p);
	return 0;
}
C
tap_ok "a plugin builds" compile -shared -fPIC -o "$tmp/plugin.so" "$tmp/plugin.c"
tap_ok "and its host" compile -o "$tmp/host" "$tmp/host.c" -ldl
# Such a plugin finds libc's malloc first. That the two never mix is the host's business, and said if it fails.
output=$(bash -c 'ulimit -c 0; LD_PRELOAD=$0 "$@" 2>&1; exit $?' "$lib" "$tmp/host" "$tmp/plugin.so" 2>/dev/null)
tap_is $? 134 "a block of libc's malloc that is freed by ours ends the program"
pointer=$(sed -n 2p <<<"$output")
tap_is "$(head -n 1 <<<"$output")" apart "RTLD_DEEPBIND: plugin and host each with their own malloc"
tap_like "$(sed -n 3p <<<"$output")" "^hakmem: host\[[0-9]+\]: free of a pointer to no block: $pointer\$" "with its line"
tap_done
