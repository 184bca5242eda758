"""Wireshark, by what its windows and menus are called."""

import os
import subprocess
import time

from screen import (
    ESCAPE, Failure, Program, Screen, children, do, enabled, find, find_all,
    press_key, role, row, rows, write,
)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# The profile's button of that name, without the plugin: on the same packets
# of boot.pcapng.
BUTTON_WITHOUT = '"TRUE","M-CAS","http","The same packets"\n'

# Whoever waits for nothing to happen waits this long.
MOMENT = 0.3


def settings(folder, with_plugin):
    """A user's folder: the main window as large as the screen, and the
    profile; without the plugin, a profile that asks for nothing of it."""
    os.makedirs(folder)
    width, height = Screen.SIZE
    with open(os.path.join(folder, "recent_common"), "w") as file:
        for key, value in zip(("x", "y", "width", "height"),
                              (0, 0, width, height)):
            file.write(f"gui.geometry_main_{key}: {value}\n")
    os.environ["WIRESHARK_CONFIG_DIR"] = folder
    if with_plugin:
        subprocess.run(
            [f"{ROOT}/scripts/install-profile"], check=True,
            stdout=subprocess.DEVNULL,
        )
    else:
        profile = os.path.join(folder, "profiles", "M-CAS")
        os.makedirs(profile)
        with open(os.path.join(profile, "dfilter_buttons"), "w") as file:
            file.write(BUTTON_WITHOUT)


def items(menu):
    """Of the menu bar, or of the menu that an item opens."""
    for child in children(menu):
        if role(child) == "popup menu":
            yield from items(child)
        elif role(child) == "menu item":
            yield child


class Wireshark(Program):
    def __init__(self, screen, capture, options, complaints):
        command = [f"{ROOT}/scripts/with-plugin", "wireshark", "-r", capture]
        super().__init__(
            screen, "Wireshark", [*command, *options], complaints
        )
        self.title = os.path.basename(capture)
        self.main = self.wait("main window", self.find_main)
        self.wait_for_packets("Packets: ")

    def find_main(self):
        for window in self.windows():
            if role(window) == "frame" and window.get_name() == self.title:
                return window
        return None

    def windows(self):
        """A message box ends it all."""
        found = super().windows()
        for window in found:
            if role(window) == "alert":
                said = [it.get_name() for it in find_all(window, "label")]
                raise Failure(f"a message box: {' '.join(said)}")
        return found

    def others(self):
        """The windows beside the main one."""
        return [
            window for window in self.windows()
            if role(window) != "frame" or window.get_name() != self.title
        ]

    # Menus.

    def entries(self):
        """All that can be chosen from the menus: their paths."""

        def below(menu, path):
            for item in items(menu):
                here = (*path, item.get_name())
                if item.get_child_count():
                    yield from below(item, here)
                else:
                    yield here

        return list(below(find(self.main, "menu bar"), ()))

    def choose(self, *path):
        menu = find(self.main, "menu bar")
        for name in path:
            menu = next(
                (it for it in items(menu) if it.get_name() == name), None
            )
            if not menu:
                raise Failure(f"no menu entry {' → '.join(path)}")
        self.wait(
            f"use of {' → '.join(path)}",
            lambda: enabled(menu),
        )
        do(menu, "Press")

    def open(self, *path):
        """The window that a menu entry opens."""
        what = "window of " + " → ".join(path)
        for attempt in range(5):
            self.choose(*path)
            try:
                [window] = self.wait(what, self.others, 3)
                return window
            except Failure:
                self.check_alive()
                # Qt does not list a window for which it got the memory of
                # one that was closed. It can be closed as people do.
                press_key(ESCAPE)
        raise Failure("no " + what)

    def close(self, window):
        title = window.get_name()
        button = find(window, "push button", "Close") or find(
            window, "push button", "Cancel"
        )
        if not button:
            raise Failure(f"{title!r} has no button to close it")
        do(button, "Press")
        self.wait(f"end of {title!r}", lambda: not self.others())

    # The main window.

    def wait_for_packets(self, start):
        """The status bar's count of packets, when it begins like this."""
        label = self.wait(
            f"{start!r} in the status bar",
            lambda: find(self.main, "label", start=start),
        )
        return label.get_name()

    def filter(self, text):
        """Applies a display filter; returns how many packets it shows."""
        entry = find(self.main, "text", "Display filter entry")
        write(entry, text)
        time.sleep(MOMENT)
        buttons = [
            child for child in children(entry)
            if role(child) == "push button"
        ]
        # Bookmarks, clear, apply.
        do(buttons[-1], "Press")
        return self.displayed()

    def press(self, name):
        """A filter button; returns how many packets it shows."""
        for bar in find_all(self.main, "tool bar"):
            button = find(bar, "push button", name)
            if button:
                do(button, "Press")
                return self.displayed()
        raise Failure(f"no filter button {name}")

    def displayed(self):
        time.sleep(MOMENT)
        status = self.wait_for_packets("Packets: ")
        return int(status.split(": ")[-1].split()[0])

    def packets(self):
        return rows(find(self.main, "tree", "Packet list"))

    def details(self):
        return find(self.main, "tree", "Packet details")

    def go(self, place):
        """Goes to the First, the Last or the Next packet."""
        self.choose("Go", place + " Packet")

    def wait_for_details(self, packet):
        start = f"Frame {packet[0]}:"
        self.wait(
            f"details of packet {packet[0]}",
            lambda: row(self.details(), 0)[0].startswith(start),
        )

    def first(self):
        [packet, *_] = self.packets()
        self.go("First")
        self.wait_for_details(packet)

    def last(self):
        [*_, packet] = self.packets()
        self.go("Last")
        self.wait_for_details(packet)
