#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tables of docs/boundary-case.md: the Tiny boundary at C7 and at C5, from `hakstat ab`.

usage: boundary.py --build DIR [--tables T...] [--sizes N...] [--runs N] [--pairs N]

One `hakstat ab` for each table and size, over fixed_size, which fails unless libhakmem.so serves it. Speed is pairs
for each microsecond of processor time; its interval and whether it is more than noise are ab's. Waste is exact, from a
recording of every operation. Exit status: 0 done, 1 an ab failed.
"""
import argparse
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True  # nothing is written beside the sources

import tables

SIZES = (128, 256, 257, 512, 1023, 1024, 1025, 2048)
RATE = r"cpu_mops=([0-9.]+)"


def ab(args, table, size):
    setting = "HAKMEM_SIZE_CLASSES=%s HAKMEM_TINY_MAX_CLASS=%d"
    command = [os.path.join(args.build, "tools", "hakstat", "hakstat"), "ab", "-a", setting % (table, 7),
               "-b", setting % (table, 5), "-n", str(args.runs), "--mode", "full", "--recordings", "1",
               "--rate", RATE, "--format", "json", "--", os.path.join(args.build, "tests", "bench", "fixed_size"),
               "--size", str(size), "--slots", str(args.slots), "--pairs", str(args.pairs),
               "--served-by", "libhakmem"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print("boundary.py: %d under %s: hakstat ab ended with %d" % (size, table, done.returncode), file=sys.stderr)
        sys.exit(1)
    return json.loads(done.stdout)


def change(rate):
    """With its interval, which one pair of runs does not give."""
    values = [rate[k] for k in ("ratio", "ratio_low", "ratio_high")]
    if None in values:
        return "?"
    return "%+.1f (%+.1f…%+.1f)" % tuple(100 * (v - 1) for v in values)


def line(size, result):
    figure = {f["key"]: f for f in result["figures"]}
    totals = result["diff"]["totals"]

    def both(key, scale, form):
        return " → ".join(form % (figure[key][side]["median"] / scale) for side in "ab")
    rate = figure["rate"]
    return [str(size), both("rate", 1, "%.1f"),
            change(rate),
            "%+.1f" % (100 * (rate["b"]["max"] / rate["a"]["max"] - 1)), rate["verdict"], " → ".join("%.2f" % totals[s]["waste_percent"] for s in ("base", "new")),
            both("peak_rss_bytes", 1 << 20, "%.1f"), both("page_faults", 1, "%.0f")]


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("--build", required=True, help="make's output folder, with everything built")
    parse.add_argument("--tables", nargs="+", choices=("classic", "fine"), default=["classic", "fine"])
    parse.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parse.add_argument("--slots", type=int, default=65536, help="of which half are live")
    parse.add_argument("--pairs", type=int, default=1000000)
    parse.add_argument("--runs", type=int, default=10)
    args = parse.parse_args()
    for table in args.tables:
        head = ["%s, C7 → C5" % table, "pairs/µs", "speed %", "fastest runs %", "is", "waste %", "peak RSS MiB", "page faults"]
        print(tables.layout(head, [line(size, ab(args, table, size)) for size in args.sizes], True), end="\n\n",
              flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
