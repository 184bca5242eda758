//! Heads that `httparse` refuses, and Wireshark's HTTP shows.
//!
//! ```text
//! head        = start-line *line ( CR LF / LF )
//! line        = *OCTET line-end       ; a header where it has a colon
//! line-end    = CR LF / LF / CR
//! start-line  = ( request / status ) line-end
//! request     = method SP target BLANK version
//! method      = 1*( %x41-5A / "-" )   ; capital letters
//! target      = *OCTET                ; up to the last version in the line
//! status      = "HTTP/1." *OCTET [ 1*SP 3DIGIT *OCTET ]
//! version     = "HTTP/1." *OCTET
//! ```
//! NUL and other controls, bytes that are no text and lines that are no
//! header hide nothing, then. Three things are read otherwise than in HTTP's
//! dissector. Its target ends at the first blank: servers that take such a
//! request take all of it, and so a path or a password is not cut short. Its
//! head ends at a line without a colon, or at a blank one with a CR alone:
//! where the segment ends there, that is as yet no such line.

use crate::head::Start;
use crate::scan::find;
use crate::span::Span;
use memchr::{memchr2, memrchr2};

/// Where a line ends, and where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub end: usize,
    pub next: usize,
}

/// The line at `start`; `None` where its end is not in `input`, which a CR as
/// the last byte may or may not be.
pub(crate) fn line(input: &[u8], start: usize) -> Option<Line> {
    let end = start + memchr2(b'\r', b'\n', input.get(start..)?)?;
    let next = match &input[end..] {
        [b'\n', ..] => end + 1,
        [_, b'\n', ..] => end + 2,
        [_, _, ..] => end + 1,
        _ => return None,
    };
    Some(Line { end, next })
}

/// The lines behind the start line.
pub(crate) struct Lines {
    /// Offset behind the blank line, or the end of the input.
    pub end: usize,
    /// Whether the blank line is there.
    pub whole: bool,
    /// Whether each line is a header as it should be (RFC 9112 §5).
    pub valid: bool,
}

/// Looks at the lines from `at` up to the first blank one.
pub(crate) fn lines(input: &[u8], mut at: usize) -> Lines {
    let mut valid = true;
    while let Some(Line { end, next }) = line(input, at) {
        let alone = input[next - 1] == b'\r';
        valid &= !alone;
        // As everywhere else, a blank line stands between two LFs.
        if end == at && !alone && input[..at].ends_with(b"\n") {
            return Lines { end: next, whole: true, valid };
        }
        valid &= is_header(&input[at..end]);
        at = next;
    }
    Lines { end: input.len(), whole: false, valid }
}

/// Whether a line is `field-name ":" OWS field-value OWS`.
fn is_header(line: &[u8]) -> bool {
    let Some(colon) = find(b':', line) else { return false };
    let token =
        |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    let text = |b: &u8| *b == b'\t' || !b.is_ascii_control();
    colon > 0
        && line[..colon].iter().all(token)
        && line[colon + 1..].iter().all(text)
}

/// How the version begins.
const VERSION: &[u8] = b"HTTP/1.";

/// Reads the start line at `begin`; `None` if it is none of HTTP/1.x, or can
/// become none.
pub(crate) fn start(input: &[u8], begin: usize) -> Option<Start> {
    let whole = line(input, begin);
    let end = whole.map_or(input.len(), |line| line.end);
    let text = input.get(begin..end)?;
    if text.starts_with(VERSION) {
        return Some(status(text, begin));
    }
    let method = text
        .iter()
        .position(|b| !(b.is_ascii_uppercase() || *b == b'-'))
        .filter(|&length| length > 0 && text[length] == b' ')?;
    let target = match whole {
        Some(_) => target(text, method + 1)?,
        // Its end may still come.
        None => Span::EMPTY,
    };
    Some(Start::Request {
        method: Span::between(begin, begin + method),
        target: target.shifted(begin),
    })
}

/// What stands between the blanks behind the method and the version.
fn target(line: &[u8], from: usize) -> Option<Span> {
    let mut end = line.len();
    loop {
        let blanks = line.get(from - 1..end)?;
        let blank = memrchr2(b' ', b'\t', blanks)? + from - 1;
        let version = line[blank + 1..].get(..VERSION.len());
        if version.is_some_and(|v| v.eq_ignore_ascii_case(VERSION)) {
            let target = line.get(from..blank).unwrap_or_default();
            let end = from + target.trim_ascii_end().len();
            return Some(Span::between(end - target.trim_ascii().len(), end));
        }
        end = blank;
    }
}

/// The status in a line that begins with the version; as HTTP's dissector
/// has it, its first three digits, whatever is behind them.
fn status(line: &[u8], begin: usize) -> Start {
    let none = Start::Response { status: 0, digits: Span::EMPTY };
    let Some(blank) = find(b' ', line) else { return none };
    let spaces = line[blank..].iter().take_while(|b| **b == b' ').count();
    let at = blank + spaces;
    let Some(digits) = line.get(at..at + 3) else { return none };
    if !digits.iter().all(u8::is_ascii_digit) {
        return none;
    }
    let value = |sum, b: &u8| 10 * sum + u16::from(b - b'0');
    Start::Response {
        status: digits.iter().fold(0, value),
        digits: Span::between(begin + at, begin + at + 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{parse, Context, HEAD_COMPLETE, HEAD_INVALID};
    use crate::message::{Message, COMPLETE, KIND_REQUEST};

    fn read(text: &[u8]) -> Option<Message> {
        parse(text, &Context::default()).ok()
    }

    /// Method and target of each, which `httparse` refuses.
    #[test]
    fn requests() {
        for (line, target) in [
            (&b"GET /a b HTTP/1.1\r\n"[..], &b"/a b"[..]),
            (b"GET /a  b  HTTP/1.1\r\n", b"/a  b"),
            (b"GET   /a b HTTP/1.1\r\n", b"/a b"),
            (b"GET /a HTTP/1.1 \r\n", b"/a"),
            (b"GET /a HTTP/1.1\t\r\n", b"/a"),
            (b"GET /a HTTP/1.1 x\r\n", b"/a"),
            (b"GET /a HTTP/1.1 HTTP/1.1\r\n", b"/a HTTP/1.1"),
            (b"GET /a\tHTTP/1.1\r\n", b"/a"),
            (b"GET /a http/1.1\r\n", b"/a"),
            (b"GET /a HTTP/1.2\r\n", b"/a"),
            (b"GET /a HTTP/1.10\r\n", b"/a"),
            (b"GET /a\0b HTTP/1.1\r\n", b"/a\0b"),
            (b"GET /\xff HTTP/1.1\r\n", b"/\xff"),
            (b"GET /\x01\x7f HTTP/1.1\r\n", b"/\x01\x7f"),
            (b"GET  HTTP/1.1\r\n", b""),
            (b"GET HTTP/1.1\r\n", b""),
            (b"VERSION-CONTROL / HTTP/1.9\n", b"/"),
        ] {
            for end in [&b"\r\n"[..], b"\n", b"X: y\0\r\n\r\n"] {
                let text = [line, end].concat();
                let message = read(&text).unwrap();
                assert_eq!(message.kind, KIND_REQUEST);
                assert!(message.has(COMPLETE), "{text:?}");
                assert!(message.has(HEAD_INVALID), "{text:?}");
                assert_eq!(message.path.of(&text), target, "{text:?}");
            }
        }
    }

    #[test]
    fn statuses() {
        for (line, status) in [
            ("HTTP/1.1 200 O\0K", 200),
            ("HTTP/1.2 200 OK", 200),
            ("HTTP/1.10 404 No", 404),
            ("HTTP/1.1 200OK", 200),
            ("HTTP/1.1 2000", 200),
            ("HTTP/1.1\0  302", 302),
            ("HTTP/1.1\t200 OK", 0),
            ("HTTP/1.1200 OK", 0),
            ("HTTP/1.1", 0),
            ("HTTP/1.1 OK", 0),
            ("HTTP/1.1 20", 0),
            ("HTTP/1.1 -20", 0),
        ] {
            let text = format!("{line}\r\nContent-Length: 1\r\n\r\n.");
            let message = read(text.as_bytes()).unwrap();
            assert!(message.has(HEAD_INVALID | COMPLETE), "{line:?}");
            assert_eq!(message.status, status, "{line:?}");
            let digits = message.status_digits.of(text.as_bytes());
            let expected = match status {
                0 => String::new(),
                _ => status.to_string(),
            };
            assert_eq!(digits, expected.as_bytes());
        }
    }

    /// Whatever stands in a line, the others are read, and the body is found.
    #[test]
    fn headers() {
        for line in [
            &b"X: a\0b\r\n"[..],
            b"X\0: a\r\n",
            b"X: a\x01\r\n",
            b"X: \x7f\r\n",
            b"X: a\rY: b\r\n",
            b"X: a\r",
            b"no colon\r\n",
            b" folded\r\n",
            b": nothing\r\n",
            b"X : y\r\n",
            b"\0\r\n",
            b"\xe3\x81\x82: y\r\n",
            b"(X): y\r\n",
        ] {
            let text = [
                b"POST / HTTP/1.1\r\n",
                line,
                b"Host: add-con.mcas\r\nContent-Length: 1\r\n\r\n.",
            ];
            let text = text.concat();
            let message = read(&text).unwrap();
            assert!(message.has(HEAD_INVALID | COMPLETE), "{line:?}");
            assert_eq!(message.host.of(&text), b"add-con.mcas", "{line:?}");
            assert_eq!(message.body.of(&text), b".", "{line:?}");
            // More than there is room for, and no more than that is wrong.
            let more = b"A: b\r\n".repeat(300);
            let head = b"POST / HTTP/1.1\r\n".len();
            let long = [&text[..head], &more[..], &text[head..]].concat();
            let message = read(&long).unwrap();
            assert!(message.has(HEAD_INVALID | COMPLETE), "{line:?}");
            assert_eq!(message.body.of(&long), b".", "{line:?}");
        }
    }

    /// CR alone ends a line, but no head.
    #[test]
    fn cr_alone() {
        for end in ["\n\r\n", "\r\n\r\n", "\r\r\n\r\n", "\r\n\r\r\n\n"] {
            let text = format!("GET / HTTP/1.1\rHost: a\rX: y{end}");
            let more = format!("{text}GET");
            for text in [&text, &more] {
                let message = read(text.as_bytes()).unwrap();
                assert!(message.has(HEAD_INVALID | COMPLETE), "{end:?}");
                assert_eq!(message.host.of(text.as_bytes()), b"a");
                assert_eq!(message.length as usize, more.len() - 3);
            }
        }
    }

    #[test]
    fn forbid() {
        for text in [
            &b"\x16\x03\x01\x02\x00\x01"[..],
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"SSH-2.0-OpenSSH 9.2\r\n",
            b"get /a b HTTP/1.1\r\n",
            b"GET /a b\r\n",
            b"GET /a\0b HTTP/2.0\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"INVITE sip:a SIP/2.0\r\n",
            b"HTTP/2 200 OK\r\n",
            b"HTTP/1\0 200 OK\r\n",
            b"hello \x01 world",
            b"G\0T / HTTP/1.1\r\n",
            b" GET / HTTP/1.1\r\n",
            b"GET\t/ HTTP/1.1\r\n",
            b"GET /a bHTTP/1.1\r\n",
            b"\0\0\0\0",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// Nothing of a head that has not ended is taken back.
    #[test]
    fn cuts() {
        // Where its target ends shows only once the line does.
        let text = b"POST http://add-con.mcas/a HTTP/1.1 b HTTP/1.1\r\n\
            Host: add-con.mcas\r\nX: \0\rUser-Agent: M-CAS/1.0\r\n\r\n";
        let whole = read(text).unwrap();
        for end in 0..text.len() {
            let now = read(&text[..end]).unwrap();
            assert!(!now.has(HEAD_COMPLETE), "{end}");
            for (now, whole) in [
                (now.path, whole.path),
                (now.authority, whole.authority),
                (now.host, whole.host),
                (now.user_agent, whole.user_agent),
            ] {
                assert!(now == Span::EMPTY || now == whole, "{end}");
            }
        }
    }
}
