#!/usr/bin/env python3
"""What the M-CAS statistics must say of captures, worked out from what expect.py says of their messages.

    expect_statistics.py CAPTURE...    one JSON object per capture, one per line

    {"provisioning": [[…], …], "tree": {"Hosts": {"add-con.mcas": 3}, …}, "srt": {"Firmware": […], …}, "flow": [[…], …]}

Rows of the provisioning table have its columns, as text or numbers; of a vendor only the short name, where
VENDORS has it; null where there is no value. `srt` has all times of a kind, in seconds.
"""
import json
import re
import sys

from expect import TITLES, VENDORS, Unreadable, expected, frames, segment

RESULTS = {"0": "Success", "10": "Extension already taken (LAN side)"}
BRANCHES = {"mcas.type": "Message types", "mcas.result_code": "Result codes", "mcas.device.model": "Device models",
            "mcas.device.firmware": "Firmware versions", "mcas.device.carrier": "Carriers", "mcas.host": "Hosts"}
SOFTWARE = ("mcas.device.model", "mcas.device.firmware", "mcas.firmware.file")


class Message:
    """One message, with what its frame says of it."""

    def __init__(self, found, frame, start):
        at = segment(frame)
        self.frame, self.kind, self.fields = found["frame"], found["type"], found["fields"]
        self.summary, self.notes = found["summary"], found["expert"]
        self.time = (frame.time - start) / 1e9
        (self.source, self.sport), (self.target, self.dport) = at.source, at.target
        self.source, self.target = (".".join(map(str, end)) for end in (self.source, self.target))
        self.mac = frame.data[6:12].hex(":")
        self.head = at.data.startswith(b"HEAD ")
        self.other = None  # the other half of the exchange

    def all(self, name):
        return [value for field, value, _ in self.fields if field == "mcas." + name]

    def first(self, name):
        return next(iter(self.all(name)), None)

    def results(self):
        """Result codes in words, as sent."""
        found = []
        for field, value, sent in self.fields:
            if field == "mcas.result_code":
                words = RESULTS.get(value)
                sent = bytes.fromhex(sent).decode()
                found.append("%s (%s)" % (words, sent) if words else sent)
        unread = re.search(r", result ([^,]*[^\d,][^,]*|\d{6,})", self.summary)
        return found or [unread[1]] if unread else found

    @property
    def terminal(self):
        """The id, and the vendor in it."""
        named = self.first("terminal_id")
        # What is below the first one comes before the next one.
        below = [name for name, _, _ in self.fields if name.startswith("mcas.terminal_id")][1:]
        below = below[:below.index("mcas.terminal_id")] if "mcas.terminal_id" in below else below
        mac = self.first("terminal_id.mac") if "mcas.terminal_id.mac" in below else None
        oui = self.first("terminal_id.oui") if "mcas.terminal_id.oui" in below else None
        return mac or named or "", VENDORS.get(int(oui) if oui else None, "")


def read(path):
    with open(path, "rb") as file:
        all_frames = {frame.number: frame for frame in frames(file.read())}
    start = all_frames[1].time if all_frames else 0
    messages = [Message(found, all_frames[found["frame"]], start) for found in expected(path)]
    for request in messages:
        answered = request.first("response_in")
        for response in messages:
            if answered and str(response.frame) == answered and response.first("response_to") and not response.other:
                request.other, response.other = response, request
                break
    return messages, all_frames, start


def provisioning(messages, all_frames, start):
    """Each exchange as (order, request, response), then the last of each terminal and server."""
    exchanges = []
    for order, message in enumerate(messages):
        if message.kind in (1, 9):
            response = message.other
            exchanges.append((min(order, messages.index(response)) if response else order, order, message, response))
        elif message.kind in (2, 10) and not message.other:
            exchanges.append((order, order, None, message))
    rows = {}
    for first, order, request, response in sorted(exchanges, key=lambda one: one[1]):
        client, server = (request.source, request.target) if request else (response.target, response.source)
        key = (request.terminal[0] or client if request else None, client if not request else None, server)
        rows.setdefault(key, []).append((first, request, response, client, server))
    firsts = sorted(rows.values(), key=lambda exchanges: min(one[0] for one in exchanges))
    return [row(exchanges, messages, all_frames, start) for exchanges in firsts]


def row(exchanges, messages, all_frames, start):
    _, request, response, client, server = exchanges[-1]
    terminal, vendor = request.terminal if request else ("", "")
    asked = sum(one[1] is not None for one in exchanges)
    sent = None
    if request:
        # It may have been answered before it was complete.
        sent = int(response.first("response_to")) if response else request.frame
    began = (all_frames[sent].time - start) / 1e9 if sent else response.time
    address = number = server_of_sip = ""
    result = "no response"
    if response:
        number = ",".join(response.all("ip_tel_num"))
        address = joined(response, "ip_addr", "/", "netmask")
        server_of_sip = joined(response, "sipsv_addr", ":", "sipsv_port")
        result = (response.results() or ["HTTP " + response.first("status")])[0]
    took = response and response.first("time")
    return [terminal, vendor, *software(terminal or client, messages), number, address, server_of_sip, result, asked,
            sent or 0, response.frame if response else 0, client, server, began, float(took) if took else None]


def joined(message, first, between, second):
    values = [message.first(first), message.first(second)]
    return between.join(filter(None, values)) if values[0] else ""


def software(terminal, messages):
    """Model, firmware and file of a terminal, by its own requests and by the downloads that are its."""
    known = ["", "", ""]
    for order, message in enumerate(messages):
        if message.kind in (1, 9) and (message.terminal[0] or message.source) == terminal \
                or message.kind == 3 and owner(order, messages) == terminal:
            for at, name in enumerate(SOFTWARE):
                if found := message.first(name[5:]):
                    known[at] = found if message.kind != 3 or at < 2 else found + outcome(message)
    return known


def outcome(download):
    if not download.other or download.head:
        return " (asked for)"
    status = download.other.first("status")
    return "" if status == "200" else " (%s)" % status


def owner(order, messages):
    """The terminal that a download is of: the last that had its address before; else the one that has the MAC address
    of its frame; else the first one later that has either."""
    download, by_address, by_mac, later = messages[order], None, None, None
    for at, message in enumerate(messages):
        terminal, addresses = message.source, []
        if message.kind in (1, 9):
            terminal, addresses = message.terminal[0] or message.source, [message.source]
        elif message.kind in (2, 10):
            terminal = message.other and message.other.terminal[0] or message.target
            addresses = [message.target] * (not message.other) + message.all("ip_addr")[:1]
        if download.source in addresses and at < order:
            by_address = terminal
        elif addresses and terminal == download.mac and at < order:
            by_mac = terminal
        elif download.source in addresses or addresses and terminal == download.mac:
            later = later or terminal
    return by_address or by_mac or later


def tree(messages):
    counts = {branch: {} for branch in BRANCHES.values()}

    def count(branch, twig):
        counts[branch][twig] = counts[branch].get(twig, 0) + 1

    for message in messages:
        for twig in message.results():
            count("Result codes", twig)
        for name, value, _ in message.fields:
            if name == "mcas.type":
                count("Message types", "%s (%s)" % (TITLES[int(value)], value))
            elif name in BRANCHES and name != "mcas.result_code":
                count(BRANCHES[name], value)
    return counts


def response_times(messages):
    times = {}
    for message in messages:
        if took := message.first("time"):
            asked = message.kind - 1 if message.kind != 13 else 0
            times.setdefault(TITLES[asked].removesuffix(" request"), []).append(float(took))
    return times


def flow(messages):
    arrows = {}
    for m in messages:
        arrow = arrows.setdefault(m.frame, ["%.6f" % m.time, m.source, m.target, m.sport, m.dport, []])
        arrow[-1].append(m.summary)
    return [arrow[:-1] + ["; ".join(arrow[-1])] for arrow in arrows.values()]


def main(paths):
    sys.stdout.reconfigure(encoding="utf-8")
    for path in paths:
        messages, all_frames, start = read(path)
        print(json.dumps({"provisioning": provisioning(messages, all_frames, start), "tree": tree(messages),
                          "srt": response_times(messages), "flow": flow(messages)}, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unreadable as error:
        print(error, file=sys.stderr)
        sys.exit(2)
