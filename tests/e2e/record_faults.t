#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What goes wrong around a recording: daemons that are absent, die or come back, a full disk, too
# little memory for buffers, two sessions at once, another user. The program goes on unharmed each
# time, and what is missing is said. HAK_TEST_ROUNDS repeats it all.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
need_no_daemon
rounds=${HAK_TEST_ROUNDS:-1}
steady=$build/tests/e2e/steady
pairs=200000
helpers=liblttng-ust-fork.so.1:liblttng-ust-fd.so.1
cd "$tmp" || exit 1
mkfifo up
# Held open, so that neither side can find the other one gone between two lines.
exec {up}<>up

# hear: what the program says next, as long as it lives.
hear() {
	until read -r -t 5 word <&"$up"; do
		kill -0 "$process" 2>/dev/null || { word=nothing && return; }
	done
}

# begin COMMAND...: starts it, with $steady at its end; sets $process, and $child, the program's id.
begin() {
	rm -f go
	mkfifo go
	"$@" <go >up 2>said &
	process=$!
	exec {go}>go
	hear
	child=$word
}

# begin_record NAME OPTION...
begin_record() {
	name=$1
	begin "$hakstat" record -o "$name" "${@:2}" -- "$steady"
}

# begin_armed NAME: the program with all that record preloads, and no recording.
begin_armed() {
	name=$1
	begin env LD_PRELOAD="$lib:$tracer:$helpers" "$steady"
}

# strike COMMAND...: it runs while the program works; the program works on after it.
strike() {
	echo "$pairs" >&"$go"
	"$@"
	hear
	echo "$pairs" >&"$go"
	hear
}

# finish: the program must have come to its end with all blocks whole. Sets $said.
finish() {
	exec {go}>&-
	wait "$process"
	status=$?
	hear
	said=$(cat said)
	tap_is "$status $word" "7 whole" "$name: the program goes on unharmed"
}

# judged NAME: $verdict is the status of a strict report, $json the report.
judged() {
	json=$tmp/report.json
	"$hakstat" report --strict --format json -o "$json" "$1" 2>judged.said
	verdict=$?
}

# incomplete NAME: both record and report say so.
incomplete() {
	tap_like "$said" "^hakstat: trace in $1 .*incomplete: recording was cut off" "$1: record says that it was cut off"
	judged "$1"
	tap_is "$verdict $(ask 'r["trace"]["partial"]')" "3 True" "$1: and so does the report" || tap_note "$(cat judged.said)"
}

# await_events NAME: until something is in its files, which takes LTTng up to a second.
await_events() {
	until "$hakstat" report --format json -o /dev/null "$1" 2>/dev/null; do :; done
}

start_daemon() {
	lttng-sessiond --daemonize --no-kernel 2>/dev/null
}

end_daemon() {
	local pid
	pid=$(daemon_pid) && kill "$pid" && await_end "$pid"
}
tap_at_exit end_daemon

kill_daemon() {
	local pid
	pid=$(daemon_pid)
	kill -KILL "$pid"
	await_end "$pid"
}

kill_consumer() {
	pkill -KILL -P "$(daemon_pid)" -f consumerd
}

# attached NAME OPTION...: another session takes in the program while it works; $json is its report.
attached() {
	"$hakstat" attach "$child" -o "$@" 2>>attach.said
	strike true
	"$hakstat" detach "$child" 2>>attach.said
	judged "$1"
	tap_is "$verdict $(ask 'r["trace"]["lost_events"]')" "0 0" "$1: complete" || tap_note "$(cat attach.said judged.said)"
	tap_ok "$1: and has what the program did meanwhile" test "$(ask 'r["totals"]["allocs"]')" -ge $((4 * pairs))
}

daemon_killed() {
	begin_record daemon-killed --mode full
	await_events daemon-killed
	strike kill_daemon
	finish
	incomplete daemon-killed
}

daemon_killed_early() {
	begin_record killed-early
	strike kill_daemon
	finish
	tap_like "$said" 'trace in killed-early .*incomplete: recording was cut off' "$name: record says that it was cut off"
}

daemon_restarted() {
	begin_record daemon-restarted --mode full
	await_events daemon-restarted
	strike kill_daemon
	start_daemon
	attached restarted --mode full
	finish
	incomplete daemon-restarted
	end_daemon
}

daemon_absent() {
	begin_armed daemon-absent
	strike true
	start_daemon
	attached late --mode full
	strike end_daemon
	finish
	tap_empty "$said" "daemon-absent: not a word on the program's standard error"
}

consumer_killed() {
	begin_record consumer-killed --mode full
	await_events consumer-killed
	strike kill_consumer
	finish
	incomplete consumer-killed
}

two_sessions() {
	begin_record two-sessions --mode sample
	attached second --mode full
	finish
	judged two-sessions
	tap_is "$verdict $(ask 'r["trace"]["mode"]')" "0 sample" "two-sessions: the first one is complete as well"
}

# By LTTng's own commands: hakstat would not make such a channel.
small_buffers() {
	start_daemon
	{
		lttng create small --output "$tmp/small-buffers" &&
			lttng enable-channel -u -s small tiny --subbuf-size=8192 --num-subbuf=2 --switch-timer=0 &&
			lttng enable-event -u -s small -c tiny 'hakmem:*' && lttng start small
	} >lttng.said 2>&1 || tap_note "$(cat lttng.said)"
	begin_armed small-buffers
	strike true
	finish
	lttng destroy small >lttng.said 2>&1
	judged small-buffers
	tap_is "$verdict $(ask 'r["trace"]["lost_events"] > 0')" "3 True" "small-buffers: the report says how much was lost" ||
		tap_note "$(cat lttng.said judged.said)"
	end_daemon
}

disk_full() {
	mkdir -p disk
	mount -t tmpfs -o size=600k tmpfs disk
	begin_record disk/full --mode full
	await_events disk/full
	strike true
	strike true
	finish
	incomplete disk/full
	umount disk
}

# open_streams NAME: how many of that trace LTTng writes. It closes one of which it cannot write a packet.
open_streams() {
	find "/proc/$(pgrep -P "$(daemon_pid)" -f consumerd)/fd" -lname "*/$1/*_[0-9]*" 2>/dev/null | wc -l
}

lose_stream() {
	until [ "$(open_streams disk/full)" -lt "$streams" ]; do :; done
}

# What LTTng stopped writing it does not begin again when there is room.
disk_full_for_a_moment() {
	mkdir -p disk
	mount -t tmpfs -o size=16m tmpfs disk
	begin_record disk/full --mode full
	await_events disk/full
	dd if=/dev/zero of=disk/ballast bs=64k 2>/dev/null
	streams=$(open_streams disk/full)
	strike lose_stream
	rm disk/ballast
	strike true
	finish
	tap_ok "disk-full-for-a-moment: there is room at the end" test "$(df --output=avail disk | tail -n 1)" -gt 1000
	incomplete disk/full
	umount disk
}

port() {
	"$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# LTTng counts nothing lost of what it could not send.
relay_killed() {
	local control data live relay
	control=$(port) data=$(port) live=$(port)
	lttng-relayd -C "tcp://127.0.0.1:$control" -D "tcp://127.0.0.1:$data" -L "tcp://127.0.0.1:$live" -o "$tmp/relay" >relay.log 2>&1 &
	relay=$!
	disown
	until (: <>"/dev/tcp/127.0.0.1/$control") 2>/dev/null; do kill -0 "$relay" || break; done
	begin "$hakstat" record --mode full --set-url "net://127.0.0.1:$control:$data" -- "$steady"
	name="relay killed"
	strike kill -KILL "$relay"
	finish
	tap_like "$said" 'trace sent to .* whether all of it arrived is not known' "$name: record does not say that all is there"
}

# Room for LTTng's own needs and not for buffers.
memory_full() {
	mount -o remount,size=1m /dev/shm
	said=$("$hakstat" record -o memory-full --mode full -- touch ran 2>&1)
	tap_is "$? $(wc -l <<<"$said") $(echo ran*)" "2 1 ran*" "memory-full: no room for buffers is said before anything runs"
	tap_like "$said" '^hakstat: .*/dev/shm' "and where"
	mount -o remount,size=50% /dev/shm
}

other_user() {
	mkdir -p user
	chmod 711 "$tmp"
	chown nobody user
	begin setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$tmp/user" LTTNG_HOME="$tmp/user" \
		"$hakstat" record -o "$tmp/user/trace" --mode full -- "$steady"
	name=other-user
	strike true
	finish
	judged user/trace
	tap_is "$verdict $(ask 'r["totals"]["allocs"] > 800000')" "0 True" "other-user: the trace is complete"
}

faults=(daemon_killed daemon_killed_early daemon_restarted daemon_absent consumer_killed two_sessions small_buffers)
! command -v lttng-relayd >/dev/null || faults+=(relay_killed)
if [ -n "${HAK_TEST_ALONE-}" ] && mount -t tmpfs tmpfs /dev/shm 2>/dev/null; then
	faults+=(disk_full disk_full_for_a_moment memory_full)
else
	tap_note "no mount namespace of its own: disk-full, disk-full-for-a-moment and memory-full are left out"
fi
if [ "$(id -u)" -eq 0 ] && setpriv --reuid=nobody --clear-groups test -x "$steady" -a -r "$lib" 2>/dev/null; then
	faults+=(other_user)
else
	tap_note "no other user may read the build: other-user is left out"
fi
for ((round = 1; round <= rounds; round++)); do
	for fault in "${faults[@]}"; do
		"$fault"
		rm -rf "${name:?}" restarted late second user relay
	done
done
tap_done
