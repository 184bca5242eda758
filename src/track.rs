/*!
Who answers whom: the messages of TCP connections, each with its exchange.

A response of this protocol is what its request makes it, so who shows one as
the answer to a request must be right, or say nothing. That is easy while all
of a connection was captured: responses come in the order of their requests.
But captures lose packets, and a queue that has lost an answer gives every
later one to the wrong request. So the rule here is: **a link is certain, or
there is none**.

A [`Tracker`] is given TCP's segments, in the order of the capture, and hands
out the messages of this protocol among their bytes, in the order in which
they are whole. Each has the number of an [`Exchange`], which says what is
known of request and response, also what comes to be known later.

# The rule

- What was captured is put in its order first. A segment has its turn when all
  bytes have come that stand before it, and all that it acknowledges: then the
  server's answer comes behind its request whatever card captured it. What is
  missing for 256 packets of the connection, or two seconds, is lost; what is
  cut off by the capture is waited for alike, as another packet may have it.
- Requests and responses are counted, and acknowledgements looked at
  (`pairing`). A response belongs to a request if nothing else can be: none
  that was captured, and none that may have been asked or answered where bytes
  are missing. Otherwise it is [`UNCERTAIN`], and has no link. If a request of
  another kind is among those that it may answer, it is left to HTTP.
- Only a response that answers nothing that was captured is judged by itself.
- Nothing is taken for granted of when ends send. A client that has waited
  for each answer may stop doing so where its bytes are missing, and a server
  that owes two answers may take its time between them. So behind missing
  bytes of the client that may hold a request, and on a connection whose
  beginning was not captured, no answer is certain any more.
- Behind missing bytes of the server it is where acknowledgements leave one
  request alone: one that was not sent yet when the bytes in question came
  back, or not received when they were sent, is none of them.
- A message's head may have been captured, and not all of its body. By its
  length its end is known all the same; with chunks it is not.
- Behind a 101, and behind a 2xx that answers a CONNECT, there is no HTTP.

A connection is its two addresses and ports, and the caller's number for it.
A SYN with another sequence number begins it anew, and so does a sequence
number that it cannot have come to.

# What it rests on

Three things are no law of TCP's or HTTP's, and are so of this protocol and of
what shares its ports:

- An interim response comes only where the client expects one, or from a
  server of the web.
- What looks like a response and is none is part of a page of the web; no
  answer of this protocol shows another one, head and all, where a segment
  begins. And where a request acknowledges a page up to a byte, and that byte
  acknowledges the request, it is no longer the page's.
- Whoever opens a connection between the same ends again counts on from where
  the one before had come to, as clocks do.

Behind missing bytes of the client, a segment that begins like a request of
this protocol is shown as one. It may be part of what a page was sent; it is
linked to nothing.

# Whoever has no packets

A proxy has the bytes of a connection's two directions, and so has who reads
files of tcpflow. [`Tracker::bytes`] takes them, in whatever order they are at
hand; it is the tracker that lets a response wait for its request, and a
request for the response to the one before it. Nothing is lost, so each
response answers the first request that waits.

```
use mcas::track::{Side, Tracker};

let asked = b"GET /fw/RTS300HI/a.bin HTTP/1.1\r\n\
    Host: verup-mcas.odm00015.flets\r\n\r\n";
let told = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\x7fELF";

let mut tracker = Tracker::new();
for (side, bytes) in [(Side::Server, &told[..]), (Side::Client, asked)] {
    tracker.bytes(1, side, bytes, 0);
    tracker.end(1, side);
}
tracker.finish();
let found: Vec<_> = std::iter::from_fn(|| tracker.next_found()).collect();
let types: Vec<_> = found.iter().map(|f| f.message.message_type).collect();
assert_eq!(types, [mcas::types::TYPE_FIRMWARE_REQUEST, 4]);
assert_eq!(found[0].exchange, found[1].exchange);
```

# Memory and time

Time is linear in the bytes. A connection takes some 2 KiB, 80 bytes for each
request that waits (at most 4096 wait) and 32 for each of the last 1024. Bytes
are held of messages that are or may be of this protocol, up to 16 MiB of one;
of heads up to 64 KiB; and of what waits for its turn, up to 1 MiB of a
connection, or 16 MiB of a direction that came without packets. At most 65,536
connections are followed, and as many without packets; those with packets hold
no more than 128 MiB all together: then those that were quiet for longest are
given up. Each exchange takes 120 bytes until it is
[forgotten](Tracker::forget), and what was found its bytes until it is taken.
*/

mod body;
mod connection;
mod flow;
mod followed;
mod pairing;
mod position;
mod stream;

use crate::message::{Context, Message};
use crate::types::TYPE_NONE;
use connection::Connection;
use followed::Followed;
use std::collections::VecDeque;
use std::net::IpAddr;
use stream::Stream;

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

/// What all connections may hold, in bytes.
const MOST_MEMORY: usize = 1 << 27;

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

/// Which of a connection's two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that asks.
    Client = 0,
    /// The one that answers.
    Server = 1,
}

/// What became of bytes that a [`Tracker`] was given without packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// They were read, up to what is not whole.
    Read,
    /// Not all has its turn before more comes of the other direction.
    Waiting,
    /// This direction is not read any further: a tunnel is in it, or another
    /// protocol.
    Over,
    /// It is not HTTP, and not read any further.
    NotHttp,
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
    /// The caller's number for its connection.
    pub connection: u64,
    /// Who sent it to whom.
    pub ends: [End; 2],
    /// Announced bytes that are not at hand.
    pub missing: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A response, of this protocol or not, and the request that it answers: for
/// those who read the bytes of both themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The caller's number for their connection.
    pub connection: u64,
    /// Who sent the response to whom.
    pub ends: [End; 2],
    /// Sequence number of the response's first byte.
    pub response: u32,
    /// Sequence number of the request's.
    pub request: u32,
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
    answers: Option<VecDeque<Answer>>,
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
    connections: Followed<[End; 2], Connection>,
    /// What they hold.
    memory: usize,
    most_memory: usize,
    streams: Followed<u64, Stream>,
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
            connections: Followed::default(),
            memory: 0,
            most_memory: MOST_MEMORY,
            streams: Followed::default(),
            sink: Sink {
                exchanges: VecDeque::new(),
                first: 1,
                found: VecDeque::new(),
                answers: None,
                most_held: 1 << 20,
                longest: 1 << 24,
            },
        }
    }

    /// One that has seen nothing, and keeps each [`Answer`] until
    /// [`Tracker::next_answer`] takes it.
    pub fn with_answers() -> Tracker {
        let mut tracker = Tracker::new();
        tracker.sink.answers = Some(VecDeque::new());
        tracker
    }

    /// Takes a segment, in the order of the capture.
    pub fn segment(&mut self, segment: &Segment) {
        let [from, to] = segment.ends;
        let side = usize::from(from > to);
        let key = if from > to { [to, from] } else { [from, to] };
        let sink = &mut self.sink;
        let (mut new, mut freed) = (0, 0);
        let connection = self.connections.get(
            key,
            || {
                let connection = Connection::new(segment.connection, key);
                new = connection.memory();
                connection
            },
            |quiet| {
                freed += quiet.memory();
                quiet.end(false, sink);
            },
        );
        let before = connection.memory() - new + freed;
        let mut held = vec![];
        if connection.is_over(side, segment) {
            held = connection.take_held(side, segment);
            connection.end(true, &mut self.sink);
            *connection = Connection::new(segment.connection, key);
        }
        connection.segment(side, segment, &mut self.sink);
        connection.hold(held, &mut self.sink);
        self.memory = self.memory + connection.memory() - before;
        while self.memory > self.most_memory {
            let (memory, sink) = (&mut self.memory, &mut self.sink);
            self.connections.give_up(|quiet| {
                *memory -= quiet.memory();
                quiet.end(false, sink);
            });
        }
    }

    /// Takes bytes of one side of a connection, right behind those before,
    /// where there are no packets. `connection` is the caller's number for
    /// it, `tag` whatever it wants to have back, such as the time.
    pub fn bytes(
        &mut self,
        connection: u64,
        side: Side,
        bytes: &[u8],
        tag: u64,
    ) -> Taken {
        let stream = self.stream(connection);
        stream.0.bytes(side, bytes, tag, stream.1)
    }

    /// A side whose bytes were given sends no more. Once that is said of
    /// both, the number is free for another connection.
    pub fn end(&mut self, connection: u64, side: Side) -> Taken {
        let (stream, sink) = self.stream(connection);
        let taken = stream.end(side, sink);
        if stream.is_over() {
            stream.finish(sink);
            self.streams.remove(connection);
        }
        taken
    }

    fn stream(&mut self, number: u64) -> (&mut Stream, &mut Sink) {
        let sink = &mut self.sink;
        let give_up = |quiet: &mut Stream| quiet.finish(sink);
        let stream = self.streams.get(number, || Stream::new(number), give_up);
        (stream, &mut self.sink)
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
        for connection in self.connections.all() {
            connection.end(false, &mut self.sink);
        }
        for stream in self.streams.all() {
            stream.finish(&mut self.sink);
        }
    }

    /// The next message of those that were found.
    pub fn next_found(&mut self) -> Option<Found> {
        self.sink.found.pop_front()
    }

    /// The next response of those that were seen to answer a request for
    /// certain, of a tracker [with answers](Tracker::with_answers).
    pub fn next_answer(&mut self) -> Option<Answer> {
        self.sink.answers.as_mut()?.pop_front()
    }

    /// What is known of an exchange.
    pub fn exchange(&self, number: u64) -> Option<&Exchange> {
        let at = number.checked_sub(self.sink.first)?;
        self.sink.exchanges.get(usize::try_from(at).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// However many connections hold however much: requests that go on,
    /// segments that wait, small ones, and requests that wait.
    #[test]
    fn memory_is_bounded() {
        let body = [b'x'; 40_000];
        let head = "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
            User-Agent: M-CAS/1.0\r\nContent-Length: 99999999\r\n\r\n";
        let asks = "GET / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n";
        let asks = asks.repeat(50);
        let parts: [(&[u8], u32); 4] = [
            (head.as_bytes(), 0),
            (&body, head.len() as u32),
            (&body[..1], 1 << 20),
            (asks.as_bytes(), 0),
        ];
        let mut tracker = Tracker::new();
        tracker.most_memory = 1 << 22;
        let (mut most, mut given) = (0, 0);
        for i in 0..4_000u32 {
            let client = IpAddr::V4(Ipv4Addr::from(i / 2));
            let server = IpAddr::V4(Ipv4Addr::from(1 << 24));
            for (bytes, sequence) in &parts[i as usize % 3..][..2] {
                tracker.segment(&Segment {
                    ends: [(client, 1), (server, 80)],
                    connection: 0,
                    sequence: *sequence,
                    acknowledged: Some(0),
                    flags: 0,
                    length: bytes.len() as u32,
                    bytes,
                    identification: None,
                    tag: 1,
                    time: 0,
                });
                given += bytes.len();
                if i % 100 == 0 {
                    let all = tracker.connections.all();
                    let sum = all.map(|it| it.memory()).sum::<usize>();
                    assert_eq!(tracker.memory, sum);
                }
                most = most.max(tracker.memory);
                while tracker.next_found().is_some() {}
            }
        }
        assert!(given > 8 * tracker.most_memory, "{given}");
        assert!(most <= tracker.most_memory, "{most}");
        assert!(most > tracker.most_memory / 2, "{most}");
        tracker.finish();
    }
}
