use crate::support::{capture, tshark, Capture};
use crate::ROOT;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::{tempdir, TempDir};

/// A user who has installed the profile.
struct User {
    settings: TempDir,
}

impl User {
    fn new() -> User {
        let user = User { settings: tempdir().expect("a folder") };
        user.script(&[]);
        user
    }

    fn script(&self, arguments: &[&str]) -> String {
        self.run("scripts/install-profile", arguments)
    }

    fn profile(&self) -> PathBuf {
        self.settings.path().join("profiles/M-CAS")
    }

    /// What tshark prints, with the profile and without a complaint.
    fn tshark(&self, capture: &Path, arguments: &[&str]) -> String {
        let capture = capture.to_str().expect("paths of tests are plain");
        let all =
            [&["tshark", "-C", "M-CAS", "-r", capture], arguments].concat();
        self.run("scripts/with-plugin", &all)
    }

    fn run(&self, script: &str, arguments: &[&str]) -> String {
        let output = Command::new(format!("{ROOT}/{script}"))
            .args(arguments)
            .env("WIRESHARK_CONFIG_DIR", self.settings.path())
            .output()
            .expect("it runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {complaint}");
        assert_eq!(complaint, "", "{script} {arguments:?}");
        String::from_utf8(output.stdout).expect("it prints UTF-8")
    }
}

/// The lines of one of the profile's files, less comments.
fn lines(name: &str) -> Vec<String> {
    let path = format!("{ROOT}/profile/M-CAS/{name}");
    let text = fs::read_to_string(path).expect("it is there");
    let kept = text.lines().filter(|line| !line.starts_with('#'));
    kept.map(str::to_owned).collect()
}

/// Names and filters of the colour rules: `@name@filter@[colours]`.
fn rules() -> Vec<(String, String)> {
    let rule = |line: String| {
        let parts: Vec<&str> = line.split('@').collect();
        let ["", name, filter, colours] = parts[..] else {
            panic!("no colour rule: {line}");
        };
        assert_eq!(colours.matches(',').count(), 4, "{line}");
        (name.to_owned(), filter.to_owned())
    };
    lines("colorfilters").into_iter().map(rule).collect()
}

/// Labels and filters of the buttons: `"TRUE","label","filter","comment"`.
fn buttons() -> Vec<(String, String)> {
    let button = |line: String| {
        let parts: Vec<&str> = line.trim_matches('"').split("\",\"").collect();
        let ["TRUE", label, filter, _] = parts[..] else {
            panic!("no filter button: {line}");
        };
        (label.to_owned(), filter.replace("\\x22", "\""))
    };
    lines("dfilter_buttons").into_iter().map(button).collect()
}

/// What no capture of ours has: a login refused either way, no session, a
/// name that is not known, a call.
fn refusals() -> Capture {
    let ethernet = |kind: [u8; 2], rest: &[u8]| {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &kind, rest].concat()
    };
    let pap = b"\x11\x00\x00\x01\x00\x07\xc0\x23\x03\x01\x00\x05\x00";
    let chap = b"\x11\x00\x00\x01\x00\x06\xc2\x23\x04\x01\x00\x04";
    let pads = b"\x11\x65\x00\x00\x00\x04\x02\x02\x00\x00";
    let udp = |ports: [u16; 2], data: &[u8]| {
        let length = data.len() as u16;
        let mut packet = vec![0x45, 0];
        packet.extend((length + 28).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        for number in [ports[0], ports[1], length + 8, 0] {
            packet.extend(number.to_be_bytes());
        }
        packet.extend(data);
        ethernet([8, 0], &packet)
    };
    let answer = b"\x00\x01\x81\x83\x00\x01\x00\x00\x00\x00\x00\x00\
        \x07add-con\x04mcas\x00\x00\x01\x00\x01";
    let call = b"OPTIONS sip:192.0.2.2 SIP/2.0\r\n\r\n";
    let mut capture = Capture::default();
    capture.push(&ethernet([0x88, 0x64], pap));
    capture.push(&ethernet([0x88, 0x64], chap));
    capture.push(&ethernet([0x88, 0x63], pads));
    capture.push(&udp([53, 4000], answer));
    capture.push(&udp([5060, 5060], call));
    capture
}

/// Captures by which every rule and every button has something to show.
fn telling() -> Vec<PathBuf> {
    let names = [
        "boot.pcapng",
        "mcas-failure.pcap",
        "mcas-lan-list.pcap",
        "mcas-missing.pcap",
        "mcas-firmware.pcap",
        "mcas-provisioning.pcap",
        "web-lost-segment.pcap",
    ];
    names.map(capture).to_vec()
}

/// Wireshark says so of a rule that does not compile. Each colours a packet.
#[test]
fn colour_rules() {
    let user = User::new();
    let refusals = refusals().write();
    let mut captures = telling();
    captures.push(refusals.path().to_owned());
    let shown = ["--color", "-T", "fields", "-e", "frame.coloring_rule.name"];
    let mut used = BTreeSet::new();
    for path in captures {
        let printed = user.tshark(&path, &shown);
        used.extend(printed.lines().map(str::to_owned));
    }
    for (name, filter) in rules() {
        assert!(used.contains(&name), "{name} colours nothing: {filter}");
    }
}

#[test]
fn buttons_show_something() {
    let refusals = refusals().write();
    let mut captures = telling();
    captures.push(refusals.path().to_owned());
    let names = buttons();
    assert_eq!(names[0].0, "M-CAS");
    for (label, filter) in names {
        let found = captures.iter().any(|path| {
            let path = path.to_str().expect("paths of tests are plain");
            !tshark(&["-r", path, "-Y", &filter]).is_empty()
        });
        assert!(found, "{label} shows nothing: {filter}");
    }
}

#[test]
fn columns_are_those_of_the_profile() {
    let user = User::new();
    let psml =
        user.tshark(&capture("boot.pcapng"), &["-T", "psml", "-Y", "mcas"]);
    let document = roxmltree::Document::parse(&psml).expect("it is XML");
    let rows: Vec<Vec<&str>> = document
        .root_element()
        .children()
        .filter(|node| node.is_element())
        .map(|row| {
            let cells = row.children().filter(|node| node.is_element());
            cells.map(|cell| cell.text().unwrap_or_default()).collect()
        })
        .collect();
    let ours: Vec<&[&str]> = rows.iter().map(|row| &row[5..9]).collect();
    assert_eq!(
        ours,
        [
            ["Terminal", "Number", "SIP server", "Firmware"],
            ["001F67A1B2C3", "", "", ""],
            ["", "0722123456", "121.0.34.41", ""],
            ["RTS300HI", "", "", "4.02.0179"],
            ["", "", "", ""],
        ]
    );
    // `recent` has their widths, by position.
    let formats = lines("preferences").len() - 1;
    assert_eq!(lines("recent").len() - 1, formats);
}

#[test]
fn installed_and_removed() {
    let user = User::new();
    let installed = |name: &str| {
        fs::read_to_string(user.profile().join(name)).expect("it is there")
    };
    let original = installed("preferences");

    // What a user changed is kept beside; twice the same is not.
    fs::write(user.profile().join("preferences"), "mine").expect("written");
    for _ in 0..2 {
        user.script(&[]);
        assert_eq!(installed("preferences"), original);
        assert_eq!(installed("preferences~"), "mine");
    }

    let other = user.profile().join("hosts");
    fs::write(&other, "192.0.2.1 mine\n").expect("it is written");
    user.script(&["remove"]);
    assert!(other.exists());
    assert!(!user.profile().join("colorfilters").exists());
    // What the user had changed is kept here, too.
    assert_eq!(installed("preferences~"), "mine");
    let changed = user.profile().join("preferences~");
    for file in [&other, &changed] {
        fs::remove_file(file).expect("it is there");
    }
    user.script(&[]);
    user.script(&["remove"]);
    assert!(!user.profile().exists());
    assert!(user.script(&["remove"]).starts_with("nothing to remove"));
}
