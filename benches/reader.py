#!/usr/bin/env python3
"""reader.py [FILE]: reads what `tshark -T fields` prints of HTTP, the fields
below in that order, and writes the values of M-CAS messages as lines of JSON;
as somebody does it who has tshark and Python."""
import fileinput
import ipaddress
import json
import re
from urllib.parse import parse_qsl

FIELDS = ["frame.number", "http.host", "http.user_agent", "http.set_cookie",
          "http.file_data"]
ADDRESSES = {"ip_addr", "gateway", "sipsv_addr", "regsv_addr"}
NUMBERS = {"resultcode", "netmask", "sipsv_port", "regsv_port", "dscp",
           "rtpport1", "rtpport2"}
COOKIE = re.compile(r"BIGipServer[^=]*=(\d+)\.(\d+)\.0000")


def typed(key, value):
    if key in ADDRESSES:
        return str(ipaddress.IPv4Address(value))
    if key in NUMBERS:
        return int(value)
    if key == "dest_nw_addr":
        entries = [ipaddress.IPv4Interface(e) for e in value.split("&")]
        return [[str(e.ip), e.network.prefixlen] for e in entries]
    return value


def request(agent, body):
    pairs = parse_qsl(body, keep_blank_values=True)
    return {"version": agent.removeprefix("M-CAS/")} | {
        key.lower(): value for key, value in pairs}


def response(cookie, body):
    values = {}
    if found := COOKIE.match(cookie):
        address = int(found[1]).to_bytes(4, "little")
        port = int(found[2]).to_bytes(2, "little")
        values["server"] = str(ipaddress.IPv4Address(address))
        values["port"] = int.from_bytes(port, "big")
    # tshark 4.0 writes line ends as a C program would; later ones write all
    # of it in hexadecimal.
    for line in body.split(r"\r\n" if r"\r\n" in body else "\r\n"):
        key, equals, value = line.partition("=")
        if equals:
            values[key.lower()] = typed(key.lower(), value)
    return values


def main():
    for line in fileinput.input():
        number, host, agent, cookie, body = line.rstrip("\n").split("\t")
        if re.fullmatch("([0-9a-f]{2})+", body):
            body = bytes.fromhex(body).decode("latin1")
        if host == "add-con.mcas" or agent.startswith("M-CAS/"):
            values = request(agent, body)
        elif body.startswith("ResultCode="):
            values = response(cookie, body)
        else:
            continue
        print(json.dumps({"frame": int(number)} | values))


if __name__ == "__main__":
    main()
