#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where hakstat record puts a trace, that nothing recorded before is lost, and what is refused
# before the command runs.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
mkdir "$tmp/here"
cd "$tmp/here" || exit 1

record() {
	said=$("$hakstat" record "$@" 2>&1)
	status=$?
}

# refused PATTERN NAME OPTIONS...: one line, exit 2, and the command has not run.
refused() {
	local pattern=$1 name=$2
	shift 2
	rm -f "$tmp/ran"
	record "$@"
	tap_is "$status $(wc -l <<<"$said") $([ -e "$tmp/ran" ] && echo ran)" "2 1 " "$name: exit 2, one line, nothing ran"
	tap_like "$said" "^hakstat: .*$pattern" "$name: the line names it"
}
run=(-- touch "$tmp/ran")

record -- true
tap_ok "the default is hakmem.trace" find hakmem.trace -name metadata
echo old >hakmem.trace/mine
record -- true
tap_is "$(cat hakmem.trace.1/mine)" old "an older one is moved to hakmem.trace.1"
tap_like "$said" "an older hakmem[.]trace is now hakmem[.]trace[.]1" "and the user is told"
mkdir hakmem.trace.2
record -- true
tap_is "$(printf '%s ' hakmem.trace*)" "hakmem.trace hakmem.trace.1 hakmem.trace.2 hakmem.trace.3 " "the first free number is taken"
tap_is "$(cat hakmem.trace.1/mine)" old "what has a number stays where it is"

mkdir empty target
(umask 027 && "$hakstat" record -o made -- true 2>/dev/null)
tap_is "$(stat -c %a made)" 750 "the folder has the rights that the umask leaves"
record -o empty -- true
tap_is "$status" 0 "an empty folder is used"
record -o slash/ -- true
tap_is "$status $(find slash -name metadata | head -n 1 | xargs basename)" "0 metadata" "a slash at the end of the name does no harm"
refused 'empty exists and is not an empty folder; .* -o' "-o with a trace in it" -o empty "${run[@]}"
ln -s target link
refused 'link exists' "-o with a symbolic link" -o link "${run[@]}"
tap_is "$(find target -mindepth 1)" "" "the link is not followed"
refused 'missing/x: No such file or directory' "-o in a folder that is not there" -o missing/x "${run[@]}"
rm -rf hakmem.trace
ln -s target hakmem.trace
record -- true
tap_is "$(readlink hakmem.trace.4) $(find target -mindepth 1)" "target " "a link in the default's place is moved, not followed"
record -o "a folder: with %s" -- true
tap_is "$(find "a folder: with %s" -name metadata -printf "found\n" | head -n 1)" found "the name may hold spaces, colons and percent signs"

# Two at once. The first one's command waits until the second recording has ended.
mkdir "$tmp/two"
mkfifo "$tmp/up" "$tmp/go"
exec {up}<>"$tmp/up" {go}<>"$tmp/go"
two=$tmp/two
(cd "$two" && exec "$hakstat" record -- bash -c 'echo >"$1"; read -r _ <"$2"' - "$tmp/up" "$tmp/go" 2>"$tmp/first") &
first=$!
read -r _ <&"$up"
said=$(cd "$two" && "$hakstat" record -- true 2>&1)
tap_like "$said" 'trace in hakmem[.]trace[.]1 .*; another recording had hakmem[.]trace$' "the folder of a recording that runs is not taken from it"
said=$("$hakstat" record -o "$two/hakmem.trace" "${run[@]}" 2>&1)
tap_is "$? $said" "2 hakstat: $two/hakmem.trace: another recording goes there; name a new one with -o" "nor by -o"
mv "$two/hakmem.trace" "$two/moved"
mkdir "$two/hakmem.trace"
echo >&"$go"
wait "$first"
tap_is "$? $(stat -c %a "$two/moved") $(stat -c %a "$two/hakmem.trace.1") $(ls "$two/hakmem.trace")" "0 755 755 " \
	"what is done at the end is done to the recording's own folder, wherever it was moved to"

refused 'no command' "no command" -o x
refused 'cannot run /nonexistent: No such file' "a missing program" -o x -- /nonexistent
refused 'cannot run nonexistent-program: not found in PATH' "a missing program in PATH" -o x -- nonexistent-program
touch plain
refused 'cannot run ./plain: Permission denied' "a file that is no program" -o x -- ./plain
refused 'cannot run ./target: Is a directory' "a folder" -o x -- ./target
refused '--nonsense' "an unknown option" --nonsense "${run[@]}"
refused 'sample[|]full[|]events' "an unknown mode" --mode most "${run[@]}"
refused '--sample-bytes 0' "a sample of nothing" --sample-bytes 0 "${run[@]}"
refused 'exclude each other' "-o and --set-url" -o x --set-url net://localhost "${run[@]}"
refused 'LTTng cannot' "a URL that is none" --set-url nonsense "${run[@]}"
refused 'LTTng cannot .*lttng-relayd' "a relay daemon that does not run" --set-url net://127.0.0.1:5398:5399 "${run[@]}"
tap_ok "no folder is left of what was refused" test ! -e x
echo old >hakmem.trace/mine
refused 'cannot run' "a missing program over an older trace" -- /nonexistent
tap_is "$(cat hakmem.trace/mine)" old "the older trace stays in its place"

mkdir "$tmp/no libraries" && cp "$hakstat" "$tmp/no libraries/hakstat"
said=$("$tmp/no libraries/hakstat" record -o x "${run[@]}" 2>&1)
tap_is "$?" 2 "without the libraries: exit 2"
tap_like "$said" "^hakstat: libhakmem.so and libhakmem-tracer.so are neither in .* nor in a build tree" "and a line that says so"
tap_done
