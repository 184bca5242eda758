//! Text as people read it: percent-encoding undone, in UTF-8.
//!
//! Answers are taken raw, forms and queries are percent-decoded
//! (application/x-www-form-urlencoded, WHATWG URL §5.1: `+` is a space, `%`
//! without two hex digits behind it stands for itself). The bytes that come
//! out are read in the charset that the message declares. Where it declares
//! none, or they are none of its characters, they are UTF-8 if they read as
//! UTF-8, and ISO-8859-1 otherwise, which was HTTP's default for text in the
//! years of this protocol (RFC 2616 §3.7.1) and which its server declares.
//! Nothing is lost either way. A NUL, which a C string cannot hold, is shown
//! as U+2400; U+FFFE and U+FFFF, which are no characters and which XML cannot
//! hold, as U+FFFD, by which Wireshark shows bytes that are no text.

use crate::charset::{self, Charset};
use crate::item::{Item, PERCENT_ENCODED};
use crate::value::hex_digit;
use core::fmt::{self, Write};
use encoding_rs::UTF_8;
use memchr::{memchr, memchr2};

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

/// Whether a decoded text reads `text`, character for character.
pub(crate) fn eq_ignore_ascii_case(
    raw: &[u8],
    percent: bool,
    text: &str,
) -> bool {
    bytes(raw, percent)
        .map(|b| b.to_ascii_lowercase())
        .eq(text.bytes().map(|b| b.to_ascii_lowercase()))
}

/// Whether a text reads `spelling`, in any case; most come in the case in
/// which they are always written.
pub(crate) fn is(text: &[u8], spelling: &[u8]) -> bool {
    text == spelling || text.eq_ignore_ascii_case(spelling)
}

/// The bytes of `raw`, percent-encoding undone.
pub(crate) fn bytes(
    raw: &[u8],
    percent: bool,
) -> impl Iterator<Item = u8> + '_ {
    Decoded { rest: raw, percent }
}

/// The bytes of `raw`, percent-encoding undone, in `room` where there is any
/// to undo; `None` where there are more than would fit.
pub(crate) fn decode<'a, const N: usize>(
    raw: &'a [u8],
    percent: bool,
    room: &'a mut Option<[u8; N]>,
) -> Option<&'a [u8]> {
    if !percent || !raw.iter().any(|b| matches!(b, b'%' | b'+')) {
        return (raw.len() <= N).then_some(raw);
    }
    let room = room.insert([0; N]);
    let mut length = 0;
    for b in bytes(raw, percent) {
        *room.get_mut(length)? = b;
        length += 1;
    }
    Some(&room[..length])
}

/// A text without the byte order mark (U+FEFF) in front of it.
#[inline(always)]
pub(crate) fn without_bom(text: &[u8]) -> &[u8] {
    match text {
        [0xef, 0xbb, 0xbf, rest @ ..] => rest,
        text => text,
    }
}

/// How many bytes at the end of `raw` say its last `count` bytes, which have
/// no `+` for a space.
pub(crate) fn tail_length(raw: &[u8], percent: bool, count: usize) -> usize {
    let mut before = raw;
    for _ in 0..count {
        before = match before {
            // Two hex digits behind a `%` always belong to it.
            [before @ .., b'%', high, low]
                if percent
                    && hex_digit(*high).is_some()
                    && hex_digit(*low).is_some() =>
            {
                before
            }
            [before @ .., _] => before,
            [] => break,
        };
    }
    raw.len() - before.len()
}

/// Writes the text of `item`, whose bytes are `input`'s, to `out`.
pub(crate) fn write(
    item: &Item,
    input: &[u8],
    out: &mut impl Write,
) -> fmt::Result {
    let raw = item.span.of(input);
    let percent = item.flags & PERCENT_ENCODED != 0
        && memchr2(b'%', b'+', raw).is_some();
    let bytes = || bytes(raw, percent);
    let mut result = Ok(());
    let mut put = |c: char| {
        if result.is_ok() {
            result = out.write_char(match c {
                '\0' => '\u{2400}',
                '\u{fffe}' | '\u{ffff}' => char::REPLACEMENT_CHARACTER,
                c => c,
            });
        }
    };
    // Nearly all text is ASCII as it stands, which all charsets agree on.
    if !percent && raw.is_ascii() && memchr(0, raw).is_none() {
        if let Ok(text) = core::str::from_utf8(raw) {
            return out.write_str(text);
        }
    }
    for encoding in
        Charset::from_number(item.charset).unwrap_or_default().encodings()
    {
        if !percent && encoding == UTF_8 {
            if let Ok(text) = core::str::from_utf8(raw) {
                text.chars().for_each(put);
                return result;
            }
        } else if charset::decode(encoding, bytes(), |_| {}) {
            charset::decode(encoding, bytes(), put);
            return result;
        }
    }
    bytes().for_each(|b| put(char::from(b)));
    result
}

/// The text of `item` as a `String`.
pub fn to_string(item: &Item, input: &[u8]) -> String {
    let mut text = String::new();
    // A string takes anything.
    let _ = write(item, input, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::Field;
    use crate::span::Span;

    fn text(raw: &[u8], flags: u32, charset: Charset) -> String {
        let span = Span::between(0, raw.len());
        let charset = charset as u32;
        let item = Item::text(Field::Param, 0, span);
        to_string(&Item { flags, charset, ..item }, raw)
    }

    #[test]
    fn percent_decoding() {
        for (raw, decoded) in [
            ("a%20b+c", "a b c"),
            ("%E3%81%82", "あ"),
            ("%e9", "é"),
            ("%E3+%82", "ã \u{82}"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz%41", "%zzA"),
            ("%%41", "%A"),
            ("%00", "\u{2400}"),
        ] {
            let unknown = Charset::Unknown;
            assert_eq!(
                text(raw.as_bytes(), PERCENT_ENCODED, unknown),
                decoded
            );
            assert_eq!(text(raw.as_bytes(), 0, unknown), raw);
        }
    }

    #[test]
    fn tails() {
        for (raw, count, tail) in [
            ("num12", 2, "12"),
            ("num%312", 2, "%312"),
            ("num1%32", 2, "1%32"),
            ("num%2512", 2, "12"),
            ("num%2%32", 1, "%32"),
            ("%%31", 1, "%31"),
            ("%31", 2, "%31"),
            ("num", 0, ""),
        ] {
            let length = tail_length(raw.as_bytes(), true, count);
            assert_eq!(&raw[raw.len() - length..], tail, "{raw}");
            let length = tail_length(raw.as_bytes(), false, count);
            assert_eq!(length, count.min(raw.len()), "{raw}");
        }
    }

    #[test]
    fn charsets() {
        use Charset::*;
        for (raw, charset, expected) in [
            ("é".as_bytes(), Unknown, "é"),
            ("a\u{fffe}\u{ffff}b".as_bytes(), Utf8, "a\u{fffd}\u{fffd}b"),
            ("\u{fdd0}\u{1fffe}".as_bytes(), Utf8, "\u{fdd0}\u{1fffe}"),
            ("é".as_bytes(), Other, "é"),
            ("é".as_bytes(), Latin1, "Ã©"),
            (b"\xe9t\xe9", Unknown, "été"),
            (b"\xe9t\xe9", Utf8, "été"),
            (b"\x93\x64\x98\x62 1", ShiftJis, "電話 1"),
            (b"\x93\x64\x98\x62 1", Unknown, "\u{93}d\u{98}b 1"),
            (b"\xb1", ShiftJis, "ｱ"),
            (b"\xc5\xc5\xcf\xc3", EucJp, "電話"),
            // Declared wrongly, or cut in a character: nothing is lost.
            (b"\xff\x93", ShiftJis, "ÿ\u{93}"),
            (b"a\x93", ShiftJis, "a\u{93}"),
            ("\u{3042}".as_bytes(), EucJp, "\u{3042}"),
        ] {
            assert_eq!(text(raw, 0, charset), expected, "{raw:x?}");
            let encoded: String =
                raw.iter().map(|b| format!("%{b:02X}")).collect();
            let decoded = text(encoded.as_bytes(), PERCENT_ENCODED, charset);
            assert_eq!(decoded, expected, "{encoded}");
        }
    }

    /// As it stands and percent-encoded, the same bytes are the same text.
    #[test]
    fn both_ways_agree() {
        let seeds = [0x00u8, 0x41, 0x7f, 0x80, 0x90, 0xa0, 0xbf, 0xc0, 0xc2];
        let heads = [0xdfu8, 0xe0, 0xe1, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5];
        for a in seeds.into_iter().chain(heads) {
            for b in seeds {
                for c in seeds {
                    for d in seeds {
                        let raw = [a, b, c, d];
                        let encoded =
                            format!("%{a:02x}%{b:02x}%{c:02x}%{d:02x}");
                        let unknown = Charset::Unknown;
                        assert_eq!(
                            text(encoded.as_bytes(), PERCENT_ENCODED, unknown),
                            text(&raw, 0, unknown),
                            "{raw:x?}"
                        );
                    }
                }
            }
        }
    }
}
