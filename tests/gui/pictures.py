#!/usr/bin/python3
"""pictures.py FILE NAME: one of the screenshots in the README."""

import os
import shutil
import sys
import tempfile
import time

from screen import END, Screen, box, click, move_mouse_away, press_key, rows
from wireshark import MOMENT, ROOT, Wireshark, settings

CAPTURES = os.path.join(ROOT, "tests/captures")


def shot(file, capture, sizes, take):
    """Opens Wireshark with windows of these sizes, and has a picture taken
    of what `take` leaves open."""
    session = tempfile.mkdtemp(prefix="mcas-gui.")
    home = os.path.join(session, "settings")
    settings(home, True)
    with open(os.path.join(home, "recent_common"), "a") as recent:
        for window, (width, height) in sizes.items():
            keys = {"x": 0, "y": 0, "width": width, "height": height}
            for key, value in keys.items():
                recent.write(f"gui.geom.{window}.{key}: {value}\n")
    with open(os.path.join(home, "profiles/M-CAS/recent"), "a") as recent:
        recent.write("gui.geometry_main_upper_pane: 204\n")
        recent.write("gui.geometry_main_lower_pane: 700\n")
    screen = Screen(session)
    try:
        program = Wireshark(
            screen, os.path.join(CAPTURES, capture), ["-C", "M-CAS"],
            os.path.join(session, "log"),
        )
        window = take(program)
        move_mouse_away()
        time.sleep(3 * MOMENT)
        place = box(window)
        screen.save(
            file,
            (max(place.x, 0), max(place.y, 0), place.width, place.height),
        )
        program.kill()
    finally:
        screen.close()
        shutil.rmtree(session)


def answer(program):
    """The main window, on the answer to a gateway."""
    program.press("Boot")
    program.go("First")
    while not row_of(program, "M-CAS, Provisioning response"):
        program.go("Next")
    program.choose("View", "Collapse All")
    message = row_of(program, "M-CAS, Provisioning response")
    grid = program.details().get_table_iface()
    click(grid.get_accessible_at(message, 0), "b1d")
    press_key(END)
    time.sleep(MOMENT)
    server = row_of(program, "SIP server address")
    click(grid.get_accessible_at(server, 0))
    return program.main


def row_of(program, start):
    for number, [text] in enumerate(rows(program.details())):
        if text.startswith(start):
            return number
    return None


def statistic(*path):
    def take(program):
        return program.open("Statistics", *path)

    return take


PICTURES = {
    "answer": ("boot.pcapng", {}, answer),
    "boot": (
        "boot.pcapng", {"Funnel M-CAS Boot Sequence": (1060, 530)},
        statistic("M-CAS Boot Sequence"),
    ),
    "provisioning": (
        "mcas-devices.pcap", {"M-CAS Provisioning": (1280, 240)},
        statistic("M-CAS Provisioning"),
    ),
}

_, file, name = sys.argv
shot(file, *PICTURES[name])
