//! The User-Agent of a gateway.
//!
//! ```text
//! M-CAS/1.0
//! M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)
//! ```
//! Both forms are observed (packet diary of September 2011).

use crate::names;
use crate::span::{Span, MAX_INPUT};
use memchr::{memchr, memrchr};

/// How a User-Agent of this protocol begins.
pub const PREFIX: &[u8] = names::USER_AGENT;

/// A User-Agent, taken apart. Spans are offsets into the header's value.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Agent {
    /// Protocol version: `7.0`.
    pub version: Span,
    /// Model of the device: `RTS300HI`; empty if not given.
    pub model: Span,
    /// Version of its firmware: `4.02.0179`; empty if not given.
    pub firmware: Span,
    /// The carriers, joined by `/`: `NTTEAST/NTTWEST`; empty if not given.
    pub carriers: Span,
}

/// Takes a User-Agent apart; `None` if it does not begin with `M-CAS/`.
pub fn parse(value: &[u8]) -> Option<Agent> {
    if value.len() > MAX_INPUT {
        return None;
    }
    let rest = value.strip_prefix(PREFIX)?;
    let version_end = PREFIX.len() + memchr(b' ', rest).unwrap_or(rest.len());
    let mut agent = Agent {
        version: Span::between(PREFIX.len(), version_end),
        ..Agent::default()
    };
    let comment = &value[version_end..];
    if !comment.starts_with(b" (") {
        return Some(agent);
    }
    let start = version_end + 2;
    // A comment that is not closed still says what it says.
    let end = memrchr(b')', comment).map_or(value.len(), |i| version_end + i);
    let product_end =
        memchr(b';', &value[start..end]).map_or(end, |i| start + i);
    let product = trim(value, start, product_end);
    match memrchr(b' ', product.of(value)) {
        Some(space) => {
            let split = product.start() + space;
            agent.model = trim(value, product.start(), split);
            agent.firmware = Span::between(split + 1, product.end());
        }
        None => agent.model = product,
    }
    if product_end < end {
        agent.carriers = trim(value, product_end + 1, end);
    }
    Some(agent)
}

/// The next carrier at or behind `from` in the `/`-joined list that ends at
/// `end`, empty ones passed over, and where to go on.
pub(crate) fn next_carrier(
    value: &[u8],
    mut from: usize,
    end: usize,
) -> Option<(Span, usize)> {
    while from < end {
        let list = value.get(from..end)?;
        let stop = from + memchr(b'/', list).unwrap_or(list.len());
        let carrier = trim(value, from, stop);
        from = stop + 1;
        if !carrier.is_empty() {
            return Some((carrier, from));
        }
    }
    None
}

/// The span between `start` and `end` without spaces at either end.
fn trim(value: &[u8], mut start: usize, mut end: usize) -> Span {
    while start < end && value[start] == b' ' {
        start += 1;
    }
    while start < end && value[end - 1] == b' ' {
        end -= 1;
    }
    Span::between(start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version, model, firmware and carriers of a User-Agent.
    fn parts(value: &str) -> Option<Vec<&str>> {
        let bytes = value.as_bytes();
        let agent = parse(bytes)?;
        let text = |span: Span| std::str::from_utf8(span.of(bytes)).unwrap();
        let mut parts =
            vec![text(agent.version), text(agent.model), text(agent.firmware)];
        let mut from = agent.carriers.start();
        while let Some((carrier, next)) =
            next_carrier(bytes, from, agent.carriers.end())
        {
            parts.push(text(carrier));
            from = next;
        }
        Some(parts)
    }

    #[test]
    fn allow() {
        for (value, expected) in [
            ("M-CAS/1.0", vec!["1.0", "", ""]),
            (
                "M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)",
                vec!["7.0", "RTS300HI", "4.02.0179", "NTTEAST", "NTTWEST"],
            ),
            ("M-CAS/", vec!["", "", ""]),
            ("M-CAS/7.0 ()", vec!["7.0", "", ""]),
            ("M-CAS/7.0 (VG820a)", vec!["7.0", "VG820a", ""]),
            ("M-CAS/7.0 (A B 1.0)", vec!["7.0", "A B", "1.0"]),
            ("M-CAS/7.0 (A 1.0; )", vec!["7.0", "A", "1.0"]),
            ("M-CAS/7.0 (A 1.0; /X//Y/", vec!["7.0", "A", "1.0", "X", "Y"]),
            ("M-CAS/7.0 (; NTTEAST)", vec!["7.0", "", "", "NTTEAST"]),
            ("M-CAS/7.0 (a (b) 1; c)", vec!["7.0", "a (b)", "1", "c"]),
            ("M-CAS/7.0 other", vec!["7.0", "", ""]),
        ] {
            assert_eq!(parts(value), Some(expected), "{value}");
        }
    }

    #[test]
    fn forbid() {
        for value in ["", "M-CAS", "m-cas/1.0", "Mozilla/5.0 M-CAS/1.0"] {
            assert_eq!(parts(value), None, "{value}");
        }
    }

    #[test]
    fn any_cut_is_harmless() {
        let whole = b"M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)";
        for end in 0..=whole.len() {
            if let Some(agent) = parse(&whole[..end]) {
                assert!(agent.carriers.end() <= end);
                assert!(agent.firmware.end() <= end);
            }
        }
    }
}
