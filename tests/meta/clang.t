#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The allocator as clang builds it, under programs that test it. (What clang warns of, `make tidy` says.)
. "$(dirname "$0")/../support/tap.sh"
tap_need clang make
[ -z "${SAN-}" ] || tap_skip_all "a sanitized library cannot be preloaded"

other=$build/clang
tap_ok "clang builds the library" make --no-print-directory -j2 -C "$top" CC=clang BUILD="$other" WERROR=1 lib
tap_ok "its fast paths keep to their limits" env HAKMEM_BUILD="$other" bash "$top/tests/meta/fastpath.t"
for program in api_semantics cross_thread_free cxx_new first_operation fork_threads signals thread_exit; do
	tap_ok "$program" env CMOCKA_MESSAGE_OUTPUT=TAP LD_PRELOAD="$other/lib/libhakmem.so" "$build/tests/integration/$program"
done
tap_like "$(LD_PRELOAD="$other/lib/libhakmem.so" HAKMEM_STATS=1 ls "$top" 2>&1 >/dev/null)" 'tiny' "it is clang's library that serves them"
tap_done
