//! `-z mcas,…`: the statistics, as tshark prints them and as sharkd and the
//! GUI get them, on every capture.

use crate::support::{
    capture, captures, numbered, sharkd, time, tshark, Capture, Side, ROOT,
};
use once_cell::sync::Lazy;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// All of them, as tshark and sharkd call them.
const PRINTED: [&str; 4] =
    ["mcas,provisioning", "mcas,srt", "mcas,tree", "flow,mcas,standard"];
const SHARKD: [&str; 4] =
    ["nstat:mcas,provisioning", "srt:mcas", "stat:mcas", "seqa:mcas"];

/// Columns of the table that are compared in their own way.
const VENDOR: usize = 1;

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn plain(path: &Path) -> &str {
    path.to_str().expect("paths of tests are plain")
}

fn load(path: &Path) -> Value {
    json!({"method": "load", "params": {"file": path}})
}

fn tap(names: &[&str]) -> Value {
    let mut parameters = serde_json::Map::new();
    for (i, name) in names.iter().enumerate() {
        parameters.insert(format!("tap{i}"), json!(name));
    }
    json!({"method": "tap", "params": parameters})
}

/// The taps in sharkd's answers, by name.
fn tapped(answers: &str) -> Vec<BTreeMap<String, Value>> {
    let mut found = Vec::new();
    for line in answers.lines() {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        assert!(answer["error"].is_null(), "{answer}");
        let Some(taps) = answer["result"]["taps"].as_array() else {
            continue;
        };
        let named = |tap: &Value| (text(&tap["tap"]).to_owned(), tap.clone());
        found.push(taps.iter().map(named).collect());
    }
    found
}

/// What `expect_statistics.py` works out of captures.
fn expect(paths: &[PathBuf]) -> Vec<Value> {
    let output = Command::new("python3")
        .arg(format!("{ROOT}/tests/expect_statistics.py"))
        .args(paths)
        .output()
        .expect("python3 is installed");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "expect_statistics.py: {complaint}");
    let lines = String::from_utf8(output.stdout).expect("it prints UTF-8");
    lines.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect()
}

/// Rows of the provisioning table, which sharkd gives as they are.
fn rows(tap: &Value) -> &[Value] {
    list(&tap["tables"][0]["i"])
}

fn check_provisioning(tap: &Value, wanted: &Value, context: &str) {
    let shown = rows(tap);
    assert_eq!(shown.len(), list(wanted).len(), "{context}: {shown:#?}");
    for (shown, wanted) in shown.iter().zip(list(wanted)) {
        let context = format!("{context}\nshown  {shown}\nwanted {wanted}");
        assert_eq!(list(shown).len(), list(wanted).len(), "{context}");
        for (i, (a, b)) in list(shown).iter().zip(list(wanted)).enumerate() {
            let alike = match (a.as_f64(), b.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() < 2e-6,
                // The names of vendors are Wireshark's.
                _ if i == VENDOR => text(a).starts_with(text(b)),
                _ => a == b,
            };
            assert!(alike, "column {i}: {context}");
        }
    }
}

fn check_tree(tap: &Value, wanted: &Value, context: &str) {
    let mut shown = serde_json::Map::new();
    for branch in list(&tap["stats"]) {
        let twigs = branch["sub"].as_array().into_iter().flatten();
        let twigs: serde_json::Map<String, Value> = twigs
            .map(|t| (text(&t["name"]).to_owned(), t["count"].clone()))
            .collect();
        let sum: u64 = twigs.values().filter_map(Value::as_u64).sum();
        assert_eq!(branch["count"], sum, "{context}: {branch}");
        shown.insert(text(&branch["name"]).to_owned(), twigs.into());
    }
    assert_eq!(&Value::from(shown), wanted, "{context}");
}

fn check_response_times(tap: &Value, wanted: &Value, context: &str) {
    let shown = list(&tap["tables"][0]["r"]);
    let wanted = wanted.as_object().expect("an object");
    assert_eq!(shown.len(), wanted.len(), "{context}: {shown:?}");
    for row in shown {
        let times = wanted.get(text(&row["n"])).unwrap_or(&Value::Null);
        let context = format!("{context}: {row}, wanted {times}");
        let times: Vec<f64> =
            list(times).iter().filter_map(Value::as_f64).collect();
        assert_eq!(row["num"], times.len(), "{context}");
        for (name, time) in [
            ("min", times.iter().copied().fold(f64::MAX, f64::min)),
            ("max", times.iter().copied().fold(f64::MIN, f64::max)),
            ("tot", times.iter().sum()),
        ] {
            let shown = row[name].as_f64().expect("a number");
            assert!((shown - time).abs() < 1e-8, "{name}: {context}");
        }
    }
}

/// Arrows have a time, two ends, two ports and a text.
fn check_flow(tap: &Value, wanted: &Value, context: &str) {
    let nodes = list(&tap["nodes"]);
    let shown = list(&tap["flows"]);
    assert_eq!(shown.len(), list(wanted).len(), "{context}: {shown:#?}");
    for (arrow, wanted) in shown.iter().zip(list(wanted)) {
        let end = |i: usize| {
            &nodes[arrow["n"][i].as_u64().expect("a number") as usize]
        };
        let ports = &arrow["pn"];
        let got = json!([arrow["t"], end(0), end(1), ports[0], ports[1]]);
        let label = text(&wanted[5]);
        // HTTP's text may stand before it, and Wireshark's behind it.
        let has_label = text(&arrow["c"]).contains(label);
        assert!(
            list(&got) == &list(wanted)[..5] && has_label,
            "{context}: {arrow}, wanted {wanted}"
        );
    }
}

/// Every capture in one session of sharkd, each tapped twice: nothing is left
/// over of the first time, nor of the captures before.
#[test]
fn every_capture_as_computed() {
    let paths = captures();
    let mut requests = Vec::new();
    for path in &paths {
        requests.extend([load(path), tap(&SHARKD), tap(&SHARKD)]);
    }
    let found = tapped(&sharkd(&numbered(&requests)));
    assert_eq!(found.len(), 2 * paths.len());
    let expected = expect(&paths);
    let mut provisioned = 0;
    for ((pair, wanted), path) in found.chunks(2).zip(expected).zip(paths) {
        let context = plain(&path);
        assert_eq!(pair[0], pair[1], "{context}");
        let tap = |name: &str| &pair[0][name];
        let table = tap("nstat:mcas,provisioning");
        check_provisioning(table, &wanted["provisioning"], context);
        check_tree(tap("stats:mcas"), &wanted["tree"], context);
        check_response_times(tap("srt:mcas"), &wanted["srt"], context);
        check_flow(tap("seqa:mcas"), &wanted["flow"], context);
        provisioned += rows(table).len();
    }
    assert!(provisioned > 50, "only {provisioned} rows in all captures");
}

/// Firmware requests name no terminal. Before and behind its provisioning,
/// from its address, the one it was given, and with its MAC address alone;
/// and what became of them.
#[test]
fn downloads_find_their_terminal() {
    let mut made = Capture::default();
    let mut connections = [0; 5].map(|_| made.connect(80));
    let provision = |id: &str| {
        let body = format!("TerminalID={id}");
        format!(
            "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
             User-Agent: M-CAS/1.0\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let ask = |method: &str, model: &str, file: &str| {
        format!(
            "{method} /fw/{model}/{file} HTTP/1.1\r\n\
             Host: verup-mcas.odm00015.flets\r\n\
             User-Agent: M-CAS/7.0 ({model} 1.0; NTTEAST)\r\n\r\n"
        )
    };
    let answer = |status: u16, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status} So\r\nContent-Type: text/plain\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    };
    // The clients are 192.0.0.0 to 192.0.0.4, all with one MAC address.
    let settings = "ResultCode=0000\r\nip_addr=192.0.0.3\r\n";
    for (client, request, response) in [
        (4, ask("GET", "E", "e.bin"), answer(200, "image")),
        (0, ask("GET", "A", "a.bin"), answer(200, "image")),
        (1, ask("GET", "B", "b.bin"), answer(404, "")),
        (0, provision("001F67000001"), answer(200, settings)),
        (4, provision("001F67000005"), answer(200, "")),
        (2, provision("020000000001"), answer(200, "")),
        (3, ask("HEAD", "C", "c.bin"), answer(200, "")),
        (2, provision("00022B000001"), answer(200, "")),
        (2, ask("GET", "D", "d.bin"), String::new()),
    ] {
        let connection = &mut connections[client];
        made.send(connection, Side::Client, request.as_bytes());
        if !response.is_empty() {
            made.send(connection, Side::Server, response.as_bytes());
        }
    }
    let file = made.write();
    let path = file.path().to_owned();
    let found = tapped(&sharkd(&numbered(&[load(&path), tap(&SHARKD[..1])])));
    let table = &found[0]["nstat:mcas,provisioning"];
    let shown: Vec<[&str; 3]> = rows(table)
        .iter()
        .map(|row| [0, 2, 4].map(|column| text(&row[column])))
        .collect();
    assert_eq!(
        shown,
        [
            ["00:1f:67:00:00:01", "C", "c.bin (asked for)"],
            ["00:1f:67:00:00:05", "E", "e.bin"],
            ["02:00:00:00:00:01", "B", "b.bin (404)"],
            ["00:02:2b:00:00:01", "D", "d.bin (asked for)"],
        ]
    );
    check_provisioning(table, &expect(&[path])[0]["provisioning"], "made");
}

/// All statistics of a capture, as tshark prints them.
fn printed(path: &Path, options: &[&str]) -> String {
    let mut arguments = vec!["-q", "-r", plain(path)];
    arguments.extend(options);
    arguments.extend(PRINTED.iter().flat_map(|name| ["-z", name]));
    // Lines have blanks at their ends; 4.0 has none around the slash.
    tshark(&arguments)
        .replace("M-CAS/Counters", "M-CAS / Counters")
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// The text of each, in one pass and in two. MCAS_GOLDEN=write writes it
/// anew: look at what `git diff` says then.
#[test]
fn printed_as_in_golden_files() {
    for name in [
        "boot.pcapng",
        "mcas-devices.pcap",
        "mcas-failure.pcap",
        "mcas-firmware-answers.pcap",
        "mcas-lan-configuration.pcap",
        "mcas-lost-request.pcap",
        "mcas-lost-response.pcap",
        "mcas-statuses.pcap",
    ] {
        let (stem, _) = name.split_once('.').expect("an extension");
        let golden = format!("{ROOT}/tests/golden/statistics-{stem}.txt");
        let shown = printed(&capture(name), &[]);
        if std::env::var_os("MCAS_GOLDEN").is_some_and(|v| v == "write") {
            fs::write(&golden, &shown).expect("it is written");
        }
        let wanted = fs::read_to_string(&golden).expect("it is there");
        assert!(
            shown == wanted,
            "{golden}\n== wanted\n{wanted}\n== printed\n{shown}"
        );
    }
    let boot = capture("boot.pcapng");
    assert_eq!(printed(&boot, &["-2"]), printed(&boot, &[]));
}

/// The rows of a table that tshark prints, by their first column.
fn terminals(statistic: &str) -> Vec<String> {
    let path = capture("mcas-devices.pcap");
    tshark(&["-q", "-r", plain(&path), "-z", statistic])
        .lines()
        .filter_map(|line| line.split_once(" |"))
        .map(|(first, _)| first.trim().to_owned())
        .skip(1)
        .collect()
}

#[test]
fn filters_say_what_is_counted() {
    let [hitachi, saxa, other] =
        ["00:1f:67:a1:b2:c3", "00:02:2b:a1:b2:c4", "00:1f:67:a1:b2:c5"];
    for (filter, wanted) in [
        ("", &[hitachi, saxa, other][..]),
        (",ip.addr == 10.212.33.8", &[saxa]),
        (
            ",mcas.terminal_id.oui_resolved contains \"Hitachi\"",
            &[hitachi, other],
        ),
        // A response alone says no terminal.
        (",mcas.ip_tel_num == \"0722123457\"", &[""]),
        (",mcas.type == 3", &[]),
    ] {
        let statistic = format!("mcas,provisioning{filter}");
        assert_eq!(terminals(&statistic), wanted, "{statistic}");
    }
    let path = capture("mcas-devices.pcap");
    let print =
        |statistic| tshark(&["-q", "-r", plain(&path), "-z", statistic]);
    let times = print("mcas,srt,mcas.type == 4");
    assert!(times.contains(" Firmware ") && !times.contains(" Provisioning "));
    let tree = print("mcas,tree,mcas.type == 4");
    assert!(tree.contains(" Firmware response (4)  3 "), "{tree}");
    assert!(!tree.contains("(3)"), "{tree}");
    let flow = print("flow,mcas,network,mcas.type == 4");
    assert_eq!(flow.matches("M-CAS: Firmware response").count(), 3, "{flow}");
    assert!(!flow.contains("request"), "{flow}");
}

#[test]
fn help_lists_them() {
    let output = Command::new(format!("{ROOT}/scripts/tshark"))
        .args(["-z", "help"])
        .output()
        .expect("scripts/tshark runs");
    let both = [output.stdout, output.stderr].concat();
    let help = String::from_utf8_lossy(&both);
    let listed: Vec<&str> = help.lines().map(str::trim).collect();
    for name in ["flow,mcas", "mcas,provisioning", "mcas,srt", "mcas,tree"] {
        assert!(listed.contains(&name), "{name} is not in\n{help}");
    }
}

/// What a device says of itself cannot break a line or speak to a terminal.
#[test]
fn text_of_the_network_is_only_text() {
    let mut made = Capture::default();
    let mut connection = made.connect(80);
    // Terminals take U+009B for ESC [, and U+202E turns text round.
    let body = "TerminalID=%1b[31m%0aX%7f%c2%9b2J%e2%80%ae";
    let request = format!(
        "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
         User-Agent: M-CAS/1.0 (\u{1b}[2J 1\u{7}0; N\tEAST)\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    made.send(&mut connection, Side::Client, request.as_bytes());
    let answer = "ResultCode=\u{1b}c\r\nip_tel_num=\u{8}1\r\n";
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{answer}",
        answer.len()
    );
    made.send(&mut connection, Side::Server, response.as_bytes());
    let file = made.write();
    let shown = printed(file.path(), &[]);
    assert!(shown.contains(".[31m.X..2J."), "{shown}");
    let odd = |c: char| c.is_control() && c != '\n' || c == '\u{202E}';
    assert!(!shown.contains(odd), "{shown:?}");
}

/// Cells of the table's only row, as tshark prints them.
fn row(path: &Path, options: &[&str]) -> Vec<String> {
    let arguments = ["-q", "-r", plain(path), "-z", "mcas,provisioning"];
    let printed = tshark(&[&arguments[..], options].concat());
    let mut lines = printed.lines().filter(|line| line.contains(" |X |"));
    let row = lines.next().unwrap_or_else(|| panic!("no row: {printed}"));
    assert_eq!(lines.next(), None, "{printed}");
    row.split(" |").map(str::to_owned).collect()
}

const REQUEST: &str = "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
    User-Agent: M-CAS/7.0 (X 1; NTT)\r\nContent-Length: 23\r\n\r\n\
    TerminalID=001F67A1B2C3";

/// Where Wireshark is told not to look for them, retransmissions are
/// dissected like what they repeat.
#[test]
fn retransmissions_are_not_counted() {
    let mut made = Capture::default();
    let mut connection = made.connect(80);
    let request = connection.segment(Side::Client, REQUEST.as_bytes());
    let first = made.push(&request);
    made.push(&request);
    let path = made.write();
    let plainly = ["-o", "tcp.analyze_sequence_numbers:FALSE"];
    for options in [&[][..], &plainly] {
        let row = row(path.path(), options);
        assert_eq!(row[9..11], ["1", &first.to_string()], "{row:?}");
    }
}

/// Two downloads are asked for at once, and the first alone is answered: what
/// became of the second, which is the last, nobody knows.
#[test]
fn an_answer_is_to_its_own_download() {
    let mut made = Capture::default();
    let mut connection = made.connect(80);
    made.send(&mut connection, Side::Client, REQUEST.as_bytes());
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n\
        ResultCode=0000\n";
    made.send(&mut connection, Side::Server, answer.as_bytes());
    for file in ["A.bin", "B.bin"] {
        let request = format!(
            "GET /download/fw/X/{file} HTTP/1.1\r\nHost: verup-mcas.test\r\n\
             User-Agent: M-CAS/7.0 (X 1; NTT)\r\n\r\n"
        );
        made.send(&mut connection, Side::Client, request.as_bytes());
    }
    let image = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!";
    made.send(&mut connection, Side::Server, image.as_bytes());
    let asked = row(made.write().path(), &[]);
    assert_eq!(asked[4], "B.bin (asked for)", "{asked:?}");
    made.send(&mut connection, Side::Server, image.as_bytes());
    let loaded = row(made.write().path(), &[]);
    assert_eq!(loaded[4], "B.bin", "{loaded:?}");
}

/// A terminal that asks thousands of servers for its settings and for
/// firmware, and says something else of itself each time: all its rows tell of
/// the last, at no more cost than reading it all.
#[test]
fn a_terminal_with_many_rows() {
    const SERVERS: u16 = 15_000;
    let mut made = Capture::default();
    let mut send = |server: u16, message: &str| {
        // The client is the same one each time.
        let mut connection = Capture::default().connect(80);
        let mut frame = connection.segment(Side::Client, message.as_bytes());
        frame[32..34].copy_from_slice(&server.to_be_bytes());
        made.push(&frame);
    };
    for server in 0..SERVERS {
        send(
            server,
            "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
             Content-Length: 23\r\n\r\nTerminalID=001F67A1B2C3",
        );
    }
    for server in 0..SERVERS {
        // Longer and shorter.
        let last = "9".repeat(usize::from(server % 40));
        send(
            SERVERS + server,
            &format!(
                "GET /download/fw/X/A.bin HTTP/1.1\r\n\
                 Host: verup-mcas.test\r\n\
                 User-Agent: M-CAS/7.0 (X 4.{server}.{last}; NTT)\r\n\r\n"
            ),
        );
    }
    let file = made.write();
    let path = plain(file.path());
    let table = tshark(&["-q", "-r", path, "-z", "mcas,provisioning"]);
    let version = format!(" |X |4.14999.{} |", "9".repeat(14999 % 40));
    let told = table.matches(&version).count();
    assert_eq!(told, usize::from(SERVERS), "{version}");
    let [table, plainly] = ["mcas,provisioning", "mcas,srt"]
        .map(|name| time(&["-q", "-r", path, "-z", name]));
    assert!(table < 3.0 * plainly, "{table} s, otherwise {plainly} s");
}

/// A library of ours to be preloaded: tests/c/taps.c.
static TAPS: Lazy<PathBuf> = Lazy::new(|| {
    let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("taps.so");
    let options = Command::new("pkg-config")
        .args(["--cflags", "--libs", "wireshark", "glib-2.0"])
        .output()
        .expect("pkg-config is installed");
    let options = String::from_utf8(options.stdout).expect("plain text");
    let status = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(format!("{ROOT}/tests/c/taps.c"))
        .args(options.split_whitespace())
        .status()
        .expect("cc is installed");
    assert!(status.success(), "taps.c does not compile");
    library
});

/// What a program prints with that library, and what the library says.
fn with_taps(program: &str, arguments: &[&str], input: &str) -> [String; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let [said, orders] = ["said", "orders"].map(|n| folder.path().join(n));
    fs::write(&orders, input).expect("it is written");
    let output = Command::new(format!("{ROOT}/scripts/with-plugin"))
        .args(["env", &format!("LD_PRELOAD={}", TAPS.display())])
        .arg("MALLOC_PERTURB_=165")
        .arg(program)
        .args(arguments)
        .env("TAPS", &said)
        .stdin(Stdio::from(fs::File::open(&orders).expect("it is there")))
        .output()
        .expect("scripts/with-plugin runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    let printed = String::from_utf8(output.stdout).expect("it is UTF-8");
    [printed, fs::read_to_string(&said).expect("the library was there")]
}

/// Nobody asked, nothing is collected.
#[test]
fn nothing_is_queued_unasked() {
    let path = capture("mcas-devices.pcap");
    let all = ["-r", plain(&path), "-V"];
    let ours = PRINTED.iter().flat_map(|name| ["-z", name]);
    for (statistics, queued) in
        [(vec![], 0), (vec!["-z", "http,tree"], 0), (ours.collect(), 12)]
    {
        let [_, said] =
            with_taps("tshark", &[&all, &statistics[..]].concat(), "");
        let wanted = format!("queued {queued}, rows 0, changed 0\n");
        assert_eq!(said, wanted, "{statistics:?}");
    }
}

/// A user opens the table, and then again for another capture, while the
/// first window is still open: the second one has the rows of its capture
/// alone, and the first one's are still there to be sorted.
#[test]
fn an_open_window_keeps_its_rows() {
    let table = tap(&SHARKD[..1]);
    let three = load(&capture("mcas-devices.pcap"));
    let one = load(&capture("boot.pcapng"));
    let requests =
        [three.clone(), table.clone(), one, table.clone(), three, table];
    let [printed, said] = with_taps("sharkd", &["-"], &numbered(&requests));
    let found = tapped(&printed);
    let count = |i: usize| rows(&found[i]["nstat:mcas,provisioning"]).len();
    assert_eq!([count(0), count(1), count(2)], [3, 1, 3]);
    assert_eq!(found[0], found[2]);
    assert_eq!(said, "queued 28, rows 3, changed 0\n");
}
