//! The target of a request, or a path alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas::{firmware, items, Context};
use mcas_fuzz::invariants::{take, texts_agree};
use mcas_fuzz::{in_a_head, knobs};

fuzz_target!(|data: &[u8]| {
    let Some((value, [work])) = knobs(data) else { return };
    let found = take(items::target(value), value);
    if let Some(path) = firmware::parse(value) {
        assert!(path.model.end() <= path.file.start().max(value.len()));
        assert_eq!(path.file.end(), value.len());
        assert!(!path.file.of(value).contains(&b'/'));
        assert!(!path.model.of(value).contains(&b'/'));
    }
    let context = Context::default();
    match work % 8 {
        0 => assert!(items::target(value).eq(found)),
        1 => in_a_head(
            "GET ",
            value,
            " HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n",
            &context,
        ),
        2 => in_a_head("POST ", value, " HTTP/1.1\r\n\r\n", &context),
        3 => texts_agree(&found, value),
        _ => {}
    }
});
