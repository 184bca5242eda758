//! Endpoints that answers name: what follows is dissected at them, and what
//! belongs to others stays theirs.

use crate::harm::{assert_none, changes, TREES};
use crate::support::{
    capture, frames, frames_without_plugin, messages, numbered, peak_memory,
    sharkd, tshark, Capture, Side,
};
use serde_json::{json, Value};

/// Without these Wireshark has nothing to recognise SIP by, on a port that
/// it does not know.
const NO_SIP: [&str; 4] =
    ["--disable-heuristic", "sip_udp", "--disable-heuristic", "sip_tcp"];
/// Where nothing is learned, and the options are known to the plugin alone.
const NOTHING: [&str; 6] = [
    "-o",
    "mcas.learn_sip:FALSE",
    "-o",
    "mcas.learn_rtp:FALSE",
    "-o",
    "mcas.learn_http:FALSE",
];
const PASSES: [&[&str]; 2] = [&[], &["-2"]];

// What sipp and curl have said (tests/captures/mcas-learned.pcap).

#[test]
fn sip_is_found_where_the_answer_says() {
    let path = capture("mcas-learned.pcap");
    let sip = [21, 22, 23, 34, 35, 39, 41, 43, 55, 57];
    assert_eq!(frames_without_plugin(&path, "sip", &NO_SIP), [0; 0]);
    for passes in PASSES {
        for (own, wanted) in [
            (&[][..], &sip[..]),
            (&["-o", "mcas.learn_sip:FALSE"], &[]),
            (&["-o", "mcas.learn_rtp:FALSE"], &sip),
        ] {
            let options = [passes, &NO_SIP, own].concat();
            let found = frames(&path, "sip", &options);
            assert_eq!(found, wanted, "{options:?}");
        }
    }
}

/// Of the first call the signalling is lost; the later ones are claimed by
/// theirs, on the first one's port, too.
#[test]
fn rtp_is_found_where_no_signalling_claims_it() {
    let path = capture("mcas-learned.pcap");
    let lost: Vec<u32> = (11..=20).collect();
    let claimed = frames_without_plugin(&path, "rtp", &[]);
    assert_eq!(claimed.len(), 20);
    for passes in PASSES {
        let of_answer = "rtp.setup-frame == 6 and rtp.setup-method == M-CAS";
        let of_answer = of_answer.replace("M-CAS", "\"M-CAS\"");
        assert_eq!(frames(&path, &of_answer, passes), lost, "{passes:?}");
        let of_sdp = "rtp.setup-method == \"SDP\"";
        assert_eq!(frames(&path, of_sdp, passes), claimed, "{passes:?}");
        let off = [passes, &["-o", "mcas.learn_rtp:FALSE"]].concat();
        assert_eq!(frames(&path, "rtp", &off), claimed, "{passes:?}");
    }
}

#[test]
fn notifications_are_found_where_the_answer_says() {
    let path = capture("mcas-learned.pcap");
    for passes in PASSES {
        for (learn, wanted) in
            [("TRUE", &[4, 6, 66, 68][..]), ("FALSE", &[4, 6])]
        {
            let learn = format!("mcas.learn_http:{learn}");
            let own = ["-o", "mcas.heuristic:FALSE", "-o", &learn];
            let options = [passes, &own].concat();
            assert_eq!(frames(&path, "mcas", &options), wanted, "{options:?}");
        }
    }
}

#[test]
fn where_nothing_is_learned_nothing_changes() {
    let path = capture("mcas-learned.pcap");
    assert_none(&changes(&path, &TREES, &[], &[(&NOTHING, &[4, 6, 66, 68])]));
    let listed = frames(&path, "mcas.learned", &NOTHING);
    assert_eq!(listed, [0; 0]);
}

/// One pass, two, and frame by frame from the last to the first.
#[test]
fn later_visits_say_the_same() {
    let path = capture("mcas-learned.pcap");
    let file = path.to_str().expect("paths of tests are plain");
    let columns = [
        "frame.number",
        "frame.protocols",
        "rtp.setup-frame",
        "mcas.learned",
        "_ws.col.Info",
    ];
    let fields: Vec<&str> =
        columns.iter().flat_map(|field| ["-e", field]).collect();
    for options in [&[][..], &NO_SIP] {
        let all = [&["-r", file, "-T", "fields"][..], options].concat();
        let once = tshark(&[&all[..], &fields].concat());
        let twice = tshark(&[&all[..], &["-2"], &fields].concat());
        assert_eq!(once, twice);
    }

    let mut requests = vec![json!({
        "jsonrpc": "2.0", "id": 100, "method": "load", "params": {"file": file}
    })];
    let visits: Vec<u32> = (1..=72).rev().chain(1..=72).collect();
    requests.extend(visits.iter().map(|frame| {
        json!({"jsonrpc": "2.0", "id": frame, "method": "frame",
               "params": {"frame": frame, "proto": true}})
    }));
    let lines: Vec<String> = requests.iter().map(Value::to_string).collect();
    let answers = sharkd(&(lines.join("\n") + "\n"));
    let mut rtp = Vec::new();
    for (frame, line) in visits.iter().zip(answers.lines().skip(1)) {
        if line.contains("Stream setup by M-CAS (frame 6)") {
            rtp.push(*frame);
        }
    }
    let lost = (11..=20).rev().chain(11..=20);
    assert_eq!(rtp, lost.collect::<Vec<u32>>());
}

/// Of the frames that are asked for among requests to sharkd: whether their
/// tree has that in it.
fn shown(requests: &[Value], label: &str) -> Vec<bool> {
    let answers = sharkd(&numbered(requests));
    let trees = answers.lines().filter(|line| line.contains("\"tree\""));
    trees.map(|line| line.contains(label)).collect()
}

fn load(name: &str) -> Value {
    json!({"method": "load", "params": {"file": capture(name)}})
}

fn show(frame: u32) -> Value {
    json!({"method": "frame", "params": {"frame": frame, "proto": true}})
}

/// A preference that changes is for what is read from then on, also where
/// nobody has asked yet what an answer says.
#[test]
fn a_preference_counts_when_the_answer_is_read() {
    let set = |value: &str| {
        json!({"method": "setconf",
               "params": {"name": "mcas.learn_rtp", "value": value}})
    };
    let requests = [
        load("boot.pcapng"),
        set("FALSE"),
        show(62),
        load("boot.pcapng"),
        set("TRUE"),
        show(62),
        load("boot.pcapng"),
        show(62),
    ];
    let listed = shown(&requests, "Learned endpoint: RTP at");
    assert_eq!(listed, [true, false, true]);
}

/// What nobody has asked for goes with its capture.
#[test]
fn captures_one_after_the_other() {
    let requests = [
        load("boot.pcapng"),
        load("mcas-devices.pcap"),
        load("mcas-devices.pcap"),
        show(6),
        load("boot.pcapng"),
        load("mcas-learned.pcap"),
        show(6),
        show(11),
        load("boot.pcapng"),
        show(62),
    ];
    let device = shown(&requests, "RTP at 172.20.184.194:5004-5035");
    assert_eq!(device, [true, false, false, true]);
    let other = shown(&requests, "RTP at 10.212.33.9:5004-5035");
    assert_eq!(other, [false, true, false, false]);
}

// Packets made by hand.

const DEVICE: [u8; 4] = [198, 51, 100, 7];
const OTHER: [u8; 4] = [203, 0, 113, 9];

/// A UDP packet from one end to another.
fn udp(from: ([u8; 4], u16), to: ([u8; 4], u16), payload: &[u8]) -> Vec<u8> {
    let length = |header: usize| {
        let all = u16::try_from(header + payload.len()).expect("it fits");
        all.to_be_bytes()
    };
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0]; // Ethernet
    frame.extend([0x45, 0]); // IPv4
    frame.extend(length(28));
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0]);
    frame.extend(from.0);
    frame.extend(to.0);
    frame.extend(from.1.to_be_bytes()); // UDP
    frame.extend(to.1.to_be_bytes());
    frame.extend(length(8));
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

fn rtp(sequence: u8) -> Vec<u8> {
    let head = [0x80, 0, 0, sequence, 0, 0, 0, sequence * 160, 1, 2, 3, 4];
    [&head[..], &[0xFF; 160]].concat()
}

/// A DNS query for www.example.jp. Its first bytes could be RTP's.
fn dns() -> Vec<u8> {
    let head = [0x80, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    [&head[..], b"\x03www\x07example\x02jp\0\0\x01\0\x01"].concat()
}

/// A provisioning exchange with these settings; tells the answer's frame.
fn provision(capture: &mut Capture, settings: &str) -> u32 {
    capture.provision(&format!("ResultCode=0000\r\n{settings}"))
}

const SETTINGS: &str = "ip_addr=198.51.100.7\r\nsipsv_addr=192.0.2.86\r\n\
    sipsv_port=5070\r\nrtpport1=5004\r\nrtpport2=5035\r\n";

/// Wireshark's heuristic wants all of the first line in one segment.
#[test]
fn sip_is_found_in_pieces() {
    let mut capture = Capture::default();
    let settings = SETTINGS.replace("192.0.2.86", "198.51.100.1");
    let call = |capture: &mut Capture, port| {
        let mut connection = capture.connect(port);
        let pieces = [
            "OPTIONS sip:0312345678@198.51",
            ".100.1 SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n",
            "OPTIONS sip:0312345678@198.51.100.1 SIP/2.0\r\n\
             Call-ID: 2\r\nContent-Length: 0\r\n\r\n",
        ];
        pieces.map(|piece| {
            capture.send(&mut connection, Side::Client, piece.as_bytes())
        })
    };
    call(&mut capture, 5070);
    provision(&mut capture, &settings);
    call(&mut capture, 5074);
    let [_, first, second] = call(&mut capture, 5070);
    let file = capture.write();
    let without = frames_without_plugin(file.path(), "sip.Call-ID", &NO_SIP);
    assert_eq!(without, [0; 0]);
    for passes in PASSES {
        let options = [passes, &NO_SIP].concat();
        let found = frames(file.path(), "sip.Call-ID", &options);
        assert_eq!(found, [first, second], "{passes:?}");
    }
}

#[test]
fn rtcp_is_found_beside_rtp() {
    let report = [
        0x80, 200, 0, 6, 1, 2, 3, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
        0, 2, 0, 0, 1, 64,
    ];
    let mut capture = Capture::default();
    let peer = (OTHER, 40_001);
    capture.push(&udp(peer, (DEVICE, 5005), &report));
    let answer = provision(&mut capture, SETTINGS);
    let odd = capture.push(&udp(peer, (DEVICE, 5005), &report));
    let back = capture.push(&udp((DEVICE, 5005), peer, &report));
    let even = capture.push(&udp(peer, (DEVICE, 5006), &rtp(1)));
    let muxed = capture.push(&udp(peer, (DEVICE, 5006), &report));
    // Beyond the range, at another's address, and of another version.
    capture.push(&udp(peer, (DEVICE, 5036), &report));
    capture.push(&udp(peer, (OTHER, 5005), &report));
    capture.push(&udp(peer, (DEVICE, 5008), &[7; 40]));
    let file = capture.write();
    let no_rtcp = ["--disable-heuristic", "rtcp_udp"];
    for passes in PASSES {
        let options = [passes, &no_rtcp].concat();
        let found = frames(file.path(), "rtcp", &options);
        assert_eq!(found, [odd, back, muxed], "{options:?}");
        let found = frames(file.path(), "rtp", &options);
        assert_eq!(found, [even], "{options:?}");
        let of_answer = format!(
            "rtcp.setup-frame == {answer} or rtp.setup-frame == {answer}"
        );
        let found = frames(file.path(), &of_answer, &options);
        assert_eq!(found, [odd, back, even, muxed], "{options:?}");
    }
}

/// What comes to a learned port and is another's stays that, also after the
/// port has been found to carry RTP, and on every visit.
#[test]
fn what_others_take_stays_theirs() {
    let mut capture = Capture::default();
    let answer = provision(&mut capture, SETTINGS);
    let name_server = (OTHER, 53);
    let port = (DEVICE, 5004);
    let query = capture.push(&udp(port, name_server, &dns()));
    let voice = capture.push(&udp((OTHER, 40_000), port, &rtp(1)));
    let file = capture.write();
    for passes in PASSES {
        assert_eq!(frames(file.path(), "dns", passes), [query], "{passes:?}");
        let found = frames(
            file.path(),
            &format!("rtp.setup-frame == {answer}"),
            passes,
        );
        assert_eq!(found, [voice], "{passes:?}");
    }
    assert_eq!(frames_without_plugin(file.path(), "dns", &[]), [query]);
}

/// An answer that names a name server, web servers, all ports, none: what is
/// there is dissected as if it had not been given.
#[test]
fn a_hostile_answer_takes_nothing_away() {
    let mut capture = Capture::default();
    let mut answers = Vec::new();
    for settings in [
        "sipsv_addr=203.0.113.9\r\nsipsv_port=53\r\nregsv_addr=203.0.113.9\
         \r\nregsv_port=443\r\nip_addr=203.0.113.9\r\nrtpport1=1\r\n\
         rtpport2=65535\r\nurl_update_cas=http://203.0.113.9:443/\r\n",
        "sipsv_addr=198.51.100.1\r\nsipsv_port=80\r\n\
         regsv_addr=198.51.100.1\r\nregsv_port=8081\r\n\
         url_update_cas=http://198.51.100.1:22/\r\n",
        "sipsv_addr=0.0.0.0\r\nsipsv_port=0\r\nregsv_addr=255.255.255.255\
         \r\nregsv_port=65535\r\nip_addr=224.0.0.1\r\nrtpport1=9\r\n\
         rtpport2=10\r\nurl_update_cas=http://x.invalid:99999/\r\n",
        "rtpport1=5035\r\nrtpport2=5004\r\nip_addr=203.0.113.9\r\n\
         url_update_cas=http://203.0.113.9:/\r\n",
    ] {
        let answer = provision(&mut capture, settings);
        answers.extend([answer - 2, answer]);
    }
    // 60 names, a time, a web page on either port, a greeting.
    for port in 1024..1084 {
        capture.push(&udp((DEVICE, port), (OTHER, 53), &dns()));
    }
    capture.push(&udp((DEVICE, 123), (OTHER, 123), &[0xE3; 48]));
    for port in [80, 8081, 22] {
        let mut connection = capture.connect(port);
        for (side, bytes) in [
            (Side::Server, "SSH-2.0-OpenSSH_9.2\r\n"),
            (Side::Client, "GET / HTTP/1.1\r\nHost: www.example.jp\r\n\r\n"),
            (Side::Server, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ] {
            if (port == 22) == bytes.starts_with("SSH") {
                capture.send(&mut connection, side, bytes.as_bytes());
            }
        }
    }
    let file = capture.write();
    for options in [
        &[][..],
        &["-o", "udp.try_heuristic_first:TRUE"],
        &["-o", "tcp.try_heuristic_first:TRUE"],
    ] {
        let settings: &[(&[&str], &[u32])] = &[(&[], &answers)];
        assert_none(&changes(file.path(), &TREES, options, settings));
    }
    let listed: Vec<String> = messages(file.path(), &[])
        .iter()
        .flat_map(|message| message.values("mcas.learned"))
        .map(str::to_owned)
        .collect();
    // Ports with a dissector of their own are not even listed; and what comes
    // to the rest must look the part.
    let wanted = ["RTP at 203.0.113.9:1-65535", "SIP at 198.51.100.1:8081"];
    assert_eq!(listed, wanted);
}

/// Who was refused has nothing, whatever else the refusal says.
#[test]
fn a_refusal_teaches_nothing() {
    let mut capture = Capture::default();
    for result in ["0010", "ABCD", ""] {
        capture.provision(&format!("ResultCode={result}\r\n{SETTINGS}"));
    }
    let file = capture.write();
    assert_eq!(frames(file.path(), "mcas.type == 2", &[]).len(), 3);
    assert_eq!(frames(file.path(), "mcas.learned", &[]), [0; 0]);
}

/// Who answers without having been asked may be anybody.
#[test]
fn an_answer_without_its_request_teaches_nothing() {
    let body = format!("ResultCode=0000\r\n{SETTINGS}");
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    capture.send(&mut connection, Side::Server, answer.as_bytes());
    let port = (DEVICE, 5004);
    capture.push(&udp((OTHER, 40_000), port, &rtp(1)));
    let asked = provision(&mut capture, SETTINGS);
    let voice = capture.push(&udp((OTHER, 40_002), port, &rtp(1)));
    let file = capture.write();
    let unmatched = "mcas.type == 2 and mcas.response.unmatched";
    for passes in PASSES {
        assert_eq!(frames(file.path(), unmatched, passes), [4], "{passes:?}");
        let taught = frames(file.path(), "mcas.learned", passes);
        assert_eq!(taught, [asked], "{passes:?}");
        assert_eq!(frames(file.path(), "rtp", passes), [voice], "{passes:?}");
    }
}

/// 3,000 answers that each name other endpoints, and all ports.
#[test]
#[ignore = "memory, of thousands of answers"]
fn thousands_of_answers_cost_little() {
    let mut capture = Capture::default();
    for n in 0..3000_u32 {
        let [_, _, high, low] = n.to_be_bytes();
        provision(
            &mut capture,
            &format!(
                "ip_addr=10.1.{high}.{low}\r\nrtpport1=1\r\nrtpport2=65535\
                 \r\nsipsv_addr=10.2.{high}.{low}\r\nsipsv_port=7000\r\n\
                 regsv_addr=10.3.{high}.{low}\r\nregsv_port=7001\r\n\
                 url_update_cas=http://10.4.{high}.{low}:7002/\r\n"
            ),
        );
    }
    let file = capture.write();
    let file = file.path().to_str().expect("paths of tests are plain");
    let used =
        |own: &[&str]| peak_memory(&[&["-r", file], own].concat(), true);
    let [with, without] = [used(&[]), used(&NOTHING)];
    let each = with.saturating_sub(without) / 3000;
    assert!(each < 2048, "{each} bytes for each answer");
}

/// There the phone's address is where the answer goes to.
#[test]
fn phones_in_the_home_are_found() {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    let form = "id=00022B000001&ip_tel_num=3&term_type=1";
    let settings = "ResultCode=0000\r\nip_addr=192.0.2.1\r\n\
        rtpport1=5004\r\nrtpport2=5005\r\n";
    for (side, line, body) in [
        (Side::Client, "PUT /cas_tel_conf/ HTTP/1.1", form),
        (Side::Server, "HTTP/1.1 200 OK", settings),
    ] {
        let length = body.len();
        let bytes =
            format!("{line}\r\nContent-Length: {length}\r\n\r\n{body}");
        capture.send(&mut connection, side, bytes.as_bytes());
    }
    let file = capture.write();
    let filter = "mcas.learned.protocol == \"RTP\" and \
        mcas.learned.addr == ip.dst";
    let [answer] = frames(file.path(), "mcas.type == 10", &[])[..] else {
        panic!("one answer is in the capture");
    };
    // Field against field: 4.0 compares these two types as others do.
    assert_eq!(frames(file.path(), filter, &[]), [answer]);
}
