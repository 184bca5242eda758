//! `-z mcas,boot` against `expect_boot.py`, which works out the same text
//! from a capture's bytes, and against what it was (`golden/`).
//!
//! Where the text is meant to change: for each capture,
//! `tests/expect_boot.py CAPTURE > tests/golden/NAME.txt`.

use crate::support::{capture, captures, tshark, Capture, ROOT};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

const GATEWAY: &str = "00:1f:67:a1:b2:c3";

/// What is told, of the frames that a filter lets through.
fn told(path: &Path, filter: &str, options: &[&str]) -> String {
    let file = path.to_str().expect("paths of tests are plain");
    let statistic = format!("mcas,boot{filter}");
    tshark(&[&["-q", "-r", file, "-z", &statistic], options].concat())
}

fn expect(path: &Path) -> String {
    let output = Command::new("python3")
        .arg(format!("{ROOT}/tests/expect_boot.py"))
        .arg(path)
        .output()
        .expect("python3 is installed");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path:?}: {complaint}");
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).expect("it has a name")
}

/// Some captures with messages in an order of their own are among them.
fn with_a_story() -> Vec<PathAndGolden> {
    let others =
        ["masked", "mcas-devices", "mcas-early-answer", "mcas-masked"];
    let others = [&others[..], &["mcas-lan-push", "web-many"]].concat();
    (captures().into_iter())
        .filter_map(|path| {
            let golden =
                stem(&path).starts_with("boot").then(|| golden(stem(&path)));
            let told = golden.is_some() || others.contains(&stem(&path));
            told.then_some((path, golden))
        })
        .collect()
}

type PathAndGolden = (std::path::PathBuf, Option<String>);

#[test]
fn every_capture_as_expected() {
    let all = with_a_story();
    assert!(all.len() > 15, "{all:?}");
    thread::scope(|scope| {
        for (path, golden) in &all {
            scope.spawn(move || {
                let expected = expect(path);
                if let Some(golden) = golden {
                    assert_eq!(&expected, golden, "expect_boot.py {path:?}");
                }
                // Two passes for some: what there is to tell comes last.
                let passes = if golden.is_none() { &["-2"][..] } else { &[] };
                assert_eq!(told(path, "", passes), expected, "{path:?}");
            });
        }
    });
}

/// The text of one of the captures, which `every_capture_as_expected` has
/// seen to be what is told.
fn golden(name: &str) -> String {
    let file = format!("{ROOT}/tests/golden/{name}.txt");
    fs::read_to_string(&file).expect(&file)
}

/// Each in its own words, which people look for.
#[test]
fn what_is_missing_is_said() {
    for (name, words) in [
        (
            "boot-taken",
            "PADI or PADR unanswered: the line's sessions are taken, by \
             02:00:5e:00:00:02 (user not in the capture, session 0x0011), \
             02:00:5e:00:00:02 (user1@isp.example, session 0x0012)",
        ),
        ("boot-refused", "refused (too many sessions) in frame"),
        ("boot-alone", "unanswered: no other session is in the capture"),
        ("boot-pap-refused", "PAP refused (Authentication failed): guest@"),
        ("boot-chap-refused", "CHAP refused (E=691 .[31mR=0): guest@tk"),
        ("boot-dns-unanswered", "DNS unanswered: add-con.mcas"),
        ("boot-dns-refused", "DNS NXDOMAIN: add-con.mcas"),
        ("boot-no-response", "no provisioning response after 30 s"),
        (
            "boot-dhcp",
            "this line uses DHCP (option 125, enterprise 210): there is no \
             M-CAS here",
        ),
    ] {
        let told = golden(name);
        assert!(told.contains(words), "{name}: {told}");
        assert!(!told.contains("Nothing is missing"), "{name}: {told}");
    }
    let boot = golden("boot");
    assert!(boot.contains("Nothing is missing"), "{boot}");
}

/// Also by a result that is no number, which has no field.
#[test]
fn a_result_that_is_no_success_is_a_refusal() {
    for (result, refused) in
        [("0000", None), ("0010", Some("0010")), ("abc", Some("abc"))]
    {
        let mut capture = Capture::default();
        capture.provision(&format!("ResultCode={result}\r\n"));
        let told = told(capture.write().path(), "", &[]);
        let missing = match refused {
            Some(result) => format!(
                "  ! refused: Provisioning response, result {result}\n"
            ),
            None => "  Nothing is missing.\n".to_owned(),
        };
        assert!(told.contains(&missing), "{result}: {told}");
    }
}

/// The made captures' password; the users are told.
#[test]
fn no_password_is_told() {
    for (path, golden) in with_a_story() {
        let told = golden.unwrap_or_default();
        assert!(!told.contains("s3cret"), "{path:?}: {told}");
    }
    let file = fs::read(capture("boot-taken.pcap")).expect("it is there");
    assert!(file.windows(6).any(|bytes| bytes == b"s3cret"));
}

#[test]
fn a_filter_selects_the_devices() {
    let lines = capture("boot-lines.pcap");
    let all = told(&lines, "", &[]);
    assert_eq!(all.matches("\nDevice ").count(), 3, "{all}");
    let one = told(&lines, &format!(",eth.addr=={GATEWAY}"), &[]);
    assert_eq!(one.matches("\nDevice ").count(), 1, "{one}");
    assert!(one.contains("Nothing is missing"), "{one}");
    let either = ",vlan.id == 9 || arp";
    let arp = told(&lines, either, &[]);
    assert!(arp.contains("ARP flood") && !arp.contains("PADI"), "{arp}");
    let none = told(&capture("web-many.pcap"), "", &[]);
    assert!(none.contains("No device comes up"), "{none}");
}

#[test]
fn a_wrong_filter_is_refused() {
    let output = Command::new(format!("{ROOT}/scripts/tshark"))
        .args(["-q", "-z", "mcas,boot,no.such.field", "-r"])
        .arg(capture("boot.pcapng"))
        .output()
        .expect("scripts/tshark runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{complaint}");
    assert!(complaint.contains("no.such.field"), "{complaint}");
}

/// A capture's frames behind another link's header.
fn relinked(
    name: &str,
    link: u32,
    header: impl Fn(&[u8]) -> Option<Vec<u8>>,
) -> tempfile::NamedTempFile {
    let original = fs::read(capture(name)).expect("it is there");
    let mut made = original[..20].to_vec();
    made.extend(link.to_le_bytes());
    let mut rest = &original[24..];
    while let Some((record, behind)) = rest.split_at_checked(16) {
        let length = u32::from_le_bytes(record[8..12].try_into().unwrap());
        let (frame, behind) = behind.split_at(length as usize);
        rest = behind;
        let Some(frame) = header(frame) else { continue };
        made.extend(&record[..8]);
        made.extend([(frame.len() as u32).to_le_bytes(); 2].concat());
        made.extend(frame);
    }
    let file = tempfile::NamedTempFile::new().expect("there is a folder");
    fs::write(file.path(), made).expect("it is written");
    file
}

/// Linux's "any" interface, bare IP, and PPP as a router itself sees it.
#[test]
fn other_links() {
    let cooked = relinked("boot-behind-router.pcap", 113, |frame| {
        let source = [&[0, 0, 0, 1, 0, 6], &frame[6..12], &[0, 0]].concat();
        Some([&source, &frame[12..]].concat())
    });
    let told_cooked = told(cooked.path(), "", &[]);
    assert_eq!(told_cooked, golden("boot-behind-router"));

    let bare = relinked("boot-behind-router.pcap", 101, |frame| {
        Some(frame[14..].to_vec())
    });
    let by_address = golden("boot-behind-router")
        .replace("Device 02:00:5e:00:00:02, ", "Device ")
        .replace("Device 02:00:5e:00:00:02", "Device 10.212.33.7");
    assert_eq!(told(bare.path(), "", &[]), by_address);

    let ppp = relinked("boot-no-response.pcap", 9, |frame| {
        let session = frame[12..14] == [0x88, 0x64];
        session.then(|| [&[0xFF, 3], &frame[20..]].concat())
    });
    let told_ppp = told(ppp.path(), "", &[]);
    for words in [
        "Device PPP link",
        "PAP guest@tk000155: accepted",
        "no provisioning response after 30 s",
    ] {
        assert!(told_ppp.contains(words), "{told_ppp}");
    }
    assert_eq!(told_ppp.matches("\nDevice ").count(), 1, "{told_ppp}");
}

/// A flood as long as 100,000 requests, and a thousand devices that get no
/// session, each of which is told of the sessions that take its place.
#[test]
fn many_packets_and_devices() {
    let mut made = Capture::default();
    for number in 0..100_000_u32 {
        let mut arp =
            b"\xFF\xFF\xFF\xFF\xFF\xFF\0\x1F\x67\xA1\xB2\xC3\x08\x06\
            \0\x01\x08\0\x06\x04\0\x01\0\x1F\x67\xA1\xB2\xC3\x0A\0\0\x01\
            \0\0\0\0\0\0"
                .to_vec();
        arp.extend((0x0A00_0000 + number).to_be_bytes());
        made.push(&arp);
    }
    for number in 0..1000_u16 {
        let [high, low] = number.to_be_bytes();
        // An LCP Echo-Request in a session that was there before.
        let session = [2, 0, 0, 0, high, low, 2, 1, 0, 0, high, low, 0x88];
        let echo = [9, 0, 0, 8, 0, 0, 0, 0];
        let mut frame = session.to_vec();
        frame.extend([0x64, 0x11, 0, high, low, 0, 10, 0xC0, 0x21]);
        frame.extend(echo);
        made.push(&frame);
    }
    for _ in 0..3 {
        for number in 0..1000 {
            made.push(&padi(number));
        }
    }
    let told = told(made.write().path(), "", &[]);
    assert_eq!(told.matches("\nDevice ").count(), 1001, "{told}");
    assert!(told.contains("ARP flood: 100000 requests, 10.0.0.0 to "));
    assert_eq!(told.matches("PADI, 3 times in 2.000000 s").count(), 1000);
    assert_eq!(told.matches(" and 992 more").count(), 1000, "{told}");
}

/// A PPPoE PADI of a device that has this number.
fn padi(number: u16) -> Vec<u8> {
    let [high, low] = number.to_be_bytes();
    let mut frame = vec![0xFF; 6];
    frame.extend([0, 0x1F, 0x67, 0, high, low, 0x88, 0x63]);
    frame.extend([0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0]);
    frame
}

/// More of both than each device can be told of: that takes no longer then.
#[test]
fn many_devices_and_many_sessions() {
    let mut made = Capture::default();
    for number in 0..11_000 {
        made.push(&padi(number));
    }
    for number in 1..=11_000_u16 {
        let [high, low] = number.to_be_bytes();
        // An LCP Echo-Request; all sessions are between the same two ends.
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0x64];
        frame.extend([0x11, 0, high, low, 0, 10, 0xC0, 0x21]);
        frame.extend([9, 0, 0, 8, 0, 0, 0, 0]);
        made.push(&frame);
    }
    let told = told(made.write().path(), "", &[]);
    // 100,000,000 by 11,001 devices
    let words = " and 9082 more (of the first 9090 of 11000 sessions)\n";
    assert_eq!(told.matches(words).count(), 11_000);
}

const DEVICE: [u8; 6] = [0, 0x1F, 0x67, 0xA1, 0xB2, 0xC3];

/// DHCP's option 125 of enterprise 210.
const VENDOR: [u8; 7] = [125, 5, 0, 0, 0, 210, 0];

/// Two offers, of which the first counts; two refusals before a session.
#[test]
fn of_several_answers_the_best_counts() {
    let mut made = Capture::default();
    let mut discovery = |concentrator: u8, code, session: u8, tags: &[u8]| {
        let other = [2, 0, 0, 0, 0, concentrator];
        let asks = matches!(code, 9 | 0x19);
        let ends = if asks { [other, DEVICE] } else { [DEVICE, other] };
        let mut frame = ends.concat();
        frame.extend([0x88, 0x63, 0x11, code, 0, session]);
        frame.extend([0, tags.len() as u8]);
        frame.extend(tags);
        made.push(&frame)
    };
    let service = [1, 1, 0, 0];
    discovery(1, 0x09, 0, &service);
    let first =
        discovery(1, 0x07, 0, &[&service[..], b"\x01\x02\0\x01A"].concat());
    discovery(2, 0x07, 0, &[&service[..], b"\x01\x02\0\x01B"].concat());
    discovery(1, 0x19, 0, &service);
    discovery(1, 0x65, 0, b"\x02\x02\0\x04full");
    let opened = discovery(1, 0x65, 7, &service);
    discovery(2, 0x65, 0, b"\x02\x02\0\x04full");
    // So that the device is one to tell of.
    made.push(&dhcp(2, &VENDOR));
    let told = told(made.write().path(), "", &[]);
    for line in [
        format!("PPPoE PADI: PADO from A in frame {first}\n"),
        format!("PPPoE PADR: session 0x0007 in frame {opened}\n"),
    ] {
        assert!(told.contains(&line), "{line}{told}");
    }
}

/// A DHCP message with these options behind its type.
fn dhcp(kind: u8, options: &[u8]) -> Vec<u8> {
    let asks = kind % 2 == 1 && kind != 5;
    let ports: [u8; 4] = if asks { [0, 68, 0, 67] } else { [0, 67, 0, 68] };
    let mut bootp = vec![if asks { 1 } else { 2 }, 1, 6, 0];
    bootp.resize(28, 0);
    bootp.extend(DEVICE);
    bootp.resize(236, 0);
    bootp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, kind]);
    bootp.extend(options);
    bootp.push(255);
    let ends = if asks { [[0xFF; 6], DEVICE] } else { [DEVICE, [2; 6]] };
    let mut frame = ends.concat();
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((28 + bootp.len() as u16).to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
    frame.extend(ports);
    frame.extend((8 + bootp.len() as u16).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(bootp);
    frame
}

/// The line is known by the server's option 125.
#[test]
fn dhcp_that_refuses_is_told() {
    let mut made = Capture::default();
    let vendor = [125, 5, 0, 0, 0, 210, 0];
    for (kind, options) in [(1, &[][..]), (2, &vendor), (3, &[]), (6, &vendor)]
    {
        made.push(&dhcp(kind, options));
    }
    let told = told(made.write().path(), "", &[]);
    for line in [
        "DHCP Request: refused in frame 4\n",
        "  ! DHCP refused: Request\n",
        "  ! this line uses DHCP (option 125, enterprise 210): there is",
    ] {
        assert!(told.contains(line), "{line}{told}");
    }
}
