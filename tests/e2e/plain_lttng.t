#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# LTTng's own commands without hakstat: create, enable-event -u 'hakmem:*', start; what
# babeltrace2 prints can be read, with the enumerations as words. Filters work.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need babeltrace2

export LTTNG_HOME=$tmp LTTNG_UST_REGISTER_TIMEOUT=-1
daemon_log=$tmp/sessiond.log
if ! lttng --no-sessiond list >/dev/null 2>&1; then
	lttng-sessiond --daemonize --pidfile "$tmp/sessiond.pid" >"$daemon_log" 2>&1 ||
		tap_skip_all "lttng-sessiond does not start here: $(head -n 1 "$daemon_log")"
	# Ours, so ours to end; the daemon takes its consumers with it.
	stop_daemon() {
		local pid
		pid=$(cat "$tmp/sessiond.pid")
		kill "$pid" && timeout 30 tail --pid="$pid" -f /dev/null
	}
	tap_at_exit stop_daemon
fi

# session NAME RULE...: makes and starts a session of our own; each rule is enable-event's arguments.
session() {
	name=hakmem-test-$$-$1
	shift
	{
		lttng create "$name" --output="$tmp/$name" &&
			for rule; do
				eval "lttng enable-event -s '$name' -u $rule" || break
			done &&
			lttng add-context -u -s "$name" -t vpid &&
			lttng start "$name"
	} >"$tmp/lttng.log" 2>&1
	tap_result $? "lttng create, enable-event -u $*, start" || tap_note "$(cat "$tmp/lttng.log")"
	tap_at_exit destroy "$name"
}

destroy() {
	lttng list "$1" >/dev/null 2>&1 && lttng destroy "$1" >/dev/null 2>&1
}

# run HAKMEM-SETTING... -- COMMAND: in the session, with the tracer; leaves the trace as text in $tmp/text.
run() {
	local settings=()
	while [ "$1" != -- ]; do
		settings+=("$1")
		shift
	done
	env "${settings[@]}" "${@:2}" 2>"$tmp/program.err"
	tap_result $? "the program runs" || tap_note "$(cat "$tmp/program.err")"
	lttng destroy "$name" >"$tmp/lttng.log" 2>&1
	babeltrace2 "$tmp/$name" >"$tmp/text" 2>"$tmp/babeltrace.err"
	tap_result $? "babeltrace2 reads the trace" || tap_note "$(cat "$tmp/babeltrace.err")"
	tap_empty "$(grep -i discarded "$tmp/babeltrace.err")" "nothing was lost"
}

requests=$build/tests/e2e/requests
python=$(type -P python3)

session everything "'hakmem:*'"
run LD_PRELOAD="$tracer:$lib" HAKMEM_SIZE_CLASSES=classic HAKMEM_TINY_MAX_CLASS=5 -- "$requests" 500 100 600 1024 50000
text=$(cat "$tmp/text")
tap_like "$text" 'hakmem:alloc: .*requested = 1024, usable = 8192, .*route = \( "mid" : container = 2 \), reason = \( "size_fit" ' \
	"alloc shows requested and usable bytes, route and reason as words"
tap_like "$text" 'hakmem:alloc: .*requested = 600, usable = 8192, .*"mid".*"boundary"' "a request that the boundary moved says so"
tap_like "$text" 'hakmem:alloc: .*requested = 50000, usable = 53248, .*"large".*"above_mid"' "a large request says so"
tap_like "$text" 'hakmem:route: .*requested = 600, alignment = 0, route = \( "mid"' "the routing decision is there"
tap_like "$text" 'hakmem:class_select: .*requested = 100, usable = 128, waste = 28, class_id = [0-9]+, route = \( "tiny"' \
	"the class selection is there"
tap_like "$text" 'hakmem:frag: .*requested = 1024, usable = 8192, waste = 7168, waste_percent = 87, .*stack = \[ \[0\] = 0x' \
	"a wasteful request has its stack"
tap_like "$text" 'hakmem:config: .*size_classes = "classic", tiny_max_class = 5, tiny_max_size = 255' "the options in force are there"
tap_like "$text" 'hakmem:class_info: .*name = "C5".*route = \( "tiny".*usable = 256, min_request = 128, max_request = 255' \
	"each class is described"
tap_like "$text" 'hakmem:class_stats: .*usable = 8192, allocs = [0-9]{3,}' "snapshots of the classes are there"
tap_like "$text" 'hakmem:heap_stats: .*mapped = [0-9]+' "and of the heap"
for size in 100 600 1024 50000; do
	tap_is "$(grep -c "hakmem:alloc: .*requested = $size," "$tmp/text")" 500 "each request of $size bytes has its event"
done

cp "$tmp/text" "$tmp/all"
session structure "'hakmem:*'"
run LD_PRELOAD="$tracer:$lib" HAKMEM_PURGE_DELAY_MS=0 -- bash -c '"$0" 100 300000 && "$1"; exit' "$requests" "$build/tests/e2e/resizes"
sed -nE 's/.*hakmem:superslab_(map|unmap): .*vpid = ([0-9]+) .*start = 0x([0-9A-F]+), bytes = ([0-9]+) .*/\2 \1 \3 \4/p' \
	"$tmp/text" >"$tmp/superslabs"
tap_empty "$("$python" -c 'import collections, sys
size, held = 2 << 20, collections.defaultdict(set)
for line in sys.stdin:
    process, what, start, length = line.split()
    ours = set(range(int(start, 16), int(start, 16) + int(length), size))
    is_new = what == "unmap" or not ours & held[process]
    if not ours or int(start, 16) % size or int(length) % size or not is_new:
        print(line, end="")
    held[process] = held[process] | ours if what == "map" else held[process] - ours' <"$tmp/superslabs")" \
	"a superslab comes into use once, until its pages are given back"
tap_like "$(cut -d ' ' -f 2 "$tmp/superslabs" | sort -u | paste -sd ' ')" '^map unmap$' "and they are when all of it is free"
tap_like "$(grep 'hakmem:purge: ' "$tmp/text")" 'start = 0x[0-9A-F]{6,}, bytes = [0-9]{4,}' "what is purged has its place"
# Faults have a test of their own.
cat "$tmp/all" "$tmp/text" | grep -o 'hakmem:[a-z_]*' | sort -u | sed 's/.*://' >"$tmp/seen"
tap_is "$(sed -nE 's/^### `([a-z_]+)`.*/\1/p' "$top/docs/events.md" | sort -u | comm -23 - "$tmp/seen" | paste -sd ' ')" "corruption oom" \
	"every event of docs/events.md comes, faults apart"

# Loaded by the library itself this time.
session filtered "hakmem:frag --filter 'waste > 7200'"
run HAKMEM_TRACE=1 LD_LIBRARY_PATH="$build/tracer" LD_PRELOAD="$lib" HAKMEM_SIZE_CLASSES=classic HAKMEM_TINY_MAX_CLASS=5 -- "$requests" 500 100 600 1024
tap_is "$(grep -c 'hakmem:frag: ' "$tmp/text")" 500 "a filter on waste lets the 600-byte requests through"
tap_is "$(grep 'hakmem:frag: ' "$tmp/text" | grep -vc 'requested = 600,')" 0 "and nothing else"

# Half of the parent's blocks is waste. Its child frees three of four, and asks for as many without waste.
for rules in hakmem:sample_alloc,hakmem:heap_stats "'hakmem:sample_*',hakmem:heap_stats"; do
	IFS=, read -ra rules <<<"$rules"
	session "estimate-${#tap_cleanups[@]}" "${rules[@]}"
	run LD_PRELOAD="$tracer:$lib:liblttng-ust-fork.so.1" HAKMEM_SIZE_CLASSES=classic HAKMEM_SAMPLE_BYTES=1K -- \
		"$build/tests/e2e/forks" 500 4096 release
	tap_like "$(sed -nE 's/.*heap_stats: .* waste_percent = ([0-9]+),.* "leaving" .*/\1/p' "$tmp/text" | paste -sd ' ')" '^(9|10) (49|50)$' \
		"the waste of a fork child's live blocks, its parent's included, follows those that it frees"
done

# Without a session the armed program is as any other.
tap_ok "no session: the program runs" env LD_PRELOAD="$tracer:$lib" "$requests" 500 100 600
tap_done
