//! What is in a packet, from its link layer up to TCP.
//!
//! Ethernet with VLAN tags, PPPoE and PPP are walked here; IP and what is in
//! it is etherparse's matter. Everything found is a place in the capture.

use crate::capture::Packet;
use etherparse::checksum::Sum16BitWords;
use etherparse::{ip_number, LaxIpSlice, LenSource, TcpSlice, UdpSlice};
use std::net::IpAddr;
use std::ops::Range;

/// What was found in a packet.
#[derive(Default)]
pub struct Layers {
    /// Hardware addresses, six bytes each.
    pub addresses: Vec<usize>,
    /// Credentials of PAP and CHAP.
    pub credentials: Vec<Range<usize>>,
    /// What lies behind the headers.
    pub payload: Range<usize>,
    /// What lies behind the packet in its frame: padding and FCS.
    pub trailer: Range<usize>,
    /// Checksum over the payload.
    pub checksum: Option<Checksum>,
    /// Of TCP.
    pub segment: Option<Segment>,
    /// The payload is part of a packet only.
    pub fragment: bool,
    /// The packet's headers cannot be followed up to its payload.
    pub unknown: bool,
}

/// A TCP segment. Its bytes are [`Layers::payload`].
pub struct Segment {
    /// Source and destination.
    pub ends: [(IpAddr, u16); 2],
    /// Sequence number of its first byte.
    pub sequence: u32,
    /// How many bytes were sent, captured or not.
    pub wire: u32,
    /// What it acknowledges, if it does.
    pub acknowledged: Option<u32>,
    /// It opens a connection.
    pub syn: bool,
    /// Nothing follows.
    pub fin: bool,
    /// The connection is broken off.
    pub rst: bool,
}

/// A checksum of the Internet's kind (RFC 1071).
pub struct Checksum {
    at: usize,
    covers: Range<usize>,
    /// Source and destination address, if they are part of it.
    addresses: Range<usize>,
    protocol: u8,
    /// Not all that it covers is there.
    cut: bool,
}

impl Checksum {
    fn sum(&self, bytes: &[u8]) -> Sum16BitWords {
        let sum = Sum16BitWords::new().add_slice(&bytes[self.covers.clone()]);
        if self.addresses.is_empty() {
            return sum;
        }
        let length = self.covers.len() as u32;
        sum.add_slice(&bytes[self.addresses.clone()])
            .add_2bytes([0, self.protocol])
            .add_4bytes(length.to_be_bytes())
    }

    fn field(&self) -> Range<usize> {
        self.at..self.at + 2
    }

    /// Whether it is right; a missing one is not.
    pub fn is_right(&self, bytes: &[u8]) -> bool {
        !self.cut
            && bytes[self.field()] != [0, 0]
            && self.sum(bytes).ones_complement() == 0
    }

    /// Whether what it covers is not the same in both.
    pub fn differs(&self, before: &[u8], after: &[u8]) -> bool {
        [&self.covers, &self.addresses]
            .into_iter()
            .any(|range| before[range.clone()] != after[range.clone()])
    }

    /// Makes it right, or 0, which tells nothing of what it was.
    pub fn mend(&self, bytes: &mut [u8], right: bool) {
        bytes[self.field()].fill(0);
        if right {
            let sum = self.sum(bytes).to_ones_complement_with_no_zero();
            bytes[self.field()].copy_from_slice(&sum.to_ne_bytes());
        }
    }
}

const LINK_NULL: u16 = 0;
const LINK_ETHERNET: u16 = 1;
const LINK_PPP: u16 = 9;
const LINK_PPP_HDLC: u16 = 50;
const LINK_PPPOE: u16 = 51;
const LINK_LOOP: u16 = 108;
const LINK_SLL: u16 = 113;
const LINK_SLL2: u16 = 276;
const LINK_RAW: [u16; 5] = [12, 14, 101, 228, 229];

/// Packets in packets in packets are nobody's.
const MAX_DEPTH: usize = 4;

/// Takes a packet of the capture apart.
pub fn layers(bytes: &[u8], packet: &Packet) -> Layers {
    let frame = packet.range();
    let mut walk = Walk {
        bytes: &bytes[..frame.end],
        wire: frame.start.saturating_add(packet.wire as usize),
        found: Layers {
            payload: frame.clone(),
            trailer: frame.end..frame.end,
            ..Layers::default()
        },
    };
    let at = frame.start;
    let followed = match packet.link {
        LINK_ETHERNET => walk.ethernet(at),
        LINK_SLL => walk.cooked(at + 4, at + 6, at + 14, at + 16),
        LINK_SLL2 => walk.cooked(at + 11, at + 12, at, at + 20),
        LINK_PPP | LINK_PPP_HDLC => walk.ppp(at),
        LINK_PPPOE => walk.pppoe(at),
        LINK_NULL | LINK_LOOP => walk.ip(at + 4, 0),
        link if LINK_RAW.contains(&link) => walk.ip(at, 0),
        _ => None,
    };
    walk.found.unknown = followed.is_none();
    walk.found
}

struct Walk<'a> {
    /// The capture up to the packet's end.
    bytes: &'a [u8],
    /// Where the packet would end, had it been captured whole.
    wire: usize,
    found: Layers,
}

/// `None`: what should be there is not, or is not known.
type Followed = Option<()>;

impl Walk<'_> {
    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at + 2)?;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// The payload goes from `at` up to `end`; a trailer may follow.
    fn payload(&mut self, at: usize, end: usize) {
        let end = end.clamp(at.min(self.bytes.len()), self.bytes.len());
        self.found.payload = at.min(end)..end;
        self.found.trailer = end..self.bytes.len();
    }

    fn address(&mut self, at: usize) {
        if self.bytes.len() >= at + 6 {
            self.found.addresses.push(at);
        }
    }

    fn ethernet(&mut self, at: usize) -> Followed {
        self.address(at);
        self.address(at + 6);
        self.tagged(at + 12, at + 14)
    }

    /// Linux's cooked capture, which has the sender's address only.
    fn cooked(
        &mut self,
        length: usize,
        address: usize,
        kind: usize,
        next: usize,
    ) -> Followed {
        // SLL has two bytes for the length, SLL2 one: the last tells.
        let last = if kind < length { length } else { length + 1 };
        if *self.bytes.get(last)? == 6 {
            self.address(address);
        }
        self.tagged(kind, next)
    }

    /// The EtherType at `kind`, and what follows at `next`.
    fn tagged(&mut self, mut kind: usize, mut next: usize) -> Followed {
        // VLAN tags.
        while let 0x8100 | 0x88A8 | 0x9100 = self.short(kind)? {
            (kind, next) = (next + 2, next + 4);
        }
        self.payload(next, self.bytes.len());
        match self.short(kind)? {
            0x0800 | 0x86DD => self.ip(next, 0),
            0x0806 | 0x8035 => self.arp(next),
            0x8863 => {
                let length = self.short(next + 4)?;
                self.payload(next, next + 6 + usize::from(length));
                Some(())
            }
            0x8864 => self.pppoe(next),
            // IEEE 802.3: a length.
            length @ ..=1500 => {
                self.payload(next, next + usize::from(length));
                Some(())
            }
            // Not IP: nothing of ours.
            _ => Some(()),
        }
    }

    /// Hardware addresses of sender and target.
    fn arp(&mut self, at: usize) -> Followed {
        let sizes = self.bytes.get(at + 4..at + 6)?;
        let [hardware, protocol] = [sizes[0], sizes[1]].map(usize::from);
        if hardware == 6 {
            self.address(at + 8);
            self.address(at + 8 + 6 + protocol);
        }
        self.payload(at, at + 8 + 2 * (hardware + protocol));
        Some(())
    }

    fn pppoe(&mut self, at: usize) -> Followed {
        let length = usize::from(self.short(at + 4)?);
        let end = (at + 6 + length).min(self.bytes.len());
        self.payload(at + 6, end);
        let (all, trailer) = (self.bytes, self.found.trailer.clone());
        self.bytes = &all[..end];
        let followed = self.ppp(at + 6);
        self.bytes = all;
        self.found.trailer.end = trailer.end;
        followed
    }

    fn ppp(&mut self, mut at: usize) -> Followed {
        // Address and control, where they are not left out.
        if self.bytes.get(at..at + 2)? == [0xFF, 0x03] {
            at += 2;
        }
        // A protocol below 0x100 may be sent as one byte, which is odd.
        let odd = self.bytes.get(at)? & 1 == 1;
        let protocol = match self.bytes[at] {
            protocol if odd => protocol.into(),
            _ => self.short(at)?,
        };
        at += if odd { 1 } else { 2 };
        match protocol {
            0x0021 | 0x0057 => self.ip(at, 0),
            0xC023 => self.pap(at),
            0xC223 => self.chap(at),
            _ => Some(()),
        }
    }

    /// A byte with a length, and as many bytes behind it as there are.
    fn counted(&self, at: usize, end: usize) -> Option<Range<usize>> {
        let length = usize::from(*self.bytes[..end].get(at)?);
        Some(at + 1..(at + 1 + length).min(end))
    }

    /// Where a packet of PPP's protocols ends, by its own length.
    fn ppp_end(&self, at: usize) -> Option<usize> {
        let length = usize::from(self.short(at + 2)?);
        Some((at + length).min(self.bytes.len()))
    }

    /// RFC 1334: who, and the password.
    fn pap(&mut self, at: usize) -> Followed {
        let end = self.ppp_end(at)?;
        if self.bytes[at] == 1 {
            let peer = self.counted(at + 4, end)?;
            let password = self.counted(peer.end, end);
            self.found.credentials.push(peer);
            self.found.credentials.extend(password);
        }
        Some(())
    }

    /// RFC 1994: who; and what was made from the password, from which it can
    /// be guessed.
    fn chap(&mut self, at: usize) -> Followed {
        let end = self.ppp_end(at)?;
        let code = self.bytes[at];
        if let 1 | 2 = code {
            let value = self.counted(at + 4, end)?;
            self.found.credentials.push(value.end..end);
            if code == 2 {
                self.found.credentials.push(value);
            }
        } else if code == 3 && end > at + 4 {
            // MS-CHAP-2 proves the server's knowledge here.
            self.found.credentials.push(at + 4..end);
        }
        Some(())
    }

    fn ip(&mut self, at: usize, depth: usize) -> Followed {
        let bytes = self.bytes;
        let packet = bytes.get(at..)?;
        let (ip, _) = LaxIpSlice::from_slice(packet).ok()?;
        let place =
            |part: &[u8]| part.as_ptr() as usize - bytes.as_ptr() as usize;
        let inner = ip.payload();
        let start = place(inner.payload);
        let end = start + inner.payload.len();
        // Without a length of its own (offloading) it has the frame's.
        let (said, addresses) = match &ip {
            LaxIpSlice::Ipv4(ip) => {
                (usize::from(ip.header().total_len()), at + 12..at + 20)
            }
            LaxIpSlice::Ipv6(ip) => match ip.header().payload_length() {
                0 => (0, at + 8..at + 40),
                length => (40 + usize::from(length), at + 8..at + 40),
            },
        };
        let wire = match inner.len_source {
            LenSource::Slice if said <= start - at => self.wire,
            _ => at + said,
        };
        let wire = wire.max(end);
        let outer = self.found.trailer.end.max(self.bytes.len());
        self.payload(start, end);
        self.found.trailer.end = outer;
        if inner.fragmented {
            self.found.fragment = true;
            return Some(());
        }
        let mut checksum = |offset, protocol, covers: Range<usize>, pseudo| {
            let at = start + offset;
            if at + 2 <= covers.end {
                self.found.checksum = Some(Checksum {
                    at,
                    covers,
                    addresses: if pseudo { addresses.clone() } else { 0..0 },
                    protocol,
                    cut: wire > end,
                });
            }
        };
        match inner.ip_number {
            ip_number::TCP => {
                checksum(16, 6, start..end, true);
                let tcp = TcpSlice::from_slice(inner.payload).ok()?;
                let payload = place(tcp.payload());
                self.found.payload = payload..end;
                self.found.segment = Some(Segment {
                    ends: [
                        (ip.source_addr(), tcp.source_port()),
                        (ip.destination_addr(), tcp.destination_port()),
                    ],
                    sequence: tcp
                        .sequence_number()
                        .wrapping_add(tcp.syn().into()),
                    wire: (wire - payload) as u32,
                    acknowledged: tcp
                        .ack()
                        .then_some(tcp.acknowledgment_number()),
                    syn: tcp.syn(),
                    fin: tcp.fin(),
                    rst: tcp.rst(),
                });
            }
            ip_number::UDP => {
                let udp = UdpSlice::from_slice_lax(inner.payload).ok()?;
                let length = udp.slice().len();
                checksum(6, 17, start..start + length, true);
                self.found.payload = start + 8..end;
            }
            ip_number::ICMP => checksum(2, 1, start..end, false),
            ip_number::IPV6_ICMP => checksum(2, 58, start..end, true),
            ip_number::IPV4 | ip_number::IPV6 if depth < MAX_DEPTH => {
                return self.ip(start, depth + 1);
            }
            _ => {}
        }
        Some(())
    }
}
