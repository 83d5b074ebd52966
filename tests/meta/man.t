#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The manual pages are well-formed and name what the program knows.
. "$(dirname "$0")/../support/tap.sh"
tap_need mandoc
cd "$top" || exit 1

for page in docs/man/*.[1-8]; do
	tap_empty "$(mandoc -Tlint -Wwarning "$page" | grep -v 'missing date')" "$page has no lint"
	tap_empty "$(mandoc -Tascii "$page" | sed 's/.\x08//g' | grep -nE '(^|[ (])(Ar|Cm|Ev|Fl|Ns|Pa|Sy|Xr)( |$)|`')" "$page shows no markup"
done
sed -nE 's/.*"(HAKMEM_[A-Z_]+)".*/\1/p' lib/option_list.h | while read -r name; do
	grep -q "$name" docs/man/hakmem.7 || echo "$name"
done >"$tmp/options"
tap_empty "$(cat "$tmp/options")" "hakmem(7) has every option of the library"
sed -nE 's/^LTTNG_UST_TRACEPOINT_EVENT\(hakmem, ([a-z_]+),.*/\1/p' tracer/hak_tp.h | while read -r name; do
	grep -qE "^\.It( Sy| Ic)? ?$name\$|^\.Ss $name\$" docs/man/hakmem-events.7 || echo "$name"
done >"$tmp/events"
tap_empty "$(cat "$tmp/events")" "hakmem-events(7) has every event"
"$hakstat" --list-commands >"$tmp/commands"
tap_ok "hakstat lists its commands" test -s "$tmp/commands"
tap_empty "$(while read -r name; do
	grep -qE "^\.It Ic $name|^\.Ss $name" docs/man/hakstat.1 || echo "$name"
done <"$tmp/commands")" "hakstat(1) has every command"
while read -r command; do
	[ "$command" = help ] || "$hakstat" "$command" --list-options
done <"$tmp/commands" | grep -oE -- '^--[a-z-]+' | sort -u >"$tmp/flags"
tap_ok "the commands list their options" test "$(wc -l <"$tmp/flags")" -gt 5
mandoc -Tutf8 docs/man/hakstat.1 | sed 's/.\x08//g;s/[‐−]/-/g' >"$tmp/page"
tap_empty "$(while read -r name; do
	grep -qE -- "$name([] ,.]|\$)" "$tmp/page" || echo "$name"
done <"$tmp/flags")" "hakstat(1) has every option"
tap_done
