#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every format of a report, saved summaries, and the commands that compare: from stored traces.
. "$(dirname "$0")/../support/tap.sh"
cd "$tmp" || exit 1
for mode in full sample events; do
	tar -xzf "$top/tests/data/ctf/good/$mode.tar.gz"
done

# json FILE EXPRESSION
json() {
	python3 -c "import json, sys
d = json.load(open(sys.argv[1]))
print($2)" "$1"
}

# Saved summaries.
"$hakstat" report --format json full >direct.json
"$hakstat" report --format summary -o full.summary full
"$hakstat" report --format json full.summary >saved.json
tap_same saved.json direct.json "a saved summary gives the same report as its trace"
"$hakstat" report --format summary -o left.summary full.summary events
"$hakstat" report --format summary -o right.summary events sample
"$hakstat" report --format json left.summary sample >left.json
"$hakstat" report --format json full right.summary >right.json
"$hakstat" report --format json sample events full >turned.json
tap_same left.json right.json "merging is associative"
tap_same turned.json right.json "and does not depend on the order"
printf '{"schema": "hakstat.summary/1"}' >hollow.summary
tap_is "$("$hakstat" report hollow.summary 2>&1; echo $?)" "hakstat: hollow.summary: a damaged summary: a table or a row of it is not as hakstat wrote it
3" "a damaged summary is refused"
tap_is "$("$hakstat" report saved.json 2>&1; echo $?)" "hakstat: saved.json: JSON, but not a saved summary; 'hakstat report --format summary' writes one
3" "other JSON is refused"

python3 - full.summary 5 >unseen.summary <<'END'
import json, sys

s = json.load(open(sys.argv[1]))
s["peak_live_bytes"] += int(sys.argv[2]) << 20
print(json.dumps(s))
END
tap_is "$(json direct.json '[f["kind"] for f in d["findings"] if f["kind"] == "peak"]')" "[]" "snapshots that saw the peak need no word"
tap_like "$("$hakstat" report unseen.summary)" '^[0-9]+[.] the peak of 6[.]5 MiB of live blocks fell between two snapshots; the highest of them saw 1[.]5 MiB, ' \
	"where they missed it the report says so"
"$hakstat" report --format summary -o sample.summary sample
sampled_peak() { # VARIANCE: 9 MiB more that samples know of
	python3 - sample.summary "$1" <<-'END'
	import json, sys

	s = json.load(open(sys.argv[1]))
	n = s["tables"]["size"][0]["n"]
	n["peak_usable_bytes"] = n.get("peak_usable_bytes", 0) + (9 << 20)
	n["peak_usable_variance"] = float(sys.argv[2])
	print(json.dumps(s))
	END
}
sampled_peak 1e12 >unseen.summary
tap_like "$("$hakstat" report unseen.summary)" '^[0-9]+[.] the peak of [0-9.]+ MiB [(]estimated, ±[0-9.]+ MiB at 95 %[)] of live blocks fell between' \
	"and so do samples, with their interval"
sampled_peak 1e14 >unseen.summary
tap_is "$("$hakstat" report unseen.summary | grep -c 'fell between')" 0 "but not when it could be chance"

# Formats.
for by in class route size site thread process time heap; do
	tap_is "$("$hakstat" report --by "$by" --format markdown full | grep -c '^#\+ .')" 2 "markdown by $by has a heading of its own"
done
tap_is "$("$hakstat" report --by heap --format json full >heap.json
json heap.json 'max((h["slab_bytes"], h["external_waste_bytes"]) for h in d["heap"])')" "(655360, 122880)" "the heap over time has slabs"
markdown=$("$hakstat" report --format markdown full)
tap_like "$markdown" "^[|] mid [|] boundary [|] 300 [|] 300 [|] 10 [|]" "markdown has the rows"
tap_like "$markdown" "^## Waste report$" "and headings"
tap_like "$markdown" "^### Call sites [(]estimated from samples[)]$" "one of them says that nobody counted the call sites"
folded=$("$hakstat" report --format folded full)
tap_like "$folded" "^[^ ]*;main;take [0-9]+$|^[^ ]*;requests[+]0x[0-9a-f]+ [0-9]+$" "folded stacks begin with the outermost frame and end with the waste"
tap_is "$(awk '{ sum += $NF } END { print sum }' <<<"$folded")" "$(json direct.json 'sum(s["waste_bytes"] for s in d["sites"])')" \
	"and add up to the waste of the sites"
metrics=$("$hakstat" report --format openmetrics full)
tap_like "$metrics" '^hakmem_allocations[{]class="M8192",route="mid",block="8192",id="[0-9]+"[}] 30$' "openmetrics has a sample for each class"
tap_is "$(tail -1 <<<"$metrics")" "# EOF" "and its end mark"
"$hakstat" report --format pprof -o full.pb.gz full
tap_ok "the pprof file is compressed" gzip -t full.pb.gz
tap_is "$(python3 - full.pb.gz <<'END'
import gzip, sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        yield tag >> 3, value


def numbers(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


profile = list(fields(gzip.open(sys.argv[1]).read()))
strings = [v.decode() for f, v in profile if f == 6]
types = [strings[dict(fields(v))[1]] for f, v in profile if f == 1]
samples = [list(numbers(dict(fields(v))[2])) for f, v in profile if f == 2]
locations = {dict(fields(v))[1] for f, v in profile if f == 4}
used = {n for f, v in profile if f == 2 for n in numbers(dict(fields(v))[1])}
print(types, sum(s[4] for s in samples), used <= locations)
END
)" "['alloc_objects', 'alloc_space', 'inuse_objects', 'inuse_space', 'waste_space'] $(json direct.json 'sum(s["waste_bytes"] for s in d["sites"])') True" \
	"the pprof file has the five values, the waste of the sites, and every location it names"

# The columns of the JSON and the CSV are explained.
"$hakstat" --list-columns >columns
tap_empty "$(awk -F'\t' 'NF != 5 || $5 == ""' columns)" "every column has table, key, unit, header and meaning"
tap_is "$("$hakstat" report --format csv --by size full | head -n 1 | tr -d '\r')" "$(awk -F'\t' '$1 == "size" { print $2 }' columns | paste -sd ,)" \
	"those of a table are the ones of its CSV"

# Sites as a tree.
"$hakstat" report --tree callers --format json full >tree.json
tap_is "$(json tree.json '(lambda t: t["waste_bytes"] == sum(c["waste_bytes"] for c in t["children"]) > 0)(d["tree"])')" True \
	"the waste of the tree's first branches is that of all"
tap_is "$(json tree.json 'd["tree"]["waste_bytes"]')" "$(json direct.json 'sum(s["waste_bytes"] for s in d["sites"])')" \
	"and that of all sites"
tap_like "$(LC_ALL=C.UTF-8 "$hakstat" report --tree callees full)" '^ *[0-9.]+ .* ├─' "for people it is drawn"
tap_like "$("$hakstat" report --tree callers --format csv full 2>&1)" '^hakstat: report: --tree has the formats table and json' \
	"a format that has no tree is refused"
for by in class route size thread process time heap; do
	tap_is "$("$hakstat" report --tree callers --by "$by" full 2>&1; echo $?)" "hakstat: report: --tree is of call sites: leave --by out
2" "so is a tree of the table by $by"
done
tap_is "$("$hakstat" report --tree callers --by site --format json full | cmp - tree.json)" "" "and one by site is the tree"

# What if, and tune.
"$hakstat" whatif full --size-classes fine --tiny-max-class 7 --format json >whatif.json
tap_is "$(json whatif.json '[(c["name"], c["allocs"], c["waste_bytes"]) for c in d["classes"] if c["route"] != "large"]')" \
	"[('C4.112', 5, 60), ('C6.320', 10, 200), ('C7.1024', 20, 0)]" "whatif predicts each class"
tap_is "$(json whatif.json 'd["recorded"]["waste_bytes"] - d["totals"]["waste_bytes"] == d["saving_bytes"]')" True \
	"and the saving"
tap_is "$("$hakstat" whatif full --size-classes classic --tiny-max-class 5 --format json >same.json
json same.json 'd["saving_bytes"]')" 0 "under the recorded table nothing is saved"
tap_like "$("$hakstat" whatif full 2>&1)" "^hakstat: whatif: what is to change" "whatif wants to know what is to change"
ln -s full hakmem.trace
tap_is "$("$hakstat" whatif --size-classes fine; "$hakstat" tune --max-classes 12)" "$("$hakstat" whatif --size-classes fine full; "$hakstat" tune --max-classes 12 full | sed 's/^# full$/# hakmem.trace/')" \
	"what is recorded by default is read by default"
"$hakstat" tune full --max-classes 12 -o tuned.table >tuned.txt
tap_is "$(grep -v '^#' tuned.table | head -3 | paste -sd ' ')" "112 304 1024" "tune finds the blocks that waste least"
tap_ok "its file is a table that hakstat and the allocator load" "$hakstat" classes --size-classes @tuned.table
tap_like "$("$hakstat" tune full --max-classes 3 2>&1)" "^hakstat: tune: no table of at most 3 classes" "too few classes are refused"

# diff.
"$hakstat" report --format summary -o base.summary full
"$hakstat" diff --format json base.summary full >none.json
tap_is "$(json none.json 'd["totals"]["waste_bytes_change"], d["moves"], d["options"]')" "0 [] []" "nothing changed from a trace to itself"
python3 - full.summary >fine.summary <<'END'
import json, sys

s = json.load(open(sys.argv[1]))
s["config"].update(size_classes="fine", tiny_max_class=7)
for table in ("class", "size"):
    for row in s["tables"][table]:
        if row.get("block") == 8192 and (table == "class" or row["requested_min"] == 1024):
            row.update(block=1024, class_name="C7.1024", route=0)
            row["n"]["usable_bytes"] = max(row["n"]["allocs"] * 1024, row["n"]["requested_bytes"])
            row["key"] = row["key"].replace("8192", "1024")
print(json.dumps(s))
END
"$hakstat" diff --format json fine.summary full >moved.json
tap_is "$(json moved.json '[(m["requested_min"], m["from"], m["to"], m["option"]) for m in d["moves"]]')" \
	"[(1024, 'tiny C7.1024', 'mid M8192', 'HAKMEM_SIZE_CLASSES fine -> classic, HAKMEM_TINY_MAX_CLASS 7 -> 5')]" \
	"diff names the size that moved, and the options that moved it"
tap_like "$("$hakstat" diff fine.summary full)" "^requests of 1024 bytes moved from tiny C7.1024 to mid M8192: [+]140.0 KiB of waste" \
	"and says it in a sentence"
tap_like "$("$hakstat" diff --format markdown fine.summary full)" "^[|] M8192 [|] 0 [|] 30 [|]" "diff writes markdown"

# Gates.
# gate STATUS NAME COMMAND...
gate() {
	local want=$1 name=$2
	shift 2
	said=$("$hakstat" "$@" -o /dev/null 2>&1)
	tap_is "$?" "$want" "$name: exit $want"
}
gate 1 "--fail-on a condition that holds" report full --fail-on "total waste_percent > 20"
tap_like "$said" "gate: total waste_percent > 20: holds, and must not; it is 20.05" "and the number is said"
gate 0 "--fail-on one that does not" report full --fail-on "total waste_percent > 30"
printf '# limits\ntotal waste_percent < 25\nclass M8192 waste_percent < 15 # too strict\n' >budget
gate 1 "a budget with one condition that fails" report full --budget budget
tap_like "$said" "gate: class M8192 waste_percent < 15: does not hold; it is 90.4" "and that one is named"
printf 'total waste_percent <\n' >budget
gate 2 "a budget that is none" report full --budget budget
tap_like "$said" "^hakstat: budget:1: condition 'total waste_percent <': a column" "and its line is named"
gate 2 "before a trace is looked for" report no/such --fail-on 'total waist > 1'
gate 1 "growth beyond a percentage" diff fine.summary full --fail-on "total waste_bytes > +5%"
gate 0 "no growth" diff full full --fail-on "total waste_bytes > +0%"
largest=$(find full -name 'ops_*' -size +0 -printf '%s %p\n' | sort -n | tail -1 | cut -d' ' -f2)
truncate -s -100 "$largest"
gate 1 "no gate passes on an incomplete trace" report full --fail-on "total waste_percent > 99"
tap_like "$said" "no gate passes on an incomplete trace" "and the line says why"
gate 0 "but with --allow-lost" report full --allow-lost --fail-on "total waste_percent > 99"
tap_done
