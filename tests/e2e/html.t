#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The HTML report in headless Chromium: what is drawn, what answers, and that nothing in a trace
# becomes markup. page_facts.py looks; here stands what must be seen.
. "$(dirname "$0")/../support/tap.sh"
tap_need chromium /usr/bin/chromedriver
/usr/bin/python3 -c 'import selenium' 2>/dev/null || tap_skip_all "selenium for Python is not installed"
cd "$tmp" || exit 1
export HOME=$tmp TMPDIR=$tmp

for mode in full sample; do
	tar -xzf "$top/tests/data/ctf/good/$mode.tar.gz"
	tap_ok "the report of mode $mode is written" "$hakstat" report --format html -o $mode.html $mode
done
tap_empty "$(grep -nE '@(title|summary|data|include)' full.html)" "no mark of the page is left"
tap_ok "the licences of the plotting library are in the file" grep -q '^Copyright: .*Bostock' full.html
tap_like "$(sed -n '/<noscript>/,/<.noscript>/p' full.html)" "^all +38 allocations, 4 frees; requested 902.3 KiB" \
	"without scripts the file says the sums"

# Names that would end the script, be markup, or are no text at all.
path=$'"\'><img src=x onerror=hacked=1>\xff'
"$hakstat" report --format summary full >full.summary
python3 - full.summary >hostile.summary <<'END'
import json, sys

bad = "</script><script>hacked=1</script><!--<img src=x onerror=hacked=1>\"'`&\u2028\u202e"
s = json.load(open(sys.argv[1]))
s["notes"] = s["hosts"] = [bad]
for row in s["tables"]["process"] + s["tables"]["thread"]:
    row.update(process=bad, host=bad)
for row in s["tables"]["site"]:
    for frame in row["stack"]:
        frame.update(function=bad, file=bad, module=bad, line=1)
print(json.dumps(s))
END
cp hostile.summary "${path//\//}"
"$hakstat" report --format html -o hostile.html "${path//\//}"

# A trace that breaks off, one that lost events, one in which nothing is.
cp -r full cut
largest=$(find cut -name 'ops_*' -size +0 -printf '%s %p\n' | sort -n | tail -1 | cut -d' ' -f2)
truncate -s -1000 "$largest"
"$hakstat" report --format html -o cut.html cut 2>/dev/null
python3 - full.summary <<'END'
import json, sys

s = json.load(open(sys.argv[1]))
json.dump({**s, "lost_events": 1234, "lost_operations": 77}, open("lost.summary", "w"))
empty = {name: [] for name in s["tables"]}
kept = {key: s[key] for key in ("schema", "paths", "hosts", "notes", "mode", "config", "resizes")}
json.dump({**kept, "tables": empty}, open("empty.summary", "w"))

# What is in memory, which the stored traces do not tell.
resident = json.loads(json.dumps(s))
for number, row in enumerate(resident["tables"]["time"]):
    row.update(snapshots=1, resident_snapshots=1, resident_bytes=row.get("committed_bytes", 0) * (number + 1) // 4)
for row in resident["tables"]["heap"]:
    row["n"].update(resident_seen=row["n"]["seen"], resident_bytes=4096 * (1 + row["time_ns"] % 7))
resident.update(resident_bytes=123 * 1024, resident_snapshots=resident["snapshots"])
json.dump(resident, open("resident.summary", "w"))

# 10,000 stacks of 24 of 3,000 functions.
state = 1
sites = []
for number in range(10000):
    stack = []
    for depth in range(24):
        state = (state * 1103515245 + 12345) % 2 ** 31
        function = depth if depth < 3 else state // 7 % 3000 if depth > 12 else state // 7 % 8 + 10 * depth
        stack.append({"function": f"some::function_{function}(int)", "file": f"file{function % 90}.cc", "line": function + 1,
                      "module": "/usr/bin/many"})
    size = state // 11 % 2000 + 1
    sites.append({"key": str(number), "requested_min": size, "requested_max": size, "stack": stack[::-1],
                  "n": {"allocs": 10, "requested_bytes": 10 * size, "usable_bytes": 10 * (size // 64 * 64 + 64), "samples": 1}})
json.dump({**s, "tables": {**s["tables"], "site": sites}}, open("many.summary", "w"))
END
for name in lost empty many resident; do
	"$hakstat" report --format html -o $name.html $name.summary
done

pages=(full sample hostile cut lost empty many resident)
for page in "${pages[@]}"; do
	arguments+=("$page=$page.html")
done
/usr/bin/python3 "$top/tests/e2e/page_facts.py" "${arguments[@]}" >facts.json 2>error || tap_note "$(cat error)"

# fact EXPRESSION: of `page`, a page's facts by its name.
fact() {
	/usr/bin/python3 -I -c "import json
page = json.load(open('facts.json'))
print($1)" 2>&1
}

tap_is "$(fact '{n: p["console"] for n, p in page.items() if p["console"]}')" "{}" "no page says anything on the console"
tap_is "$(fact '{n: p["requests"] for n, p in page.items() if p["requests"]}')" "{}" "and none loads anything"
tap_is "$(fact '{n: p["overflow"] for n, p in page.items() if p["overflow"] > 0 or p["clipped"]}')" "{}" "none is wider than its window"

# Each plot, by its marks.
tap_is "$(fact 'page["full"]["title"], page["full"]["heading"]')" "Waste report: full requests" "title and heading name the trace"
tap_like "$(fact 'page["full"]["totals"]')" "Waste of all allocations226[.]3 KiB20[.]1 % of usable, exact" "the waste is told, and that it is exact"
tap_is "$(fact 'page["full"]["findings"]')" "$("$hakstat" report --format json full | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["findings"]))')" \
	"every finding is there"
tap_is "$(fact '[page["full"]["marks"][m] for m in ("memory", "bars", "requested", "waste", "bins", "wasteBins", "edges", "frames")]')" \
	"[15, 3, 3, 3, 4, 4, 2, 10]" "memory, classes, sizes and call sites have their marks"
tap_is "$(fact '[c for c in page["full"]["marks"]["heap"] if c != "domain"]')" "['held', 'idle', 'waste', 'unknown', 'requested']" \
	"the heap over time has its bands"
tap_is "$(fact '"outline resident" in page["resident"]["marks"]["heap"], "outline resident" in page["full"]["marks"]["heap"]')" "True False" \
	"and a line of what is in memory, where the trace tells it"
tap_like "$(fact 'page["resident"]["totals"]')" "123[.]0 KiB resident" "and so much is at the end"
tap_is "$(fact 'page["full"]["used"]["heap"]["live_waste_bytes"] > 2, len(page["full"]["used"]["heap"])')" "True 5" \
	"and a band for each class, in four measures"
tap_is "$(fact 'page["full"]["used"]["stairs"]')" 1 "one request of each size against its block"
tap_is "$(fact 'page["phone"]["marks"] == page["full"]["marks"]')" True "a phone shows the same marks"

# What answers.
tap_like "$(fact 'page["full"]["used"]["hover"]["bar"]')" "waste.*217[.]1 KiB, 90[.]4 %" "a bar tells its numbers under the pointer"
tap_like "$(fact 'page["full"]["used"]["hover"]["heap"].split()')" "'requested', .*'committed'" "the heap tells those of the moment"
tap_like "$(fact 'page["full"]["used"]["hover"]["bin"]')" "requests of 97 to 104 B" "a bin tells its sizes"
tap_like "$(fact 'page["full"]["used"]["hover"]["frame"]')" "waste of usable" "a frame tells its waste"
tap_is "$(fact 'page["full"]["used"]["left"]')" None "and nothing stays when the pointer leaves"
tap_is "$(fact 'page["full"]["used"]["descending"]')" "$(fact 'sorted(page["full"]["used"]["descending"], reverse=True)')" "a table sorts by waste"
tap_is "$(fact 'page["full"]["used"]["ascending"]')" "$(fact 'page["full"]["used"]["descending"][::-1]')" "and the other way round"
tap_is "$(fact 'max(page["full"]["used"]["descending"])')" 222280 "with the class that wastes most"
tap_is "$(fact '{n: r[0] for n, r in page["full"]["used"]["tables"].items()}')" \
	"{'class': 12, 'route': 4, 'size': 4, 'site': 3, 'thread': 1, 'process': 1, 'time': 2}" "each table has its rows"
tap_like "$(fact 'page["full"]["used"]["path"]')" "within requests[+]0x1081: 223[.]6 KiB" "a frame opens what is below it"
tap_is "$(fact 'page["full"]["used"]["reset"] == page["full"]["marks"]["frames"]')" True "and Reset goes back"
tap_is "$(fact 'page["full"]["background"] != page["dark"]["background"] == page["full"]["used"]["switched"]')" True \
	"dark follows the system, or the button"
tap_is "$(fact '[n for n in ("full", "dark") if page[n]["contrast"] < 4.5]')" "[]" "text stands out in both"
tap_is "$(fact 'page["full"]["used"]["pdf"]["head"], page["full"]["used"]["pdf"]["pages"] > 1, page["full"]["used"]["printed"]')" "%PDF True 7" \
	"printed, every table is there"
tap_is "$(fact 'page["full"]["used"]["paper"]')" "[690, 690, 690, 690, 690]" "and plots are drawn for the width of a page"

# What is not exact, or missing.
tap_is "$(fact 'page["full"]["estimated"], page["full"]["marks"]["intervals"]')" "1 0" "exact numbers are not called estimates, but for call sites"
tap_is "$(fact 'page["sample"]["estimated"] >= 4, page["sample"]["marks"]["intervals"]')" "True 2" "estimates are, with their intervals"
tap_like "$(fact 'page["sample"]["totals"]')" "±6[.]8 points [(]95.*%[)].*±1[.]9.*% [(]95.*%[)]" "and the whole ones"
tap_like "$(fact 'page["cut"]["notices"]')" "only a part of the trace was read" "a trace that breaks off is named"
tap_like "$(fact 'page["lost"]["notices"]')" "Lost: 1,234 events and 77 packed operations. Sums are lower bounds." "and lost events"
tap_is "$(fact 'len(page["empty"]["empty"]), page["empty"]["heading"]')" "6 No process in this trace" "an empty trace says so for each plot"

# Nothing in a trace is markup.
tap_is "$(fact 'page["hostile"]["hacked"], {k: v for k, v in page["hostile"]["elements"].items() if v != page["full"]["elements"][k]}')" \
	"undefined {}" "names of a trace add no element and run nothing"
tap_like "$(fact 'page["hostile"]["heading"]')" "^</script><script>hacked=1</script><!--<img src=x onerror=hacked=1>\"'\`&" "they are shown as they are"
tap_like "$(fact 'page["hostile"]["stack"]')" "</script><script>hacked=1</script>" "in call sites too"

# 10,000 call sites: bounded in the file and on the page.
tap_is "$(fact 'page["many"]["rows"]')" "[50, '10,000 of 10,000 rows']" "10,000 call sites are there, 50 of them drawn"
tap_is "$(fact '60 < page["many"]["marks"]["frames"] <= 3000, page["many"]["nodes"] < 12000')" "True True" \
	"the flame graph draws what can be seen of them"
tap_ok "and they take less than 6 MiB" test "$(stat -c %s many.html)" -lt $((6 << 20))
tap_note "milliseconds until all was drawn: $(fact '{n: p["ready"] for n, p in page.items()}')"
tap_done
