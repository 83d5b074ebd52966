#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hakstat record and session daemons: started when none runs, shared, left alone when it is
# somebody else's, ended however the recording ends; and what happens when it dies.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need babeltrace2
cd "$tmp" || exit 1
mkfifo up go
# Held open, so that neither side can find the other one gone between two lines.
exec {up}<>up {go}<>go

need_no_daemon

# A command that says when it runs and ends when told.
waiting=(bash -c 'for ((i = 0; i < 500; i++)); do printf -v x "%*s" $i a; y+=$x; done; echo $$ >up; read -r _ <go')

# begin NAME: records the waiting command; sets $recorder and $command.
begin() {
	"$hakstat" record -o "$1" -- "${waiting[@]}" 2>"$1.said" &
	recorder=$!
	read -r command <&"$up"
}

# finish: lets the command end; sets $status.
finish() {
	echo >&"$go"
	wait "$recorder"
	status=$?
}

# shoot PID: no chance to tidy up.
shoot() {
	kill -KILL "$1"
	{ wait "$1"; } 2>/dev/null
}

readable() {
	test "$(babeltrace2 "$1" 2>/dev/null | grep -c hakmem:)" -gt 50
}

said=$(LTTNG_SESSIOND_PATH=$tmp/nothing "$hakstat" record -- touch ran 2>&1)
tap_is "$? $(wc -l <<<"$said") $(echo ran*)" "2 1 ran*" "no daemon program: exit 2, one line, nothing ran"
tap_like "$said" '^hakstat: no LTTng session daemon: lttng-sessiond is not installed' "and it says what is missing"
said=$(LTTNG_SESSIOND_PATH=/bin/false "$hakstat" record -- touch ran 2>&1)
tap_is "$? $(wc -l <<<"$said") $(echo ran*)" "2 1 ran*" "a daemon that gives up: exit 2, one line, nothing ran"
tap_ok "no folder is left" test ! -e hakmem.trace

begin own
daemon=$(daemon_pid)
tap_ok "a daemon was started" test -n "$daemon"
tap_is "$(ps -o tty= -p "$daemon")" "?" "it is out of the terminal's reach"
finish
tap_is "$status $(daemon_pid)" "0 " "it has ended when record returns"
tap_ok "the trace is readable" readable own

begin first
first=$recorder
daemon=$(daemon_pid)
"$hakstat" record -o second -- true 2>/dev/null
tap_is "$(daemon_pid)" "$daemon" "a second recording uses the first one's daemon and leaves it"
recorder=$first
finish
tap_is "$(daemon_pid)" "" "the last one ends it"
tap_ok "the first trace is readable" readable first
tap_ok "the second trace is readable" readable second

begin early
early=$recorder
"$hakstat" record -o late -- bash -c 'echo >up; read -r _ <go' 2>late.said &
late=$!
read -r _ <&"$up"
shoot "$early"
tap_like "$(daemon_pid)" '[0-9]' "the daemon survives the hakstat that started it while another one records"
echo >&"$go"
echo >&"$go"
wait "$late"
tap_is "$?" 0 "which ends as it should"
# What tidies up after the killed one may be the last to use the daemon.
await_end "$(daemon_pid)"
tap_is "$(daemon_pid)" "" "and then the daemon ends"
tap_like "$(cat late.said)" 'trace in late .*no events lost' "whose trace is whole"

begin shot
daemon=$(daemon_pid)
shoot "$recorder"
await_end "$daemon"
tap_is "$(daemon_pid)" "" "no daemon is left of a hakstat that was killed"
tap_ok "the command goes on" kill -0 "$command"
tap_ok "what it had recorded is readable" readable shot
echo >&"$go"
await_end "$command"

begin shared
daemon=$(daemon_pid)
lttng create other --output "$tmp/other" >/dev/null
shoot "$recorder"
echo >&"$go"
await_end "$command"
said=$("$hakstat" record -o shared-too -- true 2>&1)
tap_is "$(daemon_pid)" "$daemon" "a daemon that record started goes on while somebody else has a session there"
tap_like "$said" "^hakstat: the LTTng session daemon goes on: 'lttng list' shows sessions of others" "which is said"
tap_like "$(lttng list)" ' other ' "and the session is there"
lttng destroy other >/dev/null
"$hakstat" record -o unshared -- true 2>/dev/null
tap_is "$(daemon_pid)" "" "without such a session the next recording ends it"

begin signalled
for signal in TERM HUP INT; do
	ps -eo pid=,args= | awk -v own="$recorder" '/hakstat record -o signalled/ && !/awk/ && $1 != own { print $1 }' |
		xargs kill "-$signal"
done
"$hakstat" record -o meanwhile -- true 2>/dev/null
finish
tap_like "$(cat signalled.said)" 'trace in signalled .*no events lost' "signals to all that is called hakstat do not cut it off"
tap_is "$(daemon_pid)" "" "and the daemon ends with it"

begin stuck
stuck=$recorder
daemon=$(daemon_pid)
"$hakstat" record -o stuck-shot -- bash -c 'echo >up; read -r _ <go' 2>/dev/null &
recorder=$!
read -r _ <&"$up"
kill -STOP "$daemon"
shoot "$recorder"
echo >&"$go"
echo >&"$go"
wait "$stuck"
tap_is "$?" 0 "a daemon that answers no more: record ends"
tap_like "$(cat stuck.said)" 'incomplete: recording was cut off; LTTng cannot stop recording' "and says that the trace breaks off"
# Nobody may have taken notice of its end yet.
until [[ $(ps -o stat= -p "$daemon") != [!Z]* ]]; do :; done
said=$("$hakstat" record -o unstuck -- true 2>&1)
tap_like "$said" 'trace in unstuck .*no events lost' "that daemon has ended, though a hakstat was killed meanwhile"

# Somebody else cuts the recording into parts, and LTTng writes no part to its end but the last one.
begin rotated
lttng rotate "$(lttng list | grep -oE 'hakstat-record-[^ ]+')" >/dev/null
finish
tap_like "$(cat rotated.said)" '^hakstat: trace in rotated .*no events lost' "a session that was rotated is not called cut off"
tap_is "$(ls rotated)" archives "all of its parts are in place when record returns"
tap_like "$("$hakstat" report rotated)" '^recorded  mode sample, 1 process' "and read as one"

begin orphaned
daemon=$(daemon_pid)
# What is in the buffers goes to the files once a second.
until readable orphaned; do :; done
kill -KILL "$daemon"
await_end "$daemon"
finish
tap_is "$status" 0 "the daemon dies: the command is unharmed"
tap_like "$(cat orphaned.said)" 'trace in orphaned .*incomplete: recording was cut off' "and the trace is called incomplete"
tap_ok "what there is of it is readable" readable orphaned

lttng-sessiond --daemonize >/dev/null 2>&1
daemon=$(daemon_pid)
tap_at_exit kill "$daemon"
begin guest
tap_is "$(daemon_pid)" "$daemon" "a daemon that runs is used"
tap_like "$(lttng list)" "hakstat-record-$recorder-[0-9a-f]{16} .active" "the session's name cannot be guessed"
lttng create other --output "$tmp/other" >/dev/null
finish
tap_is "$(daemon_pid)" "$daemon" "and left alone"
kill -STOP "$daemon"
said=$("$hakstat" ab -a X=1 -n 1 --recordings 1 -- touch ran 2>&1)
tap_is "$? $(echo ran*)" "2 ran*" "one that lets itself be connected to and does not answer: exit 2, nothing ran"
kill -CONT "$daemon"
tap_like "$said" '^hakstat: the LTTng session daemon that runs has not answered' "and it says so"
tap_is "$(lttng list | grep -oE '[0-9][)] (hakstat|other)')" "1) other" "its other sessions too"
lttng destroy other >/dev/null

begin shot-guest
shoot "$recorder"
guard=$(ps -eo pid=,args= | awk '/hakstat record -o shot-guest/ && !/awk/ { print $1; exit }')
await_end "$guard"
tap_is "$(lttng list | grep -c hakstat-)" 0 "no session is left of a hakstat that was killed"
tap_ok "what it had recorded is readable" readable shot-guest
echo >&"$go"
await_end "$command"
tap_done
