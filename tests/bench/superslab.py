#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""HAKMEM_SUPERSLAB_SIZE against workloads: the table behind its default, in docs/performance.md.

usage: superslab.py --build DIR [--values SIZE...] [--rounds N] [--only REGEX]

Every round runs all sizes in turn. Time is the processor time of the fastest round, which the rest of the machine
disturbs least; peak RSS and page faults are medians. AnonHugePages is the highest value
of /proc/PID/smaps_rollup over all processes of one more, untimed run. Exit status: 0 done, 1 a run failed.
"""
import argparse
import dataclasses
import os
import re
import statistics
import sys
import tempfile
import threading

sys.dont_write_bytecode = True  # nothing is written beside the sources

import measure
import rows
import tables

VALUES = ("512K", "1M", "2M", "4M", "8M", "16M", "32M")
WORKLOADS = r"^(fixed_size 128|random_mixed|churn|fifo batch|ring big|python|sqlite|g\+\+|redis)$"


def parents():
    """pid -> parent's pid, of all processes."""
    found = {}
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as f:
                found[int(name)] = int(f.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            pass
    return found


def huge_kib(root):
    """AnonHugePages of all descendants of a process."""
    known, total = parents(), 0
    for pid in known:
        at = pid
        while at in known and at != root:
            at = known[at]
        if at != root or pid == root:
            continue
        try:
            with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
                total += int(re.search(r"^AnonHugePages:\s+(\d+)", f.read(), re.MULTILINE).group(1))
        except (OSError, AttributeError):
            pass
    return total


class Watch(threading.Thread):
    """The highest sum seen while it runs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.highest, self.over = 0, threading.Event()

    def run(self):
        while not self.over.wait(0.01):
            self.highest = max(self.highest, huge_kib(os.getpid()))

    def stop(self):
        self.over.set()
        self.join()
        return self.highest


def run_all(args, runner, row, allocator):
    """value -> list of results, and value -> highest AnonHugePages."""
    results, huge = {v: [] for v in args.values}, {}
    for _ in range(args.rounds):
        for value in args.values:
            os.environ["HAKMEM_SUPERSLAB_SIZE"] = value
            results[value].append(runner.once(row, allocator))
    for value in args.values:
        os.environ["HAKMEM_SUPERSLAB_SIZE"] = value
        watch = Watch()
        watch.start()
        try:
            runner.once(row, allocator)
        finally:
            huge[value] = watch.stop()
    return results, huge


def lines(args, row, results, huge):
    times = {v: min(r["cost"] if row.own else r["user"] + r["sys"] for r in results[v]) for v in args.values}
    rss = {v: statistics.median(r["rss_kib"] for r in results[v]) / 1024 for v in args.values}
    faults = {v: statistics.median(r["minflt"] for r in results[v]) for v in args.values}
    base = times[args.base]
    return [[row.name, "time, %s = 1" % args.base, *("%.3f" % (times[v] / base) for v in args.values)],
            ["", "peak RSS MiB", *("%.1f" % rss[v] for v in args.values)],
            ["", "page faults", *("%d" % faults[v] for v in args.values)],
            ["", "AnonHugePages MiB", *("%.0f" % (huge[v] / 1024) for v in args.values)]], times


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--build", required=True, help="make's output folder, with the benchmark programs")
    parse.add_argument("--values", nargs="+", default=list(VALUES))
    parse.add_argument("--base", default="2M", help="the value that times are given against")
    parse.add_argument("--rounds", type=int, default=5)
    parse.add_argument("--ms", type=int, default=200, help="milliseconds of one run of our own rows")
    parse.add_argument("--only", default=WORKLOADS, help="regular expression on row names")
    args = parse.parse_args()
    allocator = measure.Allocator("hakmem", os.path.abspath(os.path.join(args.build, "lib", "libhakmem.so")))
    bench = os.path.abspath(os.path.join(args.build, "tests", "bench"))
    table, ratios = [], {v: [] for v in args.values}
    with tempfile.TemporaryDirectory() as work:
        runner = measure.Runner(bench, work, 120)
        for row in (*rows.own(bench, args.ms), *rows.programs(bench, work)):
            if not re.search(args.only, row.name):
                continue
            if row.own:
                row = dataclasses.replace(row, rate=r"cpu_mops=([\d.]+)")
            try:
                more, times = lines(args, row, *run_all(args, runner, row, allocator))
            except measure.Failure as failure:
                print("superslab.py: %s: %s" % (row.name, failure), file=sys.stderr)
                return 1
            table += more
            for value in args.values:
                ratios[value].append(times[value] / times[args.base])
    with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as f:
        print("transparent huge pages: %s" % f.read().strip())
    table.append(["geometric mean", "time", *("%.3f" % tables.geomean(ratios[v]) for v in args.values)])
    print(tables.layout(["workload", "", *args.values], table, True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
