//! Ordinary traffic is dissected byte for byte as if the plugin were not
//! there, and what merely looks like M-CAS is not taken for it.

use crate::joined::{frames_mut, ipv4, Joined};
use crate::support::{
    captures, frames, tshark, tshark_without_plugin, Capture, Side,
};
use once_cell::sync::Lazy;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::NamedTempFile;

/// A way in which tshark prints a capture.
#[derive(Clone, Copy)]
pub struct Format {
    arguments: &'static [&'static str],
    /// What stands at the end of each frame, and nowhere else.
    end: &'static str,
}

/// The packet list, the trees, and the bytes of every data source.
const TEXT: Format = Format {
    arguments: &["-P", "-V", "-x", "-S", "= end of frame ="],
    end: "= end of frame =",
};
const PDML: Format = Format { arguments: &["-T", "pdml"], end: "</packet>" };
const JSON: Format = Format { arguments: &["-T", "json"], end: "\n  }" };

/// How a capture is dissected and printed.
pub type Way = (Format, &'static [&'static str]);

const ONCE: &[&str] = &[];
const TWICE: &[&str] = &["-2"];

/// In one pass and in two, in each format.
const ALL_WAYS: [Way; 6] = [
    (TEXT, ONCE),
    (TEXT, TWICE),
    (PDML, ONCE),
    (PDML, TWICE),
    (JSON, ONCE),
    (JSON, TWICE),
];
/// Trees with all that is hidden in them, in one pass and in two.
pub const TREES: [Way; 2] = [(PDML, ONCE), (PDML, TWICE)];
/// One pass and two, packet list and all that is in the trees: what shows a
/// change, of whatever kind, in least time.
const EITHER_PASS: [Way; 2] = [(TEXT, ONCE), (PDML, TWICE)];

/// Options for tshark with the plugin, and the frames that it then shows as
/// M-CAS.
pub type Setting<'a> = (&'a [&'a str], &'a [u32]);

/// What the plugin, under each of the settings, changes in the dissection of
/// a capture. `options` are given to both tsharks.
pub fn changes(
    path: &Path,
    ways: &[Way],
    options: &[&str],
    settings: &[Setting],
) -> Vec<String> {
    let file = path.to_str().expect("paths of tests are plain");
    let compare = |(format, passes): &Way| {
        let all = [&["-r", file], options, passes, format.arguments].concat();
        let without = less_time(tshark_without_plugin(&all));
        let mut found = Vec::new();
        for (setting, ours) in settings {
            let all = [&all[..], setting].concat();
            let with = less_time(tshark(&all));
            let change = first_change(&without, &with, format, ours);
            found.extend(change.map(|it| format!("{}\n{it}", all.join(" "))));
        }
        found
    };
    thread::scope(|scope| {
        let compare = &compare;
        let running: Vec<_> =
            ways.iter().map(|way| scope.spawn(move || compare(way))).collect();
        running
            .into_iter()
            .flat_map(|thread| {
                thread.join().unwrap_or_else(|why| panic::resume_unwind(why))
            })
            .collect()
    })
}

/// PDML begins with the time at which it was printed.
fn less_time(mut output: String) -> String {
    if output.starts_with("<?xml") {
        let from = output.find(" time=\"").expect("PDML tells the time");
        let to = output.find(" capture_file=").expect("and the file");
        output.replace_range(from..to, "");
    }
    output
}

fn first_change(
    without: &str,
    with: &str,
    format: &Format,
    ours: &[u32],
) -> Option<String> {
    let pieces = [without, with].map(|output| output.split(format.end));
    let [count, count_with] = pieces.clone().map(Iterator::count);
    if count != count_with {
        return Some(format!("{count} frames became {count_with}"));
    }
    let [before, after] = pieces;
    (1..).zip(before.zip(after)).find_map(|(frame, (before, after))| {
        let (before, mut after) = (before.to_owned(), after.to_owned());
        if ours.contains(&frame) {
            // The other formats have a packet list, or no clear end of ours.
            if format.end != PDML.end {
                return None;
            }
            if !after.contains(OURS) {
                return Some(format!("frame {frame}: nothing of ours"));
            }
            after = less_ours(&after);
        }
        if before == after {
            return None;
        }
        let [old, new] =
            [(&before, &after), (&after, &before)].map(|(one, other)| {
                one.lines().find(|line| !other.lines().any(|l| l == *line))
            });
        Some(format!("frame {frame}:\n- {old:?}\n+ {new:?}"))
    })
}

/// How our items begin in PDML.
const OURS: &str = "  <proto name=\"mcas\"";

/// A frame's PDML without the items of ours: HTTP must stand above them as
/// if they were not there.
fn less_ours(packet: &str) -> String {
    let mut within = false;
    let mut rest = String::new();
    for line in packet.split_inclusive('\n') {
        within |= line.starts_with(OURS);
        if line.contains("\"frame.protocols\"") {
            rest += &line.replace(":mcas", "");
        } else if !within {
            rest += line;
        }
        within &= !line.starts_with("  </proto>");
    }
    rest
}

pub fn assert_none(changes: &[String]) {
    assert!(changes.is_empty(), "- without, + with\n{}", changes.join("\n"));
}

/// The captures without any M-CAS, or those with; but for the one in which an
/// answer changes what follows, which is the matter of tests/learned.rs.
fn recorded(ordinary: bool) -> Vec<PathBuf> {
    let mut all = captures();
    all.retain(|path| {
        let name = path.file_name().expect("a file").to_string_lossy();
        name.starts_with("web-") == ordinary && name != "mcas-learned.pcap"
    });
    all
}

/// The former.
static ORDINARY: Lazy<Joined> = Lazy::new(|| Joined::new(&recorded(true)));
/// The latter.
static WITH_M_CAS: Lazy<Joined> = Lazy::new(|| Joined::new(&recorded(false)));

/// One that no protocol claims.
pub const ODD_PORT: u16 = 8081;

/// TCP's number in an IP header.
const TCP: u8 = 6;

/// The same capture with the odd port in place of 80, but in PPPoE and VLANs.
fn moved(capture: &Path) -> NamedTempFile {
    let mut bytes = fs::read(capture).expect("a capture can be read");
    for frame in frames_mut(&mut bytes) {
        let bare = ipv4(frame).filter(|&ip| ip == 14 && frame[23] == TCP);
        let Some(ip) = bare else { continue };
        let ports = ip + 4 * usize::from(frame[ip] & 15);
        let Some(ports) = frame.get_mut(ports..ports + 4) else { continue };
        for port in ports.chunks_mut(2) {
            if port == 80_u16.to_be_bytes() {
                port.copy_from_slice(&ODD_PORT.to_be_bytes());
            }
        }
    }
    let file = NamedTempFile::new().expect("a file");
    fs::write(file.path(), bytes).expect("it is written");
    file
}

/// Whatever the plugin's state: nothing is ours, nothing may change.
const NOTHING: &[Setting] = &[(&[], &[])];

#[test]
fn ordinary_traffic_is_unchanged() {
    assert_none(&changes(ORDINARY.path(), &ALL_WAYS, &[], NOTHING));
}

#[test]
fn ordinary_traffic_is_unchanged_with_other_preferences() {
    for preference in [
        "tcp.desegment_tcp_streams:FALSE",
        "tcp.reassemble_out_of_order:TRUE",
        "tcp.try_heuristic_first:TRUE",
        "http.desegment_body:FALSE",
    ] {
        let options = ["-o", preference];
        let found = changes(ORDINARY.path(), &EITHER_PASS, &options, NOTHING);
        assert_none(&found);
    }
}

/// There HTTP is recognised by its bytes, by our heuristic in place of its
/// own.
#[test]
fn ordinary_traffic_is_unchanged_on_another_port() {
    let file = moved(ORDINARY.path());
    assert_none(&changes(file.path(), &TREES, &[], NOTHING));
}

/// What came before in a joined capture may leave Wireshark, or us, in another
/// state than that of the start.
#[test]
#[ignore = "two starts of tshark for each capture"]
fn each_capture_is_unchanged_by_itself() {
    let once = [(PDML, ONCE)];
    for path in recorded(true) {
        assert_none(&changes(&path, &once, &[], NOTHING));
        assert_none(&changes(moved(&path).path(), &once, &[], NOTHING));
    }
    for path in recorded(false) {
        let ours = frames(&path, "mcas", &[]);
        assert_none(&changes(&path, &once, &[], &[(&[], &ours)]));
    }
}

/// A browser's pages and what came after an Upgrade, on connections with
/// M-CAS, by what HTTP says of them.
fn beside_m_cas(path: &Path) -> Vec<u32> {
    let asked = "http.user_agent contains \"Mozilla\" \
        and not http.user_agent contains \"M-CAS\"";
    let mut beside = frames(path, &format!("websocket or {asked}"), &[]);
    let requests: Vec<_> = beside.iter().map(u32::to_string).collect();
    if !requests.is_empty() {
        let answers = format!("http.request_in in {{{}}}", requests.join(","));
        beside.extend(frames(path, &answers, &[]));
    }
    beside
}

#[test]
fn what_surrounds_m_cas_is_unchanged() {
    let path = WITH_M_CAS.path();
    let ours = frames(path, "mcas", &[]);
    let beside = beside_m_cas(path);
    assert!(!beside.is_empty(), "nothing of that is in the captures");
    for frame in beside {
        let place = WITH_M_CAS.place(frame);
        assert!(!ours.contains(&frame), "{place} became ours");
    }
    assert_none(&changes(path, &TREES, &[], &[(&[], &ours)]));
}

#[test]
fn all_is_unchanged_where_m_cas_is_switched_off() {
    let moved = moved(WITH_M_CAS.path());
    for path in [moved.path(), WITH_M_CAS.path()] {
        let ours = frames(path, "mcas", &[]);
        // Of HTTP's own ports the captures have but this one.
        let on_http = frames(path, "mcas and tcp.port == 80", &[]);
        assert!(ours.len() > on_http.len() && !on_http.is_empty());
        // What answers name is another matter.
        let learn_no_http = &["-o", "mcas.learn_http:FALSE"][..];
        let settings: &[Setting] = &[
            (&[], &ours),
            (&["--disable-protocol", "mcas"], &[]),
            (
                &[&["--disable-heuristic", "mcas_tcp"], learn_no_http]
                    .concat(),
                &on_http,
            ),
            (
                &[&["-o", "mcas.heuristic:FALSE"], learn_no_http].concat(),
                &on_http,
            ),
        ];
        assert_none(&changes(path, &EITHER_PASS, &[], settings));
    }
}

/// A connection of which nothing is ours: what is sent, and by whom.
type Session = Vec<(Side, String)>;

/// Requests whose targets and headers mention what others are known by.
fn requests_that_mention() -> Vec<String> {
    let host = "Host: www.example.jp";
    let targets = [
        "/add-con.mcas/",
        "/verup/notify.cgi",
        "/download/fw/RTS300HI/PRRTRV-S3X0HI12020003.bin",
        "/?host=add-con.mcas&User-Agent=M-CAS/1.0&TerminalID=001F67A1B2C3",
        "/?@add-con.mcas",
        "http://www.example.jp/?@add-con.mcas/",
        "http://www.example.jp/http://add-con.mcas/",
        "http://add-con.mcas@www.example.jp/",
        "http://add-con.mcas:80@www.example.jp:80/",
        "http://www.example.jp?/fw/",
    ];
    let headers = [
        "Host: add-con",
        "Host: add-con.mcas.example.jp",
        "Host: www.add-con.mcas",
        "Host: xadd-con.mcas",
        "Host: verup-mcas",
        "Host: verup-mcas:80",
        "Host: my.verup-mcas.odm00015.flets",
        "Host: www.example.jp\r\nHost: add-con.mcas",
        "Host: www.example.jp\r\nX-Host: add-con.mcas",
        "X-User-Agent: M-CAS/1.0",
        "User-Agent: m-cas/1.0",
        "User-Agent: M-CAS",
        "User-Agent: M-CAS 1.0",
        "User-Agent: XM-CAS/1.0",
        "User-Agent: Mozilla/5.0 M-CAS/1.0",
        "User-Agent: curl/8.0\r\nUser-Agent: M-CAS/1.0",
        "Referer: http://add-con.mcas/",
        "Cookie: BIGipServeraddcon_http=944474890.20480.0000",
    ];
    let of_target =
        targets.map(|it| format!("GET {it} HTTP/1.1\r\n{host}\r\n\r\n"));
    let of_header =
        headers.map(|it| format!("GET / HTTP/1.1\r\n{it}\r\n\r\n"));
    [&of_target[..], &of_header].concat()
}

/// Head and body of requests whose path, method or form is not quite that of
/// the LAN side.
fn requests_like_the_lan_side() -> Vec<[String; 2]> {
    let list = [
        "GET /cas_tel_lis",
        "GET /cas_tel_lists/",
        "GET /cas_tel_list//",
        "GET /cas_tel_list/1",
        "GET /cas_tel_list.html",
        "GET /cgi-bin/cas_tel_list/",
        "GET //cas_tel_list/",
        "GET /CAS_TEL_LIST/",
        "GET /?/cas_tel_list/",
        "GET http://cas_tel_list/",
        "GET http://cas_tel_list/?/cas_tel_list/",
        "HEAD /cas_tel_list/",
        "POST /cas_tel_list/",
    ];
    let configuration = [
        ("POST", "/cas_tel_conf/", "id=1"),
        ("POST", "/cas_tel_conf/", "ip_tel_num=3&term_type=1"),
        ("POST", "/cas_tel_conf/", "id=1&ip_tel_num1=3"),
        ("POST", "/cas_tel_conf/", "userid=1&ip_tel_num=3"),
        ("POST", "/cas_tel_conf/", "id&ip_tel_num=3"),
        ("POST", "/cas_tel_conf/", "id=1;ip_tel_num=3"),
        ("PUT", "/cas_tel_conf/", r#"{"id": "1", "ip_tel_num": "3"}"#),
        ("PUT", "/cas_tel_conf/?ip_tel_num=3", "x=1&x=id&xid=1"),
        ("PUT", "/cas_tel_config/", "id=1&ip_tel_num=3"),
        ("PUT", "/my/cas_tel_conf/", "id=1&ip_tel_num=3"),
        ("PATCH", "/cas_tel_conf/", "id=1&ip_tel_num=3"),
        ("GET", "/cas_tel_conf/?id=1&ip_tel_num=3", ""),
    ];
    let push = [
        ("POST", "/voip_setup.cgi", "username=a&password=b&sip_domain=c"),
        ("POST", "/voip_setup.cgi", "sipsv_addr"),
        ("POST", "/voip_setup.cgi", "sipsv_addr2=1&my_ip_tel_num=3"),
        ("POST", "/voip_setup", "ip_tel_num=3"),
        ("POST", "/cgi-bin/voip_setup.cgi", "ip_tel_num=3"),
        ("PUT", "/voip_setup.cgi", "ip_tel_num=3"),
        ("GET", "/voip_setup.cgi", ""),
        ("GET", "/voip_setup.cgi?tel=3", ""),
        ("GET", "/voip_setup.cgi#?ip_tel_num=3", ""),
    ];
    let list = list.map(|line| (line.to_owned(), ""));
    let forms = configuration.into_iter().chain(push);
    let forms = forms
        .map(|(method, target, form)| (format!("{method} {target}"), form));
    list.into_iter()
        .chain(forms)
        .map(|(line, form)| {
            let length = form.len();
            let head = format!(
                "{line} HTTP/1.1\r\nHost: ntt.setup\r\n\
                 Content-Length: {length}\r\n\r\n"
            );
            [head, form.to_owned()]
        })
        .collect()
}

/// Bodies that look like settings from afar.
const RESEMBLING: [&str; 10] = [
    " ResultCode=0000\r\nip_addr=172.20.184.194\r\n",
    "\r\nResultCode=0000\r\n",
    "\u{feff}ResultCode=0000\r\n",
    "ResultCode =0000\r\n",
    "ResultCode:0000\r\n",
    "ResultCodes=0000\r\n",
    "Result_Code=0000\r\n",
    "MyResultCode=0000\r\n",
    "<p>ResultCode=0000</p>",
    "{\"ResultCode=\": \"0000\"}",
];

fn response(header: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\n{header}Content-Length: {length}\r\n\r\n{body}"
    )
}

fn sessions_of_others() -> Vec<Session> {
    let settings = "ResultCode=0000\r\nip_addr=172.20.184.194\r\n";
    let answer = || (Side::Server, response("", settings));
    let mut sessions: Vec<Session> = requests_that_mention()
        .into_iter()
        .map(|request| vec![(Side::Client, request), answer()])
        .collect();

    for [head, form] in requests_like_the_lan_side() {
        let whole = (Side::Client, [&head[..], &form].concat());
        sessions.push(vec![whole, answer()]);
        if !form.is_empty() {
            let [head, form] = [head, form].map(|it| (Side::Client, it));
            sessions.push(vec![head.clone(), form.clone(), answer()]);
            sessions.push(vec![head, answer(), form]);
        }
    }

    // A payment service's form, in one segment, in several, answered early.
    let form = "ShopID=100&TerminalID=001F67A1B2C3&ServiceCode=card";
    let head = format!(
        "POST / HTTP/1.1\r\nHost: pay.example.jp\r\nContent-Type: \
         application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    let parts = [&head[..30], &head[30..], &form[..20], &form[20..]];
    let client = |bytes: &str| (Side::Client, bytes.to_owned());
    let server = |bytes: &str| (Side::Server, bytes.to_owned());
    sessions.extend([
        vec![client(&(head.clone() + form)), answer()],
        parts.map(client).into_iter().chain([answer()]).collect(),
        vec![client(&head), answer(), client(form)],
        vec![client(&(head.clone() + form).repeat(2)), answer(), answer()],
    ]);

    // Protocols whose heads have the same shape.
    let agent = "User-Agent: M-CAS/1.0\r\n\r\n";
    let lines = [
        "OPTIONS sip:add-con.mcas SIP/2.0",
        "OPTIONS * RTSP/1.0",
        "HELO add-con.mcas",
    ];
    sessions
        .extend(lines.map(|line| vec![client(&format!("{line}\r\n{agent}"))]));

    // Responses of which the request was not captured.
    sessions.extend(RESEMBLING.map(|body| vec![server(&response("", body))]));
    sessions.extend([
        vec![server(&response("Content-Encoding: gzip\r\n", settings))],
        vec![server(&response("", "")), server(settings)],
        vec![server(settings)],
        vec![server("HTTP/1.1 101 Switching Protocols\r\n\r\n"), answer()],
    ]);
    sessions
}

/// Each of those by itself, and on a connection that had M-CAS before, which
/// must not rub off.
#[test]
fn what_merely_looks_like_m_cas_is_not() {
    let m_cas = [
        (Side::Client, "GET / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n".into()),
        (Side::Server, response("", "ResultCode=0000")),
    ];
    let mut capture = Capture::default();
    let mut expected = Vec::new();
    let mut others = Vec::new();
    for (port, after_m_cas) in
        [(80, false), (80, true), (ODD_PORT, false), (ODD_PORT, true)]
    {
        for session in sessions_of_others() {
            let mut connection = capture.connect(port);
            let mut send = |(side, bytes): &(Side, String)| {
                capture.send(&mut connection, *side, bytes.as_bytes())
            };
            if after_m_cas {
                expected.extend(m_cas.each_ref().map(&mut send));
            }
            for step in session {
                others.push((send(&step), step));
            }
        }
    }
    let file = capture.write();
    for passes in [&[][..], &["-2"]] {
        let found = frames(file.path(), "mcas", passes);
        let mistaken: Vec<_> =
            others.iter().filter(|(frame, _)| found.contains(frame)).collect();
        assert!(mistaken.is_empty(), "{passes:?} {mistaken:#?}");
        assert_eq!(found, expected, "{passes:?}");
    }
    let settings: &[Setting] = &[(&[], &expected)];
    assert_none(&changes(file.path(), &ALL_WAYS, &[], settings));
}
