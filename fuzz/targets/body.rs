//! A body, of a message of any type and declaration.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas::message::{Parts, CUT};
use mcas::types::{TYPE_NONE, TYPE_UNSEEN};
use mcas::Context;
use mcas_fuzz::invariants::{
    config_agrees, prefix_agrees, read_parts, texts_agree,
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
const RESPONSES: [(u16, u32); 8] = [
    (200, 1),
    (200, TYPE_UNSEEN),
    (200, 7),
    (500, 9),
    (200, 3),
    (404, 0),
    (200, 5),
    (206, TYPE_NONE),
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
    let mut parts = Parts {
        host: b"add-con.mcas",
        content_type: MEDIA[usize::from(media & 7)],
        content_encoding: if media & 0xf0 == 0xf0 { b"gzip" } else { b"" },
        context: Context { flags: u32::from(of >> 4) & CUT, ..KNOWN },
        ..Parts::default()
    };
    let row = usize::from(of & 7);
    if of & 8 == 0 {
        (parts.method, parts.target) = REQUESTS[row];
    } else {
        (parts.status, parts.context.request_type) = RESPONSES[row];
    }
    let whole = read_parts(&parts, body);
    match work % 8 {
        0 => assert_eq!(read_parts(&parts, body), whole),
        1 => {
            let end = usize::from(cut) % (body.len() + 1);
            parts.context.flags = CUT;
            let prefix = read_parts(&parts, &body[..end]);
            prefix_agrees(&Ok(prefix), &Ok(whole), end);
        }
        2 => texts_agree(&whole.body, body),
        3 => config_agrees(&whole.message, body),
        _ => {}
    }
});

const KNOWN: Context =
    Context { request_type: TYPE_UNSEEN, request_method: 0, flags: 0 };
