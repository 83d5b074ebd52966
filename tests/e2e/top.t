#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hakstat top in a real terminal, tmux's: what it shows, its keys, sizes, and how it leaves.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need tmux lttng-relayd
cd "$tmp" || exit 1
export TMPDIR=$tmp
mkfifo wanted did screen
exec {wanted}<>wanted {did}<>did {screen}<>screen

# The classic table puts 1024 bytes into 8192.
HAKMEM_SIZE_CLASSES=classic HAKMEM_SAMPLE_BYTES=16K HAKMEM_SNAPSHOT_MS=200 LD_PRELOAD=$lib:$tracer "$python" -c '
import sys

keep = []
for line in sys.stdin:
    keep += [bytearray(1023) for _ in range(int(line))]
    print(len(keep), flush=True)
' <wanted >did &
program=$!
tap_at_exit eval "kill $program 2>/dev/null"

# grow COUNT: the program keeps so many more blocks of 1024 bytes.
grow() {
	echo "$1" >&"$wanted"
	read -r _ <&"$did"
}

# Another recording of it: top disturbs nobody, and the session daemon need not start each time.
"$hakstat" attach -o other "$program" 2>said
tap_is "$?" 0 "it is recorded by somebody else" || tap_note "$(cat said)"

term() {
	tmux -u -L "hakmem-test-$$" "$@"
}
keys() {
	term send-keys -t top "$@"
}
# see NAME PATTERN: it comes on the screen. All that is drawn runs through the pipe, so each draw wakes us once.
see() {
	until shown=$(term capture-pane -p -t top) && grep -qE -- "$2" <<<"$shown"; do
		if ! timeout 60 dd bs=64K count=1 status=none <&"$screen" >/dev/null; then
			tap_result 1 "$1"
			tap_note "no $2 in:" "$shown"
			return
		fi
	done
	tap_result 0 "$1"
}
# modes: of the terminal, and what of it programs change beside them.
modes() {
	stty -a <"$(term display -p -t top '#{pane_tty}')"
	term display -p -t top 'alternate screen #{alternate_on}, cursor #{cursor_flag}, keypad #{keypad_flag}'
}
# leaves NAME STATUS: top has ended, and the terminal is as it was.
leaves() {
	see "$1: top ends with status $2" "^status $2$"
	tap_is "$(modes)" "$before" "and the terminal is as it was"
	tap_like "$shown" "^before top$" "with what was on it"
}
# begin COMMAND...: in the terminal.
begin() {
	keys "clear; echo before top; $*; echo status \$?" Enter
}
term -f /dev/null new-session -d -s top -x 150 -y 30 \
	"env LC_ALL=C.UTF-8 PS1='ready> ' HISTFILE= TMPDIR=$tmp bash --norc --noprofile"
tap_at_exit term kill-server
term pipe-pane -t top "cat >$tmp/screen"
see "the terminal is there" "^ready>"
# The shell's line editor has modes of its own: a program is what finds and leaves the terminal's.
term send-keys -t top "enable -n fc; set +o emacs; stty sane" Enter
see "and plain" "ready> .*$"
before=$(modes)

# Without a terminal.
"$hakstat" top "$program" </dev/null >once 2>said
tap_is "$? $(cat said)" "0 " "without a terminal it prints once" || tap_note "$(cat once)"
tap_like "$(cat once)" "^C7 +tiny " "a table of the classes"
tap_like "$(cat once)" "^trace +$program [^ ]" "of the process that it names"
tap_empty "$(grep -P '\x1b' once)" "with nothing for a terminal in it"
exec {idle}< <(LD_PRELOAD=$lib:$tracer exec "$python" -c 'import signal; print("ready", flush=True); signal.pause()')
idler=$!
read -r _ <&"$idle"
"$hakstat" top --once </dev/null >once 2>said
tap_like "$(cat once)" "^recorded +mode sample, ([2-9]|[1-9][0-9]+) processes," "without a process it waits for all of them" || tap_note "$(cat said)"
kill "$idler"

# The screen and its keys.
begin "$hakstat" top -d 1 "$program"
see "it names the process" "^hakstat top, [0-9]+ s: $program .*python3"
see "the totals are there, and say that nobody knows of older blocks" "^live .* blocks, waste [?] [(]all older than this view[)]; free in slabs "
grow 20000
see "what was allocated comes, wasting most, with its trend" "^M8192 +mid +8192 +20,[0-9]{3} +15[67][.][0-9] MiB +>?1[34][0-9][.][0-9] MiB +87[.][0-9] +[0-9.]+ [KM]iB .*█"
tap_is "$(grep -n M8192 <<<"$shown" | cut -d: -f1)" 5 "and stands first"
tap_like "$(term capture-pane -p -e -t top | grep M8192)" $'\e\\[31m +87' "in the colour of alarm"
keys Tab
see "Tab shows call sites" "call site"
see "with the one that allocates" "^ *>?1[34][0-9][.][0-9] MiB .* < "
tap_like "$shown" "^ *>?1[34][0-9][.][0-9] MiB .* [0-9]+[.][0-9] ±[0-9]+[.][0-9] +[0-9.]+ [KM]iB " "and its waste with the whole interval"
keys Tab
see "and the classes again" "^class +route"
keys '>'
see "> orders by the next column" "sort: waste %"
keys r
see "r turns it round" "sort: waste %, least first"
keys r '<' '<'
see "< orders by the one before" "sort: live bytes "
keys t
see "t shows another trend" "live waste over time"
keys Space
see "space holds the numbers" "PAUSED"
keys Space h
see "h explains" "^Tab +call sites, and back to classes"
keys h
term resize-window -t top -x 60 -y 12
see "a small terminal gets fewer columns" "^class +live bytes +live waste"
tap_is "$(wc -l <<<"$shown")" 12 "and all its lines"
tap_like "$(tail -1 <<<"$shown")" "^q quit " "the last one for the keys"
keys Down Down
see "the table scrolls" "^class +live bytes"
term resize-window -t top -x 150 -y 30
see "a large one gets them all" "^class +route +block +live +live bytes +live waste +waste % +± live +idle +occup. % +allocs/s"
keys q
leaves "q" 0

# Other ways out.
# top_pid: the process that owns the terminal.
top_pid() {
	pgrep -o -x -f "$hakstat top -d 1 $program"
}
begin "NO_COLOR=1 $hakstat" top -d 1 "$program"
see "again" "^M8192 .* 0 █"
tap_empty "$(term capture-pane -p -e -t top | grep -P '\x1b\[([0-9]+;)*[34][0-7]m')" "no colours with NO_COLOR"
keys Space
see "the numbers are held" "PAUSED"
keys Tab
see "held numbers have no call sites, and it says so" "^call sites come with the next numbers; space lets them come"
keys Space
grow 1000
see "then they come" "^ *>?[0-9.]+ MiB .* < "
keys C-c
leaves "Ctrl-C" 0
begin "LC_ALL=C $hakstat" top -d 1 "$program"
see "without UTF-8 the interval has a sign, too" "^class .* waste % +[+]- live +idle "
keys q
leaves "without UTF-8" 0
begin "$hakstat" top -d 1 "$program"
see "again" "^M8192 "
kill -TERM "$(top_pid)"
leaves "SIGTERM" 0
mkdir own # a recording is left when nobody is left to remove it
begin "TMPDIR=own $hakstat" top -d 1 "$program"
see "again" "^M8192 "
kill -KILL "$(pgrep -P "$(top_pid)" | head -n 1)"
leaves "its reader killed" 2
tap_like "$shown" "^hakstat: top: the process that reads the events was killed$" "and it says why"
begin "$hakstat" top -d 1 "$program"
see "again" "^M8192 "
kill -SEGV "$(top_pid)"
see "a crash ends it" "^status 139"
tap_is "$(modes)" "$before" "and leaves the terminal as it was, too"
begin "TERM=none-such $hakstat" top "$program"
see "a terminal that it does not know is refused" "^hakstat: top: TERM=none-such: not a terminal that can be drawn on$"
leaves "unknown terminal" 2

# A live session of a relay daemon, of which there is one.
port() {
	"$python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
control=$(port) data=$(port) live=$(port)
lttng-relayd -C "tcp://127.0.0.1:$control" -D "tcp://127.0.0.1:$data" -L "tcp://127.0.0.1:$live" -o "$tmp/relay" >relay.log 2>&1 &
relay=$!
tap_at_exit kill "$relay"
until said=$("$hakstat" top --once --live "net://127.0.0.1:$live" 2>&1); [[ $said != *"no relay daemon answers"* ]]; do
	kill -0 "$relay" || break
done
tap_like "$said" "^hakstat: net://127.0.0.1:$live: no live session there; it has the form net://HOST/host/NAME/SESSION$" \
	"a relay daemon without a session is told from one that is not there"
{
	lttng create hakmem-live --live=200000 -C "tcp://127.0.0.1:$control" -D "tcp://127.0.0.1:$data" &&
		lttng enable-event -s hakmem-live -u 'hakmem:*' -x 'hakmem:ops,hakmem:alloc,hakmem:free,hakmem:resize,hakmem:route,hakmem:class_select,hakmem:frag' &&
		lttng add-context -s hakmem-live -u -t vpid -t vtid -t procname &&
		lttng track -s hakmem-live -u --vpid "$program" && lttng start hakmem-live
} >lttng.log 2>&1 || tap_note "$(cat lttng.log)"
begin "$hakstat" top -d 1 --live "net://127.0.0.1:$live"
see "its session is followed" "^M8192 +mid +8192 +21,[0-9]{3} "
grow 10000
see "as it goes on" "^M8192 +mid +8192 +31,[0-9]{3} "
lttng destroy hakmem-live >lttng.log 2>&1
see "to its end" "it has ENDED, these are the last numbers"
keys q
leaves "a live session" 0

# Nothing is left but the program.
begin "$hakstat" top -d 1 "$program"
see "again" "^M8192 "
grow 1000
see "with something to name" "^M8192 .* 87[.]"
kill "$program"
see "the end of the process is said" "it has ENDED, these are the last numbers"
keys Tab
see "the last numbers have call sites" "^ *>?[0-9.]+ MiB .* < "
keys q
leaves "after it" 0
tap_ok "the other recording has gone its way" "$hakstat" report --strict -o other.txt other
tap_empty "$(lttng list 2>/dev/null | grep hakstat-top)" "no session is left"
tap_empty "$(find "$tmp" -maxdepth 1 -name 'hakstat-top-*')" "and no folder"
tap_like "$("$hakstat" top "$program" 2>&1)" "^hakstat: there is no process $program$" "a process that has gone is named"
tap_like "$("$hakstat" top one 2>&1)" "^hakstat: top: one is not a process id$" "and what is none"
tap_done
