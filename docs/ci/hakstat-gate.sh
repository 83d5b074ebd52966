#!/bin/sh
# SPDX-License-Identifier: MIT
# A gate on wasted memory: records a program, compares it with a stored baseline, and fails with
# the finding when the budget does not hold. docs/regression-gate.md explains it.
#
#   hakstat-gate.sh [--update] BASELINE BUDGET CMD [ARG...]
#
# BASELINE is a summary (`hakstat report --format summary`), kept under version control; --update
# writes it. BUDGET holds one condition a line. HAKSTAT names the tool when it is not in PATH.
# With GITHUB_STEP_SUMMARY set, the difference is also shown on the job's page.
# Exit status: 0 within budget, 1 not, else what hakstat says: 2 usage, environment or CMD failed, 3 a bad baseline.
set -u
hakstat=${HAKSTAT:-hakstat}
update=
if [ "${1-}" = --update ]; then
	update=yes
	shift
fi
if [ $# -lt 3 ]; then
	echo "usage: hakstat-gate.sh [--update] BASELINE BUDGET CMD [ARG...]" >&2
	exit 2
fi
baseline=$1 budget=$2
shift 2

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Full mode: exact bytes, so that a difference is a difference and not the luck of sampling.
"$hakstat" record --mode full -o "$work/trace" -- "$@"
status=$?
if [ "$status" -ne 0 ]; then
	echo "hakstat-gate.sh: the program ended with status $status: nothing is compared" >&2
	exit 2
fi

if [ -n "$update" ]; then
	"$hakstat" report --strict --format summary -o "$baseline" "$work/trace"
	exit
fi
if [ ! -e "$baseline" ]; then
	echo "hakstat-gate.sh: no baseline $baseline; write it with --update" >&2
	exit 2
fi
if [ -n "${GITHUB_STEP_SUMMARY-}" ]; then
	"$hakstat" diff --format markdown "$baseline" "$work/trace" >>"$GITHUB_STEP_SUMMARY"
fi
"$hakstat" diff --budget "$budget" "$baseline" "$work/trace"
