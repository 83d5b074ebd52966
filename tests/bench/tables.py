# SPDX-License-Identifier: MIT
"""Tables of the benchmark runs, as text or Markdown.

Cells are medians (with --stat min the best run, with --stat rounds medians of what is left when each run
is divided by how slow its round was) and, behind them, the spread of the runs: half of
largest minus smallest, in percent of the median. Ratios and geometric means are against the best peer of
each row; the allocator under test is never its own peer.
"""
import math
import statistics


def geomean(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


class Results:
    """runs[row name][allocator name] = list of results; a failed run is {"failed": why}."""

    def __init__(self, rows, names, subject, stat):
        self.rows, self.names, self.subject, self.stat = rows, names, subject, stat
        self.runs = {row.name: {name: [] for name in names} for row in rows}

    def values(self, row, name, key):
        runs = self.runs[row.name][name]
        return [] if not runs or any("failed" in r for r in runs) else [r[key] for r in runs]

    def value(self, row, name, key):
        values = self.values(row, name, key)
        if not values:
            return None
        if key == "cost" and self.stat == "min":
            return min(values)
        if key == "cost" and self.stat == "rounds":
            values = [v / level for v, level in zip(values, self.levels(row))]
        return statistics.median(values)

    def levels(self, row):
        """How slow each round of the row was: the median over the allocators of run over typical run. On a
        shared machine that moves by more than the allocators differ (a step of Tukey's median polish)."""
        known = [v for v in (self.values(row, name, "cost") for name in self.names) if v]
        typical = [statistics.median(v) for v in known]
        return [statistics.median(run / t for run, t in zip(rounds, typical)) for rounds in zip(*known)]

    def best(self, row, key):
        """The peer with the smallest value of this row, and the value."""
        known = [(self.value(row, n, key), n) for n in self.names if n != self.subject or len(self.names) == 1]
        known = [k for k in known if k[0] is not None]
        return min(known) if known else (None, "-")

    def spread(self, row, name, key):
        values = self.values(row, name, key)
        return 50 * (max(values) - min(values)) / statistics.median(values) if len(values) > 1 else None

    def ratios(self, rows, name, key):
        pairs = [(self.value(row, name, key), self.best(row, key)[0]) for row in rows]
        return [mine / best for mine, best in pairs if mine is not None and best]

    def done(self, group):
        return [row for row in self.rows if row.group == group and any(self.runs[row.name].values())]


def shown(value, spread):
    if value is None:
        return "FAIL"
    text = "%.3f" % value if value < 10 else "%.1f" % value
    return text if spread is None else "%s ±%.0f" % (text, spread)


def layout(head, lines, markdown):
    if markdown:
        cells = [head, ["---"] + ["--:"] * (len(head) - 1)] + lines
        return "\n".join("| " + " | ".join(cell) + " |" for cell in cells)
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    return "\n".join("  ".join(cell.rjust(w) if i else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths)))
                     for line in [head, *lines])


def table(results, rows, title, key, convert, markdown):
    """`convert(row, value)` turns a stored value into the shown one."""
    subject = results.subject
    head = [title, *results.names, "best peer"] + (["%s/best" % subject] if subject else [])
    lines = []
    for row in rows:
        best, who = results.best(row, key)
        line = [row.name]
        for name in results.names:
            value = results.value(row, name, key)
            line.append(shown(None if value is None else convert(row, value), results.spread(row, name, key)))
        line.append(who)
        if subject:
            mine = results.value(row, subject, key)
            line.append("%.2f" % (mine / best) if mine is not None and best else "-")
        lines.append(line)
    means = [geomean(results.ratios(rows, name, key)) for name in results.names]
    last = ["geometric mean, best peer = 1", *("%.3f" % m if m else "-" for m in means), ""]
    if subject:
        last.append(last[1 + results.names.index(subject)])
    return layout(head, lines + [last], markdown)


def overview(results, groups, markdown):
    """The geometric means of every group on one page."""
    lines = []
    for title, key, rows in groups:
        means = [geomean(results.ratios(rows, name, key)) for name in results.names]
        lines.append(["%s, %d rows" % (title, len(rows)), *("%.2f" % m if m else "-" for m in means)])
    return layout(["geometric mean, best peer of each row = 1", *results.names], lines, markdown)


def proofs(results, allocators, markdown):
    """Who served how many runs, as the runs themselves or the dynamic linker stated."""
    lines = []
    for allocator in allocators:
        runs = [r for row in results.rows for r in results.runs[row.name][allocator.name]]
        good = [r for r in runs if "failed" not in r]
        served = sorted({r["served_by"] for r in good})
        lines.append([allocator.name, " ".join(served) or "-", str(len(good)), str(len(runs) - len(good))])
    return layout(["allocator", "malloc, as proven", "runs", "failed"], lines, markdown)
