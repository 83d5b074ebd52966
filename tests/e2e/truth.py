# SPDX-License-Identifier: MIT
"""Holds two reports of truth.c against its list: run minus idle must be the list, exactly.

usage: truth.py LIST RUN.json IDLE.json TABLE TINY_MAX_CLASS
TABLE is fine, classic or a comma-separated list of block sizes. Prints nothing when all is
equal, else one line for each difference; exit status 1 then.

The tables are derived here from the documented rules, not read from the library's headers.
"""
import json
import sys
from collections import Counter, defaultdict

PAGE = 4096
FILLER = 3  # the size that truth.c fills batches with; how many are live at the peak is chance
COLUMNS = ("allocs", "frees", "live", "requested_bytes", "usable_bytes", "waste_bytes",
           "live_requested_bytes", "live_usable_bytes", "live_waste_bytes")
ROUTE_COLUMNS = ("allocs", "requested_bytes", "waste_bytes")
SIZE_COLUMNS = ("allocs", "requested_bytes", "usable_bytes", "waste_bytes", "live", "live_requested_bytes",
                "live_usable_bytes", "live_waste_bytes", "peak_live", "peak_live_requested_bytes",
                "peak_live_usable_bytes", "peak_live_waste_bytes")


class Table:
    def __init__(self, name, tiny_max_class):
        tiny_edge = 8 << tiny_max_class
        self.less = 0
        if name == "classic":
            self.less = 1
            tiny = [8 << k for k in range(8)]
            self.rows = [(b - 1, b, "tiny") for b in tiny if b <= tiny_edge]
            self.rows += [(b, b, "mid") for b in (8192, 16384, 32768)]
        else:
            blocks = [8, 16, 32, 48, 64] + [64 * 2**d // 4 * s for d in range(12) for s in (5, 6, 7, 8)]
            if name != "fine":
                blocks = [int(b) for b in name.split(",")]
            self.rows = [(b, b, "tiny" if b <= tiny_edge else "smallmid" if b <= 8192 else "mid")
                         for b in blocks]
        self.tiny = (tiny_edge - self.less, 1024 - self.less)

    def serve(self, size, alignment=1):
        """(usable, route, reason) of a request."""
        def fit(a):
            if a <= PAGE:
                for largest, block, route in self.rows:
                    if size <= largest and block % a == 0:
                        return block, route
            return -(-max(size, 1) // PAGE) * PAGE, "large"
        plain = fit(1)
        usable, route = fit(alignment)
        if (usable if route != "large" else None) != (plain[0] if plain[1] != "large" else None):
            reason = "alignment"
        elif self.tiny[0] < size <= self.tiny[1]:
            reason = "boundary"
        else:
            reason = "above_mid" if route == "large" else "size_fit"
        return usable, route, reason


def key(usable, route):
    return "large" if route == "large" else usable


def sizes_of_row(size):
    """First and last size of a row of `sizes`: one up to 4096, above it 64 rows for each doubling."""
    if size <= 4096:
        return size, size
    width = 1 << ((size - 1).bit_length() - 1 - 6)
    first = (size - 1) // width * width + 1
    return first, first + width - 1


def bytes_of(prefix, times, size, usable):
    return {prefix + "requested_bytes": times * size, prefix + "usable_bytes": times * usable,
            prefix + "waste_bytes": times * (usable - size)}


def expect(requests, table):
    classes, routes, sizes = defaultdict(Counter), defaultdict(Counter), defaultdict(Counter)

    def block(size, alignment, times, stay, live_size=None, peak=True):
        usable, route, reason = table.serve(size, alignment)
        live_size = size if live_size is None else live_size
        sizes[key(usable, route), sizes_of_row(size)].update(
            {"allocs": times} | bytes_of("", times, size, usable))
        sizes[key(usable, route), sizes_of_row(live_size)].update(
            {"live": stay, "peak_live": times * peak} | bytes_of("live_", stay, live_size, usable)
            | bytes_of("peak_live_", times * peak, live_size, usable))
        classes[key(usable, route)].update(
            allocs=times, frees=times - stay, live=stay, requested_bytes=times * size,
            usable_bytes=times * usable, waste_bytes=times * (usable - size),
            live_requested_bytes=stay * live_size, live_usable_bytes=stay * usable,
            live_waste_bytes=stay * (usable - live_size))
        routes[route, reason].update(allocs=times, requested_bytes=times * size,
                                     waste_bytes=times * (usable - size))

    for r in requests:
        times, stay, size = r["times"], r["stay"], r["size"]
        if r["kind"] != "realloc":
            block(size, max(r["alignment"], 1), times, stay)
        elif table.serve(size)[:2] == table.serve(r["resized"])[:2]:
            block(size, 1, times, stay, r["resized"])  # in place: no new allocation
        else:
            block(size, 1, times, 0, peak=False)
            block(r["resized"], 1, times, stay)
    return classes, routes, sizes


def known(row, columns):
    """The row's numbers; of live blocks those that the recording knows: what was there before
    it began, and what the tracer itself holds, is counted by the allocator, but not requested."""
    numbers = {c: row.get(c) or 0 for c in columns}
    if "live_unknown" in row:
        numbers["live"] -= row["live_unknown"]
        numbers["live_usable_bytes"] -= row["live_unknown"] * (row.get("usable") or 0)
    return numbers


def table_of(report, name, row_key, columns):
    rows = defaultdict(Counter)
    for row in report[name]:
        rows[row_key(row)].update(known(row, columns))
    return rows


def compare(what, want, run, idle, columns, name=str):
    wrong = 0
    for k in sorted(set(want) | set(run) | set(idle), key=str):
        for c in columns:
            got = run[k][c] - idle[k][c]
            if got != want[k][c]:
                print(f"{what} {name(k)}: {c} is {run[k][c]} - {idle[k][c]} = {got}, must be {want[k][c]}")
                wrong += 1
    return wrong


def size_key(row):
    first, last = sizes_of_row(row["requested_min"])
    if not first <= row["requested_max"] <= last:
        print(f"sizes: a row from {row['requested_min']} to {row['requested_max']}")
    return key(row["usable"], row["route"]), (first, last)


def compare_sizes(want, run, idle):
    """The peak of a size is when the program holds most, which truth.c makes a known moment."""
    by_size = [table_of(r, "sizes", size_key, SIZE_COLUMNS) for r in (run, idle)]
    for rows in by_size:
        for k in [k for k in rows if k[1] == (FILLER, FILLER)]:
            del rows[k]
    wrong = compare("size", want, *by_size, SIZE_COLUMNS)
    rows = [size_key(row) for row in run["sizes"]]
    if len(rows) != len(set(rows)):
        print("sizes: two rows for one")
        wrong += 1
    return wrong


def main():
    requests = [json.loads(line) for line in open(sys.argv[1])]
    run, idle = (json.load(open(path)) for path in sys.argv[2:4])
    classes, routes, sizes = expect(requests, Table(sys.argv[4], int(sys.argv[5])))
    wrong = 0
    for name, report in (("run", run), ("idle", idle)):
        for k, v in (("mode", "full"), ("estimated", False), ("lost_events", 0)):
            if report["trace"][k] != v:
                print(f"{name}: {k} is {report['trace'][k]}, must be {v}")
                wrong += 1
    by_class = [table_of(r, "classes", lambda row: key(row["usable"], row["route"]), COLUMNS) for r in (run, idle)]
    by_route = [table_of(r, "routes", lambda row: (row["route"], row["reason"]), ROUTE_COLUMNS) for r in (run, idle)]
    sums = [c for c in COLUMNS if c != "live_usable_bytes"]
    total = [{"all": Counter(known(r["totals"] | {"usable": 0}, COLUMNS))} for r in (run, idle)]
    everything = Counter()
    for c in classes.values():
        everything.update(c)
    wrong += compare("class", classes, *by_class, COLUMNS)
    wrong += compare("route", routes, *by_route, ROUTE_COLUMNS)
    wrong += compare("total", {"all": everything}, *total, sums)
    wrong += compare_sizes(sizes, run, idle)
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
