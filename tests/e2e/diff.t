#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hakstat diff for CI and for runs of different length: gates, budgets, JUnit, benchmark history. From
# stored traces.
. "$(dirname "$0")/../support/tap.sh"
tap_need xmllint
cd "$tmp" || exit 1
tar -xzf "$top/tests/data/ctf/good/full.tar.gz"

# json FILE EXPRESSION
json() {
	python3 -c "import json, sys
d = json.load(open(sys.argv[1]))
print($2)" "$1" 2>&1
}

# edit FROM TO STATEMENT: a summary, changed.
edit() {
	python3 -c "import json, sys
s = json.load(open(sys.argv[1]))
$3
json.dump(s, open(sys.argv[2], 'w'))" "$1" "$2"
}

"$hakstat" report --format summary -o base.summary full
edit base.summary again.summary 's["traces"] = []'
"$hakstat" report --format summary -o twice.summary base.summary again.summary
edit base.summary lossy.summary 's["lost_events"] = 7'
edit base.summary worse.summary '
for row in s["tables"]["class"]:
    if row["class_name"] == "M8192":
        row["n"]["requested_bytes"] -= 10000'

# Length.
"$hakstat" diff --format json base.summary twice.summary >run.json
tap_is "$(json run.json 'd["per"], d["base_scale"], d["totals"]["waste_bytes_change"] == d["totals"]["base"]["waste_bytes"] > 0')" \
	"run 1.0 True" "a run twice as long wastes twice as much"
"$hakstat" diff --per operation --format json base.summary twice.summary >operation.json
tap_is "$(json operation.json 'd["base_scale"], {r["change_bytes"] for t in ("classes", "routes", "sizes", "sites") for r in d[t]}')" \
	"2.0 {0}" "per operation it wastes as much"
"$hakstat" diff --per live-byte --format json base.summary twice.summary >live.json
tap_is "$(json live.json 'd["base_scale"], {r["change_bytes"] for r in d["classes"]} - {None}')" "2.0 {0}" "and per live byte as well, where it is known"
"$hakstat" diff --per operation --format json base.summary worse.summary >worse.json
tap_is "$(json worse.json 'd["classes"][0]["name"], d["classes"][0]["change_bytes"], {r["change_bytes"] for r in d["classes"][1:]}')" \
	"M8192 10000 {0}" "what changed most comes first"
tap_like "$("$hakstat" diff base.summary twice.summary)" "^the runs differ in length, [0-9]+ and [0-9]+ allocations: --per operation" \
	"runs of different length are pointed out"
tap_like "$("$hakstat" diff --per operation base.summary twice.summary)" "^waste of base is scaled by 2, from" "and scaling is said"
tap_like "$("$hakstat" diff base.summary twice.summary)" "^live +[0-9]+ +[0-9]+ " "what is live stands beside the sum"

# What is not known is not 0.
edit base.summary unknown.summary '
for row in s["tables"]["class"]:
    if row["class_name"] == "M8192":
        n = row["n"]
        n["unknown_allocs"], n["unknown_bytes"], n["requested_bytes"] = n["allocs"], n["usable_bytes"], 0'
edit base.summary nothing.summary '
for row in s["tables"]["class"]:
    n = row["n"]
    if n.get("allocs"):
        n["unknown_allocs"], n["unknown_bytes"], n["requested_bytes"] = n["allocs"], n["usable_bytes"], 0
    if n.get("live"):
        n["live_unknown"], n["live_unknown_bytes"], n["live_requested_bytes"] = n["live"], n["live_usable_bytes"], 0'
tap_like "$("$hakstat" diff --by class unknown.summary worse.summary)" "^M8192 +([0-9]+) +\1 +[?] +[0-9.]+ KiB +[?] +[?] +[?] +[0-9.]+$" \
	"a class whose requests are unknown on one side has no waste there, and no change"
tap_like "$("$hakstat" diff nothing.summary base.summary)" "^all +([0-9]+) +\1 +[?] +[0-9.]+ KiB +[?] +[?] +[?] +[0-9.]+$" \
	"nor have the totals"
"$hakstat" diff --format json unknown.summary worse.summary > unknown.json
tap_is "$(json unknown.json '[(r["base"]["waste_bytes"], r["new"]["waste_bytes"] > 0, r["waste_bytes_change"], r["change_bytes"], r["change_bytes_ci95"]) for r in d["classes"] if r["name"] == "M8192"]')" \
	"[(None, True, None, None, None)]" "and JSON says null of them"
tap_like "$("$hakstat" report nothing.summary)" "^all .*; requested [?], usable [0-9.]+ [KM]iB, waste [?]$" "nor has the head of a report"
tap_like "$("$hakstat" report nothing.summary)" "^live .* [?] of it waste" "nor what is live"
tap_like "$("$hakstat" report unknown.summary)" \
	"^all .* [(][0-9.]+ %[)]; requested and waste are of the [0-9.]+ % of allocations whose requests are known, with [0-9.]+ [KM]iB usable$" \
	"which says of how many its waste is"

# Who asks for what moved, and how much of a table is shown.
for side in fine classic; do
	gzip -dc "$top/tests/data/redis/redis-$side.summary.gz" >"redis-$side.summary"
done
"$hakstat" diff redis-fine.summary redis-classic.summary >moves
moved=$(grep -A 2 '^requests of 128[.][.][.]136 bytes' moves)
tap_like "$(cat moves)" "^Call sites [(]estimated from samples[)] [(]10 of [0-9]+[)]$" "call sites say in their title that nobody counted them"
tap_like "$moved" "^  asked for by .* initConfigValues .*: [+][0-9.]+ KiB of waste$" "a call site that asks for nothing else is said with its waste"
tap_like "$moved" "^  asked for, among other sizes, by .* hashTypeSet [^:]*$" "one that asks for more, without"
"$hakstat" diff --format json redis-fine.summary redis-classic.summary >moves.json
tap_is "$(json moves.json '[[s["waste_bytes_change"] is None for s in m["sites"]] for m in d["moves"] if m["requested_min"] == 128]')" \
	"[[False, True]]" "and so it is in JSON"
classes=$(json moves.json 'len([c for c in d["classes"] if c["base"]["allocs"] != c["new"]["allocs"] or c["waste_bytes_change"]])')
tap_like "$(cat moves)" "^Classes [(]10 of ${classes}[)]$" "a table says of how many rows it is"
tap_like "$("$hakstat" diff --format markdown redis-fine.summary redis-classic.summary)" "^### Classes [(]10 of ${classes}[)]$" "in markdown as well"
tap_like "$("$hakstat" diff --top 1000 redis-fine.summary redis-classic.summary)" "^Classes$" "but not when it has all"

# Gates.
# gate STATUS NAME OPTION...: exit status of a diff; $said is its stderr.
gate() {
	local want=$1 name=$2
	shift 2
	said=$("$hakstat" diff "$@" 2>&1 >out)
	tap_is "$?" "$want" "$name" || tap_note "$said"
}
cat >budget <<'END'
# what we allow
class M8192 waste_percent < 95
total live_waste_bytes <= +5%   # of the base

route mid allocs == 30
END
gate 0 "a budget that holds" --budget budget base.summary base.summary
gate 1 "a waste that grew too much" --fail-on 'total waste_bytes > +1%' base.summary worse.summary
tap_like "$said" "gate: total waste_bytes > [+]1%: holds, and must not; it is [0-9.]+ % more than before" "says by how much"
gate 0 "one that is small enough" --fail-on 'total waste_bytes > +50%' base.summary worse.summary
gate 1 "of several conditions each counts" --fail-on 'total waste_bytes > +1%' --fail-on 'total waste_bytes > +50%' base.summary worse.summary
tap_like "$said" "^hakstat: 1 of 2 gates failed$" "and the failed ones are counted, of those that were given"
gate 1 "none passes on an incomplete trace" --fail-on 'total waste_bytes > +50%' base.summary lossy.summary
tap_like "$said" "^hakstat: 0 of 1 gate failed, and none passes on incomplete traces$" "which is no gate of the user's"
gate 1 "a class that is not there decides nothing, and does not pass" --fail-on 'class C99 waste_bytes > 0' base.summary base.summary
tap_like "$said" "cannot be decided: the report does not have this number" "and says so"
gate 0 "a route that took nothing has 0" --fail-on 'route smallmid allocs > 0' --fail-on 'route smallmid waste_percent > 15' base.summary base.summary
gate 0 "and so has a class that served nothing" --fail-on 'class C0 waste_percent > 15' base.summary base.summary
gate 2 "a route that there is not is refused" --fail-on 'route medium allocs > 0' base.summary base.summary
gate 2 "and so is a percentage of bytes without a sign" --fail-on 'total waste_bytes > 5%' base.summary base.summary
tap_like "$said" ": a percentage of the base has a sign, as [+]5% has; such as" "and what is missing is said"
gate 1 "with lost events no gate passes" --budget budget base.summary lossy.summary
tap_like "$said" "no gate passes on an incomplete trace" "and says why"
gate 1 "on neither side" --budget budget lossy.summary base.summary
gate 0 "unless told to" --allow-lost --budget budget base.summary lossy.summary
gate 3 "--strict refuses them before any gate" --strict --budget budget base.summary lossy.summary

# Bad conditions: found before any trace is read.
printf 'total waste_bytes < 5\n\n# comment\nclass C7 waist < 5\n' >bad
gate 2 "a condition that is none" --budget bad no/such no/such
tap_like "$said" "^hakstat: bad:4: condition 'class C7 waist < 5': there is no such number in that row, see .*; such as" "is named with its line"
printf '# nothing\n' >hollow
gate 2 "a budget without conditions is refused" --budget hollow base.summary base.summary
printf 'total waste_bytes < 5\0' >zero
gate 2 "and one that is no text" --budget zero base.summary base.summary
gate 2 "and one that is missing" --budget no/such base.summary base.summary
gate 2 "a condition of --fail-on that is none" --fail-on 'total waste_bytes >' no/such no/such
tap_like "$said" "^hakstat: --fail-on: condition 'total waste_bytes >': a column, an operator and a number must follow" "is named as well"

# JUnit.
"$hakstat" diff --format junit --budget budget --fail-on 'total waste_bytes > +1%' -o junit.xml base.summary worse.summary 2>said
tap_is "$?" 1 "JUnit is written when a gate fails, and the exit status says so"
tap_ok "it is well-formed" xmllint --noout junit.xml
tap_is "$(python3 - <<'END'
import xml.etree.ElementTree as tree

root = tree.parse("junit.xml").getroot()
(suite,) = root
needed = {"name", "timestamp", "hostname", "tests", "failures", "errors", "time"}
print(root.tag, suite.tag, needed <= set(suite.attrib), suite.get("tests"), suite.get("failures"),
      [child.tag for child in suite])
for case in suite.iter("testcase"):
    print(case.get("classname"), "|", case.get("name"), "|", case.find("failure") is not None)
END
)" "testsuites testsuite True 5 1 ['properties', 'testcase', 'testcase', 'testcase', 'testcase', 'testcase', 'system-out', 'system-err']
--fail-on | total waste_bytes > +1% | True
budget:2 | class M8192 waste_percent < 95 | False
budget:3 | total live_waste_bytes <= +5% | False
budget:5 | route mid allocs == 30 | False
hakstat diff | the traces are complete | False" "each condition is a test case, and so are complete traces"
gate 2 "JUnit without gates is refused" --format junit base.summary base.summary

# Benchmark history, and names that are markup.
"$hakstat" diff --format benchmark base.summary worse.summary >history.json
tap_is "$(json history.json '[e["value"] for e in d if e["name"] == "class M8192 waste_bytes"] == [float(w["waste_bytes"]) for w in ['"$("$hakstat" report --format json worse.summary | python3 -c 'import json, sys; print([c for c in json.load(sys.stdin)["classes"] if c["name"] == "M8192"][0])')"']], {"name", "unit", "value"} <= set(d[0]), d[0]["name"]')" \
	"True True total waste_bytes" "a benchmark history gets the new side's totals and classes"
cp base.summary '<b>|x*.summary'
edit base.summary odd.summary 's["paths"] = ["<b>|x*"]'
tap_like "$("$hakstat" diff --format markdown odd.summary base.summary)" '^- base: &lt;b&gt;\\\|x\\\*, mode full' "markdown escapes what comes from elsewhere"
tap_done
