//! The value of a Cookie or Set-Cookie header, and that of a persistence
//! cookie.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas::{items, text, Context, Field, Item, Request, Value};
use mcas_fuzz::invariants::{take, texts_agree};
use mcas_fuzz::{in_a_head, knobs};

fuzz_target!(|data: &[u8]| {
    let Some((value, [work])) = knobs(data) else { return };
    let all = take(items::cookies(value), value);
    let one = take(items::bigip(value), value);
    let provisioning = Context::answering(Request::new(1));
    match work % 8 {
        0 => {
            assert!(items::cookies(value).eq(all));
            assert!(items::bigip(value).eq(one));
        }
        1 => in_a_head(
            "GET / HTTP/1.1\r\nHost: add-con.mcas\r\nCookie: ",
            value,
            "\r\nCookie: BIGipServer=1.2.0000\r\n\r\n",
            &Context::default(),
        ),
        2 => in_a_head(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: ",
            value,
            "\r\nSet-Cookie: BIGipServer=1.2.0000\r\n\r\n",
            &provisioning,
        ),
        3 => {
            texts_agree(&all, value);
            texts_agree(&one, value);
            for item in all.iter().chain(&one) {
                server_agrees(item, value);
            }
        }
        _ => {}
    }
});

/// Address and port, written again as the balancer does, are the cookie.
fn server_agrees(item: &Item, bytes: &[u8]) {
    let shown = || text::to_string(item, bytes).to_lowercase();
    let number = |part: Option<&str>| part.and_then(|n| n.parse::<u64>().ok());
    match (item.as_field(), item.value()) {
        (Some(Field::BigipAddr), Some(Value::Ipv4(address))) => {
            let shown = shown();
            if shown.starts_with("rd") {
                let digits = format!("ffff{:08x}", address.to_bits());
                assert!(shown.contains(&digits), "{shown}");
            } else {
                let swapped = u32::from_le_bytes(address.octets());
                let first = number(shown.split('.').next());
                assert_eq!(first, Some(swapped.into()));
            }
        }
        (Some(Field::BigipPort), Some(Value::Number(port))) => {
            let shown = shown();
            let swapped = u64::from((port as u16).swap_bytes());
            if shown.starts_with("rd") {
                assert_eq!(number(shown.split('o').nth(2)), Some(port));
            } else {
                assert_eq!(number(shown.split('.').nth(1)), Some(swapped));
            }
        }
        _ => {}
    }
}
