#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The library linked instead of preloaded: dynamically, statically, into a fully static
# program, and into one that runs with raised privileges, where no option of the user counts.
. "$(dirname "$0")/../support/tap.sh"
tap_need "${CC:-cc}"

cat >"$tmp/linked.c" <<'C'
#include <hakmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	struct hakmem_config config;
	struct hakmem_heap_stats heap;
	char *volatile p = malloc(3333);
	p = realloc(p, 333333);
	char *q = strdup("text");
	hakmem_config_read(&config);
	hakmem_stats_heap(&heap);
	printf("%s %s %d", hakmem_version(), config.size_classes, heap.large_blocks + heap.mapped > 0);
	fflush(stdout);
	if (fork() == 0) {
		free(malloc(100));
		_exit(0);
	}
	wait(NULL);
	free(p);
	free(q);
	return 0;
}
C
version=$(sed -n 's/^.define HAKMEM_VERSION "\(.*\)"/\1/p' "$top/lib/include/hakmem.h")
compile() {
	"${CC:-cc}" -w -O1 -I"$top/lib/include" "$tmp/linked.c" "$@"
}

tap_ok "links with -lhakmem" compile -o "$tmp/dynamic" -L"$build/lib" -lhakmem
tap_is "$(HAKMEM_SIZE_CLASSES=classic LD_LIBRARY_PATH="$build/lib" "$tmp/dynamic" 2>&1)" "$version classic 1" "and runs"
tap_ok "links with libhakmem.a" compile -o "$tmp/archive" "$build/lib/libhakmem.a" -pthread -ldl
tap_is "$(HAKMEM_SIZE_CLASSES=classic "$tmp/archive" 2>&1)" "$version classic 1" "and runs"

tap_ok "links into a fully static program" compile -static -o "$tmp/static" "$build/lib/libhakmem.a"
tap_is "$(HAKMEM_SIZE_CLASSES=classic "$tmp/static" 2>&1)" "$version classic 1" "and runs"

CXX=${CXX:-c++}
tap_need "$CXX"
cat >"$tmp/failing.cc" <<'CC'
#include <cstdio>
#include <new>
#include <string>
static int calls;
static void handler()
{
	if (++calls == 2) {
		std::set_new_handler(nullptr);
	}
}
int main()
{
	std::string text(1000, 'x');
	std::set_new_handler(handler);
	bool caught = false;
	char *volatile p = nullptr;
	try {
		p = new char[1ul << 60];
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	char *volatile q = new (std::nothrow) char[1ul << 60];
	std::printf("%d %d %d %d", caught, calls, p == nullptr, q == nullptr);
}
CC
tap_ok "a C++ program links with libhakmem.a" "$CXX" -w -o "$tmp/cxx_archive" "$tmp/failing.cc" "$build/lib/libhakmem.a" -pthread -ldl
tap_is "$("$tmp/cxx_archive" 2>&1)" "1 2 1 1" "and a failing new throws"
tap_ok "a fully static one, too" "$CXX" -w -static -o "$tmp/cxx_static" "$tmp/failing.cc" "$build/lib/libhakmem.a"
tap_is "$("$tmp/cxx_static" 2>&1)" "1 2 1 1" "and a failing new throws"

# As a setuid program of another user: the loader says so in AT_SECURE.
if [ "$(id -u)" -eq 0 ] && ! findmnt -n -o OPTIONS -T "$tmp" | grep -qw nosuid; then
	chmod 755 "$tmp"
	chown nobody "$tmp/archive"
	chmod 4755 "$tmp/archive"
	tap_is "$(HAKMEM_SIZE_CLASSES=classic HAKMEM_STATS=1 HAKMEM_NONSENSE=1 "$tmp/archive" 2>&1)" "$version fine 1" \
		"a setuid program takes no option and says nothing"
else
	tap_result 0 "a setuid program # SKIP needs root and a file system that allows it"
fi
tap_done
