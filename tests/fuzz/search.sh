#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One fuzz target for a time: search.sh PROGRAM CORPUS FOUND SECONDS. New inputs go to FOUND/inputs;
# what crashed, hung for 20 s or took more than 2 GiB lies in FOUND.
set -eu
program=$1 corpus=$2 found=$3 seconds=$4
name=${program##*/}
name=${name%-search}
mkdir -p "$found/inputs" "$corpus"
# GLib's own pools would hide what is used after it was freed.
export G_SLICE=always-malloc
options=(-len_control=0 -max_total_time="$seconds" -artifact_prefix="$found/" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1)
if [ -e "tests/fuzz/$name.dict" ]; then
	options+=(-dict="tests/fuzz/$name.dict")
fi
# Children die of what the libraries do, and their parent looks at how; the sanitizers' own findings
# end them with another status. More memory than there is is refused, as without a sanitizer: GLib then ends the child.
case $name in
fuzz_elf | fuzz_trace)
	options+=(-handle_abrt=0 -handle_bus=0 -handle_fpe=0 -handle_ill=0 -handle_segv=0)
	export ASAN_OPTIONS=handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_segv=0:detect_leaks=0:allocator_may_return_null=1
	;;
esac
exec "$program" "${options[@]}" "$found/inputs" "$corpus"
