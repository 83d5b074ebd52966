#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Call stacks: by libunwind and by frame pointers; each distinct one is written out rarely and named
# by its id otherwise.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need babeltrace2
cd "$tmp" || exit 1
chain=$build/tests/e2e/chain

for pointers in 0 1; do
	HAKMEM_FRAME_POINTERS=$pointers "$hakstat" record -o "by$pointers" --sample-bytes 16K -- "$chain" 200000 2>said
	tap_is "$?" 0 "HAKMEM_FRAME_POINTERS=$pointers: recorded"
	"$hakstat" report --format json "by$pointers" >"$pointers.json"
	tap_ok "the site that allocates nearly all is the chain of calls" "$python" - "$pointers.json" <<'P'
import json, sys
sites = json.load(open(sys.argv[1]))["sites"]
top = max(sites, key=lambda s: s["requested_bytes"])
names = [f.get("function") for f in top["stack"]]
assert names[:4] == ["innermost", "middle", "outermost", "main"], names
assert top["requested_bytes"] > 0.9 * 200000 * 1000, top["requested_bytes"]
P
	babeltrace2 "by$pointers" 2>/dev/null | grep 'hakmem:sample_alloc: .*requested = 1000,' >samples
	tap_ok "thousands of samples" test "$(wc -l <samples)" -gt 5000
	tap_ok "name their stack by its id, and hold it a few times only" awk '
		{ match($0, /stack_id = [0-9]+/); id = substr($0, RSTART, RLENGTH); ids[id]++ }
		/stack = \[ \[0\]/ { written[id]++ }
		END { for (id in ids) if (ids[id] > 100 && (written[id] < 1 || written[id] > 8)) { print id, ids[id], written[id]; bad = 1 } exit bad }' samples
done

# A program without frame pointers, on a library that relies on them: stacks are short, nothing breaks.
HAKMEM_FRAME_POINTERS=1 "$hakstat" record -o none --sample-bytes 512 -- "$python" -c '
import json, threading
def work():
    for _ in range(300):
        json.loads(json.dumps({str(i): [i] * 9 for i in range(99)}))
threads = [threading.Thread(target=work) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]' 2>said
tap_is "$?" 0 "python, which has none, is unharmed"
tap_like "$(cat said)" 'trace in none' "and its trace is there"

HAKMEM_FRAME_POINTERS=1 timeout -k 1 60 "$hakstat" record -o asks --sample-bytes 1 -- "$build/tests/e2e/asks" 2>said
tap_is "$?" 0 "threads whose first sample falls into pthread_getattr_np end"
tap_done
