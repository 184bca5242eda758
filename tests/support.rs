//! What the dissector's tests share: running Wireshark's programs with this
//! build's plugin, reading what they print, and writing captures.

use once_cell::sync::Lazy;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;

/// This checkout's folder, by the crate that these tests are part of.
pub(crate) use crate::ROOT;

/// One of the captures beside the tests, by file name.
pub fn capture(name: &str) -> PathBuf {
    Path::new(ROOT).join("tests/captures").join(name)
}

/// All of them, in the order of their names.
pub fn captures() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(capture(""))
        .expect("tests/captures is a folder")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| {
            path.extension().is_some_and(|e| e == "pcap" || e == "pcapng")
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no captures in tests/captures");
    found
}

// Running Wireshark's programs.

/// What tshark prints, with the plugin: fails where it is not loaded, where
/// tshark complains or does not exit with 0.
pub fn tshark(arguments: &[&str]) -> String {
    Lazy::force(&LOADED);
    run("tshark", arguments, None, true)
}

/// The same tshark without our plugin.
pub fn tshark_without_plugin(arguments: &[&str]) -> String {
    run("tshark", arguments, None, false)
}

/// What sharkd answers to the requests (JSON, one per line).
pub fn sharkd(requests: &str) -> String {
    Lazy::force(&LOADED);
    run("sharkd", &["-"], Some(requests), true)
}

/// Requests for sharkd: numbered, one per line.
pub fn numbered(requests: &[Value]) -> String {
    let mut lines = String::new();
    for (id, request) in (1..).zip(requests) {
        let mut request = request.clone();
        request["jsonrpc"] = json!("2.0");
        request["id"] = json!(id);
        lines += &format!("{request}\n");
    }
    lines
}

/// The most memory that tshark has taken, in bytes.
pub fn peak_memory(arguments: &[&str], with_plugin: bool) -> usize {
    used(arguments, with_plugin).memory
}

/// The processor time that tshark has taken, in seconds.
pub fn time(arguments: &[&str]) -> f64 {
    used(arguments, true).time
}

/// What a program has used.
struct Used {
    memory: usize,
    time: f64,
}

/// Tells a process of these tests which program to measure, and where to
/// write what it used.
const MEASURE: &str = "MCAS_MEASURE";

/// Linux counts what a process had before it became another program as that
/// program's memory: of these tests, with their captures, more than tshark
/// takes. So tshark is started by a process that has next to none, these
/// tests once more, with nothing to do but [`measured`].
fn used(arguments: &[&str], with_plugin: bool) -> Used {
    Lazy::force(&LOADED);
    let report = NamedTempFile::new().expect("there is room for a file");
    let output = command(with_plugin, std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "support::measured"])
        .env(MEASURE, json!([report.path(), arguments]).to_string())
        .output()
        .expect("these tests run");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaint.is_empty(),
        "{arguments:?}: {}\n{complaint}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout)
    );
    let report = fs::read_to_string(report.path()).expect("it was written");
    let (memory, time) = report.split_once(' ').expect("two numbers");
    let number = "a number";
    Used {
        memory: memory.parse().expect(number),
        time: time.parse().expect(number),
    }
}

/// Not a test: the other side of [`used`].
#[test]
#[ignore = "is run by tests that measure"]
#[allow(clippy::zombie_processes)] // wait4 is what waits.
fn measured() {
    let Ok(order) = std::env::var(MEASURE) else { return };
    let (report, arguments): (PathBuf, Vec<String>) =
        serde_json::from_str(&order).expect("what `used` wrote");
    let child = Command::new(with_plugin_script())
        .arg("tshark")
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .expect("scripts/with-plugin runs");
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::uninit());
    let id = child.id() as libc::pid_t;
    // SAFETY: both outputs are good for writing.
    let ended = unsafe { libc::wait4(id, &mut status, 0, usage.as_mut_ptr()) };
    assert_eq!((ended, status), (id, 0));
    // SAFETY: wait4 has written it.
    let usage = unsafe { usage.assume_init() };
    let time = usage.ru_utime;
    let memory = usage.ru_maxrss as usize * 1024;
    let time = time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    fs::write(report, format!("{memory} {time}")).expect("it can be written");
}

/// What is measured is tshark's, however much these tests have in memory.
#[test]
fn memory_of_the_measured_alone() {
    let much = vec![1_u8; 400 << 20];
    let memory = peak_memory(&["-v"], false);
    drop(std::hint::black_box(much));
    assert!((10 << 20..300 << 20).contains(&memory), "{memory}");
}

/// Without the plugin Wireshark would go on, and tests that expect nothing
/// of it would pass.
static LOADED: Lazy<()> = Lazy::new(|| {
    let plugins = run("tshark", &["-G", "plugins"], None, true);
    let lists_ours = plugins
        .lines()
        .any(|line| line.split_whitespace().next() == Some("mcas.so"));
    assert!(lists_ours, "tshark does not load mcas.so, only:\n{plugins}");
});

/// What sharkd says, besides, of a request for taps.
const TAPPED: &str = "sharkd_session_process_tap() count=";

/// What runs a program with this build's plugin.
fn with_plugin_script() -> String {
    format!("{ROOT}/scripts/with-plugin")
}

/// A command that is, or will become, that script.
fn command(with_plugin: bool, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env("MCAS_PLUGIN", if with_plugin { "" } else { "none" })
        // A dissector's bug would be one more item in the tree otherwise.
        .env("WIRESHARK_ABORT_ON_DISSECTOR_BUG", "1")
        .env("TZ", "UTC");
    command
}

fn run(
    program: &str,
    arguments: &[&str],
    input: Option<&str>,
    with_plugin: bool,
) -> String {
    let mut command = command(with_plugin, with_plugin_script());
    command
        .arg(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("scripts/with-plugin runs");
    // Both ends of the pipe close, whether or not there is input. It is
    // written while the output is read: neither fits a pipe.
    let mut stdin = child.stdin.take().expect("it is a pipe");
    let input = input.unwrap_or_default().to_owned();
    let writer = std::thread::spawn(move || {
        stdin.write_all(input.as_bytes()).expect("it reads");
    });
    let output = child.wait_with_output().expect("its output can be read");
    writer.join().expect("it is written");
    let complaint = String::from_utf8_lossy(&output.stderr);
    // That much sharkd says of its own accord.
    let chatter = ["Hello in child.", "load: filename=", TAPPED];
    let complains = complaint
        .lines()
        .any(|line| !chatter.iter().any(|start| line.starts_with(start)));
    assert!(
        output.status.success() && !complains,
        "{program} {arguments:?}: {}\n{complaint}",
        output.status
    );
    // Of forms in other charsets, Wireshark 4.0 prints the bytes as they are.
    String::from_utf8_lossy(&output.stdout).into_owned()
}

// What tshark shows.

/// One item below the M-CAS item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Filter name.
    pub name: String,
    /// Label and value as people see them.
    pub label: String,
    /// The value.
    pub show: String,
    /// The bytes it highlights, in hexadecimal; empty where it has none.
    pub bytes: String,
    /// How deep it is: 0 for the items directly below the M-CAS item.
    pub level: usize,
}

/// One M-CAS item of a frame: a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The frame's number.
    pub frame: u32,
    /// The item's own text.
    pub text: String,
    /// What is below it, in the order of the tree, less the expert items.
    pub items: Vec<Item>,
    /// Names of the expert items below it, in the order of the tree.
    pub notes: Vec<String>,
}

impl Message {
    /// The values of a field, in the order of the tree.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.items
            .iter()
            .filter(|item| item.name == name)
            .map(|item| item.show.as_str())
            .collect()
    }
}

/// The M-CAS messages that tshark shows of a capture, in the tree's order.
/// `options` are added to tshark's arguments.
pub fn messages(capture: &Path, options: &[&str]) -> Vec<Message> {
    let pdml = tshark(&with(capture, options, &["-T", "pdml", "-Y", "mcas"]));
    messages_of_pdml(&pdml)
}

/// The M-CAS messages of what `tshark -T pdml` printed.
pub fn messages_of_pdml(pdml: &str) -> Vec<Message> {
    let pdml = with_line_ends(pdml);
    let document = parse(&pdml);
    let mut found = Vec::new();
    for packet in document.root_element().children() {
        let protocol = |name| {
            packet
                .children()
                .filter(move |node| attribute(*node, "name") == name)
        };
        for item in protocol("mcas") {
            let number = protocol("geninfo")
                .flat_map(|node| node.children())
                .find(|node| attribute(*node, "name") == "num")
                .expect("PDML numbers its packets");
            let mut message = Message {
                frame: attribute(number, "show").parse().expect("a number"),
                text: attribute(item, "showname").to_owned(),
                items: Vec::new(),
                notes: Vec::new(),
            };
            message.collect(item, 0);
            found.push(message);
        }
    }
    found
}

impl Message {
    fn collect(&mut self, parent: roxmltree::Node, level: usize) {
        for node in parent.children().filter(|n| n.has_tag_name("field")) {
            let name = attribute(node, "name");
            if name == "_ws.expert" {
                let ours = node
                    .children()
                    .map(|child| attribute(child, "name"))
                    .find(|name| !name.is_empty() && !name.starts_with("_ws."))
                    .expect("an expert item has a filter name");
                self.notes.push(ours.to_owned());
                continue;
            }
            self.items.push(Item {
                name: name.to_owned(),
                label: attribute(node, "showname").to_owned(),
                show: attribute(node, "show").to_owned(),
                bytes: attribute(node, "value").to_owned(),
                level,
            });
            self.collect(node, level + 1);
        }
    }
}

/// Columns of one frame in the packet list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The Protocol column.
    pub protocol: String,
    /// The Info column.
    pub info: String,
}

/// The packet list of a capture, by frame number.
pub fn columns(capture: &Path, options: &[&str]) -> BTreeMap<u32, Columns> {
    let format = r#"gui.column.format:"N","%m","P","%p","I","%i""#;
    let psml = tshark(&with(capture, options, &["-T", "psml", "-o", format]));
    let document = parse(&psml);
    let packets = document.descendants().filter(|n| n.has_tag_name("packet"));
    packets
        .map(|packet| {
            let columns: Vec<&str> = packet
                .children()
                .filter(|node| node.has_tag_name("section"))
                .map(|node| node.text().unwrap_or_default())
                .collect();
            let [number, protocol, info] = columns[..] else {
                panic!("{columns:?} are not the columns asked for");
            };
            let columns =
                Columns { protocol: protocol.into(), info: info.into() };
            (number.parse().expect("a number"), columns)
        })
        .collect()
}

/// The numbers of the frames that a display filter lets through.
pub fn frames(capture: &Path, filter: &str, options: &[&str]) -> Vec<u32> {
    numbers(&tshark(&with(capture, options, &filtered(filter))))
}

/// The same without our plugin.
pub fn frames_without_plugin(
    capture: &Path,
    filter: &str,
    options: &[&str],
) -> Vec<u32> {
    let arguments = with(capture, options, &filtered(filter));
    numbers(&tshark_without_plugin(&arguments))
}

fn filtered(filter: &str) -> [&str; 6] {
    ["-Y", filter, "-T", "fields", "-e", "frame.number"]
}

fn numbers(lines: &str) -> Vec<u32> {
    lines.lines().map(|line| line.parse().expect("a number")).collect()
}

fn with<'a>(
    capture: &'a Path,
    options: &[&'a str],
    own: &[&'a str],
) -> Vec<&'a str> {
    let capture = capture.to_str().expect("paths of tests are plain");
    [&["-r", capture], options, own].concat()
}

/// XML has line ends and tabs of an attribute's value read as spaces, unless
/// they are written as tshark does not write them.
fn with_line_ends(xml: &str) -> String {
    let mut quoted = false;
    let mut text = String::with_capacity(xml.len());
    for c in xml.chars() {
        quoted ^= c == '"';
        if quoted && matches!(c, '\t' | '\n' | '\r') {
            let _ = write!(text, "&#{};", c as u32);
        } else {
            text.push(c);
        }
    }
    text
}

fn parse(xml: &str) -> roxmltree::Document<'_> {
    roxmltree::Document::parse(xml).expect("tshark prints XML")
}

fn attribute<'a>(node: roxmltree::Node<'a, '_>, name: &str) -> &'a str {
    node.attribute(name).unwrap_or_default()
}

// Writing captures.

/// One end of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Opens the connection and sends requests.
    Client = 0,
    /// Answers.
    Server = 1,
}

impl Side {
    /// The one at the other end.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;

/// Makes the frames of one TCP connection. What becomes of them is the
/// capture's matter: a frame not pushed is lost, one pushed twice is
/// retransmitted, one pushed after its successor is out of order.
pub struct Connection {
    client: ([u8; 4], u16),
    port: u16,
    /// The sequence number that is next, of either side.
    next: [u32; 2],
}

impl Connection {
    /// The frames of one side's FIN and its acknowledgement, then the same
    /// of the other side.
    pub fn close(&mut self) -> Vec<Vec<u8>> {
        let fin = self.frame(Side::Client, FIN | ACK, b"");
        let answer = self.frame(Side::Server, FIN | ACK, b"");
        vec![fin, answer, self.acknowledge(Side::Client)]
    }

    /// A frame by which `from` sends its next bytes.
    pub fn segment(&mut self, from: Side, bytes: &[u8]) -> Vec<u8> {
        self.frame(from, PSH | ACK, bytes)
    }

    /// A frame by which `from` acknowledges all that the other side sent.
    pub fn acknowledge(&mut self, from: Side) -> Vec<u8> {
        self.frame(from, ACK, b"")
    }

    fn frame(&mut self, from: Side, flags: u8, bytes: &[u8]) -> Vec<u8> {
        let server = ([198, 51, 100, 1], self.port);
        let [source, target] = match from {
            Side::Client => [self.client, server],
            Side::Server => [server, self.client],
        };
        let sequence = &mut self.next[from as usize];
        let number = *sequence;
        let counted = u32::from(flags & (SYN | FIN) != 0);
        *sequence = number.wrapping_add(bytes.len() as u32 + counted);
        let acknowledged = if flags & ACK != 0 {
            self.next[from.other() as usize]
        } else {
            0
        };

        // Checksums stay 0: Wireshark does not verify them unless told to.
        let mut frame = Vec::with_capacity(54 + bytes.len());
        frame.extend([2, 0, 0, 0, 0, 2 - from as u8]); // Ethernet
        frame.extend([2, 0, 0, 0, 0, 1 + from as u8, 8, 0]);
        let length = u16::try_from(40 + bytes.len()).expect("one IP packet");
        frame.extend([0x45, 0]); // IPv4
        frame.extend(length.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(source.0);
        frame.extend(target.0);
        frame.extend(source.1.to_be_bytes()); // TCP
        frame.extend(target.1.to_be_bytes());
        frame.extend(number.to_be_bytes());
        frame.extend(acknowledged.to_be_bytes());
        frame.extend([0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        frame.extend(bytes);
        frame
    }
}

/// A capture in the making. Frames are a millisecond apart.
#[derive(Default)]
pub struct Capture {
    records: Vec<u8>,
    /// How many frames there are: the number of the last one.
    pub frames: u32,
    connections: u16,
    /// The sequence number that both sides of the next connection begin at.
    pub initial_sequence: u32,
}

impl Capture {
    /// Opens a connection to that port of the server.
    pub fn connect(&mut self, port: u16) -> Connection {
        let number = self.connections.to_be_bytes();
        self.connections += 1;
        let mut connection = Connection {
            client: ([192, 0, number[0], number[1]], 40000),
            port,
            next: [self.initial_sequence; 2],
        };
        self.push(&connection.frame(Side::Client, SYN, b""));
        self.push(&connection.frame(Side::Server, SYN | ACK, b""));
        self.push(&connection.acknowledge(Side::Client));
        connection
    }

    /// Appends a frame and returns its number.
    pub fn push(&mut self, frame: &[u8]) -> u32 {
        self.push_cut(frame, usize::MAX)
    }

    /// Appends a frame of which the capture keeps only the first bytes.
    pub fn push_cut(&mut self, frame: &[u8], kept: usize) -> u32 {
        let kept = &frame[..kept.min(frame.len())];
        let seconds = 1_000_000_000 + self.frames / 1000;
        let fraction = self.frames % 1000 * 1000;
        let sizes = [kept.len() as u32, frame.len() as u32];
        for number in [seconds, fraction, sizes[0], sizes[1]] {
            self.records.extend(number.to_le_bytes());
        }
        self.records.extend(kept);
        self.frames += 1;
        self.frames
    }

    /// A gateway's provisioning exchange, on a connection of its own, with
    /// this answer; tells the answer's frame.
    pub fn provision(&mut self, answer: &str) -> u32 {
        let mut connection = self.connect(80);
        let request = "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
            Content-Length: 23\r\n\r\nTerminalID=001F67A1B2C3";
        self.send(&mut connection, Side::Client, request.as_bytes());
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        let answer = head + answer;
        self.send(&mut connection, Side::Server, answer.as_bytes())
    }

    /// Appends a segment and its acknowledgement; returns the former's
    /// number.
    pub fn send(
        &mut self,
        connection: &mut Connection,
        from: Side,
        bytes: &[u8],
    ) -> u32 {
        let number = self.push(&connection.segment(from, bytes));
        self.push(&connection.acknowledge(from.other()));
        number
    }

    /// The file; it is removed when the value is dropped.
    pub fn write(&self) -> NamedTempFile {
        let mut file = tempfile::Builder::new()
            .suffix(".pcap")
            .tempfile()
            .expect("there is a folder for temporary files");
        let header = [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 0x4_0000, 1];
        for number in header {
            file.write_all(&number.to_le_bytes()).expect("it is written");
        }
        file.write_all(&self.records).expect("it is written");
        file
    }
}

/// Runs one of the checks in Python, which print what is wrong.
pub fn assert_prints_nothing(python: &mut Command) {
    let output = python
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python3 is installed");
    let [printed, complaint] = [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(
        output.status.success() && printed.is_empty(),
        "{python:?}:\n{printed}{complaint}"
    );
}
