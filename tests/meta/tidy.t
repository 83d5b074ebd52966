#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Static analysis has nothing to say. Other versions of the tools have other opinions.
. "$(dirname "$0")/../support/tap.sh"
tap_need clang-tidy cppcheck
clang-tidy --version | grep -q 'version 14[.]' || tap_skip_all "clang-tidy is not version 14"
cppcheck --version | grep -q ' 2[.]10' || tap_skip_all "cppcheck is not version 2.10"
tap_ok "make tidy finds nothing" make --no-print-directory -k -j2 -C "$top" BUILD="$build" TIDY_MODE=shallow tidy
tap_done
