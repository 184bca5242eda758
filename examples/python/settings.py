#!/usr/bin/python3
"""settings.py CAPTURE: what gateways and phones told and were told.

Reads a pcap or pcapng file of Ethernet with dpkt (python3-dpkt), puts each
direction of each TCP connection together, and prints what every key of every
M-CAS message in it says.

SPDX-License-Identifier: MIT OR Apache-2.0
"""

import sys
from collections import defaultdict

import dpkt
import mcas

flows = defaultdict(dict)  # (sender, receiver): {sequence number: data}
with open(sys.argv[1], "rb") as capture:
    for _, frame in dpkt.pcap.UniversalReader(capture):
        ip = dpkt.ethernet.Ethernet(frame)
        while not isinstance(ip, (dpkt.ip.IP, bytes)):  # it may be in PPPoE
            ip = ip.data
        tcp = getattr(ip, "data", None)
        if isinstance(tcp, dpkt.tcp.TCP) and tcp.data:
            ends = (ip.src, tcp.sport), (ip.dst, tcp.dport)
            flows[ends].setdefault(tcp.seq, tcp.data)


def stream(sender, receiver):
    """What was sent, as far as the capture has it without a gap."""
    parts = flows.get((sender, receiver), {})
    first, data = next(iter(parts), 0) - 2**31, b""
    # Numbers begin anywhere and wrap around.
    parts = {(number - first) % 2**32: parts[number] for number in parts}
    start = min(parts, default=0)
    for at in sorted(parts):
        if at - start > len(data):
            break
        data += parts[at][len(data) - (at - start):]
    return data


for sender, receiver in list(flows):
    # A response is read with its request; requests do not mind.
    asked = mcas.messages(stream(receiver, sender))
    for message in mcas.messages(stream(sender, receiver), asked):
        keys = [item for item in message.items if item.info.get("key")]
        if keys:
            address = dpkt.utils.inet_to_str(receiver[0])
            print(f"{message.name} to {address}")
        for item in keys:
            print("   ", item.text)
