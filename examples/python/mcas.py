"""libmcas for Python, through cffi, from nothing but the installed header.

Needs python3-cffi, pkg-config and the installed library (libmcas-dev). What
mcas.h declares is `lib.mcas_...` and `MCAS_...` here as it is in C, and
`ffi` makes its structs; on top of that stands what a script wants:

    for message in mcas.messages(requests, responses):
        for item in message.items:
            print(message.exchange, item.name, item.value)

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import ipaddress
import re
import subprocess
from collections import namedtuple
from pathlib import Path

from cffi import FFI


def _folder(variable):
    command = ["pkg-config", f"--variable={variable}", "mcas"]
    return Path(subprocess.check_output(command, text=True).strip())


# cffi reads declarations, not the preprocessor's lines: constants are taken
# out of those here, and what is for C++ is dropped.
_source = (_folder("includedir") / "mcas.h").read_text(encoding="utf-8")
_source = re.sub(r"/\*.*?\*/", "", _source, flags=re.DOTALL)
_source = re.sub(r"#ifdef __cplusplus.*?#endif", "", _source, flags=re.DOTALL)
for _name, _number in re.findall(
    r"^#define (MCAS_\w+) \(?(-?\w+?)u?\)?\s*$", _source, re.MULTILINE
):
    globals()[_name] = int(_number, 0)
_source = re.sub(r"^#(.*\\\n)*.*", "", _source, flags=re.MULTILINE)

ffi = FFI()
ffi.cdef(_source)
# The number in the name is the version of the ABI: another one is not found.
lib = ffi.dlopen(str(_folder("libdir") / f"libmcas.so.{MCAS_ABI_VERSION}"))


class Error(Exception):
    """What a function of the library failed with."""


def check(status):
    """A status that is no failure, as it is."""
    if status < 0:
        raise Error(_string(lib.mcas_status_text(status)))
    return status


def _string(text):
    return None if text == ffi.NULL else ffi.string(text).decode()


def _rows(get, struct):
    """A table of the library's, as a list of dictionaries."""
    rows, out = [], ffi.new(f"{struct} *")
    while get(len(rows), out) == MCAS_OK:
        names = [name for name, _ in ffi.typeof(struct).fields]
        row = {name: getattr(out, name) for name in names}
        for name, value in row.items():
            if isinstance(value, ffi.CData):
                row[name] = _string(value)
        rows.append(row)
    return rows


TYPES = _rows(lib.mcas_type_get, "mcas_type_info")
FIELDS = _rows(lib.mcas_field_get, "mcas_field_info")
NOTES = _rows(lib.mcas_note_get, "mcas_note_info")

# A field or a note. `value` of a field is an int, a str or an address of the
# ipaddress module; of a note None. `text` is a line for people. `info` is the
# row of FIELDS or NOTES. `secret` says that the value is secret or personal.
Item = namedtuple("Item", "name value text level info secret")

# `type` is one of MCAS_TYPE_..., `exchange` the number that a request and the
# response to it have in common. `found` is the mcas_tracked_message (its bytes
# are gone): found.message.flags & MCAS_MESSAGE_COMPLETE, found.sequence, ...
Message = namedtuple("Message", "type name exchange items found")


def _bytes(data):
    """Bytes as the library takes them, pointer and length; not copied."""
    view = ffi.from_buffer("uint8_t[]", data)
    return view, len(view)


def _format(data, item, style):
    needed = ffi.new("size_t *")
    args = *_bytes(data), item, style
    check(lib.mcas_item_format(*args, ffi.NULL, 0, needed))
    out = ffi.new("char[]", needed[0] + 1)
    check(lib.mcas_item_format(*args, out, needed[0] + 1, needed))
    return ffi.string(out).decode()


def _item(data, item):
    text = _format(data, item, MCAS_FORMAT_LINE)
    if item.table == MCAS_TABLE_NOTES:
        info = NOTES[item.id]
        return Item(info["name"], None, text, item.level, info, False)
    info = FIELDS[item.id]
    if info["display"] == MCAS_DISPLAY_OUI:
        value = _format(data, item, MCAS_FORMAT_VALUE)
    elif MCAS_VALUE_UINT8 <= info["value_type"] <= MCAS_VALUE_UINT64:
        value = item.number
    else:
        value = _format(data, item, MCAS_FORMAT_VALUE)
        if info["value_type"] in (MCAS_VALUE_IPV4, MCAS_VALUE_IPV6):
            value = ipaddress.ip_address(value)
    secret = bool(info["flags"] & MCAS_FLAG_SECRET
                  or item.flags & MCAS_ITEM_SECRET)
    return Item(info["name"], value, text, item.level, info, secret)


def items(data, begin, *args):
    """What a function whose name ends in _items begins to read in data."""
    it, item = ffi.new("mcas_iter *"), ffi.new("mcas_item *")
    check(begin(*args, it))
    start, length = _bytes(data)
    while check(lib.mcas_next(start, length, it, item)) == MCAS_OK:
        yield _item(data, item)


def user_agent(value):
    """What is in the value of a User-Agent header, given as bytes."""
    return list(items(value, lib.mcas_user_agent_items, *_bytes(value)))


def body(raw, data):
    """The body of a message that was parsed from data, its chunks undone."""
    out = ffi.new("uint8_t[]", raw.body_length + 1)
    needed = ffi.new("size_t *")
    args = *_bytes(data), out, raw.body_length, needed
    check(lib.mcas_body_bytes(raw, *args))
    return bytes(ffi.buffer(out, needed[0]))


class Tracker:
    """Who answers whom. Bytes or segments go in; iterating over it gives the
    messages that were found since, of whatever connection."""

    def __init__(self):
        out = ffi.new("mcas_tracker **")
        check(lib.mcas_tracker_new(out))
        self._handle = ffi.gc(out[0], lib.mcas_tracker_free)

    def bytes(self, connection, side, data, tag=0):
        """Takes bytes of a side, MCAS_SIDE_...; returns a status that is no
        failure, or MCAS_ERR_NOT_HTTP."""
        args = self._handle, connection, side, tag, *_bytes(data)
        return self._known(lib.mcas_tracker_bytes(*args))

    def end(self, connection, side):
        """That side sends no more."""
        status = lib.mcas_tracker_end(self._handle, connection, side)
        return self._known(status)

    @staticmethod
    def _known(status):
        return status if status == MCAS_ERR_NOT_HTTP else check(status)

    def segment(self, sender, receiver, data, **members):
        """Takes a segment of TCP. Sender and receiver are pairs of an address
        as bytes and a port, members those of a mcas_segment."""
        members.setdefault("length", len(data))
        start, captured = _bytes(data)
        (source, _), (target, _) = _bytes(sender[0]), _bytes(receiver[0])
        segment = ffi.new("mcas_segment *", {
            "bytes": start, "captured": captured, "from": source, "to": target,
            "address_length": len(sender[0]), "from_port": sender[1],
            "to_port": receiver[1], **members})
        check(lib.mcas_tracker_segment(self._handle, segment))

    def finish(self):
        """There is no more."""
        check(lib.mcas_tracker_finish(self._handle))

    def exchange(self, number):
        """What is known of an exchange by now, a mcas_tracked_exchange."""
        out = ffi.new("mcas_tracked_exchange *")
        found = check(lib.mcas_tracker_exchange(self._handle, number, out))
        return out if found == MCAS_OK else None

    def forget(self, number):
        """Forgets the exchanges up to this number."""
        check(lib.mcas_tracker_forget(self._handle, number))

    def __iter__(self):
        while True:
            found = ffi.new("mcas_tracked_message *")
            if check(lib.mcas_tracker_next(self._handle, found)) == MCAS_END:
                return
            raw = ffi.addressof(found, "message")
            data = ffi.buffer(found.bytes, found.length)
            read = list(items(data, lib.mcas_head_items, raw))
            content = body(raw, data)
            args = raw, *_bytes(content)
            read += items(content, lib.mcas_body_items, *args)
            name = TYPES[raw.message_type]["name"]
            yield Message(raw.message_type, name, found.exchange, read, found)


def messages(requests=b"", responses=b""):
    """The M-CAS messages of a connection, in pairs, from the bytes of its two
    directions. What else it carried, such as web pages, is left out."""
    tracker, left = Tracker(), [memoryview(requests), memoryview(responses)]
    ended, side = [False, False], MCAS_SIDE_CLIENT
    while not all(ended):
        if not ended[side]:
            part, left[side] = left[side][:1 << 16], left[side][1 << 16:]
            if part:
                status = tracker.bytes(1, side, part)
            else:
                ended[side], status = True, tracker.end(1, side)
            for message in tracker:
                yield message
                tracker.forget(message.exchange - 1)
        # Bytes may wait for those of the other side.
        if ended[side] or status == MCAS_PARTIAL:
            side = 1 - side
