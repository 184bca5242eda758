//! Text as people read it: percent-encoding undone, in UTF-8.
//!
//! Answers are taken raw, forms and queries are percent-decoded
//! (application/x-www-form-urlencoded, WHATWG URL §5.1: `+` is a space, `%`
//! without two hex digits behind it stands for itself). The bytes that come
//! out are UTF-8 if they read as UTF-8, and ISO-8859-1 otherwise, which was
//! HTTP's default for text in the years of this protocol (RFC 2616 §3.7.1)
//! and which its server declares; a message that declares ISO-8859-1 is
//! taken at its word. Nothing is lost either way. A NUL, which a C string
//! cannot hold, is shown as U+2400.

use crate::item::{Item, LATIN1, PERCENT_ENCODED};
use crate::value::hex_digit;

/// Undoes percent-encoding byte by byte.
struct Decoded<'a> {
    rest: &'a [u8],
    percent: bool,
}

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if !self.percent {
            return Some(first);
        }
        match (first, rest) {
            (b'+', _) => Some(b' '),
            (b'%', [high, low, rest @ ..]) => {
                match (hex_digit(*high), hex_digit(*low)) {
                    (Some(high), Some(low)) => {
                        self.rest = rest;
                        Some(high << 4 | low)
                    }
                    _ => Some(b'%'),
                }
            }
            _ => Some(first),
        }
    }
}

/// Length of the UTF-8 sequence that begins with `first`, and the bits of
/// the character that `first` holds; `None` if none can begin with it.
fn sequence(first: u8) -> Option<(usize, u32)> {
    Some(match first {
        0x00..=0x7f => (1, first.into()),
        0xc2..=0xdf => (2, (first & 0x1f).into()),
        0xe0..=0xef => (3, (first & 0x0f).into()),
        0xf0..=0xf4 => (4, (first & 0x07).into()),
        _ => return None,
    })
}

/// The characters of bytes, read as UTF-8; `None` once they are not.
fn next_utf8(bytes: &mut Decoded) -> Option<Option<char>> {
    let first = bytes.next()?;
    let Some((length, mut code)) = sequence(first) else {
        return Some(None);
    };
    for _ in 1..length {
        match bytes.next() {
            Some(b @ 0x80..=0xbf) => {
                code = code << 6 | u32::from(b & 0x3f);
            }
            _ => return Some(None),
        }
    }
    // Overlong forms and surrogates are no characters.
    let c = char::from_u32(code).filter(|c| c.len_utf8() == length);
    Some(c)
}

/// Whether the bytes read as UTF-8.
fn is_utf8(mut bytes: Decoded) -> bool {
    while let Some(c) = next_utf8(&mut bytes) {
        if c.is_none() {
            return false;
        }
    }
    true
}

/// Whether a decoded text reads `text`, character for character.
pub(crate) fn eq_ignore_ascii_case(
    raw: &[u8],
    percent: bool,
    text: &str,
) -> bool {
    let decoded = Decoded { rest: raw, percent };
    decoded
        .map(|b| b.to_ascii_lowercase())
        .eq(text.bytes().map(|b| b.to_ascii_lowercase()))
}

/// Decodes percent-encoding into `out` as far as it goes; returns the bytes
/// that were written if all fit.
pub(crate) fn decode<'a>(
    raw: &[u8],
    percent: bool,
    out: &'a mut [u8],
) -> Option<&'a [u8]> {
    let mut length = 0;
    for b in (Decoded { rest: raw, percent }) {
        *out.get_mut(length)? = b;
        length += 1;
    }
    Some(&out[..length])
}

/// Hands the text of `item`, whose bytes are `input`'s, to `sink`, character
/// by character.
pub fn for_each_char(item: &Item, input: &[u8], mut sink: impl FnMut(char)) {
    let percent = item.flags & PERCENT_ENCODED != 0;
    let bytes = || Decoded { rest: item.span.of(input), percent };
    let visible = |c| if c == '\0' { '\u{2400}' } else { c };
    if item.flags & LATIN1 == 0 && is_utf8(bytes()) {
        let mut bytes = bytes();
        while let Some(Some(c)) = next_utf8(&mut bytes) {
            sink(visible(c));
        }
    } else {
        bytes().for_each(|b| sink(visible(char::from(b))));
    }
}

/// Writes the text of `item` to `out` as UTF-8 and returns how many bytes
/// the whole of it needs. Where that is more than `out` has, `out` holds as
/// many whole characters as fit.
pub fn write(item: &Item, input: &[u8], out: &mut [u8]) -> usize {
    let (mut needed, mut full) = (0, false);
    for_each_char(item, input, |c| {
        let end = needed + c.len_utf8();
        // Once a character did not fit, no shorter one may follow it.
        full |= end > out.len();
        if !full {
            c.encode_utf8(&mut out[needed..end]);
        }
        needed = end;
    });
    needed
}

/// The text of `item` as a `String`.
pub fn to_string(item: &Item, input: &[u8]) -> String {
    let mut text = String::new();
    for_each_char(item, input, |c| text.push(c));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Field;
    use crate::span::Span;

    fn text(raw: &[u8], flags: u32) -> String {
        let span = Span::between(0, raw.len());
        let mut item = Item::text(Field::Param, 0, span);
        item.flags = flags;
        let text = to_string(&item, raw);
        let mut out = [0; 64];
        let needed = write(&item, raw, &mut out);
        assert_eq!(&out[..needed], text.as_bytes());
        for room in 0..needed {
            out.fill(0xa5);
            assert_eq!(write(&item, raw, &mut out[..room]), needed);
            let kept = out.iter().position(|&b| b == 0xa5).unwrap();
            assert_eq!(&out[..kept], &text.as_bytes()[..kept]);
            assert!(core::str::from_utf8(&out[..kept]).is_ok());
        }
        text
    }

    #[test]
    fn percent_decoding() {
        for (raw, decoded) in [
            ("a%20b+c", "a b c"),
            ("%E3%81%82", "あ"),
            ("%e9", "é"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("%00", "\u{2400}"),
        ] {
            assert_eq!(text(raw.as_bytes(), PERCENT_ENCODED), decoded);
            assert_eq!(text(raw.as_bytes(), 0), raw);
        }
    }

    #[test]
    fn charset() {
        assert_eq!(text("é".as_bytes(), 0), "é");
        assert_eq!(text(b"\xe9t\xe9", 0), "été");
        assert_eq!(text("é".as_bytes(), LATIN1), "Ã©");
        for overlong in
            [&b"\xc0\x80"[..], b"\xed\xa0\x80", b"\xf4\x90\x80\x80"]
        {
            assert_eq!(text(overlong, 0).chars().count(), overlong.len());
        }
    }

    /// The standard library is the oracle for what reads as UTF-8.
    #[test]
    fn utf8_agrees_with_std() {
        let seeds = [0x00u8, 0x41, 0x7f, 0x80, 0x90, 0xa0, 0xbf, 0xc0, 0xc2];
        let heads = [0xdfu8, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5];
        for a in seeds.into_iter().chain(heads) {
            for b in seeds {
                for c in seeds {
                    for d in seeds {
                        let raw = [a, b, c, d];
                        let bytes = Decoded { rest: &raw, percent: false };
                        assert_eq!(
                            is_utf8(bytes),
                            core::str::from_utf8(&raw).is_ok(),
                            "{raw:x?}"
                        );
                    }
                }
            }
        }
    }
}
