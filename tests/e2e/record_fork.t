#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Processes that come and go under a recording: what a fork child does is counted from its
# first moment, without LTTng's own work, and a process that ends or becomes another program
# while its threads write events takes nothing of the others' with it.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
tap_need babeltrace2
need_lttng

recorded full forks "$build/tests/e2e/forks" 5000 100
tap_is "$(ask '[s["allocs"] for n in (100, 200) for s in r["sizes"] if s["requested_min"] == s["requested_max"] == n]')" \
	"[5000, 5000]" "full: each operation of the parent and of the child, once"
tap_is "$(ask '[f["message"] for f in r["findings"] if "snapshots count" in f["message"]]')" "[]" \
	"full: the counters know of no others"
tap_is "$(ask '[c["live"] // 1000 for n in (112, 224) for c in r["classes"] if c["usable"] == n]')" "[5, 5]" \
	"full: what the child has of its parent is live once"
tap_is "$(ask '[p["live_requested_bytes"] // 100000 for p in sorted(r["processes"], key=lambda p: p["live_requested_bytes"])]')" \
	"[5, 10]" "full: and each process holds its own"

recorded sample forks-sampled "$build/tests/e2e/forks" 5000 100
tap_is "$(ask '[5000 <= c["allocs"] < 5010 for n in (112, 224) for c in r["classes"] if c["usable"] == n]')" "[True, True]" \
	"sample: the counts of parent and child, without what LTTng allocates to trace a child"

# Each image under a name of its own.
images=()
for i in {1..20}; do
	images+=("$tmp/restless-$i")
	ln -s "$build/tests/e2e/restless" "$tmp/restless-$i"
done
recorded full restless "${images[@]}"
tap_is "$(ask 'len({p["process"] for p in r["processes"] if p["process"].startswith("restless-") and p["allocs"] >= 60000})')" 20 \
	"full: a process executes 20 images, one after the other while its threads allocate: each is there"
tap_is "$(ask '[f["message"] for f in r["findings"] if f["kind"] == "unended"]')" "[]" "and the end of each"
tap_is "$(ask '[f["message"] for f in r["findings"] if f["kind"] == "mismatch"]')" "[]" \
	"whose counters know of no operation that is not there"

# A hang, or a second for each child, does not end before the limit.
for mode in full events sample; do
	recorded $mode "alarmed-$mode" timeout -s KILL 120 "$build/tests/e2e/alarmed" 200 200
	tap_is "$(cat "$tmp/out")" "200 of 200 children ended" \
		"$mode: signal handlers fork in the middle of the tracer and the allocator, and each child ends"
	tap_is "$(ask '[f["message"] for f in r["findings"] if f["kind"] in ("mismatch", "unended")]')" "[]" \
		"$mode: and those that LTTng was not told of leave nothing in their parent's recording"
done

recorded full killed bash -c '"$1" 100 100; kill -KILL $$' bash "$build/tests/e2e/requests"
tap_like "$(ask '[f["message"] for f in r["findings"] if f["kind"] == "unended"]')" 'the end of 1 process is not in the trace' \
	"a process that was killed is told of"

# Whether the tracer's thread writes something of so short a life is a matter of time: until it does not.
for i in {1..50}; do
	"$hakstat" record --mode full -o "$tmp/killed-$i" -- sh -c 'kill -KILL $$' 2>/dev/null
	"$hakstat" report --format json -o "$tmp/killed-$i.json" "$tmp/killed-$i" 2>/dev/null
	json=$tmp/killed-$i.json
	babeltrace2 "$tmp/killed-$i" >"$tmp/events" 2>/dev/null
	grep -q ' hakmem:ops: ' "$tmp/events" || break
done
tap_is "$(grep -c ' hakmem:ops: ' "$tmp/events")" 0 "full: a process is killed before it wrote an operation"
tap_like "$(ask 'r["trace"]["notes"]')" 'of a process recorded in mode full no operation was written before it ended' \
	"full: its requests are estimates, which is told"
tap_done
