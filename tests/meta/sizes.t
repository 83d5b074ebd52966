#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# No function over 60 lines, no file over 800.
. "$(dirname "$0")/../support/tap.sh"
tap_need ctags
cd "$top" || exit 1

find lib tracer tools tests -name '*.[ch]' -o -name '*.cc' | grep -v '^tests/data/' | sort >"$tmp/files"
tap_empty "$(xargs wc -l <"$tmp/files" | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines" }')" \
	"no file is longer than 800 lines"
ctags -L "$tmp/files" --languages=C,C++ --kinds-C=f --kinds-C++=f --fields=+ne -o - 2>/dev/null | awk -F '\t' '{
	start = end = 0
	for (i = 4; i <= NF; i++) {
		if ($i ~ /^line:/) start = substr($i, 6)
		if ($i ~ /^end:/) end = substr($i, 5)
	}
	if (end) print end - start + 1, $2 ":" start, $1
}' | sort -n >"$tmp/functions"
tap_ok "ctags found the functions" test "$(wc -l <"$tmp/functions")" -gt 100
tap_empty "$(awk '$1 > 60 { print $2, $3 ": " $1 " lines" }' "$tmp/functions")" "no function is longer than 60 lines"
tap_ok "half of the functions have at most 12 lines" \
	awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)]; exit n[int((NR + 1) / 2)] > 12 }' "$tmp/functions"
tap_done
