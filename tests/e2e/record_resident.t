#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Resident bytes: what of a heap is in memory, as the kernel counts pages, for all of it and for each class.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
cd "$tmp" || exit 1

mib=$((1 << 20))
touched=$build/tests/e2e/touched
recorded sample half "$touched" $((40 * mib)) 50
# Other large blocks and others of two pages, libc's and LTTng's, are small beside these.
tap_is "$(ask '[round(c["resident_bytes"] / 2**20, 1) for c in r["classes"] if c["name"] in ("large", "S8192")]')" "[2.0, 20.0]" \
	"one page of each block of two, and half of a large block, are in memory"
tap_is "$(ask '[c["live_usable_bytes"] // 2**20 for c in r["classes"] if c["name"] in ("large", "S8192")]')" "[4, 40]" \
	"the blocks are twice as large"
# Below 64 MiB huge pages are asked for only where all of them is committed; above, more may come to memory than that.
tap_is "$(ask '22 * 2**20 < r["totals"]["resident_bytes"] <= r["totals"]["committed_bytes"] < 48 * 2**20')" True \
	"all in memory is more than these, and no more than is committed"
tap_is "$(ask 'sum(c["resident_bytes"] for c in r["classes"]) <= r["totals"]["resident_bytes"] == sum(p["resident_bytes"] for p in r["processes"])')" True \
	"the classes are parts of it"
tap_is "$(ask '[c["name"] for c in r["classes"] if c["usable"] and c["resident_bytes"] > c["slab_bytes"]]')" "[]" \
	"no class has more in memory than its slabs hold"
tap_is "$(ask 'max(t["resident_bytes"] or 0 for t in r["times"]) >= r["totals"]["resident_bytes"], [h["resident_bytes"] for h in r["heap"] if h["name"] == "large"][-1] == [c["resident_bytes"] for c in r["classes"] if c["name"] == "large"][0]')" \
	"(True, True)" "the course of time tells it, and of each class"
tap_like "$("$hakstat" report half)" '^slabs +committed [0-9.]+ MiB, 2[2-9][.][0-9] MiB in memory;' "the plain report says it"

recorded sample all "$touched" $((40 * mib)) 100
tap_is "$(ask '[round(c["resident_bytes"] / 2**20, 1) for c in r["classes"] if c["name"] in ("large", "S8192")]')" "[2.0, 40.0]" \
	"when all of the large block is touched, all of it is"

# Saved, and as saved by a version that did not know of it.
"$hakstat" report --format summary -o half.summary "$tmp/half"
"$hakstat" report --top 100000 --format json -o saved.json half.summary
tap_ok "a saved summary says the same" cmp half.json saved.json
"$python" - <<'END'
import json

def without(value):
    if isinstance(value, dict):
        return {k: without(v) for k, v in value.items() if "resident" not in k}
    return [without(v) for v in value] if isinstance(value, list) else value

json.dump(without(json.load(open("half.summary"))), open("old.summary", "w"))
END
for traces in old.summary 'old.summary all'; do
	json=$tmp/old.json
	# shellcheck disable=SC2086 # two of them
	"$hakstat" report --format json -o "$json" $traces
	tap_is "$(ask '[r["totals"][k] for k in ("resident_bytes", "peak_resident_bytes")], {c["resident_bytes"] for c in r["classes"] if c["name"] in ("large", "S8192")}')" \
		"([None, None], {None})" "$traces: not known is not 0"
done
tap_is "$(ask 'r["totals"]["committed_bytes"] > 80 * 2**20')" True "and what is committed adds up all the same"
tap_done
