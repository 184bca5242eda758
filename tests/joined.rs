//! Captures one after the other in one file, so that tshark, which takes a
//! quarter of a second to start, starts once for all of them.
//!
//! Connections of two captures must not meet: each capture's addresses are
//! those of a network of its own, 11.n.0.0/16.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::NamedTempFile;

/// One of the captures that were joined.
pub struct Part {
    /// The name of its file.
    pub name: String,
    /// Its frames' numbers in the whole.
    pub frames: Range<u32>,
}

/// Captures in one file.
pub struct Joined {
    file: NamedTempFile,
    /// Whose frames there are, in order.
    pub parts: Vec<Part>,
}

impl Joined {
    /// Joins captures of Ethernet, in this order.
    pub fn new(captures: &[PathBuf]) -> Joined {
        let mut bytes = Vec::new();
        let mut parts = Vec::new();
        let mut next = 1;
        for (number, path) in (0..).zip(captures) {
            let mut pcap = read(path);
            let mut addresses = Addresses::new(number);
            let first = next;
            for frame in frames_mut(&mut pcap) {
                addresses.replace(frame);
                next += 1;
            }
            let header = if bytes.is_empty() { 0 } else { FILE_HEADER };
            bytes.extend_from_slice(&pcap[header..]);
            let name = path.file_name().expect("a file").to_string_lossy();
            parts.push(Part { name: name.into(), frames: first..next });
        }
        let file = NamedTempFile::with_suffix(".pcap").expect("a file");
        fs::write(file.path(), bytes).expect("it is written");
        Joined { file, parts }
    }

    /// The file; it is removed with this value.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Whose frame this is: the capture's name and the number in there.
    pub fn place(&self, frame: u32) -> String {
        let of = |part: &&Part| part.frames.contains(&frame);
        let Some(part) = self.parts.iter().find(of) else {
            return format!("frame {frame} of none");
        };
        format!("{} {}", part.name, frame - part.frames.start + 1)
    }
}

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A capture as pcap of this kind of machine.
fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).expect("a capture can be read");
    if bytes.starts_with(&0xA1B2_C3D4_u32.to_le_bytes()) {
        return bytes;
    }
    let file = NamedTempFile::new().expect("a file");
    let status = Command::new("editcap")
        .args(["-F", "pcap"])
        .args([path, file.path()])
        .status()
        .expect("editcap is installed");
    assert!(status.success(), "{path:?}");
    fs::read(file.path()).expect("it can be read")
}

/// The frames of a pcap file.
pub fn frames_mut(pcap: &mut [u8]) -> impl Iterator<Item = &mut [u8]> {
    let mut rest = &mut pcap[FILE_HEADER..];
    std::iter::from_fn(move || {
        let record = std::mem::take(&mut rest);
        if record.is_empty() {
            return None;
        }
        let length = record[8..12].try_into().expect("four bytes");
        let length = u32::from_le_bytes(length) as usize;
        let (record, behind) = record.split_at_mut(RECORD_HEADER + length);
        rest = behind;
        Some(&mut record[RECORD_HEADER..])
    })
}

/// Where a frame's IPv4 header begins, in VLANs and PPPoE or not.
pub fn ipv4(frame: &[u8]) -> Option<usize> {
    let word = |at: usize| Some([*frame.get(at)?, *frame.get(at + 1)?]);
    let (mut kind, mut at) = (word(12)?, 14);
    while kind == [0x81, 0] || kind == [0x88, 0xA8] {
        (kind, at) = (word(at + 2)?, at + 4);
    }
    if kind == [0x88, 0x64] && word(at + 6)? == [0, 0x21] {
        (kind, at) = ([8, 0], at + 8);
    }
    (kind == [8, 0] && frame.len() >= at + 20).then_some(at)
}

/// The addresses of one capture and what stands for them.
struct Addresses {
    network: [u8; 2],
    known: BTreeMap<[u8; 4], u16>,
}

impl Addresses {
    fn new(capture: u8) -> Addresses {
        Addresses { network: [11, capture], known: BTreeMap::new() }
    }

    /// Replaces those in a frame's IPv4 header. Checksums that were right are
    /// right, and those that were wrong are wrong.
    fn replace(&mut self, frame: &mut [u8]) {
        let Some(ip) = ipv4(frame) else { return };
        let behind = ip + 4 * usize::from(frame[ip] & 15);
        // Of TCP or UDP, where 0 says that there is none.
        let theirs = match frame[ip + 9] {
            6 => Some(behind + 16),
            17 => Some(behind + 6),
            _ => None,
        };
        for at in [ip + 12, ip + 16] {
            let old: [u8; 4] =
                frame[at..at + 4].try_into().expect("four bytes");
            // Broadcast, multicast and «none» mean what they mean.
            if matches!(old[0], 0 | 224..) {
                continue;
            }
            let next = self.known.len() as u16 + 1;
            let [high, low] =
                self.known.entry(old).or_insert(next).to_be_bytes();
            let [a, b] = self.network;
            let new = [a, b, high, low];
            frame[at..at + 4].copy_from_slice(&new);
            for sum in [Some(ip + 10), theirs].into_iter().flatten() {
                if let Some(sum) = frame.get_mut(sum..sum + 2) {
                    adjust(sum, old, new);
                }
            }
        }
    }
}

/// A checksum over `new` where it was over `old` (RFC 1624).
fn adjust(sum: &mut [u8], old: [u8; 4], new: [u8; 4]) {
    let word = |bytes: &[u8]| u32::from(bytes[0]) << 8 | u32::from(bytes[1]);
    let was = word(sum);
    if was == 0 {
        return;
    }
    let mut total = !was & 0xFFFF;
    for (old, new) in old.chunks(2).zip(new.chunks(2)) {
        total += (!word(old) & 0xFFFF) + word(new);
    }
    while total > 0xFFFF {
        total = (total & 0xFFFF) + (total >> 16);
    }
    sum.copy_from_slice(&(!total as u16).to_be_bytes());
}
