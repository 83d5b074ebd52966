#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is no trace, or only half of one: a clear line and the right exit status, and nothing
# lost that was recorded.
. "$(dirname "$0")/../support/tap.sh"
cd "$tmp" || exit 1
mkdir scratch
export TMPDIR=$tmp/scratch
tar -xzf "$top/tests/data/ctf/good/full.tar.gz"
trace=ust/uid/0/64-bit

# report ARGUMENTS...: gives $said (stderr), $shown (stdout) and $status.
report() {
	said=$(timeout 60 "$hakstat" report "$@" 2>&1 >"$tmp/shown")
	status=$?
	shown=$(cat "$tmp/shown")
}

# refused PATTERN NAME STATUS ARGUMENTS...: one line on stderr, nothing on stdout.
refused() {
	local pattern=$1 name=$2 wanted=$3
	shift 3
	report "$@"
	tap_is "$status $(wc -l <<<"$said") ${#shown}" "$wanted 1 0" "$name: exit $wanted, one line, no report"
	tap_like "$said" "^hakstat: .*$pattern" "$name: the line says what and why"
}

# variant NAME: a copy of the good trace to damage; gives $to, its folder of streams.
variant() {
	cp -r full "$1"
	to=$1/$trace
}

refused "missing: no such trace; 'hakstat record -- CMD' writes one" "a missing path" 3 missing
refused "hakmem.trace: no such trace" "no operand and no hakmem.trace" 3
mkdir empty
refused "empty: an empty folder" "an empty folder" 3 empty
mkdir -p other/deep
echo text >other/deep/notes
refused "other: not a trace: no folder below it holds a file 'metadata'" "a folder without metadata" 3 other
echo text >file
refused "file: neither a trace folder nor a saved summary" "a file of something else" 3 file
mkdir foreign
echo "this is no metadata" >foreign/metadata
refused "foreign: not a readable trace: its metadata is not that of a CTF trace" "metadata of something else" 3 foreign
mkdir nobody
"${python:-python3}" - >nobody/metadata <<'PY'
import struct, sys
text = b'/* CTF 1.8 */ trace { major = 1; minor = 8; byte_order = le; };'
size = 8 * (37 + len(text) + (-(37 + len(text)) % 8))
head = struct.pack("<I16sIIIBBBBB", 0x75D11D57, b"", 0, 8 * (37 + len(text)), size, 0, 0, 0, 1, 8)
sys.stdout.buffer.write((head + text).ljust(size // 8, b"\0"))
PY
refused "nobody: not a readable trace: no process was traced, it holds no event" "a session to which no process came" 3 nobody
mkdir hollow
: >hollow/metadata
refused "hollow: not a readable trace: its metadata is empty" "empty metadata" 3 hollow

variant halfmeta
truncate -s 9000 "$to/metadata"
refused "halfmeta/.*: its metadata is cut short" "metadata that is cut short" 3 halfmeta
variant badmeta
printf '\377\377\377\377' | dd of="$to/metadata" bs=1 seek=24 conv=notrunc 2>/dev/null
refused "badmeta/.*: its metadata is damaged" "damaged metadata" 3 badmeta
variant silent
for stream in "$to"/*_[0-9]*; do
	: >"$stream"
done
refused "silent: damaged before its first event of hakmem: .* is shorter than its index says: 0 of [0-9]+ bytes" "empty streams" 3 silent
rm -r "$to/index"
refused "silent: a trace, but without events of hakmem; record with" "a trace without events" 3 silent
variant elsewhere
sed -i 's/hakmem:/hakmex:/g' "$to/metadata"
refused "elsewhere: a trace, but without events of hakmem" "a trace of another provider" 3 elsewhere
variant older
sed -i 's/_words/_wards/g' "$to/metadata"
refused "older: event hakmem:ops has no field 'words'" "an event that lacks a field" 3 older
# Root may read everything, so the tool runs as somebody else where it can.
mkdir -m 0 closed
chmod 755 .
as_nobody=()
if [ "$(id -u)" -eq 0 ]; then
	as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
cp "$hakstat" "$tmp/hakstat"
said=$("${as_nobody[@]}" "$tmp/hakstat" report closed 2>&1)
tap_is "$? $said" "3 hakstat: closed: cannot be read: Permission denied" "a folder without permission"

# Cut short: what was recorded is reported, and said to be only a part.
variant cut
largest=$(du -b "$to"/ops_* | sort -n | tail -1 | cut -f2)
truncate -s -100 "$largest"
report cut
tap_is "$status" 0 "a stream that is cut short: exit 0"
tap_like "$said" "^hakstat: the trace breaks off before its end; the report holds what could be read$" \
	"and one line that says so"
tap_like "$shown" "^note .*ops_[0-9]+ is cut short or damaged after 0 of [0-9]+ bytes" "the report names the stream"
tap_like "$shown" "^mid +boundary +300 +300 +10 " "and holds what was recorded"
refused_lines=$(timeout 60 "$hakstat" report --strict cut 2>&1 >/dev/null)
status=$?
tap_is "$status" 3 "with --strict: exit 3"
tap_like "$refused_lines" "^hakstat: the trace is incomplete" "and a line that says why"
for command in 'whatif cut --size-classes classic' 'tune cut' 'tune cut -o cut.classes'; do
	# shellcheck disable=SC2086
	said=$("$hakstat" $command 2>&1 >shown)
	tap_is "$? $(tail -n 1 <<<"$said")" "0 hakstat: the trace breaks off before its end; the prediction holds what could be read" \
		"$command: says so as well"
	tap_is "$(grep -E '^(lost|note) ' shown)" "$(grep -E '^(lost|note) ' <<<"$shown")" "$command: with the lines of the report"
done
tap_like "$(cat cut.classes)" "^# The recording is incomplete, lost: 0 events; PARTIAL" "and so does the table's file"
tap_is "$("$hakstat" whatif full --size-classes classic 2>&1 | grep -cE '^lost|^note|^hakstat')" 0 "whatif of a whole trace says nothing of it"
# A write that the limit of file sizes cuts is short first, and fails when it goes on.
said=$(trap '' XFSZ; ulimit -f 1; "$hakstat" report cut 2>&1 >/dev/null)
tap_is "$? $said" "2 hakstat: cannot write a temporary copy of a trace that is cut short: File too large" \
	"no room for the copy: the reason, and exit 2"
variant garbled
printf 'garbage' | dd of="$(du -b "$to"/ops_* | sort -n | tail -1 | cut -f2)" bs=1 conv=notrunc 2>/dev/null
report garbled
tap_is "$status" 0 "a stream that is not one: the others are reported"
tap_like "$shown" "ops_[0-9]+ is cut short or damaged after 0 of" "and the report names it"

# Streams that end where a packet does, or are gone: their index knows.
# lacks NAME BYTES: the report of NAME says that its stream $stream has so many of what its index tells of.
lacks() {
	report --strict "$1"
	tap_is "$status" 3 "$1: incomplete"
	tap_like "$shown" "^lost +0 events; PARTIAL" "$1: the report says so"
	tap_is "$(grep '^note .*index' <<<"$shown")" "note      $to/$stream $2" "$1: and names the stream"
	report --fail-on 'total waste_bytes < 0' "$1"
	tap_is "$status" 1 "$1: no gate passes"
}
for stream in ops_1 state_1; do
	bytes=$(stat -c %s "full/$trace/$stream")
	variant "emptied-$stream"
	: >"$to/$stream"
	lacks "emptied-$stream" "is shorter than its index says: 0 of $bytes bytes"
	variant "removed-$stream"
	rm "$to/$stream"
	lacks "removed-$stream" "is missing: its index tells of $bytes bytes"
done
# The stored streams are of one packet each, so the index gets one more.
stream=ops_1
variant shortened
"${python:-python3}" - "$to/index/$stream.idx" <<'PY'
import struct, sys
index = open(sys.argv[1], "rb").read()
head, entry = index[:16], index[16:]
offset, bits = struct.unpack(">QQ", entry[:16])
open(sys.argv[1], "wb").write(head + entry + struct.pack(">Q", offset + bits // 8) + entry[8:])
PY
bytes=$(stat -c %s "$to/$stream")
lacks shortened "is shorter than its index says: $bytes of $((2 * bytes)) bytes"
# whole NAME: the report of NAME misses nothing.
whole() {
	report --strict "$1"
	tap_is "$status $said" "0 " "$1: not taken for damage"
}
variant indexless
rm -r "$to/index"
whole indexless
variant unlisted
rm "$to/index/ops_1.idx"
whole unlisted
variant other-index
cp "$to/index/state_1.idx" "$to/index/ops_1.idx"
whole other-index
variant no-index
echo "this is no index, whatever it is that it may be" >"$to/index/ops_1.idx"
cp "$to/index/ops_1.idx" "$to/index/ops_9.idx"
whole no-index
variant unused
head -c 16 "$to/index/ops_1.idx" >"$to/index/ops_9.idx"
whole unused

# Lengths in a trace that no file has: of a build id, which is in the state stream.
# long NAME BYTES: 8 of them, as printf writes them
long() {
	local file at
	variant "$1"
	# The first length of 20 bytes.
	IFS=: read -r file at _ < <(cd "$to" && LC_ALL=C grep -obUaP '\x14\x00{7}' state_[01])
	printf '%b' "$2" | dd of="$to/$file" bs=1 seek="$at" conv=notrunc 2>/dev/null
}
long greedy '\x00\x00\x00\x40\x00\x00\x00\x00'
refused "greedy: damaged: reading it takes more than [0-9.]+ [GM]iB of memory" "a length that asks for 100 GiB" 3 greedy
long crash '\x05\x00\x00\x00\x01\x00\x00\x00'
refused "crash: damaged: the reading library crashed [(]Segmentation fault[)]" "a length on which babeltrace2 crashes" 3 crash
variant back
printf '\165' | dd of="$to/sample_1" bs=1 seek=356 conv=notrunc 2>/dev/null
report back
tap_is "$status $(wc -l <<<"$said")" "0 1" "a clock that goes back: what came before is reported"
tap_like "$shown" "^note +reading ended early: .*timestamp is less than" "and the report says why it ends"
variant pipe
mkfifo "$to/more"
refused "pipe/.*: not a readable trace: it holds more, which is no file" "a pipe in the trace" 3 pipe
variant device
ln -sf /dev/zero "$to/index/ops_1.idx"
refused "device/.*: not a readable trace: it holds ops_1.idx, which is no file" "a device in the place of an index" 3 device
tap_empty "$(ls -A "$TMPDIR")" "no temporary copy stays behind"
tap_is "$(find cut -type f -exec cat {} + | wc -c)" "$(($(find full -type f -exec cat {} + | wc -c) - 100))" \
	"the recording itself stays as it was"

refused "unknown option; 'hakstat help report' lists the options" "an unknown option" 2 --nonsense full
refused "choose one of table" "an unknown format" 2 --format xml full
for choice in 'folded thread' 'folded class' 'pprof size' 'openmetrics class' 'summary site'; do
	refused "--format ${choice% *} .*: leave --by out$" "a table of $choice" 2 --format "${choice% *}" --by "${choice#* }" full
done
for format in folded pprof; do
	said=$("$hakstat" report --format $format --by site -o "$format.out" full 2>&1)
	tap_is "$? $said" "0 " "$format has call sites"
done
pid=$("$hakstat" report --by process --format csv full 2>/dev/null | python3 -c 'import csv, sys; print(next(csv.DictReader(sys.stdin))["pid"])')
refused "full: no process 1 in this trace; --pid can be $pid [(]requests[)]$" "a process that is not there" 3 --pid 1 full
refused "--sort nonsense: the table by class has the columns class_id " "an unknown column" 2 --sort nonsense full
refused "--top 0: not a number" "a number out of range" 2 --top 0 full
refused "/nowhere/out: cannot be written: No such file" "a file that cannot be written" 2 -o /nowhere/out full
said=$("$hakstat" nonsense 2>&1)
tap_is "$? $said" "2 hakstat: nonsense: no such command; 'hakstat help' lists them" "an unknown command"
said=$("$hakstat" 2>&1)
tap_is "$? $said" "2 hakstat: no command given; 'hakstat help' lists them" "no command"
said=$("$hakstat" report --by class full 2>&1 >/dev/full)
tap_is "$?" 2 "a full disk under standard output: exit 2"
tap_like "$said" "^hakstat: standard output: cannot be written: No space left" "and a line that says so"
tap_done
