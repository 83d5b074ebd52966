#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints docs/hakstat.schema.json: the template with the rows of each table made from the columns that
hakstat lists. usage: gen_json_schema.py HAKSTAT TEMPLATE"""
import json
import subprocess
import sys

WHOLE = {"type": ["integer", "null"], "minimum": 0}
TYPES = {
    "text": {"type": ["string", "null"]},
    "id": WHOLE,
    "count": WHOLE,
    "bytes": WHOLE,
    "size": WHOLE,
    "percent": {"type": ["number", "null"], "minimum": 0},
    "stack": {"type": "array", "items": {"$ref": "#/$defs/frame"}},
}


def main(hakstat, template):
    with open(template, encoding="utf-8") as file:
        schema = json.load(file)
    listed = subprocess.run([hakstat, "--list-columns"], check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        table, key, unit, _, text = line.split("\t")
        row = schema["$defs"].setdefault(table, {"type": "object", "properties": {}, "required": []})
        row["properties"][key] = TYPES[unit] | {"description": text}
        row["required"].append(key)
    json.dump(schema, sys.stdout, indent=2, ensure_ascii=False)
    print()


main(*sys.argv[1:])
