//! A first look at bytes that nothing is known of.
//!
//! A dissector asks this of every segment on port 80, so it must cost next
//! to nothing where the answer is no. [`Sniff::Candidate`] promises nothing
//! but that parsing is worth it. The other answers are certain: parsing one
//! message after the other would find none of ours, as far as heads are whole
//! and methods have no small letters, as none has. Behind a response that is
//! not interim nothing is looked at; one that tells by itself what it is has
//! lost its request, and is rare enough.
//!
//! All of it is one pass over the bytes. A body is not read but for its
//! chunks' sizes, which HTTP's own dissector goes through as well, as often
//! as it is given them.

use crate::blocks;
use crate::chunked;
use crate::head;
use crate::lan;
use crate::message::{read, Context, COMPLETE};
use crate::names;
use crate::numbered::numbered;
use crate::purpose::RESULT_CODE;
use crate::span::MAX_INPUT;
use memchr::{memchr, memmem};

/// How far into a message its head is searched for. Servers refuse heads
/// larger than 8 or 16 KiB.
const HEAD_MAX: usize = 1 << 16;

numbered! {
    /// What the first bytes are.
    pub enum Sniff {
        /// Nothing of ours: not HTTP, or a response that does not itself tell.
        No = 0,
        /// HTTP requests, none of which is ours.
        OtherRequest = 1,
        /// Maybe a message of ours, or one behind which the connection stops
        /// being HTTP (CONNECT, 101).
        Candidate = 2,
    }
}

/// Looks at the first bytes of what may be one or more messages. Most
/// segments begin otherwise, and are done with where they come from.
#[inline]
pub fn sniff(input: &[u8]) -> Sniff {
    match input.first() {
        Some(b'A'..=b'Z') => messages(input),
        Some(b'\r' | b'\n') => behind_blank_lines(input),
        _ => Sniff::No,
    }
}

/// A message may have blank lines in front of it.
#[inline(never)]
fn behind_blank_lines(input: &[u8]) -> Sniff {
    let rest = &input[blank_lines(input)..];
    match rest.first() {
        Some(b'A'..=b'Z') => messages(rest),
        _ => Sniff::No,
    }
}

/// What a look at one message says.
enum Look<'a> {
    Candidate,
    /// It is another's; this is what stands behind it.
    Other(&'a [u8]),
    /// Nobody looks further.
    End,
}

/// Nearly all runs are one message, and told at once.
#[inline(never)]
fn messages(input: &[u8]) -> Sniff {
    if !input.starts_with(b"HTTP/1.") {
        return if is_plain(input) {
            Sniff::OtherRequest
        } else {
            walk(input)
        };
    }
    match response(input) {
        Look::Candidate => Sniff::Candidate,
        Look::Other(rest) => walk(rest),
        Look::End => Sniff::No,
    }
}

/// Goes from message to message.
#[inline(never)]
fn walk(mut rest: &[u8]) -> Sniff {
    let mut so_far = Sniff::No;
    loop {
        let input = &rest[blank_lines(rest)..];
        let look = if input.starts_with(b"HTTP/1.") {
            response(input)
        } else if let Some(method) = method(input) {
            so_far = Sniff::OtherRequest;
            request(input, method)
        } else {
            return so_far;
        };
        match look {
            Look::Candidate => return Sniff::Candidate,
            Look::Other(behind) => rest = behind,
            Look::End => return so_far,
        }
    }
}

/// The head at the beginning of `input`, and what follows; `None` if there is
/// no end to it as far as is looked.
fn split_head(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let near = &input[..input.len().min(HEAD_MAX)];
    match head::blank_line(near) {
        None if near.len() == HEAD_MAX => None,
        end => Some(input.split_at(end.unwrap_or(near.len()))),
    }
}

#[inline(always)]
fn response(input: &[u8]) -> Look<'_> {
    let behind = input.get(8..).unwrap_or_default();
    let status = behind.trim_ascii_start().get(..3).unwrap_or_default();
    // Where the status of another version stands is for parsing to say.
    if status == b"101" || behind.first().is_some_and(|b| *b != b' ') {
        return Look::Candidate;
    }
    let Some((_, body)) = split_head(input) else { return Look::Candidate };
    if status.first() == Some(&b'1') {
        return Look::Other(body);
    }
    // An answer that tells by itself begins with its result code, maybe
    // behind the size of a chunk.
    let mut first = body.first();
    if first.is_some_and(u8::is_ascii_hexdigit) {
        let line = &body[..body.len().min(chunked::SIZE_LINE)];
        first = memchr(b'\n', line).and_then(|i| body.get(i + 1));
    }
    if first.map(u8::to_ascii_lowercase) == Some(RESULT_CODE[0]) {
        Look::Candidate
    } else {
        Look::End
    }
}

fn request<'a>(input: &'a [u8], method: &[u8]) -> Look<'a> {
    if method == b"CONNECT" {
        return Look::Candidate;
    }
    let Some((head, rest)) = split_head(input) else {
        return Look::Candidate;
    };
    if names::any_in(head) || is_lan(&head[method.len()..]) {
        return Look::Candidate;
    }
    if rest.is_empty() {
        return Look::Other(rest);
    }
    // A body follows, or another request, or both.
    if input.len() > MAX_INPUT {
        return Look::Candidate;
    }
    match read(input, &Context::default()) {
        Ok(message) if message.has(COMPLETE) => {
            Look::Other(&input[message.length as usize..])
        }
        _ => Look::Other(&[]),
    }
}

/// Whether this is one request of a browser, as nearly all are: for a path,
/// with a head and nothing else, in which nothing looks like ours. Finding
/// that out takes no line of it to be found.
fn is_plain(input: &[u8]) -> bool {
    let methods: [&[u8]; 3] = [b"GET ", b"POST ", b"HEAD "];
    let behind = methods.into_iter().find_map(|m| input.strip_prefix(m));
    let Some(behind) = behind else { return false };
    let Some(head) = behind.strip_suffix(b"\r\n\r\n") else { return false };
    head.first() == Some(&b'/')
        && !is_lan_path(head)
        && head.len() < HEAD_MAX
        && !blocks::any_name_or_blank_line(head)
}

/// Length of the line ends that a message may have in front of it.
fn blank_lines(input: &[u8]) -> usize {
    input.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count()
}

/// The method of what begins as a request does: a token of capital letters
/// and maybe something else, and a space.
fn method(input: &[u8]) -> Option<&[u8]> {
    let end = input.iter().position(|&b| b == b' ' || !in_method(b))?;
    (end > 0 && input[end] == b' ').then_some(&input[..end])
}

/// Whether a byte may be part of a token (RFC 9110 §5.6.2), but for small
/// letters.
fn in_method(b: u8) -> bool {
    b.is_ascii_uppercase()
        || b.is_ascii_digit()
        || b"-_!#$%&'*+.^`|~".contains(&b)
}

/// Whether the target behind a method has a path of the LAN side.
fn is_lan(behind: &[u8]) -> bool {
    let target = behind.trim_ascii_start();
    if target.first() == Some(&b'/') {
        return is_lan_path(target);
    }
    // In absolute form a host stands before the path.
    let line = &target[..memchr(b'\n', target).unwrap_or(target.len())];
    lan::PATHS.into_iter().any(|path| memmem::find(line, path).is_some())
}

/// Whether bytes begin with such a path.
fn is_lan_path(bytes: &[u8]) -> bool {
    lan::PATHS.into_iter().any(|path| bytes.starts_with(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A head so long that nobody looked to its end may be anything.
    #[test]
    fn long_heads() {
        for (length, expected) in
            [(HEAD_MAX / 2, Sniff::OtherRequest), (HEAD_MAX, Sniff::Candidate)]
        {
            let cookie = "c".repeat(length);
            let head = format!("GET / HTTP/1.1\r\nCookie: {cookie}\r\n\r\n");
            assert_eq!(sniff(head.as_bytes()), expected);
        }
    }

    #[test]
    fn answers() {
        use Sniff::*;
        for (input, expected) in [
            ("", No),
            ("\x16\x03\x01", No),
            ("SSH-2.0-OpenSSH\r\n", No),
            ("GET / HTTP/1.1\r\nHost: a-b.c\r\n\r\n", OtherRequest),
            ("GET / HTTP/1.1\r\nHost: ADD-con.mcas\r\n\r\n", Candidate),
            ("GET http://verup-mcas.x.flets/ HTTP/1.1\r\n\r\n", Candidate),
            ("POST / HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\n", Candidate),
            ("\r\nPOST / HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\n", Candidate),
            ("POST / HTTP/1.1\nUser-Agent: M-CAS/1.0\n\n", Candidate),
            (
                "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nM-CAS/1.0",
                OtherRequest,
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n.\
                 POST / HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\n\r\n",
                Candidate,
            ),
            ("GET /cas_tel_list/ HTTP/1.1\r\n\r\n", Candidate),
            ("GET http://ntt.setup/cas_tel_list HTTP/1.1\r\n", Candidate),
            ("GET /x?/cas_tel_list/ HTTP/1.1\r\n\r\n", OtherRequest),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n.\r\n\
                 POST / HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\n\r\n",
                Candidate,
            ),
            ("CONNECT a:443 HTTP/1.1\r\n\r\n", Candidate),
            ("M-SEARCH / HTTP/1.1\r\nHost: add-con.mcas\r\n", Candidate),
            ("get / HTTP/1.1\r\nHost: add-con.mcas\r\n", No),
            (
                "GET / HTTP/1.1\n\nGET /cas_tel_list/ HTTP/1.1\r\n\r\n",
                Candidate,
            ),
            ("HTTP/1.1 200 OK\n\nResultCode=0000\r\na=b\r\n\r\n", Candidate),
            ("HTTP/1.1 200 OK\n\r\nResultCode=0000\r\n", Candidate),
            (
                "HTTP/1.1  100 Continue\r\n\r\n\
                 HTTP/1.1 200 OK\r\n\r\nResultCode=0000",
                Candidate,
            ),
            ("HTTP/1.1 101 Switching\r\n\r\n", Candidate),
            ("HTTP/1.10 101 Switching\r\n\r\n", Candidate),
            ("HTTP/1.1 2\0 OK\r\n\r\nResultCode=0000", Candidate),
            ("GET /cas_tel_list/ HTTP/1.1 \r\n\r\n", Candidate),
            ("POST / HTTP/1.1\r\nUser-Agent: M-CAS/1\0\r\n", Candidate),
            ("HTTP/1.1 200 OK\r\n\r\n<html>", No),
            ("HTTP/1.1 200 OK\r\n\r\nResultCode=0000", Candidate),
            ("HTTP/1.1 200 OK\n\nresultcode=0000", Candidate),
            ("HTTP/1.1 200 OK\r\n\r\n1f\r\nResultCode=0000", Candidate),
            ("HTTP/1.1 200 OK\r\n\r\n1f\r\n<html>", No),
            (
                "HTTP/1.1 100 Continue\r\n\r\n\
                 HTTP/1.1 200 OK\r\n\r\nResultCode=0000",
                Candidate,
            ),
        ] {
            assert_eq!(sniff(input.as_bytes()), expected, "{input:?}");
        }
    }
}
