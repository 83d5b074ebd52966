#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What hakstat is to the one at the terminal: colours, widths, units, the progress line, Ctrl-C, help and
# completion. From stored traces.
. "$(dirname "$0")/../support/tap.sh"
cd "$tmp" || exit 1
export TERM=xterm LC_ALL=C.UTF-8
unset NO_COLOR
for mode in full events; do
	tar -xzf "$top/tests/data/ctf/good/$mode.tar.gz"
done
gzip -dc "$top/tests/data/redis/redis-fine.summary.gz" >redis.summary
gzip -dc "$top/tests/data/redis/redis-classic.summary.gz" >classic.summary
esc=$'\x1b'
python=/usr/bin/python3 # wrappers in PATH take longer than all the rest
[ -x "$python" ] || python=$(command -v python3)

# terminal [--type KEYS] COLUMNS COMMAND...
terminal() {
	"$python" "$top/tests/e2e/terminal.py" "$@"
}

# Colours.
tap_like "$(terminal 80 "$hakstat" report redis.summary)" "$esc\[" "a terminal gets colours"
tap_empty "$(NO_COLOR=1 terminal 80 "$hakstat" report redis.summary | grep "$esc")" "none with NO_COLOR"
tap_like "$(NO_COLOR='' terminal 80 "$hakstat" report redis.summary)" "$esc\[" "an empty NO_COLOR says nothing"
tap_empty "$(TERM=dumb terminal 80 "$hakstat" report redis.summary | grep "$esc")" "none for TERM=dumb"
tap_empty "$("$hakstat" report redis.summary | grep "$esc")" "none into a pipe"
terminal 80 sh -c '"$1" report -o file redis.summary' sh "$hakstat" >said
tap_empty "$(grep "$esc" file)" "none into a file, whatever the terminal"
tap_empty "$(cat said)" "and nothing beside it"

# Widths: no line is longer than the terminal, but for words that are.
commands=('report redis.summary' 'report --exact redis.summary' 'report --tree callers redis.summary'
	'diff redis.summary classic.summary' 'diff --exact --per operation redis.summary classic.summary'
	'whatif --size-classes classic redis.summary' 'tune -n 60 redis.summary' 'explain 1025' 'explain 1024 --size-classes classic'
	classes 'help report')
for by in class route size site thread process time heap; do
	commands+=("report --by $by redis.summary")
done
# wide COLUMNS: lines of standard input that are wider
wide() {
	sed "s/$esc\[[0-9;]*m//g" | "$python" -c '
import sys, unicodedata
for line in sys.stdin:
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line.rstrip("\n"))
    if width > int(sys.argv[1]) and " " in line.strip():
        print(line, end="")' "$1"
}
for columns in 60 80 200; do
	for command in "${commands[@]}"; do
		[ "$columns $command" != "60 help report" ] || continue # help is 80 wide
		read -ra words <<<"$command"
		terminal "$columns" "$hakstat" "${words[@]}" >shown
		tap_ok "$columns columns: $command" test -s shown
		tap_empty "$(wide "$columns" <shown)" "and no line is wider"
	done
done
tap_like "$(terminal 60 "$hakstat" report --by class redis.summary)" '^\(left out, the terminal is too narrow: route, frees' "what is left out is named"
tap_empty "$(terminal 200 "$hakstat" report --by class redis.summary | grep 'left out')" "nothing is where there is room"
tap_is "$("$hakstat" report --by class redis.summary | grep -c 'slabs.*idle$')" 1 "nor in a pipe, which is as wide as need be"
tap_empty "$(COLUMNS=60 "$hakstat" report redis.summary | wide 60)" "COLUMNS is believed"
tap_is "$(COLUMNS=200 terminal 60 "$hakstat" report redis.summary | sed "s/$esc\[[0-9;]*m//g")" "$(COLUMNS=200 "$hakstat" report redis.summary)" \
	"also before the terminal"
tap_is "$(COLUMNS=none "$hakstat" report redis.summary)" "$("$hakstat" report redis.summary)" "unless it is no number"

# Units.
tap_like "$("$hakstat" report --by class full)" "^M8192 .* 22[.]9 KiB +240[.]0 KiB +217[.]1 KiB " "1 KiB is 1024 bytes"
tap_like "$("$hakstat" report --by class --exact full)" "^M8192 .* 23480 +245760 +222280 " "--exact has every byte"
tap_empty "$("$hakstat" report --exact redis.summary | grep -E '[KMG]iB' | grep -v '^ *[0-9]*[.]\|Advice')" "--exact rounds nowhere but in sentences"

# A pager is never started.
cat >pager <<'END'
#!/bin/sh
echo started >>"$PAGED"
cat
END
chmod +x pager
for name in less more pager most man; do
	ln -sf "$tmp/pager" "$tmp/$name" 2>/dev/null
done
PAGED=$tmp/paged PAGER=$tmp/pager MANPAGER=$tmp/pager PATH=$tmp:$PATH terminal 80 sh -c '
	"$1" report redis.summary; "$1" help report; "$1" help; "$1" classes' sh "$hakstat" >shown
tap_ok "long results came" test "$(wc -l <shown)" -gt 200
tap_ok "and no pager" test ! -e paged

# Progress and Ctrl-C. A clock that is two seconds further with each look makes any reading long. With
# HAK_TEST_WAIT=N, the look of that number says so and waits until Ctrl-C has come; with HAK_TEST_SEND it is
# its sender.
cat >clock.c <<'END'
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void wait_for_interrupt(void)
{
	sigset_t interrupt, before;

	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	sigprocmask(SIG_BLOCK, &interrupt, &before);
	fputs("[waits]", stderr);
	sigsuspend(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int64_t g_get_monotonic_time(void)
{
	static int64_t now;
	static int looks;
	const char *wait = getenv("HAK_TEST_WAIT");

	if (wait && ++looks == atoi(wait)) {
		if (getenv("HAK_TEST_SEND")) {
			kill(0, SIGINT);
		} else {
			wait_for_interrupt();
		}
	}
	return now += 2000000;
}
END
tap_ok "the clock is built" "${CC:-gcc}" -shared -fPIC -o clock.so clock.c
mkdir many
for copy in {1..20}; do
	cp -r events "many/$copy"
done
with_clock=(env "LD_PRELOAD=$tmp/clock.so")
looks=8 # some thousand events are read by then, and more are to come
all=$("$hakstat" report --format json many | "$python" -c 'import json, sys; print(json.load(sys.stdin)["trace"]["events"])')
tap_ok "the trace is long enough for several looks" test "$all" -gt 2000
shown=$(terminal 80 "${with_clock[@]}" sh -c '"$1" report --top 1 many >out' sh "$hakstat")
tap_like "$shown" "hakstat: [0-9,]+ events read" "a long reading shows how far it is"
tap_is "$(tr '\r' '\n' <<<"$shown" | tail -n 1)" "${esc}[K" "and takes the line away"
tap_is "$("${with_clock[@]}" "$hakstat" report --top 1 many 2>&1 >out)" "" "not where standard error is no terminal"
tap_is "$(terminal 80 sh -c '"$1" report --top 1 full >out' sh "$hakstat")" "" "and a short reading shows none"

# interrupted KEYS COMMAND...: gives $status, $shown (standard output), $said (standard error)
interrupted() {
	said=$(HAK_TEST_WAIT=$looks terminal --type "$1" 200 "${with_clock[@]}" sh -c 'exec "$@" >out' sh "$hakstat" "${@:2}")
	status=$?
	said=${said//$'\r'/}
	said=${said##*"${esc}[K"}
	shown=$(cat out)
}
interrupted ^C report many
tap_is "$status" 0 "Ctrl-C ends the reading: exit 0"
tap_like "$said" "^hakstat: interrupted; the report holds what was read until then$" "and a line that says so"
tap_like "$shown" "^lost .*; PARTIAL: only a part of the trace was read$" "the report is marked as partial"
tap_like "$shown" "^note +reading ended early: it was interrupted$" "and says why"
interrupted ^C report --format json many
tap_is "$("$python" -c 'import json, sys
d = json.loads(sys.argv[1])
print(d["trace"]["partial"], 0 < d["trace"]["events"] < int(sys.argv[2]), d["totals"]["allocs"] > 0)' "$shown" "$all")" "True True True" \
	"it holds what was read, and no more"
interrupted ^C report --strict many
tap_is "$status" 3 "with --strict: exit 3"
interrupted ^C report --fail-on 'total waste_percent > 99' many
tap_is "$status" 1 "no gate passes on it: exit 1"
cp -r many second
interrupted ^C report many second full
tap_is "$status" 0 "of several traces"
tap_like "$shown" "^note +interrupted before second was read$" "those that were not read are named"
tap_like "$shown" "^trace +many from " "and are not in the report"
for command in 'diff many full' 'whatif --size-classes fine many' 'tune many'; do
	read -ra words <<<"$command"
	interrupted ^C "${words[@]}"
	tap_is "$status ${#shown} $said" "130 0 hakstat: many: interrupted" "$command has no result of a part: exit 130"
done
mkdir scratch
cp -r many cut
find cut -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d' ' -f2 | xargs truncate -s -100
TMPDIR=$tmp/scratch interrupted ^C diff cut full
tap_is "$(ls -A scratch)" "" "and leaves no temporary file"
HAK_TEST_WAIT=$looks HAK_TEST_SEND=1 terminal 200 "${with_clock[@]}" sh -c 'trap "" INT; exec "$1" report many' sh "$hakstat" >out
tap_is "$? $(grep -c 'PARTIAL' out)" "0 0" "where Ctrl-C is ignored, as in the background of a script, it stays so"

# Help.
"$hakstat" --list-commands >list
tap_ok "there are commands" test "$(wc -l <list)" -gt 10
while read -r command; do
	[ "$command" != help ] || continue
	"$hakstat" help "$command" >help.txt 2>&1
	tap_is "$? $(head -n 1 help.txt | grep -o "^usage: hakstat $command")" "0 usage: hakstat $command" "help $command"
	tap_ok "is $command --help" diff help.txt <("$hakstat" "$command" --help)
	tap_empty "$(wide 80 <help.txt)" "in lines of 80 columns"
	while read -r option _; do
		grep -q -- "$option" help.txt || echo "$option"
	done < <("$hakstat" "$command" --list-options | grep '^--' | grep -v '^--help') >missing
	tap_empty "$(cat missing)" "with every option"
done <list
tap_like "$("$hakstat" help nonsense 2>&1)" "^hakstat: nonsense: no such command; 'hakstat help' lists them$" "help of no command"

# Completion, as bash does it.
cat >complete.sh <<'END'
# usage: complete.sh WORD...: the last one is completed
. "$1"
COMP_WORDS=(hakstat "${@:2}")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
compopt() { :; }
_hakstat
printf '%s\n' "${COMPREPLY[@]}" | sort
END
# completes NAME WANTED WORD...
completes() {
	local name=$1 wanted=$2
	shift 2
	tap_is "$(PATH=$(dirname "$hakstat"):$PATH bash complete.sh "$top/tools/hakstat/completion/hakstat.bash" "$@" | paste -sd ' ')" "$wanted" "completion: $name"
}
all_of() { # COMMAND: its options
	"$hakstat" "$1" --list-options | grep -oE -- '^--[a-z-]+' | sort | paste -sd ' '
}
completes "every command" "$(sort list | paste -sd ' ')" ''
completes "a command's beginning" "report" rep
completes "the program's own options" "--help --version" -
completes "help's command" "diff" help di
while read -r command; do
	[ "$command" = help ] || completes "every option of $command" "$(all_of "$command")" "$command" -
done <list
completes "an option's beginning" "--format" report --fo
completes "values" "json" report --format js
completes "values of the short form" "folded" report -f fo
completes "values behind =, before one is begun" "$(tr '|' '\n' <<<"callers|callees" | sort | paste -sd ' ')" report --tree =
completes "and when one is" "callees" report --tree = callee
completes "values where a file may stand as well" "classic" whatif --size-classes cl
columns_of() { # TABLE PREFIX
	"$hakstat" --list-columns | awk -F '\t' -v table="$1" -v prefix="$2" '$1 == table && index($2, prefix) == 1 { print $2 }' | sort | paste -sd ' '
}
tap_like "$(columns_of site waste)" "waste_bytes.* waste_percent" "there are columns to complete"
completes "columns of the table in question" "$(columns_of site waste)" report --by site --sort waste
completes "and of another" "$(columns_of time peak)" report --by time --sort peak
completes "behind =, too" "$(columns_of time peak)" report --by = time --sort peak
completes "files" "redis.summary" report redis
completes "files for an option" "redis.summary" report -o redis
completes "the command that is run" "redis.summary" record -- true redis
tap_like "$(PATH=$(dirname "$hakstat"):$PATH bash complete.sh "$top/tools/hakstat/completion/hakstat.bash" record -- pyth)" '^python3$' "completion: programs to run"
completes "nothing that is not there" "" report --nonsense-
tap_done
