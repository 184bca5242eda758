//! Fuzz targets for the core, for `cargo fuzz`; `make fuzz` runs them all.
//!
//! What they assert is what the tests assert over their samples:
//! `tests/invariants.rs`. Reading once is checked on every input; what takes
//! longer, such as text, a prefix or another way to read the same, only
//! where the input asks for it, so that a target stays fast.
//!
//! Which bytes ask stands at the end of the input ([`knobs`]), so that a
//! sample with any few bytes behind it is a seed.

#[path = "../../tests/invariants.rs"]
pub mod invariants;
#[path = "../../tests/runs.rs"]
pub mod runs;

use invariants::{
    pieces_agree, prefix_agrees, read, short_agrees, texts_agree, ways_agree,
    Reading,
};
use mcas::message::{Method, END_OF_STREAM};
use mcas::types::TYPE_NONE;
use mcas::{Context, Request};

/// The bytes under test, and the ones that say what to do with them.
pub fn knobs<const N: usize>(data: &[u8]) -> Option<(&[u8], [u8; N])> {
    data.split_last_chunk().map(|(bytes, &knobs)| (bytes, knobs))
}

/// No request was seen.
const UNSEEN: u32 = u32::MAX - 1;

#[rustfmt::skip]
const REQUEST_TYPES: [u32; 16] = [
    UNSEEN, 1, 3, TYPE_NONE, 0, 5, 7, 9, 11, 2, 13, 14, UNSEEN,
    1, 3, 0xdead_beef,
];

const METHODS: [Method; 4] =
    [Method::Other, Method::Head, Method::Connect, Method::Get];

/// What is known of a message, by the number that a knob gives.
pub fn context(knob: u8) -> Context {
    let end = if knob & 0x80 != 0 { END_OF_STREAM } else { 0 };
    let method = METHODS[usize::from(knob >> 4 & 3)];
    let context = match REQUEST_TYPES[usize::from(knob & 15)] {
        UNSEEN => Context::default(),
        known => Context::answering(Request::new(known).with_method(method)),
    };
    context.with_flags(end)
}

/// Looks at a message: once always, otherwise if `work` says so.
pub fn message(input: &[u8], context: &Context, work: u8, cut: u16) {
    let whole = read(input, context);
    match (work % 8, &whole) {
        (0, Err(error)) => assert_ne!(error.to_string(), ""),
        (0, Ok(reading)) => ways_agree(input, context, reading),
        (1, _) => {
            let end = usize::from(cut) % (input.len() + 1);
            prefix_agrees(&read(&input[..end], context), &whole, end);
        }
        (2, Ok(reading)) => {
            texts_agree(&reading.head, input);
            texts_agree(&reading.body, &reading.message.body_bytes(input));
        }
        (3, _) => {
            let end = usize::from(cut) % (input.len() + 1);
            let step = usize::from(cut >> 8) + 1;
            let ends = (0..end).step_by(step).chain([end, input.len()]);
            pieces_agree(input, context, ends);
        }
        (4, Ok(Reading { message, .. })) => {
            short_agrees(message, input, &message.body_bytes(input));
        }
        _ => {}
    }
}

/// Looks at a head with one line of interest, if that is all it is.
pub fn in_a_head(before: &str, value: &[u8], after: &str, context: &Context) {
    let input = [before.as_bytes(), value, after.as_bytes()].concat();
    message(&input, context, 0, 0);
}
