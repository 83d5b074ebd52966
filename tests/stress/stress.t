#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Random operations under every setting that changes how blocks are served.
# HAK_TEST_OPERATIONS for each setting (60000), HAK_TEST_SEED (1).
. "$(dirname "$0")/../support/tap.sh"

operations=${HAK_TEST_OPERATIONS:-60000}
seed=${HAK_TEST_SEED:-1}
printf '# odd sizes, gaps, and nothing above\n8\n16\n48\n208\n1040\n5008\n32752\n' >"$tmp/odd"
printf '16\n262144\n' >"$tmp/two"

# stress NAME [VARIABLE=VALUE...]
stress() {
	local name=$1
	shift
	tap_ok "$name" env "$@" LD_PRELOAD="$lib" "$build/tests/stress/stress" -n "$operations" -s "$seed"
}

for table in fine classic; do
	for k in 0 1 2 3 4 5 6 7; do
		stress "$table, boundary C$k" HAKMEM_SIZE_CLASSES=$table HAKMEM_TINY_MAX_CLASS=$k
	done
done
stress "an own table with gaps" HAKMEM_SIZE_CLASSES=@"$tmp/odd"
stress "an own table of two blocks" HAKMEM_SIZE_CLASSES=@"$tmp/two" HAKMEM_TINY_MAX_CLASS=3
stress "memory goes back at once" HAKMEM_PURGE_DELAY_MS=0
stress "memory never goes back" HAKMEM_PURGE_DELAY_MS=-1
stress "the smallest superslabs" HAKMEM_SUPERSLAB_SIZE=512K
stress "the largest superslabs" HAKMEM_SUPERSLAB_SIZE=32M
stress "huge pages from the first byte on" HAKMEM_HUGE_PAGES_FROM=0
stress "secure mode" HAKMEM_SECURE=1
stress "secure mode, the historic table" HAKMEM_SECURE=1 HAKMEM_SIZE_CLASSES=classic
stress "an address space of 3 GB" bash -c 'ulimit -v 3000000 && exec "$@"' bash env
tap_ok "without the preload" "$build/tests/stress/stress-core" -n "$operations" -s "$seed"
tap_done
