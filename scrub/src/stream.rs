//! TCP put together, with the way back from each byte to the packets that
//! carried it.

use crate::link::Segment;
use mcas::track::{self, Tracker};
use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::Range;

/// A hole in a stream up to this size is filled, so that what follows it is
/// read as what it is: part of the message that began before.
const MAX_HOLE: usize = 1 << 14;

/// What holes are filled with. No key, number or line end has one; and the
/// bytes of a hole are nowhere, so that none is ever written.
const FILLER: u8 = b'X';

/// A segment's place in its stream and in the capture.
struct Piece {
    position: i64,
    at: u32,
    length: u32,
}

/// One direction of a connection.
#[derive(Default)]
struct Direction {
    pieces: Vec<Piece>,
    /// Position that sequence numbers are counted from.
    last: i64,
    begin: Option<i64>,
    end: Option<i64>,
}

impl Direction {
    /// Sequence numbers wrap; positions do not.
    fn position(&self, sequence: u32) -> i64 {
        if self.last == 0 {
            return (1 << 32) + i64::from(sequence);
        }
        let step = sequence.wrapping_sub(self.last as u32) as i32;
        self.last + i64::from(step)
    }

    fn is_empty(&self) -> bool {
        self.last == 0
    }
}

/// A connection: its lower end's direction and the other's.
#[derive(Default)]
pub struct Connection {
    directions: [Direction; 2],
    /// Who answers whom.
    pub answers: Answers,
}

/// Where a message begins: its direction and its first sequence number.
pub type Start = (usize, u32);

/// The requests that responses answer for certain.
pub type Answers = HashMap<Start, Start>;

/// All connections of a capture, in order.
pub struct Connections {
    all: Vec<Connection>,
    current: HashMap<[(IpAddr, u16); 2], usize>,
    tracker: Tracker,
}

impl Default for Connections {
    fn default() -> Connections {
        Connections {
            all: Vec::new(),
            current: HashMap::new(),
            tracker: Tracker::with_answers(),
        }
    }
}

impl Connections {
    /// Adds a segment whose bytes are at that place of the capture.
    pub fn add(
        &mut self,
        segment: &Segment,
        bytes: &[u8],
        payload: Range<usize>,
    ) {
        let [from, to] = segment.ends;
        let side = usize::from(from > to);
        let key = if from > to { [to, from] } else { [from, to] };
        let fresh = self.all.len();
        let current = self.current.entry(key).or_insert(fresh);
        if let Some(connection) = self.all.get(*current) {
            let known = &connection.directions[side];
            // Ports are used again: another SYN is another connection.
            let position = known.position(segment.sequence);
            if segment.syn
                && !known.is_empty()
                && known.begin != Some(position)
            {
                *current = fresh;
            }
        }
        if *current == fresh {
            self.all.push(Connection::default());
        }
        let number = *current;
        self.track(segment, &bytes[payload.clone()], number);
        let direction = &mut self.all[number].directions[side];
        let position = direction.position(segment.sequence);
        direction.last = position;
        if segment.syn {
            direction.begin = Some(position);
        }
        if segment.fin || segment.rst {
            direction.end = Some(position + i64::from(segment.wire));
        }
        if !payload.is_empty() {
            direction.pieces.push(Piece {
                position,
                at: payload.start as u32,
                length: payload.len() as u32,
            });
        }
    }

    /// Lets the tracker have it, for the answers alone: what messages are is
    /// read here in a manner that misses no secret.
    fn track(&mut self, segment: &Segment, bytes: &[u8], number: usize) {
        let told = [
            (segment.syn, track::SYN),
            (segment.fin, track::FIN),
            (segment.rst, track::RST),
        ];
        let flags = told.iter().filter(|(is, _)| *is).map(|(_, flag)| flag);
        self.tracker.segment(&track::Segment {
            ends: segment.ends,
            connection: number as u64,
            sequence: segment.sequence.wrapping_sub(segment.syn.into()),
            acknowledged: segment.acknowledged,
            flags: flags.sum(),
            length: segment.wire,
            bytes,
            identification: None,
            tag: 0,
            time: 0,
        });
        self.keep_answers();
    }

    fn keep_answers(&mut self) {
        while self.tracker.next_found().is_some() {}
        self.tracker.forget(u64::MAX);
        while let Some(answer) = self.tracker.next_answer() {
            let side = usize::from(answer.ends[0] > answer.ends[1]);
            let answers = &mut self.all[answer.connection as usize].answers;
            let (response, request) = (answer.response, answer.request);
            answers.insert((side, response), (1 - side, request));
        }
    }

    /// The connections, ready to be put together.
    pub fn finish(mut self) -> Vec<Connection> {
        self.tracker.finish();
        self.keep_answers();
        for direction in self.all.iter_mut().flat_map(|c| &mut c.directions) {
            // Of pieces at the same place the first stays the first.
            direction.pieces.sort_by_key(|piece| piece.position);
        }
        self.all
    }
}

/// Bytes that belong together, as a program would have received them.
#[derive(Default)]
pub struct Run {
    /// As they are in the capture.
    pub bytes: Vec<u8>,
    /// As they shall be.
    pub masked: Vec<u8>,
    /// Which of them mean something else than a secret, for certain.
    pub meant: Vec<bool>,
    /// Which of them nobody captured.
    pub filler: Vec<Range<usize>>,
    /// Where bytes come from: first byte here, in the capture, how many.
    sources: Vec<(usize, usize, usize)>,
    /// Where the first byte is in its connection.
    start: Start,
    /// Something is missing before the first byte.
    pub headless: bool,
    /// The connection ends with the last byte.
    pub ended: bool,
    /// A copy that differs from what came first. Who knows which was read?
    pub stray: bool,
}

impl Run {
    /// Bytes of one packet.
    pub fn single(bytes: &[u8], at: usize, length: usize) -> Run {
        let run = Run {
            bytes: bytes[at..at + length].to_vec(),
            sources: vec![(0, at, length)],
            headless: true,
            ..Run::default()
        };
        run.ready()
    }

    fn ready(mut self) -> Run {
        self.masked = self.bytes.clone();
        self.meant = vec![false; self.bytes.len()];
        self
    }

    /// Where in its connection the byte at `at` is.
    pub fn start(&self, at: usize) -> Start {
        (self.start.0, self.start.1.wrapping_add(at as u32))
    }

    /// Whether any of these bytes is filler.
    pub fn has_filler(&self, range: &Range<usize>) -> bool {
        let next = self.filler.partition_point(|f| f.end <= range.start);
        self.filler.get(next).is_some_and(|f| f.start < range.end)
    }

    /// Writes what is masked to every packet that carried it.
    pub fn commit(&self, bytes: &mut [u8], meant: &mut [bool]) {
        for &(start, at, length) in &self.sources {
            for i in 0..length {
                if self.masked[start + i] != self.bytes[start + i] {
                    bytes[at + i] = self.masked[start + i];
                }
                meant[at + i] |= self.meant[start + i];
            }
        }
    }

    /// Marks what the capture already knows of these bytes.
    pub fn recall(&mut self, meant: &[bool]) {
        for &(start, at, length) in &self.sources {
            for i in 0..length {
                self.meant[start + i] |= meant[at + i];
            }
        }
    }
}

impl Connection {
    /// The runs of both directions, the one that asks first.
    pub fn runs(&self, bytes: &[u8]) -> [Vec<Run>; 2] {
        let [a, b] =
            [0, 1].map(|side| self.directions[side].runs(bytes, side));
        let answers = |runs: &[Run]| {
            runs.first().is_some_and(|run| run.bytes.starts_with(b"HTTP/"))
        };
        if answers(&a) && !answers(&b) {
            [b, a]
        } else {
            [a, b]
        }
    }
}

impl Direction {
    fn runs(&self, bytes: &[u8], side: usize) -> Vec<Run> {
        let (mut runs, mut strays) = (Vec::new(), Vec::new());
        let mut run = Run::default();
        // Position of the run's first byte.
        let mut origin = 0;
        // There shall not be much more filler than there are bytes.
        let total: usize = self.pieces.iter().map(|p| p.length as usize).sum();
        let mut allowance = total + MAX_HOLE;
        for piece in &self.pieces {
            let (at, length) = (piece.at as usize, piece.length as usize);
            let data = &bytes[at..at + length];
            let hole = piece.position - (origin + run.bytes.len() as i64);
            let hole = usize::try_from(hole).unwrap_or(0);
            if !run.bytes.is_empty() && hole > 0 {
                if hole <= MAX_HOLE.min(allowance) {
                    allowance -= hole;
                    let start = run.bytes.len();
                    run.bytes.resize(start + hole, FILLER);
                    run.filler.push(start..start + hole);
                } else {
                    runs.push(std::mem::take(&mut run).ready());
                }
            }
            if run.bytes.is_empty() {
                origin = piece.position;
                run.start = (side, origin as u32);
                run.headless = self.begin.is_none_or(|begin| origin > begin);
            }
            let start = (piece.position - origin) as usize;
            let known = (run.bytes.len() - start).min(length);
            // The first copy counts. A keep-alive's only byte means nothing.
            if length > 1 && run.bytes[start..start + known] != data[..known] {
                let stray = Run::single(bytes, at, length);
                strays.push(Run { stray: true, ..stray });
            }
            run.bytes.extend(&data[known..]);
            run.sources.push((start, at, length));
        }
        let end = origin + run.bytes.len() as i64;
        run.ended = self.end.is_some_and(|last| last <= end);
        if !run.bytes.is_empty() {
            runs.push(run.ready());
        }
        runs.extend(strays);
        runs
    }
}
