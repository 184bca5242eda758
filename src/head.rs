//! The head of an HTTP/1.x message: start line and header lines.
//!
//! `httparse` judges whether the head is HTTP and whether it is whole, reads
//! the start line and finds the headers. Header lines are walked a second
//! time here where an item needs its bytes (cookies may stand in any number of
//! lines, which a plain struct cannot hold); where the end of the captured
//! bytes cuts the head, which `httparse` answers with «partial» and no
//! headers; and where it has not taken each line for a header.

use crate::blocks;
use crate::scan::find;
use crate::span::Span;
use crate::text;
use core::mem::MaybeUninit;
use httparse::{ParserConfig, Status};
use memchr::memchr;

/// As many header lines as this are shown to `httparse`, which wants room for
/// them beforehand. Apache and nginx accept 100 by default; what goes beyond
/// is walked all the same.
const MAX_HEADERS: usize = 256;

/// Why bytes could not be read as an HTTP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The first line is none of HTTP/1.x.
    NotHttp,
    /// The input is longer than [`MAX_INPUT`](crate::MAX_INPUT).
    TooLarge,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Error::NotHttp => "not an HTTP/1.x message",
            Error::TooLarge => "input too large",
        })
    }
}

impl std::error::Error for Error {}

/// What the first line says.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    /// Too little is there to tell.
    Unknown,
    /// Method and target; either may be cut off and is empty then.
    Request { method: Span, target: Span },
    /// Status code and its digits; 0 if cut off.
    Response { status: u16, digits: Span },
}

/// A head that was read.
pub(crate) struct Head {
    /// Offset of the start line: blank lines may precede it.
    pub begin: usize,
    /// The start line.
    pub start: Start,
    /// Offset of the body, or of the end of the input if the head is cut.
    pub end: usize,
    /// Whether the blank line at the end of the head is there.
    pub whole: bool,
}

/// A head as it should be, but for the spaces in it.
fn strict() -> ParserConfig {
    let mut config = ParserConfig::default();
    config
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_spaces_after_header_name_in_responses(true);
    config
}

/// Lenient where Wireshark's HTTP is: one bad line does not hide the rest.
fn lenient() -> ParserConfig {
    let mut config = strict();
    config
        .allow_obsolete_multiline_headers_in_responses(true)
        .ignore_invalid_headers_in_requests(true)
        .ignore_invalid_headers_in_responses(true);
    config
}

/// What `httparse` says of a head.
struct Parsed<'h, 'b> {
    start: Start,
    status: httparse::Result<usize>,
    headers: &'h [httparse::Header<'b>],
}

/// Reads a head, and hands the known headers in it to `each`, in their order.
pub(crate) fn parse(
    input: &[u8],
    mut each: impl FnMut(Header),
) -> Result<Head, Error> {
    let begin = input
        .iter()
        .position(|b| !matches!(b, b'\r' | b'\n'))
        .unwrap_or(input.len());
    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let parsed = run(&strict(), input, begin, &mut room);
    let bad_line = matches!(
        parsed.status,
        Err(httparse::Error::HeaderName
            | httparse::Error::HeaderValue
            | httparse::Error::NewLine)
    );
    let parsed = if bad_line {
        run(&lenient(), input, begin, &mut room)
    } else {
        parsed
    };
    let (end, whole) = match parsed.status {
        Ok(Status::Complete(length)) => (begin + length, true),
        Ok(Status::Partial) => (input.len(), false),
        Err(httparse::Error::TooManyHeaders) => {
            match blank_line(&input[begin..]) {
                Some(length) => (begin + length, true),
                None => (input.len(), false),
            }
        }
        Err(_) => return Err(Error::NotHttp),
    };
    if matches!(parsed.status, Ok(Status::Complete(_))) && !bad_line {
        // Each line is a header.
        let headers = parsed.headers.iter();
        headers.filter_map(|line| known(input, line)).for_each(each);
    } else {
        let mut at = first_header(input, begin);
        while let Some(header) = next_header(input, &mut at, end) {
            each(header);
        }
    }
    Ok(Head { begin, start: parsed.start, end, whole })
}

/// Lets `httparse` read the head at `begin`.
fn run<'h, 'b>(
    config: &ParserConfig,
    input: &'b [u8],
    begin: usize,
    room: &'h mut [MaybeUninit<httparse::Header<'b>>],
) -> Parsed<'h, 'b> {
    let bytes = &input[begin..];
    if bytes.len() < 5 && b"HTTP/".starts_with(bytes) {
        let status = Ok(Status::Partial);
        return Parsed { start: Start::Unknown, status, headers: &[] };
    }
    if !bytes.starts_with(b"HTTP/") {
        let mut request = httparse::Request::new(&mut []);
        let status = config.parse_request_with_uninit_headers(
            &mut request,
            bytes,
            room,
        );
        let part = |text: Option<&str>| {
            text.map_or(Span::EMPTY, |text| place(input, text.as_bytes()))
        };
        let start = Start::Request {
            method: part(request.method),
            target: part(request.path),
        };
        return Parsed { start, status, headers: request.headers };
    }
    let mut response = httparse::Response::new(&mut []);
    let status =
        config.parse_response_with_uninit_headers(&mut response, bytes, room);
    // The code stands behind the version and its space or spaces.
    let code = bytes.get(8..).unwrap_or_default();
    let spaces = code.iter().take_while(|&&b| b == b' ').count();
    let digits = Span::between(begin + 8 + spaces, begin + 11 + spaces);
    let start = match response.code {
        Some(status) => Start::Response { status, digits },
        None => Start::Response { status: 0, digits: Span::EMPTY },
    };
    Parsed { start, status, headers: response.headers }
}

/// A header that matters to this protocol.
pub(crate) struct Header {
    pub name: Name,
    /// Where its line begins.
    pub start: usize,
    /// Its value, spaces around it left off.
    pub value: Span,
}

/// A line of httparse's, if it is one of these.
fn known(input: &[u8], line: &httparse::Header) -> Option<Header> {
    let text = line.name.as_bytes();
    let name = name(text)?;
    let place_of_name = place(input, text);
    let value = if line.value.is_empty() {
        // It has a place all the same.
        let end = place_of_name.end();
        let behind = end + find(b':', &input[end..])? + 1;
        Span::between(behind, behind)
    } else {
        place(input, line.value)
    };
    Some(Header { name, start: place_of_name.start(), value })
}

/// Offset just behind the first blank line.
pub(crate) fn blank_line(input: &[u8]) -> Option<usize> {
    let at = blocks::before_blank_line(input);
    let behind = |line: usize| match &input[line..] {
        [b'\n', ..] => Some(line + 1),
        [b'\r', b'\n', ..] => Some(line + 2),
        _ => None,
    };
    let mut lines = memchr::memchr_iter(b'\n', &input[at..]);
    behind(0).or_else(|| lines.find_map(|i| behind(at + i + 1)))
}

/// Where a part of the input lies in it.
pub(crate) fn place(input: &[u8], part: &[u8]) -> Span {
    let start = part.as_ptr() as usize - input.as_ptr() as usize;
    Span::between(start, start + part.len())
}

/// The headers that matter to this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    ContentEncoding,
    ContentLength,
    ContentType,
    Cookie,
    Host,
    SetCookie,
    TransferEncoding,
    UserAgent,
}

/// Finds a header by its name, in any case.
fn name(text: &[u8]) -> Option<Name> {
    let first = text.first()?.to_ascii_lowercase();
    let (name, spelling): (_, &[u8]) = match (text.len(), first) {
        (4, b'h') => (Name::Host, b"Host"),
        (6, b'c') => (Name::Cookie, b"Cookie"),
        (10, b'u') => (Name::UserAgent, b"User-Agent"),
        (10, b's') => (Name::SetCookie, b"Set-Cookie"),
        (12, b'c') => (Name::ContentType, b"Content-Type"),
        (14, b'c') => (Name::ContentLength, b"Content-Length"),
        (16, b'c') => (Name::ContentEncoding, b"Content-Encoding"),
        (17, b't') => (Name::TransferEncoding, b"Transfer-Encoding"),
        _ => return None,
    };
    text::is(text, spelling).then_some(name)
}

/// Whether a line may be one of these headers, by its first letter.
fn may_be_known(line: &[u8]) -> bool {
    let first = line.first().map(u8::to_ascii_lowercase);
    matches!(first, Some(b'c' | b'h' | b's' | b't' | b'u'))
}

/// The next known header in the lines of `input` from `*at` up to `end`;
/// `*at` moves behind its line. A line without its line end is cut, and no
/// header.
pub(crate) fn next_header(
    input: &[u8],
    at: &mut usize,
    end: usize,
) -> Option<Header> {
    loop {
        let lines = input.get(*at..end)?;
        let line = &lines[..memchr(b'\n', lines)?];
        let start = *at;
        *at += line.len() + 1;
        if !may_be_known(line) {
            continue;
        }
        let Some(colon) = find(b':', line) else { continue };
        let Some(name) = name(line[..colon].trim_ascii_end()) else {
            continue;
        };
        let value = line[colon + 1..].trim_ascii();
        // An empty value has a place all the same.
        let from = if value.is_empty() {
            start + colon + 1
        } else {
            place(input, value).start()
        };
        let value = Span::between(from, from + value.len());
        return Some(Header { name, start, value });
    }
}

/// Offset just behind the start line.
pub(crate) fn first_header(input: &[u8], begin: usize) -> usize {
    let line = input.get(begin..).and_then(|rest| memchr(b'\n', rest));
    line.map_or(input.len(), |i| begin + i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_in_any_case_and_with_odd_spaces() {
        let input = b"GET / HTTP/1.1\r\nhOST:  a.b \r\nX: y\r\n\
            Set-Cookie : c\nHost:\r\n folded: 1\r\nCookie: cut";
        let mut at = first_header(input, 0);
        let mut found = vec![];
        while let Some(header) = next_header(input, &mut at, input.len()) {
            found.push((header.name, header.value.of(input)));
        }
        assert_eq!(
            found,
            [
                (Name::Host, &b"a.b"[..]),
                (Name::SetCookie, b"c"),
                (Name::Host, b""),
            ]
        );
    }

    #[test]
    fn bad_lines_do_not_hide_the_rest() {
        let head =
            parse(b"GET / HTTP/1.1\r\nno colon\r\n: x\r\n\r\nB", |_| {});
        let head = head.unwrap();
        assert!(head.whole);
        assert_eq!(head.end, 33);
    }

    #[test]
    fn not_http() {
        for input in [&b"\x16\x03\x01\x02\x00\x01"[..], b"SSH-2.0-x\r\n"] {
            assert_eq!(parse(input, |_| {}).err(), Some(Error::NotHttp));
        }
    }

    /// What `?`, anyhow and a thread's result ask of an error.
    #[test]
    fn error_is_one() {
        fn check<E>(error: E) -> Box<dyn std::error::Error + Send + Sync>
        where
            E: std::error::Error + Copy + Eq + std::hash::Hash + Send + Sync,
            E: 'static,
        {
            error.into()
        }
        let text = check(Error::NotHttp).to_string();
        assert_eq!(text, "not an HTTP/1.x message");
    }

    #[test]
    fn any_number_of_header_lines() {
        let extremes = [0, MAX_HEADERS - 1, MAX_HEADERS, MAX_HEADERS + 1];
        for lines in extremes.into_iter().chain([10_000]) {
            let lines = "A: b\r\n".repeat(lines);
            let text = format!("GET /a HTTP/1.1\r\n{lines}\r\nbody");
            let text = text.as_bytes();
            let head = parse(text, |_| {}).unwrap();
            assert_eq!((head.whole, head.end), (true, text.len() - 4));
            let Start::Request { target, .. } = head.start else { panic!() };
            assert_eq!(target.of(text), b"/a");
            let cut = &text[..text.len() - 5];
            let head = parse(cut, |_| {}).unwrap();
            assert_eq!((head.whole, head.end), (false, cut.len()));
        }
    }
}
