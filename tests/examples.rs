//! The programs of `examples/`, built and run as their first lines say, away
//! from this checkout, on real messages. What they print is compared with
//! values written out here, and with what the crate reads itself.

use crate::capi::{run, target};
use crate::install::install;
use crate::prefix::{samples, Sample, UNSEEN};
use crate::support::{capture, Capture, Side, ROOT};
use mcas::fields::{Display, SECRET};
use mcas::format::Style;
use mcas::{item, Context, Item, Request, Value};
use serde_json::{json, Value as Json};
use std::fs::{self, Permissions};
use std::io::{Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The prefix where a user has installed the library.
fn installed() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let prefix = target("examples-prefix");
        let variable = format!("PREFIX={}", prefix.display());
        // With a DESTDIR, the machine's list of libraries is left alone.
        install("examples-prefix", &[&variable, "DESTDIR=/"]);
        prefix
    })
}

/// A folder of its own with a copy of the examples in one language.
fn copy(language: &str, name: &str) -> PathBuf {
    let folder = target(&format!("examples-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(format!("{ROOT}/examples/{language}")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    folder
}

/// A program as a user starts it who has installed the library.
fn command(program: impl AsRef<std::ffi::OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("PKG_CONFIG_PATH", installed().join("lib/pkgconfig"))
        .env("LD_LIBRARY_PATH", installed().join("lib"));
    command
}

/// The command that a source file's first comment gives, which begins with
/// the name of a compiler, with stricter options behind that name.
fn build(folder: &Path, source: &str, compiler: &str, options: &str) {
    let text = fs::read_to_string(folder.join(source)).unwrap();
    let mut lines =
        text.lines().map(|line| line.trim_start_matches([' ', '*']));
    let mut line = lines
        .find_map(|line| line.strip_prefix(compiler))
        .expect("it says how to build it")
        .to_owned();
    while line.ends_with('\\') {
        line.pop();
        line += lines.next().unwrap();
    }
    let line = format!("{compiler}{options} {line}");
    run(command("sh", folder).args(["-ec", &line]));
}

/// What a program printed, what it complained of, and its exit status.
fn told(command: &mut Command) -> (String, String, Option<i32>) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

/// A program that runs into a full disk fails and says so in a line. One whose
/// output nobody reads any more, as that of `| head -1`, ends in silence.
fn minds_its_output(command: &mut Command, name: &str) {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{name}: {said}");
    let one_line = said.ends_with('\n') && said.lines().count() == 1;
    assert!(one_line && said.starts_with(&format!("{name}: ")), "{said}");

    // The end of a pipe whose other end is closed by now.
    let mut reader = Command::new("true");
    let mut reader = reader.stdin(Stdio::piped()).spawn().unwrap();
    let writer = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    let output = command.stdout(writer).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.signal(), Some(13), "{name}: {said}");
    assert_eq!(said, "", "{name}");
}

/// Writes a file for an example to read.
fn write(folder: &Path, name: &str, messages: &[&[u8]]) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, messages.concat()).unwrap();
    file
}

fn sample(name: &str) -> Sample {
    let found = samples().into_iter().find(|sample| sample.name == name);
    found.expect("there is such a sample")
}

/// What an item is in mcas2json's words, with its level in front.
fn item_as_json(item: &Item, from: &[u8]) -> Json {
    let text = |style| item.format(from, style).to_string();
    if let Some(note) = item.as_note() {
        let name = note.info().name();
        return json!([item.level, {"name": name, "note": text(Style::Line)}]);
    }
    let info = item.as_field().unwrap().info();
    let mut object = json!({
        "name": info.name(),
        "label": info.label(),
        "value": text(Style::Value),
    });
    match item.value().unwrap() {
        Value::Number(number) if info.display != Display::Oui => {
            object["value"] = number.into();
            let names = info.names.iter();
            for (_, name) in names.filter(|&&(n, _)| u64::from(n) == number) {
                object["meaning"] = name.to_str().unwrap().into();
            }
        }
        _ => {}
    }
    if info.flags & SECRET != 0 || item.flags & item::SECRET != 0 {
        object["secret"] = true.into();
    }
    json!([item.level, object])
}

/// The items of a message in the same words, as the crate reads it.
fn expected_items(bytes: &[u8], context: &Context) -> Vec<Json> {
    let message = mcas::parse(bytes, context).unwrap();
    let body = message.body_bytes(bytes);
    let head = message.head_items(bytes);
    let head = head.map(|item| item_as_json(&item, bytes));
    let body = message.body_items(&body).map(|i| item_as_json(&i, &body));
    head.chain(body).collect()
}

/// The items below an object that mcas2json printed, one behind the other.
fn flat(object: &Json, level: usize, into: &mut Vec<Json>) {
    for item in object["items"].as_array().into_iter().flatten() {
        let mut alone = item.clone();
        alone.as_object_mut().unwrap().remove("items");
        into.push(json!([level, alone]));
        flat(item, level + 1, into);
    }
}

/// The value of the one item of that name directly below an object.
fn value<'a>(object: &'a Json, name: &str) -> &'a Json {
    let found: Vec<&Json> = object["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["name"] == name)
        .collect();
    assert_eq!(found.len(), 1, "{name} in {object:#}");
    &found[0]["value"]
}

/// A folder with the C program in it.
fn mcas2json_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = copy("c", "c");
        let strict = " -std=c99 -pedantic -Wall -Wextra -Werror -g";
        build(&folder, "mcas2json.c", "cc", strict);
        folder
    })
}

/// What it prints of files in that folder, with its memory looked after.
fn mcas2json(files: &[&Path]) -> Vec<Json> {
    let printed = run(command("valgrind", mcas2json_folder())
        .args(["--quiet", "--leak-check=full", "--error-exitcode=99"])
        .arg("./mcas2json")
        .args(files));
    let lines = printed.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The same of the two directions of a connection, of whatever protocol.
pub fn mcas2json_of(sent: &Path, got: &Path) -> Vec<Json> {
    let mut mcas2json = command("./mcas2json", mcas2json_folder());
    let (printed, said, status) = told(mcas2json.args([sent, got]));
    let strange = said.lines().all(|l| l.ends_with("not an HTTP/1.x message"));
    assert!(strange && (said.is_empty() == (status == Some(0))), "{said}");
    let lines = printed.lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The boot sequence, as if it had been one connection.
#[test]
fn c_boot() {
    let folder = mcas2json_folder();
    let boot = |name: &str| sample(&format!("boot: {name}")).bytes;
    let requests = [boot("provisioning request"), boot("firmware request")];
    let responses = [boot("provisioning response"), boot("firmware response")];
    let requests = write(folder, "sent", &[&requests[0], &requests[1]]);
    let responses = write(folder, "got", &[&responses[0], &responses[1]]);
    let printed = mcas2json(&[&requests, &responses]);
    let types: Vec<_> = printed.iter().map(|m| &m["type"]).collect();
    assert_eq!(types, [1, 2, 3, 4]);
    assert_eq!(printed[1]["type_name"], "Provisioning response");
    assert_eq!(printed[1]["complete"], true);
    for (name, expected) in [
        ("mcas.result_code", json!(0)),
        ("mcas.ip_addr", json!("172.20.184.194")),
        ("mcas.netmask", json!(30)),
        ("mcas.sipsv_port", json!(5060)),
        ("mcas.ip_tel_num", json!("0722123456")),
        ("mcas.password", json!("")),
    ] {
        assert_eq!(*value(&printed[1], name), expected, "{name}");
    }
    assert_eq!(*value(&printed[3], "mcas.firmware.size"), json!(196608));
    let exchanges: Vec<_> = printed.iter().map(|m| &m["exchange"]).collect();
    assert_eq!(exchanges, [1, 1, 2, 2]);
    // Without its request an image is not the protocol's.
    assert_eq!(mcas2json(&[Path::new("/dev/null"), &responses]).len(), 1);
}

/// All kinds of message, chunked ones among them, as the crate reads them:
/// responses on a connection with requests that they may answer, and then
/// everything else on one without.
#[test]
fn c_every_message() {
    let all = samples();
    let is_response = |s: &&Sample| s.bytes.starts_with(b"HTTP/");
    let (responses, requests): (Vec<_>, Vec<_>) =
        all.iter().partition(is_response);
    let (lost, answers): (Vec<_>, Vec<_>) =
        responses.into_iter().partition(|s| s.request_type == UNSEEN);
    let asking = |answer: &Sample| {
        let kind = answer.request_type;
        *requests.iter().find(|s| s.message_type == kind).unwrap()
    };
    // An interim response leaves its request to the next.
    let interim = |s: &Sample| s.bytes.starts_with(b"HTTP/1.1 1");
    let answered = answers.iter().filter(|s| !interim(s));
    let sent: Vec<_> = answered.map(|s| asking(s)).collect();
    let save = |name, of: &[&Sample]| {
        let bytes: Vec<_> = of.iter().map(|s| &s.bytes[..]).collect();
        write(mcas2json_folder(), name, &bytes)
    };
    let (first, second) = (save("all-sent", &sent), save("all-got", &answers));
    let mut printed = mcas2json(&[&first, &second]);
    let none = Path::new("/dev/null");
    printed.extend(mcas2json(&[none, &save("lost", &lost)]));
    printed.extend(mcas2json(&[&save("alone", &requests)]));

    // Each is behind its request, with what announces it.
    let mut asking = sent.into_iter();
    let exchanges = answers.split_inclusive(|answer| !interim(answer));
    let exchanges = exchanges.flat_map(|answers| {
        asking.next().into_iter().chain(answers.iter().copied())
    });
    let expected = exchanges.chain(lost).chain(requests);
    let expected: Vec<_> =
        expected.filter(|sample| sample.is_ours()).collect();
    assert_eq!(printed.len(), expected.len());
    assert!(expected.len() > 40, "{}", expected.len());
    for (object, sample) in printed.iter().zip(expected) {
        let mut items = vec![];
        flat(object, 0, &mut items);
        let read = expected_items(&sample.bytes, &sample.context());
        assert_eq!(items, read, "{}", sample.name);
    }
}

/// What it cannot read it says, and fails.
#[test]
fn c_failure() {
    let folder = mcas2json_folder();
    let wrong = write(folder, "wrong", &[b"SSH-2.0-x\r\n"]);
    let asks = sample("provisioning request").bytes;
    let fine = write(folder, "fine", &[&asks]);
    for (file, reason) in [
        (&*wrong, "not an HTTP/1.x message"),
        (Path::new("missing"), "No such file or directory"),
        (Path::new("."), "Is a directory"),
    ] {
        let mut mcas2json = command("./mcas2json", folder);
        let (printed, said, status) = told(mcas2json.arg(file));
        assert_eq!((&*printed, status), ("", Some(1)), "{said}");
        assert!(said.ends_with(&format!(": {reason}\n")), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // The other direction is read nevertheless.
    let mut both = command("./mcas2json", folder);
    let (printed, said, status) = told(both.args([fine, wrong]));
    assert_eq!((printed.lines().count(), status), (1, Some(1)), "{said}");
    let (printed, said, status) = told(&mut command("./mcas2json", folder));
    assert_eq!((&*printed, status), ("", Some(2)));
    assert!(said.starts_with("usage: "), "{said}");
}

/// More and less than there is room for in a buffer.
#[test]
fn c_output() {
    let folder = mcas2json_folder();
    let asks = sample("provisioning request").bytes;
    for (name, count) in [("once", 1), ("often", 100)] {
        let file = write(folder, name, &vec![&asks[..]; count]);
        let mut mcas2json = command("./mcas2json", folder);
        minds_its_output(mcas2json.arg(file), "mcas2json");
    }
}

const CONNECT: &[u8] =
    b"CONNECT proxied.example:443 HTTP/1.1\r\nHost: proxied.example\r\n\r\n";
const TLS: &[u8] = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";

/// What goes through a tunnel is not the connection's own, HTTP or not.
#[test]
fn c_tunnel() {
    let folder = mcas2json_folder();
    let asks = &*sample("boot: provisioning request").bytes;
    let answer = &*sample("boot: provisioning response").bytes;
    let opened = &b"HTTP/1.1 200 Connection established\r\n\r\n"[..];
    let refused = b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n";
    let upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: tls\r\n\r\n";
    let switches = b"HTTP/1.1 101 So be it\r\nUpgrade: tls\r\n\r\n";
    let interim = b"HTTP/1.1 102 Wait\r\n\r\n";
    let check = |sent: &[&[u8]], got: &[&[u8]], types: &[u32]| {
        let mut mcas2json = command("./mcas2json", folder);
        mcas2json.arg(write(folder, "tunnel-sent", sent));
        if !got.is_empty() {
            mcas2json.arg(write(folder, "tunnel-got", got));
        }
        let (printed, said, status) = told(&mut mcas2json);
        assert_eq!((&*said, status), ("", Some(0)));
        let printed: Vec<Json> = printed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let found: Vec<_> = printed.iter().map(|m| &m["type"]).collect();
        assert_eq!(found, types);
    };
    check(&[asks, CONNECT, TLS], &[answer, opened, TLS], &[1, 2]);
    // The same, if those inside speak HTTP.
    check(&[asks, CONNECT, asks], &[answer, interim, opened, answer], &[1, 2]);
    // Refused, the connection goes on.
    check(&[asks, CONNECT, asks], &[answer, refused, answer], &[1, 2, 1, 2]);
    // Nobody knows.
    check(&[asks, CONNECT, asks], &[], &[1]);
    check(&[asks, CONNECT, asks], &[answer], &[1, 2]);
    // Another protocol.
    check(&[upgrade, TLS], &[switches, TLS], &[]);
    check(&[upgrade, asks], &[switches, answer], &[]);
    check(&[], &[answer, switches, TLS], &[2]);
}

/// A folder with the C++ program in it.
fn inventory_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = copy("cpp", "cpp");
        let strict = " -pedantic -Wall -Wextra -Werror";
        build(&folder, "inventory.cpp", "c++", strict);
        folder
    })
}

/// What it prints of files, some of which may be another protocol's.
pub fn inventory_of(sent: &[PathBuf]) -> String {
    let mut inventory = command("./inventory", inventory_folder());
    let (printed, said, status) = told(inventory.args(sent));
    let strange = said.lines().all(|l| l.ends_with("not an HTTP/1.x message"));
    assert!(strange && (said.is_empty() == (status == Some(0))), "{said}");
    printed
}

/// Seconds of a processor that each example takes for that many messages.
pub fn times(
    sent: &Path,
    got: &Path,
    capture: &Path,
    messages: usize,
) -> Vec<(&'static str, f64)> {
    let in_python = "\
import contextlib, io, sys, time, mcas, settings
name, *files, messages = sys.argv[1:]
before, out = time.process_time(), io.StringIO()
if name == 'settings.py':
    with contextlib.redirect_stdout(out):
        settings.main(files)
    count = out.getvalue().count('(exchange ')
else:
    sent, got = (open(file, 'rb').read() for file in files)
    count = sum(1 for message in mcas.messages(sent, got))
assert count == int(messages), count
print(time.process_time() - before)
";
    let program = "\
import os, subprocess, sys
name, *files, messages = sys.argv[1:]
command = ['./' + name, *files]
printed = subprocess.run(command, capture_output=True, check=True).stdout
count = printed.count(b'\\n')
if name == 'inventory':
    count = 2 * int(printed.split()[0])
assert count == int(messages), printed
print(sum(os.times()[2:4]))
";
    let folder = copy("python", "python-times");
    let (c, cpp) = (mcas2json_folder(), inventory_folder());
    [
        ("settings.py", &*folder, in_python, &[capture][..]),
        ("mcas.py", &folder, in_python, &[sent, got]),
        ("mcas2json", c, program, &[sent, got]),
        ("inventory", cpp, program, &[sent]),
    ]
    .into_iter()
    .map(|(name, folder, program, files)| {
        let mut python = python(folder);
        python.args(["-c", program, name]).args(files);
        let printed = run(python.arg(format!("{messages}")));
        (name, printed.trim().parse().expect("seconds"))
    })
    .collect()
}

#[test]
fn cpp() {
    let folder = inventory_folder();
    let request = |name: &str| sample(name).bytes;
    let asks = request("boot: provisioning request");
    let gets = request("boot: firmware request");
    let chunked = request("chunked request");
    let first = write(folder, "first", &[&asks, &gets, &asks]);
    let second = write(folder, "second", &[&chunked, &gets[..90]]);
    let mut inventory = command("./inventory", folder);
    let printed = run(inventory.args([&first, &second]));
    assert_eq!(printed, "3 00:1f:67:a1:b2:c3\n1 RTS300HI 4.02.0179\n");

    // One file that is something else does not spoil the rest.
    let wrong = write(folder, "wrong", &[b"SSH-2.0-x\r\n"]);
    let (again, said, status) = told(inventory.args([&wrong]));
    assert_eq!((&again, status), (&printed, Some(1)));
    assert!(said.ends_with("wrong: not an HTTP/1.x message\n"));
    // Nor does one that is a folder, or is not there.
    let (again, said, status) = told(inventory.args([".", "missing"]));
    assert_eq!((&again, status), (&printed, Some(1)), "{said}");
    let end = ".: cannot be read\nmissing: cannot be opened\n";
    assert!(said.ends_with(end), "{said}");
    // What goes through a tunnel is not read.
    let tunnel = write(folder, "tunnel", &[&asks, CONNECT, TLS]);
    let mut inventory = command("./inventory", folder);
    let printed = run(inventory.arg(tunnel));
    assert_eq!(printed, "1 00:1f:67:a1:b2:c3\n");

    minds_its_output(&mut inventory, "inventory");
    let (printed, said, status) = told(&mut command("./inventory", folder));
    assert_eq!((&*printed, status), ("", Some(2)));
    assert!(said.starts_with("usage: "), "{said}");
}

/// The distribution's Python, which has the modules of its packages.
fn python(folder: &Path) -> Command {
    let mut python = command("/usr/bin/python3", folder);
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    python
}

/// What settings.py prints of a capture.
fn settings(folder: &Path, capture: &Path) -> String {
    run(python(folder).arg("settings.py").arg(capture))
}

/// The same, in a folder of its own.
pub fn settings_of(capture: &Path) -> String {
    settings(&copy("python", "python-agreement"), capture)
}

/// What a program prints that uses the binding.
pub fn python_with(program: &str, input: &[u8]) -> String {
    let folder = copy("python", "python-program");
    run(python(&folder).args(["-c", program]).stdin(open(input)))
}

const SETTINGS: &str = "\
60 Provisioning request to 10.139.75.42 (exchange 1)
    Company code: 
    Service code: 
    Control code: 
    Terminal ID: 001F67A1B2C3
62 Provisioning response to 10.212.33.7 (exchange 1)
    Result code: Success (0)
    IP address: 172.20.184.194
    Prefix length: 30
    Gateway: 172.20.184.193
    Destination networks: 220.210.59.0/22&220.210.63.0/24&220.210.32.0/24\
&220.210.33.0/22
    SIP server address: 121.0.34.41
    SIP server port: 5060
    SIP registrar address: 121.0.34.41
    SIP registrar port: 5060
    SIP domain: 121.0.34.41
    User name: 
    Password: 
    Telephone number: 0722123456
    Area code: 072
    Portal URL: http://www.cpeinfo.jp/
    Update notification URL: http://220.216.147.36:50080/verup/notify.cgi
    DSCP: CS4 (32)
    First RTP port: 5004
    Last RTP port: 5035
";

#[test]
fn python_capture() {
    let folder = copy("python", "python-capture");
    let firmware = "91 Firmware request to 220.210.198.37 (exchange 2)\n\
        257 Firmware response to 220.210.199.201 (exchange 2)\n";
    let expected = format!("{SETTINGS}{firmware}");
    assert_eq!(settings(&folder, &capture("boot.pcapng")), expected);
    // The same settings in chunks.
    let chunked = settings(&folder, &capture("mcas-chunked.pcap"));
    let (_, response) = SETTINGS.split_once("\n62 Prov").unwrap();
    assert!(chunked.contains(response), "{chunked}");
    // A phone's, from its gateway.
    let phone = capture("mcas-lan-configuration.pcap");
    let phone = settings(&folder, &phone);
    let line = "6 Extension configuration response to 10.212.33.7 \
        (exchange 1)\n    Result code: Success (0)\n    \
        Telephone number: 3\n";
    assert!(phone.contains(line), "{phone}");
    // Web pages are none, nor is what is no HTTP.
    for name in ["web-pipelined.pcap", "web-tls.pcap"] {
        assert_eq!(settings(&folder, &capture(name)), "", "{name}");
    }
}

/// Segments out of order, twice, and over the end of the sequence numbers.
#[test]
fn python_reassembles() {
    let folder = copy("python", "python-reassembles");
    let request = sample("provisioning request").bytes;
    let response = sample("provisioning response").bytes;
    let record = |order: &[usize]| {
        let mut capture = Capture::default();
        capture.initial_sequence = u32::MAX - 100;
        let mut connection = capture.connect(80);
        capture.send(&mut connection, Side::Client, &request);
        let frames: Vec<Vec<u8>> = response
            .chunks(60)
            .map(|part| connection.segment(Side::Server, part))
            .collect();
        assert_eq!(frames.len(), 6);
        for &i in order {
            capture.push(&frames[i]);
        }
        let file = capture.write();
        let printed = settings(&folder, file.path());
        // But for the frames.
        let digit = |c: char| c.is_ascii_digit();
        let lines = printed.lines().map(|l| l.trim_start_matches(digit));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let whole = record(&[0, 1, 2, 3, 4, 5]);
    assert!(whole.contains("Telephone number: 0000000002"), "{whole}");
    assert_eq!(record(&[1, 0, 3, 3, 5, 0, 2, 4]), whole);
    // Nothing is read behind a segment that is not there.
    let cut = record(&[0, 1, 2, 4, 5]);
    let lost = whole.strip_prefix(&cut[..cut.len() - 1]);
    assert!(cut.contains("Result code") && !cut.contains("DSCP"), "{cut}");
    assert!(lost.is_some(), "{cut}");
}

/// What it cannot read it says in a line, and fails.
#[test]
fn python_failure() {
    let folder = copy("python", "python-failure");
    let settings = |arguments: &[&Path]| {
        told(python(&folder).arg("settings.py").args(arguments))
    };
    let boot = &*capture("boot.pcapng");
    for arguments in [&[][..], &[boot, boot]] {
        let (printed, said, status) = settings(arguments);
        assert_eq!((&*printed, status), ("", Some(2)), "{said}");
        assert_eq!(said, "usage: settings.py CAPTURE\n");
    }
    let empty = write(&folder, "empty", &[]);
    let text = write(&folder, "text", &[b"this is no capture of anything"]);
    let mut header = fs::read(capture("mcas-provisioning.pcap")).unwrap();
    header[20] = 113;
    let cooked = write(&folder, "cooked", &[&header]);
    for (file, reason) in [
        (Path::new("missing"), "No such file or directory"),
        (Path::new("."), "Is a directory"),
        (&empty, "no capture that can be read"),
        (&text, "no capture that can be read"),
        (&cooked, "link type 113, not Ethernet"),
    ] {
        let (printed, said, status) = settings(&[file]);
        assert_eq!((&*printed, status), ("", Some(1)), "{said}");
        assert!(said.contains(reason), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    minds_its_output(
        python(&folder).arg("settings.py").arg(boot),
        "settings.py",
    );
}

/// Wherever a capture is cut, what is in front of that is read, and the exit
/// status says that it is cut, unless that is between two records.
#[test]
fn python_cut() {
    let folder = copy("python", "python-cut");
    let program = "\
import contextlib, io, sys, dpkt, settings
capture = dpkt.pcap.Reader(open(sys.argv[1], 'rb'))
frames = [frame for _, frame in capture][3:]  # behind the handshake
for kind in dpkt.pcap, dpkt.pcapng:
    file = io.BytesIO()
    writer, ends = kind.Writer(file), [file.tell()]
    for frame in frames:
        writer.writepkt(frame, 1)
        ends.append(file.tell())
    printed = [0]
    for length in range(ends[-1] + 1):
        open('cut', 'wb').write(file.getvalue()[:length])
        out, said = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            try:
                status = settings.main(['cut'])
            except SystemExit as reason:
                status = 1 if str(reason).count('\\n') == 0 else reason
        head, whole = length < ends[0], length in ends
        assert status == (1 if head else 0 if whole else 3), (length, status)
        said = said.getvalue()
        cut = 'settings.py: cut: cut short\\n'
        assert said == (cut if status == 3 else ''), (length, said)
        lines = out.getvalue().count('\\n')
        assert lines >= printed[-1], (length, lines)
        if whole:
            printed.append(lines)
    print(printed)
";
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let request = sample("provisioning request").bytes;
    let response = sample("provisioning response").bytes;
    let (first, second) = response.split_at(response.len() - 90);
    for (from, part) in [
        (Side::Client, &*request),
        (Side::Server, first),
        (Side::Server, second),
    ] {
        let frame = connection.segment(from, part);
        capture.push(&frame);
    }
    let file = capture.write();
    let printed = run(python(&folder).args(["-c", program]).arg(file.path()));
    // Lines there were by the end of each record.
    let lines = "[0, 0, 5, 10, 15]\n";
    assert_eq!(printed, lines.repeat(2));
}

/// What follows a message is not copied for it: that would be the square of
/// their number. So much smaller than a stream of many messages is what the
/// binding asks for to read it.
#[test]
fn python_copies_nothing() {
    let folder = copy("python", "python-copies");
    let program = "\
import sys, tracemalloc, mcas
data = open(sys.argv[1], 'rb').read() * 500
count = 0
tracemalloc.start()
for message in mcas.messages(data):
    count += 1
print(count, tracemalloc.get_traced_memory()[1] * 10 < len(data))
";
    let asks = format!(
        "POST / HTTP/1.1\r\nHost: add-con.mcas\r\nX: {:4000}\r\n\r\n",
        ""
    );
    let sent = write(&folder, "sent", &[asks.as_bytes()]);
    let printed = run(python(&folder).args(["-c", program]).arg(sent));
    assert_eq!(printed, "500 True\n");
}

/// Nothing is read behind what makes a tunnel of the connection.
#[test]
fn python_tunnel() {
    let folder = copy("python", "python-tunnel");
    let program = "\
import sys, mcas
asks, answer, connect = (open(name, 'rb').read() for name in sys.argv[1:])
opened = b'HTTP/1.1 200 OK\\r\\n\\r\\n'
refused = b'HTTP/1.1 405 No\\r\\nContent-Length: 0\\r\\n\\r\\n'
for got in answer, answer + opened + answer, answer + refused + answer:
    print(*(m.type for m in mcas.messages(asks + connect + asks, got)))
";
    let files = [
        write(&folder, "asks", &[&sample("boot: provisioning request").bytes]),
        write(
            &folder,
            "answer",
            &[&sample("boot: provisioning response").bytes],
        ),
        write(&folder, "connect", &[CONNECT]),
    ];
    let printed = run(python(&folder).args(["-c", program]).args(files));
    assert_eq!(printed, "1 2\n1 2\n1 2 1 2\n");
}

/// The binding gives what the crate reads, typed.
#[test]
fn python_binding() {
    let folder = copy("python", "python-binding");
    let program = "\
import json, sys, mcas
agent = mcas.user_agent(b'M-CAS/7.0 (RTS300HI 4.02.0179)')
assert [i.value for i in agent][1:] == ['7.0', 'RTS300HI', '4.02.0179'], agent
sent, got = (open(name, 'rb').read() for name in sys.argv[1:])
found = list(mcas.messages(sent, got))
assert [m.exchange for m in found] == [1, 1, 2, 2, 3, 3], found
for message in found[1::2]:
    for item in message.items:
        kind, value = type(item.value).__name__, item.value
        value = value if kind == 'int' else str(value)
        print(json.dumps([item.name, kind, value, item.text, item.level]))
";
    let request = sample("firmware request").bytes;
    let response = sample("boot: provisioning response").bytes;
    let answer = sample("cookies").bytes;
    let asks = sample("provisioning request").bytes;
    let sent = write(&folder, "sent", &[&asks, &request, &asks]);
    let image = sample("boot: firmware response").bytes;
    let got = write(&folder, "got", &[&response, &image, &answer]);
    let printed = run(python(&folder).args(["-c", program]).args([sent, got]));
    let printed: Vec<Json> =
        printed.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let mut expected = vec![];
    for (request_type, bytes) in [(1, &response), (3, &image), (1, &answer)] {
        let context = Context::answering(Request::new(request_type));
        let message = mcas::parse(bytes, &context).unwrap();
        let body = message.body_bytes(bytes);
        let mut add = |item: Item, from: &[u8]| {
            let name = match item.as_field() {
                Some(field) => field.info().name(),
                None => item.as_note().unwrap().info().name(),
            };
            let text = || json!(item.format(from, Style::Value).to_string());
            let oui = item.as_field() == Some(mcas::Field::TerminalIdOui);
            let (kind, value) = match item.value() {
                None => ("NoneType", json!("None")),
                Some(Value::Number(n)) if !oui => ("int", json!(n)),
                Some(Value::Ipv4(_)) => ("IPv4Address", text()),
                Some(Value::Ipv6(_)) => ("IPv6Address", text()),
                Some(_) => ("str", text()),
            };
            let line = item.format(from, Style::Line).to_string();
            expected.push(json!([name, kind, value, line, item.level]));
        };
        message.head_items(bytes).for_each(|item| add(item, bytes));
        message.body_items(&body).for_each(|item| add(item, &body));
    }
    assert!(expected.len() > 30);
    assert_eq!(printed, expected);
}

/// The scripts for Elasticsearch end as they should; what they write of real
/// captures is looked at by `bulk.py`.
#[test]
fn elastic() {
    let folder = copy("elastic", "elastic");
    // In place of tshark, what `script` prints.
    let example = |name: &str, script: &str| {
        let tshark = folder.join(format!("tshark-{name}"));
        fs::write(&tshark, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&tshark, Permissions::from_mode(0o755)).unwrap();
        let mut example = python(&folder);
        example.arg(name).env("TSHARK", tshark);
        example
    };
    let field = "printf 'F\\tMAC\\tmcas.x\\tFT_UINT8\\tmcas\\tBASE_DEC\\n'";
    minds_its_output(&mut example("template", field), "template");
    let index = r#"echo '{"index":{"_index":"packets","_type":"doc"}}'"#;
    let mut bulk = example("bulk", index);
    minds_its_output(bulk.arg("capture"), "bulk");
    for (script, arguments, reason, status) in [
        (index, &[][..], "usage: bulk [--secrets] CAPTURE", 2),
        (index, &["--secret", "capture"], "usage: bulk", 2),
        ("echo '{\"index\":'", &["capture"], "bulk: what tshark", 1),
        ("kill -9 $$", &["capture"], "", 1),
        ("exit 2", &["capture"], "", 2),
    ] {
        let mut bulk = example("bulk", script);
        let (printed, said, found) = told(bulk.args(arguments));
        assert_eq!((&*printed, found), ("", Some(status)), "{said}");
        assert!(said.starts_with(reason), "{said}");
        assert_eq!(said.lines().count(), reason.lines().count(), "{said}");
    }
    for name in ["bulk", "template"] {
        let mut command = python(&folder);
        command.args([name, "capture"]).env("TSHARK", "./missing");
        let (_, said, status) = told(&mut command);
        let line = format!(
            "{name}: [Errno 2] No such file or directory: './missing'\n"
        );
        assert_eq!((said, status), (line, Some(1)));
    }
}

/// The Rust example, as `cargo run --example` builds it.
fn pjsip() -> Command {
    static PJSIP: OnceLock<PathBuf> = OnceLock::new();
    Command::new(PJSIP.get_or_init(|| {
        run(Command::new(env!("CARGO")).current_dir(ROOT).args([
            "build",
            "--quiet",
            "--locked",
            "--example",
            "pjsip",
        ]));
        target("../debug/examples/pjsip")
    }))
}

/// What it prints and complains of, and its exit status.
pub fn configure(input: &[u8]) -> (String, String, Option<i32>) {
    told(pjsip().stdin(open(input)))
}

/// A file with those bytes and no name.
fn open(bytes: &[u8]) -> fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

/// An answer with those lines, in a chunk.
fn chunk(lines: &[u8]) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let size = format!("{:x}\r\n", lines.len());
    [head, size.as_bytes(), lines, b"\r\n0\r\n\r\n"].concat()
}

#[test]
fn rust() {
    let boot = sample("boot: provisioning response").bytes;
    let (printed, said, status) = configure(&boot);
    assert_eq!((&*said, status), ("", Some(0)));
    let expected = "\
[hikari-0722123456]
type = transport
protocol = udp
bind = 172.20.184.194:5060
tos = 0x80

[hikari-0722123456]
type = registration
transport = hikari-0722123456
client_uri = sip:0722123456@121.0.34.41
server_uri = sip:121.0.34.41
outbound_proxy = sip:121.0.34.41:5060\\;lr
contact_user = 0722123456

[hikari-0722123456]
type = aor
contact = sip:121.0.34.41

[hikari-0722123456]
type = endpoint
transport = hikari-0722123456
aors = hikari-0722123456
context = from-hikari
; not in the answer: Hikari Denwa speaks G.711
allow = ulaw
from_user = 0722123456
from_domain = 121.0.34.41
outbound_proxy = sip:121.0.34.41:5060\\;lr
tos_audio = 0x80

[hikari-0722123456]
type = identify
endpoint = hikari-0722123456
match = 121.0.34.41
";
    assert_eq!(printed, expected);

    // A phone's, with a password; in chunks; and something odd.
    let lines = b"ResultCode=0000\r\nip_tel_num=3\r\nip_tel_num1=4\r\n\
        sip_domain=ntt.setup\r\nusername=0003\r\npassword=a;b\r\n\
        sipsv_addr=192.0.2.1\r\nsipsv_port=5061\r\nregsv_addr=y\r\n";
    let (printed, said, status) = configure(&chunk(lines));
    assert_eq!(status, Some(0), "{said}");
    for line in [
        "type = auth\nauth_type = userpass\n\
         username = 0003\npassword = a\\;b\n",
        "client_uri = sip:3@ntt.setup\n",
        "outbound_proxy = sip:192.0.2.1:5061\\;lr\n",
        "outbound_auth = hikari-3\n",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
    for line in [
        "Warning: The value does not read as its type \
         (SIP registrar address)\n",
        "; warning: regsv_addr does not read\n",
    ] {
        assert!(said.contains(line), "{said}");
    }

    // Without these there is nothing to print.
    for (lines, reason) in [
        (&b"ResultCode=0010\r\n"[..], "; no settings: result code 0010\n"),
        (
            b"ResultCode=0000\r\nip_tel_num=3\r\nsip_domain=a\r\n",
            "; warning: no SIP server",
        ),
        (b"ResultCode=\r\n", "; no settings: no result code"),
        (b"<html>\r\n", "pjsip: these are no settings\n"),
    ] {
        let (printed, said, status) = configure(&chunk(lines));
        assert_eq!((&*printed, status), ("", Some(1)), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}

/// What an answer has cannot become a line of its own in Asterisk's file: not
/// by a control character, and not by its length, for Asterisk reads on behind
/// 8191 bytes as on a new line.
#[test]
fn rust_injects_nothing() {
    let fine = "ResultCode=0000\r\nip_tel_num=3\r\nsip_domain=a\r\n\
        username=u\r\npassword=p\r\nsipsv_addr=192.0.2.1\r\n";
    let (usual, said, status) = configure(&chunk(fine.as_bytes()));
    assert_eq!(status, Some(0), "{said}");
    for pair in ["password=p", "username=u", "sip_domain=a", "ip_tel_num=3"] {
        let (key, value) = pair.split_once('=').unwrap();
        let long = value.repeat(8191) + "[evil]";
        for hostile in [&*long, "x\t[evil]", "x\r[evil]"] {
            let hostile = format!("{key}={hostile}");
            let lines = fine.replace(pair, &hostile);
            let (printed, said, _) = configure(&chunk(lines.as_bytes()));
            for line in printed.lines() {
                assert!(line.len() < 512 && !line.contains("evil"), "{line}");
                let (name, _) = line.split_once('=').unwrap_or((line, ""));
                let known = usual.lines().any(|l| l.starts_with(name));
                assert!(known || line.starts_with(';'), "{line}");
            }
            assert!(said.contains(&format!("; warning: {key} ")), "{said}");
        }
    }
}

#[test]
fn rust_failure() {
    let (printed, said, status) = told(pjsip().arg("response"));
    assert_eq!((&*printed, status), ("", Some(2)));
    assert!(said.starts_with("usage: "), "{said}");
    // Nothing, and a folder.
    for input in ["/dev/null", "."] {
        let input = fs::File::open(input).unwrap();
        let (printed, said, status) = told(pjsip().stdin(input));
        assert_eq!((&*printed, status), ("", Some(1)));
        assert!(said.starts_with("pjsip: "), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    let boot = sample("boot: provisioning response").bytes;
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut pjsip = pjsip();
    pjsip.stdin(open(&boot)).stdout(full);
    let (_, said, status) = told(pjsip.stderr(Stdio::piped()));
    let line = "pjsip: No space left on device (os error 28)\n";
    assert_eq!((&*said, status), (line, Some(1)));
}
