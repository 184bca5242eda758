#!/usr/bin/env python3
"""pipelines.py FOLDER: the pipelines of examples/ on some of the captures and
some damaged ones, stopped midway for real; `make pipelines` runs it, in an
environment with what examples/requirements.txt names. FOLDER is for its files.
"""

import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import time

import duckdb
import pyspark

ROOT = pathlib.Path(__file__).resolve().parent.parent
PIPELINE = ROOT / "examples/pipeline"
CAPTURES = ["boot.pcapng", "masked.pcap", "mcas-devices.pcap",
            "mcas-failure.pcap", "mcas-lan-list.pcap", "mcas-pipelined.pcap",
            "mcas-credentials.pcap", "mcas-early-answer.pcap",
            "mcas-lost-response.pcap", "web-many.pcap"]
CUT = "appears to have been cut short in the middle of a packet"
NONSENSE = "isn't a capture file in a format TShark understands"

WORK = pathlib.Path(sys.argv[1]).resolve()
FOLDER = WORK / "captures"
ENVIRONMENT = {**os.environ, "TSHARK": str(ROOT / "scripts/tshark")}


def prepare():
    """Captures in two folders, two of them damaged: one cut in the middle of
    a packet, one that is none."""
    shutil.rmtree(WORK, ignore_errors=True)
    for number, name in enumerate(CAPTURES):
        place = FOLDER / ("east", "west side")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "tests/captures" / name, place)
    whole = (FOLDER / "east/mcas-devices.pcap").read_bytes()
    (FOLDER / "cut.pcap").write_bytes(whole[:3000])
    (FOLDER / "none.pcap").write_bytes(b"nonsense")
    return len(CAPTURES) + 2


def extract(out, *options, **environment):
    command = [sys.executable, PIPELINE / "extract", FOLDER, out, *options]
    return subprocess.run(command, env={**ENVIRONMENT, **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8")


def log(out):
    path = out / "jobs.log"
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    return [line.split("\t") for line in lines]


def wait(until, process, seconds=300):
    end = time.monotonic() + seconds
    while not until():
        assert process.poll() is None, "it is over too soon"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def tables(source):
    """The rows of both tables, in any order, each as text."""
    with duckdb.connect() as database:
        database.execute("SET timezone = 'UTC'")
        if source.name == "mcas.duckdb":
            database.execute(f"ATTACH '{source}' AS given (READ_ONLY)")
            names = {name: f"given.{name}" for name in
                     ("captures", "exchanges")}
        else:
            names = {
                "captures": f"read_parquet('{source}/captures/*.parquet')",
                "exchanges": f"read_parquet('{source}/exchanges/*/*.parquet', "
                             "hive_partitioning = false)",
            }
        return {name: sorted(json.dumps(row, default=str) for row in
                             database.execute(f"FROM {of}").fetchall())
                for name, of in names.items()}


def one_machine(count):
    whole, stopped = WORK / "whole", WORK / "stopped"
    done = extract(whole)
    assert done.returncode == 0, done.stderr
    for name, reason in ("cut.pcap", CUT), ("none.pcap", NONSENSE):
        assert any(name in line and reason in line
                   for line in done.stdout.splitlines()), done.stdout
    expected = tables(whole / "mcas.duckdb")
    assert len(expected["captures"]) == count
    assert len(expected["exchanges"]) > 40
    damaged = [row for row in expected["exchanges"] if CUT in row]
    assert len(damaged) == 2, "what could be read of cut.pcap, marked"
    print(f"one machine: {count} captures,",
          len(expected["exchanges"]), "exchanges")

    process = subprocess.Popen(
        [sys.executable, PIPELINE / "extract", FOLDER, stopped, "--jobs", "2"],
        env=ENVIRONMENT, start_new_session=True, stdout=subprocess.DEVNULL)
    wait(lambda: len(log(stopped)) >= 3, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = log(stopped)
    assert 3 <= len(before) < count
    assert not (stopped / "mcas.duckdb").exists()
    done = extract(stopped)
    assert done.returncode == 0, done.stderr
    after = log(stopped)
    assert after[:len(before)] == before
    assert sorted(int(job[0]) for job in after) == [*range(1, count + 1)], \
        "none twice, none left out"
    assert tables(stopped / "mcas.duckdb") == expected
    print("killed after", len(before), "of", count, "captures, and resumed")

    # Again: nothing to do. Then a capture changes and one comes.
    assert extract(stopped).returncode == 0
    assert log(stopped) == after
    added = FOLDER / "added.pcap"
    shutil.copy(ROOT / "tests/captures/mcas-routes.pcap", added)
    shutil.copy(ROOT / "tests/captures/mcas-numbers.pcap", FOLDER / "cut.pcap")
    assert extract(stopped).returncode == 0
    assert len(log(stopped)) == count + 2
    changed = tables(stopped / "mcas.duckdb")
    assert len(changed["captures"]) == count + 1
    assert not any(CUT in row for row in changed["exchanges"])
    added.unlink()
    whole_capture = (FOLDER / "east/mcas-devices.pcap").read_bytes()
    (FOLDER / "cut.pcap").write_bytes(whole_capture[:3000])
    print("two captures later: only they were read")
    return expected


def without_plugin():
    for out, environment in [(WORK / "without", {"MCAS_PLUGIN": "none"}),
                             (WORK / "without", {"TSHARK": "nobodys"})]:
        done = extract(out, **environment)
        assert done.returncode == 1 and not out.exists(), done
        print("stops:", done.stderr.strip().splitlines()[-1][:76])
    out = WORK / "without"
    done = subprocess.run(
        [sys.executable, ROOT / "examples/spark/mcas_spark.py", FOLDER, out],
        env={**ENVIRONMENT, "PYTHONPATH": str(PIPELINE),
             "MCAS_PLUGIN": "none"},
        stderr=subprocess.PIPE, encoding="utf-8")
    assert done.returncode == 1 and "does not load" in done.stderr, done
    # One that has gone since: the job finds out, and all stop.
    gone = WORK / "gone"
    gone.mkdir()
    shutil.copy(WORK / "whole/schema.json", gone)
    command = [sys.executable, PIPELINE / "extract", "--one", "1 1 cut.pcap"]
    environment = {**ENVIRONMENT, "EXTRACT_DIR": str(FOLDER),
                   "EXTRACT_OUT": str(gone), "MCAS_PLUGIN": "none"}
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE,
                          encoding="utf-8")
    assert done.returncode == 1 and "does not load" in done.stderr, done
    assert not (gone / "captures").exists(), done
    # Another version than what is there was made with.
    schema = json.loads((gone / "schema.json").read_text())
    schema["plugin"]["fields"]["mcas.of_tomorrow"] = "FT_STRING"
    (gone / "schema.json").write_text(json.dumps(schema))
    done = extract(gone)
    assert done.returncode == 1 and "another version" in done.stderr, done
    assert not (gone / "captures").exists()
    print("stops:", done.stderr.strip()[:76])


def report():
    done = subprocess.run(
        [sys.executable, PIPELINE / "report", WORK / "whole"], check=True,
        stdout=subprocess.PIPE, encoding="utf-8")
    print(done.stdout)
    for row in [
        ["001F67A1B2C3", "Hitachi,Ltd.", "result 10"],
        ["RTS300HI", "4.02.0179", "PRRTRV-S3X0HI12020003.bin"],
        ["121.0.34.41", "00022BA1B2C4"],
        ["0.020647", "Firmware request", "220.210.199.201", "boot.pcapng"],
        ["none.pcap", "unreadable", NONSENSE],
    ]:
        assert any(all(cell in line for cell in row)
                   for line in done.stdout.splitlines()), row
    assert done.stdout.endswith(
        f"Response times: {WORK}/whole/response-times.png\n"), done.stdout
    picture = (WORK / "whole/response-times.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n") and len(picture) > 5000


def told(name, *arguments, **environment):
    """What one of the programs says on standard error: no traceback."""
    done = subprocess.run([sys.executable, PIPELINE / name, *arguments],
                          env={**ENVIRONMENT, **environment}, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8")
    assert done.returncode and "Traceback" not in done.stderr, done
    return done.stderr


def complaints():
    """What is up to the user is said in a line."""
    a_file, empty = WORK / "a file", WORK / "empty"
    a_file.write_text("")
    empty.mkdir()
    for wanted, *arguments in [
        (f"extract: {a_file} is not a folder", "extract", FOLDER, a_file),
        ("extract: ", "extract", FOLDER, a_file / "below"),
        ("argument --jobs: 'x' is no number of jobs", "extract", FOLDER,
         WORK / "none", "--jobs", "x"),
        ("argument --jobs: '0' is no number of jobs", "extract", FOLDER,
         WORK / "none", "--jobs", "0"),
        (f"report: there is no {empty}/mcas.duckdb", "report", empty),
        (f"report: there is no {a_file}/mcas.duckdb", "report", a_file),
        ("usage: report OUT", "report"),
    ]:
        said = told(*arguments)
        assert wanted in said, said
    (empty / "mcas.duckdb").write_text("no database, " * 1000)
    assert told("report", empty).startswith(f"report: {empty}/mcas.duckdb: ")
    for name, last in ("extract", WORK / "none"), ("mcas_exchanges.py", ""):
        said = told(name, FOLDER, *[last] * bool(last), TSHARK="nobodys")
        assert said == f"{name}: nobodys: No such file or directory\n", said
        said = told(name, FOLDER, *[last] * bool(last), MCAS_PLUGIN="none")
        assert "`make install` puts it where" in said, said
    said = told("extract", FOLDER, WORK / "none", PATH=str(empty))
    assert said == "extract: GNU parallel is not installed\n", said
    assert not (WORK / "none").exists()
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, PIPELINE / "mcas_exchanges.py",
                 FOLDER / "east/boot.pcapng"], env=ENVIRONMENT, stdout=full,
                stderr=subprocess.PIPE, encoding="utf-8")
        assert done.returncode == 1, done
        assert done.stderr == \
            "mcas_exchanges.py: No space left on device\n", done
    print("complaints: a line each")


def interrupted():
    """By Ctrl-C, which the whole foreground gets; and a second one at once."""
    out = WORK / "interrupted"
    slow = WORK / "slowly"
    slow.write_text("#!/bin/sh\ntest \"$1\" != -r || sleep 1\n"
                    f'TSHARK= exec "{ROOT}/scripts/tshark" "$@"\n')
    slow.chmod(0o755)
    command = [sys.executable, PIPELINE / "extract", FOLDER, out]

    def start(**environment):
        return subprocess.Popen(
            command, env={**ENVIRONMENT, **environment}, encoding="utf-8",
            start_new_session=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)

    first = start(TSHARK=str(slow))
    wait(lambda: log(out), first)
    second = start()
    line = second.stderr.readline()
    assert line.startswith(f"extract: another one is at work on {out}"), line
    os.killpg(first.pid, signal.SIGINT)
    said = first.communicate(timeout=60)[1]
    assert first.returncode == 1, said
    assert said.splitlines()[-1].startswith("extract: stopped; what is"), said
    assert "Traceback" not in said and "Interrupt" not in said, said
    # Which goes on where the first one was.
    said = second.communicate(timeout=120)[1]
    assert second.returncode == 0 and not said, said
    sleeps = WORK / "sleeps"
    sleeps.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeps.chmod(0o755)

    def is_loading(pid):
        return "duckdb" in pathlib.Path(f"/proc/{pid}/maps").read_text()

    def has_tshark(pid):
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()

    for is_busy, name, *rest in [(is_loading, "report", out),
                                 (has_tshark, "mcas_exchanges.py", "slow")]:
        process = subprocess.Popen(
            [sys.executable, PIPELINE / name, *rest], start_new_session=True,
            env={**ENVIRONMENT, "TSHARK": str(sleeps)}, encoding="utf-8",
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait(lambda: is_busy(process.pid), process)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode, name
        assert "Traceback" not in said, said
    print("interrupted: without a traceback, and the other one waited")


def frame(sender, port, sequence, payload, flags=0x18):
    """By Ethernet, IPv4 and TCP. Wireshark does not look at checksums."""
    ends = [b"\xC0\x00\x02\x01", b"\xC6\x33\x64\x01"]
    ports = [40000, 80]
    if not sender:
        ends.reverse(), ports.reverse()
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0, 64, 6, 0)
    tcp = struct.pack(">HHIIBBHI", *ports, sequence, port, 0x50, flags, 65535,
                      0)
    return bytes(12) + b"\x08\0" + ip + b"".join(ends) + tcp + payload


def provisioning(path, terminal, settings):
    """A capture of a request and a response that fails."""
    form = b"TerminalID=" + terminal
    body = b"ResultCode=0010\r\n" + settings
    request = (b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n"
               b"Content-Length: %d\r\n\r\n" % len(form)) + form
    answer = (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
              % len(body)) + body
    exchange(path, request, answer)


def exchange(path, request, answer):
    packets = [frame(True, 0, 0, b"", 2), frame(False, 1, 0, b"", 0x12),
               frame(True, 1, 1, request)]
    packets += [frame(False, 1 + len(request), 1 + at,
                      answer[at:at + 60_000])
                for at in range(0, len(answer), 60_000)]
    header = struct.pack("<IIIIII", 0xA1B2C3D4, 0x40002, 0, 0, 1 << 18, 1)
    path.write_bytes(header + b"".join(
        struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
        for packet in packets))


def odd():
    """What a folder may have that is no use, or too much of one: nothing of
    it stops the rest, or gets to the terminal."""
    folder, out = WORK / "odd", WORK / "odd-out"
    folder.mkdir()
    (folder / "link.pcap").symlink_to("nowhere")
    # A line of DuckDB's may have 16 MiB, and two of that are put up with.
    provisioning(folder / "long.pcap", b"001F67A1B2C3", b"".join(
        b"key%d=%s\r\n" % (n, b"x" * 600_000) for n in range(30)))
    changing = folder / "changing\x1b[32m.pcap"
    provisioning(changing, b"\x1b[31m%07!", b"")

    # A device that was given its image, one that was not, and one that did
    # not ask for any.
    for name, path, status in [("given", b"/fw/a.bin", b"200 OK"),
                               ("refused", b"/fw/a.bin", b"404 Not Found"),
                               ("asks", b"/", b"200 OK")]:
        host = b"add-con.mcas" if name == "asks" else b"verup-mcas.odm1.flets"
        request = (b"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: "
                   b"M-CAS/7.0 (RTS900HI 1.00; NTTEAST)\r\n\r\n"
                   % (path, host))
        exchange(folder / f"{name}.pcap", request, b"HTTP/1.1 %s\r\n"
                 b"Content-Length: 1\r\n\r\nx" % status)

    def run():
        command = [sys.executable, PIPELINE / "extract", folder, out]
        done = subprocess.run(command, env=ENVIRONMENT, timeout=120,
                              stdout=subprocess.PIPE, encoding="utf-8")
        assert done.returncode == 0, done
        assert "link.pcap: The file" in done.stdout, done
        with duckdb.connect(str(out / "mcas.duckdb")) as database:
            return dict(database.execute(
                "SELECT capture, exchanges FROM captures").fetchall())

    wanted = {"link.pcap": 0, "long.pcap": 1, changing.name: 1,
              "given.pcap": 1, "refused.pcap": 1, "asks.pcap": 1}
    assert run() == wanted
    report = subprocess.run([sys.executable, PIPELINE / "report", out],
                            check=True, stdout=subprocess.PIPE,
                            encoding="utf-8").stdout
    assert "\x1b" not in report and ".[31m.!" in report, repr(report)
    assert "changing.[32m.pcap" in report, repr(report)
    line, = (line.split() for line in report.splitlines()
             if line.startswith("RTS900HI"))
    assert line[:4] == ["RTS900HI", "1.00", "a.bin", "1"], line
    assert "None" not in report, report
    # Changed, and back again as it was, as from a backup.
    was, state = changing.read_bytes(), changing.stat()
    changing.write_bytes(was[:24])
    assert run() == {**wanted, changing.name: 0}
    changing.write_bytes(was)
    os.utime(changing, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert run() == wanted
    print("odd files: read, or listed")


# Spark.


def executors(process):
    """The executors below spark-submit, by process id."""
    parents, found = {}, []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text()
            command = (entry / "cmdline").read_text()
        except OSError:
            continue  # over by now
        pid = int(entry.name)
        parents[pid] = int(stat.rpartition(")")[2].split()[1])
        if "CoarseGrainedExecutorBackend" in command:
            found.append(pid)

    def below(pid):
        while pid and pid != process.pid:
            pid = parents.get(pid)
        return pid == process.pid

    return sorted(filter(below, found))


def spark(folder, out, kill):
    """Runs the job on two executors. With `kill`, one of them is killed when
    some captures are read and others are not."""
    home = pathlib.Path(pyspark.__file__).parent
    seen = WORK / "seen"
    seen.write_text("")
    # tshark, which notes what it is asked to read, and may take its time.
    slow = WORK / "slow-tshark"
    slow.write_text("#!/bin/sh\n"
                    'test "$1" != -r || { echo "$2" >>"$SEEN"; sleep $PAUSE; }\n'
                    f'TSHARK= exec "{ROOT}/scripts/tshark" "$@"\n')
    slow.chmod(0o755)
    errors = WORK / "spark.log"
    command = [
        home / "bin/spark-submit", "--master", "local-cluster[2,1,1024]",
        "--conf", "spark.ui.enabled=false",
        "--conf", "spark.executor.memory=1g",
        "--conf", "spark.sql.shuffle.partitions=2",
        "--py-files", PIPELINE / "mcas_exchanges.py",
        ROOT / "examples/spark/mcas_spark.py", folder, out]
    environment = {**ENVIRONMENT, "SPARK_HOME": str(home), "SEEN": str(seen),
                   "PAUSE": "1" if kill else "0",
                   "TSHARK": str(slow), "SPARK_LOCAL_IP": "127.0.0.1",
                   "SPARK_WORKER_DIR": str(WORK / "spark"),
                   "PYSPARK_PYTHON": sys.executable}
    with open(errors, "w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file,
                                   stderr=file, cwd=WORK,
                                   start_new_session=True)
    try:
        if kill:
            wait(lambda: len(seen.read_text().splitlines()) >= 4, process)
            victims = executors(process)
            assert len(victims) == 2, victims
            os.kill(victims[0], signal.SIGKILL)
            read = len(set(seen.read_text().splitlines()))
            print("spark: executor", victims[0], "killed after", read,
                  "captures")
        assert process.wait(timeout=400) == 0, errors.read_text()[-3000:]
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert ("Lost executor" in errors.read_text()) == kill
    return len(seen.read_text().splitlines())


def cluster(expected, count):
    out = WORK / "spark-out"
    reads = spark(FOLDER, out, kill=True)
    # What the killed one had read was with it, and was read again.
    assert reads > count, reads
    found = tables(out)
    assert found == expected, "not what one machine found"
    print("spark:", len(found["exchanges"]), "exchanges, as on one machine;",
          reads, "reads of", count, "captures")
    days = sorted(path.name for path in (out / "exchanges").glob("day=*"))
    assert days[0] == "day=2011-09-04" and len(days) > 1, days
    # Again, to the same place, with Spark bringing the files.
    spark(f"file://{FOLDER}", out, kill=False)
    found = {name: sorted(row.replace("file:/", "/") for row in rows)
             for name, rows in tables(out).items()}
    assert found == expected
    print("spark: the same when run again, and by binaryFiles")


def main():
    count = prepare()
    expected = one_machine(count)
    without_plugin()
    report()
    complaints()
    interrupted()
    odd()
    cluster(expected, count)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    main()
