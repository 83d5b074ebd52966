#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Formats for other tools, read by those tools or by parsers that others wrote; names that come from elsewhere
# are no markup, no cell, no frame and no label in any of them.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
tap_need xmllint objcopy "${CC:-gcc}"
python=/usr/bin/python3 # where Debian's modules are
"$python" -c 'import prometheus_client.openmetrics.parser' 2>/dev/null || tap_skip_all "python3-prometheus-client is missing"
cd "$tmp" || exit 1
for table in fine classic; do
	gzip -dc "$top/tests/data/redis/redis-$table.summary.gz" >$table.summary
done
for mode in full sample events; do
	tar -xzf "$top/tests/data/ctf/good/$mode.tar.gz"
done

# reads NAME FORMAT TRACE [BY]: nothing differs from the JSON
reads() {
	local by=(${4:+--by "$4"})
	"$hakstat" report --format json "${by[@]}" -o report.json "$3" 2>said
	"$hakstat" report --format "$2" "${by[@]}" -o output "$3" 2>>said
	tap_is "$("$python" "$top/tests/e2e/report_readers.py" "$2" report.json output 2>&1)" "" "$1"
}
# lint NAME FILE
lint() {
	if command -v promtool >/dev/null; then
		tap_is "$(promtool check metrics <"$2" 2>&1; echo $?)" 0 "$1"
	else
		tap_skip "$1" "promtool is not installed"
	fi
}

# Names as bad as they come, in a saved summary.
"$hakstat" report --format summary full >full.summary
"$python" - full.summary >hostile.summary <<'END'
import json, sys

bad = "</b><img src=x onerror=alert(1)>\"'`|&;,\\ {}=\n\t\x1b[31m\x7f\u2028\u202e# EOF"
s = json.load(open(sys.argv[1]))
s["notes"] = s["hosts"] = s["paths"] = [bad]
s["config"].update(version=bad, size_classes=bad)
for row in s["tables"]["process"] + s["tables"]["thread"]:
    row.update(process=bad, host=bad)
for n, row in enumerate(s["tables"]["class"] + s["tables"]["size"] + s["tables"]["heap"]):
    row.update(class_name=f"{bad}{row['class_name']}")
for n, row in enumerate(s["tables"]["site"]):
    for frame in row["stack"]:
        frame.update(function=f"{bad}{n}", file=bad, module=bad, line=1)
print(json.dumps(s))
END

# OpenMetrics, and the older format of Prometheus.
for trace in fine.summary full sample events hostile.summary; do
	reads "openmetrics of $trace" openmetrics $trace
	lint "promtool has no complaint" output
done
"$hakstat" report --format openmetrics -o merged fine.summary classic.summary full
tap_empty "$(grep -v '^#' merged | sed 's/ [^ ]*$//' | sort | uniq -d)" "no metric is there twice when tables of size classes are merged"
lint "promtool has no complaint about that" merged

# CSV.
for by in class route size site thread process time heap; do
	reads "csv by $by" csv fine.summary $by
	reads "and with hostile names" csv hostile.summary $by
done

# Folded stacks.
reads "folded stacks" folded fine.summary
reads "and with hostile names" folded hostile.summary

# pprof. MB of its are MiB.
"$hakstat" report --format json -o report.json fine.summary
"$hakstat" report --format pprof -o redis.pb.gz fine.summary
"$hakstat" report --format pprof -o hostile.pb.gz hostile.summary
# summed KEY: over the call sites, as pprof shows it
summed() {
	"$python" -c 'import json, sys
print("%d" % sum(s[sys.argv[1]] for s in json.load(open("report.json"))["sites"]))' "$1"
}
pprof_top() { # ARGUMENTS...
	TZ=UTC HOME=$tmp go tool pprof -top "$@" 2>/dev/null
}
if command -v go >/dev/null; then
	while read -r type key; do
		tap_is "$(pprof_top -unit=B -sample_index="$type" redis.pb.gz | sed -n 's/.* of \([0-9]*\)B\? total$/\1/p')" "$(summed "$key")" "go tool pprof: $type is the sum of $key"
	done <<-'END'
		waste_space waste_bytes
		alloc_space requested_bytes
		inuse_space live_requested_bytes
		alloc_objects allocs
		inuse_objects live
	END
	tap_is "$(pprof_top -cum -nodecount=12 redis.pb.gz | sed -n '/ flat%/,$p')" "$(sed -n '/ flat%/,$p' "$top/tests/data/redis/pprof-top.txt")" \
		"it shows waste first, and what docs/formats.md says"
	build_id=$("$python" -c 'import json; print({f["build_id"] for s in json.load(open("report.json"))["sites"] for f in s["stack"] if "redis" in f["module"]}.pop())')
	tap_like "$(HOME=$tmp go tool pprof -raw redis.pb.gz 2>/dev/null)" "/usr/bin/redis-check-rdb $build_id" "mappings have their build ids"
	tap_like "$(HOME=$tmp go tool pprof -raw hostile.pb.gz 2>/dev/null)" 'img src=x onerror' "and it opens one with hostile names"
else
	tap_skip "go tool pprof opens the profile" "go is not installed"
fi

# JUnit.
cat >gates <<'END'
total waste_percent < 1
total waste_bytes < +5%
END
for trace in fine.summary hostile.summary; do
	"$hakstat" diff --format junit --budget gates --fail-on "class '<b>\"&' waste_bytes > 0" -o junit.xml classic.summary $trace 2>said
	tap_is "$(xmllint --xpath 'concat(//testsuite/@tests, " ", count(//testcase), " ", //testsuite/@failures, " ", count(//failure))' junit.xml)" "4 4 2 2" \
		"junit of $trace is XML whose counts are right" || tap_note "$(cat said)"
done

# Whatever the format, what comes from elsewhere is escaped.
# plain NAME FILE: UTF-8 without control characters but the ends of lines
plain() {
	tap_is "$("$python" -c '
import sys, unicodedata
text = open(sys.argv[1], encoding="utf-8", newline="").read()
print(sorted({hex(ord(c)) for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c not in "\r\n"}), bool(text))' "$2")" \
		"[] True" "$1: no control character, and all is UTF-8"
}
formats() { # COMMAND
	"$hakstat" "$1" --list-options | sed -n 's/^--format //p' | tr '|' '\n'
}
# sweep NAME TRACE: every format of report and diff
sweep() {
	local format
	for format in $(formats report); do
		[ "$format" != pprof ] || continue
		"$hakstat" report --format "$format" -o output "$2" 2>said
		plain "$1: report as $format" output
		[ "$format" = html ] || [ "$format" = summary ] || [ ! -s output ] || cp output "last.$format"
	done
	for format in $(formats diff); do
		"$hakstat" diff --format "$format" --fail-on 'total waste_bytes > +5%' -o output fine.summary "$2" 2>said
		plain "$1: diff as $format" output
		cp output "last.diff.$format"
	done
	for tree in callers callees; do
		for format in table json; do
			"$hakstat" report --tree $tree --format $format -o output "$2" 2>said
			plain "$1: tree of $tree as $format" output
		done
	done
	"$hakstat" whatif --size-classes fine -o output "$2" 2>said
	plain "$1: whatif" output
	tap_empty "$(grep -hE '<(/b|img|b)' last.markdown last.diff.markdown last.diff.junit)" "$1: none is markup in markdown and XML"
	tap_empty "$(sed 's/\\[|]//g' last.markdown | awk -F'|' '/^[|]/ { if (n && NF != n) print; n = NF; next } { n = 0 }')" "$1: none is a cell of markdown"
	for format in json diff.json diff.benchmark; do
		tap_ok "$1: $format is JSON" "$python" -m json.tool "last.$format" /dev/null
	done
}
sweep "hostile summary" hostile.summary

# The same from a real recording: of a program, a function, a thread and a host with such names.
command -v lttng-sessiond >/dev/null || tap_skip_all "lttng-sessiond is missing"
need_lttng
name=$'w"<b>\xff;|\x1b[31m'
function=$'odd<b>";|\xff\x1b[31m'
cat >odd.c <<'END'
#include <stdlib.h>

__attribute__((noinline)) void *odd(size_t size)
{
	void *volatile p = malloc(size);
	return p;
}

int main(void)
{
	for (int i = 0; i < 5000; i++) {
		*(volatile char *)odd(1025 + i % 50) = 1;
	}
	return 0;
}
END
"${CC:-gcc}" -O1 -fno-builtin -o odd odd.c && objcopy --redefine-sym odd="$function" odd "./$name" || tap_note "it was not built"
"$hakstat" record --mode full -o "t$name" -- "./$name" 2>said
tap_is "$?" 0 "a program with a hostile name is recorded" || tap_note "$(cat said)"
"$hakstat" report --format json -o real.json "t$name" 2>said
tap_is "$("$python" -c 'import json
d = json.load(open("real.json"))
print(any("odd<b>\";|\\xff\\x1b[31m" == f["function"] for s in d["sites"] for f in s["stack"]), d["processes"][0]["process"])')" \
	'True w"<b>\xff;|\x1b[31m' "its names are there, escaped"
sweep "hostile recording" "t$name"
tap_done
