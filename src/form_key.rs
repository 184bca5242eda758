//! Looking for keys in a form that comes in pieces.

use crate::scan::{find, find2};
use crate::text;

/// The keys that tell what a request is for, as bits.
pub(crate) const ID: u32 = 1;
pub(crate) const IP_TEL_NUM: u32 = 2;
pub(crate) const SIPSV_ADDR: u32 = 4;
pub(crate) const TERMINAL_ID: u32 = 8;

const KEYS: [(u32, &str); 4] = [
    (ID, "id"),
    (IP_TEL_NUM, "ip_tel_num"),
    (SIPSV_ADDR, "sipsv_addr"),
    (TERMINAL_ID, "TerminalID"),
];

/// Longest key, in bytes: a letter takes three when percent-encoded.
const ROOM: usize = 30;

const _: () = {
    let mut i = 0;
    while i < KEYS.len() {
        assert!(3 * KEYS[i].1.len() <= ROOM);
        i += 1;
    }
};

/// [`FormKeys::length`]: the next byte stands in a value, or in what is too
/// long for a key.
const NO_KEY: u32 = u32::MAX;

/// Looks for keys, in any case, in one pass over the pieces of a form. Plain
/// data, whatever its bits.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormKeys {
    /// Those that are looked for, and those that were found.
    pub wanted: u32,
    pub found: u32,
    /// How a key begins that the end of a piece cut, percent-encoded as it
    /// came, and the length of that.
    cut: [u8; ROOM],
    length: u32,
}

impl FormKeys {
    /// Nothing is looked for.
    pub const NONE: FormKeys =
        FormKeys { wanted: 0, found: 0, cut: [0; ROOM], length: 0 };

    pub fn feed(&mut self, mut part: &[u8]) {
        while self.found & self.wanted != self.wanted {
            if self.length == NO_KEY {
                let Some(end) = find(b'&', part) else { return };
                part = &part[end + 1..];
                self.length = 0;
            }
            let Some(end) = find2(b'=', b'&', part) else {
                return self.keep(part);
            };
            let (piece, rest) = (&part[..end], &part[end + 1..]);
            if part[end] == b'=' {
                self.compare(piece);
                self.length = NO_KEY;
            } else {
                self.length = 0;
            }
            part = rest;
        }
    }

    /// Takes note of a key that ends with `piece`.
    fn compare(&mut self, piece: &[u8]) {
        let key = if self.length == 0 {
            piece
        } else {
            self.keep(piece);
            self.cut.get(..self.length as usize).unwrap_or_default()
        };
        if key.len() <= ROOM {
            for (bit, name) in KEYS {
                if self.wanted & bit != 0
                    && text::eq_ignore_ascii_case(key, true, name)
                {
                    self.found |= bit;
                }
            }
        }
    }

    /// Puts a piece of a key to what there is of it.
    fn keep(&mut self, piece: &[u8]) {
        let start = self.length as usize;
        let end = start.saturating_add(piece.len());
        self.length = match self.cut.get_mut(start..end) {
            Some(room) => {
                room.copy_from_slice(piece);
                end as u32
            }
            None => NO_KEY,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However a form is cut, what is found is what stands in it.
    #[test]
    fn pieces() {
        let all = ID | IP_TEL_NUM | SIPSV_ADDR | TERMINAL_ID;
        let long = format!("{}id=1", "x".repeat(100));
        let encoded = "TerminalID"
            .bytes()
            .map(|b| format!("%{b:02x}"))
            .collect::<String>();
        for (form, found) in [
            ("", 0),
            ("id", 0),
            ("id=", ID),
            ("&&=&ID=1", ID),
            ("a=id=1&b=&id", 0),
            ("id&ip_tel_num=3", IP_TEL_NUM),
            ("xid=1&idx=2&i d=3&id%00=4", 0),
            ("%69d=1&SIPSV%5faddr=2", ID | SIPSV_ADDR),
            (&format!("a=b&{encoded}="), TERMINAL_ID),
            (&format!("{encoded}0="), 0),
            (&long, 0),
            (&format!("{long}&id=1"), ID),
            ("sipsv_addr=&id=&ip_tel_num=&terminalid=", all),
        ] {
            for size in 1..=form.len().max(1) {
                let mut keys = FormKeys { wanted: all, ..FormKeys::NONE };
                form.as_bytes().chunks(size).for_each(|p| keys.feed(p));
                assert_eq!(keys.found, found, "{form:?} by {size}");
            }
        }
    }
}
