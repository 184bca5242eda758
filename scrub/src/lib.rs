/*!
Makes a capture with M-CAS fit to be posted: see [`scrub`], and the program's
`--help`.

Two lines of defence. First, values are masked where they are understood: the
`mcas` crate reads the messages of each TCP stream (`message`, `stream`),
and the packets' layers name hardware addresses and the credentials of PAP and
CHAP (`link`). Second, every value masked is looked for in all bytes of all
packets, in each of its forms, and masked there too (`secrets`). What cannot
be masked by then is an error, and there is no result.

Nothing changes but bytes of secrets, checksums over them, and what stands
behind a packet in its frame, since a frame check sequence gives away 32 bits
of what was masked. A checksum that was right is right again. Any other one
becomes 0: left as it was it could tell what its packet has been.
*/

#![deny(rustdoc::broken_intra_doc_links)]

mod capture;
mod link;
mod message;
mod secrets;
mod stream;

use message::Reader;
use secrets::{Mac, Search, Secrets};
use std::fmt;
use stream::{Answers, Connections, Run};

/// Larger captures are refused: memory holds some eight times the file.
pub const MAX_CAPTURE: usize = 1 << 30;

/// Why there is no result.
#[derive(Debug)]
pub struct Error(pub(crate) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// What was done, and what could not be.
#[derive(Debug, Default)]
pub struct Report {
    /// Packets of the capture.
    pub packets: usize,
    /// M-CAS messages.
    pub messages: usize,
    /// Values masked in them.
    pub values: usize,
    /// Bodies in a content coding, masked as a whole.
    pub coded: usize,
    /// Names, passwords and responses of PAP and CHAP.
    pub credentials: usize,
    /// Hardware addresses, of Ethernet, ARP and terminal ids.
    pub addresses: usize,
    /// Finds of all these elsewhere.
    pub finds: usize,
    /// Values too short to be looked for elsewhere.
    pub unsearched: usize,
    /// Blocks and options of a pcapng file, left out.
    pub dropped: usize,
    /// Bytes at the file's end that are no packet, left out.
    pub cut: usize,
    /// Holes in TCP streams.
    pub holes: usize,
    /// TCP segments that contradict others.
    pub strays: usize,
    /// Stretches of TCP that are no whole messages, but read like ours.
    pub loose: usize,
    /// Packets captured in part.
    pub snapped: usize,
    /// Fragments of IP packets.
    pub fragments: usize,
    /// Packets whose link or network layer could not be followed.
    pub unknown: usize,
}

impl Report {
    /// Whether structure was followed wherever there is any.
    pub fn is_complete(&self) -> bool {
        self.fragments == 0 && self.unknown == 0 && self.cut == 0
    }
}

/// Masks a capture: the bytes of a pcap or pcapng file.
pub fn scrub(file: &[u8]) -> Result<(Vec<u8>, Report), Error> {
    if file.len() > MAX_CAPTURE {
        let why = "larger than 1 GiB: cut it into pieces, by editcap -c";
        return Err(Error(why.into()));
    }
    let capture::Capture { bytes: before, packets, dropped, cut } =
        capture::read(file)?;
    let mut report =
        Report { packets: packets.len(), dropped, cut, ..Report::default() };
    let mut secrets = Secrets::default();
    let mut connections = Connections::default();
    let mut bytes = before.clone();
    let mut meant = vec![false; bytes.len()];

    // What the packets' layers name.
    for packet in &packets {
        let layers = link::layers(&before, packet);
        let place = layers.payload;
        for &at in &layers.addresses {
            secrets.mac(mac_at(&before, at));
        }
        for range in layers.credentials {
            let value = secrets::mask(&mut bytes[range], false, false);
            report.credentials += usize::from(value.is_some());
            secrets.text(value.unwrap_or_default());
        }
        bytes[layers.trailer].fill(0);
        report.snapped +=
            usize::from(packet.range().len() < packet.wire as usize);
        report.unknown += usize::from(layers.unknown);
        if let Some(segment) = &layers.segment {
            connections.add(segment, &before, place);
        } else if layers.fragment {
            report.fragments += 1;
            let mut run = Run::single(&before, place.start, place.len());
            run.stray = true;
            let (none, answers) = ([vec![], vec![]], Answers::new());
            Reader::new(&mut secrets, &mut report, &none, &answers)
                .read(&mut run);
            run.commit(&mut bytes, &mut meant);
        }
    }
    // What the messages of TCP streams do.
    let connections = connections.finish();
    for connection in &connections {
        let mut runs = connection.runs(&before);
        let answers = &connection.answers;
        let mut reader =
            Reader::new(&mut secrets, &mut report, &runs, answers);
        for run in runs.iter_mut().flatten() {
            reader.read(run);
            run.commit(&mut bytes, &mut meant);
        }
    }
    // The same values elsewhere.
    secrets.choose_substitutes();
    report.addresses = secrets.count().1;
    report.unsearched = secrets.unsearched();
    let search = Search::new(&secrets)?;
    for connection in &connections {
        for mut run in connection.runs(&bytes).into_iter().flatten() {
            run.recall(&meant);
            report.finds += search.mask_texts(&mut run.masked, &run.meant);
            report.finds += search.mask_binary(&mut run.masked);
            run.commit(&mut bytes, &mut meant);
        }
    }
    for (i, packet) in packets.iter().enumerate() {
        let layers = link::layers(&before, packet);
        for at in layers.addresses {
            let mac = mac_at(&before, at);
            if let Some(substitute) = secrets.substitute(mac) {
                bytes[at..at + 6].copy_from_slice(&substitute);
            }
        }
        let place = layers.payload;
        let (payload, known) = (&mut bytes[place.clone()], &meant[place]);
        report.finds += search.mask_texts(payload, known);
        let packet_bytes = &mut bytes[packet.range()];
        report.finds += search.mask_binary(packet_bytes);
        if search.finds_any(packet_bytes) {
            let why = "a secret stands in a header of packet";
            return Err(Error(format!("{why} {}", i + 1)));
        }
        if let Some(checksum) = &layers.checksum {
            if checksum.differs(&before, &bytes) {
                let right = checksum.is_right(&before);
                checksum.mend(&mut bytes, right);
            }
        }
    }
    Ok((bytes, report))
}

fn mac_at(bytes: &[u8], at: usize) -> Mac {
    let mut mac = Mac::default();
    mac.copy_from_slice(&bytes[at..at + 6]);
    mac
}
