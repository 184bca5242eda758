//! A connection of which packets come: its bytes in their order, the
//! messages in them, and who answers whom.

use super::body::Body;
use super::flow::{Flow, Piece};
use super::pairing::{Answers, Pairing, Request};
use super::position;
use super::{Answer, End, Exchange, Found, Mark, Segment, Sink};
use crate::classify::{classify, Class};
use crate::head;
use crate::message::{
    self, Context, Message, Method, END_OF_STREAM, HEAD_COMPLETE, HEAD_ONLY,
    KIND_REQUEST, KIND_RESPONSE,
};
use crate::progress::Progress;
use crate::types::{TYPE_NONE, TYPE_OTHER_REQUEST};
use memchr::memmem;
use std::net::{IpAddr, Ipv4Addr};

/// For so many packets of its connection, or so many nanoseconds, a segment
/// waits for what is missing in front of it.
const PATIENCE: u64 = 256;
const PATIENCE_TIME: u64 = 2_000_000_000;

/// Longest head of a message; servers refuse longer ones.
const LONGEST_HEAD: usize = 1 << 16;

/// So many bytes at once are looked at for where a head ends.
const STEP: usize = 256;

/// A message of which not all has come.
#[derive(Debug)]
struct Open {
    start: i64,
    ack: Option<i64>,
    first: Mark,
    last: Mark,
    /// Its bytes: all while the head is not whole, then what is kept.
    bytes: Vec<u8>,
    /// In them no head ends.
    scanned: usize,
    head_ended: bool,
    /// How far it was looked at whether it is ours, and whether that is
    /// known.
    progress: Progress,
    decided: bool,
    head: Option<Head>,
}

/// What is known of it behind its head.
#[derive(Debug)]
struct Head {
    body: Body,
    keep: bool,
    context: Context,
    exchange: u64,
    flags: u32,
    interim: bool,
    /// Whether its end is its end for certain.
    certain: bool,
    status: u32,
    /// Bytes that came, kept or not.
    came: u64,
}

/// Bytes that cannot be read for what is missing in front of them.
#[derive(Debug, Default)]
struct Unread {
    end: i64,
    /// The last of them.
    tail: Vec<u8>,
    /// Where a version of HTTP is among them, as at the end of a request's
    /// first line.
    version: Option<i64>,
}

/// What the bytes of a direction are.
#[derive(Debug, Default)]
enum State {
    /// Between two messages.
    #[default]
    Border,
    /// Bytes are missing: a segment may begin a message.
    Adrift,
    /// It is not HTTP any more.
    Dead,
    Message(Box<Open>),
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// Side 0 and side 1.
    ends: [End; 2],
    /// The caller's number for it.
    pub number: u64,
    pairing: Pairing,
    flows: [Flow; 2],
    states: [State; 2],
    /// Who asks: the side that is known to.
    client: Option<usize>,
    unread: [Unread; 2],
    packets: u64,
    time: u64,
    held: usize,
    /// It was broken off.
    reset: bool,
    closed: bool,
    /// Reading stops where a message ends, and so many bytes are left.
    one_by_one: bool,
    left: usize,
}

impl Connection {
    /// One with that number of the caller's.
    pub fn new(number: u64, ends: [End; 2]) -> Connection {
        Connection {
            ends,
            number,
            pairing: Pairing::default(),
            flows: Default::default(),
            states: Default::default(),
            client: None,
            unread: Default::default(),
            packets: 0,
            time: 0,
            held: 0,
            reset: false,
            closed: false,
            one_by_one: false,
            left: 0,
        }
    }

    /// What it holds, in bytes, of itself and in tables.
    pub fn memory(&self) -> usize {
        let open = self.states.iter().map(|state| match state {
            State::Message(open) => {
                std::mem::size_of::<Open>() + open.bytes.capacity()
            }
            _ => 0,
        });
        // Tables have room for more than they hold.
        2 * std::mem::size_of::<Connection>()
            + self.held
            + open.sum::<usize>()
            + self.flows.iter().map(Flow::memory).sum::<usize>()
            + self.pairing.memory()
    }

    /// One whose bytes come in their order, with none missing: side 0 asks.
    pub fn in_order(number: u64) -> Connection {
        let nobody = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let mut connection = Connection::new(number, [nobody; 2]);
        connection.client = Some(0);
        connection.one_by_one = true;
        let begin = position::first(0);
        connection.begins(0, begin);
        connection.begins(1, begin);
        connection.pairing.client_begins(begin);
        connection.pairing.server_begins(begin);
        connection
    }

    /// Whether a request waits for its answer to begin.
    pub fn waits(&self) -> bool {
        self.pairing.waits()
    }

    /// Whether the last one that does is a CONNECT.
    pub fn connects(&self) -> bool {
        self.pairing.connects()
    }

    /// Whether a message of a side is not whole.
    pub fn is_open(&self, side: usize) -> bool {
        matches!(self.states[side], State::Message(_))
    }

    /// Whether a side is not HTTP any more, or has ended.
    pub fn is_dead(&self, side: usize) -> bool {
        matches!(self.states[side], State::Dead)
    }

    /// A side is not read any further.
    pub fn kill(&mut self, side: usize) {
        self.states[side] = State::Dead;
    }

    /// Reads a side's next bytes, up to the end of a message; tells how many
    /// are left, or `None` if they are not HTTP.
    pub fn read(
        &mut self,
        side: usize,
        bytes: &[u8],
        mark: Mark,
        sink: &mut Sink,
    ) -> Option<usize> {
        let start = self.flows[side].next?;
        let piece = Piece {
            start,
            bytes: Vec::new(),
            length: 0,
            ack: None,
            mark,
            reset: false,
            arrived: 0,
            rest: false,
        };
        self.left = 0;
        self.bytes(side, start, bytes, &piece, sink);
        let left = std::mem::take(&mut self.left);
        let read = (bytes.len() - left) as u64;
        self.flows[side].next = Some(position::behind(start, read));
        if matches!(self.states[side], State::Adrift) {
            if side == 0 {
                self.pairing.cannot_read(start);
            }
            self.states[side] = State::Dead;
            return None;
        }
        Some(left)
    }

    /// A side that is read in order has ended.
    pub fn ends(&mut self, side: usize, sink: &mut Sink) {
        self.flows[side].fin = self.flows[side].next;
        self.finish(side, true, sink);
    }

    /// Whether a segment opens another connection between the same ends.
    pub fn is_over(&self, side: usize, segment: &Segment) -> bool {
        if segment.connection != self.number {
            return true;
        }
        if segment.flags & super::SYN != 0 {
            let other = self.flows[1 - side].begin.map(|begin| begin as u32);
            let answers = other
                .zip(segment.acknowledged)
                .is_none_or(|(begin, ack)| begin == ack);
            return !answers || !self.flows[side].may_begin(segment.sequence);
        }
        // The SYN was not captured.
        let length = segment.length;
        let far = |flow: &Flow, sequence| flow.is_far(sequence, length);
        far(&self.flows[side], segment.sequence)
            || segment
                .acknowledged
                .is_some_and(|ack| far(&self.flows[1 - side], ack))
    }

    /// Takes a packet.
    pub fn segment(
        &mut self,
        side: usize,
        segment: &Segment,
        sink: &mut Sink,
    ) {
        self.time = self.time.max(segment.time);
        if self.flows[side].is_copy(segment) {
            return;
        }
        self.packets += 1;
        let sequence = match segment.flags & super::SYN {
            0 => segment.sequence,
            _ => segment.sequence.wrapping_add(1),
        };
        let start = self.flows[side].position(sequence);
        let other = &mut self.flows[1 - side];
        let ack = segment.acknowledged.map(|ack| other.position(ack));
        if segment.flags & super::SYN != 0 {
            self.begins(side, start);
            if let Some(ack) = ack {
                self.begins(1 - side, ack);
            }
            self.client.get_or_insert(match ack {
                None => side,
                Some(_) => 1 - side,
            });
            self.begins_other(side);
        } else if self.flows[side].begin == Some(start) {
            // Nothing was sent before, and so nothing was received.
            if let Some(ack) = ack.filter(|_| self.client == Some(side)) {
                self.begins(1 - side, ack);
            }
        }
        let length = i64::from(segment.length);
        if segment.flags & (super::FIN | super::RST) != 0 {
            let fin = &mut self.flows[side].fin;
            fin.get_or_insert(start + length);
        }
        let ending = segment.flags & (super::FIN | super::RST) != 0;
        if length > 0 || ending {
            let kept = segment.bytes.len().min(segment.length as usize);
            self.held += kept;
            self.flows[side].hold(Piece {
                start,
                bytes: segment.bytes[..kept].to_vec(),
                length,
                ack,
                mark: Mark { tag: segment.tag, time: segment.time },
                reset: segment.flags & super::RST != 0,
                arrived: self.packets,
                rest: false,
            });
        }
        self.advance(false, sink);
        if self.reset || self.ended() {
            self.end(true, sink);
        }
    }

    /// Gives away what is held and belongs to the connection that this SYN
    /// opens, which was captured behind it.
    pub fn take_held(
        &mut self,
        side: usize,
        segment: &Segment,
    ) -> Vec<(usize, Piece)> {
        let mut taken = vec![];
        if segment.flags & super::SYN == 0 {
            return taken;
        }
        let begins =
            [Some(segment.sequence.wrapping_add(1)), segment.acknowledged];
        for (side, begin) in [side, 1 - side].into_iter().zip(begins) {
            let Some(begin) = begin else { continue };
            let pieces = self.flows[side].take_behind(begin);
            taken.extend(pieces.into_iter().map(|piece| (side, piece)));
        }
        taken
    }

    /// Takes what another connection held.
    pub fn hold(&mut self, pieces: Vec<(usize, Piece)>, sink: &mut Sink) {
        for (side, piece) in pieces {
            let start = self.flows[side].position(piece.start as u32);
            let other = &mut self.flows[1 - side];
            let ack = piece.ack.map(|ack| other.position(ack as u32));
            self.held += piece.bytes.len();
            self.packets += 1;
            let arrived = self.packets;
            self.flows[side].hold(Piece { start, ack, arrived, ..piece });
        }
        self.advance(false, sink);
    }

    /// With its first byte a client acknowledges no more than the server's
    /// SYN. It may have been captured before its own.
    fn begins_other(&mut self, side: usize) {
        let flow = &self.flows[side];
        let first = flow.first().filter(|p| Some(p.start) == flow.begin);
        let ack = first.and_then(|piece| piece.ack);
        if let Some(ack) = ack.filter(|_| self.client == Some(side)) {
            self.begins(1 - side, ack);
        }
    }

    /// The first byte of a side will be there.
    fn begins(&mut self, side: usize, at: i64) {
        let flow = &mut self.flows[side];
        if flow.begin.is_none() && flow.next.is_none_or(|next| next == at) {
            flow.begin = Some(at);
            flow.next = Some(at);
        }
    }

    /// Whether both sides have sent all that they will.
    fn ended(&self) -> bool {
        let over = |flow: &Flow| flow.fin.is_some() && flow.fin <= flow.next;
        self.flows.iter().all(over)
    }

    /// Nothing comes any more. `closed` says that the ends have said so.
    pub fn end(&mut self, closed: bool, sink: &mut Sink) {
        if self.closed {
            return;
        }
        self.closed = true;
        self.advance(true, sink);
        for side in 0..2 {
            self.finish(side, closed, sink);
        }
        for exchange in self.pairing.unanswered() {
            if let Some(exchange) = sink.exchange(exchange) {
                exchange.flags |= super::UNANSWERED;
            }
        }
    }

    /// Lets all have its turn whose turn it is.
    fn advance(&mut self, flush: bool, sink: &mut Sink) {
        loop {
            let undecided = self.undecided();
            let turn = (0..2).find(|&side| match undecided {
                Some(client) => side == client && self.flows[side].goes_on(),
                None => self.flows[side].has_turn(&self.flows[1 - side]),
            });
            if let Some(side) = turn {
                self.deliver(side, sink);
                continue;
            }
            let held = |side: usize| {
                let (arrived, time) = self.flows[side].oldest()?;
                Some((arrived, time, side))
            };
            let Some((arrived, time, side)) =
                [held(0), held(1)].into_iter().flatten().min()
            else {
                return;
            };
            let overdue = self.packets - arrived > PATIENCE
                || self.time.saturating_sub(time) > PATIENCE_TIME
                || self.held > sink.most_held;
            if !flush && !overdue {
                return;
            }
            self.give_up(side, sink);
        }
    }

    /// The client, while what it asks for is known by more than its head. An
    /// answer that comes early waits for that.
    fn undecided(&self) -> Option<usize> {
        let client = self.client?;
        let State::Message(open) = &self.states[client] else { return None };
        let head = open.head.as_ref()?;
        (head.keep && head.exchange == 0).then_some(client)
    }

    /// What is missing in front of what a side has waited for is lost.
    fn give_up(&mut self, side: usize, sink: &mut Sink) {
        let Some(first) = self.flows[side].first() else { return };
        let (start, ack, rest) = (first.start, first.ack, first.rest);
        match self.flows[side].next {
            None => return self.flows[side].next = Some(start),
            Some(next) if start > next => {
                return self.hole(side, next, start, sink);
            }
            Some(_) if rest => return self.deliver(side, sink),
            Some(_) => {}
        }
        let other = &self.flows[1 - side];
        let Some(ack) = ack else { return self.deliver(side, sink) };
        let rest = other.first().is_some_and(|piece| piece.rest);
        let first = other.first().map_or(ack, |piece| piece.start);
        match other.next {
            None => self.flows[1 - side].next = Some(ack.min(first)),
            // Both wait for each other: requests come first.
            Some(next) if first <= next => {
                let waits = other.first().is_some();
                let other = rest || waits && self.client == Some(1 - side);
                self.deliver(if other { 1 - side } else { side }, sink);
            }
            Some(next) => self.hole(1 - side, next, ack.min(first), sink),
        }
    }

    /// Bytes of a side are lost.
    fn hole(&mut self, side: usize, from: i64, to: i64, sink: &mut Sink) {
        self.flows[side].next = Some(to);
        self.missing(side, from, to, sink);
    }

    /// The first piece that a side holds has its turn.
    fn deliver(&mut self, side: usize, sink: &mut Sink) {
        let flow = &mut self.flows[side];
        let Some((piece, next)) = flow.take().zip(flow.next) else { return };
        self.held = self.held.saturating_sub(piece.bytes.len());
        let (mut end, reset) = (piece.end(), piece.reset);
        if piece.start < next && !piece.rest {
            for number in flow.requests_in(piece.start, end.min(next)) {
                if let Some(exchange) = sink.exchange(number) {
                    exchange.again(piece.mark);
                }
            }
        }
        let kept = (piece.start + piece.bytes.len() as i64).max(next);
        let held = match piece.rest {
            // Whatever had these bytes would have been here by now.
            true => flow.held_between(kept, end),
            // Another packet may have what was cut off.
            false => Some(kept),
        };
        if let Some(held) = held.filter(|_| kept < end) {
            flow.hold(Piece {
                start: held,
                bytes: Vec::new(),
                length: end - held,
                reset: false,
                rest: true,
                ..piece
            });
            end = held;
        }
        if end > next {
            flow.next = Some(end);
            let old = next.saturating_sub(piece.start).max(0) as usize;
            let bytes = piece.bytes.get(old..).unwrap_or_default();
            let start = piece.start.max(next);
            self.bytes(side, start, bytes, &piece, sink);
            let captured = start + bytes.len() as i64;
            if self.client == Some(1 - side) && !bytes.is_empty() {
                self.pairing.server_sent(captured, may_end_head(bytes));
            }
            if captured < end {
                self.missing(side, captured, end, sink);
            }
        }
        self.reset |= reset;
        let flow = &self.flows[side];
        if flow.fin.is_some() && flow.fin <= flow.next {
            self.finish(side, true, sink);
        }
    }

    /// Whose bytes these are, by how they begin.
    fn find_client(&mut self, side: usize, bytes: &[u8]) {
        if self.client.is_none() {
            let blank = bytes.iter().take_while(|b| b"\r\n".contains(b));
            let begin = &bytes[blank.count()..];
            if begin.starts_with(b"HTTP/1.") {
                self.client = Some(1 - side);
            } else if begins_message(true, begin) {
                self.client = Some(side);
            }
            let Some(client) = self.client else { return };
            self.states[client] = State::Adrift;
            if let Some(at) = self.unread[client].version.take() {
                self.pairing.cannot_read(at);
            }
            self.states[1 - client] = State::Adrift;
        }
        let Some(client) = self.client else { return };
        if let Some(begin) = self.flows[client].begin {
            self.pairing.client_begins(begin);
        }
        if let Some(begin) = self.flows[1 - client].begin {
            self.pairing.server_begins(begin);
        }
    }

    /// Bytes of a side, right behind those before.
    fn bytes(
        &mut self,
        side: usize,
        start: i64,
        bytes: &[u8],
        piece: &Piece,
        sink: &mut Sink,
    ) {
        if bytes.is_empty() {
            return;
        }
        self.find_client(side, bytes);
        if self.client.is_none() {
            return self.adrift(side, start, bytes);
        }
        let asks = self.client == Some(side);
        let mut rest = bytes;
        let mut at = start;
        while !rest.is_empty() {
            let state = std::mem::take(&mut self.states[side]);
            let mut open = match state {
                State::Dead => return self.states[side] = State::Dead,
                State::Adrift if at > start || !begins_message(asks, rest) => {
                    self.states[side] = State::Adrift;
                    if asks {
                        self.adrift(side, at, rest);
                    }
                    return;
                }
                State::Border | State::Adrift => {
                    let blank =
                        rest.iter().take_while(|b| b"\r\n".contains(b));
                    let blank = blank.count();
                    if blank > 0 {
                        let behind = at + blank as i64;
                        if asks {
                            self.pairing.blank(at, behind);
                        } else {
                            self.pairing.server_blank(at, behind);
                        }
                        rest = &rest[blank..];
                        at = behind;
                        self.states[side] = State::Border;
                        continue;
                    }
                    Box::new(Open {
                        start: at,
                        ack: piece.ack,
                        first: piece.mark,
                        last: piece.mark,
                        bytes: Vec::new(),
                        scanned: 0,
                        head_ended: false,
                        progress: Progress::default(),
                        decided: false,
                        head: None,
                    })
                }
                State::Message(open) => open,
            };
            open.last = piece.mark;
            if open.head.is_none() {
                let taken = open.take_head(rest);
                rest = &rest[taken..];
                at += taken as i64;
                if !open.head_ended {
                    let hopeless = !rest.is_empty()
                        || !may_begin_message(asks, &open.bytes);
                    self.states[side] = if hopeless {
                        self.lose_border(side, &open);
                        self.adrift(side, at, rest);
                        State::Adrift
                    } else {
                        State::Message(open)
                    };
                    return;
                }
                if !self.head(side, &mut open, sink) {
                    self.lose_border(side, &open);
                    // What stands in the rest of the segment is not known.
                    self.adrift(side, at, rest);
                    self.states[side] = State::Adrift;
                    return;
                }
                if matches!(self.states[side], State::Dead) {
                    // No body is behind what opens a tunnel.
                    return self.emit(side, *open, 0, sink);
                }
            }
            let Some(head) = &mut open.head else { return };
            let (taken, whole) = head.body.take(rest);
            head.came += taken as u64;
            if head.keep {
                let room = sink.longest.saturating_sub(open.bytes.len());
                open.bytes.extend(&rest[..taken.min(room)]);
            }
            rest = &rest[taken..];
            at += taken as i64;
            if whole {
                self.whole(side, *open, at, sink);
                if self.one_by_one {
                    return self.left = rest.len();
                }
            } else {
                open.decide();
                self.states[side] = State::Message(open);
            }
        }
    }

    /// Bytes of a side that no message is known to begin with.
    fn adrift(&mut self, side: usize, at: i64, bytes: &[u8]) {
        const VERSION: &[u8] = b" HTTP/1.";
        let Unread { end, tail, version } = &mut self.unread[side];
        if *end != at {
            tail.clear();
        }
        tail.extend(&bytes[..bytes.len().min(VERSION.len())]);
        if memmem::find(tail, VERSION).is_some()
            || memmem::find(bytes, VERSION).is_some()
        {
            version.get_or_insert(at);
        }
        if bytes.len() > VERSION.len() {
            tail.clear();
            tail.extend(&bytes[bytes.len() - VERSION.len()..]);
        } else {
            let old = tail.len().saturating_sub(VERSION.len());
            tail.drain(..old);
        }
        *end = at + bytes.len() as i64;
        if self.client == Some(side) {
            if let Some(at) = version.take() {
                self.pairing.cannot_read(at);
            }
        }
    }

    /// What began is no message, and nobody knows where this side's next one
    /// begins.
    fn lose_border(&mut self, side: usize, open: &Open) {
        self.adrift(side, open.start, &open.bytes);
        if self.client == Some(side) {
            self.pairing.request_ends(None);
        } else {
            self.pairing.doubt_border();
        }
    }

    /// The head of a message is there. Tells whether it is one.
    fn head(&mut self, side: usize, open: &mut Open, sink: &mut Sink) -> bool {
        let context = Context { flags: HEAD_ONLY, ..Context::default() };
        let Ok(message) = message::parse(&open.bytes, &context) else {
            return false;
        };
        let asks = self.client == Some(side);
        let whole = message.has(HEAD_COMPLETE);
        match (asks, message.kind) {
            (true, KIND_REQUEST) => {
                self.request(side, open, &message, whole, sink);
            }
            (false, KIND_RESPONSE) if message.status >= 100 => {
                self.response(side, open, &message, whole, sink);
            }
            _ => return false,
        }
        true
    }

    fn request(
        &mut self,
        side: usize,
        open: &mut Open,
        message: &Message,
        whole: bool,
        sink: &mut Sink,
    ) {
        let body = Body::of(message);
        let behind = open.start + open.bytes.len() as i64;
        let end = body.length().map(|length| position::behind(behind, length));
        let class = classify(&open.bytes, &Context::default());
        let keep = !matches!(class, Ok(Class::No) | Err(_));
        let exchange = if message.is_ours() { sink.next_number() } else { 0 };
        let request = request_of(message, exchange, open.start, &open.bytes);
        let fresh = self.flows[side].begin == Some(open.start);
        let early = self.pairing.request(
            open.start,
            end.filter(|_| whole),
            open.ack,
            fresh,
            request,
        );
        if fresh {
            self.server_rests(1 - side, open.ack, sink);
        }
        let exchange = match early {
            Some(early) => {
                if let Some(exchange) = sink.exchange(early) {
                    exchange.asked(message, open.first);
                }
                early
            }
            None if exchange != 0 => sink.ask(message, open.first),
            None => 0,
        };
        if exchange != 0 {
            self.flows[side].keep_request(open.start, exchange);
        }
        open.head = Some(Head {
            body,
            keep,
            context: Context::default(),
            exchange,
            flags: 0,
            interim: false,
            certain: true,
            status: 0,
            came: 0,
        });
    }

    /// At rest the server's next byte begins a message, whatever the ones
    /// before it looked like.
    fn server_rests(
        &mut self,
        server: usize,
        at: Option<i64>,
        sink: &mut Sink,
    ) {
        if self.flows[server].next != at {
            return;
        }
        let state = std::mem::replace(&mut self.states[server], State::Border);
        match state {
            State::Dead => self.states[server] = State::Dead,
            State::Message(open) => self.cut(server, *open, false, sink),
            State::Border | State::Adrift => {}
        }
    }

    fn response(
        &mut self,
        side: usize,
        open: &mut Open,
        message: &Message,
        whole: bool,
        sink: &mut Sink,
    ) {
        let interim = matches!(message.status, 100 | 102..=199);
        let answers = self.pairing.response(open.start, open.ack, interim);
        let mut context = Context::default();
        let (mut exchange, mut flags) = (0, 0);
        let (mut certain, mut early) = (true, false);
        let mut tunnel = message.status == 101;
        match answers {
            Answers::One(request) => {
                context.request = Some(
                    message::Request::new(request.message_type).with_method(
                        Method::from_number(request.method)
                            .unwrap_or_default(),
                    ),
                );
                exchange = request.exchange;
                if let Some(answers) = &mut sink.answers {
                    answers.push_back(Answer {
                        connection: self.number,
                        ends: self.ends_of(side),
                        response: open.start as u32,
                        request: request.start as u32,
                    });
                }
            }
            Answers::Several {
                message_type,
                other,
                head,
                connect,
                unseen,
            } => {
                let request = match message_type {
                    _ if other => Some(TYPE_NONE),
                    Some(message_type) => Some(message_type),
                    // One of ours, or none that was seen.
                    None if unseen => None,
                    None => Some(TYPE_OTHER_REQUEST),
                };
                context.request = request.map(message::Request::new);
                flags |= super::UNCERTAIN;
                certain = !(head || unseen);
                tunnel |= connect && message.status / 100 == 2;
            }
            Answers::Unseen => {
                early = true;
                certain = interim;
            }
            Answers::Nothing => {
                context.request = Some(message::Request::new(TYPE_NONE));
            }
        }
        let read = Context { flags: HEAD_ONLY, ..context };
        let message = message::parse(&open.bytes, &read).unwrap_or(*message);
        tunnel |= message.method == Method::Connect as u32
            && message.status / 100 == 2;
        let class = classify(&open.bytes, &context);
        // Of a head that is cut its request says whose it is.
        let known = matches!(answers, Answers::One(_));
        let keep = !interim
            && (whole || known)
            && match class {
                Ok(Class::No) | Err(_) => false,
                Ok(Class::Yes(_) | Class::More(_)) => true,
            };
        if keep && exchange == 0 {
            exchange = sink.orphan();
            if early && open.ack.is_none() {
                self.pairing.keep_early(open.start, exchange);
            }
        }
        if let Some(exchange) = sink.exchange(exchange).filter(|_| !interim) {
            exchange.answered(message.status, open.first, flags);
        }
        if tunnel {
            self.states = [State::Dead, State::Dead];
        }
        open.head = Some(Head {
            body: Body::of(&message),
            keep,
            context,
            exchange,
            flags,
            interim,
            certain,
            status: message.status,
            came: 0,
        });
    }

    /// A message is there to its end.
    fn whole(&mut self, side: usize, open: Open, end: i64, sink: &mut Sink) {
        self.states[side] = State::Border;
        if self.client == Some(side) {
            self.pairing.request_ends(Some(end));
            self.emit(side, open, 0, sink);
        } else {
            self.pairing.response_ends(Some(end));
            let head = open.head.as_ref();
            if head.is_some_and(|head| !head.certain) {
                self.pairing.doubt_border();
            }
            self.emit(side, open, 0, sink);
        }
    }

    /// A message ends early, or what is behind is not known.
    fn cut(
        &mut self,
        side: usize,
        mut open: Open,
        over: bool,
        sink: &mut Sink,
    ) {
        let asks = self.client == Some(side);
        if open.head.is_none() && !self.head(side, &mut open, sink) {
            return self.lose_border(side, &open);
        }
        if asks {
            self.pairing.request_ends(None);
        } else {
            self.pairing.response_ends(None);
        }
        if over && !asks {
            let head = open.head.as_ref();
            let number = head.map_or(0, |head| head.exchange);
            if let Some(exchange) = sink.exchange(number) {
                exchange.flags |= super::BROKEN_OFF;
            }
        }
        self.emit(side, open, 0, sink);
    }

    /// Bytes of a side are missing.
    fn missing(&mut self, side: usize, from: i64, to: i64, sink: &mut Sink) {
        let state = std::mem::take(&mut self.states[side]);
        self.states[side] = match state {
            State::Dead => State::Dead,
            State::Border | State::Adrift => State::Adrift,
            State::Message(mut open) => {
                let left = open
                    .head
                    .as_ref()
                    .and_then(|head| head.body.length())
                    .map(|left| position::behind(from, left));
                let Some(end) = left else {
                    self.cut(side, *open, false, sink);
                    return self.states[side] = State::Adrift;
                };
                let asks = self.client == Some(side);
                let ended = end <= to;
                if let Some(head) = &mut open.head {
                    head.body = Body::Length((end - to).max(0) as u64);
                }
                let rest = Open {
                    bytes: Vec::new(),
                    head: open
                        .head
                        .as_ref()
                        .map(|head| Head { keep: false, ..*head }),
                    ..*open
                };
                self.emit(side, *open, 0, sink);
                match ended {
                    false => State::Message(Box::new(rest)),
                    true => {
                        if asks {
                            self.pairing.request_ends(Some(end));
                        } else {
                            self.pairing.response_ends(Some(end));
                            if rest.head.is_some_and(|head| !head.certain) {
                                self.pairing.doubt_border();
                            }
                        }
                        if end == to {
                            State::Border
                        } else {
                            State::Adrift
                        }
                    }
                }
            }
        };
    }

    /// A side sends no more.
    fn finish(&mut self, side: usize, closed: bool, sink: &mut Sink) {
        let state = std::mem::replace(&mut self.states[side], State::Dead);
        if let State::Message(open) = state {
            let close = open
                .head
                .as_ref()
                .is_some_and(|head| matches!(head.body, Body::UntilClose));
            if close && closed {
                self.emit(side, *open, END_OF_STREAM, sink);
            } else {
                self.cut(side, *open, closed, sink);
            }
        }
    }

    /// A side and the other one.
    fn ends_of(&self, side: usize) -> [End; 2] {
        [self.ends[side], self.ends[1 - side]]
    }

    /// Hands out a message, if it is ours.
    fn emit(&mut self, side: usize, open: Open, flags: u32, sink: &mut Sink) {
        let Some(head) = open.head else { return };
        let asks = self.client == Some(side);
        let context = Context { flags, ..head.context };
        let parsed = head
            .keep
            .then(|| message::parse(&open.bytes, &context).ok())
            .flatten();
        let ours = parsed.filter(|message| message.is_ours());
        let mut number = head.exchange;
        if asks {
            if let Some(message) = parsed {
                if ours.is_some() && number == 0 {
                    number = sink.ask(&message, open.first);
                    self.flows[side].keep_request(open.start, number);
                }
                if let Some(exchange) = sink.exchange(number) {
                    exchange.request_type = message.message_type;
                    exchange.request_method = message.method;
                }
                let request =
                    request_of(&message, number, open.start, &open.bytes);
                self.pairing.amend(open.start, request);
            }
        } else if let Some(exchange) = sink.exchange(number) {
            if !head.interim {
                exchange.response_bytes = head.came;
            }
        }
        let Some(message) = ours else { return };
        let missing = head.body.length().unwrap_or(0);
        sink.found(Found {
            message,
            context,
            exchange: number,
            flags: head.flags,
            sequence: open.start as u32,
            first: open.first.tag,
            last: open.last.tag,
            time: open.first.time,
            connection: self.number,
            ends: self.ends_of(side),
            missing,
            bytes: open.bytes,
        });
    }
}

impl Open {
    /// Takes the bytes that belong to the head, as far as they may; tells how
    /// many.
    fn take_head(&mut self, bytes: &[u8]) -> usize {
        let before = self.bytes.len();
        // What stands behind it is not copied for each of many messages.
        for step in bytes.chunks(STEP) {
            if self.head_ended || self.bytes.len() > LONGEST_HEAD {
                break;
            }
            self.bytes.extend(step);
            if let Some(end) = self.end_of_head() {
                self.bytes.truncate(end);
                self.head_ended = true;
            }
        }
        self.bytes.len() - before
    }

    /// Where the head ends, once it does.
    fn end_of_head(&mut self) -> Option<usize> {
        let from = self.scanned.saturating_sub(3);
        let end = head::blank_line(&self.bytes[from..]);
        self.scanned = self.bytes.len();
        // A blank line at the very beginning of what is looked at is the
        // end of a line that was looked at before.
        match end {
            Some(end) if from == 0 => Some(end),
            Some(_) => {
                let near = &self.bytes[from..];
                let crlf = memmem::find(near, b"\n\r\n").map(|i| i + 3);
                let lf = memmem::find(near, b"\n\n").map(|i| i + 2);
                let end = match (crlf, lf) {
                    (Some(a), Some(b)) => a.min(b),
                    (a, b) => a.or(b)?,
                };
                Some(from + end)
            }
            None => None,
        }
    }

    /// Lets go of a body that cannot be ours any more.
    fn decide(&mut self) {
        let Some(head) = self.head.as_mut().filter(|head| head.keep) else {
            return;
        };
        if head.context.request.is_none() && head.status != 0 && !self.decided
        {
            match self.progress.classify(&self.bytes, &head.context) {
                Ok(Class::More(_)) => {}
                Ok(Class::Yes(_)) => self.decided = true,
                Ok(Class::No) | Err(_) => {
                    head.keep = false;
                    self.bytes = Vec::new();
                }
            }
        }
    }
}

/// What the rule has to know of a request.
fn request_of(
    message: &Message,
    exchange: u64,
    start: i64,
    bytes: &[u8],
) -> Request {
    let other = !message.is_ours();
    let expects = memmem::find_iter(bytes, b"\n").any(|line| {
        let name = bytes.get(line + 1..line + 8).unwrap_or_default();
        name.eq_ignore_ascii_case(b"expect:")
    });
    Request {
        message_type: message.message_type,
        method: message.method,
        exchange,
        interim: other || expects,
        other,
        start,
    }
}

/// Whether a blank line may end with these bytes. A single one may be that of
/// a keep-alive, which is any.
fn may_end_head(bytes: &[u8]) -> bool {
    let blank = [&b"\n\r\n"[..], b"\n\n"];
    bytes.len() == 1
        || blank.iter().any(|end| bytes.ends_with(end) || end.ends_with(bytes))
}

/// Whether the first bytes of a segment are those of a message.
fn begins_message(asks: bool, bytes: &[u8]) -> bool {
    let line = memchr::memchr(b'\n', bytes).map_or(bytes, |i| &bytes[..i]);
    if !asks {
        return bytes.starts_with(b"HTTP/1.");
    }
    may_begin_message(true, bytes)
        && (line.len() == bytes.len()
            || line.trim_ascii_end().len() >= 8
                && memmem::rfind(line, b" HTTP/1.").is_some())
}

/// Whether bytes may be those of a message.
fn may_begin_message(asks: bool, bytes: &[u8]) -> bool {
    if !asks {
        let version = b"HTTP/1.";
        let near = bytes.len().min(version.len());
        return bytes[..near] == version[..near];
    }
    let near = &bytes[..bytes.len().min(24)];
    let letter = |b: &u8| b.is_ascii_uppercase() || *b == b'-';
    match near.iter().position(|b| !letter(b)) {
        Some(end) => end > 0 && near[end] == b' ',
        None => bytes.len() < 24,
    }
}

impl Exchange {
    fn asked(&mut self, message: &Message, mark: Mark) {
        self.request_type = message.message_type;
        self.request_method = message.method;
        self.request = mark;
        self.tries = 1;
    }

    fn answered(&mut self, status: u32, mark: Mark, flags: u32) {
        self.status = status;
        self.flags |= flags | super::ANSWERED;
        self.response = mark;
    }

    fn again(&mut self, mark: Mark) {
        self.flags |= super::RETRANSMITTED;
        self.tries += 1;
        self.last_try = mark;
    }
}
