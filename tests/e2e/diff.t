#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hakstat diff of runs of different length, from stored traces.
. "$(dirname "$0")/../support/tap.sh"
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
"$hakstat" report --format summary -o twice.summary base.summary base.summary
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
tap_is "$(json live.json 'd["base_scale"], {r["change_bytes"] for r in d["classes"]}')" "2.0 {0}" "and per live byte as well"
"$hakstat" diff --per operation --format json base.summary worse.summary >worse.json
tap_is "$(json worse.json 'd["classes"][0]["name"], d["classes"][0]["change_bytes"], {r["change_bytes"] for r in d["classes"][1:]}')" \
	"M8192 10000 {0}" "what changed most comes first"
tap_like "$("$hakstat" diff base.summary twice.summary)" "^the runs differ in length, [0-9]+ and [0-9]+ allocations: --per operation" \
	"runs of different length are pointed out"
tap_like "$("$hakstat" diff --per operation base.summary twice.summary)" "^waste of base is scaled by 2, from" "and scaling is said"
tap_like "$("$hakstat" diff base.summary twice.summary)" "^live +[0-9]+ +[0-9]+ " "what is live stands beside the sum"
tap_done
