//! The path of a firmware image.
//!
//! ```text
//! /download/fw/RTS300HI/PRRTRV-S3X0HI12020003.bin
//! ```
//! Observed once; that the folder behind `/fw/` is the model is read off it.

use crate::span::{Span, MAX_INPUT};
use memchr::{memchr, memmem, memrchr};

/// The folder that holds the models.
const FOLDER: &[u8] = b"/fw/";

/// A path, taken apart. Spans are offsets into the path.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Firmware {
    /// Folder behind `/fw/`; empty if the image lies in `/fw/` itself.
    pub model: Span,
    /// Last segment of the path; empty if the path ends in a slash.
    pub file: Span,
}

/// Takes a path (without query) apart; `None` if it has no `/fw/` folder.
pub fn parse(path: &[u8]) -> Option<Firmware> {
    if path.len() > MAX_INPUT {
        return None;
    }
    let start = memmem::find(path, FOLDER)? + FOLDER.len();
    let model = memchr(b'/', &path[start..])
        .map_or(Span::default(), |i| Span::between(start, start + i));
    let file = memrchr(b'/', path).map_or(0, |i| i + 1);
    Some(Firmware { model, file: Span::between(file, path.len()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow() {
        for (path, model, file) in [
            ("/download/fw/RTS300HI/P.bin", "RTS300HI", "P.bin"),
            ("/fw/P.bin", "", "P.bin"),
            ("/fw/", "", ""),
            ("/fw/A/", "A", ""),
            ("/fw/A/b/c.bin", "A", "c.bin"),
            ("/fw/A/fw/c.bin", "A", "c.bin"),
            ("/fw//c.bin", "", "c.bin"),
        ] {
            let parts = parse(path.as_bytes()).unwrap();
            assert_eq!(parts.model.of(path.as_bytes()), model.as_bytes());
            assert_eq!(parts.file.of(path.as_bytes()), file.as_bytes());
        }
    }

    #[test]
    fn forbid() {
        for path in ["", "/", "/fw", "/xfw/a", "/FW/a", "fw/a"] {
            assert_eq!(parse(path.as_bytes()), None, "{path}");
        }
    }
}
