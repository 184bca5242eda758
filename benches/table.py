#!/usr/bin/env python3
"""table.py [--check | --write-baseline] [ROW…]: measures the rows of the table
in docs/performance.md, all of them or those that are named, and prints them.

Each row is measured beside its peer in the same run. Counts are instructions,
as valgrind counts them, of the work alone: what it takes to do a little of it
is taken off what it takes to do much. So start-up is in no row but its own.

--check measures the rows of baseline.json, and fails where one has grown
against its peer; --write-baseline writes that file anew.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from random import Random
from statistics import mean
from typing import Callable, NamedTuple

import reader

HERE = Path(__file__).parent
ROOT = HERE.parent
WITH_PLUGIN = str(ROOT / "scripts/with-plugin")
REPEAT = str(ROOT / "target/bench/release/repeat")
SEED = str(ROOT / "target/bench/seed.so") # of seed.c
CAPTURES = ROOT / "target/bench/captures"
BASELINE = HERE / "baseline.json"

# How much a row may grow against its peer before CI says so. The counts
# themselves differ between processors, compilers and Wiresharks; and in
# tshark it is chance where things lie in hash tables.
TOLERANCE, TOLERANCE_IN_TSHARK = 0.10, 0.25

# The rows of the baseline: those that tell most in the least time.
CHECKED = ["whole", "body", "segment", "request", "response", "allocations",
           "web", "exchange"]

# Runs of tshark that a mean is taken of, in rows where chance is much: of
# instructions, and of memory.
RUNS, MEMORY_RUNS = 12, 25

# As many programs at once as there are processors. What has been run once is
# not run again.
processors = ThreadPoolExecutor(os.cpu_count())


@cache
def instructions(command, options=()):
    """Instructions of a command, of which `options` are in the environment;
    a future."""
    return processors.submit(count, command, options)


def count(command, options):
    if command[0] == WITH_PLUGIN:
        options = (("LD_PRELOAD", SEED), ("MCAS_BENCH_SEED", "1"), *options)
    place = 1 if command[0] == WITH_PLUGIN else 0
    valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no",
                "--cachegrind-out-file=/dev/null"]
    done = subprocess.run(
        [*command[:place], *valgrind, *command[place:]],
        env=os.environ | dict(options), check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    found = re.search(r"I +refs: +([\d,]+)", done.stderr)
    return int(found[1].replace(",", ""))


def each(command, few, many):
    """Instructions of one unit of what `command` does as many of as it is
    told."""
    ends = [instructions(*command(units)) for units in (few, many)]
    few_cost, many_cost = (end.result() for end in ends)
    return (many_cost - few_cost) / (many - few)


# The core.

def core(name):
    """Instructions of the work of that name in src/lib.rs."""
    def costs(name):
        return each(lambda times: ((REPEAT, name, str(times)),), 500, 1500)
    return costs(name) - costs("nothing")


def allocations(name):
    done = subprocess.run([REPEAT, name, "1000"], check=True, text=True,
                          stdout=subprocess.PIPE)
    return int(done.stdout.split()[0]) / 1000


# tshark.

WITH, WITHOUT = (("MCAS_PLUGIN", ""),), (("MCAS_PLUGIN", "none"),)
NO_TREE = ("-q", "-z", "io,phs")
LUA = (*NO_TREE, "-X", f"lua_script:{HERE / 'peer.lua'}")


def fields(names):
    return ("-T", "fields", *(part for name in names for part in ("-e", name)))


HTTP_FIELDS = (*fields(reader.FIELDS), "-Y", "http")


@cache
def our_fields():
    """Every field of ours."""
    listed = subprocess.run([WITH_PLUGIN, "tshark", "-G", "fields"],
                            stdout=subprocess.PIPE, check=True, text=True)
    names = re.findall(r"^F\t[^\t]*\t(mcas\.[^\t]*)\t", listed.stdout, re.M)
    assert len(names) > 50, names
    return (*fields(names), "-Y", "mcas")


def capture(kind, units):
    """A capture of so many sessions, exchanges or bytes."""
    path = CAPTURES / f"{kind}-{units}.pcap"
    if not path.exists():
        CAPTURES.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=CAPTURES, delete=False) as new:
            subprocess.run([HERE / "captures.py", kind, str(units), new.name],
                           check=True)
        os.chmod(new.name, 0o644)
        os.rename(new.name, path)
    return path


def tshark(kind, units, plugin, options, folder=""):
    path = str(capture(kind, units))
    if folder:
        path = linked(path, CAPTURES / folder)
    return (WITH_PLUGIN, "tshark", "-r", path, *options), plugin


def linked(path, folder):
    """Another path to a file, by a folder beside it."""
    link = folder / Path(path).name
    folder.mkdir(exist_ok=True)
    if not link.exists():
        link.symlink_to(Path("..") / link.name)
    return str(link)


def session(kind, plugin, options=NO_TREE, few=100, many=1100, folder=""):
    """Instructions of one session, exchange or byte."""
    return each(lambda units: tshark(kind, units, plugin, options, folder),
                few, many)


def mean_session(kind, plugin):
    """The mean over hash tables and places in memory: what meets in a table,
    or crosses a page, is chance, and costs as much as is measured here. Seeds
    are random themselves, for with multiples of a seed the same things meet;
    a longer path moves what is in memory behind it."""
    seeds = Random(1)
    runs = [session(kind,
                    (*plugin, ("MCAS_BENCH_SEED", str(seeds.getrandbits(32)))),
                    folder="-" * (16 * run + 1))
            for run in range(RUNS)]
    return mean(runs)


def start(plugin):
    return instructions(*tshark("mcas", 0, plugin, NO_TREE)).result()


def python(few=100, many=600):
    """Instructions of the exchanges that come through a pipe."""
    def command(units):
        output = CAPTURES / f"mcas-{units}.txt"
        run, options = tshark("mcas", units, WITHOUT, HTTP_FIELDS)
        with open(output, "wb") as file:
            subprocess.run(run, env=os.environ | dict(options), stdout=file,
                           check=True)
        reader = str(HERE / "reader.py")
        return ((sys.executable, reader, str(output)),)
    return each(command, few, many)


@cache
def peak_memory(command, options):
    """The most memory that a command takes, in bytes: the mean of some runs,
    for the kernel lays out each another way."""
    measure = ("import resource, subprocess, sys\n"
               "subprocess.run(sys.argv[1:], check=True,"
               " stdout=subprocess.DEVNULL)\n"
               "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
               "print(used.ru_maxrss * 1024)")
    return mean(int(subprocess.run(
        [sys.executable, "-c", measure, *command], check=True, text=True,
        env=os.environ | dict(options), stdout=subprocess.PIPE).stdout)
        for _ in range(MEMORY_RUNS))


def memory(kind, units, plugin, options=NO_TREE):
    return peak_memory(*tshark(kind, units, plugin, options))


def memory_each(plugin):
    few, many = (memory("mcas", units, plugin) for units in (1000, 20000))
    return (many - few) / 19000


def growth(units, plugin):
    """Instructions of an exchange where there are so many."""
    return each(lambda n: tshark("mcas", n, plugin, NO_TREE), 0, units)


# The table.

class Limit(NamedTuple):
    """What a row is to keep: of its ratio to the peer, or of what it takes
    more than the peer, or of itself."""
    kind: str = ""
    value: float = 0

    def __str__(self):
        return {"ratio": f"≤ {self.value:.5g} ×", "more": f"+{self.value:,}",
                "alone": f"≤ {self.value:,}"}.get(self.kind, "")

    def met(self, ours, peer):
        measured = {"ratio": lambda: ours / peer, "more": lambda: ours - peer,
                    "alone": lambda: ours}[self.kind]()
        return measured <= self.value


# The same tshark without the plugin.
ALONE = "tshark alone"


class Row(NamedTuple):
    name: str
    what: str
    peer: str
    measure: Callable # ours and the peer's, which may be None
    limit: Limit = Limit()


def both(measure, *arguments, **options):
    """With the plugin and without it."""
    return lambda: [measure(*arguments, plugin=plugin, **options)
                    for plugin in (WITH, WITHOUT)]


def exchange(name, what, options, limit=Limit(), many=600):
    """Ours against tshark alone with the same options."""
    return Row(name, f"tshark, exchange: {what}", ALONE,
               both(session, "mcas", options=options, many=many), limit)


ROWS = [
    Row("whole", "core: provisioning response, all items",
        "httparse, typed pass", lambda: (core("whole"), core("whole-peer")),
        Limit("ratio", 1.3)),
    Row("whole-floor", "the same", "httparse, memchr: the floor",
        lambda: (core("whole"), core("whole-floor"))),
    Row("body", "core: its body alone", "typed pass",
        lambda: (core("body"), core("body-peer")), Limit("ratio", 1.2)),
    Row("body-floor", "the same", "memchr: the floor",
        lambda: (core("body"), core("body-floor"))),
    Row("allocations", "core: heap allocations", "",
        lambda: (allocations("whole"), None), Limit("alone", 0)),
    Row("segment", "core: a segment that is not ours", "",
        lambda: (core("sniff-segment"), None), Limit("alone", 40)),
    Row("request", "core: the same, a browser's request", "httparse",
        lambda: (core("sniff-request"), core("sniff-request-peer"))),
    Row("response", "core: the same, a web response", "httparse",
        lambda: (core("sniff-response"), core("sniff-response-peer"))),
    Row("web", "tshark, web session of 12 packets", ALONE,
        both(mean_session, "web"), Limit("ratio", 1.0015)),
    Row("web-memory", "the same, peak memory of 5,000", ALONE,
        both(memory, "web", 5000), Limit("ratio", 1.001)),
    Row("web-memory-40k", "the same, of 40,000", ALONE,
        both(memory, "web", 40_000), Limit("ratio", 1.001)),
    exchange("exchange", "no tree", NO_TREE, Limit("more", 25_000),
             many=1100),
    Row("fields", "tshark, exchange: -T fields, all of ours", "HTTP's alone",
        lambda: (session("mcas", WITH, our_fields(), many=600),
                 session("mcas", WITHOUT, HTTP_FIELDS, many=600))),
    exchange("tree", "-V", ("-V",), many=300),
    exchange("json", "-T json", ("-T", "json"), many=300),
    exchange("ek", "-T ek", ("-T", "ek"), many=300),
    Row("lua", "tshark, exchange: no tree", "tshark with peer.lua",
        lambda: (session("mcas", WITH),
                 session("mcas", WITHOUT, LUA, many=600))),
    Row("python", "tshark, exchange: -T fields, all of ours",
        "HTTP's, reader.py",
        lambda: (session("mcas", WITH, our_fields(), many=600),
                 session("mcas", WITHOUT, HTTP_FIELDS, many=600) + python())),
    Row("firmware", "tshark, image of 16 MB", ALONE,
        lambda: [session("firmware", plugin, few=1, many=1 << 24) * (1 << 24)
                 for plugin in (WITH, WITHOUT)], Limit("ratio", 1.01)),
    *(Row(f"growth-{units}", f"tshark, one of {units:,} exchanges",
          ALONE, both(growth, units))
      for units in (1000, 10_000, 100_000)),
    Row("memory", "tshark, bytes kept of an exchange", ALONE,
        both(memory_each)),
    Row("start", "tshark, start-up", ALONE, both(start)),
]


def number(value):
    return "" if value is None else f"{value:,.0f}"


def line(row, ours, peer):
    ratio = "" if not peer else f"{ours / peer:.4f}"
    more = "" if not peer else f"{ours - peer:+,.0f}"
    verdict = ""
    if row.limit.kind:
        verdict = "met" if row.limit.met(ours, peer) else "not met"
    return (f"{row.name:14} {row.what:42} {number(ours):>15} "
            f"{row.peer:28} {number(peer):>15} {ratio:>8} {more:>13} "
            f"{str(row.limit):>10} {verdict}")


def measure(rows):
    """Prints rows in their order, and gives what was measured."""
    print(f"{'row':14} {'what':42} {'instructions':>15} {'peer':28} "
          f"{'instructions':>15} {'ratio':>8} {'more':>13} {'target':>10}")
    measured = {}
    # A thread for each row: all of them wait for the processors.
    with ThreadPoolExecutor(len(rows)) as waiting:
        results = waiting.map(lambda row: row.measure(), rows)
        for row, (ours, peer) in zip(rows, results):
            print(line(row, ours, peer), flush=True)
            measured[row.name] = (ours, peer)
    return measured


def against_peer(ours, peer):
    """What is compared from one run to the next."""
    return ours / peer if peer else ours


def check(measured):
    """Complaints about what has grown since the baseline was written."""
    baseline = json.loads(BASELINE.read_text())
    alone = {row.name for row in ROWS if row.peer == ALONE}
    for name, pair in measured.items():
        now, before = against_peer(*pair), baseline[name]
        tolerance, less = TOLERANCE, 0
        if name in alone:
            # What the plugin adds is little beside tshark: that is compared.
            tolerance, less = TOLERANCE_IN_TSHARK, 1
        if now - less > (before - less) * (1 + tolerance):
            yield (f"row {name} has grown: {now:.5f}, in {BASELINE.name} "
                   f"{before:.5f}; {tolerance:.0%} more would be fine"
                   + (" of what is above 1" if less else ""))


def main():
    modes = {"--check", "--write-baseline"}
    mode = modes & set(sys.argv[1:])
    names = [name for name in sys.argv[1:] if name not in modes]
    if mode and not names:
        names = CHECKED
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        sys.exit(f"no such row: {', '.join(sorted(unknown))}")
    measured = measure(
        [row for row in ROWS if not names or row.name in names])
    if "--write-baseline" in mode:
        baseline = {name: round(against_peer(*pair), 5)
                    for name, pair in measured.items()}
        BASELINE.write_text(json.dumps(baseline, indent=1) + "\n")
    elif "--check" in mode:
        complaints = list(check(measured))
        for complaint in complaints:
            print(complaint, file=sys.stderr)
        if complaints:
            sys.exit("If it is worth that: "
                     "benches/table.py --write-baseline")


if __name__ == "__main__":
    main()
