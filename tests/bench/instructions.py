#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Instructions and conditional branches of one malloc+free pair, by size, counted by callgrind.

usage: instructions.py --build DIR [--pattern pair|batch] [--sizes N...] [--branches] [NAME=PATH.so ...]

Two runs that differ only in their number of pairs are subtracted, and the same loop without calls from that, so
start-up and the driver do not count. "-" marks an allocator that does not run under valgrind.
Exit status: 0 done, 1 nothing could be counted, 2 usage or environment.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is written beside the sources

import run
import tables

SIZES = (8, 16, 64, 128, 256, 512, 1024, 1025, 2048, 4096, 8192, 16384, 32768, 65536, 262144, 1048576)
FEW, MANY = 2048, 2048 + 20480


def count(program, allocator, words, folder):
    """(instructions, conditional branches) of one run, or None when it failed."""
    out = os.path.join(folder, "callgrind.out")
    env = {k: v for k, v in os.environ.items() if not k.startswith("LD_")}
    env["LD_PRELOAD"] = allocator.path
    done = subprocess.run(["valgrind", "--tool=callgrind", "--branch-sim=yes", "--callgrind-out-file=" + out, program,
                           *map(str, words)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          errors="replace", check=False)
    if done.returncode or not os.path.exists(out):
        return None
    with open(out, encoding="utf8", errors="replace") as f:
        text = f.read()
    if os.path.basename(allocator.real) not in text:
        return None  # not loaded, or nothing of it ran
    events = re.search(r"^events: (.*)$", text, re.MULTILINE).group(1).split()
    totals = re.search(r"^(?:summary|totals): (.*)$", text, re.MULTILINE).group(1).split()
    total = dict(zip(events, map(int, totals)))
    return total["Ir"], total["Bc"]


def per_pair(program, allocator, pattern, size, what, folder):
    """Costs of one pair for `what`: calls or the bare loop."""
    few = count(program, allocator, (pattern, size, FEW, what), folder)
    many = few and count(program, allocator, (pattern, size, MANY, what), folder)
    return many and tuple((m - f) / (MANY - FEW) for f, m in zip(few, many))


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("allocators", nargs="*", metavar="NAME=PATH.so")
    parse.add_argument("--build", required=True, help="make's output folder, with the benchmark programs")
    parse.add_argument("--pattern", choices=("pair", "batch"), default="pair")
    parse.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parse.add_argument("--branches", action="store_true", help="also count conditional branches")
    parse.add_argument("--no-system-peers", action="store_true", help="only glibc and the ones named")
    parse.add_argument("--markdown", action="store_true")
    return parse.parse_args()


def main():
    args = arguments()
    if not shutil.which("valgrind"):
        print("instructions.py: no valgrind on this machine", file=sys.stderr)
        return 2
    among = run.allocators(args)
    program = os.path.join(args.build, "tests", "bench", "instructions")
    counted, lines, branches = False, [], []
    with tempfile.TemporaryDirectory() as folder:
        loop = per_pair(program, among[0], args.pattern, 64, "loop", folder)
        for size in args.sizes:
            costs = [per_pair(program, a, args.pattern, size, "calls", folder) for a in among]
            counted = counted or any(costs)
            lines.append([str(size), *("%.1f" % (c[0] - loop[0]) if c and loop else "-" for c in costs)])
            branches.append([str(size), *("%.1f" % (c[1] - loop[1]) if c and loop else "-" for c in costs)])
    names = [a.name for a in among]
    print(tables.layout(["%s, instructions" % args.pattern, *names], lines, args.markdown))
    if args.branches:
        print("\n" + tables.layout(["%s, conditional branches" % args.pattern, *names], branches, args.markdown))
    return 0 if counted else 1


if __name__ == "__main__":
    sys.exit(main())
