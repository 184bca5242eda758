//! Whether a stream is of this protocol, from its first bytes.
//!
//! [`sniff`](mod@crate::sniff) is the cheap look that a capture's every
//! segment can afford; this is the certain answer for who holds one
//! connection open and wants to know whether to go on reading it.

use crate::lan;
use crate::message::{
    Context, Message, BODY_CODED, HEAD_COMPLETE, KIND_RESPONSE,
};
use crate::progress::Progress;
use crate::purpose::Purpose;
use crate::span::Span;
use crate::Error;

/// What the first message of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Not of this protocol, whatever follows.
    No,
    /// Of this protocol. Holds its type as far as it can be told by now.
    Yes(u32),
    /// That cannot be told yet: it takes at least so many bytes more, one or
    /// more, before the answer can be yes.
    More(usize),
}

/// Classifies the first message of a stream; of a stream of responses, the
/// first that is not interim. `context` says what is known about it.
///
/// All of the first message that is there is looked at; who asks again when
/// more of it has come goes on with [`Progress::classify`].
///
/// The answers are final: with more bytes behind `input`, a yes stays a yes
/// (unless what follows is no HTTP after all) and a no stays a no.
pub fn classify(input: &[u8], context: &Context) -> Result<Class, Error> {
    Progress::default().classify(input, context)
}

/// The answer for a message that goes on and is not ours so far.
pub(crate) fn incomplete(
    message: &Message,
    purpose: &Purpose,
    input: &[u8],
    context: &Context,
) -> Class {
    let response = message.kind == KIND_RESPONSE;
    let whole_head = message.has(HEAD_COMPLETE);
    if response && message.is_final() {
        if context.request.is_some() {
            return Class::No;
        } else if whole_head {
            return purpose
                .result_code_missing()
                .map_or(Class::No, Class::More);
        }
    }
    if response && whole_head {
        // No status at all, such as 042.
        return Class::No;
    }
    // Of requests, only the LAN side's are known by what their body has.
    let lan = lan::path(message.path.of(input)).is_some()
        && !message.has(BODY_CODED);
    // The first headers of these names count.
    let named =
        message.host != Span::EMPTY && message.user_agent != Span::EMPTY;
    if !response && !lan && (whole_head || named) {
        return Class::No;
    }
    Class::More(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Request;
    use crate::types::TYPE_NONE;

    fn class(input: &str, request_type: Option<u32>) -> Class {
        let request = request_type.map(Request::new);
        let context = Context { request, ..Context::default() };
        classify(input.as_bytes(), &context).unwrap()
    }

    #[test]
    fn requests() {
        use Class::*;
        for (input, expected) in [
            ("", More(1)),
            ("\r\n", More(1)),
            ("GET", More(1)),
            ("GET / HTTP/1.1\r\nHost: a.b\r\n", More(1)),
            ("GET / HTTP/1.1\r\nHost: a.b\r\n\r\n", No),
            ("GET / HTTP/1.1\r\nHost: a.b\r\nUser-Agent: c\r\n", No),
            ("GET / HTTP/1.1\r\nHost: add-con.mcas\r\n", Yes(0)),
            ("POST / HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\n", Yes(1)),
            ("GET http://add-con.mcas/fw/a HTTP/1.1\r\n", Yes(3)),
            ("SSH-2.0-x\r\n", No),
            ("\x16\x03\x01", No),
            ("GET /cas_tel_list/ HTTP/1.1\r\n", Yes(7)),
            ("GET /voip_setup.cgi HTTP/1.1\r\nHost: a\r\n", More(1)),
            (
                "GET /voip_setup.cgi HTTP/1.1\r\nHost: a\r\n\
                 User-Agent: b\r\n",
                More(1),
            ),
            ("GET /voip_setup.cgi HTTP/1.1\r\n\r\n", No),
            (
                "POST /voip_setup.cgi HTTP/1.1\r\n\
                 Content-Length: 20\r\n\r\nip_tel_num=",
                Yes(11),
            ),
            (
                "POST /voip_setup.cgi HTTP/1.1\r\n\
                 Content-Length: 20\r\n\r\nip_tel_num",
                More(1),
            ),
            (
                "POST /voip_setup.cgi HTTP/1.1\r\n\
                 Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n..",
                No,
            ),
            (
                "POST /other HTTP/1.1\r\n\
                 Content-Length: 20\r\n\r\nip_tel_num",
                No,
            ),
        ] {
            assert_eq!(class(input, None), expected, "{input:?}");
        }
    }

    #[test]
    fn responses() {
        use Class::*;
        for (input, request_type, expected) in [
            ("HTTP/1.1 2", Some(1), More(1)),
            ("HTTP/1.1 200 OK\r\n", Some(1), Yes(2)),
            ("HTTP/1.1 200 OK\r\n", Some(TYPE_NONE), No),
            ("HTTP/1.1 200 OK\r\n", None, More(1)),
            ("HTTP/1.1 200 OK\r\n\r\n", None, More(11)),
            ("HTTP/1.1 200 OK\r\n\r\nResult", None, More(5)),
            ("HTTP/1.1 200 OK\r\n\r\nResults", None, No),
            ("HTTP/1.1 200 OK\r\n\r\nRESULTCODE=", None, Yes(2)),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nResult",
                None,
                More(5),
            ),
            ("HTTP/1.1 204 No\r\n\r\n", None, No),
            ("HTTP/1.1 OK\r\n", Some(1), More(1)),
            ("HTTP/1.1 OK\r\n\r\n", Some(1), Yes(2)),
            ("HTTP/1.1 OK\r\n\r\nResultCode=", None, Yes(2)),
            ("HTTP/1.1 1\0\r\n\r\n", Some(1), Yes(2)),
            ("HTTP/1.1 100 C\0ntinue\r\n\r\n", Some(1), More(1)),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                 3\r\nRes\r\n",
                None,
                More(8),
            ),
            ("HTTP/1.1 100 Continue\r\n\r\n", Some(1), More(1)),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
                Some(1),
                Yes(2),
            ),
            ("HTTP/1.1 101 Switching\r\n\r\n", Some(1), No),
            ("HTTP/1.1 042 X\r\nContent-Length: 9\r\n\r\n", Some(1), No),
            ("HTTP/9", Some(1), No),
        ] {
            assert_eq!(class(input, request_type), expected, "{input:?}");
        }
    }
}
