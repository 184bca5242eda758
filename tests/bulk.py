#!/usr/bin/python3
"""bulk.py: what examples/elastic/bulk writes of every capture fits the index
template that examples/elastic/template writes, as Elasticsearch reads both.

No server is needed: the template becomes a JSON schema, in which each type
takes what the server would take of it, and nothing that is not declared.
"""

import copy
import importlib.machinery
import importlib.util
import json
import pathlib
import sys
import tempfile
from collections import Counter

import jsonschema

import expect
import formats

ELASTIC = formats.TESTS.parent / "examples/elastic"


def whole(low, high):
    """An integer, or, as the server coerces it, a string that has one."""
    digits = len(str(max(abs(low), high)))
    return {"type": "string", "pattern": rf"^{'-?' if low else ''}"
                                         rf"[0-9]{{1,{digits}}}$"}


# What a server takes for each type. It would take numbers as well; tshark
# writes none.
TYPES = {
    "keyword": {"type": "string", "maxLength": 8191},
    "short": whole(-2**15, 2**15 - 1),
    "integer": whole(-2**31, 2**31 - 1),
    "long": whole(-2**63, 2**63 - 1),
    "unsigned_long": whole(0, 2**64 - 1),
    "double": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"},
    "boolean": {"type": "boolean"},
    "ip": {"type": "string", "pattern":
           r"^([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9a-f:]*:[0-9a-f:]*)$"},
    "date": {"type": "string", "pattern": r"^[0-9]{13}$"},
}


def schema_of(mapping):
    """Of one of the template's mappings. Any value may be a list."""
    if "properties" in mapping:
        one = {"type": "object", "additionalProperties": False,
               "properties": {name: schema_of(inner) for name, inner
                              in mapping["properties"].items()}}
    else:
        one = TYPES[mapping["type"]]
    return {"anyOf": [one, {"type": "array", "items": one}]}


ACTION = {
    "type": "object", "additionalProperties": False, "required": ["index"],
    "properties": {"index": {
        "type": "object", "additionalProperties": False,
        "properties": {"_index": {"type": "string",
                                  "pattern": "^packets-[0-9-]+$"}}}},
}


def program(name):
    """One of the examples, which have no ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(name, str(ELASTIC / name))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


def values(document):
    """(frame, field, value) as formats.py has them."""
    layers = document["layers"]
    number, = layers["frame"]
    number = int(number["frame_frame_number"])
    names = {f"mcas_{name.replace('.', '_')}": name for name in formats.KINDS}
    for message in layers["mcas"]:
        for key, value in message.items():
            for one in value if isinstance(value, list) else [value]:
                name, one = (one, "") if key == "expert" else (key, one)
                name = names[name]
                yield number, name, formats.same(name, one)


def main():
    template = json.loads(formats.run_command([ELASTIC / "template"]))
    fits = jsonschema.Draft7Validator(
        schema_of(template["template"]["mappings"]))
    lines = formats.run_command([ELASTIC / "bulk", formats.CAPTURE])
    lines = [json.loads(line, object_pairs_hook=formats.unique)
             for line in lines.splitlines()]
    actions, documents = lines[::2], lines[1::2]
    for action in actions:
        jsonschema.validate(action, ACTION)
    for document in documents:
        fits.validate(document)

    found = Counter(one for document in documents for one in values(document))
    messages = expect.expected(formats.CAPTURE)
    wanted = Counter()
    for message in messages:
        fields = [(name, formats.same(name, show or ""))
                  for name, show, _ in message["fields"]]
        fields += [(note, "") for note in message["expert"]]
        wanted.update((message["frame"], *field) for field in fields)
    secret = Counter({one: count for one, count in wanted.items()
                      if one[1] == "mcas.password"})
    assert secret, "no capture has a password"
    kept = formats.compare("bulk", found.elements(), wanted - secret)

    # What must not fit: each of these is refused.
    for field, value in [("mcas_mcas_result_code", "0x10"),
                         ("mcas_mcas_ip_addr", "X.X"),
                         ("mcas_mcas_nobodys", "1"),
                         ("mcas_mcas_time", "2026-11-23")]:
        wrong = copy.deepcopy(documents[0])
        wrong["layers"]["mcas"][0][field] = value
        assert not fits.is_valid(wrong), f"{field}: {value} fits"
    print(len(documents), "documents fit")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(formats.with_capture(main))
