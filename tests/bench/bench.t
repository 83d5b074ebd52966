#!/bin/sh
# SPDX-License-Identifier: MIT
# The benchmark runner: a run counts only when it is proven who served it. BUILD names make's output folder.
set -u
here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
count=0

check() { # NAME STATUS
	count=$((count + 1))
	if [ "$2" -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		sed 's/^/# /' "$work/out"
	fi
}

bench() {
	python3 "$here/run.py" --build "$(realpath --relative-to=. "$BUILD")" --no-system-peers --runs 1 --ms 20 --groups own \
		--only '^(fixed_size 128|random_mixed|churn|remote|realloc)$' "$@" >"$work/out" 2>&1
}

echo 1..12

bench "hakmem=$BUILD/lib/libhakmem.so" && grep -q 'libhakmem.so.0 *5  *0$' "$work/out"
check "every shape runs and is served by the library named" $?

bench --cpu --only '^realloc$' "hakmem=$BUILD/lib/libhakmem.so" && grep -q 'by processor time' "$work/out"
check "and is compared by processor time when asked" $?

# A library without a malloc is loaded like any other and serves nothing.
echo 'int not_an_allocator;' | ${CC:-cc} -shared -fPIC -o "$work/libempty.so" -x c - 2>"$work/out"
bench "empty=$work/libempty.so"
[ $? -eq 1 ] && grep -q 'served by .*libc.so.6 instead of' "$work/out"
check "a library that serves nothing fails its runs" $?

# One that hands everything on to glibc owns the symbols all the same.
cat >"$work/forward.c" <<'C'
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void look(void) { if (getenv("REFUSE")) _exit(9); }
void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
void __libc_free(void *);
void *malloc(size_t n) { return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return __libc_realloc(p, n); }
void free(void *p) { __libc_free(p); }
C
${CC:-cc} -shared -fPIC -o "$work/libforward.so" "$work/forward.c" 2>"$work/out"
bench "forward=$work/libforward.so"
[ $? -eq 1 ] && grep -q "glibc's heap grew" "$work/out"
check "a library that forwards to glibc fails its runs" $?

bench "rounded=$BUILD/tests/bench/librounding.so" && grep -q 'librounding.so *5  *0$' "$work/out"
check "but for one that says that its blocks are glibc's" $?

bench "forward=$work/libforward.so,REFUSE=1"
[ $? -eq 1 ] && grep -q 'exit status 9' "$work/out" && grep -q '^forward: .*libforward.so REFUSE=1$' "$work/out"
check "a peer's own settings reach its runs, and are printed" $?

bench "forward=$work/libforward.so,REFUSE"
[ $? -eq 2 ] && grep -q 'want VARIABLE=VALUE' "$work/out"
check "a setting without a value is refused" $?

bench "gone=$work/no-such.so"
[ $? -eq 2 ] && grep -q 'want NAME=PATH' "$work/out"
check "a missing library is named" $?

# The programs refuse by themselves, for tools that only look at exit statuses.
env -u LD_PRELOAD "$BUILD/tests/bench/fixed_size" --pairs 1000 --served-by libhakmem >"$work/out" 2>&1
[ $? -eq 1 ] && grep -q '^bench: served by .*libc' "$work/out"
check "without a preload a run that wants hakmem fails" $?

LD_PRELOAD=$BUILD/lib/libhakmem.so "$BUILD/tests/bench/random_mixed" --pairs 1000 --served-by libhakmem >"$work/out" 2>&1
check "and with it passes" $?

# The default table: the Tiny boundary is in the look-up tables, so no instruction knows of it.
PYTHONPATH=$here python3 -B - "$BUILD" >"$work/out" 2>&1 <<'PY'
import os, sys
import instructions, measure
build = os.path.abspath(sys.argv[1])
hakmem = measure.Allocator("hakmem", os.path.join(build, "lib", "libhakmem.so"))
program = os.path.join(build, "tests", "bench", "instructions")
counts = []
for boundary in ("7", "5"):
    os.environ["HAKMEM_TINY_MAX_CLASS"] = boundary
    counts.append(instructions.per_pair_by_steps(program, hakmem, "pair", 300))
print(counts)
sys.exit(counts[0] is None or counts[0] != counts[1])
PY
check "a pair takes the same instructions and branches with the boundary at C7 and at C5" $?

# One allocator is always twice as slow as the other; the machine goes at its own pace in each round.
PYTHONPATH=$here python3 -B - >"$work/out" 2>&1 <<'PY'
import sys
import rows, tables
row = rows.Row("row", "own", ["true"])
pace = [1.0, 3.0, 9.0, 1.1, 2.0]
results = tables.Results([row], ["one", "two", "three"], None, "rounds")
for round, slow in enumerate(pace):
    for name, cost in (("one", 1.0), ("two", 2.0), ("three", 1.5)):
        late = 5.0 if (name, round) == ("one", 3) else 1.0  # and one run is hit in the middle of its round
        results.runs["row"][name].append({"cost": cost * slow * late})
values = [results.value(row, name, "cost") for name in results.names]
print(values)
sys.exit(any(abs(value - cost * 2.0) > 1e-9 for value, cost in zip(values, (1.0, 2.0, 1.5))))
PY
check "--stat rounds takes off how slow a round was" $?
