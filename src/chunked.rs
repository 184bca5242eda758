//! The chunked transfer coding (RFC 9112 §7.1).
//!
//! ```text
//! chunked-body = *chunk last-chunk trailer-section CRLF
//! chunk        = chunk-size [ chunk-ext ] CRLF chunk-data CRLF
//! ```
//! A value that the border of two chunks cuts is nowhere in the input in one
//! piece. So nothing is parsed through the chunks: the
//! body is put together elsewhere first, in memory of the caller's
//! ([`write()`]) or in a vector ([`to_vec`]), and that is parsed.

use core::mem::MaybeUninit;
use memchr::memchr;

/// Longest line that holds a chunk's size, its line end included.
pub(crate) const SIZE_LINE: usize = 4096;

/// How a chunked body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// With its trailer; this many bytes in all.
    Whole(usize),
    /// It goes on behind the bytes at hand.
    Cut,
    /// What stands at this offset is no chunk.
    Broken(usize),
}

/// Hands the data of each chunk of `body` to `each`, in order.
pub fn for_each(body: &[u8], each: impl FnMut(&[u8])) -> End {
    let mut walk = Walk::START;
    walk.go_on(body, each)
}

/// [`Walk::stage`]: what stands next.
const SIZE: u32 = 0;
const DATA: u32 = 1;
const DATA_END: u32 = 2;
const TRAILER: u32 = 3;
const WHOLE: u32 = 4;

/// Where a walk over chunks stands that come in pieces: it goes on where it
/// was, and looks at no byte again but for the few of a line end. Plain data,
/// whatever its bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    /// Bytes of the chunk's data that were not handed out yet.
    left: u64,
    /// What stands at `at`; what is none of the above is no chunk.
    stage: u32,
    at: u32,
    /// There is no line end between `at` and here.
    looked: u32,
}

impl Walk {
    pub const START: Walk = Walk { left: 0, stage: SIZE, at: 0, looked: 0 };

    /// Goes on where there is more of `body`: hands out the data that was not
    /// handed out before.
    pub fn go_on(&mut self, body: &[u8], mut each: impl FnMut(&[u8])) -> End {
        let mut at = self.at as usize;
        let end = loop {
            let Some(rest) = body.get(at..) else { break End::Cut };
            match self.stage {
                SIZE => {
                    let near = &rest[..rest.len().min(SIZE_LINE)];
                    let Some(length) = self.line_end(at, near) else {
                        if near.len() < SIZE_LINE {
                            break End::Cut;
                        }
                        break End::Broken(at);
                    };
                    let Some(size) = size(&rest[..length]) else {
                        break End::Broken(at);
                    };
                    at += length + 1;
                    self.left = size;
                    self.stage = if size == 0 { TRAILER } else { DATA };
                }
                DATA => {
                    let left = usize::try_from(self.left);
                    let length = left.unwrap_or(usize::MAX).min(rest.len());
                    each(&rest[..length]);
                    at += length;
                    self.left -= length as u64;
                    if self.left > 0 {
                        break End::Cut;
                    }
                    self.stage = DATA_END;
                }
                DATA_END => {
                    at += match rest {
                        [b'\r', b'\n', ..] => 2,
                        [b'\n', ..] => 1,
                        [] | [b'\r'] => break End::Cut,
                        _ => break End::Broken(at),
                    };
                    self.stage = SIZE;
                }
                TRAILER => {
                    // Lines up to the blank one.
                    let Some(length) = self.line_end(at, rest) else {
                        break End::Cut;
                    };
                    let blank = matches!(&rest[..length], [] | [b'\r']);
                    at += length + 1;
                    if blank {
                        self.stage = WHOLE;
                    }
                }
                WHOLE => break End::Whole(at),
                _ => break End::Broken(at),
            }
        };
        if at <= body.len() {
            self.at = at as u32;
        }
        end
    }

    /// Where the line at `at` ends, of which `line` is there.
    fn line_end(&mut self, at: usize, line: &[u8]) -> Option<usize> {
        let from = (self.looked as usize).saturating_sub(at).min(line.len());
        let found = memchr(b'\n', &line[from..]);
        if found.is_none() {
            self.looked = (at + line.len()) as u32;
        }
        found.map(|i| from + i)
    }
}

/// The size at the beginning of a chunk's first line.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let known =
        matches!(line.get(digits), None | Some(b';' | b' ' | b'\t' | b'\r'));
    if !known {
        return None;
    }
    let digits = core::str::from_utf8(&line[..digits]).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

/// Writes the data of a chunked body to `out`, as much as there is room for,
/// and returns how many bytes there are in all.
pub fn write(body: &[u8], out: &mut [MaybeUninit<u8>]) -> usize {
    let mut needed = 0;
    for_each(body, |data| {
        let room = out.get_mut(needed..).unwrap_or_default();
        for (slot, &byte) in room.iter_mut().zip(data) {
            slot.write(byte);
        }
        needed += data.len();
    });
    needed
}

/// The data of a chunked body.
pub fn to_vec(body: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    for_each(body, |part| data.extend_from_slice(part));
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8]) -> (Vec<u8>, End) {
        let mut data = vec![];
        let end = for_each(body, |part| data.extend_from_slice(part));
        assert_eq!(to_vec(body), data);
        for room in [0, data.len() / 2, data.len(), data.len() + 1] {
            let mut out = vec![MaybeUninit::new(b'?'); room];
            assert_eq!(write(body, &mut out), data.len());
            for (i, byte) in out.iter().enumerate() {
                // SAFETY: all of it was initialised above.
                let byte = unsafe { byte.assume_init() };
                assert_eq!(byte, *data.get(i).unwrap_or(&b'?'));
            }
        }
        (data, end)
    }

    #[test]
    fn allow() {
        for body in [
            "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            "003 \nabc\n2\nde\n000;e\n\n",
            "5\r\nabcde\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n",
        ] {
            let whole = End::Whole(body.len());
            assert_eq!(read(body.as_bytes()), (b"abcde".into(), whole));
            let more = format!("{body}HTTP/1.1 200 OK");
            assert_eq!(read(more.as_bytes()), (b"abcde".into(), whole));
            for end in 0..body.len() {
                assert_eq!(read(&body.as_bytes()[..end]).1, End::Cut);
            }
        }
    }

    #[test]
    fn forbid() {
        for (body, at) in [
            ("g\r\n", 0),
            ("\r\n", 0),
            ("-1\r\n", 0),
            ("10000000000000000\r\n", 0),
            ("3\r\nabcd\r\n", 6),
            ("1\r\na\r\nx\r\n", 6),
        ] {
            assert_eq!(read(body.as_bytes()).1, End::Broken(at), "{body:?}");
        }
    }

    /// However much of the body is there, a line too long is none.
    #[test]
    fn limit_of_size_lines() {
        for (length, fits) in
            [(SIZE_LINE - 1, true), (SIZE_LINE, true), (SIZE_LINE + 1, false)]
        {
            let extension = "x".repeat(length - "1;\r\n".len());
            let body = format!("1;{extension}\r\na\r\n0\r\n\r\n");
            for end in 0..body.len() {
                let broken = !fits && end >= SIZE_LINE;
                let expected = if broken { End::Broken(0) } else { End::Cut };
                assert_eq!(read(&body.as_bytes()[..end]).1, expected);
            }
            let whole =
                if fits { End::Whole(body.len()) } else { End::Broken(0) };
            assert_eq!(read(body.as_bytes()).1, whole);
        }
    }

    #[test]
    fn sizes_up_to_64_bits_are_cut_not_wrapped() {
        let (data, end) = read(b"ffffffffffffffff\r\nabc");
        assert_eq!((&data[..], end), (&b"abc"[..], End::Cut));
    }
}
