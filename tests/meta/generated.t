#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Documents that are made from the sources' own lists are up to date (`make docs`), and
# docs/events.md describes every event and field of the provider.
. "$(dirname "$0")/../support/tap.sh"
cd "$top" || exit 1

"$build/tests/support/gen_options" >"$tmp/options.md"
tap_same docs/options.md "$tmp/options.md" "docs/options.md is what its list makes"
"$build/tests/support/gen_size_classes" >"$tmp/size-classes.md"
tap_same docs/size-classes.md "$tmp/size-classes.md" "docs/size-classes.md is what its lists make"
perl tests/support/gen_events_man.pl docs/events.md >"$tmp/hakmem-events.7"
tap_same docs/man/hakmem-events.7 "$tmp/hakmem-events.7" "hakmem-events(7) is what docs/events.md makes"
perl tests/support/gen_hakmem_man.pl docs/options.md docs/man/hakmem.7.in >"$tmp/hakmem.7"
tap_same docs/man/hakmem.7 "$tmp/hakmem.7" "hakmem(7) has the options of docs/options.md"
perl tests/support/gen_hakstat_man.pl "$hakstat" docs/man/hakstat.1.in >"$tmp/hakstat.1"
tap_same docs/man/hakstat.1 "$tmp/hakstat.1" "hakstat(1) is what hakstat says of itself"
python3 tests/support/gen_json_schema.py "$hakstat" docs/hakstat.schema.json.in >"$tmp/hakstat.schema.json"
tap_same docs/hakstat.schema.json "$tmp/hakstat.schema.json" "docs/hakstat.schema.json has the columns that hakstat lists"
perl tests/support/gen_formats.pl "$hakstat" docs/formats.md.in tests/data/redis >"$tmp/formats.md"
tap_same docs/formats.md "$tmp/formats.md" "docs/formats.md shows what hakstat writes about the saved recordings"

# "event field" for each field; the field macros stand for their fields.
perl -0777 -ne '
	s{/\*.*?\*/}{}gs;
	my %macro;
	while (/#define (HAK_TP_\w+_FIELDS) \\\n((?:.*\\\n)*.*\n)/g) { $macro{$1} = $2 }
	while (/LTTNG_UST_TRACEPOINT_EVENT\(hakmem, (\w+),(.*?)\n\)\n/gs) {
		my ($event, $body) = ($1, $2);
		$body =~ s/(HAK_TP_\w+_FIELDS)/$macro{$1}/g;
		while ($body =~ /lttng_ust_field_(?:enum\(hakmem, \w+, \w+, |string\(|(?:integer|float|sequence)\w*\(\w+, )(\w+)/g) {
			print "$event $1\n";
		}
	}' tracer/hak_tp.h >"$tmp/fields"
tap_ok "the provider's fields are found" test "$(wc -l <"$tmp/fields")" -gt 100
tap_empty "$(awk '
	FNR == NR { if ($0 ~ /^### /) event = $2; gsub(/`/, "", event); if ($0 ~ /^\| `/) { split($0, c, "`"); seen[event " " c[2]] = 1 } next }
	!($0 in seen)' docs/events.md "$tmp/fields")" "docs/events.md has every field of every event"
tap_empty "$(awk '
	FNR == NR { known[$0] = 1; next }
	/^### / { event = $2; gsub(/`/, "", event) }
	/^\| `/ { split($0, c, "`"); if (event && !((event " " c[2]) in known)) print event " " c[2] }
	/^## / { event = "" }' "$tmp/fields" docs/events.md)" "and none that does not exist"
tap_done
