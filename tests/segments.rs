//! The same message however TCP delivers it.
//!
//! Each test puts many connections into one capture. They carry the same few
//! exchanges, and what is shown of each must be what is shown where request
//! and response come in one segment; [`the_measure`] looks at that one.

use crate::golden::{differences, expect};
use crate::support::{
    frames, frames_without_plugin, messages, Capture, Connection, Item,
    Message, Side,
};
use once_cell::sync::Lazy;
use std::path::Path;

/// A request and its response.
struct Exchange {
    request: Vec<u8>,
    response: Vec<u8>,
}

/// Provisioning; firmware; an extension's configuration, where only the body
/// tells that the request is ours; an extension list.
static EXCHANGES: Lazy<[Exchange; 4]> = Lazy::new(|| {
    let form = "CompanyCode=&ServiceCode=&ControlCode=\
                &TerminalID=001F67A1B2C3";
    let settings = "ResultCode=0000\r\n\
        ip_addr=172.20.184.194\r\n\
        netmask=30\r\n\
        gateway=172.20.184.193\r\n\
        dest_nw_addr=192.0.2.0/24&198.51.100.1/24\r\n\
        sipsv_addr=192.0.2.5\r\n\
        sipsv_port=5060\r\n\
        username=user\r\n\
        password=\r\n\
        ip_tel_num=0312345678\r\n\
        ip_tel_num1=XXXXXXXXXX\r\n\
        unknown=1\r\n\
        dscp=32\r\n\
        rtpport1=5004\r\n\
        rtpport2=5035\r\n";
    let image: Vec<u8> = (0..200_u8).map(|i| i.wrapping_mul(37)).collect();
    let length = |body: &[u8]| format!("Content-Length: {}\r\n", body.len());
    let provisioning = Exchange {
        request: [
            "POST / HTTP/1.1\r\n\
             User-Agent: M-CAS/1.0\r\n\
             Host: add-con.mcas\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n",
            &length(form.as_bytes()),
            "\r\n",
            form,
        ]
        .concat()
        .into(),
        response: [
            "HTTP/1.1 200 OK\r\n\
             Set-Cookie: BIGipServerpool=944474890.20480.0000; path=/\r\n",
            &length(settings.as_bytes()),
            "Content-Type: text/plain;charset=ISO-8859-1\r\n\
             \r\n",
            settings,
        ]
        .concat()
        .into(),
    };
    let firmware = Exchange {
        request: b"GET http://verup-mcas.odm00015.flets/fw/M/I.bin HTTP/1.1\
            \r\n\
            User-Agent: M-CAS/7.0 (RTS300HI 4.02.0179; NTTEAST/NTTWEST)\r\n\
            Host: verup-mcas.odm00015.flets:80\r\n\
            \r\n"
            .to_vec(),
        response: [
            b"HTTP/1.1 200 OK\r\n",
            length(&image).as_bytes(),
            b"\r\n",
            &image,
        ]
        .concat(),
    };
    let form = "id=001F67A1B2C3&ip_tel_num=3&term_type=1";
    let settings = "resultcode=0000\r\n\
        ip_tel_num=3\r\n\
        username=0003\r\n\
        password=secret\r\n\
        rtpport1=\r\n\
        dscp=46\r\n\
        sipsv_addr=192.168.1.1\r\n\
        sip_domain=ntt.setup\r\n";
    let configuration = Exchange {
        request: [
            "PUT /cas_tel_conf/ HTTP/1.1\r\n\
             Host: ntt.setup\r\n",
            &length(form.as_bytes()),
            "\r\n",
            form,
        ]
        .concat()
        .into(),
        response: [
            "HTTP/1.1 200 OK\r\n",
            &length(settings.as_bytes()),
            "\r\n",
            settings,
        ]
        .concat()
        .into(),
    };
    let list = Exchange {
        request: b"GET /cas_tel_list/ HTTP/1.1\r\n\
            Host: ntt.setup\r\n\
            User-Agent: phone\r\n\
            \r\n"
            .to_vec(),
        response: b"HTTP/1.1 200 OK\r\n\
            Content-Length: 32\r\n\
            \r\n\
            ResultCode=0000\r\nlist=3,X,15\r\n\r\n"
            .to_vec(),
    };
    [provisioning, firmware, configuration, list]
});

/// An exchange in a capture: frames that must show its two messages.
struct Delivered {
    exchange: usize,
    request: u32,
    response: u32,
}

/// Sends pieces of one side; returns the number of the last one's frame.
fn send(
    capture: &mut Capture,
    connection: &mut Connection,
    from: Side,
    pieces: &[&[u8]],
) -> u32 {
    let send = |piece: &&[u8]| capture.send(connection, from, piece);
    pieces.iter().map(send).last().expect("there are pieces")
}

/// One exchange on a connection of its own, in these pieces.
fn deliver(
    capture: &mut Capture,
    exchange: usize,
    request: &[&[u8]],
    response: &[&[u8]],
) -> Delivered {
    let mut connection = capture.connect(80);
    let request = send(capture, &mut connection, Side::Client, request);
    let response = send(capture, &mut connection, Side::Server, response);
    for frame in connection.close() {
        capture.push(&frame);
    }
    Delivered { exchange, request, response }
}

/// Where request and response come in one segment each: of each exchange the
/// messages in two passes.
static UNCUT: Lazy<Vec<Message>> = Lazy::new(|| {
    let mut capture = Capture::default();
    for (i, Exchange { request, response }) in EXCHANGES.iter().enumerate() {
        deliver(&mut capture, i, &[request], &[response]);
    }
    messages(capture.write().path(), &["-2"])
});

#[test]
fn the_measure() {
    let texts: Vec<&str> = UNCUT.iter().map(|m| m.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "M-CAS, Provisioning request, terminal 00:1f:67:a1:b2:c3 \
             (Hitachi)",
            "M-CAS, Provisioning response, Success, 0312345678 at \
             172.20.184.194/30, SIP 192.0.2.5:5060",
            "M-CAS, Firmware request, RTS300HI 4.02.0179 → I.bin",
            "M-CAS, Firmware response, 200, 200 bytes",
            "M-CAS, Extension configuration request, terminal \
             00:1f:67:a1:b2:c3 (Hitachi), extension 3",
            "M-CAS, Extension configuration response, Success, \
             extension 3, SIP 192.168.1.1",
            "M-CAS, Extension list request",
            "M-CAS, Extension list response, Success, extensions 3,X,15",
        ]
    );
}

/// What does not depend on the frames that carried a message.
fn carried(message: &Message) -> (&str, Vec<&Item>, &[String]) {
    let items = message.items.iter();
    let elsewhere = ["mcas.response_in", "mcas.response_to", "mcas.time"];
    let items = items.filter(|i| !elsewhere.contains(&i.name.as_str()));
    (&message.text, items.collect(), &message.notes)
}

/// The capture shows these exchanges, whole and linked, and nothing else.
fn check(capture: &Capture, delivered: &[Delivered], options: &[&str]) {
    let file = capture.write();
    let shown = messages(file.path(), &[&["-2"], options].concat());
    let mut wanted: Vec<(u32, usize, String)> = Vec::new();
    for one in delivered {
        let Delivered { exchange, request, response } = *one;
        wanted.push((request, 2 * exchange, response.to_string()));
        wanted.push((response, 2 * exchange + 1, request.to_string()));
    }
    let numbers = |wanted: &[(u32, usize, String)]| -> Vec<u32> {
        wanted.iter().map(|(frame, ..)| *frame).collect()
    };
    let found: Vec<u32> = shown.iter().map(|m| m.frame).collect();
    assert_eq!(found, numbers(&wanted), "{options:?}: frames with messages");
    for (message, (frame, uncut, other)) in shown.iter().zip(&wanted) {
        let about = format!("{options:?}: frame {frame}");
        assert_eq!(carried(message), carried(&UNCUT[*uncut]), "{about}");
        if uncut % 2 == 0 {
            assert_eq!(message.values("mcas.response_in"), [other], "{about}");
        } else {
            assert_eq!(message.values("mcas.response_to"), [other], "{about}");
            // Frames are a millisecond apart.
            let request: u32 = other.parse().expect("a number");
            let time = format!("0.{:03}000000", frame - request);
            assert_eq!(message.values("mcas.time"), [&time], "{about}");
        }
    }
    assert_nothing_malformed(file.path(), options);
}

fn assert_nothing_malformed(capture: &Path, options: &[&str]) {
    assert_eq!(frames(capture, "_ws.malformed", options), [0; 0]);
}

/// For options under which Wireshark calls some frames malformed by itself.
fn assert_malformed_as_without_plugin(capture: &Path, options: &[&str]) {
    let with = frames(capture, "_ws.malformed", options);
    let without = frames_without_plugin(capture, "_ws.malformed", options);
    assert_eq!(with, without);
}

/// All ways to deliver an exchange in two segments of one side and one of
/// the other.
fn cut_everywhere(capture: &mut Capture) -> Vec<Delivered> {
    let mut delivered = Vec::new();
    for (i, Exchange { request, response }) in EXCHANGES.iter().enumerate() {
        for at in 1..request.len() {
            let (a, b) = request.split_at(at);
            delivered.push(deliver(capture, i, &[a, b], &[response]));
        }
        for at in 1..response.len() {
            let (a, b) = response.split_at(at);
            delivered.push(deliver(capture, i, &[request], &[a, b]));
        }
    }
    delivered
}

#[test]
fn cut_at_every_byte() {
    let mut capture = Capture::default();
    let delivered = cut_everywhere(&mut capture);
    check(&capture, &delivered, &[]);
}

/// A setup push goes to a port that nobody owns, where the heuristic finds it
/// by its first line: that has to be in the first segment.
#[test]
fn cut_on_a_port_of_nobody() {
    let form = "sipsv_addr=192.168.1.1&username=0004&ip_tel_num=4";
    let line = "POST /voip_setup.cgi HTTP/1.1\r\n";
    let length = form.len();
    let request = format!("{line}Content-Length: {length}\r\n\r\n{form}");
    let response = &EXCHANGES[2].response;
    let mut capture = Capture::default();
    let mut completed = Vec::new();
    let cuts = (line.len()..request.len()).map(|at| (at, 0));
    let cuts = cuts.chain((1..response.len()).map(|at| (0, at)));
    for (request_cut, response_cut) in cuts {
        let mut connection = capture.connect(8989);
        for (from, message, at) in [
            (Side::Client, request.as_bytes(), request_cut),
            (Side::Server, response, response_cut),
        ] {
            let (a, b) = message.split_at(at);
            let pieces = if at == 0 { vec![b] } else { vec![a, b] };
            completed.push(send(&mut capture, &mut connection, from, &pieces));
        }
    }
    let file = capture.write();
    let shown = messages(file.path(), &["-2"]);
    let found: Vec<u32> = shown.iter().map(|m| m.frame).collect();
    assert_eq!(found, completed);
    assert_expected(file.path(), shown);
}

/// What two passes show of a capture is what the oracle reads in it, and
/// nothing is malformed.
fn assert_expected(file: &Path, shown: Vec<Message>) {
    let expected = expect(file);
    let different = differences(file, &expected, shown, &["-2"]);
    assert_eq!(different, [""; 0], "- expected, + shown");
    assert_nothing_malformed(file, &[]);
}

#[test]
fn one_byte_per_segment() {
    let mut capture = Capture::default();
    let mut delivered = Vec::new();
    // The latter wraps round in the middle of every message.
    for sequence in [0, u32::MAX - 100] {
        capture.initial_sequence = sequence;
        for (i, exchange) in EXCHANGES.iter().enumerate() {
            let request: Vec<&[u8]> = exchange.request.chunks(1).collect();
            let response: Vec<&[u8]> = exchange.response.chunks(1).collect();
            delivered.push(deliver(&mut capture, i, &request, &response));
        }
    }
    check(&capture, &delivered, &[]);
}

/// Three pieces of a message, with borders in its head and in what follows.
fn in_three(message: &[u8]) -> [&[u8]; 3] {
    let (rest, last) = message.split_at(message.len() - 30);
    let (first, middle) = rest.split_at(25);
    [first, middle, last]
}

#[test]
fn every_segment_retransmitted() {
    let mut capture = Capture::default();
    let mut delivered = Vec::new();
    // Message by message in one segment or in three; the copy comes at once
    // or after all of the message. From 4.4 on Wireshark itself loses a
    // message of which three pieces, all within its head, are repeated at
    // once: in the provisioning exchange the last piece is in the body.
    for (pieces, at_once, exchanges) in [
        (1, true, &[0, 1, 2, 3, 0][..]),
        (3, true, &[0, 0, 0]),
        (3, false, &[0, 1, 2, 3, 0]),
    ] {
        let mut connection = capture.connect(80);
        let mut send = |from, message| {
            let pieces = match pieces {
                1 => vec![message],
                _ => in_three(message).to_vec(),
            };
            let segments: Vec<Vec<u8>> =
                pieces.iter().map(|p| connection.segment(from, p)).collect();
            let mut completes = 0;
            for segment in &segments {
                completes = capture.push(segment);
                if at_once {
                    capture.push(segment);
                }
            }
            if !at_once {
                for segment in &segments {
                    capture.push(segment);
                }
            }
            capture.push(&connection.acknowledge(from.other()));
            completes
        };
        // A copy taken for a request of its own would shift the next pair.
        for &exchange in exchanges {
            let Exchange { request, response } = &EXCHANGES[exchange];
            let request = send(Side::Client, request);
            let response = send(Side::Server, response);
            delivered.push(Delivered { exchange, request, response });
        }
    }
    check(&capture, &delivered, &[]);

    // Without TCP's analysis nobody knows a retransmission, and Wireshark
    // dissects it again: what it shows must be the same message.
    let option = ["-2", "-o", "tcp.analyze_sequence_numbers:FALSE"];
    let file = capture.write();
    let shown = messages(file.path(), &option);
    for Delivered { exchange, request, response } in &delivered {
        let frames = [(request, response), (response, request)];
        for (uncut, (frame, other)) in (2 * exchange..).zip(frames) {
            let message = shown.iter().find(|m| m.frame == *frame);
            let message = message.expect("the message is shown");
            assert_eq!(carried(message), carried(&UNCUT[uncut]));
            let link = ["mcas.response_in", "mcas.response_to"][uncut % 2];
            assert_eq!(message.values(link), [other.to_string()], "{frame}");
        }
    }
    assert_malformed_as_without_plugin(file.path(), &option);
}

#[test]
fn out_of_order() {
    let orders =
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut capture = Capture::default();
    let mut delivered = Vec::new();
    for (i, Exchange { request, response }) in EXCHANGES.iter().enumerate() {
        for order in orders {
            let mut connection = capture.connect(80);
            let mut last = |from, message| {
                let pieces = in_three(message)
                    .map(|piece| connection.segment(from, piece));
                let frames = order.map(|piece| capture.push(&pieces[piece]));
                capture.push(&connection.acknowledge(from.other()));
                frames[2]
            };
            let request = last(Side::Client, request);
            let response = last(Side::Server, response);
            delivered.push(Delivered { exchange: i, request, response });
        }
    }
    check(&capture, &delivered, &["-o", "tcp.reassemble_out_of_order:TRUE"]);
}

/// Of three exchanges on a connection some segments of the second response
/// are lost; the others stay right, and the oracle says what is left of it.
#[test]
fn lost_segment() {
    let mut capture = Capture::default();
    let mut delivered = Vec::new();
    // Which of the three pieces arrive, as bits.
    for (exchange, arriving) in
        (0..7).flat_map(|arriving| [(0, arriving), (2, arriving)])
    {
        let Exchange { request, response } = &EXCHANGES[exchange];
        let pieces = in_three(response);
        let mut connection = capture.connect(80);
        for number in 0..3 {
            let asked = capture.send(&mut connection, Side::Client, request);
            let mut completes = 0;
            for (i, piece) in pieces.iter().enumerate() {
                let segment = connection.segment(Side::Server, piece);
                if number != 1 || arriving >> i & 1 == 1 {
                    completes = capture.push(&segment);
                }
            }
            capture.push(&connection.acknowledge(Side::Client));
            if number != 1 {
                delivered.push((exchange, asked, completes));
            }
        }
    }
    let file = capture.write();
    let shown = messages(file.path(), &["-2"]);
    for (exchange, request, response) in delivered {
        let one = |frame| shown.iter().find(|m| m.frame == frame);
        let first = one(request).expect("the request is shown");
        let second = one(response).expect("the response is shown");
        let [asked, answered] = [0, 1].map(|i| &UNCUT[2 * exchange + i]);
        assert_eq!(carried(first), carried(asked), "{request}");
        assert_eq!(carried(second), carried(answered), "{response}");
        let links = [
            first.values("mcas.response_in"),
            second.values("mcas.response_to"),
        ];
        assert_eq!(links, [[response.to_string()], [request.to_string()]]);
    }
    assert_expected(file.path(), shown);
}

/// A response that comes before all of its request. If not even the request's
/// type is known yet, the response is nobody's.
#[test]
fn early_answer() {
    let mut capture = Capture::default();
    let mut linked = Vec::new();
    let mut nobodys = Vec::new();
    for exchange in [0, 2] {
        let Exchange { request, response } = &EXCHANGES[exchange];
        for at in end_of_head(request)..request.len() {
            let (early, late) = request.split_at(at);
            let mut connection = capture.connect(80);
            let [asks, answers, _] = [
                (Side::Client, early),
                (Side::Server, response),
                (Side::Client, late),
            ]
            .map(|(side, piece)| capture.send(&mut connection, side, piece));
            if tells_type(exchange, early) {
                linked.push((2 * exchange + 1, asks, answers));
            } else {
                nobodys.push(answers);
            }
        }
    }
    assert!(!linked.is_empty() && !nobodys.is_empty());
    let file = capture.write();
    let shown = messages(file.path(), &["-2"]);
    for (uncut, asks, answers) in linked {
        let message = shown.iter().find(|m| m.frame == answers);
        let message = message.unwrap_or_else(|| panic!("frame {answers}"));
        assert_eq!(carried(message), carried(&UNCUT[uncut]), "{answers}");
        assert_eq!(message.values("mcas.response_to"), [asks.to_string()]);
    }
    assert!(!shown.iter().any(|m| nobodys.contains(&m.frame)));
    assert_expected(file.path(), shown);
}

/// Frames cut by the capture, at every length of a message.
#[test]
fn truncated() {
    const HEADERS: usize = 54;
    let mut capture = Capture::default();
    for Exchange { request, response } in EXCHANGES.iter() {
        for (cut, message) in [(0, request), (1, response)] {
            for kept in 0..message.len() {
                let mut connection = capture.connect(80);
                let sides = [Side::Client, Side::Server];
                for (i, bytes) in [request, response].into_iter().enumerate() {
                    let segment = connection.segment(sides[i], bytes);
                    let keep = if i == cut { kept } else { bytes.len() };
                    capture.push_cut(&segment, HEADERS + keep);
                }
            }
        }
    }
    let file = capture.write();
    let shown = messages(file.path(), &["-2"]);
    assert_expected(file.path(), shown);

    // The same without the oracle: all that is shown of a cut message but the
    // pair that is cut is shown of the whole one too.
    for message in messages(file.path(), &[]) {
        if !message.notes.iter().any(|note| note == "mcas.truncated") {
            continue;
        }
        let whole = UNCUT
            .iter()
            .find(|m| m.values("mcas.type") == message.values("mcas.type"));
        let whole = whole.expect("the type is right");
        for item in &message.items {
            let may_differ = item.name.starts_with("mcas.param")
                || item.name == "mcas.firmware.size"
                || item.name == "mcas.response_to"
                || item.name == "mcas.time";
            assert!(
                may_differ || whole.items.contains(item),
                "frame {}: {item:?}",
                message.frame
            );
        }
    }
}

fn end_of_head(message: &[u8]) -> usize {
    let empty_line = message.windows(4).position(|w| w == b"\r\n\r\n");
    empty_line.expect("a head ends with an empty line") + 4
}

/// Whether so much of an exchange's request, head and more, is enough to know
/// its type. A configuration's form must have its two keys for that.
fn tells_type(exchange: usize, request: &[u8]) -> bool {
    let last_key = b"&ip_tel_num=";
    exchange != 2 || request.windows(last_key.len()).any(|w| w == last_key)
}

/// Without reassembly a message is recognised by the segment that has its
/// head, and says that it goes on. Where that does not tell its type, neither
/// it nor its response is ours.
#[test]
fn without_reassembly() {
    let mut capture = Capture::default();
    let mut heads = Vec::new();
    for (i, Exchange { request, response }) in EXCHANGES.iter().enumerate() {
        for (side, message) in [request, response].into_iter().enumerate() {
            for at in end_of_head(message)..message.len() {
                let (a, b) = message.split_at(at);
                let cut = [a, b];
                let mut pieces = [&[&request[..]][..], &[&response[..]][..]];
                pieces[side] = &cut;
                let before = capture.frames;
                let one = deliver(&mut capture, i, pieces[0], pieces[1]);
                // Behind the handshake and the request with its
                // acknowledgement.
                let request = before + 4;
                let response = one.request + 2;
                if side == 0 && !tells_type(i, a) {
                    continue;
                }
                heads.push((request, 2 * i, side == 0));
                heads.push((response, 2 * i + 1, side == 1));
            }
        }
    }
    let file = capture.write();
    for option in
        ["tcp.desegment_tcp_streams:FALSE", "http.desegment_body:FALSE"]
    {
        let options = ["-2", "-o", option];
        let shown = messages(file.path(), &options);
        assert_eq!(shown.len(), heads.len(), "{option}");
        for (frame, uncut, cut) in &heads {
            let message = shown.iter().find(|m| m.frame == *frame);
            let about = format!("{option}: frame {frame}");
            let message = message.unwrap_or_else(|| panic!("{about}"));
            let kind = |m: &Message| m.values("mcas.type").join("");
            assert_eq!(kind(message), kind(&UNCUT[*uncut]), "{about}");
            let truncated = |note: &String| note == "mcas.truncated";
            assert_eq!(message.notes.iter().any(truncated), *cut, "{about}");
            if !cut {
                assert_eq!(carried(message), carried(&UNCUT[*uncut]));
            }
        }
        assert_malformed_as_without_plugin(file.path(), &options);
    }
}
