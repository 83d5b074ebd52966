#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Reports about the stored traces, whose numbers are known: tests/data/ctf/requests.c is what ran.
. "$(dirname "$0")/../support/tap.sh"
cd "$tmp" || exit 1
for mode in full sample events; do
	tar -xzf "$top/tests/data/ctf/good/$mode.tar.gz"
	for by in class route size; do
		"$hakstat" report --format csv --by "$by" "$mode" >"$mode.$by.csv"
		tap_ok "$mode by $by is as expected" diff "$top/tests/data/expect/$mode.$by.csv" "$mode.$by.csv"
	done
done

# json EXPRESSION [OPTIONS...]: of the report about the full trace.
json() {
	local expression=$1
	shift
	"$hakstat" report --format json "${@:-full}" | python3 -c "import json, sys
d = json.load(sys.stdin)
print($expression)"
}

tap_is "$(json 'd["schema"]')" hakstat.report/1 "the JSON names its schema"
tap_is "$(json '[d["trace"][k] for k in ("mode", "estimated", "lost_events", "operations")]')" "['full', False, 0, 42]" \
	"the JSON says what was recorded and lost"
tap_is "$(json '[(c["allocs"], c["frees"], c["requested_bytes"], c["waste_bytes"]) for c in d["classes"] if c["name"] == "M8192"]')" \
	"[(30, 4, 23480, 222280)]" "the requests of 1024 and 300 bytes are in 8192-byte blocks"
tap_is "$(json '[(r["reason"], r["min_requested"], r["allocs"]) for r in d["routes"] if r["reason"] == "boundary"]')" \
	"[('boundary', 300, 10)]" "requests that the boundary sends on have their own row"
tap_is "$(json '[s["waste_percent"] for s in d["sizes"] if s["requested_min"] == 1024]')" "[87.5]" \
	"a 1024-byte request wastes 87.5 %"
tap_is "$(json 'd["totals"]["requested_bytes"] == sum(c["requested_bytes"] for c in d["classes"]) == sum(r["requested_bytes"] for r in d["routes"])')" \
	True "classes and routes add up to the totals"
tap_is "$(json 'sorted({f["kind"] for f in d["findings"]} & {"boundary", "table"})')" "['boundary', 'table']" \
	"the findings name the boundary and the better table"
tap_is "$(json 'd["trace"]["estimated"], d["totals"]["ci95_percent"] > 0' sample)" "True True" \
	"a sampled trace says that it is an estimate, and how good"
# Another recording like it, to be told from it.
"$hakstat" report --format summary -o full.summary full
sed 's/"traces":\["[0-9a-f]*/"traces":["0/' full.summary >another.summary
m8192='[(c["allocs"], c["requested_bytes"]) for c in d["classes"] if c["name"] == "M8192"]'
tap_is "$(json "$m8192" full another.summary)" "[(60, 46960)]" "two traces merge"
tap_is "$(json "$m8192" full full)" "[(30, 23480)]" "a trace that is given twice counts once"
tap_is "$(json "$m8192" full full.summary another.summary)" "[(60, 46960)]" "so does what was saved of it"
tap_like "$("$hakstat" report full full)" "^note +full is the same recording as one given before it: it counts once" \
	"and the report says so"
mkdir both && cp -r full sample both
tap_is "$("$hakstat" report full both 2>&1 >out; echo $?; cat out)" \
	"hakstat: both holds a recording, or a part of one, that was given before it: give each recording once
2" "what holds a trace beside others is refused after it"

# live FILE: how well the blocks that are live, at the end and at the peak, are known.
live() {
	json '[d["totals"][k + "_ci95"] for k in ("live_requested_bytes", "live_waste_bytes", "peak_live_waste_bytes", "waste_byte_seconds")]' "$1"
}
"$hakstat" report --format summary -o sample.summary sample
sed 's/"has_level_variances":1,//; s/,"\(live\|peak\|area\)_[a-z_]*variance":[^,}]*//g' sample.summary >older.summary
sed -i 's/"traces":\[[^]]*\],//' older.summary
"$hakstat" report --format summary -o both.summary older.summary sample
tap_is "$(json 'd["totals"]["live_waste_bytes_ci95"] > 0, d["totals"]["peak_live_waste_bytes_ci95"] > 0, d["totals"]["live_ci95"]' sample)" \
	"True True 0" \
	"what live blocks were asked for is an estimate, their number is not"
tap_is "$(live sample.summary)" "$(live sample)" "a saved summary knows that"
tap_is "$(live older.summary)" "[None, None, None, None]" "an older one does not"
tap_is "$(live both.summary)" "[None, None, None, None]" "nor does what it was merged into"
tap_is "$(live full)" "[0, 0, 0, 7]" "operations leave nothing to chance, but for the time before the first of them"
tap_like "$("$hakstat" report sample)" "^live .* ±94[.]4 KiB of it waste" "the table has the interval of live waste"

# change FILE: how well the change of waste of the mid class is known, between FILE and another recording like it.
change() {
	"$hakstat" diff --format json "$1" "$1" | python3 -c 'import json, sys
print([c["change_bytes_ci95"] for c in json.load(sys.stdin)["classes"] if c["name"] == "M8192"])'
}
tap_is "$(change sample)" "$(json '[round(2**.5 * c["waste_bytes_ci95"]) for c in d["classes"] if c["name"] == "M8192"]' sample)" \
	"a change of two estimates is less certain than each of them"
tap_is "$(change full)" "[0]" "one of two exact numbers is exact"
tap_like "$(LC_ALL=C.UTF-8 "$hakstat" whatif --size-classes fine sample)" "^waste( +[0-9.]+ KiB ±[0-9.]+ KiB){3}" \
	"a prediction and its saving have their intervals"
tap_like "$(LC_ALL=C "$hakstat" whatif --size-classes fine sample)" "^waste( +[0-9.]+ KiB [+]-[0-9.]+ KiB){3}" \
	"where a character is a byte as well"
tap_is "$("$hakstat" whatif --size-classes fine --format json full | python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["saving_bytes_ci95"], d["totals"]["waste_bytes_ci95"])')" "0 0" "and none is needed where operations were recorded"

text=$("$hakstat" report full)
tap_like "$text" "^lost +0 events" "the table states that nothing was lost"
tap_like "$text" "^mid +boundary +300 +300 +10 " "the table has the boundary's row"
tap_like "$text" "HAKMEM_TINY_MAX_CLASS=5 ends Tiny at 255 bytes" "and a sentence about it"
tap_empty "$(grep -P '\x1b' <<<"$text")" "no colours but on a terminal"
tap_like "$("$hakstat" report --exact full)" "^M8192 .* 23480 +245760 +222280 " "--exact shows every digit"
tap_is "$("$hakstat" report --by size --top 1 --format csv full | wc -l)" 2 "--top keeps the first rows"
tap_is "$("$hakstat" report --by size --sort requested_bytes --top 1 --format json full | python3 -c 'import json, sys
print(json.load(sys.stdin)["sizes"][0]["requested_min"])')" 300000 "--sort orders by any column"
tap_ok "--strict is content with a whole trace" "$hakstat" report --strict -o whole.txt full
tap_like "$(cat whole.txt)" "^all +38 allocations, 4 frees" "-o writes to a file"
tap_done
