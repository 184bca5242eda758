//! Captures written for the purpose: what is expected is written out, and
//! compared byte by byte.

use crate::support::{capture, captures, Capture, Connection, Side};
use crate::{holds, packets, run, Scrubbed};
use std::fs;
use std::process::Command;
use tempfile::TempDir;

/// A message, and what it must become.
struct Sample {
    from: Side,
    is: Vec<u8>,
    becomes: Vec<u8>,
}

fn message(from: Side, head: &str, body: &str, becomes: &str) -> Sample {
    assert_eq!(body.len(), becomes.len());
    let length = body.len();
    let whole = |body: &str| {
        format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes()
    };
    Sample { from, is: whole(body), becomes: whole(becomes) }
}

/// An exchange in which every kind of value occurs.
fn samples() -> [Sample; 2] {
    let mut request = message(
        Side::Client,
        "POST /cas_tel_conf/?username=query%55ser HTTP/1.1\r\n\
         Host: ntt.setup\r\n",
        "id=001F67a1B2%433&ip_tel_num=03%31%32345678&term_type=1\
         &password=p%40ss+w%2",
        "id=001F67XXXX%58X&ip_tel_num=XX%58%58XXXXXX&term_type=1\
         &password=X%58XXXXXX",
    );
    let head = show(&request.becomes).replace("query%55ser", "XXXXX%58XXX");
    request.becomes = head.into_bytes();
    let response = message(
        Side::Server,
        "HTTP/1.1 200 OK\r\n",
        "ResultCode=0000\r\nip_tel_num=0312345678\r\nip_tel_num1=0398765432\r\n\
         username=name&more=1\r\npassword=geheim\r\ndscp=32\r\narea_code=03\r\n\
         web_pwd=heimlich\r\nweb_page=offen\r\n",
        "ResultCode=0000\r\nip_tel_num=XXXXXXXXXX\r\nip_tel_num1=XXXXXXXXXX\r\n\
         username=XXXXXXXXXXX\r\npassword=XXXXXX\r\ndscp=32\r\narea_code=03\r\n\
         web_pwd=XXXXXXXX\r\nweb_page=offen\r\n",
    );
    [request, response]
}

/// A capture in the making, and what the payload of each frame must become.
#[derive(Default)]
struct Expected {
    capture: Capture,
    payloads: Vec<(usize, Vec<u8>)>,
}

impl Expected {
    /// Sends these pieces of a message, in order of the pieces; each goes out
    /// in the order of `sent`.
    fn send(
        &mut self,
        connection: &mut Connection,
        sample: &Sample,
        borders: &[usize],
        sent: &[usize],
    ) {
        let ends = borders.iter().copied().chain([sample.is.len()]);
        let starts = [0].into_iter().chain(borders.iter().copied());
        let pieces: Vec<_> = starts.zip(ends).collect();
        let frames: Vec<_> = pieces
            .iter()
            .map(|&(a, b)| connection.segment(sample.from, &sample.is[a..b]))
            .collect();
        for &i in sent {
            let (a, b) = pieces[i];
            let number = self.capture.push(&frames[i]) as usize;
            self.payloads.push((number, sample.becomes[a..b].to_vec()));
        }
    }

    #[track_caller]
    fn check(&self) {
        let (bytes, _) = scrubbed(&self.capture);
        let packets = packets(&bytes);
        for (number, payload) in &self.payloads {
            let found = &packets[number - 1][54..];
            assert_eq!(show(found), show(payload), "frame {number}");
        }
    }
}

/// Each case is a capture of its own: else what one of them missed would be
/// found by what another knows.
fn scrubbed(capture: &Capture) -> (Vec<u8>, mcas_scrub::Report) {
    let file = fs::read(capture.write().path()).expect("it was written");
    mcas_scrub::scrub(&file).expect("there is a result")
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn cut_at_every_byte() {
    let [request, response] = samples();
    // The latter wraps in the middle.
    for sequence in [0, u32::MAX - 150] {
        for at in 1..request.is.len().max(response.is.len()) {
            let mut expected = Expected::default();
            expected.capture.initial_sequence = sequence;
            let mut connection = expected.capture.connect(80);
            for sample in [&request, &response] {
                let at = at.min(sample.is.len() - 1);
                expected.send(&mut connection, sample, &[at], &[0, 1]);
            }
            expected.check();
        }
    }
}

#[test]
fn out_of_order_and_again() {
    let [request, response] = samples();
    for step in [1, 7, 60] {
        for order in 0..3 {
            let mut expected = Expected::default();
            let mut connection = expected.capture.connect(80);
            for sample in [&request, &response] {
                let borders: Vec<_> =
                    (step..sample.is.len()).step_by(step).collect();
                let all = 0..=borders.len();
                let mut sent: Vec<usize> = match order {
                    0 => all.rev().collect(),
                    1 => all.clone().chain(all).collect(),
                    _ => all.flat_map(|i| [i ^ 1, i, i]).collect(),
                };
                sent.retain(|&i| i <= borders.len());
                expected.send(&mut connection, sample, &borders, &sent);
            }
            expected.check();
        }
    }
}

/// Segments that overlap at every place, and one that says something else.
#[test]
fn overlaps() {
    let [_, response] = samples();
    for at in 10..response.is.len() - 10 {
        let mut expected = Expected::default();
        let mut connection = expected.capture.connect(80);
        let first = connection.segment(Side::Server, &response.is[..at]);
        // From ten bytes before the end of the first.
        let mut second =
            connection.segment(Side::Server, &response.is[at - 10..]);
        let sequence = &mut second[38..42];
        let number = u32::from_be_bytes(sequence.try_into().expect("four"));
        sequence.copy_from_slice(&number.wrapping_sub(10).to_be_bytes());
        for (frame, range) in
            [(second, at - 10..response.is.len()), (first, 0..at)]
        {
            let number = expected.capture.push(&frame) as usize;
            let becomes = response.becomes[range].to_vec();
            expected.payloads.push((number, becomes));
        }
        expected.check();
    }

    // The same place twice, with another number and another line.
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let mut other = connection.segment(Side::Server, &response.is);
    capture.push(&other);
    let text = show(&response.is).replace("0312345678", "0455556666");
    let text = text.replace("area_code=03\r\n", "password=abcd");
    other.splice(54.., text.bytes());
    capture.push(&other);
    let scrubbed = Scrubbed::of(capture.write().path());
    assert!(scrubbed.said.contains("1 TCP segments that contradict"));
    for secret in ["0312345678", "0455556666", "geheim", "abcd"] {
        assert!(!holds(&scrubbed.bytes(), secret.as_bytes()), "{secret}");
    }
}

/// Any one of the pieces is lost: what is left of a value is masked.
#[test]
fn holes() {
    for sample in samples() {
        for size in [1, 9, 40] {
            for lost in 0..sample.is.len().div_ceil(size) {
                let mut capture = Capture::default();
                let mut connection = capture.connect(80);
                for (i, piece) in sample.is.chunks(size).enumerate() {
                    let segment = connection.segment(sample.from, piece);
                    if i != lost {
                        capture.push(&segment);
                    }
                }
                for frame in connection.close() {
                    capture.push(&frame);
                }
                let (bytes, _) = scrubbed(&capture);
                let left: Vec<u8> = packets(&bytes)
                    .into_iter()
                    .flat_map(|packet| packet[54..].to_vec())
                    .collect();
                assert_no_part(&left, &format!("{size}, {lost} lost"));
            }
        }
    }
}

/// A page that answers another request is nobody's settings, as long as that
/// is certain: where any segment is lost, it may be.
#[test]
fn pages_beside_settings() {
    let [request, response] = samples();
    let web = b"GET /form HTTP/1.1\r\nHost: www.example.jp\r\n\r\n";
    let hints = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    let page = message(
        Side::Server,
        "HTTP/1.1 200 OK\r\n",
        "<pre>\r\npassword=openly\r\n</pre>\r\n",
        "<pre>\r\npassword=XXXXXX\r\n</pre>\r\n",
    );
    let (asks, tells) = (Side::Client, Side::Server);
    let sent = [
        (asks, &request.is[..]),
        (asks, web),
        (asks, web),
        (tells, &response.is),
        (tells, hints),
        (tells, &page.is),
        (tells, &page.is),
    ];
    for lost in 0..=sent.len() {
        let mut capture = Capture::default();
        let mut connection = capture.connect(80);
        let mut pages = vec![];
        for (i, (side, bytes)) in sent.into_iter().enumerate() {
            let segment = connection.segment(side, bytes);
            if i != lost {
                let number = capture.push(&segment) as usize;
                if bytes == page.is {
                    pages.push(number);
                }
            }
        }
        let (bytes, _) = scrubbed(&capture);
        let packets = packets(&bytes);
        for number in pages {
            // Nothing shows that the last one is missing.
            let whole = lost + 1 >= sent.len();
            let expected = if whole { &page.is } else { &page.becomes };
            let found = &packets[number - 1][54..];
            assert_eq!(show(found), show(expected), "without {lost}");
        }
        assert_no_part(&bytes, &format!("without {lost}"));
    }
}

/// Four of a number's digits in a row, or of a password's letters.
fn assert_no_part(bytes: &[u8], about: &str) {
    for part in [
        "1234", "2345", "3456", "4567", "5678", "9876", "8765", "7654",
        "gehe", "ehei", "heim", "%40ss", "a1B2", "yUser",
    ] {
        let shown = show(bytes);
        assert!(!shown.contains(part), "{about}: {part} in {shown}");
    }
}

/// Frames cut by the capture, at every length.
#[test]
fn snapped() {
    for sample in samples() {
        for kept in 0..sample.is.len() {
            let mut capture = Capture::default();
            let mut connection = capture.connect(80);
            let segment = connection.segment(sample.from, &sample.is);
            capture.push_cut(&segment, 54 + kept);
            let (bytes, report) = scrubbed(&capture);
            assert_eq!(report.snapped, 1);
            assert_no_part(&bytes, &format!("{kept} kept"));
            for part in ["031", "039", "geh", "p%4", "001F67a"] {
                assert!(!holds(&bytes, part.as_bytes()), "{kept}: {part}");
            }
        }
    }
}

#[test]
fn chunks_and_what_is_behind() {
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let body =
        "ResultCode=0000\r\nip_tel_num=0312345678\r\npassword=geheim\r\n";
    let becomes =
        "ResultCode=0000\r\nip_tel_num=XXXXXXXXXX\r\npassword=XXXXXX\r\n";
    let [request, _] = samples();
    for size in 1..body.len() {
        let coded = |body: &str| {
            let chunks: Vec<u8> = body
                .as_bytes()
                .chunks(size)
                .flat_map(|c| {
                    [format!("{:x}\r\n", c.len()).as_bytes(), c, b"\r\n"]
                        .concat()
                })
                .collect();
            // What is behind the last chunk has no message to belong to.
            let behind = "0\r\n\r\n";
            [chunks, behind.into(), body.into()].concat()
        };
        let whole = |body: &str| [chunks.as_bytes(), &coded(body)].concat();
        let response = Sample {
            from: Side::Server,
            is: whole(body),
            becomes: whole(becomes),
        };
        let mut expected = Expected::default();
        let mut connection = expected.capture.connect(80);
        expected.send(&mut connection, &request, &[], &[0]);
        expected.send(&mut connection, &response, &[90], &[0, 1]);
        expected.check();
    }
}

/// A capture of samples, a segment each.
fn plain(samples: &[&Sample]) -> Vec<u8> {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    for sample in samples {
        capture.push(&connection.segment(sample.from, &sample.is));
    }
    fs::read(capture.write().path()).expect("it was written")
}

/// The same TCP segment below other layers.
#[test]
fn layers() {
    let [request, response] = samples();
    let file = plain(&[&request, &response]);
    type Wrap = fn(&[u8]) -> Vec<u8>;
    let cases: &[(&str, u32, Wrap)] = &[
        ("raw IP", 101, |ip| ip.to_vec()),
        ("null", 0, |ip| [&[2, 0, 0, 0], ip].concat()),
        ("PPP", 9, |ip| [&[0xFF, 3, 0, 0x21], ip].concat()),
        ("cooked", 113, |ip| {
            let head = [0, 0, 0, 1, 0, 6, 0, 0x1F, 0x67, 1, 2, 3, 0, 0, 8, 0];
            [&head, ip].concat()
        }),
        ("cooked 2", 276, |ip| {
            let head = [8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 0, 0x1F, 0x67];
            [&head[..], &[1, 2, 3, 0, 0], ip].concat()
        }),
        ("VLAN", 1, |ip| [&ETHER[..], &[0x88, 0xA8, 0, 1], VLAN, ip].concat()),
        ("PPPoE", 1, |ip| pppoe(&[&[0, 0x21], ip].concat())),
        ("IPv6", 1, |ip| {
            [&ETHER[..], &[0x86, 0xDD], &ipv6(&ip[20..], 6)].concat()
        }),
        ("IPv4 in IPv6", 1, |ip| {
            [&ETHER[..], &[0x86, 0xDD], &ipv6(ip, 4)].concat()
        }),
    ];
    for (name, link, wrap) in cases {
        let frames: Vec<Vec<u8>> =
            packets(&file).iter().map(|frame| wrap(&frame[14..])).collect();
        let scrubbed = Scrubbed::of(pcap(*link, &frames).path());
        assert_eq!(scrubbed.status, 0, "{name}: {}", scrubbed.said);
        let bytes = scrubbed.bytes();
        let found = packets(&bytes);
        for (i, sample) in [(3, &request), (4, &response)] {
            let payload = &found[i][found[i].len() - sample.is.len()..];
            assert_eq!(show(payload), show(&sample.becomes), "{name}");
        }
        let mac = [0x00, 0x1F, 0x67, 1, 2, 3];
        assert!(!holds(&bytes, &mac), "{name}");
    }
}

const ETHER: [u8; 12] = [0, 0x1F, 0x67, 1, 2, 3, 0, 0x1F, 0x67, 9, 8, 7];
const VLAN: &[u8] = &[0x81, 0, 0, 2, 8, 0];

fn pppoe(ppp: &[u8]) -> Vec<u8> {
    let length = (ppp.len() as u16).to_be_bytes();
    let head = [0x88, 0x64, 0x11, 0, 0, 1, length[0], length[1]];
    [&ETHER, &head[..], ppp].concat()
}

fn ipv6(payload: &[u8], protocol: u8) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, length[0], length[1], protocol, 64];
    // Always the same two ends: sides differ by their ports.
    for last in [1, 1] {
        packet.extend([0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0]);
        packet.extend([0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    packet
}

/// A file of that link type.
fn pcap(link: u32, frames: &[Vec<u8>]) -> tempfile::NamedTempFile {
    let mut capture = Capture::default();
    for frame in frames {
        capture.push(frame);
    }
    let file = capture.write();
    let mut bytes = fs::read(file.path()).expect("it was written");
    bytes[20..24].copy_from_slice(&link.to_le_bytes());
    fs::write(file.path(), bytes).expect("it is written");
    file
}

/// A UDP datagram in IPv6, its checksum right.
fn datagram(source: &[u8; 16], payload: &[u8]) -> Vec<u8> {
    let builder = etherparse::PacketBuilder::ipv6(*source, [0x20; 16], 64);
    let mut packet = Vec::new();
    builder.udp(5060, 5060).write(&mut packet, payload).expect("it fits");
    packet
}

/// Values found by structure stand elsewhere too, in any form.
#[test]
fn elsewhere() {
    let [request, response] = samples();
    let file = plain(&[&request, &response]);
    let mut frames: Vec<Vec<u8>> =
        packets(&file).into_iter().map(<[u8]>::to_vec).collect();
    let text =
        "sip:0312345678@a sip:+81398765432@b geheimnis geheim 0312345678a \
        00:1f:67:A1:b2:c3 001f.67a1.b2c3 home-a1b2c3 %67ehei%6D";
    let becomes =
        "sip:XXXXXXXXXX@a sip:+XXXXXXXXXXX@b geheimnis XXXXXX XXXXXXXXXXa \
        00:1f:67:XX:XX:XX 001f.67XX.XXXX home-XXXXXX %58XXXX%58";
    // Made of the address, as IPv6 does.
    let host = [0xFE, 0x80, 0, 0, 0, 0, 0, 0, 2, 0x1F, 0x67, 0xFF, 0xFE];
    let host: [u8; 16] =
        [&host[..], &[0xA1, 0xB2, 0xC3]].concat().try_into().expect("16");
    let binary = b"chaddr \x00\x1f\x67\xa1\xb2\xc3 end";
    for payload in [text.as_bytes(), binary] {
        let ip = datagram(&host, payload);
        let group = [0x33, 0x33, 0xFF, 0xA1, 0xB2, 0xC3];
        frames.push([&group, &ETHER[6..], &[0x86, 0xDD], &ip].concat());
    }
    let scrubbed = Scrubbed::of(pcap(1, &frames).path());
    let bytes = scrubbed.bytes();
    let found = packets(&bytes);
    assert_eq!(show(&found[5][62..]), becomes);
    assert_eq!(&found[6][62..], b"chaddr \x00\x1f\x67XX\x01 end");
    assert_eq!(found[5][..6], [0x33, 0x33, 0xFF, b'X', b'X', 1]);
    assert_eq!(found[5][30..38], *b"\x02\x1f\x67\xff\xfeXX\x01");
    // The checksum covers address and payload; both changed.
    let ip = etherparse::Ipv6Slice::from_slice(&found[5][14..]).expect("IPv6");
    let udp = etherparse::UdpSlice::from_slice(ip.payload().payload);
    let udp = udp.expect("UDP");
    let right = udp
        .to_header()
        .calc_checksum_ipv6(&ip.header().to_header(), udp.payload());
    assert_eq!(right, Ok(udp.checksum()));
}

/// Right stays right, none stays none, wrong becomes none.
#[test]
fn checksums() {
    let [request, _] = samples();
    let builder =
        etherparse::PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 9);
    let mut right = Vec::new();
    let builder = builder.tcp(40000, 80, 5, 100).psh();
    builder.write(&mut right, &request.is).expect("it fits");
    let sum = |frame: &[u8]| [frame[36], frame[37]];
    for (name, given) in
        [("right", sum(&right)), ("none", [0, 0]), ("wrong", [1, 2])]
    {
        let mut frame = right.clone();
        frame[36..38].copy_from_slice(&given);
        let scrubbed = Scrubbed::of(pcap(101, &[frame]).path());
        let bytes = scrubbed.bytes();
        let found = packets(&bytes)[0];
        let tcp = etherparse::TcpSlice::from_slice(&found[20..]).expect("TCP");
        let mended = tcp.calc_checksum_ipv4([10, 0, 0, 1], [10, 0, 0, 2]);
        if name == "right" {
            assert_eq!(mended, Ok(tcp.checksum()));
            assert_ne!(sum(found), given);
        } else {
            assert_eq!(sum(found), [0, 0], "{name}");
        }
    }
}

/// A frame check sequence would tell what was masked.
#[test]
fn trailers_are_empty() {
    let [request, _] = samples();
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let mut frame = connection.segment(request.from, &request.is);
    frame.extend([0xDE, 0xAD, 0xBE, 0xEF]);
    capture.push(&frame);
    let scrubbed = Scrubbed::of(capture.write().path());
    let bytes = scrubbed.bytes();
    assert!(bytes.ends_with(&[0; 4]));
    assert!(!holds(&bytes, &[0xDE, 0xAD, 0xBE, 0xEF]));
}

/// Names, passwords and what is made of them.
#[test]
fn ppp_credentials() {
    let pap = b"\xC0\x23\x01\x01\x00\x13\x08user@isp\x05guest";
    let challenge = b"\xC2\x23\x01\x01\x00\x0D\x04abcdname";
    let response = b"\xC2\x23\x02\x01\x00\x11\x04efghuser@isp";
    let frames = [&pap[..], challenge, response].map(pppoe);
    let scrubbed = Scrubbed::of(pcap(1, &frames).path());
    let bytes = scrubbed.bytes();
    let becomes = [
        &b"\xC0\x23\x01\x01\x00\x13\x08XXXXXXXX\x05XXXXX"[..],
        b"\xC2\x23\x01\x01\x00\x0D\x04abcdXXXX",
        b"\xC2\x23\x02\x01\x00\x11\x04XXXXXXXXXXXX",
    ];
    for (found, becomes) in packets(&bytes).iter().zip(becomes) {
        assert_eq!(show(&found[20..]), show(becomes));
    }
}

#[test]
fn fragments_and_strange_links_are_said() {
    let [_, response] = samples();
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let mut frame = connection.segment(Side::Server, &response.is);
    // «More fragments».
    frame[20] = 0x20;
    capture.push(&frame);
    let scrubbed = Scrubbed::of(capture.write().path());
    assert_eq!(scrubbed.status, 3);
    assert!(scrubbed.said.contains("1 FRAGMENTS"), "{}", scrubbed.said);
    assert!(!holds(&scrubbed.bytes(), b"0312345678"));

    let scrubbed = Scrubbed::of(pcap(105, &[frame]).path());
    assert_eq!(scrubbed.status, 3);
    assert!(scrubbed.said.contains("1 PACKETS"), "{}", scrubbed.said);
}

/// What stands beside the packets of a pcapng file.
#[test]
fn pcapng_is_bare() {
    let folder = TempDir::new().expect("there is a folder");
    let [noted, keys] = ["noted", "keys"].map(|name| folder.path().join(name));
    fs::write(&keys, "CLIENT_RANDOM secret secret\n").expect("it is written");
    let keys = keys.to_str().expect("plain");
    let status = Command::new("editcap")
        .args(["--capture-comment", "number 0722123456"])
        .args(["-a", "5:from 0722123456"])
        .args(["--inject-secrets", &format!("tls,{keys}")])
        .arg(capture("boot.pcapng"))
        .arg(&noted)
        .status();
    assert!(status.expect("editcap runs").success());
    let before = fs::read(&noted).expect("it was written");
    let scrubbed = Scrubbed::of(&noted);
    assert!(scrubbed.said.contains("blocks and options"));
    for secret in ["0722123456", "CLIENT_RANDOM", "editcap"] {
        assert!(holds(&before, secret.as_bytes()) || secret == "editcap");
        assert!(!holds(&scrubbed.bytes(), secret.as_bytes()), "{secret}");
    }
    // The packets are those of the file without all that.
    let bare = Scrubbed::of(&capture("boot.pcapng"));
    assert_eq!(bare.bytes(), scrubbed.bytes());
}

#[test]
fn command_line() {
    let folder = TempDir::new().expect("there is a folder");
    let path = |name: &str| folder.path().join(name);
    let original = capture("mcas-provisioning.pcap");
    fs::copy(&original, path("in")).expect("it is copied");
    fs::write(path("text"), "no capture").expect("it is written");
    fs::write(path("kept"), "old").expect("it is written");
    let status = |from: &str, to: &str| {
        let output = run(&path(from), &path(to));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    for (from, to, why) in [
        ("in", "in", "same file"),
        ("in", "./in", "same file"),
        ("missing", "out", "No such file"),
        ("text", "kept", "neither pcap nor pcapng"),
        ("in", "missing/out", "No such file"),
    ] {
        let (code, said) = status(from, to);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(fs::read(path("in")).ok(), fs::read(original).ok());
    assert_eq!(fs::read(path("kept")).ok(), Some(b"old".to_vec()));
    assert_eq!(fs::read_dir(folder.path()).expect("it is").count(), 3);
    let (code, said) = status("in", "kept");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("not covered: SIP, RTP"), "{said}");

    let program = || Command::new(env!("CARGO_BIN_EXE_mcas-scrub"));
    let help = program().arg("--help").output().expect("it runs");
    assert!(help.status.success() && holds(&help.stdout, b"Exit status"));
    let wrong = program().arg("one").output().expect("it runs");
    assert_eq!(wrong.status.code(), Some(2));
}

/// Captures with bytes changed, cut, doubled: any result will do, but one.
/// `MCAS_SCRUB_RUNS` asks for more than the few of every day.
#[test]
fn hostile_bytes() {
    let runs = std::env::var("MCAS_SCRUB_RUNS");
    let runs = runs.map_or(1500, |n| n.parse().expect("a number"));
    let files: Vec<Vec<u8>> = captures()
        .iter()
        .map(|path| fs::read(path).expect("it can be read"))
        .filter(|file| file.len() < 10_000)
        .chain([
            fs::read(capture("boot.pcapng")).expect("it is")[..9000].into()
        ])
        .collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below.max(1)
    };
    let (mut good, mut bad) = (0, 0);
    for _ in 0..runs {
        let mut file = files[random(files.len())].clone();
        for _ in 0..=random(12) {
            let at = random(file.len());
            match random(5) {
                0 => file[at] = random(256) as u8,
                1 => file[at] ^= 1 << random(8),
                2 => file.truncate(at.max(24)),
                3 => {
                    let end = (at + random(600)).min(file.len());
                    let part = file[at..end].to_vec();
                    let to = random(file.len());
                    file.splice(to..to, part);
                }
                _ => {
                    let end = (at + random(40)).min(file.len());
                    let value = [0, 0xFF, b'\n', b'%'][random(4)];
                    file[at..end].fill(value);
                }
            }
        }
        match mcas_scrub::scrub(&file) {
            Ok((result, _)) => {
                assert!(result.len() <= file.len());
                good += 1;
            }
            Err(_) => bad += 1,
        }
    }
    assert!(good > runs / 4 && bad > 0, "{good} {bad}");
}

/// Time per byte stays the same where messages claim each other's bytes.
#[test]
fn nested_claims_take_no_longer() {
    let claims = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\
        Transfer-Encoding: chunked\r\n\r\n9\r\nX\r\n";
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    // No request, and a hole: nothing is known of what answers what.
    connection.segment(Side::Server, b"lost");
    for _ in 0..400 {
        let segment =
            connection.segment(Side::Server, claims.repeat(10).as_bytes());
        capture.push(&segment);
    }
    let start = std::time::Instant::now();
    Scrubbed::of(capture.write().path());
    assert!(start.elapsed().as_secs() < 20);
}
