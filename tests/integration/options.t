#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The environment: values that are accepted and refused, tables from files, and what is
# printed at start. One warning line for each mistake, the default in its place, and the
# program goes on.
. "$(dirname "$0")/../support/tap.sh"

# in_force ASSIGNMENT...: the start-up print and warnings of a program under them.
in_force() {
	env "$@" HAKMEM_VERBOSE=1 LD_PRELOAD="$lib" true 2>&1
}

# value_of NAME ASSIGNMENT...: the option's value in force.
value_of() {
	local name=$1
	shift
	in_force "$@" | sed -n "s/^  $name  *//p"
}

# warnings ASSIGNMENT...: all that a program says on stderr under them.
warnings() {
	env "$@" LD_PRELOAD="$lib" true 2>&1
}

tap_is "$(warnings LC_ALL=C)" "" "no option, no word"
tap_like "$(in_force LC_ALL=C)" '^hakmem [0-9]+[.][0-9]+[.][0-9]+ in true\[[0-9]+\]$' "the start-up print names version and process"

while read -r name default other expected; do
	tap_is "$(value_of "$name" LC_ALL=C)" "$default" "$name is $default by default"
	tap_is "$(value_of "$name" "$name=$other")" "$expected" "$name=$other is accepted"
	tap_is "$(value_of "$name" "$name=")" "$default" "$name with an empty value counts as unset"
done <<'LIST'
HAKMEM_SIZE_CLASSES fine classic classic
HAKMEM_TINY_MAX_CLASS 7 5 5
HAKMEM_SUPERSLAB_SIZE 2M 4194304 4M
HAKMEM_HUGE_PAGES_FROM 64M 0 0
HAKMEM_PURGE_DELAY_MS 1000 -1 -1
HAKMEM_SECURE 0 1 1
HAKMEM_STATS 0 0 0
HAKMEM_TRACE 0 0 0
HAKMEM_SAMPLE_BYTES 512K 1m 1M
HAKMEM_SNAPSHOT_MS 1000 250 250
HAKMEM_FRAG_PERCENT 50 0 0
HAKMEM_STACK_DEPTH 32 128 128
LIST

tap_is "$(env HAKMEM_VERBOSE=0 LD_PRELOAD="$lib" true 2>&1)" "" "HAKMEM_VERBOSE=0 prints nothing"

# Each bad value: exactly one line that names variable, value and the value used instead.
while read -r assignment default; do
	text=$(warnings "$assignment")
	name=${assignment%%=*}
	tap_is "$(printf '%s\n' "$text" | wc -l)" 1 "$assignment gives one line"
	tap_like "$text" "^hakmem: $name=.*: expected .*; using $default\$" "$assignment is named with what is expected"
	tap_is "$(value_of "$name" "$assignment")" "$default" "$assignment leaves the default"
done <<'LIST'
HAKMEM_SIZE_CLASSES=finest fine
HAKMEM_SIZE_CLASSES=@ fine
HAKMEM_TINY_MAX_CLASS=8 7
HAKMEM_TINY_MAX_CLASS=-1 7
HAKMEM_TINY_MAX_CLASS=5x 7
HAKMEM_TINY_MAX_CLASS=0x5 7
HAKMEM_TINY_MAX_CLASS=99999999999999999999999 7
HAKMEM_TINY_MAX_CLASS=- 7
HAKMEM_SUPERSLAB_SIZE=3M 2M
HAKMEM_SUPERSLAB_SIZE=256K 2M
HAKMEM_SUPERSLAB_SIZE=64M 2M
HAKMEM_SUPERSLAB_SIZE=M 2M
HAKMEM_SUPERSLAB_SIZE=2MB 2M
HAKMEM_HUGE_PAGES_FROM=-1 64M
HAKMEM_HUGE_PAGES_FROM=1025G 64M
HAKMEM_PURGE_DELAY_MS=-2 1000
HAKMEM_SECURE=yes 0
HAKMEM_STATS=2 0
HAKMEM_TRACE=on 0
HAKMEM_SAMPLE_BYTES=0 512K
HAKMEM_SAMPLE_BYTES=99999999999G 512K
HAKMEM_SNAPSHOT_MS=0 1000
HAKMEM_FRAG_PERCENT=101 50
HAKMEM_STACK_DEPTH=129 32
LIST

tap_like "$(warnings HAKMEM_TINY_MAX_CLAS=5)" '^hakmem: HAKMEM_TINY_MAX_CLAS=5: no such option, ignored; there are .*HAKMEM_TINY_MAX_CLASS' \
	"an unknown name is named, with the known ones"
tap_is "$(warnings HAKMEM_=1 | wc -l)" 1 "the bare prefix is an unknown name"
tap_is "$(warnings XHAKMEM_STATS=9 hakmem_stats=9 HAKME=9)" "" "other names are not ours"
tap_is "$(warnings HAKMEM_STATS=7 HAKMEM_SECURE=7 HAKMEM_NONE=7 | wc -l)" 3 "each mistake has its line"
tap_is "$(warnings "HAKMEM_STATS=$(printf 'a\033[31mb\nc')" | wc -l)" 1 "control characters do not reach the terminal"
tap_like "$(warnings "HAKMEM_STATS=$(printf 'a\033[31mb')")" '=a[?]\[31mb:' "they are shown as question marks"
long=$(printf '%05000d' 0)
tap_is "$(warnings "HAKMEM_SIZE_CLASSES=@$long" | wc -l)" 1 "a path longer than any path is refused"

# The boundary and the tables, seen in the class table that is printed.
classes() {
	in_force "$@" | sed -n '/^ *id /,$p'
}
tap_like "$(classes HAKMEM_SIZE_CLASSES=classic)" '8  M8192 +mid +8192 +1024[.][.]8192$' "classic: 1024 bytes need an 8192-byte block"
tap_like "$(classes HAKMEM_SIZE_CLASSES=classic HAKMEM_TINY_MAX_CLASS=5)" 'M8192 +mid +8192 +256[.][.]8192$' \
	"classic to C5: from 256 bytes on"
tap_like "$(classes HAKMEM_SIZE_CLASSES=classic HAKMEM_TINY_MAX_CLASS=5)" 'C6 +tiny +512 +none' "its C6 is excluded"
tap_like "$(classes HAKMEM_TINY_MAX_CLASS=5)" 'S1024 +smallmid +1024 +897[.][.]1024$' "fine to C5: the block stays, the route changes"

# Tables from files.
table() { # TEXT: writes it, then what a program says
	printf '%b' "$1" >"$tmp/table"
	in_force "HAKMEM_SIZE_CLASSES=@$tmp/table"
}
tap_like "$(table '# a comment\n16\n 48 # another\n\n1024\r\n4096')" ' 3  S4096 +smallmid +4096 +1025[.][.]4096$' "a file with comments and blank lines"
tap_like "$(table '16\n48\n1024\n4096\n')" 'HAKMEM_SIZE_CLASSES +@' "it is what is in force"
tap_like "$(table '16\n48\n1024\n4096\n')" ' 4  large +large +pages +4097 and more$' "and larger requests are large"
while read -r line reason text; do
	output=$(table "$text")
	tap_like "$output" "^hakmem: HAKMEM_SIZE_CLASSES=@$tmp/table: line $line: .*${reason//_/ }.*; using fine\$" "$text: $reason"
	tap_like "$output" '^  HAKMEM_SIZE_CLASSES +fine$' "$text: fine is in force"
done <<'LIST'
2 not_larger 32\n16\n
2 not_larger 32\n32\n
1 multiple_of_16 20\n
1 multiple_of_16 0\n
3 larger_than 16\n32\n262160\n
2 not_a_number 16\nabc\n
1 not_a_number 16,32\n
1 not_a_number -16\n
2 no_block #nothing
LIST
printf '%s\n' $(seq 16 16 1040) >"$tmp/many"
tap_like "$(warnings "HAKMEM_SIZE_CLASSES=@$tmp/many")" 'line 65: more than 64 blocks; using fine$' "a table that is too long"
tap_like "$(warnings "HAKMEM_SIZE_CLASSES=@$tmp/none")" ': No such file or directory; using fine$' "a file that is not there"
tap_like "$(warnings "HAKMEM_SIZE_CLASSES=@$tmp")" ': Is a directory; using fine$' "a folder"
head -c 20000 /dev/zero | tr '\0' '\n' >"$tmp/big"
tap_like "$(warnings "HAKMEM_SIZE_CLASSES=@$tmp/big")" ': File too large; using fine$' "a file that is no table"
mkfifo "$tmp/fifo"
tap_like "$(warnings "HAKMEM_SIZE_CLASSES=@$tmp/fifo")" ': line 1: no block at all; using fine$' "a pipe that nobody writes to does not hang"

# Whatever the table and the boundary, every size is served.
semantics=$build/tests/integration/api_semantics
for boundary in 0 3 5 7; do
	for scheme in fine classic; do
		tap_ok "$scheme to C$boundary keeps malloc's promises" \
			env HAKMEM_SIZE_CLASSES=$scheme HAKMEM_TINY_MAX_CLASS=$boundary LD_PRELOAD="$lib" "$semantics"
	done
done
printf '8\n48\n5008\n' >"$tmp/odd"
for program in api_semantics alignment_matrix first_operation; do
	tap_ok "an odd table of three blocks keeps the promises of $program" \
		env HAKMEM_SIZE_CLASSES="@$tmp/odd" LD_PRELOAD="$lib" "$build/tests/integration/$program"
done
for assignment in HAKMEM_SUPERSLAB_SIZE=512K HAKMEM_SUPERSLAB_SIZE=32M HAKMEM_PURGE_DELAY_MS=0 HAKMEM_PURGE_DELAY_MS=-1 \
	HAKMEM_HUGE_PAGES_FROM=0; do
	tap_ok "$assignment keeps malloc's promises" env "$assignment" LD_PRELOAD="$lib" "$semantics"
done

# What a shrinking block leaves goes back as well.
kib=$(env HAKMEM_PURGE_DELAY_MS=0 LD_PRELOAD="$lib" python3 -c '
block = bytearray(b"x") * (64 << 20)
del block[1 << 20:]
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))')
tap_ok "HAKMEM_PURGE_DELAY_MS=0: 63 of 64 MiB that a realloc leaves go back at once ($kib KiB are in memory)" test "$kib" -lt 40000

# huge_mib BLOCK ASSIGNMENT: for how much a program with 96 MiB of such blocks asks for huge pages.
huge_mib() {
	env "$2" LD_PRELOAD="$lib" python3 -c '
import sys
size = int(sys.argv[1])
keep = [bytearray(size) for _ in range((96 << 20) // size)]
kib = huge = 0
for line in open("/proc/self/smaps"):
    if line.startswith("Size:"):
        kib = int(line.split()[1])
    elif line.startswith("VmFlags:") and " hg" in line:
        huge += kib
print(huge // 1024)' "$1"
}
if [ -f /sys/kernel/mm/transparent_hugepage/enabled ]; then
	while read -r block from least most what; do
		mib=$(huge_mib "$block" HAKMEM_HUGE_PAGES_FROM="$from")
		tap_ok "blocks of $block, huge pages from $from: $what ($mib MiB)" test "$mib" -ge "$least" -a "$mib" -le "$most"
	done <<'LIST'
6000 64M 30 60 what lies above
6000 8M 88 110 what lies above
6000 0 98 120 all
3000 64M 80 100 of a class that uses its memory up, three quarters of what lies below as well
3000 1024G 0 0 none
6000 1024G 0 0 none
LIST
fi
tap_done
