//! Odd heads, hosts and values: as Wireshark's HTTP reads them.

use crate::support::{messages, tshark, Capture, Message, Side};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

// Kinds of oddities, each with its siblings.

const FORM: &str = "TerminalID=001F67A1B2C3";
const SETTINGS: &str = "ResultCode=0000\r\nip_addr=172.20.184.194\r\n\
    sipsv_addr=192.0.2.5\r\nip_tel_num=0312345678\r\n";

/// A request, its response, and what is to be seen of either: a field with its
/// value, or any with `*`, and a note without; or no such note with `!`.
struct Odd {
    request: Vec<u8>,
    response: Vec<u8>,
    seen: Vec<(&'static str, &'static str)>,
}

/// A provisioning request of these lines, line ends included.
fn asks(start: &str, lines: &[u8]) -> Vec<u8> {
    let length = format!("Content-Length: {}\r\n\r\n", FORM.len());
    [start.as_bytes(), b"\r\n", lines, length.as_bytes(), FORM.as_bytes()]
        .concat()
}

fn answers(start: &str, lines: &[u8], body: &str) -> Vec<u8> {
    let length = format!("Content-Length: {}\r\n\r\n", body.len());
    [start.as_bytes(), b"\r\n", lines, length.as_bytes(), body.as_bytes()]
        .concat()
}

const HOST: &[u8] = b"Host: add-con.mcas\r\n";
const INVALID: (&str, &str) = ("mcas.head.invalid", "");
const UNCLEAR: (&str, &str) = ("mcas.framing.unclear", "");
const TERMINAL: (&str, &str) = ("mcas.terminal_id", "001F67A1B2C3");
const NUMBER: (&str, &str) = ("mcas.ip_tel_num", "0312345678");

/// Lines that are no headers, or odd ones, in either direction.
const LINES: [&[u8]; 14] = [
    b"X: a\0b\r\n",
    b"X\0: a\r\n",
    b"\0\r\n",
    b"X: a\x01b\x7f\r\n",
    b"X: a\rb\r\n",
    b"X\r: a\r\n",
    b"X: a\r",
    b"no colon\r\n",
    b"X: a\r\n folded\r\n",
    b" Content-Length: 3\r\n",
    b": nothing\r\n",
    b"X : y\r\n",
    b"\xe3\x81\x82: y\r\n",
    b"(X): y\r\n",
];

fn odd_ones() -> Vec<Odd> {
    let mut odd = vec![];
    let plain = || answers("HTTP/1.1 200 OK", b"", SETTINGS);
    let request = |request: Vec<u8>, seen: &[_]| Odd {
        request,
        response: plain(),
        seen: [seen, &[NUMBER]].concat(),
    };
    let response = |response: Vec<u8>, seen: &[_]| Odd {
        request: asks("POST / HTTP/1.1", HOST),
        response,
        seen: [seen, &[TERMINAL]].concat(),
    };
    for line in LINES {
        let lines = [line, HOST].concat();
        let asks = asks("POST / HTTP/1.1", &lines);
        odd.push(request(asks, &[TERMINAL, INVALID]));
        let answers = answers("HTTP/1.1 200 OK", line, SETTINGS);
        odd.push(response(answers, &[NUMBER, INVALID]));
    }
    // Many headers are no oddity.
    let many = b"X: y\r\n".repeat(300);
    odd.push(request(
        asks("POST / HTTP/1.1", &[&many, HOST].concat()),
        &[TERMINAL],
    ));
    odd.push(response(answers("HTTP/1.1 200 OK", &many, SETTINGS), &[NUMBER]));
    for start in [
        "POST / HTTP/1.1 ",
        "POST / HTTP/1.1\t",
        "POST / HTTP/1.2",
        "POST / HTTP/1.10",
        "POST / HTTP/1.1 x",
        "POST /\0 HTTP/1.1",
        "POST /a b HTTP/1.1",
    ] {
        let asks = asks(start, HOST);
        odd.push(request(asks, &[TERMINAL, INVALID]));
    }
    for start in [
        "HTTP/1.1 200 O\0K",
        "HTTP/1.1 200 \x01",
        "HTTP/1.2 200 OK",
        "HTTP/1.1 200OK",
        "HTTP/1.1 2000 OK",
    ] {
        let answers = answers(start, b"", SETTINGS);
        let status = ("mcas.status", "200");
        odd.push(response(answers, &[NUMBER, status, INVALID]));
    }
    // Without a status it is the answer all the same.
    let answer = answers("HTTP/1.1 OK", b"", SETTINGS);
    let linked = ("mcas.response_to", "*");
    odd.push(response(answer, &[NUMBER, INVALID, linked]));
    let get = |line: &[u8]| [b"GET ", line, b"\r\n\r\n"].concat();
    odd.push(request(
        get(b"http://verup-mcas.odm00015.flets/fw/M/A B.bin HTTP/1.1"),
        &[
            ("mcas.firmware.path", "/fw/M/A B.bin"),
            ("mcas.firmware.file", "A B.bin"),
            ("mcas.odm", "odm00015"),
            INVALID,
        ],
    ));
    odd.last_mut().unwrap().seen.pop();
    odd.push(request(
        get(b"/voip_setup.cgi?ip_tel_num=3&password=ab cd HTTP/1.1"),
        &[("mcas.password", "ab cd"), INVALID],
    ));
    odd.push(request(
        get(b"http://verup-mcas.x.flets/fw/\xff.bin HTTP/1.1"),
        &[("mcas.firmware.file", "\u{ff}.bin"), INVALID],
    ));
    odd.last_mut().unwrap().seen.pop();
    // Where a body ends.
    let with = |lines: &str, body: &str| {
        let host = String::from_utf8_lossy(HOST);
        format!("POST / HTTP/1.1\r\n{host}{lines}\r\n{body}").into_bytes()
    };
    for line in [
        "Transfer-Encoding: identity\r\nContent-Length: 23\r\n",
        "Content-Length: 23\r\nTransfer-Encoding: x\r\n",
        "Content-Length: +23\r\n",
        "Content-Length: 9\r\nContent-Length: 23\r\n",
        "Content-Length: x\r\nContent-Length: 23\r\n",
    ] {
        odd.push(request(with(line, FORM), &[TERMINAL, UNCLEAR]));
    }
    for (line, invalid) in [
        ("Content-Length : 23\r\n", true),
        ("Content-Length\t: 23\r\n", true),
        ("Content-Length: 23, 23\r\n", false),
        ("Content-Length: 23\r\nContent-Length: x\r\n", false),
    ] {
        let mut seen = vec![UNCLEAR, ("mcas.type", "1")];
        seen.extend(invalid.then_some(INVALID));
        odd.push(request(with(line, ""), &seen));
    }
    // Hosts.
    for (host, shown) in [
        ("fd00::1", "fd00::1"),
        ("[fd00::1]", "[fd00::1]"),
        ("[fd00::1]:80", "[fd00::1]"),
        ("1:2:3:4:5:6:7:8:80", "1:2:3:4:5:6:7:8"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("ntt.setup.:80", "ntt.setup."),
    ] {
        let line = format!("/cas_tel_list/ HTTP/1.1\r\nHost: {host}");
        let seen = [("mcas.host", shown), ("mcas.type", "7")];
        odd.push(request(get(line.as_bytes()), &seen));
        odd.last_mut().unwrap().seen.pop();
    }
    for target in ["/", "https://add-con.mcas/", "http://add-con.mcas.:80/"] {
        let start = format!("POST {target} HTTP/1.1");
        let host = b"Host: ADD-CON.mcas.\r\n";
        let mut only = request(asks(&start, host), &[TERMINAL]);
        only.seen.push(("!mcas.value.inconsistent", ""));
        odd.push(only);
    }
    odd.push(request(
        get(b"/fw/A/b.bin HTTP/1.1\r\nHost: verup-mcas.odm00015.flets."),
        &[("mcas.odm", "odm00015"), ("mcas.type", "3")],
    ));
    odd.last_mut().unwrap().seen.pop();
    // Values.
    let valued = |lines: &str, body: &str| {
        answers("HTTP/1.1 200 OK", lines.as_bytes(), body)
    };
    let bom = format!("\u{feff}{SETTINGS}");
    let success = ("mcas.result_code", "0");
    odd.push(response(valued("", &bom), &[NUMBER, success]));
    let zeros = SETTINGS.replace("0000", "000000000");
    let fine = ("!mcas.result_code.failure", "");
    odd.push(response(valued("", &zeros), &[NUMBER, success, fine]));
    let cookie =
        "Set-Cookie: BIGipServerp=\"944474890.20480.0000\"; path=/\r\n";
    odd.push(response(
        valued(cookie, SETTINGS),
        &[
            ("mcas.bigip", "944474890.20480.0000"),
            ("mcas.bigip.addr", "10.139.75.56"),
            NUMBER,
        ],
    ));
    let none = "sip_domain=a\u{fffe}b\u{ffff}c\r\n".to_owned() + SETTINGS;
    let domain = ("mcas.sip_domain", "a\u{fffd}b\u{fffd}c");
    odd.push(response(valued("", &none), &[domain, NUMBER]));
    odd
}

/// In one segment, in two that end anywhere, and in one pass and two.
#[test]
fn oddities_hide_nothing() {
    let mut capture = Capture::default();
    let mut placed: Vec<(Range<u32>, Odd, Option<usize>)> = vec![];
    let ways = [None, Some(0), Some(1), Some(2), Some(3)];
    for (number, way) in ways.into_iter().enumerate() {
        for (i, odd) in odd_ones().into_iter().enumerate() {
            let from = capture.frames + 1;
            let mut connection = capture.connect(80);
            for (side, bytes) in
                [(Side::Client, &odd.request), (Side::Server, &odd.response)]
            {
                // Places that wander over the message.
                let cut = way.map(|way| {
                    (7 + 31 * i + way * bytes.len() / 4) % bytes.len()
                });
                let (a, b) = bytes.split_at(cut.unwrap_or_default());
                for part in [a, b] {
                    if !part.is_empty() {
                        capture.send(&mut connection, side, part);
                    }
                }
            }
            for frame in connection.close() {
                capture.push(&frame);
            }
            placed.push((from..capture.frames + 1, odd, way.or(Some(number))));
        }
    }
    let file = capture.write();
    for options in [&[][..], &["-2"]] {
        let shown = messages(file.path(), options);
        for (frames, odd, way) in &placed {
            let here: Vec<&Message> = shown
                .iter()
                .filter(|message| frames.contains(&message.frame))
                .collect();
            for &(name, value) in &odd.seen {
                let noted = |name: &str| {
                    here.iter().any(|m| m.notes.iter().any(|n| n == name))
                };
                let seen = match name.strip_prefix('!') {
                    Some(name) => !noted(name),
                    None if value.is_empty() => noted(name),
                    None if value == "*" => {
                        here.iter().any(|m| !m.values(name).is_empty())
                    }
                    None => {
                        here.iter().any(|m| m.values(name).contains(&value))
                    }
                };
                assert!(
                    seen,
                    "{name} {value:?}, {way:?} {options:?}:\n{}\n{}\n{here:#?}",
                    odd.request.escape_ascii(),
                    odd.response.escape_ascii(),
                );
            }
            let invalid = odd.seen.contains(&INVALID);
            let noted = here.iter().any(|message| {
                message.notes.iter().any(|note| note == INVALID.0)
            });
            assert_eq!(invalid, noted, "{}", odd.request.escape_ascii());
        }
    }
}

// Where a body ends: as HTTP's dissector has it.

/// Numbers that look random, the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.roll(of.len())]
    }
}

/// Why a body may be another than HTTP's: docs/security.md has the reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// A line without a colon.
    NoColon,
    /// More than a Content-Length beside a coding says.
    Behind,
    /// `Chunked`.
    Case,
    /// Chunked behind two other codings.
    Third,
    /// Two codings of which one compresses.
    Compressed,
    /// Chunked behind another coding, in two segments.
    NotAwaited,
}

/// A message that was thrown.
struct Thrown {
    response: bool,
    bytes: Vec<u8>,
    /// Pairs of its body, as it was meant.
    meant: Vec<String>,
    /// What may make its body another one.
    why: Option<Why>,
    /// Whether HTTP does not wait for the last chunk.
    not_awaited: bool,
    /// Where a segment may end: HTTP loses messages whose trailer is cut.
    cuttable: usize,
}

fn throw(dice: &mut Dice) -> Thrown {
    let response = dice.roll(2) == 0;
    let border = if response { "\r\n" } else { "&" };
    let meant: Vec<String> = (0..2 + dice.roll(3))
        .map(|i| format!("k{i}={:0width$}", i, width = 1 + dice.roll(6)))
        .collect();
    let mut body = meant.join(border);
    if response {
        body += border;
    }
    let length = body.len();
    let requests =
        ["/ HTTP/1.1", "/ HTTP/1.1 ", "/ HTTP/1.2", "/a b HTTP/1.1"];
    let responses =
        ["1 200 OK", "1 200 O\0K", "2 200", "1  200 OK", "1 200OK", "1 2000"];
    let odd_start = dice.roll(4) == 0;
    let start = if response {
        let rest = if odd_start { dice.one(&responses) } else { responses[0] };
        format!("HTTP/1.{rest}")
    } else {
        let rest = if odd_start { dice.one(&requests) } else { requests[0] };
        format!("POST {rest}")
    };
    let mut why = None;
    let mut lines: Vec<Vec<u8>> = vec![];
    let (mut coded, mut chunked) = (false, false);
    let mut known = usize::MAX;
    // To know what is awaited, HTTP looks at the first coding of each.
    let mut awaited = false;
    for _ in 0..dice.roll(3) {
        let name = dice.one(&[
            "Transfer-Encoding:",
            "Transfer-Encoding:",
            "transfer-encoding: ",
            "Transfer-Encoding: \t",
            "Transfer-Encoding :",
        ]);
        let value = dice.one(&[
            "chunked",
            "chunked",
            "identity",
            "foo",
            "",
            "gzip",
            "gzip, chunked",
            "chunked, gzip",
            "identity, chunked",
            "foo, chunked",
            "chunked, chunked",
            "chunked;q=1",
            "chunkedx",
            "x-chunked",
            "\0chunked",
            "chunked\0",
            "Chunked",
            "identity, identity, chunked",
            "gzip, identity",
            "identity, gzip",
        ]);
        lines.push([name, value].concat().into());
        if name.ends_with(" :") {
            continue;
        }
        coded = true;
        chunked |= value.to_lowercase().contains("chunked")
            && !matches!(value, "x-chunked" | "\0chunked");
        awaited |= value.to_lowercase().starts_with("chunked");
        let reason = match value {
            "Chunked" => Some(Why::Case),
            "identity, identity, chunked" => Some(Why::Third),
            v if v.contains("gzip") => Some(Why::Compressed),
            _ => None,
        };
        why = why.max(reason);
    }
    for _ in 0..dice.roll(3) {
        let name = dice.one(&[
            "Content-Length:",
            "Content-Length: ",
            "CONTENT-length:\t",
            "Content-Length :",
            "Content-Length\t:",
            " Content-Length:",
            "Content-Length\0:",
        ]);
        let sent = match dice.roll(20) {
            0 => format!("+{length}"),
            1 => format!("{length} x"),
            2 => format!("{length}, {length}"),
            3 => format!("{length},{length}"),
            4 => format!("00{length}"),
            5 => format!("{length}\0x"),
            6 => format!("\0{length}"),
            7 => format!("{length}\t"),
            8 => format!("{length}\x0bx"),
            9 => format!("{length}\x0cx"),
            10 => format!("-{length}"),
            11 => "-0".into(),
            12 => "".into(),
            13 => "x".into(),
            14 => format!("0x{length}"),
            15 => "9223372036854775808".into(),
            16 => (length - 3).to_string(),
            17 => "0".into(),
            _ => length.to_string(),
        };
        lines.push([name, &sent].concat().into());
        known = match sent.as_str() {
            "-0" | "0" => 0,
            sent if sent == (length - 3).to_string() => length - 3,
            _ => length,
        }
        .min(known);
    }
    for _ in 0..dice.roll(3) {
        let line: &[u8] = dice.one(&[
            b"X: a\0b",
            b"X\0: a",
            b"X : y",
            b"X: a\x01",
            b": x",
            b"(X): y",
            b" folded: x",
            b"X: a\rY: b",
            b"\xe3\x81\x82: y",
            b"no colon",
        ]);
        if line == b"no colon" {
            why = why.max(Some(Why::NoColon));
        }
        lines.push(line.into());
    }
    for i in (1..lines.len()).rev() {
        lines.swap(i, dice.roll(i + 1));
    }
    if !response {
        lines.insert(0, b"Host: add-con.mcas".into());
    }
    let mut bytes = start.into_bytes();
    let alone = dice.roll(8) == 0;
    for line in &lines {
        let end = match dice.roll(8) {
            0 => "\n",
            1 if alone => "\r",
            _ => "\r\n",
        };
        bytes.extend(end.as_bytes());
        bytes.extend(line);
    }
    bytes.extend(if dice.roll(8) == 0 { &b"\n\n"[..] } else { b"\r\n\r\n" });
    if chunked {
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (part, more) = rest.split_at(1 + dice.roll(rest.len()));
            rest = more;
            let extension = dice.one(&["", "", ";x", ";x=\"y\""]);
            let size = format!("{:x}{extension}\r\n{part}\r\n", part.len());
            bytes.extend(size.as_bytes());
        }
        bytes.extend(b"0\r\n");
    } else {
        bytes.extend(body.as_bytes());
    }
    let cuttable = bytes.len();
    if chunked {
        bytes.extend(dice.one(&["\r\n", "X: y\r\n\r\n"]).as_bytes());
    }
    let behind = dice.roll(6) == 0;
    if coded && !chunked && (known < length || known == length && behind) {
        why = why.max(Some(Why::Behind));
    }
    if behind {
        let next = if response {
            "HTTP/1.1 204 No\r\n\r\n"
        } else {
            "GET /next HTTP/1.1\r\n\r\n"
        };
        bytes.extend(next.as_bytes());
    }
    let not_awaited = chunked && !awaited;
    Thrown { response, bytes, meant, why, not_awaited, cuttable }
}

/// What HTTP and M-CAS show of a message: the pairs in the body of each.
#[derive(Debug, Default, PartialEq)]
struct Shown {
    http: Option<Vec<u8>>,
    ours: Option<Vec<Vec<u8>>>,
}

/// An attribute of a tag, as it stands.
fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let start = tag.find(name).map(|at| at + name.len());
    let text = start.map_or("", |start| &tag[start..]);
    &text[..text.find('"').unwrap_or_default()]
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

/// By frame and direction, what is shown first. A reader of XML takes longer
/// than tshark for so much of it.
fn shown(path: &Path, options: &[&str]) -> BTreeMap<(u32, bool), Shown> {
    let path = path.to_str().expect("paths of tests are plain");
    let read = ["-r", path, "-Y", "http || mcas", "-T", "pdml"];
    let pdml = tshark(&[&read[..], &["-j", "http mcas"], options].concat());
    let mut found = BTreeMap::new();
    let mut frame = 0;
    // The protocol whose fields come now: kind of message, and its body.
    let mut http: (Option<bool>, Vec<u8>) = Default::default();
    let mut ours: (Option<bool>, Vec<Vec<u8>>) = Default::default();
    for tag in pdml.split('<') {
        let name = attribute(tag, " name=\"");
        match name {
            "num" => frame = attribute(tag, " show=\"").parse().unwrap(),
            "http.request" => http.0 = Some(false),
            "http.response" => http.0 = Some(true),
            "http.file_data" => http.1 = bytes(attribute(tag, " value=\"")),
            "mcas.type" => {
                ours.0 = Some(attribute(tag, " show=\"") == "2");
            }
            "mcas.param" => {
                ours.1.push(bytes(attribute(tag, " value=\"")));
            }
            _ => {}
        }
        if tag.starts_with("/proto") {
            if let (Some(kind), data) = std::mem::take(&mut http) {
                let shown: &mut Shown =
                    found.entry((frame, kind)).or_default();
                shown.http.get_or_insert(data);
            }
            if let (Some(kind), pairs) = std::mem::take(&mut ours) {
                let shown = found.entry((frame, kind)).or_default();
                shown.ours.get_or_insert(pairs);
            }
        }
    }
    found
}

/// The pairs of a body, split naively.
fn pairs(body: &[u8], response: bool) -> Vec<Vec<u8>> {
    let pairs: Vec<&[u8]> = if response {
        let lines = body.split_inclusive(|&b| b == b'\n');
        lines
            .map(|line| match line {
                [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
                line => line,
            })
            .collect()
    } else {
        let ends = |b: &&u8| b"\r\n".contains(b);
        let ends = body.iter().rev().take_while(ends).count();
        body[..body.len() - ends].split(|&b| b == b'&').collect()
    };
    let pairs = pairs.into_iter().filter(|pair| !pair.is_empty());
    pairs.map(<[u8]>::to_vec).collect()
}

/// How many heads are thrown.
const HEADS: usize = 4000;

#[test]
fn bodies_end_as_in_http() {
    let mut dice = Dice(0x4d2d_4341_5321);
    let mut capture = Capture::default();
    let mut placed = vec![];
    for i in 0..HEADS {
        let thrown = throw(&mut dice);
        let mut connection = capture.connect(80);
        let side = if thrown.response {
            let asks = asks("POST / HTTP/1.1", HOST);
            capture.push(&connection.segment(Side::Client, &asks));
            Side::Server
        } else {
            Side::Client
        };
        let from = capture.frames + 1;
        let cut = if i % 2 == 0 { 0 } else { dice.roll(thrown.cuttable) };
        let (a, b) = thrown.bytes.split_at(cut);
        for part in [a, b] {
            if !part.is_empty() {
                capture.push(&connection.segment(side, part));
            }
        }
        for frame in connection.close() {
            capture.push(&frame);
        }
        let why = thrown
            .why
            .or((thrown.not_awaited && cut > 0).then_some(Why::NotAwaited));
        placed.push((from..capture.frames + 1, thrown, why, cut));
    }
    let file = capture.write();
    for options in [&[][..], &["-2"]] {
        let found = shown(file.path(), options);
        let mut differ = BTreeMap::<Why, usize>::new();
        let (mut bodies, mut wrong) = (0, String::new());
        for (frames, thrown, why, cut) in &placed {
            let first = frames
                .clone()
                .find_map(|frame| found.get(&(frame, thrown.response)));
            let nothing = Shown::default();
            let Shown { http, ours } = first.unwrap_or(&nothing);
            let of_http =
                http.as_ref().map(|body| pairs(body, thrown.response));
            if of_http == *ours {
                bodies += usize::from(ours.iter().flatten().count() > 0);
            } else if let Some(why) = *why {
                *differ.entry(why).or_default() += 1;
                if *cut == 0 && matches!(why, Why::Case | Why::Third) {
                    let meant =
                        thrown.meant.iter().map(|pair| pair.as_bytes());
                    let meant: Vec<_> = meant.map(<[u8]>::to_vec).collect();
                    assert_eq!(*ours, Some(meant), "frames {frames:?}");
                }
            } else {
                let text = |pairs: &Option<Vec<Vec<u8>>>| {
                    pairs.as_ref().map(|pairs| {
                        let all = pairs.join(&b"|"[..]);
                        all.escape_ascii().to_string()
                    })
                };
                wrong += &format!(
                    "frames {frames:?}: {}\n  http {:?}\n  ours {:?}\n",
                    thrown.bytes.escape_ascii(),
                    text(&of_http),
                    text(ours),
                );
            }
        }
        assert!(wrong.is_empty(), "{options:?}\n{wrong}");
        assert!(bodies > HEADS / 3, "{bodies}");
        // Of each there is some: what is listed without need would go.
        assert_eq!(differ.len(), 6, "{differ:?}");
    }
}
