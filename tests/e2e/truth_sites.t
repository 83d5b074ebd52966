#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The call sites of a report against calls that are known in advance: whole stacks with functions,
# lines and modules, and the bytes of each, to the last one. Every block is sampled, so nothing is an
# estimate. Then saved summaries of several recordings: they add up, in any order of merging.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
cd "$tmp" || exit 1
program=$build/tests/e2e/truth_sites
part=$build/tests/e2e/truth_part.so

"$program" describe "$part" >list
tap_ok "the list has many call sites" test "$(sed 's/.*"stack"//' list | sort -u | wc -l)" -gt 80

# record NAME HOW [VARIABLE=VALUE...]
record() {
	if ! env HAKMEM_SAMPLE_BYTES=1 "${@:3}" "$hakstat" record --mode full -o "$1" -- "$program" "$2" "$part" >"$1.log" 2>&1 ||
		! "$hakstat" report --format json -o "$1.json" "$1" 2>>"$1.log"; then
		tap_result 1 "$1 is recorded and reported"
		tap_note "$(cat "$1.log")"
	fi
}
check() {
	"$python" "$top/tests/e2e/truth_sites.py" "$@"
}

record idle idle
record run run
tap_ok "fine: run minus idle is the list" check exact list run.json idle.json fine 7
record classic-idle idle HAKMEM_SIZE_CLASSES=classic HAKMEM_TINY_MAX_CLASS=5
record classic-run run HAKMEM_SIZE_CLASSES=classic HAKMEM_TINY_MAX_CLASS=5
tap_ok "classic, C5: likewise" check exact list classic-run.json classic-idle.json classic 5

# Merging. A second run of the same, one under another table, and an idle one.
record again run
for name in run again classic-run idle; do
	"$hakstat" report --format summary -o "$name.summary" "$name"
	"$hakstat" report --format json -o "$name.saved.json" "$name.summary"
	tap_ok "$name: a saved summary says what its trace says" cmp "$name.json" "$name.saved.json"
done
# merge NAME PART...
merge() {
	"$hakstat" report --format summary -o "$1.summary" "${@:2}"
	"$hakstat" report --format json -o "$1.json" "$1.summary"
}
merge ab run.summary again.summary
merge bc again.summary classic-run.summary
merge ab-c ab.summary classic-run.summary
merge a-bc run.summary bc.summary
merge c-b-a classic-run.summary again.summary run.summary
tap_ok "(a + b) + c is a + (b + c)" cmp ab-c.json a-bc.json
tap_ok "and c + b + a" cmp ab-c.json c-b-a.json
"$hakstat" report --format json -o traces.json run again classic-run
tap_ok "and what the traces say together" cmp ab-c.json traces.json
tap_ok "each number of two runs is the sum of theirs" check sum ab.json run.json again.json
tap_ok "and of three" check sum ab-c.json run.json again.json classic-run.json

# Two runs less two idle ones are the list twice. The same recording, and its summary, is one.
record still idle
merge idles idle.summary still
merge same idle.summary idle
sums() {
	"$python" -c 'import json, sys
report = json.load(open(sys.argv[1]))
print(report["totals"], report["sites"])' "$1"
}
tap_is "$(sums same.json)" "$(sums idle.json)" "a recording beside its own summary counts once"
tap_ok "two runs are the list twice" check exact list ab.json idles.json fine 7 2
tap_done
