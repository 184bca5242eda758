//! The dissector against `expect.py`, which works out from a capture's bytes
//! what must be shown and shares no code with the dissector.

use crate::joined::Joined;
use crate::support::{
    capture, captures, columns, frames, messages, numbered, sharkd, tshark,
    Capture, Columns, Message, Side, ROOT,
};
use mcas::fields::FIELDS;
use mcas::notes::{Note, NOTES};
use once_cell::sync::Lazy;
use serde_json::{json, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// What must be shown of one message.
pub struct Expected {
    frame: u32,
    summary: String,
    fields: Vec<Field>,
    notes: Vec<String>,
}

struct Field {
    name: String,
    /// None where only Wireshark can know: a vendor's name.
    show: Option<String>,
    /// None where the value is computed: no matter what it highlights.
    bytes: Option<String>,
}

/// All captures.
static ALL: Lazy<Joined> = Lazy::new(|| Joined::new(&captures()));

/// What must be shown of them.
static EXPECTED: Lazy<Vec<Expected>> = Lazy::new(|| expect(ALL.path()));

/// What tshark shows of them, in two passes.
static SHOWN: Lazy<Vec<Message>> = Lazy::new(|| messages(ALL.path(), &["-2"]));

/// What must be shown of a capture.
pub fn expect(path: &Path) -> Vec<Expected> {
    let output = Command::new("python3")
        .arg(format!("{ROOT}/tests/expect.py"))
        .arg(path)
        .output()
        .expect("python3 is installed");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "expect.py {path:?}: {complaint}");
    let lines = String::from_utf8(output.stdout).expect("it prints UTF-8");
    lines
        .lines()
        .map(|line| {
            let message: Value = serde_json::from_str(line).expect("JSON");
            Expected {
                frame: message["frame"].as_u64().expect("a number") as u32,
                summary: text(&message["summary"]).expect("a summary"),
                fields: list(&message["fields"])
                    .map(|field| Field {
                        name: text(&field[0]).expect("a name"),
                        show: text(&field[1]),
                        bytes: text(&field[2]),
                    })
                    .collect(),
                notes: list(&message["expert"]).filter_map(text).collect(),
            }
        })
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// Frames that hold HTTP's messages beside ours: HTTP's text stays in front.
const AMONG_OTHERS: [&str; 2] =
    ["mcas-pipelined.pcap 16", "mcas-pipelined-split.pcap 6"];

/// What HTTP appends to the Info column of a frame that the capture cut.
const CUT: &str = "[Packet size limited during capture]";

/// What is expected of a message and what is shown, as lines that are equal
/// where the two agree: text, fields and notes in the order of their names.
fn as_lines(
    expected: &Expected,
    found: &Message,
    compared: impl Fn(&str) -> bool,
) -> [Vec<String>; 2] {
    let line = |name: &str, show: Option<&str>, bytes: Option<&str>| {
        let [show, bytes] = [show, bytes].map(|v| v.unwrap_or("?"));
        format!("{name} {show:?} {bytes}")
    };
    let mut theirs: Vec<_> =
        expected.fields.iter().filter(|f| compared(&f.name)).collect();
    theirs.sort_by_key(|f| (&f.name, &f.show, &f.bytes));
    let mut wanted = vec![format!("M-CAS, {}", expected.summary)];
    wanted.extend(theirs.iter().map(|field| {
        line(&field.name, field.show.as_deref(), field.bytes.as_deref())
    }));

    let mut ours: Vec<_> =
        found.items.iter().filter(|item| compared(&item.name)).collect();
    ours.sort_by_key(|item| (&item.name, &item.show, &item.bytes));
    let mut got = vec![found.text.clone()];
    for (i, item) in ours.iter().enumerate() {
        // What the expectation leaves open of the same value of that name.
        let before = ours[..i].iter().filter(|o| o.name == item.name).count();
        let field = theirs.iter().filter(|f| f.name == item.name).nth(before);
        let show = field.is_none_or(|f| f.show.is_some());
        let bytes = field.is_none_or(|f| f.bytes.is_some());
        // PDML puts colons between bytes.
        let digest = item.show.replace(':', "");
        let value = match item.name.as_str() {
            "mcas.firmware.sha256" => &digest,
            _ => &item.show,
        };
        got.push(line(
            &item.name,
            show.then_some(value),
            bytes.then_some(&item.bytes),
        ));
    }
    let notes = [&expected.notes, &found.notes];
    for (lines, notes) in [&mut wanted, &mut got].into_iter().zip(notes) {
        let start = lines.len();
        lines.extend(notes.iter().cloned());
        lines[start..].sort();
    }
    [wanted, got]
}

/// Lines of either that the other lacks, once for each time.
fn difference(wanted: &[String], got: &[String]) -> Vec<String> {
    let lacking = |from: &[String], sign, other: &[String]| {
        let mut other = other.to_vec();
        let mut lines = Vec::new();
        for line in from {
            match other.iter().position(|o| o == line) {
                Some(place) => _ = other.remove(place),
                None => lines.push(format!("{sign} {line}")),
            }
        }
        lines
    };
    [lacking(wanted, '-', got), lacking(got, '+', wanted)].concat()
}

/// Messages and packet list of a capture against what is expected of it.
pub fn differences(
    path: &Path,
    expected: &[Expected],
    found: Vec<Message>,
    options: &[&str],
) -> Vec<String> {
    let place = |frame: u32| format!("frame {frame}");
    differences_of(path, expected, found, options, |_| true, place)
}

/// The same of the fields that are compared; `place` names a frame.
fn differences_of(
    path: &Path,
    expected: &[Expected],
    mut found: Vec<Message>,
    options: &[&str],
    compared: impl Fn(&str) -> bool + Copy,
    place: impl Fn(u32) -> String,
) -> Vec<String> {
    let mut different = Vec::new();
    let mut infos: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for message in expected {
        let frame = message.frame;
        infos.entry(frame).or_default().push(&message.summary);
        // Messages of a frame stand in the order in which they complete.
        let [wanted, got] = match found.iter().position(|m| m.frame == frame) {
            Some(at) => as_lines(message, &found.remove(at), compared),
            None => [vec![message.summary.clone()], vec![]],
        };
        let lines = difference(&wanted, &got);
        let place = place(frame);
        different.extend(lines.iter().map(|l| format!("{place} {l}")));
    }
    for Message { frame, text, .. } in found {
        different.push(format!("{} + {text}", place(frame)));
    }
    if expected.is_empty() {
        return different;
    }

    let with_filter = [options, &["-Y", "mcas"]].concat();
    for (frame, Columns { protocol, info }) in columns(path, &with_filter) {
        let place = place(frame);
        let wanted = infos.remove(&frame).unwrap_or_default().join("; ");
        let shown = info.strip_suffix(CUT).unwrap_or(&info);
        let shown = match shown.rsplit_once(&format!("; {wanted}")) {
            Some((_, "")) if AMONG_OTHERS.contains(&&*place) => &wanted,
            _ => shown,
        };
        if protocol != "M-CAS" || shown != wanted {
            different.push(format!("{place} - {wanted}"));
            different.push(format!("{place} + {protocol} {info}"));
        }
    }
    let rows =
        infos.keys().map(|frame| format!("{} - its row", place(*frame)));
    different.extend(rows);
    different
}

/// Every capture, as tshark shows it under these options, against what is
/// expected of the fields that are compared.
fn check(
    found: Vec<Message>,
    options: &[&str],
    compared: impl Fn(&str) -> bool + Copy,
) {
    let place = |frame| ALL.place(frame);
    let different =
        differences_of(ALL.path(), &EXPECTED, found, options, compared, place);
    assert!(
        different.is_empty(),
        "- expected, + shown\n{}",
        different.join("\n")
    );
}

#[test]
fn every_capture_in_one_pass() {
    // A request cannot know its response yet.
    let compared = |name: &str| name != "mcas.response_in";
    check(messages(ALL.path(), &[]), &[], compared);
}

#[test]
fn every_capture_in_two_passes() {
    check(SHOWN.clone(), &["-2"], |_| true);
}

/// sharkd dissects on demand: here from the last frame to the first, each
/// twice.
#[test]
fn every_capture_frame_by_frame() {
    let load = json!({"method": "load", "params": {"file": ALL.path()}});
    let mut requests = vec![load];
    let mut wanted = Vec::new();
    for messages in SHOWN.chunk_by(|a, b| a.frame == b.frame).rev() {
        let frame = messages[0].frame;
        let params = json!({"frame": frame, "proto": true});
        for _ in 0..2 {
            requests.push(json!({"method": "frame", "params": params}));
            let trees: Vec<_> = messages.iter().map(tree).collect();
            wanted.push((frame, trees));
        }
    }
    let answers = sharkd(&numbered(&requests));
    let trees = answers.lines().filter_map(|line| {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].get("tree").cloned()
    });
    let trees: Vec<Value> = trees.collect();
    assert_eq!(trees.len(), wanted.len());
    for ((frame, wanted), tree) in wanted.into_iter().zip(trees) {
        let got: Vec<Vec<(usize, String)>> = list(&tree)
            .filter(|item| item["f"] == "mcas")
            .map(|item| {
                let mut labels = Vec::new();
                sharkd_tree(item, 0, &mut labels);
                labels
            })
            .collect();
        assert_eq!(got, wanted, "{}", ALL.place(frame));
    }
}

/// Depth and label of a message and the items below it, less expert items.
fn tree(message: &Message) -> Vec<(usize, String)> {
    let items = &message.items;
    let below = items.iter().map(|i| (i.level + 1, i.label.clone()));
    [(0, message.text.clone())].into_iter().chain(below).collect()
}

/// The same of an item of sharkd's.
fn sharkd_tree(item: &Value, level: usize, to: &mut Vec<(usize, String)>) {
    if item["f"] == "_ws.expert" {
        return;
    }
    to.push((level, text(&item["l"]).expect("a label")));
    for child in item["n"].as_array().into_iter().flatten() {
        sharkd_tree(child, level + 1, to);
    }
}

/// A field that no capture has would be a field that nothing tests.
#[test]
fn every_field_and_note_occurs() {
    let mut expected = BTreeSet::new();
    for message in EXPECTED.iter() {
        let fields = message.fields.iter();
        // A vendor's name is left to Wireshark, so no value is expected.
        let valued = fields.filter(|f| f.show.as_deref() != Some(""));
        expected.extend(valued.map(|f| f.name.as_str()));
        expected.extend(message.notes.iter().map(String::as_str));
    }
    let mut shown = BTreeSet::new();
    for message in SHOWN.iter() {
        let valued = message.items.iter().filter(|i| !i.show.is_empty());
        shown.extend(valued.map(|i| i.name.as_str()));
        shown.extend(message.notes.iter().map(String::as_str));
    }
    // Where the tree is full, tests/bounds.rs looks; what only a connection
    // can show is the tracker's, of which the plugin makes no use yet.
    let elsewhere = [
        Note::Limit,
        Note::RequestUnanswered,
        Note::RequestRetransmitted,
        Note::ResponseBrokenOff,
        Note::ResponseUncertain,
    ];
    let notes = NOTES.iter().filter(|note| !elsewhere.contains(&note.note));
    let all: BTreeSet<&str> = (FIELDS.iter().map(|field| field.name()))
        .chain(notes.map(|note| note.name()))
        .collect();
    assert_eq!(expected, all, "expected - declared");
    assert_eq!(shown, all, "shown - declared");
}

/// What stands nowhere in the bytes is marked, as people see it.
#[test]
fn what_is_generated_is_in_brackets() {
    let path = capture("boot.pcapng");
    let shown = tshark(&["-2", "-r", path.to_str().unwrap(), "-O", "mcas"]);
    for (label, generated) in [
        ("Message type", true),
        ("MAC address", true),
        ("Server port", true),
        ("Response to", true),
        ("Terminal ID", false),
        ("Network", false),
    ] {
        let label = |line: &str| {
            let (before, _) = line.trim_start().split_once(": ")?;
            let name = before.trim_start_matches('[');
            (name == label).then_some(before.len() > name.len())
        };
        let marks: Vec<bool> = shown.lines().filter_map(label).collect();
        assert!(marks.contains(&generated), "{shown}");
        assert!(!marks.contains(&!generated), "{shown}");
    }
}

#[test]
fn boot_sequence_can_be_filtered() {
    let boot = capture("boot.pcapng");
    for (filter, wanted) in [
        ("mcas", &[60, 62, 91, 257][..]),
        ("mcas.bigip.addr == 10.139.75.56", &[62]),
        ("mcas.terminal_id.mac == 00:1f:67:a1:b2:c3", &[60]),
        (r#"mcas.terminal_id.oui_resolved contains "Hitachi""#, &[60]),
        ("mcas.sipsv_addr == 121.0.34.41 && mcas.sipsv_port == 5060", &[62]),
        (r#"mcas.device.model == "RTS300HI""#, &[91]),
        (r#"mcas.device.firmware == "4.02.0179""#, &[91]),
        (r#"mcas.firmware.file == "PRRTRV-S3X0HI12020003.bin""#, &[91]),
        ("mcas.response_to == 60 && mcas.time < 1", &[62]),
        ("mcas.firmware.size > 100000", &[257]),
        ("mcas.result_code != 0 || mcas.value.invalid", &[]),
    ] {
        assert_eq!(frames(&boot, filter, &[]), wanted, "{filter}");
    }
}

#[test]
fn lan_side_can_be_filtered() {
    let list = capture("mcas-lan-list.pcap");
    let configuration = capture("mcas-lan-configuration.pcap");
    let push = capture("mcas-lan-push.pcap");
    for (path, filter, wanted) in [
        (&list, r#"mcas.extension == "4""#, &[6][..]),
        (
            &list,
            "mcas.type == 8 && !mcas.extension",
            &[26, 34, 56, 66, 69, 78],
        ),
        (&list, "mcas.result_code == 10", &[66, 69]),
        (&configuration, "mcas.term_type == 1", &[4, 8, 10, 20, 30, 32]),
        (&configuration, "mcas.credentials", &[6, 9, 11, 13, 32]),
        (&configuration, r#"mcas.param.value == "1}""#, &[12]),
        (&configuration, "mcas.terminal_id.mac == 00:02:2b:00:00:01", &[32]),
        (&push, "mcas.type == 11 && tcp.dstport == 8989", &[4, 8, 10, 16]),
        (&push, "mcas.response_to && mcas.result_code == 0", &[6, 9, 11]),
    ] {
        assert_eq!(frames(path, filter, &[]), wanted, "{filter}");
    }
    let taken = messages(&list, &["-2"]);
    let labels = taken.iter().filter(|m| m.frame == 66).flat_map(|m| &m.items);
    let name = "Result code: Extension already taken (LAN side) (10)";
    assert!(labels.into_iter().any(|item| item.label == name), "{taken:#?}");
}

/// What makes a request one of the LAN side, in all combinations, each with an
/// answer that says something else under each type.
#[test]
fn lan_side_in_all_its_shapes() {
    let targets = [
        "/cas_tel_list",
        "http://add-con.mcas/cas_tel_list/",
        "/cas_tel_conf/",
        "HTTP://ntt.setup:80/cas_tel_conf",
        "/cas_tel_conf//",
        "/voip_setup.cgi",
        "/voip_setup.cgi/",
        "/fw/voip_setup.cgi",
    ];
    let forms = [
        "",
        "ID=00022b000001",
        "ip%5ftel_num=3&TERM_type=1}&IP_TEL_NUM9=4",
        "&&sipsv_addr=X.X&term_type=256&term_type=XX&id=0002&x",
        "id=%30%30022bXXXXXX&ip_tel_num=&term_type=007\r\n\r\n",
    ];
    let headers = [
        "",
        "Content-Type: application/json\r\n",
        "Content-Type: text/plain\r\nUser-Agent: M-CAS/1.0\r\n",
        "Content-Encoding: gzip\r\nHost: verup-mcas.odm1.flets\r\n",
    ];
    let answers = [
        "resultcode=0000\r\nrtpport2=3,*,XX,,7\r\nrtpport1=9\r\nid=1\r\n",
        "4,5\r\n\r\nusername=secret\nResultCode=10\r\nterm_type=1\r\n",
        "ResultCode=00010\nrtpport1=\r\nrtpport2=9\nlist=é,1\nid=002b",
        "ResultCode=0000\r\nResultCode=1\r\nid=XXXXXXXXXXXX\r\npassword=*",
    ];
    let mut made = Capture::default();
    let mut answers = answers.iter().cycle();
    for method in ["GET", "POST", "PUT", "HEAD"] {
        for target in targets {
            let mut connection = made.connect(80);
            for (query, body) in
                forms.iter().flat_map(|q| forms.map(|b| (q, b)))
            {
                let query = query.trim_end();
                let mark = if query.is_empty() { "" } else { "?" };
                for header in headers {
                    let length = body.len();
                    let request = format!(
                        "{method} {target}{mark}{query} HTTP/1.1\r\n{header}\
                         Content-Length: {length}\r\n\r\n{body}"
                    );
                    let answer = answers.next().expect("there is no end");
                    let length = answer.len();
                    let response = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\
                         \r\n{}",
                        if method == "HEAD" { "" } else { answer }
                    );
                    for (side, bytes) in
                        [(Side::Client, request), (Side::Server, response)]
                    {
                        made.send(&mut connection, side, bytes.as_bytes());
                    }
                }
            }
        }
    }
    let file = made.write();
    let expected = expect(file.path());
    for kind in 7..=12 {
        let kind = format!("{kind}");
        let is =
            |f: &Field| f.name == "mcas.type" && f.show == Some(kind.clone());
        assert!(expected.iter().any(|m| m.fields.iter().any(is)), "{kind}");
    }
    let shown = messages(file.path(), &["-2"]);
    let different = differences(file.path(), &expected, shown, &["-2"]);
    let some = &different[..different.len().min(20)];
    assert_eq!(some, [""; 0], "- expected, + shown");
}

#[test]
fn masked_lines_stay_whole() {
    let shown = messages(&capture("masked.pcap"), &[]);
    let [request, response] = &shown[..] else {
        panic!("masked.pcap holds a request and its response");
    };
    assert_eq!(request.values("mcas.terminal_id"), ["001F67XXXXXX"]);
    assert_eq!(request.values("mcas.terminal_id.mac"), [""; 0]);
    let vendor = request.values("mcas.terminal_id.oui_resolved");
    assert!(vendor.concat().starts_with("Hitachi"), "{vendor:?}");
    assert_eq!(request.notes, ["mcas.value.masked"]);

    let lines = ["ip_addr=172.20.XX.XX", "gateway=172.20.XX.XX"];
    assert_eq!(response.values("mcas.param"), lines);
    assert_eq!(response.values("mcas.ip_tel_num"), ["XXXXXXXXXX"]);
    assert_eq!(response.values("mcas.area_code"), ["XX"]);
    let masked = |note: &&String| *note == "mcas.value.masked";
    assert_eq!(response.notes.iter().filter(masked).count(), 4);
    assert!(!response.notes.iter().any(|n| n == "mcas.value.invalid"));
}
