//! Two honest ends of a connection, and a capture that loses, delays, copies
//! and cuts what they send. It knows who answered whom.
//!
//! The ends are what HTTP allows: a client that waits for each answer, sends
//! several requests in a bunch, in one packet or in several, or keeps some
//! under way; a server that answers in order, after some time, and may stop
//! while it has another request to answer. The network between them loses
//! packets, too, which are sent again, with other borders. Each message has
//! its number in its first header line, so that what a tracker says can be
//! held against the truth whatever else is in it: [`judge`] does that.
//!
//! A world is made of a seed and of nothing else: [`World::new`] makes the
//! packets, [`World::capture`] what of them is captured. The fuzz target
//! `tracker` hands in its input for the seed's numbers.

use mcas::track::{self, Segment, Tracker};
use mcas::types::TYPE_NONE;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};

/// Where numbers come from: bytes that somebody gives, as long as there are
/// any, and then splitmix64.
pub struct Numbers<'a> {
    given: &'a [u8],
    state: u64,
}

impl<'a> Numbers<'a> {
    pub fn new(seed: u64) -> Numbers<'a> {
        Numbers { given: &[], state: seed }
    }

    /// Only for the fuzz target.
    #[allow(dead_code)]
    pub fn given(given: &'a [u8]) -> Numbers<'a> {
        Numbers { given, state: 0 }
    }

    pub fn next(&mut self) -> u64 {
        if let Some((&[a, b], rest)) = self.given.split_first_chunk() {
            self.given = rest;
            // Spread, so that small numbers and large parts of a whole can
            // be had.
            return u64::from(u16::from_le_bytes([a, b]))
                .wrapping_mul(0x0001_0001_0001_0001);
        }
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// True as often as `part` of a million.
    pub fn millionth(&mut self, part: u64) -> bool {
        self.below(1_000_000) < part
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

/// A packet on the wire.
#[derive(Clone)]
pub struct Packet {
    /// Nanoseconds.
    pub time: u64,
    pub from: (IpAddr, u16),
    pub to: (IpAddr, u16),
    pub sequence: u32,
    pub acknowledged: u32,
    pub flags: u8,
    pub identification: u16,
    pub payload: Vec<u8>,
    /// Whose bytes these are: which connection, which side of it, and how
    /// many of its bytes come before; none if they are nobody's.
    pub bytes: Option<(usize, usize, u64)>,
}

/// A packet that was captured, maybe cut.
pub struct Captured {
    pub packet: Packet,
    pub kept: usize,
}

/// A request and its response.
#[derive(Clone)]
pub struct Exchange {
    pub ours: bool,
    pub answered: bool,
}

/// What a capture does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loss {
    /// Packets that are lost, in millionths.
    pub lost: u64,
    /// Order, copies.
    pub disorder: bool,
    /// Begins midway, cuts packets.
    pub cut: bool,
}

/// Connections, and what went over them.
pub struct World {
    pub packets: Vec<Packet>,
    pub exchanges: Vec<Exchange>,
    /// Numbers of the exchanges by where their messages begin.
    pub starts: BTreeMap<(End, End, u32), usize>,
    /// Where messages lie: requests at 2n, responses at 2n + 1. As in
    /// [`Packet::bytes`], with where they end.
    messages: BTreeMap<usize, (usize, usize, u64, u64)>,
    connections: usize,
}

/// Address and port.
pub type End = (IpAddr, u16);

/// A request that is to be sent.
struct Asked {
    number: usize,
    bytes: Vec<u8>,
    head: bool,
    expects: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The client sends what it may.
    Send,
    /// So many bytes of the client arrive.
    AtServer(u64),
    AtClient(u64),
    Answer,
    /// Nobody has acknowledged these bytes of a side.
    Resend(usize, u64),
    Retransmit(u64, u64),
    KeepAlive,
}

/// One connection while it is simulated.
struct Session<'n, 'b> {
    numbers: &'n mut Numbers<'b>,
    packets: Vec<Packet>,
    events: BinaryHeap<std::cmp::Reverse<(u64, u64, Event)>>,
    count: u64,
    time: u64,
    ends: [(IpAddr, u16); 2],
    initial: [u32; 2],
    identification: [u16; 2],
    delay: u64,
    /// Where on the way between client and server the capture is taken, and
    /// how much later one of its cards is.
    tap: u64,
    skew: [u64; 2],
    segment: usize,
    /// What each side has sent: bytes, and which message they are of.
    sent: [Vec<u8>; 2],
    borders: [Vec<(u64, usize)>; 2],
    received: [u64; 2],
    /// How far bytes of each side have arrived, and where some are missing
    /// that the network has lost.
    arrived: [u64; 2],
    lost: [BTreeMap<u64, u64>; 2],
    lossy: bool,
    connection: usize,
    arriving: [u64; 2],
    /// Last time that a packet passes, of each side.
    passed: [u64; 2],
}

impl Session<'_, '_> {
    fn at(&mut self, time: u64, event: Event) {
        self.count += 1;
        self.events.push(std::cmp::Reverse((time, self.count, event)));
    }

    /// Puts a packet on the wire.
    fn put(&mut self, side: usize, from: u64, to: u64, flags: u8) {
        let payload = self.sent[side][from as usize..to as usize].to_vec();
        let way = if side == 0 { self.tap } else { 100 - self.tap };
        let passes = self.time + self.delay * way / 100 + self.skew[side];
        // Packets of one side stay in their order.
        self.passed[side] = passes.max(self.passed[side] + 1);
        self.identification[side] = self.identification[side].wrapping_add(1);
        let base = self.initial[side].wrapping_add(1);
        let behind = self.initial[1 - side].wrapping_add(1);
        let syn = flags & SYN != 0;
        let sequence = match syn {
            true => self.initial[side],
            false => base.wrapping_add(from as u32),
        };
        let acknowledged = match flags & ACK {
            0 => 0,
            _ => behind.wrapping_add(self.received[side] as u32),
        };
        self.packets.push(Packet {
            time: self.passed[side],
            from: self.ends[side],
            to: self.ends[1 - side],
            sequence,
            acknowledged,
            flags,
            identification: self.identification[side],
            payload,
            bytes: Some((self.connection, side, from)),
        });
    }

    /// Asks whether the other side is still there: with a byte before the
    /// next, which it has, and which may be any, or with none.
    fn keep_alive(&mut self, side: usize) {
        let sent = self.sent[side].len() as u64;
        // While something is under way it is not asked.
        if sent == 0 || self.received[1 - side] < sent {
            return;
        }
        self.put(side, sent - 1, sent - 1, ACK);
        let garbage = self.numbers.once_in(2);
        if let Some(packet) = self.packets.last_mut().filter(|_| garbage) {
            packet.payload = vec![0];
            packet.bytes = None;
        }
        self.put(
            1 - side,
            self.sent[1 - side].len() as u64,
            self.sent[1 - side].len() as u64,
            ACK,
        );
    }

    /// Sends bytes in segments, the last one maybe with a FIN.
    fn send(&mut self, side: usize, bytes: &[u8], part: usize, fin: bool) {
        let from = self.sent[side].len() as u64;
        self.sent[side].extend(bytes);
        let end = self.sent[side].len() as u64;
        self.borders[side].push((end, part));
        self.flush(side, from, end, fin);
    }

    /// What is sent up to there arrives after some time.
    fn arrive(&mut self, side: usize, up_to: u64) {
        let arrives = (self.time + self.delay).max(self.arriving[side] + 1);
        self.arriving[side] = arrives;
        let event = match side {
            0 => Event::AtServer(up_to),
            _ => Event::AtClient(up_to),
        };
        self.at(arrives, event);
    }

    /// Bytes of a side have arrived; the other has all up to the first that
    /// is missing.
    fn take(&mut self, side: usize, up_to: u64) {
        self.arrived[side] = self.arrived[side].max(up_to);
        let missing = self.lost[side].keys().next().copied();
        let all = self.arrived[side].min(missing.unwrap_or(u64::MAX));
        self.received[1 - side] = self.received[1 - side].max(all);
    }

    /// Sends lost bytes again, with what else there is by now.
    fn resend(&mut self, side: usize, from: u64) {
        let Some(&end) = self.lost[side].get(&from) else { return };
        let most = (from + self.segment as u64).max(end);
        let all = self.sent[side].len() as u64;
        let to = match self.numbers.below(3) {
            0 => end,
            1 => most.min(all),
            // In two packets, of which the second follows.
            _ => from + 1 + self.numbers.below(end - from),
        };
        self.put(side, from, to, ACK);
        self.lost[side].remove(&from);
        if to < end {
            self.lost[side].insert(to, end);
            let later = self.time + self.delay / 20;
            self.at(later, Event::Resend(side, to));
        }
        self.lost[side].retain(|&start, &mut end| start < from || end > to);
        self.arrive(side, to);
    }

    fn flush(&mut self, side: usize, from: u64, end: u64, fin: bool) {
        let mut at = from;
        while at < end || (fin && at == end) {
            let size = (self.segment as u64).min(end - at);
            let next = at + size;
            let last = fin && next == end;
            let flags = ACK | if last { FIN } else { 0 };
            if self.lossy && size > 1 && self.numbers.once_in(20) {
                // The receiver has no room: it takes nothing of a probe.
                self.put(side, at, at + 1, ACK);
                self.time += self.delay / 10;
            }
            if self.lossy && !last && self.numbers.once_in(12) {
                // Before it passes the capture, or behind it.
                if self.numbers.once_in(2) {
                    self.put(side, at, next, flags);
                }
                self.lost[side].insert(at, next);
                let later = self.time + self.delay * 3;
                self.at(later, Event::Resend(side, at));
            } else {
                self.put(side, at, next, flags);
            }
            self.arrive(side, next);
            if last || size == 0 {
                break;
            }
            at = next;
            // Pacing: other bytes may arrive in between.
            self.time += self.delay / 50;
        }
    }
}

impl World {
    /// The world of some numbers.
    pub fn new(numbers: &mut Numbers) -> World {
        let mut world = World {
            packets: vec![],
            exchanges: vec![],
            starts: BTreeMap::new(),
            messages: BTreeMap::new(),
            connections: 0,
        };
        let connections = 1 + numbers.below(3);
        let mut time = 1_000_000_000_000;
        let mut over = time;
        let server = (IpAddr::V4(Ipv4Addr::new(10, 139, 75, 42)), 80);
        let client = IpAddr::V4(Ipv4Addr::new(10, 212, 33, 7));
        let mut port = 40000;
        let mut before = [0; 2];
        for _ in 0..connections {
            // Ports are used again, or connections lie side by side.
            let again = numbers.once_in(3);
            let mut initial = [0; 2].map(|_| numbers.next() as u32);
            if again {
                time = over;
                // Numbers go on from those of the connection before, or a
                // server would take the SYN for an old one.
                let far = [100_000, 1 << 31][numbers.below(2) as usize];
                initial = before.map(|before: u32| {
                    before.wrapping_add(1 + numbers.below(far - 1) as u32)
                });
            } else {
                port += 1;
                if numbers.once_in(4) {
                    initial = [0; 2].map(|_| {
                        u32::MAX.wrapping_sub(numbers.below(3000) as u32)
                    });
                }
            }
            let ends = [(client, port), server];
            (over, before) = world.session(numbers, ends, initial, time);
            over += 10_000_000;
            if numbers.once_in(2) {
                time = over;
            }
        }
        world.packets.sort_by_key(|packet| packet.time);
        world
    }

    /// A connection; tells when and where it ends.
    fn session(
        &mut self,
        numbers: &mut Numbers,
        ends: [End; 2],
        initial: [u32; 2],
        time: u64,
    ) -> (u64, [u32; 2]) {
        let count = 1 + numbers.below(6) as usize;
        let mode = numbers.below(6);
        let window = match mode {
            0..=2 => 1,
            _ => 2 + numbers.below(3) as usize,
        };
        let sliding = mode == 5;
        let together = numbers.once_in(2);
        let stagger = numbers.once_in(3);
        let end = numbers.below(8);
        let silent = numbers.once_in(12);
        let crlf = numbers.once_in(10);
        let web = numbers.below(4);
        let segment = [1400, 1400, 536, 150][numbers.below(4) as usize];
        let delay = 1_000_000 + numbers.below(20_000_000);
        let think = numbers.below(60_000_000);
        let tap = numbers.below(101);
        let slow = numbers.once_in(2);
        let lossy = numbers.once_in(3);
        let mut session = Session {
            packets: vec![],
            events: BinaryHeap::new(),
            count: 0,
            time,
            ends,
            initial,
            identification: [0; 2].map(|_| numbers.next() as u16),
            delay,
            tap,
            skew: [0; 2],
            segment,
            sent: [vec![], vec![]],
            borders: [vec![], vec![]],
            received: [0; 2],
            arrived: [0; 2],
            lost: Default::default(),
            lossy,
            connection: self.connections,
            arriving: [0; 2],
            passed: [0; 2],
            numbers,
        };
        let s = &mut session;
        s.put(0, 0, 0, SYN);
        s.time += delay;
        s.put(1, 0, 0, SYN | ACK);
        s.time += delay;
        if s.numbers.once_in(2) {
            s.put(0, 0, 0, ACK);
        }
        let mut todo: VecDeque<Asked> = VecDeque::new();
        let mut kinds = vec![];
        for i in 0..count {
            let number = self.exchanges.len();
            let (asked, kind) = request(s.numbers, number, web);
            let last = i + 1 == count;
            self.exchanges.push(Exchange {
                ours: kind < WEB,
                answered: !(last && silent),
            });
            kinds.push((number, kind));
            todo.push_back(asked);
        }
        let first = self.exchanges.len() - count;
        let now = s.time;
        s.at(now, Event::Send);
        let mut ends_of: Vec<u64> = vec![]; // of requests, in the stream
        let mut heads: Vec<u64> = vec![];
        let mut answers: Vec<u64> = vec![]; // ends of responses
        let mut infos: Vec<(bool, bool)> = vec![];
        let (mut answering, mut idle) = (0, true);
        let mut complete = 0;
        let mut finished = false;
        let mut bunch = 0;
        while let Some(std::cmp::Reverse((time, _, event))) = s.events.pop() {
            s.time = s.time.max(time);
            s.time = time.max(s.time);
            match event {
                Event::Send => {
                    let done = answers.iter().filter(|&&a| a <= s.received[0]);
                    let outstanding = ends_of.len() - done.count();
                    if outstanding == 0 {
                        bunch = window;
                    } else if sliding {
                        bunch = window.saturating_sub(outstanding);
                    }
                    let mut batch = vec![];
                    while bunch > 0 {
                        let Some(asked) = todo.pop_front() else { break };
                        bunch -= 1;
                        let from = s.sent[0].len() as u64;
                        let split = asked.bytes.windows(4);
                        let head = split
                            .clone()
                            .position(|w| w == b"\r\n\r\n")
                            .map_or(0, |i| i + 4);
                        heads.push(from + head as u64);
                        infos.push((asked.head, asked.expects));
                        let mut bytes = asked.bytes;
                        ends_of.push(from + bytes.len() as u64);
                        if crlf {
                            bytes.extend(b"\r\n");
                        }
                        let part = 2 * asked.number;
                        if together || crlf {
                            s.sent[0].extend(&bytes);
                            let end = s.sent[0].len() as u64;
                            s.borders[0].push((end, part));
                            batch.push((from, end));
                        } else {
                            let fin = todo.is_empty() && end == 1 && !finished;
                            finished |= fin;
                            s.send(0, &bytes, part, fin);
                        }
                        if stagger && bunch > 0 && !together && !crlf {
                            let later = s.time + s.numbers.below(delay * 5);
                            s.at(later, Event::Send);
                            break;
                        }
                    }
                    if let (Some(&(from, _)), Some(&(_, to))) =
                        (batch.first(), batch.last())
                    {
                        let fin = todo.is_empty() && end == 1 && !finished;
                        finished |= fin;
                        if crlf && to - from > 2 && s.numbers.once_in(2) {
                            s.flush(0, from, to - 2, false);
                            s.flush(0, to - 2, to, fin);
                        } else {
                            s.flush(0, from, to, fin);
                        }
                    }
                }
                Event::AtServer(up_to) => {
                    s.take(0, up_to);
                    if s.numbers.once_in(6) {
                        let sent = s.sent[1].len() as u64;
                        s.put(1, sent, sent, ACK);
                    }
                    if idle {
                        idle = false;
                        let later = s.time + s.numbers.below(think + 1);
                        s.at(later, Event::Answer);
                    }
                }
                Event::Answer => {
                    let number = first + answering;
                    let known = ends_of.get(answering).copied();
                    let Some(whole) = known else {
                        idle = true;
                        continue;
                    };
                    let (head, expects) = infos[answering];
                    let early = s.received[1] >= heads[answering]
                        && s.received[1] < whole;
                    if expects && early && s.numbers.once_in(2) {
                        let sent = b"HTTP/1.1 100 Continue\r\n\r\n";
                        s.send(1, sent, usize::MAX, false);
                        infos[answering].1 = false;
                    }
                    if s.received[1] < whole && !(early && expects) {
                        idle = true;
                        continue;
                    }
                    if s.received[1] < whole && !s.numbers.once_in(3) {
                        idle = true;
                        continue;
                    }
                    if !self.exchanges[number].answered {
                        idle = true;
                        continue;
                    }
                    let kind = kinds[answering].1;
                    let last = answering + 1 == count;
                    let close = last && s.numbers.once_in(6);
                    if kind >= WEB && s.numbers.once_in(8) {
                        let hints = format!(
                            "HTTP/1.1 103 Early Hints\r\nLink: <{}>\r\n\r\n",
                            "x".repeat(s.numbers.below(800) as usize)
                        );
                        s.send(1, hints.as_bytes(), usize::MAX, false);
                        if s.numbers.once_in(2) {
                            let later = s.time + s.numbers.below(think + 1);
                            s.at(later, Event::Answer);
                            continue;
                        }
                    }
                    let bytes = response(s.numbers, number, kind, head, close);
                    let fin = (close || (last && end == 2)) && !finished;
                    finished |= fin && end != 1;
                    s.send(1, &bytes, 2 * number + 1, fin);
                    answers.push(s.sent[1].len() as u64);
                    answering += 1;
                    let stop = slow && s.numbers.once_in(2);
                    let later = match stop {
                        true => s.time + s.numbers.below(think * 2 + 1),
                        false => s.time,
                    };
                    s.at(later, Event::Answer);
                }
                Event::AtClient(up_to) => {
                    s.take(1, up_to);
                    if s.numbers.once_in(2) {
                        let sent = s.sent[0].len() as u64;
                        s.put(0, sent, sent, ACK);
                    }
                    let all = answers.iter().filter(|&&a| a <= s.received[0]);
                    let before = complete;
                    complete = all.count();
                    if complete > before {
                        let now = s.time;
                        s.at(now, Event::Send);
                    }
                }
                Event::Retransmit(from, to) => {
                    s.put(0, from, to, ACK);
                }
                Event::Resend(side, from) => s.resend(side, from),
                Event::KeepAlive => {
                    let side = s.numbers.below(2) as usize;
                    s.keep_alive(side);
                }
            }
            if s.lossy && s.numbers.once_in(30) {
                let later = s.time + s.numbers.below(delay * 4);
                s.at(later, Event::KeepAlive);
            }
            // A request may be sent again while nobody has answered.
            if s.events.is_empty() && silent && s.numbers.once_in(3) {
                if let Some(&end) = ends_of.last() {
                    let from = match ends_of.len() {
                        1 => 0,
                        n => ends_of[n - 2],
                    };
                    if end - from <= segment as u64 && !crlf {
                        let later = s.time + 1_000_000_000;
                        s.at(later, Event::Retransmit(from, end));
                    }
                }
            }
            if s.count > 4000 {
                break;
            }
        }
        s.time += delay;
        match end {
            0 | 3 | 4 if !finished => {
                let sent = [0, 1].map(|side| s.sent[side].len() as u64);
                s.put(0, sent[0], sent[0], FIN | ACK);
                s.time += delay;
                s.put(1, sent[1], sent[1], FIN | ACK);
            }
            5 => {
                let sent = s.sent[0].len() as u64;
                s.put(0, sent, sent, RST | ACK);
            }
            _ => {}
        }
        for side in 0..2 {
            let [from, to] = [session.ends[side], session.ends[1 - side]];
            let mut start = 0;
            for &(end, part) in &session.borders[side] {
                let sequence = session.initial[side]
                    .wrapping_add(1)
                    .wrapping_add(start as u32);
                if part != usize::MAX {
                    self.starts.insert((from, to, sequence), part / 2);
                    let place = (self.connections, side, start, end);
                    self.messages.insert(part, place);
                }
                start = end;
            }
        }
        let over = session.time + 2 * delay;
        self.connections += 1;
        let behind = [0, 1].map(|side| {
            let sent = session.sent[side].len() as u32;
            session.initial[side].wrapping_add(sent).wrapping_add(2)
        });
        self.packets.extend(session.packets);
        (over, behind)
    }

    /// What of the packets is captured, in the capture's order.
    pub fn capture(&self, numbers: &mut Numbers, loss: Loss) -> Vec<Captured> {
        let cut = loss.cut && numbers.once_in(8);
        let cut = if cut { 60 + numbers.below(400) as usize } else { 1 << 20 };
        let skip = if loss.cut && numbers.once_in(6) {
            numbers.below(self.packets.len() as u64 + 1) as usize
        } else {
            0
        };
        let copies = loss.disorder && numbers.once_in(6);
        let disorder = if loss.disorder { numbers.below(6) } else { 6 };
        let mut order: Vec<(u64, usize, bool)> = vec![];
        for (i, packet) in self.packets.iter().enumerate().skip(skip) {
            let late = match disorder {
                // Now and then one comes later.
                0 if numbers.once_in(8) => numbers.below(8) * 1_000_000,
                // One of two capture cards is late.
                1 if packet.to.1 == 80 => 3_000_000,
                _ => 0,
            };
            order.push((packet.time + late, i, false));
            if copies {
                order.push((packet.time + late + 20_000, i, true));
            }
        }
        order.sort();
        let mut captured = vec![];
        for (time, i, _) in order {
            if !numbers.millionth(loss.lost) {
                let mut packet = self.packets[i].clone();
                packet.time = time;
                let kept = packet.payload.len().min(cut);
                captured.push(Captured { packet, kept });
            }
        }
        captured
    }
}

/// Kinds of request from here on are of another kind.
const WEB: u64 = 4;

fn request(numbers: &mut Numbers, number: usize, web: u64) -> (Asked, u64) {
    let other = match web {
        0 => false,
        1 => numbers.once_in(2),
        2 => numbers.once_in(4),
        _ => numbers.once_in(8),
    };
    let kind = if other { WEB + numbers.below(4) } else { numbers.below(4) };
    let mark = format!("X-Sim: {number}\r\n");
    let expects = numbers.once_in(6);
    let expect = if expects { "Expect: 100-continue\r\n" } else { "" };
    let pad = "p".repeat(numbers.below(3) as usize * 90);
    let post = |line: &str, header: &str, body: &str| {
        format!(
            "POST {line} HTTP/1.1\r\n{mark}{header}{expect}X-Pad: {pad}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let ours = "User-Agent: M-CAS/1.0\r\nHost: add-con.mcas\r\n";
    let mut head = false;
    let text = match kind {
        0 => {
            let body = format!("CompanyCode=&TerminalID=001F67{number:06}");
            post("/", ours, &body)
        }
        1 => {
            head = numbers.once_in(5);
            let method = if head { "HEAD" } else { "GET" };
            format!(
                "{method} http://verup-mcas.odm00015.flets/fw/RTS300HI/{number} \
                 HTTP/1.1\r\n{mark}Host: verup-mcas.odm00015.flets\r\n\r\n"
            )
        }
        2 => {
            let body =
                format!("id=001F67{number:06}&ip_tel_num=3&term_type=1");
            post("/cas_tel_conf/", "Host: ntt.setup\r\n", &body)
        }
        3 if numbers.once_in(2) => {
            let body = "CompanyCode=&TerminalID=001F67A1B2C3";
            format!(
                "POST / HTTP/1.1\r\n{mark}{ours}\
                 Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                body.len()
            )
        }
        3 => format!(
            "GET /cas_tel_list/ HTTP/1.1\r\n{mark}Host: ntt.setup\r\n\r\n"
        ),
        4 => {
            let body = "amount=100&card=4111";
            post("/pay", "Host: pay.example.jp\r\n", body)
        }
        5 => {
            head = numbers.once_in(4);
            let method = if head { "HEAD" } else { "GET" };
            format!(
                "{method} /{pad} HTTP/1.1\r\n{mark}Host: www.example.jp\r\n\r\n"
            )
        }
        6 => {
            let body = "x".repeat(numbers.below(3000) as usize);
            post("/upload", "Host: www.example.jp\r\n", &body)
        }
        _ => format!("GET / HTTP/1.1\r\n{mark}Host: a.jp\r\n\r\n"),
    };
    let expects = expects && text.contains("Expect: ");
    (Asked { number, bytes: text.into_bytes(), head, expects }, kind)
}

fn response(
    numbers: &mut Numbers,
    number: usize,
    kind: u64,
    head: bool,
    close: bool,
) -> Vec<u8> {
    let settings = format!(
        "ResultCode=0000\r\nip_addr=172.20.184.194\r\nnetmask=30\r\n\
         ip_tel_num=0{number:09}\r\n"
    );
    let long = numbers.below(4) as usize * 700;
    let mut body = match kind {
        0 | 2 | 3 => settings.into_bytes(),
        1 => (0..long + 10).map(|i| (i * 7) as u8).collect(),
        4 => b"ResultCode=0000\r\nOrderId=77\r\n".to_vec(),
        5 => format!("<html>{}</html>", "y".repeat(long)).into_bytes(),
        6 => {
            // A page that shows an answer of ours, head and all.
            let answer = format!(
                "HTTP/1.1 200 OK\r\nX-Sim: {number}\r\nContent-Length: {}\r\n\
                 \r\n{settings}",
                settings.len()
            );
            let before = [0, 66, 150][numbers.below(3) as usize];
            format!("{}{answer}", "z".repeat(before)).into_bytes()
        }
        _ => b"resultcode=0000\r\nip_addr=1.2.3.4\r\n".to_vec(),
    };
    let status = match numbers.below(12) {
        0 => "404 Not Found",
        1 => "204 No Content",
        2 => "500 Oops",
        _ => "200 OK",
    };
    let mark = format!("HTTP/1.1 {status}\r\nX-Sim: {number}\r\n");
    let chunked = numbers.once_in(4);
    if status.starts_with("204") {
        return format!("{mark}\r\n").into_bytes();
    }
    let length = format!("Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = mark.into_bytes();
    if close && numbers.once_in(2) {
        bytes.extend(b"Connection: close\r\n\r\n");
    } else if chunked {
        bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        let size = 1 + numbers.below(body.len() as u64 + 10) as usize;
        let mut coded = vec![];
        for chunk in body.chunks(size) {
            coded.extend(format!("{:x}\r\n", chunk.len()).bytes());
            coded.extend(chunk);
            coded.extend(b"\r\n");
        }
        coded.extend(b"0\r\n\r\n");
        body = coded;
    } else {
        bytes.extend(length.bytes());
    }
    if !head {
        bytes.extend(body);
    }
    bytes
}

impl World {
    /// The messages of which not all was captured.
    fn lacking(&self, captured: &[Captured]) -> BTreeSet<usize> {
        let mut all: BTreeMap<(usize, usize), Vec<(u64, u64)>> =
            BTreeMap::new();
        for Captured { packet, kept } in captured {
            if let Some((connection, side, from)) = packet.bytes {
                let pieces = all.entry((connection, side)).or_default();
                pieces.push((from, from + *kept as u64));
            }
        }
        for pieces in all.values_mut() {
            pieces.sort();
        }
        let whole = |&(connection, side, start, end): &_| {
            let pieces = all.get(&(connection, side));
            let mut at = start;
            for &(from, to) in pieces.into_iter().flatten() {
                if from <= at {
                    at = at.max(to);
                }
            }
            at >= end
        };
        let messages = self.messages.iter();
        let lacking = messages.filter(|(_, place)| !whole(place));
        lacking.map(|(&part, _)| part).collect()
    }
}

// A tracker's answers against the truth.

/// What a tracker made of simulated connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Worlds.
    pub worlds: u64,
    /// Links that there are to be found: all of both messages was captured.
    pub possible: u64,
    /// Of these, the ones that were found.
    pub found: u64,
    /// Links in all.
    pub links: u64,
    /// Wrong ones.
    pub wrong: u64,
    /// Messages of another kind that were shown as ours, though their
    /// request was captured.
    pub pages: u64,
}

impl Score {
    /// Adds another one's numbers.
    pub fn add(&mut self, other: &Score) {
        self.worlds += other.worlds;
        self.possible += other.possible;
        self.found += other.found;
        self.links += other.links;
        self.wrong += other.wrong;
        self.pages += other.pages;
    }
}

/// Shows what was captured to a tracker.
pub fn replay(captured: &[Captured]) -> (Tracker, Vec<track::Found>) {
    let mut tracker = Tracker::new();
    let mut found = vec![];
    for (tag, Captured { packet, kept }) in (1..).zip(captured) {
        let flags = [(SYN, track::SYN), (FIN, track::FIN), (RST, track::RST)]
            .into_iter()
            .filter(|(theirs, _)| packet.flags & theirs != 0)
            .fold(0, |flags, (_, ours)| flags | ours);
        tracker.segment(&Segment {
            ends: [packet.from, packet.to],
            connection: 0,
            sequence: packet.sequence,
            acknowledged: (packet.flags & ACK != 0)
                .then_some(packet.acknowledged),
            flags,
            length: packet.payload.len() as u32,
            bytes: &packet.payload[..*kept],
            identification: Some(packet.identification),
            tag,
            time: packet.time,
        });
        found.extend(std::iter::from_fn(|| tracker.next_found()));
    }
    tracker.finish();
    found.extend(std::iter::from_fn(|| tracker.next_found()));
    (tracker, found)
}

/// The number in a message's first header line.
pub fn number(found: &track::Found) -> Option<usize> {
    let text = String::from_utf8_lossy(&found.bytes);
    let (_, rest) = text.split_once("X-Sim: ")?;
    rest.split_once("\r\n")?.0.parse().ok()
}

/// Holds what a tracker says of a world against the truth.
pub fn judge(world: &World, captured: &[Captured]) -> Score {
    let (tracker, found) = replay(captured);
    let mut score = Score { worlds: 1, ..Score::default() };
    let lacking = world.lacking(captured);
    let mut requests = BTreeMap::new();
    // Where its number is cut off, by where it begins.
    let number = |found: &track::Found| {
        let packet = &captured[found.first as usize - 1].packet;
        let at = (packet.from, packet.to, found.sequence);
        number(found).or(world.starts.get(&at).copied())
    };
    for found in found.iter().filter(|f| f.message.status == 0) {
        let Some(number) = number(found) else { continue };
        assert!(world.exchanges[number].ours, "{number} is not ours");
        requests.insert(found.exchange, number);
    }
    let mut linked = BTreeSet::new();
    for found in found.iter().filter(|f| f.message.status != 0) {
        let Some(number) = number(found) else { continue };
        assert_ne!(found.message.message_type, TYPE_NONE);
        let truth = &world.exchanges[number];
        if !truth.ours && !lacking.contains(&(2 * number)) {
            score.pages += 1;
        }
        let exchange = tracker.exchange(found.exchange).expect("there");
        let link =
            exchange.request.tag != 0 && found.flags & track::UNCERTAIN == 0;
        if !link {
            continue;
        }
        score.links += 1;
        match requests.get(&found.exchange) {
            Some(&asked) if asked == number => {
                linked.insert(number);
            }
            _ => score.wrong += 1,
        }
    }
    for (number, exchange) in world.exchanges.iter().enumerate() {
        if exchange.ours
            && exchange.answered
            && !lacking.contains(&(2 * number))
            && !lacking.contains(&(2 * number + 1))
        {
            score.possible += 1;
            score.found += u64::from(linked.contains(&number));
        }
    }
    score
}

/// The world of a seed, and what is captured of it.
pub fn world(seed: u64, loss: Loss) -> (World, Vec<Captured>) {
    let mut numbers = Numbers::new(seed);
    let world = World::new(&mut numbers);
    let captured = world.capture(&mut numbers, loss);
    (world, captured)
}
