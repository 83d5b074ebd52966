#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The fast paths of malloc, free and the operators of C++ in the built library: no call, no locked instruction,
# and not more instructions than the budget. The path is what runs when no conditional
# jump is taken: from the function's entry to its first ret. Secure mode's is the same with
# the first jump taken that tests an ended count, or a stack without room.
. "$(dirname "$0")/../support/tap.sh"
tap_need objdump nm readelf
case $(uname -m) in
x86_64) ;;
*) tap_skip_all "the budget is counted in x86-64 instructions" ;;
esac
[[ ${CFLAGS-} == *-O0* || -n ${SAN-} ]] && tap_skip_all "not an optimised build"

# straight FUNCTION [JUMP]: the instructions on its straight path, one a line; the first JUMP is taken.
straight() {
	local address size
	read -r address size < <(nm -S --defined-only "$lib" | awk -v name="$1" '$4 == name { print "0x" $1, "0x" $2; exit }')
	# By address: at a place with several names, objdump knows one of them only.
	objdump -d --no-show-raw-insn --start-address="$address" --stop-address=$((address + size)) "$lib" | awk -v taken="${2-}" '
	/^ +[0-9a-f]+:/ {
		address = $1; sub(/:$/, "", address)
		text = $0; sub(/^[^\t]*\t/, "", text); sub(/[ \t]+$/, "", text)
		code[++n] = text; number[address] = n
	}
	END {
		for (i = 1; i <= n && steps++ < 200; i++) {
			print code[i]
			if (code[i] ~ /^(bnd )?(repz )?ret/) exit
			split(code[i], word, " ")
			if (code[i] ~ /^(bnd )?jmp/ || word[1] == taken) {
				if (word[1] == taken) taken = ""
				if (!(word[2] in number)) exit
				i = number[word[2]] - 1
			}
		}
	}'
}

check_path() { # FUNCTION LIMIT [JUMP]
	straight "$1" "${3-}" >"$tmp/path"
	count=$(grep -vcE '^(endbr64|nop)' "$tmp/path")
	tap_like "$(tail -n 1 "$tmp/path")" '^(bnd )?(repz )?ret' "$1${3:+ after $3}: the straight path ends in ret"
	tap_empty "$(grep -E '\bcall\b' "$tmp/path")" "$1${3:+ after $3}: no call on it"
	tap_empty "$(grep -E '^lock|\bxchg .*\(|\bcmpxchg|\bxadd|[ml]fence' "$tmp/path")" "$1${3:+ after $3}: nothing locked on it"
	tap_ok "$1${3:+ after $3}: at most $2 instructions" test "$count" -le "$2"
	tap_note "$1: $count instructions, $(grep -cE '^j[a-z]+' "$tmp/path") jumps"
	if [ "$count" -gt "$2" ]; then
		tap_note "$(cat "$tmp/path")"
	fi
}

# What each compiler makes of it, and one or two for its other versions; and its jump where a count has ended, and
# where there is no room.
if readelf -p .comment "$lib" | grep -q clang; then
	limits=(20 29 38 43) ended=jle full=jle
else
	limits=(16 26 36 39) ended=js full=jge
fi
check_path malloc "${limits[0]}"
check_path free "${limits[1]}"
# operator new and sized delete, which looks at one switch more
check_path _Znwm "${limits[0]}"
check_path _ZdlPvm "$((limits[1] + 2))"
check_path malloc "${limits[2]}" "$ended"
check_path free "${limits[3]}" "$full"
tap_done
