//! The head of an HTTP/1.x message: start line and header lines.
//!
//! `httparse` judges whether the head is HTTP and whether it is whole, reads
//! the start line and finds the headers; what it refuses goes to
//! [`crate::lenient`]. Header lines are walked a second time here where an
//! item needs its bytes (cookies may stand in any number of lines, which a
//! plain struct cannot hold); where the end of the captured bytes cuts the
//! head, which `httparse` answers with «partial» and no headers; and where it
//! has refused the head.

use crate::blocks;
use crate::error::NotHttp;
use crate::lenient;
use crate::scan::find;
use crate::span::Span;
use crate::text;
use core::mem::MaybeUninit;
use httparse::{ParserConfig, Status};
use memchr::memchr;

/// As many header lines as this are shown to `httparse`, which wants room for
/// them beforehand. Apache and nginx accept 100 by default; heads that go
/// beyond are read all the same.
const MAX_HEADERS: usize = 256;

/// What the first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Whether it breaks HTTP's grammar.
    pub invalid: bool,
}

/// Lenient where that changes nothing of what is read. `httparse` could
/// leave out bad lines, too, but not all that Wireshark's HTTP passes over,
/// and would not say so.
fn config() -> ParserConfig {
    let mut config = ParserConfig::default();
    config
        .allow_multiple_spaces_in_request_line_delimiters(true)
        .allow_multiple_spaces_in_response_status_delimiters(true);
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
) -> Result<Head, NotHttp> {
    let begin = input
        .iter()
        .position(|b| !matches!(b, b'\r' | b'\n'))
        .unwrap_or(input.len());
    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let Parsed { start, status, headers } = run(input, begin, &mut room);
    match status {
        Ok(Status::Complete(length)) => {
            let headers = headers.iter();
            headers.filter_map(|line| wanted(input, line)).for_each(each);
            let end = begin + length;
            Ok(Head { begin, start, end, whole: true, invalid: false })
        }
        Ok(Status::Partial) => {
            let end = input.len();
            let first = first_header(input, begin, false);
            walk(input, first.unwrap_or(end), end, false, &mut each);
            let start = until_line_end(start, first.is_some());
            Ok(Head { begin, start, end, whole: false, invalid: false })
        }
        Err(error) => refused(input, begin, error, &mut each),
    }
}

/// Reads a head that `httparse` refuses.
#[cold]
fn refused(
    input: &[u8],
    begin: usize,
    error: httparse::Error,
    each: &mut dyn FnMut(Header),
) -> Result<Head, NotHttp> {
    let first = first_header(input, begin, true).unwrap_or(input.len());
    // What is wrong may be behind the start line.
    let Parsed { start, status, .. } = run(&input[..first], begin, &mut []);
    let start = match status {
        Ok(Status::Partial) => start,
        _ => lenient::start(input, begin).ok_or(NotHttp)?,
    };
    let only_long = error == httparse::Error::TooManyHeaders;
    let lenient::Lines { end, whole, valid } = lenient::lines(input, first);
    let invalid = !(only_long && valid);
    walk(input, first, end, invalid, each);
    Ok(Head { begin, start, end, whole, invalid })
}

/// What a start line says so far: a blank in its target shows only once all
/// of it is there.
fn until_line_end(start: Start, ended: bool) -> Start {
    match start {
        Start::Request { method, .. } if !ended => {
            Start::Request { method, target: Span::EMPTY }
        }
        start => start,
    }
}

/// Hands the known headers among the lines from `at` up to `end` to `each`.
fn walk(
    input: &[u8],
    mut at: usize,
    end: usize,
    invalid: bool,
    each: &mut dyn FnMut(Header),
) {
    while let Some(header) = next_header(input, &mut at, end, invalid) {
        each(header);
    }
}

/// Lets `httparse` read the head at `begin`.
fn run<'h, 'b>(
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
        let status = config().parse_request_with_uninit_headers(
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
    let status = config().parse_response_with_uninit_headers(
        &mut response,
        bytes,
        room,
    );
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
    /// Whether its colon stands right behind its name. With a blank between
    /// them it is no header to Wireshark's HTTP (RFC 9112 §5.1).
    pub exact: bool,
}

/// A line of httparse's, if it is one of these.
fn wanted(input: &[u8], line: &httparse::Header) -> Option<Header> {
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
    let start = place_of_name.start();
    Some(Header { name, start, value, exact: true })
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
/// header. Only an `invalid` head has lines that end with a CR alone.
pub(crate) fn next_header(
    input: &[u8],
    at: &mut usize,
    end: usize,
    invalid: bool,
) -> Option<Header> {
    loop {
        let start = *at;
        let lines = input.get(start..end)?;
        let line = if invalid {
            let line = lenient::line(&input[..end], start)?;
            *at = line.next;
            &input[start..line.end]
        } else {
            let line = &lines[..memchr(b'\n', lines)?];
            *at += line.len() + 1;
            line
        };
        if !may_be_known(line) {
            continue;
        }
        let Some(colon) = find(b':', line) else { continue };
        let before = line[..colon].trim_ascii_end();
        let Some(name) = name(before) else { continue };
        let exact = before.len() == colon;
        let value = line[colon + 1..].trim_ascii();
        // An empty value has a place all the same.
        let from = if value.is_empty() {
            start + colon + 1
        } else {
            place(input, value).start()
        };
        let value = Span::between(from, from + value.len());
        return Some(Header { name, start, value, exact });
    }
}

/// Offset just behind the start line, if its end is there.
pub(crate) fn first_header(
    input: &[u8],
    begin: usize,
    invalid: bool,
) -> Option<usize> {
    if invalid {
        return lenient::line(input, begin).map(|line| line.next);
    }
    Some(begin + memchr(b'\n', input.get(begin..)?)? + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_in_any_case_and_with_odd_spaces() {
        let input = b"GET / HTTP/1.1\r\nhOST:  a.b \r\nX: y\r\n\
            Set-Cookie : c\nHost:\r\n folded: 1\r\nCookie: cut";
        let mut at = first_header(input, 0, false).unwrap();
        let mut found = vec![];
        let end = input.len();
        while let Some(header) = next_header(input, &mut at, end, false) {
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
            assert_eq!(parse(input, |_| {}).err(), Some(NotHttp));
        }
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
