//! Looking for a key in a form that comes in pieces.

use crate::text;

/// Looks for a key, in any case, in a form that comes in pieces.
pub(crate) struct FormKey<'a> {
    key: &'a str,
    /// The key being read, percent-encoded as it came.
    name: [u8; 64],
    /// Its length; `None` inside of a value or a key that is too long.
    length: Option<usize>,
    pub found: bool,
}

impl FormKey<'_> {
    pub fn new(key: &str) -> FormKey<'_> {
        // A letter takes three bytes when percent-encoded.
        debug_assert!(3 * key.len() <= 64);
        FormKey { key, name: [0; 64], length: Some(0), found: false }
    }

    pub fn feed(&mut self, part: &[u8]) {
        for &b in part {
            self.length = match (b, self.length) {
                (b'&', _) => Some(0),
                (b'=', Some(end)) => {
                    let name = &self.name[..end];
                    self.found |=
                        text::eq_ignore_ascii_case(name, true, self.key);
                    None
                }
                (b, Some(end)) => self.name.get_mut(end).map(|slot| {
                    *slot = b;
                    end + 1
                }),
                (_, None) => None,
            };
        }
    }
}
