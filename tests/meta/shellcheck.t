#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every shell script of the tree passes shellcheck.
. "$(dirname "$0")/../support/tap.sh"
tap_need shellcheck
cd "$top" || exit 1

while read -r script; do
	tap_ok "$script" shellcheck --external-sources "$script"
done < <(
	find tests tools docs .ci -type f \( -name '*.sh' -o -name '*.t' -o -name '*.bash' -o -path .ci/run \) | sort
)
tap_done
