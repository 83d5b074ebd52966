#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `make install`: what it puts below PREFIX works from there, a program builds against it by
# pkg-config, and `make uninstall` leaves nothing.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need make pkg-config

prefix=$tmp/usr
run_make() {
	make --no-print-directory -C "$top" BUILD="$build" PREFIX="$prefix" "$@"
}
tap_ok "make install" run_make install
tap_is "$(cd "$prefix" && find . ! -type d | sort | grep -vE 'include/.*[.]h$' | paste -sd ' ')" \
	"./bin/hakstat ./lib/libhakmem-tracer.so ./lib/libhakmem.a ./lib/libhakmem.so ./lib/libhakmem.so.0 ./lib/pkgconfig/hakmem.pc ./share/bash-completion/completions/hakstat ./share/man/man1/hakstat.1 ./share/man/man7/hakmem-events.7 ./share/man/man7/hakmem.7" \
	"program, libraries, manual pages and completion are there"

cat >"$tmp/example.c" <<'C'
#include <hakmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
	struct hakmem_class_stats rows[128];
	char *p = malloc(1000);
	size_t n = hakmem_stats_classes(rows, 128);
	strcpy(p, hakmem_version());
	for (size_t i = 0; i < n; i++)
		if (rows[i].usable == 1024)
			printf("%s %s %d\n", p, rows[i].name, rows[i].live >= 1);
	return 0;
}
C
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -ra flags < <(pkg-config --cflags --libs hakmem)
tap_ok "a program builds by pkg-config" "${CC:-gcc}" -Wall -Werror -fno-builtin -o "$tmp/example" "$tmp/example.c" "${flags[@]}"
tap_is "$(LD_LIBRARY_PATH=$prefix/lib "$tmp/example")" "$(pkg-config --modversion hakmem) C7.1024 1" "and has the allocator"
read -ra flags < <(pkg-config --cflags hakmem)
read -ra libs < <(pkg-config --static --libs-only-other hakmem)
tap_ok "another one links the static library" "${CC:-gcc}" -fno-builtin -o "$tmp/static" "$tmp/example.c" "${flags[@]}" \
	"$prefix/lib/libhakmem.a" "${libs[@]}" -pthread -ldl
tap_is "$("$tmp/static")" "$(pkg-config --modversion hakmem) C7.1024 1" "and has it, too"

cd "$tmp" || exit 1
tap_ok "the installed hakstat records" "$prefix/bin/hakstat" record --mode full -- "$tmp/example"
tap_like "$("$prefix/bin/hakstat" report)" '^C7\.1024' "and reports"
HAKMEM_TRACE=1 LD_PRELOAD=$prefix/lib/libhakmem.so "$tmp/example" >"$tmp/out" 2>&1
tap_is "$(cat "$tmp/out")" "$(pkg-config --modversion hakmem) C7.1024 1" "HAKMEM_TRACE=1 finds the tracer beside the library"

tap_ok "make uninstall" run_make uninstall
tap_empty "$(find "$prefix" ! -type d)" "leaves nothing"
# A distribution's folder for libraries is another one. A copy of the build is enough: tests that run beside this
# one use the build itself.
mkdir "$tmp/build"
cp -a "$build"/{lib,tracer,tools,flags} "$tmp/build"
distribution() {
	make --no-print-directory -C "$top" BUILD="$tmp/build" DESTDIR="$tmp/stage" PREFIX=/usr libdir=/usr/lib/x86_64-linux-gnu "$@"
}
tap_ok "make install with another libdir" distribution install
tap_is "$(cd "$tmp/stage" && find . -name 'lib*' -type f | sort | paste -sd ' ')" \
	"$(printf './usr/lib/x86_64-linux-gnu/%s ' libhakmem-tracer.so libhakmem.a libhakmem.so.0 | sed 's/ $//')" \
	"the libraries are there"
tap_like "$(cat "$tmp/stage/usr/lib/x86_64-linux-gnu/pkgconfig/hakmem.pc")" '^libdir=/usr/lib/x86_64-linux-gnu$' \
	"pkg-config is told"
tap_ok "and hakstat finds them" "$tmp/stage/usr/bin/hakstat" record -o "$tmp/elsewhere" --mode full -- "$tmp/example"
tap_like "$("$tmp/stage/usr/bin/hakstat" report "$tmp/elsewhere")" '^C7\.1024' "and reports"
mv "$tmp/stage/usr/lib/x86_64-linux-gnu/libhakmem-tracer.so" "$tmp"
"$tmp/stage/usr/bin/hakstat" record -o "$tmp/nowhere" -- true >"$tmp/out" 2>&1
tap_is "$? $(cat "$tmp/out")" "2 hakstat: libhakmem.so and libhakmem-tracer.so are neither in $tmp/stage/usr/lib/x86_64-linux-gnu nor in a build tree; install them" \
	"libraries that are missing are named, with the folder looked in"
mv "$tmp/libhakmem-tracer.so" "$tmp/stage/usr/lib/x86_64-linux-gnu/"
tap_ok "make uninstall with another libdir" distribution uninstall
tap_empty "$(find "$tmp/stage" ! -type d)" "leaves nothing either"
tap_ok "the build is as before" make --no-print-directory -C "$top" BUILD="$build" lib
tap_done
