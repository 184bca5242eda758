#!/usr/bin/env python3
"""mcas_exchanges.py CAPTURE…: the M-CAS exchanges of captures, one a line.

Runs tshark (or what TSHARK names) with the M-CAS plugin, joins each
response to its request, and prints an object of JSON for each exchange, or for
the half of it that the capture has. docs/pipelines.md has the schema. This
file is all that `extract` and the Spark job know of tshark; it needs Python
3.9 alone.

    --secrets   passwords too, which are left out otherwise

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import argparse
import datetime
import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unicodedata

TSHARK = os.environ.get("TSHARK") or "tshark"

# Of the plugin's fields, those without which nothing here can be done.
NEEDED = {"mcas.type", "mcas.response_in", "mcas.response_to", "mcas.time"}

# Left out unless asked for, as are parameters that the plugin does not know
# and whose names look like it. The note mcas.credentials stays.
SECRET = {"mcas.password"}
SECRET_NAME = re.compile("pass|pwd|secret", re.IGNORECASE)


class NoPlugin(Exception):
    """tshark is not there, or has not the plugin, or not one that fits."""


# What the plugin has: the schema.


def run(*arguments):
    """What tshark prints and complains of."""
    try:
        done = subprocess.run([TSHARK, *arguments], capture_output=True,
                              encoding="utf-8", errors="replace")
    except OSError as error:
        raise NoPlugin(f"{TSHARK}: {error.strerror}") from error
    return done.stdout, done.stderr.strip()


def check_plugin():
    """Version of the plugin. Without it tshark would go on, and exit with 0."""
    plugins, complaint = run("-G", "plugins")
    for name, version, *_ in map(str.split, plugins.splitlines()):
        if name == "mcas.so":
            return version
    because = complaint or ("`make install` puts it where `tshark -G "
                            "folders` says that it looks")
    if 0 in (os.getuid(), os.getgid()):
        because += " (for root it skips plugins in a home, without a word)"
    raise NoPlugin(f"{TSHARK} does not load the M-CAS plugin: {because}")


@functools.cache
def schema():
    """What may be in an exchange, from the plugin's own tables:
    {"version": …, "fields": {filter name: type}, "kinds": {type: name}}."""
    version = check_plugin()
    rows = (line.split("\t") for line in run("-G", "fields")[0].splitlines())
    fields = {row[2]: row[3] for row in rows
              if row[0] == "F" and row[2].startswith("mcas.")}
    if lacking := NEEDED - fields.keys():
        raise NoPlugin(f"the M-CAS plugin {version} of {TSHARK} is not the "
                       f"one meant: no {', '.join(sorted(lacking))}")
    rows = (line.split("\t") for line in run("-G", "values")[0].splitlines())
    kinds = {str(int(row[2], 0)): row[3] for row in rows
             if row[:2] == ["V", "mcas.type"]}
    # Of no type are the expert items, which are notes here.
    fields = {name: kind for name, kind in fields.items() if kind != "FT_NONE"}
    return {"version": version, "fields": fields, "kinds": kinds}


def column(field):
    """mcas.terminal_id.mac is terminal_id_mac among the columns."""
    return field[len("mcas."):].replace(".", "_")


def type_of(kind):
    """SQL's name for the type of a field."""
    if kind.startswith(("FT_UINT", "FT_INT")) or kind == "FT_FRAMENUM":
        return "BIGINT"
    if kind in ("FT_RELATIVE_TIME", "FT_DOUBLE", "FT_FLOAT"):
        return "DOUBLE"
    return "BOOLEAN" if kind == "FT_BOOLEAN" else "VARCHAR"


def value_of(kind, text):
    """A value as JSON has it, from how tshark writes it."""
    kind = type_of(kind)
    if kind == "BIGINT":
        return int(text, 0)  # some are in hexadecimal
    if kind == "BOOLEAN":
        return text in ("1", "True")
    return float(text) if kind == "DOUBLE" else text


def columns(fields):
    """The columns of a table of exchanges, {name: type}. Types are SQL's
    names, (type,) for a list of them, and the like of this for a struct."""
    message = {"frame": "BIGINT", "frame_time": "TIMESTAMP"}
    message.update((name, ("VARCHAR",)) for name in NOTES)
    own = len(message)
    message.update((column(name), (type_of(kind),))
                   for name, kind in fields.items())
    assert len(message) == own + len(fields), "two of one name"
    return {
        "capture": "VARCHAR", "exchange": "BIGINT", "kind": "VARCHAR",
        "time": "TIMESTAMP", "stream": "BIGINT",
        "client": "VARCHAR", "client_port": "BIGINT",
        "server": "VARCHAR", "server_port": "BIGINT",
        "seconds": "DOUBLE", "damage": "VARCHAR",
        "request": message, "response": message,
    }


# Of a message's notes: which, about which field, and what it says.
NOTES = ("note", "note_about", "note_text")

# The columns of a table of captures.
CAPTURES = {"capture": "VARCHAR", "bytes": "BIGINT", "exchanges": "BIGINT",
            "status": "VARCHAR", "reason": "VARCHAR"}


# One message.


class Reader:
    """Reads the items of messages into columns.

    A column has the values of a field in the order of tshark's tree. What
    stands at one place in the columns of a field and of the fields below it by
    name (param, param_name, param_value) belongs together; None is where that
    place has no such value.
    """

    def __init__(self, kinds, secrets):
        self.kinds, self.secrets = kinds, secrets
        # The field that heads each one's family.
        self.head = {name: next(filter(kinds.get, prefixes(name)))
                     for name in kinds}

    def message(self, tree):
        """The columns of a message, from its tree as `elements` has it."""
        self.values, self.start, notes = {}, {}, []
        self.read(tree, (), notes)
        found = {}
        for name, values in self.values.items():
            values += [None] * (self.length(self.head[name]) - len(values))
            found[column(name)] = values
        if notes:
            found.update(zip(NOTES, map(list, zip(*notes))))
        return found

    def read(self, tree, above, notes, hidden=False):
        """`above` are the fields that the tree is below, the last of which may
        be a secret: then only its notes are read."""
        name, secret = None, False
        for key, value in tree:
            if key == "_ws.expert":
                said = dict(value)
                note = next(key for key in said if key.startswith("mcas."))
                about = above[-1] if above else None
                notes.append((note, about, said.get("_ws.expert.message")))
            elif isinstance(value, list):  # what is below the one before it
                self.read(value, (*above, name), notes, secret)
            else:
                name, secret = key, hidden or self.is_secret(key, value)
                if not secret:
                    self.add(name, value, above)

    def add(self, name, text, above):
        if name not in self.kinds:
            raise NoPlugin(f"{name} is not in the schema: another version of "
                           "the M-CAS plugin than at the start")
        head = self.head[name]
        if head == name or head not in above:
            self.start[head] = self.length(head)
        values = self.values.setdefault(name, [])
        values += [None] * (self.start[head] - len(values))
        values.append(value_of(self.kinds[name], text))

    def length(self, head):
        return max((len(values) for name, values in self.values.items()
                    if self.head[name] == head), default=0)

    def is_secret(self, name, value):
        if self.secrets:
            return False
        key = value.partition("=")[0]
        return name in SECRET or (name == "mcas.param"
                                  and bool(SECRET_NAME.search(key)))


def prefixes(name):
    """mcas.a, mcas.a.b and mcas.a.b.c of the last of them."""
    parts = name.split(".")
    return (".".join(parts[:n]) for n in range(2, len(parts) + 1))


def last(tree, name, default=None):
    """The innermost, where a packet has several, as in a tunnel."""
    found = [value for key, value in tree if key == name]
    return found[-1] if found else default


def timestamp(text):
    """UTC, to the microsecond; seconds before Wireshark 4.6, then ISO. None of
    a packet without a time, or with one that no calendar has."""
    if not text:
        return None
    if "T" not in text:
        seconds, _, fraction = text.partition(".")
        try:
            at = datetime.datetime.fromtimestamp(
                int(seconds), datetime.timezone.utc)
        except (ValueError, OverflowError, OSError):
            return None
        text = f"{at:%Y-%m-%dT%H:%M:%S}.{fraction}"
    whole, _, fraction = text.rstrip("Z").partition(".")
    if len(whole) != len("YYYY-MM-DDTHH:MM:SS"):
        return None
    return f"{whole}.{fraction[:6]:0<6}Z"


def number(text):
    return None if text is None else int(text)


def messages(packet, reader):
    """The messages of a packet: (message, stream, sender, receiver). One that
    was exported from another capture has no TCP, and perhaps no IP."""
    layers = last(last(packet, "_source"), "layers")
    frame, tcp = last(layers, "frame"), last(layers, "tcp", [])
    ip = [(key, layer) for key, layer in layers if key in ("ip", "ipv6")]
    version, ip = ip[-1] if ip else ("ip", [])
    ends = [(last(ip, f"{version}.{end}"), number(last(tcp, f"tcp.{end}port")))
            for end in ("src", "dst")]
    stream = number(last(tcp, "tcp.stream"))
    for key, layer in layers:
        if key == "mcas":
            at = last(frame, "frame.time_epoch")
            message = {"frame": int(last(frame, "frame.number")),
                       "frame_time": timestamp(at), **reader.message(layer)}
            yield message, stream, *ends


# Captures.

CAPTURE = re.compile(r"\.(pcap|pcapng|cap)\d*(\.(gz|zst|lz4))?$", re.I)


def captures(folder):
    """The names of those below a folder, in order."""
    return sorted(os.path.relpath(os.path.join(place, name), folder)
                  for place, _, names in os.walk(folder)
                  for name in names if CAPTURE.search(name))


def printable(text):
    """For a terminal: nothing that it would act on. Names of files and what
    devices sent are strangers' text."""
    return "".join("." if unicodedata.category(c)[0] == "C" else c
                   for c in text)


# What JSON lets stand as it is, and a terminal acts on.
ACTING = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def json_line(value):
    """For a reader of JSON the very same, for a terminal text only."""
    return ACTING.sub(lambda c: f"\\u{ord(c[0]):04x}",
                      json.dumps(value, ensure_ascii=False))


def elements(lines):
    """The elements of the list that `tshark -T json` prints, as each is there,
    objects as lists of pairs: tshark repeats the key of a repeated field. One
    that is cut short, by tshark's end, is left out."""
    element = []
    for line in lines:
        if line.startswith("  {"):
            element = ["{"]
        elif line.startswith("  }"):
            text = "".join(element) + "}"
            element = []
            yield json.loads(text, object_pairs_hook=list)
        elif element:
            element.append(line)
        elif line.strip() not in ("", "[", "]", ",", "[]"):
            raise ValueError(f"tshark does not print JSON as it did: {line!r}")


def pair(found):
    """(request, response) of each exchange, either None where it is not in
    the capture, with what else `messages` has, in the order of completion.

    A request knows the frame of its response, by the second pass. Several of
    either may be in one frame. A server may answer before it has all of the
    request: then the response is first, and says the frame where the request
    was only begun.
    """
    asked, answered = {}, {}
    for item in found:
        message, stream = item[:2]
        to, at = message.get("response_to"), message.get("response_in")
        if to:
            waiting = asked.get((stream, message["frame"]), [])
            begun = [r for r in waiting if r[0]["frame"] == to[0]]
            if begun:
                waiting.remove(begun[0])
                yield begun[0], item
            else:
                key = stream, message["frame"]
                answered.setdefault(key, []).append(item)
        elif at:
            if early := answered.get((stream, at[0])):
                yield item, early.pop(0)
            else:
                asked.setdefault((stream, at[0]), []).append(item)
        elif is_response(message):
            yield None, item
        else:
            yield item, None
    for waiting in asked.values():
        yield from ((item, None) for item in waiting)
    for waiting in answered.values():
        yield from ((None, item) for item in waiting)


def is_response(message):
    return "status" in message


def row(request, response, kinds):
    message, stream, *ends = request or response
    client, server = ends if request else reversed(ends)
    found = {
        "capture": None, "exchange": None,  # in front of the rest
        "kind": kinds.get(str(message["type"][0])),
        "time": message["frame_time"],
        "stream": stream, "client": client[0], "client_port": client[1],
        "server": server[0], "server_port": server[1],
    }
    if response and "time" in response[0]:
        found["seconds"] = response[0]["time"][0]
    if request:
        found["request"] = request[0]
    if response:
        found["response"] = response[0]
    return found


def read(path, name, schema, secrets=False):
    """A capture's row for the table of captures, and its exchanges, under that
    name. What tshark complains of is the reason why not all could be read;
    what was read before stays, marked."""
    command = [TSHARK, "-r", path, "-2", "-Y", "mcas", "-T", "json",
               "-J", "frame ip ipv6 tcp mcas"]
    with tempfile.TemporaryFile() as complaint:
        try:
            tshark = subprocess.Popen(command, stdout=subprocess.PIPE,
                                      stderr=complaint, encoding="utf-8",
                                      errors="replace")
        except OSError as error:
            raise NoPlugin(f"{TSHARK}: {error.strerror}") from error
        with tshark:
            reader = Reader(schema["fields"], secrets)
            found = (message for packet in elements(tshark.stdout)
                     for message in messages(packet, reader))
            rows = [row(*both, schema["kinds"]) for both in pair(found)]
        complaint.seek(0)
        said = complaint.read().decode("utf-8", "replace").splitlines()
    reason = None
    if tshark.returncode:
        check_plugin()  # without which its filter is an error as well
        ours = [line for line in said if line.startswith("tshark: ")]
        reason = " ".join(ours or said)[len("tshark: " if ours else ""):]
        reason = reason or f"tshark ended with {tshark.returncode}"
    # Of a name that is not UTF-8, what can be shown.
    name = os.fsencode(name).decode("utf-8", "replace")
    for number, found in enumerate(rows, 1):
        found.update(capture=name, exchange=number)
        if reason:
            found["damage"] = reason
    size = os.path.getsize(path) if os.path.exists(path) else None
    capture = {"capture": name, "bytes": size, "exchanges": len(rows),
               "status": "whole", "reason": reason}
    if reason:
        capture["status"] = "damaged" if rows else "unreadable"
    return capture, rows


def run_main(main):
    """Runs a program: what is up to whoever runs it is said in a line. Who
    presses Ctrl-C, or pipes it into head, wants to hear no more."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    name = os.path.basename(sys.argv[0])
    try:
        status = main()
        sys.stdout.flush()  # a full disk may say so no sooner than now
    except KeyboardInterrupt:  # Spark's own doing
        status = 128 + signal.SIGINT
    except NoPlugin as problem:
        sys.exit(f"{name}: {problem}")
    except OSError as problem:
        place = f"{problem.filename}: " if problem.filename else ""
        # Nor shall what could not be written be tried once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(printable(f"{name}: {place}{problem.strerror}"))
    sys.exit(status)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("captures", nargs="+", metavar="CAPTURE")
    parser.add_argument("--secrets", action="store_true",
                        help="passwords too")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    plugin = schema()
    status = 0
    for path in options.captures:
        capture, rows = read(path, path, plugin, options.secrets)
        for found in rows:
            print(json_line(found))
        if capture["reason"]:
            print(printable(f"{path}: {capture['reason']}"), file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    run_main(main)
