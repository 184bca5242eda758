//! A place in the input: offset and length, 32 bits each.
//!
//! Every result of this crate is a span, never a pointer or a copy: the
//! caller owns the bytes and can highlight exactly the ones a value came
//! from.

/// The longest input that is parsed, in bytes: Wireshark's buffers count in
/// `int`, and every offset must fit a [`Span`].
pub const MAX_INPUT: usize = i32::MAX as usize;

/// A run of bytes of the input.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// First byte, counted from the start of the input.
    pub offset: u32,
    /// Number of bytes.
    pub length: u32,
}

impl Span {
    /// No bytes.
    pub(crate) const EMPTY: Span = Span { offset: 0, length: 0 };

    /// The bytes from `start` up to, not including, `end`.
    ///
    /// Both are offsets into an input of at most [`MAX_INPUT`] bytes, so
    /// nothing is cut off.
    pub(crate) fn between(start: usize, end: usize) -> Span {
        Span { offset: start as u32, length: end.saturating_sub(start) as u32 }
    }

    /// Offset of the first byte.
    pub fn start(self) -> usize {
        self.offset as usize
    }

    /// Offset just behind the last byte.
    pub fn end(self) -> usize {
        self.offset as usize + self.length as usize
    }

    /// Whether there is no byte in it.
    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// The bytes themselves; empty where the span does not lie in `input`,
    /// which happens only if the caller hands in other bytes than before.
    pub fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start()..self.end()).unwrap_or_default()
    }

    /// The same bytes seen from `by` bytes further to the front.
    pub(crate) fn shifted(self, by: usize) -> Span {
        Span::between(self.start() + by, self.end() + by)
    }
}

/// Bytes of the input that know where they stand in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part<'a> {
    pub bytes: &'a [u8],
    /// Offset of the first byte.
    pub at: u32,
}

impl Part<'_> {
    /// Their place.
    pub fn span(self) -> Span {
        Span { offset: self.at, length: self.bytes.len() as u32 }
    }

    /// Offset behind the last byte.
    pub fn behind(self) -> u32 {
        self.at + self.bytes.len() as u32
    }

    /// No bytes, behind the last one.
    pub fn end(self) -> Self {
        Part { bytes: &[], at: self.behind() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_outside_the_input_are_empty() {
        let input = b"abc";
        assert_eq!(Span::between(1, 3).of(input), b"bc");
        assert_eq!(Span::between(1, 4).of(input), b"");
        assert_eq!(Span::between(3, 3).of(input), b"");
        assert_eq!(Span { offset: u32::MAX, length: 2 }.of(input), b"");
    }

    #[test]
    fn backwards_is_empty() {
        assert!(Span::between(5, 2).is_empty());
    }
}
