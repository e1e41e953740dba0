#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_schema.py SCHEMA FILE...: are these JSON files what SCHEMA says?

Knows the part of JSON Schema that our schemas use, and refuses a keyword it
does not know: one that was left out silently would check nothing.  Prints
the path of each fault.  Exit: 0; 1 a fault; 2 usage, or a bad schema.
"""
import json
import re
import sys

NOTES = {"$schema", "$id", "title", "description"}
TYPES = {"object": dict, "array": list, "string": str, "null": type(None)}


class BadSchema(Exception):
    pass


def is_type(value, name):
    if name == "boolean":
        return isinstance(value, bool)
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if name not in TYPES:
        raise BadSchema(f"no type {name}")
    return isinstance(value, TYPES[name])


def check_type(value, want, _schema):
    names = want if isinstance(want, list) else [want]
    if not any(is_type(value, name) for name in names):
        yield "", f"is no {' or '.join(names)}: {value!r}"


def check_enum(value, want, _schema):
    # True == 1 in Python, not in JSON.
    if not any(v == value and type(v) is type(value) for v in want):
        yield "", f"is none of {want}: {value!r}"


def check_pattern(value, want, _schema):
    if isinstance(value, str) and not re.search(want, value):
        yield "", f"does not match {want}: {value!r}"


def check_minimum(value, want, _schema):
    if is_type(value, "number") and value < want:
        yield "", f"is below {want}: {value!r}"


def check_maximum(value, want, _schema):
    if is_type(value, "number") and value > want:
        yield "", f"is above {want}: {value!r}"


def check_required(value, want, _schema):
    if isinstance(value, dict):
        for key in want:
            if key not in value:
                yield "", f"lacks {key}"


def check_properties(value, want, _schema):
    if isinstance(value, dict):
        for key, schema in want.items():
            if key in value:
                yield from check(value[key], schema, f".{key}")


def check_additional(value, want, schema):
    if not isinstance(value, dict):
        return
    for key in value.keys() - schema.get("properties", {}).keys():
        if want is False:
            yield "", f"has {key}, which the schema does not know"
        elif want is not True:
            yield from check(value[key], want, f".{key}")


def check_names(value, want, _schema):
    if isinstance(value, dict):
        for key in value:
            for _, fault in check(key, want, ""):
                yield "", f"has a member whose name {fault}"


def check_items(value, want, _schema):
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from check(item, want, f"[{i}]")


def check_min_items(value, want, _schema):
    if isinstance(value, list) and len(value) < want:
        yield "", f"has {len(value)} items, not {want}"


KEYWORDS = {
    "type": check_type,
    "enum": check_enum,
    "pattern": check_pattern,
    "minimum": check_minimum,
    "maximum": check_maximum,
    "required": check_required,
    "properties": check_properties,
    "additionalProperties": check_additional,
    "propertyNames": check_names,
    "items": check_items,
    "minItems": check_min_items,
}


def check(value, schema, path=""):
    """Yield (path, what is wrong) for each fault."""
    for keyword, want in schema.items():
        if keyword in NOTES:
            continue
        if keyword not in KEYWORDS:
            raise BadSchema(f"no keyword {keyword}")
        for below, fault in KEYWORDS[keyword](value, want, schema):
            yield path + below, fault


def check_schema(schema, path="$"):
    """Every keyword of the schema is one that we know, used or not."""
    for keyword in schema.keys() - NOTES:
        if keyword not in KEYWORDS:
            raise BadSchema(f"{path}: no keyword {keyword}")
    for key, below in schema.get("properties", {}).items():
        check_schema(below, f"{path}.{key}")
    for keyword in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(keyword), dict):
            check_schema(schema[keyword], f"{path}/{keyword}")


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    bad = 0
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            schema = json.load(file)
        check_schema(schema)
        for name in sys.argv[2:]:
            with open(name, encoding="utf-8") as file:
                value = json.load(file)
            for path, fault in check(value, schema):
                print(f"{name}: ${path} {fault}")
                bad += 1
    except (BadSchema, OSError, ValueError) as error:
        print(f"check_schema: {error}", file=sys.stderr)
        return 2 if isinstance(error, BadSchema) else 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
