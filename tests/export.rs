//! What can be saved and listed of messages: objects and credentials,
//! against `expect.py`, which joins bodies from the capture's bytes itself.

use crate::support::{capture, tshark, Capture, Side, ROOT};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use tempfile::{tempdir, TempDir};

/// What `expect.py` says of each message.
fn expected(path: &Path) -> Vec<Value> {
    let output = Command::new("python3")
        .arg(format!("{ROOT}/tests/expect.py"))
        .arg(path)
        .output()
        .expect("python3 is installed");
    assert!(output.status.success(), "expect.py {path:?}");
    let lines = String::from_utf8(output.stdout).expect("it prints UTF-8");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths of tests are plain")
}

/// The folder into which tshark has saved the objects of a capture, and what
/// it printed.
fn export(path: &Path, options: &[&str]) -> (TempDir, String) {
    let folder = tempdir().expect("a folder");
    // Of root's tests, tshark runs as nobody.
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), open).expect("it is ours");
    let into = format!("mcas,{}", text(folder.path()));
    let own = ["-q", "-r", text(path), "--export-objects", &into];
    let printed = tshark(&[options, &own].concat());
    (folder, printed)
}

/// The files in a folder and their digests, as coreutils has them.
fn digests(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it can be read").path();
        let output = Command::new("sha256sum")
            .arg("--")
            .arg(&path)
            .output()
            .expect("coreutils are installed");
        let line = String::from_utf8(output.stdout).expect("plain text");
        let name = path.file_name().and_then(|name| name.to_str());
        let digest = line.trim_start_matches('\\')[..64].to_owned();
        found.insert(name.expect("a plain name").to_owned(), digest);
    }
    found
}

/// As tshark numbers those of the same name, in the order of the capture.
fn numbered(objects: &[Value]) -> BTreeMap<String, String> {
    let mut named: BTreeMap<&str, u32> = BTreeMap::new();
    let mut wanted = BTreeMap::new();
    for object in objects {
        let [name, digest] = [&object[0], &object[1]]
            .map(|value| value.as_str().expect("a text"));
        let before = named.entry(name).or_default();
        let (stem, extension) = name.rsplit_once('.').expect("an extension");
        let name = match *before {
            0 => name.to_owned(),
            n => format!("{stem}({n}).{extension}"),
        };
        *before += 1;
        wanted.insert(name, digest.to_owned());
    }
    wanted
}

/// Captures with whole bodies, parts, cut and coded ones, several of a name;
/// and with credentials, masked ones and none.
const CAPTURES: [&str; 18] = [
    "boot.pcapng",
    "mcas-chunk-borders.pcap",
    "mcas-chunked.pcap",
    "mcas-credentials.pcap",
    "mcas-devices.pcap",
    "mcas-firmware-answers.pcap",
    "mcas-firmware-paths.pcap",
    "mcas-gzip.pcap",
    "mcas-identity.pcap",
    "mcas-lan-configuration.pcap",
    "mcas-lan-push.pcap",
    "mcas-lost-segment.pcap",
    "mcas-masked.pcap",
    "mcas-pipelined.pcap",
    "mcas-statuses.pcap",
    "mcas-truncated.pcap",
    "mcas-unmatched.pcap",
    "mcas-until-close.pcap",
];

#[test]
fn objects_and_credentials_are_those_on_the_wire() {
    let [mut saved, mut listed] = [0; 2];
    for path in CAPTURES.map(capture) {
        let mut objects = Vec::new();
        let mut rows = Vec::new();
        for mut message in expected(&path) {
            rows.extend(rows_of(&message));
            let object = message["object"].take();
            objects.extend((!object.is_null()).then_some(object));
        }
        let (folder, printed) = export(&path, &["-z", "credentials"]);
        assert_eq!(digests(folder.path()), numbered(&objects), "{path:?}");
        let found: Vec<&str> = ours(&printed).collect();
        assert_eq!(found, rows, "{path:?}");
        saved += objects.len();
        listed += rows.len();
    }
    assert!(saved > 20 && listed > 10, "{saved} objects, {listed} rows");
}

/// The rows of Wireshark's table for a message, as tshark prints them.
fn rows_of(message: &Value) -> Vec<String> {
    let frame = message["frame"].as_u64().expect("a number");
    let summary = message["summary"].as_str().expect("a text");
    let rows = message["credentials"].as_array().expect("a list");
    let row = |row: &Value| {
        let user = row[0].as_str().unwrap_or("n.a.");
        format!("{frame:<10} {:<16} {user:<16} {summary:<16}", "M-CAS")
    };
    rows.iter().map(row).collect()
}

fn ours(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter(|line| line.contains(" M-CAS "))
}

/// Chunks are joined for whoever saves the image, whether or not its digest
/// is asked for, and the file has that digest.
#[test]
fn image_has_the_digest_that_is_shown() {
    for name in ["boot.pcapng", "mcas-chunked.pcap"] {
        let path = capture(name);
        let digest = tshark(&[
            "-r",
            text(&path),
            "-Y",
            "mcas.firmware.sha256",
            "-T",
            "fields",
            "-e",
            "mcas.firmware.sha256",
        ]);
        for options in [&[][..], &["-2"], &["-Y", "mcas.firmware.sha256"]] {
            let (folder, _) = export(&path, options);
            let saved = digests(folder.path());
            let image = saved.get("RTS300HI-PRRTRV-S3X0HI12020003.bin");
            assert_eq!(
                image.map(String::as_str),
                Some(digest.trim()),
                "{name} {options:?} {saved:?}"
            );
        }
    }
}

/// The names come off the wire: nothing in them leads out of the folder, or
/// is hidden in it.
#[test]
fn names_of_objects_are_safe() {
    let mut capture = Capture::default();
    for path in [
        "/fw/../../../tmp/escaped.bin",
        "/fw/..%2F..%2Fetc/..%2f..%2fpasswd",
        "/fw/.hidden/.profile",
        "/fw/%00/a%0Ab%1B.bin",
        "/fw//",
    ] {
        let mut connection = capture.connect(80);
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: verup-mcas.odm00015.flets\r\n\r\n"
        );
        capture.send(&mut connection, Side::Client, request.as_bytes());
        let response = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage";
        capture.send(&mut connection, Side::Server, response.as_bytes());
    }
    let file = capture.write();
    let (folder, _) = export(file.path(), &[]);
    let saved = digests(folder.path());
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.()".contains(c);
    for name in saved.keys() {
        assert!(name.chars().all(plain), "{name:?}");
        assert!(!name.starts_with('.'), "{name:?}");
    }
    assert_eq!(saved.len(), 5, "{saved:?}");
}

/// In whichever order they come, and with several in one message.
#[test]
fn credentials_are_paired() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(8989);
    let form = "password=p1&username=u1&username=u2&ip_tel_num=3\
        &password=p3&username=XXXX&password=p4&username=";
    let request = format!(
        "POST /voip_setup.cgi HTTP/1.1\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    capture.send(&mut connection, Side::Client, request.as_bytes());
    let file = capture.write();
    let printed =
        tshark(&["-q", "-r", text(file.path()), "-z", "credentials"]);
    let users: Vec<&str> = ours(&printed)
        .filter_map(|line| line.split_whitespace().nth(2))
        .collect();
    assert_eq!(users, ["u1", "u2", "n.a."]);
}

/// Each row repeats the summary, which may be as long as the message.
#[test]
fn credentials_are_not_told_without_end() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(8989);
    let form = format!(
        "ip_tel_num={}{}",
        "\u{3042}".repeat(2000),
        "&username=u&password=p".repeat(2500)
    );
    let request = format!(
        "POST /voip_setup.cgi HTTP/1.1\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    for piece in request.as_bytes().chunks(60_000) {
        capture.send(&mut connection, Side::Client, piece);
    }
    let file = capture.write();
    let printed =
        tshark(&["-q", "-r", text(file.path()), "-z", "credentials"]);
    let rows: Vec<&str> = ours(&printed).collect();
    assert_eq!(rows.len(), 100, "{printed}");
    for row in rows {
        assert!(row.contains("\u{3042}"), "{row}");
        assert!((4000..4300).contains(&row.len()), "{}", row.len());
    }
}

/// Wireshark's dialog sorts expert items by severity and group.
#[test]
fn notes_are_in_their_groups() {
    let printed: String = ["mcas-credentials.pcap", "mcas-invalid.pcap"]
        .map(|name| {
            let file = capture(name);
            tshark(&["-q", "-r", text(&file), "-z", "expert"])
        })
        .concat();
    // Headings are «Warns (91)» and the like.
    let mut severity = "";
    let mut rows = Vec::new();
    for line in printed.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            [heading, count] if count.starts_with('(') => severity = heading,
            [_, ref words @ ..] => {
                rows.push(format!("{severity}: {}", words.join(" ")));
            }
            _ => {}
        }
    }
    for row in [
        "Notes: Security M-CAS Credentials in clear text",
        "Notes: Undecoded M-CAS The value was masked by whoever published \
         the capture",
        "Chats: Protocol M-CAS The network has host bits set: \
         220.210.59.0/22",
        "Warns: Protocol M-CAS The value does not read as its type",
        "Chats: Undecoded M-CAS The parameter is not known",
    ] {
        assert!(rows.iter().any(|r| r == row), "no {row:?} in\n{printed}");
    }
}
