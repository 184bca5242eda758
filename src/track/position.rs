//! Sequence numbers wrap, positions do not.

/// Where positions of a direction begin to be counted, so that what comes
/// late has room before it.
const ORIGIN: i64 = 1 << 33;

/// The position of a sequence number, the first that is seen of a direction.
pub(super) fn first(sequence: u32) -> i64 {
    ORIGIN + i64::from(sequence)
}

/// The position of a sequence number that is less than half of all numbers
/// away from a position that is known.
pub(super) fn near(sequence: u32, known: i64) -> i64 {
    known + i64::from(sequence.wrapping_sub(known as u32) as i32)
}

/// The position so many bytes further on; a length may be any number that is
/// announced.
pub(super) fn behind(at: i64, length: u64) -> i64 {
    at.saturating_add(i64::try_from(length).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrap() {
        let known = first(u32::MAX - 1);
        assert_eq!(near(u32::MAX, known), known + 1);
        assert_eq!(near(3, known), known + 5);
        assert_eq!(near(u32::MAX - 10, known), known - 9);
        assert_eq!(near(u32::MAX - 1, near(3, known)), known);
    }
}
