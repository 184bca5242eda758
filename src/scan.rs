//! Looking for a byte that is near.
//!
//! Lines, keys and values of this protocol are short: where one ends is found
//! a word at a time in less than it takes to call [`memchr`], which is there
//! for what is longer.

use memchr::{memchr, memchr2};

/// How far is near, in bytes.
const NEAR: usize = 64;

const WORD: usize = size_of::<u64>();
/// The lowest and the highest bit of each byte of a word.
const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = LOW << 7;

/// Where `byte` is first.
#[inline(always)]
pub(crate) fn find(byte: u8, text: &[u8]) -> Option<usize> {
    search(text, |word| marks(byte, word), |rest| memchr(byte, rest))
}

/// Where `byte` is first, if it is near, in a text of a word at least.
#[inline(always)]
pub(crate) fn find_near(byte: u8, text: &[u8]) -> Option<usize> {
    search(text, |word| marks(byte, word), |_| None)
}

/// Where one of two bytes is first.
#[inline(always)]
pub(crate) fn find2(a: u8, b: u8, text: &[u8]) -> Option<usize> {
    let either = |word| marks(a, word) | marks(b, word);
    search(text, either, |rest| memchr2(a, b, rest))
}

#[inline(always)]
fn search(
    text: &[u8],
    marks: impl Fn(u64) -> u64,
    far: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    let first = |found: u64| found.trailing_zeros() as usize / WORD;
    let mut at = 0;
    while at < NEAR {
        let Some(bytes) = text[at..].first_chunk() else {
            // The last word overlaps the one before, if there is any.
            let Some(bytes) = text.last_chunk() else { break };
            let found = marks(u64::from_le_bytes(*bytes));
            return (found != 0).then(|| text.len() - WORD + first(found));
        };
        let found = marks(u64::from_le_bytes(*bytes));
        if found != 0 {
            return Some(at + first(found));
        }
        at += WORD;
    }
    far(&text[at..]).map(|i| at + i)
}

/// The parts of a text between which `byte` stands.
pub(crate) fn split(byte: u8, text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let end = find(byte, text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

/// Marks `byte` in a word by the highest bit; of what stands behind the first
/// one there may be more marked.
fn marks(byte: u8, word: u64) -> u64 {
    let zeros = word ^ (LOW * u64::from(byte));
    zeros.wrapping_sub(LOW) & !zeros & HIGH
}

/// The word with each letter in lower case.
pub(crate) const fn to_lower(word: u64) -> u64 {
    let ascii = word & !HIGH;
    // The highest bit tells where a byte is that letter or comes behind it.
    let from_a = ascii + LOW * (0x80 - b'A' as u64);
    let behind_z = ascii + LOW * (0x80 - b'Z' as u64 - 1);
    word | (from_a & !behind_z & !word & HIGH) >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard library is the oracle, wherever the bytes are, and for
    /// neighbours that borrow from each other.
    #[test]
    fn agrees_with_position() {
        let [a, b] = *b"=\n";
        for others in [*b"..", *b"\0\xff", *b"<>", *b"\x0b\t", *b"\x8a\xbd"] {
            for length in 0..2 * NEAR {
                let text: Vec<u8> =
                    (0..length).map(|i| others[i % 2]).collect();
                for i in 0..=length {
                    for j in [length, i + 1, i + WORD + 1] {
                        let mut text = text.clone();
                        for (place, byte) in [(j, b), (i, a)] {
                            if let Some(slot) = text.get_mut(place) {
                                *slot = byte;
                            }
                        }
                        let first = |wanted: &[u8]| {
                            text.iter().position(|b| wanted.contains(b))
                        };
                        assert_eq!(find(a, &text), first(&[a]), "{text:?}");
                        assert_eq!(find(b, &text), first(&[b]), "{text:?}");
                        let near = first(&[a])
                            .filter(|&i| i < NEAR && length >= WORD);
                        assert_eq!(find_near(a, &text), near, "{text:?}");
                        let either = find2(b, a, &text);
                        assert_eq!(either, first(&[a, b]), "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn lower_case() {
        for byte in 0..=u8::MAX {
            for other in [0, b'A', b'z', u8::MAX] {
                let word = [byte, other, byte, byte, other, other, byte, 0];
                let lower = word.map(|b| b.to_ascii_lowercase());
                let found = to_lower(u64::from_le_bytes(word));
                assert_eq!(found.to_le_bytes(), lower, "{word:?}");
            }
        }
    }
}
