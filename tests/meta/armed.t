#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Off is armed: with the tracer loaded, the allocator's code in memory is that of its file, byte
# for byte, and operations take the same instructions. Secure mode, whose paths are
# longer, takes more: the counting can tell.
. "$(dirname "$0")/../support/lttng.sh"
. "$(dirname "$0")/../support/tap.sh"
case $(uname -m) in
x86_64) ;;
*) tap_skip_all "single steps are counted on x86-64" ;;
esac
[[ ${CFLAGS-} == *-O0* || -n ${SAN-} ]] && tap_skip_all "not an optimised build"
need_lttng

# What the preloaded library's code is in memory, and in its file.
cat >"$tmp/code.py" <<'PY'
import sys
differ = parts = 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb") as memory:
    for line in maps:
        span, rights, offset, _, _, path = (line.split() + [""])[:6]
        if path.startswith(sys.argv[1]) and "x" in rights:
            begin, end = (int(x, 16) for x in span.split("-"))
            memory.seek(begin)
            with open(path, "rb") as file:
                file.seek(int(offset, 16))
                loaded, stored = memory.read(end - begin), file.read(end - begin)
            differ += loaded[:len(stored)] != stored
            parts += 1
print(parts, differ, "w" in rights and "x" in rights)
PY
code() {
	LD_PRELOAD=$1 "$python" "$tmp/code.py" "$lib"
}
parts=$(readelf -lW "$lib" | grep -cE '^ +LOAD .* R E ')
tap_is "$(code "$lib")" "$parts 0 False" "off: the code in memory is that of the file"
tap_is "$(code "$lib:$tracer")" "$parts 0 False" "armed: so it is with the tracer loaded"

# counts PRELOAD: the instructions and branches of a pair that takes the fast paths alone, and whether
# most sizes met no slow path on the way.
cat >"$tmp/counts.py" <<'PY'
import os, sys
sys.path.insert(0, sys.argv[1])
import instructions, measure
build, preload = sys.argv[2:4]
allocator = measure.Allocator("hakmem", os.path.join(build, "lib", "libhakmem.so"), preload=preload)
program = os.path.join(build, "tests", "bench", "instructions")
costs = [instructions.per_pair_by_steps(program, allocator, "pair", size, pairs=8)
         for size in (16, 40, 100, 200, 500, 700, 1000)]
print("%g %g" % min(costs), costs.count(min(costs)) > len(costs) / 2)
PY
counts() {
	"$python" -B "$tmp/counts.py" "$top/tests/bench" "$build" "$1"
}
off=$(counts "$lib")
tap_like "$off" '^[1-9][0-9.]* [1-9][0-9.]* True$' "off: instructions and branches of a pair are counted"
tap_is "$(counts "$lib:$tracer")" "$off" "armed: a pair takes the same"
lttng-sessiond --daemonize --no-kernel 2>/dev/null
end_daemon() {
	kill "$(cat /var/run/lttng/lttng-sessiond.pid)"
}
[ -z "${HAK_TEST_ALONE-}" ] || tap_at_exit end_daemon
tap_is "$(counts "$lib:$tracer")" "$off" "armed, and a session daemon runs: the same"
secure=$(HAKMEM_SECURE=1 counts "$lib")
tap_ok "secure mode, which checks more, takes more ($off, $secure)" test "${secure%%[. ]*}" -gt "${off%%[. ]*}"
tap_done
