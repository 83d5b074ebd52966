#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every input that fuzzing has left in the corpus, once more.
. "$(dirname "$0")/../support/tap.sh"

for name in fuzz_operations fuzz_table; do
	inputs=("$top"/tests/fuzz/corpus/"$name"/*)
	tap_ok "$name: ${#inputs[@]} inputs" "$build/tests/fuzz/$name" "${inputs[@]}"
done
tap_done
