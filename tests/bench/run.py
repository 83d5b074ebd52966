#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare allocators: our own programs and real ones, every allocator in turn, by LD_PRELOAD.

usage: run.py --build DIR [options] [NAME=PATH.so[,VARIABLE=VALUE...] ...]

Peers are glibc and what the machine has of jemalloc, mimalloc and tcmalloc; NAME=PATH adds others,
with what stands in their environment after commas: secure=build/lib/libhakmem.so,HAKMEM_SECURE=1.
Exit status: 0 all runs done and proven, 1 some failed, 2 usage or environment.
"""
import argparse
import fcntl
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is written beside the sources

import measure
import rows
import tables

SUBJECT = "hakmem"
PEERS = (("jemalloc", "libjemalloc.so.2"), ("mimalloc", "libmimalloc.so.2"), ("tcmalloc", "libtcmalloc_minimal.so.4"))
GROUPS = ("mimalloc-bench", "programs", "own", "cells")
STATS = {"median": "median", "min": "fastest", "rounds": "median, less how slow each round was,"}


def loaded_libc():
    """The path of the C library, as this very process has it."""
    with open("/proc/self/maps", encoding="utf8") as maps:
        for line in maps:
            if re.search(r"/libc\.so\.6$|/libc-[\d.]+\.so$", line.strip()):
                return line.split()[-1]
    rows.stop("no libc.so.6 in this process; cannot measure the system's allocator")


def known_libraries():
    """soname -> path, from the dynamic linker's cache."""
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/sbin:/usr/sbin", LC_ALL="C")
    listed = subprocess.run(["ldconfig", "-p"], env=env, stdout=subprocess.PIPE, text=True, check=False).stdout
    return dict(reversed(re.findall(r"^\s*(\S+) \(.*\) => (\S+)$", listed, re.MULTILINE)))


def named_allocator(text):
    """NAME=PATH.so[,VARIABLE=VALUE...]"""
    name, _, rest = text.partition("=")
    path, *settings = rest.split(",")
    if not os.path.exists(path):
        rows.stop("%s: want NAME=PATH of an existing shared object" % text)
    if not all("=" in setting for setting in settings):
        rows.stop("%s: want VARIABLE=VALUE after each comma" % text)
    return measure.Allocator(name, os.path.abspath(path), env=dict(setting.split("=", 1) for setting in settings))


def allocators(args):
    found = [measure.Allocator("glibc", loaded_libc(), True)]
    libraries = known_libraries()
    for name, soname in PEERS:
        path = next((p for lib, p in sorted(libraries.items()) if lib.startswith(soname)), None)
        if path and not args.no_system_peers:
            found.append(measure.Allocator(name, path))
        elif not path:
            print("run.py: no %s on this machine; not measured" % soname, file=sys.stderr)
    for text in args.allocators:
        given = named_allocator(text)
        found = [f for f in found if f.name != given.name] + [given]
    return found


def plan(args, work):
    build = os.path.join(args.build, "tests", "bench")
    chosen = [*(rows.mimalloc_bench(args.mimalloc_bench) if args.mimalloc_bench else ()), *rows.programs(build, work),
              *rows.own(build, args.ms), *rows.cells(build, args.cell_ms)]
    chosen = [r for r in chosen if r.group in args.groups and re.search(args.only, r.name)]
    able = []
    for row in chosen:
        if row.missing():
            print("run.py: %s left out: no %s" % (row.name, row.missing()), file=sys.stderr)
        else:
            able.append(row)
    if not able:
        rows.stop("no row left to run")
    return able


def run_row(runner, row, among, results, rounds):
    """All rounds of one row. Each round starts with another allocator, so that none always follows the same one."""
    for turn in range(rounds):
        for allocator in among[turn % len(among):] + among[:turn % len(among)]:
            done = results.runs[row.name][allocator.name]
            if done and "failed" in done[-1]:
                continue
            try:
                done.append(runner.once(row, allocator))
            except measure.Failure as failure:
                done.append({"failed": str(failure)})
                print("run.py: %s with %s: %s" % (row.name, allocator.name, failure), file=sys.stderr)


def check_outputs(row, results):
    """A program whose output depends on its allocator was not the same program."""
    digests = {r["digest"] for runs in results.runs[row.name].values() for r in runs if "digest" in r}
    if len(digests) > 1:
        for runs in results.runs[row.name].values():
            runs.append({"failed": "output differs"})
        print("run.py: %s: its output differs between allocators" % row.name, file=sys.stderr)


def machine():
    with open("/proc/cpuinfo", encoding="utf8") as f:
        cpu = re.search(r"model name\s*: (.*)", f.read())
    return "%s, %d processors, Linux %s, glibc %s" % (cpu.group(1) if cpu else platform.machine(), os.cpu_count(),
                                                      platform.release(), platform.libc_ver()[1])


def heading(args, among):
    print(machine())
    print("%d rounds, every allocator in turn; %s of the runs by %s time, ± half of their range in percent" % (
        args.runs, STATS[args.stat], "processor" if args.cpu else "elapsed"))
    for allocator in among:
        print(" ".join(["%s: %s" % (allocator.name, allocator.real)] +
                       ["%s=%s" % setting for setting in allocator.env.items()]))
    options = ["%s=%s" % item for item in sorted(os.environ.items()) if item[0].startswith("HAKMEM_")]
    print("options: %s\n" % (" ".join(options) or "defaults"))


def report(args, among, results):
    heading(args, among)
    per_group = []
    for group in GROUPS:
        done = results.done(group)
        if not done:
            continue
        as_rate = group in ("own", "cells")
        print(tables.table(results, done, "%s, %s" % (group, "M pairs/s" if as_rate else "seconds"), "cost",
                           lambda row, value: row.work / value if row.own else value, args.markdown), end="\n\n")
        per_group.append(("time, " + group, "cost", done))
        if group != "cells":
            print(tables.table(results, done, "%s, peak RSS MiB" % group, "rss_kib",
                               lambda row, value: value / 1024, args.markdown), end="\n\n")
    everything = [row for group in GROUPS[:3] for row in results.done(group)]
    if everything:
        per_group.append(("peak RSS", "rss_kib", everything))
    print(tables.overview(results, per_group, args.markdown), end="\n\n")
    print(tables.proofs(results, among, args.markdown))


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("allocators", nargs="*", metavar="NAME=PATH.so")
    parse.add_argument("--build", required=True, help="make's output folder, with the benchmark programs")
    parse.add_argument("--runs", type=int, default=3)
    parse.add_argument("--ms", type=int, default=400, help="milliseconds of one run of our own rows")
    parse.add_argument("--cell-ms", type=int, default=120, help="milliseconds of one run of a cell")
    parse.add_argument("--only", default="", help="regular expression on row names")
    parse.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    parse.add_argument("--mimalloc-bench", metavar="PATH", help="a built checkout of mimalloc-bench")
    parse.add_argument("--no-system-peers", action="store_true", help="only glibc and the ones named")
    parse.add_argument("--stat", choices=tuple(STATS), default="median")
    parse.add_argument("--cpu", action="store_true", help="processor time instead of elapsed time, for a busy machine")
    parse.add_argument("--limit", type=int, default=120, help="seconds after which a run counts as failed")
    parse.add_argument("--markdown", action="store_true")
    parse.add_argument("--json", metavar="FILE", help="save every run")
    parse.add_argument("--lock", metavar="FILE", help="hold an exclusive lock on FILE during each row")
    args = parse.parse_args()
    args.build = os.path.abspath(args.build)  # programs run in a folder of their own
    return args


def main():
    args = arguments()
    among = allocators(args)
    names = [a.name for a in among]
    with tempfile.TemporaryDirectory() as work:
        todo = plan(args, work)
        results = tables.Results(todo, names, SUBJECT if SUBJECT in names else None, args.stat)
        runner = measure.Runner(os.path.join(args.build, "tests", "bench"), work, args.limit, args.cpu)
        for n, row in enumerate(todo, 1):
            with open(args.lock or os.devnull, "a", encoding="ascii") as lock:
                if args.lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                run_row(runner, row, among, results, args.runs)
            check_outputs(row, results)
            if sys.stderr.isatty():
                print("\r%d of %d rows: %-40s" % (n, len(todo), row.name), end="", file=sys.stderr, flush=True)
    if args.json:
        with open(args.json, "w", encoding="ascii") as out:
            json.dump({"names": names, "groups": {r.name: r.group for r in todo}, "runs": results.runs}, out, indent=1)
    report(args, among, results)
    failed = any("failed" in r for row in results.runs.values() for runs in row.values() for r in runs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
