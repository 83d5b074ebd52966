#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs: real programs and churn in four states, beside other tools that trace or profile allocation.

usage: overhead.py --build DIR [--rounds N] [--only REGEX] [--states NAME...] [--markdown] [--json FILE]
       overhead.py --show FILE... [--markdown]

off: the allocator alone; armed: with its tracer loaded and nothing recorded; sample, full: as hakstat record does.
Peers, where the machine has them: LTTng's malloc wrapper (default channel), heaptrack, jemalloc's profiler at its
own mean of 512 KiB. Each is compared with the same allocator untraced, in the same round; all states run in turn.
The time of a recorded program is its own, without what starts and ends the recording.
Exit status: 0 done, 1 some runs failed, 2 usage or environment.
"""
import argparse
import contextlib
import glob
import json
import math
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is written beside the sources

import measure
import rows
import run
import tables

PROGRAMS = ("redis", "sqlite", "python", "g++")
UNTRACED = {"armed": "off", "sample": "off", "full": "off", "lttng wrapper": "glibc", "heaptrack": "glibc",
            "jemalloc prof": "jemalloc"}
ABSURD = 1 << 48  # lttng stop says numbers near 2^63 now and then
DAEMONS = ("lttng-consumerd", "lttng-sessiond")
FORK_HELPER = "liblttng-ust-fork.so.1"
WRAPPER = "liblttng-ust-libc-wrapper.so.1"
LOST = re.compile(r"(\d+) (?:UST )?events? (?:were |was )?(?:discarded|lost)|[Dd]iscarded events: (\d+)")


def all_rows(build, work, pairs):
    bench = os.path.join(build, "tests", "bench")
    known = {row.name: row for row in rows.programs(bench, work)}
    churn = rows.Row("churn", "own", [os.path.join(bench, "patterns"), "--mode", "ring", "--threads", "2",
                                      "--pairs", str(pairs // 2)], own=True)
    return [*(known[name] for name in PROGRAMS), churn]


def quiet(*argv):
    """The output of a command that has to succeed."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise measure.Failure("%s: %s" % (" ".join(argv[:3]), done.stdout.strip()[-200:]))
    return done.stdout


def seconds_so_far():
    """Processor time of LTTng's daemons and of everything that this process has started and that ended."""
    children, ticks = resource.getrusage(resource.RUSAGE_CHILDREN), 0
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path, encoding="ascii", errors="replace") as f:
            name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
            if name in DAEMONS:
                ticks += sum(map(int, rest.split()[11:13]))
    return children.ru_utime + children.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name)) for at, _, names in os.walk(folder) for name in names)


@contextlib.contextmanager
def wrapper_session(folder, result):
    """A session of LTTng's malloc wrapper with the default channel."""
    quiet("lttng", "create", "overhead", "--output", folder)
    try:
        quiet("lttng", "enable-event", "-u", "lttng_ust_libc:*")
        quiet("lttng", "start")
        yield
        stopped = quiet("lttng", "stop")
        lost = [int(a or b) for a, b in LOST.findall(stopped)]
        result["lost"] = sum(lost) if all(n < ABSURD for n in lost) else "?"
    finally:
        quiet("lttng", "destroy", "overhead")


class States:
    """The ways in which a row can run; each gives a measure.Allocator for an output folder."""

    def __init__(self, build):
        self.hakstat = os.path.join(build, "tools", "hakstat", "hakstat")
        lib = os.path.join(build, "lib", "libhakmem.so")
        armed = ":".join((lib, os.path.join(build, "tracer", "libhakmem-tracer.so"), FORK_HELPER))
        libc, found = run.loaded_libc(), run.known_libraries()
        jemalloc = found.get("libjemalloc.so.2")
        self.make = {
            "off": lambda out: measure.Allocator("off", lib),
            "armed": lambda out: measure.Allocator("armed", lib, preload=armed),
            "sample": lambda out: self._recorded(lib, "sample", out),
            "full": lambda out: self._recorded(lib, "full", out),
            "glibc": lambda out: measure.Allocator("glibc", libc, True),
        }
        if WRAPPER in found:
            self.make["lttng wrapper"] = lambda out: measure.Allocator(
                "lttng wrapper", libc, True, preload=":".join((WRAPPER, FORK_HELPER, libc)))
        if shutil.which("heaptrack"):
            self.make["heaptrack"] = lambda out: measure.Allocator(
                "heaptrack", libc, True, "=", ("heaptrack", "-o", os.path.join(out, "heap")), {"LD_PRELOAD": libc})
        if jemalloc:
            self.make["jemalloc"] = lambda out: measure.Allocator("jemalloc", jemalloc)
            self.make["jemalloc prof"] = lambda out: measure.Allocator(
                "jemalloc prof", jemalloc, env={"MALLOC_CONF": "prof:true,prof_final:true,prof_prefix:%s/jeprof" % out})
        for name in ("lttng wrapper", "heaptrack", "jemalloc"):
            if name not in self.make:
                print("overhead.py: no %s on this machine; not measured" % name, file=sys.stderr)

    def _recorded(self, lib, mode, out):
        record = (self.hakstat, "record", "--mode", mode, "-o", os.path.join(out, "trace"), "--")
        return measure.Allocator(mode, lib, preload="=", prefix=record)

    def once(self, runner, row, name, out):
        """Costs of one run: wall, cpu, helpers in seconds, bytes, lost, operations where they are known."""
        allocator, result = self.make[name](out), {}
        session = wrapper_session(out, result) if name == "lttng wrapper" else contextlib.nullcontext()
        before = seconds_so_far()
        with session:
            costs, output = runner.run(row, allocator)
        cpu = costs["user"] + costs["sys"]
        result.update(wall=costs["wall"], cpu=cpu, helpers=seconds_so_far() - before - cpu)
        self._prove(runner, row, name, allocator, output)
        result["bytes"] = folder_bytes(out)
        if name in ("sample", "full"):
            trace = self._reported(os.path.join(out, "trace"), os.path.join(out, "report"))
            result.update(lost=trace["trace"]["lost_events"],
                          operations=trace["totals"]["allocs"] + trace["totals"]["frees"])
        elif name in UNTRACED and name != "armed" and not result["bytes"]:
            raise measure.Failure("nothing was written")
        return result

    def _prove(self, runner, row, name, allocator, output):
        """Untraced runs prove who served them, traced ones by what they wrote; tools that wrap malloc leave glibc's."""
        if row.own and name not in ("lttng wrapper", "heaptrack"):
            runner.own_proof(output, allocator)
        elif name not in UNTRACED:
            runner.witness(row, allocator)

    def _reported(self, trace, out):
        quiet(self.hakstat, "report", "--format", "json", "-o", out, trace)
        with open(out, encoding="utf8") as f:
            return json.load(f)


def measure_row(states, runner, row, names, rounds, work):
    """name -> list of results, one a round; None for a run that failed."""
    runs = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            with tempfile.TemporaryDirectory(dir=work) as out:
                try:
                    runs[name].append(states.once(runner, row, name, out))
                except measure.Failure as failure:
                    runs[name].append(None)
                    print("overhead.py: %s, %s: %s" % (row.name, name, failure), file=sys.stderr)
    return runs


def interval(values):
    """Of the median: 95 % at least from six values on (order statistics, no assumption on their distribution)."""
    n, values = len(values), sorted(values)
    outside, k = 1 / 2 ** n, 0  # chance that the median is below the k+1-th value
    while k + 1 < n / 2 and outside + math.comb(n, k + 1) / 2 ** n <= 0.025:
        k += 1
        outside += math.comb(n, k) / 2 ** n
    return values[k], values[n - 1 - k]


def ratio(runs, name, key):
    """Cost of `name` over that of its untraced baseline: the median of the rounds' ratios, and its interval."""
    each = [a[key] / b[key] for a, b in zip(runs.get(name, ()), runs.get(UNTRACED[name], ())) if a and b]
    return "%.3f (%.3f…%.3f)" % (statistics.median(each), *interval(each)) if each else "-"


def ratios(results, names, key):
    traced = [name for name in names if UNTRACED.get(name) in names]
    lines = [[row] + [ratio(runs, name, key) for name in traced] for row, runs in results.items()]
    return traced, lines


def an_operation(runs, name, operations):
    """Nanoseconds in the program and in helper processes, and bytes, per operation; events lost in each round."""
    done, base = [[r for r in runs[n] if r] for n in (name, UNTRACED[name])]
    if not done or not base:
        return ["-"] * 4
    cpu, helpers = (min(r[key] for r in done) - min(r[key] for r in base) for key in ("cpu", "helpers"))
    lost = [str(r["lost"]) for r in done if "lost" in r]
    return ["%.1f" % (cpu / operations * 1e9), "%.1f" % (helpers / operations * 1e9),
            "%.3g" % (statistics.median(r["bytes"] for r in done) / operations),
            (lost[0] if len(set(lost)) == 1 else " ".join(lost)) or "-"]


def operations_table(results, names):
    head = ["", "", "operations", "ns, program", "ns, helpers", "bytes", "events lost"]
    lines = []
    for row, runs in results.items():
        known = [r["operations"] for r in runs.get("full", []) + runs.get("sample", []) if r]
        for name in names:
            if known and name != "armed" and UNTRACED.get(name) in runs:
                lines.append([row, name, "%.3g M" % (known[0] / 1e6), *an_operation(runs, name, known[0])])
    return head, lines


def report(results, args):
    names = list(dict.fromkeys(name for runs in results.values() for name in runs))
    print(run.machine())
    print("rounds: %s; all states in turn" % ", ".join(
        "%s %d" % (row, max(map(len, runs.values()))) for row, runs in results.items()))
    print("ratio to the same allocator untraced in the same round: median, and its 95 % interval (below six rounds all "
          "of them)\n")
    for title, key in (("wall time", "wall"), ("processor time", "cpu")):
        traced, lines = ratios(results, names, key)
        print(tables.layout([title, *traced], lines, args.markdown), end="\n\n")
    print("per operation (an allocation or a free), processor time above untraced\n")
    print(tables.layout(*operations_table(results, names), args.markdown))


def arguments():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--build", help="make's output folder, with the benchmark programs")
    parse.add_argument("--show", nargs="+", metavar="FILE", help="print the tables of saved runs instead")
    parse.add_argument("--rounds", type=int, default=3)
    parse.add_argument("--only", default="", help="regular expression on row names")
    parse.add_argument("--states", nargs="+", metavar="NAME", help="only these, with what they are compared with")
    parse.add_argument("--pairs", type=int, default=12_000_000, help="of churn, by two threads (12 million)")
    parse.add_argument("--limit", type=int, default=120, help="seconds after which a run counts as failed")
    parse.add_argument("--markdown", action="store_true")
    parse.add_argument("--json", metavar="FILE", help="save every run")
    args = parse.parse_args()
    if not args.build and not args.show:
        parse.error("--build is missing")
    return args


def chosen_states(args, states):
    unknown = [name for name in args.states or () if name not in states.make]
    if unknown:
        rows.stop("no state %s; there are: %s" % (unknown[0], ", ".join(states.make)))
    wanted = set(args.states or states.make)
    if not wanted & {"sample", "full"}:
        wanted.add("full")  # which counts the operations
    wanted |= {UNTRACED[name] for name in wanted if name in UNTRACED}
    return [name for name in states.make if name in wanted]


def measured(args):
    """Row -> name -> list of results."""
    build = os.path.abspath(args.build)
    states, results = States(build), {}
    names = chosen_states(args, states)
    subprocess.run(["lttng-sessiond", "--daemonize", "--no-kernel"], stderr=subprocess.DEVNULL, check=False)
    with tempfile.TemporaryDirectory() as work:
        runner = measure.Runner(os.path.join(build, "tests", "bench"), work, args.limit)
        for row in all_rows(build, work, args.pairs):
            if not re.search(args.only, row.name):
                continue
            if row.missing():
                print("overhead.py: %s left out: no %s" % (row.name, row.missing()), file=sys.stderr)
                continue
            results[row.name] = measure_row(states, runner, row, names, args.rounds, work)
    return results


def saved(paths):
    results = {}
    for path in paths:
        with open(path, encoding="ascii") as f:
            results.update(json.load(f))
    return results


def main():
    args = arguments()
    results = saved(args.show) if args.show else measured(args)
    if not results:
        rows.stop("no row left to run")
    if args.json:
        with open(args.json, "w", encoding="ascii") as out:
            json.dump(results, out, indent=1)
    report(results, args)
    return 1 if any(r is None for runs in results.values() for done in runs.values() for r in done) else 0


if __name__ == "__main__":
    sys.exit(main())
