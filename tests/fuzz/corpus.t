#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every input that fuzzing has left in the corpus, once more.
. "$(dirname "$0")/../support/tap.sh"

for folder in "$top"/tests/fuzz/corpus/*; do
	name=${folder##*/}
	inputs=("$folder"/*)
	tap_ok "$name: ${#inputs[@]} inputs" "$build/tests/fuzz/$name" "${inputs[@]}"
done
tap_done
