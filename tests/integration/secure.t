#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every program of this folder does the same in secure mode, and so do programs that know
# nothing of it; none of them is accused of a misuse.
. "$(dirname "$0")/../support/tap.sh"
export HAKMEM_SECURE=1 CMOCKA_MESSAGE_OUTPUT=TAP

for source in "$top"/tests/integration/*.c "$top"/tests/integration/*.cc; do
	name=$(basename "${source%.*}")
	tap_ok "$name" env BUILD="$build" LD_PRELOAD="$lib" "$build/tests/integration/$name"
done

# same NAME COMMAND...
same() {
	local name=$1
	shift
	"$@" >"$tmp/plain" 2>&1
	LD_PRELOAD=$lib "$@" >"$tmp/secure" 2>&1
	tap_same "$tmp/secure" "$tmp/plain" "$name: same output in secure mode"
}

for table in fine classic; do
	for boundary in 0 7; do
		export HAKMEM_SIZE_CLASSES=$table HAKMEM_TINY_MAX_CLASS=$boundary
		same "perl, $table, C$boundary" perl -e 'my %h; $h{$_} = "x" x ($_ % 3000) for 1 .. 20000;
			delete $h{3 * $_} for 1 .. 5000; print join(",", map { length $h{$_} } sort keys %h), "\n"'
	done
done
unset HAKMEM_SIZE_CLASSES HAKMEM_TINY_MAX_CLASS
same "awk" awk 'BEGIN { for (i = 0; i < 100000; i++) { s = s "" i % 10; a[i % 977] = a[i % 977] i }; print length(s), length(a[5]) }'
same "sort" sort -r "$top/lib/heap.c"
tap_done
