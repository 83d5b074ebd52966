#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every way in which processes and threads begin and end, under a recording of each operation:
# what each of them asked for is in the report, once. record_fork.t has fork and exec in the
# middle of work.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
need_lttng
tap_need gcc
lives=$build/tests/e2e/lives

# allocations SIZE: how many requests of exactly that size the report has.
allocations() {
	ask "sum(s['allocs'] for s in r['sizes'] if s['requested_min'] == s['requested_max'] == $1)"
}

# each HOW COUNT: both of the two lives are there, and nothing is missing.
each() {
	recorded full "$1" "$lives" "$1" "$2" 100
	tap_is "$(allocations 100) $(allocations 200)" "$2 $2" "$1: each operation of the one and of the other, once"
	tap_is "$(ask 'r["trace"]["lost_events"]') $(unended)" "0 []" "$1: nothing lost, no end missing"
}

unended() {
	ask '[f["message"] for f in r["findings"] if f["kind"] == "unended"]'
}

each vfork 5000
each spawn 5000
# Long enough that LTTng would see its descriptors closed.
each daemon 500000
each range 500000

recorded full leave "$lives" leave 5000 100
tap_is "$(allocations 100) $(unended)" "5000 []" "_exit: what was gathered is written"

ln -s "$lives" "$tmp/rob-ust"
recorded full named "$tmp/rob-ust" leave 5000 100
tap_is "$(allocations 100)" 5000 "a program that is named as LTTng names its threads is not taken for one"

recorded full kill bash -c '"$@"; true' bash "$lives" kill 50000 100
tap_ok "SIGKILL: what was written before stays readable ($(allocations 100) of 50000)" test "$(allocations 100)" -gt 25000
tap_like "$(unended)" 'the end of 1 process is not in the trace' "and that an end is missing is said"

recorded full threads "$lives" threads 20000 100
tap_is "$(allocations 200)" 20000 "20,000 short threads: each operation, once"
tap_ok "and they leave no growth ($(cat "$tmp/out") KiB)" test "$(cat "$tmp/out")" -lt 512
recorded sample threads-sampled "$lives" threads 20000 100
tap_ok "nor when samples are taken ($(cat "$tmp/out") KiB)" test "$(cat "$tmp/out")" -lt 512

# An event that fills a sub-buffer has LTTng write to a pipe, where a thread can be cancelled.
for how in full:3000000 events:50000; do
	mode=${how%:*} count=${how#*:}
	tap_ok "$mode: a thread is not cancelled in malloc" timeout 120 "$hakstat" record --mode "$mode" -o "$tmp/cancel-$mode" -- \
		"$lives" cancel "$count" 4
done

# The sizes are nobody else's, and in the child they are the largest part of what it holds.
recorded full bequest timeout -s KILL 120 "$lives" bequest 500 12345
tap_is "$(allocations 12345) $(allocations 24690)" "500 500" "full: nor is the child of such a thread, in fork"
if [ -n "${HAK_TEST_ALONE-}" ]; then
	: >"$tmp/null"
	recorded full astray unshare -m bash -c 'mount --bind "$1" /dev/null && exec "${@:2}"' bash "$tmp/null" "$lives" astray 500 12345
	tap_is "$(allocations 12345) $(allocations 24690) $(unended)" "500 500 []" "daemon() fails in its child: what that does is there"
	tap_is "$(ask 'sorted((p["live_requested_bytes"] or 0) // 1234500 for p in r["processes"] if p["process"] == "lives")')" \
		"[0, 5, 10]" "and it does not hold what is its parent's; nor does who called it"
fi

cat >"$tmp/pool.py" <<'PY'
import multiprocessing

def work(n):
    return sum(len(bytearray(54321)) for _ in range(n))

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert pool.map(work, [250] * 8, chunksize=1) == [250 * 54321] * 8
        pool.close()
        pool.join()
PY
recorded full pool "$python" "$tmp/pool.py"
tap_is "$(allocations 54322)" 2000 "python's multiprocessing: what four forked workers allocated, once"
tap_is "$(ask 'len({p["pid"] for p in r["processes"] if p["process"].startswith("python")}) >= 5') $(unended)" "True []" \
	"and each worker is a process of its own, with its end"

# A program with other rights than its caller loads nothing of ours; the dynamic linker must not complain.
install -m 755 "$lives" "$tmp/privileged"
if chown nobody "$tmp/privileged" 2>/dev/null && chmod u+s "$tmp/privileged" &&
	[ -z "$(LD_DEBUG=statistics "$tmp/privileged" leave 1 1 2>&1)" ]; then
	recorded full setuid bash -c '"$@"; echo "$?"' bash "$tmp/privileged" leave 5000 100
	tap_is "$(cat "$tmp/out") $(grep -vc '^hakstat:' "$tmp/log") $(allocations 100)" "0 0 0" \
		"a setuid program runs as ever, untraced, without a word"
else
	tap_note "no setuid program here; not tested"
fi

printf '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n' >"$tmp/hello.c"
recorded sample chain gcc -o "$tmp/hello" "$tmp/hello.c"
tap_is "$(ask 'sorted({p["process"] for p in r["processes"] if p["allocs"] > 0} & {"cc1", "as", "collect2", "ld"})') $(unended)" \
	"['as', 'cc1', 'collect2', 'ld'] []" "gcc: each program of its chain is there, with its end"
tap_is "$("$tmp/hello")" hello "and did its work"
tap_done
