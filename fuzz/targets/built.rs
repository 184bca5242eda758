//! Messages built from their parts, with their body sent in two ways.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use mcas::message::COMPLETE;
use mcas::{Item, Span};
use mcas_fuzz::invariants::{read, Reading};
use mcas_fuzz::{context, message};
use std::io::Write;

/// A message; numbers stand for rows of the tables below.
#[derive(Arbitrary, Debug)]
struct Built<'a> {
    known: u8,
    work: u8,
    cut: u16,
    start: Start<'a>,
    headers: Vec<Header<'a>>,
    pairs: Vec<Pair<'a>>,
    border: u8,
    chunks: Vec<u8>,
    extension: u8,
    line_end: bool,
    behind: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Start<'a> {
    Request { method: u8, target: Target<'a> },
    Response { status: u16, reason: &'a str },
}

#[derive(Arbitrary, Debug)]
enum Target<'a> {
    Known(u8),
    Absolute { host: u8, path: u8 },
    Query { path: u8, pairs: Vec<Pair<'a>> },
    Other(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Header<'a> {
    Known { name: u8, value: u8 },
    Of { name: u8, value: &'a [u8] },
    Line(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
struct Pair<'a> {
    key: u8,
    value: PairValue<'a>,
}

#[derive(Arbitrary, Debug)]
enum PairValue<'a> {
    Known(u8),
    Number(u32),
    Address([u8; 4]),
    Routes(Vec<([u8; 4], u8)>),
    Encoded(&'a [u8]),
    Other(&'a [u8]),
}

#[rustfmt::skip]
const METHODS: &[&str] =
    &["GET", "POST", "PUT", "HEAD", "CONNECT", "OPTIONS", "get"];

#[rustfmt::skip]
const PATHS: &[&str] = &[
    "/", "/download/fw/RTS300HI/P.bin", "/verup/notify.cgi",
    "/cas_tel_list/", "/cas_tel_conf/", "/voip_setup.cgi", "", "*", "/fw/",
];

#[rustfmt::skip]
const HOSTS: &[&str] = &[
    "add-con.mcas", "verup-mcas.odm00015.flets:80", "ntt.setup", "a:1:2",
    "user@verup-mcas.x.flets", "[::1]:80", "",
];

#[rustfmt::skip]
const NAMES: &[&str] = &[
    "Host", "User-Agent", "Cookie", "Set-Cookie", "Content-Type",
    "Content-Encoding", "X", "HOST", "Host ", "Content-Length",
    "Transfer-Encoding",
];

#[rustfmt::skip]
const VALUES: &[&str] = &[
    "add-con.mcas", "verup-mcas.odm00015.flets:80",
    "M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)", "M-CAS/1.0",
    "BIGipServerx=944474890.20480.0000; path=/; BIGipServer=!x",
    "BIGipServer=rd5o00000000000000000000ffffc0000201o80",
    "BIGipServery=vi20010112000000000000000000000030.20480",
    "BIGipServerz=9XX.1.0000", "text/plain;charset=ISO-8859-1",
    "application/x-www-form-urlencoded", "text/html; charset=Shift_JIS",
    "gzip", "identity", "", "chunked", "gzip, chunked", "3",
];

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "ResultCode", "TerminalID", "ip_addr", "netmask", "gateway",
    "dest_nw_addr", "sipsv_addr", "sipsv_port", "regsv_addr", "regsv_port",
    "sip_domain", "username", "password", "ip_tel_num", "ip_tel_num2",
    "area_code", "url_update", "url_update_cas", "dscp", "rtpport1",
    "rtpport2", "CompanyCode", "id", "term_type", "unknown", "",
    "%52esultCode", "ip_tel_num65536", "IP_TEL_NUM007", "RESULTCODE",
];

#[rustfmt::skip]
const PAIR_VALUES: &[&str] = &[
    "0000", "0010", "001F67A1B2C3", "001F67XXXXXX", "172.20.1.2", "30",
    "192.0.2.0/24&198.51.100.1/24&x", "192.0.2.0%2F24%26XX", "XXX", "3,4,X,,",
    "%E3%81%82", "%93%64", "+", "%", "secret", "999999", "256", "63",
];

fn row<'a>(table: &[&'a str], number: u8) -> &'a str {
    table[usize::from(number) % table.len()]
}

impl Start<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Start::Request { method, target } => {
                write!(out, "{} ", row(METHODS, *method)).unwrap();
                target.write(out);
                out.extend_from_slice(b" HTTP/1.1\r\n");
            }
            Start::Response { status, reason } => {
                // Most are a success.
                let status = if *status < 1000 { *status } else { 200 };
                write!(out, "HTTP/1.1 {status:03} {reason}\r\n").unwrap();
            }
        }
    }
}

impl Target<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Target::Known(path) => write!(out, "{}", row(PATHS, *path)),
            Target::Absolute { host, path } => {
                let (host, path) = (row(HOSTS, *host), row(PATHS, *path));
                write!(out, "http://{host}{path}")
            }
            Target::Query { path, pairs } => {
                write!(out, "{}?", row(PATHS, *path)).unwrap();
                write_pairs(pairs, b"&", out);
                Ok(())
            }
            Target::Other(bytes) => out.write_all(bytes),
        }
        .unwrap();
    }
}

impl Header<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Header::Known { name, value } => {
                let (name, value) = (row(NAMES, *name), row(VALUES, *value));
                write!(out, "{name}: {value}").unwrap();
            }
            Header::Of { name, value } => {
                write!(out, "{}: ", row(NAMES, *name)).unwrap();
                out.extend_from_slice(value);
            }
            Header::Line(bytes) => out.extend_from_slice(bytes),
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn write_pairs(pairs: &[Pair], border: &[u8], out: &mut Vec<u8>) {
    for pair in pairs {
        write!(out, "{}=", row(KEYS, pair.key)).unwrap();
        match &pair.value {
            PairValue::Known(value) => {
                write!(out, "{}", row(PAIR_VALUES, *value)).unwrap();
            }
            PairValue::Number(number) => write!(out, "{number}").unwrap(),
            PairValue::Address([a, b, c, d]) => {
                write!(out, "{a}.{b}.{c}.{d}").unwrap();
            }
            PairValue::Routes(routes) => {
                // In a form the border of the list is encoded.
                let between = if border == b"&" { "%26" } else { "&" };
                for ([a, b, c, d], prefix) in routes {
                    write!(out, "{a}.{b}.{c}.{d}/{prefix}{between}").unwrap();
                }
            }
            PairValue::Encoded(bytes) => {
                for byte in *bytes {
                    write!(out, "%{byte:02x}").unwrap();
                }
            }
            PairValue::Other(bytes) => out.extend_from_slice(bytes),
        }
        out.extend_from_slice(border);
    }
}

/// The body in chunks of the sizes that `sizes` says, over and over.
fn write_chunks(
    body: &[u8],
    sizes: &[u8],
    extension: &str,
    out: &mut Vec<u8>,
) {
    let mut sizes = sizes.iter().map(|&size| usize::from(size) + 1).cycle();
    let mut rest = body;
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(rest.len()).min(rest.len());
        let (chunk, next) = rest.split_at(size);
        write!(out, "{size:x}{extension}\r\n").unwrap();
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
        rest = next;
    }
    out.extend_from_slice(b"0\r\n\r\n");
}

/// Whether a head says how long its body is, or ends.
fn delimits(head: &[u8]) -> bool {
    let text = head.to_ascii_lowercase();
    let has = |what: &[u8]| text.windows(what.len()).any(|w| w == what);
    has(b"content-length")
        || has(b"transfer-encoding")
        || has(b"\n\n")
        || has(b"\n\r\n")
}

/// The items of a head; where it ends is told by its last line.
fn in_place(read: &Reading) -> Vec<Item> {
    let mut items = read.head.clone();
    let end = read.message.body.offset;
    for item in &mut items {
        if item.span.offset == end && item.span.length == 0 {
            item.span = Span::default();
        }
    }
    items
}

fuzz_target!(|built: Built| {
    let mut head = vec![];
    built.start.write(&mut head);
    for header in &built.headers {
        header.write(&mut head);
    }
    let borders: [&[u8]; 3] = [b"\r\n", b"&", b"\n"];
    let border = borders[usize::from(built.border) % 3];
    let mut body = vec![];
    write_pairs(&built.pairs, border, &mut body);
    if !built.line_end {
        body.truncate(body.len().saturating_sub(border.len()));
    }

    let mut plain = head.clone();
    let length = body.len();
    write!(plain, "Content-Length: {length}\r\n\r\n").unwrap();
    plain.extend_from_slice(&body);
    plain.extend_from_slice(built.behind);
    let context = context(built.known);
    message(&plain, &context, built.work, built.cut);

    let head_length = head.len();
    let mut chunked = head;
    chunked.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    let extension = row(&["", ";a=b", " ", ";"], built.extension);
    write_chunks(&body, &built.chunks, extension, &mut chunked);
    chunked.extend_from_slice(built.behind);

    // Both say the same, unless the fuzzer's bytes delimit the body.
    let (Ok(a), Ok(b)) = (read(&plain, &context), read(&chunked, &context))
    else {
        return;
    };
    if !a.message.has(COMPLETE) || delimits(&chunked[..head_length]) {
        return;
    }
    let facts = |m: &mcas::Message| {
        let known = [m.kind, m.message_type, m.flags, m.method, m.status];
        (known, m.media, m.charset)
    };
    assert_eq!(facts(&a.message), facts(&b.message));
    assert_eq!(in_place(&a), in_place(&b));
    assert_eq!(a.body, b.body);
});
