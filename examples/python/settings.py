#!/usr/bin/python3
"""settings.py CAPTURE: what gateways and phones told and were told.

Reads a pcap or pcapng file of Ethernet with dpkt (python3-dpkt), puts each
direction of each TCP connection together, and prints what every key of every
M-CAS message in it says. Exits with 1 if the capture cannot be read, and with
3 if it is cut or broken: then what was in front of that is printed.

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import signal
import struct
import sys
from collections import defaultdict

import dpkt
import mcas


class Capture:
    """A file for dpkt, which does not mind one that ends in a record."""

    def __init__(self, file):
        self.file, self.seek = file, file.seek
        self.short = self.cut = False

    def read(self, size):
        # A block of all that follows; or of gigabytes, to make room for.
        if not 0 <= size < 2**28:
            raise ValueError(f"a block of {size} bytes")
        # But for the last read, which is for another record, all come back
        # with what was asked for.
        self.cut |= self.short
        data = self.file.read(size)
        self.short = len(data) < size
        self.cut |= self.short and len(data) > 0
        return data


def segments(capture):
    """By (sender, receiver), {sequence number: data}; and what is wrong with
    the capture, or None."""
    flows = defaultdict(dict)
    broken = ValueError, struct.error, dpkt.Error
    try:
        reader = dpkt.pcap.UniversalReader(capture)
    except broken as problem:
        sys.exit(f"settings.py: no capture that can be read: {problem}")
    if reader.datalink() != dpkt.pcap.DLT_EN10MB:
        sys.exit(f"settings.py: link type {reader.datalink()}, not Ethernet")
    wrong = None
    try:
        for _, frame in reader:
            add(frame, flows)
    except broken as problem:
        wrong = f"broken: {problem}"
    cut = capture.cut or wrong and capture.short
    return flows, "cut short" if cut else wrong


def add(frame, flows):
    """Adds a frame's segment, if it has one."""
    try:
        ip = dpkt.ethernet.Ethernet(frame)
    except dpkt.Error:
        return
    while ip is not None and not isinstance(ip, dpkt.ip.IP):
        ip = getattr(ip, "data", None)  # it may be in PPPoE
    tcp = getattr(ip, "data", None)
    if isinstance(tcp, dpkt.tcp.TCP) and tcp.data:
        ends = (ip.src, tcp.sport), (ip.dst, tcp.dport)
        flows[ends].setdefault(tcp.seq, tcp.data)


def stream(parts):
    """What was sent, as far as the capture has it without a gap."""
    first, data = next(iter(parts), 0) - 2**31, bytearray()
    # Numbers begin anywhere and wrap around.
    parts = {(number - first) % 2**32: parts[number] for number in parts}
    start = min(parts, default=0)
    for at in sorted(parts):
        if at - start > len(data):
            break
        data += parts[at][len(data) - (at - start):]
    return data


def main(arguments):
    if len(arguments) != 1:
        print("usage: settings.py CAPTURE", file=sys.stderr)
        return 2
    with open(arguments[0], "rb") as file:
        flows, wrong = segments(Capture(file))
    for sender, receiver in list(flows):
        # A response is read with its request; requests do not mind.
        asked = mcas.messages(stream(flows.get((receiver, sender), {})))
        told = stream(flows[sender, receiver])
        for message in mcas.messages(told, asked):
            keys = [item for item in message.items if item.info.get("key")]
            if keys:
                address = dpkt.utils.inet_to_str(receiver[0])
                print(f"{message.name} to {address}")
            for item in keys:
                print("   ", item.text)
    if wrong:
        print(f"settings.py: {arguments[0]}: {wrong}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    # Who pipes it into head, or presses Ctrl-C, wants to hear no more.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        with sys.stdout:  # A full disk may say so no sooner than now.
            status = main(sys.argv[1:])
    except OSError as problem:
        sys.exit(f"settings.py: {problem}")
    sys.exit(status)
