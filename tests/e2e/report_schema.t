#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What hakstat writes as JSON, about stored traces and a real recording, is as docs/hakstat.schema.json says.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
"$python" -c 'import jsonschema' 2>/dev/null || tap_skip_all "python3-jsonschema is missing"
cd "$tmp" || exit 1

# valid NAME FILE...: and all that is in the files is described.
valid() {
	tap_is "$("$python" -W ignore "$top/tests/e2e/report_schema.py" "$top/docs/hakstat.schema.json" "${@:2}" 2>&1)" "" "$1"
}
# changed FILE STATEMENT: a copy of a valid document, made wrong; its name is printed.
changed() {
	"$python" - "$1" "$2" <<'END'
import json, sys

d = json.load(open(sys.argv[1]))
exec(sys.argv[2])
json.dump(d, open("changed.json", "w"))
END
}

for mode in full sample events; do
	tar -xzf "$top/tests/data/ctf/good/$mode.tar.gz"
	"$hakstat" report --format json -o "$mode.json" "$mode"
done
valid "reports of all modes" full.json sample.json events.json
for by in class route size site thread process time heap; do
	"$hakstat" report --format json --by "$by" -o "by-$by.json" full
done
valid "of one table" by-*.json
"$hakstat" diff --format json -o diff.json sample full
"$hakstat" diff --format json --per live-byte --by class -o diff-class.json sample full
"$hakstat" whatif --size-classes fine --format json full >whatif.json
"$hakstat" tune --max-classes 30 --format json full >tune.json
"$hakstat" explain --format json 1000 >explain.json
"$hakstat" explain --format json 0 >explain-nothing.json
"$hakstat" classes --format json --size-classes classic >classes.json
valid "diff, whatif, tune, explain, classes" diff*.json whatif.json tune.json explain*.json classes.json
"$hakstat" report --format summary -o full.summary full
changed full.summary 'd["lost_events"] = 3; d["partial"] = 1; d["lost_unknown"] = 1; d["config"]["known"] = False'
mv changed.json lossy.summary
"$hakstat" report --format json -o lossy.json lossy.summary 2>said
"$hakstat" diff --format json -o lossy-diff.json full lossy.summary
valid "what is not known, or lost" lossy.json lossy-diff.json

# A real recording of the interpreter, with forks and threads.
cat >program.py <<'END'
import subprocess, sys, threading

keep = [bytearray(n % 5000) for n in range(5000)]
threads = [threading.Thread(target=lambda: keep.append([bytes(n) for n in range(3000)])) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
subprocess.run(["/bin/true"])
END
export HAKMEM_SAMPLE_BYTES=16K # of some 30 MiB: more call sites than chance could leave out
for mode in full sample; do
	recorded "$mode" "recorded-$mode" "$python" program.py
	"$hakstat" report --top 100 --format json -o "real-$mode.json" "recorded-$mode"
done
unset HAKMEM_SAMPLE_BYTES
"$hakstat" diff --by route --format json -o real-diff.json recorded-full recorded-sample
"$hakstat" tune --max-classes 40 --format json recorded-sample >real-tune.json
valid "of a real program" real-*.json
"$hakstat" ab -a HAKMEM_TINY_MAX_CLASS=7 -b HAKMEM_TINY_MAX_CLASS=5 -n 2 --recordings 1 --format json -- "$python" -c 'x = [bytes(n) for n in range(2000)]' \
	>ab.json 2>log || tap_note "$(cat log)"
"$hakstat" ab -a HAKMEM_TINY_MAX_CLASS=7 -n 2 --recordings 0 --format json -- "$python" -c 1 >ab-timed.json 2>log || tap_note "$(cat log)"
valid "ab, with and without recordings" ab*.json
tap_is "$("$python" -c 'import json; d = json.load(open("real-full.json")); print(len(d["sites"]) > 10, len(d["processes"]) > 1, len(d["threads"]) > 3)')" \
	"True True True" "these had much to describe"

# The check itself can say no.
# refuses NAME PATTERN STATEMENT: of the full report, changed.
refuses() {
	changed full.json "$3"
	tap_like "$("$python" -W ignore "$top/tests/e2e/report_schema.py" "$top/docs/hakstat.schema.json" changed.json)" "$2" "$1 is noticed"
}
refuses "a key that is missing" "'waste_bytes' is a required property" 'del d["classes"][0]["waste_bytes"]'
refuses "a key that nobody described" "'what' was unexpected" 'd["totals"]["what"] = 1'
refuses "a text for a number" "totals/allocs: '5' is not of type" 'd["totals"]["allocs"] = "5"'
refuses "another kind of document" "is not described" 'd["schema"] = "hakstat.report/9"'
tap_done
