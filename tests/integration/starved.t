#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Out of memory at every step: each system call by which the library gets or changes memory
# fails once, then each together with all that follow. tests/support/starved.c says what must
# still hold.
. "$(dirname "$0")/../support/tap.sh"

program=$build/tests/support/starved

# fail_each NAME STEP: the program again and again, each time with another call to fail
fail_each() {
	local failed='' n
	for ((n = 1; n <= calls; n += $2)); do
		# In a shell of its own, whose word about a signal goes nowhere.
		(LD_PRELOAD=$lib HAK_TEST_FAIL_AT=$n "$program" >"$tmp/out" 2>&1; exit $?) 2>/dev/null ||
			failed+="call $n: status $?, $(head -c 200 "$tmp/out"); "
	done
	tap_is "$failed" "" "$1"
}

export HAKMEM_PURGE_DELAY_MS=0 # so that memory also goes back while the program can see it
for secure in 0 1; do
	export HAKMEM_SECURE=$secure
	unset HAK_TEST_FAIL_ON
	calls=$(LD_PRELOAD=$lib "$program")
	tap_like "$calls" '^[1-9][0-9]+$' "HAKMEM_SECURE=$secure: nothing fails, and the calls are counted"
	fail_each "HAKMEM_SECURE=$secure: each of $calls calls fails once" 1
	export HAK_TEST_FAIL_ON=1
	fail_each "HAKMEM_SECURE=$secure: from every third of $calls calls on all fail" 3
done
tap_done
