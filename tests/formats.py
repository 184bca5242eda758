#!/usr/bin/python3
"""formats.py: every value of every capture, in each form that tshark and
sharkd print it in, read by a reader of that form.

All captures are joined into one, each with addresses of its own, so that one
run of tshark a form will do. What must be there is worked out by expect.py.
Prints the number of values that each form keeps, and what is there on one
side only, which there must be none of.
"""

import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
from collections import Counter

from lxml import etree

import expect

TESTS = pathlib.Path(__file__).parent
WITH_PLUGIN = TESTS.parent / "scripts/with-plugin"
# For the examples.
os.environ["TSHARK"] = str(TESTS.parent / "scripts/tshark")

LAYERS = ["-J", "frame mcas"]


# The capture.


def join(captures, path):
    """Writes the frames of all captures into one file, the first two bytes of
    the IPv4 addresses saying which one they are of. Checksums are not mended, as
    Wireshark does not look at them."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1))
        for number, capture in enumerate(captures, 1):
            more, first = divmod(number, 100)
            for frame in expect.frames(capture.read_bytes()):
                data = bytearray(frame.data)
                at = place_of_ip(data)
                if at and len(data) >= at + 20:
                    data[at + 12] = data[at + 16] = first + 1
                    data[at + 13] ^= more
                    data[at + 17] ^= more
                seconds, rest = divmod(frame.time, 10**9)
                out.write(struct.pack("<4I", seconds, rest // 1000, len(data),
                                      frame.length))
                out.write(data)


def place_of_ip(frame):
    """Where IPv4 begins, bare or in PPPoE, in VLANs or not."""
    at = 12
    while frame[at:at + 2] in (b"\x81\0", b"\x88\xa8"):
        at += 4
    if frame[at:at + 2] == b"\x08\0":
        return at + 2
    in_pppoe = (frame[at:at + 2] == b"\x88\x64"
                and frame[at + 8:at + 10] == b"\0\x21")
    return at + 10 if in_pppoe else None


# Running the programs.


def run(program, *arguments, **options):
    return run_command([WITH_PLUGIN, program, *arguments], **options)


def run_command(command, **options):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE,
                          **options)
    # Of forms in other charsets, Wireshark 4.0 prints the bytes as they are.
    return done.stdout.decode("utf-8", "replace")


def tshark(form, *options):
    return run("tshark", "-r", CAPTURE, "-2", "-Y", "mcas", "-T", form,
               *options)


def registered():
    """The plugin's fields and their types; of expert items FT_NONE."""
    rows = (row.split("\t") for row in
            run("tshark", "-G", "fields").splitlines())
    return {row[2]: row[3] for row in rows
            if row[0] == "F" and row[2].startswith("mcas.")}


# The readers: each yields (frame, name, value) for each value, and for each
# expert item, the value of which is "".


def fields():
    """Many values of a field in one cell, apart by a byte that is in none. An
    empty cell is no value, or one that is empty, and the values of a message
    are not apart from those of the next one in the same frame."""
    names = [name for name, kind in KINDS.items() if kind != "FT_NONE"]
    columns = [part for name in names for part in ("-e", name)]
    text = tshark("fields", "-e", "frame.number", *columns,
                  "-E", "occurrence=a", "-E", "aggregator=\x1f")
    for line in text.splitlines():
        frame, *cells = line.split("\t")
        for name, cell in zip(names, cells, strict=True):
            yield from ((int(frame), name, unescaped(value))
                        for value in cell.split("\x1f") if value)


def unescaped(value):
    """tshark writes these so. A backslash of the value's own is doubled, but
    not by 4.0, of which nobody can tell."""
    characters = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}
    return re.sub(r"\\([tnr\\])", lambda one: characters[one[1]], value)


def pairs(tree):
    """Of an object, whether its reader makes a dictionary of it or not."""
    return list(tree.items()) if isinstance(tree, dict) else tree


def is_object(value):
    return isinstance(value, dict) or isinstance(value, list) and all(
        isinstance(one, tuple) for one in value)


def json_values(tree):
    """(name, value) of all values in an object and the objects in it."""
    for key, value in pairs(tree):
        if key.endswith("_raw"):
            yield key[:-len("_raw")], value[0]
            continue
        several = isinstance(value, list) and not is_object(value)
        for one in value if several else [value]:
            if is_object(one):
                yield from json_values(one)
            elif not key.endswith("_tree") and not key.startswith("_ws."):
                yield key, one


def json_packets(text, reader):
    for packet in json.loads(text, object_pairs_hook=reader):
        layers = dict(dict(packet)["_source"])["layers"]
        frame = dict(dict(layers)["frame"])
        number = frame.get("frame.number", 0)  # jsonraw has no bytes of it
        for key, layer in pairs(layers):
            if key == "mcas":
                found = layer if isinstance(layer, list) and not is_object(
                    layer) else [layer]
                for one in found:
                    yield from ((int(number), *value)
                                for value in json_values(one))


def repeated(pairs):
    """For keys that are there several times."""
    return pairs


def unique(pairs):
    """For keys that are there once."""
    found = dict(pairs)
    assert len(found) == len(pairs), f"a key twice: {pairs}"
    return found


def plain_json():
    return json_packets(tshark("json", *LAYERS), repeated)


def unique_json():
    return json_packets(tshark("json", "--no-duplicate-keys", *LAYERS), unique)


def careless_json():
    """For keys that are there several times, of which the last is kept."""
    return json_packets(tshark("json", *LAYERS), dict)


def raw_json():
    """The bytes that a value was read from instead of the value; none for what
    is computed, such as the frame's number."""
    values = json_packets(tshark("jsonraw", *LAYERS), repeated)
    return (value for value in values if value[2])


def ek():
    names = {f"mcas_{name.replace('.', '_')}": name for name in KINDS}
    for line in tshark("ek", *LAYERS).splitlines():
        packet = dict(json.loads(line, object_pairs_hook=repeated))
        if "layers" in packet:
            layers = dict(packet["layers"])
            number = dict(layers["frame"])["frame_frame_number"]
            ours = layers["mcas"]
            for layer in [ours] if is_object(ours) else ours:
                yield from ((int(number), names.get(key, key), value or "")
                            for key, value in json_values(layer)
                            if not key.startswith("_ws_"))


def pdml():
    """XML has a reader take line ends and tabs in an attribute for spaces, and
    tshark writes them as they are: they are escaped before it is read."""
    escaped = re.sub(r'"[^"]*"', lambda quoted: re.sub(
        r"[\t\n\r]", lambda one: f"&#{ord(one[0])};", quoted[0]),
        tshark("pdml"))
    document = etree.fromstring(escaped.encode(),
                                etree.XMLParser(huge_tree=True))
    for packet in document.iter("packet"):
        number, = packet.xpath("proto/field[@name='num']/@show")
        for field in packet.xpath("proto[@name='mcas']//field"):
            if field.get("name") in KINDS:
                yield int(number), field.get("name"), field.get("show")


def sharkd(frames):
    """Asked for the frames that have something, it gives a display filter for
    each value."""
    asked = [("load", {"file": str(CAPTURE)})]
    asked += [("frame", {"frame": frame, "proto": True}) for frame in frames]
    lines = [json.dumps({"jsonrpc": "2.0", "id": number, "method": method,
                         "params": parameters}) + "\n"
             for number, (method, parameters) in enumerate(asked, 1)]
    answers = run("sharkd", "-", input="".join(lines).encode(),
                  stderr=subprocess.DEVNULL).splitlines()
    assert len(answers) == len(asked)
    for frame, answer in zip(frames, answers[1:]):
        for item in json.loads(answer, object_pairs_hook=unique)["result"][
                "tree"]:
            if item.get("f") == "mcas":
                yield from ((frame, *value) for value in sharkd_values(item))


def sharkd_values(item):
    for child in item.get("n", []):
        name, _, value = child.get("f", "").partition(" == ")
        if name in KINDS:
            if value.startswith('"'):
                value = json.loads(value)
            yield name, value
        yield from sharkd_values(child)


# What is compared.


def same(name, value):
    """A value in one way of writing it."""
    kind = KINDS[name]
    if name == "mcas.terminal_id.oui_resolved":
        return "…"  # Wireshark's own, which expect.py leaves to it
    if kind.startswith("FT_UINT") or kind == "FT_FRAMENUM":
        return str(int(value, 0))
    if kind == "FT_RELATIVE_TIME":
        return f"{float(value):.9f}"
    return value.replace(":", "") if kind == "FT_BYTES" else value


def alike(found):
    return ((frame, name, same(name, value)) for frame, name, value in found)


def compare(form, found, wanted):
    """Prints what is on one side only; whether there is nothing."""
    got = Counter(found)
    lost, more = wanted - got, got - wanted
    print(f"{form}: {got.total()} values, {lost.total()} lost, "
          f"{more.total()} that are not expected")
    for sign, only in ("-", lost), ("+", more):
        for frame, name, value in sorted(only.elements())[:10]:
            print(f"  {sign} frame {frame} {name} {value!r}")
    return not lost and not more


def with_capture(check):
    """Runs a check of the capture of all captures."""
    global CAPTURE, KINDS
    captures = sorted(path for path in (TESTS / "captures").iterdir()
                      if path.suffix in (".pcap", ".pcapng"))
    with tempfile.TemporaryDirectory() as folder:
        CAPTURE = pathlib.Path(folder, "all.pcap")
        join(captures, CAPTURE)
        KINDS = registered()
        return check()


def main():
    messages = expect.expected(CAPTURE)
    values = Counter((message["frame"], name, same(name, show or ""))
                     for message in messages
                     for name, show, _ in message["fields"])
    there = Counter({value: count for value, count in values.items()
                     if value[2]})
    notes = Counter((message["frame"], note, "")
                    for message in messages for note in message["expert"])
    # Of a value that is computed, expect.py leaves open what it highlights.
    computed = {name for message in messages
                for name, _, data in message["fields"] if data is None}
    raw = Counter((0, name, data) for message in messages
                  for name, _, data in message["fields"]
                  if data and name not in computed)
    raw_found = (one for one in raw_json() if one[1] not in computed)
    frames = sorted({message["frame"] for message in messages})
    print(len(messages), "messages")
    kept = [compare(*form) for form in [
        ("fields", alike(fields()), there),
        ("json", alike(plain_json()), values + notes),
        ("json --no-duplicate-keys", alike(unique_json()), values + notes),
        ("jsonraw", raw_found, raw),
        ("ek", alike(ek()), values + notes),
        ("pdml", alike(pdml()), values + notes),
        ("sharkd", alike(sharkd(frames)), values + notes),
    ]]
    print("And what must be found to be lost:")
    kept.append(not compare("json, last of each key", alike(careless_json()),
                            values + notes))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(with_capture(main))
