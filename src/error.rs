//! Why bytes could not be read.

use core::fmt;

/// Why bytes could not be read as an HTTP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// They are none of HTTP/1.x.
    #[non_exhaustive]
    NotHttp {
        /// Of the first byte with which they are none: what stands before it
        /// may be the beginning of a message.
        offset: usize,
    },
    /// They are more than [`MAX_INPUT`](crate::MAX_INPUT).
    TooLarge,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotHttp { offset } => {
                write!(f, "not an HTTP/1.x message, by its byte {offset}")
            }
            Error::TooLarge => f.write_str("input too large"),
        }
    }
}

impl std::error::Error for Error {}

/// The first of the two, for those who do not ask where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotHttp;

/// Offset of the byte with which something becomes what it was not before:
/// `is` tells of the first so many bytes, of which there are `all`, and once
/// it is true stays so. Doubles first, so that little is looked at again
/// where it is found early, and however early, `is` is asked of bytes that
/// are at most twice as many.
pub(crate) fn first_with(all: usize, is: impl Fn(usize) -> bool) -> usize {
    let mut end = 1;
    while end < all && !is(end) {
        end *= 2;
    }
    let (mut without, mut with) = (end / 2, end.min(all));
    while with - without > 1 {
        let middle = without + (with - without) / 2;
        if is(middle) {
            with = middle;
        } else {
            without = middle;
        }
    }
    without
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{parse, Context};

    #[test]
    fn first() {
        for all in 1..40 {
            for offset in 0..all {
                assert_eq!(first_with(all, |n| n > offset), offset, "{all}");
            }
        }
    }

    #[test]
    fn where_it_ceases_to_be_http() {
        for (input, behind) in [
            ("\x16\x03\x01", ""),
            ("\r\n\r\n\x16", "\r\n\r\n"),
            ("SSH-2.0-x\r\n", "SSH-2.0-x"),
            // A target may have blanks, up to the line's end.
            ("GET / HTTP/2.0\r\n\r\n", "GET / HTTP/2.0\r"),
            ("HTTP/2 200\r\n", "HTTP/"),
        ] {
            let parsed = parse(input.as_bytes(), &Context::default());
            let offset = behind.len();
            assert_eq!(parsed, Err(Error::NotHttp { offset }), "{input:?}");
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
        let text = check(Error::NotHttp { offset: 7 }).to_string();
        assert_eq!(text, "not an HTTP/1.x message, by its byte 7");
    }
}
