//! Looking at many bytes at once.
//!
//! Web traffic is most of what a gate sees, and looking for what is not there
//! most of what it does. So these loops leave nothing early within a block:
//! the compiler makes vector instructions of them.

use crate::names;

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Whether any two bytes that follow each other pass a test.
#[inline(always)]
fn any_pair<const N: usize>(
    bytes: &[u8; N],
    test: impl Fn(u8, u8) -> bool,
) -> bool {
    let pairs = bytes.iter().zip(&bytes[1..]);
    pairs.fold(false, |any, (&a, &b)| any | test(a, b))
}

/// Whether a line ends with `a`, and `b` belongs to a blank line. Tabs and the
/// like may pass, and all that is not ASCII: signed, it is one instruction.
#[inline(always)]
fn is_blank_line(a: u8, b: u8) -> bool {
    (a == b'\n') & (b as i8 <= b'\r' as i8)
}

/// An offset, maybe 0, in front of which no blank line is.
pub(crate) fn before_blank_line(input: &[u8]) -> usize {
    let mut at = 0;
    while let Some(block) = input[at..].first_chunk::<{ BLOCK + 1 }>() {
        if any_pair(block, is_blank_line) {
            break;
        }
        at += BLOCK;
    }
    at
}

/// Whether there is a blank line in `head`, or something that may be a name
/// of this protocol.
#[inline(always)] // The plugin places its caller (plugin/order.ld).
pub(crate) fn any_name_or_blank_line(head: &[u8]) -> bool {
    let test = |a, b| names::may_be_dash(a, b) | is_blank_line(a, b);
    let mut rest = head;
    while let Some(block) = rest.first_chunk::<{ BLOCK + 1 }>() {
        if any_pair(block, test) {
            return true;
        }
        rest = &rest[BLOCK..];
    }
    match head.last_chunk::<{ BLOCK + 1 }>() {
        Some(block) => any_pair(block, test),
        None => head.windows(2).any(|pair| test(pair[0], pair[1])),
    }
}
