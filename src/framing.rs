//! Where the body of a message ends (RFC 9112 §6.3).

use crate::chunked::{self, End};
use crate::message::{
    Framing, Message, Method, BODY_BROKEN, COMPLETE, END_OF_STREAM, HEAD_ONLY,
    KIND_RESPONSE,
};
use crate::span::Span;

/// What the header lines say about the body.
#[derive(Default)]
pub(crate) struct BodyHeaders {
    pub length: Option<u64>,
    pub chunked: bool,
    pub transfer_coded: bool,
    pub unclear: bool,
}

impl Message {
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
            Some(0) if !body.transfer_coded => Framing::None,
            Some(_) if !body.transfer_coded => Framing::Length,
            _ if self.kind == KIND_RESPONSE => Framing::UntilClose,
            _ => Framing::None,
        }
    }

    /// Finds where the body ends.
    pub(crate) fn delimit(
        &mut self,
        input: &[u8],
        headers: &BodyHeaders,
        known: u32,
    ) {
        let start = self.body.start();
        let rest = &input[start..];
        let framing = self.framing(headers);
        self.framing = framing as u32;
        let (length, complete) = match framing {
            Framing::None => (0, true),
            Framing::Length => {
                let announced = headers.length.unwrap_or_default();
                let length = announced.min(rest.len() as u64);
                self.body_missing = announced - length;
                (length as usize, self.body_missing == 0)
            }
            Framing::Chunked if known & HEAD_ONLY != 0 => (0, false),
            Framing::Chunked => {
                let mut data = 0;
                let end = chunked::for_each(rest, |part| {
                    data += part.len() as u64;
                });
                self.body_length = data;
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
            Framing::UntilClose => (rest.len(), known & END_OF_STREAM != 0),
        };
        self.body = Span::between(start, start + length);
        if framing != Framing::Chunked {
            self.body_length = length as u64;
        }
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
            (true, "Transfer-Encoding: chunked, gzip\r\n", None, true, true),
            (true, "Transfer-Encoding: identity\r\n", None, false, true),
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
