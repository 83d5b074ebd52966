#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The boundary case: under the classic table 1024-byte requests take 8192-byte blocks of mid,
# wherever the Tiny boundary is; with the boundary at C5, sizes 256..1023 follow them and the
# reason says so. Under the fine table the boundary moves requests to another route and costs
# no byte.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng

# recorded TABLE TINY_MAX_CLASS SIZE...: a full recording of 1000 requests of each size; $json is its report.
recorded() {
	local name="$1-C$2-$#"
	json=$tmp/$name.json
	HAKMEM_SAMPLE_BYTES=4K HAKMEM_SIZE_CLASSES=$1 HAKMEM_TINY_MAX_CLASS=$2 "$hakstat" record --mode full -o "$tmp/$name" -- \
		"$build/tests/e2e/requests" 1000 "${@:3}" >"$tmp/log" 2>&1 &&
		"$hakstat" report --format json -o "$json" "$tmp/$name" >>"$tmp/log" 2>&1
	tap_result $? "$name: recorded and reported" || tap_note "$(cat "$tmp/log")"
	"$hakstat" report "$tmp/$name" >"$tmp/report.txt" 2>&1
}

# ask EXPRESSION: evaluated over the report; `size(n)` is the row of a request size, `route(r, reason)`
# the row of a route, `cls(block)` the row of a class.
ask() {
	"$python" - "$json" "$1" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
def one(rows, **want):
    found = [r for r in rows if all(r[k] == v for k, v in want.items())]
    return found[0] if len(found) == 1 else {}
def size(n): return one(report["sizes"], requested_min=n, requested_max=n)
def cls(block): return one(report["classes"], usable=block)
def route(name, reason): return one(report["routes"], route=name, reason=reason)
by_id = {c["class_id"]: c for c in report["classes"] if "class_id" in c}
try:
    print(eval(sys.argv[2]))
except Exception as problem:
    print(f"{type(problem).__name__}: {problem}")
PY
}

for boundary in 5 7; do
	recorded classic "$boundary" 1024
	tap_is "$(ask 'size(1024)["allocs"], by_id[size(1024)["class_id"]]["route"], by_id[size(1024)["class_id"]]["usable"]')" \
		"(1000, 'mid', 8192)" "classic, C$boundary: 1024 bytes are served by mid in blocks of 8192"
	tap_is "$(ask 'size(1024)["waste_bytes"] / (size(1024)["allocs"] * 8192) * 100')" 87.5 \
		"classic, C$boundary: 87.5 % of them are waste"
	tap_like "$("$hakstat" explain 1024 --size-classes classic --tiny-max-class "$boundary" | paste -sd ' ')" \
		'route +mid .*usable +8192 .*waste +7168 bytes, 87\.5 %' "classic, C$boundary: explain says it without a trace"
done
tap_like "$(cat "$tmp/report.txt")" '1024-byte requests .*miss Tiny by 1 byte .*8192-byte blocks of mid: 87\.5 %' \
	"classic, C7: the finding says it in a sentence"

recorded classic 5 255 256 512 1023 1024
tap_is "$(ask '[by_id[size(n)["class_id"]]["usable"] for n in (255, 256, 512, 1023)]')" "[256, 8192, 8192, 8192]" \
	"classic, C5: from 256 bytes on, blocks have 8192"
tap_is "$(ask 'route("mid", "boundary")["allocs"], route("mid", "boundary")["min_requested"], route("mid", "boundary")["max_requested"]')" \
	"(3000, 256, 1023)" "classic, C5: the reason of 256..1023 is boundary"
# The diagnosis as a reader makes it: the first recording against the second.
recorded classic 7 255 256 512 1023 1024
"$hakstat" diff "$tmp/classic-C7-7" "$tmp/classic-C5-7" >"$tmp/diff.txt" 2>&1
tap_like "$(cat "$tmp/diff.txt")" \
	'^requests of 256[.]{3}1023 bytes moved from tiny C6, C7 to mid M8192: [+][0-9.]+ MiB of waste, .* bytes each; HAKMEM_TINY_MAX_CLASS 7 -> 5$' \
	"classic, C7 to C5: one finding with the range, from where to where, the waste and the option"
tap_like "$(grep -A 1 '^requests of 256' "$tmp/diff.txt")" '^  asked for, among other sizes, by keep_buffer [(]requests.c:[0-9]+[)] < main ' \
	"and the call site"
json=$tmp/diff.json
"$hakstat" diff --format json -o "$json" "$tmp/classic-C7-7" "$tmp/classic-C5-7" 2>"$tmp/log"
tap_is "$(ask '[(m["from"], m["to"], m["option"], "keep_buffer" in m["sites"][0]["name"]) for m in report["moves"]]')" \
	"[('tiny C6, C7', 'mid M8192', 'HAKMEM_TINY_MAX_CLASS 7 -> 5', True)]" "its JSON has the same, and no other move"
"$hakstat" whatif --tiny-max-class 5 --format json -o "$tmp/whatif.json" "$tmp/classic-C7-7" 2>"$tmp/log"
tap_ok "whatif on the first recording predicts the second within a point" "$python" - "$tmp" <<'PY'
import json, sys
def waste(name): return json.load(open(f"{sys.argv[1]}/{name}"))["totals"]["waste_percent"]
before, told, came = waste("classic-C7-7.json"), waste("whatif.json"), waste("classic-C5-7.json")
print(before, told, came)
sys.exit(not (abs(told - came) <= 1 and came > before + 10))
PY
tap_like "$("$hakstat" explain 1024 --size-classes classic)" \
	'^reason +size_fit: the block of C7 has 1024 bytes but serves at most 1023 .* M8192' "explain says why one byte decides"

json=$tmp/classic-C5-7.json
tap_is "$(ask 'route("mid", "boundary")["waste_bytes"]')" $((3000 * 8192 - 1000 * (256 + 512 + 1023))) \
	"classic, C5: and their waste is counted there"

recorded fine 7 255 256 300 512 700 1023 1024
fine7=$(ask '[(c["usable"], c["waste_bytes"]) for c in report["classes"] if c["allocs"] >= 1000]')
recorded fine 5 255 256 300 512 700 1023 1024
tap_is "$(ask '[(c["usable"], c["waste_bytes"]) for c in report["classes"] if c["allocs"] >= 1000]')" "$fine7" \
	"fine: the same blocks and the same waste at C5 and C7"
tap_is "$(ask 'route("smallmid", "boundary")["allocs"], route("smallmid", "boundary")["min_requested"], route("smallmid", "boundary")["max_requested"]')" \
	"(5000, 300, 1024)" "fine, C5: 257..1024 go to smallmid, by the boundary"
"$hakstat" diff "$tmp/fine-C7-9" "$tmp/fine-C5-9" >"$tmp/diff.txt" 2>&1
tap_is "$(grep -A 1 ' moved ' "$tmp/diff.txt" | paste -sd '|')" \
	"requests of 300...1024 bytes moved from tiny C6.320 ... C7.1024 to smallmid S320 ... S1024, in blocks as large as before: 0 B of waste, 17.8 -> 17.8 bytes each; HAKMEM_TINY_MAX_CLASS 7 -> 5|" \
	"fine, C7 to C5: one finding for all eight classes, that costs nothing and accuses no site"
tap_done
