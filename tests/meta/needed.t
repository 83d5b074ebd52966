#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the built objects need at run time, and how they are hardened.
. "$(dirname "$0")/../support/tap.sh"
tap_need readelf

needed() {
	readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p' | sort
}

tap_empty "$(needed "$lib" | grep -vE '^(libc[.]so[.]6|ld-linux.*|ld64[.]so.*)$')" "libhakmem.so needs libc only"
tap_like "$(needed "$lib")" '^libc[.]so[.]6$' "libhakmem.so names libc"
tap_is "$(readelf -dW "$lib" | sed -n 's/.*(SONAME).*\[\(.*\)\]$/\1/p')" libhakmem.so.0 "its soname is libhakmem.so.0"
tap_empty "$(needed "$tracer" | grep -vE '^(libhakmem|liblttng-ust|libunwind|libc|ld-linux)[-a-z0-9_]*[.]so')" \
	"the tracer needs the allocator, LTTng-UST, libunwind and libc at most"
tap_like "$(needed "$tracer")" '^liblttng-ust' "the tracer needs LTTng-UST"
tap_empty "$(needed "$hakstat" | grep -E 'hakmem|lttng-ust')" "hakstat needs neither allocator nor LTTng-UST"
for file in "$lib" "$tracer" "$hakstat"; do
	dynamic=$(readelf -dlW "$file")
	tap_like "$dynamic" 'BIND_NOW|FLAGS_1.*NOW' "$(basename "$file"): all symbols are bound at load time"
	tap_like "$dynamic" 'GNU_RELRO' "$(basename "$file"): relocations are read-only"
	tap_empty "$(printf '%s\n' "$dynamic" | grep -E 'GNU_STACK.*E|TEXTREL|RPATH|RUNPATH')" \
		"$(basename "$file"): no executable stack, text relocation or run path"
done
tap_done
