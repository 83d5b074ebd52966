#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A C++ program with many threads that hand each other containers.
. "$(dirname "$0")/../../support/tap.sh"
. "$top/tests/support/programs.sh"

same "threads of C++" "$build/tests/e2e/programs/threads" 8 400
served threads "$build/tests/e2e/programs/threads" 2 20
tap_done
