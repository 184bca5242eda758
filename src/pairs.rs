//! The two `key=value` grammars.
//!
//! ```text
//! form  = pair *( "&" pair )        ; requests and queries, percent-encoded
//! lines = *( [ pair ] [ CR ] LF )   ; answers, taken raw
//! pair  = key [ "=" value ]
//! ```
//! The trap of this protocol: `&` ends a pair of a form, but joins the
//! entries of a list *inside* a value of an answer (`dest_nw_addr`).

use crate::span::Span;
use memchr::{memchr, memmem};

/// How the pairs of a body are written.
#[repr(u32)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grammar {
    /// There are no pairs to read.
    #[default]
    None = 0,
    /// `application/x-www-form-urlencoded`.
    Form = 1,
    /// One pair a line.
    Lines = 2,
}

/// The next pair of `input` from `*at` up to `end`, empty ones passed over;
/// `*at` moves behind it. The answer's second part tells whether the end of
/// the pair was seen: `false` where the input just stops.
pub(crate) fn next_pair(
    input: &[u8],
    at: &mut usize,
    end: usize,
    grammar: Grammar,
) -> Option<(Span, bool)> {
    let border = match grammar {
        Grammar::None => return None,
        Grammar::Form => b'&',
        Grammar::Lines => b'\n',
    };
    while *at < end {
        let start = *at;
        let rest = input.get(start..end)?;
        let found = memchr(border, rest);
        let length = found.unwrap_or(rest.len());
        *at = start + length + usize::from(found.is_some());
        let mut pair = &rest[..length];
        // Without its LF a CR may be anything.
        if grammar == Grammar::Lines && found.is_some() {
            pair = pair.strip_suffix(b"\r").unwrap_or(pair);
        }
        if !pair.is_empty() {
            let span = Span::between(start, start + pair.len());
            return Some((span, found.is_some()));
        }
    }
    None
}

/// Length of a form without the line ends that some clients put behind it.
pub(crate) fn form_length(body: &[u8]) -> usize {
    let tail =
        body.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    body.len() - tail
}

/// Splits a pair at its first `=`; without one there is no value, and the
/// value's place is the pair's end.
pub(crate) fn split(input: &[u8], pair: Span) -> (Span, Option<Span>) {
    match memchr(b'=', pair.of(input)) {
        Some(i) => {
            let equals = pair.start() + i;
            let value = Span::between(equals + 1, pair.end());
            (Span::between(pair.start(), equals), Some(value))
        }
        None => (pair, None),
    }
}

/// The next entry of the list of `input` from `*at` up to `end`, whose
/// entries have `border` between them; entries may be empty.
pub(crate) fn next_entry(
    input: &[u8],
    at: &mut usize,
    end: usize,
    border: &[u8],
) -> Option<Span> {
    let rest = input.get(*at..end)?;
    let start = *at;
    let length = match border {
        // One byte is found faster than a text of one byte.
        &[border] => memchr(border, rest),
        _ => memmem::find(rest, border),
    };
    *at = match length {
        Some(length) => start + length + border.len(),
        // Past the end: also an empty last entry has had its turn.
        None => end + 1,
    };
    let length = length.unwrap_or(rest.len());
    Some(Span::between(start, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of a text, and whether the last one's end was seen.
    fn pairs(text: &str, grammar: Grammar) -> (Vec<&str>, bool) {
        let input = text.as_bytes();
        let (mut found, mut ended, mut at) = (vec![], true, 0);
        while let Some((pair, end)) =
            next_pair(input, &mut at, input.len(), grammar)
        {
            found.push(&text[pair.start()..pair.end()]);
            ended = end;
        }
        assert!(at >= input.len());
        (found, ended)
    }

    #[test]
    fn lines() {
        for (text, expected, ended) in [
            ("a=1\r\nb=2\r\n", vec!["a=1", "b=2"], true),
            ("a=1\nb=2", vec!["a=1", "b=2"], false),
            ("\r\n\na=1\r\n\r\n", vec!["a=1"], true),
            ("a=1&b=2\r\n", vec!["a=1&b=2"], true),
            ("a=1\rb=2\n", vec!["a=1\rb=2"], true),
            ("", vec![], true),
        ] {
            assert_eq!(pairs(text, Grammar::Lines), (expected, ended));
        }
    }

    #[test]
    fn form() {
        for (text, expected, ended) in [
            ("a=1&b=2", vec!["a=1", "b=2"], false),
            ("&&a=1&", vec!["a=1"], true),
            ("a=1\r\nb=2", vec!["a=1\r\nb=2"], false),
        ] {
            assert_eq!(pairs(text, Grammar::Form), (expected, ended));
        }
    }

    /// `str::lines` is the oracle for texts without a lone CR.
    #[test]
    fn lines_agree_with_std() {
        let alphabet = ["a=1", "b", "\n", "\r\n", "=", "&"];
        for i in 0..alphabet.len().pow(5) {
            let pick = |d: u32| alphabet[i / 6usize.pow(d) % 6];
            let text: String = (0..5).map(pick).collect();
            let std: Vec<_> =
                text.lines().filter(|line| !line.is_empty()).collect();
            assert_eq!(pairs(&text, Grammar::Lines).0, std, "{text:?}");
        }
    }

    #[test]
    fn entries() {
        for (text, border) in [
            ("a&b", "&"),
            ("a&&b&", "&"),
            ("&", "&"),
            ("", "&"),
            ("a", ","),
            ("a%26b%26", "%26"),
        ] {
            let (mut found, mut at) = (vec![], 0);
            let input = text.as_bytes();
            while let Some(entry) =
                next_entry(input, &mut at, input.len(), border.as_bytes())
            {
                found.push(&text[entry.start()..entry.end()]);
            }
            let std: Vec<_> = text.split(border).collect();
            assert_eq!(found, std, "{text}");
        }
    }
}
