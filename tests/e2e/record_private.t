#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a recording and a report leave behind has no more permission than the umask gives, for
# whoever runs them; names in shared folders cannot be guessed, and links there are not followed.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need runuser

# As another user, who has no session daemon, neither his own nor the system's.
as_user=()
if [ "$(id -u)" -eq 0 ]; then
	as_user=(runuser -u nobody -- env HOME="$tmp/home" TMPDIR="$tmp/shared")
fi
mkdir -m 755 "$tmp/home" "$tmp/shared"
[ ${#as_user[@]} -eq 0 ] || chown nobody "$tmp/home" "$tmp/shared"
chmod 755 "$tmp"
cd "$tmp/home" || exit 1
if ! "${as_user[@]}" test -x "$hakstat"; then
	tap_skip_all "another user cannot read the build"
fi

# with UMASK COMMAND...
with() {
	(umask "$1" && shift && exec "${as_user[@]}" "$@")
}

# more UMASK FOLDER: what has a permission that the umask forbids; links have none of their own.
more() {
	find "$2" ! -type l -perm "/$1" -printf '%M %p\n'
}

for mask in 077 027 022; do
	with "$mask" "$hakstat" record -o "trace.$mask" --mode full -- true >"$tmp/said" 2>&1
	tap_is "$?" 0 "umask $mask: recorded as another user than root"
	tap_ok "umask $mask: there is a trace" grep -rq . "trace.$mask" --include=metadata
	tap_empty "$(more "$mask" "trace.$mask")" "umask $mask: nothing in it has more permission"
	with "$mask" "$hakstat" report "trace.$mask" --format json -o "report.$mask" 2>"$tmp/said"
	tap_is "$? $(stat -c %a "report.$mask")" "0 $(printf '%o' $((0666 & ~mask)))" "umask $mask: nor has a report"
done

# What a session daemon of hakstat's leaves in the user's home: sockets, the lock, the health files.
tap_empty "$(find . -path './trace.*' -prune -o -type s -perm /007 -printf '%M %p\n')" "no socket is open to everybody"
tap_empty "$(find . -path './trace.*' -prune -o ! -type l -perm /002 -printf '%M %p\n')" "nothing can be written by everybody"

# The shared folder for temporary files: two traces cut short, names that differ, all gone afterwards.
cp -r trace.077 cut
chmod -R u+w cut
stream=$(find cut -type f -name 'ops_*' -o -type f -name '*_0' | head -n 1)
truncate -s -100 "$stream"
[ ${#as_user[@]} -eq 0 ] || chown -R nobody cut
if strace -o "$tmp/calls" true 2>/dev/null; then
	for i in 1 2; do
		strace -f -e 'trace=mkdir,mkdirat' -o "$tmp/calls.$i" env TMPDIR="$tmp/shared" "$hakstat" report cut >"$tmp/shown" 2>&1
		sed -n "s|.*\"\\($tmp/shared/[^/\"]*\\)\", \\(0[0-7]*\\).*|\\1 \\2|p" "$tmp/calls.$i" | head -n 1 >"$tmp/made.$i"
	done
	tap_like "$(cat "$tmp/made.1")" '/hakstat-[A-Za-z0-9]{6} 0700$' "a temporary folder is its owner's alone"
	tap_ok "its name is another one each time" sh -c '! cmp -s "$1" "$2"' sh "$tmp/made.1" "$tmp/made.2"
else
	tap_note "without strace: names of temporary folders are not watched"
fi
tap_empty "$(find "$tmp/shared" -mindepth 1)" "and nothing stays in the shared folder"

mkdir -m 555 "$tmp/locked"
with 022 env -u LTTNG_HOME HOME="$tmp/locked" "$hakstat" record -o refused -- true >"$tmp/said" 2>&1
tap_is "$? $(cat "$tmp/said")" \
	"2 hakstat: no LTTng session daemon: cannot write $tmp/locked/.lttng/hakstat.lock: Permission denied; set LTTNG_HOME to a folder of yours" \
	"a home that cannot be written: why, and the way out"
if [ -n "${HAK_TEST_ALONE-}" ]; then
	sed "s|^\(nobody:.*:\)[^:]*:\([^:]*\)\$|\1$tmp/home:\2|" /etc/passwd >"$tmp/passwd"
	mount --bind "$tmp/passwd" /etc/passwd
	with 022 env -u HOME -u LTTNG_HOME "$hakstat" record -o homeless -- true >"$tmp/said" 2>&1
	tap_like "$(cat "$tmp/said")" '^hakstat: trace in homeless .*no events lost' "without HOME the home is the user database's, for all"
	umount /etc/passwd
fi
tap_done
