#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The sources are laid out as clang-format 14 does it; other versions differ.
. "$(dirname "$0")/../support/tap.sh"
tap_need clang-format
clang-format --version | grep -q 'version 14[.]' || tap_skip_all "clang-format is not version 14"
tap_ok "make format changes nothing" make --no-print-directory -C "$top" BUILD="$build" format-check
tap_done
