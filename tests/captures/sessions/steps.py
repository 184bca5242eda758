"""The steps that a recorded session is made of: what the servers answer, what
the device asks, bytes written by hand, and what editcap does afterwards.
"""

import contextlib
import ctypes
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent.parent
RUN = pathlib.Path(tempfile.gettempdir(), f"mcas-record-{os.getpid()}")
DEVICE, SERVER = f"device-{os.getpid()}", f"server-{os.getpid()}"

DEVICES = ["10.212.33.7", "10.212.33.8", "10.212.33.9"]
ADD_CON, VERUP, NOTIFY = "10.139.75.42", "220.210.198.37", "220.216.147.36"
APACHE, GZIP, BORDERS, H2C, PROXY = (f"192.0.2.{n}"
                                     for n in (80, 87, 88, 89, 90))
NGINX, CHUNKED, UNTIL_CLOSE, HTTP2, TLS = (f"192.0.2.{n}"
                                           for n in range(81, 86))
SIP_SERVER = "192.0.2.86"
SCRIPTED = "192.0.2.91"  # where this program itself is the server

PROVISIONING = (HERE / "servers/provisioning.txt").read_text()
COOKIE = "Set-Cookie: BIGipServer%s; path=/"
M_CAS = "M-CAS/1.0"
HOME_GATEWAY = "M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)"
IMAGE = "/download/fw/RTS300HI/PRRTRV-S3X0HI12020003.bin"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101"


@contextlib.contextmanager
def inside(namespace):
    """What is started and opened here is in the network namespace."""
    enter = ctypes.CDLL(None, use_errno=True).setns
    with open("/proc/self/ns/net") as home, \
            open(f"/run/netns/{namespace}") as there:
        if enter(there.fileno(), 0):
            sys.exit(f"{namespace}: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            enter(home.fileno(), 0)


def run(*command, namespace=None):
    with inside(namespace) if namespace else contextlib.nullcontext():
        done = subprocess.run(command, capture_output=True, text=True,
                              cwd=RUN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


# What the servers answer

def settings(*more, **changes):
    """The settings of protocol.md, with values changed, keys taken away
    (None), and further keys and lines at the end."""
    lines = []
    for line in PROVISIONING.splitlines():
        key, _, value = line.partition("=")
        value = changes.pop(key, value)
        if value is not None:
            lines.append(f"{key}={value}")
    lines += [f"{key}={value}" for key, value in changes.items()]
    return crlf(*lines, *more)


def crlf(*lines):
    return "".join(line + "\r\n" for line in lines).encode()


def answer(body, *header, status="200 OK", terminal="default",
           media_type="text/plain;charset=ISO-8859-1", length=True):
    """From now on Apache and nginx answer this (nginx the body alone)."""
    head = ["Status: " + status, *header]
    head += ["Content-Type: " + media_type] if media_type else []
    head += [f"Content-Length: {len(body)}"] if length else []
    # At once: the program of the last answer may still be reading it.
    for name, content in (f"answers/{terminal}", crlf(*head, "") + body), \
            ("pages/answer.txt", body):
        (RUN / "new").write_bytes(content)
        (RUN / "new").replace(RUN / name)


def page(path, content):
    file = RUN / "pages" / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    os.utime(file, (1315156838,) * 2)  # 4 September 2011, for If-Modified-…


def noise(length, seed=0):
    return random.Random(seed).randbytes(length)


def prose(length):
    words = "denwa hikari router number line port voice light call tone"
    pick = random.Random(1).choice
    text = " ".join(pick(words.split()) for _ in range(length // 4))
    return f"<html><body><p>{text[:length]}</p></body></html>\n".encode()


# What the device asks: each function returns the options of one curl transfer

def provisioning(terminal="001F67A1B2C3", *options, host="add-con.mcas",
                 form="CompanyCode=&ServiceCode=&ControlCode=&TerminalID=%s"):
    return ["--user-agent", M_CAS, "--header", "Connection: Keep-Alive",
            "--data", form.replace("%s", terminal), *options,
            f"http://{host}/"]


def firmware(*options, path=IMAGE, agent=HOME_GATEWAY,
             host="verup-mcas.odm00015.flets", header=None, connection=None):
    """In absolute form.  The Host header is another with `header`; with
    `connection`, curl takes its connection to that host."""
    return ["--user-agent", agent, "--header", f"Host: {header or host}:80",
            "--request-target", f"http://{host}{path}", *options,
            f"http://{connection or host}/"]


def notification(*options, agent=M_CAS, query=""):
    return ["--user-agent", agent, *options,
            f"http://{NOTIFY}:50080/verup/notify.cgi{query}"]


def ask_gateway(path, *options, host="ntt.setup"):
    """What a phone asks its gateway, or a gateway a phone: the User-Agent is
    the program's own."""
    return ["--user-agent", "Softphone/3.2", *options, f"http://{host}{path}"]


def browse(path="/page.html", *options, host="www.example.jp"):
    return ["--user-agent", BROWSER, *options, f"http://{host}{path}"]


def exchange(*transfers, to):
    """Has curl make the transfers one after the other, on one connection
    where server and host stay the same."""
    address, _, port = to.partition(":")
    command = ["curl", "--disable"]
    for transfer in transfers:
        command += ["--silent", "--show-error", "--max-time", "20",
                    "--output", "/dev/null",
                    "--connect-to", f"::{address}:{port}", *transfer,
                    "--next"]
    run(*command[:-1], namespace=DEVICE)


def call(name, *options, rtp_port, port=5070):
    """Has sipp call another sipp and speak for a moment, from that port."""
    common = "-m", "1", "-nostdin"
    with inside(SERVER):
        server = subprocess.Popen(
            ["sipp", "-sf", "sip-server.xml", "-i", SIP_SERVER, "-p",
             str(port), *common, *options], cwd=RUN,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    run("sipp", "-sf", "phone.xml", "-i", DEVICES[2], "-mi", DEVICES[2],
        "-p", "5071", "-mp", str(rtp_port), "-cid_str", f"{name}-%u",
        *common, *options, f"{SIP_SERVER}:{port}", namespace=DEVICE)
    if server.wait():
        sys.exit(f"{name}: sipp failed")


# Bytes written by this program itself

def request(first_line, *header, body=b""):
    header += (f"Content-Length: {len(body)}",) if body else ()
    return crlf(first_line, *header, "") + body


POST = request("POST / HTTP/1.1", "User-Agent: " + M_CAS, "Accept: */*",
               "Host: add-con.mcas", "Connection: Keep-Alive",
               "Content-Type: application/x-www-form-urlencoded",
               body=b"CompanyCode=&ServiceCode=&ControlCode="
                    b"&TerminalID=001F67A1B2C3")
GET = request("GET /page.html HTTP/1.1", "Host: www.example.jp",
              "User-Agent: " + BROWSER)


def connect(address, port=80):
    with inside(DEVICE):
        return socket.create_connection((address, port), timeout=5)


def listen(port=80):
    with inside(SERVER):
        return socket.create_server((SCRIPTED, port))


def send(address, *segments, port=80):
    """Sends each segment when the server has nothing more to say to the
    one before."""
    with connect(address, port) as device:
        device.settimeout(0.3)
        for segment in segments:
            device.sendall(segment)
            with contextlib.suppress(TimeoutError):
                while device.recv(65536):
                    pass


def converse(*turns, port=80):
    """Device and a server of this program's own say the turns in turn."""
    with listen(port) as listener, connect(SCRIPTED, port) as device:
        with listener.accept()[0] as server:
            sides = [device, server] * len(turns)
            for turn, sender, receiver in zip(turns, sides, sides[1:]):
                sender.sendall(turn)
                left = len(turn)
                while left:
                    left -= len(receiver.recv(left))


async def websocket(uri, agent, *messages):
    import websockets  # Debian's python3-websockets

    async def echo(peer):
        async for message in peer:
            await peer.send(message)
    async with websockets.serve(echo, sock=listen(), compression=None):
        async with websockets.connect(uri, sock=connect(SCRIPTED),
                                      compression=None,
                                      user_agent_header=agent) as device:
            for message in messages:
                await device.send(message)
                await device.recv()


# What is done to a capture afterwards, with editcap

def without(frames):
    """Takes away the frames that a display filter matches."""
    def edit(capture):
        numbers = run("tshark", "-r", capture, "-Y", frames, "-T", "fields",
                      "-e", "frame.number").split()
        if not numbers:
            sys.exit(f"{capture.name}: no frame matches {frames}")
        return [capture, RUN / "edited", *numbers]
    return edit


def cut(length):
    """Keeps that many bytes of each frame, as a snapshot length does."""
    return lambda capture: ["-s", str(length), capture, RUN / "edited"]
