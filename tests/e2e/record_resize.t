#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Sampled blocks that realloc resizes where they are, or whose pages it moves: what is live is what was asked for last.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
cd "$tmp" || exit 1
python=$(type -P python3)

# live SIZES EXPRESSION: of the rows of these sizes. Blocks of the class that are older than the recording are live as well.
live() {
	"$hakstat" report --format json sampled | "$python" -c "import json, sys
rows = [s for s in json.load(sys.stdin)['sizes'] if s['requested_min'] in $1]
print($2)"
}

"$hakstat" record -o sampled --sample-bytes 1 -- "$build/tests/e2e/resizes" 2>said
tap_ok "it is recorded" grep -q "no events lost" said
tap_is "$(live '(760,)' '[(s["name"], 250 <= s["live"] < 350, s["live_requested_bytes"] // s["live"]) for s in rows]')" "[('C7.768', True, 760)]" \
	"blocks that grew in their class are live with what they grew to"
tap_is "$(live '(700,)' '[(s["allocs"], s["live"], s["live_requested_bytes"]) for s in rows]')" "[(500, 0, 0)]" \
	"and none is left with what it began as"
tap_is "$(live '(9000000,)' '[(s["live"], s["live_requested_bytes"] // 9000000) for s in rows]')" "[(5, 5)]" \
	"so are large blocks whose pages were moved"
tap_is "$(live '(2000000,)' '[(s["allocs"], s["live"]) for s in rows]')" "[(10, 0)]" "and none is left where it was"
tap_is "$(live '(700, 760, 2000000, 9000000)' 'sum(s["live_requested_bytes"] < 0 for s in rows)')" 0 "no sum is less than nothing"
tap_done
