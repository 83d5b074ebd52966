#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Instructions and conditional branches of one malloc+free pair, by size.

usage: instructions.py --build DIR [--pattern pair|batch] [--sizes N...] [--branches]
                       [NAME=PATH.so[,VARIABLE=VALUE...] ...]

callgrind: two runs that differ only in their number of pairs are subtracted, and the same loop without calls from
that, so start-up and the driver do not count. What does not run under valgrind is counted by single steps instead,
after 8192 pairs to warm up, and marked by *; --counter step does so for all.
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

import measure
import run
import tables

SIZES = (8, 16, 64, 128, 256, 512, 1024, 1025, 2048, 4096, 8192, 16384, 32768, 65536, 262144, 1048576)
FEW, MANY = 2048, 2048 + 20480
STEPPED = 2048


def environment(allocator, preload):
    return {**{k: v for k, v in os.environ.items() if not k.startswith("LD_")}, **allocator.env, "LD_PRELOAD": preload}


def count(program, allocator, words, folder):
    """(instructions, conditional branches) of one run, or None when it failed."""
    out = os.path.join(folder, "callgrind.out")
    env = environment(allocator, allocator.path)
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


def per_pair_by_steps(program, allocator, pattern, size, pairs=STEPPED):
    """The same from a child process that is run one instruction at a time, without a marker for the loop."""
    env = environment(allocator, allocator.preload or allocator.path)
    done = subprocess.run([program, pattern, str(size), str(pairs), "step"], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    said = measure.read_fields(done.stdout)
    if done.returncode or said.get("served_by") != allocator.real:
        return None  # not loaded, or it does not run
    return int(said["instructions"]) / pairs, int(said["branches"]) / pairs


def cell_pair(args, program, allocator, size, loop, folder):
    """Two cells: instructions and branches."""
    costs = per_pair(program, allocator, args.pattern, size, "calls", folder) if loop else None
    if costs:
        return tuple("%.1f" % (c - l) for c, l in zip(costs, loop))
    costs = per_pair_by_steps(program, allocator, args.pattern, size)
    mark = "*" if loop else ""
    return tuple("%.1f%s" % (c, mark) for c in costs) if costs else ("-", "-")


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("allocators", nargs="*", metavar="NAME=PATH.so[,VARIABLE=VALUE...]")
    parse.add_argument("--build", required=True, help="make's output folder, with the benchmark programs")
    parse.add_argument("--pattern", choices=("pair", "batch"), default="pair")
    parse.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parse.add_argument("--counter", choices=("callgrind", "step"), default="callgrind")
    parse.add_argument("--branches", action="store_true", help="also count conditional branches")
    parse.add_argument("--no-system-peers", action="store_true", help="only glibc and the ones named")
    parse.add_argument("--markdown", action="store_true")
    return parse.parse_args()


def main():
    args = arguments()
    if args.counter == "callgrind" and not shutil.which("valgrind"):
        print("instructions.py: no valgrind on this machine; --counter step needs none", file=sys.stderr)
        return 2
    among = run.allocators(args)
    program = os.path.join(args.build, "tests", "bench", "instructions")
    lines, branches = [], []
    with tempfile.TemporaryDirectory() as folder:
        loop = args.counter == "callgrind" and per_pair(program, among[0], args.pattern, 64, "loop", folder)
        for size in args.sizes:
            cells = [cell_pair(args, program, a, size, loop, folder) for a in among]
            lines.append([str(size), *(c[0] for c in cells)])
            branches.append([str(size), *(c[1] for c in cells)])
    counted = any(cell != "-" for line in lines for cell in line[1:])
    names = [a.name for a in among]
    print(tables.layout(["%s, instructions" % args.pattern, *names], lines, args.markdown))
    if args.branches:
        print("\n" + tables.layout(["%s, conditional branches" % args.pattern, *names], branches, args.markdown))
    return 0 if counted else 1


if __name__ == "__main__":
    sys.exit(main())
