//! Where the body of a message ends (RFC 9112 §6.3).

use crate::chunked::{End, Walk};
use crate::message::{
    Framing, Message, Method, BODY_BROKEN, COMPLETE, END_OF_STREAM, HEAD_ONLY,
    KIND_RESPONSE,
};
use crate::purpose::Purpose;
use crate::span::Span;

/// A transfer coding (RFC 9112 §7), as HTTP's dissector takes it: by how its
/// name begins.
pub(crate) enum Coding {
    /// Chunks; `plain` where nothing else is said.
    Chunked { plain: bool },
    /// What the body holds cannot be read.
    Compressed,
    /// None, of which RFC 9112 knows nothing any more.
    Identity,
    /// Any other: the body is read as if nothing were said.
    Unknown,
}

impl Coding {
    pub fn of(text: &[u8]) -> Coding {
        let begins = |name: &[u8]| {
            let begin = text.get(..name.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        };
        let compressed: [&[u8]; 5] =
            [b"gzip", b"deflate", b"compress", b"x-gzip", b"x-compress"];
        if begins(b"chunked") {
            Coding::Chunked { plain: text.len() == b"chunked".len() }
        } else if begins(b"identity") {
            Coding::Identity
        } else if compressed.into_iter().any(begins) {
            Coding::Compressed
        } else {
            Coding::Unknown
        }
    }
}

/// What the header lines say about the body.
#[derive(Default)]
pub(crate) struct BodyHeaders {
    pub length: Option<u64>,
    pub chunked: bool,
    pub transfer_coded: bool,
    pub unclear: bool,
}

/// How far a body was looked at. Plain data, whatever its bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    chunks: Walk,
    /// Its length, as a header announces it; 0 if there is none.
    announced: u64,
    /// Bytes of it that are there, chunks undone.
    data: u64,
    /// Bytes that were looked at, where there are no chunks.
    seen: u32,
}

impl Body {
    pub const NONE: Body =
        Body { chunks: Walk::START, announced: 0, data: 0, seen: 0 };
}

impl Message {
    /// Notes how the body is delimited.
    pub(crate) fn begin_body(
        &mut self,
        headers: &BodyHeaders,
        body: &mut Body,
    ) {
        let framing = self.framing(headers);
        self.framing = framing as u32;
        if framing == Framing::Length {
            body.announced = headers.length.unwrap_or_default();
        }
    }

    /// Finds how the body is delimited (RFC 9112 §6.3).
    fn framing(&self, body: &BodyHeaders) -> Framing {
        if self.kind == KIND_RESPONSE {
            let connected = self.method == Method::Connect as u32
                && self.status / 100 == 2;
            if self.method == Method::Head as u32
                || connected
                || matches!(self.status, 100..=199 | 204 | 304)
            {
                return Framing::None;
            }
        }
        match body.length {
            _ if body.chunked => Framing::Chunked,
            Some(0) => Framing::None,
            Some(_) => Framing::Length,
            None if self.kind == KIND_RESPONSE => Framing::UntilClose,
            // Nobody can tell where it ends.
            None if body.transfer_coded => Framing::UntilClose,
            None => Framing::None,
        }
    }

    /// Finds where the body ends, as far as it is there, and shows `purpose`
    /// what of it was not looked at before.
    #[inline(always)]
    pub(crate) fn delimit(
        &mut self,
        input: &[u8],
        body: &mut Body,
        purpose: &mut Purpose,
        flags: u32,
    ) {
        let start = self.body.start();
        let rest = &input[start..];
        let head_only = flags & HEAD_ONLY != 0;
        let (length, complete) = if self.framing == Framing::Chunked as u32 {
            if head_only {
                (0, false)
            } else {
                let end = body.chunks.go_on(rest, |part| {
                    body.data = body.data.wrapping_add(part.len() as u64);
                    purpose.feed(part);
                });
                match end {
                    End::Whole(length) => (length, true),
                    End::Cut => (rest.len(), false),
                    End::Broken(_) => {
                        // Where this body ends, nobody can tell.
                        self.flags |= BODY_BROKEN;
                        (rest.len(), true)
                    }
                }
            }
        } else {
            let until_close = self.framing == Framing::UntilClose as u32;
            let (length, complete) = if until_close {
                (rest.len(), flags & END_OF_STREAM != 0)
            } else {
                let length = body.announced.min(rest.len() as u64);
                self.body_missing = body.announced - length;
                (length as usize, self.body_missing == 0)
            };
            if !head_only {
                let seen = body.seen as usize;
                purpose.feed(rest.get(seen..length).unwrap_or_default());
                body.seen = length as u32;
            }
            body.data = length as u64;
            (length, complete)
        };
        self.body = Span::between(start, start + length);
        self.body_length = body.data;
        self.flags &= !COMPLETE;
        if complete {
            self.flags |= COMPLETE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{parse, Context, BODY_CODED, FRAMING_UNCLEAR};

    /// What headers make of a body: framing, and whether it is coded and
    /// where it ends is unclear.
    #[test]
    fn framing() {
        use Framing::*;
        for (request, headers, framing, coded, unclear) in [
            (true, "", None, false, false),
            (false, "", UntilClose, false, false),
            (true, "Content-Length: 0\r\n", None, false, false),
            (true, "Content-Length: 1\r\n", Length, false, false),
            (
                true,
                "Content-Length: 1\r\ncontent-length: 1\r\n",
                Length,
                false,
                false,
            ),
            (
                true,
                "Content-Length: 2\r\nContent-Length: 1\r\n",
                Length,
                false,
                true,
            ),
            (
                true,
                "Content-Length: 1\r\nContent-Length: +1\r\n",
                Length,
                false,
                true,
            ),
            (
                true,
                "Content-Length: 1\r\nContent-Length: x\r\n",
                None,
                false,
                true,
            ),
            (
                true,
                "Content-Length: x\r\nContent-Length: 1\r\n",
                Length,
                false,
                true,
            ),
            (true, "Content-Length: 1 x\r\n", Length, false, true),
            (true, "Content-Length : 1\r\n", None, false, true),
            (false, "Content-Length : 1\r\n", UntilClose, false, true),
            (true, "Transfer-Encoding : chunked\r\n", None, false, true),
            (
                true,
                "Content-Length: 1\r\nContent-Length : 2\r\n",
                Length,
                false,
                true,
            ),
            (true, "Content-Encoding : gzip\r\n", None, false, false),
            (true, "Content-Length: 1, 1\r\n", None, false, true),
            (true, "Content-Length:\r\n", None, false, true),
            (true, "Transfer-Encoding: chunked\r\n", Chunked, false, false),
            (false, "Transfer-Encoding: CHUNKED\r\n", Chunked, false, false),
            (
                true,
                "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
                Chunked,
                false,
                true,
            ),
            (
                true,
                "Transfer-Encoding: gzip, chunked\r\n",
                Chunked,
                true,
                false,
            ),
            (
                true,
                "Transfer-Encoding: gzip\r\n\
                 Transfer-Encoding: chunked\r\n",
                Chunked,
                true,
                false,
            ),
            (
                true,
                "Transfer-Encoding: chunked, chunked\r\n",
                Chunked,
                false,
                true,
            ),
            (
                true,
                "Transfer-Encoding: chunked, gzip\r\n",
                Chunked,
                true,
                true,
            ),
            (true, "Transfer-Encoding: chunked;a\r\n", Chunked, false, true),
            (true, "Transfer-Encoding: identity\r\n", UntilClose, false, true),
            (
                true,
                "Transfer-Encoding: identity\r\nContent-Length: 1\r\n",
                Length,
                false,
                true,
            ),
            (
                false,
                "Transfer-Encoding: x\r\nContent-Length: 0\r\n",
                None,
                false,
                true,
            ),
            (false, "Transfer-Encoding: x\r\n", UntilClose, false, true),
            (
                false,
                "Transfer-Encoding: identity\r\n",
                UntilClose,
                false,
                false,
            ),
            (false, "Content-Encoding: gzip\r\n", UntilClose, true, false),
        ] {
            let first =
                if request { "POST / HTTP/1.1" } else { "HTTP/1.1 200 OK" };
            let text = format!("{first}\r\n{headers}\r\n");
            let message = parse(text.as_bytes(), &Context::default()).unwrap();
            assert_eq!(message.framing, framing as u32, "{text}");
            assert_eq!(message.has(BODY_CODED), coded, "{text}");
            assert_eq!(message.has(FRAMING_UNCLEAR), unclear, "{text}");
        }
    }
}
