# SPDX-License-Identifier: MIT
"""Holds reports of truth_sites.cc against its list.

usage: truth_sites.py exact LIST RUN.json IDLE.json TABLE TINY_MAX_CLASS [TIMES]
       truth_sites.py sum ALL.json PART.json...

exact: the call sites of RUN less those of IDLE are the list's, TIMES times: whole stacks, and all
numbers. sum: the numbers of ALL are the sums of the parts', row by row.
Prints nothing when all is equal, else one line for each difference; exit status 1 then."""
import json
import os
import sys
from collections import Counter, defaultdict

from truth import Table, compare

STACK_DEPTH = 32  # HAKMEM_STACK_DEPTH's default: calls that a trace keeps of a stack
COLUMNS = ("allocs", "requested_bytes", "usable_bytes", "waste_bytes", "live", "live_requested_bytes",
           "live_usable_bytes", "live_waste_bytes", "samples")
SOURCES = ("truth_sites.cc", "truth_part.cc")


def kept(stack):
    """The innermost calls; an inlined one takes no room."""
    count = 0
    for i, frame in enumerate(stack):
        count += not frame[3]
        if count > STACK_DEPTH:
            return tuple(map(tuple, stack[:i]))
    return tuple(map(tuple, stack))


def expect(path, table, times):
    sites = defaultdict(Counter)
    for line in open(path):
        r = json.loads(line)
        usable = table.serve(r["size"], r["alignment"])[0]
        waste = usable - r["size"]
        sites[kept(r["stack"])].update(
            allocs=times, samples=times, requested_bytes=times * r["size"], usable_bytes=times * usable,
            waste_bytes=times * waste, live=times * r["stay"], live_requested_bytes=times * r["stay"] * r["size"],
            live_usable_bytes=times * r["stay"] * usable, live_waste_bytes=times * r["stay"] * waste)
    return sites


def base(path):
    return os.path.basename(path or "?")


def frame_of(f):
    return f["function"], base(f["module"]), f["line"], f["inlined"]


def own_calls(site):
    """The stack without what lies outside the program's code: libc, which starts main and threads."""
    stack = site["stack"]
    while stack and base(stack[-1]["module"]).startswith(("libc.so", "libpthread.so")) or \
            stack and stack[-1]["function"] == "_start":
        stack = stack[:-1]
    return stack


def sites_of(report):
    """Of the program's calls, and the wrong ones among the others."""
    sites = defaultdict(Counter)
    for site in report["sites"]:
        stack = own_calls(site)
        sites[tuple(map(frame_of, stack))].update({c: site[c] or 0 for c in COLUMNS})
        for f in stack:
            if base(f["file"]) in SOURCES and not f["build_id"]:
                print(f"no build id: {f}")
    return sites


def text(stack):
    return " < ".join(f"{f[0]}:{f[2]}{' inlined' if f[3] else ''} ({f[1]})" for f in stack)


def exact(path, run, idle, table, tiny_max_class, times=1):
    want = expect(path, Table(table, int(tiny_max_class)), int(times))
    run, idle = (sites_of(json.load(open(p))) for p in (run, idle))
    return compare("site", want, run, idle, COLUMNS, text)


NAMES = ("class_id", "name", "usable", "route", "reason", "stack", "host", "process", "pid", "tid", "time_ns", "span_ns")
NO_SUMS = NAMES + ("requested_min", "requested_max", "min_requested", "max_requested", "waste_percent", "occupancy_percent")
TABLES = ("classes", "routes", "sites", "threads", "processes")


def rows_of(reports, table, names):
    sums = defaultdict(Counter)
    for report in reports:
        for row in report[table]:
            numbers = {k: v or 0 for k, v in row.items() if k not in NO_SUMS and "ci95" not in k}
            sums[json.dumps([row.get(k) for k in names if k in row])].update(numbers)
    return sums


def add_up(whole, *parts):
    whole, parts = json.load(open(whole)), [json.load(open(p)) for p in parts]
    wrong = 0
    for table in TABLES + ("totals", ):
        names = NAMES
        if table == "totals":
            for report in [whole] + parts:
                report["totals"] = [report["totals"]]
        got, want = rows_of([whole], table, names), rows_of(parts, table, names)
        for key in set(got) | set(want):
            for column in set(got[key]) | set(want[key]):
                if got[key][column] != want[key][column]:
                    print(f"{table} {key}: {column} is {got[key][column]}, must be {want[key][column]}")
                    wrong += 1
    return wrong


if __name__ == "__main__":
    sys.exit({"exact": exact, "sum": add_up}[sys.argv[1]](*sys.argv[2:]) != 0)
