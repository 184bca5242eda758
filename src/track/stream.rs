//! A connection of which somebody has the bytes of both directions, and no
//! packets: a proxy, or who has files as tcpflow writes them.
//!
//! Nothing is lost, so answers come in the order of their requests. Bytes have
//! their turn as if the client waited for each answer: a request when the one
//! before it is answered, a response when a whole request waits. So it does
//! not matter which direction is given first; what is found is a request, its
//! response, the next request; and what follows a CONNECT is not read unless
//! the server refuses it.

use super::connection::Connection;
use super::{Mark, Side, Sink, Taken};
use std::collections::VecDeque;

/// Memory for what waits of a direction. If it takes more, it does not wait.
const MOST_WAITING: usize = 1 << 24;

const CLIENT: usize = Side::Client as usize;
const SERVER: usize = Side::Server as usize;

/// One connection.
#[derive(Debug)]
pub(super) struct Stream {
    connection: Connection,
    sides: [Direction; 2],
}

/// What is still to be read of a direction.
#[derive(Debug, Default)]
struct Direction {
    waiting: VecDeque<Chunk>,
    /// How many bytes that is.
    length: usize,
    /// Nothing follows it.
    ended: bool,
    /// That was said.
    over: bool,
    /// It is not HTTP.
    strange: bool,
}

/// Bytes that were given at once.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    read: usize,
    tag: u64,
}

impl Direction {
    /// How much memory that takes, nearly: bytes may come one by one.
    fn size(&self) -> usize {
        self.length + self.waiting.len() * 2 * size_of::<Chunk>()
    }
}

impl Stream {
    /// One of which nothing is known but the caller's number.
    pub fn new(number: u64) -> Stream {
        Stream {
            connection: Connection::in_order(number),
            sides: Default::default(),
        }
    }

    /// Takes bytes of a side.
    pub fn bytes(
        &mut self,
        side: Side,
        bytes: &[u8],
        tag: u64,
        sink: &mut Sink,
    ) -> Taken {
        let side = side as usize;
        let direction = &mut self.sides[side];
        if !direction.ended && !bytes.is_empty() {
            direction.length += bytes.len();
            let bytes = bytes.to_vec();
            direction.waiting.push_back(Chunk { bytes, read: 0, tag });
        }
        self.turns(sink);
        self.taken(side)
    }

    /// A side sends no more.
    pub fn end(&mut self, side: Side, sink: &mut Sink) -> Taken {
        self.sides[side as usize].ended = true;
        self.turns(sink);
        self.taken(side as usize)
    }

    /// Whether both sides have ended, and all of it was read.
    pub fn is_over(&self) -> bool {
        self.sides.iter().all(|direction| direction.over)
    }

    /// Nothing comes any more.
    pub fn finish(&mut self, sink: &mut Sink) {
        while let Some(side) = (0..2).find(|&side| self.sides[side].length > 0)
        {
            self.read_alone(side, sink);
            self.turns(sink);
        }
        self.connection.end(self.is_over(), sink);
    }

    fn taken(&self, side: usize) -> Taken {
        let direction = &self.sides[side];
        if direction.strange {
            Taken::NotHttp
        } else if self.connection.is_dead(side) && !direction.over {
            Taken::Over
        } else if direction.length > 0 {
            Taken::Waiting
        } else {
            Taken::Read
        }
    }

    /// Reads what has its turn.
    fn turns(&mut self, sink: &mut Sink) {
        loop {
            if let Some(side) = (0..2).find(|&side| self.has_turn(side)) {
                self.read(side, sink);
            } else if let Some(side) =
                (0..2).find(|&side| self.sides[side].size() > MOST_WAITING)
            {
                self.read_alone(side, sink);
            } else {
                return;
            }
        }
    }

    fn has_turn(&self, side: usize) -> bool {
        let direction = &self.sides[side];
        if direction.length == 0 {
            return direction.ended && !direction.over;
        }
        let connection = &self.connection;
        let alone = self.sides[1 - side].over || connection.is_dead(1 - side);
        let fits = match side {
            CLIENT if alone => !connection.connects(),
            CLIENT => !connection.waits() && !connection.is_open(SERVER),
            // A form may be what makes a request, and its answer, ours.
            _ => alone || connection.waits() && !connection.is_open(CLIENT),
        };
        fits || connection.is_open(side) || connection.is_dead(side)
    }

    /// Reads what is waiting of a side, up to the end of a message.
    fn read(&mut self, side: usize, sink: &mut Sink) {
        let direction = &mut self.sides[side];
        let Some(chunk) = direction.waiting.front_mut() else {
            direction.over = true;
            return self.connection.ends(side, sink);
        };
        let bytes = &chunk.bytes[chunk.read..];
        let mark = Mark { tag: chunk.tag, time: 0 };
        let read = self.connection.read(side, bytes, mark, sink);
        direction.strange |= read.is_none();
        let left = read.unwrap_or(0);
        direction.length -= bytes.len() - left;
        chunk.read = chunk.bytes.len() - left;
        if left == 0 {
            direction.waiting.pop_front();
        }
        if self.connection.is_dead(side) {
            direction.waiting.clear();
            direction.length = 0;
        }
    }

    /// Reads bytes of a side though the other side's do not come. What the
    /// server has answered to a CONNECT is not known then, so nobody knows
    /// what follows it.
    fn read_alone(&mut self, side: usize, sink: &mut Sink) {
        if side == CLIENT && self.connection.connects() {
            self.connection.kill(CLIENT);
        }
        self.read(side, sink);
    }
}
