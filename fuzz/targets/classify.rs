//! Whether a stream is ours, by the first bytes of it and by more of them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas_fuzz::invariants::{classes_agree, pieces_agree};
use mcas_fuzz::{context, knobs};

fuzz_target!(|data: &[u8]| {
    let Some((input, [known, ends @ ..])) = knobs::<5>(data) else { return };
    let open = context(known).with_flags(0);
    let mut ends: [usize; 2] = [0, 1].map(|i| {
        let end = u16::from_le_bytes([ends[2 * i], ends[2 * i + 1]]);
        usize::from(end) % (input.len() + 1)
    });
    ends.sort_unstable();
    let ends = [ends[0], ends[1], input.len()];
    pieces_agree(input, &open, ends);
    let mut class = None;
    for end in ends {
        let prefix = &input[..end];
        class = Some((end, classes_agree(class, prefix, &open)));
    }
});
