#!/usr/bin/python3
"""settings.py CAPTURE: what gateways and phones told and were told.

Reads a pcap or pcapng file of Ethernet with dpkt (python3-dpkt), gives TCP's
segments in it to libmcas, and prints each M-CAS message with what every key in
it says. In front stands the frame that it ends in; a request and the response
to it are of one exchange. Exits with 1 if the capture cannot be read, and with
3 if it is cut or broken: then what was in front of that is printed.

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import signal
import struct
import sys

import dpkt
import mcas


class Capture:
    """A file for dpkt, which does not mind one that ends in a record."""

    def __init__(self, file):
        self.file, self.seek = file, file.seek
        self.short = self.cut = False
        self.wrong = None  # what is wrong with it

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


def frames(capture):
    """Time and bytes of each frame; capture.wrong says why there are no
    more."""
    broken = ValueError, struct.error, dpkt.Error
    try:
        reader = dpkt.pcap.UniversalReader(capture)
    except broken as problem:
        sys.exit(f"settings.py: no capture that can be read: {problem}")
    if reader.datalink() != dpkt.pcap.DLT_EN10MB:
        sys.exit(f"settings.py: link type {reader.datalink()}, not Ethernet")
    try:
        yield from reader
    except broken as problem:
        capture.wrong = f"broken: {problem}"
    if capture.cut or capture.wrong and capture.short:
        capture.wrong = "cut short"


FLAGS = (
    (dpkt.tcp.TH_SYN, mcas.MCAS_SEGMENT_SYN),
    (dpkt.tcp.TH_FIN, mcas.MCAS_SEGMENT_FIN),
    (dpkt.tcp.TH_RST, mcas.MCAS_SEGMENT_RST),
    (dpkt.tcp.TH_ACK, mcas.MCAS_SEGMENT_ACK),
)


def track(tracker, number, time, frame):
    """Gives a frame's segment to the tracker, if it has one."""
    try:
        ip = dpkt.ethernet.Ethernet(frame)
    except dpkt.Error:
        return
    while ip is not None and not isinstance(ip, (dpkt.ip.IP, dpkt.ip6.IP6)):
        ip = getattr(ip, "data", None)  # it may be in PPPoE
    tcp = getattr(ip, "data", None)
    if not isinstance(tcp, dpkt.tcp.TCP):
        return
    flags = sum(ours for theirs, ours in FLAGS if tcp.flags & theirs)
    if isinstance(ip, dpkt.ip.IP):
        length, identification = ip.len - 4 * ip.hl, ip.id
        flags |= mcas.MCAS_SEGMENT_IDENTIFIED
    else:
        behind = filter(None, ip.extension_hdrs.values())
        length, identification = ip.plen - sum(map(len, behind)), 0
    tracker.segment(
        (ip.src, tcp.sport), (ip.dst, tcp.dport), tcp.data,
        # A frame may have been captured in part.
        length=max(length - 4 * tcp.off, len(tcp.data)),
        sequence=tcp.seq, acknowledged=tcp.ack, flags=flags, tag=number,
        time=int(time * 10**9), identification=identification)


def show(tracker):
    """Prints the messages that were found."""
    for message in tracker:
        found, exchange = message.found, f"exchange {message.exchange}"
        if found.flags & mcas.MCAS_TRACK_UNCERTAIN:
            exchange = "it may answer one of several requests"
        receiver = bytes(found.to)[:found.address_length]
        receiver = dpkt.utils.inet_to_str(receiver)
        print(f"{found.last_tag} {message.name} to {receiver} ({exchange})")
        tracker.forget(message.exchange - 1)
        for item in message.items:
            if item.info.get("key"):
                print("   ", item.text)


def main(arguments):
    if len(arguments) != 1:
        print("usage: settings.py CAPTURE", file=sys.stderr)
        return 2
    tracker = mcas.Tracker()
    with open(arguments[0], "rb") as file:
        capture = Capture(file)
        for number, (time, frame) in enumerate(frames(capture), 1):
            track(tracker, number, time, frame)
            show(tracker)
    tracker.finish()
    show(tracker)
    if capture.wrong:
        print(f"settings.py: {arguments[0]}: {capture.wrong}", file=sys.stderr)
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
