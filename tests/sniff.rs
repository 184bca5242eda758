use crate::invariants::sniff_agrees;
use crate::prefix::Random;
use crate::runs::run;
use mcas::Sniff::{self, Candidate, No, OtherRequest};

const OURS: &str = "POST / HTTP/1.1\r\nUser-Agent: M-CAS/1.0\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\n\r\nResultCode=0000\r\n";

/// A request with a body of chunks of a thousand bytes.
fn chunked(chunks: usize) -> String {
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
    format!(
        "POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(chunks)
    )
}

/// However long the parts of a message are, the look does not end before
/// them.
#[test]
fn long_parts() {
    for chunks in [60, 70, 1000] {
        let other = chunked(chunks);
        check(&format!("{other}{OURS}"), Candidate);
        check(&format!("{other}CONNECT a:1 HTTP/1.1\r\n\r\n"), Candidate);
        check(&format!("{other}{other}"), OtherRequest);
        // What has not come to its end has nothing behind it.
        check(&other[..other.len() - 5], OtherRequest);
    }
    for letters in [23, 24, 25, 1000] {
        let method = "M".repeat(letters);
        let host =
            format!("{method} / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n");
        check(&host, Candidate);
        check(&format!("{method} / HTTP/1.1\r\n\r\n{OURS}"), Candidate);
        check(&format!("{method} / HTTP/1.1\r\n\r\n"), OtherRequest);
    }
    for length in [60, 64, 65, 4000] {
        let extension = "e".repeat(length);
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let body = format!("f;{extension}\r\nResultCode=0000\r\n0\r\n\r\n");
        check(&format!("{head}{body}"), Candidate);
    }
    for length in [60_000, 70_000] {
        let cookie = "c".repeat(length);
        let head = format!("HTTP/1.1 200 OK\r\nX: {cookie}\r\n");
        check(&format!("{head}\r\nResultCode=0000"), Candidate);
    }
}

/// Blank lines and interim answers, before any message.
#[test]
fn what_may_stand_before_a_message() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    for blank in ["", "\r\n", "\n", "\r\n\r\n\n"] {
        check(&format!("{blank}{ANSWER}"), Candidate);
        check(&format!("{interim}{blank}{ANSWER}"), Candidate);
        check(&format!("{interim}{blank}{interim}{blank}{ANSWER}"), Candidate);
        check(&format!("{interim}{blank}{OURS}"), Candidate);
        let other = "GET / HTTP/1.1\r\n\r\n";
        check(&format!("{interim}{blank}{other}"), OtherRequest);
        check(&format!("{other}{blank}{interim}{ANSWER}"), Candidate);
        check(&format!("{other}{blank}{OURS}"), Candidate);
    }
    check(&interim.repeat(100_000), No);
}

fn check(input: &str, expected: Sniff) {
    assert_eq!(sniff_agrees(input.as_bytes()), expected);
    assert_eq!(mcas::sniff(input.as_bytes()), expected);
}

/// Runs of all that there may be, long and short.
#[test]
fn random_runs() {
    let mut random = Random(0x4c4f_4f4b_4341_5321);
    let mut found = [0; 3];
    for _ in 0..RUNS {
        let most = random.below(60);
        let mut choices =
            std::iter::repeat_with(|| random.below(256) as u8).take(most);
        let input = run(&mut choices);
        found[sniff_agrees(&input) as usize] += 1;
    }
    // Were one of them rare, little would be looked at.
    println!("{found:?}");
    assert!(found.iter().all(|&count| count > RUNS / 10), "{found:?}");
}

const RUNS: u32 = 20_000;
