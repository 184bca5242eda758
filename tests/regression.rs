use crate::support::{
    capture, columns, frames, messages, numbered, sharkd, tshark,
    tshark_without_plugin, Capture, Connection, Side,
};
use serde_json::json;
use tempfile::NamedTempFile;

const FORM: &str = "TerminalID=001F67A1B2C3";
const SETTINGS: &str = "ResultCode=0000\r\nip_addr=192.0.2.1\r\n\
    sipsv_addr=192.0.2.2\r\nip_tel_num=0312345678\r\n";

fn post(path: &str, header: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: add-con.mcas\r\n{header}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn page(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: www.example.jp\r\n\r\n")
}

fn answer(media_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A capture in which client and server send these segments.
fn conversation(port: u16, turns: &[(Side, &str)]) -> NamedTempFile {
    let mut capture = Capture::default();
    let mut connection = capture.connect(port);
    for (side, bytes) in turns {
        capture.send(&mut connection, *side, bytes.as_bytes());
    }
    capture.write()
}

/// Type of each message, in order.
fn types(capture: &NamedTempFile, options: &[&str]) -> Vec<String> {
    messages(capture.path(), options)
        .iter()
        .flat_map(|message| message.values("mcas.type"))
        .map(String::from)
        .collect()
}

use Side::{Client, Server};

/// HTTP stops at a tunnel to the very port it goes through by knowing its own
/// handle; the gate's it does not know, and called itself without end.
#[test]
fn tunnel_to_its_own_port() {
    let capture = conversation(
        9999,
        &[
            (Client, "CONNECT h:9999 HTTP/1.1\r\nHost: h\r\n\r\n"),
            (Server, "HTTP/1.1 200 OK\r\n\r\n"),
            (Client, &post("/", "", FORM)),
            (Server, &answer("text/plain", SETTINGS)),
        ],
    );
    let path = capture.path().to_str().expect("a plain name");
    for passes in [&["-r", path][..], &["-2", "-r", path]] {
        assert_eq!(tshark(passes), tshark_without_plugin(passes));
    }
}

/// Each message was a layer of its own, and Wireshark stops at 500 of them.
#[test]
fn a_thousand_messages_in_a_segment() {
    let requests = "GET / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n".repeat(1000);
    let capture = conversation(80, &[(Client, &requests)]);
    assert_eq!(types(&capture, &[]), vec!["0"; 1000]);
    let layers = ["-T", "fields", "-e", "frame.protocols"];
    let path = capture.path().to_str().expect("a plain name");
    let shown = tshark(&[&["-r", path, "-Y", "mcas"], &layers[..]].concat());
    assert_eq!(shown.matches("mcas").count(), 1, "{shown}");
}

/// A page that began before our request was sent does not answer it.
#[test]
fn page_under_way_when_we_ask() {
    let long = answer("text/html", &"x".repeat(2000));
    let capture = conversation(
        80,
        &[
            (Client, &page("/long")),
            (Server, &long[..1000]),
            (Client, &post("/", "", FORM)),
            (Server, &long[1000..]),
            (Server, &answer("text/plain", SETTINGS)),
        ],
    );
    assert_eq!(types(&capture, &[]), ["1", "2"]);
    let answered = messages(capture.path(), &[]).pop().expect("two of them");
    assert_eq!(answered.frame, 12);
}

/// The end of what the server sent went backwards, and the next request was
/// taken for one whose answer was lost.
#[test]
fn retransmitted_response_without_analysis() {
    let mut capture = Capture::default();
    let mut connection: Connection = capture.connect(80);
    let ask = post("/", "", FORM);
    let settings = answer("text/plain", SETTINGS);
    // Three wait for an answer at the same time.
    for request in [&ask, &page("/a"), &ask] {
        capture.push(&connection.segment(Client, request.as_bytes()));
    }
    let first = connection.segment(Server, settings.as_bytes());
    capture.push(&first);
    let html = answer("text/html", "a");
    capture.push(&connection.segment(Server, html.as_bytes()));
    capture.push(&first);
    capture.push(&connection.segment(Client, page("/b").as_bytes()));
    capture.send(&mut connection, Server, settings.as_bytes());
    capture.send(&mut connection, Server, html.as_bytes());
    let capture = capture.write();
    let option = ["-o", "tcp.analyze_sequence_numbers:FALSE"];
    assert_eq!(types(&capture, &option), ["1", "1", "2", "2", "2"]);
}

/// The line end behind another request's body hid ours.
#[test]
fn blank_line_between_pipelined_requests() {
    let other = "POST /x HTTP/1.1\r\nHost: www.example.jp\r\n\
        Content-Length: 1\r\n\r\nx\r\n";
    let both = format!("{other}{}", post("/", "", FORM));
    let html = answer("text/html", "x");
    let answers = format!("{html}{}", answer("text/plain", SETTINGS));
    let capture = conversation(80, &[(Client, &both), (Server, &answers)]);
    assert_eq!(types(&capture, &[]), ["1", "2"]);
}

/// Nobody looked behind 64 KiB of a head.
#[test]
fn host_behind_a_long_cookie() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let request = format!(
        "GET / HTTP/1.1\r\nCookie: {}\r\nHost: add-con.mcas\r\n\r\n",
        "c".repeat(70_000)
    );
    for segment in request.as_bytes().chunks(1400) {
        capture.send(&mut connection, Client, segment);
    }
    assert_eq!(types(&capture.write(), &[]), ["0"]);
}

/// Behind a chunked body of more than 64 KiB nobody looked, as HTTP hands all
/// of it over together with what follows in its last segment.
#[test]
fn behind_a_long_chunked_body() {
    let chunk = format!("578\r\n{}\r\n", "x".repeat(1400));
    for chunks in [40, 50] {
        let upload = format!(
            "POST /up HTTP/1.1\r\nHost: www.example.jp\r\n\
             Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n{}",
            chunk.repeat(chunks),
            post("/", "", FORM)
        );
        let answers =
            answer("text/html", "x") + &answer("text/plain", SETTINGS);
        let mut capture = Capture::default();
        let mut connection = capture.connect(80);
        let segments = upload.as_bytes().chunks(1400);
        let last = segments
            .map(|part| capture.send(&mut connection, Client, part))
            .last();
        capture.send(&mut connection, Server, answers.as_bytes());
        let capture = capture.write();
        for passes in [&[][..], &["-2"]] {
            let shown = messages(capture.path(), passes);
            assert_eq!(types(&capture, passes), ["1", "2"], "{chunks}");
            assert_eq!(Some(shown[0].frame), last, "{chunks}");
        }
    }
}

/// A terminal obeys control characters: the summary has none.
#[test]
fn control_characters_in_the_summary() {
    let form = "TerminalID=%1b%5b31m%0aX%7f";
    let capture = conversation(80, &[(Client, &post("/", "", form))]);
    let shown = columns(capture.path(), &[]);
    let info = &shown[&4].info;
    assert_eq!(info, "Provisioning request, terminal .[31m.X.");
    // The field itself has them all.
    let request = &messages(capture.path(), &[])[0];
    assert_eq!(request.values("mcas.terminal_id").len(), 1);
}

/// A length of more digits than a value of ours may have lost the body.
#[test]
fn long_content_length() {
    let form = post("/", "", FORM);
    let padded = form.replace("Length: ", "Length: 0000000000000");
    let capture = conversation(80, &[(Client, &padded)]);
    let request = &messages(capture.path(), &[])[0];
    assert_eq!(request.values("mcas.terminal_id"), ["001F67A1B2C3"]);
}

/// What other bytes of the same frame are stays in the Info column.
#[test]
fn other_bytes_of_the_frame_stay_in_the_info_column() {
    let html = answer("text/html", &"x".repeat(100));
    let (begin, end) = html.split_at(html.len() - 50);
    let rest = format!("{end}{}", answer("text/plain", SETTINGS));
    let capture = conversation(
        80,
        &[
            (Client, &page("/a")),
            (Client, &post("/", "", FORM)),
            (Server, begin),
            (Server, &rest),
        ],
    );
    let ours = frames(capture.path(), "mcas.type == 2", &[]);
    let shown = columns(capture.path(), &[]);
    let info = &shown[&ours[0]].info;
    assert!(info.contains("HTTP/1.1 200 OK"), "{info}");
    assert!(info.contains("Provisioning response, Success"), "{info}");
}

/// Numbers are counted from where the connection begins, and a later SYN of
/// the same ports moves that: a message is found again all the same.
#[test]
fn later_syn_of_the_same_ports() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let request = post("/", "", FORM);
    let frame = capture.send(&mut connection, Client, request.as_bytes());
    let mut syn = connection.segment(Client, b"");
    syn[38..42].copy_from_slice(&0x8765_4321_u32.to_be_bytes());
    syn[47] = 0x12; // With ACK: a SYN alone would be a new connection.
    capture.push(&syn);
    let file = capture.write();
    let path = file.path().to_str().unwrap();
    let ask = |id, method: &str, parameters: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{parameters}}}}}"#
        ) + "\n"
    };
    let shown = sharkd(
        &(ask(1, "load", &format!(r#""file":"{path}""#))
            + &ask(2, "frame", &format!(r#""frame":{frame},"proto":true"#))),
    );
    assert!(shown.contains("M-CAS, Provisioning request"), "{shown}");
}

/// Where no tree is shown, items are read only if somebody asks for what is
/// in them; a statistic of expert items does.
#[test]
fn expert_items_without_a_tree() {
    let path = capture("mcas-inconsistent.pcap");
    let path = path.to_str().unwrap();
    let told = tshark(&["-r", path, "-q", "-z", "expert"]);
    let shown = tshark(&["-r", path, "-V"]);
    for text in ["Values contradict each other: Gateway", "host bits set"] {
        assert!(shown.contains(text), "{shown}");
        assert!(told.contains(text), "{told}");
    }
}

/// A capture of exported PDUs says which dissector each is for, by name, and
/// may have what TCP knows of a segment for it, as data: that was taken for
/// our own, and its numbers for offsets and, beyond them, addresses.
#[test]
fn exported_with_data_of_another_kind() {
    let message = post("/", "", FORM);
    for name in ["mcas", "mcas_http"] {
        let tag = |kind: u16, value: &[u8]| {
            let length = value.len() as u16;
            [&kind.to_be_bytes(), &length.to_be_bytes(), value].concat()
        };
        let padded = format!("{name:\0<12}");
        let mut tcp = vec![0, 1]; // version
        for number in [0, message.len() as u32, 0] {
            tcp.extend(number.to_be_bytes()); // this, next, acknowledged
        }
        tcp.extend([0, 0, 0x18, 0, 0]);
        let pdu = [
            tag(12, padded.as_bytes()),
            tag(34, &tcp),
            tag(0, b""),
            message.clone().into_bytes(),
        ]
        .concat();
        let mut file = Vec::new();
        for number in [0xA1B2_C3D4, 0x0004_0002, 0, 0, 0xFFFF, 252] {
            file.extend(u32::to_le_bytes(number));
        }
        for _ in 0..3 {
            let length = pdu.len() as u32;
            for number in [0, 0, length, length] {
                file.extend(number.to_le_bytes());
            }
            file.extend(&pdu);
        }
        let capture = NamedTempFile::new().expect("there is a folder");
        std::fs::write(capture.path(), file).expect("it is written");
        for passes in [&[][..], &["-2"]] {
            assert_eq!(types(&capture, passes), ["1"; 3], "{name}");
        }
    }
}

/// A segment as it is when it was sent no later than another: it acknowledges
/// no more.
fn as_early_as(other: &[u8], mut segment: Vec<u8>) -> Vec<u8> {
    let acknowledged = 42..46;
    segment[acknowledged.clone()].copy_from_slice(&other[acknowledged]);
    segment
}

/// A request may announce more than sequence numbers can count, and be
/// answered when the server has only some of its head: the answer was taken
/// for ours.
#[test]
fn early_answer_to_a_request_without_end() {
    for length in [10, i32::MAX as u32, u32::MAX] {
        let mut capture = Capture::default();
        let mut connection = capture.connect(80);
        let head = format!(
            "POST /x HTTP/1.1\r\nHost: www.example.jp\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        let (first, second) = head.as_bytes().split_at(30);
        let first = connection.segment(Client, first);
        let answer = answer("text/plain", SETTINGS);
        let answer = connection.segment(Server, answer.as_bytes());
        let second = connection.segment(Client, second);
        let second = as_early_as(&first, second);
        for frame in [first, second, answer] {
            capture.push(&frame);
        }
        for passes in [&[][..], &["-2"]] {
            let found = types(&capture.write(), passes);
            assert!(found.is_empty(), "{length} {passes:?}: {found:?}");
        }
    }
}

/// Asks for a page on more connections than the table of other requests has
/// places.
fn others_ask(capture: &mut Capture) -> Vec<Connection> {
    let ask = |_| {
        let mut connection = capture.connect(80);
        capture.push(&connection.segment(Client, page("/").as_bytes()));
        connection
    };
    (0..1000).map(ask).collect()
}

/// All of them wait at once: those that lost their place are found, too.
#[test]
fn answers_to_a_thousand_others_that_wait() {
    let mut capture = Capture::default();
    let mut connections = others_ask(&mut capture);
    let whole = answer("text/plain", SETTINGS);
    for half in [&whole[..90], &whole[90..]] {
        for connection in &mut connections {
            capture.send(connection, Server, half.as_bytes());
        }
    }
    let found = types(&capture.write(), &[]);
    assert!(found.is_empty(), "{} found", found.len());
}

/// Of two pages that were asked for, one had come when we asked, and nobody
/// had acknowledged it: only the other stands before our answer.
#[test]
fn one_of_two_pages_answered_when_we_ask() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let html = answer("text/html", "x");
    let a = connection.segment(Client, page("/a").as_bytes());
    let b = connection.segment(Client, page("/b").as_bytes());
    let to_a = connection.segment(Server, html.as_bytes());
    let ask = post("/", "", FORM);
    let ask = as_early_as(&a, connection.segment(Client, ask.as_bytes()));
    let to_b = connection.segment(Server, html.as_bytes());
    let settings = answer("text/plain", SETTINGS);
    let settings = connection.segment(Server, settings.as_bytes());
    for frame in [a, b, to_a, ask, to_b, settings] {
        capture.push(&frame);
    }
    assert_eq!(types(&capture.write(), &[]), ["1", "2"]);
}

/// A request that came in two segments was two that wait for an answer.
#[test]
fn page_asked_for_in_two_segments_when_we_ask() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let (ask, page) = (post("/", "", FORM), page("/a"));
    for bytes in [&page[..20], &page[20..], &ask] {
        capture.push(&connection.segment(Client, bytes.as_bytes()));
    }
    for bytes in [answer("text/html", "x"), answer("text/plain", SETTINGS)] {
        capture.push(&connection.segment(Server, bytes.as_bytes()));
    }
    assert_eq!(types(&capture.write(), &[]), ["1", "2"]);
}

/// Whoever else takes its place in the table between its two segments: a
/// request was two that wait for an answer.
#[test]
fn page_asked_for_in_two_segments_among_a_thousand() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let (ask, page) = (post("/", "", FORM), page("/a"));
    capture.push(&connection.segment(Client, &page.as_bytes()[..20]));
    others_ask(&mut capture);
    for bytes in [&page[20..], &ask] {
        capture.push(&connection.segment(Client, bytes.as_bytes()));
    }
    for bytes in [answer("text/html", "x"), answer("text/plain", SETTINGS)] {
        capture.push(&connection.segment(Server, bytes.as_bytes()));
    }
    assert_eq!(types(&capture.write(), &[]), ["1", "2"]);
}

/// Answered, it lost its place again: what was kept of it was older than that.
#[test]
fn page_asked_for_in_two_segments_and_answered_among_thousands() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let (ask, page) = (post("/", "", FORM), page("/a"));
    capture.push(&connection.segment(Client, &page.as_bytes()[..20]));
    others_ask(&mut capture);
    let rest = connection.segment(Client, &page.as_bytes()[20..]);
    capture.push(&rest);
    let html = answer("text/html", "x");
    capture.push(&connection.segment(Server, html.as_bytes()));
    others_ask(&mut capture);
    let ask = connection.segment(Client, ask.as_bytes());
    capture.push(&as_early_as(&rest, ask));
    let settings = answer("text/plain", SETTINGS);
    capture.push(&connection.segment(Server, settings.as_bytes()));
    assert_eq!(types(&capture.write(), &[]), ["1", "2"]);
}

/// The end of a page was taken for the answer to another that was asked for
/// when it had begun, and that one for the answer to us.
#[test]
fn page_under_way_when_another_is_asked_for() {
    let html = answer("text/html", "x");
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    capture.send(&mut connection, Client, page("/a").as_bytes());
    capture.send(&mut connection, Server, &html.as_bytes()[..40]);
    let b = connection.segment(Client, page("/b").as_bytes());
    let rest_of_a = connection.segment(Server, &html.as_bytes()[40..]);
    let ask = post("/", "", FORM);
    let ask = as_early_as(&b, connection.segment(Client, ask.as_bytes()));
    for frame in [&b, &rest_of_a, &ask] {
        capture.push(frame);
    }
    for bytes in [&html, &answer("text/plain", SETTINGS)] {
        capture.push(&connection.segment(Server, bytes.as_bytes()));
    }
    assert_eq!(types(&capture.write(), &[]), ["1", "2"]);
}

/// A page that came twice was the answer to two requests, and the next page
/// the answer to us.
#[test]
fn page_again_without_analysis() {
    let html = answer("text/html", "x");
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let a = connection.segment(Client, page("/a").as_bytes());
    let b = connection.segment(Client, page("/b").as_bytes());
    let to_a = connection.segment(Server, html.as_bytes());
    let ask = post("/", "", FORM);
    let ask = as_early_as(&a, connection.segment(Client, ask.as_bytes()));
    for frame in [&a, &b, &to_a, &to_a, &ask] {
        capture.push(frame);
    }
    for bytes in [&html, &answer("text/plain", SETTINGS)] {
        capture.push(&connection.segment(Server, bytes.as_bytes()));
    }
    let option = ["-o", "tcp.analyze_sequence_numbers:FALSE"];
    assert_eq!(types(&capture.write(), &option), ["1", "2"]);
}

/// Of two pages that were under way at once one was left when a third was
/// asked for, and nobody waited for that any more when its answer came.
#[test]
fn last_page_of_a_pipeline_among_a_thousand() {
    let html = answer("text/html", "x");
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    for path in ["/a", "/b"] {
        capture.push(&connection.segment(Client, page(path).as_bytes()));
    }
    for from in [Server, Client, Server] {
        let bytes = if from == Server { &html } else { &page("/c") };
        capture.push(&connection.segment(from, bytes.as_bytes()));
    }
    others_ask(&mut capture);
    let last = answer("text/plain", SETTINGS);
    capture.push(&connection.segment(Server, last.as_bytes()));
    assert_eq!(types(&capture.write(), &[]), [""; 0]);
}

/// The first page was forgotten when the second was asked for, and the second
/// when the first had come.
#[test]
fn second_page_of_a_pipeline_among_thousands() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    capture.push(&connection.segment(Client, page("/a").as_bytes()));
    others_ask(&mut capture);
    capture.push(&connection.segment(Client, page("/b").as_bytes()));
    let html = answer("text/html", "x");
    capture.push(&connection.segment(Server, html.as_bytes()));
    others_ask(&mut capture);
    let last = answer("text/plain", SETTINGS);
    capture.push(&connection.segment(Server, last.as_bytes()));
    assert_eq!(types(&capture.write(), &[]), [""; 0]);
}

/// A page that was asked for in one capture is not what answers in the next,
/// on a connection of the same numbers.
#[test]
fn a_page_asked_for_in_the_capture_before() {
    let [asked, answered] = [true, false].map(|asks| {
        let mut capture = Capture::default();
        let mut connection = capture.connect(80);
        let ask = connection.segment(Client, page("/").as_bytes());
        let settings = answer("text/plain", SETTINGS);
        let settings = connection.segment(Server, settings.as_bytes());
        capture.push(if asks { &ask } else { &settings });
        capture.write()
    });
    let load = |capture: &NamedTempFile| json!({"method": "load", "params": {"file": capture.path()}});
    let frames = json!({"method": "frames", "params": {"filter": "mcas"}});
    for (first, found) in [(&answered, true), (&asked, false)] {
        let requests = [load(&asked), load(first), frames.clone()];
        let shown = sharkd(&numbered(&requests));
        assert_eq!(shown.contains("Provisioning response"), found, "{shown}");
    }
}
