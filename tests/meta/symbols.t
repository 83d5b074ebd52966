#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libhakmem.so exports what lib/hakmem.map lists, nothing less and nothing more.
. "$(dirname "$0")/../support/tap.sh"
tap_need nm

sed -e 's|/[*].*[*]/||' "$top/lib/hakmem.map" | sed -n '/^global:/,/^local:/s/^[[:space:]]*\([A-Za-z_0-9]*\);.*/\1/p' |
	sort >"$tmp/listed"
nm -D --defined-only "$lib" | awk '{ print $3 }' | sort >"$tmp/exported"
tap_same "$tmp/exported" "$tmp/listed" "the exported symbols are those of hakmem.map"
tap_is "$(nm -D --defined-only "$lib" | grep -c '@')" 0 "none carries a version"

# What the installed headers promise is exported.
while read -r name; do
	tap_ok "$name is exported" grep -qx "$name" "$tmp/exported"
done < <(sed -nE 's/^[a-z].*[ *](hak(mem|_trace)_[a-z_]+)\(.*\);$/\1/p' "$top/lib/include/hakmem.h" "$top/lib/include/hakmem_trace.h")
tap_empty "$(nm -D --defined-only "$tracer" | awk '$2 ~ /[TDBRVW]/ { print $3 }' |
	grep -vE '^((__(start|stop)_)?lttng_ust_tracepoint.*|exec(l|le|lp|v|ve|vp|vpe|veat)|fexecve|fork|daemon|_exit|_Exit|close_range|closefrom|dlclose|dl_iterate_phdr|pthread_getattr_np)$')" \
	"the tracer exports its provider and what it has to interpose"
tap_done
