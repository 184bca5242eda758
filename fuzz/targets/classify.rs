//! Whether a stream is ours, by the first bytes of it and by more of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas::message::{self, Context};
use mcas::{sniff, Sniff};
use mcas_fuzz::invariants::classes_agree;
use mcas_fuzz::{context, knobs};

fuzz_target!(|data: &[u8]| {
    let Some((input, [known, ends @ ..])) = knobs::<5>(data) else { return };
    let open = Context { flags: 0, ..context(known) };
    let mut ends: [usize; 2] = [0, 1].map(|i| {
        let end = u16::from_le_bytes([ends[2 * i], ends[2 * i + 1]]);
        usize::from(end) % (input.len() + 1)
    });
    ends.sort_unstable();
    let mut class = None;
    for end in [ends[0], ends[1], input.len()] {
        let prefix = &input[..end];
        class = Some((end, classes_agree(class, prefix, &open)));
    }
    sniff_agrees(input);
});

/// Where there is a request of ours, also behind others, it is a candidate,
/// if its method is one that HTTP knows.
fn sniff_agrees(input: &[u8]) {
    let sniffed = sniff(input);
    let mut rest = input;
    loop {
        let Ok(parsed) = mcas::parse(rest, &Context::default()) else {
            return;
        };
        let begin = parsed.begin as usize;
        let method = rest[begin..].split(|&b| b == b' ').next();
        let method = method.unwrap_or_default();
        let known = method.iter().all(u8::is_ascii_uppercase);
        if parsed.kind != message::KIND_REQUEST || !known || method.len() >= 24
        {
            return;
        }
        if parsed.is_ours() {
            return assert_eq!(sniffed, Sniff::Candidate);
        }
        if !parsed.has(message::COMPLETE) {
            return;
        }
        rest = &rest[parsed.length as usize..];
    }
}
