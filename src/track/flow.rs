//! One direction of a connection as packets bring it: what is held until it
//! is its turn.
//!
//! Captured is not sent: packets come late, twice, or not at all. A segment's
//! turn comes when all bytes before it have come, and all bytes that it
//! acknowledges. What is missing for longer is lost.

use super::position;
use super::Mark;
use std::collections::{BTreeMap, VecDeque};

/// So many of the last segments are known again when a mirror port copies
/// them.
const COPIES: usize = 8;

/// A mirror port's copy comes within a millisecond, in nanoseconds.
const COPY_WITHIN: u64 = 1_000_000;

/// So many requests of a connection are known again when they are sent once
/// more.
const KNOWN_REQUESTS: usize = 1024;

/// A connection does not go on so far from what is known of it.
const FAR: i64 = 1 << 28;

/// So many bytes may be captured before the SYN that they follow.
const LATE: i64 = 1 << 20;

/// Bytes of a packet, as far as they were captured.
#[derive(Debug)]
pub(super) struct Piece {
    pub start: i64,
    pub bytes: Vec<u8>,
    pub length: i64,
    pub ack: Option<i64>,
    pub mark: Mark,
    /// The connection is broken off with it.
    pub reset: bool,
    /// When it came, in packets of the connection.
    pub arrived: u64,
    /// It is the end of one that was cut, which another may still have.
    pub rest: bool,
}

impl Piece {
    pub fn end(&self) -> i64 {
        self.start + self.length
    }

    /// Whether nothing is missing in front of it.
    fn goes_on(&self, next: i64) -> bool {
        self.start <= next && (!self.rest || self.end() <= next)
    }
}

/// What tells a copy from another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Print {
    sequence: u32,
    ack: Option<u32>,
    length: u32,
    flags: u32,
    identification: u16,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Flow {
    /// A position that is known.
    known: Option<i64>,
    /// Position of the first byte, where that is known.
    pub begin: Option<i64>,
    /// All up to here had its turn.
    pub next: Option<i64>,
    /// Behind the last byte there will be.
    pub fin: Option<i64>,
    /// By where they begin, whether nothing is left of them, and arrival.
    pending: BTreeMap<(i64, bool, u64), Piece>,
    prints: VecDeque<(Print, u64)>,
    requests: BTreeMap<i64, u64>,
}

impl Flow {
    /// What it holds, in bytes, but for those of what is held.
    pub fn memory(&self) -> usize {
        let piece = std::mem::size_of::<((i64, bool, u64), Piece)>();
        let tables = self.pending.len() * piece
            + self.requests.len() * std::mem::size_of::<(i64, u64)>();
        2 * tables + self.prints.capacity() * std::mem::size_of::<Print>()
    }

    /// The position of a sequence number.
    pub fn position(&mut self, sequence: u32) -> i64 {
        let at = match self.known {
            Some(known) => position::near(sequence, known),
            None => position::first(sequence),
        };
        self.known = Some(self.known.map_or(at, |known| known.max(at)));
        at
    }

    /// Whether this direction may begin with that SYN, which may have been
    /// captured behind what follows it.
    pub fn may_begin(&self, sequence: u32) -> bool {
        let begin = sequence.wrapping_add(1);
        match (self.begin, self.next) {
            (Some(known), _) => known as u32 == begin,
            (None, Some(_)) => false,
            // Nothing has had its turn. Whoever begins anew goes on behind
            // the numbers that the connection before had come to.
            (None, None) => {
                let first = self.first().map(|piece| piece.start);
                first.or(self.known).is_none_or(|first| {
                    (0..=LATE)
                        .contains(&(first - position::near(begin, first)))
                })
            }
        }
    }

    /// Whether a sequence number is none that this direction can have come
    /// to: then it is another connection's.
    pub fn is_far(&self, sequence: u32, length: u32) -> bool {
        let Some(known) = self.known else { return false };
        let at = position::near(sequence, known);
        let over = self.fin.is_some_and(|fin| length > 0 && at > fin + 1);
        over || (at - known).abs() > FAR
    }

    /// Whether this is a copy of a packet that was seen just now.
    pub fn is_copy(&mut self, segment: &super::Segment) -> bool {
        let Some(identification) = segment.identification else {
            return false;
        };
        let print = Print {
            sequence: segment.sequence,
            ack: segment.acknowledged,
            length: segment.length,
            flags: segment.flags,
            identification,
        };
        let time = segment.time;
        let copy = self.prints.iter().any(|&(known, at)| {
            known == print && time.abs_diff(at) <= COPY_WITHIN
        });
        if self.prints.len() == COPIES {
            self.prints.pop_front();
        }
        self.prints.push_back((print, time));
        copy
    }

    /// Holds bytes until it is their turn.
    pub fn hold(&mut self, piece: Piece) {
        let key = (piece.start, piece.rest, piece.arrived);
        self.pending.insert(key, piece);
    }

    /// Where the first bytes are that are held of those from one place to
    /// another.
    pub fn held_between(&self, from: i64, to: i64) -> Option<i64> {
        let held = self.pending.range(..(to, false, 0)).map(|(_, p)| p);
        let mut held = held.filter(|p| p.start + p.bytes.len() as i64 > from);
        held.find(|p| !p.bytes.is_empty()).map(|p| p.start.max(from))
    }

    /// Takes what is held near behind a sequence number.
    pub fn take_behind(&mut self, sequence: u32) -> Vec<Piece> {
        let Some(first) = self.first() else { return vec![] };
        let from = position::near(sequence, first.start);
        let near = |at: i64| (0..=LATE).contains(&(at - from));
        let pieces = std::mem::take(&mut self.pending).into_iter();
        let (taken, left) = pieces.partition(|(_, piece)| near(piece.start));
        self.pending = left;
        let taken: BTreeMap<_, _> = taken;
        taken.into_values().collect()
    }

    /// The first of what is held.
    pub fn first(&self) -> Option<&Piece> {
        self.pending.values().next()
    }

    /// Takes it.
    pub fn take(&mut self) -> Option<Piece> {
        self.pending.pop_first().map(|(_, piece)| piece)
    }

    /// When the one came that is held for longest.
    pub fn oldest(&self) -> Option<(u64, u64)> {
        self.first().map(|piece| (piece.arrived, piece.mark.time))
    }

    /// Whether nothing is missing in front of what is held.
    pub fn goes_on(&self) -> bool {
        let first = self.first().zip(self.next);
        first.is_some_and(|(piece, next)| piece.goes_on(next))
    }

    /// Whether nothing is missing in front of what is held, of this
    /// direction and of what it acknowledges of the other.
    pub fn has_turn(&self, other: &Flow) -> bool {
        let Some((piece, next)) = self.first().zip(self.next) else {
            return false;
        };
        let acked = match (piece.ack, other.next) {
            (Some(ack), Some(next)) => ack <= next,
            (Some(_), None) => false,
            (None, _) => true,
        };
        piece.goes_on(next)
            && (acked || piece.length > 0 && piece.end() <= next)
    }

    /// Keeps where a request begins.
    pub fn keep_request(&mut self, start: i64, exchange: u64) {
        if self.requests.len() == KNOWN_REQUESTS {
            self.requests.pop_first();
        }
        self.requests.insert(start, exchange);
    }

    /// The requests that begin in bytes which were seen before.
    pub fn requests_in(
        &self,
        start: i64,
        end: i64,
    ) -> impl Iterator<Item = u64> + '_ {
        self.requests.range(start..end.max(start)).map(|(_, &known)| known)
    }
}
