#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A full-mode report against a list of requests that is known in advance: counts and bytes of
# every class, route and reason are equal, to the last byte, under each table and boundary.
# What libc, the loader and thread creation ask for is measured by the same program without
# requests, and subtracted.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng

truth=$build/tests/e2e/truth
"$truth" describe >"$tmp/list"
tap_ok "the list is long enough to mean something" test "$(wc -l <"$tmp/list")" -gt 150

printf '%s\n' '# own table' 16 64 208 1040 4096 20000 65536 >"$tmp/own"

# exact TABLE-VALUE TABLE-RULE TINY_MAX_CLASS
exact() {
	local how part
	for how in run idle; do
		part="$tmp/$how"
		if ! HAKMEM_SIZE_CLASSES=$1 HAKMEM_TINY_MAX_CLASS=$3 "$hakstat" record --mode full -o "$part.trace" -- \
			"$truth" "$how" >"$part.log" 2>&1 ||
			! "$hakstat" report --format json -o "$part.json" "$part.trace" 2>>"$part.log"; then
			tap_result 1 "$2, C$3: $how is recorded and reported"
			tap_note "$(cat "$part.log")"
			return
		fi
	done
	tap_ok "$2, C$3: run minus idle is the list" \
		"$python" "$top/tests/e2e/truth.py" "$tmp/list" "$tmp/run.json" "$tmp/idle.json" "$2" "$3"
	rm -rf "$tmp/run.trace" "$tmp/idle.trace"
}

exact fine fine 7
exact fine fine 5
exact classic classic 7
exact classic classic 5
exact "@$tmp/own" 16,64,208,1040,4096,20000,65536 7
tap_done
