#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The flight recorder: hakstat record --snapshot keeps the last buffers in memory and writes them on
# demand, at the end, and when a condition holds. The newest snapshot is what a report reads.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need babeltrace2
cd "$tmp" || exit 1
mkfifo up go
exec {up}<>up {go}<>go

work='for ((i = 0; i < 500; i++)); do printf -v x "%*s" $i a; y+=$x; done'
begin() {
	"$hakstat" record --snapshot --sample-bytes 4K "$@" -- bash -c "$work; echo \$\$ >up; read -r _ <go; exit 9" 2>said &
	recorder=$!
	read -r command <&"$up"
}
finish() {
	echo >&"$go"
	wait "$recorder"
	status=$?
}
# events FOLDER NAME: how many there are.
events() {
	babeltrace2 "$1" 2>/dev/null | grep -c " $2:"
}

begin -o demand
tap_empty "$(ls demand)" "nothing is written while nobody asks"
said=$("$hakstat" snapshot "$command" 2>&1)
tap_is "$? $said" "0 hakstat: snapshot written below $tmp/demand" "a recorded process names the recording"
"$hakstat" snapshot "$recorder" 2>/dev/null
tap_is "$?" 0 "so does hakstat record"
"$hakstat" snapshot 2>/dev/null
tap_is "$?" 0 "a single one needs no name"
said=$("$hakstat" snapshot $$ 2>&1)
tap_is "$? $said" "2 hakstat: snapshot: no 'hakstat record --snapshot' records process $$" "another process has none"
finish
tap_is "$status" 9 "the exit status is the command's"
tap_like "$(cat said)" '^hakstat: trace in demand .*what the buffers still held' "the end says what the trace is"
tap_is "$(find demand -maxdepth 1 -name 'snapshot-*' | wc -l)" 4 "three were asked for, one came at the end"
first=$(echo demand/snapshot-1-*-0)
tap_ok "the first holds samples" test "$(events "$first" hakmem:sample_alloc)" -gt 50
tap_ok "options and classes" test "$(events "$first" hakmem:class_info)" -gt 20
tap_ok "and modules" test "$(events "$first" lttng_ust_statedump:bin_info)" -gt 5
"$hakstat" report --format json demand >report.json 2>said
tap_is "$?" 0 "a report can be made of it"
tap_like "$(cat said)" 'demand holds 4 snapshots; this is of the newest, demand/snapshot-1-.*-3' "of the newest, as it says"
"$hakstat" report "$first" >/dev/null 2>&1
tap_is "$?" 0 "and of another one by its name"
said=$("$hakstat" snapshot 2>&1)
tap_is "$? $said" "2 hakstat: snapshot: no 'hakstat record --snapshot' runs here" "then there is nothing to write"

said=$("$hakstat" record -o unknown --snapshot --snapshot-when 'bogus > 3 && $ctx.vpid > 1' -- true 2>&1)
tap_is "$? ${said%%;*}" "2 hakstat: --snapshot-when bogus > 3 && \$ctx.vpid > 1: no field 'bogus'" "a condition on what there is not would never hold"
tap_is "$(sed 's/.*; there are //; s/, /\n/g' <<<"$said" | sort)" \
	"$(sed -n '/^### `heap_stats`/,/^### `config`/s/^| `\([a-z_]*\)`.*/\1/p' "$top/docs/events.md" | sort)" "what there is, it names"

# The trigger comes with the next snapshot of the classes: poll until it has written.
HAKMEM_SNAPSHOT_MS=20 begin -o triggered --snapshot-when 'live_bytes > 1000 && idle_percent < 100'
until compgen -G 'triggered/snapshot-*/ust/*' >/dev/null || ! kill -0 "$recorder" 2>/dev/null; do :; done
tap_ok "a condition that holds writes one by itself" compgen -G 'triggered/snapshot-*'
finish
tap_is "$(find triggered -maxdepth 1 -name 'snapshot-*' | wc -l)" 2 "once, and one more at the end"
said=$("$hakstat" record --snapshot --snapshot-when 'idle_percent >' -o bad -- touch ran 2>&1)
tap_is "$? $(wc -l <<<"$said") $(echo ran* bad*)" "2 1 ran* bad*" "a condition that is none: exit 2, one line, nothing ran"
said=$("$hakstat" record --snapshot-when 'idle_percent > 1' -- touch ran 2>&1)
tap_is "$? $said" "2 hakstat: --snapshot-when needs --snapshot" "a condition without --snapshot is refused"
said=$("$hakstat" record --snapshot --set-url net://localhost -- touch ran 2>&1)
tap_is "$? $said" "2 hakstat: --snapshot and --set-url exclude each other" "and a snapshot to a relay"

# More is recorded than the buffers hold: what is kept is the end. Buffers are each processor's own, so of a
# thread that moves between two an older part is kept than the rest: one processor, for the test to be sure.
processor=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
taskset -c "$processor" "$hakstat" record --snapshot -o full --mode full -- \
	"$build/tests/bench/patterns" --mode ring --pairs 20000000 >/dev/null 2>said
tap_is "$?" 0 "a full recording that wraps around"
"$hakstat" report --format json full >full.json 2>/dev/null
tap_ok "holds the last operations, and lost none in between" "$python" -c '
import json
t = json.load(open("full.json"))["trace"]
assert t["lost_events"] == 0 and t["lost_operations"] == 0, t
assert 1000000 < t["operations"] < 40000000, t'
tap_done
