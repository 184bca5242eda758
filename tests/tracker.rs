//! Who answers whom: the tracker against simulated connections and against
//! captures.

use crate::simulator::{
    judge, number, world, Loss, Numbers, Score, World, ACK, FIN, RST, SYN,
};
use mcas::track::{self, Segment, Side, Taken, Tracker};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

fn run(seeds: std::ops::Range<u64>, loss: Loss) -> Score {
    let mut sum = Score::default();
    for seed in seeds {
        let (world, captured) = world(seed, loss);
        let score = judge(&world, &captured);
        if score.wrong + score.pages > 0 && sum.wrong + sum.pages < 6 {
            eprintln!("seed {seed}: {score:?}");
        }
        sum.add(&score);
    }
    sum
}

const WHOLE: Loss = Loss { lost: 0, disorder: false, cut: false };

/// However the ends behave, and in whatever order packets are captured.
#[test]
fn every_link_where_nothing_is_lost() {
    for loss in [WHOLE, Loss { disorder: true, ..WHOLE }] {
        let score = run(0..1500, loss);
        assert_eq!(score.found, score.possible, "{loss:?} {score:?}");
        assert_eq!((score.wrong, score.pages), (0, 0), "{loss:?}");
        assert!(score.possible > 7000, "{score:?}");
    }
}

/// Where captures begin midway and cut packets, no link is certain on some
/// connections.
#[test]
fn no_wrong_link_whatever_is_lost() {
    for (lost, least, least_cut) in [
        (10_000, 95, 90),
        (50_000, 90, 84),
        (100_000, 80, 76),
        (200_000, 70, 64),
    ] {
        for (cut, least) in [(false, least), (true, least_cut)] {
            let loss = Loss { lost, disorder: true, cut };
            let score = run(0..1000, loss);
            assert_eq!((score.wrong, score.pages), (0, 0), "{loss:?}");
            let found = 100 * score.found / score.possible;
            assert!(found >= least, "{loss:?}: {found} of 100 links");
        }
    }
}

/// Worlds in which a rule went wrong that was not strict enough.
#[test]
fn worlds_that_went_wrong() {
    for (seed, lost, cut) in [
        // A packet that was cut hid one that was not.
        (129_943, 100_000, true),
        // A byte of a probe hid what could not be read behind it.
        (1_031_130, 50_000, true),
        // The last byte of a head was lost, and a keep-alive had another.
        (1_012_145, 50_000, true),
    ] {
        let loss = Loss { lost, disorder: true, cut };
        let score = run(seed..seed + 1, loss);
        assert_eq!((score.wrong, score.pages), (0, 0), "{seed}");
    }
}

/// Figures for `docs/security.md`, of so many worlds a row:
///
///     MCAS_WORLDS=100000 cargo test --release --test tests -- \
///         tracker::figures --ignored --nocapture
#[test]
#[ignore = "takes as long as it is told to"]
fn figures() {
    let number = |name, other| {
        let value = std::env::var(name).ok();
        value.map_or(other, |value| value.parse().expect("a number"))
    };
    let from = number("MCAS_FROM", 0);
    let seeds = from..from + number("MCAS_WORLDS", 10_000);
    let mut sum = Score::default();
    for lost in [0, 10_000, 50_000, 100_000, 200_000] {
        for cut in [false, true] {
            let loss = Loss { lost, disorder: true, cut };
            let score = run(seeds.clone(), loss);
            let links = 100.0 * score.found as f64 / score.possible as f64;
            println!("{loss:?}: {score:?}, {links:.3} of 100");
            sum.add(&score);
        }
    }
    println!("in all: {sum:?}");
    assert_eq!((sum.wrong, sum.pages), (0, 0));
}

// Captures.

/// TCP in an IPv4 packet of Ethernet, with PPPoE or without.
fn segment(frame: &[u8], tag: u64, time: u64) -> Option<Segment<'_>> {
    let number = |at: usize| {
        let bytes = frame.get(at..at + 2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    };
    let long = |at: usize| {
        let bytes = frame.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let ip = match number(12)? {
        0x0800 => 14,
        0x8864 if number(20)? == 0x0021 => 22,
        _ => return None,
    };
    if frame.get(ip + 9) != Some(&6) {
        return None;
    }
    let end = |at: usize, port: usize| {
        let address = <[u8; 4]>::try_from(frame.get(at..at + 4)?).ok()?;
        Some((IpAddr::from(address), number(port)?))
    };
    let tcp = ip + 4 * usize::from(frame[ip] & 15);
    let flags = *frame.get(tcp + 13)?;
    let payload = tcp + 4 * usize::from(frame[tcp + 12] >> 4);
    let behind = ip + usize::from(number(ip + 2)?);
    let told = [(SYN, track::SYN), (FIN, track::FIN), (RST, track::RST)];
    Some(Segment {
        ends: [end(ip + 12, tcp)?, end(ip + 16, tcp + 2)?],
        connection: 0,
        sequence: long(tcp + 4)?,
        acknowledged: long(tcp + 8).filter(|_| flags & ACK != 0),
        flags: told
            .into_iter()
            .filter(|(theirs, _)| flags & theirs != 0)
            .fold(0, |all, (_, ours)| all | ours),
        length: (behind - payload) as u32,
        bytes: frame.get(payload..behind.min(frame.len()))?,
        identification: number(ip + 4),
        tag,
        time,
    })
}

/// What a tracker finds in a capture of `tests/captures/trouble`.
fn trouble(name: &str) -> (Tracker, Vec<track::Found>) {
    let path = format!("{}/tests/captures/trouble/{name}.pcap", crate::ROOT);
    let file = std::fs::read(path).unwrap();
    let mut tracker = Tracker::new();
    let mut found = vec![];
    let number = |bytes: &[u8], at: usize| {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    };
    let (mut at, mut tag) = (24, 0);
    while at < file.len() {
        let [seconds, fraction, kept] =
            [0, 4, 8].map(|i| u64::from(number(&file, at + i)));
        let frame = &file[at + 16..][..kept as usize];
        let time = seconds * 1_000_000_000 + fraction * 1000;
        tag += 1;
        if let Some(segment) = segment(frame, tag, time) {
            tracker.segment(&segment);
        }
        found.extend(std::iter::from_fn(|| tracker.next_found()));
        at += 16 + kept as usize;
    }
    tracker.finish();
    found.extend(std::iter::from_fn(|| tracker.next_found()));
    (tracker, found)
}

/// Type, frame, and the frame of the request that it is linked to.
fn links(name: &str) -> Vec<(u32, u64, Option<u64>)> {
    let (tracker, found) = trouble(name);
    let link = |found: &track::Found| {
        let exchange = tracker.exchange(found.exchange)?;
        let linked = found.message.status != 0 && exchange.request.tag != 0;
        linked.then_some(exchange.request.tag)
    };
    found
        .iter()
        .map(|found| (found.message.message_type, found.first, link(found)))
        .collect()
}

#[test]
fn links_in_captures_that_go_wrong() {
    for (name, expected) in [
        (
            "lost-answer-pipelined",
            &[
                (1, 4, None),
                (1, 5, None),
                (1, 6, None),
                (2, 7, None),
                // Behind one that is lost and one that was captured, it is
                // the third.
                (2, 8, Some(6)),
            ][..],
        ),
        ("lost-answer-then-page", &[(1, 4, None)]),
        ("key-collision", &[(2, 8, None)]),
        ("ports-used-again", &[(1, 11, None), (2, 13, Some(11))]),
        ("lost-tail-then-answer", &[(9, 6, None), (10, 7, Some(6))]),
        ("payment-half-closed", &[]),
        ("answer-captured-first", &[(1, 5, None), (2, 4, Some(5))]),
        ("answer-out-of-order", &[(1, 5, None), (2, 4, Some(5))]),
        ("answer-broken-off", &[(3, 4, None), (4, 5, Some(4))]),
    ] {
        assert_eq!(links(name), expected, "{name}");
    }
}

/// What is known of the only exchange, or of the first one.
fn exchange(name: &str) -> track::Exchange {
    *trouble(name).0.exchange(1).expect(name)
}

#[test]
fn what_became_of_requests() {
    let lost = exchange("lost-answer-then-page");
    assert_eq!(lost.flags, track::UNANSWERED);

    let (tracker, found) = trouble("lost-answer-pipelined");
    let responses = found.iter().filter(|f| f.message.status != 0);
    let flags: Vec<_> = responses.map(|response| response.flags).collect();
    assert_eq!(flags, [track::UNCERTAIN, 0]);
    // The first one's answer is lost; the second's may be any.
    let flags = [1, 2, 3].map(|i| tracker.exchange(i).unwrap().flags);
    assert_eq!(flags, [track::UNANSWERED, 0, track::ANSWERED]);

    let again = exchange("unanswered-retransmitted");
    assert_eq!(again.flags, track::UNANSWERED | track::RETRANSMITTED);
    assert_eq!((again.tries, again.last_try.tag), (3, 6));

    let broken = exchange("answer-broken-off");
    assert_eq!(broken.flags, track::ANSWERED | track::BROKEN_OFF);
    assert_eq!((broken.status, broken.response_bytes), (200, 20000));
}

/// A mirror port's copies are no other tries, and no other messages.
#[test]
fn copies_do_not_count() {
    let (tracker, found) = trouble("span-duplicates");
    assert_eq!(found.len(), 4);
    for number in 1..=2 {
        let exchange = tracker.exchange(number).unwrap();
        assert_eq!((exchange.tries, exchange.flags), (1, track::ANSWERED));
    }
}

/// Two connections in a frame, with the same sequence numbers.
#[test]
fn connections_are_told_by_their_ends() {
    let mut tracker = Tracker::new();
    let server = (IpAddr::from([10, 139, 75, 42]), 80);
    let requests = [
        "POST / HTTP/1.1\r\nHost: add-con.mcas\r\nContent-Length: 0\r\n\r\n",
        "GET /fw/a/b HTTP/1.1\r\nHost: verup-mcas.a.flets\r\n\r\n",
    ];
    for (port, request) in (40000..).zip(requests) {
        tracker.segment(&Segment {
            ends: [(IpAddr::from([10, 212, 33, 7]), port), server],
            connection: 0,
            sequence: 1000,
            acknowledged: Some(5000),
            flags: 0,
            length: request.len() as u32,
            bytes: request.as_bytes(),
            identification: Some(0),
            tag: 1,
            time: 0,
        });
    }
    tracker.finish();
    let found = std::iter::from_fn(|| tracker.next_found());
    let mut types: Vec<_> = found.map(|f| f.message.message_type).collect();
    types.sort();
    assert_eq!(types, [1, 3]);
}

// The bytes of two directions and nothing else, as a proxy has them.

const LIST: &str = "GET /cas_tel_list/ HTTP/1.1\r\n\r\n";
const SETTINGS: &str =
    "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nResultCode=0000\n";

/// Type and exchange of each message that is found, its offset, its length.
type Read = Vec<(u32, u64, u32, usize)>;

/// What is found in two directions of which so many bytes are given at once,
/// first the ones of the one side and then the ones of the other, or in turns.
fn read(sides: [&str; 2], first: Side, step: usize, turns: bool) -> Read {
    let mut tracker = Tracker::new();
    let second =
        if first == Side::Client { Side::Server } else { Side::Client };
    let mut left = [first, second].map(|side| {
        let bytes = sides[side as usize].as_bytes();
        (side, bytes.chunks(step).enumerate(), false)
    });
    while left.iter().any(|(_, _, ended)| !ended) {
        for (side, pieces, ended) in &mut left {
            while !*ended {
                match pieces.next() {
                    Some((tag, piece)) => {
                        tracker.bytes(7, *side, piece, tag as u64);
                    }
                    None => {
                        tracker.end(7, *side);
                        *ended = true;
                    }
                }
                if turns {
                    break;
                }
            }
        }
    }
    tracker.finish();
    let found = std::iter::from_fn(|| tracker.next_found());
    found
        .map(|f| {
            assert_eq!(f.connection, 7);
            assert_eq!(f.first, u64::from(f.sequence) / step as u64);
            let kind = f.message.message_type;
            (kind, f.exchange, f.sequence, f.bytes.len())
        })
        .collect()
}

/// In whatever order the two directions come, and in whatever pieces.
#[test]
fn bytes_without_packets() {
    let web = "GET / HTTP/1.1\r\nHost: a.jp\r\n\r\n";
    let head = "HEAD /fw/a/b HTTP/1.1\r\nHost: verup-mcas.a.flets\r\n\r\n";
    let page = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nResultCode=";
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let promised = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n";
    let until_close = "HTTP/1.1 200 OK\r\n\r\nResultCode=0000\r\n";
    let asked = [web, head, "\r\n", LIST].concat();
    let answers = [page, interim, promised, until_close].concat();
    let expected =
        vec![(3, 1, 30, 51), (4, 1, 75, 39), (7, 2, 83, 31), (8, 2, 114, 36)];
    for first in [Side::Client, Side::Server] {
        for step in 1..=answers.len() {
            for turns in [false, true] {
                let read = read([&asked, &answers], first, step, turns);
                assert_eq!(read, expected, "{first:?} {step} {turns}");
            }
        }
    }
    // The one direction without the other.
    let alone = read([&asked, ""], Side::Client, 1000, false);
    assert_eq!(alone, [expected[0], (7, 2, 83, 31)]);
    let alone = read(["", SETTINGS], Side::Client, 1000, false);
    assert_eq!(alone, [(2, 1, 0, 55)]);
}

/// What follows a CONNECT is nobody's before the server has refused it, and
/// behind a 101 there is no HTTP.
#[test]
fn bytes_of_a_tunnel() {
    let connect = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n";
    let upgrade = "GET / HTTP/1.1\r\nUpgrade: x\r\nHost: a\r\n\r\n";
    let opened = "HTTP/1.1 200 OK\r\n\r\n";
    let refused = "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n";
    let switched = "HTTP/1.1 101 So be it\r\n\r\n";
    for (asked, answer, types) in [
        (connect, opened, &[7, 8][..]),
        (connect, refused, &[7, 8, 7, 8]),
        (connect, "", &[7, 8]),
        (connect, "SSH-2.0-x\r\n", &[7, 8]),
        (upgrade, switched, &[7, 8]),
        (upgrade, refused, &[7, 8, 7, 8]),
        (upgrade, "", &[7, 8, 7, 8]),
    ] {
        let asked = [LIST, asked, LIST].concat();
        let behind = if answer.is_empty() { "" } else { SETTINGS };
        let answers = [SETTINGS, answer, behind].concat();
        for first in [Side::Client, Side::Server] {
            for step in [1, 7, 1000] {
                for turns in [false, true] {
                    let read = read([&asked, &answers], first, step, turns);
                    let mut found: Vec<_> =
                        read.iter().map(|read| read.0).collect();
                    if answer.is_empty() && asked.contains("Upgrade") {
                        found.push(8);
                    }
                    assert_eq!(found, types, "{asked:?} {answers:?} {step}");
                }
            }
        }
    }
}

/// What a caller is told of its bytes.
#[test]
fn what_became_of_bytes() {
    let connect = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n";
    let mut tracker = Tracker::new();
    let mut give = |number, side, text: &str| {
        tracker.bytes(number, side, text.as_bytes(), 0)
    };
    let (client, server) = (Side::Client, Side::Server);
    assert_eq!(give(1, client, LIST), Taken::Read);
    assert_eq!(give(1, client, &LIST[..5]), Taken::Waiting);
    assert_eq!(give(1, server, SETTINGS), Taken::Read);
    assert_eq!(give(1, client, &LIST[5..]), Taken::Read);
    assert_eq!(give(1, server, &SETTINGS.repeat(2)), Taken::Waiting);
    // The second one was for this.
    assert_eq!(give(1, client, connect), Taken::Over);
    assert_eq!(give(1, server, ""), Taken::Over);
    assert_eq!(give(1, client, LIST), Taken::Over);
    assert_eq!(give(2, client, "SSH-2.0-x\r\n"), Taken::NotHttp);
    assert_eq!(give(2, client, LIST), Taken::NotHttp);
    assert_eq!(give(3, client, "GE"), Taken::Read);
    assert_eq!(give(3, server, "220 x ESMTP\r\n"), Taken::Waiting);
    assert_eq!(give(3, client, "T /"), Taken::Read);
    assert_eq!(tracker.end(3, client), Taken::Read);
    assert_eq!(tracker.end(3, server), Taken::NotHttp);
    let mut found: Vec<u32> = vec![];
    while let Some(one) = tracker.next_found() {
        found.push(one.message.message_type);
    }
    assert_eq!(found, [7, 8, 7, 8]);
    // A number that both sides are done with is another connection's.
    for _ in 0..2 {
        tracker.bytes(2, client, LIST.as_bytes(), 0);
        tracker.end(2, server);
        tracker.end(2, client);
    }
    assert_eq!(tracker.next_found().unwrap().exchange, 3);
    assert!(tracker.next_found().is_none());
}

/// A direction waits for the other, but not for ever, whatever is in it.
#[test]
fn bytes_wait_within_a_bound() {
    let connect = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n";
    let most = 1 << 24;
    let many = LIST.repeat((most - 4096) / LIST.len());
    for (before, count) in [("", 850..1000), (connect, 0..1)] {
        let mut tracker = Tracker::new();
        tracker.bytes(1, Side::Client, before.as_bytes(), 0);
        tracker.bytes(1, Side::Client, many.as_bytes(), 0);
        let mut found = 0;
        while tracker.next_found().is_some() {
            found += 1;
        }
        assert!(found <= 1, "{found}");
        let more = LIST.repeat(1000);
        tracker.bytes(1, Side::Client, more.as_bytes(), 0);
        while tracker.next_found().is_some() {
            found += 1;
        }
        assert!(count.contains(&found), "{found}");
    }
    // Single bytes take more memory than they are.
    let mut tracker = Tracker::new();
    tracker.bytes(1, Side::Client, LIST.as_bytes(), 0);
    for byte in LIST.repeat(10_000).bytes() {
        tracker.bytes(1, Side::Client, &[byte], 0);
    }
    let found = std::iter::from_fn(|| tracker.next_found()).count();
    assert!((3000..5000).contains(&found), "{found}");
}

/// What client and server of each simulated connection have sent.
fn streams(world: &World) -> Vec<[Vec<u8>; 2]> {
    let mut all: Vec<[Vec<Option<u8>>; 2]> = vec![];
    // By sender and receiver: which side of which, and where it begins.
    let mut known = BTreeMap::new();
    for packet in &world.packets {
        let ends = (packet.from, packet.to);
        let first = packet.sequence.wrapping_add(1);
        if packet.flags & SYN != 0 {
            let place = match packet.flags & ACK {
                0 => (all.len(), 0, first),
                _ => match known.get(&(packet.to, packet.from)) {
                    Some(&(connection, _, _)) => (connection, 1, first),
                    None => continue,
                },
            };
            let again = known.insert(ends, place);
            if again.is_some_and(|(_, _, begin)| begin == first) {
                known.insert(ends, again.unwrap());
            } else if place.1 == 0 {
                all.push(Default::default());
            }
        }
        let Some(&(connection, side, begin)) = known.get(&ends) else {
            continue;
        };
        let bytes = &mut all[connection][side];
        // What keeps a connection alive stands in front of what is next, and
        // what was lost on its way to the tap comes later.
        let at = packet.sequence.wrapping_sub(begin) as i32;
        for (at, &byte) in (at..).zip(&packet.payload) {
            let Ok(at) = usize::try_from(at) else { continue };
            bytes.resize(bytes.len().max(at + 1), None);
            bytes[at].get_or_insert(byte);
        }
    }
    let whole = |bytes: Vec<Option<u8>>| {
        let all: Option<Vec<u8>> = bytes.into_iter().collect();
        all.expect("what one side has sent the other has")
    };
    all.into_iter().map(|sides| sides.map(whole)).collect()
}

/// All links, whichever bytes a caller gives when.
#[test]
fn bytes_of_simulated_connections() {
    let mut links = 0;
    for seed in 0..1000 {
        let (world, _) = world(seed, WHOLE);
        let mut numbers = Numbers::new(seed);
        let mut tracker = Tracker::new();
        for (connection, sides) in (1..).zip(streams(&world)) {
            let mut left = sides.each_ref().map(|bytes| Some(&bytes[..]));
            while left.iter().any(Option::is_some) {
                let at = numbers.below(2) as usize;
                let side = [Side::Client, Side::Server][at];
                let Some(bytes) = left[at] else { continue };
                if bytes.is_empty() {
                    left[at] = None;
                    tracker.end(connection, side);
                    continue;
                }
                let most = 1 << numbers.below(14);
                let taken = bytes.len().min(1 + numbers.below(most) as usize);
                let (bytes, behind) = bytes.split_at(taken);
                left[at] = Some(behind);
                tracker.bytes(connection, side, bytes, 0);
            }
        }
        tracker.finish();
        let mut asked = BTreeMap::new();
        let mut answered = BTreeSet::new();
        while let Some(found) = tracker.next_found() {
            let Some(number) = number(&found) else { continue };
            assert!(world.exchanges[number].ours, "{seed}: {number}");
            assert_eq!(found.flags, 0, "{seed}: {number}");
            if found.message.status == 0 {
                asked.insert(found.exchange, number);
            } else {
                let request = asked.get(&found.exchange);
                assert_eq!(request, Some(&number), "{seed}");
                answered.insert(number);
            }
        }
        let truth = world.exchanges.iter().enumerate();
        let truth = truth.filter(|(_, e)| e.ours && e.answered);
        let truth: BTreeSet<_> = truth.map(|(number, _)| number).collect();
        assert_eq!(answered, truth, "{seed}");
        links += answered.len();
    }
    assert!(links > 4000, "{links}");
}

/// One of two ends with what it sends, all of it acknowledged.
struct Talk {
    tracker: Tracker,
    next: [u32; 2],
    connection: u64,
}

const CLIENT: usize = 0;
const SERVER: usize = 1;
const ENDS: [track::End; 2] = [
    (IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1)), 40000),
    (IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2)), 80),
];

impl Talk {
    fn new() -> Talk {
        let mut talk =
            Talk { tracker: Tracker::new(), next: [0; 2], connection: 0 };
        talk.send(CLIENT, "", track::SYN, 0);
        talk.send(SERVER, "", track::SYN, 0);
        talk
    }

    fn send(&mut self, side: usize, text: &str, flags: u32, tag: u64) {
        let opens = flags & track::SYN != 0;
        self.tracker.segment(&Segment {
            ends: [ENDS[side], ENDS[1 - side]],
            connection: self.connection,
            sequence: self.next[side],
            acknowledged: (!opens || side == SERVER)
                .then_some(self.next[1 - side]),
            flags,
            length: text.len() as u32,
            bytes: text.as_bytes(),
            identification: None,
            tag,
            time: 0,
        });
        self.next[side] += text.len() as u32 + u32::from(opens);
    }

    fn say(&mut self, side: usize, text: &str, tag: u64) {
        self.send(side, text, 0, tag);
    }

    /// Type, the frame it begins in, and the request's.
    fn found(mut self) -> Vec<(u32, u64, u64)> {
        self.tracker.finish();
        let found: Vec<_> =
            std::iter::from_fn(|| self.tracker.next_found()).collect();
        let request = |number| {
            self.tracker.exchange(number).map_or(0, |e| e.request.tag)
        };
        found
            .iter()
            .map(|f| (f.message.message_type, f.first, request(f.exchange)))
            .collect()
    }
}

const ASKS: &str = "GET /fw/a/b HTTP/1.1\r\nHost: verup-mcas.a.flets\r\n\r\n";
const ANSWERS: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";

/// What looks like HTTP behind a 101, or in a tunnel, is none.
#[test]
fn what_ends_http() {
    let connect = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n";
    let upgrade = "GET / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n\
        Host: a\r\n\r\n";
    let ok = "HTTP/1.1 200 OK\r\n\r\n";
    let switched = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    let refused = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
    for (asked, answer, http) in [
        (connect, ok, false),
        (connect, refused, true),
        (upgrade, switched, false),
        (upgrade, refused, true),
    ] {
        let mut talk = Talk::new();
        talk.say(CLIENT, asked, 1);
        talk.say(SERVER, answer, 2);
        talk.say(CLIENT, ASKS, 3);
        talk.say(SERVER, ANSWERS, 4);
        let expected: &[_] = if http { &[(3, 3, 3), (4, 4, 3)] } else { &[] };
        assert_eq!(talk.found(), expected, "{asked:?} {answer:?}");
    }
}

/// A tunnel's own request and answer may be ours: of a gateway through a
/// proxy.
#[test]
fn what_opens_a_tunnel() {
    let mut talk = Talk::new();
    talk.say(
        CLIENT,
        "CONNECT verup-mcas.a.flets:80 HTTP/1.1\r\n\
        Host: verup-mcas.a.flets:80\r\n\r\n",
        1,
    );
    talk.say(SERVER, "HTTP/1.1 200 OK\r\n\r\n", 2);
    talk.say(SERVER, ANSWERS, 3);
    assert_eq!(talk.found(), [(0, 1, 1), (13, 2, 1)]);
}

/// A head that is cut is an answer's, if nothing else can be.
#[test]
fn head_that_is_cut() {
    let mut talk = Talk::new();
    talk.say(CLIENT, ASKS, 1);
    talk.say(SERVER, "HTTP/1.1 200 OK\r\nServer: ", 2);
    talk.next[SERVER] += 5;
    talk.say(SERVER, "x\r\n\r\n", 3);
    assert_eq!(talk.found(), [(3, 1, 1), (4, 2, 1)]);
}

/// Two connections between the same ends, told apart by nothing but the
/// caller's number.
#[test]
fn the_callers_number() {
    for (number, linked) in [(0, 1), (7, 0)] {
        let mut talk = Talk::new();
        talk.say(CLIENT, ASKS, 1);
        talk.connection = number;
        talk.say(
            SERVER,
            "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n\
            ResultCode=0000\n",
            2,
        );
        let response = *talk.found().last().unwrap();
        let message_type = if linked == 1 { 4 } else { 2 };
        assert_eq!(response, (message_type, 2, linked), "{number}");
    }
}

/// Lengths that no number of bytes comes up to, with bytes missing.
#[test]
fn announced_without_end() {
    let head = format!("Content-Length: {}\r\n\r\n", i64::MAX);
    let mut talk = Talk::new();
    let asks = ASKS.trim_end();
    talk.say(CLIENT, &format!("{asks}\r\n{head}x"), 1);
    talk.next[CLIENT] += 5;
    talk.say(CLIENT, "x", 2);
    talk.say(SERVER, &format!("HTTP/1.1 200 OK\r\n{head}x"), 3);
    talk.next[SERVER] += 5;
    talk.say(SERVER, "x", 4);
    let found = talk.found();
    assert_eq!(found, [(3, 1, 1), (4, 3, 1)]);
}

// Through the C functions.

#[test]
fn handle() {
    use mcas::capi::*;
    use mcas::capi_track::*;
    use std::ptr;
    let request = b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n";
    let address = [10, 0, 0, 1];
    let mut segment = TrackerSegment {
        bytes: request.as_ptr(),
        from: address.as_ptr(),
        to: address.as_ptr(),
        connection: 0,
        tag: 7,
        time: 0,
        captured: request.len() as u32,
        length: request.len() as u32,
        sequence: 1,
        acknowledged: 1,
        flags: SEGMENT_ACK,
        address_length: 4,
        from_port: 1,
        to_port: 80,
        identification: 0,
        reserved: 0,
    };
    // SAFETY: pointers are NULL or good, and the handle is not used after
    // it is freed.
    unsafe {
        let mut tracker = ptr::null_mut();
        assert_eq!(mcas_tracker_new(ptr::null_mut()), ERR_NULL);
        assert_eq!(mcas_tracker_new(&mut tracker), OK);
        mcas_tracker_free(ptr::null_mut());
        assert_eq!(mcas_tracker_segment(ptr::null_mut(), &segment), ERR_NULL);
        assert_eq!(mcas_tracker_segment(tracker, ptr::null()), ERR_NULL);
        let (start, len) = (request.as_ptr(), request.len());
        for (side, start, len, status) in [
            (0, ptr::null(), 0, OK),
            (0, ptr::null(), 1, ERR_NULL),
            (1, start, usize::MAX, ERR_TOO_LARGE),
            (2, start, len, ERR_RANGE),
            (1, start, len, PARTIAL),
            (0, b"SSH-2.0-x\r\n".as_ptr(), 11, ERR_NOT_HTTP),
            (1, ptr::null(), 0, ERR_NOT_HTTP),
        ] {
            let given = mcas_tracker_bytes(tracker, 1, side, 0, start, len);
            assert_eq!(given, status, "{side} {len}");
        }
        assert_eq!(mcas_tracker_end(tracker, 1, 2), ERR_RANGE);
        assert_eq!(mcas_tracker_end(tracker, 1, 0), ERR_NOT_HTTP);
        assert_eq!(mcas_tracker_end(ptr::null_mut(), 1, 0), ERR_NULL);
        segment.address_length = 5;
        let long = [0; 5];
        (segment.from, segment.to) = (long.as_ptr(), long.as_ptr());
        assert_eq!(mcas_tracker_segment(tracker, &segment), ERR_RANGE);
        segment.address_length = 4;
        segment.from = ptr::null();
        assert_eq!(mcas_tracker_segment(tracker, &segment), ERR_NULL);
        segment.from = address.as_ptr();
        segment.length = u32::MAX;
        assert_eq!(mcas_tracker_segment(tracker, &segment), ERR_TOO_LARGE);
        segment.length = segment.captured;
        assert_eq!(mcas_tracker_segment(tracker, &segment), OK);

        let mut found = std::mem::MaybeUninit::<TrackedMessage>::uninit();
        assert_eq!(mcas_tracker_next(tracker, found.as_mut_ptr()), END);
        assert_eq!(mcas_tracker_finish(tracker), OK);
        assert_eq!(mcas_tracker_next(tracker, ptr::null_mut()), ERR_NULL);
        assert_eq!(mcas_tracker_next(tracker, found.as_mut_ptr()), OK);
        let found = found.assume_init();
        assert_eq!((found.first_tag, found.exchange), (7, 1));
        assert_eq!(found.from[..4], address);
        assert_eq!(found.address_length, 4);
        let bytes =
            std::slice::from_raw_parts(found.bytes, found.length as usize);
        assert_eq!(bytes, request);

        let mut known = std::mem::MaybeUninit::<TrackedExchange>::uninit();
        let out = known.as_mut_ptr();
        assert_eq!(mcas_tracker_exchange(tracker, 2, out), END);
        assert_eq!(mcas_tracker_exchange(tracker, 1, out), OK);
        let known = known.assume_init();
        assert_eq!((known.request_tag, known.request_type), (7, 1));
        assert_eq!(known.flags, mcas::track::UNANSWERED);
        assert_eq!(mcas_tracker_forget(tracker, 1), OK);
        assert_eq!(mcas_tracker_exchange(tracker, 1, out), END);
        mcas_tracker_free(tracker);
    }
}
