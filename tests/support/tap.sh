# SPDX-License-Identifier: MIT
# Helpers for shell tests that print TAP. Source it first; end with tap_done.
# Gives: $top (the sources), $build (absolute), $tmp (a folder that goes away at exit),
# and the paths of what is tested: $lib, $tracer, $hakstat.
# shellcheck shell=bash
set -u
export LC_ALL=C
unset COLUMNS # reports keep to it

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${HAKMEM_BUILD:-$top/build}
# The library reports HAKMEM_ names that it does not know, so programs must not see this one.
export -n HAKMEM_BUILD 2>/dev/null
lib=$build/lib/libhakmem.so
tracer=$build/tracer/libhakmem-tracer.so
hakstat=$build/tools/hakstat/hakstat
export top build lib tracer hakstat

tap_count=0
tap_failed=0
tap_cleanups=()
tmp=$(mktemp -d "${TMPDIR:-/tmp}/hakmem-test.XXXXXX")

# tap_at_exit COMMAND...: runs before the temporary folder goes, last added first.
tap_at_exit() {
	tap_cleanups+=("$(printf '%q ' "$@")")
}

tap_leave() {
	local status=$? i
	for ((i = ${#tap_cleanups[@]} - 1; i >= 0; i--)); do
		eval "${tap_cleanups[i]}"
	done
	rm -rf "$tmp"
	exit "$status"
}
trap tap_leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# tap_note TEXT: a diagnostic, each line marked.
tap_note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

# tap_result STATUS NAME: one test point; 0 passes.
tap_result() {
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' "$tap_count" "$2"
	else
		tap_failed=$((tap_failed + 1))
		printf 'not ok %d - %s\n' "$tap_count" "$2"
	fi
	return "$1"
}

# tap_ok NAME COMMAND...: the command succeeds; its output is shown when it does not.
tap_ok() {
	local name=$1 output status
	shift
	output=$("$@" 2>&1)
	status=$?
	tap_result "$status" "$name" || tap_note "exit status $status of: $*
$output"
}

# tap_is GOT WANT NAME
tap_is() {
	if [ "$1" = "$2" ]; then
		tap_result 0 "$3"
	else
		tap_result 1 "$3"
		tap_note "got:  $1"
		tap_note "want: $2"
	fi
}

# tap_like GOT PATTERN NAME: an extended regular expression somewhere in a line.
tap_like() {
	if printf '%s\n' "$1" | grep -qE -- "$2"; then
		tap_result 0 "$3"
	else
		tap_result 1 "$3"
		tap_note "no match of: $2
in: $1"
	fi
}

# tap_empty TEXT NAME: nothing to report; what is there is shown.
tap_empty() {
	if [ -z "$1" ]; then
		tap_result 0 "$2"
	else
		tap_result 1 "$2"
		tap_note "$1"
	fi
}

# tap_same FILE WANT NAME: two files are equal, else the first lines of their difference.
tap_same() {
	local difference
	if difference=$(diff -u "$2" "$1"); then
		tap_result 0 "$3"
	else
		tap_result 1 "$3"
		tap_note "$(printf '%s\n' "$difference" | head -n 20)"
	fi
}

# tap_skip NAME REASON: one test point that cannot be tried here.
tap_skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

# tap_skip_all REASON: leaves without testing.
tap_skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

# tap_need COMMAND...: skips the whole test when one is missing.
tap_need() {
	local command
	for command; do
		command -v "$command" >/dev/null 2>&1 || tap_skip_all "$command is not installed"
	done
}

# tap_done: the plan; the exit status says whether all passed.
tap_done() {
	printf '1..%d\n' "$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit
}
