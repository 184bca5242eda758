//! Charsets that a Content-Type may declare.
//!
//! The provisioning server declares ISO-8859-1 (observed); Japanese software
//! of those years may well use Shift_JIS or EUC-JP. Their tables are those of
//! [`encoding_rs`].

use crate::numbered::numbered;
use crate::scan;
use crate::text;
use encoding_rs::{
    DecoderResult, Encoding, EUC_JP, SHIFT_JIS, UTF_8, WINDOWS_1252,
};

numbered! {
    /// What a message says its text is written in.
    #[derive(Default)]
    pub enum Charset {
        /// It does not say.
        #[default]
        Unknown = 0,
        /// UTF-8.
        Utf8 = 1,
        /// ISO-8859-1: each byte is the character of that number.
        Latin1 = 2,
        /// Shift_JIS, as Windows has it.
        ShiftJis = 3,
        /// EUC-JP.
        EucJp = 4,
        /// Any other, which is read as if nothing were said.
        Other = 5,
    }
}

impl Charset {
    /// What the parameters of a Content-Type declare.
    pub(crate) fn declared(parameters: &[u8]) -> Charset {
        scan::split(b';', parameters)
            .find_map(|parameter| {
                let parameter = parameter.trim_ascii();
                let (name, label) = parameter.split_at_checked(8)?;
                text::is(name, b"charset=").then_some(label)
            })
            .map_or(Charset::Unknown, Charset::of)
    }

    /// The charset of a label such as `Shift_JIS`, which may be quoted.
    fn of(label: &[u8]) -> Charset {
        let label = label.trim_ascii();
        let label = label.strip_prefix(b"\"").unwrap_or(label);
        let label = label.strip_suffix(b"\"").unwrap_or(label);
        // What the server declares need not be looked up.
        if text::is(label, b"ISO-8859-1") {
            return Charset::Latin1;
        }
        // To encoding_rs, as to browsers, ISO-8859-1 by any name is
        // windows-1252; and so is ASCII, of which nothing need be known.
        let own_names: [&[u8]; 6] = [
            b"windows-1252",
            b"cp1252",
            b"x-cp1252",
            b"us-ascii",
            b"ascii",
            b"ansi_x3.4-1968",
        ];
        let is_own = |name: &&[u8]| name.eq_ignore_ascii_case(label);
        match Encoding::for_label(label) {
            Some(e) if e == WINDOWS_1252 => {
                if own_names.iter().any(is_own) {
                    Charset::Other
                } else {
                    Charset::Latin1
                }
            }
            Some(e) if e == UTF_8 => Charset::Utf8,
            Some(e) if e == SHIFT_JIS => Charset::ShiftJis,
            Some(e) if e == EUC_JP => Charset::EucJp,
            _ => Charset::Other,
        }
    }

    /// The encodings that text is tried in, in order. Behind the last comes
    /// ISO-8859-1, which any bytes are.
    pub(crate) fn encodings(self) -> impl Iterator<Item = &'static Encoding> {
        let encodings = match self {
            Charset::Latin1 => [None, None],
            Charset::ShiftJis => [Some(SHIFT_JIS), Some(UTF_8)],
            Charset::EucJp => [Some(EUC_JP), Some(UTF_8)],
            _ => [Some(UTF_8), None],
        };
        encodings.into_iter().flatten()
    }
}

/// Hands the characters that `bytes` are in `encoding` to `sink`; `false` at
/// the first byte that is part of none.
pub(crate) fn decode(
    encoding: &'static Encoding,
    bytes: impl Iterator<Item = u8>,
    mut sink: impl FnMut(char),
) -> bool {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    // One byte at a time: it may come out of a percent-encoding.
    let mut feed = |byte: &[u8], last| {
        let mut out = [0; 32];
        let (result, _, written) =
            decoder.decode_to_utf8_without_replacement(byte, &mut out, last);
        let text = core::str::from_utf8(&out[..written]);
        text.unwrap_or_default().chars().for_each(&mut sink);
        result == DecoderResult::InputEmpty
    };
    for byte in bytes {
        if !feed(&[byte], false) {
            return false;
        }
    }
    feed(&[], true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations() {
        for (parameters, charset) in [
            ("", Charset::Unknown),
            (";q=1", Charset::Unknown),
            (";charset=ISO-8859-1", Charset::Latin1),
            (" ; a=b; CharSet=\"iso-8859-1\" ", Charset::Latin1),
            (";charset=latin1", Charset::Latin1),
            (";charset=ISO_8859-1", Charset::Latin1),
            (";charset=us-ascii", Charset::Other),
            (";charset=UTF-8", Charset::Utf8),
            ("; charset=Shift_JIS", Charset::ShiftJis),
            ("; charset=windows-31j", Charset::ShiftJis),
            ("; charset=x-sjis", Charset::ShiftJis),
            ("; charset=euc-jp", Charset::EucJp),
            ("; charset=windows-1252", Charset::Other),
            ("; charset=", Charset::Other),
            ("; charset=x; charset=utf-8", Charset::Other),
        ] {
            let found = Charset::declared(parameters.as_bytes());
            assert_eq!(found, charset, "{parameters:?}");
        }
    }
}
