//! The examples against the plugin: the same messages in the same exchanges,
//! in every capture.
//!
//! What the plugin shows is read off tshark, and the examples are run as their
//! users run them: those that read captures on all of them, those that read
//! the bytes of a connection's two directions on files as tcpflow writes them.

use crate::examples;
use crate::joined::{self, Joined};
use crate::support::Side::{Client, Server};
use crate::support::{capture, captures, messages, tshark};
use crate::support::{Capture, Message};
use mcas::track::{Side, Tracker};
use mcas::types::{self, TypeInfo};
use once_cell::sync::Lazy;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::PathBuf;

/// A message, by what users see of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    /// The frame that it ends in.
    frame: u32,
    message_type: u32,
    /// Of a response, the frame that its request ends in.
    answers: Option<u32>,
}

/// All captures, also those that go wrong.
static ALL: Lazy<Joined> = Lazy::new(|| {
    let mut all = captures();
    let files = fs::read_dir(capture("trouble")).expect("a folder");
    let mut files: Vec<PathBuf> =
        files.map(|file| file.expect("it can be read").path()).collect();
    files.sort();
    all.extend(files);
    Joined::new(&all)
});

/// What the plugin shows of them.
static SHOWN: Lazy<Vec<Message>> = Lazy::new(|| messages(ALL.path(), &["-2"]));

/// The same by capture.
static PLUGIN: Lazy<BTreeMap<String, Vec<Seen>>> = Lazy::new(|| {
    let number = |text: &&str| text.parse().expect("a number");
    by_capture(SHOWN.iter().map(|message| Seen {
        frame: message.frame,
        message_type: number(&message.values("mcas.type")[0]),
        answers: message.values("mcas.response_to").first().map(number),
    }))
});

/// The capture that a frame is of.
fn part(frame: u32) -> &'static joined::Part {
    let of = |part: &&joined::Part| part.frames.contains(&frame);
    ALL.parts.iter().find(of).expect("a frame of a capture")
}

/// Messages by capture, in the order of their frames, which are the capture's
/// own.
fn by_capture(
    seen: impl Iterator<Item = Seen>,
) -> BTreeMap<String, Vec<Seen>> {
    let mut all: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for mut seen in seen {
        let part = part(seen.frame);
        let before = part.frames.start - 1;
        seen.frame -= before;
        seen.answers = seen.answers.map(|frame| frame - before);
        all.entry(part.name.clone()).or_default().push(seen);
    }
    all.values_mut().for_each(|seen| seen.sort());
    all
}

/// What an example found: a message and its exchange.
#[derive(Clone, Copy, Debug)]
struct Found {
    frame: u32,
    message_type: u32,
    exchange: u64,
    /// It is not certain what it answers.
    uncertain: bool,
}

/// The same with the links that exchanges make.
fn linked(found: &[Found]) -> Vec<Seen> {
    let kind =
        |found: &Found| TypeInfo::of(found.message_type).expect("a type").kind;
    let requests: HashMap<u64, u32> = found
        .iter()
        .filter(|found| kind(found) == mcas::message::KIND_REQUEST)
        .map(|found| (found.exchange, found.frame))
        .collect();
    let seen = found.iter().map(|one| Seen {
        frame: one.frame,
        message_type: one.message_type,
        answers: match kind(one) {
            mcas::message::KIND_RESPONSE if !one.uncertain => {
                requests.get(&one.exchange).copied()
            }
            _ => None,
        },
    });
    seen.collect()
}

/// Captures of which plugin and examples show something else, and why that is
/// right.
const DIFFER: &[(&str, &str)] = &[
    ("mcas-http-1-0.pcap", CLOSED),
    ("mcas-until-close.pcap", CLOSED),
    (
        "mcas-early-answer.pcap",
        "the answer is shown before its request ends: the plugin names the \
        frame that the request begins in",
    ),
];
const CLOSED: &str =
    "a body without a length ends in the frame that closes the connection, \
    which has no bytes";

/// Captures of which the plugin shows too little, or guesses. It need not: it
/// goes from here once it uses the tracker, too.
const PLUGIN_FOLLOWS: &[&str] = &[
    "mcas-lost-request.pcap",
    "mcas-lost-segment.pcap",
    "mcas-midstream.pcap",
    "answer-broken-off.pcap",
    "answer-captured-first.pcap",
    "answer-out-of-order.pcap",
    "lost-answer-pipelined.pcap",
    "lost-answer-then-page.pcap",
    "lost-tail-then-answer.pcap",
    "payment-half-closed.pcap",
    "ports-used-again.pcap",
];

/// Captures of which tcpflow's files cannot say as much: zeros stand in them
/// where bytes were not captured, so that nobody knows where messages begin
/// behind those; and they may begin anywhere.
const FILES_DIFFER: &[&str] = &[
    "mcas-lost-request.pcap",
    "mcas-lost-response.pcap",
    "mcas-midstream.pcap",
    "mcas-truncated.pcap",
    "lost-answer-pipelined.pcap",
    "lost-tail-then-answer.pcap",
];

/// Compares with the plugin. What is said to differ and does not is wrong,
/// too.
fn compare<T: PartialEq + std::fmt::Debug>(
    name: &str,
    found: &BTreeMap<String, T>,
    shown: &BTreeMap<String, T>,
    differ: &[&str],
) {
    let mut wrong = BTreeSet::new();
    for part in &ALL.parts {
        let part = part.name.as_str();
        let [ours, theirs] = [found, shown].map(|all| all.get(part));
        if ours != theirs {
            wrong.insert(part);
            if !differ.contains(&part) && !PLUGIN_FOLLOWS.contains(&part) {
                eprintln!("{name}, {part}:\n  {ours:?}\n  {theirs:?}");
            }
        }
    }
    let follows: BTreeSet<_> = PLUGIN_FOLLOWS.iter().copied().collect();
    let known: BTreeSet<_> = differ.iter().copied().collect();
    let found: Vec<_> = wrong.difference(&follows).collect();
    let known: Vec<_> = known.difference(&follows).collect();
    assert_eq!(found, known, "{name}");
}

fn differ() -> impl Iterator<Item = &'static str> {
    DIFFER.iter().map(|(name, _)| *name)
}

// An example that reads captures.

#[test]
fn settings() {
    let printed = examples::settings_of(ALL.path());
    let name = |name: &str| {
        let info = types::TYPES.iter().find(|info| info.name() == name);
        info.unwrap_or_else(|| panic!("{name:?}")).id
    };
    let found: Vec<Found> = printed
        .lines()
        .filter(|line| !line.starts_with("    "))
        .map(|line| {
            let (line, exchange) = line.rsplit_once(" (").expect(line);
            let exchange = exchange.strip_prefix("exchange ");
            let (line, _) = line.split_once(" to ").expect(line);
            let (frame, kind) = line.split_once(' ').expect(line);
            Found {
                frame: frame.parse().expect("a number"),
                message_type: name(kind),
                exchange: exchange.map_or(0, |number| {
                    number.trim_end_matches(')').parse().expect("a number")
                }),
                uncertain: exchange.is_none(),
            }
        })
        .collect();
    let found = by_capture(linked(&found).into_iter());
    compare("settings.py", &found, &PLUGIN, &differ().collect::<Vec<_>>());
}

// Examples that read the two directions of a connection.

/// What one side sent, as tcpflow writes it: bytes that were not captured are
/// zeros, and of those that were captured twice the first ones count.
#[derive(Default)]
struct Direction {
    first: Option<u32>,
    bytes: Vec<u8>,
    /// The frame that each came in; 0 where none did.
    frames: Vec<u32>,
    opened: Option<u32>,
}

impl Direction {
    fn add(&mut self, sequence: u32, bytes: &[u8], frame: u32) {
        let first = *self.first.get_or_insert(sequence);
        let at = sequence.wrapping_sub(first) as i32;
        if at < 0 {
            // It begins earlier than was thought.
            let more = vec![0; at.unsigned_abs() as usize];
            self.bytes.splice(..0, more.iter().copied());
            self.frames.splice(..0, more.iter().map(|_| 0));
            self.first = Some(sequence);
        }
        let at = at.max(0) as usize;
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
            self.frames.resize(end, 0);
        }
        for (i, &byte) in (at..).zip(bytes) {
            if self.frames[i] == 0 {
                (self.bytes[i], self.frames[i]) = (byte, frame);
            }
        }
    }

    /// The frame in which the last of these bytes came.
    fn frame(&self, offset: usize, length: usize) -> u32 {
        let frames = &self.frames[offset..offset + length];
        *frames.iter().max().expect("a message has bytes")
    }
}

/// A connection: who asks, who answers.
#[derive(Default)]
struct Connection([Direction; 2]);

/// The connections of all captures.
static CONNECTIONS: Lazy<Vec<Connection>> = Lazy::new(|| {
    let mut pcap = fs::read(ALL.path()).expect("it can be read");
    let mut all: Vec<Connection> = vec![];
    let mut current = HashMap::new();
    for (number, frame) in (1..).zip(joined::frames_mut(&mut pcap)) {
        let Some(ip) = joined::ipv4(frame) else { continue };
        let number_at = |at: usize| {
            u32::from_be_bytes(frame[at..at + 4].try_into().unwrap())
        };
        let tcp = ip + 4 * usize::from(frame[ip] & 15);
        let fragment = number_at(ip + 4) & 0x1FFF != 0;
        if frame[ip + 9] != 6 || fragment || frame.len() < tcp + 20 {
            continue;
        }
        let length =
            usize::from(u16::from_be_bytes([frame[ip + 2], frame[ip + 3]]));
        let payload = tcp + 4 * usize::from(frame[tcp + 12] >> 4);
        let end = frame.len().min(ip + length);
        let [source, target] =
            [(ip + 12, tcp), (ip + 16, tcp + 2)].map(|(address, port)| {
                let port = [frame[port], frame[port + 1]];
                (number_at(address), u16::from_be_bytes(port))
            });
        let (flags, sequence) = (frame[tcp + 13], number_at(tcp + 4));
        let key = (source.min(target), source.max(target));
        let side = usize::from(source > target);
        let opens = flags & 2 != 0;
        let place = current.entry(key).or_insert(usize::MAX);
        let known = all.get(*place).map(|known| known.0[side].opened);
        if known.is_none()
            || opens && known.flatten().is_some_and(|at| at != sequence)
        {
            *place = all.len();
            all.push(Connection::default());
        }
        let direction = &mut all[*place].0[side];
        if opens {
            direction.opened = Some(sequence);
            direction.first.get_or_insert(sequence.wrapping_add(1));
        }
        if payload < end {
            direction.add(sequence, &frame[payload..end], number);
        }
    }
    for Connection(sides) in &mut all {
        let answers = |side: &Direction| side.bytes.starts_with(b"HTTP/1.");
        if answers(&sides[0]) || !answers(&sides[1]) && asks(&sides[1]) {
            sides.swap(0, 1);
        }
    }
    all.retain(|Connection(sides)| sides.iter().any(|s| !s.bytes.is_empty()));
    all
});

fn asks(side: &Direction) -> bool {
    let line = side.bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    line.windows(8).any(|part| part == b" HTTP/1.")
}

/// Their files: of each connection, the requests' and the responses'.
fn files(name: &str) -> Vec<[PathBuf; 2]> {
    let folder = crate::capi::target(&format!("agreement-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let write = |(number, Connection(sides)): (usize, &Connection)| {
        ["sent", "got"].map(|side| {
            let file = folder.join(format!("{number}-{side}"));
            let of = usize::from(side == "got");
            fs::write(&file, &sides[of].bytes).expect("it is written");
            file
        })
    };
    CONNECTIONS.iter().enumerate().map(write).collect()
}

/// What an example found in a connection, with places in its directions.
struct Placed {
    connection: usize,
    message_type: u32,
    exchange: u64,
    uncertain: bool,
    offset: usize,
    length: usize,
}

fn compare_placed(name: &str, placed: &[Placed]) {
    let mut found: Vec<Vec<Found>> = vec![];
    found.resize_with(CONNECTIONS.len(), Vec::new);
    for one in placed {
        let info = TypeInfo::of(one.message_type).expect("a type");
        let side = usize::from(info.kind == mcas::message::KIND_RESPONSE);
        let direction = &CONNECTIONS[one.connection].0[side];
        found[one.connection].push(Found {
            frame: direction.frame(one.offset, one.length),
            message_type: one.message_type,
            exchange: one.exchange,
            uncertain: one.uncertain,
        });
    }
    let found = by_capture(found.iter().flat_map(|found| linked(found)));
    let differ = differ().chain(FILES_DIFFER.iter().copied());
    compare(name, &found, &PLUGIN, &differ.collect::<Vec<_>>());
}

#[test]
fn mcas2json() {
    let mut placed = vec![];
    for (connection, [sent, got]) in files("c").iter().enumerate() {
        for message in examples::mcas2json_of(sent, got) {
            let number = |name: &str| message[name].as_u64().expect(name);
            placed.push(Placed {
                connection,
                message_type: number("type") as u32,
                exchange: number("exchange"),
                uncertain: message["uncertain"] == true,
                offset: number("offset") as usize,
                length: number("length") as usize,
            });
        }
    }
    compare_placed("mcas2json", &placed);
}

#[test]
fn python() {
    let program = "\
import sys, mcas
for number, line in enumerate(sys.stdin):
    sent, got = (open(name, 'rb').read() for name in line.split())
    for m in mcas.messages(sent, got):
        print(number, m.type, m.exchange, m.found.flags, m.found.sequence,
              m.found.length)
";
    let files: String = files("python")
        .iter()
        .map(|[sent, got]| format!("{} {}\n", sent.display(), got.display()))
        .collect();
    let printed = examples::python_with(program, files.as_bytes());
    let placed: Vec<Placed> = printed
        .lines()
        .map(|line| {
            let numbers: Vec<u64> =
                line.split(' ').map(|n| n.parse().expect("it")).collect();
            Placed {
                connection: numbers[0] as usize,
                message_type: numbers[1] as u32,
                exchange: numbers[2],
                uncertain: numbers[3] != 0,
                offset: numbers[4] as usize,
                length: numbers[5] as usize,
            }
        })
        .collect();
    compare_placed("mcas.py", &placed);
}

impl Connection {
    /// The capture that it is of.
    fn part(&self) -> &'static joined::Part {
        let frames = self.0.iter().flat_map(|side| &side.frames);
        part(*frames.max().expect("a connection has bytes"))
    }
}

/// How often each gateway was seen in a capture.
type Inventory = BTreeMap<String, u32>;

#[test]
fn inventory() {
    let mut shown: BTreeMap<String, Inventory> = BTreeMap::new();
    for message in SHOWN.iter() {
        let kind = message.values("mcas.type")[0].parse();
        let info = TypeInfo::of(kind.expect("a number")).expect("a type");
        if info.kind != mcas::message::KIND_REQUEST {
            continue;
        }
        // Of two in a message the last one counts.
        let (mut mac, mut device) = (None, None);
        for item in &message.items {
            match item.name.as_str() {
                "mcas.terminal_id.mac" => mac = Some(item.show.clone()),
                "mcas.device.model" => device = Some(item.show.clone()),
                "mcas.device.firmware" => {
                    let model = device.expect("it comes behind its model");
                    device = Some(format!("{model} {}", item.show));
                }
                _ => {}
            }
        }
        for name in [mac, device].into_iter().flatten() {
            let part = part(message.frame).name.clone();
            *shown.entry(part).or_default().entry(name).or_default() += 1;
        }
    }

    let mut sent: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for (connection, [file, _]) in CONNECTIONS.iter().zip(files("cpp")) {
        sent.entry(&connection.part().name).or_default().push(file);
    }
    let found = sent.iter().filter_map(|(name, files)| {
        let printed = examples::inventory_of(files);
        let counts = printed.lines().map(|line| {
            let (count, name) = line.split_once(' ').expect("two words");
            (name.to_owned(), count.parse().expect("a number"))
        });
        let counts: Inventory = counts.collect();
        (!counts.is_empty()).then(|| (name.to_string(), counts))
    });
    let differ = ["mcas-lost-request.pcap"];
    compare("inventory", &found.collect(), &shown, &differ);
}

/// The one that reads a single answer makes of it what the plugin prints.
#[test]
fn pjsip() {
    let path = ALL.path().to_str().expect("paths of tests are plain");
    let statistic = "mcas,config,secrets";
    let printed = tshark(&["-2", "-q", "-r", path, "-z", statistic]);
    // A phone's answer without its request may be anything, and some have no
    // settings.
    let (mut count, mut wrong) = (0, BTreeSet::new());
    for connection in CONNECTIONS.iter() {
        let sides = &connection.0;
        let mut tracker = Tracker::new();
        for (side, of) in [(Side::Client, 0), (Side::Server, 1)] {
            tracker.bytes(1, side, &sides[of].bytes, 0);
            tracker.end(1, side);
        }
        tracker.finish();
        while let Some(found) = tracker.next_found() {
            if !matches!(
                found.message.message_type,
                types::TYPE_PROVISIONING_RESPONSE
                    | types::TYPE_EXTENSION_CONFIGURATION_RESPONSE
            ) {
                continue;
            }
            let (sections, said, status) = examples::configure(&found.bytes);
            if status == Some(0) {
                let begin = sections.find('[').expect("a section");
                count += 1;
                if !printed.contains(&sections[begin..]) {
                    wrong.insert(connection.part().name.as_str());
                }
            } else {
                assert_eq!(status, Some(1), "{said}");
            }
        }
    }
    for name in PLUGIN_FOLLOWS {
        wrong.remove(name);
    }
    // A phone's answer that has what a gateway's has, too, is read like one
    // by whoever does not know its request.
    assert_eq!(wrong, ["mcas-blank-in-target.pcap"].into());
    assert!(count > 40, "{count}");
}

// How long they take.

/// What they do is linear in the number of messages.
#[test]
fn linear() {
    let asks = "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
        Content-Length: 23\r\n\r\nTerminalID=001F67A1B2C3";
    let answers = "HTTP/1.1 200 OK\r\nContent-Length: 37\r\n\r\n\
        ResultCode=0000\r\nip_tel_num=03999990\r\n";
    let [few, many] = [2000, 16_000].map(|messages| {
        let count = messages / 2;
        let name = format!("linear-{messages}");
        let write = |side: &str, text: &str| {
            let file = crate::capi::target(&format!("{name}-{side}"));
            fs::write(&file, text.repeat(count)).expect("it is written");
            file
        };
        let mut capture = Capture::default();
        let mut connection = capture.connect(80);
        for _ in 0..count {
            capture.push(&connection.segment(Client, asks.as_bytes()));
            capture.push(&connection.segment(Server, answers.as_bytes()));
        }
        let capture = capture.write();
        let (sent, got) = (write("sent", asks), write("got", answers));
        examples::times(&sent, &got, capture.path(), messages)
    });
    for ((name, few), (_, many)) in few.iter().zip(&many) {
        println!("{name:12} {few:.3} s, {many:.3} s");
        // Eight times as much, and what else the machine does meanwhile.
        assert!(*many < 12.0 * few + 0.1, "{name}: {few} s, {many} s");
    }
}
