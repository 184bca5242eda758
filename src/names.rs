//! The names by which a message is ours.
//!
//! Classification compares them with what stands where each may stand; the
//! first look only wants to know whether any is in a head at all. What it
//! goes by is read off the names here: they all have a dash, and not much
//! else in a head has one with these letters behind it.

/// How a User-Agent of this protocol begins.
pub(crate) const USER_AGENT: &[u8] = b"M-CAS/";
/// Name of the provisioning server.
pub(crate) const PROVISIONING_SERVER: &[u8] = b"add-con.mcas";
/// How the name of a firmware server begins.
pub(crate) const FIRMWARE_SERVER: &[u8] = b"verup-mcas.";

const NAMES: [&[u8]; 3] = [USER_AGENT, PROVISIONING_SERVER, FIRMWARE_SERVER];

/// Where the dash of each name is. A name that has none does not compile.
const DASHES: [usize; NAMES.len()] = {
    let mut dashes = [0; NAMES.len()];
    let mut i = 0;
    while i < NAMES.len() {
        while NAMES[i][dashes[i]] != b'-' {
            dashes[i] += 1;
        }
        i += 1;
    }
    dashes
};

/// The letter behind the dash of each name, in lower case.
const LETTERS: [u8; NAMES.len()] = {
    let mut letters = [0; NAMES.len()];
    let mut i = 0;
    while i < NAMES.len() {
        letters[i] = NAMES[i][DASHES[i] + 1].to_ascii_lowercase();
        assert!(letters[i].is_ascii_lowercase(), "no letter behind a dash");
        i += 1;
    }
    letters
};

/// Whether two bytes that follow each other may be a dash of a name and what
/// is behind it, in any case: without a branch, for [`crate::blocks`].
#[inline(always)]
pub(crate) fn may_be_dash(a: u8, b: u8) -> bool {
    let letter = LETTERS.iter().fold(false, |any, &l| any | (b | 0x20 == l));
    (a == b'-') & letter
}

/// Whether any of the names is somewhere in `text`, in any case.
pub(crate) fn any_in(text: &[u8]) -> bool {
    memchr::memchr_iter(b'-', text).any(|dash| {
        let Some(&behind) = text.get(dash + 1) else { return false };
        may_be_dash(b'-', behind)
            && NAMES.iter().zip(DASHES).any(|(name, before)| {
                dash.checked_sub(before)
                    .and_then(|start| text.get(start..start + name.len()))
                    .is_some_and(|bytes| bytes.eq_ignore_ascii_case(name))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever a name is, in any case, but no part of one.
    #[test]
    fn found_anywhere() {
        for name in NAMES {
            for spelling in
                [name.to_ascii_lowercase(), name.to_ascii_uppercase()]
            {
                for before in ["", "x", "-", "a-c-", "M-CAS", "-cm-m"] {
                    let text = [before.as_bytes(), &spelling, b"-c"].concat();
                    assert!(any_in(&text), "{}", text.escape_ascii());
                    let cut = before.len() + spelling.len() - 1;
                    assert!(!any_in(&text[..cut]));
                    assert!(!any_in(&text[before.len() + 1..]));
                }
            }
        }
    }
}
