#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hakstat ps, attach and detach on programs that run already.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need babeltrace2
cd "$tmp" || exit 1
mkfifo up go go2 go3
# Held open, so that neither side can find the other one gone between two lines.
exec {up}<>up {go}<>go {go2}<>go2 {go3}<>go3

busy='for ((i = 0; i < 2000; i++)); do printf -v x "%*s" $i a; y+=$x; done'
armed() {
	LD_PRELOAD="$lib:$tracer" HAKMEM_SAMPLE_BYTES=4K bash -c "$1" &
}
# hakstat OPTIONS...: sets $said and $status.
run() {
	said=$("$hakstat" "$@" 2>&1)
	status=$?
}
events() {
	babeltrace2 "$1" 2>/dev/null | grep -c " $2:"
}

armed "echo >up; read -r _ <go; $busy; echo >up; read -r _ <go; $busy; echo >up; read -r _ <go"
first=$!
read -r _ <&"$up"
armed 'echo >up; read -r _ <go2'
second=$!
read -r _ <&"$up"
bash -c 'echo >up; read -r _ <go3' &
plain=$!
read -r _ <&"$up"

tap_is "$("$hakstat" ps | awk -v a="$first" -v b="$second" -v c="$plain" '$1 == a || $1 == b || $1 == c { print $2 }' | tr '\n' ' ')" \
	"- - " "ps lists the processes that have the tracer, and no other"
run attach "$first" -o one
tap_is "$status $said" "0 hakstat: recording process $first into $tmp/one; 'hakstat detach $first' ends it" "attach says what it does and returns"
tap_is "$("$hakstat" ps | awk -v p="$first" '$1 == p { print $2 }')" "$tmp/one" "ps shows where it is recorded to"
run attach "$first" -o two
tap_is "$status $said $(ls -d two 2>/dev/null)" "2 hakstat: process $first is already recorded into $tmp/one " "twice is refused"
echo >&"$go"
read -r _ <&"$up"
(cd / && "$hakstat" detach "$first") >said 2>&1
tap_is "$?" 0 "detach ends it"
tap_like "$(cat said)" "^hakstat: trace in $tmp/one [(].*, no events lost[)]$" "and says where the trace is"
tap_ok "samples were recorded" test "$(events one hakmem:sample_alloc)" -gt 5
tap_ok "options and classes too, though the program ran before" test "$(events one hakmem:class_info)" -gt 20
tap_is "$(babeltrace2 one 2>/dev/null | grep -oE 'vpid = [0-9]+' | sort -u)" "vpid = $first" "of that process alone"
run detach "$first"
tap_is "$status $said" "2 hakstat: process $first is not recorded by 'hakstat attach'" "there is nothing to detach twice"

run attach "$first" -o full --mode full
echo >&"$go"
read -r _ <&"$up"
run detach "$first"
tap_ok "the same process can be recorded again, in another mode" test "$(events full hakmem:ops)" -gt 0

run attach "$second" -o end
tap_is "$status" 0 "another process is attached"
recorder=$(ps -eo pid=,args= | awk -v line="attach $second -o end" 'index($0, line) && !/awk/ { print $1; exit }')
echo >&"$go"
echo >&"$go2"
echo >&"$go3"
wait "$first" "$second" "$plain"
timeout 60 tail --pid="${recorder:-0}" -f /dev/null
tap_ok "the end of the process ends the recording" test "$(events end hakmem:class_info)" -gt 20
run detach "$second"
tap_is "$status $said" "2 hakstat: process $second is not recorded by 'hakstat attach'" "and nothing is left to detach"

# A fork child that asks for little, as a daemon does: no sample is due in it.
mkfifo go4
exec {go4}<>go4
little='for ((i = 0; i < 3000; i++)); do printf -v "x$((i % 50))" "%100s" a; done'
HAKMEM_SAMPLE_BYTES=1G HAKMEM_SNAPSHOT_MS=10 LD_PRELOAD="$lib:$tracer:liblttng-ust-fork.so.1" bash -c "(echo \$BASHPID >up; read -r _ <go4; $little; echo >up; read -r _ <go4); true" &
parent=$!
read -r child <&"$up"
run attach "$child" -o child
tap_is "$status" 0 "a fork child is attached"
echo >&"$go4"
read -r _ <&"$up"
for ((i = 0; i < 300 && $(events child hakmem:heap_stats) == 0; i++)); do :; done
run detach "$child"
tap_ok "what it holds is recorded while it runs" test "$(events child hakmem:heap_stats)" -gt 0
tap_ok "with options and classes" test "$(events child hakmem:class_info)" -gt 20
echo >&"$go4"
wait "$parent"

sleep 1000 &
plain=$!
tap_at_exit kill "$plain"
run attach "$plain"
tap_is "$status" 2 "a process without the tracer is refused"
tap_like "$said" "^hakstat: process $plain does not have the tracer loaded; start it with HAKMEM_TRACE=1" "with the way out"
run attach 99999999
tap_is "$status $said" "2 hakstat: there is no process 99999999" "so is one that does not exist"
run attach one
tap_is "$status $said" "2 hakstat: attach: one is not a process id" "and what is no process id"
run attach
tap_like "$status $said" "^2 hakstat: attach: name one process" "and nothing at all"
tap_ok "no trace was begun for those" test ! -e hakmem.trace
tap_done
