# SPDX-License-Identifier: MIT
"""usage: report_schema.py SCHEMA FILE...

Holds JSON of hakstat against the published schema: it is valid, and has no key that the schema does not
describe. Prints what is wrong, a line each."""
import json
import sys

import jsonschema


def closed(schema):
    """The schema with objects that allow no other keys than theirs."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: closed(part) for key, part in schema.items()}
    return parts | {"additionalProperties": False} if "properties" in parts and parts.get("type") == "object" else parts


def main(path, files):
    with open(path, encoding="utf-8") as file:
        schema = closed(json.load(file))
    jsonschema.Draft7Validator.check_schema(schema)
    kinds = {
        schema["$defs"][ref]["properties"]["schema"]["const"]: ref
        for ref in (choice["$ref"].rsplit("/", 1)[1] for choice in schema["oneOf"])
    }
    for name in files:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        kind = kinds.get(document.get("schema"))
        if kind is None:
            print(f"{name}: schema {document.get('schema')} is not described")
            continue
        # Of the one kind, because a failed oneOf does not say where.
        one = jsonschema.Draft7Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{kind}"})
        for error in list(one.iter_errors(document))[:5]:
            print(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")


main(sys.argv[1], sys.argv[2:])
