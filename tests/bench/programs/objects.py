# SPDX-License-Identifier: MIT
"""Objects, dictionaries, JSON and regular expressions, with every allocation on malloc (PYTHONMALLOC=malloc)."""
import collections
import json
import re


class Shape:
    def __init__(self, name, parts):
        self.name = name
        self.parts = parts
        self.tags = {"len": len(parts), "first": parts[:1]}


def tree(depth, name):
    if depth == 0:
        return Shape(name, [])
    return Shape(name, [tree(depth - 1, name + letter) for letter in "abcd"])


def names(shape):
    yield shape.name
    for part in shape.parts:
        yield from names(part)


forest = [tree(6, "t%d" % i) for i in range(4)]
every = [name for root in forest for name in names(root)]
counted = collections.Counter(name[-2:] for name in every)
document = json.dumps([{"name": n, "half": n[: len(n) // 2], "size": len(n), "path": list(n)} for n in every])
again = json.loads(document)
groups = collections.defaultdict(list)
for row in again:
    groups[row["half"]].append(tuple(row["path"]))
pairs = re.findall(r'"name": "(\w)(\w+)"', document)
text = " ".join(b + a for a, b in pairs)
print(len(every), len(counted), len(document), len(groups), len(pairs), len(text.upper().split()))
