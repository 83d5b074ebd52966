# SPDX-License-Identifier: MIT
# Runs a program twice, on the system's allocator and on ours, and compares what it says.
# shellcheck shell=bash disable=SC2154

[ -e "$lib" ] || tap_skip_all "$lib is not built"
# The distribution's python3: a wrapper script in PATH would stand between.
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3)
export python

# on plain|hakmem COMMAND...: the command in a folder of its own, on that allocator.
on() {
	local how=$1
	shift
	mkdir -p "$tmp/$how"
	if [ "$how" = plain ]; then
		(cd "$tmp/$how" && "$@")
	else
		(cd "$tmp/$how" && LD_PRELOAD=$lib exec "$@")
	fi
}

# same NAME COMMAND...: the same output, the same messages, the same exit status. What
# differs from run to run anyway goes through `normalise FILE`, if the test defines it.
same() {
	local name=$1 how
	shift
	for how in plain hakmem; do
		on "$how" "$@" >"$tmp/$how.out" 2>"$tmp/$how.err" </dev/null
		echo "exit status $?" >>"$tmp/$how.out"
		if declare -F normalise >/dev/null; then
			normalise "$tmp/$how.out"
			normalise "$tmp/$how.err"
		fi
	done
	tap_same "$tmp/hakmem.out" "$tmp/plain.out" "$name: the same output and exit status"
	tap_same "$tmp/hakmem.err" "$tmp/plain.err" "$name: the same messages"
	tap_like "$(tail -n 1 "$tmp/plain.out")" '^exit status 0$' "$name: success"
}

# served PROCESS COMMAND...: proof that processes of that name run on our allocator: its own
# account at their end, with allocations in it.
served() {
	local process=$1
	shift
	HAKMEM_STATS=1 on hakmem "$@" >/dev/null 2>"$tmp/account" </dev/null
	account_of "$process" "$tmp/account"
}

# account_of PROCESS FILE: the file has a non-empty account of a process of that name.
account_of() {
	tap_ok "$1 is served by libhakmem.so" awk -v process="$1" '
		/^hakmem .* in / { ours = index($0, " in " process "[") }
		ours && $2 ~ /^(tiny|smallmid|mid)$/ { allocs += $3 }
		END { print allocs + 0, "allocations"; exit !(allocs > 50) }' "$2"
}
