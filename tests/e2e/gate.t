#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The regression gate of docs/ci, as a project would use it: a boundary moved badly fails with the finding,
# a boundary moved well passes, and what proves nothing is no pass.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need sqlite3
export HAKSTAT=$hakstat
unset GITHUB_STEP_SUMMARY
budget=$top/docs/ci/waste.budget

# gate TABLE TINY_MAX_CLASS [--update]: the gate's status over $program in $status, what it says in $said.
gate() {
	said=$(HAKMEM_SIZE_CLASSES=$1 HAKMEM_TINY_MAX_CLASS=$2 "$top/docs/ci/hakstat-gate.sh" "${@:3}" \
		"$tmp/$1.baseline" "$budget" "${program[@]}" 2>&1)
	status=$?
}
program=("$build/tests/e2e/requests" 1000 128 300 700)

gate classic 7
tap_is "$status" 2 "without a baseline nothing passes"
tap_like "$said" '^hakstat-gate.sh: no baseline .*; write it with --update$' "and the gate says how to write one"
gate classic 7 --update
tap_is "$status" 0 "the baseline is written" || tap_note "$said"
gate classic 7
tap_is "$status" 0 "the same program passes" || tap_note "$said"
export GITHUB_STEP_SUMMARY=$tmp/step.md
gate classic 5
unset GITHUB_STEP_SUMMARY
tap_is "$status" 1 "the boundary moved under the classic table fails"
tap_like "$said" '^requests of 300[.]{3}700 bytes moved from tiny C6, C7 to mid M8192: [+][0-9.]+ MiB of waste, .*; HAKMEM_TINY_MAX_CLASS 7 -> 5$' \
	"with the finding"
tap_like "$said" '^hakstat: .*total waste_percent < [+]1' "and the condition that broke"
tap_like "$(cat "$tmp/step.md")" '^- requests of 300.* moved from tiny C6, C7' "the job's page has it too"

gate fine 7 --update
gate fine 5
tap_is "$status" 0 "the boundary moved under the fine table passes" || tap_note "$said"

said=$("$top/docs/ci/hakstat-gate.sh" "$tmp/fine.baseline" "$budget" sh -c 'exit 3' 2>&1)
tap_is "$?" 2 "a program that fails is no pass" || tap_note "$said"

# A program that asks for sizes of its own.
program=(sqlite3 :memory: "
CREATE TABLE page (title TEXT, body TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO page SELECT printf('page %d', i), hex(zeroblob(130 + i % 350)) FROM n;
SELECT count(*), sum(length(body)) FROM page;
SELECT title, max(body || title) FROM page GROUP BY length(body) ORDER BY body DESC;")
gate classic 7 --update
tap_is "$status" 0 "sqlite3: the baseline is written" || tap_note "$said"
gate classic 7
tap_is "$status" 0 "sqlite3: the same passes" || tap_note "$said"
gate classic 5
tap_is "$status" 1 "sqlite3: the boundary moved under the classic table fails"
tap_like "$said" '^requests of [0-9]+[.]{3}[0-9]+ bytes moved from tiny C6, C7 to mid M8192: [+][0-9.]+ MiB of waste, .*; HAKMEM_TINY_MAX_CLASS 7 -> 5$' \
	"sqlite3: with the finding"
tap_like "$said" '^  asked for by .*sqlite3.*: [+][0-9.]+ [KM]iB (±|[+]-)[0-9.]+ [KM]iB of waste$' "sqlite3: and who asks for such sizes"
gate fine 7 --update
gate fine 5
tap_is "$status" 0 "sqlite3: the boundary moved under the fine table passes" || tap_note "$said"

for file in hakstat-gate.sh waste.budget; do
	tap_ok "the workflow's $file is there" grep -q "$file" "$top/docs/ci/hakstat-gate.yml"
done
tap_done
