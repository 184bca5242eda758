//! What users can switch: preferences, Decode As, protocols off, and what is
//! saved of it.

use crate::harm::{assert_none, changes, ODD_PORT, TREES};
use crate::support::{frames, messages, Capture, Connection, Side, ROOT};
use once_cell::sync::Lazy;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::{tempdir, NamedTempFile};

const WEB: [&str; 2] = [
    "GET / HTTP/1.1\r\nHost: www.example.jp\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nok\r\n",
];
const M_CAS: [&str; 2] = [
    "POST / HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\nHost: add-con.mcas\r\n\
     Content-Length: 23\r\n\r\nTerminalID=001F67A1B2C3",
    "HTTP/1.1 200 OK\r\nContent-Length: 55\r\n\r\n\
     ResultCode=0000\r\nsipsv_port=5060\r\nsip_domain=sip.test\r\n",
];

fn exchange(
    capture: &mut Capture,
    connection: &mut Connection,
    [request, response]: [&str; 2],
) -> [u32; 2] {
    [(Side::Client, request), (Side::Server, response)]
        .map(|(side, bytes)| capture.send(connection, side, bytes.as_bytes()))
}

/// Web pages and M-CAS, on port 80 and elsewhere.
struct Sample {
    file: NamedTempFile,
    /// The frames with M-CAS on port 80,
    on_80: Vec<u32>,
    /// on the odd port,
    on_odd: Vec<u32>,
    /// and on both.
    all: Vec<u32>,
}

static SAMPLE: Lazy<Sample> = Lazy::new(|| {
    let mut capture = Capture::default();
    let [mut on_80, mut on_odd] = [vec![], vec![]];
    // Wireshark asks its heuristics in the order of their last success, so
    // that an ordinary session has a say in all later ones.
    for port in [50080, ODD_PORT, 80, ODD_PORT] {
        let mut connection = capture.connect(port);
        exchange(&mut capture, &mut connection, WEB);
        if port != 50080 {
            let ours = exchange(&mut capture, &mut connection, M_CAS);
            if port == 80 { &mut on_80 } else { &mut on_odd }.extend(ours);
            exchange(&mut capture, &mut connection, WEB);
        }
    }
    let mut all = [&on_80[..], &on_odd].concat();
    all.sort_unstable();
    Sample { file: capture.write(), on_80, on_odd, all }
});

/// Under these options the sample's M-CAS is in exactly these frames.
fn assert_found(options: &[&str], expected: &[u32]) {
    for passes in [&[][..], &["-2"]] {
        let all = [options, passes].concat();
        let found = frames(SAMPLE.file.path(), "mcas", &all);
        assert_eq!(found, expected, "{all:?}");
    }
}

/// Likewise, and everything else is as without the plugin. `own` are options
/// that only the plugin understands.
fn check(options: &[&str], own: &[&str], expected: &[u32]) {
    let path = SAMPLE.file.path();
    assert_none(&changes(path, &TREES, options, &[(own, expected)]));
}

/// Without both of these, ports alone decide.
const NO_HTTP_HEURISTIC: [&str; 2] = ["--disable-heuristic", "http_tcp"];
const NO_HEURISTIC: [&str; 2] = ["--disable-heuristic", "mcas_tcp"];

// Preferences.

#[test]
fn by_default_m_cas_is_found_on_all_ports() {
    check(&[], &[], &SAMPLE.all);
    // Ours needs no help by HTTP's.
    assert_found(&NO_HTTP_HEURISTIC, &SAMPLE.all);
}

/// The gateway calls a phone on a port that nobody owns. Clients send head and
/// body in one segment or in two.
#[test]
fn setup_push_is_found_by_the_heuristic() {
    let head = "POST /voip_setup.cgi HTTP/1.1\r\nHost: phone\r\n\
        Content-Length: 33\r\n\r\n";
    let form = "ip_tel_num=4&sip_domain=ntt.setup";
    let query = "GET /voip_setup.cgi?ip_tel_num=4 HTTP/1.1\r\n\r\n";
    let mut capture = Capture::default();
    let mut pushes = Vec::new();
    for pieces in [&[head, form][..], &[&[head, form].concat()], &[query]] {
        let mut connection = capture.connect(8989);
        let mut send = |side, bytes: &str| {
            capture.send(&mut connection, side, bytes.as_bytes())
        };
        let sent = pieces.iter().map(|piece| send(Side::Client, piece)).last();
        pushes.push(sent.expect("there is a piece"));
        pushes.push(send(Side::Server, M_CAS[1]));
    }
    let file = capture.write();
    let decode_as = ["-d", "tcp.port==8989,mcas_http"];
    for (options, expected) in [
        (vec![], &pushes[..]),
        (NO_HEURISTIC.to_vec(), &[]),
        (vec!["-o", "mcas.heuristic:FALSE"], &[]),
        ([NO_HEURISTIC, decode_as].concat(), &pushes),
    ] {
        for passes in [&[][..], &["-2"]] {
            let all = [&options[..], passes].concat();
            assert_eq!(frames(file.path(), "mcas", &all), expected, "{all:?}");
        }
    }
}

#[test]
fn heuristics_asked_before_ports() {
    let first = ["-o", "tcp.try_heuristic_first:TRUE"];
    check(&first, &[], &SAMPLE.all);
    assert_found(&[first, NO_HTTP_HEURISTIC].concat(), &SAMPLE.all);
    // HTTP's own heuristic takes even port 80 then.
    check(&first, &NO_HEURISTIC, &[]);
}

#[test]
fn http_given_other_ports() {
    let odd = format!("http.tcp.port:{ODD_PORT}");
    let both = format!("http.tcp.port:80,{ODD_PORT}");
    for (preference, expected) in [
        ("http.tcp.port:80", &SAMPLE.on_80),
        (&both, &SAMPLE.all),
        // Wireshark leaves HTTP on port 80 even then.
        (&odd, &SAMPLE.all),
    ] {
        let options = [&["-o", preference][..], &NO_HTTP_HEURISTIC].concat();
        check(&options, &NO_HEURISTIC, expected);
        check(&["-o", preference], &[], &SAMPLE.all);
    }
}

/// A message in one segment is read as ever; of one in several the first
/// shows what it has.
#[test]
fn without_reassembly() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let [request, response] = M_CAS;
    let whole = exchange(&mut capture, &mut connection, M_CAS);
    let first =
        capture.send(&mut connection, Side::Client, request.as_bytes());
    let cut = response.find("60\r\n").expect("the SIP server's port");
    let [begins, ends] = [&response[..cut], &response[cut..]].map(|part| {
        capture.send(&mut connection, Side::Server, part.as_bytes())
    });
    let after = exchange(&mut capture, &mut connection, M_CAS);
    let file = capture.write();

    let reassembled = messages(file.path(), &["-2"]);
    let found: Vec<u32> = reassembled.iter().map(|it| it.frame).collect();
    let expected = [&whole[..], &[first, ends], &after].concat();
    assert_eq!(found, expected);

    for preference in
        ["tcp.desegment_tcp_streams:FALSE", "http.desegment_body:FALSE"]
    {
        let found = messages(file.path(), &["-2", "-o", preference]);
        assert_eq!(found.len(), reassembled.len(), "{preference} {found:#?}");
        for (message, whole) in found.iter().zip(&reassembled) {
            if whole.frame == ends {
                assert_eq!(message.frame, begins, "{preference}");
                assert_eq!(message.values("mcas.result_code"), ["0"]);
                assert_eq!(message.values("mcas.sipsv_port"), [""; 0]);
                assert_eq!(message.notes, ["mcas.truncated"]);
            } else if whole.frame == first {
                assert_eq!(
                    message.values("mcas.response_in"),
                    [begins.to_string()]
                );
            } else {
                assert_eq!(message, whole, "{preference}");
            }
        }
    }
}

#[test]
fn http_switched_off() {
    check(&["--disable-protocol", "http"], &[], &[]);
}

// Decode As.

#[test]
fn decode_as_chosen_for_a_port() {
    let odd = |name| format!("tcp.port=={ODD_PORT},{name}");
    let as_http = odd("http");
    let as_http = [&["-d", &as_http][..], &NO_HTTP_HEURISTIC].concat();
    check(&as_http, &NO_HEURISTIC, &SAMPLE.all);

    // This name is known to the plugin alone.
    let as_ours = odd("mcas_http");
    let own = [&["-d", &as_ours][..], &NO_HEURISTIC].concat();
    let of_80_and_odd = frames(SAMPLE.file.path(), "mcas", &own);
    assert_eq!(of_80_and_odd, SAMPLE.all);
}

#[test]
fn another_dissector_keeps_its_port() {
    let echo = ["-d", "tcp.port==80,echo"];
    check(&echo, &[], &SAMPLE.on_odd);
    check(&[echo, NO_HTTP_HEURISTIC].concat(), &NO_HEURISTIC, &[]);
}

#[test]
fn a_script_keeps_its_port() {
    let folder = tempdir().expect("a folder");
    let script = folder.path().join("script.lua");
    let text = r#"
        local script = Proto("script", "A script's protocol")
        function script.dissector(tvb, pinfo, tree)
            tree:add(script, tvb())
        end
        DissectorTable.get("tcp.port"):add(80, script)
    "#;
    fs::write(&script, text).expect("it is written");
    let argument = format!("lua_script:{}", script.display());
    let options = ["-X", &argument];
    let of_script = frames(SAMPLE.file.path(), "script", &options);
    let on_80 =
        frames(SAMPLE.file.path(), "tcp.port == 80 and tcp.len > 0", &[]);
    assert_eq!(of_script, on_80);
    check(&options, &[], &SAMPLE.on_odd);
}

// A user's own settings.

/// What a program prints, with settings of the user's own.
fn run_in(
    settings: &Path,
    plugin: &str,
    program: &str,
    arguments: &[&str],
) -> String {
    let output = Command::new(format!("{ROOT}/scripts/with-plugin"))
        .arg(program)
        .args(arguments)
        .env("WIRESHARK_CONFIG_DIR", settings)
        .env("MCAS_PLUGIN", plugin)
        .output()
        .expect("scripts/with-plugin runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("Wireshark prints UTF-8")
}

const ENTRIES: &str = "decode_as_entries";

#[test]
fn decode_as_of_the_user_is_obeyed() {
    let settings = tempdir().expect("a folder");
    let entries = format!(
        "decode_as_entry: tcp.port,{ODD_PORT},(none),HTTP\n\
         decode_as_entry: tcp.port,80,HTTP,ECHO\n"
    );
    fs::write(settings.path().join(ENTRIES), entries).expect("it is written");
    let path = SAMPLE.file.path().to_str().expect("paths of tests are plain");
    let show = |filter| {
        let own = ["-r", path, "-T", "fields", "-e", "frame.number"];
        let all =
            [&own[..], &NO_HEURISTIC, &NO_HTTP_HEURISTIC, &["-Y", filter]];
        run_in(settings.path(), "", "tshark", &all.concat())
            .lines()
            .map(|line| line.parse().expect("a number"))
            .collect::<Vec<u32>>()
    };
    assert_eq!(show("mcas"), SAMPLE.on_odd);
    let on_80 =
        frames(SAMPLE.file.path(), "tcp.port == 80 and tcp.len > 0", &[]);
    assert_eq!(show("echo"), on_80);
}

/// A program of ours that saves what Wireshark's dialog would.
static SAVE: Lazy<PathBuf> = Lazy::new(|| {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("decode_as");
    let of_wireshark = |what| {
        let output = Command::new("pkg-config")
            .args([what, "wireshark"])
            .output()
            .expect("pkg-config is installed");
        let options = String::from_utf8(output.stdout).expect("plain text");
        options.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let status = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .args(of_wireshark("--cflags"))
        .arg(format!("{ROOT}/tests/c/decode_as.c"))
        .args(of_wireshark("--libs"))
        .arg("-lwiretap")
        .status()
        .expect("cc is installed");
    assert!(status.success(), "decode_as.c does not compile");
    program
});

/// What is in the file, after these steps, of a user who had these entries.
fn saved(plugin: &str, entries: &str, steps: &[&str]) -> String {
    let settings = tempdir().expect("a folder");
    let file = settings.path().join(ENTRIES);
    fs::write(&file, entries).expect("it is written");
    let program = SAVE.to_str().expect("paths of tests are plain");
    run_in(settings.path(), plugin, program, steps);
    fs::read_to_string(&file)
        .expect("it is there")
        .split_inclusive('\n')
        .filter(|line| !line.starts_with('#'))
        .collect()
}

/// The user's lines, no less and no more: what Wireshark without the plugin
/// saves, where ours stands for HTTP.
#[test]
fn decode_as_of_the_user_is_saved() {
    let http = "decode_as_entry: tcp.port,8888,(none),HTTP\n";
    let ours = "decode_as_entry: tcp.port,8888,(none),M-CAS over HTTP\n";
    let echo = "decode_as_entry: tcp.port,80,HTTP,ECHO\n";
    let none = "decode_as_entry: tcp.port,80,HTTP,(none)\n";
    let ports = "http.tcp.port:80,8888";
    let named_back = |saved: &str| saved.replace("M-CAS over HTTP", "HTTP");
    for (entries, steps, lines) in [
        // Nothing of the user's own, or not any more.
        ("", &["open"][..], 0),
        ("", &["open", "80=ECHO", "open", "80=", "open"], 0),
        ("", &["open", "8888=HTTP", "open", "8888=", "open"], 0),
        (http, &["open", "8888=", "open"], 0),
        // HTTP on a port.
        (http, &["open"], 1),
        (http, &["open", "open"], 1),
        ("", &["open", "8888=HTTP", "open"], 1),
        ("", &[ports, "open"], 2),
        ("", &["open", ports, "open"], 2),
        // Something else on HTTP's.
        (echo, &["open"], 1),
        (none, &["open"], 1),
        ("", &["open", "80=ECHO", "open"], 1),
        (&[http, echo].concat(), &["open"], 2),
    ] {
        let without = saved("none", entries, steps);
        let with = saved("", entries, steps);
        let context = format!("{entries}{steps:?}: {with:?}");
        assert_eq!(without.lines().count(), lines, "{context}");
        assert_eq!(named_back(&with), without, "{context}");
        // And read again.
        let without = saved("none", &without, &["open"]);
        let with = saved("", &with, &["open"]);
        assert_eq!(named_back(&with), without, "{context}, then {with:?}");
    }
    // The plugin was at work in all that, and its own name can be chosen.
    assert_eq!(saved("", http, &["open"]), ours);
    assert_eq!(saved("", ours, &["open"]), ours);
}
