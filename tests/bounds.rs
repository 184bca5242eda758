//! How much there may be of anything, and what it costs.
//!
//! The core has no bounds but the length of its input, so that nothing is
//! lost; what it costs must grow with the input and no faster. Wireshark has
//! bounds of its own, before which the plugin stops, and says so.

use crate::capi::{compile, library, source, target};
use crate::support::{frames, peak_memory, tshark, Capture, Connection, Side};
use mcas::fields::HOST_PROGRAM;
use mcas::{Context, Field, Item, Note, Request};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

const MIB: usize = 1 << 20;

/// What the plugin draws in one frame (`MOST_ITEMS` of packet-mcas.c).
const MOST_ITEMS: usize = 50_000;

/// A provisioning request with that body.
fn request(body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: add-con.mcas\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// A response with that body, and header lines.
fn response(headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// `text` again and again, up to about `length` bytes.
fn fill(text: &str, length: usize) -> String {
    text.repeat(length / text.len().max(1))
}

/// A request and its response, in which one thing is as large as `n` bytes.
type Shape = (&'static str, fn(usize) -> Vec<u8>);

/// A response alone counts as the answer to the provisioning request here.
fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    [request(""), response(headers, body)].concat()
}

const SHAPES: &[Shape] = &[
    ("a line", |n| answer("", fill("x", n).as_bytes())),
    ("a value", |n| {
        answer("", format!("ip_tel_num={}", fill("07", n)).as_bytes())
    }),
    ("parameters", |n| answer("", fill("a=b\r\n", n).as_bytes())),
    ("lines without =", |n| answer("", fill("a\n", n).as_bytes())),
    // Behind them a letter, or the first look takes all of it for a head, and
    // gives up at some length.
    ("blank lines", |n| answer("", (fill("\r\n", n) + "a").as_bytes())),
    ("known keys", |n| answer("", fill("rtpport1=5004\r\n", n).as_bytes())),
    ("routes", |n| {
        let routes = fill("10.20.30.0/24&", n);
        answer("", format!("dest_nw_addr={routes}").as_bytes())
    }),
    ("pairs of a form", |n| request(&fill("a=b&", n))),
    ("a pair's key", |n| request(&fill("k", n))),
    ("percent-encoding", |n| request(&fill("%41%zz%4", n))),
    ("header lines", |n| {
        answer(&fill("Set-Cookie: a=b\r\n", n), b"ResultCode=0000")
    }),
    ("a header line", |n| {
        answer(&format!("X: {}\r\n", fill("y", n)), b"ResultCode=0000")
    }),
    ("cookies", |n| {
        let cookies = fill("BIGipServerp=944474890.20480.0000; ", n);
        format!(
            "GET / HTTP/1.1\r\nHost: add-con.mcas\r\nCookie: {cookies}\r\n\r\n"
        )
        .into()
    }),
    ("carriers", |n| {
        let carriers = fill("NTTEAST/", n);
        format!(
            "GET / HTTP/1.1\r\nUser-Agent: M-CAS/1 (a 1; {carriers})\r\n\r\n"
        )
        .into()
    }),
    ("a target", |n| {
        let folders = fill("fw/", n);
        format!("GET /{folders} HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n").into()
    }),
    ("a query", |n| {
        let query = fill("a=%20&", n);
        format!("GET /?{query} HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n").into()
    }),
    ("chunks", |n| {
        let chunks = fill("1\r\na\r\n", n);
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        [request(""), format!("{head}{chunks}0\r\n\r\n").into()].concat()
    }),
    ("extensions", |n| {
        let list = "GET /cas_tel_list HTTP/1.1\r\n\r\n".as_bytes();
        let body = format!("list={}", fill("3,", n));
        [list, &response("", body.as_bytes())].concat()
    }),
    ("Shift_JIS", |n| {
        let body = [b"area_code=", &b"\x93\x64"[..].repeat(n / 2)[..]];
        answer(
            "Content-Type: text/plain;charset=Shift_JIS\r\n",
            &body.concat(),
        )
    }),
    ("an image", |n| {
        let get = "GET /fw/a HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n";
        [get.as_bytes(), &response("", &vec![b'='; n])].concat()
    }),
    ("messages", |n| {
        let get = "GET / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n";
        fill(get, n).into()
    }),
    ("messages with LF", |n| fill("GET / HTTP/1.1\n\n", n).into()),
    ("interim answers", |n| fill("HTTP/1.1 100 C\n\n", n).into()),
    ("requests of phones", |n| {
        fill("GET /cas_tel_list HTTP/1.1\r\n\r\n", n).into()
    }),
];

/// Instructions that a program takes.
fn instructions(program: &Path, arguments: &[&OsStr]) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no"])
        .arg("--cachegrind-out-file=/dev/null")
        .arg(program)
        .args(arguments)
        .output()
        .expect("valgrind runs");
    let report = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    let (_, count) = report.split_once("refs:").expect("a count");
    let count = count.lines().next().unwrap_or_default().trim();
    count.replace(',', "").parse().expect("a number")
}

/// Reading everything with the C library takes time linear in the input: from
/// n to 2n and from 2n to 4n bytes, what is added doubles. `reader` prints
/// every item, so this is the cost of formatting, too.
#[test]
#[ignore = "valgrind"]
fn time_is_linear() {
    let program = compile(&source("reader"), library(), true);
    let n = 1 << 15;
    println!("{:20} {:>12} {:>12} {:>12}  growth", "", "n", "2n", "4n");
    for (name, shape) in SHAPES {
        let costs = [n, 2 * n, 4 * n].map(|n| {
            let file = target(&format!("bounds-{}", name.replace(' ', "-")));
            fs::write(&file, shape(n)).unwrap();
            instructions(&program, &[file.as_os_str()])
        });
        assert_linear(name, costs);
    }
}

/// What is added from n to 2n doubles from 2n to 4n.
fn assert_linear(name: &str, costs: [u64; 3]) {
    let [one, two, four] = costs;
    let growth = (four - two) as f64 / (two - one) as f64;
    println!("{name:20} {one:12} {two:12} {four:12}  {growth:.3}");
    assert!((1.9..2.1).contains(&growth), "{name}: {growth}");
}

/// A request of a phone, whose keys make it ours, with this body.
fn phone(headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "PUT /cas_tel_conf HTTP/1.1\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into()
}

/// The same in chunks.
fn phone_chunked(chunks: &str) -> Vec<u8> {
    let headers = "Transfer-Encoding: chunked\r\n";
    format!("PUT /cas_tel_conf HTTP/1.1\r\n{headers}\r\n{chunks}").into()
}

/// Where pieces are cut must not depend on the length of the head: none is as
/// long as what repeats here, or a multiple of it.
const PIECES: &[Shape] = &[
    ("pairs", |n| phone("", &fill("a=bc&", n))),
    ("keys", |n| phone("", &fill("iD&ip_Tel_nu%6d&&", n))),
    ("a key", |n| phone("", &fill("k", n))),
    ("a value", |n| phone("", &format!("id={}", fill("v", n)))),
    ("chunks", |n| phone_chunked(&fill("1\r\n&\r\n", n))),
    ("a chunk", |n| phone_chunked(&format!("{n:x}\r\n{}", fill("a&", n)))),
    ("extensions", |n| {
        phone_chunked(&fill(&format!("1;{}\r\n&\r\n", "e".repeat(3000)), n))
    }),
    ("a trailer", |n| phone_chunked(&format!("0\r\n{}", fill("t", n)))),
    ("trailers", |n| phone_chunked(&format!("0\r\n{}", fill("t\n", n)))),
    ("a header line", |n| phone(&format!("X: {}\r\n", fill("y", n)), "id=")),
    ("header lines", |n| phone(&fill("Cookie: a=b\r\n", n), "id=")),
    ("blank lines", |n| [fill("\r\n", n).into(), phone("", "id=1")].concat()),
    ("interim answers", |n| fill("HTTP/1.1 100 C\n\n", n).into()),
];

/// A message that comes in pieces, be they segments or bytes, costs what is
/// linear in it, too, whoever reads it as they come.
#[test]
#[ignore = "valgrind"]
fn pieces_are_linear() {
    let program = compile(&source("pieces"), library(), true);
    let n = 1 << 15;
    for (name, shape) in PIECES {
        for step in ["16", "1400"] {
            let name = format!("{name} by {step}");
            let costs = [n, 2 * n, 4 * n].map(|n| {
                let file = format!("pieces-{}", name.replace(' ', "-"));
                let file = target(&file);
                fs::write(&file, shape(n)).unwrap();
                instructions(&program, &[step.as_ref(), file.as_os_str()])
            });
            assert_linear(&name, costs);
        }
    }
}

/// What one side sends.
const SENT: &[Shape] = &[
    ("answers to nothing", |n| fill("HTTP/1.1 204 N\r\n\r\n", n).into()),
    ("our answers", |n| {
        let answer = response("", b"ResultCode=0000");
        answer.repeat(n / answer.len())
    }),
    ("web requests", |n| fill("GET / HTTP/1.1\r\n\r\n", n).into()),
    ("our requests", |n| {
        fill("GET / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n", n).into()
    }),
    // Longer than 65,536 bytes it is none.
    ("a head", |n| {
        let line = fill("y", n / 4);
        format!("GET / HTTP/1.1\r\nX: {line}\r\n\r\n").into()
    }),
    ("an answer", |n| {
        let body = format!("ResultCode=0000\n{}", fill("a=b\n", n));
        response("", body.as_bytes())
    }),
    ("chunks of an answer", |n| {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let chunks = fill("1\r\na\r\n", n);
        format!("{head}f\r\nResultCode=0000\r\n{chunks}").into()
    }),
    ("blank lines before all", |n| fill("\r\n", n).into()),
    ("no HTTP", |n| fill("GET /HTTP/1.", n).into()),
];

/// The tracker's work is linear in what is sent, be that in many segments or
/// in few.
#[test]
#[ignore = "valgrind"]
fn tracking_is_linear() {
    let program = compile(&source("track"), library(), true);
    let n = 1 << 15;
    for (name, shape) in SENT {
        for step in ["16", "1400", "1000000"] {
            let name = format!("{name} by {step}");
            let costs = [n, 2 * n, 4 * n].map(|n| {
                let file = format!("track-{}", name.replace(' ', "-"));
                let file = target(&file);
                fs::write(&file, shape(n)).unwrap();
                instructions(&program, &[step.as_ref(), file.as_os_str()])
            });
            println!("{name:32} {costs:?}");
            // What is kept grows in leaps: some instructions a byte.
            let [first, second] = [costs[1] - costs[0], costs[2] - costs[1]];
            assert!(second < first * 21 / 10 + 4 * n as u64, "{name}");
        }
    }
}

/// What the two sides of a connection send.
const EXCHANGED: &[(&str, [&str; 2])] = &[
    (
        "our exchanges",
        [
            "GET / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ],
    ),
    ("web exchanges", ["GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 204 N\r\n\r\n"]),
    ("requests alone", ["GET / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n", ""]),
    ("answers alone", ["", "HTTP/1.1 204 N\r\n\r\n"]),
    ("interim answers", ["GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 100 C\n\n"]),
    ("blank lines", ["\r\n", "\r\n"]),
];

/// So it is in the bytes of the two sides, though one waits for the other.
#[test]
#[ignore = "valgrind"]
fn tracking_without_packets_is_linear() {
    let program = compile(&source("track"), library(), true);
    let n = 1 << 15;
    for (name, sides) in EXCHANGED {
        for step in ["16", "1400", "1000000"] {
            let name = format!("{name} by {step}");
            let costs = [n, 2 * n, 4 * n].map(|n| {
                let [asked, told] = [0, 1].map(|side| {
                    let name = name.replace(' ', "-");
                    let file = target(&format!("track-{name}-{side}"));
                    fs::write(&file, fill(sides[side], n)).unwrap();
                    file
                });
                let files = [asked.as_os_str(), told.as_os_str()];
                instructions(&program, &[step.as_ref(), files[0], files[1]])
            });
            println!("{name:32} {costs:?}");
            let [first, second] = [costs[1] - costs[0], costs[2] - costs[1]];
            assert!(second < first * 21 / 10 + 4 * n as u64, "{name}");
        }
    }
}

/// All items of the first message, and those of its body.
fn items(input: &[u8], request_type: u32) -> Vec<Item> {
    let context = Context::answering(Request::new(request_type));
    let message = mcas::parse(input, &context).unwrap();
    let body = message.body_bytes(input);
    let head = message.head_items(input);
    head.chain(message.body_items(&body)).collect()
}

fn count(items: &[Item], field: Field) -> usize {
    items.iter().filter(|item| item.as_field() == Some(field)).count()
}

/// The core has no bound of its own.
#[test]
fn nothing_is_lost() {
    let value = "7".repeat(10 * MIB);
    let long = response("", format!("ip_tel_num={value}").as_bytes());
    let long = items(&long, 1);
    let number = |item: &&Item| item.as_field() == Some(Field::IpTelNum);
    let number = long.iter().find(number).unwrap();
    assert_eq!(number.span.length as usize, value.len());

    let line = items(&response("", value.as_bytes()), 1);
    let param = |item: &&Item| item.as_field() == Some(Field::Param);
    let param = line.iter().find(param).unwrap();
    assert_eq!(param.span.length as usize, value.len());

    let many = "name=value\r\n".repeat(100_000);
    let many = items(&response("", many.as_bytes()), 1);
    assert_eq!(count(&many, Field::Param), 100_000);

    let routes = vec!["192.0.2.0/24"; 10_000].join("&");
    let routes = format!("dest_nw_addr={routes}\r\n");
    let routes = items(&response("", routes.as_bytes()), 1);
    assert_eq!(count(&routes, Field::DestNwAddrNetwork), 10_000);

    let headers = "Set-Cookie: BIGipServerp=1.1.0000\r\n".repeat(10_000);
    let headers = items(&response(&headers, b""), 1);
    assert_eq!(count(&headers, Field::Bigip), 10_000);
}

/// However long: a value that is masked is no secret, and one that is longer
/// than any of its type is none.
#[test]
fn long_values_are_judged_alike() {
    for length in [255, 256, 257, 10_000] {
        let masked = "X".repeat(length);
        let lines = format!("password={masked}\r\nip_tel_num={masked}\r\n");
        let read = items(&response("", lines.as_bytes()), 1);
        let notes: Vec<Note> = read.iter().filter_map(Item::as_note).collect();
        assert_eq!(notes, [Note::ValueMasked; 2], "{length}");

        let zeros = "0".repeat(length);
        let lines = format!("rtpport1={zeros}\r\n");
        let read = items(&response("", lines.as_bytes()), 1);
        let invalid = |item: &Item| item.as_note() == Some(Note::ValueInvalid);
        assert!(read.iter().any(invalid), "{length}");
        assert_eq!(count(&read, Field::ParamValue), 1);
    }
}

/// A capture in which one connection carries what `talk` sends.
fn capture(talk: impl FnOnce(&mut Capture, &mut Connection)) -> Capture {
    let mut capture = Capture::default();
    let mut connection = capture.connect(80);
    talk(&mut capture, &mut connection);
    for frame in connection.close() {
        capture.push(&frame);
    }
    capture
}

/// Sends bytes in segments as large as they may be.
fn send(
    capture: &mut Capture,
    connection: &mut Connection,
    from: Side,
    bytes: &[u8],
) {
    for part in bytes.chunks(60_000) {
        capture.push(&connection.segment(from, part));
    }
    capture.push(&connection.acknowledge(from.other()));
}

/// What tshark shows of fields, as they stand in its lines.
fn shown(capture: &Path, fields: &[&str]) -> Vec<String> {
    let mut options = vec!["-Y", "mcas", "-T", "fields"];
    options.extend(["-E", "aggregator=/s"]);
    let path = capture.to_str().unwrap();
    options.extend(["-r", path]);
    fields.iter().for_each(|field| options.extend(["-e", field]));
    tshark(&options).lines().map(str::to_owned).collect()
}

/// Below, at and above the number of items that a frame shows. A pair that is
/// not known has four (parameter, name, value, note), one that is known has
/// one, the head two.
#[test]
fn limit_of_items() {
    assert_eq!(Note::Limit.info().flags, HOST_PROGRAM);
    for (over, limit) in [(-1, false), (0, false), (1, true), (4000, true)] {
        let items = (MOST_ITEMS as isize + over) as usize - 2;
        let body =
            "a=b&".repeat(items / 4) + &"ControlCode=&".repeat(items % 4);
        let request = request(&body);
        assert_eq!(self::items(&request, 0).len(), items + 2);
        let file = capture(|capture, connection| {
            send(capture, connection, Side::Client, &request);
        })
        .write();
        let rows = shown(file.path(), &["mcas.limit", "mcas.param"]);
        let [row] = &rows[..] else { panic!("{} rows", rows.len()) };
        let (noted, parameters) = row.split_once('\t').unwrap();
        assert_eq!(noted, if limit { "1" } else { "" }, "{over}");
        let expected = items.min(MOST_ITEMS - 2).div_ceil(4);
        let shown = parameters.split(' ').count();
        assert!(shown.abs_diff(expected) <= 1, "{shown} {expected}");
    }
}

/// The bound is the frame's, however many messages are in it.
#[test]
fn limit_of_items_in_many_messages() {
    let one = request(&"a&".repeat(1000));
    let file = capture(|capture, connection| {
        send(capture, connection, Side::Client, &one.repeat(29));
    })
    .write();
    let rows = shown(file.path(), &["mcas.param", "mcas.limit"]);
    let shown: usize = rows
        .iter()
        .map(|row| row.split('\t').next().unwrap().split(' ').count())
        .sum();
    // One segment is one frame, and one message of the last is its own.
    assert!((12_000..=29_000).contains(&shown), "{shown}");
    assert!(rows.iter().any(|row| !row.ends_with('\t')), "{}", rows.len());
}

/// 100,000 parameters and 30,000 routes; 10,000 routes fit.
#[test]
fn more_than_the_tree_holds() {
    for (body, fields, limit) in [
        ("name=value\r\n".repeat(100_000), 12_500, true),
        (
            format!("dest_nw_addr={}", vec!["192.0.2.0/24"; 30_000].join("&")),
            24_999,
            true,
        ),
        (
            format!("dest_nw_addr={}", vec!["192.0.2.0/24"; 10_000].join("&")),
            10_000,
            false,
        ),
    ] {
        let field = if body.starts_with("name") {
            "mcas.param"
        } else {
            "mcas.dest_nw_addr.network"
        };
        let file = capture(|capture, connection| {
            send(capture, connection, Side::Client, &request(""));
            let response = response("", body.as_bytes());
            send(capture, connection, Side::Server, &response);
        })
        .write();
        let rows = shown(file.path(), &["mcas.limit", field]);
        let (noted, values) = rows[1].split_once('\t').unwrap();
        assert_eq!(!noted.is_empty(), limit);
        assert!(values.split(' ').count().abs_diff(fields) <= 2, "{field}");
        // The whole tree can be printed, too.
        let path = file.path().to_str().unwrap();
        tshark(&["-r", path, "-T", "pdml", "-Y", "mcas"]);
    }
}

/// 10 MB in one value; a head of 10,000 lines.
#[test]
fn long_values_and_heads_are_shown() {
    let digits = "7".repeat(10 * MIB);
    let value = format!("ip_tel_num={digits}");
    let headers = "X-Padding: 0\r\n".repeat(10_000);
    let file = capture(|capture, connection| {
        send(capture, connection, Side::Client, &request(""));
        let response = response(&headers, value.as_bytes());
        send(capture, connection, Side::Server, &response);
    })
    .write();
    let rows = shown(file.path(), &["mcas.type", "mcas.ip_tel_num"]);
    assert_eq!(rows[0], "1\t");
    assert!(rows[1] == format!("2\t{digits}"), "{}", rows[1].len());
}

/// An image of 100 MB is not copied, and recognising it takes nothing that
/// grows with it; in chunks, of which HTTP makes one piece, likewise.
#[test]
#[ignore = "memory, of 100 MB"]
fn images_are_not_copied() {
    let get = b"GET /fw/A/b.bin HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n";
    let plain = |length: usize| response("", &vec![0x5a; length]);
    let chunked = |length: usize| {
        let chunk = [&b"1000\r\n"[..], &[0x5a; 0x1000], b"\r\n"].concat();
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        [head, &chunk.repeat(length / 0x1000)[..], b"0\r\n\r\n"].concat()
    };
    for (image, size) in
        [(plain(100 * MIB), 100 * MIB), (chunked(4 * MIB), 4 * MIB)]
    {
        let file = capture(|capture, connection| {
            send(capture, connection, Side::Client, get);
            send(capture, connection, Side::Server, &image);
        })
        .write();
        let rows = shown(file.path(), &["mcas.type", "mcas.firmware.size"]);
        assert_eq!(rows, ["3\t", &format!("4\t{size}")]);
        let [with, without] = [true, false].map(|with_plugin| {
            let path = file.path().to_str().unwrap();
            peak_memory(&["-r", path, "-Y", "tcp.len == 1"], with_plugin)
        });
        println!("{size}: {with} bytes with the plugin, {without} without");
        assert!(with.saturating_sub(without) < 2 * MIB + size / 20);
    }
}

/// What a conversation keeps of each request that has no response.
#[test]
#[ignore = "memory, of thousands of requests"]
fn requests_without_response_are_kept_small() {
    let request = request("TerminalID=001F67A1B2C3");
    let of = |count: usize| {
        capture(|capture, connection| {
            for _ in 0..count {
                capture.push(&connection.segment(Side::Client, &request));
            }
        })
        .write()
    };
    let cost = |count| {
        let file = of(count);
        let path = file.path().to_str().unwrap();
        let all = ["-r", path, "-Y", "tcp.len == 1"];
        peak_memory(&all, true) as isize - peak_memory(&all, false) as isize
    };
    let each = (cost(25_000) - cost(5_000)) / 20_000;
    println!("{each} bytes a request");
    assert!(each < 600, "{each}");
    // And none of them is lost, nor beyond what 16 bits count.
    let file = of(70_000);
    assert_eq!(frames(file.path(), "mcas.type == 1", &[]).len(), 70_000);
}

/// What is kept of each exchange, on one connection and on as many as there
/// are exchanges; the connection's own is in the latter. docs/security.md has
/// the figures.
#[test]
#[ignore = "memory, of thousands of exchanges"]
fn exchanges_are_kept_small() {
    let ask = request("TerminalID=001F67A1B2C3");
    let settings = response("", b"ResultCode=0000\r\nip_addr=192.0.2.1\r\n");
    let exchange = |capture: &mut Capture, connection: &mut Connection| {
        capture.push(&connection.segment(Side::Client, &ask));
        capture.push(&connection.segment(Side::Server, &settings));
    };
    let on_one = |count: usize| {
        capture(|capture, connection| {
            (0..count).for_each(|_| exchange(capture, connection));
        })
    };
    let on_many = |count: usize| {
        let mut capture = Capture::default();
        for _ in 0..count {
            let mut connection = capture.connect(80);
            exchange(&mut capture, &mut connection);
        }
        capture
    };
    let cost = |capture: &Capture| {
        let file = capture.write();
        let path = file.path().to_str().unwrap();
        let all = ["-r", path, "-Y", "tcp.len == 1"];
        let [with, without] =
            [true, false].map(|with| peak_memory(&all, with) as isize);
        println!("{with} bytes with the plugin, {without} without");
        with - without
    };
    for (what, few, many, of, bound) in [
        ("exchange", on_one(5_000), on_one(25_000), 20_000, 700),
        ("connection", on_many(3_000), on_many(18_000), 15_000, 1500),
    ] {
        let each = (cost(&many) - cost(&few)) / of;
        println!("{each} bytes for each {what}");
        assert!(each < bound, "{each} bytes for each {what}");
    }
}
