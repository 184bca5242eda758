#!/usr/bin/env python3
"""What the M-CAS plugin must show of a capture, worked out from its bytes.

    expect.py CAPTURE    one JSON object per M-CAS message, one per line

This is where the tests' expected values come from: it shares no code with the plugin, uses nothing but Python's
library, and prefers plain over fast.

    {"frame": 6, "type": 2, "summary": "…", "fields": [["mcas.type", "2", null], …], "expert": ["mcas.value.masked", …],
     "object": ["001f67a1b2c3-provisioning.txt", "<SHA-256>"], "credentials": [["0722123456", true], …]}

A field is its filter name, its value as text, and the bytes it must highlight in hexadecimal, or null where it is
computed. Order: `mcas.type`, then as on the wire with children after their parent, then what is computed of the body
and of the exchange. Notes on the whole message stand after those on its parts. A chunked body counts as joined. The
object is what can be saved of the message, or null; each of the credentials a user name and whether there is a password.

A message belongs to the frame that completes it in stream order; one that the capture's snapshot length cut, to the
frame where it starts. One that lost segments or the connection's end left short is not listed. A request that is
answered before it is complete belongs, for its response, to the frame that completed its head.

What no test capture has (IPv6, IP fragments, other links) is refused, not guessed.
"""
import contextlib
import hashlib
import json
import re
import struct
import sys
from bisect import insort
from collections import namedtuple
from ipaddress import IPv4Address, IPv6Address

# Vendors that the test captures have devices of. Wireshark resolves others too: a capture with a device of
# another vendor needs its line here.
VENDORS = {0x001F67: "Hitachi", 0x00022B: "SAXA"}


# --- Capture files: frames ----------------------------------------------------------------------------------------

Frame = namedtuple("Frame", "number time data length")  # time in nanoseconds; data is shorter than length if cut
ETHERNET = 1


class Unreadable(Exception):
    """The file is no capture that this script can read."""


def frames(content):
    """The frames of a capture file of this kind of machine: little-endian."""
    if content[:4] == b"\xd4\xc3\xb2\xa1":
        found = pcap_frames(content)
    elif content[:4] == b"\n\r\r\n" and content[8:12] == b"\x4d\x3c\x2b\x1a":
        found = pcapng_frames(content)
    else:
        raise Unreadable("neither pcap with microseconds nor pcapng, little-endian")
    return (Frame(number, *rest) for number, rest in enumerate(found, 1))


def pcap_frames(content):
    if content[20:24] != struct.pack("<I", ETHERNET):
        raise Unreadable("not of Ethernet")
    at = 24
    while at < len(content):
        seconds, microseconds, size, length = struct.unpack_from("<4I", content, at)
        at += 16 + size
        if at > len(content):
            raise Unreadable("cut short in the middle of a packet")
        yield seconds * 10**9 + microseconds * 1000, content[at - size:at], length


def pcapng_frames(content):
    at, ticks = 0, []  # per second, of each interface
    while at < len(content):
        kind, size = struct.unpack_from("<2I", content, at)
        block = content[at + 8:at + size - 4]
        at += size
        if size < 12 or at > len(content):
            raise Unreadable("cut short in the middle of a block")
        if kind == 1:
            if u16(block, 0, "<") != ETHERNET:
                raise Unreadable("not of Ethernet")
            options = dict(pcapng_options(block[8:]))
            ticks.append(10 ** options.get(9, b"\x06")[0])
        elif kind == 6:
            interface, high, low, size, length = struct.unpack_from("<5I", block)
            yield (high << 32 | low) * 10**9 // ticks[interface], block[20:20 + size], length
        elif kind in (2, 3):
            raise Unreadable("packets in blocks of an old or simple kind")


def pcapng_options(data):
    while len(data) >= 4:
        code, size = struct.unpack_from("<HH", data)
        yield code, data[4:4 + size]
        data = data[4 + (size + 3) // 4 * 4:]


# --- Frames: TCP segments -----------------------------------------------------------------------------------------

FIN, SYN, ACK = 1, 2, 16
TCP = 6


class Segment:
    """What TCP carries in one frame; data is shorter than length where the capture cut the frame."""

    def __init__(self, frame, ip):
        tcp, end = ip + (frame.data[ip] & 15) * 4, ip + u16(frame.data, ip + 2)
        sport, dport, self.seq, self.ack, offset, self.flags = struct.unpack_from(">HHIIBB", frame.data, tcp)
        payload = tcp + (offset >> 4) * 4
        self.frame, self.time = frame.number, frame.time
        self.source, self.target = (frame.data[ip + 12:ip + 16], sport), (frame.data[ip + 16:ip + 20], dport)
        self.data, self.length = frame.data[payload:end], max(end - payload, 0)


def u16(data, at, order=">"):
    return struct.unpack_from(order + "H", data, at)[0]


def segment(frame):
    """The frame's TCP segment over IPv4, bare or in PPPoE, in VLANs or not; None for anything else."""
    data = frame.data
    try:
        kind, ip = u16(data, 12), 14
        while kind in (0x8100, 0x88A8):
            kind, ip = u16(data, ip + 2), ip + 4
        if kind == 0x8864 and u16(data, ip + 6) == 0x21:
            kind, ip = 0x0800, ip + 8
        if kind == 0x86DD and data[ip + 6] == TCP:
            raise Unreadable("TCP over IPv6")
        if kind != 0x0800 or data[ip + 9] != TCP:
            return None
        if u16(data, ip + 6) & 0x3FFF:
            raise Unreadable("IP fragments")
        return Segment(frame, ip)
    except (IndexError, struct.error):
        return None  # cut before the end of the TCP header


# --- TCP segments: bytes in order ---------------------------------------------------------------------------------


def connections(segments):
    """The segments of each connection. A SYN with a new number opens one."""
    found, current = [], {}
    for s in segments:
        key, opening = frozenset((s.source, s.target)), s.flags & (SYN | ACK) == SYN
        if key not in current or opening and current[key][0] != s.seq:
            current[key] = (s.seq if opening else None, [])
            found.append(current[key][1])
        current[key][1].append(s)
    return found


class Direction:
    """One direction of a connection. Positions are sequence numbers that do not wrap round."""

    def __init__(self):
        self.near = None    # a recent position
        self.covered = []   # what is captured sooner or later: [start, end]
        self.lost = []      # where whole messages may be missing: (start, end)
        self.next = self.end = None  # the position that is due; that of the FIN
        self.waiting = []   # segments beyond the one that is due
        # For HTTP: bytes in order but not yet read, the position of the first, and the segments that brought them.
        self.buffer, self.base, self.marks = bytearray(), 0, []
        self.skip = self.need = 0    # bytes to pass over; bytes without which reading on is no use
        self.exchange = None         # of the request that has begun and is not complete

    def unwrap(self, number):
        self.near = number if self.near is None else self.near
        return self.near + (number - self.near + 2**31) % 2**32 - 2**31

    def cover(self, s):
        self.near = self.unwrap(s.seq)
        s.start = self.near + bool(s.flags & SYN)
        if s.length or s.flags & FIN:
            self.covered.append([s.start, s.start + s.length + (s.flags & FIN)])

    def merge(self):
        merged = []
        for start, end in sorted(self.covered):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(end, merged[-1][1])
            else:
                merged.append([start, end])
        self.covered = merged

    def deliver(self, s):
        """What s puts in order: ("data", bytes), or ("cut", count) and ("lost", count) for what is missing there."""
        self.next = s.start if self.next is None else self.next
        if s.flags & FIN:
            self.end = s.start + s.length
        if s.length or s.flags & FIN:
            insort(self.waiting, (s.start, s.frame, s))
        while self.waiting:
            start, _, s = self.waiting[0]
            if start > self.next:
                if any(a <= self.next < b for a, b in self.covered):
                    return  # it is still to come
                missing = min(a for a, _ in self.covered if a > self.next) - self.next
                self.next += missing
                yield "lost", missing
                continue
            self.waiting.pop(0)
            data = s.data[self.next - start:]  # without what was there before
            self.next += len(data)
            if data:
                yield "data", data
            missing = start + s.length - self.next
            if missing > 0:
                self.next += missing
                yield "cut", missing

    def drop(self, count):
        del self.buffer[:count]
        self.base, self.need = self.base + count, 0
        while len(self.marks) > 1 and self.marks[1][0] <= self.base:
            self.marks.pop(0)


# --- Bytes in order: HTTP messages --------------------------------------------------------------------------------

FIRST_LINE = re.compile(rb"HTTP/1\.\d (?P<status>\d{3})(?:[ \r][^\n]*)?\n"
                        rb"|(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<target>[^ \r\n]+) HTTP/1\.\d\r?\n")
# One that the capture cut: with all of its status, or else a request to nobody knows what.
CUT_FIRST_LINE = re.compile(rb"HTTP/1\.\d (?P<status>\d{3})[^\n]*"
                            rb"|(?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<target>(?!))?[^\n]*")
# One that breaks the grammar: the target is all up to the last version.
ODD_FIRST_LINE = re.compile(rb"HTTP/1\.[^ \r\n]* +(?P<status>\d{3})[^\r\n]*(?:\r\n?|\n)"
                            rb"|(?P<method>[A-Z-]+) (?P<target>[^\r\n]*)[ \t](?i:HTTP/1\.)[^\r\n]*(?:\r\n?|\n)")
HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")
# As C's strtoll() reads it.
LENGTH = re.compile(rb"[ \t-\r]*(?:\+?(\d+)|-(0+))(?=[\0 \t\n\f\r]|\Z)")
CHUNK = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;[^\n]*)?\r?\n")
TRAILER = re.compile(rb"(?:[^\r\n][^\n]*\n)*\r?\n")
LINE_END = re.compile(rb"\r?\n")
CHARSETS = {b"iso-8859-1": "latin-1", b"shift_jis": "cp932", b"euc-jp": "euc_jp", b"utf-8": "utf-8"}
FOREVER = float("inf")


class NotHttp(Exception):
    """No HTTP message begins here, or it cannot be followed."""


class Http:
    """The message that data begins with, as far as it is there. Its length is None while that cannot be told, and
    FOREVER when only the connection's end tells."""

    def __init__(self, data, asked, closed=False, cut=False):
        first = FIRST_LINE.match(data) or cut and CUT_FIRST_LINE.fullmatch(data)
        self.invalid = not first
        first = first or ODD_FIRST_LINE.match(data)
        if not first:
            raise NotHttp
        self.status, self.method = first["status"], first["method"]
        self.target = (first["target"] or b"/").strip()
        self.interim = bool(self.status) and self.status.startswith(b"1")
        end = re.search(rb"\n\r?\n", data)
        # A header line without its end may be cut: it is not read.
        head = bytes(data[:end.start() + 1 if end else data.rfind(b"\n") + 1])
        lines = re.findall(rb"([^\r\n]*)(?:\r\n?|\n)", head)[1:]
        alone = re.search(rb"\r(?!\n)", head)
        self.invalid |= bool(alone) or not all(HEADER_LINE.fullmatch(line) for line in lines)
        fields = [line.partition(b":") for line in lines]
        self.headers = [(n.lower(), v.strip(b" \t")) for n, colon, v in fields if colon and n == n.strip()]
        self.blanks = any(n.rstrip() != n and n.strip().lower() in (b"content-length", b"transfer-encoding")
                          for n, colon, _ in fields if colon)
        self.body, self.length, self.has_body = b"", None, False
        self.headed = bool(end)  # whether all of the head is there
        if end:
            self.read_body(data, end.end(), asked, closed)
        self.media, *parameters = (p.strip().lower() for p in (self.header(b"content-type") or b"").split(b";"))
        self.media = self.media or None
        named = (re.fullmatch(rb'charset=\s*"?([^"]*)"?', p) for p in parameters)
        self.charset = next((CHARSETS.get(p[1]) for p in named if p), None)
        codings = {v.lower() for n, v in self.headers if n == b"content-encoding"} - {b"identity", b""}
        compressed = re.compile(rb"(?:x-)?gzip|(?:x-)?compress|deflate")
        self.coded = bool(codings) or any(compressed.match(c) for c in self.transfer_codings())

    def header(self, name):
        """The first header of that name, or None."""
        return next((v for n, v in self.headers if n == name), None)

    def transfer_codings(self):
        return [c.strip().lower() for n, v in self.headers if n == b"transfer-encoding" for c in v.split(b",")]

    def framing_unclear(self):
        """Whether the headers do not agree on where the body ends."""
        lengths = {number(v, 2**63 - 1, 30) for n, v in self.headers if n == b"content-length"}
        codings = self.transfer_codings()
        known = (b"chunked", b"identity", b"gzip", b"x-gzip", b"compress", b"x-compress", b"deflate")
        return (len(lengths) > 1 or None in lengths or bool(lengths and codings) or b"chunked" in codings[:-1]
                or bool(codings) and not self.status and codings[-1] != b"chunked"
                or self.blanks or not set(codings) <= set(known))

    def opens_tunnel(self, asked):
        return self.status == b"101" or asked == b"CONNECT" and self.status.startswith(b"2")

    def read_body(self, data, at, asked, closed):
        sizes = [LENGTH.match(v) for n, v in self.headers if n == b"content-length"]
        size = int(sizes[-1][1] or 0) if sizes and sizes[-1] else None
        codings = self.transfer_codings()
        self.has_body = not (self.status and (
            self.interim or self.status in (b"204", b"304") or asked == b"HEAD" or self.opens_tunnel(asked)))
        if self.has_body and any(c.startswith(b"chunked") for c in codings):
            self.body, self.length = join_chunks(data, at)
            return
        if self.has_body and size is None and (self.status or codings):
            self.length = len(data) if closed else FOREVER
        else:
            self.length = at + (size or 0) if self.has_body else at
        self.body = bytes(data[at:min(self.length, len(data))])


def join_chunks(data, at):
    """The body, as far as it is there, and where its last chunk's trailer ends (None where that is not there)."""
    body = bytearray()
    while line := CHUNK.match(data, at):
        size, at = int(line[1], 16), line.end()
        if size == 0:
            trailer = TRAILER.match(data, at)
            return bytes(body), trailer and trailer.end()
        body += data[at:at + size]
        line_end = LINE_END.match(data, at + size)
        if not line_end and len(data) > at + size + 1:
            raise NotHttp
        if not line_end:
            return bytes(body), None
        at = line_end.end()
    if b"\n" in data[at:]:
        raise NotHttp
    return bytes(body), None


class Exchange:
    """A request, and the frame of its answer."""

    def __init__(self, method, acked):
        self.method, self.acked = method, acked  # what its client had acknowledged when it began
        self.frame = self.time = self.shown = self.answer = None


class Connection:
    """Cuts both directions into messages and pairs them, first come first served."""

    def __init__(self, segments):
        self.pending = []   # exchanges without their response
        self.over = False   # in a tunnel: nothing that follows is HTTP
        self.found = []     # the M-CAS messages
        sides = {end: Direction() for s in segments for end in (s.source, s.target)}
        for s in segments:
            sides[s.source].cover(s)
            s.acked = sides[s.target].unwrap(s.ack) if s.flags & ACK else 0
        for side in sides.values():
            side.merge()
        for s in segments:
            self.feed(sides[s.source], s)

    def feed(self, side, s):
        for kind, what in side.deliver(s):
            if kind == "data":
                if not side.buffer:
                    side.base, side.marks = side.next - len(what), []
                side.marks.append((side.base + len(side.buffer), s))
                side.buffer += what
                self.read(side, s)
            else:
                self.leap(side, what, kind == "cut")
        if side.end is not None and side.next >= side.end:
            self.read(side, s, closed=True)

    def read(self, side, s, closed=False):
        """Takes what messages are complete."""
        while side.buffer and not self.over:
            blank = re.match(rb"[\r\n]*", side.buffer).end()
            past = min(side.skip, len(side.buffer)) or blank
            if past:
                side.skip = max(side.skip - past, 0)
                side.drop(past)
                continue
            if b"\n" not in side.buffer or len(side.buffer) < side.need and not closed:
                return
            try:
                message = Http(side.buffer, self.asked(side), closed)
            except NotHttp:
                # Perhaps a message starts with the newest segment.
                side.drop(side.marks[-1][0] - side.base if len(side.marks) > 1 else len(side.buffer))
                continue
            side.need = message.length or 0
            if message.length is None or message.length > len(side.buffer):
                if message.method and message.headed and not side.exchange:
                    side.exchange = self.ask(message, side, s, whole=False)
                return
            self.take(message, side, s, whole=True)
            side.drop(message.length)

    def leap(self, side, count, cut):
        """Goes on where count bytes are missing: cut off by the capture, or lost."""
        try:
            asked = self.pending[0].method if self.pending else None
            message = Http(side.buffer, asked, cut=cut) if not self.over else None
        except NotHttp:
            message = None
        if message:
            if cut:
                self.take(message, side, side.marks[0][1], whole=False)
            elif message.status and not message.interim and self.pending:
                self.pending.pop(0)
            side.skip = max((message.length or 0) - len(side.buffer), 0)
        side.exchange = None
        side.drop(len(side.buffer))
        if side.skip < count:
            # Beyond the known end of a message, only the start of a segment can be the start of another.
            side.lost.append((side.next - count + side.skip, side.next))
            side.skip = count
        side.skip -= count

    def asked(self, side):
        """The method of the request that side's next response answers."""
        # Where bytes are lost that the client acknowledged before its next request, the response is lost in them.
        while len(self.pending) > 1 and any(start < self.pending[1].acked and end > self.pending[0].acked
                                            for start, end in side.lost):
            self.pending.pop(0)
        return self.pending[0].method if self.pending else None

    def ask(self, message, side, s, whole):
        """The exchange of a request of which at least the head is there: it may be answered from then on."""
        exchange = side.exchange
        if not exchange:
            exchange = Exchange(message.method, s.acked)
            self.pending.append(exchange)
        message.shown = exchange.shown = read_request(message, whole)
        if exchange.answer is None:
            exchange.frame, exchange.time = s.frame, s.time
        elif message.shown:
            message.shown.add("response_in", exchange.answer)
        return exchange

    def take(self, message, side, s, whole):
        message.frame, message.time = s.frame, s.time
        if message.method:
            exchange = self.ask(message, side, s, whole)
            side.exchange = None
        else:
            asked = self.asked(side)
            self.over = message.opens_tunnel(asked)
            if message.interim:
                return
            exchange = self.pending.pop(0) if self.pending else None
            message.shown = read_response(message, exchange, whole)
        if message.shown:
            learn(message, IPv4Address(s.target[0]))
            message.object = saved(message, exchange, IPv4Address(s.target[0]), whole)
            self.found.append(message)


# --- M-CAS: values, and the fields and notes they give ------------------------------------------------------------

TEXTS = {b"companycode": "company_code", b"servicecode": "service_code", b"controlcode": "control_code",
         **{k.encode(): k for k in "sip_domain username password area_code url_update url_update_cas".split()}}
ADDRESSES = (b"ip_addr", b"gateway", b"sipsv_addr", b"regsv_addr")
# Greatest value, most digits.
NUMBERS = {b"resultcode": (65535, 5), b"netmask": (32, 10), b"dscp": (63, 10), b"term_type": (255, 10),
           **{k: (65535, 10) for k in (b"sipsv_port", b"regsv_port", b"rtpport1", b"rtpport2")}}
# Keys that mean something in an extension's configuration and in a setup push alone.
EXTENSION_KEYS, WITH_EXTENSION_KEYS = (b"id", b"term_type"), range(9, 13)
BIGIP_V4 = re.compile(rb"(\d+)\.(\d+)\.\d{4}")
BIGIP_V6 = re.compile(rb"vi([0-9A-Fa-f]{32})\.(\d+)(?:\.0000)?")
BIGIP_RD = re.compile(rb"rd(\d+)o([0-9A-Fa-f]{32})o(\d+)")


def text(data, charset=None):
    """As people read it: in its charset, or else UTF-8, or else ISO-8859-1; NUL as its picture, and what XML cannot
    hold as what is no text."""
    for codec in (charset, "utf-8", "latin-1"):
        with contextlib.suppress(UnicodeDecodeError):
            if codec:
                return data.decode(codec).translate({0: "\u2400", 0xfffe: "\ufffd", 0xffff: "\ufffd"})


def number(data, most, digits=10):
    """The number in decimal digits, or None."""
    return int(data) if re.fullmatch(rb"\d{1,%d}" % digits, data) and int(data) <= most else None


def address(data):
    """The dotted IPv4 address without leading zeros, or None."""
    octets = [int(o) if re.fullmatch(rb"0|[1-9]\d{0,2}", o) else 256 for o in data.split(b".")]
    return IPv4Address(bytes(octets)) if len(octets) == 4 and max(octets) < 256 else None


def unreadable(data):
    """The note on a value that is not what its key asks for."""
    return "value.masked" if re.fullmatch(rb"(?=.*[Xx*])[0-9.:/\-&, Xx*]*", data) else "value.invalid"


def bigip(value):
    """What a persistence cookie holds, as (child, value) in wire order; None where it is no known form."""
    def swapped(port):
        return port >> 8 | (port & 255) << 8

    if form := BIGIP_V4.fullmatch(value):
        host, port = number(form[1], 2**32 - 1), number(form[2], 65535)
        if None not in (host, port):
            return [("addr", IPv4Address(host.to_bytes(4, "little"))), ("port", swapped(port))]
    elif form := BIGIP_V6.fullmatch(value):
        if (port := number(form[2], 65535)) is not None:
            return [("addr6", IPv6Address(int(form[1], 16))), ("port", swapped(port))]
    elif form := BIGIP_RD.fullmatch(value):
        domain, port, host = number(form[1], 2**32 - 1), number(form[3], 65535), int(form[2], 16)
        if None not in (domain, port):
            mapped = host >> 32 == 0xFFFF  # an IPv4 address
            host = ("addr", IPv4Address(host & 0xFFFFFFFF)) if mapped else ("addr6", IPv6Address(host))
            return [("route_domain", domain), host, ("port", port)]
    return None


class Sent:
    """Bytes as sent, and as meant once percent-decoded."""

    def __init__(self, raw, percent):
        self.raw, self.marks = raw, re.findall(rb"(?s)%[0-9A-Fa-f]{2}|." if percent else rb"(?s).", raw)
        self.meant = bytes(int(m[1:], 16) if len(m) == 3 else 32 if percent and m == b"+" else m[0]
                           for m in self.marks)

    def part(self, start, end):
        """As sent, the bytes start to end of what is meant."""
        return b"".join(self.marks[start:end])


class Shown:
    """The fields and notes of one message."""

    def __init__(self, kind):
        self.kind, self.fields, self.expert = kind, [], []
        self.values = {}  # by key, each value; None where it is not typed
        self.result, self.cut_pair = None, False  # the first ResultCode as sent; whether the cut is in a pair
        self.charset = None  # what text is declared to be in
        self.lists = kind == 8  # whether an extension list is still to come
        self.terminal = None  # the first terminal, as in the summary
        self.add("type", kind)

    def add(self, name, value, raw=None):
        self.fields.append(["mcas." + name, None if value is None else str(value), None if raw is None else raw.hex()])

    def add_text(self, name, raw, optional=False):
        if raw or not optional:
            self.add(name, text(raw), raw)

    def add_sent(self, name, sent):
        self.add(name, text(sent.meant, self.charset), sent.raw)

    def note(self, name):
        self.expert.append("mcas." + name)

    def first(self, name):
        return next((v for n, v, _ in self.fields if n == "mcas." + name), None)

    def pair(self, raw, percent, cut):
        """One `key=value`, or a line that should have been one."""
        raw_name, equals, raw_value = raw.partition(b"=")
        name, value = Sent(raw_name, percent), Sent(raw_value, percent)
        key, meant, typed, problem, listed = name.meant.lower(), value.meant, None, None, False
        extra = re.fullmatch(rb"ip_tel_num(\d{0,5})", key)
        if cut:
            self.cut_pair, problem = True, "truncated"
        elif not equals:
            problem = "param.unknown"
        elif self.lists and key != b"resultcode":
            listed, self.lists = True, False
        elif key in EXTENSION_KEYS and self.kind not in WITH_EXTENSION_KEYS:
            problem = "param.unknown"
        elif extra and int(extra[1] or 0) <= 65535:
            self.text_value("ip_tel_num", value)
            self.add("ip_tel_num.index", int(extra[1] or 0), name.part(*extra.span(1)) if extra[1] else None)
            key = b"ip_tel_num"
        elif key in TEXTS:
            self.text_value(TEXTS[key], value)
            if key in (b"username", b"password") and re.search(rb"[^Xx*]", meant):
                self.note("credentials")
        elif key in (b"terminalid", b"id"):
            self.terminal_id(value)
        elif key == b"dest_nw_addr":
            self.routes(value)
        elif key in ADDRESSES or key in NUMBERS:
            zeros = key == b"resultcode" and re.fullmatch(rb"0+", meant)
            typed = address(meant) if key in ADDRESSES else 0 if zeros else number(meant, *NUMBERS[key])
            if typed is None:
                problem = unreadable(meant)
            else:
                self.add("result_code" if key == b"resultcode" else text(key), typed, value.raw)
            if key == b"dscp" and typed is not None:
                self.add("dscp.tos", "0x%02x" % (typed << 2))
        else:
            problem = "param.unknown"
        if problem or listed:
            for field, sent in (("param", Sent(raw, percent)), ("param.name", name), ("param.value", value)):
                self.add_sent(field, sent)
        if problem:
            self.note(problem)
        if listed:
            for entry in filter(None, raw_value.split(b",")):
                self.text_value("extension", Sent(entry, percent))
        elif equals and not cut:
            self.values.setdefault(key, []).append(typed)
            if key == b"resultcode" and self.result is None:
                self.result = meant
                if not re.fullmatch(rb"0+", meant):
                    self.note("result_code.failure")

    def text_value(self, field, value):
        self.add_sent(field, value)
        if re.fullmatch(rb"[Xx*]+", value.meant):
            self.note("value.masked")

    def terminal_id(self, value):
        self.add_sent("terminal_id", value)
        name = text(value.meant, self.charset)
        if re.fullmatch(rb"[0-9A-Fa-f]{12}", value.meant):
            name = ":".join(re.findall("..", name.lower()))
            self.add("terminal_id.mac", name)
        elif value.meant:
            masked = re.fullmatch(rb"(?=.*[Xx*])[0-9A-Fa-fXx*]+", value.meant)
            self.note("value.masked" if masked else "value.invalid")
        if re.match(rb"[0-9A-Fa-f]{6}", value.meant):
            oui = int(value.meant[:6], 16)
            self.add("terminal_id.oui", oui)
            if oui in VENDORS:
                self.add("terminal_id.oui_resolved", None)
                name += " (%s)" % VENDORS[oui]
        self.terminal = name if self.terminal is None else self.terminal

    def routes(self, value):
        self.add_sent("dest_nw_addr", value)
        at = 0
        for entry in value.meant.split(b"&") if value.meant else ():
            left, slash, right = entry.partition(b"/")
            network, prefix = address(left), number(right, 32)
            if network is None or prefix is None:
                self.note(unreadable(entry))
            else:
                self.add("dest_nw_addr.network", network, value.part(at, at + len(left)))
                self.add("dest_nw_addr.prefix", prefix, value.part(at + len(left + slash), at + len(entry)))
                if int(network) & (0xFFFFFFFF >> prefix):
                    self.note("value.host_bits")
            at += len(entry) + 1

    def form(self, data, cut=False):
        pieces = (data if cut else data.rstrip(b"\r\n")).split(b"&")
        for left, piece in zip(range(len(pieces) - 1, -1, -1), pieces):
            if piece:
                self.pair(piece, True, cut and left == 0)

    def lines(self, data, cut):
        data = data.removeprefix(BOM)
        *lines, last = data.split(b"\n")
        for line in lines:
            line = line[:-1] if line.endswith(b"\r") else line
            if line:
                self.pair(line, False, False)
        if last:
            self.pair(last, False, cut)

    def cookie(self, pair):
        name, equals, value = (part.strip(b" \t") for part in pair.partition(b"="))
        value = value[1:-1] if re.fullmatch(rb'".*"', value) else value
        if not equals or not name.startswith(b"BIGipServer"):
            return
        self.add_text("bigip", value)
        self.add_text("bigip.pool", name[len(b"BIGipServer"):], optional=True)
        held = bigip(value)
        for child, what in held or ():
            self.add("bigip." + child, what)
        if not held and not value.startswith(b"!"):
            masked = re.fullmatch(rb"(?=.*[Xx*])[0-9.Xx*]*", value)
            self.note("value.masked" if masked else "value.invalid")

    def user_agent(self, value):
        # The comment ends at the last parenthesis, or at the end where there is none.
        version, carriers = re.fullmatch(rb"(?s)M-CAS/([^ ]*)(?: \((.*?)(?:\)[^)]*)?| .*)?", value).groups()
        device, _, carriers = (carriers or b"").partition(b";")
        model, space, firmware = device.strip(b" ").rpartition(b" ")
        self.add_text("user_agent", value)
        self.add_text("user_agent.version", version, optional=True)
        self.add_text("device.model", model if space else firmware, optional=True)
        self.add_text("device.firmware", firmware if space else b"", optional=True)
        for carrier in carriers.split(b"/"):
            self.add_text("device.carrier", carrier.strip(b" "), optional=True)

    def host(self, name):
        self.add_text("host", name)
        if odm := re.fullmatch(rb"(?i)verup-mcas\.(.+)\.flets\.?", name):
            self.add_text("odm", odm[1])

    def body(self, message, whole):
        """The message's body, and the notes that need all of the message."""
        if message.invalid:
            self.note("head.invalid")
        if message.headed and message.framing_unclear():
            self.note("framing.unclear")
        image = self.kind == 4 and message.status in (b"200", b"206") and message.has_body
        rule = grammar(message, self.kind)
        self.charset = message.charset
        if message.coded and message.body and (rule or image):
            self.note("body.encoded")
        elif rule == "form":
            self.form(message.body, not whole)
        elif rule == "lines":
            self.lines(message.body, not whole)
        if image:
            self.add("firmware.size", len(message.body))
            if message.status == b"200" and whole and not message.coded:
                self.add("firmware.sha256", hashlib.sha256(message.body).hexdigest())
        if not whole and not self.cut_pair:
            self.note("truncated")
        low, high, here, gateway, prefix = (self.values.get(key, [None])[0] for key in (
            b"rtpport1", b"rtpport2", b"ip_addr", b"gateway", b"netmask"))
        if None not in (low, high) and low > high:
            self.note("value.inconsistent")
        if None not in (here, gateway, prefix) and (int(here) ^ int(gateway)) >> (32 - prefix):
            self.note("value.inconsistent")


# --- M-CAS: messages ----------------------------------------------------------------------------------------------

FORM, PLAIN = b"application/x-www-form-urlencoded", b"text/plain"
BOM = "\ufeff".encode()


def begins_with_result(body):
    return body.removeprefix(BOM).lower().startswith(b"resultcode=")


def grammar(message, kind):
    """How the body of a message of that type is read: as a "form", as "lines", or not (None)."""
    if message.status:
        readable = message.media in (None, PLAIN, FORM) or begins_with_result(message.body)
        return "lines" if readable and kind != 4 else None
    if kind in (1, 9, 11) or message.media == FORM:
        return "form"
    if message.media == PLAIN:
        return "lines"
    if message.media is None and (b"=" in message.body or message.coded):
        return "lines" if re.search(rb"[\r\n]", message.body.rstrip(b"\r\n")) else "form"
    return None


def split_target(target):
    """Authority and query, each None where there is none, and path."""
    absolute = re.fullmatch(rb"(?i)https?://([^/?]*)(.*)", target)
    authority, rest = absolute.groups() if absolute else (None, target)
    path, mark, query = rest.partition(b"?")
    return authority, query if mark else None, path or b"/"


def without_port(host):
    if host is None:
        return None
    name, colon, port = host.rpartition(b":")
    if not colon or port.strip(b"0123456789") or b":" in name and name[:1] != b"[" and (
            is_ipv6(host) or not is_ipv6(name)):
        return host
    return name


def is_ipv6(name):
    with contextlib.suppress(ValueError):
        return b"%" not in name and bool(IPv6Address(text(name)))


def same_host(one, other):
    return one.lower().removesuffix(b".") == other.lower().removesuffix(b".")


def keys(*forms):
    """The keys of all pairs, in lower case."""
    pairs = (pair.partition(b"=") for form in forms if form for pair in form.split(b"&"))
    return {Sent(name, True).meant.lower() for name, equals, _ in pairs if equals}


def lan_type(message, path, query):
    """The type of a request of the LAN side: its path and its form tell, whatever its host and media type."""
    place, asks = path[:-1] if path.endswith(b"/") else path, message.method
    named = keys(query, message.body if not message.coded else None)
    if place == b"/cas_tel_list" and asks == b"GET":
        return 7
    if place == b"/cas_tel_conf" and asks in (b"PUT", b"POST") and named >= {b"id", b"ip_tel_num"}:
        return 9
    if place == b"/voip_setup.cgi" and asks in (b"GET", b"POST") and named & {b"ip_tel_num", b"sipsv_addr"}:
        return 11
    return None


def request_type(message, hosts, path, query):
    """The type of an M-CAS request; None for any other."""
    if kind := lan_type(message, path, query):
        return kind
    ours = any(h is not None and (same_host(h, b"add-con.mcas") or h.lower().startswith(b"verup-mcas.")) for h in hosts)
    if not ours and not (message.header(b"user-agent") or b"").startswith(b"M-CAS/"):
        return None
    if path == b"/verup/notify.cgi":
        return 5
    if message.method in (b"GET", b"HEAD") and b"/fw/" in path:
        return 3
    body = message.body if grammar(message, None) == "form" and not message.coded else None
    if b"terminalid" in keys(query, body):
        return 1
    return 1 if message.method == b"POST" and path == b"/" else 0


def read_request(message, whole):
    authority, query, path = split_target(message.target)
    target, asked = without_port(authority and authority.rpartition(b"@")[2]), without_port(message.header(b"host"))
    kind = request_type(message, (target, asked), path, query)
    if kind is None:
        return None
    shown = Shown(kind)
    if target is not None:
        shown.host(target)
    if kind == 3:
        shown.add_text("firmware.path", path)
        model, slash, _ = path.partition(b"/fw/")[2].partition(b"/")
        shown.add_text("firmware.model", model if slash else b"", optional=True)
        shown.add_text("firmware.file", path.rpartition(b"/")[2], optional=True)
    if query is not None:
        shown.form(query)
    firsts = dict(reversed([(name, at) for at, (name, _) in enumerate(message.headers)]))
    for at, (name, value) in enumerate(message.headers):
        if name == b"cookie":
            for pair in value.split(b";"):
                shown.cookie(pair)
        elif at == firsts[name] and name == b"host" and (target is None or not same_host(asked, target)):
            shown.host(asked)
            if target is not None:
                shown.note("value.inconsistent")
        elif at == firsts[name] and name == b"user-agent" and value.startswith(b"M-CAS/"):
            shown.user_agent(value)
    shown.body(message, whole)
    return shown


def read_response(message, request, whole):
    if request and request.shown:
        kind = request.shown.kind + 1 if request.shown.kind else 13
    elif not request and message.body[:11].lower() == b"resultcode=" and not message.coded:
        kind = 2
    else:
        return None
    shown = Shown(kind)
    shown.add_text("status", message.status)
    for name, value in message.headers:
        if name == b"set-cookie":
            shown.cookie(value.partition(b";")[0])
    shown.body(message, whole)
    succeeded = message.status == b"200" and shown.values.get(b"resultcode", [None])[0] == 0
    if kind == 2 and succeeded and whole and not message.coded:
        for key in (b"ip_addr", b"sipsv_addr", b"ip_tel_num"):
            if key not in shown.values:
                shown.note("param.missing")
    if request:
        request.answer = message.frame
        request.shown.add("response_in", message.frame)
        shown.add("response_to", request.frame)
        shown.add("time", "%d.%09d" % divmod(message.time - request.time, 10**9))
    else:
        shown.note("response.unmatched")
    return shown


# Ports that Wireshark has a dissector for: of those that the captures name.
TAKEN = {80, 5060, 5072}


def learn(message, target):
    """The endpoints that an answer names, for Wireshark to look at."""
    shown = message.shown
    value = lambda key: next((v for v in shown.values.get(key, ()) if v is not None), None)
    if shown.kind not in (2, 10, 11) or shown.kind != 11 and message.status != b"200" or value(b"resultcode"):
        return
    if "mcas.response.unmatched" in shown.expert:  # anybody's
        return
    found = []
    for server in (b"sipsv", b"regsv"):
        port = value(server + b"_port")
        if port not in TAKEN:
            found.append(("SIP", value(server + b"_addr"), port, None))
    device = value(b"ip_addr") if shown.kind == 2 else target
    found.append(("RTP", device, value(b"rtpport1"), value(b"rtpport2")))
    if url := re.fullmatch(r"(?i)http://([\d.]+)(?::(\d{1,5}))?(?:[/?].*)?", shown.first("url_update_cas") or ""):
        port = int(url[2] or 80)
        if port not in TAKEN and port < 65536:
            found.append(("HTTP", address(url[1].encode()), port, None))
    for protocol, at, first, last in dict.fromkeys(found):
        host = at and at != IPv4Address("0.0.0.0") and int(at) < int(IPv4Address("224.0.0.0"))
        if not host or not first or protocol == "RTP" and (last is None or first > last):
            continue
        shown.add("learned", "%s at %s:%d%s" % (protocol, at, first, "-%d" % last if last and last != first else ""))
        shown.add("learned.protocol", protocol)
        shown.add("learned.addr", at)
        shown.add("learned.port", first)
        if last:
            shown.add("learned.last_port", last)


def saved(message, exchange, target, whole):
    """Name and digest of what can be saved of a message: whole bodies as they were meant."""
    safe = lambda name: re.sub(r"[^A-Za-z0-9._-]", "_", name[-100:])
    kind, request = message.shown.kind, exchange and exchange.shown
    document = {2: "provisioning", 4: None, 10: "configuration", 11: "setup-push"}.get(kind, "")
    if document == "" or kind != 11 and message.status != b"200" or not whole or message.coded or not message.body:
        return None
    if document:
        device = request and request.first("terminal_id") or str(target)
        name = "%s-%s.txt" % (safe(device.lower()), document)
    else:
        model, file = request.first("firmware.model"), request.first("firmware.file")
        name = "-".join(safe(part) for part in (model, file or "firmware.bin") if part)
    return [name, hashlib.sha256(message.body).hexdigest()]


def credentials(shown):
    """User names, and whether a password comes with each; what is empty or masked is none."""
    rows = []
    for name, value, _ in shown.fields:
        which = ("mcas.username", "mcas.password").index(name) if name in ("mcas.username", "mcas.password") else None
        if which is None or not value.strip("Xx*"):
            continue
        if not rows or rows[-1][which]:
            rows.append([None, False])
        rows[-1][which] = True if which else value
    return rows


TITLES = {0: "Other request", 1: "Provisioning request", 2: "Provisioning response", 3: "Firmware request",
          4: "Firmware response", 5: "Update notification", 6: "Update notification response",
          7: "Extension list request", 8: "Extension list response", 9: "Extension configuration request",
          10: "Extension configuration response", 11: "Setup push", 12: "Setup push response", 13: "Other response"}


def summary(shown):
    """The message in one line, as in the Info column."""
    first, kind = shown.first, shown.kind
    if kind == 3:
        device = " ".join(filter(None, (first("device.model"), first("device.firmware"))))
        parts = [" → ".join(filter(None, (device, first("firmware.file"))))]
    else:
        status, outcome = first("status"), None
        if status and shown.result:
            outcome = "Success" if re.fullmatch(rb"0{1,5}", shown.result) else "result " + text(shown.result)
        elif status != "200" or kind == 4:
            outcome = status
        size, network, server = first("firmware.size"), first("ip_addr"), first("sipsv_addr")
        free = ",".join(v for n, v, _ in shown.fields if n == "mcas.extension")
        phone = first("ip_tel_num")
        if phone and 7 <= kind <= 12:
            phone = "extension " + phone
        if network and first("netmask"):
            network += "/" + first("netmask")
        if server and first("sipsv_port"):
            server += ":" + first("sipsv_port")
        parts = [shown.terminal and "terminal " + shown.terminal, outcome, free and "extensions " + free,
                 size and size + " bytes", " at ".join(filter(None, (phone, network))), server and "SIP " + server]
    return ", ".join(filter(None, [TITLES[kind]] + parts))


# --- Command line -------------------------------------------------------------------------------------------------


def expected(path):
    """The M-CAS messages of a capture file, as printed."""
    try:
        with open(path, "rb") as file:
            segments = list(filter(None, map(segment, frames(file.read()))))
    except (OSError, Unreadable, struct.error, IndexError) as error:
        raise Unreadable("%s: %s" % (path, error)) from error
    found = [message for one in connections(segments) for message in Connection(one).found]
    return [{"frame": m.frame, "type": m.shown.kind, "summary": summary(m.shown), "fields": m.shown.fields,
             "expert": m.shown.expert, "object": m.object, "credentials": credentials(m.shown)}
            for m in sorted(found, key=lambda m: m.frame)]


def main(arguments):
    if len(arguments) != 1:
        raise Unreadable("usage: expect.py CAPTURE")
    sys.stdout.reconfigure(encoding="utf-8")
    for message in expected(arguments[0]):
        print(json.dumps(message, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unreadable as error:
        print(error, file=sys.stderr)
        sys.exit(2)
