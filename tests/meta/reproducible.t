#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The same sources give the same bytes, wherever and whenever they are built.
. "$(dirname "$0")/../support/tap.sh"
tap_need make

copy="$tmp/a folder that is not like this one"
mkdir "$copy"
cp -r "$top"/{Makefile,lib,tracer,tools,tests} "$copy"
# Later than any file of the first build.
find "$copy" -type f -exec touch {} +
tap_ok "the sources build elsewhere" make --no-print-directory -j2 -C "$copy" BUILD=elsewhere/b all
cmp -s "$build/flags" "$copy/elsewhere/b/flags" || tap_note "other flags than those of $build"
for object in lib/libhakmem.so.0 lib/libhakmem.a tracer/libhakmem-tracer.so tools/hakstat/hakstat; do
	tap_ok "$object: the same bytes" cmp "$build/$object" "$copy/elsewhere/b/$object"
done
tap_done
