#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs one test file the way its place demands: programs of integration/ on the allocator
# under test, tests of e2e/ one at a time for this user (they share the user's LTTng
# session daemon), all with a time limit that turns a hang into a failure.
# usage: run_test.sh FILE, with HAKMEM_BUILD set
set -u
file=$1
limit=(timeout --kill-after=10 "${HAK_TEST_SECONDS:-900}")
export CMOCKA_MESSAGE_OUTPUT=TAP BUILD=$HAKMEM_BUILD

# Programs must not see HAKMEM_BUILD: the library reports HAKMEM_ names that it does not know.
case $file in
*/tests/e2e/programs/*.t) command=("${limit[@]}" bash "$file") ;;
*/tests/e2e/*.t) command=(flock --close "$HOME" "${limit[@]}" bash "$file") ;;
*.t) command=("${limit[@]}" bash "$file") ;;
"$HAKMEM_BUILD"/tests/integration/*)
	command=("${limit[@]}" env -u HAKMEM_BUILD LD_PRELOAD="$HAKMEM_BUILD/lib/libhakmem.so" "$file")
	;;
*) command=("${limit[@]}" env -u HAKMEM_BUILD "$file") ;;
esac
exec "${command[@]}"
