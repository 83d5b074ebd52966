#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# hakstat ab: two settings of one command, recorded and timed. No test here depends on how long
# something takes.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
cd "$tmp" || exit 1
export TMPDIR=$tmp/temporary
mkdir "$TMPDIR"

# json FILE EXPRESSION: evaluated with d the document and f(key) the figure of that key.
json() {
	"$python" -c "import json, sys
d = json.load(open(sys.argv[1]))
f = lambda key: [g for g in d['figures'] if g['key'] == key][0]
print($2)" "$1" 2>&1
}

# Waste, exactly: 300 bytes are a tiny block of 512, or a mid block of 8192.
HAKMEM_SIZE_CLASSES=classic "$hakstat" ab -a HAKMEM_TINY_MAX_CLASS=7 -b HAKMEM_TINY_MAX_CLASS=5 --mode full -n 1 \
	--keep kept --format json -o waste.json -- "$build/tests/e2e/requests" 1000 300 2>said
tap_is "$? $(cat said)" "0 " "a comparison ends well and without a word on stderr"
tap_is "$(json waste.json 'len(f("waste_bytes")["b"]["values"]), f("waste_bytes")["verdict"]')" "4 more" \
	"four recordings of each, and more waste"
tap_is "$(json waste.json '1000 * 7892 <= f("waste_bytes")["b"]["min"] <= 1000 * 7892 + 600000, f("waste_bytes")["a"]["max"] <= 1000 * 212 + 600000')" \
	"True True" "and as much as the tables say"
tap_is "$(json waste.json '[o["name"] for o in d["diff"]["options"]], [(m["from"], m["to"], m["option"]) for m in d["diff"]["moves"] if m["requested_min"] <= 300 <= m["requested_max"]]')" \
	"['HAKMEM_TINY_MAX_CLASS'] [('tiny C6', 'mid M8192', 'HAKMEM_TINY_MAX_CLASS 7 -> 5')]" \
	"the difference names what moved, and the option"
tap_is "$(json waste.json 'd["served"], f("wall_s")["verdict"], d["partial"]')" "requests too few runs False" \
	"it says what hakmem served, and that one pair tells nothing of time"
tap_is "$(echo kept/*)" "kept/a-1 kept/a-2 kept/a-3 kept/a-4 kept/b-1 kept/b-2 kept/b-3 kept/b-4" "--keep keeps the recordings"
tap_ok "which are traces" "$hakstat" report kept/b-4

# Where no sample fell, waste is not known.
few=(ab -a HAKMEM_SAMPLE_BYTES=1G -b HAKMEM_SAMPLE_BYTES=1G -n 0)
tap_is "$("$hakstat" "${few[@]}" --format markdown -- true | sed -n '/^| waste /p' | tr -s ' ')" \
	"| waste | ? | ? | ? | ? | ? | - | unknown |
| waste % | ? | ? | ? | ? | ? | - | unknown |" "waste without a sample is unknown, not 0"
"$hakstat" "${few[@]}" --format json -o unknown.json -- true
tap_is "$(json unknown.json 'f("waste_bytes")["a"], f("waste_bytes")["ratio"], f("waste_bytes")["verdict"]')" \
	"{'min': None, 'median': None, 'max': None, 'values': []} None unknown" "and null for programs"
tap_like "$("$hakstat" "${few[@]}" --format csv -- true)" '^waste_bytes,4,,,,,,,,,,,"unknown"$' "and nothing in CSV"

# The order of the runs, and what each of them runs on.
"$hakstat" ab -a 'SIDE=a NOTE="x y"' -b SIDE=b -n 3 --recordings 1 -- \
	bash -c '[[ $LD_PRELOAD == *tracer* ]] && with=traced || with=plain; echo "$SIDE $with $NOTE" >>log' >out 2>said
tap_is "$? $(cut -d ' ' -f 1,2 log | paste -sd ,)" \
	"0 a traced,b traced,a plain,b plain,b plain,a plain,a plain,b plain" \
	"the recordings come first, then pairs in turn as ABBA, without the tracer"
tap_is "$(awk '$1 == "a" { print $3, $4 }' log | sort -u)" "x y" "settings may be quoted"
tap_like "$(cat out)" '^served    by hakmem: bash$' "the table says what was served"
tap_like "$(cat out)" '^wall time .* too few runs$' "and that three pairs are too few to tell"
tap_is "$(ls -A "$TMPDIR")" "" "recordings that nobody wants to keep are gone"

# A difference that is there, and one that is not.
"$hakstat" ab -a HOG=1000 -b HOG=80000000 -n 8 --recordings 0 --format json -o hog.json -- \
	"$python" -c 'import os; x = b"x" * int(os.environ["HOG"])'
tap_is "$(json hog.json '(f("peak_rss_bytes")["verdict"], f("page_faults")["verdict"], f("peak_rss_bytes")["p"] < 0.05, f("peak_rss_bytes")["ratio_low"] > 1, d["diff"], d["served"])')" \
	"('more', 'more', True, True, None, '$(basename "$python")')" \
	"80 MB more are more memory and more page faults; without a recording the library says whom it served"
"$hakstat" ab -a X=1 -n 8 --recordings 0 --rate 'at ([0-9.]+)/s' --format csv -- bash -c 'echo at 7/s; echo at 250.5/s' >rate.csv
tap_like "$(cat rate.csv)" '^rate,8,250.5,250.5,250.5,250.5,250.5,250.5,1,1,1,1,"same"$' "a rate that the command prints is read: the last one"
tap_like "$("$hakstat" ab -a X=1 -n 8 --recordings 0 --rate 'at ([0-9.]+)/s' --format markdown -- bash -c 'echo at 250.5/s')" \
	'^\| rate .* \+0.0 % to \+0.0 % ' "an interval of signed numbers is none of dashes"
tap_is "$(awk -F , '{ print NF }' rate.csv | sort -u)" 13 "each line of the CSV has all fields"
"$hakstat" ab -a X=1 -n 1 --recordings 0 --rate 'at ([0-9.]+)/s' --format benchmark -- bash -c 'echo at 250/s' >history.json
tap_is "$("$python" -c 'import json
d = json.load(open("history.json"))
print(sorted({k for e in d for k in e}), [e["value"] for e in d if "seconds for one" in e["name"]], all(type(e["value"]) is float for e in d))')" \
	"['extra', 'name', 'range', 'unit', 'value'] [0.004, 0.004] True" "a benchmark history gets entries, a rate as its inverse"
markdown=$("$hakstat" ab -a X=1 -n 1 --recordings 1 --format markdown -- bash -c :)
tap_like "$markdown" '^\| wall time \| .* \| too few runs \|$' "markdown has the figures"
tap_like "$markdown" '^- runs      1 pair, turn about$' "one pair is not called pairs"
tap_like "$markdown" '^## Waste: what changed$' "and the difference"

# Input and output.
echo "the input" >input
tap_is "$("$hakstat" ab -a X=1 -n 1 --recordings 0 --input input --show-output -o /dev/null -- cat 2>&1)" "the input
the input" "each run reads the input anew; its output is shown when asked for"
tap_is "$("$hakstat" ab -a X=1 -n 1 --recordings 0 -o /dev/null -- bash -c 'cat; echo out; echo err >&2' 2>&1)" "" \
	"else there is no input and no output"

# What goes wrong.
# refuse TEXT NAME OPTION...: exit status 2 and a message with the text.
refuse() {
	local text=$1 name=$2
	shift 2
	said=$("$hakstat" ab "$@" 2>&1 >out)
	tap_is "$? $(grep -cF -- "$text" <<<"$said") $(cat out)" "2 1 " "$name" || tap_note "$said"
}
refuse "ab: no setting" "no setting is refused" -- bash
refuse "ab: no command" "no command is refused" -a X=1
refuse "-b: Y: not of the form NAME=VALUE" "so is a word that sets nothing" -b Y -- bash
refuse "-a X='1:" "and a quote that is not closed" -a "X='1" -- bash
refuse "put what the number looks like in brackets" "and a rate without a group" -a X=1 --rate 'at [0-9]+' -- bash
refuse "cannot run no/such: No such file" "and a command that is not there" -a X=1 -- no/such
refuse "bash failed under b: exit status 3" "a command that fails ends it" -a X=0 -b X=3 --recordings 0 -- bash -c 'echo why >&2; exit $X'
tap_like "$said" "^hakstat: ab: output: why$" "and its last words are shown"
refuse "matches no number in what the command printed" "so does one without its rate" -a X=1 --recordings 0 --rate '([0-9]+)/s' -- bash -c 'echo none'
if cc -static -o static -x c - <<<'int main(void) { return 0; }' 2>/dev/null; then
	refuse "is not served by hakmem" "a static program is refused" -a X=1 --recordings 0 -- ./static
	refuse "is not served by hakmem" "with recordings as well" -a X=1 --recordings 1 -- ./static
fi
"$hakstat" ab -a HAKMEM_SIZE_CLASSES=fine -b HAKMEM_SIZE_CLASSES=bogus -n 2 --recordings 0 -- bash -c : >out 2>said
tap_is "$? $(cat said)" "0 hakstat: ab: b: hakmem: HAKMEM_SIZE_CLASSES=bogus: expected fine, classic or @FILE; using fine" \
	"what the library warns of is passed on, once"
PATH=$(dirname "$(command -v bash)"):$tmp/nowhere LTTNG_SESSIOND_PATH=$tmp/nowhere/lttng-sessiond \
	refuse "sessiond" "without LTTng it says so" -a X=1 -- bash -c 'echo ran >>ran'
tap_ok "before the command has run" test ! -e ran

# Ctrl-C in the third pair: two are complete. The fifo is held open, so nobody waits for nobody.
mkfifo up
exec {up}<>up
: >count
set -m
"$hakstat" ab -a X=1 -n 9 --recordings 0 -- bash -c 'echo >>count; [ "$(wc -l <count)" -ne 7 ] || { echo >up; read -r _ </dev/zero; }' \
	>out 2>said &
running=$!
set +m
read -r _ <&"$up"
kill -INT -- "-$running"
wait "$running"
tap_is "$? $(cat said)" "0 hakstat: ab: interrupted; the result holds what was complete by then" "Ctrl-C gives what is there"
tap_like "$(cat out)" '^runs      2 pairs, turn about; PARTIAL' "two pairs were complete, and the table says it is partial"
tap_is "$(ls -A "$TMPDIR")" "" "nothing is left behind"

# SIGTERM while no command runs: it waits for the input, a fifo that nobody writes to.
mkfifo input.fifo
"$hakstat" ab -a X=1 -n 1 --recordings 0 --input input.fifo -- bash -c : >out 2>said &
running=$!
until [ -n "$(ls -A "$TMPDIR")" ]; do kill -0 "$running" || break; done
kill -TERM "$running"
exec 9<>input.fifo
wait "$running"
tap_is "$? $(cat said)" "2 hakstat: ab: interrupted before both settings had run once" "so does SIGTERM, whenever it comes"
tap_is "$(ls -A "$TMPDIR")" "" "and nothing is left behind"

if [ -n "${HAK_TEST_ALONE-}" ]; then
	# LTTng's consumer daemon takes nothing out of the buffers while the command fills them.
	cat >flood.py <<-'END'
		import os, signal, subprocess, sys
		daemon = open("/var/run/lttng/lttng-sessiond.pid").read().strip()
		consumer = int(subprocess.check_output(["pgrep", "-P", daemon, "-f", "consumerd"]))
		os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
		os.kill(consumer, signal.SIGSTOP)
		blocks = [bytes(1000) for n in range(10)]
		for n in range(int(sys.argv[1])):
		    blocks[n % 10] = bytes(600 + n % 400)
		os.kill(consumer, signal.SIGCONT)
	END
	"$hakstat" ab -a X=1 -n 0 --recordings 1 --mode full --format json -o flood.json -- "$python" flood.py 6000000 2>said
	tap_is "$? $(json flood.json 'd["incomplete"], {g["verdict"] for g in d["figures"] if g["recorded"]}')" "0 True {'incomplete'}" \
		"nothing is concluded from recordings that lost events" || tap_note "$(cat said)"

	# A recording that breaks off shows a part of the run: the series ends with what record says of it.
	mkdir small
	if mount -t tmpfs -o size=2m tmpfs small; then
		TMPDIR=$tmp/small "$hakstat" ab -a X=1 -n 0 --recordings 1 --mode full -- "$build/tests/e2e/requests" 3000000 300 >out 2>said
		tap_is "$? $(cat out)" "2 " "a recording that is cut off ends the comparison"
		tap_like "$(cat said)" '^hakstat: ab: recording under a: .*incomplete: recording was cut off' "and the reason is told"
		tap_is "$(ls -A small)" "" "and nothing is left behind"
		umount small
	fi
fi
tap_done
