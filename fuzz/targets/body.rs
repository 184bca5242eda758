//! A body, of a message of any type and declaration.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas::message::{Parts, CUT};
use mcas::types::TYPE_NONE;
use mcas::{Context, Request};
use mcas_fuzz::invariants::{
    config_agrees, prefix_agrees, read_parts, short_agrees, texts_agree,
};
use mcas_fuzz::knobs;

/// Method and target, for requests.
const REQUESTS: [(&[u8], &[u8]); 8] = [
    (b"POST", b"/"),
    (b"POST", b"/verup/notify.cgi"),
    (b"PUT", b"/x"),
    (b"PUT", b"/cas_tel_conf/"),
    (b"POST", b"/voip_setup.cgi?sipsv_addr=192.0.2.1"),
    (b"GET", b"/cas_tel_list"),
    (b"GET", b"/fw/RTS300HI/P.bin"),
    (b"POST", b"/voip_setup.cgi"),
];

/// Status and type of the request, for responses.
const RESPONSES: [(u16, Option<u32>); 8] = [
    (200, Some(1)),
    (200, None),
    (200, Some(7)),
    (500, Some(9)),
    (200, Some(3)),
    (404, Some(0)),
    (200, Some(5)),
    (206, Some(TYPE_NONE)),
];

const MEDIA: [&[u8]; 8] = [
    b"",
    b"application/x-www-form-urlencoded",
    b"text/plain;charset=ISO-8859-1",
    b"text/plain; charset=Shift_JIS",
    b"application/x-www-form-urlencoded; charset=EUC-JP",
    b"text/html",
    b"text/plain; charset=\"utf-8\"",
    b"text/plain; charset=x",
];

fuzz_target!(|data: &[u8]| {
    let Some((body, [of, media, work, cut])) = knobs(data) else { return };
    let row = usize::from(of & 7);
    let parts = if of & 8 == 0 {
        let (method, target) = REQUESTS[row];
        Parts::request(method, target)
    } else {
        let (status, request) = RESPONSES[row];
        let context = request.map(Request::new).map(Context::answering);
        Parts::response(status, context.unwrap_or_default())
    };
    let coding: &[u8] = if media & 0xf0 == 0xf0 { b"gzip" } else { b"" };
    let mut parts = parts
        .with_host(b"add-con.mcas")
        .with_content_type(MEDIA[usize::from(media & 7)])
        .with_content_encoding(coding)
        .with_flags(if of & 0x40 != 0 { CUT } else { 0 });
    let whole = read_parts(&parts, body);
    match work % 8 {
        0 => assert_eq!(read_parts(&parts, body), whole),
        1 => {
            let end = usize::from(cut) % (body.len() + 1);
            parts.flags = CUT;
            let prefix = read_parts(&parts, &body[..end]);
            prefix_agrees(&Ok(prefix), &Ok(whole), end);
        }
        2 => texts_agree(&whole.body, body),
        3 => config_agrees(&whole.message, body),
        4 => short_agrees(&whole.message, &[], body),
        _ => {}
    }
});
