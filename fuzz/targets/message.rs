//! Whole messages, as bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas_fuzz::{context, knobs, message};

fuzz_target!(|data: &[u8]| {
    let Some((input, [known, work, a, b])) = knobs(data) else { return };
    message(input, &context(known), work, u16::from_le_bytes([a, b]));
});
