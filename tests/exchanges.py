#!/usr/bin/python3
"""exchanges.py: what examples/pipeline/mcas_exchanges.py makes of every
capture: each message is in one exchange, with its request or response, and
has all its values, where they belong.
"""

import json
import struct
import sys
import tempfile
from collections import Counter

import expect
import formats

sys.path.insert(0, str(formats.TESTS.parent / "examples/pipeline"))
import mcas_exchanges  # noqa: E402


def values_of(message):
    """(column, value) of a row's message, with notes."""
    for name, values in message.items():
        if name == "note":
            yield from (("note", value) for value in values)
        elif isinstance(values, list) and not name.startswith("note"):
            yield from ((name, value) for value in values
                        if value is not None)


def expected_values(message, secrets):
    for name, show, _ in message["fields"]:
        if name == "mcas.password" and not secrets:
            continue
        if name.endswith("oui_resolved"):
            continue  # Wireshark's own
        kind = formats.KINDS[name]
        if kind == "FT_BYTES":  # as tshark writes it
            show = ":".join(show[i:i + 2] for i in range(0, len(show), 2))
        yield (mcas_exchanges.column(name),
               mcas_exchanges.value_of(kind, show))
    yield from (("note", note) for note in message["expert"])


def check_values(rows, messages, secrets):
    """Messages of a frame are compared in any order: it is not told apart by
    more than its frame and its values."""
    found = Counter()
    for row in rows:
        for side in "request", "response":
            if side in row:
                values = Counter(pair for pair in values_of(row[side])
                                 if not pair[0].endswith("oui_resolved"))
                found[row[side]["frame"], frozenset(values.items())] += 1
    wanted = Counter()
    for message in messages:
        values = Counter(expected_values(message, secrets))
        wanted[message["frame"], frozenset(values.items())] += 1
    assert found == wanted, (
        f"- {list((wanted - found).elements())[:3]}\n"
        f"+ {list((found - wanted).elements())[:3]}")


def check_pairs(rows):
    for row in rows:
        request, response = row.get("request"), row.get("response")
        assert request or response
        if request and response:
            assert request["response_in"] == [response["frame"]], row
            assert response["type"][0] in (request["type"][0] + 1, 13), row
            assert row["seconds"] == response["time"][0], row
        elif request:
            assert "response_in" not in request, row
        else:
            # Its request was answered before it was complete, and then never
            # was, or it is not in the capture.
            assert row["kind"].endswith("response"), row


def check_places(rows):
    """What is at one place belongs together."""
    messages = [row[side] for row in rows for side in ("request", "response")
                if side in row]
    checked = Counter()
    for message in messages:
        for number, param in enumerate(message.get("param", [])):
            name, value = (message[f"param_{part}"][number]
                           for part in ("name", "value"))
            # It is decoded in parts, and may lack the =.
            if param and "=" in param and "%" not in param:
                assert param == f"{name}={value}", message
                checked["param"] += 1
        macs = message.get("terminal_id_mac", [])
        for terminal, mac in zip(message.get("terminal_id", []), macs):
            assert mac is None or terminal.lower().replace("-", "").replace(
                ":", "") == mac.replace(":", ""), message
            checked["mac"] += 1
        networks = zip(message.get("dest_nw_addr_network", []),
                       message.get("dest_nw_addr_prefix", []))
        for network, prefix in networks:
            listed = "&".join(filter(None, message["dest_nw_addr"]))
            assert f"{network}/{prefix}" in listed, message
            checked["network"] += 1
    assert len(checked) == 3, checked


def check_printed():
    """What is printed is text to a terminal, and JSON to who reads that."""
    odd = "\x1b[2J\x7f\x9b2J\u202e\u3042\n"
    line = mcas_exchanges.json_line([odd])
    assert line.isprintable() and "\u3042" in line, line
    assert json.loads(line) == [odd], line


def check_exported(schema):
    """Messages without TCP and IP around them, as Wireshark exports PDUs."""
    request = (b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n"
               b"Content-Length: 23\r\n\r\nTerminalID=001F67A1B2C3")
    answer = (b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"
              b"ResultCode=0000\r\n")
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(struct.pack("<IIIIII", 0xA1B2C3D4, 0x40002, 0, 0, 65535,
                               252))
        for bytes_ in request, answer:
            # The dissector's name, and the end of such tags.
            packet = struct.pack(">HH12sI", 12, 12, b"mcas_http", 0) + bytes_
            file.write(struct.pack("<IIII", 0, 0, *[len(packet)] * 2))
            file.write(packet)
        file.flush()
        capture, rows = mcas_exchanges.read(file.name, "pdu.pcap", schema)
    assert capture["status"] == "whole", capture
    [row] = rows
    assert row["request"]["terminal_id"] == ["001F67A1B2C3"], row
    assert row["response"]["result_code"] == [0], row
    assert row["stream"] is row["client"] is row["client_port"] is None, row


def main():
    schema = mcas_exchanges.schema()
    messages = expect.expected(formats.CAPTURE)
    for secrets in False, True:
        capture, rows = mcas_exchanges.read(
            str(formats.CAPTURE), "all.pcap", schema, secrets)
        assert capture["status"] == "whole" and not capture["reason"], capture
        assert capture["exchanges"] == len(rows)
        check_values(rows, messages, secrets)
        check_pairs(rows)
        check_places(rows)
        # None has a column that the schema has not.
        columns = mcas_exchanges.columns(schema["fields"])
        for row in rows:
            assert row.keys() <= columns.keys()
            for side in "request", "response":
                assert row.get(side, {}).keys() <= columns[side].keys()
        passwords = {show for message in messages
                     for name, show, _ in message["fields"]
                     if name == "mcas.password" and len(show) > 5}
        text = json.dumps(rows, ensure_ascii=False)
        there = {password in text for password in passwords}
        assert there == {secrets}, "passwords are where they should not be"
    check_exported(schema)
    check_printed()
    pairs = sum("request" in row and "response" in row for row in rows)
    print(len(messages), "messages,", len(rows), "exchanges,", pairs, "whole")


if __name__ == "__main__":
    sys.exit(formats.with_capture(main))
