//! The values that were found, how each kind is masked, and the search for
//! them wherever else they stand.

use crate::Error;
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

/// Shorter values are not looked for elsewhere: they stand everywhere.
const SEARCHED: usize = 4;
/// Numbers shorter than this neither: lengths and ports look like them.
const SEARCHED_NUMBER: usize = 6;
/// Values shorter than this have to stand alone, as a word does.
const UNMISTAKABLE: usize = 8;
/// Bytes other than 0 that an address must have to be looked for in binary.
const TELLING: usize = 3;

/// A hardware address.
pub type Mac = [u8; 6];

/// What must not be in the result.
#[derive(Default)]
pub struct Secrets {
    texts: BTreeSet<Vec<u8>>,
    macs: BTreeSet<Mac>,
    /// What takes an address's place in binary.
    substitutes: BTreeMap<Mac, Mac>,
}

impl Secrets {
    /// A value as people read it.
    pub fn text(&mut self, value: Vec<u8>) {
        if !value.is_empty() && !value.iter().all(|&b| is_mask(b)) {
            self.texts.insert(value);
        }
    }

    /// An address, unless it is a group's or nobody's.
    pub fn mac(&mut self, mac: Mac) {
        if mac[0] & 1 == 0 && mac != [0; 6] {
            self.macs.insert(mac);
        }
    }

    /// How many values there are, and how many addresses.
    pub fn count(&self) -> (usize, usize) {
        (self.texts.len(), self.macs.len())
    }

    /// How many of them are too short to be looked for elsewhere.
    pub fn unsearched(&self) -> usize {
        let macs = self.macs.iter().filter(|mac| !is_telling(mac)).count();
        self.texts.iter().filter(|text| !is_searched(text)).count() + macs
    }

    /// Chooses substitutes: the vendor's half stays, the other becomes `XX`
    /// and a number of the capture's own, so that two devices stay two.
    pub fn choose_substitutes(&mut self) {
        let mut next: HashMap<[u8; 3], u32> = HashMap::new();
        for &mac in &self.macs {
            let [a, b, c, ..] = mac;
            let next = next.entry([a, b, c]).or_insert(0x58_58_00);
            loop {
                let [_, d, e, f] = next.to_be_bytes();
                *next = (*next + 1) & 0xFF_FF_FF;
                let substitute = [a, b, c, d, e, f];
                if !self.macs.contains(&substitute) {
                    self.substitutes.insert(mac, substitute);
                    break;
                }
            }
        }
    }

    /// What takes the place of an address.
    pub fn substitute(&self, mac: Mac) -> Option<Mac> {
        self.substitutes.get(&mac).copied()
    }
}

/// Letters that published captures mask with.
pub fn is_mask(b: u8) -> bool {
    matches!(b, b'X' | b'x' | b'*')
}

fn is_searched(text: &[u8]) -> bool {
    let number = text.iter().all(u8::is_ascii_digit);
    // A password may be «password»: that is no reason to mask all keys.
    let key = mcas::fields::FIELDS
        .iter()
        .filter_map(|info| info.key())
        .any(|key| key.as_bytes().eq_ignore_ascii_case(text));
    text.len() >= if number { SEARCHED_NUMBER } else { SEARCHED } && !key
}

fn is_telling(mac: &Mac) -> bool {
    mac.iter().filter(|&&b| b != 0).count() >= TELLING
}

// Characters as they stand.

/// A text with its percent-encoding undone, and where each byte of it stands.
pub struct Decoded {
    /// What it reads.
    pub text: Vec<u8>,
    starts: Vec<u32>,
}

impl Decoded {
    /// Reads `raw`; `percent` and `plus` say what is undone.
    pub fn new(raw: &[u8], percent: bool, plus: bool) -> Decoded {
        let mut decoded = Decoded { text: vec![], starts: vec![] };
        let digit = |b: Option<&u8>| char::from(*b?).to_digit(16);
        let mut at = 0;
        while let Some(&b) = raw.get(at) {
            decoded.starts.push(at as u32);
            let digits = (digit(raw.get(at + 1)), digit(raw.get(at + 2)));
            let (byte, length) = match (b, digits) {
                (b'%', (Some(high), Some(low))) if percent => {
                    ((high << 4 | low) as u8, 3)
                }
                (b'+', _) if plus => (b' ', 1),
                _ => (b, 1),
            };
            decoded.text.push(byte);
            at += length;
        }
        decoded.starts.push(raw.len() as u32);
        decoded
    }

    /// Where a byte of the text stands.
    pub fn place(&self, i: usize) -> Range<usize> {
        self.starts[i] as usize..self.starts[i + 1] as usize
    }
}

/// Masks one character where it stands, with as many bytes.
fn mask_character(raw: &mut [u8]) {
    raw.copy_from_slice(if raw.len() == 3 { b"%58" } else { b"X" });
}

/// Masks a value: all of it, or of a terminal id what follows the vendor's
/// half. Returns what is secret in it, decoded; nothing if it is masked.
pub fn mask(raw: &mut [u8], percent: bool, is_id: bool) -> Option<Vec<u8>> {
    let decoded = Decoded::new(raw, percent, percent);
    let text = &decoded.text;
    if !is_id && text.iter().all(|&b| is_mask(b)) {
        return None;
    }
    let digits: Vec<usize> =
        (0..text.len()).filter(|&i| text[i].is_ascii_alphanumeric()).collect();
    let vendor = digits.iter().take(6);
    let is_vendor = vendor.into_iter().all(|&i| text[i].is_ascii_hexdigit());
    let hidden: Vec<usize> = match (is_id, is_vendor) {
        (false, _) => (0..text.len()).collect(),
        (true, true) => digits.into_iter().skip(6).collect(),
        (true, false) => digits,
    };
    if hidden.iter().all(|&i| is_mask(text[i])) {
        return None;
    }
    for i in hidden {
        mask_character(&mut raw[decoded.place(i)]);
    }
    Some(decoded.text)
}

/// The address that a text names, with or without separators.
pub fn as_mac(text: &[u8]) -> Option<Mac> {
    let separator = |b: &u8| b":-.".contains(b);
    let digits: Vec<u8> =
        text.iter().copied().filter(|b| !separator(b)).collect();
    if digits.len() != 12 {
        return None;
    }
    let number = std::str::from_utf8(&digits).ok()?;
    let number =
        number.bytes().all(|b| b.is_ascii_hexdigit()).then_some(number)?;
    let [_, _, mac @ ..] = u64::from_str_radix(number, 16).ok()?.to_be_bytes();
    Some(mac)
}

// The search.

/// Finds secrets in any of their forms.
pub struct Search {
    /// Texts that cannot be anything else, and those that have to stand alone.
    long: AhoCorasick,
    short: AhoCorasick,
    /// Addresses in hexadecimal digits.
    hex: AhoCorasick,
    /// Addresses and what is made of them, in binary, with substitutes.
    binary: AhoCorasick,
    replacements: Vec<Vec<u8>>,
}

impl Search {
    /// Prepares the search for all secrets.
    pub fn new(secrets: &Secrets) -> Result<Search, Error> {
        let searched = secrets.texts.iter().filter(|text| is_searched(text));
        let (mut long, mut short): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
            searched.cloned().partition(|text| text.len() >= UNMISTAKABLE);
        // Japanese numbers as the rest of the world dials them.
        let international: Vec<_> = long
            .iter()
            .filter(|text| text.iter().all(u8::is_ascii_digit))
            .filter_map(|text| text.strip_prefix(b"0"))
            .map(|number| [b"81", number].concat())
            .collect();
        long.extend(international);
        let (mut hex, mut binary, mut replacements) = (vec![], vec![], vec![]);
        for (mac, substitute) in &secrets.substitutes {
            let digits = mac.map(|b| format!("{b:02x}"));
            let half = digits[3..].concat();
            // Names of devices like to end in that half.
            if half.bytes().any(|b| b.is_ascii_alphabetic()) {
                short.push(half.to_uppercase().into());
                short.push(half.into());
            }
            for border in ["", ":", "-"] {
                hex.push(digits.join(border));
            }
            let [a, b, c, d, e, f] = &digits;
            hex.push(format!("{a}{b}.{c}{d}.{e}{f}"));
            if is_telling(mac) {
                binary.extend(binary_forms(mac));
                replacements.extend(binary_forms(substitute));
            }
        }
        Ok(Search {
            long: longest().build(&long).map_err(too_many)?,
            short: AhoCorasick::new(&short).map_err(too_many)?,
            hex: longest()
                .ascii_case_insensitive(true)
                .build(&hex)
                .map_err(too_many)?,
            binary: longest().build(&binary).map_err(too_many)?,
            replacements,
        })
    }

    /// Masks texts in `bytes`, but not a short one in a number or address
    /// of another meaning, as `meant` knows. Returns how many there were.
    pub fn mask_texts(&self, bytes: &mut [u8], meant: &[bool]) -> usize {
        let mut count = 0;
        for (percent, plus) in [(false, false), (true, false), (true, true)] {
            let encoded = |b: &u8| *b == b'%' || plus && *b == b'+';
            if percent && !bytes.iter().any(encoded) {
                continue;
            }
            let decoded = Decoded::new(bytes, percent, plus);
            for (found, skip) in self.texts(&decoded.text) {
                let first = decoded.place(found.start).start;
                if found.len() < UNMISTAKABLE && meant[first] {
                    continue;
                }
                count += 1;
                let digits = found
                    .filter(|&i| {
                        skip == 0 || decoded.text[i].is_ascii_hexdigit()
                    })
                    .skip(skip);
                for i in digits {
                    mask_character(&mut bytes[decoded.place(i)]);
                }
            }
        }
        count
    }

    /// Places of texts, and how many hexadecimal digits of each may stay.
    fn texts(&self, text: &[u8]) -> Vec<(Range<usize>, usize)> {
        let mut found: Vec<(Range<usize>, usize)> = Vec::new();
        found.extend(self.long.find_iter(text).map(|m| (m.range(), 0)));
        found.extend(self.hex.find_iter(text).map(|m| (m.range(), 6)));
        let word = |i: Option<usize>| {
            i.and_then(|i| text.get(i)).is_some_and(u8::is_ascii_alphanumeric)
        };
        let alone = |range: &Range<usize>| {
            !word(range.start.checked_sub(1)) && !word(Some(range.end))
        };
        let short = self.short.find_overlapping_iter(text).map(|m| m.range());
        found.extend(short.filter(alone).map(|range| (range, 0)));
        found
    }

    /// Puts substitutes in the place of binary addresses; returns how many.
    pub fn mask_binary(&self, bytes: &mut [u8]) -> usize {
        let found: Vec<_> = self.binary.find_iter(&*bytes).collect();
        for found in &found {
            let replacement = &self.replacements[found.pattern()];
            bytes[found.range()].copy_from_slice(replacement);
        }
        found.len()
    }

    /// Whether anything that cannot be chance is left.
    pub fn finds_any(&self, bytes: &[u8]) -> bool {
        [&self.long, &self.hex, &self.binary]
            .iter()
            .any(|automaton| automaton.is_match(bytes))
    }
}

fn longest() -> AhoCorasickBuilder {
    let mut builder = AhoCorasick::builder();
    builder.match_kind(MatchKind::LeftmostLongest);
    builder
}

fn too_many(error: aho_corasick::BuildError) -> Error {
    Error(format!("too many secrets: {error}"))
}

/// An address, the interface part that IPv6 makes of it, and the two groups
/// whose names it is part of: solicited-node (RFC 4291 §2.7.1) and the
/// Ethernet address of that.
fn binary_forms(mac: &Mac) -> [Vec<u8>; 4] {
    let &[a, b, c, d, e, f] = mac;
    [
        mac.to_vec(),
        vec![a ^ 2, b, c, 0xFF, 0xFE, d, e, f],
        vec![0, 0, 0, 1, 0xFF, d, e, f],
        vec![0x33, 0x33, 0xFF, d, e, f],
    ]
}
