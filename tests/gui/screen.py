"""A program on a screen of its own, seen and used by way of the
accessibility bus, as a screen reader does.

Nothing here knows of Wireshark. Widgets are asked for anew each time: what a
Qt program says of its changes is not complete.
"""

import contextlib
import mmap
import os
import signal
import struct
import subprocess
import time
import warnings
import zlib

warnings.simplefilter("ignore")  # PyGObject's: of the names it prefers

import gi  # noqa: E402

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

# A slow machine's patience. Nothing waits that long where all is well.
PATIENCE = 30


class Failure(Exception):
    """What the program should have done and did not."""


def wait(what, condition, seconds=PATIENCE):
    """The first true value of the condition."""
    end = time.monotonic() + seconds
    while True:
        reason = ""
        try:
            value = condition()
            if value:
                return value
        except (GLib.Error, AttributeError, IndexError) as error:
            # Widgets come and go while they are looked at.
            reason = f": {error}"
        if time.monotonic() > end:
            raise Failure(f"no {what} after {seconds} s{reason}")
        time.sleep(0.05)


class Screen:
    """A display, a session bus and the accessibility bus, in a folder."""

    SIZE = (1280, 800)

    def __init__(self, folder):
        self.children = []
        os.environ["XDG_RUNTIME_DIR"] = folder
        width, height = self.SIZE
        display = self.start_and_read(
            lambda pipe: [
                "Xvfb", "-displayfd", str(pipe), "-nolisten", "tcp",
                "-noreset", "-screen", "0", f"{width}x{height}x24",
                "-fbdir", folder,
            ]
        )
        os.environ["DISPLAY"] = ":" + display
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = self.start_and_read(
            lambda pipe: [
                "dbus-daemon", "--session", "--nofork",
                f"--print-address={pipe}",
            ]
        )
        session = Gio.bus_get_sync(Gio.BusType.SESSION)
        [self.bus] = session.call_sync(
            "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress",
            None, None, Gio.DBusCallFlags.NONE, -1,
        )
        # Qt takes the bus from here when it starts. Asking for it, it is
        # late at times, and does not ask again.
        subprocess.run(
            ["xprop", "-root", "-format", "AT_SPI_BUS", "8s"]
            + ["-set", "AT_SPI_BUS", self.bus],
            check=True,
        )
        self.frame_buffer = os.path.join(folder, "Xvfb_screen0")

    def start_and_read(self, command):
        """Starts a server, and returns the line that it writes when it is
        ready."""
        reading, writing = os.pipe()
        self.children.append(
            subprocess.Popen(
                command(writing), pass_fds=[writing],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )
        os.close(writing)
        with os.fdopen(reading) as pipe:
            line = pipe.readline().strip()
        if not line:
            raise Failure(f"{command(0)[0]} does not start")
        return line

    def close(self):
        for child in reversed(self.children):
            child.terminate()
            child.wait()

    def save(self, path, area=None):
        """Writes a PNG of the screen, or of (x, y, width, height) of it."""
        with open(self.frame_buffer, "rb") as file:
            xwd = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # X's own file format for images: lengths, then the pixels, which
        # are blue, green, red and a byte of nothing.
        header = struct.unpack(">25I", xwd[:100])
        start, line = header[0] + header[19] * 12, header[12]
        x, y, width, height = area or (0, 0, *self.SIZE)
        rows = []
        for row in range(y, y + height):
            at = start + row * line + x * 4
            pixels = xwd[at : at + width * 4]
            rgb = bytearray(3 * width)
            rgb[0::3], rgb[1::3], rgb[2::3] = (
                pixels[2::4], pixels[1::4], pixels[0::4],
            )
            rows.append(b"\0" + rgb)

        def chunk(kind, data):
            check = zlib.crc32(kind + data)
            return struct.pack(">I", len(data)) + kind + data + (
                struct.pack(">I", check)
            )

        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            size = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
            file.write(chunk(b"IHDR", size))
            file.write(chunk(b"IDAT", zlib.compress(b"".join(rows), 9)))
            file.write(chunk(b"IEND", b""))


class Program:
    """A Qt program that runs on the screen."""

    def __init__(self, screen, name, command, complaints):
        self.name = name
        self.complaints = complaints
        environment = os.environ | {
            "QT_QPA_PLATFORM": "xcb",
        }
        with open(complaints, "wb") as file:
            self.process = subprocess.Popen(
                command, env=environment, stderr=file
            )
        bus = Gio.DBusConnection.new_for_address_sync(
            screen.bus,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
            | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
        )
        # The library that asks this bus for widgets must not be there
        # before the program answers: what failed once it never asks again.
        self.wait("program on the bus", lambda: answers(bus))

    def check_alive(self):
        if self.process.poll() is not None:
            raise Failure(f"{self.name} is gone: {self.ending()}")

    def ending(self):
        code = self.process.returncode
        if code is not None and code < 0:
            return signal.Signals(-code).name
        return f"exit status {code}"

    def wait(self, what, condition, seconds=PATIENCE):
        """The first true value of the condition, while the program lives."""

        def living():
            self.check_alive()
            return condition()

        return wait(what, living, seconds)

    def windows(self):
        """The windows that are on the screen."""
        desktop = Atspi.get_desktop(0)
        for number in range(desktop.get_child_count()):
            program = desktop.get_child_at_index(number)
            if program and program.get_process_id() == self.process.pid:
                program.set_cache_mask(Atspi.Cache.NONE)
                return [w for w in children(program) if on_screen(w)]
        return []

    def quit(self, ask):
        """Asks the program to end, and fails unless it ends well."""
        with contextlib.suppress(GLib.Error):
            ask()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} does not end") from None
        if self.process.returncode != 0:
            raise Failure(f"{self.name} ends with {self.ending()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def answers(bus):
    """Whether a program on the accessibility bus can be asked for widgets."""

    def ask(name, path, interface, method):
        return bus.call_sync(
            name, "/org/a11y/atspi/" + path, "org.a11y.atspi." + interface,
            method, None, None, Gio.DBusCallFlags.NONE, -1,
        )

    [programs] = ask(
        "org.a11y.atspi.Registry", "accessible/root", "Accessible",
        "GetChildren",
    )
    for name, _ in programs:
        ask(name, "cache", "Cache", "GetItems")
    return programs


def children(widget):
    found = (
        widget.get_child_at_index(number)
        for number in range(widget.get_child_count())
    )
    return [child for child in found if child]


def role(widget):
    """What kind of widget it is, by one name in each version of the bus."""
    name = widget.get_role_name()
    return {"button": "push button"}.get(name, name)


def showing(widget):
    return widget.get_state_set().contains(Atspi.StateType.SHOWING)


def on_screen(window):
    """The same for a window, which may be gone by now."""
    try:
        return showing(window)
    except GLib.Error:
        return False


def enabled(widget):
    return widget.get_state_set().contains(Atspi.StateType.ENABLED)


def find(widget, kind, name=None, start=None, hidden=False):
    """The first widget of that kind and name (or beginning of a name) below
    another, or None."""
    return next(find_all(widget, kind, name, start, hidden), None)


# Of what these hold there may be thousands; it is asked for by its place.
TABLES = ("tree", "table", "list")


def find_all(widget, kind, name=None, start=None, hidden=False):
    for child in children(widget):
        if not (hidden or showing(child)):
            continue
        its_role, its_name = role(child), child.get_name() or ""
        if (
            its_role == kind
            and (name is None or its_name == name)
            and (start is None or its_name.startswith(start))
        ):
            yield child
        if its_role not in TABLES:
            yield from find_all(child, kind, name, start, hidden)


def do(widget, action):
    """One of the widget's actions, by name."""
    for number in range(widget.get_n_actions()):
        if widget.get_action_name(number) == action:
            # A modal dialog's loop runs before the answer is sent: that it
            # is late says nothing.
            with contextlib.suppress(GLib.Error):
                widget.do_action(number)
            return
    raise Failure(f"{widget.get_name()!r} has no action {action}")


def box(widget):
    """Where it is on the screen."""
    return widget.get_extents(Atspi.CoordType.SCREEN)


# How far from its left end a widget is clicked: not all of a long one need be
# in sight.
MARGIN = 30


def within(widget, window):
    """Whether a click would hit the widget, and not what is behind its
    window: it may be scrolled out of sight."""
    inner, outer = box(widget), box(window)
    return inner.x + MARGIN < outer.x + outer.width


def click(widget, kind="b1c"):
    """The mouse, on the widget: b1c clicks, b1d clicks twice."""
    place = box(widget)
    Atspi.generate_mouse_event(
        place.x + min(place.width // 2, MARGIN),
        place.y + place.height // 2, kind,
    )


def move_mouse_away():
    Atspi.generate_mouse_event(*Screen.SIZE, "abs")


def read(widget):
    """The text of an entry or of a page."""
    count = Atspi.Text.get_character_count(widget)
    return Atspi.Text.get_text(widget, 0, count)


def write(widget, text):
    Atspi.EditableText.set_text_contents(widget, text)


def row(table, number):
    """The cells of a row of a table or tree."""
    grid = table.get_table_iface()
    columns = range(grid.get_n_columns())
    return [grid.get_accessible_at(number, it).get_name() for it in columns]


def rows(table):
    """All rows that are there to be scrolled to: of a tree, the open ones."""
    numbers = range(table.get_table_iface().get_n_rows())
    return [row(table, number) for number in numbers]


def type_text(text):
    """Keys, to the window that has the focus."""
    Atspi.generate_keyboard_event(0, text, Atspi.KeySynthType.STRING)


# As X numbers them.
ESCAPE, END = 0xFF1B, 0xFF57


def press_key(symbol):
    Atspi.generate_keyboard_event(symbol, None, Atspi.KeySynthType.SYM)
