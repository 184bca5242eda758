//! The value of a User-Agent header.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas::{agent, items, Context};
use mcas_fuzz::invariants::{take, texts_agree};
use mcas_fuzz::{in_a_head, knobs};

fuzz_target!(|data: &[u8]| {
    let Some((value, [work])) = knobs(data) else { return };
    let found = take(items::user_agent(value), value);
    assert_eq!(found.is_empty(), !value.starts_with(agent::PREFIX));
    match work % 8 {
        0 => assert!(items::user_agent(value).eq(found)),
        1 => in_a_head(
            "GET / HTTP/1.1\r\nHost: add-con.mcas\r\nUser-Agent: ",
            value,
            "\r\n\r\n",
            &Context::default(),
        ),
        2 => texts_agree(&found, value),
        _ => {}
    }
});
