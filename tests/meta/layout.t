#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What lib/layout.ld sets apart stays out of memory in a program that neither traces nor prints: of the library's
# segments, those with the seldom used code and with the unwind tables have no page resident.
. "$(dirname "$0")/../support/tap.sh"
tap_need readelf
[ -z "${SAN-}" ] || tap_skip_all "a sanitizer unwinds the stack at each allocation"

# resident SECTION: pages in KiB of the mapping that holds it, in a program that has printed its mappings.
resident() {
	local offset
	offset=$(readelf -SW "$lib" | sed 's/\[ *[0-9]*\]//' | awk -v name="$1" '$1 == name { print $4 }')
	awk -v offset="$((16#${offset:-0}))" -v file="$(readlink -f "$lib")" '
		function number(hex,  n, i) {
			n = 0
			for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
			return n
		}
		/^[0-9a-f]+-[0-9a-f]+ / {
			split($1, range, "-")
			from = number($3)
			is_it = $6 == file && from <= offset && offset < from + number(range[2]) - number(range[1])
			if (is_it && !/^[^ ]+ r/) is_it = 0
		}
		is_it && $1 == "Rss:" { print $2; exit }' "$tmp/smaps"
}

LD_PRELOAD=$lib cat /proc/self/smaps >"$tmp/smaps"
tap_is "$(resident .text.seldom)" 0 "code for tracing, printing and secure mode is not resident"
tap_is "$(resident .eh_frame)" 0 "nor are the unwind tables"
tap_ok "the rest of the code is" test "$(resident .text)" -gt 0
HAKMEM_SECURE=1 LD_PRELOAD=$lib cat /proc/self/smaps >"$tmp/smaps"
tap_ok "in secure mode its code is" test "$(resident .text.seldom)" -gt 0
tap_done
