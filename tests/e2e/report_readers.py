# SPDX-License-Identifier: MIT
"""Reads what hakstat wrote with other people's parsers and compares it with the JSON of the same report.

usage: report_readers.py openmetrics|csv|folded REPORT.json FILE
Prints what differs, and nothing when nothing does. Names are compared as the JSON has them.
"""
import csv, json, sys

kind, report, path = sys.argv[1:]
report = json.load(open(report))


def differ(what, got, want):
    if got != want:
        print(f"{what}: {got!r}, but the JSON has {want!r}")


def check_openmetrics():
    from prometheus_client import openmetrics, parser
    import prometheus_client.openmetrics.parser

    text = open(path, encoding="utf-8", newline="").read()
    strict = {f.name: f for f in openmetrics.parser.text_string_to_metric_families(text)}
    plain = {f.name: f for f in parser.text_string_to_metric_families(text)}
    differ("metrics of both formats", sorted(strict), sorted(plain))
    for name, family in strict.items():
        differ(f"type of {name}", (family.type, plain[name].type), ("gauge", "gauge"))
        differ(f"samples of {name}", [s[:3] for s in family.samples], [s[:3] for s in plain[name].samples])
        differ(f"help of {name}", bool(family.documentation), True)
    classes = {(c["name"], c["route"], str(c["usable"] or 0), str(c["class_id"])): c for c in report["classes"]}
    keys = {"allocations": "allocs", "frees": "frees", "requested_bytes": "requested_bytes", "usable_bytes": "usable_bytes",
            "waste_bytes": "waste_bytes", "live_blocks": "live", "live_waste_bytes": "live_waste_bytes",
            "slab_bytes": "slab_bytes", "idle_slab_bytes": "external_waste_bytes"}
    for name, key in keys.items():
        got = {tuple(s.labels[k] for k in ("class", "route", "block", "id")): s.value for s in strict["hakmem_" + name].samples}
        differ(name, got, {c: row[key] for c, row in classes.items() if row[key] is not None})
    ratios = {s.labels["class"]: s.value for s in strict["hakmem_waste_ratio"].samples}
    for row in report["classes"]:
        if row["waste_percent"] is not None:
            differ("waste ratio", abs(ratios[row["name"]] - row["waste_percent"] / 100) < 1e-5, True)
    for name in ("mapped", "committed", "held", "peak_live"):
        want = report["totals"][name + "_bytes"]
        if want is not None:
            differ(name, strict[f"hakmem_{name}_bytes"].samples[0].value, want)
    differ("lost events", strict["hakmem_lost_events"].samples[0].value, report["trace"]["lost_events"])


def check_csv():
    rows = list(csv.DictReader(open(path, encoding="utf-8", newline=""), strict=True))
    (table,) = [t for name, t in report.items() if isinstance(t, list) and name != "findings"]
    differ("number of rows", len(rows), len(table))
    for got, want in zip(rows, table):
        for key, value in want.items():
            if key == "stack":
                continue
            text = got[key].lstrip("'") if isinstance(value, str) else got[key]
            if isinstance(value, float):
                differ(f"{key} {text} near {value}", abs(float(text) - value) < 1e-4, True)
            else:
                differ(key, text, "" if value is None else str(value).lstrip("'"))


def check_folded():
    waste = {}
    for line in open(path, encoding="utf-8", newline="\n"):
        stack, count = line.rstrip("\n").rsplit(" ", 1)
        waste[stack] = waste.get(stack, 0) + int(count)
    differ("waste", sum(waste.values()), sum(s["waste_bytes"] for s in report["sites"]))
    depths = sorted({len(s["stack"]) or 1 for s in report["sites"] if s["waste_bytes"]})
    differ("depths of stacks", sorted({s.count(";") + 1 for s in waste}), depths)


{"openmetrics": check_openmetrics, "csv": check_csv, "folded": check_folded}[kind]()
