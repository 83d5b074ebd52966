#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hakstat record, seen from the command it runs: exit status, environment, signals, streams;
# and what each mode records.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need babeltrace2
cd "$tmp" || exit 1

# record NAME OPTIONS...: sets $status and $said.
record() {
	said=$("$hakstat" record -o "$@" 2>&1 >out)
	status=$?
}

# events TRACE: the names of its events, each once.
events() {
	babeltrace2 "$1" 2>&1 | grep -oE ' (hakmem|lttng_ust_[a-z]+):[a-z_]+:' | tr -d ' ' | sed 's/:$//' | sort -u
}

record ok -- bash -c 'read -r line; echo "got $line"' <<<"input"
tap_is "$status $(cat out)" "0 got input" "the command has its standard input and output"
tap_like "$said" '^hakstat: trace in ok \([0-9.]+ [KM]iB, no events lost\)$' "the last line says where the trace is"
record seven -- bash -c 'exit 7'
tap_is "$status" 7 "the exit status is the command's"
record waits -- /usr/bin/env
tap_is "$(sed -n 's/^LTTNG_UST_REGISTER_TIMEOUT=//p' out)" 30000 "programs wait for a session daemon that is busy"
record killed -- bash -c 'kill -KILL $$'
tap_is "$status" 137 "a command that a signal ended gives 128 + its number"
record options -- bash -c 'echo "$@"' bash --mode --help
tap_is "$(cat out)" "--mode --help" "what follows the command is the command's"
record two -- bash -c 'exit 2'
tap_is "$status $(grep -c '^hakstat:' <<<"$said")" "2 1" "a command's status 2 is not mistaken for an error"

LD_PRELOAD=libm.so.6 record preload --sample-bytes 4K -- /usr/bin/env
tap_is "$(sed -n 's/^LD_PRELOAD=//p' out | sed -E 's|[^:]*/||g')" \
	"libhakmem.so:libhakmem-tracer.so:liblttng-ust-fork.so.1:liblttng-ust-fd.so.1:libm.so.6" "ours come before what the user preloads"
tap_is "$(sed -n 's/^HAKMEM_SAMPLE_BYTES=//p' out)" 4096 "--sample-bytes reaches the allocator"
HAKMEM_SAMPLE_BYTES=1M record kept -- /usr/bin/env
tap_is "$(sed -n 's/^HAKMEM_SAMPLE_BYTES=//p' out)" 1M "without it the user's own setting stays"

# The command must not inherit blocked or ignored signals. 32 and 33 are libc's own: it
# handles them once a process has threads.
handling='while read -r name set; do case $name in SigBlk:|SigIgn:) echo "$name $((16#$set & ~0x180000000))" ;; esac; done </proc/self/status'
record signals -- bash -c "$handling"
tap_is "$(cat out)" "$(bash -c "$handling")" "the command handles signals as without us"

# As some services start what they run; the kernel then tells nobody of a child's end.
"$python" -c 'import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])' \
	"$hakstat" record -o reaped -- \
	"$python" -c 'import signal, sys; sys.exit(33 if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN else 1)' 2>said
tap_is "$?" 33 "with SIGCHLD ignored the command's end is seen, and it has it ignored as well"
tap_like "$(cat said)" 'trace in reaped .*no events lost' "and the trace is finished"

mkfifo up go
# Held open, so that neither side can find the other one gone between two lines.
exec {up}<>up {go}<>go
# A command that ends with a status of its own at a signal. It waits for a blocked one: a trap of
# bash's waits for ever when the signal comes just before the `read` that it should end.
answers='import signal, sys
number = signal.Signals[sys.argv[1]]
signal.pthread_sigmask(signal.SIG_BLOCK, [number])
print(file=open("up", "w"))
signal.sigwait([number])
sys.exit(int(sys.argv[2]))'
"$hakstat" record -o term -- "$python" -c "$answers" SIGTERM 33 2>said &
recorder=$!
read -r _ <&"$up"
kill "$recorder"
wait "$recorder"
tap_is "$?" 33 "SIGTERM goes on to the command, and its answer counts"
tap_like "$(cat said)" 'trace in term' "and the trace is finished"

# As from a terminal: SIGINT reaches the whole group, and only the command decides.
set -m
"$hakstat" record -o int -- "$python" -c "$answers" SIGINT 44 2>said &
recorder=$!
set +m
read -r _ <&"$up"
kill -INT -- "-$recorder"
wait "$recorder"
tap_is "$?" 44 "Ctrl-C ends the command, not the recording"
tap_like "$(cat said)" 'trace in int' "and the trace is finished"

# As from the supervisor of a container: to hakstat alone.
for signal in USR1 INT QUIT WINCH; do
	set -m
	"$hakstat" record -o "alone.$signal" -- "$python" -c "$answers" "SIG$signal" 55 2>said &
	recorder=$!
	set +m
	read -r _ <&"$up"
	kill "-$signal" "$recorder"
	wait "$recorder"
	tap_is "$? $(grep -c 'trace in alone' said)" "55 1" "SIG$signal goes on to the command, and the trace is finished"
done
# The lower number is seen first, so what came back would be there when the other one is.
tells='import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGUSR2])
os.kill(os.getppid(), signal.SIGUSR1)
print(file=open("up", "w"))
signal.sigwait([signal.SIGUSR2])
sys.exit(1 if signal.SIGUSR1 in signal.sigpending() else 66)'
"$hakstat" record -o tells -- "$python" -c "$tells" 2>said &
recorder=$!
read -r _ <&"$up"
kill -USR2 "$recorder"
wait "$recorder"
tap_is "$?" 66 "what the command sends to its parent does not come back"

"$hakstat" record -o left -- bash -c '(echo >up; read -r _ <go) & read -r _ <up' 2>said
tap_like "$(cat said)" '^hakstat: 1 process that the command started still runs; the trace ends here$' \
	"a child left in the background is pointed out"
echo >&"$go"

# No $(...) in it: each fork registers with the session daemon, which takes its time.
busy='for ((i = 0; i < 300; i++)); do printf -v x "%*s" $i a; y+=$x; done'
state='hakmem:class_info hakmem:class_stats hakmem:config hakmem:heap_stats'
has() {
	local trace=$1 name
	shift
	events "$trace" >"$trace.events"
	for name; do
		grep -qx "$name" "$trace.events" || { echo "no $name in:"; cat "$trace.events"; return 1; }
	done
}
has_not() {
	! grep -xE "$2" "$1.events"
}
# shellcheck disable=SC2086
for mode in sample full events; do
	record "$mode" --mode "$mode" --sample-bytes 4K -- bash -c "$busy"
	tap_ok "$mode: options, classes, snapshots" has "$mode" $state
	tap_ok "$mode: the modules, so that addresses get names" has "$mode" lttng_ust_statedump:bin_info lttng_ust_statedump:build_id
done
tap_ok "sample: samples" has sample hakmem:sample_alloc hakmem:sample_free
tap_ok "sample: nothing that every operation writes" has_not sample 'hakmem:(ops|alloc|free|resize|route|class_select|frag)'
tap_ok "full: packed operations and samples" has full hakmem:ops hakmem:sample_alloc
tap_ok "full: no single operations" has_not full 'hakmem:(alloc|free|resize|route|class_select|frag)'
tap_ok "events: single operations" has events hakmem:alloc hakmem:free hakmem:route hakmem:class_select
tap_ok "events: nothing packed" has_not events 'hakmem:(ops|sample_.*)'
tap_like "$(babeltrace2 sample | grep -m 1 hakmem:sample_alloc:)" 'vpid = [0-9]+, vtid = [0-9]+, procname = "bash"' \
	"each event says its process and thread"

# What is opened next takes their numbers.
# shellcheck disable=SC2086
{
	"$hakstat" record -o closed.02 -- bash -c "$busy" <&- 2>&-
	tap_is "$?" 0 "standard input and error are closed: the command runs"
	tap_ok "and is recorded" has closed.02 $state
	"$hakstat" record -o closed.012 -- bash -c "$busy" <&- >&- 2>&-
	tap_is "$?" 0 "all three are closed: the command runs"
	tap_ok "and is recorded" has closed.012 $state
}
"$hakstat" record -o closed.1 -- bash -c 'echo text 2>/dev/null' 2>said >&-
tap_is "$?" 1 "and what is closed fails to be written, as without us"
tap_done
