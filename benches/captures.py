#!/usr/bin/env python3
"""captures.py KIND COUNT FILE: writes a capture to measure tshark with.

KIND is web (so many sessions of 12 packets), mcas (so many provisioning
exchanges, each on a connection of its own as the gateways do it) or firmware
(one image of so many bytes). The same arguments always give the same bytes.
"""
import socket
import struct
import sys
from pathlib import Path

SAMPLES = Path(__file__).parent / "samples"
SEGMENT = 1448
FIN, SYN, PSH, ACK = 1, 2, 8, 16


def sample(name):
    return (SAMPLES / name).read_bytes().replace(b"\n", b"\r\n")


class Capture:
    """A pcap file; packets are a millisecond apart."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(
            struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1))
        self.packets = 0

    def push(self, frame):
        seconds, milliseconds = divmod(self.packets, 1000)
        self.file.write(struct.pack(
            "<IIII", 1_700_000_000 + seconds, milliseconds * 1000,
            len(frame), len(frame)))
        self.file.write(frame)
        self.packets += 1


class Connection:
    """One TCP connection; checksums stay 0, which nobody verifies."""

    def __init__(self, capture, number):
        self.capture = capture
        # So many connections that neither ports nor hosts do alone.
        client = bytes([10, 1, number // 20000 % 256, 1])
        server = socket.inet_aton("10.139.75.42")
        port = 20000 + number % 20000
        self.ends = [(client, port), (server, 80)]
        self.next = [1000, 5000]

    def send(self, side, flags, data=b""):
        (source, source_port), (target, target_port) = (
            self.ends[side], self.ends[1 - side])
        acknowledged = self.next[1 - side] if flags & ACK else 0
        tcp = struct.pack(
            ">HHIIBBHHH", source_port, target_port, self.next[side],
            acknowledged, 0x50, flags, 0xFFFF, 0, 0)
        ip = struct.pack(
            ">BBHHHBBH", 0x45, 0, 20 + len(tcp) + len(data), 0, 0x4000, 64,
            6, 0) + source + target
        ethernet = bytes([2, 0, 0, 0, 0, 2 - side, 2, 0, 0, 0, 0, 1 + side])
        self.capture.push(ethernet + b"\x08\x00" + ip + tcp + data)
        self.next[side] += len(data) + (1 if flags & (SYN | FIN) else 0)

    def open(self):
        self.send(0, SYN)
        self.send(1, SYN | ACK)
        self.send(0, ACK)

    def message(self, side, data):
        """A message in as many segments as it takes, and the answer that it
        has arrived."""
        for at in range(0, len(data), SEGMENT):
            self.send(side, PSH | ACK, data[at:at + SEGMENT])
        self.send(1 - side, ACK)

    def close(self):
        self.send(1, FIN | ACK)
        self.send(0, ACK)
        self.send(0, FIN | ACK)
        self.send(1, ACK)


def talk(capture, number, request, response):
    connection = Connection(capture, number)
    connection.open()
    connection.message(0, request)
    connection.message(1, response)
    connection.close()


def web(capture, count):
    request = sample("web-request.http")
    page = b"<!DOCTYPE html>\n" + b"<li>Lorem ipsum</li>\n" * 108
    response = sample("web-response.http") + page.ljust(2291, b".")
    for number in range(count):
        talk(capture, number, request, response)
    assert capture.packets == 12 * count


def mcas(capture, count):
    request, response = sample("request.http"), sample("response.http")
    for number in range(count):
        talk(capture, number, request, response)


def firmware(capture, size):
    request = sample("firmware-request.http")
    head = (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
            b"Content-Type: application/octet-stream\r\n\r\n" % size)
    image = bytes(range(256)) * (size // 256 + 1)
    talk(capture, 0, request, head + image[:size])


def main():
    kind, count, path = sys.argv[1:]
    kinds = {"web": web, "mcas": mcas, "firmware": firmware}
    kinds[kind](Capture(path), int(count))


if __name__ == "__main__":
    main()
