#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a suspected fault costs a malloc+free pair: test doubles of doubles.c in front of libhakmem.so.

usage: doubles.py --build DIR [--sizes N...] [--doubles NAME...] [--runs N] [--caches]

Counted, the same on every run and machine: instructions and system calls (single steps), page faults.
Measured: processor time of fixed_size, the fastest of --runs runs, all doubles in turn.
--caches: cachegrind's misses instead, in a first level of 32 KiB, 8 ways, and a second of 1 MiB, 8 ways, with lines
of 64 bytes; then rows of the real allocator under both tables and boundaries come first.
Exit status: 0 done, 1 a run failed, 2 usage or environment.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is written beside the sources

import measure
import tables

DOUBLES = ("none", "check", "filter", "getenv", "lock", "scan", "init", "mincore", "dontneed", "mmap", "libc", "away")
SLOW = {"scan": 10, "init": 20, "mincore": 10, "dontneed": 50, "mmap": 200}  # fewer pairs of these
REAL = [("%s, C%d" % (table, k), {"HAKMEM_SIZE_CLASSES": table, "HAKMEM_TINY_MAX_CLASS": str(k)})
        for table in ("classic", "fine") for k in (7, 5)]
SPACED = [("8 KiB apart, not coloured", {"HAK_DOUBLE": "spaced"}), ("8 KiB apart, coloured", {"HAK_DOUBLE": "coloured"})]
STEPPED, TIMED, FEW, MANY = 400, 1000000, 20000, 120000


def stop(message, status):
    print("doubles.py: " + message, file=sys.stderr)
    sys.exit(status)


class Bench:
    def __init__(self, build):
        self.folder = os.path.join(build, "tests", "bench")
        self.double = os.path.abspath(os.path.join(self.folder, "libdoubles.so"))
        self.lib = os.path.abspath(os.path.join(build, "lib", "libhakmem.so"))
        for path in (self.double, self.lib):
            if not os.path.exists(path):
                stop("%s: not built" % path, 2)

    def environment(self, env):
        preload = "%s %s" % (self.double, self.lib) if "HAK_DOUBLE" in env else self.lib
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("LD_", "HAKMEM_"))}
        return dict(kept, LD_PRELOAD=preload, **env)

    def run(self, env, program, *words, under=()):
        done = subprocess.run([*under, os.path.join(self.folder, program), *map(str, words)], text=True, check=False,
                              env=self.environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = measure.read_fields(done.stdout)
        # With a double in front malloc is its, and the rest the allocator's.
        served = "mixed" if "HAK_DOUBLE" in env else os.path.realpath(self.lib)
        if done.returncode or said.get("served_by") != served:
            stop("%s with %s failed, or another allocator served it: %s" % (program, env, done.stderr.strip()), 1)
        return said

    def misses(self, env, size, slots):
        """First and second level misses of a pair."""
        totals = []
        with tempfile.TemporaryDirectory() as work:
            out = os.path.join(work, "out")
            for pairs in (FEW, MANY):
                self.run(env, "fixed_size", "--size", size, "--slots", slots, "--pairs", pairs,
                         under=("valgrind", "-q", "--tool=cachegrind", "--cache-sim=yes", "--D1=32768,8,64",
                                "--LL=1048576,8,64", "--cachegrind-out-file=" + out))
                with open(out, encoding="utf8", errors="replace") as f:
                    text = f.read()
                names = re.search(r"^events: (.*)$", text, re.MULTILINE).group(1).split()
                values = map(int, re.search(r"^summary: (.*)$", text, re.MULTILINE).group(1).split())
                totals.append(dict(zip(names, values)))
        return tuple(sum(totals[1][n] - totals[0][n] for n in names) / (MANY - FEW)
                     for names in (("D1mr", "D1mw"), ("DLmr", "DLmw")))


def cache_table(bench, args):
    lines = []
    for name, env in REAL + SPACED:
        cells = [bench.misses(env, size, args.slots) for size in args.sizes]
        lines.append([name, *("%.2f / %.2f" % c for c in cells)])
    return tables.layout(["misses a pair, level 1 / 2", *("%d B" % s for s in args.sizes)], lines, args.markdown)


def counted(bench, name, size):
    env = {"HAK_DOUBLE": name}
    pairs = STEPPED // SLOW.get(name, 1)
    said = bench.run(env, "instructions", "pair", size, pairs, "step")
    return ["%.0f" % (int(said["instructions"]) / pairs), "%.0f" % (int(said["syscalls"]) / pairs)]


def timed(bench, args):
    """(processor nanoseconds, faults) of a pair: [double][size]."""
    best = {}
    for _ in range(args.runs):
        for name in args.doubles:
            for size in args.sizes:
                pairs = TIMED // SLOW.get(name, 1)
                said = bench.run({"HAK_DOUBLE": name}, "fixed_size", "--size", size, "--slots", args.slots,
                                 "--pairs", pairs)
                got = (1000 / float(said["cpu_mops"]), float(said["faults"]))
                best[name, size] = min(best.get((name, size), got), got)
    return best


def cost_table(bench, args):
    best, lines = timed(bench, args), []
    for name in args.doubles:
        times = [best[name, size][0] for size in args.sizes]
        lines.append([name, *counted(bench, name, args.sizes[0]), "%.2f" % best[name, args.sizes[0]][1],
                      *("%.0f" % t for t in times), "%.1f" % (times[0] / best[args.doubles[0], args.sizes[0]][0])])
    return tables.layout(["double", "instructions", "system calls", "faults", *("ns, %d B" % s for s in args.sizes),
                          "times %s" % args.doubles[0]], lines, args.markdown)


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--build", required=True, help="make's output folder, with the benchmark programs")
    parse.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512, 1024])
    parse.add_argument("--doubles", nargs="+", default=list(DOUBLES), metavar="NAME")
    parse.add_argument("--slots", type=int, default=4096)
    parse.add_argument("--runs", type=int, default=3)
    parse.add_argument("--caches", action="store_true")
    parse.add_argument("--markdown", action="store_true")
    args = parse.parse_args()
    bench = Bench(args.build)
    print((cache_table if args.caches else cost_table)(bench, args))
    return 0


if __name__ == "__main__":
    sys.exit(main())
