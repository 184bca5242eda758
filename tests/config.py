#!/usr/bin/env python3
"""What the text of -z mcas,config does to a machine, against the bytes it came from.

    config.py CAPTURE TEXT [asterisk]    prints what is wrong

Each answer's part of TEXT is run as it stands, by sh and by an interactive bash, in a network namespace and a folder
of its own, and must do what is worked out here from what expect.py reads in the capture: nothing is shared with the
plugin. The kernel is asked by `ip -j`. What is for Asterisk is read by the grammar of its documentation ("Asterisk
Configuration Files"), and with `asterisk`, by Asterisk itself.
"""
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import expect

ANSWERS = (2, 10)  # provisioning response, extension configuration response
SHELLS = (["sh", "-e", "../text"], ["bash", "--norc", "--noprofile", "-i"])
PJSIP = re.compile(r"hikari-\+?[0-9]+-pjsip\.conf")

# As root in the namespace, with the interface down, as one is that nobody has used yet; and once more, which must
# change nothing; and without that interface, among files of the same names that are somebody's. The kernel may lack
# one kind of interface or the other.
NAMESPACE = """set -e
plug_in() {
    ip link add eth0 type veth peer name line0 2>/dev/null || ip link add eth0 type dummy
    ip link set line0 up 2>/dev/null || :
}
plug_in
ip link set lo up
cd work
for time in first again; do
    set +e
    "$@" <../text >../out 2>../err
    echo $? >>../status
    set -e
    ip -4 -j addr show >../addr-$time
    ip -4 -j route show table main >../route-$time
    cat ../addr-$time ../route-$time * >../all-$time 2>/dev/null || :
done
mkdir ../others
for file in *; do
    [ ! -e "$file" ] || echo mine >"../others/$file"
done
cd ../others
ip link delete eth0
set +e
"$@" <../text >/dev/null 2>&1
echo $? >../status-others
set -e
cat -- * >../others-files 2>/dev/null || :
cd ..
"""


# --- What must be ---------------------------------------------------------------------------------------------------


class Answer:
    """The settings of one answer, first values first."""

    def __init__(self, message):
        self.type = message["type"]
        self.fields = [(name[5:], value) for name, value, _ in message["fields"]]

    def first(self, name):
        return next((value for key, value in self.fields if key == name), None)

    def host(self, name):
        value = self.first(name)
        value = value and ipaddress.ip_address(value)
        return value if value and 0 < value.packed[0] < 224 and value.packed[0] != 127 else None

    def text(self, name, pattern):
        value = self.first(name)
        masked = value and not value.strip("xX*")
        return value if value and not masked and re.fullmatch(pattern, value) else None

    def routes(self):
        """Networks as they are listed."""
        found = [value for name, value in self.fields if name.startswith("dest_nw_addr.")]
        return [ipaddress.ip_interface("%s/%s" % pair) for pair in zip(found[::2], found[1::2])]

    def network(self):
        """Address, gateway, and what must be reached through it; None for what is not to be set."""
        own, gateway = self.host("ip_addr"), self.host("gateway")
        if not own:
            return None, None, set()
        length = int(self.first("netmask") or 32)
        own = ipaddress.ip_interface("%s/%d" % (own, length if length >= 8 else 32))
        ends = (own.network[0], own.network[-1]) if own.network.prefixlen < 31 else ()
        if not gateway or gateway == own.ip or gateway in ends:
            return own, None, set()
        listed = [route for route in self.routes()
                  if route.network.prefixlen >= 8 and 0 < route.ip.packed[0] < 224 and route.ip.packed[0] != 127]
        reached = {route.network for route in listed[:64]}
        for name in ("sipsv_addr", "regsv_addr"):
            if self.host(name):
                reached.add(ipaddress.ip_network(self.host(name)))
        reached = {one for one in reached if not one.subnet_of(own.network)}
        return own, gateway, set(ipaddress.collapse_addresses(reached))

    def pjsip(self):
        """The sections for Asterisk, by their type."""
        server, registrar = self.host("sipsv_addr"), self.host("regsv_addr")
        number = self.text("ip_tel_num", r"\+?[0-9]{1,32}")
        if not (server or registrar) or not number:
            return {}
        server, registrar = server or registrar, registrar or server
        domain = self.text("sip_domain", r"[0-9A-Za-z][0-9A-Za-z.-]{0,127}") or str(registrar)
        printable = r"(?! )[ -~]{1,128}(?<! )"
        user, password = self.text("username", printable), self.text("password", printable)
        own = self.host("ip_addr") if self.type == 2 else None
        tos = [("tos", "0x%02x" % (int(self.first("dscp")) << 2))] if self.first("dscp") else []
        auth = [("outbound_auth", "hikari-" + number)] if password else []
        proxy = "sip:%s:%s;lr"
        sections = {
            "transport": [("protocol", "udp"), ("bind", "%s:5060" % own if own else "0.0.0.0:0")] + tos,
            "registration": [("transport", "hikari-" + number), ("client_uri", "sip:%s@%s" % (number, domain)),
                             ("server_uri", "sip:" + domain),
                             ("outbound_proxy", proxy % (registrar, self.port("regsv_port"))),
                             ("contact_user", number)] + auth,
            "aor": [("contact", "sip:" + domain)],
            "endpoint": [("transport", "hikari-" + number), ("aors", "hikari-" + number), ("context", "from-hikari"),
                         ("allow", "ulaw"), ("from_user", number), ("from_domain", domain),
                         ("outbound_proxy", proxy % (server, self.port("sipsv_port")))]
            + [("tos_audio", value) for _, value in tos] + auth,
            "identify": [("endpoint", "hikari-" + number), ("match", str(server))]
            + ([("match", str(registrar))] if registrar != server else []),
        }
        if password:
            sections["auth"] = [("auth_type", "userpass"), ("username", user or number), ("password", password)]
        return {"hikari-" + number: {kind: sorted([("type", kind)] + lines) for kind, lines in sections.items()}}

    def settings(self):
        """All that is made use of; nothing where there was no success."""
        success = self.first("result_code") == "0"
        return success and (self.network(), self.pjsip(), self.rtp())

    def port(self, name):
        return self.first(name) if int(self.first(name) or 0) else "5060"

    def rtp(self):
        first, last = (int(self.first(name) or 0) for name in ("rtpport1", "rtpport2"))
        return {"general": {"rtp": [("rtpend", str(last)), ("rtpstart", str(first))]}} if 1024 <= first < last else {}


# --- What is --------------------------------------------------------------------------------------------------------


def parse(path):
    """A file of Asterisk's: {section: {type: [(key, value), ...]}}. Anything but sections and options is refused."""
    found, section = {}, None
    if not os.path.exists(path):
        return found
    with open(path, encoding="ascii", newline="\n") as file:
        lines = file.read().split("\n")
    for line in lines:
        if len(line) > 8190:
            raise ValueError("Asterisk would read this as several lines: " + line)
        line = re.split(r"(?<!\\);", line)[0].replace("\\;", ";").strip()
        if line.startswith("["):
            name = re.fullmatch(r"\[([^\]]+)\]", line)
            section = []
            found.setdefault(name[1], []).append(section)
        elif line:
            key, value = re.fullmatch(r"(\w+)\s*=(?!>)\s*(.*)", line).groups()
            section.append((key, value))
    return {name: {dict(one).get("type", "rtp"): sorted(one) for one in sections}
            for name, sections in found.items()}


class Run:
    """One part of the text, run."""

    def __init__(self, text, shell, asterisk=False):
        self.folder = tempfile.mkdtemp(prefix="mcas-config-")
        os.mkdir(self.path("work"))
        with open(self.path("text"), "w", encoding="utf-8") as file:
            file.write(text)
        alone = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
        script = NAMESPACE + (ASTERISK if asterisk else "")
        subprocess.run(alone + ["sh", "-c", script, "sh"] + shell, cwd=self.folder, check=True, text=True,
                       env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": "/nonexistent"},
                       timeout=60, stdin=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def problems(self, answer, interactive):
        """What of it is not as it must be."""
        own, gateway, reached = answer.network()
        addresses = json.loads(self.read("addr-again"))
        routes = json.loads(self.read("route-again"))
        added = [route for route in routes if route.get("protocol") != "kernel"]
        default = [route for route in added if route["dst"] == "default"]
        networks = [ipaddress.ip_network(route["dst"]) for route in added if route["dst"] != "default"]
        set_up = ["%s/%d" % (one["local"], one["prefixlen"]) for link in addresses if link.get("ifname") == "eth0"
                  for one in link.get("addr_info", [])]
        yield "status", ["0", "0"], self.read("status").split()
        yield "the second time", self.read("all-first"), self.read("all-again")
        # An interactive shell prompts there.
        yield "complaints", "", "" if interactive else self.read("err")
        yield "printed", "", self.read("out")
        files = set(os.listdir(self.path("work"))) - {"hikari-rtp.conf"}
        pjsip = {name for name in files if PJSIP.fullmatch(name)}
        does = answer.pjsip() or answer.rtp() or own
        yield "where it fails", "1" if does else "0", self.read("status-others").strip()
        yield "somebody's files", "mine\n" * len(os.listdir(self.path("work"))), self.read("others-files")
        yield "other files", set(), files - pjsip
        yield "addresses", [str(own)] if own else [], set_up
        yield "reached", reached, set(ipaddress.collapse_addresses(networks))
        yield "within another", [], [a for a in networks for b in networks if a != b and a.subnet_of(b)]
        yield "gateways", {str(gateway)} if gateway else set(), {route.get("gateway") for route in added}
        yield "default", [1024] if gateway else [], [route.get("metric") for route in default]
        yield "pjsip", answer.pjsip(), parse(self.path("work/" + min(pjsip, default="none")))
        yield "files for pjsip.conf", ["%s-pjsip.conf" % name for name in answer.pjsip()], sorted(pjsip)
        yield "rtp", answer.rtp(), parse(self.path("work/hikari-rtp.conf"))


# --- Asterisk -------------------------------------------------------------------------------------------------------

# Starts it with the two files, without any other of this machine's, and asks what it has made of them.
ASTERISK = r"""
plug_in
(cd work && "$@" <../text >/dev/null 2>&1) || :
modules=$(dirname "$(find /usr/lib -name res_pjsip.so | head -n 1)")
mkdir etc var run
cat >etc/asterisk.conf <<END
[directories]
astetcdir => $PWD/etc
astmoddir => $modules
astvarlibdir => $PWD/var
astdbdir => $PWD/var
astdatadir => /usr/share/asterisk
astspooldir => $PWD/var
astrundir => $PWD/run
astlogdir => $PWD/var
END
{
    printf '[modules]\nautoload = no\n'
    printf 'load = %s.so\n' res_timing_timerfd res_sorcery_config res_sorcery_memory res_sorcery_astdb \
        res_pjproject res_pjsip res_pjsip_session res_pjsip_outbound_registration \
        res_pjsip_outbound_authenticator_digest res_pjsip_endpoint_identifier_ip res_rtp_asterisk
} >etc/modules.conf
printf '[logfiles]\nconsole = warning,error\n' >etc/logger.conf
cp work/hikari-*-pjsip.conf etc/pjsip.conf
[ ! -e work/hikari-rtp.conf ] || cp work/hikari-rtp.conf etc/rtp.conf
asterisk -C "$PWD/etc/asterisk.conf" -f -n >log 2>&1 &
ask() { asterisk -C "$PWD/etc/asterisk.conf" -rx "$1" 2>/dev/null; }
tries=100
until ask 'core waitfullybooted' | grep -q fully; do
    tries=$((tries - 1))
    [ $tries -gt 0 ]
    sleep 0.1
done
id=$(sed -n 's/^\[\(.*\)\]$/\1/p;T;q' etc/pjsip.conf)
for kind in transport registration auth aor endpoint identify; do
    ask "pjsip show $kind $id" >"show-$kind"
done
ask 'rtp show settings' >show-rtp
# Gently, it would wait for the registrar, which is not there.
kill -9 $!
"""


def shown(run, kind):
    """What Asterisk says of a section: {key: value}."""
    lines = re.findall(r"^ *(\w+) +: (.*?) *$", run.read("show-" + kind), re.M)
    return {key: value for key, value in lines if key != "ParameterName"}


def asterisk_problems(run, answer):
    """What Asterisk has made of the sections that is not as it must be."""
    for sections in answer.pjsip().values():
        for kind, lines in sections.items():
            has = shown(run, kind)
            for key, value in lines:
                got = has.get(key)
                if key in ("type", "match") or got is None and key == "auth_type":
                    continue
                if key.startswith("tos"):
                    value = str(int(value, 16))
                elif key == "allow":
                    value = "(%s)" % value
                elif key == "contact":
                    got = re.search(r"Contact: +hikari-[^/ ]+/(\S+)", run.read("show-aor"))
                    got = got and got[1]
                elif key == "bind" and value.endswith(":0"):
                    got = got and got.rsplit(":", 1)[0] + ":0"
                yield "Asterisk's %s %s" % (kind, key), value, got
            if kind == "identify":
                wanted = {value + "/32" for key, value in lines if key == "match"}
                yield "Asterisk's match", wanted, set(re.findall(r"Match: (\d\S+)", run.read("show-identify")))
    for lines in answer.rtp().values():
        last, first = (value for _, value in lines["rtp"])
        ports = re.findall(r"Port (?:start|end): +(\d+)", run.read("show-rtp"))
        yield "Asterisk's RTP ports", [first, last], ports
    ours = re.findall(r"(?:WARNING|ERROR).*(?:pjsip|rtp\.conf|hikari|res_pjsip).*", run.read("log"))
    yield "Asterisk's complaints", [], [line for line in ours if "pjproject.conf" not in line]


# --- Command line ---------------------------------------------------------------------------------------------------


def main(capture, text, *options):
    with open(text, encoding="utf-8") as file:
        parts = re.split(r"^(# .* response in frame (\d+), .*\n)", file.read(), flags=re.M)
    parts = list(zip(parts[1::3], map(int, parts[2::3]), parts[3::3]))
    answers = [message for message in expect.expected(capture) if message["type"] in ANSWERS]
    frames = [message["frame"] for message in answers]
    if frames != [frame for _, frame, _ in parts]:
        print("answers are in frames", frames, "not", [frame for _, frame, _ in parts])
    known, runs = {}, []
    for message, (head, frame, part) in zip(answers, parts):
        answer = known[frame] = Answer(message)
        same = re.match("# the same as in frame (\\d+)\n", part)
        if same:
            if answer.settings() != known[int(same[1])].settings():
                print("frame %d is not the same as %s" % (frame, same[1]))
            continue
        if part.startswith("# no settings") or answer.first("result_code") != "0":
            if not part.startswith("# no settings") or answer.first("result_code") == "0":
                print("frame %d:" % frame, part)
            continue
        asterisk = "asterisk" in options and bool(answer.pjsip())
        for shell in SHELLS[:1] if asterisk else SHELLS:
            runs.append((answer, frame, head + part, shell, asterisk))
    # Most of the time goes by with waiting for the kernel.
    with ThreadPoolExecutor(8) as several:
        for wrong in several.map(lambda arguments: list(differences(*arguments)), runs):
            print("".join(wrong), end="")


def differences(answer, frame, text, shell, asterisk):
    """What is not as it must be where one part of the text is run."""
    run = Run(text, shell, asterisk)
    found = list(run.problems(answer, "-i" in shell))
    found += asterisk_problems(run, answer) if asterisk else []
    for what, wanted, got in found:
        if wanted != got:
            yield "frame %d, %s, %s:\n  must be %s\n  is      %s\n" % (frame, shell[0], what, wanted, got)
    shutil.rmtree(run.folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
