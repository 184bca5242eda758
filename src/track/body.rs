//! Where a body ends that comes piece by piece, and is not kept.

use crate::message::{Framing, Message};

/// Longest line that holds a chunk's size, or a line of a trailer.
const LONGEST_LINE: usize = 4096;

/// What is still to come of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// All up to the end of the connection.
    UntilClose,
    /// The line of a chunk's size, of which so much was read.
    Size { size: u64, length: usize, digits: bool },
    /// So many bytes of a chunk.
    Data(u64),
    /// The line end behind them.
    LineEnd,
    /// A line of the trailer, of which so much was read.
    Trailer(usize),
    /// What should be a chunk is none: nobody knows where it ends.
    Broken,
}

const SIZE: Body = Body::Size { size: 0, length: 0, digits: true };

impl Body {
    /// The body behind a head.
    pub fn of(head: &Message) -> Body {
        match head.framing {
            f if f == Framing::Length as u32 => {
                Body::Length(head.body_missing + head.body_length)
            }
            f if f == Framing::Chunked as u32 => SIZE,
            f if f == Framing::UntilClose as u32 => Body::UntilClose,
            _ => Body::Length(0),
        }
    }

    /// How far it goes on at least, and whether no further.
    pub fn length(&self) -> Option<u64> {
        match *self {
            Body::Length(length) => Some(length),
            _ => None,
        }
    }

    /// Takes the bytes that belong to it; tells how many, and whether it
    /// ends with them.
    pub fn take(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            match *self {
                Body::Length(length) | Body::Data(length) => {
                    let taken = length.min(rest.len() as u64);
                    at += taken as usize;
                    let left = length - taken;
                    let chunk = matches!(self, Body::Data(_));
                    *self = match (chunk, left) {
                        (true, 0) => Body::LineEnd,
                        (true, left) => Body::Data(left),
                        (false, left) => Body::Length(left),
                    };
                    if left > 0 || !chunk {
                        return (at, left == 0);
                    }
                }
                Body::UntilClose | Body::Broken => {
                    return (bytes.len(), false);
                }
                Body::Size { .. } | Body::LineEnd | Body::Trailer(_) => {
                    let Some(&byte) = rest.first() else {
                        return (at, false);
                    };
                    at += 1;
                    if self.line(byte) {
                        return (at, true);
                    }
                }
            }
        }
    }

    /// A byte between the data; tells whether the body ends with it.
    fn line(&mut self, byte: u8) -> bool {
        *self = match (*self, byte) {
            (Body::LineEnd, b'\n') => SIZE,
            (Body::LineEnd, b'\r') => Body::LineEnd,
            (Body::Trailer(0), b'\n') => return true,
            (Body::Trailer(0), b'\r') => Body::Trailer(0),
            (Body::Trailer(_), b'\n') => Body::Trailer(0),
            (Body::Trailer(length), _) => Body::Trailer(length + 1),
            (Body::Size { length: 0, .. }, b'\n') => Body::Broken,
            (Body::Size { size: 0, .. }, b'\n') => Body::Trailer(0),
            (Body::Size { size, .. }, b'\n') => Body::Data(size),
            (Body::Size { length, .. }, _) if length >= LONGEST_LINE => {
                Body::Broken
            }
            (Body::Size { size, length, digits }, byte) => {
                let digit = char::from(byte).to_digit(16).filter(|_| digits);
                let behind = matches!(byte, b';' | b' ' | b'\t' | b'\r');
                match digit {
                    Some(digit) if size >> 60 == 0 => Body::Size {
                        size: size << 4 | u64::from(digit),
                        length: length + 1,
                        digits,
                    },
                    None if !digits || (length > 0 && behind) => {
                        Body::Size { size, length: length + 1, digits: false }
                    }
                    _ => Body::Broken,
                }
            }
            _ => Body::Broken,
        };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunked::{self, End};

    /// However the bytes are cut, the end is where the whole body's is.
    #[test]
    fn chunks_in_pieces() {
        for (body, behind) in [
            ("3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "HTTP/1.1"),
            ("003 \nabc\n2\nde\n000;e\n\n", "0"),
            ("5\r\nabcde\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n", "\r\n"),
        ] {
            let whole = [body, behind].concat();
            let end = chunked::for_each(whole.as_bytes(), |_| {});
            assert_eq!(end, End::Whole(body.len()));
            for size in 1..=whole.len() {
                let (mut read, mut at, mut done) = (SIZE, 0, false);
                for piece in whole.as_bytes().chunks(size) {
                    let (taken, end) = read.take(piece);
                    at += taken;
                    done = end;
                    if end || taken < piece.len() {
                        break;
                    }
                }
                assert!(done, "{body:?} by {size}");
                assert_eq!(at, body.len(), "{body:?} by {size}");
            }
        }
    }

    #[test]
    fn what_is_no_chunk() {
        for body in ["g\r\n", "\r\n", "-1\r\n", "3\r\nabcd\r\n"] {
            let mut read = SIZE;
            assert_eq!(read.take(body.as_bytes()), (body.len(), false));
            assert!(matches!(read, Body::Broken), "{body:?}");
        }
    }
}
