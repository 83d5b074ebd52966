#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole loop on real programs: record, ask what another table would cost, let tune make one, run
# with it, and compare what was promised with what came.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
cd "$tmp" || exit 1

# Both ask for the same on each run: no random seed, no address in what they do.
# shellcheck disable=SC2034 # used by name
work_sqlite=(sqlite3 :memory: "create table t(a integer primary key, b text, c real);
	with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
	insert into t select i, substr('abcdefghijklmnopqrstuvwxyz0123456789', 1, i % 37), i * 1.5 from n;
	create index tb on t(b); select count(*), sum(length(b)) from t;
	update t set b = b || 'x' where a % 3 = 0; delete from t where a % 5 = 0;
	select length(group_concat(b)) from t;")
# shellcheck disable=SC2034
work_python=(env PYTHONMALLOC=malloc PYTHONHASHSEED=0 "$python" -S -c '
rows = {"key%d" % i: [i, "x" * (i % 90), {"a": i, "b": [i] * (i % 7)}] for i in range(8000)}
copies = [dict(row[2], c=row[1] + "y") for row in rows.values()]
print(sum(len(row["c"]) for row in copies))')

# recorded NAME TABLE CMD...: NAME.trace, and NAME.json of its report.
recorded() {
	HAKMEM_SIZE_CLASSES=$2 "$hakstat" record --mode full -o "$1.trace" -- "${@:3}" >"$1.out" 2>"$1.log" &&
		"$hakstat" report --format json -o "$1.json" "$1.trace" 2>>"$1.log"
	tap_result $? "$1: recorded" || tap_note "$(cat "$1.log")"
}

# same NAME TABLE: nothing is saved in NAME.trace by the table that it ran with.
same() {
	"$hakstat" whatif --size-classes "$2" --format json -o "$1-same.json" "$1.trace" 2>log || return
	"$python" - "$1.json" "$1-same.json" <<'PY'
import json, sys
came, told = (json.load(open(name)) for name in sys.argv[1:])
keys = ("allocs", "requested_bytes", "usable_bytes", "live_requested_bytes", "live_waste_bytes")
rows = lambda report: [[row["class_id"]] + [row[k] or 0 for k in keys] for row in report["classes"] if row["allocs"]]
savings = [told[k + "saving_bytes"] for k in ("", "live_", "peak_")]
totals = told["totals"]
print("savings", savings, *([a, b] for a, b in zip(rows(came), rows(told)) if a != b))
sys.exit(savings != [0, 0, 0] or rows(came) != rows(told) or totals["allocs"] - totals["frees"] != totals["live"])
PY
}

# agrees PREDICTED.json MEASURED.json: usable bytes and waste of all allocations within 3 % of the usable
# bytes. Reallocs that happen to stay or to move, and blocks whose size was not known, make the rest.
agrees() {
	"$python" - "$@" <<'PY'
import json, sys
told, came = (json.load(open(name))["totals"] for name in sys.argv[1:3])
for key in ("usable_bytes", "waste_bytes"):
    print(key, told[key], came[key], "%+.2f %% of usable" % ((told[key] - came[key]) / came["usable_bytes"] * 100))
sys.exit(any(abs(told[k] - came[k]) > 0.03 * came["usable_bytes"] for k in ("usable_bytes", "waste_bytes")))
PY
}

for name in sqlite python; do
	declare -n work=work_$name
	recorded "$name" fine "${work[@]}"

	tap_ok "$name: under the table it ran with, all is what it was" same "$name" fine

	"$hakstat" whatif --size-classes classic --format json -o "$name-told-classic.json" "$name.trace" 2>log
	recorded "$name-classic" classic "${work[@]}"
	tap_ok "$name: so it is under the classic table" same "$name-classic" classic
	tap_ok "$name: whatif says what the classic table wastes" agrees "$name-told-classic.json" "$name-classic.json"

	"$hakstat" tune -n 48 -o "$name.table" --format json "$name.trace" >"$name-told-tuned.json" 2>log
	tap_result $? "$name: tune makes a table of at most 48 classes" || tap_note "$(cat log)"
	tap_like "$(cat log)" "^hakstat: table of [0-9]+ classes in $name.table$" "$name: and says where it is"
	"$hakstat" whatif --exact --size-classes "@$name.table" "$name.trace" >"$name-sums" 2>log
	tap_is "$(awk 'NF >= 4 && $(NF - 2) - $(NF - 1) == $NF { print $1 == "live" || $1 == "peak" ? $1 " " $2 : $1 }' "$name-sums" |
		head -6 | paste -sd,)" "usable,waste,live usable,live waste,peak usable,peak waste" \
		"$name: each saving is what was recorded less what is predicted"
	recorded "$name-tuned" "@$name.table" "${work[@]}"
	tap_ok "$name: and says what it wastes" agrees "$name-told-tuned.json" "$name-tuned.json"
	tap_ok "$name: and what it saves, within a tenth" "$python" -c '
import json, sys
fine, told, came = (json.load(open(name))["totals"]["waste_bytes"] for name in sys.argv[1:])
print("saving of", fine, "predicted", fine - told, "measured", fine - came)
sys.exit(not (came < fine and abs(told - came) <= (fine - told) / 10))' "$name.json" "$name-told-tuned.json" "$name-tuned.json"
	tap_is "$(cat "$name-tuned.out")" "$(cat "$name.out")" "$name: the program's output is the same"
done
tap_done
