#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How the built files are hardened, read from them.
. "$(dirname "$0")/../support/tap.sh"
tap_need readelf

for file in "$lib" "$tracer" "$hakstat"; do
	name=$(basename "$file")
	tap_is "$(readelf -hW "$file" | awk '/Type:/ { print $2 }')" DYN "$name: position independent"
	tap_like "$(readelf -lW "$file")" '^ +GNU_STACK .* RW +0x' "$name: no stack is executable"
	tap_empty "$(readelf -lW "$file" | grep -E '^ +LOAD .* RWE ')" "$name: nothing is both writable and executable"
	tap_like "$(readelf -lW "$file")" '^ +GNU_RELRO ' "$name: relocated data becomes read-only"
	tap_like "$(readelf -dW "$file")" '\(FLAGS\).*BIND_NOW' "$name: all of it, before the program starts"
	tap_empty "$(readelf -dW "$file" | grep -E 'TEXTREL|RPATH|RUNPATH')" "$name: no relocated text, no search path"
	if [ "$(uname -m)" = x86_64 ]; then
		tap_like "$(readelf -nW "$file")" 'x86 feature:.*SHSTK' "$name: fit for shadow stacks"
	fi
done
if [[ ${CFLAGS-} != *-O0* && -z ${SAN-} ]]; then
	# The library itself has no arrays on its fast paths, and runs before libc has a guard.
	for file in "$tracer" "$hakstat"; do
		name=$(basename "$file")
		tap_like "$(readelf --dyn-syms -W "$file")" ' __stack_chk_fail@' "$name: stacks are guarded"
		tap_like "$(readelf --dyn-syms -W "$file")" ' __[a-z]+_chk@' "$name: libc checks what it is given"
	done
fi
tap_done
