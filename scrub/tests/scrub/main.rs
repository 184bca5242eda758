//! `mcas-scrub` over all captures, and over whatever TCP, the link layers and
//! the file formats can do to a value.

/// Forged captures: each cut, order, layer and odd checksum.
mod forged;
/// Captures joined, for one start of tshark.
#[allow(dead_code)]
#[path = "../../../tests/joined.rs"]
mod joined;
/// Every capture of the project, against what tshark shows of it.
mod recorded;
/// Running tshark, reading its output, writing captures.
#[allow(dead_code)]
#[path = "../../../tests/support.rs"]
mod support;

use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// This checkout's folder.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Runs the program.
fn run(from: &Path, to: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mcas-scrub"))
        .arg(from)
        .arg(to)
        .output()
        .expect("mcas-scrub runs")
}

/// The scrubbed capture, in a folder that goes with the value, what the
/// program said and its exit status.
struct Scrubbed {
    folder: TempDir,
    said: String,
    status: i32,
}

impl Scrubbed {
    fn of(from: &Path) -> Scrubbed {
        let folder = TempDir::new().expect("there is a folder");
        let output = run(from, &folder.path().join("out"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let status = output.status.code().expect("it ends by itself");
        assert!(matches!(status, 0 | 3), "{}: {said}", from.display());
        Scrubbed { folder, said, status }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("out")
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.path()).expect("the result can be read")
    }
}

/// The packets of a little-endian pcap file.
fn packets(file: &[u8]) -> Vec<&[u8]> {
    let (mut found, mut rest) = (Vec::new(), &file[24..]);
    while let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = *rest {
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        found.push(&rest[16..16 + length]);
        rest = &rest[16 + length..];
    }
    found
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}
