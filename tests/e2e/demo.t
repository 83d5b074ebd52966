#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `make demo` runs: a report of a real program, the demonstration case, and no trace of it left.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng

mkdir "$tmp/work"
TMPDIR=$tmp/work HAKMEM_BUILD=$build bash "$top/tests/support/demo.sh" >"$tmp/out" 2>&1
status=$?
tap_is "$status" 0 "the demo runs to its end" || tap_note "$(tail -n 20 "$tmp/out")"
tap_is "$(grep -c '^lost  *0 events' "$tmp/out")" 2 "two reports, no event lost"
tap_is "$(grep -c '^Classes' "$tmp/out")" 2 "both have a table of classes"
tap_like "$(cat "$tmp/out")" 'M8192 +mid +8192 .* 87\.[45] ' "the case shows 8192-byte blocks of mid, 87.5 % waste"
tap_like "$(cat "$tmp/out")" 'requests .*miss Tiny by 1( to [0-9]+ bytes| byte) and take 8192-byte blocks of mid: 87\.5 %' "and a finding says why"
tap_empty "$(ls -A "$tmp/work")" "nothing is left behind"
tap_done
