#!/usr/bin/python3
"""Opens Wireshark on a capture and uses all of it that has to do with M-CAS.

What Wireshark says on standard error goes to a file. Without the plugin the
steps are the same, less those that need it: what is said then, Wireshark says
of its own accord.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from screen import (
    Failure, GLib, Screen, children, click, do, find, find_all, read, role,
    rows, type_text, within, write,
)
from wireshark import MOMENT, ROOT, Wireshark, settings

# Of boot.pcapng.
PACKETS = 4

# Besides each entry of a menu that has M-CAS in its path.
DIALOGS = [
    ("Analyze", "Expert Information"),
    ("File", "Export Objects", "HTTP…"),
    ("Tools", "Credentials"),
    ("Statistics", "Protocol Hierarchy"),
    ("Statistics", "HTTP", "Packet Counter"),
    ("View", "Coloring Rules…"),
]
# Of these, the ones that name M-CAS where there is some.
NAMING = ["Expert Information", "Protocol Hierarchy"]

# What a user would miss. Any other entry of M-CAS is opened as well.
ENTRIES = [
    ("Statistics", "M-CAS Provisioning"),
    ("Statistics", "M-CAS Boot Sequence"),
    ("Statistics", "M-CAS Configuration"),
    ("Statistics", "M-CAS", "Counters"),
    ("Statistics", "Service Response Time", "M-CAS"),
    ("File", "Export Objects", "M-CAS…"),
    ("Analyze", "Conversation Filter", "M-CAS"),
]


class Walk:
    def __init__(self, program, options):
        self.program = program
        self.capture = options.capture
        self.with_plugin = not options.without

    def steps(self):
        yield "list", self.show_packets
        yield "packets and trees", self.look_at_packets
        yield "packet in a window", self.open_packet
        yield "dialogs", self.open_dialogs
        if self.with_plugin:
            yield "menu entries of M-CAS", self.open_entries
        yield "flow graph", self.draw_flows
        yield "follow", self.follow
        yield "Decode As", self.decode_as
        if self.with_plugin:
            yield "preferences", self.change_preference
        yield "reload", self.reload

    def show_packets(self):
        """The button of the profile, and the plugin, by what they do."""
        found = self.program.press("M-CAS")
        packets = self.program.packets()
        ours = [packet for packet in packets if "M-CAS" in packet]
        if self.with_plugin and not ours:
            raise Failure("the plugin is not loaded: no packet is M-CAS")
        if found != PACKETS or len(packets) != PACKETS:
            raise Failure(f"{found} packets instead of {PACKETS}: {packets}")

    def look_at_packets(self):
        """Each packet with its tree open and each item of ours selected."""
        program = self.program
        program.first()
        for packet in program.packets():
            program.wait_for_details(packet)
            program.choose("View", "Expand All")
            if self.with_plugin:
                shown = [row[0] for row in rows(program.details())]
                self.compare(packet[0], shown)
                select_rows(program.details(), first_of_ours(shown))
            program.choose("View", "Collapse All")
            program.go("Next")

    def compare(self, frame, shown):
        """The tree's text against tshark's."""
        printed = subprocess.run(
            [
                f"{ROOT}/scripts/tshark", "-2", "-r", self.capture, "-O",
                "mcas", "-Y", f"frame.number == {frame}",
            ],
            check=True, capture_output=True, text=True,
        ).stdout
        lines = [line.strip() for line in printed.splitlines()]
        expected = lines[first_of_ours(lines):]
        got = [line.strip() for line in shown[first_of_ours(shown):]]
        while expected and not expected[-1]:
            expected.pop()
        if got != expected:
            raise Failure(
                f"packet {frame}: the window's tree differs from tshark's:\n"
                + "\n".join(got) + "\n---\n" + "\n".join(expected)
            )

    def open_packet(self):
        window = self.program.open("View", "Show Packet in New Window")
        self.program.close(window)

    def open_dialogs(self):
        for path in DIALOGS:
            window = self.program.open(*path)
            cells = [cell for row in self.use(window) for cell in row]
            if self.with_plugin and path[-1] in NAMING:
                if not any(cell.startswith("M-CAS") for cell in cells):
                    raise Failure(f"{path[-1]} does not name M-CAS: {cells}")
            self.program.close(window)

    def open_entries(self):
        """Whatever stands below M-CAS in the menus."""
        program = self.program
        found = program.entries()
        missing = [path for path in ENTRIES if path not in found]
        if missing:
            raise Failure(f"no menu entries {missing}")
        for path in found:
            if not any(name.startswith("M-CAS") for name in path):
                continue
            if path[1] == "Conversation Filter":
                self.filter_conversation(path)
                continue
            if path[0] not in ("Statistics", "File", "Telephony", "Tools"):
                continue
            print("   ", " → ".join(path))
            window = program.open(*path)
            if not self.use(window) and not self.text(window):
                raise Failure(f"{' → '.join(path)} shows nothing")
            program.close(window)

    def filter_conversation(self, path):
        """From the first packet, which asks the provisioning server: with it,
        only the answer is left, and none of the server of firmware."""
        print("   ", " → ".join(path))
        self.program.press("M-CAS")
        self.program.first()
        asks = self.program.packets()[0][2:4]
        self.program.choose(*path)
        self.program.displayed()
        ends = [packet[2:4] for packet in self.program.packets()]
        if ends != [asks, asks[::-1]]:
            raise Failure(f"the conversation filter leaves {ends}")
        self.program.press("M-CAS")

    def use(self, window):
        """What can be done with the tables of any window: rows selected,
        sorted by each column, filtered to nothing and back. Returns what
        they showed."""
        tables = list(find_all(window, "tree"))
        shown = [row for table in tables for row in rows(table)]
        for table in tables:
            select_rows(table)
            # Sorting makes the headers anew.
            for number in range(len(shown[0]) if shown else 0):
                for _ in "up", "down":
                    header = table.get_child_at_index(number)
                    if role(header) == "table column header" and within(
                        header, window
                    ):
                        click(header)
                        time.sleep(MOMENT / 3)
        entry = find(window, "text", "Display filter entry")
        apply = find(window, "push button", "Apply")
        if entry and apply:
            for text in "frame.number == 0", "":
                write(entry, text)
                do(apply, "Press")
                time.sleep(MOMENT)
                self.program.windows()
        return shown

    def text(self, window):
        return "".join(read(text) for text in find_all(window, "text"))

    def draw_flows(self):
        """Every kind of flow that there is."""
        window = self.program.open("Statistics", "Flow Graph")
        box = next(
            box for box in find_all(window, "combo box")
            if box.get_name().endswith("Flows")
        )
        kinds = children(children(box)[0])
        names = [kind.get_name() for kind in kinds]
        if self.with_plugin and not any("M-CAS" in name for name in names):
            raise Failure(f"no flows of M-CAS: {names}")
        for number in range(len(kinds)):
            do(box, "Press")
            time.sleep(MOMENT)
            click(children(children(box)[0])[number])
            time.sleep(MOMENT)
        self.program.close(window)

    def follow(self):
        for kind in "HTTP Stream", "TCP Stream":
            self.program.first()
            window = self.program.open("Analyze", "Follow", kind)
            self.program.wait(
                "the stream's text",
                lambda: "Host: add-con.mcas" in read(find(window, "text")),
            )
            self.program.close(window)
            self.program.press("M-CAS")

    def decode_as(self):
        # The one that the server sent, from its port.
        self.program.last()
        window = self.program.open("Analyze", "Decode As…")
        do(find(window, "push button"), "Press")
        added = self.program.wait(
            "entry for the port", lambda: rows(find(window, "tree"))
        )
        if self.with_plugin and "M-CAS over HTTP" not in added[0]:
            raise Failure(f"the port is not ours: {added[0]}")
        self.program.close(window)

    def change_preference(self):
        """The first one of the page that can be switched, and back."""
        for _ in "there", "back":
            window = self.program.open("Edit", "Preferences…")
            # The tree that Protocols is in, and the page beside it.
            [tree] = [
                child for child in children(find(window, "split pane"))
                if role(child) == "tree"
            ]
            names = [row[0] for row in rows(tree)]
            grid = tree.get_table_iface()
            protocols = grid.get_accessible_at(names.index("Protocols"), 0)
            click(protocols, "b1d")
            self.program.wait(
                "list of protocols", lambda: len(rows(tree)) > len(names)
            )
            type_text("M-CAS")
            page = find(window, "layered pane")
            self.program.wait(
                "page of M-CAS",
                lambda: find(page, "label", start="M-CAS"),
            )
            do(find(page, "check box"), "Toggle")
            do(find(window, "push button", "OK"), "Press")
            self.program.wait(
                "end of the preferences", lambda: not self.program.others()
            )
            if self.program.press("M-CAS") != PACKETS:
                raise Failure("a preference takes packets away")

    def reload(self):
        self.program.choose("View", "Reload")
        self.show_packets()


def first_of_ours(lines):
    """Where the first M-CAS item stands: what is behind it is ours, too."""
    for number, line in enumerate(lines):
        if line.startswith("M-CAS, "):
            return number
    raise Failure("no M-CAS item in the tree:\n" + "\n".join(lines))


def select_rows(table, first=0):
    """Each row in turn, as with the arrow keys."""
    grid = table.get_table_iface()
    for row in range(first, grid.get_n_rows()):
        do(grid.get_accessible_at(row, 0), "Toggle")


# Of widgets that were asked for when they had gone; of threads that end when
# the program has; of any window with text, which only the plugin opens here:
# Wireshark's disconnect() at its end takes it off Qt's books for the bus, for
# which Qt 6.11 was seen to crash with the next window, in 1 run of 12.
OF_QT = re.compile(
    "AtSpiAdaptor|QAccessible|accessible on path|QThreadStorage"
    "|wildcard call disconnects from destroyed signal of FunnelTextDialog"
)


def said(path):
    """What stands in a log, less what differs from run to run."""
    with open(path, errors="replace") as file:
        text = file.read()
    text = re.sub(r"\d\d:\d\d:\d\d\.\d+", "TIME", text)
    text = re.sub(r"\((process|wireshark):\d+\)", r"(\1)", text)
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not OF_QT.search(line)]


def run(folder, options):
    plugin = not options.without and options.fault != "no-plugin"
    settings(os.path.join(folder, "settings"), plugin)
    os.environ["MCAS_PLUGIN"] = "" if plugin else "none"
    os.environ["WIRESHARK_ABORT_ON_DISSECTOR_BUG"] = "1"
    log = os.path.join(folder, "log")
    screen, program = Screen(folder), None
    try:
        program = Wireshark(screen, options.capture, ["-C", "M-CAS"], log)
        walk = Walk(program, options)
        for name, step in walk.steps():
            start = time.monotonic()
            step()
            if program.others():
                raise Failure("a window is left open")
            print(f"  {name}: {time.monotonic() - start:.1f} s", flush=True)
            if options.fault == "crash":
                program.process.send_signal(signal.SIGSEGV)
        program.quit(lambda: program.choose("File", "Quit"))
    except BaseException as error:
        screen.save(os.path.join(tempfile.gettempdir(), "mcas-gui.png"))
        if os.path.exists(log):
            print("on standard error:", *said(log), sep="\n  ")
        if program and isinstance(error, GLib.Error):
            # Who is gone answers no question.
            time.sleep(1)
            program.check_alive()
        raise
    finally:
        if program:
            program.kill()
        screen.close()
    return said(log)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("capture")
    parser.add_argument("log", help="for what it says on standard error")
    parser.add_argument("--without", action="store_true", help="the plugin")
    parser.add_argument("--fault", choices=["no-plugin", "crash"])
    options = parser.parse_args()
    # So that what was started ends with this, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="mcas-gui.")
    try:
        lines = run(folder, options)
    except Failure as failure:
        sys.exit(f"gui: {failure}")
    finally:
        shutil.rmtree(folder)
    with open(options.log, "w") as file:
        file.writelines(f"{line}\n" for line in lines)


main()
