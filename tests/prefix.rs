//! Every prefix of every message, and what random damage makes of them.
//!
//! A capture may end anywhere, and TCP hands a message over in any number of
//! steps; so for each prefix the core has to keep what its manual promises:
//! what that is stands in [`crate::invariants`].

use crate::invariants::{
    check, classes_agree, pieces_agree, prefix_agrees, ways_agree,
};
use mcas::message;
use mcas::types::TYPE_NONE as NONE;
use mcas::{Context, Request};

/// No request was seen.
pub const UNSEEN: u32 = u32::MAX - 1;

/// What is known of a response to a request of this type.
fn answering(request_type: u32) -> Context {
    match request_type {
        UNSEEN => Context::default(),
        known => Context::answering(Request::new(known)),
    }
}

/// A message as it may be met.
pub struct Sample {
    pub name: &'static str,
    /// Type of the request it answers, if it is a response; or [`UNSEEN`].
    pub request_type: u32,
    /// What it is for, once all of it is there.
    pub message_type: u32,
    pub bytes: Vec<u8>,
}

impl Sample {
    pub fn context(&self) -> Context {
        answering(self.request_type)
    }

    pub fn is_ours(&self) -> bool {
        self.message_type != NONE
    }
}

/// Messages whose end is in their own bytes.
#[rustfmt::skip]
const WHOLE: &[(&str, u32, u32, &[u8])] = &[
    ("provisioning request", UNSEEN, 1, b"POST / HTTP/1.1\r\n\
        User-Agent: M-CAS/1.0\r\nAccept: */*\r\nHost: add-con.mcas\r\n\
        Connection: Keep-Alive\r\n\
        Content-Type: application/x-www-form-urlencoded\r\n\
        Content-Length: 62\r\n\r\n\
        CompanyCode=&ServiceCode=&ControlCode=&TerminalID=001F67A1B2C3"),
    ("provisioning response", 1, 2, b"HTTP/1.1 200 OK\r\n\
        Set-Cookie: BIGipServeraddcon_http=944474890.20480.0000; path=/\r\n\
        Content-Length: 190\r\n\
        Content-Type: text/plain;charset=ISO-8859-1\r\n\r\n\
        ResultCode=0000\r\nip_addr=172.20.1.2\r\nnetmask=30\r\n\
        gateway=172.20.1.1\r\n\
        dest_nw_addr=192.0.2.0/24&198.51.100.1/24&x\r\n\
        sipsv_addr=192.0.2.7\r\nip_tel_num=0000000001\r\n\
        ip_tel_num2=0000000002\r\ndscp=32"),
    ("odd request", UNSEEN, 1, b"POST http://add-con.mcas./a b HTTP/1.2 \r\n\
        X: \0\rUser-Agent: M-CAS/1.0\r\nno colon\nHost : fd00::1\r\n\
        Cookie: BIGipServerp=\"944474890.20480.0000\"\r\n\
        Content-Length : 9\r\nContent-Length: +23 x\r\n\
        Transfer-Encoding: identity\r\n\r\nTerminalID=001F67A1B2C3"),
    ("odd response", 1, 2, b"HTTP/1.10 200OK\r\nX\0: y\r\n\
        Transfer-Encoding: foo, chunked;q=1\r\n\r\n\
        2\r\n\xef\xbb\r\n1b\r\n\xbfResultCode=00000000\r\na=b\r\n\r\n0\r\n\r\n"),
    ("firmware request", UNSEEN, 3, b"GET \
        http://verup-mcas.odm00015.flets/download/fw/RTS300HI/P.bin HTTP/1.1\
        \r\nUser-Agent: M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)\r\n\
        Host: verup-mcas.odm00015.flets:80\r\nAccept: */*\r\n\r\n"),
    ("firmware response", 3, 4, b"HTTP/1.1 200 OK\r\n\
        Content-Type: application/octet-stream\r\nContent-Length: 16\r\n\r\n\
        \x00\xff\x00\xffa=1\r\nb=2\r\n\xff\x00"),
    ("notification", UNSEEN, 5, b"POST /verup/notify.cgi?a=%31 HTTP/1.1\r\n\
        User-Agent: M-CAS/1.0\r\nHost: 192.0.2.1:50080\r\n\
        Content-Type: text/plain\r\nContent-Length: 21\r\n\r\n\
        TerminalID=001F67XXXX"),
    ("notification response", 5, 6, b"HTTP/1.1 200 OK\r\n\
        Content-Length: 15\r\n\r\nResultCode=0010"),
    ("other request", UNSEEN, 0, b"OPTIONS * HTTP/1.1\r\n\
        Host: add-con.mcas\r\n\r\n"),
    ("other response", 0, 13, b"HTTP/1.1 204 No Content\r\n\r\n"),
    ("web page", NONE, NONE, b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\
        \r\nResultCode=0000"),
    ("unmatched response", UNSEEN, 2, b"HTTP/1.1 200 OK\r\n\
        Content-Length: 28\r\n\r\nrEsUlTcOdE=00\nrtpport1=9x=\r\n"),
    ("interim response", 1, NONE, b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("chunked response", 1, 2, b"HTTP/1.1 200 OK\r\n\
        Transfer-Encoding: chunked\r\n\r\n\
        6;x=y\r\nResult\r\n0a\r\nCode=0000\n\r\n\
        10\r\nrtpport1=9\r\nrtpp\r\n8\r\nort2=8\r\n\r\n0\r\nT: u\r\n\r\n"),
    ("chunked request", UNSEEN, 1, b"PUT /x HTTP/1.1\r\n\
        Host: add-con.mcas\r\nTransfer-Encoding: identity, chunked\r\n\r\n\
        4\r\nTerm\r\n9\r\ninalID=00\r\na\n1F67a1b2c3\n0\n\n"),
    ("LF only", UNSEEN, 1, b"POST http://u:p@ADD-CON.mcas:80 HTTP/1.1\n\
        host:\nUSER-AGENT:M-CAS/ (A B 1.0; /X//Y\nContent-Length: 32\n\n\
        a=1&&%54erminalID=0%301F67&=&b\r\n"),
    ("blank lines before", UNSEEN, 1, b"\r\n\n\rPOST / HTTP/1.0\r\n\
        Host: add-con.mcas\r\nContent-Length: 3\r\n\r\n\r\n\r"),
    ("cookies", 1, 2, b"HTTP/1.1 200 OK\r\n\
        Set-Cookie: BIGipServer=944474890.20480.0000; BIGipServerno=1\r\n\
        Set-Cookie: BIGipServera=rd5o00000000000000000000ffffc0000201o80\r\n\
        Set-Cookie: BIGipServerb=vi20010112000000000000000000000030.20480\r\n\
        Set-Cookie: BIGipServerc=rd3o20010112000000000000000000000030o80\r\n\
        Set-Cookie: BIGipServerd=!8NrZ/x==;x\r\n\
        Set-Cookie: BIGipServere=9444XXXXX.20480.0000\r\n\
        Set-Cookie:BIGipServerf=\r\nSet-Cookie: x=BIGipServerg=1\r\n\
        Content-Length: 0\r\n\r\n"),
    ("Cookie headers", UNSEEN, 3, b"HEAD /fw/?q=\x7e%zz%4 HTTP/1.1\r\n\
        Host: x\r\nHost: add-con.mcas\r\nUser-Agent: M-CAS/7.0 ()\r\n\
        Cookie: a=b; BIGipServerx = 1.2.0000 ;; BIGipServer=!;=\r\n\
        Cookie: BIGipServery=4294967295.65535.9999\r\n\r\n"),
    ("hosts that differ", UNSEEN, 0, b"GET \
        http://verup-mcas.a.flets/?%69p_tel_num12=+%2B HTTP/1.1\r\n\
        Host: add-con.mcas\r\n\r\n"),
    ("percent-encoding", UNSEEN, 1, b"POST \
        /?TerminalID=%30%30%31F67%58XXXXX HTTP/1.1\r\n\
        Host: add-con.mcas\r\nContent-Length: 77\r\n\r\n\
        dest_nw_addr=192.0.2.0%2F24%26x%2f1&%ff%00=%E3%81%82+%e9%&\
        sipsv_%70ort=%35060"),
    ("NUL and 0xff", UNSEEN, 2, b"HTTP/1.1 200 \xff\xfe\r\nX:\xff\r\n\
        Content-Length: 46\r\n\r\n\
        ResultCode=\x00\xff\r\nusername=\x00\r\npassword=\xff\xfe\n\
        \xff=\x00\n\x00\n="),
    ("no charset", 5, 6, b"HTTP/1.1 500 No\r\nContent-Type: text/html\r\n\
        Content-Encoding: identity\r\nContent-Length: 21\r\n\r\n\
        resultcode=\xe3\x81\x82=\xe9\r\n\r\n\n"),
    ("content coding", 1, 2, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\
        Content-Length: 4\r\n\r\na=1\n"),
    ("bad header lines", UNSEEN, 0, b"GET /fw HTTP/1.1\r\n:\r\nno colon\r\n\
        : x\r\n Host: folded\r\nHost : add-con.mcas\r\n\r\n"),
    ("LAN: extension list request", UNSEEN, 7, b"GET \
        http://ntt.setup/cas_tel_list/ HTTP/1.1\r\nHost: ntt.setup\r\n\r\n"),
    ("LAN: extension list response", 7, 8, b"HTTP/1.1 200 OK\r\n\
        Content-Length: 57\r\n\r\n\
        resultcode=0000\r\nip_tel_num=3,X,,15\r\nip_tel_num=16\r\nid=17"),
    ("LAN: configuration request", UNSEEN, 9, b"PUT \
        /cas_tel_conf/ HTTP/1.1\r\n\
        Host: ntt.setup\r\nContent-Type: application/json\r\n\
        Content-Length: 55\r\n\r\n\
        id=001F67A1B2C3&IP_tel_%6eum=3&term_type=1&term_type=1}"),
    ("LAN: configuration response", 9, 10, b"HTTP/1.1 200 OK\r\n\
        Content-Length: 77\r\n\r\n\
        ResultCode=0010\r\nid=00022bXXXXXX\r\nterm_type=256\r\n\
        password=secret\r\nrtpport1=\r\n"),
    ("LAN: push in the query", UNSEEN, 11, b"GET \
        /voip_setup.cgi/?sipsv_addr=192.0.2.7&password=a%20b HTTP/1.1\r\n\
        Host: phone\r\n\r\n"),
    ("LAN: push, digits of a key encoded", UNSEEN, 11, b"GET \
        /voip_setup.cgi?sipsv_addr=192.0.2.7&ip_tel_num65%35=&ip_tel_num%31= \
        HTTP/1.1\r\nHost: phone\r\n\r\n"),
    ("LAN: push in the body", UNSEEN, 11, b"POST /voip_setup.cgi HTTP/1.1\r\n\
        Host: phone\r\nContent-Length: 35\r\n\r\n\
        ip_tel_num=3&sip_domain=ntt.setup\r\n"),
    ("LAN: push response", 11, 12, b"HTTP/1.1 200 OK\r\n\
        Content-Length: 15\r\n\r\n\
        ResultCode=0000"),
    ("look-alike of the LAN side", UNSEEN, NONE, b"POST \
        /cas_tel_conf/ HTTP/1.1\r\n\
        Host: add-con\r\nUser-Agent: m-cas/1.0\r\nContent-Length: 51\r\n\r\n\
        id=1&term_type=1&ip_tel_num1=3&sipsv_addr=192.0.2.7"),
];

/// Messages that only the end of the connection delimits.
const UNTIL_CLOSE: &[(&str, u32, u32, &[u8])] = &[
    (
        "HTTP/1.0",
        1,
        2,
        b"HTTP/1.0 200 OK\r\n\r\nResultCode=0000\r\nip_addr=192.0.2.1\r\n\
        area_code=XX\r\nunknown\r\n",
    ),
    ("image of no length", 3, 4, b"HTTP/1.1 200\r\n\r\n\x00\x01\x02"),
];

/// What promises nothing: broken, or not HTTP at all.
const HOSTILE: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
      11\r\nResultCode=0000\r\n\r\nzz\r\nip_addr=192.0.2.1\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
      ffffffffffffffff\r\nResultCode=0000\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
      f\r\nResultCode=0000x\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\na=1",
    b"HTTP/1.1 200 OK\r\nContent-Length: 4294967295\r\n\r\nResultCode=1\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\nContent-Length: 1\r\n\r\nab",
    b"HTTP/1.1 999 \r\n\r\n",
    b"HTTP/1.1 20",
    b"HTTP/2 200\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: add-con.mcas\r\nContent-Length: 9\r\n\r\n\
      ResultCod",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\r\n\r\n\r\n\n\n",
    b"GET  http://  HTTP/1.1\r\n\r\n",
    b"GET http://verup-mcas.:/fw//? HTTP/1.1\r\n\r\n",
    b"get / HTTP/1.1\r\nUser-Agent: M-CAS/\r\n\r\n",
    b"CONNECT add-con.mcas:80 HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n\x00",
    b"POST /verup/notify.cgi HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\n\
      Content-Length: 40\r\n\r\n\r\n\r\n==&&==\xff\x00%%%%\r\r\r",
];

/// One of each, whole.
pub fn samples() -> Vec<Sample> {
    let mut samples = vec![];
    for &(name, request_type, message_type, bytes) in WHOLE {
        let bytes = bytes.to_vec();
        samples.push(Sample { name, request_type, message_type, bytes });
    }
    samples.extend(given());
    // Long lists, in which every entry is an item and a note.
    let routes = "1.2.3.4/5&XX&".repeat(40);
    let body = format!("ResultCode=0000\ndest_nw_addr={routes}\n{}", {
        "ip_tel_num65535=X\n".repeat(20)
    });
    let length = body.len();
    samples.push(Sample {
        name: "long lists",
        request_type: 1,
        message_type: 2,
        bytes: format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes(),
    });
    samples
}

/// The messages of the two captures that were given.
fn given() -> Vec<Sample> {
    let boot = include_bytes!("captures/boot.pcapng");
    let masked = include_bytes!("captures/masked.pcap");
    let (boot, masked) = (conversations(boot), conversations(masked));
    let kinds = [
        ("boot: provisioning request", UNSEEN, 1),
        ("boot: provisioning response", 1, 2),
        ("boot: firmware request", UNSEEN, 3),
        ("boot: firmware response", 3, 4),
        ("masked: provisioning request", UNSEEN, 1),
        ("masked: provisioning response", 1, 2),
    ];
    assert_eq!((boot.len(), masked.len()), (4, 2));
    kinds
        .into_iter()
        .zip(boot.into_iter().chain(masked))
        .map(|((name, request_type, message_type), bytes)| Sample {
            name,
            request_type,
            message_type,
            bytes,
        })
        .collect()
}

/// What was sent over TCP in a capture, one run of bytes for each direction
/// of each connection. The two captures have no lost and no repeated
/// segments, so putting one behind the other is enough.
fn conversations(capture: &[u8]) -> Vec<Vec<u8>> {
    let mut sent: Vec<(Vec<u8>, Vec<u8>)> = vec![];
    for frame in frames(capture) {
        // Ethernet, or PPPoE in it.
        let ip = match frame.get(12..14) {
            Some([0x08, 0x00]) => &frame[14..],
            Some([0x88, 0x64]) if frame[20..22] == [0x00, 0x21] => {
                &frame[22..]
            }
            _ => continue,
        };
        let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = &ip[usize::from(ip[0] & 15) * 4..total];
        let data = &tcp[usize::from(tcp[12] >> 4) * 4..];
        if ip[9] != 6 || data.is_empty() {
            continue;
        }
        let ends = [&ip[12..20], &tcp[..4]].concat();
        match sent.iter_mut().find(|(of, _)| *of == ends) {
            Some((_, bytes)) => bytes.extend_from_slice(data),
            None => sent.push((ends, data.to_vec())),
        }
    }
    sent.into_iter().map(|(_, bytes)| bytes).collect()
}

/// The frames of a little-endian pcap or pcapng file.
fn frames(capture: &[u8]) -> Vec<&[u8]> {
    let word = |at: usize| {
        u32::from_le_bytes(capture[at..at + 4].try_into().unwrap()) as usize
    };
    let mut frames = vec![];
    if word(0) == 0xa1b2_c3d4 {
        let mut at = 24;
        while at < capture.len() {
            frames.push(&capture[at + 16..][..word(at + 8)]);
            at += 16 + word(at + 8);
        }
    } else {
        let mut at = 0;
        while at < capture.len() {
            // An enhanced packet block.
            if word(at) == 6 {
                frames.push(&capture[at + 28..][..word(at + 20)]);
            }
            at += word(at + 4);
        }
    }
    frames
}

/// What a caller may know about a response.
fn contexts() -> Vec<Context> {
    let types = [UNSEEN, NONE, 0, 1, 3, 5, 7, 9, 11];
    let mut contexts: Vec<_> = types.map(answering).into_iter().collect();
    use message::{Method, END_OF_STREAM, HEAD_ONLY};
    for (request_type, method, flags) in [
        (3, Method::Head, 0),
        (0, Method::Connect, END_OF_STREAM),
        (1, Method::Other, END_OF_STREAM),
        // Nonsense, but for HEAD_ONLY, which is meant to change the answer.
        (4711, Method::Other, 4711 & !HEAD_ONLY),
    ] {
        let request = Request::new(request_type).with_method(method);
        contexts.push(Context::answering(request).with_flags(flags));
    }
    contexts
}

/// Reads every prefix of `whole` and asserts how the answers go together:
/// bytes to come complete what was said, and do not take it back.
fn prefixes(whole: &[u8], context: &Context) {
    let last = check(whole, context);
    pieces_agree(whole, context, lengths(whole.len()));
    let mut refused = None;
    let mut class = None;
    for end in lengths(whole.len()) {
        let prefix = &whole[..end];
        let now = check(prefix, context);
        // Where the stream ends here, nothing follows.
        if context.flags & message::END_OF_STREAM == 0 {
            class = Some((end, classes_agree(class, prefix, context)));
        }
        if let Some(error) = refused {
            assert_eq!(now.err(), Some(error), "{end}: HTTP after all");
            continue;
        }
        if let Ok(reading) = &now {
            ways_agree(prefix, context, reading);
        }
        prefix_agrees(&now, &last, end);
        refused = now.err();
    }
}

/// Every length up to `all`; of an image some do.
pub fn lengths(all: usize) -> impl Iterator<Item = usize> {
    let near = 2048;
    (0..all.min(near))
        .chain((near..all).step_by(4099))
        .chain(all.saturating_sub(3).max(near)..all)
}

#[test]
fn every_prefix_of_every_sample() {
    for sample in samples() {
        eprintln!("{}", sample.name);
        let bytes = &sample.bytes;
        let context = sample.context();
        let whole = check(bytes, &context).unwrap().message;
        assert_eq!(whole.message_type, sample.message_type);
        let sizes = (whole.length as usize, whole.body_missing);
        assert_eq!(sizes, (bytes.len(), 0));
        assert!(whole.has(message::COMPLETE));
        for end in lengths(bytes.len()) {
            let message = mcas::parse(&bytes[..end], &context);
            let message = message.expect("a prefix of HTTP is HTTP");
            assert!(!message.has(message::COMPLETE), "{end}");
        }
        if whole.kind == message::KIND_REQUEST {
            prefixes(bytes, &context);
            // What was asked before says nothing about a request.
            for context in contexts() {
                assert_eq!(mcas::parse(bytes, &context), Ok(whole));
            }
        } else {
            contexts().iter().for_each(|context| prefixes(bytes, context));
        }
        // The next message changes nothing about this one.
        for next in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"GET /", b"\0", b"\n"] {
            let both = [bytes, next].concat();
            assert_eq!(mcas::parse(&both, &context), Ok(whole));
        }
    }
}

#[test]
fn until_close() {
    for &(name, request_type, message_type, bytes) in UNTIL_CLOSE {
        eprintln!("{name}");
        let open = answering(request_type);
        let closed = open.with_flags(message::END_OF_STREAM);
        prefixes(bytes, &open);
        for end in 0..=bytes.len() {
            let message = check(&bytes[..end], &open).unwrap().message;
            assert!(!message.has(message::COMPLETE));
            let message = check(&bytes[..end], &closed).unwrap().message;
            let head = message.has(message::HEAD_COMPLETE);
            assert_eq!(message.has(message::COMPLETE), head);
        }
        let whole = check(bytes, &closed).unwrap().message;
        assert_eq!(whole.message_type, message_type);
        assert_eq!(whole.length as usize, bytes.len());
    }
}

/// Heads that are not read again with every piece, by pieces of all sizes:
/// with the blank line, all of them are.
#[test]
fn long_heads_in_pieces() {
    let cookie = "c".repeat(9000);
    let headers = "X: y\r\n".repeat(2000);
    let blank = "\r\n".repeat(5000);
    for (begin, lines) in [("", &*cookie), ("", &*headers), (&*blank, "")] {
        let head = format!(
            "{begin}POST / HTTP/1.1\r\nX: {lines}\r\n\
             Host: add-con.mcas\r\n"
        );
        let line_ends = ["\r\n", "\n"].map(|end| head.replace("\r\n", end));
        for (head, end) in line_ends.iter().zip(["\r\n", "\n"]) {
            let whole = format!("{head}Content-Length: 3{end}{end}abc");
            let input = whole.as_bytes();
            let all = input.len();
            for step in [97, 777, 5000] {
                // Byte by byte where the head ends.
                let ends = (0..all - 100).step_by(step);
                let ends = ends.chain(all - 100..=all);
                pieces_agree(input, &Context::default(), ends);
            }
        }
    }
}

#[test]
fn every_prefix_of_hostile_bytes() {
    for bytes in HOSTILE {
        for context in contexts() {
            eprintln!("{context:?}, {}", bytes.escape_ascii());
            prefixes(bytes, &context);
        }
    }
}

/// Marsaglia's xorshift64: the same numbers on every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Bytes that mean something somewhere.
#[rustfmt::skip]
const TOKENS: &[&[u8]] = &[
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\n\n", b"=", b"&", b";", b":",
    b"/", b"?", b"%", b"%26", b"%00", b"%3", b"+", b" ", b"\t", b"\0",
    b"\xff", b"\xc3\xa9", b"X", b"*", b"0", b"9", b"99999999999", b"ffff",
    b"HTTP/1.1 200 OK\r\n", b"POST / HTTP/1.1\r\n", b"/fw/",
    b"http://verup-mcas.x.flets", b"Host: add-con.mcas\r\n",
    b"GET /cas_tel_list/ ", b"PUT /cas_tel_conf ", b"POST /voip_setup.cgi ",
    b"User-Agent: M-CAS/1.0 (", b"Content-Length: 9\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n",
    b"Content-Type: text/plain;charset=\"iso-8859-1\"\r\n",
    b"Set-Cookie: BIGipServer", b"Cookie: BIGipServer", b"BIGipServer",
    b"\nResultCode=", b"\ndest_nw_addr=", b"&TerminalID=",
    b"&id=", b"&ip_tel_num=", b"\nterm_type=", b"\nlist=3,X,,",
    b"\nip_tel_num65536=", b"\npassword=", b"\nrtpport1=",
];

fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(16)).min(bytes.len());
    match random.below(5) {
        0 => drop(bytes.splice(at..end, random.pick(TOKENS).iter().copied())),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.truncate(at),
        3 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        _ => {
            bytes[at..end].iter_mut().for_each(|b| *b ^= 1 << random.below(8))
        }
    }
}

#[test]
fn random_damage() {
    let mut seeds: Vec<Vec<u8>> = samples()
        .into_iter()
        .map(|sample| sample.bytes)
        .filter(|bytes| bytes.len() < 1000)
        .collect();
    seeds.extend(UNTIL_CLOSE.iter().map(|(.., bytes)| bytes.to_vec()));
    seeds.extend(HOSTILE.iter().map(|bytes| bytes.to_vec()));
    let contexts = contexts();
    let mut random = Random(0x4d2d_4341_5331_2e30);
    let mut ours = 0;
    for _ in 0..DAMAGED {
        let mut bytes = random.pick(&seeds).clone();
        for _ in 0..=random.below(4) {
            damage(&mut random, &mut bytes);
        }
        let context = *random.pick(&contexts);
        let check = || {
            let reading = check(&bytes, &context)?;
            ways_agree(&bytes, &context, &reading);
            let (step, all) = (bytes.len() / 8 + 1, bytes.len());
            let ends = (0..all).step_by(step).chain([all]);
            pieces_agree(&bytes, &context, ends);
            Ok::<_, mcas::Error>(reading)
        };
        match std::panic::catch_unwind(check) {
            Ok(Ok(reading)) => ours += u32::from(reading.message.is_ours()),
            Ok(Err(_)) => {}
            Err(_) => panic!("{context:?}, {}", bytes.escape_ascii()),
        }
    }
    // Damage that leaves nothing to read would test nothing.
    assert!(ours > DAMAGED / 4, "{ours} of {DAMAGED} are ours");
}

const DAMAGED: u32 = 100_000;
