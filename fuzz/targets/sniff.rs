//! The first look, at any bytes, and at runs of messages as long as what
//! looks at them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mcas_fuzz::invariants::sniff_agrees;
use mcas_fuzz::runs::run;

fuzz_target!(|data: &[u8]| {
    sniff_agrees(data);
    sniff_agrees(&run(&mut data.iter().copied()));
});
