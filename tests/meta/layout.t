#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What lib/layout.ld sets apart stays out of memory in a program that neither traces nor prints: of the library's
# segments, those with the seldom used code and with the unwind tables have no page resident.
. "$(dirname "$0")/../support/tap.sh"
tap_need readelf
[ -z "${SAN-}" ] || tap_skip_all "a sanitizer unwinds the stack at each allocation"
[ -n "${LAYOUT-set}" ] || tap_skip_all "linked without lib/layout.ld"

# resident SECTION: KiB of its mapping, in the program that wrote $tmp/smaps.
resident() {
	local key value from path at is_it=
	at=$(readelf -SW "$lib" | sed 's/\[ *[0-9]*\]//' | awk -v name="$1" '$1 == name { print $4 }')
	while read -r key value from _ _ path; do
		case $key in
		*-*) # addresses, rights, place in the file
			is_it=
			[[ $path == "$(readlink -f "$lib")" && $value == r* ]] &&
				((16#$from <= 16#$at && 16#$at - 16#$from < 16#${key#*-} - 16#${key%-*})) && is_it=yes
			;;
		Rss:) [ -z "$is_it" ] || echo "$value" ;;
		esac
	done <"$tmp/smaps"
}

tap_empty "$(sed -n 's|.*[*]/\([a-z_]*\)[.]o(.*|\1|p' "$top/lib/layout.ld" | while read -r name; do
	[ -f "$top/lib/$name.c" ] || echo "$name"
done)" "each file that layout.ld names is there"
LD_PRELOAD=$lib cat /proc/self/smaps >"$tmp/smaps"
tap_is "$(resident .text.seldom)" 0 "code for tracing, printing and secure mode is not resident"
tap_is "$(resident .eh_frame)" 0 "nor are the unwind tables"
tap_ok "the rest of the code is" test "$(resident .text)" -gt 0
HAKMEM_SECURE=1 LD_PRELOAD=$lib cat /proc/self/smaps >"$tmp/smaps"
tap_ok "in secure mode its code is" test "$(resident .text.seldom)" -gt 0
tap_done
