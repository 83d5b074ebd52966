#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A fork while another thread is inside dlopen, or lists the modules: LTTng asks the loader for the
# modules in each fork child, and the loader's lock may be taken there by nobody. And a signal handler
# that ends its process in the middle of malloc or free, or of the writing of an event.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
collisions=$build/tests/e2e/collisions
size=3333

# collide MODE HOW COUNT: sets $given, what the program counted, and $seen, what the report did.
collide() {
	recorded "$1" "$1-$2-$size" "$collisions" "$2" "$3" "$size"
	given=$(cat "$tmp/out")
	tap_ok "$1, $2: $3 children end as they should" grep -q '^[1-9][0-9]*$' "$tmp/out"
	[ -n "$given" ] || tap_note "$(cat "$tmp/log")"
	seen=$(ask "sum(s['allocs'] for s in r['sizes'] if s['requested_min'] == s['requested_max'] == $size)")
}

# whole MODE HOW: nothing of what collide recorded is missing. A process that ends inside an event can take LTTng's buffer with it.
whole() {
	tap_is "$(ask 'r["trace"]["malformed_records"], r["trace"]["lost_events"], r["trace"]["partial"]')" "(0, 0, False)" \
		"$1, $2: the trace is whole"
}

export HAKMEM_SAMPLE_BYTES=4K
collide sample dlopen 40
whole sample dlopen
tap_ok "stacks were walked in them" test "$(ask 'len(r["sites"])')" -gt 0
for how in dlopen list; do
	collide full $how 40
	whole full $how
	tap_is "$seen" "$given" "full, $how: each operation, once"
done
collide full signal 40
size=3000000 # whose malloc and free are system calls below a lock
collide sample signal 40
tap_done
