//! The two `key=value` grammars.
//!
//! ```text
//! form  = pair *( "&" pair )        ; requests and queries, percent-encoded
//! lines = *( [ pair ] [ CR ] LF )   ; answers, taken raw
//! pair  = key [ "=" value ]
//! ```
//! The trap of this protocol: `&` ends a pair of a form, but joins the
//! entries of a list *inside* a value of an answer (`dest_nw_addr`).

use crate::fields::{self, Field};
use crate::numbered::numbered;
use crate::scan::{find, find2, find_near};
use crate::span::{Part, Span};
use memchr::memmem;

numbered! {
    /// How the pairs of a body are written.
    #[derive(Default)]
    pub enum Grammar {
        /// There are no pairs to read.
        #[default]
        None = 0,
        /// `application/x-www-form-urlencoded`.
        Form = 1,
        /// One pair a line.
        Lines = 2,
    }
}

/// A pair as it stands in the input.
pub(crate) struct Pair<'a> {
    /// What stands before the first `=`, or all there is.
    pub name: Part<'a>,
    /// What stands behind it.
    pub value: Option<Part<'a>>,
    /// Whether the end of the pair was seen: `false` where the input just
    /// stops.
    pub ended: bool,
}

impl Pair<'_> {
    /// The place of all of it.
    pub fn span(&self) -> Span {
        let end = self.value.unwrap_or(self.name).span().end();
        Span::between(self.name.at as usize, end)
    }
}

impl Grammar {
    /// What stands behind a pair.
    fn border(self) -> u8 {
        match self {
            Grammar::Form => b'&',
            _ => b'\n',
        }
    }
}

/// The pair at the beginning of `rest` if it is one as nearly all are: its
/// key is in the table, its value ends and has nothing to decode. The field,
/// name and value, and the length of all of it with its end.
#[inline(always)]
pub(crate) fn plain_pair(
    rest: &[u8],
    grammar: Grammar,
) -> Option<(Field, &[u8], &[u8], usize)> {
    let equals = find_near(b'=', rest)?;
    let (name, value) = (&rest[..equals], &rest[equals + 1..]);
    let field = fields::by_key(name)?;
    let length = find(grammar.border(), value)?;
    let value = &value[..length];
    let length = equals + 1 + length + 1;
    match grammar {
        Grammar::Form if find2(b'%', b'+', value).is_some() => None,
        Grammar::Form => Some((field, name, value, length)),
        _ => Some((field, name, without_cr(value), length)),
    }
}

/// The next pair of `input` at or behind `*at`, empty ones passed over; `*at`
/// moves behind it.
pub(crate) fn next_pair<'a>(
    input: &'a [u8],
    at: &mut u32,
    grammar: Grammar,
) -> Option<Pair<'a>> {
    loop {
        let start = *at;
        let rest = input.get(start as usize..)?;
        if rest.is_empty() {
            return None;
        }
        let found = find(grammar.border(), rest);
        let mut pair = &rest[..found.unwrap_or(rest.len())];
        *at = start + pair.len() as u32 + u32::from(found.is_some());
        // Without its LF a CR may be anything.
        if grammar == Grammar::Lines && found.is_some() {
            pair = without_cr(pair);
        }
        if pair.is_empty() {
            continue;
        }
        let (name, value) = match find(b'=', pair) {
            Some(i) => (&pair[..i], Some(&pair[i + 1..])),
            None => (pair, None),
        };
        let name = Part { bytes: name, at: start };
        let value = value.map(|bytes| Part { bytes, at: name.behind() + 1 });
        return Some(Pair { name, value, ended: found.is_some() });
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    match line {
        [line @ .., b'\r'] => line,
        line => line,
    }
}

/// Length of a form without the line ends that some clients put behind it.
pub(crate) fn form_length(body: &[u8]) -> usize {
    let tail =
        body.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
    body.len() - tail
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
        &[border] => find(border, rest),
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
        while let Some(pair) = next_pair(input, &mut at, grammar) {
            found.push(&text[pair.span().start()..pair.span().end()]);
            ended = pair.ended;
        }
        assert!(at >= input.len() as u32);
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
