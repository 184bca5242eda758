#!/usr/bin/env python3
"""What -z mcas,boot must tell of a capture, worked out from its bytes.

    expect_boot.py CAPTURE

Like expect.py, whose reading of M-CAS messages it uses, it shares no code with the plugin. It works backwards from
how the plugin does: all frames become facts first, then each device's facts become lines.
"""
import struct
import sys
from bisect import bisect_left
from collections import defaultdict, namedtuple
from ipaddress import IPv4Address, IPv6Address

import expect

RULE = "=" * 67
Fact = namedtuple("Fact", "frame time kind device data")
DNS_CODES = {1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}


class Short(Exception):
    """The capture cut the frame."""


def take(data, at, form):
    try:
        return struct.unpack_from(">" + form, data, at)
    except struct.error:
        raise Short from None


def mac(data):
    return ":".join("%02x" % byte for byte in data)


def words(data):
    return "".join("." if c < " " or c == "\x7f" else c for c in data.decode("utf-8", "replace"))


# --- Frames into facts --------------------------------------------------------------------------------------------


class Packet:
    """The layers of a frame, as far as the story needs them."""

    def __init__(self, frame):
        data = frame.data
        self.frame, self.time = frame.number, frame.time
        self.target, self.source = mac(data[:6]), mac(data[6:12])
        self.line, self.session, self.code, self.ppp = (), None, None, None
        at, (kind,) = 14, take(data, 12, "H")
        while kind in (0x8100, 0x88A8):
            tag, kind = take(data, at, "HH")
            self.line += (tag & 0xFFF,)
            at += 4
        if kind in (0x8863, 0x8864):
            _, self.code, self.session, length = take(data, at, "BBHH")
            at += 6
            if kind == 0x8864:
                self.ppp, = take(data, at, "H")
                at += 2
                kind = 0x0800 if self.ppp == 0x21 else None
        self.kind, self.body, self.ip = kind, data[at:], None
        self.sport = self.dport = None
        if kind == 0x0800:
            self.read_ip()

    def read_ip(self):
        ip = self.body
        size, _, protocol = (ip[0] & 15) * 4, *take(ip, 8, "BB")
        self.ip = str(IPv4Address(ip[12:16])), str(IPv4Address(ip[16:20]))
        if protocol in (6, 17) and not take(ip, 6, "H")[0] & 0x1FFF:
            self.sport, self.dport = take(ip, size, "HH")
        self.body = ip[size + 8:] if protocol == 17 else b""

    def device(self, sends, ip=True):
        address = self.source if sends else self.target
        return address, self.ip[not sends] if ip and self.ip and self.session is None else None


def tags(body):
    found, at = {}, 0
    while at + 4 <= len(body):
        kind, size = take(body, at, "HH")
        found.setdefault(kind, words(body[at + 4:at + 4 + size]))
        at += 4 + size
    return found


def options(body):
    at = 0
    while at + 2 <= len(body) and body[at] != 255:
        if body[at] == 0:
            at += 1
            continue
        yield body[at], body[at + 2:at + 2 + body[at + 1]]
        at += 2 + body[at + 1]


def dns_name(body, at):
    labels = []
    while size := body[at]:
        if size >= 192:
            labels.append(dns_name(body, take(body, at, "H")[0] & 0x3FFF)[0])
            return ".".join(labels), at + 2
        labels.append(words(body[at + 1:at + 1 + size]))
        at += 1 + size
    return ".".join(labels), at + 1


def read_dns(body):
    """Name, whether it is a response, and its outcome: (failed, text)."""
    _, flags, questions, answers = take(body, 0, "4H")
    name, at = dns_name(body, 12)
    at, addresses = at + 4, []
    for _ in range(answers if questions == 1 else 0):
        _, at = dns_name(body, at)
        kind, _, _, size = take(body, at, "HHIH")
        record = body[at + 10:at + 10 + size]
        at += 10 + size
        if kind == 1:
            addresses.append((0, str(IPv4Address(record))))
        if kind == 28:
            addresses.append((1, str(IPv6Address(record))))
    code = flags & 15
    outcome = ", ".join(text for _, text in sorted(addresses, key=lambda a: a[0])) or "no address"
    outcome = (DNS_CODES.get(code) or f"response code {code}") if code else outcome
    return name, bool(flags & 0x8000), (bool(code) or not addresses, outcome)


def facts_of(packet):
    """What a frame says, but for M-CAS: (kind, device, data)."""
    body = packet.body
    if packet.kind == 0x0806 and take(body, 6, "H")[0] == 1:
        yield "arp", packet.device(True), str(IPv4Address(body[24:28]))
    elif packet.kind == 0x8863:
        yield "discovery", packet.device(packet.code in (0x09, 0x19)), (packet, tags(body))
    elif packet.session is not None:
        yield "session", None, packet
    if packet.ip and packet.dport == 53 or packet.sport == 53:
        name, response, outcome = read_dns(body)
        if name.lower() == "add-con.mcas" or name.lower().startswith("verup-mcas."):
            yield "dns", packet.device(not response), (name, response, outcome)
    if packet.ip and {packet.sport, packet.dport} <= {67, 68} and len(body) > 240:
        fields = list(options(body[240:]))
        kind = dict(fields).get(53, b"\0")[0]
        ntt = any(code == 125 and take(value, 0, "I")[0] == 210 for code, value in fields)
        yield "dhcp", (mac(body[28:34]), None), (kind, str(IPv4Address(body[16:20])), ntt)


# --- Facts into steps ---------------------------------------------------------------------------------------------


class Step:
    def __init__(self, fact, key, text, order, awaits=False):
        self.frame, self.time, self.key, self.text, self.order = fact.frame, fact.time, key, text, order
        self.awaits, self.failed, self.outcome, self.answer = awaits, False, None, None
        self.tries, self.last = 1, fact.time

    def settle(self, fact, failed, outcome):
        if self.answer is None or self.failed and not failed:
            self.failed, self.outcome, self.answer = failed, outcome, (fact.frame, fact.time)


class Device:
    def __init__(self, name, first):
        self.name, self.first, self.line, self.ip = name, first, (), None
        self.steps, self.asked = [], {}
        self.ours = self.messages = self.new_dhcp = False

    def add(self, *step):
        self.steps.append(Step(*step, order=len(self.steps)))
        return self.steps[-1]

    def ask(self, fact, key):
        step = self.asked.get(key)
        again = step and step.awaits and step.answer is None
        if again and (key != "PPPoE PADR" or self.steps[-1] is step):
            step.tries, step.last = step.tries + 1, fact.time
        else:
            step = self.asked[key] = self.add(fact, key, key)
            step.awaits = True
        return step

    def settle(self, fact, key, failed, outcome):
        (self.asked.get(key) or self.ask(fact, key)).settle(fact, failed, outcome)


class Session:
    def __init__(self, packet, opening):
        self.ends, self.id, self.line = (packet.source, packet.target), packet.session, packet.line
        self.client = self.user = self.login = self.end = self.ended = None
        self.opened = packet.time if opening else None


def time_text(nanoseconds):
    return "%.6f" % (nanoseconds / 10**9)


def refused(reason):
    return f"refused ({reason})" if reason else "refused"


class Story:
    def __init__(self, path):
        with open(path, "rb") as file:
            frames = list(expect.frames(file.read()))
        self.devices, self.sessions, self.open = {}, [], {}
        self.concentrators = set()
        self.end = max((f.time for f in frames), default=0)
        self.arp = defaultdict(list)
        messages = defaultdict(list)
        for message in expect.expected(path):
            messages[message["frame"]].append(message)
        # By the response's frame: requests without it, responses without their request.
        self.waiting, self.early = defaultdict(list), defaultdict(list)
        for frame in frames:
            self.device((mac(frame.data[6:12]), None), frame.time)
            try:
                packet = Packet(frame)
                facts = list(facts_of(packet))
            except (Short, IndexError, ValueError):
                facts = []
            for message in messages[frame.number]:
                self.message(Fact(frame.number, frame.time, "mcas", None, message), packet)
            for kind, device, data in facts:
                fact = Fact(frame.number, frame.time, kind, device, data)
                getattr(self, kind + "_fact")(fact)
        self.floods()

    def device(self, key, time):
        address, ip = key
        device = self.devices.setdefault(address, Device(address, time))
        if ip is None:
            return device
        device.ip = device.ip or ip
        if device.ip != ip:
            name = f"{address}, {ip}"
            device = self.devices.setdefault(name, Device(name, time))
        return device

    def arp_fact(self, fact):
        self.arp[fact.device[0]].append(fact)

    def floods(self):
        for address, facts in self.arp.items():
            starts = [i for i, f in enumerate(facts) if not i or f.time - facts[i - 1].time > 10**9]
            for start, end in zip(starts, starts[1:] + [len(facts)]):
                if (count := end - start) < 16:
                    continue
                device, run = self.devices[address], facts[start:end]
                took = time_text(run[-1].time - run[0].time)
                text = f"ARP flood: {count} requests, {run[0].data} to {run[-1].data}, in {took} s"
                frames = [step.frame for step in device.steps]
                device.steps.insert(bisect_left(frames, run[0].frame), Step(run[0], None, text, -1))
                device.ours = True

    def discovery_fact(self, fact):
        packet, found = fact.data
        device = self.device(fact.device, fact.time)
        error = next((found[kind] for kind in (0x0202, 0x0201, 0x0203) if kind in found), None)
        if packet.code in (0x09, 0x19):
            device.line = packet.line
            device.ask(fact, "PPPoE PADI" if packet.code == 0x09 else "PPPoE PADR")
        elif packet.code == 0x07:
            self.concentrators.add(packet.source)
            device.settle(fact, "PPPoE PADI", error is not None,
                          f"PADO from {found.get(0x0102) or packet.source}" if error is None else refused(error))
        elif packet.code == 0x65 and (error is not None or packet.session == 0):
            device.settle(fact, "PPPoE PADR", True, refused(error))
        elif packet.code == 0x65:
            self.session(packet, True).client = device
            device.settle(fact, "PPPoE PADR", False, "session 0x%04x" % packet.session)
        elif packet.code == 0xA7:
            self.hang_up(fact, packet, True)

    def session(self, packet, opening=False):
        key = frozenset((packet.source, packet.target)), packet.session
        session = self.open.get(key)
        if not session or opening and session.ended is not None:
            session = self.open[key] = Session(packet, opening)
            self.sessions.append(session)
        return session

    def hang_up(self, fact, packet, padt):
        session = self.session(packet)
        if session.ended is not None:
            if padt and session.end:
                session.end.settle(fact, False, "PADT")
            return
        session.ended = fact.time
        if session.client:
            who = "device" if session.client.name == packet.source else "access concentrator"
            text = "PPPoE session 0x%04x: ended by the %s%s" % (session.id, who, ", PADT" if padt else "")
            session.end = session.client.add(fact, None, text)

    def session_fact(self, fact):
        packet = fact.data
        session = self.session(packet)
        if packet.ppp in (0xC023, 0xC223, 0xC021, 0x8021):
            code, _, length = take(packet.body, 0, "BBH")
            rest = packet.body[4:length]
            self.ppp(fact, packet, session, code, rest)
        elif not session.client and packet.dport == 53:
            session.client = self.device((packet.source, None), fact.time)

    def ppp(self, fact, packet, session, code, rest):
        protocol = {0xC023: "PAP", 0xC223: "CHAP"}.get(packet.ppp)
        if protocol and code == (1 if protocol == "PAP" else 2):
            user = words(rest[1:1 + rest[0]] if protocol == "PAP" else rest[1 + rest[0]:])
            session.client, session.user = self.device((packet.source, None), fact.time), user
            session.login = session.client.ask(fact, f"{protocol} {user}")
            session.client.ours |= user.startswith("guest@")
        elif protocol and (protocol == "PAP" or code > 2) and session.login:
            yes = code == (2 if protocol == "PAP" else 3)
            reason = words(rest[1:1 + rest[0]] if protocol == "PAP" else rest)
            session.login.settle(fact, not yes, "accepted" if yes else refused(reason))
        elif packet.ppp == 0xC021 and code == 5:
            self.hang_up(fact, packet, False)
        elif packet.ppp == 0x8021 and code == 2 and session.client and session.client.name == packet.target:
            address = next((v for k, v in ppp_options(rest) if k == 3), None)
            if address:
                session.client.add(fact, None, f"IPCP: address {IPv4Address(address)}")

    def dns_fact(self, fact):
        name, response, outcome = fact.data
        device = self.device(fact.device, fact.time)
        device.ours = True
        if response:
            device.settle(fact, "DNS " + name, *outcome)
        else:
            device.ask(fact, "DNS " + name)

    def dhcp_fact(self, fact):
        kind, address, ntt = fact.data
        device = self.device(fact.device, fact.time)
        if kind in (1, 3):
            device.ask(fact, "DHCP Discover" if kind == 1 else "DHCP Request")
        elif kind in (2, 5, 6):
            device.ours, device.new_dhcp = device.ours or ntt, device.new_dhcp or ntt
            offer = address + (", option 125 of enterprise 210" if ntt else "")
            device.settle(fact, "DHCP Discover" if kind == 2 else "DHCP Request", kind == 6,
                          "refused" if kind == 6 else offer)

    def message(self, fact, packet):
        message = fact.data
        values = {name: value for name, value, _ in reversed(message["fields"])}
        kind, summary = message["type"], words(message["summary"].encode())
        request = kind in (0, 1, 3, 5, 7, 9, 11)
        device = self.device(packet.device(request != (kind in (11, 12))), fact.time)
        device.ours = device.messages = True
        step = device.add(fact, expect.TITLES[kind] if request else None, summary)
        if request:
            step.awaits = True
            device.asked[step.key] = step
            if answer := values.get("mcas.response_in"):
                self.pair(step, self.early[int(answer)], self.waiting[int(answer)])
            return
        step.failed = int(values.get("mcas.status") or 0) >= 400 or "mcas.result_code.failure" in message["expert"]
        step.after = values.get("mcas.time")
        if "mcas.response_to" in values:
            self.pair(step, self.waiting[step.frame], self.early[step.frame])

    @staticmethod
    def pair(step, others, own):
        """A request and the response in the frame of whom these are, the oldest first, whichever comes first."""
        if not others:
            own.append(step)
            return
        other = others.pop(0)
        request, response = (step, other) if step.awaits else (other, step)
        request.failed, request.outcome, request.answer = response.failed, response.text, (response.frame, None)
        request.after = response.after


def ppp_options(body):
    at = 0
    while at + 2 <= len(body) and body[at + 1] >= 2:
        yield body[at], body[at + 2:at + body[at + 1]]
        at += body[at + 1]


# --- Steps into lines ---------------------------------------------------------------------------------------------


def is_request(step):
    return step.key in expect.TITLES.values()


def line(story, device, step):
    text = step.text
    if step.awaits and step.tries > 1:
        text += f", {step.tries} times in {time_text(step.last - step.time)} s"
    if step.awaits and step.answer is None:
        late = story.end - step.time >= 2 * 10**9
        text += ": unanswered" if late else ": unanswered when the capture ends"
    elif is_request(step):
        text += f": answered after {float(step.after):.6f} s"
    elif step.awaits:
        text += f": {step.outcome}"
    elif step.answer:
        text += f", {step.outcome}"
    if step.answer and step.answer[0] != step.frame:
        text += f" in frame {step.answer[0]}"
    return "%8d %12s  %s" % (step.frame, time_text(step.time - device.first), text)


def name(story, session):
    ends = [end for end in session.ends if end not in story.concentrators]
    who = session.client.name if session.client else " or ".join(ends)
    return "%s (%s, session 0x%04x)" % (who, session.user or "user not in the capture", session.id)


def taken(story, device, step):
    others = [name(story, s) for s in story.sessions
              if not (s.line and device.line and s.line != device.line)
              and not (s.opened is not None and s.opened > step.last)
              and (s.ended is None or s.ended > step.time)]
    if not others:
        return "PADI or PADR unanswered: no other session is in the capture"
    more = f" and {len(others) - 8} more" if len(others) > 8 else ""
    return "PADI or PADR unanswered: the line's sessions are taken, by " + ", ".join(others[:8]) + more


def missing(story, device):
    found = []
    for key, step in sorted(device.asked.items(), key=lambda item: device.steps.index(item[1])):
        waited = story.end - step.time
        if is_request(step) and step.answer is None:
            until = "after 30 s" if waited >= 30 * 10**9 else f"in the {time_text(waited)} s until the capture ends"
            title = key.removesuffix(" request")
            found.append(f"no {title[0].lower()}{title[1:]} response {until}")
        elif is_request(step) and step.failed:
            found.append(f"refused: {step.outcome}")
        elif key.startswith("DHCP") and not device.ours:
            continue  # any host may ask for an address in vain
        elif not is_request(step) and (step.failed or step.answer is None and waited >= 2 * 10**9):
            if key.startswith("PPPoE"):
                if not any(line.startswith("PADI or PADR") for line in found):
                    found.append(taken(story, device, step))
            else:
                protocol, what = key.split(" ", 1)
                found.append(f"{protocol} {step.outcome or 'unanswered'}: {what}")
    return found


def tell(story):
    yield ""
    yield RULE
    yield "M-CAS boot sequence"
    told = False
    for device in story.devices.values():
        wrong = missing(story, device) if device.steps else []
        if not device.steps or not device.ours and not wrong:
            continue
        told = True
        yield ""
        yield f"Device {device.name}"
        yield "%8s %12s  %s" % ("Frame", "Time", "Step")
        for step in device.steps:
            yield line(story, device, step)
        if device.new_dhcp and not device.messages:
            wrong.append("this line uses DHCP (option 125, enterprise 210): there is no M-CAS here")
        elif not wrong and not device.messages:
            wrong = ["no M-CAS request follows"]
        yield from (f"  ! {one}" for one in wrong) if wrong else ["  Nothing is missing."]
    if not told:
        yield ""
        yield "No device comes up in this capture."
    yield RULE


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    try:
        print("\n".join(tell(Story(sys.argv[1]))))
    except expect.Unreadable as error:
        sys.exit(str(error))
