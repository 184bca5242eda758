//! The file: pcap or pcapng, with everything left out that is no packet.
//!
//! A pcap file is taken as it is. Of a pcapng file the packets stay, the
//! interfaces and their statistics, and of their options those that are
//! numbers about time, size and direction. What people and programs wrote
//! beside (comments, names, filters, addresses), digests of packets,
//! name resolution, decryption secrets and blocks of other kinds go.

use crate::Error;
use pcap_parser::nom;
use pcap_parser::pcapng::{self, Block};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    parse_pcap_frame, parse_pcap_frame_be, parse_pcap_frame_modified,
    parse_pcap_header, parse_sectionheaderblock, PcapNGOption,
};
use std::ops::Range;

/// A capture in memory. Masking changes bytes, never their number.
pub struct Capture {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Its packets, in order.
    pub packets: Vec<Packet>,
    /// Blocks and options of a pcapng file that were left out.
    pub dropped: usize,
    /// Bytes at the end that are no whole packet or block; left out.
    pub cut: usize,
}

/// A packet's place in the file.
#[derive(Clone, Copy)]
pub struct Packet {
    start: u32,
    length: u32,
    /// How long it was on the wire.
    pub wire: u32,
    /// LINKTYPE_… number.
    pub link: u16,
}

impl Packet {
    /// Its bytes in [`Capture::bytes`].
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.start as usize + self.length as usize
    }
}

/// Reads a file of either format.
pub fn read(file: &[u8]) -> Result<Capture, Error> {
    if let Ok((rest, header)) = parse_pcap_header(file) {
        let frame = match () {
            () if header.is_bigendian() => parse_pcap_frame_be,
            () if header.is_modified_format() => parse_pcap_frame_modified,
            () => parse_pcap_frame,
        };
        // The upper half of the field is about frame check sequences.
        return read_pcap(file, rest, header.network.0 as u16, frame);
    }
    if parse_sectionheaderblock(file).is_ok() {
        return read_pcapng(file);
    }
    Err(Error("neither pcap nor pcapng (or compressed)".into()))
}

type Parsed<'a, T> =
    nom::IResult<&'a [u8], T, pcap_parser::PcapError<&'a [u8]>>;

fn read_pcap<'a>(
    file: &'a [u8],
    mut rest: &'a [u8],
    link: u16,
    frame: fn(&'a [u8]) -> Parsed<'a, pcap_parser::LegacyPcapBlock<'a>>,
) -> Result<Capture, Error> {
    let mut packets = Vec::new();
    while !rest.is_empty() {
        match frame(rest) {
            Ok((next, block)) => {
                let end = file.len() - next.len();
                packets.push(Packet {
                    start: (end - block.data.len()) as u32,
                    length: block.data.len() as u32,
                    wire: block.origlen,
                    link,
                });
                rest = next;
            }
            Err(nom::Err::Incomplete(_)) => break,
            Err(_) => return Err(damaged(file, rest)),
        }
    }
    let bytes = file[..file.len() - rest.len()].to_vec();
    Ok(Capture { bytes, packets, dropped: 0, cut: rest.len() })
}

fn damaged(file: &[u8], rest: &[u8]) -> Error {
    Error(format!("damaged at byte {}", file.len() - rest.len()))
}

/// Options that stay, by block type: time stamps' resolution and offset,
/// speed and FCS length; a packet's flags, drops, number and queue; counts.
const KEPT_IN_INTERFACE: &[u16] = &[8, 9, 13, 14];
const KEPT_IN_PACKET: &[u16] = &[2, 4, 5, 6];
const KEPT_IN_STATISTICS: &[u16] = &[2, 3, 4, 5, 6, 7, 8];

/// Old Packet Block, which no program has written for many years.
const OBSOLETE_PACKET: u32 = 2;

fn read_pcapng(file: &[u8]) -> Result<Capture, Error> {
    let mut capture =
        Capture { bytes: vec![], packets: vec![], dropped: 0, cut: 0 };
    let mut links = Vec::new();
    let mut big = false;
    let mut rest = file;
    while !rest.is_empty() {
        let parsed = match rest {
            [0x0A, 0x0D, 0x0D, 0x0A, ..] => parse_sectionheaderblock(rest)
                .map(|(next, block)| (next, Block::SectionHeader(block))),
            _ if big => pcapng::parse_block_be(rest),
            _ => pcapng::parse_block_le(rest),
        };
        let (next, block) = match parsed {
            Ok(parsed) => parsed,
            Err(nom::Err::Incomplete(_)) => break,
            Err(_) => return Err(damaged(file, rest)),
        };
        // Only a multiple of four keeps later blocks in step.
        let length = rest.len() - next.len();
        if length % 4 != 0 {
            return Err(damaged(file, rest));
        }
        let bytes = &rest[..length];
        let unknown = |link: Option<&u16>| {
            link.copied().ok_or_else(|| damaged(file, rest))
        };
        match &block {
            Block::SectionHeader(header) => {
                big = header.big_endian();
                links.clear();
                let start = capture.bytes.len();
                capture.copy(&bytes[..24], &header.options, &[], big);
                // The section has another length now: «not specified».
                capture.bytes[start + 16..start + 24].fill(0xFF);
            }
            Block::InterfaceDescription(interface) => {
                links.push(interface.linktype.0 as u16);
                let options = &interface.options;
                capture.copy(&bytes[..16], options, KEPT_IN_INTERFACE, big);
            }
            Block::EnhancedPacket(packet) => {
                let link = unknown(links.get(packet.if_id as usize))?;
                let data = packet.packet_data().len();
                let start = capture.bytes.len() + 28;
                let end = 28 + packet.data.len();
                let options = &packet.options;
                capture.copy(&bytes[..end], options, KEPT_IN_PACKET, big);
                capture.add(
                    start,
                    data,
                    packet.data.len(),
                    packet.origlen,
                    link,
                );
            }
            Block::SimplePacket(packet) => {
                let link = unknown(links.first())?;
                let data = packet.packet_data().len();
                let start = capture.bytes.len() + 12;
                capture.copy(&bytes[..length - 4], &[], &[], big);
                capture.add(
                    start,
                    data,
                    packet.data.len(),
                    packet.origlen,
                    link,
                );
            }
            Block::InterfaceStatistics(statistics) => {
                let options = &statistics.options;
                capture.copy(&bytes[..20], options, KEPT_IN_STATISTICS, big);
            }
            Block::Unknown(block)
                if block.block_type == OBSOLETE_PACKET
                    || block.block_type == OBSOLETE_PACKET.swap_bytes() =>
            {
                let why = "has obsolete Packet Blocks: convert it first, \
                           by editcap -F pcapng";
                return Err(Error(why.into()));
            }
            _ => capture.dropped += 1,
        }
        rest = next;
    }
    capture.cut = rest.len();
    Ok(capture)
}

impl Capture {
    /// Appends a block: what it begins with, then the options that stay.
    fn copy(
        &mut self,
        begin: &[u8],
        options: &[PcapNGOption],
        kept: &[u16],
        big: bool,
    ) {
        let start = self.bytes.len();
        self.bytes.extend(begin);
        let short =
            |n: u16| if big { n.to_be_bytes() } else { n.to_le_bytes() };
        let mut any = false;
        for option in options.iter().filter(|option| option.code.0 != 0) {
            // Numbers are short: nothing else hides in them.
            if kept.contains(&option.code.0) && option.len <= 8 {
                any = true;
                self.bytes.extend(short(option.code.0));
                self.bytes.extend(short(option.len));
                let value = option.as_bytes().unwrap_or_default();
                self.bytes.extend(value);
                self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
            } else {
                self.dropped += 1;
            }
        }
        if any {
            self.bytes.extend([0; 4]);
        }
        let length = (self.bytes.len() - start + 4) as u32;
        let length =
            if big { length.to_be_bytes() } else { length.to_le_bytes() };
        self.bytes.extend(length);
        self.bytes[start + 4..start + 8].copy_from_slice(&length);
    }

    /// Notes a packet of `data` bytes, padded to `padded`, at `start`.
    fn add(
        &mut self,
        start: usize,
        data: usize,
        padded: usize,
        wire: u32,
        link: u16,
    ) {
        self.bytes[start + data..start + padded].fill(0);
        let (start, length) = (start as u32, data as u32);
        self.packets.push(Packet { start, length, wire, link });
    }
}
