//! Names for bodies that are saved as files: firmware images, and the
//! documents that devices are given.
//!
//! ```text
//! RTS300HI-PRRTRV-S3X0HI12020003.bin
//! 001f67a1b2c3-provisioning.txt
//! ```

use crate::message::{Message, BODY_BROKEN, BODY_CODED, COMPLETE};
use crate::types::{
    TYPE_EXTENSION_CONFIGURATION_RESPONSE, TYPE_FIRMWARE_RESPONSE,
    TYPE_PROVISIONING_RESPONSE, TYPE_SETUP_PUSH,
};
use core::fmt::{self, Display, Formatter, Write};

/// The most characters that are taken over of a part of a name.
const LONGEST: usize = 100;

/// What the request of a body, which mostly does not say itself what it is,
/// has said of it. What is not known is left empty.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct AskedFor<'a> {
    /// Who asked, or who is told: a terminal id, or an address.
    pub device: &'a [u8],
    /// [`Field::FirmwareModel`](crate::Field::FirmwareModel).
    pub model: &'a [u8],
    /// [`Field::FirmwareFile`](crate::Field::FirmwareFile).
    pub file: &'a [u8],
}

impl<'a> AskedFor<'a> {
    /// A document for this device.
    pub fn device(device: &'a [u8]) -> AskedFor<'a> {
        AskedFor { device, ..AskedFor::default() }
    }

    /// An image for this model, by its name on the server.
    pub fn firmware(model: &'a [u8], file: &'a [u8]) -> AskedFor<'a> {
        AskedFor { model, file, ..AskedFor::default() }
    }
}

impl Message {
    /// A name to save the body under, if it is an image or a document and is
    /// the whole of it: what is cut, a part (206) or in a content coding would
    /// pass for the whole under that name.
    pub fn file_name<'a>(&self, asked: AskedFor<'a>) -> Option<FileName<'a>> {
        let document = match self.message_type {
            TYPE_SETUP_PUSH => "setup-push",
            _ if self.status != 200 => return None,
            TYPE_PROVISIONING_RESPONSE => "provisioning",
            TYPE_EXTENSION_CONFIGURATION_RESPONSE => "configuration",
            TYPE_FIRMWARE_RESPONSE => "",
            _ => return None,
        };
        let not_whole = COMPLETE | BODY_CODED | BODY_BROKEN;
        let whole = self.flags & not_whole == COMPLETE && self.body_length > 0;
        whole.then_some(FileName { document, asked })
    }
}

/// A name that no file system minds, and that is of one part only: letters,
/// digits, `-`, `_` and `.`, which does not stand first.
#[derive(Clone, Copy, Debug)]
pub struct FileName<'a> {
    /// What kind it is; empty of an image.
    document: &'static str,
    asked: AskedFor<'a>,
}

impl Display for FileName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let AskedFor { device, model, file } = self.asked;
        let dash = |after: &[u8]| if after.is_empty() { "" } else { "-" };
        if self.document.is_empty() {
            let file = if file.is_empty() { b"firmware.bin" } else { file };
            safe(f, model)?;
            f.write_str(dash(model))?;
            return safe(f, file);
        }
        safe(&mut Lower(f), device)?;
        write!(f, "{}{}.txt", dash(device), self.document)
    }
}

/// Writes letters in lower case.
struct Lower<'a, W>(&'a mut W);

impl<W: Write> Write for Lower<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars()
            .try_for_each(|c| self.0.write_char(c.to_ascii_lowercase()))
    }
}

/// Writes a part of a name. Its end is worth more: there is the extension.
fn safe(out: &mut impl Write, part: &[u8]) -> fmt::Result {
    let cut = part.len().saturating_sub(LONGEST);
    part[cut..].iter().enumerate().try_for_each(|(i, &b)| {
        let plain = b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'_')
            || b == b'.' && i > 0;
        out.write_char(if plain { b.into() } else { '_' })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{from_parts, Context, Parts, Request, CUT};
    use crate::types::*;

    fn name(
        asked: u32,
        status: u16,
        flags: u32,
        body: &[u8],
        with: AskedFor,
    ) -> Option<String> {
        let context = Context::answering(Request::new(asked));
        let parts = Parts::response(status, context).with_flags(flags);
        let message = from_parts(&parts, body).unwrap();
        message.file_name(with).map(|name| name.to_string())
    }

    #[test]
    fn names() {
        let [long, cut] =
            [99, 95].map(|count| format!("/{}.bin", "x".repeat(count)));
        for (model, file, expected) in [
            ("RTS300HI", "P.bin", "RTS300HI-P.bin"),
            ("", "P.bin", "P.bin"),
            ("A", "", "A-firmware.bin"),
            ("..", ".profile", "_.-_profile"),
            ("a b", "..%2fetc", "a_b-_._2fetc"),
            ("\u{e9}", "a\0b\n\u{1b}", "__-a_b__"),
            ("", &cut, &cut.replace('/', "_")),
            ("", &long, &long[4..]),
        ] {
            let asked = AskedFor::firmware(model.as_bytes(), file.as_bytes());
            let of = name(TYPE_FIRMWARE_REQUEST, 200, 0, b"image", asked);
            assert_eq!(of.as_deref(), Some(expected));
        }
        let device = AskedFor::device(b"001F67A1B2C3");
        let gateway = TYPE_PROVISIONING_REQUEST;
        let phone = TYPE_EXTENSION_CONFIGURATION_REQUEST;
        for (asked, kind) in
            [(gateway, "provisioning"), (phone, "configuration")]
        {
            let of = name(asked, 200, 0, b"ResultCode=0000", device);
            assert_eq!(of, Some(format!("001f67a1b2c3-{kind}.txt")));
            let none = AskedFor::default();
            let of = name(asked, 200, 0, b"ResultCode=0000", none);
            assert_eq!(of, Some(format!("{kind}.txt")));
        }
    }

    #[test]
    fn what_is_no_file() {
        let device = AskedFor::device(b"1");
        let gateway = TYPE_PROVISIONING_REQUEST;
        let image = TYPE_FIRMWARE_REQUEST;
        for (asked, status, flags, body) in [
            (gateway, 404, 0, "ResultCode=0000"),
            (gateway, 200, CUT, "ResultCode=0000"),
            (gateway, 200, 0, ""),
            (image, 206, 0, "part"),
            (image, 200, CUT, "part"),
            (TYPE_EXTENSION_LIST_REQUEST, 200, 0, "ResultCode=0000"),
            (TYPE_NONE, 200, 0, "ResultCode=0000"),
        ] {
            let of = name(asked, status, flags, body.as_bytes(), device);
            assert_eq!(of, None, "{asked} {status} {flags} {body}");
        }
    }
}
