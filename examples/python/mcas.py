"""libmcas for Python, through cffi, from nothing but the installed header.

Needs python3-cffi, pkg-config and the installed library (libmcas-dev). What
mcas.h declares is `lib.mcas_...` and `MCAS_...` here as it is in C, and
`ffi` makes its structs; on top of that stands what a script wants:

    for message in mcas.messages(stream):
        for item in message.items:
            print(item.name, item.value)

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

# `raw` is the mcas_message: raw.flags & MCAS_MESSAGE_COMPLETE and the like. `type` is
# one of MCAS_TYPE_..., `offset` its first byte in the stream.
Message = namedtuple("Message", "type name offset items raw")


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


def messages(data, requests=()):
    """The M-CAS messages of one direction of a connection, given as bytes.

    Yields a message of another protocol, such as a web page, too: its type is
    MCAS_TYPE_NONE, and it has no items; but a response may answer it. Ends
    where what follows is no HTTP, and behind CONNECT, which a tunnel follows
    unless the server refuses it. requests are the messages of the other
    direction, which say what responses in data answer.
    """
    # A slice of bytes would be a copy: of all that follows, for each message.
    data, offset = memoryview(data), 0
    requests = iter(requests)
    asked = next(requests, None)
    while offset < len(data):
        context = ffi.new("mcas_context *")
        context.flags = MCAS_CONTEXT_END_OF_STREAM
        if asked:
            context.request = MCAS_REQUEST_SEEN
            context.request_type = asked.type
            context.request_method = asked.raw.method
        rest, raw = data[offset:], ffi.new("mcas_message *")
        status = lib.mcas_message_parse(*_bytes(rest), context, raw)
        if status == MCAS_ERR_NOT_HTTP:
            break
        check(status)
        read = list(items(rest, lib.mcas_head_items, raw))
        content = body(raw, rest)
        args = raw, *_bytes(content)
        read += items(content, lib.mcas_body_items, *args)
        known = raw.message_type != MCAS_TYPE_NONE
        name = TYPES[raw.message_type]["name"] if known else None
        start = offset + raw.begin
        yield Message(raw.message_type, name, start, read, raw)
        # A request has the status 0: what it is answered is not known.
        connects = raw.method == MCAS_METHOD_CONNECT
        tunnel = connects and raw.status // 100 in (0, 2)
        if not raw.flags & MCAS_MESSAGE_COMPLETE or raw.status == 101 or tunnel:
            break
        if raw.status >= 200:
            asked = next(requests, None)
        offset += raw.length
