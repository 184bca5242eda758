/*!
Who answers whom: the messages of TCP connections, each with its exchange.

A response of this protocol is what its request makes it, so who shows one as
the answer to a request must be right, or say nothing. That is easy while all
of a connection was captured: responses come in the order of their requests.
But captures lose packets, and a queue that has lost an answer gives every
later one to the wrong request. So the rule here is: **a link is certain, or
there is none**. It is not kept everywhere yet: a fuzzer that steers the
simulator of the tests finds odd connections whose links are wrong.

A [`Tracker`] is given TCP's segments, in the order of the capture, and hands
out the messages of this protocol among their bytes, in the order in which
they are whole. Each has the number of an [`Exchange`], which says what is
known of request and response, also what comes to be known later.

# The rule

- What was captured is put in its order first. A segment has its turn when all
  bytes have come that stand before it, and all that it acknowledges: then the
  server's answer comes behind its request whatever card captured it. What is
  missing for 64 packets of the connection, or two seconds, is lost.
- Requests and responses are counted, and acknowledgements looked at
  (`pairing`). A response belongs to a request if nothing else can be: none
  that was captured, and none that may have been asked or answered where bytes
  are missing. Otherwise it is [`UNCERTAIN`], and has no link. If a request of
  another kind is among those that it may answer, it is left to HTTP.
- Only a response that answers nothing that was captured is judged by itself.
- Where a connection comes to rest, certainty begins anew: nothing is on its
  way in either direction, the client asks, and the first that the server
  sends then is an answer that acknowledges it. Whatever the bytes before
  looked like, a message begins there.
- Where the connection's beginning was not captured, a request before the
  first one may wait for its answer: the first answers are uncertain.
- A message's head may have been captured, and not all of its body. By its
  length its end is known all the same; with chunks it is not.
- Behind a 101, and behind a 2xx that answers a CONNECT, there is no HTTP.

A connection is its two addresses and ports, and the caller's number for it.
A SYN with another sequence number begins it anew, and so does a sequence
number that it cannot have come to.

# What cannot be known

A server that owes an answer, has sent all else and takes its time, while a
client that does not wait sends one more request, looks as though it were at
rest. Where the capture shows that requests wait, it is none. But when all
that shows it was lost, the next answer goes to the wrong request. Nothing in
the packets tells; clients and servers that do this are not known.

# Whoever has no packets

The two directions of a connection, as a proxy has them, are segments as well:
a [`SYN`] of each side, the client's first, and then bytes at their positions
with [`Segment::acknowledged`] `None`. Answers are paired in order then.
A request must be given before its answer where it is a HEAD.

# Memory and time

Time is linear in the bytes. A connection takes some 700 bytes, 40 for each
request that waits (at most 4096 wait) and 24 for each of the last 1024; at
most 65,536 connections are followed, and the one that was quiet for longest
is given up. Bytes are held of messages that are or may be of this protocol,
up to 16 MiB of one; of heads up to 64 KiB; and of what waits for its turn,
up to 1 MiB of a connection. Each exchange takes 120 bytes until it is
[forgotten](Tracker::forget).
*/

mod body;
mod connection;
mod flow;
mod pairing;
mod position;

use crate::message::{Context, Message};
use crate::types::TYPE_NONE;
use connection::Connection;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// [`Segment::flags`]: it opens a connection.
pub const SYN: u32 = 1;
/// [`Segment::flags`]: nothing follows it.
pub const FIN: u32 = 2;
/// [`Segment::flags`]: the connection is broken off.
pub const RST: u32 = 4;

/// [`Exchange::flags`]: a response to it was seen.
pub const ANSWERED: u32 = 1;
/// [`Exchange::flags`], [`Found::flags`]: it may answer one of several.
pub const UNCERTAIN: u32 = 2;
/// [`Exchange::flags`]: the connection ended, or what there is of it, and
/// nobody had answered.
pub const UNANSWERED: u32 = 4;
/// [`Exchange::flags`]: the request was sent again.
pub const RETRANSMITTED: u32 = 8;
/// [`Exchange::flags`]: the response began, and ended early.
pub const BROKEN_OFF: u32 = 16;

/// Connections that are followed at once.
const MOST_CONNECTIONS: usize = 1 << 16;

/// One end of a connection.
pub type End = (IpAddr, u16);

/// A TCP segment, as far as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Who sent it to whom.
    pub ends: [End; 2],
    /// The caller's number for the connection, or 0.
    pub connection: u64,
    /// Sequence number.
    pub sequence: u32,
    /// What it acknowledges, if it does.
    pub acknowledged: Option<u32>,
    /// [`SYN`], [`FIN`], [`RST`].
    pub flags: u32,
    /// Length of the payload on the wire.
    pub length: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
    /// Identification of the IP packet, which tells a mirror port's copy.
    pub identification: Option<u16>,
    /// Whatever the caller wants to have back, such as a frame's number.
    pub tag: u64,
    /// When it was captured, in nanoseconds.
    pub time: u64,
}

/// Where something was captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// The caller's tag.
    pub tag: u64,
    /// When, in nanoseconds.
    pub time: u64,
}

/// A message that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it is.
    pub message: Message,
    /// What it was read with.
    pub context: Context,
    /// Its exchange.
    pub exchange: u64,
    /// [`UNCERTAIN`].
    pub flags: u32,
    /// Sequence number of its first byte.
    pub sequence: u32,
    /// Tags of the segments that its first and last byte came with.
    pub first: u64,
    /// See `first`.
    pub last: u64,
    /// When it began.
    pub time: u64,
    /// Who sent it to whom.
    pub ends: [End; 2],
    /// Announced bytes that are not at hand.
    pub missing: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A request and the response to it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// Its number, from 1.
    pub number: u64,
    /// Type of the request, [`TYPE_NONE`] if none was seen.
    pub request_type: u32,
    /// Its method.
    pub request_method: u32,
    /// Where it begins.
    pub request: Mark,
    /// Where its last retransmission begins.
    pub last_try: Mark,
    /// How often it was sent.
    pub tries: u32,
    /// Where the response begins.
    pub response: Mark,
    /// Status of the response.
    pub status: u32,
    /// [`ANSWERED`] and the like.
    pub flags: u32,
    /// Bytes of the response's body that came.
    pub response_bytes: u64,
}

/// Where connections put what they find.
#[derive(Debug)]
struct Sink {
    exchanges: VecDeque<Exchange>,
    first: u64,
    found: VecDeque<Found>,
    most_held: usize,
    longest: usize,
}

impl Sink {
    fn next_number(&self) -> u64 {
        self.first + self.exchanges.len() as u64
    }

    fn exchange(&mut self, number: u64) -> Option<&mut Exchange> {
        let at = number.checked_sub(self.first)?;
        self.exchanges.get_mut(usize::try_from(at).ok()?)
    }

    /// Begins an exchange of which there is a response alone.
    fn orphan(&mut self) -> u64 {
        let number = self.next_number();
        self.exchanges.push_back(Exchange {
            number,
            request_type: TYPE_NONE,
            request_method: 0,
            request: Mark::default(),
            last_try: Mark::default(),
            tries: 0,
            response: Mark::default(),
            status: 0,
            flags: 0,
            response_bytes: 0,
        });
        number
    }

    /// Begins an exchange with a request.
    fn ask(&mut self, message: &Message, mark: Mark) -> u64 {
        let number = self.orphan();
        if let Some(exchange) = self.exchange(number) {
            exchange.request_type = message.message_type;
            exchange.request_method = message.method;
            exchange.request = mark;
            exchange.tries = 1;
        }
        number
    }

    fn found(&mut self, found: Found) {
        self.found.push_back(found);
    }
}

/// Follows connections.
#[derive(Debug)]
pub struct Tracker {
    connections: HashMap<[End; 2], Connection>,
    /// Those of which nothing has come for long: when the others are too
    /// many, these are given up, and all others become these.
    quiet: HashMap<[End; 2], Connection>,
    sink: Sink,
}

impl Default for Tracker {
    fn default() -> Tracker {
        Tracker::new()
    }
}

impl Tracker {
    /// One that has seen nothing.
    pub fn new() -> Tracker {
        Tracker {
            connections: HashMap::new(),
            quiet: HashMap::new(),
            sink: Sink {
                exchanges: VecDeque::new(),
                first: 1,
                found: VecDeque::new(),
                most_held: 1 << 20,
                longest: 1 << 24,
            },
        }
    }

    /// Takes a segment, in the order of the capture.
    pub fn segment(&mut self, segment: &Segment) {
        let [from, to] = segment.ends;
        let side = usize::from(from > to);
        let key = if from > to { [to, from] } else { [from, to] };
        if let Some(connection) = self.quiet.remove(&key) {
            self.connections.insert(key, connection);
        }
        if self.connections.len() >= MOST_CONNECTIONS / 2
            && !self.connections.contains_key(&key)
        {
            for connection in self.quiet.values_mut() {
                connection.end(false, &mut self.sink);
            }
            self.quiet = std::mem::take(&mut self.connections);
        }
        let connection = self
            .connections
            .entry(key)
            .or_insert_with(|| Connection::new(segment.connection, key));
        if connection.is_over(side, segment) {
            connection.end(true, &mut self.sink);
            *connection = Connection::new(segment.connection, key);
        }
        connection.segment(side, segment, &mut self.sink);
    }

    /// Forgets exchanges up to this number, and with them that a request of
    /// theirs was sent again.
    pub fn forget(&mut self, number: u64) {
        let sink = &mut self.sink;
        while sink.first <= number && sink.exchanges.pop_front().is_some() {
            sink.first += 1;
        }
    }

    /// There are no more segments.
    pub fn finish(&mut self) {
        let all = self.quiet.values_mut().chain(self.connections.values_mut());
        for connection in all {
            connection.end(false, &mut self.sink);
        }
    }

    /// The next message of those that were found.
    pub fn next_found(&mut self) -> Option<Found> {
        self.sink.found.pop_front()
    }

    /// What is known of an exchange.
    pub fn exchange(&self, number: u64) -> Option<&Exchange> {
        let at = number.checked_sub(self.sink.first)?;
        self.sink.exchanges.get(usize::try_from(at).ok()?)
    }
}
