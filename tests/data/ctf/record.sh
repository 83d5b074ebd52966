#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The recipe of the stored traces: records requests.c in each mode under the classic table with
# the boundary at C5, and packs each trace into good/MODE.tar.gz. The traces name the files they
# saw, so install to a neutral place first, and run tests/data/ctf/record.sh /opt/hakmem/bin/hakstat.
# The numbers in tests/data/expect belong to these traces; tests/update-expect writes them anew.
set -eu
hakstat=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(dirname "$(dirname "$hakstat")")
"${CC:-gcc}" -O1 -g -fno-builtin -ffile-prefix-map="$here=." -o "$folder/bin/requests" "$here/requests.c"
cd "$folder"
for mode in full sample events; do
	rm -rf "$mode"
	HAKMEM_SIZE_CLASSES=classic HAKMEM_TINY_MAX_CLASS=5 HAKMEM_SAMPLE_BYTES=16K HAKMEM_SNAPSHOT_MS=60000 \
		"$hakstat" record -o "$mode" --mode "$mode" -- "$folder/bin/requests"
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - "$mode" | gzip -9n >"$here/good/$mode.tar.gz"
	rm -rf "$mode"
done
