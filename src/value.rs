//! Readers of single values: bytes in, typed value or `None` out.
//!
//! They are strict on purpose. A value that does not read as its type is
//! shown as it came, with a note; guessing would hide it.

use crate::scan::find;

/// Reads `1*DIGIT` of at most ten digits.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 10 {
        return None;
    }
    text.iter().try_fold(0u64, |sum, &b| {
        b.is_ascii_digit().then(|| sum * 10 + u64::from(b - b'0'))
    })
}

/// Reads a Content-Length as HTTP's dissector does, and tells whether it is
/// written as it should be: `1*DIGIT`.
pub(crate) fn content_length(text: &[u8]) -> (Option<u64>, bool) {
    match number(text) {
        Some(length) => (Some(length), true),
        None => odd_content_length(text),
    }
}

/// By C's `strtoll`: a sign may stand in front of the number, and a blank with
/// anything behind it.
#[cold]
fn odd_content_length(text: &[u8]) -> (Option<u64>, bool) {
    let begin = text.iter().take_while(|b| is_c_space(**b)).count();
    let number = &text[begin..];
    let (minus, unsigned) = match number {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, number),
    };
    let digits = unsigned.iter().take_while(|b| b.is_ascii_digit()).count();
    let (digits, behind) = unsigned.split_at(digits);
    let ends = matches!(
        behind.first(),
        None | Some(b'\0' | b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
    );
    let length = digits.iter().try_fold(0i64, |sum, &b| {
        sum.checked_mul(10)?.checked_add(i64::from(b - b'0'))
    });
    let length = length
        .filter(|&length| !minus || length == 0)
        .filter(|_| ends && !digits.is_empty())
        .map(|length| length as u64);
    (length, length.is_some() && digits.len() == text.len())
}

/// What C's `isspace` says of a byte.
fn is_c_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

/// Reads a number from 0 to `max`.
pub(crate) fn number_up_to(text: &[u8], max: u64) -> Option<u64> {
    number(text).filter(|&n| n <= max)
}

/// Reads a result code: one to five digits, at most 65535; or zeros.
pub(crate) fn result_code(text: &[u8]) -> Option<u64> {
    if text.len() > 5 {
        return zeros(text);
    }
    number_up_to(text, u64::from(u16::MAX))
}

#[cold]
fn zeros(text: &[u8]) -> Option<u64> {
    is_zeros(text).then_some(0)
}

/// Reads an IPv4 address: four decimal octets without leading zeros, which
/// some programs read as octal.
pub(crate) fn ipv4(text: &[u8]) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    let mut rest = text;
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        (*octet, rest) = self::octet(rest)?;
    }
    rest.is_empty().then_some(octets)
}

/// Reads an octet at the beginning of a text, and what follows it.
#[inline(always)]
fn octet(text: &[u8]) -> Option<(u8, &[u8])> {
    let (number, rest) = match text {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
            let [a, b, c] = [a, b, c].map(|digit| u16::from(digit - b'0'));
            (100 * a + 10 * b + c, rest)
        }
        [a @ b'1'..=b'9', b @ b'0'..=b'9', rest @ ..] => {
            (u16::from(10 * (a - b'0') + (b - b'0')), rest)
        }
        [a @ b'0'..=b'9', rest @ ..] => (u16::from(a - b'0'), rest),
        _ => return None,
    };
    Some((u8::try_from(number).ok()?, rest))
}

/// Reads a route, `address/prefix`, and tells where its slash is.
pub(crate) fn route(text: &[u8]) -> Option<([u8; 4], usize, u8)> {
    let slash = find(b'/', text)?;
    let prefix = number_up_to(&text[slash + 1..], 32)?;
    Some((ipv4(&text[..slash])?, slash, prefix as u8))
}

/// The network mask of a prefix length of at most 32 bits.
pub(crate) fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

/// Value of one hex digit.
pub(crate) fn hex_digit(b: u8) -> Option<u8> {
    (b as char).to_digit(16).map(|d| d as u8)
}

/// Reads hex digits, two for each byte of `out`, and nothing else.
pub(crate) fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(out)
}

/// The letters under which authors of captures hide digits.
fn is_mask(b: u8) -> bool {
    matches!(b, b'X' | b'x' | b'*')
}

/// Whether a value that has a type is masked: mask letters, and besides them
/// only digits and separators.
pub(crate) fn is_masked(text: &[u8]) -> bool {
    text.iter().any(|&b| is_mask(b))
        && text.iter().all(|&b| {
            is_mask(b) || b.is_ascii_digit() || b".:/-&, ".contains(&b)
        })
}

/// Whether a text is masked: nothing but mask letters.
#[inline(always)]
pub(crate) fn is_masked_text(text: impl IntoIterator<Item = u8>) -> bool {
    let mut text = text.into_iter().peekable();
    text.peek().is_some() && text.all(is_mask)
}

/// Whether a terminal id is masked: mask letters among hex digits.
pub(crate) fn is_masked_id(text: &[u8]) -> bool {
    text.iter().any(|&b| is_mask(b))
        && text.iter().all(|&b| is_mask(b) || b.is_ascii_hexdigit())
}

/// Whether a result code reads as success: zeros, at least one of them.
pub(crate) fn is_zeros(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| b == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_allow() {
        assert_eq!(ipv4(b"172.20.184.194"), Some([172, 20, 184, 194]));
        assert_eq!(ipv4(b"0.0.0.0"), Some([0; 4]));
        assert_eq!(ipv4(b"255.255.255.255"), Some([255; 4]));
    }

    #[test]
    fn ipv4_forbid() {
        for text in [
            "",
            "1.2.3",
            "1.2.3.4.",
            "1.2.3.4.5",
            "1.2.3.256",
            "01.2.3.4",
            "1..3.4",
            " 1.2.3.4",
            "1.2.3.4 ",
            "1.2.3.0004",
            "172.20.XX.XX",
            "1.2.3.-4",
            "1.2.3.+4",
            "1.2.3.4/5",
        ] {
            assert_eq!(ipv4(text.as_bytes()), None, "{text:?}");
        }
    }

    /// The standard library is the oracle for every string of a small
    /// alphabet.
    #[test]
    fn ipv4_agrees_with_std() {
        let parts = ["", "0", "7", "00", "10", "255", "256", "1a", "999"];
        for a in parts {
            for b in parts {
                for tail in ["1.2", "1", "1.2.3", ".", "1.", "0.00"] {
                    let text = format!("{a}.{b}.{tail}");
                    let std: Option<std::net::Ipv4Addr> = text.parse().ok();
                    assert_eq!(
                        ipv4(text.as_bytes()),
                        std.map(|ip| ip.octets()),
                        "{text:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(number(b"05060"), Some(5060));
        assert_eq!(number(b"9999999999"), Some(9_999_999_999));
        for text in ["", "+1", "-1", "1 ", "0x10", "10000000000", "1}"] {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(number_up_to(b"65535", 65535), Some(65535));
        assert_eq!(number_up_to(b"65536", 65535), None);
        assert_eq!(result_code(b"00010"), Some(10));
        assert_eq!(result_code(b"000000"), Some(0));
        assert_eq!(result_code(b"000010"), None);
        assert_eq!(result_code(b"70000"), None);
    }

    #[test]
    fn content_lengths() {
        let most = i64::MAX as u64;
        for (text, length, plain) in [
            ("00000000000036", Some(36), true),
            ("9223372036854775807", Some(most), true),
            ("9223372036854775808", None, false),
            ("99999999999999999999", None, false),
            ("+1", Some(1), false),
            ("-0", Some(0), false),
            ("\x0b1", Some(1), false),
            ("1 x", Some(1), false),
            ("1\x0cx", Some(1), false),
            ("1\0x", Some(1), false),
            ("1\x0b", None, false),
            ("", None, false),
            ("+", None, false),
            ("-1", None, false),
            ("+-1", None, false),
            ("1, 1", None, false),
            ("1,1", None, false),
            ("0x10", None, false),
        ] {
            let read = content_length(text.as_bytes());
            assert_eq!(read, (length, plain), "{text:?}");
        }
    }

    #[test]
    fn routes() {
        assert_eq!(
            route(b"220.210.59.0/22"),
            Some(([220, 210, 59, 0], 12, 22))
        );
        assert_eq!(route(b"0.0.0.0/0"), Some(([0; 4], 7, 0)));
        for text in ["1.2.3.4", "1.2.3.4/", "1.2.3.4/33", "/24", "1.2.3/24"] {
            assert_eq!(route(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn masks() {
        assert_eq!(mask(0), 0);
        assert_eq!(mask(22), 0xffff_fc00);
        assert_eq!(mask(32), u32::MAX);
    }

    #[test]
    fn hex_digits() {
        assert_eq!(hex(b"001F67"), Some([0x00, 0x1f, 0x67]));
        assert_eq!(hex::<3>(b"001F6"), None);
        assert_eq!(hex::<3>(b"001F6X"), None);
    }

    #[test]
    fn masked() {
        for text in ["172.20.XX.XX", "**", "0x", "XX/XX&1.2.3.4/22"] {
            assert!(is_masked(text.as_bytes()), "{text:?}");
        }
        for text in ["", "172.20.1.1", "host.XX", "XXX.flets"] {
            assert!(!is_masked(text.as_bytes()), "{text:?}");
        }
        assert!(is_masked_text(*b"XXXXXXXXXX"));
        assert!(!is_masked_text(*b""));
        assert!(!is_masked_text(*b"072XXXXXXX"));
        assert!(is_masked_id(b"001F67XXXXXX"));
        assert!(!is_masked_id(b"001F67A1B2C3"));
        assert!(!is_masked_id(b"001F67:XXXXX"));
    }
}
